//! Which page comes after which: the ring of the log, without the pages that were left out because they fail.
//!
//! ```text
//!  ahead · collect · mount · figures
//!  keys · log
//!  ring     (this file)
//!  geometry · format
//! ```

use super::format::MOST_LEFT_OUT;
use super::geometry::{Geometry, LOG_START};

/// Fewest pages that a log goes round.
const LEAST_KEPT: u32 = 2;

/// The pages of the log, one after the other.
#[derive(Clone, Copy)]
pub(crate) struct Ring {
    geometry: Geometry,
    /// Pages that hold no part of the log, in ascending order. 0, which is a key page: none.
    left_out: [u16; MOST_LEFT_OUT],
}

impl Ring {
    pub(crate) const fn new(geometry: Geometry, left_out: [u16; MOST_LEFT_OUT]) -> Self {
        Self { geometry, left_out }
    }

    /// Whether the pages left out are listed as the format says, and enough others are left.
    pub(crate) fn is_sound(&self) -> bool {
        let number = self.left_out().count();
        let listed = self.left_out.get(..number).unwrap_or_default();
        listed
            .iter()
            .all(|&page| (LOG_START..self.geometry.pages).contains(&page))
            && listed.is_sorted_by(|page, next| page < next)
            && self.left_out.iter().skip(number).all(|&page| page == 0)
            && self.kept() >= LEAST_KEPT
    }

    /// The same without one more page; `None` if the list has no room for it, or the log would not have enough others.
    pub(crate) fn without(mut self, page: u16) -> Option<Self> {
        let free = self.left_out.iter_mut().find(|left_out| **left_out == 0)?;
        *free = page;
        // Zeros last.
        self.left_out.sort_unstable_by_key(|page| page.wrapping_sub(1));
        self.is_sound().then_some(self)
    }

    /// Whether a generation occurs: its page is not left out.
    pub(crate) fn has(&self, generation: u32) -> bool {
        !self.left_out.contains(&self.geometry.page_of(generation))
    }

    pub(crate) fn left_out(&self) -> impl Iterator<Item = u16> + use<> {
        self.left_out.into_iter().filter(|&page| page > 0)
    }

    pub(crate) fn list(&self) -> [u16; MOST_LEFT_OUT] {
        self.left_out
    }

    /// The generation of the page after that of a generation.
    pub(crate) fn after(&self, generation: u32) -> u32 {
        let mut after = generation.saturating_add(1);
        for _ in 0..MOST_LEFT_OUT {
            if !self.has(after) {
                after = after.saturating_add(1);
            }
        }
        after
    }

    /// The generation so many pages after a generation.
    pub(crate) fn nth_after(&self, generation: u32, number: u32) -> u32 {
        (0..number).fold(generation, |generation, _| self.after(generation))
    }

    /// The generation of the page before that of a generation; 0 before the first.
    pub(crate) fn before(&self, generation: u32) -> u32 {
        let mut before = generation.saturating_sub(1);
        for _ in 0..MOST_LEFT_OUT {
            if before > 0 && !self.has(before) {
                before -= 1;
            }
        }
        before
    }

    /// The page before that of a generation.
    pub(crate) fn page_before(&self, generation: u32) -> u16 {
        // Once round the ring, because the first generation has a page before it too.
        let round = self.geometry.log_pages();
        self.geometry
            .page_of(self.before(generation.saturating_add(round)))
    }

    /// The generations from one to another, both of them included.
    pub(crate) fn generations(self, from: u32, to: u32) -> impl Iterator<Item = u32> {
        (from..=to).filter(move |&generation| self.has(generation))
    }

    /// The generation from `tail` to `head` whose page this is.
    pub(crate) fn generation_of(&self, page: u16, tail: u32, head: u32) -> Option<u32> {
        let ring = u32::from(page.checked_sub(LOG_START)?);
        let pages = self.geometry.log_pages();
        let behind = (head.saturating_sub(1).checked_rem(pages)? + pages - ring).checked_rem(pages)?;
        head.checked_sub(behind)
            .filter(|&generation| generation >= tail && generation > 0 && self.has(generation))
    }

    /// Generations from `tail` to `head`, which are less than one turn apart, that do not occur.
    pub(crate) fn missing(&self, tail: u32, head: u32) -> u32 {
        let all = Self::new(self.geometry, [0; MOST_LEFT_OUT]);
        let missing = self
            .left_out()
            .filter(|&page| all.generation_of(page, tail, head).is_some());
        u32::try_from(missing.count()).unwrap_or(u32::MAX)
    }

