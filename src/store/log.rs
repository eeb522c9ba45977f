//! The log's head: where records are appended, pages opened, superseded records overwritten, pages erased.
//!
//! Two rules hold everywhere here, because a future may be dropped and power may go at any await:
//! a place is burnt in RAM *before* its first program call, and what a record changes is changed in RAM after it was read
//! back, without an await in between.
//!
//! ```text
//!  store · mount · collect · keys
//!  log      (this file)
//!  format · crypto
//! ```

use core::ops::Range;

use embedded_storage::nor_flash::NorFlashErrorKind;
use rand_core::TryCryptoRng;

use super::error::Fault;
use super::format::{
    self, Geometry, HEADER_LEN, Header, Kind, MAX_UNIT, NO_SLOT, PAIR_PAYLOAD, Position, SALT_PAYLOAD,
    SaltPayload, TEXT_START,
};
use super::memory::ClassSlot;
use crate::crypto::{self, Digest, Label, Place, RANDOMNESS_LEN, SALT_LEN, Sealed, SealingKey, TAG_LEN};
use crate::flash::{Medium, MediumKind};
use crate::secret::{RootKey, Secret};

/// The keys that belong to the store and to no class.
pub(crate) struct StoreKeys {
    pub(crate) store: SealingKey,
    pub(crate) wrap: SealingKey,
    pub(crate) class_mix: Secret<32>,
    pub(crate) structure: Secret<16>,
    pub(crate) live: Secret<16>,
    pub(crate) name: Secret<16>,
    pub(crate) store_id: [u8; 16],
    label: [u8; format::MAX_LABEL],
    label_len: u8,
}

impl StoreKeys {
    /// `None` if the label is too long or the derivation refuses.
    //= compliance/requirements.md#store-24
    //# Every key MUST be derived with its purpose, the store id and the partition label.
    pub(crate) fn derive(root_key: &RootKey, store_id: [u8; 16], label: &str) -> Option<Self> {
        let label_len = u8::try_from(label.len())
            .ok()
            .filter(|&len| usize::from(len) <= format::MAX_LABEL)?;
        let context: [&[u8]; 4] = [&store_id, &[label_len], label.as_bytes(), &[]];
        let root: [&[u8]; 1] = [root_key.expose()];
        let sealing = |seal, nonce| {
            let seal = crypto::derive(&[], &root, seal, &context).ok()?;
            let nonce = crypto::derive(&[], &root, nonce, &context).ok()?;
            Some(SealingKey { seal, nonce })
        };
        let mut padded_label = [0; format::MAX_LABEL];
        format::place(&mut padded_label, 0, label.as_bytes());
        Some(Self {
            store: sealing(Label::StoreSeal, Label::StoreNonce)?,
            wrap: sealing(Label::WrapSeal, Label::WrapNonce)?,
            class_mix: crypto::derive(&[], &root, Label::ClassMix, &context).ok()?,
            structure: crypto::derive(&[], &root, Label::Structure, &context).ok()?,
            live: crypto::derive(&[], &root, Label::Live, &context).ok()?,
            name: crypto::derive(&[], &root, Label::Name, &context).ok()?,
            store_id,
            label: padded_label,
            label_len,
        })
    }

    /// A key below a class, or a new class key: the context says which store, slot and generation it is for.
    pub(crate) fn derive_for_class(
        &self,
        salt: &[u8],
        key_material: &[&[u8]],
        label: Label,
        slot: u8,
        generation: u32,
    ) -> Result<Secret<32>, Fault> {
        let partition = self.label.get(..usize::from(self.label_len)).unwrap_or_default();
        let mut place = [slot, 0, 0, 0, 0];
        format::place(&mut place, 1, &generation.to_le_bytes());
        Ok(crypto::derive(
            salt,
            key_material,
            label,
            &[&self.store_id, &[self.label_len], partition, &place],
        )?)
    }

