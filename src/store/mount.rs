//! Format and mount: from bytes that prove nothing to a store whose every part belongs to the others.
//!
//! ```text
//!  store
//!  mount    (this file)
//!  keys · walk · log · format · crypto
//! ```

use rand_core::TryCryptoRng;

use super::class::{Class, DataClass};
use super::error::{Fault, FormatError, MountError};
use super::format::{
    self, Geometry, Header, KeyPagePayload, Kind, LOG_START, NO_ADDRESS, Position, SaltPayload,
};
use super::keys::{self, Clear};
use super::log::{DecidedEnd, Doomed, Head, KeyPage, Log, OpenedValue, StoreKeys, Writing, split_value};
use super::memory::{Entry, Index, Parts, Slots};
use super::walk::{Cursor, Found, PageStart};
use crate::crypto::{self, Digest, SALT_LEN};
use crate::flash::{Medium, MediumKind};
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
    fn new(medium: M, geometry: Geometry, keys: StoreKeys) -> Self {
        let digest = Digest::new(&keys.structure);
        Self {
            medium,
            geometry,
            keys,
            key_page: KeyPage {
                page: 0,
                version: 1,
                salt: [0; SALT_LEN],
                other_erases: 0,
                settled: false,
                loaded: false,
            },
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
            tail_live: 0,
            doomed: None,
            burnt: None,
            spoiled: false,
            tail_erased: true,
            most_erases: 0,
            decided_end: None,
            unreadable: None,
        }
    }

    // ---- format ----

    /// Makes a store. A cut leaves the flash unformatted; the key page is written last.
    pub(crate) async fn format<R: TryCryptoRng + ?Sized>(
        mut medium: M,
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
        let mut class_randomness = [const { Secret::new([0; 32]) }; FIXED_CLASSES.len()];
        for randomness in &mut class_randomness {
            *randomness = crypto::fresh_key(random).map_err(|_| FormatError::Random)?;
        }
        if existing == Existing::Refuse {
            let (given_back, unformatted) = Self::is_unformatted(medium, geometry, root_key, label).await?;
            medium = given_back;
            if !unformatted {
                return Err(FormatError::NotBlank);
            }
        }
        let store_id = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        let keys = StoreKeys::derive(root_key, store_id, label).ok_or(FormatError::Internal)?;
        let mut log = Self::new(medium, geometry, keys);
        for page in 0..geometry.pages {
            log.most_erases = log.most_erases.max(log.erases_of(page).await?.unwrap_or(0));
        }
        // The key pages go first: with them, whatever was stored is gone.
        for page in 0..geometry.pages {
            if page < LOG_START || log.is_erased(page).await?.is_none() {
                log.erase_page(page, 0).await?;
            }
        }
        log.key_page.salt = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        log.key_page.other_erases = log.erases_of(1).await?.unwrap_or(1).saturating_sub(1);
        log.key_page.settled = true;
        let payload = SaltPayload {
            generation: 1,
            tail: 1,
            key_version: log.key_page.version,
            key_check: log.key_page.check(),
            live: 0,
            resume: 0,
            digest: 0,
        };
        let salt = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        let randomness = crypto::fresh(random).map_err(|_| FormatError::Random)?;
        log.head = log.begin_page(LOG_START, salt, &randomness, payload).await?;
        log.ready = geometry.log_pages() - 1;
        log.write_first_key_page(&FIXED_CLASSES, &class_randomness, random)
            .await?;
        // The record that follows must name the key page as the log's salts do.
        log.head.writing = Writing::Closed;
        parts.index.clear();
        log.load_class_keys(&mut parts.slots, FIXED_CLASSES.len()).await?;
        Ok(log)
    }

    // ---- mount ----

    /// Finds the store, finishes what was interrupted, reads the log into the index.
    pub(crate) async fn mount(
        mut medium: M,
        root_key: &RootKey,
        label: &str,
        parts: &mut Parts<'_>,
    ) -> Result<Self, MountError> {
        if label.len() > format::MAX_LABEL {
            return Err(MountError::Label);
        }
        let geometry = Geometry::of(&medium).ok_or(MountError::Geometry)?;
        let (first_id, other_id) = find_store(&mut medium, geometry).await?;
        let keys = StoreKeys::derive(root_key, first_id, label).ok_or(MountError::Internal)?;
        let mut log = Self::new(medium, geometry, keys);
        let mut found = log.find_key_page().await;
        if let (Err(_), Some(other_id)) = (found, other_id) {
            // An interrupted erase can leave a key page whose clear part is there and wrong.
            log.keys = StoreKeys::derive(root_key, other_id, label).ok_or(MountError::Internal)?;
            found = log.find_key_page().await;
        }
        let payload = found?;
        let count = usize::try_from(payload.count).map_err(|_| MountError::Internal)?;
        if count > parts.slots.all.len() {
            return Err(MountError::TooManyClasses(count));
        }
        log.settle_key_pages().await?;
        log.load_class_keys(&mut parts.slots, count).await?;
        parts.index.clear();
        log.read_log(payload, parts).await?;
        Ok(log)
    }

    /// The current key page: of those that are complete, the one with the higher version.
    async fn find_key_page(&mut self) -> Result<KeyPagePayload, MountError> {
        let mut current: Option<KeyPagePayload> = None;
        let mut begun = false;
        for page in 0..LOG_START {
            let Some((salt, payload)) = self.key_page_payload(page).await? else {
                continue;
            };
            begun = true;
            if current.is_none_or(|current| current.version < payload.version)
                && self.is_committed(page, salt, payload).await?
            {
                self.key_page = KeyPage {
                    page,
                    version: payload.version,
                    salt,
                    other_erases: payload.other_erases,
                    settled: false,
                    loaded: false,
                };
                current = Some(payload);
            }
        }
        current.ok_or(match self.unreadable {
            Some(kind) => MountError::Flash(kind),
            None if begun => MountError::Unformatted,
            None => MountError::WrongRootKey,
        })
    }

    //= compliance/requirements.md#store-1
    //# After power was cut at any point of any operation, the store MUST mount and hold for each item the last acknowledged value or the one being written.
    async fn read_log(&mut self, keys: KeyPagePayload, parts: &mut Parts<'_>) -> Result<(), MountError> {
        let newest = self.find_head().await?;
        self.head.generation = newest.payload.generation;
        self.head.salt = newest.salt;
        self.tail = newest.payload.tail;
        if self.tail == 0
            || self.tail > self.head.generation
            || self.head.generation - self.tail >= self.geometry.log_pages() - 1
        {
            return Err(MountError::Inconsistent);
        }
        self.tail = self.tail_in_head(newest, parts).await?;

        let mut reading = Reading {
            keys,
            met_key_page: false,
            last: None,
            unopened: None,
            overwritten: None,
        };
        let mut start = self.page_of_generation(self.tail).await?;
        for generation in self.tail..=self.head.generation {
            let next = if generation < self.head.generation {
                Some(self.page_of_generation(generation + 1).await?)
            } else {
                None
            };
            let mut cursor = self.cursor(start, next.map(|next| next.payload.resume));
            reading.overwritten = None;
            reading.last = Some(cursor.start.payload);
            let end = self.read_page(&mut cursor, &mut reading, parts).await?;
            match next {
                Some(next) if next.payload.digest != cursor.digest.value() => {
                    return Err(MountError::Inconsistent);
                }
                Some(next) => start = next,
                None => self.adopt_head(&cursor, end),
            }
        }
        self.check(&reading)?;
        self.finish_overwriting(&reading).await?;
        self.largest = parts.index.iter().map(Entry::size).max().unwrap_or(0);
        self.live_bytes = parts.index.iter().map(Entry::size).sum();
        self.examine_free_pages().await?;
        Ok(())
    }

    /// The page with the highest generation. Its first record may be the one that was being written when power went, and
    /// open by chance: then it is the page before.
    async fn find_head(&mut self) -> Result<PageStart, MountError> {
        let mut below = u32::MAX;
        for _ in 0..2 {
            let mut newest: Option<PageStart> = None;
            for page in LOG_START..self.geometry.pages {
                self.most_erases = self.most_erases.max(self.erases_of(page).await?.unwrap_or(0));
                let start = self
                    .page_start(page)
                    .await
                    .filter(|start| start.payload.generation < below);
                if let Some(start) = start
                    && newest.is_none_or(|newest| newest.payload.generation < start.payload.generation)
                {
                    newest = Some(start);
                }
            }
            let Some(newest) = newest else { break };
            let record = self.geometry.start(newest.page) + self.geometry.first();
            if self.is_steady(record, self.geometry.salt_record()).await {
                return Ok(newest);
            }
            below = newest.payload.generation;
        }
        Err(MountError::Damaged(self.geometry.start(LOG_START)))
    }

    async fn page_of_generation(&mut self, generation: u32) -> Result<PageStart, MountError> {
        let page = self.geometry.page_of(generation);
        let start = self
            .page_start(page)
            .await
            .filter(|start| start.payload.generation == generation);
        start.ok_or(MountError::Damaged(self.geometry.start(page)))
    }

    /// The tail, as the Retire records in the head page say.
    async fn tail_in_head(&mut self, head: PageStart, parts: &mut Parts<'_>) -> Result<u32, MountError> {
        let mut tail = head.payload.tail;
        let mut cursor = self.cursor(head, None);
        let mut last = None;
        // What a write left that was never accepted is overwritten right after the record that says so: again, if that is
        // the last one.
        let mut gap = self.burnt_end_before(head).await;
        let (next, clean) = loop {
            let at = cursor.offset;
            let found = self.step(&mut cursor, &parts.slots, parts.buffer).await?;
            if !matches!(found, Found::End { .. }) {
                gap = None;
            }
            let tail_without = tail;
            let mut stands_at = at;
            match found {
                Found::End { next, clean } => break (next, clean),
                Found::Session(_) => {
                    stands_at = cursor.offset - self.geometry.salt_record();
                    let start = self.geometry.start(head.page);
                    if stands_at > at.next_multiple_of(self.geometry.granule()) {
                        gap = Some((start + at, start + stands_at));
                    }
                }
                Found::Opened { header, text, .. } if header.kind == Kind::Retire => {
                    let retired = parts.buffer.get(text).map_or(0, |text| format::number(text, 0));
                    if retired <= tail || retired > head.payload.generation {
                        return Err(MountError::Inconsistent);
                    }
                    tail = retired;
                }
                _ => {}
            }
            last = Some((at, stands_at, tail_without));
        };
        self.decided_end = Some(DecidedEnd {
            at: cursor.offset,
            next,
            clean,
        });
        self.burnt = gap;
        // The last record may be the one that was being written when power went, and open by chance.
        if let Some((at, stands_at, tail_without)) = last
            && !self
                .is_steady(
                    self.geometry.start(head.page) + stands_at,
                    cursor.offset - stands_at,
                )
                .await
        {
            self.decided_end = Some(DecidedEnd {
                at,
                next: next.max(cursor.offset),
                clean: false,
            });
            self.burnt = None;
            return Ok(tail_without);
        }
        Ok(tail)
    }

    /// What stands behind the end of the log in the page before the head.
    async fn burnt_end_before(&mut self, head: PageStart) -> Option<(u32, u32)> {
        if head.payload.generation <= head.payload.tail {
            return None;
        }
        let start = self
            .geometry
            .start(self.geometry.page_of(head.payload.generation - 1));
        let from = start + head.payload.resume.min(self.geometry.page);
        let last = self.last_not_blank(from, start + self.geometry.page).await?;
        Some((from, last))
    }

    /// Reads one page into the index. Gives where its log ends.
    async fn read_page(
        &mut self,
        cursor: &mut Cursor,
        reading: &mut Reading,
        parts: &mut Parts<'_>,
    ) -> Result<(u32, bool), MountError> {
        loop {
            let here = Position {
                generation: cursor.start.payload.generation,
                offset: cursor.offset,
            };
            if here == reading.keys.log_end {
                if cursor.digest.value() != reading.keys.digest {
                    return Err(MountError::Inconsistent);
                }
                reading.met_key_page = true;
            }
            let found = self.step(cursor, &parts.slots, parts.buffer).await?;
            if !matches!(found, Found::End { .. }) {
                reading.overwritten = None;
            }
            if matches!(found, Found::End { .. } | Found::Session(_)) {
                match found {
                    Found::End { next, clean } => return Ok((next, clean)),
                    Found::Session(payload) => reading.last = Some(payload),
                    _ => {}
                }
                continue;
            }
            match found {
                Found::Opened { header, offset, text } => {
                    let text_bytes = parts.buffer.get(text.clone()).unwrap_or_default();
                    let linked = header.kind == Kind::Removal || M::KIND == MediumKind::Overwritable;
                    let (previous, live) = match header.kind {
                        Kind::Retire => (NO_ADDRESS, Some(format::number(text_bytes, 4))),
                        _ if linked => (format::number(text_bytes, 0), Some(format::number(text_bytes, 4))),
                        _ => (NO_ADDRESS, None),
                    };
                    if let (Some(last), Some(live)) = (reading.last.as_mut(), live) {
                        last.live = live;
                    }
                    // Only the last change of all may have left its predecessor to be overwritten.
                    if self.doomed.is_some() {
                        return Err(MountError::Inconsistent);
                    }
                    if header.kind == Kind::Retire {
                        continue;
                    }
                    let address = self.geometry.address(cursor.start.page, offset);
                    self.supersede(previous, reading, &mut parts.index);
                    if header.kind != Kind::Removal {
                        self.admit(header, address, text, parts).await?;
                    }
                }
                Found::Unopened { address } if reading.unopened.is_some() => {
                    return Err(MountError::Damaged(address.saturating_mul(4)));
                }
                Found::Unopened { address } => reading.unopened = Some(address),
                _ => {}
            }
        }
    }

    /// Takes the record at `previous` out; on overwritable media what is still there is to be overwritten.
    fn supersede(&mut self, previous: u32, reading: &mut Reading, index: &mut Index<'_>) {
        if previous == NO_ADDRESS {
            return;
        }
        if let Some(entry) = index.remove(previous) {
            self.live_sum = self.live_sum.wrapping_sub(self.keys.live_summand(previous));
            if M::KIND == MediumKind::Overwritable {
                self.doomed = Some(Doomed {
                    address: previous,
                    size: entry.size(),
                });
            }
        } else if reading.unopened == Some(previous) {
            reading.unopened = None;
            self.doomed = Some(Doomed {
                address: previous,
                size: 0,
            });
        } else {
            reading.overwritten = Some(previous);
        }
    }

    /// Puts a value that opened into the index, in place of an older one of the same name.
    async fn admit(
        &mut self,
        header: Header,
        address: u32,
        text: core::ops::Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Result<(), MountError> {
        let damaged = MountError::Damaged(address.saturating_mul(4));
        let opened = split_value(M::KIND, header, parts.buffer, &text).ok_or(damaged)?;
        let mut name = Secret::new([0; format::MAX_NAME]);
        let name_bytes = parts.buffer.get(opened.name).ok_or(damaged)?;
        let name = name.expose_mut().get_mut(..name_bytes.len()).ok_or(damaged)?;
        name.copy_from_slice(name_bytes);
        let size = self.geometry.size(header);
        let hash = self.keys.name_hash(header.slot, name);
        if M::KIND == MediumKind::WriteOnce
            && let Some((older, _)) = self
                .find(&parts.index, &parts.slots, header.slot, name, parts.buffer)
                .await?
        {
            parts.index.remove(older.address());
            self.live_sum = self
                .live_sum
                .wrapping_sub(self.keys.live_summand(older.address()));
        }
        let entry = Entry::new(address, header.slot, size, header.kind == Kind::Fixed, hash);
        if !parts.index.insert(entry) {
            return Err(MountError::IndexFull);
        }
        self.live_sum = self.live_sum.wrapping_add(self.keys.live_summand(address));
        Ok(())
    }

    fn adopt_head(&mut self, cursor: &Cursor, (next, clean): (u32, bool)) {
        self.head = Head {
            generation: cursor.start.payload.generation,
            salt: cursor.salt,
            salt_at: cursor.salt_at,
            end: cursor.offset,
            next,
            digest: cursor.digest.clone(),
            writing: if clean { Writing::Closed } else { Writing::Burnt },
        };
    }

    /// Whether the log, the key page and the live records belong together.
    //= compliance/requirements.md#store-4
    //# The store MUST detect at mount a log or key page that was dropped, replayed, swapped or cut back against the others.
    fn check(&self, reading: &Reading) -> Result<(), MountError> {
        let last = reading.last.ok_or(MountError::Internal)?;
        if let Some(address) = reading.unopened {
            return Err(MountError::Damaged(address.saturating_mul(4)));
        }
        let keys = reading.keys;
        let ends_at_key_page = self.log_end() == keys.log_end && self.head.digest.value() == keys.digest;
        let current = last.key_version == keys.version && last.key_check == self.key_page.check();
        let older = last.key_version < keys.version && ends_at_key_page;
        let in_range = keys.log_end.generation >= self.tail;
        if !(current || older) || (in_range && !reading.met_key_page) {
            return Err(MountError::Inconsistent);
        }
        let live = if ends_at_key_page { keys.live } else { last.live };
        if M::KIND == MediumKind::Overwritable && live != self.live_sum {
            return Err(MountError::Inconsistent);
        }
        Ok(())
    }

    /// Overwrites what the last change superseded. If it reads as overwritten already, that may have been cut short all the
    /// same: its last word may read zero now and not the next time.
    async fn finish_overwriting(&mut self, reading: &Reading) -> Result<(), MountError> {
        if let (MediumKind::Overwritable, None, Some(address)) = (M::KIND, self.doomed, reading.overwritten) {
            self.doomed = Some(Doomed { address, size: 0 });
        }
        if let Some(doomed) = self.doomed.as_mut().filter(|doomed| doomed.size == 0) {
            let mut word = [0; format::MAX_UNIT];
            let len = usize::try_from(self.geometry.unit).map_err(|_| MountError::Internal)?;
            let word = word.get_mut(..len).ok_or(MountError::Internal)?;
            self.medium
                .read(doomed.address.saturating_mul(4), word)
                .await
                .map_err(Fault::Flash)?;
            let header = word.first_chunk().copied().and_then(Header::from_bytes);
            let header = header.ok_or(MountError::Damaged(doomed.address.saturating_mul(4)))?;
            doomed.size = self.geometry.size(header);
        }
        Ok(self.overwrite_doomed().await?)
    }

    /// What stands on the pages that hold no part of the log.
    async fn examine_free_pages(&mut self) -> Result<(), MountError> {
        self.ready = 0;
        let free = self.free_pages();
        if free == 0 {
            return Ok(());
        }
        self.tail_erased = self
            .is_erased(self.geometry.page_before(self.tail))
            .await?
            .is_some();
        let next = self.geometry.page_of(self.head.generation.saturating_add(1));
        self.spoiled = self.is_erased(next).await?.is_none();
        if self.spoiled && free > 1 {
            // It holds at most a first record that was torn. More was a page of the log, and the head, until that was damaged.
            let start = self.geometry.start(next);
            let behind = start + self.geometry.first() + self.geometry.salt_record();
            // One word is a flipped bit in a blank page; a record has more.
            if let Some(last) = self.last_not_blank(behind, start + self.geometry.page).await
                && !self.is_blank(behind, last - self.geometry.unit).await
            {
                return Err(MountError::Damaged(start));
            }
        }
        for ahead in 1..=free {
            let page = self.geometry.page_of(self.head.generation.saturating_add(ahead));
            if self.spoiled || self.erases_of(page).await?.is_none() || self.page_start(page).await.is_some()
            {
                break;
            }
            self.ready += 1;
        }
        Ok(())
    }

    /// The entry of an item, found by its name; the item's record is left open in `buffer`.
    pub(crate) async fn find(
        &mut self,
        index: &Index<'_>,
        slots: &Slots<'_>,
        slot: u8,
        name: &[u8],
        buffer: &mut [u8],
    ) -> Result<Option<(Entry, OpenedValue)>, Fault> {
        let hash = self.keys.name_hash(slot, name);
        let mut skip = 0;
        while let Some(entry) = index.candidate(slot, hash, skip) {
            let opened = self
                .read_value(entry.address(), entry.size(), slots.get(slot), buffer)
                .await?;
            if buffer.get(opened.name.clone()) == Some(name) {
                return Ok(Some((entry, opened)));
            }
            skip += 1;
        }
        Ok(None)
    }

    /// Whether the medium holds nothing but blank pages and the leavings of a format that was cut short. Gives the medium
    /// back.
    //= compliance/requirements.md#store-13
    //# The store MUST NOT format flash that holds anything unless it is told to erase it.
    async fn is_unformatted(
        mut medium: M,
        geometry: Geometry,
        root_key: &RootKey,
        label: &str,
    ) -> Result<(M, bool), FormatError> {
        for page in 0..LOG_START {
            match keys::read_clear(&mut medium, geometry, page).await? {
                Clear::Blank => {}
                Clear::Store { store_id } => {
                    let keys = StoreKeys::derive(root_key, store_id, label).ok_or(FormatError::Internal)?;
                    let mut log = Self::new(medium, geometry, keys);
                    let begun = log.find_key_page().await == Err(MountError::Unformatted);
                    medium = log.medium;
                    if !begun {
                        return Ok((medium, false));
                    }
                }
                Clear::Unreadable(kind) => return Err(FormatError::Flash(kind)),
                _ => return Ok((medium, false)),
            }
        }
        for page in LOG_START..geometry.pages {
            if !keys::is_left_by_format(&mut medium, geometry, page).await {
                return Ok((medium, false));
            }
        }
        Ok((medium, true))
    }
}

