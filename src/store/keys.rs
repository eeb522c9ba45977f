//! The key pages: class keys wrapped under the root key, and the one routine that changes them.
//!
//! Every change writes the *other* page whole and then erases the one before: a key that is not carried over is gone from
//! the flash, whatever dumps of the rest exist. This is what makes the erasure of a class independent of its size.
//!
//! ```text
//!  store · mount · erase
//!  keys     (this file)
//!  log · format · crypto
//! ```

use embedded_storage::nor_flash::NorFlashErrorKind;
use rand_core::TryCryptoRng;

use super::class::DataClass;
use super::error::Fault;
use super::format::{
    self, CLASS_PAYLOAD, CLEAR_LEN, Geometry, HEADER_LEN, Header, KeyPagePayload, Kind, MAGIC, MAX_UNIT,
    NO_SLOT, PAIR_PAYLOAD, Position, SALT_PAYLOAD, TEXT_START,
};
use super::log::{KeyPage, Log, Writing};
use super::memory::{Parts, Slots};
use crate::crypto::{self, Label, Place, SALT_LEN};
use crate::flash::{Medium, MediumKind};
use crate::secret::Secret;

/// What becomes of a slot when the key page is written anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The key is carried over.
    Keep,
    /// The key dies; a new one takes its place for this class.
    Renew(DataClass),
    /// The key dies; nothing takes its place.
    Free,
}

/// What the clear part of a key page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clear {
    /// No key page.
    Blank,
    /// Something else.
    Foreign,
    /// The driver reports an error.
    Unreadable(NorFlashErrorKind),
    /// A store of a newer format.
    Newer(u8),
    /// A store of this format for another medium kind.
    OtherMedium,
    /// A store of this format for another geometry.
    OtherGeometry,
    /// A store that may be mounted here.
    Store { store_id: [u8; 16] },
}

/// A class key record's plaintext, opened.
struct ClassKey {
    data: Option<DataClass>,
    generation: u32,
    since: Position,
    key: Secret<32>,
}

impl<M: Medium> Log<M> {
    fn first_key_record(&self) -> u32 {
        first_key_record(self.geometry)
    }

    fn class_key_offset(&self, slot: usize) -> u32 {
        let size = self.geometry.align(80);
        self.first_key_record()
            + self.geometry.salt_record()
            + u32::try_from(slot).unwrap_or(u32::MAX / 256) * size
    }

    /// How many class keys fit a key page.
    pub(crate) fn class_limit(&self) -> usize {
        (0..62)
            .take_while(|&slot| {
                self.class_key_offset(slot + 1)
                    .saturating_add(self.geometry.pair_record())
                    <= self.geometry.page
            })
            .count()
    }

    async fn read_key_record<const N: usize>(
        &mut self,
        page: u16,
        offset: u32,
        kind: Kind,
    ) -> Result<Option<(Header, [u8; N])>, Fault> {
        let mut record = [0; N];
        // What does not read was never completely written, unless nothing else is found.
        if let Err(kind) = self
            .read_twice(self.geometry.start(page) + offset, &mut record)
            .await
        {
            self.unreadable = Some(kind);
            return Ok(None);
        }
        let header = record.first_chunk().copied().and_then(Header::from_bytes);
        Ok(header
            .filter(|header| header.kind == kind && header.salt_at == 0)
            .map(|header| (header, record)))
    }

