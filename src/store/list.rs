//! The text of an Index record: live records, grouped by the page that they stand on.
//!
//! ```text
//!  checkpoint · resume
//!  list     (this file)   no I/O, no keys: bytes in, numbers out
//!  format · geometry
//! ```

use super::format::{self, NAME_HASH_BITS};
use super::geometry::Geometry;

/// Bytes that begin a group: page (2), number of entries (2), check (4).
pub(crate) const GROUP_LEN: usize = 8;

/// Where a record stands in its page, and the fingerprint of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Bytes from the start of the page.
    pub(crate) offset: u32,
    pub(crate) hash: u32,
}

/// The records of one page that a list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) page: u16,
    pub(crate) number: u16,
    pub(crate) check: u32,
}

impl Group {
    pub(crate) fn write(self, text: &mut [u8], at: usize) {
        format::place(text, at, &self.page.to_le_bytes());
        format::place(text, at + 2, &self.number.to_le_bytes());
        format::place(text, at + 4, &self.check.to_le_bytes());
    }

    /// `None` where no group begins.
    pub(crate) fn read(text: &[u8], at: usize) -> Option<Self> {
        let text = text.get(at..)?.get(..GROUP_LEN)?;
        let half = |at: usize| text.get(at..)?.first_chunk().copied().map(u16::from_le_bytes);
        Some(Self {
            page: half(0)?,
            number: half(2)?,
            check: format::number(text, 4),
        })
    }
}

impl Listed {
    /// Bytes that an entry takes: four, where what the fingerprint leaves of them says every place in a page.
    pub(crate) fn len(geometry: Geometry) -> usize {
        if geometry.page / 4 <= 1 << (u32::BITS - NAME_HASH_BITS) {
            4
        } else {
            8
        }
    }

    pub(crate) fn write(self, geometry: Geometry, text: &mut [u8], at: usize) {
        let number = u64::from(self.hash) | u64::from(self.offset / 4) << NAME_HASH_BITS;
        let bytes = number.to_le_bytes();
        format::place(text, at, bytes.get(..Self::len(geometry)).unwrap_or_default());
    }

    /// `None` where the text ends.
    pub(crate) fn read(geometry: Geometry, text: &[u8], at: usize) -> Option<Self> {
        let bytes = text.get(at..)?.get(..Self::len(geometry))?;
        let mut number = [0; 8];
        format::place(&mut number, 0, bytes);
        let number = u64::from_le_bytes(number);
        Some(Self {
            offset: u32::try_from(number >> NAME_HASH_BITS).ok()?.checked_mul(4)?,
            hash: u32::try_from(number & ((1 << NAME_HASH_BITS) - 1)).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_groups_survive_their_bytes_at_their_limits_in_small_and_large_pages() {
        for (page, len, last) in [
            (1024, 4, 1020),
            (8192, 4, 8188),
            (16_384, 8, 16_380),
            (262_144, 8, 262_140),
        ] {
            let geometry = Geometry {
                unit: 4,
                page,
                pages: 4,
            };
            assert_eq!(Listed::len(geometry), len, "page {page}");
            let mut text = [0; 24];
            for (offset, hash) in [(0, 0), (last, (1 << NAME_HASH_BITS) - 1), (112, 0x12_3456)] {
                let entry = Listed { offset, hash };
                entry.write(geometry, &mut text, GROUP_LEN);
                assert_eq!(Listed::read(geometry, &text, GROUP_LEN), Some(entry));
            }
            let group = Group {
                page: u16::MAX,
                number: 2,
                check: 0x8765_4321,
            };
            group.write(&mut text, 0);
            assert_eq!(Group::read(&text, 0), Some(group));
            assert_eq!(Listed::read(geometry, &text, 25 - len), None, "the text ends");
        }
    }
}