    /// The live record at `address` as a summand of the live sum.
    pub(crate) fn live_summand(&self, address: u32) -> u32 {
        u32::try_from(crypto::fingerprint(&self.live, &[&address.to_le_bytes()]) & 0xffff_ffff).unwrap_or(0)
    }

    /// The 16 bits by which the index finds a name.
    pub(crate) fn name_hash(&self, slot: u8, name: &[u8]) -> u16 {
        u16::try_from(crypto::fingerprint(&self.name, &[&[slot], name]) & 0xffff).unwrap_or(0)
    }
}

/// Whether the next record may follow the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Yes.
    Open,
    /// A Session record comes first: after a mount, or when the class keys changed.
    Closed,
    /// A Session record comes first, and beyond what an interrupted write may have touched.
    Burnt,
}

/// Where the log ends.
pub(crate) struct Head {
    pub(crate) generation: u32,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) salt_at: u16,
    /// End of the accepted records.
    pub(crate) end: u32,
    /// First byte that no program call has been aimed at.
    pub(crate) next: u32,
    pub(crate) digest: Digest,
    pub(crate) writing: Writing,
}

impl Head {
    /// The header that a record of this kind gets here.
    pub(crate) fn header(&self, kind: Kind, slot: u8, text_len: usize) -> Result<Header, Fault> {
        let steps = u16::try_from(text_len / 4).map_err(|_| Fault::Internal)?;
        Ok(Header {
            kind,
            slot,
            salt_at: self.salt_at,
            steps,
        })
    }

    fn place(&self) -> Place {
        Place {
            salt: self.salt,
            offset: self.next,
        }
    }

    /// The record at `offset` is on flash.
    fn accept(&mut self, offset: u32, header: Header, size: u32) {
        self.digest.add(&offset.to_le_bytes());
        self.digest.add(&header.to_bytes());
        self.next = offset + size;
        self.end = self.next;
    }
}

/// The current key page.
#[derive(Clone, Copy)]
pub(crate) struct KeyPage {
    pub(crate) page: u16,
    pub(crate) version: u32,
    pub(crate) salt: [u8; SALT_LEN],
    /// How often the other page had been erased when this one was written.
    pub(crate) other_erases: u32,
    /// The other page is known to be erased, blank and marked.
    pub(crate) settled: bool,
    /// The class keys in memory are those of this page.
    pub(crate) loaded: bool,
}

impl KeyPage {
    pub(crate) fn check(&self) -> [u8; 4] {
        self.salt.first_chunk().copied().unwrap_or_default()
    }
}

/// The end of the log as the first reading of the head page found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecidedEnd {
    pub(crate) at: u32,
    pub(crate) next: u32,
    pub(crate) clean: bool,
}

/// A record that is superseded and not yet overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    pub(crate) address: u32,
    pub(crate) size: u32,
}

/// The medium and everything that is known of the log on it.
pub(crate) struct Log<M> {
    pub(crate) medium: M,
    pub(crate) geometry: Geometry,
    pub(crate) keys: StoreKeys,
    pub(crate) key_page: KeyPage,
    pub(crate) head: Head,
    /// Generation of the oldest page that counts.
    pub(crate) tail: u32,
    /// Pages after the head that are known to be erased and marked.
    pub(crate) ready: u32,
    pub(crate) live_sum: u32,
    pub(crate) live_bytes: u32,
    /// Size of the largest record seen since the mount: bounds what is lost at the end of each page.
    pub(crate) largest: u32,
    /// Live bytes of the tail page when its collection began.
    pub(crate) tail_live: u32,
    pub(crate) doomed: Option<Doomed>,
    /// Bytes in which a write that was never accepted may have left something; overwritten before the next append.
    pub(crate) burnt: Option<(u32, u32)>,
    /// The page after the head holds what must not stay, a first record that was never accepted or a tail that was turned
    /// over; erased before the next append.
    pub(crate) spoiled: bool,
    /// The page before the tail is erased for certain.
    pub(crate) tail_erased: bool,
    /// Highest number of erases seen in a mark.
    pub(crate) most_erases: u32,
    /// Where the head page's log ends, once the mount has decided: a torn record may open by chance when it is read again.
    pub(crate) decided_end: Option<DecidedEnd>,
    /// What the driver said of a key page that does not read.
    pub(crate) unreadable: Option<NorFlashErrorKind>,
}