    /// The Key page record of a page, if it opens.
    pub(crate) async fn key_page_payload(
        &mut self,
        page: u16,
    ) -> Result<Option<([u8; SALT_LEN], KeyPagePayload)>, Fault> {
        let offset = self.first_key_record();
        // The clear bytes are bound into the record as they must be; what stands on flash must be just that.
        let first = self.geometry.start(page) + self.geometry.first();
        let mut padded = [0; 2 * MAX_UNIT];
        let len = usize::try_from(offset - self.geometry.first()).map_err(|_| Fault::Internal)?;
        let padded = padded.get_mut(..len).ok_or(Fault::Internal)?;
        if let Err(kind) = self.read_twice(first, padded).await {
            self.unreadable = Some(kind);
            return Ok(None);
        }
        let expected = format::clear_part(self.geometry, M::KIND, &self.keys.store_id);
        if padded.get(..CLEAR_LEN) != Some(expected.as_slice()) {
            return Ok(None);
        }
        let Some((header, mut record)) = self.read_key_record::<96>(page, offset, Kind::KeyPage).await?
        else {
            return Ok(None);
        };
        let salt: [u8; SALT_LEN] = record
            .get(HEADER_LEN..)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .unwrap_or_default();
        let associated = self.key_page_associated(header);
        let place = Place { salt, offset };
        let text = Self::open_record(header, &self.keys.wrap, place, &associated, &mut record);
        let payload = text
            .and_then(|text| record.get(text))
            .map(KeyPagePayload::from_bytes);
        Ok(payload.map(|payload| (salt, payload)))
    }

    /// Whether the page's Key commit record opens: all that came before it was written.
    pub(crate) async fn is_committed(
        &mut self,
        page: u16,
        salt: [u8; SALT_LEN],
        payload: KeyPagePayload,
    ) -> Result<bool, Fault> {
        let count = usize::try_from(payload.count).map_err(|_| Fault::Internal)?;
        if count > self.class_limit() {
            return Ok(false);
        }
        let offset = self.class_key_offset(count);
        let Some((header, mut record)) = self.read_key_record::<64>(page, offset, Kind::KeyCommit).await?
        else {
            return Ok(false);
        };
        let associated = format::associated_data(M::KIND, header, payload.version, 0);
        let text = Self::open_record(
            header,
            &self.keys.wrap,
            Place { salt, offset },
            &associated,
            &mut record,
        );
        let text = text.and_then(|text| record.get(text));
        let opens = text.is_some_and(|text| {
            format::number(text, 0) == payload.count && format::number(text, 4) == payload.version
        });
        // If its last word was torn it may open now and not the next time.
        Ok(opens
            && self
                .is_steady(self.geometry.start(page) + offset, self.geometry.pair_record())
                .await)
    }

    fn key_page_associated(&self, header: Header) -> [u8; 16 + CLEAR_LEN] {
        let mut associated = [0; 16 + CLEAR_LEN];
        format::place(
            &mut associated,
            0,
            &format::associated_data(M::KIND, header, 0, 0),
        );
        format::place(
            &mut associated,
            16,
            &format::clear_part(self.geometry, M::KIND, &self.keys.store_id),
        );
        associated
    }

    async fn read_class_key(&mut self, key_page: KeyPage, slot: usize) -> Result<ClassKey, Fault> {
        let offset = self.class_key_offset(slot);
        let damaged = Fault::Damaged(self.geometry.start(key_page.page) + offset);
        let (header, record) = self
            .read_key_record::<96>(key_page.page, offset, Kind::ClassKey)
            .await?
            .ok_or(damaged)?;
        if usize::from(header.slot) != slot {
            return Err(damaged);
        }
        // The plaintext holds a key: it lives in a buffer that wipes itself, and in no await.
        let mut record = Secret::new(record);
        let associated = format::associated_data(M::KIND, header, key_page.version, 0);
        let place = Place {
            salt: key_page.salt,
            offset,
        };
        let text = Self::open_record(header, &self.keys.wrap, place, &associated, record.expose_mut())
            .ok_or(damaged)?;
        let text = record.expose().get(text).ok_or(damaged)?;
        let code = text
            .first_chunk()
            .copied()
            .map(u16::from_le_bytes)
            .ok_or(damaged)?;
        let mut key = Secret::new([0; 32]);
        key.expose_mut()
            .copy_from_slice(text.get(20..CLASS_PAYLOAD).ok_or(damaged)?);
        Ok(ClassKey {
            data: DataClass::from_code(code, format::number(text, 4)),
            generation: format::number(text, 8),
            since: Position {
                generation: format::number(text, 12),
                offset: format::number(text, 16),
            },
            key,
        })
    }

