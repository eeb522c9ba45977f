//! Checkpoints: the index, written into the log now and then, so that a mount begins there and not at the tail.
//!
//! ```text
//!  store · change
//!  checkpoint (this file)
//!  collect · log · memory · list
//! ```

use rand_core::TryCryptoRng;

use super::error::Fault;
use super::format::{
    self, CHECKPOINT_PAYLOAD, CHECKPOINTS, CheckpointPayload, Kind, MAX_UNIT, MOST_STEPS, NO_SLOT, Position,
    TEXT_START,
};
use super::list::{GROUP_LEN, Group, Listed};
use super::log::{Log, Taken};
use super::memory::{Entry, Index, Parts};
use crate::crypto::{self, Digest};
use crate::flash::{Medium, Routine, two_faces};

/// A checkpoint is written when the log since the one before is so many times as long.
const LOG_PER_CHECKPOINT: u32 = 9;

/// Pages from one checkpoint of so many bytes to the next. Whole ones: it stands at the beginning of a page then, and the page that a mount reads to
/// its end in any case is all that is read behind it, or the last of what is read. Of few pages one less would cost too many lists, and of many one
/// more is what a mount reads in vain.
fn interval(bytes: u32, page: u32) -> u32 {
    let log = bytes.saturating_mul(LOG_PER_CHECKPOINT);
    match log / page {
        0 | 1 => log.div_ceil(page),
        pages => pages,
    }
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Writes a checkpoint, if the store keeps them and it is time, or would be when a record of `size` bytes has opened a page. Gives
    /// whether it wrote.
    pub(crate) fn keep_checkpoint<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            if self.key_page.features & CHECKPOINTS == 0 || parts.index.len() == 0 || self.lists_nothing {
                return Ok(false);
            }
            let most_text = self.most_text(parts);
            let bytes = self.size_of_checkpoint(most_text, parts);
            // Lists take from what a store that is nearly full has left to collect, and each page of that saves many copies.
            let dead = self
                .ring()
                .kept()
                .saturating_sub(self.live_bytes.div_ceil(geometry.page.max(1)));
            let interval = interval(bytes, geometry.page.max(1));
            let is_due = most_text > GROUP_LEN + Listed::len(geometry)
                && interval <= dead / 2
                && self.pages_since_checkpoint() + u32::from(!self.fits(size, geometry.pair_record()))
                    >= interval;
            // Pages lose something at their ends, and each has a first record.
            let per_page = geometry.usable() / 4 * 3;
            let in_hand = self.free_pages().saturating_sub(self.ring().spare());
            let fits = bytes <= in_hand.saturating_mul(per_page)
                || bytes <= self.room().saturating_sub(geometry.pair_record());
            if !is_due || !fits {
                return Ok(false);
            }
            match self.write_checkpoint(most_text, parts, random).await {
                // That is for whoever reads the record to hear: what is put has nothing to do with it.
                Err(Fault::Damaged(_)) => {
                    self.lists_nothing = true;
                    Ok(false)
                }
                written => written,
            }
        })
    }

    /// Bytes of plaintext that an Index record takes: as the record buffer and a page have room.
    fn most_text(&self, parts: &Parts<'_>) -> usize {
        let geometry = self.pages.geometry;
        let buffer = u32::try_from(parts.buffer.len()).unwrap_or(u32::MAX);
        let most = buffer.min(geometry.usable());
        let text = most.saturating_sub(geometry.index_record(0).saturating_add(geometry.unit));
        usize::try_from(text.min(MOST_STEPS * 4)).unwrap_or(0) & !3
    }

    /// Bytes that the next checkpoint takes: what the last one did, and a group for each item that has come since.
    fn size_of_checkpoint(&self, most_text: usize, parts: &Parts<'_>) -> u32 {
        let geometry = self.pages.geometry;
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (entry, group) = (number(Listed::len(geometry)), number(GROUP_LEN));
        let items = number(parts.index.len());
        if let Some(taken) = self.taken {
            let more = items.saturating_sub(taken.entries);
            return taken.bytes.saturating_add(more.saturating_mul(entry + group));
        }
        let groups = items.min(self.ring().kept());
        let text = items
            .saturating_mul(entry)
            .saturating_add(groups.saturating_mul(group));
        let records = (text / number(most_text).max(1)).saturating_add(number(parts.slots.used().len()));
        geometry
            .index_record(0)
            .saturating_mul(records)
            .saturating_add(text)
            .saturating_add(geometry.checkpoint_record())
    }

    /// Pages of the log that a mount would read behind the page of the newest checkpoint.
    fn pages_since_checkpoint(&self) -> u32 {
        let valid = |at: &Position| at.generation >= self.tail && *at >= self.key_page.payload.log_end;
        let from = self
            .checkpoint
            .filter(valid)
            .map_or(self.tail, |at| at.generation);
        self.head.generation.saturating_sub(from)
    }

    /// Gives whether it is whole: it is not if collection moved something meanwhile.
    fn write_checkpoint<R: TryCryptoRng + ?Sized>(
        &mut self,
        most_text: usize,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let (pair, moved) = (geometry.pair_record(), self.moved);
            let mut first = None;
            let mut payload = CheckpointPayload {
                live: self.live_sum,
                tail: self.tail,
                changes: self.anchoring.window(),
                keys_changed: self.anchoring.keys_changed,
                counter: self.anchoring.stated,
                ..CheckpointPayload::default()
            };
            let mut taken = Taken::default();
            for slot in 0..u8::try_from(parts.slots.used().len()).unwrap_or(NO_SLOT) {
                let mut from = 0;
                // Every round lists one entry at least.
                for _ in 0..parts.index.places() {
                    let left = still_to_list(&parts.index, slot, from).count();
                    if left == 0 {
                        break;
                    }
                    let most = most_text.min(left * (GROUP_LEN + Listed::len(geometry)));
                    let size = geometry.index_record(u32::try_from(most).unwrap_or(u32::MAX));
                    self.prepare(size, pair, parts, random).await?;
                    if self.moved != moved {
                        return Ok(false);
                    }
                    let (text_len, number) = self.list(slot, &mut from, most, parts).await?;
                    first.get_or_insert((self.log_end(), self.head.digest.value()));
                    payload.records += 1;
                    taken.entries += number;
                    let header = self.head.header(Kind::Index, slot, text_len)?;
                    taken.bytes = taken.bytes.saturating_add(geometry.size(header));
                    let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
                    self.append(header, parts.slots.get(slot), &randomness, parts.buffer)
                        .await?;
                }
            }
            let size = geometry.checkpoint_record();
            self.prepare(size, pair, parts, random).await?;
            let Some((first, digest)) = first.filter(|_| self.moved == moved) else {
                return Ok(false);
            };
            payload = CheckpointPayload {
                first,
                digest,
                entries: taken.entries,
                most_erases: self.pages.most_erases,
                ..payload
            };
            self.append_checkpoint(&payload, random).await?;
            taken.bytes = taken.bytes.saturating_add(size);
            self.taken = Some(taken);
            Ok(true)
        })
    }

    /// Appends the record that makes the lists before it a checkpoint.
    #[inline(never)]
    fn append_checkpoint<R: TryCryptoRng + ?Sized>(
        &mut self,
        payload: &CheckpointPayload,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let at = self.log_end();
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let header = self.head.header(Kind::Checkpoint, NO_SLOT, CHECKPOINT_PAYLOAD)?;
            let mut record = [0; TEXT_START + CHECKPOINT_PAYLOAD + crypto::TAG_LEN + MAX_UNIT];
            format::place(&mut record, TEXT_START, &payload.to_bytes());
            self.append(header, None, &randomness, &mut record).await?;
            self.checkpoint = Some(at);
            Ok(())
        })
    }

    /// Lists the records of a slot from an address on, in the order of their addresses: as many as so many bytes take. Gives how many
    /// bytes and how many records those are, and moves the address behind the last.
    #[inline(never)]
    fn list(
        &mut self,
        slot: u8,
        from: &mut u32,
        most: usize,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(usize, u32), Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let (mut len, mut number, mut last) = (0, 0, None);
            let mut open: Option<(usize, Group, Digest)> = None;
            while let Some(entry) =
                still_to_list(&parts.index, slot, *from).min_by_key(|entry| entry.address())
            {
                let address = entry.address();
                let (page, offset) = geometry.place(address).ok_or(Fault::Internal)?;
                let begins = open.as_ref().is_none_or(|(_, group, _)| group.page != page);
                let at = if begins { len + GROUP_LEN } else { len };
                if at + Listed::len(geometry) > most {
                    break;
                }
                if begins {
                    close(open.take(), parts.buffer);
                    let group = Group {
                        page,
                        number: 0,
                        check: 0,
                    };
                    open = Some((len, group, Digest::new(&self.keys.structure)));
                }
                if let Some((_, group, check)) = &mut open {
                    self.add_to_check(check, address, &mut last).await?;
                    group.number += 1;
                }
                let listed = Listed {
                    offset,
                    hash: entry.hash(),
                };
                listed.write(geometry, parts.buffer, TEXT_START + at);
                len = at + Listed::len(geometry);
                number += 1;
                *from = address + 1;
            }
            close(open, parts.buffer);
            Ok((len, number))
        })
    }
}

/// The records of a slot from an address on.
fn still_to_list<'a>(index: &'a Index<'_>, slot: u8, from: u32) -> impl Iterator<Item = Entry> + 'a {
    index
        .iter()
        .filter(move |entry| entry.slot() == slot && entry.address() >= from)
}

/// Writes what begins a group, now that its records are known.
fn close(open: Option<(usize, Group, Digest)>, buffer: &mut [u8]) {
    if let Some((at, group, check)) = open {
        let group = Group {
            check: format::low_half(check.value()),
            ..group
        };
        group.write(buffer, TEXT_START + at);
    }
}