/// A record of the log, opened into a buffer.
pub(crate) struct OpenedValue {
    pub(crate) kind: Kind,
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Splits the plaintext of a Value or Fixed record, which stands in `buffer` at `text`.
pub(crate) fn split_value(
    kind: MediumKind,
    header: Header,
    buffer: &[u8],
    text: &Range<usize>,
) -> Option<OpenedValue> {
    let link = if kind == MediumKind::Overwritable {
        format::LINK_LEN
    } else {
        0
    };
    let meta_at = text.start.checked_add(link)?;
    let meta = *buffer.get(meta_at)?;
    let name_start = meta_at + format::META_LEN;
    let name_end = name_start + usize::from(meta & 0x3f);
    let value_end = text.end.checked_sub(usize::from(meta >> 6))?;
    (name_end <= value_end).then_some(OpenedValue {
        kind: header.kind,
        name: name_start..name_end,
        value: name_end..value_end,
    })
}

const CHUNK: usize = 64;
static ZEROS: [u8; 256] = [0; 256];

impl<M: Medium> Log<M> {
    // ---- the raw medium ----

    /// Programs and reads back.
    //= compliance/requirements.md#store-22
    //# What the store programs or erases MUST be read back and compared before it is relied on.
    pub(crate) async fn program(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        self.medium.write(at, bytes).await?;
        let mut chunk = [0; CHUNK];
        let mut done = at;
        for expected in bytes.chunks(CHUNK) {
            let actual = chunk.get_mut(..expected.len()).ok_or(Fault::Internal)?;
            self.medium.read(done, actual).await?;
            if actual != expected {
                return Err(Fault::Unkept);
            }
            done += u32::try_from(expected.len()).map_err(|_| Fault::Internal)?;
        }
        Ok(())
    }

    /// Reads where a word that was torn may not read at all: an error counts only if it stays.
    pub(crate) async fn read_twice(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        match self.medium.read(at, bytes).await {
            Ok(()) => Ok(()),
            Err(_) => self.medium.read(at, bytes).await,
        }
    }

    /// The end of the last unit in `from..to` (both aligned) that is not provably blank: not all ones, or unreadable.
    pub(crate) async fn last_not_blank(&mut self, from: u32, to: u32) -> Option<u32> {
        let mut last = None;
        let mut chunk = [0; CHUNK];
        let mut at = from;
        while at < to {
            let len = usize::try_from(to - at).map_or(CHUNK, |left| left.min(CHUNK));
            let bytes = chunk.get_mut(..len)?;
            let read = self.medium.read(at, bytes).await;
            if read.is_err() || bytes.iter().any(|&byte| byte != 0xff) {
                let unit = self.geometry.unit;
                let mut word = [0; MAX_UNIT];
                let mut offset = at;
                while offset < to && offset < at + u32::try_from(len).ok()? {
                    let word = word.get_mut(..usize::try_from(unit).ok()?)?;
                    if self.read_twice(offset, word).await.is_err() || word.iter().any(|&byte| byte != 0xff) {
                        last = Some(offset + unit);
                    }
                    offset += unit;
                }
            }
            at += u32::try_from(len).ok()?;
        }
        last
    }

    pub(crate) async fn is_blank(&mut self, from: u32, to: u32) -> bool {
        self.last_not_blank(from, to).await.is_none()
    }

    /// The erase mark of a page.
    pub(crate) async fn erases_of(&mut self, page: u16) -> Result<Option<u32>, Fault> {
        let mut mark = [0; MAX_UNIT];
        let len = usize::try_from(self.geometry.first()).map_err(|_| Fault::Internal)?;
        let bytes = mark.get_mut(..len).ok_or(Fault::Internal)?;
        // A word that does not read is a mark that is not whole.
        Ok(match self.read_twice(self.geometry.start(page), bytes).await {
            Ok(()) => format::read_erase_mark(bytes),
            Err(_) => None,
        })
    }

