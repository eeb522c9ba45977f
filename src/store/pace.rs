//! How fast the collection has to go so that room never runs out and no put pays for many.
//!
//! ```text
//!  collect · log
//!  pace     (this file)   numbers only
//! ```

/// Slower than one byte in so many, nothing is copied before its page is needed: a page's share is a few records then, and what is
/// left alone longer is superseded more often.
const SLOWEST: u32 = 16;

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

    /// Whether it is fast enough to be kept with each put.
    pub(crate) fn is_kept(self) -> bool {
        let slowest = Self {
            copies: 1,
            puts: SLOWEST,
        };
        self.is_faster_than(slowest)
    }

    /// Whether so little is to be copied that it can wait while there are pages in hand.
    pub(crate) fn is_slow(self) -> bool {
        !self.is_faster_than(Self { copies: 1, puts: 2 })
    }

    /// Bytes to copy for a new record of `size` bytes.
    pub(crate) fn due(self, size: u32) -> u32 {
        if !self.is_kept() {
            return 0;
        }
        // In 32 bits, for which processors have a division: what is beyond a whole number of times is right to a thousandth.
        let puts = self.puts.max(1);
        let whole = size.saturating_mul(self.copies / puts);
        let (mut rest, mut of) = (self.copies % puts, puts);
        while size.checked_mul(rest).is_none() {
            (rest, of) = (rest / 2, of / 2);
        }
        whole.saturating_add(size.saturating_mul(rest) / of.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_pace_is_the_one_that_copies_more_for_the_same_new_bytes() {
        let half = Pace { copies: 1, puts: 2 };
        assert!(Pace { copies: 3, puts: 4 }.is_faster_than(half));
        assert!(!Pace { copies: 2, puts: 4 }.is_faster_than(half), "the same pace");
        assert!(!Pace { copies: 0, puts: 1 }.is_faster_than(half));
        let limits = Pace {
            copies: u32::MAX,
            puts: 1,
        };
        assert!(limits.is_faster_than(half));
    }

    #[test]
    fn what_is_due_follows_the_new_record_and_never_overflows() {
        assert_eq!(Pace { copies: 3, puts: 1 }.due(100), 300);
        assert_eq!(Pace { copies: 1, puts: 3 }.due(100), 33);
        assert_eq!(Pace::default().due(100), 0, "no pace yet");
        assert_eq!(
            Pace {
                copies: 1,
                puts: SLOWEST
            }
            .due(1600),
            0,
            "too slow to be kept"
        );
        assert_eq!(
            Pace {
                copies: 2,
                puts: 2 * SLOWEST - 1
            }
            .due(1600),
            103
        );
        let limits = Pace {
            copies: u32::MAX,
            puts: 1,
        };
        assert_eq!(limits.due(100), u32::MAX);
    }

    #[test]
    fn what_is_due_of_the_largest_pages_is_right_to_a_thousandth() {
        let largest = 1 << 18;
        for (copies, puts) in [
            (largest, 1 << 17),
            (largest, largest - 1),
            (largest - 1, 3 << 15),
            (largest, 1 << 12),
        ] {
            for size in [1, 4_000, 1 << 14, 1 << 16, largest] {
                let exact = u64::from(size) * u64::from(copies) / u64::from(puts);
                let due = u64::from(Pace { copies, puts }.due(size));
                assert!(
                    due.abs_diff(exact) <= 1 + exact / 1000,
                    "{size} at {copies} for {puts}: {due}, not {exact}"
                );
            }
        }
    }
}
