//! Collection: the live records of the oldest page move to the head, then the page is erased. In ring order, in small steps.
//!
//! ```text
//!  store
//!  collect  (this file)
//!  log · format · crypto
//! ```

use rand_core::TryCryptoRng;

use super::error::Fault;
use super::format::{self, Header, LINK_LEN, NO_ADDRESS, SaltPayload, TEXT_START};
use super::log::{Doomed, Log, NextPage, Writing};
use super::memory::{Entry, Index, Parts, Slots};
use super::pace::Pace;
use crate::crypto;
use crate::flash::{Medium, MediumKind, Routine, two_faces};

#[two_faces]
impl<M: Medium> Log<M> {
    pub(crate) fn fits(&self, size: u32, reserve: u32) -> bool {
        size.saturating_add(reserve) <= self.room()
    }

    /// Makes the head ready to take a value of `size` bytes, collecting and opening pages as needed; `in_haste`: no more than is needed.
    pub(crate) fn make_room<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        in_haste: bool,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if !in_haste {
                self.keep_pace(size, parts, random).await?;
            }
            // Each round opens a page, copies a record or frees a page; after two turns of the ring nothing changes any more.
            let rounds = self.pages.geometry.page / 32 + 2;
            for _ in 0..=self.pages.geometry.log_pages().saturating_mul(2 * rounds) {
                if self.fits(size, self.pages.geometry.pair_record()) {
                    return self
                        .prepare(size, self.pages.geometry.pair_record(), parts, random)
                        .await;
                }
                if self.free_pages() > self.ring().spare() {
                    self.open_page(parts, random).await?;
                } else if self.tail < self.head.generation && self.pace.is_kept() {
                    // One record is as much as is due: it opens a page, which the value shares.
                    let next = self.next_in_tail(0, &parts.index);
                    self.collect_step(next, parts, random).await?;
                } else {
                    self.collect_page(parts, random).await?;
                }
            }
            Err(Fault::Full)
        })
    }

    /// Makes the head ready for a record of `size` bytes and `reserve` bytes behind it, opening pages if need be. Finds room
    /// for a Removal or Retire record however full the store is: values and copies leave that much in every page.
    pub(crate) fn prepare<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        reserve: u32,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            for _ in 0..=self.pages.geometry.log_pages() {
                self.erase_spoiled(parts, random).await?;
                if self.fits(size, reserve) {
                    match self.open_session(random).await {
                        // A Session record that failed may have burnt the room.
                        Ok(()) if self.fits(size, reserve) => return Ok(()),
                        Ok(()) | Err(Fault::Full) => {}
                        // Twice: the page takes nothing any more.
                        Err(Fault::Flash(_) | Fault::Unkept) if self.head.writing == Writing::Burnt => {}
                        failed => return failed,
                    }
                }
                self.advance(parts, random).await?;
            }
            Err(Fault::Full)
        })
    }

    /// Makes the head ready for an Anchor record. It takes part in the pace, and finds room however full the store is.
    pub(crate) fn prepare_anchor<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let pair = self.pages.geometry.pair_record();
            self.keep_pace(pair, parts, random).await?;
            self.prepare(pair, 0, parts, random).await
        })
    }

    /// Opens the next page. The last free one is not simply opened, but takes over what lives in the tail page: whatever
    /// interrupted writes burn, one page stays free.
    fn advance<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.free_pages() > 1 {
                self.open_page(parts, random).await
            } else {
                self.turn_over(parts, random).await
            }
        })
    }

    /// A share of the collection with each put, so that none has to do a whole page or more: live data that lies together
    /// frees nothing until it is all moved, and its moving has to begin long before the room is needed.
    fn keep_pace<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.tail >= self.head.generation {
                (self.due, self.ahead) = (0, 0);
                return Ok(());
            }
            self.find_pace(&parts.index);
            // With pages in hand, and little to copy, there is no hurry: what is left alone longer is superseded more often.
            let has_time = self.free_pages() > self.ring().spare() + 2 && self.pace.is_slow();
            // A page that was emptied, and that upkeep has not erased since.
            if (!has_time || self.pace.is_kept()) && self.next_in_tail(0, &parts.index).is_none() {
                self.due = 0;
                if has_time {
                    return Ok(());
                }
                self.collect_step(None, parts, random).await?;
                self.find_pace(&parts.index);
            }
            let due = self.pace.due(size);
            let done = due.min(self.ahead);
            self.ahead -= done;
            self.due = self.due.saturating_add(due - done);
            let tail = self.tail;
            // A step copies a record, none of which is shorter than 32 bytes.
            for _ in 0..=self.pages.geometry.page / 32 {
                if self.due == 0 || self.tail != tail {
                    break;
                }
                let next = self.next_in_tail(0, &parts.index);
                let Some(entry) = next.filter(|entry| self.due >= entry.size()) else {
                    break;
                };
                self.due -= entry.size();
                self.collect_step(next, parts, random).await?;
            }
            Ok(())
        })
    }

    /// Works the pace out anew, if pages were opened or freed.
    fn find_pace(&mut self, index: &Index<'_>) {
        let between = (self.tail, self.head.generation);
        if self.paced != between {
            self.paced = between;
            self.pace = self.pace(index);
        }
    }

    /// One step of what puts would otherwise do on the way, in the order in which they would. Gives whether there was one to do.
    pub(crate) fn maintain_step<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            if self.tail < self.head.generation {
                self.find_pace(&parts.index);
                let next = self.next_in_tail(0, &parts.index);
                let is_short = self.free_pages() <= self.ring().spare();
                // So that the next put has nothing to copy, however large it is.
                let is_due_soon = self.ahead < self.pace.due(self.largest);
                if next.is_none() || is_short || is_due_soon {
                    if !is_short {
                        self.ahead = self.ahead.saturating_add(next.map_or(0, Entry::size));
                    }
                    self.collect_step(next, parts, random).await?;
                    return Ok(true);
                }
            }
            self.erase_ahead(parts, random).await
        })
    }

    /// The pace at which the tail has to be emptied so that room never runs out: for whatever number of pages ahead takes the
    /// most copying for the room that there is and that they give.
    fn pace(&self, index: &Index<'_>) -> Pace {
        let geometry = self.pages.geometry;
        let usable = geometry.usable();
        let used = self.head.generation - self.tail;
        let missing = self.ring().missing(self.tail, self.head.generation);
        // Live bytes of the tail page, of the next, of the next two, of the next four …
        let mut live = [0u32; u32::BITS as usize];
        for entry in index.iter() {
            let place = geometry.place(entry.address());
            let Some(generation) = place.and_then(|(page, _)| self.generation_of(page)) else {
                continue;
            };
            let ahead = generation.saturating_sub(self.tail);
            let doubling = usize::try_from(u32::BITS - ahead.leading_zeros()).unwrap_or(0);
            if let Some(live) = live.get_mut(doubling).filter(|_| ahead < used) {
                *live = live.saturating_add(entry.size());
            }
        }
        let in_hand = self
            .free_pages()
            .saturating_sub(self.ring().spare())
            .saturating_mul(usable);
        let in_hand = in_hand.saturating_add(self.room().min(usable));
        let mut pace = Pace { copies: 0, puts: 1 };
        let (mut copies, mut pages) = (0u32, 1u32);
        for live in live {
            copies = copies.saturating_add(live);
            let given = pages.min(used).saturating_sub(missing).saturating_mul(usable);
            let given = given.saturating_sub(copies);
            let candidate = Pace {
                copies,
                puts: in_hand.saturating_add(given).max(1),
            };
            if candidate.is_faster_than(pace) {
                pace = candidate;
            }
            if pages >= used {
                break;
            }
            pages = pages.saturating_mul(2);
        }
        pace
    }

    /// Empties, retires and erases the tail page.
    pub(crate) fn collect_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let tail = self.tail;
            if tail >= self.head.generation {
                // The head is all there is: it can only be emptied into another page.
                self.advance(parts, random).await?;
                if self.tail >= self.head.generation {
                    // A page was left out instead.
                    return Ok(());
                }
            }
            // A step copies a record, none of which is shorter than 32 bytes, or is the last one.
            for _ in 0..=self.pages.geometry.page / 32 {
                let next = self.next_in_tail(0, &parts.index);
                if self.tail != tail || !self.collect_step(next, parts, random).await? {
                    return Ok(());
                }
            }
            Err(Fault::Internal)
        })
    }

    /// Copies the next live record out of the tail page, or retires and erases the page if there is none left. Gives whether
    /// the page is still there.
    fn collect_step<R: TryCryptoRng + ?Sized>(
        &mut self,
        next: Option<Entry>,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let (tail, pair) = (self.tail, self.pages.geometry.pair_record());
            if let Some(entry) = next {
                self.prepare(entry.size(), pair, parts, random).await?;
                if self.tail != tail {
                    return Ok(false);
                }
                self.copy(entry, parts, random).await?;
                return Ok(true);
            }
            // At most one page is ever between Retire and the end of its erase.
            self.finish_erase(parts, random).await?;
            self.prepare(pair, 0, parts, random).await?;
            if self.tail != tail {
                return Ok(false);
            }
            //= compliance/requirements.md#store-7
            //# A page that held part of the log MUST be declared dead in the log before its erase begins.
            self.append_retire(self.ring().after(tail), random).await?;
            self.finish_erase(parts, random).await?;
            // Pages are erased in ring order; one more is ready if those before it are.
            if self.ready + self.unseen + 1 == self.free_pages() {
                if self.unseen == 0 {
                    self.ready += 1;
                } else {
                    self.unseen += 1;
                }
            }
            Ok(false)
        })
    }

    /// Moves what lives in the tail page to the last free page, in one step: the new page's first record is written last,
    /// and says that the tail is dead. Until it is there the page counts for nothing and is erased again, so that power may
    /// be cut here any number of times and uses up no room.
    //= compliance/requirements.md#store-25
    //# Power cuts, however many and wherever they come, MUST NOT use up room for good.
    fn turn_over<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.free_pages() == 0 {
                return Err(Fault::Full);
            }
            let left_end = self.head.next;
            let left =
                (self.tail < self.head.generation).then(|| self.pages.geometry.start(self.head_page()));
            let accepted_end = self.head.end;
            match self.fill_turned_page(parts, random).await {
                // The words may have been begun before, which does not always show.
                Err(Fault::Flash(_) | Fault::Unkept) => self.fill_turned_page(parts, random).await?,
                filled => filled?,
            }
            if let Some(left) = left.filter(|_| left_end > accepted_end) {
                self.burnt = Some((left + accepted_end, left + left_end));
            }
            self.overwrite_burnt().await?;
            self.erase_spoiled(parts, random).await
        })
    }

    fn fill_turned_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let generation = self.next_generation()?;
            let page = self.pages.geometry.page_of(generation);
            let tail = self.ring().after(self.tail);
            if !self.is_ready(page).await? {
                self.pages.erase_page(page, 0).await?;
            }
            self.tail_erased = true;
            // Burnt: whatever comes of the program calls, the page is erased before it is used again.
            self.forget_ready();
            self.next_page = NextPage::Spoiled;

            let live_sum = self.live_sum_turned(page, self.page_head(salt, generation).next, &parts.index);
            let payload = SaltPayload {
                tail,
                live: Self::stated(live_sum),
                ..self.salt_payload(generation, self.head.end)
            };
            let mut head = self.page_head(salt, generation);
            let mut from = 0;
            while let Some(entry) = self.next_in_tail(from, &parts.index) {
                from = entry.address() + 1;
                let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
                let Parts { slots, buffer, .. } = parts;
                let slot = slots.get(entry.slot());
                let opened = self
                    .read_value(entry.address(), entry.size(), slot, buffer)
                    .await?;
                let text_len = opened.value.end.next_multiple_of(4) - TEXT_START;
                if M::KIND == MediumKind::Overwritable {
                    format::place(buffer, TEXT_START, &NO_ADDRESS.to_le_bytes());
                    format::place(buffer, TEXT_START + LINK_LEN / 2, &live_sum.to_le_bytes());
                }
                let header = head.header(opened.kind, entry.slot(), text_len)?;
                self.append_to(&mut head, header, slot, &randomness, buffer)
                    .await?;
            }
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            // What stands here now is no tail that might be torn: the page it was copied from is dead.
            let payload = SaltPayload {
                filled: head.end,
                ..payload
            };
            self.begin_page(page, salt, &randomness, payload).await?;

            // Committed. What follows in memory happens without an await.
            let mut next = self.page_head(salt, generation).next;
            let mut from = 0;
            while let Some(entry) = self.next_in_tail(from, &parts.index) {
                from = entry.address() + 1;
                parts.index.take_out(entry);
                if !parts
                    .index
                    .insert(entry.moved_to(self.pages.geometry.address(page, next)))
                {
                    return Err(Fault::Internal);
                }
                next += entry.size();
            }
            self.moved = self.moved.wrapping_add(1);
            self.live_sum = live_sum;
            self.head = head;
            self.tail = tail;
            self.tail_erased = false;
            // The old tail is the page after the head now; it holds every value once more, and goes before anything is appended.
            self.next_page = NextPage::Spoiled;
            Ok(())
        })
    }

    /// The live sum once the tail's live records stand in `page` from `next` on. Every copy states that of all of them: taken
    /// away behind the store's back, the last of them would not be missed otherwise.
    fn live_sum_turned(&self, page: u16, mut next: u32, index: &Index<'_>) -> u32 {
        let (mut live_sum, mut from) = (self.live_sum, 0);
        while let Some(entry) = self.next_in_tail(from, index) {
            from = entry.address() + 1;
            let moved = self.pages.geometry.address(page, next);
            live_sum = live_sum
                .wrapping_sub(self.keys.live_summand(entry.address()))
                .wrapping_add(self.keys.live_summand(moved));
            next += entry.size();
        }
        live_sum
    }

    fn tail_addresses(&self) -> core::ops::Range<u32> {
        let page = self.pages.geometry.page_of(self.tail);
        self.pages.geometry.address(page, 0)..self.pages.geometry.address(page, self.pages.geometry.page)
    }

    fn live_in_tail<'a>(&self, index: &'a Index<'_>) -> impl Iterator<Item = Entry> + 'a {
        let tail = self.tail_addresses();
        index.iter().filter(move |entry| tail.contains(&entry.address()))
    }

    /// The first live record of the tail page at an address or behind it.
    fn next_in_tail(&self, from: u32, index: &Index<'_>) -> Option<Entry> {
        self.live_in_tail(index)
            .filter(|entry| entry.address() >= from)
            .min_by_key(|entry| entry.address())
    }

    fn copy<R: TryCryptoRng + ?Sized>(
        &mut self,
        entry: Entry,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.moved = self.moved.wrapping_add(1);
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let Parts { index, slots, buffer } = parts;
            let slot = slots.get(entry.slot());
            let opened = self
                .read_value(entry.address(), entry.size(), slot, buffer)
                .await?;
            let text_end = opened.value.end.next_multiple_of(4);
            let header = self
                .head
                .header(opened.kind, entry.slot(), text_end - TEXT_START)?;
            self.append_value(
                header,
                Some(entry),
                entry.hash(),
                &randomness,
                index,
                slots,
                buffer,
            )
            .await
        })
    }

    /// Appends the value whose plaintext stands in the buffer, in place of `older`. After this returns, or fails in
    /// overwriting the old record, the new one counts.
    #[allow(clippy::too_many_arguments)] // the parts of one record, each used once
    pub(crate) fn append_value(
        &mut self,
        header: Header,
        older: Option<Entry>,
        hash: u32,
        randomness: &[u8; crypto::RANDOMNESS_LEN],
        index: &mut Index<'_>,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let previous = older.map_or(NO_ADDRESS, Entry::address);
            let address = self.next_address();
            let mut live_sum = self.live_sum.wrapping_add(self.keys.live_summand(address));
            if older.is_some() {
                live_sum = live_sum.wrapping_sub(self.keys.live_summand(previous));
            }
            if M::KIND == MediumKind::Overwritable {
                format::place(buffer, TEXT_START, &previous.to_le_bytes());
                format::place(buffer, TEXT_START + LINK_LEN / 2, &live_sum.to_le_bytes());
            }
            self.append(header, slots.get(header.slot), randomness, buffer)
                .await?;

            let size = self.pages.geometry.size(header);
            self.live_sum = live_sum;
            self.live_bytes = self.live_bytes.saturating_add(size);
            self.largest = self.largest.max(size);
            if let Some(older) = older.and_then(|older| index.take_out(older)) {
                self.live_bytes = self.live_bytes.saturating_sub(older.size());
                self.doomed = Some(Doomed {
                    address: older.address(),
                    size: older.size(),
                    slot: older.slot(),
                });
            }
            let entry = Entry::new(address, header.slot, size, header.kind.is_fixed(), hash);
            if !index.insert(entry) {
                return Err(Fault::Internal);
            }
            self.overwrite_doomed().await
        })
    }
}