    /// Whether a page is erased for certain: marked, and blank after the mark. Gives its number of erases.
    pub(crate) async fn is_erased(&mut self, page: u16) -> Result<Option<u32>, Fault> {
        let Some(erases) = self.erases_of(page).await? else {
            return Ok(None);
        };
        let start = self.geometry.start(page);
        let blank = self
            .is_blank(start + self.geometry.first(), start + self.geometry.page)
            .await;
        Ok(blank.then_some(erases))
    }

    /// Erases a page, checks that it is blank, and only then marks it as erased.
    //= compliance/requirements.md#store-6
    //# The store MUST NOT rely on a page being erased unless a mark written after a verified erase says so.
    pub(crate) async fn erase_page(&mut self, page: u16, at_least: u32) -> Result<(), Fault> {
        let before = self
            .erases_of(page)
            .await?
            .unwrap_or(self.most_erases)
            .max(at_least);
        let start = self.geometry.start(page);
        self.medium.erase(start, start + self.geometry.page).await?;
        if !self.is_blank(start, start + self.geometry.page).await {
            return Err(Fault::Unkept);
        }
        let erases = before.saturating_add(1);
        let mark = format::erase_mark(erases);
        let len = usize::try_from(self.geometry.first()).map_err(|_| Fault::Internal)?;
        self.program(start, mark.get(..len).ok_or(Fault::Internal)?)
            .await?;
        self.most_erases = self.most_erases.max(erases);
        Ok(())
    }

    // ---- sealing at a place ----

    /// Seals a record without a salt of its own into `record`, whose plaintext stands at [`TEXT_START`]. Gives its bytes.
    pub(crate) fn seal_record(
        &self,
        header: Header,
        key: &SealingKey,
        place: Place,
        associated: &[u8],
        randomness: &[u8; RANDOMNESS_LEN],
        record: &mut [u8],
    ) -> Result<usize, Fault> {
        let size = usize::try_from(self.geometry.size(header)).map_err(|_| Fault::Internal)?;
        let text_start = header.text_start();
        let text_end = text_start + header.text_len();
        let text = record.get_mut(text_start..text_end).ok_or(Fault::Internal)?;
        let sealed = crypto::seal(key, place, associated, randomness, text)?;
        format::place(record, 0, &header.to_bytes());
        format::place(record, text_start - crypto::SYNTHETIC_LEN, &sealed.synthetic);
        format::place(record, text_end, &sealed.tag);
        record
            .get_mut(text_end + TAG_LEN..size)
            .ok_or(Fault::Internal)?
            .fill(0xff);
        Ok(size)
    }

    /// Opens the record that stands in `record`. Gives where its plaintext is.
    pub(crate) fn open_record(
        header: Header,
        key: &SealingKey,
        place: Place,
        associated: &[u8],
        record: &mut [u8],
    ) -> Option<Range<usize>> {
        let text_start = header.text_start();
        let text_end = text_start + header.text_len();
        let sealed = Sealed {
            synthetic: *record.get(text_start - crypto::SYNTHETIC_LEN..)?.first_chunk()?,
            tag: *record.get(text_end..)?.first_chunk()?,
        };
        let text = record.get_mut(text_start..text_end)?;
        crypto::open(key, place, associated, &sealed, text).ok()?;
        Some(text_start..text_end)
    }

    /// A complete Page, Session or Key page record.
    pub(crate) fn seal_salt_record(
        &self,
        header: Header,
        key: &SealingKey,
        place: Place,
        associated: &[u8],
        randomness: &[u8; RANDOMNESS_LEN],
        payload: &[u8; SALT_PAYLOAD],
    ) -> Result<([u8; 96], usize), Fault> {
        let mut record = [0; 96];
        format::place(&mut record, HEADER_LEN, &place.salt);
        format::place(&mut record, header.text_start(), payload);
        let size = self.seal_record(header, key, place, associated, randomness, &mut record)?;
        Ok((record, size))
    }

