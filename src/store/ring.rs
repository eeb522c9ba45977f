//! Which page comes after which: the ring of the log, without the pages that are left out because they fail.
//!
//! ```text
//!  left_out · log · figures
//!  ring     (this file)
//!  geometry · format
//! ```

use super::format::Beside;
use super::geometry::{Geometry, LOG_START};

/// Most pages that can be left out. A Page record has four bits to count them with.
pub(crate) const MOST_LEFT_OUT: usize = 8;

/// The pages of the log, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Ring {
    geometry: Geometry,
    /// Pages that hold no part of the log. 0, which is a key page: none.
    left_out: [u16; MOST_LEFT_OUT],
}

impl Ring {
    pub(crate) const fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            left_out: [0; MOST_LEFT_OUT],
        }
    }

    /// Whether a generation does not occur because its page is left out.
    pub(crate) fn leaves_out(&self, generation: u32) -> bool {
        self.left_out.contains(&self.geometry.page_of(generation))
    }

    /// Leaves a page out from now on. Gives whether there was room to remember it.
    pub(crate) fn leave_out(&mut self, page: u16) -> bool {
        if self.left_out.contains(&page) {
            return true;
        }
        let free = self.left_out.iter_mut().find(|page| **page < LOG_START);
        free.map(|free| *free = page).is_some()
    }

    fn left_out(&self) -> impl Iterator<Item = u16> {
        self.left_out.into_iter().filter(|&page| page >= LOG_START)
    }

    /// The generation of the page after that of a generation.
    pub(crate) fn after(&self, generation: u32) -> u32 {
        let mut after = generation.saturating_add(1);
        for _ in 0..MOST_LEFT_OUT {
            if self.leaves_out(after) {
                after = after.saturating_add(1);
            }
        }
        after
    }

    /// The page before that of a generation.
    pub(crate) fn page_before(&self, generation: u32) -> u16 {
        // Once round the ring, because generation 1 has a page before it too.
        let round = self.geometry.log_pages().saturating_sub(1);
        let mut before = generation.saturating_add(round);
        for _ in 0..MOST_LEFT_OUT {
            if self.leaves_out(before) {
                before = before.saturating_sub(1);
            }
        }
        self.geometry.page_of(before)
    }

    /// What the first record of a page says of the pages beside it, if that of `head` is the last one there is.
    pub(crate) fn beside(&self, head: u32, generation: u32) -> Beside {
        let between =
            |from: u32, to: u32| u8::try_from(to.saturating_sub(from).saturating_sub(1)).unwrap_or(0);
        Beside {
            before: between(head, generation),
            after: between(generation, self.after(generation)),
        }
    }

    /// The generations from one to another, both of them included.
    pub(crate) fn generations(self, from: u32, to: u32) -> impl Iterator<Item = u32> {
        (from..=to).filter(move |&generation| !self.leaves_out(generation))
    }

    /// The generation from `tail` to `head` whose page this is.
    pub(crate) fn generation_of(&self, page: u16, tail: u32, head: u32) -> Option<u32> {
        let ring = u32::from(page.checked_sub(LOG_START)?);
        let pages = self.geometry.log_pages();
        let behind = (head.saturating_sub(1).checked_rem(pages)? + pages - ring).checked_rem(pages)?;
        head.checked_sub(behind)
            .filter(|&generation| generation >= tail && generation > 0)
    }

    /// Pages that a log from `tail` to `head` has.
    pub(crate) fn within(&self, tail: u32, head: u32) -> u32 {
        let left_out = self
            .left_out()
            .filter(|&page| self.generation_of(page, tail, head).is_some());
        let all = head.saturating_sub(tail).saturating_add(1);
        all.saturating_sub(u32::try_from(left_out.count()).unwrap_or(u32::MAX))
    }

    /// Pages that a log from `tail` to `head` may still take.
    pub(crate) fn free(&self, tail: u32, head: u32) -> u32 {
        self.kept().saturating_sub(self.within(tail, head))
    }

    /// Pages that are left out.
    pub(crate) fn number_left_out(&self) -> u32 {
        u32::try_from(self.left_out().count()).unwrap_or(u32::MAX)
    }

    /// Pages that are not.
    pub(crate) fn kept(&self) -> u32 {
        self.geometry.log_pages().saturating_sub(self.number_left_out())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::Overwritable;
    use crate::flash::simulator::{Rule, Simulator};
    use std::vec::Vec;

    /// Eight pages of the log.
    fn ring(left_out: &[u16]) -> Ring {
        let flash = Simulator::<4, 1024>::new(10 * 1024, Rule::Multiwrite);
        let geometry = Geometry::of(&Overwritable::new(flash));
        let mut ring = Ring::new(geometry.expect("a geometry"));
        for &page in left_out {
            assert!(ring.leave_out(page));
        }
        ring
    }

    #[test]
    fn every_choice_of_left_out_pages_leaves_a_ring_that_goes_round_the_others_in_order() {
        for chosen in 0u16..255 {
            let left_out: Vec<u16> = (0..8)
                .filter(|page| chosen >> page & 1 == 1)
                .map(|page| page + 2)
                .collect();
            let ring = ring(&left_out);
            let kept: Vec<u16> = (2..10).filter(|page| !left_out.contains(page)).collect();
            assert_eq!(ring.kept() as usize, kept.len());
            let mut generation = ring.after(0);
            for turn in 0..3 {
                for (at, &page) in kept.iter().enumerate() {
                    assert_eq!(
                        ring.geometry.page_of(generation),
                        page,
                        "{left_out:?}, turn {turn}"
                    );
                    let before = kept[(at + kept.len() - 1) % kept.len()];
                    assert_eq!(ring.page_before(generation), before, "{left_out:?}");
                    generation = ring.after(generation);
                }
            }
        }
    }

    #[test]
    fn a_left_out_page_is_free_neither_within_the_log_nor_beside_it() {
        let ring = ring(&[4, 7]);
        // generations 1 to 5 stand on pages 2 to 6
        assert_eq!(ring.free(1, 5), 2);
        assert_eq!(ring.free(1, 1), 5);
        assert_eq!(ring.generations(1, 8).collect::<Vec<_>>(), [1, 2, 4, 5, 7, 8]);
        assert_eq!(ring.beside(2, 4), Beside { before: 1, after: 0 });
        assert_eq!(ring.beside(4, 5), Beside { before: 0, after: 1 });
    }

    #[test]
    fn no_more_pages_are_left_out_than_can_be_remembered() {
        let mut ring = ring(&[2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(ring.leave_out(9), "it is already");
        assert!(!ring.leave_out(10));
    }
}
