//! Where a mount begins, if there is a checkpoint: its list is read into the index, and held against the records that it names.
//!
//! ```text
//!  replay
//!  resume   (this file)
//!  walk · log · memory
//! ```

use core::ops::Range;

use super::error::MountError;
use super::format::{
    self, CHECKPOINTS, CheckpointPayload, ENTRY_LEN, Header, KeyPagePayload, Kind, MAX_UNIT, Position,
};
use super::log::Log;
use super::memory::{Entry, Parts};
use super::record::Frame;
use super::walk::{PageStart, ReadSalt};
use crate::crypto::Place;
use crate::flash::Medium;

/// Bytes that hold a Checkpoint record, padding included, whatever the unit.
const CHECKPOINT_RECORD: usize = 3 * MAX_UNIT;

/// Of so many free pages the search for the head looks for the first one behind them. More are free in the log's first turn, and then
/// its first page is not.
const MOST_FREE: u32 = 8;

/// A checkpoint whose list is being read.
pub(crate) struct Loading {
    /// Where its Checkpoint record stands.
    at: Position,
    pub(crate) says: CheckpointPayload,
    records: u32,
    entries: u32,
    live: u32,
    last: ReadSalt,
}

impl<M: Medium> Log<M> {
    /// The page with the highest generation, found by halving: from the page on that was the head when the key page was written, each
    /// has one generation more than the one before, up to the head. `None` where that does not hold: then all pages are to be looked at.
    pub(crate) async fn find_head_quickly(&mut self, keys: KeyPagePayload) -> Option<PageStart> {
        if self.key_page.features & CHECKPOINTS == 0 {
            return None;
        }
        let geometry = self.pages.geometry;
        // Or, where that page is free, from the first one on behind what is free.
        let (mut begin, mut tries) = (keys.log_end.generation, 0);
        let mut head = loop {
            match self.page_start(geometry.page_of(begin)).await {
                Some(start) => break start,
                None if tries < MOST_FREE => (begin, tries) = (self.ring().after(begin), tries + 1),
                None => return None,
            }
        };
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
            let found = self.page_start(geometry.page_of(free)).await;
            if found.is_some_and(|found| found.payload.generation > generation) {
                return None;
            }
        }
        Some(head)
    }

    /// The newest checkpoint that the head page knows of, if a reading can begin with it.
    pub(crate) async fn find_checkpoint(&mut self, head: PageStart, keys: KeyPagePayload) -> Option<Loading> {
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
            last: None,
        };
        (is_of_now && says.first < at && self.ring().has(says.first.generation)).then_some(loading)
    }

    async fn checkpoint_at(&mut self, at: Position) -> Option<CheckpointPayload> {
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
    }

    /// Takes in one record from the first Index record on, up to the Checkpoint record: there is nothing else between them. Gives what
    /// is still to come, or the checkpoint that was reached.
    //= compliance/requirements.md#store-36
    //# A mount that begins at a checkpoint MUST show what a mount that reads the whole log shows, or report damage when the damaged item is read.
    pub(crate) async fn load_record(
        &mut self,
        mut loading: Loading,
        header: Header,
        here: Position,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Result<Loaded, MountError> {
        match header.kind {
            Kind::Index if loading.says.first <= here => {
                self.load_entries(&mut loading, header.slot, text, parts).await?;
                Ok(Loaded::Part(loading))
            }
            Kind::Checkpoint if loading.at == here && loading.is_whole() => {
                self.checkpoint = Some(here);
                self.pages.most_erases = self.pages.most_erases.max(loading.says.most_erases);
                Ok(Loaded::All(loading.says))
            }
            _ => Err(MountError::Inconsistent),
        }
    }

    async fn load_entries(
        &mut self,
        loading: &mut Loading,
        slot: u8,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Result<(), MountError> {
        loading.records += 1;
        for at in text.step_by(ENTRY_LEN) {
            let bytes = parts.buffer.get(at..).and_then(<[u8]>::first_chunk).copied();
            let entry = Entry::from_bytes(bytes.ok_or(MountError::Internal)?);
            let check = format::number(parts.buffer, at + 8);
            let summand = self.keys.live_summand(entry.address());
            loading.entries += 1;
            loading.live = loading.live.wrapping_add(summand);
            let (tail, head) = (loading.says.tail, loading.at.generation);
            let place = self.pages.geometry.place(entry.address());
            let generation = place
                .and_then(|(page, _)| self.ring().generation_of(page, tail, head))
                .filter(|_| entry.slot() == slot)
                .ok_or(MountError::Inconsistent)?;
            // What stood on a page that was erased since was moved, changed or removed before that.
            if generation < self.tail {
                continue;
            }
            if self.check_of(entry, &mut loading.last).await? != check || !parts.index.insert(entry) {
                return Err(MountError::Inconsistent);
            }
            self.live_sum = self.live_sum.wrapping_add(summand);
        }
        Ok(())
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