    // ---- appending ----

    pub(crate) fn head_page(&self) -> u16 {
        self.geometry.page_of(self.head.generation)
    }

    pub(crate) fn log_end(&self) -> Position {
        Position {
            generation: self.head.generation,
            offset: self.head.end,
        }
    }

    /// Pages that hold no part of the log.
    pub(crate) fn free_pages(&self) -> u32 {
        self.geometry
            .log_pages()
            .saturating_sub((self.head.generation - self.tail).saturating_add(1))
    }

    /// Where the next Session record would stand.
    fn session_offset(&self) -> u32 {
        let step = if self.head.writing == Writing::Burnt {
            self.geometry.skip()
        } else {
            self.geometry.granule()
        };
        self.head.next.next_multiple_of(step)
    }

    /// Bytes left in the head page for records, after a Session record if one is due.
    pub(crate) fn room(&self) -> u32 {
        let from = match self.head.writing {
            Writing::Open => self.head.next,
            Writing::Closed | Writing::Burnt => {
                self.session_offset().saturating_add(self.geometry.salt_record())
            }
        };
        self.geometry.page.saturating_sub(from)
    }

    /// Makes the head page ready to take a record, if a Session record is due.
    //= compliance/requirements.md#store-8
    //# The store MUST NOT append behind a place that an earlier or interrupted write may have touched.
    pub(crate) async fn open_session<R: TryCryptoRng + ?Sized>(
        &mut self,
        random: &mut R,
    ) -> Result<(), Fault> {
        self.erase_spoiled().await?;
        if self.head.writing == Writing::Open {
            return self.overwrite_burnt().await;
        }
        match self.try_session(random).await {
            // The words may have been begun before, which does not always show: once more, beyond them.
            Err(Fault::Flash(_) | Fault::Unkept) => self.try_session(random).await,
            opened => opened,
        }
    }

    async fn try_session<R: TryCryptoRng + ?Sized>(&mut self, random: &mut R) -> Result<(), Fault> {
        let offset = self.session_offset();
        let size = self.geometry.salt_record();
        if offset.saturating_add(size) > self.geometry.page {
            return Err(Fault::Full);
        }
        let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let salt_at = u16::try_from(offset / self.geometry.granule()).map_err(|_| Fault::Internal)?;
        let header = Header {
            kind: Kind::Session,
            slot: NO_SLOT,
            salt_at,
            steps: 8,
        };
        let payload = self.salt_payload(self.head.generation, self.head.end);
        let associated = format::associated_data(M::KIND, header, self.head.generation, 0);
        let place = Place { salt, offset };
        let (record, size) = self.seal_salt_record(
            header,
            &self.keys.store,
            place,
            &associated,
            &randomness,
            &payload.to_bytes(),
        )?;
        let bytes = record.get(..size).ok_or(Fault::Internal)?;

        self.head.next = offset + u32::try_from(size).map_err(|_| Fault::Internal)?;
        self.head.writing = Writing::Burnt;
        let start = self.geometry.start(self.head_page());
        self.program(start + offset, bytes).await?;

        self.head.digest.add(&offset.to_le_bytes());
        self.head.digest.add(&header.to_bytes());
        self.head.digest.add(&salt);
        if offset > self.head.end.next_multiple_of(self.geometry.granule()) {
            self.burnt = Some((start + self.head.end, start + offset));
        }
        self.head.salt = salt;
        self.head.salt_at = salt_at;
        self.head.end = self.head.next;
        self.head.writing = Writing::Open;
        self.overwrite_burnt().await
    }

    /// Erases the page after the head, if a first record may stand on it that was never accepted (the next mount would take
    /// it for the head, and what was appended here since for torn), or values that are about to be removed.
    pub(crate) async fn erase_spoiled(&mut self) -> Result<(), Fault> {
        if self.spoiled {
            self.ready = 0;
            let page = self.geometry.page_of(self.head.generation.saturating_add(1));
            self.erase_page(page, 0).await?;
            self.tail_erased = self.tail_erased || page == self.geometry.page_before(self.tail);
            self.spoiled = false;
            self.ready = 1;
        }
        Ok(())
    }

