//! Putting and removing one item: what is checked, in which order, before its record is appended.
//!
//! ```text
//!  store
//!  change   (this file)
//!  collect · ahead · keys · log
//! ```

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::class::DataClass;
use super::error::WriteError;
use super::format::{self, CHECKPOINTS, Kind, MAX_VALUE, PAIR_PAYLOAD, TEXT_START};
use super::geometry::Geometry;
use super::key_page;
use super::keys::Fate;
use super::log::{Doomed, Log, Writing};
use super::memory::{Entry, Index, Parts};
use crate::crypto;
use crate::flash::{Medium, MediumKind, Routine, two_faces};

/// What is put, but for its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) data: DataClass,
    pub(crate) name: &'a str,
    /// Written once and never changed.
    pub(crate) fixed: bool,
    /// Length of the value, if it is known before it is encoded.
    pub(crate) value_len: Option<usize>,
}

/// Where the parts of a value's plaintext stand in the record buffer.
pub(crate) struct Layout {
    meta: usize,
    value: usize,
    /// Longest value that fits page and buffer.
    limit: usize,
}

impl Layout {
    pub(crate) fn of<M: Medium>(geometry: Geometry, name: &str, buffer: usize) -> Self {
        let link = if M::KIND == MediumKind::Overwritable {
            format::LINK_LEN
        } else {
            0
        };
        let meta = TEXT_START + link;
        let value = meta + format::META_LEN + name.len();
        let most = usize::try_from(geometry.usable()).unwrap_or(0).min(buffer);
        let limit = most
            .saturating_sub(value + crypto::TAG_LEN + 3 + geometry.unit as usize)
            .min(MAX_VALUE);
        Self { meta, value, limit }
    }

    /// How long a value is. A typed one is encoded once for that, and again when there is room.
    pub(crate) fn measure(
        &self,
        value_len: Option<usize>,
        buffer: &mut [u8],
        fill: impl Fn(&mut [u8]) -> Result<usize, WriteError>,
    ) -> Result<usize, WriteError> {
        let len = if let Some(len) = value_len {
            len
        } else {
            let end = (self.value + self.limit).min(buffer.len());
            let len = fill(buffer.get_mut(self.value..end).unwrap_or_default());
            buffer.zeroize();
            len?
        };
        if len > self.limit {
            return Err(WriteError::TooLong(self.limit));
        }
        Ok(len)
    }

    fn padding(&self, value_len: usize) -> usize {
        (4 - (self.value + value_len) % 4) % 4
    }

    /// Bytes of plaintext.
    pub(crate) fn text_len(&self, value_len: usize) -> usize {
        self.value + value_len + self.padding(value_len) - TEXT_START
    }

