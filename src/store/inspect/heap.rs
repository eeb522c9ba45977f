//! Memory for images of any size.
//!
//! ```text
//!  opened
//!  heap     (this file)
//!  page · memory
//! ```

use std::vec::Vec;

use zeroize::Zeroize;

use super::Layout;
use super::page::{self, Sealed, What};
use crate::store::memory::{ClassSlot, Entry, Index, Parts, Slots};

/// Memory for an image of any size.
pub(super) struct Heap {
    entries: Vec<Entry>,
    used: usize,
    slots: Vec<ClassSlot>,
    slot_count: usize,
    buffer: Vec<u8>,
    /// As many items as fit the image.
    most: usize,
}

impl Heap {
    /// Room for the records that are seen without a key, which is enough for most images.
    pub(super) fn for_image(image: &[u8], layout: Layout) -> Self {
        let pages = page::pages(image, layout, &mut Sealed::default());
        let is_value = |what| matches!(what, What::Record { kind, .. } if kind.is_value());
        let seen = pages
            .iter()
            .flat_map(|page| &page.pieces)
            .filter(|piece| is_value(piece.what));
        Self {
            entries: std::vec![Entry::EMPTY; seen.count().saturating_add(SLACK)],
            used: 0,
            slots: (0..CLASSES).map(|_| ClassSlot::free()).collect(),
            slot_count: 0,
            buffer: std::vec![0; LONGEST_RECORD],
            most: image.len() / SHORTEST_RECORD + SLACK,
        }
    }

    /// Room for any number of items; `false` if there is already.
    pub(super) fn grow(&mut self) -> bool {
        let can = self.entries.len() < self.most;
        self.entries
            .resize(self.entries.len().max(self.most), Entry::EMPTY);
        can
    }

    pub(super) fn parts(&mut self) -> Parts<'_> {
        Parts {
            index: Index::over(&mut self.entries, &mut self.used),
            slots: Slots {
                all: &mut self.slots,
                count: &mut self.slot_count,
            },
            buffer: &mut self.buffer,
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // The bytes, not the Vec: with another feature of the crate that would empty it.
        self.buffer.as_mut_slice().zeroize();
    }
}

/// Class slots that the format has.
const CLASSES: usize = 62;
/// Eleven bits of 4-byte steps, with what stands around the ciphertext, rounded up to the longest word.
const LONGEST_RECORD: usize = 8192 + 64;
const SHORTEST_RECORD: usize = 32;
/// For records that are written and not seen, because they are torn.
const SLACK: usize = 64;
