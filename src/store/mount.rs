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
use super::geometry::LOG_START;
use super::hierarchy::{Context, KEY_LEN, StoreKeys};
use super::key_page::KeyPage;
use super::log::{Access, Anchoring, Head, KeyWork, Log, NextPage, Writing};
use super::memory::Parts;
use super::pace::Pace;
use super::pages::Pages;
use super::ring::Ring;
use crate::crypto::{self, Digest, SALT_LEN};
use crate::flash::{Medium, Routine, two_faces};
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

#[two_faces]
impl<M: Medium> Log<M> {
    /// The log of a store that is to be found or made there: of which nothing is known yet, and no key is in hand.
    ///
    /// What finds or makes it fills it in where it stands. It is some hundreds of bytes, keys most of them: to pass it from one routine to the
    /// next would leave copies of them all over the stack.
    pub(crate) fn over(pages: Pages<M>) -> Self {
        let keys = StoreKeys::none();
        let digest = Digest::new(&keys.structure);
        Self {
            pages,
            keys,
            key_page: KeyPage::default(),
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
            unseen: 0,
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
    pub(crate) fn format<R: TryCryptoRng + ?Sized>(
        &mut self,
        root_key: &RootKey,
        label: &str,
        existing: Existing,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), FormatError>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
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
            if existing == Existing::Refuse && !self.is_unformatted(root_key, label).await? {
                return Err(FormatError::NotBlank);
            }
            let store_id = crypto::fresh(random).map_err(|_| FormatError::Random)?;
            let context = Context::new(store_id, label).ok_or(FormatError::Label)?;
            self.keys.wrapping.fill(root_key, context)?;
            let store_key = self.keys.wrapping.new_store_key(&store_randomness)?;
            self.keys.fill(&store_key)?;
            let pages = &mut self.pages;
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
            self.key_page = KeyPage {
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
            self.key_work = KeyWork::Load;
            self.is_new = true;
            let generation = ring.after(0);
            self.tail = generation;
            let payload = SaltPayload {
                digest: 0,
                ..self.salt_payload(generation, 0)
            };
            let salt = crypto::fresh(random).map_err(|_| FormatError::Random)?;
            let randomness = crypto::fresh(random).map_err(|_| FormatError::Random)?;
            self.head = self
                .begin_page(geometry.page_of(generation), salt, &randomness, payload)
                .await?;
            self.ready = self.free_pages();
            self.write_first_key_page(&store_key, &classes, random).await?;
            // The record that follows must name the key page as the log's salts do.
            self.head.writing = Writing::Closed;
            parts.index.clear();
            Ok(self
                .load_class_keys(&mut parts.slots, FIXED_CLASSES.len())
                .await?)
        })
    }

    // ---- mount ----

    /// Finds the store, finishes what was interrupted, reads the log into the index.
    pub(crate) fn mount(
        &mut self,
        root_key: &RootKey,
        label: &str,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let (first_id, other_id) = self.pages.find_store().await?;
            let found = self.find_key_page(root_key, first_id, label).await;
            match (found, other_id) {
                (found, None) => found?,
                // An interrupted erase can leave a key page whose clear part is there and wrong.
                (Err(_), Some(other_id)) => self.find_key_page(root_key, other_id, label).await?,
                (Ok(()), Some(other_id)) => {
                    let key_page = self.key_page;
                    if self.find_key_page(root_key, other_id, label).await.is_ok() {
                        // Two stores at once, and no telling which is the one: neither key page may be erased for the other.
                        return Err(MountError::Inconsistent);
                    }
                    // The search left the other's keys behind.
                    let context = Context::new(first_id, label).ok_or(MountError::Label)?;
                    self.keys.wrapping.fill(root_key, context)?;
                    self.key_page = key_page;
                }
            }
            let count = self.open_key_page(parts).await?;
            self.settle_key_pages().await?;
            self.load_class_keys(&mut parts.slots, count).await?;
            self.read_log(parts).await
        })
    }

    /// Takes the store's own keys from the key page that was found: the keys that open it are in place. Gives the number of its class keys.
    #[inline(never)]
    pub(crate) fn open_key_page(
        &mut self,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<usize, MountError>>> {
        M::call(async move {
            let count = usize::try_from(self.key_page.payload.count).map_err(|_| MountError::Internal)?;
            if count > parts.slots.all.len() {
                return Err(MountError::TooManyClasses(count));
            }
            let store_key = self.pages.store_key(&self.keys.wrapping, &self.key_page).await?;
            self.keys.fill(&store_key)?;
            self.head.digest = Digest::new(&self.keys.structure);
            parts.index.clear();
            if self.ring().is_sound() {
                Ok(count)
            } else {
                Err(MountError::Inconsistent)
            }
        })
    }

    /// Finds the current key page of the store with this id, and the keys that open it: of those that are complete, the one with the higher version.
    fn find_key_page(
        &mut self,
        root_key: &RootKey,
        store_id: [u8; 16],
        label: &str,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let context = Context::new(store_id, label).ok_or(MountError::Label)?;
            self.keys.wrapping.fill(root_key, context)?;
            let (pages, wrapping) = (&mut self.pages, &self.keys.wrapping);
            let mut current: Option<KeyPage> = None;
            let (mut begun, mut of_another_key, mut unreadable) = (None, false, None);
            for page in 0..LOG_START {
                let found = pages.key_page(wrapping, page).await;
                let complete = match found {
                    // The page before it is erased only when this one is complete: where that is gone, nothing can have torn it.
                    Ok(Some(found)) => {
                        let is_complete =
                            found.payload.version > 1 && pages.has_no_clear_part(LOG_START - 1 - page).await;
                        pages.is_committed(wrapping, &found, is_complete).await
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
                self.key_page = current;
                return Ok(());
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
        })
    }

    /// Whether the medium holds nothing but blank pages and the leavings of a format that was cut short.
    //= compliance/requirements.md#store-13
    //# The store MUST NOT format flash that holds anything unless it is told to erase it.
    fn is_unformatted(
        &mut self,
        root_key: &RootKey,
        label: &str,
    ) -> Routine<M, impl Future<Output = Result<bool, FormatError>>> {
        M::call(async move {
            for page in 0..LOG_START {
                match self.pages.read_clear(page).await? {
                    Clear::Blank => {}
                    Clear::Store { store_id } => {
                        let found = self.find_key_page(root_key, store_id, label).await;
                        if found.err() != Some(MountError::Unformatted) {
                            return Ok(false);
                        }
                    }
                    Clear::Unreadable(kind) => return Err(FormatError::Flash(kind)),
                    _ => return Ok(false),
                }
            }
            for page in LOG_START..self.pages.geometry.pages {
                if !self.pages.is_left_by_format(page).await {
                    return Ok(false);
                }
            }
            // A log beside blank key pages was a store: only who says so may erase what an attacker has left of it.
            Ok(self.pages.is_log_unused().await)
        })
    }
}
