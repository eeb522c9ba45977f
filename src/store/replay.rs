//! Reading the log into the index: from the tail to the head, each part checked against the others.
//!
//! ```text
//!  mount
//!  replay   (this file)
//!  resume · walk · log · memory
//! ```

use super::error::{Fault, MountError};
use super::format::{
    self, CheckpointPayload, Header, KeyPagePayload, Kind, NO_ADDRESS, NO_SLOT, Position, SaltPayload,
};
use super::geometry::LOG_START;
use super::log::{Anchoring, DecidedEnd, Doomed, Head, Log, NextPage, Writing};
use super::memory::{Entry, Index, Parts};
use super::record::split_value;
use super::resume::{Loaded, Loading};
use super::walk::{Cursor, Found, PageStart};
use crate::flash::{Medium, MediumKind, Routine, two_faces};
use crate::secret::Secret;

#[two_faces]
impl<M: Medium> Log<M> {
    //= compliance/requirements.md#store-1
    //# After power was cut at any point of any operation, the store MUST mount and hold for each item the last acknowledged value or the one being written.
    #[inline(never)]
    pub(crate) fn read_log(
        &mut self,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let keys = self.key_page.payload;
            let newest = self.find_head(keys, parts).await?;
            if !self.ring().has(self.tail) || self.free_pages() == 0 {
                return Err(MountError::Inconsistent);
            }

            let checkpoint = self.find_checkpoint(newest, keys).await;
            let begun = match checkpoint {
                // Whatever is wrong with it: the log says the same, and what is wrong with that.
                Some(checkpoint) => self.read_pages(keys, Some(checkpoint), parts).await.ok(),
                None => None,
            };
            let reading = if let Some(reading) = begun {
                reading
            } else {
                self.forget(parts);
                self.note_erases().await?;
                self.read_pages(keys, None, parts).await?
            };
            self.finish_overwriting(&reading).await?;
            self.count_run(parts).await?;
            left_to_writes(self.overwrite_run(parts).await)?;
            self.largest = parts.index.iter().map(Entry::size).max().unwrap_or(0);
            self.live_bytes = parts.index.iter().map(Entry::size).sum();
            if self.anchoring.stated > 0 && reading.anchored.is_none() {
                // The record that stated the value is gone with its page: nobody knows how many others are.
                self.anchoring.changes = u32::MAX;
            }
            // A key page that states a value for the first time, or was written after the record that does.
            self.anchoring.keys_changed = reading.anchored.is_none_or(|anchored| anchored < keys.log_end);
            self.examine_free_pages().await?;
            Ok(())
        })
    }

    /// As if nothing of the log had been read.
    fn forget(&mut self, parts: &mut Parts<'_>) {
        self.checkpoint = None;
        self.taken = None;
        parts.index.clear();
        self.live_sum = 0;
        self.doomed = None;
        self.run = None;
        self.anchoring = Anchoring::NONE;
    }

    /// Reads the pages from the tail, or from a checkpoint, to the head, and holds what they say against each other.
    fn read_pages(
        &mut self,
        keys: KeyPagePayload,
        loading: Option<Loading>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Reading, MountError>>> {
        M::call(async move {
            let from = loading.as_ref().map(|loading| loading.says.first);
            let mut reading = Reading {
                keys,
                // The list of a checkpoint is sealed under the keys of that key page, and stands behind its end of the log.
                met_key_page: loading.is_some(),
                last: None,
                unopened: None,
                overwritten: None,
                anchored: None,
                run_unfinished: false,
                unexplained: None,
                loading,
                knows_all: false,
            };
            let first = from.map_or(self.tail, |from| from.generation);
            let mut start = self.page_of_generation(first).await?;
            for generation in self.ring().generations(first, self.head.generation) {
                let next = if generation < self.head.generation {
                    Some(self.page_of_generation(self.ring().after(generation)).await?)
                } else {
                    None
                };
                let mut cursor = self.cursor(start, next.map(|next| next.payload.resume));
                if let Some(from) = from.filter(|from| from.generation == generation) {
                    cursor.unread = from.offset;
                }
                reading.overwritten = None;
                self.run = None;
                if reading.run_unfinished {
                    return Err(MountError::Inconsistent);
                }
                reading.last = Some(cursor.start.payload);
                self.anchoring.stated = self.anchoring.stated.max(cursor.start.payload.counter);
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
            if reading.knows_all && !parts.index.iter().all(|entry| self.is_in_log(entry)) {
                return Err(MountError::Inconsistent);
            }
            Ok(reading)
        })
    }

    fn is_in_log(&self, entry: Entry) -> bool {
        let place = self.pages.geometry.place(entry.address());
        place.is_some_and(|(page, _)| self.generation_of(page).is_some())
    }

    /// Takes over what a mount would otherwise have learnt from the log before the checkpoint.
    fn resume(&mut self, says: CheckpointPayload, reading: &mut Reading) {
        reading.knows_all = true;
        self.anchoring.changes = says.changes;
        self.anchoring.stated = self.anchoring.stated.max(says.counter);
        reading.anchored = Some(if says.keys_changed {
            Position::default()
        } else {
            reading.keys.log_end
        });
    }

    /// The page with the highest generation, and the tail as it says. Its first record may be the one that was being written when power
    /// went, and open by chance: then it is the page before.
    #[inline(never)]
    fn find_head(
        &mut self,
        keys: KeyPagePayload,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<PageStart, MountError>>> {
        M::call(async move {
            let mut found = self.find_head_quickly(keys).await;
            let mut below = u32::MAX;
            for _ in 0..3 {
                let newest = match found.take() {
                    Some(newest) => newest,
                    None => match self.newest_below(below).await {
                        Some(newest) => newest,
                        None => break,
                    },
                };
                let read = self.read_head(newest, parts).await;
                // What is behind the first record was written when that was whole.
                let goes_on = read.as_ref().is_ok_and(|read| read.goes_on);
                let record = self.pages.geometry.start(newest.page) + self.pages.geometry.first();
                let len = self.pages.geometry.salt_record();
                if goes_on || self.pages.is_steady(record, len).await {
                    self.tail = read?.tail;
                    return Ok(newest);
                }
                below = newest.payload.generation;
            }
            Err(MountError::Damaged(self.pages.geometry.start(LOG_START)))
        })
    }

    /// Looks at all pages for the one with the highest generation below a number.
    fn newest_below(&mut self, below: u32) -> Routine<M, impl Future<Output = Option<PageStart>>> {
        M::call(async move {
            let mut newest: Option<PageStart> = None;
            for page in LOG_START..self.pages.geometry.pages {
                let start = self.page_start(page).await;
                if let Some(start) = start.filter(|start| start.payload.generation < below)
                    && newest.is_none_or(|newest| newest.payload.generation < start.payload.generation)
                {
                    newest = Some(start);
                }
            }
            newest
        })
    }

    /// How worn the pages are. A checkpoint says it of all of them.
    fn note_erases(&mut self) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            for page in LOG_START..self.pages.geometry.pages {
                let erases = self.pages.erases_of(page).await?.unwrap_or(0);
                self.pages.most_erases = self.pages.most_erases.max(erases);
            }
            Ok(())
        })
    }

    pub(crate) fn page_of_generation(
        &mut self,
        generation: u32,
    ) -> Routine<M, impl Future<Output = Result<PageStart, MountError>>> {
        M::call(async move {
            let page = self.pages.geometry.page_of(generation);
            let start = self
                .page_start(page)
                .await
                .filter(|start| start.payload.generation == generation);
            start.ok_or(MountError::Damaged(self.pages.geometry.start(page)))
        })
    }

    /// Decides where the head page's log ends, and what the records in it say of the rest of the log. Where all is well, that takes no
    /// reading of values but the last.
    fn read_head(
        &mut self,
        head: PageStart,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<HeadRead, MountError>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            self.head.generation = head.payload.generation;
            self.head.salt = head.salt;
            let payload = head.payload;
            self.tail = payload.tail;
            if payload.tail == 0
                || payload.tail > payload.generation
                || payload.generation - payload.tail >= geometry.log_pages() - 1
            {
                return Err(MountError::Inconsistent);
            }
            let skimmed = self.read_head_once(head, true, parts).await;
            match skimmed {
                Ok(read) if self.decided_end.is_some_and(|end| end.clean) => Ok(read),
                _ => self.read_head_once(head, false, parts).await,
            }
        })
    }

    fn read_head_once(
        &mut self,
        head: PageStart,
        skims: bool,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<HeadRead, MountError>>> {
        M::call(async move {
            self.decided_end = None;
            self.checkpoint = None;
            let mut tail = head.payload.tail;
            let mut cursor = self.cursor(head, None);
            cursor.skims = skims;
            let mut last = None;
            // What a write left that was never accepted is overwritten right after the record that says so: again, if that is
            // the last one.
            let mut gap = self.burnt_end_before(head).await;
            // At most one: what the last record of all superseded.
            let mut unopened = false;
            let (next, clean) = loop {
                let at = cursor.offset;
                let found = self.step(&mut cursor, &parts.slots, parts.buffer).await?;
                // What was written before the page's first record says nothing of what came after it.
                if !matches!(found, Found::End { .. }) && at >= head.payload.filled {
                    gap = None;
                }
                let tail_without = tail;
                // Of a transaction its Commit was written last: what stands before that was whole by then.
                let mut stands_at = at;
                // And it counts as one record.
                let at = cursor.run_at(at).map_or(at, |run| run.first);
                match found {
                    Found::End { next, clean } => break (next, clean),
                    Found::Session(_) => {
                        stands_at = cursor.offset - self.pages.geometry.salt_record();
                        let start = self.pages.geometry.start(head.page);
                        // Up to the next granule it is blank after a start in good order.
                        if stands_at > self.pages.geometry.to_granule(at)
                            || !self.pages.is_blank(start + at, start + stands_at).await
                        {
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
                    Found::Opened { header, offset, .. } if header.kind == Kind::Checkpoint => {
                        self.checkpoint = Some(Position {
                            generation: head.payload.generation,
                            offset,
                        });
                    }
                    Found::Unopened { address } if unopened => {
                        return Err(MountError::Damaged(address.saturating_mul(4)));
                    }
                    Found::Unopened { .. } => unopened = true,
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
            let last = last.filter(|&(at, ..)| at >= head.payload.filled);
            if let Some((at, stands_at, tail_without)) = last
                && !self
                    .pages
                    .is_steady(
                        self.pages.geometry.start(head.page) + stands_at,
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
                self.checkpoint = self.checkpoint.filter(|checkpoint| checkpoint.offset < at);
                tail = tail_without;
            }
            Ok(HeadRead {
                tail,
                goes_on: last.is_some(),
            })
        })
    }

    /// What stands behind the end of the log in the page before the head.
    fn burnt_end_before(&mut self, head: PageStart) -> Routine<M, impl Future<Output = Option<(u32, u32)>>> {
        M::call(async move {
            let before = self.ring().before(head.payload.generation);
            if before < head.payload.tail {
                return None;
            }
            let start = self.pages.geometry.start(self.pages.geometry.page_of(before));
            let from = start + head.payload.resume.min(self.pages.geometry.page);
            let last = self
                .pages
                .last_not_blank(from, start + self.pages.geometry.page)
                .await?;
            Some((from, last))
        })
    }

    /// Reads one page into the index. Gives where its log ends.
    fn read_page(
        &mut self,
        cursor: &mut Cursor,
        reading: &mut Reading,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(u32, bool), MountError>>> {
        M::call(async move {
            loop {
                let here = Position {
                    generation: cursor.start.payload.generation,
                    offset: cursor.offset,
                };
                self.compare_with_keys(cursor, reading, here)?;
                let found = self.step(cursor, &parts.slots, parts.buffer).await?;
                let run = cursor
                    .run_at(here.offset)
                    .filter(|_| !matches!(found, Found::End { .. }));
                if !matches!(found, Found::End { .. }) {
                    reading.overwritten = None;
                    if self.run != run && reading.run_unfinished {
                        return Err(MountError::Inconsistent);
                    }
                    self.run = run;
                }
                if matches!(found, Found::End { .. } | Found::Session(_)) {
                    match found {
                        Found::End { next, clean } => return Ok((next, clean)),
                        Found::Session(payload) => {
                            reading.last = Some(payload);
                            reading.unexplained = None;
                            self.anchoring.stated = self.anchoring.stated.max(payload.counter);
                        }
                        _ => {}
                    }
                    continue;
                }
                match found {
                    Found::Opened { header, offset, text } => {
                        let text_bytes = parts.buffer.get(text.clone()).unwrap_or_default();
                        let number = format::number(text_bytes, 0);
                        let linked = !header.kind.is_value() || M::KIND == MediumKind::Overwritable;
                        let (previous, live) = match header.kind {
                            Kind::Retire | Kind::Anchor => (NO_ADDRESS, Some(format::number(text_bytes, 4))),
                            Kind::Index | Kind::Checkpoint => (NO_ADDRESS, None),
                            Kind::Commit => (NO_ADDRESS, Some(format::number(text_bytes, 12))),
                            _ if linked => {
                                (format::number(text_bytes, 0), Some(format::number(text_bytes, 4)))
                            }
                            _ => (NO_ADDRESS, None),
                        };
                        if let (Some(last), Some(live)) = (reading.last.as_mut(), live) {
                            last.live = live;
                            reading.unexplained = None;
                        }
                        // Only the last change of all may have left its predecessor to be overwritten.
                        if self.doomed.is_some() {
                            return Err(MountError::Inconsistent);
                        }
                        if let Some(loading) = reading.loading.take() {
                            match self.load_record(loading, header, here, text, parts).await? {
                                Loaded::Part(loading) => reading.loading = Some(loading),
                                Loaded::All(says) => self.resume(says, reading),
                            }
                            continue;
                        }
                        match header.kind {
                            Kind::Retire | Kind::Commit | Kind::Index => continue,
                            Kind::Checkpoint => {
                                self.checkpoint = Some(here);
                                self.taken = None;
                                continue;
                            }
                            Kind::Anchor => {
                                self.anchoring.state(number);
                                reading.anchored = Some(here);
                                continue;
                            }
                            _ => self.anchoring.changes = self.anchoring.changes.saturating_add(1),
                        }
                        let address = self.pages.geometry.address(cursor.start.page, offset);
                        self.supersede(previous, reading, &mut parts.index);
                        if header.kind.is_value() {
                            self.admit(header, address, text, reading.knows_all, parts)
                                .await?;
                        }
                    }
                    Found::Unopened { address } if reading.unopened.is_some() => {
                        return Err(MountError::Damaged(address.saturating_mul(4)));
                    }
                    Found::Unopened { address } => {
                        reading.unopened = Some(address);
                        self.anchoring.changes = self.anchoring.changes.saturating_add(1);
                    }
                    Found::Dead => self.anchoring.changes = self.anchoring.changes.saturating_add(1),
                    Found::Overwritten => {
                        self.anchoring.changes = self.anchoring.changes.saturating_add(1);
                        let page = self.pages.geometry.start(cursor.start.page);
                        reading.unexplained = Some(page + here.offset);
                    }
                    _ => {}
                }
            }
        })
    }

    /// Holds the log up to here against the key page, if that says that it ended here, and against the checkpoint whose list begins here.
    fn compare_with_keys(
        &mut self,
        cursor: &Cursor,
        reading: &mut Reading,
        here: Position,
    ) -> Result<(), MountError> {
        if here == reading.keys.log_end {
            if cursor.digest.value() != reading.keys.digest {
                return Err(MountError::Inconsistent);
            }
            reading.met_key_page = true;
            reading.unexplained = None;
            if reading.keys.counter > self.anchoring.stated {
                self.anchoring.state(reading.keys.counter);
                reading.anchored = Some(here);
            }
        }
        let is_first = reading
            .loading
            .as_ref()
            .filter(|loading| loading.says.first == here);
        if is_first.is_some_and(|loading| loading.says.digest != cursor.digest.value()) {
            return Err(MountError::Inconsistent);
        }
        Ok(())
    }

    /// Takes the record at `previous` out; on overwritable media what is still there is to be overwritten.
    fn supersede(&mut self, previous: u32, reading: &mut Reading, index: &mut Index<'_>) {
        if previous == NO_ADDRESS {
            return;
        }
        if let Some(entry) = index.remove(previous) {
            self.live_sum = self.live_sum.wrapping_sub(self.keys.live_summand(previous));
            if M::KIND == MediumKind::Overwritable && self.run.is_some() {
                reading.run_unfinished = true;
            } else if M::KIND == MediumKind::Overwritable {
                self.doomed = Some(Doomed {
                    address: previous,
                    size: entry.size(),
                    slot: entry.slot(),
                });
            }
        } else if reading.unopened == Some(previous) && self.run.is_some() {
            reading.unopened = None;
            reading.run_unfinished = true;
        } else if reading.unopened == Some(previous) {
            reading.unopened = None;
            self.doomed = Some(Doomed {
                address: previous,
                size: 0,
                slot: NO_SLOT,
            });
        } else {
            reading.overwritten = Some(previous);
        }
    }

    /// Puts a value that opened into the index, in place of an older one of the same name.
    #[inline(never)]
    fn admit(
        &mut self,
        header: Header,
        address: u32,
        text: core::ops::Range<usize>,
        knows_all: bool,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let damaged = MountError::Damaged(address.saturating_mul(4));
            let opened = split_value(M::KIND, header.kind, parts.buffer, &text).ok_or(damaged)?;
            let mut name = Secret::new([0; format::MAX_NAME]);
            let name_bytes = parts.buffer.get(opened.name).ok_or(damaged)?;
            let name = name.expose_mut().get_mut(..name_bytes.len()).ok_or(damaged)?;
            name.copy_from_slice(name_bytes);
            let size = self.pages.geometry.size(header);
            let hash = self.keys.name_hash(header.slot, name);
            let alike = [0, 1].map(|skip| parts.index.candidate(header.slot, hash, skip));
            let older = match alike {
                _ if M::KIND == MediumKind::Overwritable => None,
                // The index is what it was when the record was written, and what is new says so where another has its fingerprint: the one
                // that has it is the older version, whatever its name.
                _ if knows_all && header.kind.is_alike() => None,
                [only, None] if knows_all && !header.kind.is_fixed() => only,
                _ => self
                    .find(&parts.index, &parts.slots, header.slot, name, parts.buffer)
                    .await?
                    .map(|(older, _)| older),
            };
            if let Some(older) = older {
                parts.index.take_out(older);
                self.live_sum = self
                    .live_sum
                    .wrapping_sub(self.keys.live_summand(older.address()));
            }
            let entry = Entry::new(address, header.slot, size, header.kind.is_fixed(), hash);
            if !parts.index.insert(entry) {
                return Err(MountError::IndexFull);
            }
            self.live_sum = self.live_sum.wrapping_add(self.keys.live_summand(address));
            Ok(())
        })
    }

    fn adopt_head(&mut self, cursor: &Cursor, (next, clean): (u32, bool)) {
        self.head = Head {
            generation: cursor.start.payload.generation,
            salt: cursor.salt,
            salt_at: cursor.salt_at,
            end: cursor.offset,
            next,
            digest: cursor.digest.clone(),
            writing: if clean { Writing::Doubtful } else { Writing::Burnt },
        };
    }

    /// Whether the log, the key page and the live records belong together.
    //= compliance/requirements.md#store-4
    //# The store MUST detect at mount a log or key page that was dropped, replayed, swapped or cut back against the others.
    fn check(&self, reading: &Reading) -> Result<(), MountError> {
        if reading.loading.is_some() {
            return Err(MountError::Inconsistent);
        }
        let last = reading.last.ok_or(MountError::Internal)?;
        if let Some(address) = reading.unopened {
            return Err(MountError::Damaged(address.saturating_mul(4)));
        }
        // A record is overwritten when the one that supersedes it is on flash: that one is gone, and was no interrupted write.
        if let Some(at) = reading.unexplained {
            return Err(MountError::Damaged(at));
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
    #[inline(never)]
    fn finish_overwriting(
        &mut self,
        reading: &Reading,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let address = self.doomed.map(|doomed| doomed.address).or(reading.overwritten);
            if let (MediumKind::Overwritable, Some(address)) = (M::KIND, address) {
                self.doomed = Some(self.doomed_at(address).await?);
            }
            Ok(left_to_writes(self.overwrite_doomed().await)?)
        })
    }

    /// What stands on the pages that hold no part of the log.
    #[inline(never)]
    fn examine_free_pages(&mut self) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            self.forget_ready();
            let free = self.free_pages();
            if free == 0 {
                return Ok(());
            }
            // Neither this one nor the next is read to its end before something is to be written or erased.
            self.tail_erased = false;
            let next = self.page_after_head();
            let (from, to) = self.first_records(next);
            let is_spoiled =
                self.pages.erases_of(next).await?.is_none() || !self.pages.is_blank(from, to).await;
            self.next_page = if is_spoiled {
                NextPage::Spoiled
            } else {
                NextPage::Doubtful
            };
            if is_spoiled && free > 1 {
                // It holds at most a first record that was torn. More was a page of the log, and the head, until that was damaged.
                let start = self.pages.geometry.start(next);
                let behind = start + self.pages.geometry.first() + self.pages.geometry.salt_record();
                // One word is a flipped bit in a blank page; a record has more.
                if let Some(last) = self
                    .pages
                    .last_not_blank(behind, start + self.pages.geometry.page)
                    .await
                    && !self.pages.is_blank(behind, last - self.pages.geometry.unit).await
                {
                    return Err(MountError::Damaged(start));
                }
            }
            if is_spoiled {
                return Ok(());
            }
            // Of the others no more are looked at than upkeep asks for; there may be hundreds.
            (self.ready, self.unseen) = (1, free - 1);
            for _ in 1..self.ring().spare() {
                self.look_ahead().await?;
            }
            Ok(())
        })
    }
}

/// An overwriting that fails stays to be done, and no write goes on before it is.
//= compliance/requirements.md#store-35
//# What cannot be overwritten MUST hinder no mount, no read and no class erasure, and MUST hinder every write until it is overwritten or its class is erased.
fn left_to_writes(overwritten: Result<(), Fault>) -> Result<(), Fault> {
    match overwritten {
        Err(Fault::Flash(_) | Fault::Unkept) => Ok(()),
        done => done,
    }
}

/// What the head page says of the log.
struct HeadRead {
    tail: u32,
    /// Something was written behind the page's first record after that.
    goes_on: bool,
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
    /// The last Anchor record.
    anchored: Option<Position>,
    /// What the last transaction superseded was not all overwritten: then nothing follows it.
    run_unfinished: bool,
    /// An overwritten record, at this byte, behind which nothing has been read that says why.
    unexplained: Option<u32>,
    /// The checkpoint that the reading begins with, until it is reached.
    loading: Option<Loading>,
    /// The list of a checkpoint has been read: the index has each item that was there, and not only those behind the tail.
    knows_all: bool,
}
