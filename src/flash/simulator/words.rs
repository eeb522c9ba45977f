//! One bit per word of the simulated part, by the 64.

use std::vec;
use std::vec::Vec;

use core::ops::Range;

/// A set of word numbers below a fixed bound.
#[derive(Clone)]
pub(super) struct WordMap(Vec<u64>);

impl WordMap {
    /// The empty set of numbers below `words`.
    pub(super) fn new(words: usize) -> Self {
        Self(vec![0; words.div_ceil(64)])
    }

    /// Adds all numbers in the range.
    pub(super) fn set(&mut self, words: Range<usize>) {
        for (index, mask) in masks(words) {
            if let Some(bits) = self.0.get_mut(index) {
                *bits |= mask;
            }
        }
    }

    /// Removes all numbers in the range.
    pub(super) fn clear(&mut self, words: Range<usize>) {
        for (index, mask) in masks(words) {
            if let Some(bits) = self.0.get_mut(index) {
                *bits &= !mask;
            }
        }
    }

    /// The lowest number of the set in the range.
    pub(super) fn first(&self, words: Range<usize>) -> Option<usize> {
        masks(words).find_map(|(index, mask)| {
            let found = self.0.get(index)? & mask;
            (found != 0).then(|| index * 64 + found.trailing_zeros() as usize)
        })
    }
}

/// The range as positions in the vector, each with the bits that are in the range.
fn masks(words: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    (words.start / 64..words.end.div_ceil(64)).map(move |index| {
        let low = words.start.saturating_sub(index * 64);
        let high = (words.end - index * 64).min(64);
        (index, (u64::MAX << low) & (u64::MAX >> (64 - high)))
    })
}
