//! How fast the collection has to go so that room never runs out and no put pays for many.
//!
//! ```text
//!  collect · log
//!  pace     (this file)   numbers only
//! ```

/// How many bytes are to be copied out of the tail while so many bytes of new records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) copies: u32,
    pub(crate) puts: u32,
}

impl Pace {
    pub(crate) fn is_faster_than(self, other: Self) -> bool {
        u64::from(self.copies) * u64::from(other.puts) > u64::from(other.copies) * u64::from(self.puts)
    }

    /// Bytes to copy for a new record of `size` bytes.
    pub(crate) fn due(self, size: u32) -> u32 {
        let due = u64::from(size) * u64::from(self.copies) / u64::from(self.puts.max(1));
        u32::try_from(due).unwrap_or(u32::MAX)
    }
}