    /// Puts name and value into the buffer; the link is the caller's.
    pub(crate) fn lay_out(
        &self,
        name: &str,
        value_len: usize,
        buffer: &mut [u8],
        fill: impl Fn(&mut [u8]) -> Result<usize, WriteError>,
    ) -> Result<(), WriteError> {
        buffer.zeroize();
        let meta =
            u8::try_from(name.len() | self.padding(value_len) << 6).map_err(|_| WriteError::Internal)?;
        format::place(buffer, self.meta, &[meta]);
        format::place(buffer, self.meta + format::META_LEN, name.as_bytes());
        let target = buffer
            .get_mut(self.value..self.value + value_len)
            .ok_or(WriteError::Internal)?;
        if fill(target)? == value_len {
            Ok(())
        } else {
            Err(WriteError::Encode)
        }
    }
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Appends an item's record, whose bytes `fill` provides, and overwrites the one before. The caller wipes the buffer.
    //= compliance/requirements.md#store-2
    //# The store MUST NOT write any byte of a name or a value to the medium in clear.
    //= compliance/requirements.md#store-19
    //# A put that finds no room MUST fail and leave every stored item as it was.
    pub(crate) fn put_item<R: TryCryptoRng + ?Sized>(
        &mut self,
        item: Item<'_>,
        parts: &mut Parts<'_>,
        fill: impl Fn(&mut [u8]) -> Result<usize, WriteError>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            let Item {
                data,
                name,
                fixed,
                value_len,
            } = item;
            let geometry = self.pages.geometry;
            let layout = Layout::of::<M>(geometry, name, parts.buffer.len());
            let value_len = layout.measure(value_len, parts.buffer, &fill)?;
            let text_len = layout.text_len(value_len);
            let size = geometry.size(self.head.header(Kind::Value, 0, text_len)?);

            let slot = parts.slots.find(data);
            let older = match slot {
                Some(slot) => {
                    self.find(&parts.index, &parts.slots, slot, name.as_bytes(), parts.buffer)
                        .await?
                }
                None => None,
            };
            let older = older.map(|(entry, _)| entry);
            parts.buffer.zeroize();
            if older.is_some_and(Entry::is_fixed) {
                return Err(WriteError::Fixed);
            }
            if older.is_none() && parts.index.is_full() {
                return Err(WriteError::IndexFull);
            }
            // An update that is no longer than what it replaces always finds room: that was seen to when the item came. With it
            // goes room for the largest record once more, which an update needs while the older one is still there.
            let largest = self.largest.max(size);
            let items = u32::try_from(parts.index.len())
                .unwrap_or(u32::MAX)
                .saturating_add(2);
            let bytes = self.live_bytes.saturating_add(size).saturating_add(largest);
            let grows = older.is_none_or(|older| older.size() < size);
            if grows && !self.ring().holds(bytes, items, largest) {
                return Err(WriteError::Full);
            }
            let slot = match slot {
                Some(slot) => slot,
                None => self.add_class(data, parts, random).await?,
            };

            let moved = self.moved;
            let in_haste = self.keep_checkpoint(size, parts, random).await?;
            self.make_room(size, in_haste, parts, random).await?;
            // Collection may have moved the older record.
            let older = if older.is_some() && self.moved != moved {
                let found = self
                    .find(&parts.index, &parts.slots, slot, name.as_bytes(), parts.buffer)
                    .await?;
                found.map(|(entry, _)| entry)
            } else {
                older
            };
            let randomness = crypto::fresh(random).map_err(|_| WriteError::Random)?;
            let hash = self.keys.name_hash(slot, name.as_bytes());
            let kind = match fixed {
                true => Kind::Fixed,
                false if older.is_none() && self.is_alike(slot, hash, &parts.index) => Kind::Alike,
                false => Kind::Value,
            };
            let header = self.head.header(kind, slot, text_len)?;
            let buffer = &mut *parts.buffer;
            layout.lay_out(name, value_len, buffer, fill)?;
            Ok(self
                .append_value(
                    header,
                    older,
                    hash,
                    &randomness,
                    &mut parts.index,
                    &parts.slots,
                    buffer,
                )
                .await?)
        })
    }

    /// Whether the record of a new item has to say that it is new: a mount from a checkpoint takes the one item with its name fingerprint
    /// for its older version.
    pub(crate) fn is_alike(&self, slot: u8, hash: u32, index: &Index<'_>) -> bool {
        self.key_page.features & CHECKPOINTS != 0 && index.candidate(slot, hash, 0).is_some()
    }

    /// Appends the Removal of an item and overwrites its record. Gives whether there was one. The caller wipes the buffer.
    pub(crate) fn remove_item<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: DataClass,
        name: &str,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, WriteError>>> {
        M::call(async move {
            let pair = self.pages.geometry.pair_record();
            if self.head.writing == Writing::Burnt {
                // A write that failed may have left a whole record. What is answered now must hold after the next mount.
                self.prepare(pair, 0, parts, random).await?;
            }
            let Some(slot) = parts.slots.find(data) else {
                return Ok(false);
            };
            let found = self
                .find(&parts.index, &parts.slots, slot, name.as_bytes(), parts.buffer)
                .await?;
            let Some((entry, _)) = found else { return Ok(false) };
            //= compliance/requirements.md#store-18
            //# A write-once item MUST NOT be changed or removed by anything but the erasure of its class or a new format.
            if entry.is_fixed() {
                return Err(WriteError::Fixed);
            }
            let moved = self.moved;
            self.prepare(pair, 0, parts, random).await?;
            let entry = if self.moved == moved {
                entry
            } else {
                let found = self
                    .find(&parts.index, &parts.slots, slot, name.as_bytes(), parts.buffer)
                    .await?;
                found.ok_or(WriteError::Internal)?.0
            };
            let randomness = crypto::fresh(random).map_err(|_| WriteError::Random)?;
            let header = self.head.header(Kind::Removal, slot, PAIR_PAYLOAD)?;
            let live_sum = self
                .live_sum
                .wrapping_sub(self.keys.live_summand(entry.address()));
            let stated = Self::stated(live_sum);
            parts.buffer.zeroize();
            format::place(parts.buffer, TEXT_START, &entry.address().to_le_bytes());
            format::place(parts.buffer, TEXT_START + 4, &stated.to_le_bytes());
            self.append(header, parts.slots.get(slot), &randomness, parts.buffer)
                .await?;

            self.live_sum = live_sum;
            self.live_bytes = self.live_bytes.saturating_sub(entry.size());
            parts.index.take_out(entry);
            self.doomed = Some(Doomed {
                address: entry.address(),
                size: entry.size(),
                slot,
            });
            self.overwrite_doomed().await?;
            Ok(true)
        })
    }

    /// Makes a class key for a user or an application class that has none yet.
    //= compliance/requirements.md#store-23
    //# Every user's personal data MUST be sealed under a key of that user alone, so that one user's can be erased and the others' kept.
    #[inline(never)]
    pub(crate) fn add_class<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: DataClass,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<u8, WriteError>>> {
        M::call(async move {
            let free = parts.slots.used().iter().position(|slot| slot.data.is_none());
            let at = free.unwrap_or(*parts.slots.count);
            if at
                >= parts
                    .slots
                    .all
                    .len()
                    .min(key_page::class_limit(self.pages.geometry))
            {
                return Err(WriteError::ClassesFull);
            }
            let slot = u8::try_from(at).map_err(|_| WriteError::Internal)?;
            let count = (*parts.slots.count).max(at + 1);
            let fate = |number: u8, _| {
                if number == slot {
                    Fate::Renew(data)
                } else {
                    Fate::Keep
                }
            };
            self.rewrite_class_keys(parts, &fate, count, random).await?;
            Ok(slot)
        })
    }
}