    /// Brings the class keys of the current key page into memory. The caller has checked that they fit.
    pub(crate) async fn load_class_keys(&mut self, slots: &mut Slots<'_>, count: usize) -> Result<(), Fault> {
        for at in 0..count {
            let class_key = self.read_class_key(self.key_page, at).await?;
            let slot_number = u8::try_from(at).map_err(|_| Fault::Internal)?;
            let slot = slots.all.get_mut(at).ok_or(Fault::Internal)?;
            let material: [&[u8]; 1] = [class_key.key.expose()];
            let generation = class_key.generation;
            let seal =
                self.keys
                    .derive_for_class(&[], &material, Label::ClassSeal, slot_number, generation)?;
            let nonce =
                self.keys
                    .derive_for_class(&[], &material, Label::ClassNonce, slot_number, generation)?;
            slot.data = class_key.data;
            slot.generation = class_key.generation;
            slot.since = class_key.since;
            slot.sealing = crypto::SealingKey { seal, nonce };
        }
        *slots.count = count;
        self.key_page.loaded = true;
        Ok(())
    }

    /// Sees to it that the key page before the current one is gone for certain.
    //= compliance/requirements.md#store-11
    //# An erasure that was interrupted at any point after it began MUST be completed by the next mount before anything can be read.
    pub(crate) async fn settle_key_pages(&mut self) -> Result<(), Fault> {
        if self.key_page.settled {
            return Ok(());
        }
        let other = 1 - self.key_page.page.min(1);
        let erased = self.is_erased(other).await?;
        if erased.is_none_or(|erases| erases <= self.key_page.other_erases) {
            self.erase_page(other, self.key_page.other_erases).await?;
        }
        self.key_page.settled = true;
        Ok(())
    }

