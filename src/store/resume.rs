//! Where a mount begins, if there is a checkpoint: its list is read into the index, and held against the records that it names.
//!
//! ```text
//!  replay
//!  resume   (this file)
//!  walk · log · memory · list
//! ```

use core::ops::Range;

use super::error::MountError;
use super::format::{self, CHECKPOINTS, CheckpointPayload, Header, KeyPagePayload, Kind, MAX_UNIT, Position};
use super::list::{GROUP_LEN, Group, Listed};
use super::log::{Log, Taken};
use super::memory::{Entry, Parts};
use super::record::Frame;
use super::walk::PageStart;
use crate::crypto::{Digest, Place};
use crate::flash::{Medium, Routine, two_faces};

/// Bytes that hold a Checkpoint record, padding included, whatever the unit.
const CHECKPOINT_RECORD: usize = 3 * MAX_UNIT;

/// What an entry says of a record that is gone: its successor takes it out.
const LEAST_SIZE: u32 = 4;

/// A checkpoint whose list is being read.
pub(crate) struct Loading {
    /// Where its Checkpoint record stands.
    at: Position,
    pub(crate) says: CheckpointPayload,
    records: u32,
    entries: u32,
    live: u32,
    bytes: u32,
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// The page with the highest generation, found by halving: from the page on that was the head when the key page was written, each
    /// has one generation more than the one before, up to the head. `None` where that does not hold: then all pages are to be looked at.
    #[inline(never)]
    pub(crate) fn find_head_quickly(
        &mut self,
        keys: KeyPagePayload,
    ) -> Routine<M, impl Future<Output = Option<PageStart>>> {
        M::call(async move {
            if self.key_page.features & CHECKPOINTS == 0 {
                return None;
            }
            let geometry = self.pages.geometry;
            // Or, where that page is free, from the first one on behind what is free.
            let (mut begin, mut tries) = (keys.log_end.generation, self.ring().kept());
            let mut head = loop {
                match self.page_start(geometry.page_of(begin)).await {
                    Some(start) => break start,
                    None if tries > 0 => (begin, tries) = (self.ring().after(begin), tries - 1),
                    None => return None,
                }
            };
            let passed = begin - keys.log_end.generation;
            let (first, mut sure, mut beyond) = (head.payload.generation, 0, self.ring().kept());
            while beyond - sure > 1 {
                let middle = sure + (beyond - sure) / 2;
                let generation = self.ring().nth_after(first, middle);
                match self.page_start(geometry.page_of(generation)).await {
                    Some(start) if start.payload.generation == generation => (head, sure) = (start, middle),
                    _ => beyond = middle,
                }
            }
            // A page that was lost amid the log would end the search: nothing newer stands on what is free then.
            let (generation, tail) = (head.payload.generation, head.payload.tail);
            let mut free = generation;
            for _ in 0..self.ring().free(tail, generation) {
                free = self.ring().after(free);
                // Nothing stands on those that were passed.
                if free.wrapping_sub(keys.log_end.generation) % geometry.log_pages().max(1) < passed {
                    continue;
                }
                let found = self.page_start(geometry.page_of(free)).await;
                if found.is_some_and(|found| found.payload.generation > generation) {
                    return None;
                }
            }
            Some(head)
        })
    }

    /// The newest checkpoint that the head page knows of, if a reading can begin with it.
    #[inline(never)]
    pub(crate) fn find_checkpoint(
        &mut self,
        head: PageStart,
        keys: KeyPagePayload,
    ) -> Routine<M, impl Future<Output = Option<Loading>>> {
        M::call(async move {
            if self.key_page.features & CHECKPOINTS == 0 {
                return None;
            }
            // One on the head page itself was met before.
            let at = self.checkpoint.or_else(|| {
                let (page, offset) = self.pages.geometry.place(head.payload.checkpoint)?;
                let generation = self.generation_of(page)?;
                Some(Position { generation, offset })
            })?;
            let says = self.checkpoint_at(at).await?;
            // What was written before the key page names other keys.
            let is_of_now = keys.log_end <= says.first && self.tail <= says.first.generation;
            let loading = Loading {
                at,
                says,
                records: 0,
                entries: 0,
                live: 0,
                bytes: 0,
            };
            (is_of_now && says.first < at && self.ring().has(says.first.generation)).then_some(loading)
        })
    }

