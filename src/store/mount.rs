//! Format and mount: from bytes that prove nothing to a store whose every part belongs to the others.
//!
//! ```text
//!  store
//!  mount    (this file)
//!  replay · keys · log · key_page · clear · hierarchy
//! ```

use rand_core::TryCryptoRng;

use super::class::{Class, DataClass};
use super::clear::Clear;
use super::error::{Fault, FormatError, MountError};
use super::format::{self, KeyPagePayload, MOST_LEFT_OUT, SaltPayload};
use super::geometry::{Geometry, LOG_START};
use super::hierarchy::{Context, KEY_LEN, StoreKeys, WrapKeys};
use super::key_page::KeyPage;
use super::log::{Access, Anchoring, Head, KeyWork, Log, NextPage, Writing};
use super::memory::Parts;
use super::pace::Pace;
use super::pages::{HasPages, Pages};
use super::ring::Ring;
use crate::crypto::{self, Digest, SALT_LEN};
use crate::flash::Medium;
use crate::secret::{RootKey, Secret};

/// Whether a format may destroy what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Erase,
}

/// The classes that every store has, in slots 0 to 2.
const FIXED_CLASSES: [DataClass; 3] = [
    DataClass::of(Class::Identity),
    DataClass::of(Class::Settings),
    DataClass::of(Class::User),
];

impl<M: Medium> Log<M> {
    pub(crate) fn new(pages: Pages<M>, keys: StoreKeys, key_page: KeyPage) -> Self {
        let digest = Digest::new(&keys.structure);
        Self {
            pages,
            keys,
            key_page,
            key_work: KeyWork::Erase,
            head: Head {
                generation: 0,
                salt: [0; SALT_LEN],
                salt_at: 0,
                end: 0,
                next: 0,
                digest,
                writing: Writing::Closed,
            },
            tail: 1,
            ready: 0,
            live_sum: 0,
            live_bytes: 0,
            largest: 0,
            pace: Pace::default(),
            paced: (0, 0),
            due: 0,
            ahead: 0,
            moved: 0,
            checkpoint: None,
            taken: None,
            lists_nothing: false,
            doomed: None,
            run: None,
            burnt: None,
            next_page: NextPage::Known,
            tail_erased: true,
            anchoring: Anchoring::NONE,
            is_new: false,
            access: Access::Everybody,
            decided_end: None,
        }
    }

    // ---- format ----

