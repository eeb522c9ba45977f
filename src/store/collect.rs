//! Collection: the live records of the oldest page move to the head, then the page is erased. In ring order, in small steps.
//!
//! ```text
//!  store
//!  collect  (this file)
//!  log · format · crypto
//! ```

use rand_core::TryCryptoRng;

use super::error::Fault;
use super::format::{self, Geometry, Header, Kind, LINK_LEN, NO_ADDRESS, TEXT_START};
use super::log::{Doomed, Log};
use super::memory::{Entry, Index, Parts, Slots};
use crate::crypto;
use crate::flash::{Medium, MediumKind};

/// Most copies that one put makes on the way, beyond what it needs to find room.
const COPIES_PER_PUT: usize = 4;

/// Whether values of so many bytes, the largest of them `largest`, always find room again in a ring of these pages.
pub(crate) fn is_within_capacity(geometry: Geometry, bytes: u32, items: u32, largest: u32) -> bool {
    let pages = geometry.log_pages().saturating_sub(geometry.spare());
    let usable = geometry.usable();
    // Either by bytes, if each page may lose almost a largest record at its end, or by the number of records a page holds.
    let by_bytes = pages.saturating_mul(usable.saturating_sub(largest.saturating_sub(geometry.unit)));
    let by_items = pages.saturating_mul(usable / largest.max(1));
    bytes <= by_bytes || items <= by_items
}

impl<M: Medium> Log<M> {
    fn fits(&self, size: u32, reserve: u32) -> bool {
        size.saturating_add(reserve) <= self.room()
    }

    /// Makes the head ready to take a value of `size` bytes, collecting and opening pages as needed.
    pub(crate) async fn make_room<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<(), Fault> {
        self.keep_pace(size, parts, random).await?;
        // Each round opens a page or frees one; after two turns of the ring nothing changes any more.
        for _ in 0..=self.geometry.log_pages().saturating_mul(2) {
            if self.fits(size, self.geometry.reserve() + self.owed(&parts.index)) {
                return self.open_session(random).await;
            }
            if self.free_pages() > self.geometry.spare() {
                self.open_page(random).await?;
            } else {
                self.collect_page(parts, random).await?;
            }
        }
        Err(Fault::Full)
    }

    /// What the head must keep for the collection: once that has gone into the spare pages, whatever is still live in the
    /// tail, and the Retire record, have to find room before any new value does.
    fn owed(&self, index: &Index<'_>) -> u32 {
        if self.free_pages() >= self.geometry.spare() {
            return 0;
        }
        self.live_bytes_in_tail(index)
            .saturating_add(self.geometry.pair_record())
    }

    /// Makes room for a record that must always find it: Retire, Removal. Uses what values leave free.
    pub(crate) async fn make_reserved_room<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<(), Fault> {
        let size = self.geometry.pair_record();
        for _ in 0..=self.geometry.log_pages() {
            if self.fits(size, self.owed(&parts.index)) {
                return self.open_session(random).await;
            }
            if self.free_pages() > self.geometry.spare() {
                self.open_page(random).await?;
            } else if self.collect_page(parts, random).await == Err(Fault::Full) {
                break;
            }
        }
        // Better a removal than a spare place.
        if !self.fits(size, 0) {
            self.open_page(random).await?;
        }
        self.open_session(random).await
    }