    /// Writes the key page anew: `fate` decides what becomes of each slot. When this returns, the keys that had to die are
    /// gone from the flash; if it is interrupted after the new page was complete, the next operation or mount goes on.
    //= compliance/requirements.md#store-10
    //# Erasing a class MUST destroy every copy of its key on the medium, so that no later dump opens its records, even with the root key.
    pub(crate) async fn rewrite_class_keys<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        fate: impl Fn(u8, Option<DataClass>) -> Fate,
        count: usize,
        random: &mut R,
    ) -> Result<(), Fault> {
        // A dead random source is found out before anything is touched.
        drop(crypto::fresh_key(random).map_err(|_| Fault::Random)?);
        self.settle_key_pages().await?;
        if self.head.writing == Writing::Burnt {
            // What stands at the end of the log may be a whole record that was never accepted. The key page names the end
            // of the log: a Session record, or a new page, says first where that is.
            self.prepare(0, 0, parts, random).await?;
        }
        let Parts { index, slots, .. } = parts;
        let other = 1 - self.key_page.page.min(1);
        let start = self.geometry.start(other);
        let own_erases = self
            .erases_of(self.key_page.page)
            .await?
            .unwrap_or(self.most_erases);
        let dying = |slots: &Slots<'_>, slot: usize| {
            let number = u8::try_from(slot).unwrap_or(NO_SLOT);
            fate(number, slots.get(number).and_then(|slot| slot.data))
        };
        let mut live_sum = self.live_sum;
        for entry in index.iter() {
            if dying(slots, usize::from(entry.slot())) != Fate::Keep {
                live_sum = live_sum.wrapping_sub(self.keys.live_summand(entry.address()));
            }
        }
        let salt: [u8; SALT_LEN] = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let payload = KeyPagePayload {
            version: self.key_page.version.checked_add(1).ok_or(Fault::Internal)?,
            log_end: self.log_end(),
            live: if M::KIND == MediumKind::Overwritable {
                live_sum
            } else {
                0
            },
            digest: self.head.digest.value(),
            count: u32::try_from(count).map_err(|_| Fault::Internal)?,
            other_erases: own_erases,
        };

        // From here the other page holds something: it is not to be trusted before it is erased again or committed.
        self.key_page.settled = false;
        self.write_key_page_start(start, salt, payload, random).await?;
        for at in 0..count {
            let number = u8::try_from(at).map_err(|_| Fault::Internal)?;
            let before = if at < *slots.count {
                Some(self.read_class_key(self.key_page, at).await?)
            } else {
                None
            };
            let after = self.next_class_key(number, before, dying(slots, at), payload.log_end, random)?;
            self.write_class_key(start, salt, payload.version, number, &after, random)
                .await?;
        }
        self.write_key_commit(start, salt, payload, random).await?;

        // Committed. What follows in memory happens without an await, so no half of it is ever seen.
        self.key_page = KeyPage {
            page: other,
            version: payload.version,
            salt,
            other_erases: own_erases,
            settled: false,
            loaded: false,
        };
        self.live_sum = live_sum;
        for slot in 0..u8::try_from(*slots.count).unwrap_or(NO_SLOT) {
            if dying(slots, usize::from(slot)) != Fate::Keep {
                let bytes = index
                    .iter()
                    .filter(|entry| entry.slot() == slot)
                    .map(super::memory::Entry::size)
                    .sum();
                self.live_bytes = self.live_bytes.saturating_sub(bytes);
                index.remove_slot(slot);
                if let Some(slot) = slots.all.get_mut(usize::from(slot)) {
                    slot.data = None;
                    slot.since = payload.log_end;
                }
            }
        }
        *slots.count = count;
        if self.head.writing == Writing::Open {
            self.head.writing = Writing::Closed;
        }
        self.settle_key_pages().await?;
        self.load_class_keys(slots, count).await
    }

    /// The first key page of a store: page A, version 1, a fresh key for each of the fixed classes.
    pub(crate) async fn write_first_key_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        classes: &[DataClass],
        keys: &[Secret<32>],
        random: &mut R,
    ) -> Result<(), Fault> {
        let salt = self.key_page.salt;
        let payload = KeyPagePayload {
            version: self.key_page.version,
            log_end: self.log_end(),
            live: 0,
            digest: self.head.digest.value(),
            count: u32::try_from(classes.len()).map_err(|_| Fault::Internal)?,
            other_erases: self.key_page.other_erases,
        };
        let start = self.geometry.start(self.key_page.page);
        self.write_key_page_start(start, salt, payload, random).await?;
        for (slot, (data, randomness)) in (0u8..).zip(classes.iter().zip(keys)) {
            let material: [&[u8]; 2] = [randomness.expose(), self.keys.class_mix.expose()];
            let key = self
                .keys
                .derive_for_class(&[0; 32], &material, Label::ClassKey, slot, 1)?;
            let class_key = ClassKey {
                data: Some(*data),
                generation: 1,
                since: payload.log_end,
                key,
            };
            self.write_class_key(start, salt, payload.version, slot, &class_key, random)
                .await?;
        }
        self.write_key_commit(start, salt, payload, random).await
    }

    fn next_class_key<R: TryCryptoRng + ?Sized>(
        &self,
        slot: u8,
        before: Option<ClassKey>,
        fate: Fate,
        log_end: Position,
        random: &mut R,
    ) -> Result<ClassKey, Fault> {
        let generation = before.as_ref().map_or(0, |before| before.generation);
        let next = generation.checked_add(1).ok_or(Fault::Internal)?;
        match (fate, before) {
            (Fate::Keep, Some(before)) => Ok(before),
            (Fate::Renew(data), before) => {
                let randomness = crypto::fresh_key(random).map_err(|_| Fault::Random)?;
                let material: [&[u8]; 2] = [randomness.expose(), self.keys.class_mix.expose()];
                let old = before.map_or(Secret::new([0; 32]), |before| before.key);
                let key = self
                    .keys
                    .derive_for_class(old.expose(), &material, Label::ClassKey, slot, next)?;
                Ok(ClassKey {
                    data: Some(data),
                    generation: next,
                    since: log_end,
                    key,
                })
            }
            (Fate::Free, _) | (Fate::Keep, None) => Ok(ClassKey {
                data: None,
                generation: next,
                since: log_end,
                key: Secret::new([0; 32]),
            }),
        }
    }

    async fn write_key_page_start<R: TryCryptoRng + ?Sized>(
        &mut self,
        start: u32,
        salt: [u8; SALT_LEN],
        payload: KeyPagePayload,
        random: &mut R,
    ) -> Result<(), Fault> {
        let first = self.geometry.first();
        let offset = self.first_key_record();
        let mut clear = [0xff; 2 * MAX_UNIT];
        format::place(
            &mut clear,
            0,
            &format::clear_part(self.geometry, M::KIND, &self.keys.store_id),
        );
        let clear_len = usize::try_from(offset - first).map_err(|_| Fault::Internal)?;
        let header = key_header(Kind::KeyPage, NO_SLOT, SALT_PAYLOAD)?;
        let associated = self.key_page_associated(header);
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let place = Place { salt, offset };
        let (record, size) = self.seal_salt_record(
            header,
            &self.keys.wrap,
            place,
            &associated,
            &randomness,
            &payload.to_bytes(),
        )?;
        self.program(start + first, clear.get(..clear_len).ok_or(Fault::Internal)?)
            .await?;
        self.program(start + offset, record.get(..size).ok_or(Fault::Internal)?)
            .await
    }

    async fn write_class_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        start: u32,
        salt: [u8; SALT_LEN],
        version: u32,
        slot: u8,
        class_key: &ClassKey,
        random: &mut R,
    ) -> Result<(), Fault> {
        let offset = self.class_key_offset(usize::from(slot));
        let header = key_header(Kind::ClassKey, slot, CLASS_PAYLOAD)?;
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let mut record = Secret::new([0; 96]);
        let bytes = record.expose_mut();
        if let Some(data) = class_key.data {
            format::place(bytes, TEXT_START, &data.code().to_le_bytes());
            format::place(bytes, TEXT_START + 4, &data.user.0.to_le_bytes());
        }
        format::place(bytes, TEXT_START + 8, &class_key.generation.to_le_bytes());
        format::place(bytes, TEXT_START + 12, &class_key.since.generation.to_le_bytes());
        format::place(bytes, TEXT_START + 16, &class_key.since.offset.to_le_bytes());
        format::place(bytes, TEXT_START + 20, class_key.key.expose());
        let associated = format::associated_data(M::KIND, header, version, 0);
        let place = Place { salt, offset };
        let size = self.seal_record(header, &self.keys.wrap, place, &associated, &randomness, bytes)?;
        self.program(
            start + offset,
            record.expose().get(..size).ok_or(Fault::Internal)?,
        )
        .await
    }

    async fn write_key_commit<R: TryCryptoRng + ?Sized>(
        &mut self,
        start: u32,
        salt: [u8; SALT_LEN],
        payload: KeyPagePayload,
        random: &mut R,
    ) -> Result<(), Fault> {
        let offset = self.class_key_offset(usize::try_from(payload.count).map_err(|_| Fault::Internal)?);
        let header = key_header(Kind::KeyCommit, NO_SLOT, PAIR_PAYLOAD)?;
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let mut record = [0; 64];
        format::place(&mut record, TEXT_START, &payload.count.to_le_bytes());
        format::place(&mut record, TEXT_START + 4, &payload.version.to_le_bytes());
        let associated = format::associated_data(M::KIND, header, payload.version, 0);
        let place = Place { salt, offset };
        let size = self.seal_record(
            header,
            &self.keys.wrap,
            place,
            &associated,
            &randomness,
            &mut record,
        )?;
        self.program(start + offset, record.get(..size).ok_or(Fault::Internal)?)
            .await
    }
}

