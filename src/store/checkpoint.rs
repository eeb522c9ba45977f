//! Checkpoints: the index, written into the log now and then, so that a mount begins there and not at the tail.
//!
//! ```text
//!  store · change
//!  checkpoint (this file)
//!  collect · log · memory
//! ```

use rand_core::TryCryptoRng;

use super::error::Fault;
use super::format::{
    self, CHECKPOINT_PAYLOAD, CHECKPOINTS, CheckpointPayload, ENTRY_LEN, Kind, MAX_UNIT, NO_SLOT, Position,
    TEXT_START,
};
use super::log::Log;
use super::memory::Parts;
use crate::crypto;
use crate::flash::Medium;

/// A checkpoint is written when the log since the one before is so many times as long.
const LOG_PER_CHECKPOINT: u32 = 10;
/// And at least so many pages long.
const LEAST_PAGES: u32 = 2;

impl<M: Medium> Log<M> {
    /// Writes a checkpoint, if the store keeps them and it is time; `early`: if it soon will be. Gives whether it wrote.
    pub(crate) async fn keep_checkpoint<R: TryCryptoRng + ?Sized>(
        &mut self,
        early: bool,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<bool, Fault> {
        let geometry = self.pages.geometry;
        let number = parts.index.len();
        if self.key_page.features & CHECKPOINTS == 0 || number == 0 || self.lists_nothing {
            return Ok(false);
        }
        let per_record = self.entries_per_record(parts);
        let records = number.div_ceil(per_record.max(1)) + parts.slots.used().len();
        let [number, records] = [number, records].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let bytes = geometry
            .index_record(0)
            .saturating_mul(records)
            .saturating_add(number.saturating_mul(12))
            .saturating_add(geometry.checkpoint_record());
        let interval = bytes
            .saturating_mul(LOG_PER_CHECKPOINT)
            .max(geometry.page.saturating_mul(LEAST_PAGES));
        let interval = if early { interval / 8 * 7 } else { interval };
        let is_due = per_record > 0
            && interval <= self.ring().kept().saturating_mul(geometry.page) / 2
            && self.log_since_checkpoint() >= interval;
        // Pages lose something at their ends, and each has a first record.
        let per_page = geometry.usable() / 4 * 3;
        let in_hand = self.free_pages().saturating_sub(self.ring().spare());
        let fits = bytes <= in_hand.saturating_mul(per_page)
            || bytes <= self.room().saturating_sub(geometry.pair_record());
        if !is_due || !fits {
            return Ok(false);
        }
        match self.write_checkpoint(per_record, parts, random).await {
            // That is for whoever reads the record to hear: what is put has nothing to do with it.
            Err(Fault::Damaged(_)) => {
                self.lists_nothing = true;
                Ok(false)
            }
            written => written,
        }
    }

    /// How many entries an Index record takes: as the record buffer and a page have room.
    fn entries_per_record(&self, parts: &Parts<'_>) -> usize {
        let geometry = self.pages.geometry;
        let buffer = u32::try_from(parts.buffer.len()).unwrap_or(u32::MAX);
        let most = buffer.min(geometry.usable());
        let entries = most.saturating_sub(geometry.index_record(0).saturating_add(geometry.unit)) / 12;
        usize::try_from(entries).unwrap_or(0)
    }

    /// Bytes of log that a mount would read behind the newest checkpoint.
    fn log_since_checkpoint(&self) -> u32 {
        let valid = |at: &Position| at.generation >= self.tail && *at >= self.key_page.payload.log_end;
        let from = self.checkpoint.filter(valid).unwrap_or(Position {
            generation: self.tail,
            offset: 0,
        });
        let pages = self.head.generation.saturating_sub(from.generation);
        let bytes = pages.saturating_mul(self.pages.geometry.page);
        bytes.saturating_add(self.head.end).saturating_sub(from.offset)
    }

    /// Gives whether it is whole: it is not if collection moved something meanwhile.
    async fn write_checkpoint<R: TryCryptoRng + ?Sized>(
        &mut self,
        per_record: usize,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<bool, Fault> {
        let (pair, moved) = (self.pages.geometry.pair_record(), self.moved);
        let mut first = None;
        let mut payload = CheckpointPayload {
            live: self.live_sum,
            tail: self.tail,
            changes: self.anchoring.window(),
            keys_changed: self.anchoring.keys_changed,
            counter: self.anchoring.stated,
            ..CheckpointPayload::default()
        };
        let mut last = None;
        for slot in 0..u8::try_from(parts.slots.used().len()).unwrap_or(NO_SLOT) {
            let mut place = 0;
            // Every round lists one entry at least.
            for _ in 0..parts.index.places() {
                let left = (place..parts.index.places()).filter(|&place| is_in(parts, place, slot));
                let number = left.count().min(per_record);
                if number == 0 {
                    break;
                }
                let size = self
                    .pages
                    .geometry
                    .index_record(u32::try_from(number).unwrap_or(u32::MAX));
                self.prepare(size, pair, parts, random).await?;
                if self.moved != moved {
                    return Ok(false);
                }
                let mut text_len = 0;
                while text_len < number * ENTRY_LEN && place < parts.index.places() {
                    if let Some(entry) = parts.index.at(place).filter(|entry| entry.slot() == slot) {
                        let check = self.check_of(entry, &mut last).await?;
                        format::place(parts.buffer, TEXT_START + text_len, &entry.to_bytes());
                        format::place(parts.buffer, TEXT_START + text_len + 8, &check.to_le_bytes());
                        text_len += ENTRY_LEN;
                    }
                    place += 1;
                }
                first.get_or_insert((self.log_end(), self.head.digest.value()));
                payload.records += 1;
                payload.entries += u32::try_from(number).unwrap_or(0);
                let header = self.head.header(Kind::Index, slot, text_len)?;
                let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
                self.append(header, parts.slots.get(slot), &randomness, parts.buffer)
                    .await?;
            }
        }
        let size = self.pages.geometry.checkpoint_record();
        self.prepare(size, pair, parts, random).await?;
        let Some((first, digest)) = first.filter(|_| self.moved == moved) else {
            return Ok(false);
        };
        payload = CheckpointPayload {
            first,
            digest,
            most_erases: self.pages.most_erases,
            ..payload
        };
        let at = self.log_end();
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let header = self.head.header(Kind::Checkpoint, NO_SLOT, CHECKPOINT_PAYLOAD)?;
        let mut record = [0; TEXT_START + CHECKPOINT_PAYLOAD + crypto::TAG_LEN + MAX_UNIT];
        format::place(&mut record, TEXT_START, &payload.to_bytes());
        self.append(header, None, &randomness, &mut record).await?;
        self.checkpoint = Some(at);
        Ok(true)
    }
}

fn is_in(parts: &Parts<'_>, place: usize, slot: u8) -> bool {
    parts.index.at(place).is_some_and(|entry| entry.slot() == slot)
}
