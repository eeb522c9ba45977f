//! Moments of the flash at which a board is turned off by itself, as `firmware/src/board/moments.rs` numbers them.
//!
//! ```text
//!  firmware
//!    moment   (this file)
//! ```

use std::ops::Range;

/// A kind of moment.
pub(super) struct Moment {
    pub(super) number: u32,
    pub(super) name: &'static str,
    /// Chosen among so many of a boot: a later one seldom comes before the boot takes too long.
    pub(super) among: u64,
    /// The half of the unit that the host blanks, because the emulated chip erases at once.
    pub(super) erased: Option<Half>,
}

/// Which half of a unit an erase has come to when power goes.
#[derive(Clone, Copy)]
pub(super) enum Half {
    First,
    Second,
}

const fn moment(number: u32, name: &'static str, among: u64, erased: Option<Half>) -> Moment {
    Moment {
        number,
        name,
        among,
        erased,
    }
}

pub(super) const MOMENTS: [Moment; 6] = [
    moment(1, "page just begun", 4, None),
    moment(2, "amid a program", 30, None),
    moment(3, "marked, not erased", 2, None),
    moment(4, "first half erased", 2, Some(Half::First)),
    moment(4, "second half erased", 2, Some(Half::Second)),
    moment(5, "erased, not marked", 2, None),
];

impl Half {
    /// Its bytes of a unit that begins at `start` and has `size` bytes.
    pub(super) fn of(self, start: usize, size: usize) -> Range<usize> {
        let middle = start + size / 2;
        match self {
            Self::First => start..middle,
            Self::Second => middle..start + size,
        }
    }
}