    /// Makes a store. A cut leaves the flash unformatted; the key page is written last.
    pub(crate) async fn format<R: TryCryptoRng + ?Sized>(
        medium: M,
        root_key: &RootKey,
        label: &str,
        existing: Existing,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<Self, FormatError> {
        let geometry = Geometry::of(&medium).ok_or(FormatError::Geometry)?;
        if label.len() > format::MAX_LABEL {
            return Err(FormatError::Label);
        }
        if parts.slots.all.len() < FIXED_CLASSES.len() {
            return Err(FormatError::Memory);
        }
        // A dead random source is found out before anything is touched.
        let store_randomness = crypto::fresh_key(random).map_err(|_| FormatError::Random)?;
        let mut classes = FIXED_CLASSES.map(|data| (data, Secret::new([0; KEY_LEN])));
        for (_, randomness) in &mut classes {
            *randomness = crypto::fresh_key(random).map_err(|_| FormatError::Random)?;
        }
        let mut pages = Pages::new(medium, geometry);
        if existing == Existing::Refuse && !is_unformatted(&mut pages, root_key, label).await? {
            return Err(FormatError::NotBlank);
        }
        let store_id = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        let context = Context::new(store_id, label).ok_or(FormatError::Label)?;
        let wrapping = WrapKeys::derive(root_key, context)?;
        let store_key = wrapping.new_store_key(&store_randomness)?;
        let keys = StoreKeys::derive(wrapping, &store_key)?;
        for page in 0..geometry.pages {
            pages.most_erases = pages.most_erases.max(pages.erases_of(page).await?.unwrap_or(0));
        }
        let mut ring = Ring::new(geometry, [0; MOST_LEFT_OUT]);
        // The key pages go first: with them, whatever was stored is gone.
        let (before, mut most_erases) = (pages.most_erases, pages.most_erases);
        for page in 0..geometry.pages {
            if page < LOG_START || pages.is_erased(page).await?.is_none() {
                // A page without a mark is taken to be as worn as any was before, not as those that were just erased.
                pages.most_erases = before;
                match pages.erase_page(page, 0).await {
                    // Only for a device that has been in the field: a new part has no page that fails.
                    Err(Fault::Flash(_) | Fault::Unkept)
                        if existing == Existing::Erase && page >= LOG_START =>
                    {
                        ring = ring.without(page).ok_or(FormatError::Unkept)?;
                    }
                    erased => erased?,
                }
                most_erases = most_erases.max(pages.most_erases);
            }
        }
        pages.most_erases = most_erases;
        let key_page = KeyPage {
            page: 0,
            features: 0,
            salt: crypto::fresh(random).map_err(|_| FormatError::Random)?,
            payload: KeyPagePayload {
                version: 1,
                other_erases: pages.erases_of(1).await?.unwrap_or(1).saturating_sub(1),
                left_out: ring.list(),
                ..KeyPagePayload::default()
            },
        };
        let mut log = Self::new(pages, keys, key_page);
        log.key_work = KeyWork::Load;
        log.is_new = true;
        let generation = ring.after(0);
        log.tail = generation;
        let payload = SaltPayload {
            digest: 0,
            ..log.salt_payload(generation, 0)
        };
        let salt = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        let randomness = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        log.head = log
            .begin_page(geometry.page_of(generation), salt, &randomness, payload)
            .await?;
        log.ready = log.free_pages();
        log.write_first_key_page(&store_key, &classes, random).await?;
        // The record that follows must name the key page as the log's salts do.
        log.head.writing = Writing::Closed;
        parts.index.clear();
        log.load_class_keys(&mut parts.slots, FIXED_CLASSES.len()).await?;
        Ok(log)
    }

    // ---- mount ----

    /// Finds the store, finishes what was interrupted, reads the log into the index.
    pub(crate) async fn mount(
        place: impl HasPages<M>,
        root_key: &RootKey,
        label: &str,
        parts: &mut Parts<'_>,
    ) -> Result<Self, MountError> {
        let mut pages = place.pages(label)?;
        let (first_id, other_id) = pages.find_store().await?;
        let mut found = find_key_page(&mut pages, root_key, first_id, label).await;
        if let (Err(_), Some(other_id)) = (&found, other_id) {
            // An interrupted erase can leave a key page whose clear part is there and wrong.
            found = find_key_page(&mut pages, root_key, other_id, label).await;
        } else if let (Ok(_), Some(other_id)) = (&found, other_id)
            && find_key_page(&mut pages, root_key, other_id, label).await.is_ok()
        {
            // Two stores at once, and no telling which is the one: neither key page may be erased for the other.
            return Err(MountError::Inconsistent);
        }
        let (wrapping, key_page) = found?;
        let (mut log, count) = Self::of_key_page(pages, wrapping, key_page, parts).await?;
        log.settle_key_pages().await?;
        log.load_class_keys(&mut parts.slots, count).await?;
        log.read_log(key_page.payload, parts).await?;
        Ok(log)
    }

    /// A log of which no more is known yet than its key page, and the number of its class keys.
    pub(crate) async fn of_key_page(
        mut pages: Pages<M>,
        wrapping: WrapKeys,
        key_page: KeyPage,
        parts: &mut Parts<'_>,
    ) -> Result<(Self, usize), MountError> {
        let count = usize::try_from(key_page.payload.count).map_err(|_| MountError::Internal)?;
        if count > parts.slots.all.len() {
            return Err(MountError::TooManyClasses(count));
        }
        let store_key = pages.store_key(&wrapping, &key_page).await?;
        let keys = StoreKeys::derive(wrapping, &store_key)?;
        parts.index.clear();
        let log = Self::new(pages, keys, key_page);
        if log.ring().is_sound() {
            Ok((log, count))
        } else {
            Err(MountError::Inconsistent)
        }
    }
}

/// The current key page of the store with this id: of those that are complete, the one with the higher version.
async fn find_key_page<M: Medium>(
    pages: &mut Pages<M>,
    root_key: &RootKey,
    store_id: [u8; 16],
    label: &str,
) -> Result<(WrapKeys, KeyPage), MountError> {
    let context = Context::new(store_id, label).ok_or(MountError::Label)?;
    let wrapping = WrapKeys::derive(root_key, context)?;
    let mut current: Option<KeyPage> = None;
    let (mut begun, mut of_another_key, mut unreadable) = (None, false, None);
    for page in 0..LOG_START {
        let found = pages.key_page(&wrapping, page).await;
        let complete = match found {
            // The page before it is erased only when this one is complete: where that is gone, nothing can have torn it.
            Ok(Some(found)) => {
                let is_complete =
                    found.payload.version > 1 && pages.has_no_clear_part(LOG_START - 1 - page).await;
                pages.is_committed(&wrapping, &found, is_complete).await
            }
            Ok(None) => {
                of_another_key |= pages.store_id(page).await?.is_some();
                continue;
            }
            Err(fault) => Err(fault),
        };
        match (found, complete) {
            (Ok(Some(found)), Ok(true)) => {
                let above = current.map_or(0, |current| current.payload.version);
                if found.payload.version > above {
                    current = Some(found);
                }
            }
            (Ok(found), Ok(_)) => begun = found,
            // What does not read was never completely written, unless nothing else is found.
            (_, Err(Fault::Flash(kind))) => unreadable = Some(kind),
            (_, Err(fault)) | (Err(fault), _) => return Err(fault.into()),
        }
    }
    if let Some(current) = current {
        return Ok((wrapping, current));
    }
    match (unreadable, begun) {
        (Some(kind), _) => Err(MountError::Flash(kind)),
        (None, Some(begun)) if !of_another_key => {
            // Left by a format that was cut short, or a store whose Key commit is damaged: only that one has a log.
            if begun.payload.version == 1 && pages.is_log_unused().await {
                Err(MountError::Unformatted)
            } else {
                Err(MountError::Damaged(pages.geometry.start(begun.page)))
            }
        }
        _ => Err(MountError::WrongRootKey),
    }
}

/// Whether the medium holds nothing but blank pages and the leavings of a format that was cut short.
//= compliance/requirements.md#store-13
//# The store MUST NOT format flash that holds anything unless it is told to erase it.
async fn is_unformatted<M: Medium>(
    pages: &mut Pages<M>,
    root_key: &RootKey,
    label: &str,
) -> Result<bool, FormatError> {
    for page in 0..LOG_START {
        match pages.read_clear(page).await? {
            Clear::Blank => {}
            Clear::Store { store_id } => {
                let found = find_key_page(pages, root_key, store_id, label).await;
                if found.err() != Some(MountError::Unformatted) {
                    return Ok(false);
                }
            }
            Clear::Unreadable(kind) => return Err(FormatError::Flash(kind)),
            _ => return Ok(false),
        }
    }
    for page in LOG_START..pages.geometry.pages {
        if !pages.is_left_by_format(page).await {
            return Ok(false);
        }
    }
    // A log beside blank key pages was a store: only who says so may erase what an attacker has left of it.
    Ok(pages.is_log_unused().await)
}
