//! Going on without pages that fail.
//!
//! A page that does not erase, or does not take its first record, is tried once more and then left out: the generation that
//! belongs there does not occur. The first record of the page before it, or of the one behind it, says so; nothing else on flash
//! does. So a left-out page that lies ahead of the log when the store is mounted may be tried again, once in a turn of the ring.
//!
//! ```text
//!  mount · salvage · collect
//!  left_out (this file)
//!  walk · log · ring
//! ```

use super::error::{Fault, MountError};
use super::format::Beside;
use super::geometry::LOG_START;
use super::log::{Log, Writing};
use super::walk::PageStart;
use crate::flash::Medium;

impl<M: Medium> Log<M> {
    /// Erases a free page, or leaves it out. Gives whether it is erased.
    pub(crate) async fn erase_free(&mut self, page: u16) -> Result<bool, Fault> {
        match self.pages.erase_page(page, 0).await {
            Err(Fault::Flash(_) | Fault::Unkept) => {}
            erased => return erased.map(|()| true),
        }
        match self.pages.erase_page(page, 0).await {
            Err(failed @ (Fault::Flash(_) | Fault::Unkept)) => {
                self.leave_out(page, failed).await.map(|()| false)
            }
            erased => erased.map(|()| true),
        }
    }

    /// Leaves a free page out that failed, if another one is left, and that erases: or it is the part that fails, and not the page.
    //= compliance/requirements.md#store-34
    //# A page that twice does not erase or does not keep its first record MUST be left out as long as another page is free, and nothing stored be lost by it.
    pub(crate) async fn leave_out(&mut self, page: u16, failed: Fault) -> Result<(), Fault> {
        let (mut other, mut is_another_left) = (self.head.generation, false);
        for _ in 0..self.free_pages() {
            other = self.ring.after(other);
            let other = self.pages.geometry.page_of(other);
            if other != page && self.pages.erase_page(other, 0).await.is_ok() {
                is_another_left = true;
                break;
            }
        }
        let is_next = page == self.page_after_head();
        if !is_another_left || !self.ring.leave_out(page) {
            return Err(failed);
        }
        self.ready = 0;
        if is_next && self.spoiled {
            // It may hold a first record that was never accepted. Nothing is appended to the head any more, or the next mount
            // would take that page for the head, and what was appended since for torn.
            self.spoiled = false;
            self.leave_head();
        }
        Ok(())
    }

    /// Nothing more is appended to the head: what follows needs the next page.
    pub(crate) fn leave_head(&mut self) {
        self.head.next = self.pages.geometry.page;
        self.head.writing = Writing::Burnt;
    }

    /// Erases every page that holds no part of the log and is not erased for certain, those left out too: whatever one of them
    /// may hold was to be gone.
    pub(crate) async fn erase_all_free(&mut self) -> Result<(), Fault> {
        for page in LOG_START..self.pages.geometry.pages {
            if self
                .generation_of(page)
                .is_none_or(|generation| self.ring.leaves_out(generation))
                && self.pages.is_erased(page).await?.is_none()
            {
                self.pages.erase_page(page, 0).await?;
            }
        }
        self.tail_erased = true;
        Ok(())
    }

    /// Brings to mind which pages the log says were left out: the first records from the tail to the head are looked at.
    pub(crate) async fn recall_left_out(&mut self) -> Result<(), MountError> {
        let (tail, head) = (self.tail, self.head.generation);
        for page in LOG_START..self.pages.geometry.pages {
            let Some(PageStart { payload, .. }) = self.page_start(page).await else {
                continue;
            };
            let (generation, Beside { before, after }) = (payload.generation, payload.left_out);
            if generation > tail && generation <= head {
                for behind in 1..=u32::from(before) {
                    self.recall(generation.saturating_sub(behind))?;
                }
            }
            if generation == head {
                for ahead in 1..=u32::from(after) {
                    self.recall(head.saturating_add(ahead))?;
                }
            }
        }
        let is_possible = !self.ring.leaves_out(tail) && self.free_pages() > 0;
        is_possible.then_some(()).ok_or(MountError::Inconsistent)
    }

    fn recall(&mut self, generation: u32) -> Result<(), MountError> {
        let page = self.pages.geometry.page_of(generation);
        let is_possible = generation > self.tail && self.ring.leave_out(page);
        is_possible.then_some(()).ok_or(MountError::Inconsistent)
    }
}