    /// Pages that a log from `tail` to `head`, which are less than one turn apart, may still take.
    pub(crate) fn free(&self, tail: u32, head: u32) -> u32 {
        let span = head.saturating_sub(tail).saturating_add(1);
        self.kept()
            .saturating_sub(span.saturating_sub(self.missing(tail, head)))
    }

    /// Whether values of so many bytes, the largest of them `largest`, always find room again in these pages.
    pub(crate) fn holds(&self, bytes: u32, items: u32, largest: u32) -> bool {
        let (unit, usable) = (self.geometry.unit, self.geometry.usable());
        let pages = self.kept().saturating_sub(self.spare());
        // Either by bytes, if each page may lose almost a largest record at its end, or by the number of records a page holds.
        let by_bytes = pages.saturating_mul(usable.saturating_sub(largest.saturating_sub(unit)));
        let by_items = pages.saturating_mul(usable / largest.max(1));
        bytes <= by_bytes || items <= by_items
    }

    /// Pages that are left out.
    pub(crate) fn number_left_out(&self) -> u32 {
        u32::try_from(self.left_out().count()).unwrap_or(u32::MAX)
    }

    /// Pages that are not.
    pub(crate) fn kept(&self) -> u32 {
        self.geometry.log_pages().saturating_sub(self.number_left_out())
    }

    /// Erased pages that values leave to collection.
    pub(crate) fn spare(&self) -> u32 {
        if self.kept() >= 4 { 2 } else { 1 }
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
        let ring = Ring::new(geometry.expect("a geometry"), [0; MOST_LEFT_OUT]);
        left_out
            .iter()
            .fold(ring, |ring, &page| ring.without(page).expect("room"))
    }

    #[test]
    fn every_choice_of_retired_pages_leaves_a_ring_that_goes_round_the_others_in_order() {
        let mut choices = 0;
        for chosen in 0u16..256 {
            let left_out: Vec<u16> = (2..10)
                .rev()
                .filter(|page| chosen >> (page - 2) & 1 == 1)
                .collect();
            if left_out.len() > MOST_LEFT_OUT {
                continue;
            }
            choices += 1;
            let ring = ring(&left_out);
            assert!(ring.is_sound());
            let kept: Vec<u16> = (2..10).filter(|page| !left_out.contains(page)).collect();
            assert_eq!(ring.kept() as usize, kept.len());
            let (mut generation, mut before) = (ring.after(0), 0);
            for turn in 0..3 {
                for (at, &page) in kept.iter().enumerate() {
                    assert_eq!(
                        ring.geometry.page_of(generation),
                        page,
                        "{left_out:?}, turn {turn}"
                    );
                    assert_eq!(ring.before(generation), before);
                    let page_before = kept[(at + kept.len() - 1) % kept.len()];
                    assert_eq!(ring.page_before(generation), page_before, "{left_out:?}");
                    (before, generation) = (generation, ring.after(generation));
                }
            }
        }
        assert_eq!(choices, 1 + 8 + 28 + 56 + 70);
    }

    #[test]
    fn a_retired_page_is_free_neither_within_the_log_nor_beside_it() {
        let ring = ring(&[4, 7]);
        // Generations 1 to 5 stand on pages 2 to 6.
        assert_eq!(ring.free(1, 5), 2);
        assert_eq!(ring.free(1, 1), 5);
        assert_eq!(ring.generations(1, 8).collect::<Vec<_>>(), [1, 2, 4, 5, 7, 8]);
        assert_eq!(ring.generation_of(4, 1, 5), None);
        assert_eq!(ring.generation_of(5, 1, 5), Some(4));
    }

    #[test]
    fn no_more_pages_are_retired_than_the_list_takes_and_two_stay() {
        let ring = ring(&[2, 3, 4, 5]);
        assert!(ring.without(6).is_none());
        let small = Ring {
            geometry: Geometry {
                pages: 5,
                ..ring.geometry
            },
            left_out: [0; MOST_LEFT_OUT],
        };
        assert!(small.without(3).is_some_and(|ring| ring.without(4).is_none()));
    }

    #[test]
    fn a_list_that_no_store_writes_is_not_sound() {
        let geometry = ring(&[]).geometry;
        for list in [
            [1, 0, 0, 0],
            [10, 0, 0, 0],
            [3, 3, 0, 0],
            [4, 3, 0, 0],
            [0, 3, 0, 0],
        ] {
            assert!(!Ring::new(geometry, list).is_sound(), "{list:?}");
        }
    }
}