    /// A share of the collection with each put, so that none has to do a whole page: what is left in the tail shrinks as
    /// fast as the room in the head.
    async fn keep_pace<R: TryCryptoRng + ?Sized>(
        &mut self,
        size: u32,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<(), Fault> {
        if self.free_pages() > self.geometry.spare() || self.tail >= self.head.generation {
            return Ok(());
        }
        for _ in 0..COPIES_PER_PUT {
            let left = self.live_bytes_in_tail(&parts.index);
            self.tail_live = self.tail_live.max(left);
            let room = u64::from(self.room().saturating_sub(size));
            let due = u64::from(self.tail_live) * room / u64::from(self.geometry.usable().max(1));
            if left > 0 && u64::from(left) <= due {
                return Ok(());
            }
            if !self.collect_step(parts, random).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Empties, retires and erases the tail page.
    pub(crate) async fn collect_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<(), Fault> {
        if self.tail >= self.head.generation {
            // The head is all there is: it can only be emptied into another page.
            self.open_page(random).await?;
        }
        // A step copies a record, none of which is shorter than 32 bytes, or is the last one.
        for _ in 0..=self.geometry.page / 32 {
            if !self.collect_step(parts, random).await? {
                return Ok(());
            }
        }
        Err(Fault::Internal)
    }

    /// Copies one live record out of the tail page, or retires and erases the page if there is none left. Gives whether
    /// the page is still there.
    pub(crate) async fn collect_step<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<bool, Fault> {
        if let Some(entry) = self.next_in_tail(&parts.index) {
            if !self.fits(entry.size(), self.geometry.pair_record()) {
                self.open_page(random).await?;
            }
            self.open_session(random).await?;
            self.copy(entry, parts, random).await?;
            return Ok(true);
        }
        if !self.fits(self.geometry.pair_record(), 0) {
            self.open_page(random).await?;
        }
        self.open_session(random).await?;
        // At most one page is ever between Retire and the end of its erase.
        self.finish_erase().await?;
        let page = self.geometry.page_of(self.tail);
        //= compliance/requirements.md#store-7
        //# A page that held part of the log MUST be declared dead in the log before its erase begins.
        self.append_retire(self.tail + 1, random).await?;
        self.tail_live = 0;
        self.erase_page(page, 0).await?;
        self.tail_erased = true;
        // Pages are erased in ring order; one more is ready if those before it are.
        if self.ready + 1 == self.free_pages() {
            self.ready += 1;
        }
        Ok(false)
    }

    fn tail_addresses(&self) -> core::ops::Range<u32> {
        let page = self.geometry.page_of(self.tail);
        self.geometry.address(page, 0)..self.geometry.address(page, self.geometry.page)
    }

    fn next_in_tail(&self, index: &Index<'_>) -> Option<Entry> {
        let tail = self.tail_addresses();
        index
            .iter()
            .filter(|entry| tail.contains(&entry.address()))
            .min_by_key(|entry| entry.address())
    }

    fn live_bytes_in_tail(&self, index: &Index<'_>) -> u32 {
        let tail = self.tail_addresses();
        index
            .iter()
            .filter(|entry| tail.contains(&entry.address()))
            .map(Entry::size)
            .sum()
    }

    async fn copy<R: TryCryptoRng + ?Sized>(
        &mut self,
        entry: Entry,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Result<(), Fault> {
        let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
        let Parts { index, slots, buffer } = parts;
        let slot = slots.get(entry.slot());
        let opened = self
            .read_value(entry.address(), entry.size(), slot, buffer)
            .await?;
        let text_end = opened.value.end.next_multiple_of(4);
        let header = self.header_at_head(opened.kind, entry.slot(), text_end - TEXT_START)?;
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
    }

    /// Appends the value whose plaintext stands in the buffer, in place of `older`. After this returns, or fails in
    /// overwriting the old record, the new one counts.
    #[allow(clippy::too_many_arguments)] // the parts of one record, each used once
    pub(crate) async fn append_value(
        &mut self,
        header: Header,
        older: Option<Entry>,
        hash: u16,
        randomness: &[u8; crypto::RANDOMNESS_LEN],
        index: &mut Index<'_>,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Result<(), Fault> {
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

        let size = self.geometry.size(header);
        self.live_sum = live_sum;
        self.live_bytes = self.live_bytes.saturating_add(size);
        self.largest = self.largest.max(size);
        if let Some(older) = older.and_then(|older| index.remove(older.address())) {
            self.live_bytes = self.live_bytes.saturating_sub(older.size());
            self.doomed = Some(Doomed {
                address: older.address(),
                size: older.size(),
            });
        }
        let entry = Entry::new(address, header.slot, size, header.kind == Kind::Fixed, hash);
        if !index.insert(entry) {
            return Err(Fault::Internal);
        }
        self.overwrite_doomed().await
    }
}