    /// Completes the erase of the page before the tail, if it was interrupted.
    pub(crate) async fn finish_erase(&mut self) -> Result<(), Fault> {
        if !self.tail_erased {
            self.erase_page(self.geometry.page_before(self.tail), 0).await?;
            self.tail_erased = true;
        }
        Ok(())
    }

    /// On overwritable media an interrupted write leaves nothing behind either: part of a value that is removed later.
    pub(crate) async fn overwrite_burnt(&mut self) -> Result<(), Fault> {
        if let (MediumKind::Overwritable, Some((from, to))) = (M::KIND, self.burnt) {
            self.program_zeros(from, to).await?;
        }
        self.burnt = None;
        Ok(())
    }

    /// The live sum as records state it: on write-once media there is nothing that it would tell.
    pub(crate) fn stated(live_sum: u32) -> u32 {
        match M::KIND {
            MediumKind::Overwritable => live_sum,
            MediumKind::WriteOnce => 0,
        }
    }

    pub(crate) fn salt_payload(&self, generation: u32, resume: u32) -> SaltPayload {
        SaltPayload {
            generation,
            tail: self.tail,
            key_version: self.key_page.version,
            key_check: self.key_page.check(),
            live: Self::stated(self.live_sum),
            resume,
            digest: self.head.digest.value(),
        }
    }

    /// Opens the next page of the ring, if that leaves one free.
    pub(crate) async fn open_page<R: TryCryptoRng + ?Sized>(&mut self, random: &mut R) -> Result<(), Fault> {
        if self.free_pages() < 2 {
            return Err(Fault::Full);
        }
        let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let generation = self.head.generation.checked_add(1).ok_or(Fault::Internal)?;
        let page = self.geometry.page_of(generation);
        if self.ready == 0 || self.is_erased(page).await?.is_none() {
            self.erase_page(page, 0).await?;
        }
        let payload = self.salt_payload(generation, self.head.end);
        // The page after the head is blank whenever it is not the one before the tail: a mount relies on it.
        let after = self
            .geometry
            .page_of(generation.checked_add(1).ok_or(Fault::Internal)?);
        if self.is_erased(after).await?.is_none() {
            self.erase_page(after, 0).await?;
            self.tail_erased = self.tail_erased || after == self.geometry.page_before(self.tail);
        }
        // Burnt: whatever comes of the program call, the page is erased again before anything else is appended.
        self.ready = self.ready.saturating_sub(1);
        self.spoiled = true;
        let head = match self.begin_page(page, salt, &randomness, payload).await {
            // The words may have been begun before, which does not always show.
            Err(Fault::Flash(_) | Fault::Unkept) => {
                self.erase_page(page, 0).await?;
                let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
                self.begin_page(page, salt, &randomness, payload).await?
            }
            begun => begun?,
        };
        let left = self.geometry.start(self.head_page());
        if self.head.next > self.head.end {
            self.burnt = Some((left + self.head.end, left + self.head.next));
        }
        self.spoiled = false;
        self.head = head;
        self.overwrite_burnt().await
    }

    /// Writes the first record of an erased page.
    pub(crate) async fn begin_page(
        &mut self,
        page: u16,
        salt: [u8; SALT_LEN],
        randomness: &[u8; RANDOMNESS_LEN],
        payload: SaltPayload,
    ) -> Result<Head, Fault> {
        let offset = self.geometry.first();
        let header = Header {
            kind: Kind::Page,
            slot: NO_SLOT,
            salt_at: 0,
            steps: 8,
        };
        let associated = format::associated_data(M::KIND, header, 0, 0);
        let place = Place { salt, offset };
        let (record, size) = self.seal_salt_record(
            header,
            &self.keys.store,
            place,
            &associated,
            randomness,
            &payload.to_bytes(),
        )?;
        let bytes = record.get(..size).ok_or(Fault::Internal)?;
        self.program(self.geometry.start(page) + offset, bytes).await?;
        Ok(self.page_head(salt, payload.generation))
    }