fn key_header(kind: Kind, slot: u8, text_len: usize) -> Result<Header, Fault> {
    let steps = u16::try_from(text_len / 4).map_err(|_| Fault::Internal)?;
    Ok(Header {
        kind,
        slot,
        salt_at: 0,
        steps,
    })
}

fn first_key_record(geometry: Geometry) -> u32 {
    geometry.first() + geometry.align(u32::try_from(CLEAR_LEN).unwrap_or(0))
}

/// What the clear part of a key page says, before any key is known.
pub(crate) async fn read_clear<M: Medium>(
    medium: &mut M,
    geometry: Geometry,
    page: u16,
) -> Result<Clear, Fault> {
    let mut bytes = [0; 3 * MAX_UNIT];
    let len = usize::try_from(first_key_record(geometry)).map_err(|_| Fault::Internal)?;
    let bytes = bytes.get_mut(..len).ok_or(Fault::Internal)?;
    if let Err(kind) = medium.read(geometry.start(page), bytes).await {
        return Ok(Clear::Unreadable(kind));
    }
    let first = usize::try_from(geometry.first()).map_err(|_| Fault::Internal)?;
    let (_, clear) = bytes.split_at_checked(first).ok_or(Fault::Internal)?;
    if !clear.starts_with(&MAGIC) {
        let leavings = is_left_by_format(medium, geometry, page).await;
        return Ok(if leavings { Clear::Blank } else { Clear::Foreign });
    }
    // A page that was torn while it was written has nothing behind its clear part, whatever that says.
    let behind = first_key_record(geometry) + geometry.salt_record() + geometry.align(80);
    if is_all_ones(medium, geometry, page, behind).await {
        return Ok(Clear::Blank);
    }
    let version = clear.get(8).copied().unwrap_or(0);
    if version > format::VERSION {
        return Ok(Clear::Newer(version));
    }
    let store_id: [u8; 16] = clear
        .get(20..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or_default();
    if clear.get(9).copied() != Some(format::medium_byte(M::KIND)) {
        return Ok(Clear::OtherMedium);
    }
    if clear.get(..CLEAR_LEN) != Some(&format::clear_part(geometry, M::KIND, &store_id)) {
        return Ok(Clear::OtherGeometry);
    }
    Ok(Clear::Store { store_id })
}

/// Whether a page holds nothing, or what a format leaves that was cut short: our own mark with anything behind it, or a torn
/// mark with nothing behind it.
pub(crate) async fn is_left_by_format<M: Medium>(medium: &mut M, geometry: Geometry, page: u16) -> bool {
    let mut mark = [0; MAX_UNIT];
    let Some(mark) = usize::try_from(geometry.first())
        .ok()
        .and_then(|first| mark.get_mut(..first))
    else {
        return false;
    };
    if medium.read(geometry.start(page), mark).await.is_err() {
        return false;
    }
    format::read_erase_mark(mark).is_some()
        || (format::may_be_torn_mark(mark) && is_all_ones(medium, geometry, page, geometry.first()).await)
}

/// Whether a page reads as ones from an offset on.
pub(crate) async fn is_all_ones<M: Medium>(medium: &mut M, geometry: Geometry, page: u16, from: u32) -> bool {
    let mut word = [0; MAX_UNIT];
    let Some(word) = usize::try_from(geometry.unit)
        .ok()
        .and_then(|unit| word.get_mut(..unit))
    else {
        return false;
    };
    let mut at = from;
    while at < geometry.page {
        if medium.read(geometry.start(page) + at, word).await.is_err()
            || word.iter().any(|&byte| byte != 0xff)
        {
            return false;
        }
        at += geometry.unit;
    }
    true
}