/// What a mount carries from page to page.
struct Reading {
    keys: KeyPagePayload,
    met_key_page: bool,
    /// The last Page or Session record, with the live sum of the last record of all.
    last: Option<SaltPayload>,
    /// A record on an overwritable medium that does not open.
    unopened: Option<u32>,
    /// What the record read last superseded, if that reads as overwritten: for certain only once it is overwritten again.
    overwritten: Option<u32>,
}

/// The store ids on the key pages, one or two that differ, or why there is nothing to mount.
//= compliance/requirements.md#store-14
//# A mount with the wrong root key or label, on foreign flash, or of a newer format MUST fail with a reason and change nothing on flash.
async fn find_store<M: Medium>(
    medium: &mut M,
    geometry: Geometry,
) -> Result<([u8; 16], Option<[u8; 16]>), MountError> {
    let mut refusal = MountError::Unformatted;
    let mut ids = (None, None);
    for page in 0..LOG_START {
        match keys::read_clear(medium, geometry, page).await? {
            Clear::Store { store_id } => match ids.0 {
                None => ids.0 = Some(store_id),
                Some(first) if first != store_id => ids.1 = Some(store_id),
                Some(_) => {}
            },
            Clear::Newer(version) => refusal = MountError::NewerFormat(version),
            Clear::OtherMedium => refusal = MountError::Medium,
            Clear::OtherGeometry => refusal = MountError::Geometry,
            Clear::Foreign if refusal == MountError::Unformatted => refusal = MountError::Foreign,
            Clear::Unreadable(kind) if refusal == MountError::Unformatted => {
                refusal = MountError::Flash(kind);
            }
            Clear::Foreign | Clear::Unreadable(_) | Clear::Blank => {}
        }
    }
    if let (Some(first), other) = ids {
        return Ok((first, other));
    }
    // A store made for pages of another size has its key page where we do not look for it.
    if matches!(refusal, MountError::Foreign | MountError::Unformatted)
        && magic_elsewhere(medium, geometry).await
    {
        refusal = MountError::Geometry;
    }
    Err(refusal)
}

/// Whether the first page begins like a key page of another unit.
async fn magic_elsewhere<M: Medium>(medium: &mut M, geometry: Geometry) -> bool {
    let mut bytes = [0; 64];
    let read = medium.read(geometry.start(0), &mut bytes).await;
    read.is_ok()
        && [12, 16, 32].iter().any(|&at| {
            u32::try_from(at) != Ok(geometry.first())
                && bytes
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with(&format::MAGIC))
        })
}