    fn checkpoint_at(&mut self, at: Position) -> Routine<M, impl Future<Output = Option<CheckpointPayload>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let page = geometry.page_of(at.generation);
            let header = self.header_at(page, at.offset).await?;
            let size = geometry.checkpoint_record();
            if header.kind != Kind::Checkpoint || at.offset.checked_add(size)? > geometry.page {
                return None;
            }
            let mut record = [0; CHECKPOINT_RECORD];
            let record = record.get_mut(..usize::try_from(size).ok()?)?;
            let start = geometry.start(page) + at.offset;
            self.pages.read_patiently(start, record).await.ok()?;
            let salt = self.read_salt(page, header.salt_at).await.ok()??;
            let frame = Frame {
                header,
                key: &self.keys.store,
                place: Place {
                    salt,
                    offset: at.offset,
                },
                associated: &format::associated_data(M::KIND, header, at.generation, 0),
            };
            let text = frame.open(record)?;
            Some(CheckpointPayload::from_bytes(record.get(text)?))
        })
    }

    /// Takes in one record from the first Index record on, up to the Checkpoint record: there is nothing else between them. Gives what
    /// is still to come, or the checkpoint that was reached.
    //= compliance/requirements.md#store-36
    //# A mount that begins at a checkpoint MUST show what a mount that reads the whole log shows, or report damage when the damaged item is read.
    #[inline(never)]
    pub(crate) fn load_record(
        &mut self,
        mut loading: Loading,
        header: Header,
        here: Position,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Loaded, MountError>>> {
        M::call(async move {
            let size = self.pages.geometry.size(header);
            loading.bytes = loading.bytes.saturating_add(size);
            match header.kind {
                Kind::Index if loading.says.first <= here => {
                    self.load_entries(&mut loading, header.slot, text, parts).await?;
                    Ok(Loaded::Part(loading))
                }
                Kind::Checkpoint if loading.at == here && loading.is_whole() => {
                    self.checkpoint = Some(here);
                    self.taken = Some(Taken {
                        entries: loading.entries,
                        bytes: loading.bytes,
                    });
                    self.pages.most_erases = self.pages.most_erases.max(loading.says.most_erases);
                    Ok(Loaded::All(loading.says))
                }
                _ => Err(MountError::Inconsistent),
            }
        })
    }

    fn load_entries(
        &mut self,
        loading: &mut Loading,
        slot: u8,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            loading.records += 1;
            let mut at = text.start;
            // Each round takes bytes of the text.
            while at < text.end {
                let list = parts.buffer.get(..text.end).ok_or(MountError::Internal)?;
                let group = Group::read(list, at).filter(|group| group.number > 0);
                let group = group.ok_or(MountError::Inconsistent)?;
                at = self
                    .load_group(loading, slot, group, at + GROUP_LEN..text.end, parts)
                    .await?;
            }
            Ok(())
        })
    }

    /// Takes in the records of one page, and gives where the text goes on.
    fn load_group(
        &mut self,
        loading: &mut Loading,
        slot: u8,
        group: Group,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<usize, MountError>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let (tail, head) = (loading.says.tail, loading.at.generation);
            let generation = self.ring().generation_of(group.page, tail, head);
            // What stood on a page that was erased since was moved, changed or removed before that: the log has it.
            let is_gone = generation.ok_or(MountError::Inconsistent)? < self.tail;
            let mut check = Digest::new(&self.keys.structure);
            let (mut at, mut last) = (text.start, None);
            for _ in 0..group.number {
                let bytes = parts.buffer.get(..text.end).unwrap_or_default();
                let listed = Listed::read(geometry, bytes, at).filter(|listed| listed.offset < geometry.page);
                let listed = listed.ok_or(MountError::Inconsistent)?;
                at += Listed::len(geometry);
                let address = geometry.address(group.page, listed.offset);
                let (size, is_fixed) = if is_gone {
                    (LEAST_SIZE, false)
                } else {
                    let header = self.add_to_check(&mut check, address, &mut last).await?;
                    if !header.kind.is_value() || header.slot != slot {
                        return Err(MountError::Inconsistent);
                    }
                    (geometry.size(header), header.kind.is_fixed())
                };
                let entry = Entry::new(address, slot, size, is_fixed, listed.hash);
                if !parts.index.insert(entry) {
                    return Err(MountError::Inconsistent);
                }
                let summand = self.keys.live_summand(address);
                self.live_sum = self.live_sum.wrapping_add(summand);
                loading.live = loading.live.wrapping_add(summand);
                loading.entries += 1;
            }
            if !is_gone && format::low_half(check.value()) != group.check {
                return Err(MountError::Inconsistent);
            }
            Ok(at)
        })
    }
}

/// What came of a record of a checkpoint.
pub(crate) enum Loaded {
    Part(Loading),
    All(CheckpointPayload),
}

impl Loading {
    /// Whether the list is the one that the checkpoint was written for.
    fn is_whole(&self) -> bool {
        let says = self.says;
        (self.records, self.entries, self.live) == (says.records, says.entries, says.live)
    }
}