    /// The head behind the first record of a page.
    pub(crate) fn page_head(&self, salt: [u8; SALT_LEN], generation: u32) -> Head {
        let mut digest = Digest::new(&self.keys.structure);
        digest.add(&salt);
        let end = self.geometry.first() + self.geometry.salt_record();
        Head {
            generation,
            salt,
            salt_at: 0,
            end,
            next: end,
            digest,
            writing: Writing::Open,
        }
    }

    /// The address that the next record gets; only true while the head is open.
    pub(crate) fn next_address(&self) -> u32 {
        self.geometry.address(self.head_page(), self.head.next)
    }

    /// Seals the plaintext at [`TEXT_START`] of `buffer` under a class key, or the store's, and appends it.
    pub(crate) async fn append(
        &mut self,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let size = self.geometry.size(header);
        if self.head.writing != Writing::Open || size > self.room() {
            return Err(Fault::Internal);
        }
        let (generation, place) = (self.head.generation, self.head.place());
        self.head.next = place.offset + size;
        self.head.writing = Writing::Burnt;
        self.write_record(generation, place, header, class, randomness, buffer)
            .await?;
        self.head.accept(place.offset, header, size);
        self.head.writing = Writing::Open;
        Ok(())
    }

    /// As [`Log::append`], to a page that is not the head yet.
    pub(crate) async fn append_to(
        &mut self,
        head: &mut Head,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let (size, place) = (self.geometry.size(header), head.place());
        if place.offset.saturating_add(size) > self.geometry.page {
            return Err(Fault::Internal);
        }
        self.write_record(head.generation, place, header, class, randomness, buffer)
            .await?;
        head.accept(place.offset, header, size);
        Ok(())
    }

    async fn write_record(
        &mut self,
        generation: u32,
        place: Place,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
        let offset = place.offset;
        let class_generation = class.map_or(0, |slot| slot.generation);
        let associated = format::associated_data(M::KIND, header, generation, class_generation);
        let key = class.map_or(&self.keys.store, |slot| &slot.sealing);
        let len = self.seal_record(header, key, place, &associated, randomness, buffer)?;
        let start = self.geometry.start(self.geometry.page_of(generation));
        self.program(start + offset, buffer.get(..len).ok_or(Fault::Internal)?)
            .await
    }

    /// Appends a Retire record: pages before `tail` are dead from now on.
    pub(crate) async fn append_retire<R: TryCryptoRng + ?Sized>(
        &mut self,
        tail: u32,
        random: &mut R,
    ) -> Result<(), Fault> {
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let header = self.head.header(Kind::Retire, NO_SLOT, PAIR_PAYLOAD)?;
        let mut record = [0; 64];
        format::place(&mut record, TEXT_START, &tail.to_le_bytes());
        format::place(
            &mut record,
            TEXT_START + 4,
            &Self::stated(self.live_sum).to_le_bytes(),
        );
        self.append(header, None, &randomness, &mut record).await?;
        self.tail_erased = false;
        self.tail = tail;
        Ok(())
    }

    // ---- overwriting ----

    /// Overwrites the superseded record, if one is waiting: everything after its header becomes zero.
    //= compliance/requirements.md#store-9
    //# On overwritable media a superseded or removed item's name, value, tag and nonce part MUST be overwritten before the operation that superseded it reports success.
    pub(crate) async fn overwrite_doomed(&mut self) -> Result<(), Fault> {
        let Some(doomed) = self.doomed else { return Ok(()) };
        //= compliance/requirements.md#store-21
        //# On write-once media the store MUST NOT program a word twice between two erases.
        if M::KIND == MediumKind::Overwritable {
            self.overwrite(doomed).await?;
        }
        self.doomed = None;
        Ok(())
    }

