//! The pages ahead of the log: erased in time, opened one after the other, left out for good when they fail.
//!
//! ```text
//!  store · collect · change
//!  ahead    (this file)
//!  keys · log · ring
//! ```

use rand_core::TryCryptoRng;

use super::error::Fault;
use super::log::{Log, NextPage};
use super::memory::Parts;
use super::ring::Ring;
use crate::crypto::{self, RANDOMNESS_LEN, SALT_LEN};
use crate::flash::{Medium, Routine, two_faces};

#[two_faces]
impl<M: Medium> Log<M> {
    /// Opens the next page of the ring, if that leaves one free. If it or the page after it fails, that one is left out and none
    /// is opened: the caller looks again how many are free.
    pub(crate) fn open_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.free_pages() < 2 {
                return Err(Fault::Full);
            }
            let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let generation = self.next_generation()?;
            let page = self.pages.geometry.page_of(generation);
            if !self.is_ready(page).await? && !self.erase_free(page, parts, random).await? {
                return Ok(());
            }
            // The page after the head is blank whenever it is not the one before the tail: a mount relies on it.
            let after = self.pages.geometry.page_of(self.ring().after(generation));
            let is_last = after == self.page_before_tail();
            if self.pages.is_erased(after).await?.is_none() && !self.erase_free(after, parts, random).await? {
                return Ok(());
            }
            self.tail_erased |= is_last;
            // Burnt: whatever comes of the program call, the page is erased again before anything else is appended.
            self.ready = self.ready.saturating_sub(1);
            self.next_page = NextPage::Spoiled;
            match self.begin_generation(generation, salt, &randomness).await {
                // The words may have been begun before, which does not always show.
                Err(Fault::Flash(_) | Fault::Unkept) => {
                    if !self.erase_free(page, parts, random).await? {
                        return Ok(());
                    }
                    let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
                    match self.begin_generation(generation, salt, &randomness).await {
                        Err(failed @ (Fault::Flash(_) | Fault::Unkept)) => {
                            return self.leave_out(page, failed, parts, random).await;
                        }
                        begun => begun?,
                    }
                }
                begun => begun?,
            }
            self.overwrite_burnt().await
        })
    }

    /// Writes the first record of the page that a generation has its place on, and goes on there.
    #[inline(never)]
    fn begin_generation(
        &mut self,
        generation: u32,
        salt: [u8; SALT_LEN],
        randomness: &[u8; RANDOMNESS_LEN],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let page = self.pages.geometry.page_of(generation);
            let payload = self.salt_payload(generation, self.head.end);
            let head = self.begin_page(page, salt, randomness, payload).await?;
            let left = self.pages.geometry.start(self.head_page());
            if self.head.next > self.head.end {
                self.burnt = Some((left + self.head.end, left + self.head.next));
            }
            self.next_page = NextPage::Known;
            self.head = head;
            Ok(())
        })
    }

    /// Whether the page after the head can be written on. What an earlier start began there may read blank now, be read back rightly
    /// under what is written over it, and read differently later: its first records are looked at several times.
    pub(crate) fn is_ready(&mut self, page: u16) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            if self.next_page == NextPage::Spoiled {
                return Ok(false);
            }
            if self.ready == 0 {
                self.look_ahead().await?;
            }
            if self.ready == 0 || self.pages.is_erased(page).await?.is_none() {
                return Ok(false);
            }
            let (from, to) = self.first_records(page);
            Ok(self.next_page != NextPage::Doubtful || self.pages.is_steadily_blank(from, to).await)
        })
    }

    /// Looks at one more page after those that are ready, if nobody has since the mount.
    pub(crate) fn look_ahead(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if let Some(unseen) = self.unseen.checked_sub(1) {
                let page = self.page_behind_ready();
                let is_erased =
                    self.pages.erases_of(page).await?.is_some() && self.page_start(page).await.is_none();
                (self.ready, self.unseen) = if is_erased {
                    (self.ready + 1, unseen)
                } else {
                    (self.ready, 0)
                };
            }
            Ok(())
        })
    }

    /// Of no page after the head is it known that it is erased.
    pub(crate) fn forget_ready(&mut self) {
        (self.ready, self.unseen) = (0, 0);
    }

    /// The first page after the head that is not known to be erased.
    fn page_behind_ready(&self) -> u16 {
        let generation = self.ring().nth_after(self.head.generation, self.ready + 1);
        self.pages.geometry.page_of(generation)
    }

    /// Where the first writes to a page begin: its first record, or, if it is being turned over, what stands behind that.
    pub(crate) fn first_records(&self, page: u16) -> (u32, u32) {
        let geometry = self.pages.geometry;
        let (first, start) = (geometry.first(), geometry.start(page));
        let end = (first + geometry.salt_record() + geometry.skip()).min(geometry.page);
        (start + first, start + end)
    }

    /// Erases one of the pages that puts will open next, if it is not known to be erased. Gives whether there was one.
    pub(crate) fn erase_ahead<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            if self.ready >= self.free_pages().min(self.ring().spare()) {
                return Ok(false);
            }
            let page = self.page_behind_ready();
            if self.pages.is_erased(page).await?.is_some() || self.erase_free(page, parts, random).await? {
                (self.ready, self.unseen) = (self.ready + 1, self.unseen.saturating_sub(1));
            }
            Ok(true)
        })
    }

    /// Erases the page after the head, if a first record may stand on it that was never accepted (the next mount would take
    /// it for the head, and what was appended here since for torn), or values that are about to be removed.
    pub(crate) fn erase_spoiled<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.next_page == NextPage::Spoiled {
                self.forget_ready();
                let page = self.page_after_head();
                let is_last = page == self.page_before_tail();
                if self.erase_free(page, parts, random).await? {
                    self.tail_erased |= is_last;
                    self.next_page = NextPage::Known;
                    self.ready = 1;
                }
            }
            Ok(())
        })
    }

    /// Completes the erase of the page before the tail, if it was interrupted.
    pub(crate) fn finish_erase<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if !self.tail_erased {
                let page = self.page_before_tail();
                if self.pages.is_erased(page).await?.is_none() {
                    self.erase_free(page, parts, random).await?;
                }
                self.tail_erased = true;
            }
            Ok(())
        })
    }

    /// Erases a free page, or leaves it out: if it fails, another free page erases, and then it fails again. Gives whether it is erased.
    pub(crate) fn erase_free<R: TryCryptoRng + ?Sized>(
        &mut self,
        page: u16,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let failed = match self.pages.erase_page(page, 0).await {
                Err(failed @ (Fault::Flash(_) | Fault::Unkept)) => failed,
                erased => {
                    erased?;
                    if self.next_page == NextPage::Doubtful && page == self.page_after_head() {
                        self.next_page = NextPage::Known;
                    }
                    return Ok(true);
                }
            };
            let others = self.ring_without(page, failed, parts).await?;
            match self.pages.erase_page(page, 0).await {
                Err(Fault::Flash(_) | Fault::Unkept) => {}
                erased => return erased.map(|()| true),
            }
            self.go_on_with(others, parts, random).await.map(|()| false)
        })
    }

    /// Leaves a free page out that erases, and yet does not keep what is written.
    fn leave_out<R: TryCryptoRng + ?Sized>(
        &mut self,
        page: u16,
        failed: Fault,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let others = self.ring_without(page, failed, parts).await?;
            self.go_on_with(others, parts, random).await
        })
    }

    /// The ring without a page that failed, if that takes what is stored, and the page that follows the head then erases and keeps
    /// its mark: otherwise it is not the page that fails, but the part, its supply or its driver.
    fn ring_without(
        &mut self,
        page: u16,
        failed: Fault,
        parts: &Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Ring, Fault>>> {
        M::call(async move {
            let (mut others, mut failing) = (self.ring(), page);
            // The list of pages left out is short, and ends this.
            loop {
                let ring = others.without(failing).filter(|ring| self.fits_in(*ring, parts));
                others = ring.ok_or(failed)?;
                let next = self.pages.geometry.page_of(others.after(self.head.generation));
                self.forget_ready();
                // Once more than needed, if it was erased: a mount relies on it, and so does the judgement.
                match self.pages.erase_page(next, 0).await {
                    Err(Fault::Flash(_) | Fault::Unkept) => failing = next,
                    erased => return erased.map(|()| others),
                }
            }
        })
    }

    /// Whether a ring takes what is stored, with room for an update, and leaves a page free.
    fn fits_in(&self, ring: Ring, parts: &Parts<'_>) -> bool {
        let items = u32::try_from(parts.index.len()).unwrap_or(u32::MAX);
        ring.free(self.tail, self.head.generation) > 0
            && ring.holds(
                self.live_bytes.saturating_add(self.largest),
                items.saturating_add(1),
                self.largest,
            )
    }

    /// Goes on without the pages that a ring leaves out. The key page says so before anything else is written: every mount
    /// knows the same pages as this one.
    //= compliance/requirements.md#store-34
    //# A page of the log that fails, while another one erases and what is stored fits the others, MUST be left out for good, and nothing stored be lost by it.
    fn go_on_with<R: TryCryptoRng + ?Sized>(
        &mut self,
        ring: Ring,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.rewrite_ring(ring, parts, random).await?;
            // The page after the head is another one, which was erased.
            self.next_page = NextPage::Known;
            self.ready = 1;
            Ok(())
        })
    }

    /// Erases what pages that were left out still hold.
    pub(crate) fn erase_left_out(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            for page in self.ring().left_out() {
                if self.pages.is_erased(page).await?.is_none() {
                    self.pages.erase_page(page, 0).await?;
                }
            }
            Ok(())
        })
    }
}