    async fn overwrite(&mut self, doomed: Doomed) -> Result<(), Fault> {
        let start = doomed.address.saturating_mul(4);
        let header = u32::try_from(HEADER_LEN).map_err(|_| Fault::Internal)?;
        let end = start + doomed.size;
        let unit = self.geometry.unit;
        // The header may share its word with what must go: it is programmed again as it is.
        let mut at = start + header;
        if unit > header {
            let mut word = [0; MAX_UNIT];
            let word = word
                .get_mut(..usize::try_from(unit).map_err(|_| Fault::Internal)?)
                .ok_or(Fault::Internal)?;
            self.medium.read(start, word).await?;
            word.get_mut(HEADER_LEN..).ok_or(Fault::Internal)?.fill(0);
            self.program(start, word).await?;
            at = start + unit;
        }
        self.program_zeros(at, end).await
    }

    async fn program_zeros(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        let mut at = from;
        while at < to {
            let len = usize::try_from(to - at).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
            self.program(at, ZEROS.get(..len).ok_or(Fault::Internal)?).await?;
            at += u32::try_from(len).map_err(|_| Fault::Internal)?;
        }
        Ok(())
    }

    // ---- reading back ----

    /// The generation of the log page that an address lies on.
    pub(crate) fn generation_of(&self, page: u16) -> Option<u32> {
        let ring = u32::from(page.checked_sub(format::LOG_START)?);
        let pages = self.geometry.log_pages();
        let head = self.head.generation;
        let behind = (head.saturating_sub(1) % pages + pages - ring) % pages;
        head.checked_sub(behind)
            .filter(|&generation| generation >= self.tail && generation > 0)
    }

    /// Reads and opens the item's record into `buffer`.
    //= compliance/requirements.md#store-15
    //# A record that no longer opens while the store is mounted MUST be reported as damage, never as an absent item.
    pub(crate) async fn read_value(
        &mut self,
        address: u32,
        size: u32,
        slot: Option<&ClassSlot>,
        buffer: &mut [u8],
    ) -> Result<OpenedValue, Fault> {
        let damaged = Fault::Damaged(address.saturating_mul(4));
        let (page, offset) = self.geometry.place(address).ok_or(damaged)?;
        let generation = self.generation_of(page).ok_or(damaged)?;
        let size = usize::try_from(size).map_err(|_| Fault::Internal)?;
        let record = buffer.get_mut(..size).ok_or(Fault::Internal)?;
        self.medium.read(address * 4, record).await?;
        let header = record
            .first_chunk()
            .copied()
            .and_then(Header::from_bytes)
            .ok_or(damaged)?;
        let salt = if generation == self.head.generation && header.salt_at == self.head.salt_at {
            self.head.salt
        } else {
            self.read_salt(page, header.salt_at).await?.ok_or(damaged)?
        };
        let class = slot.ok_or(damaged)?;
        let associated = format::associated_data(M::KIND, header, generation, class.generation);
        let text = Self::open_record(
            header,
            &class.sealing,
            Place { salt, offset },
            &associated,
            record,
        )
        .ok_or(damaged)?;
        split_value(M::KIND, header, record, &text).ok_or(damaged)
    }

    /// Reads the salt that a header points at.
    pub(crate) async fn read_salt(
        &mut self,
        page: u16,
        salt_at: u16,
    ) -> Result<Option<[u8; SALT_LEN]>, Fault> {
        let offset = match salt_at {
            0 => self.geometry.first(),
            granules => u32::from(granules) * self.geometry.granule(),
        };
        let len = self.geometry.align(16);
        if offset.saturating_add(len) > self.geometry.page {
            return Ok(None);
        }
        let mut bytes = [0; MAX_UNIT];
        let bytes = bytes
            .get_mut(..usize::try_from(len).map_err(|_| Fault::Internal)?)
            .ok_or(Fault::Internal)?;
        self.medium
            .read(self.geometry.start(page) + offset, bytes)
            .await?;
        Ok(bytes.get(HEADER_LEN..).and_then(<[u8]>::first_chunk).copied())
    }
}
