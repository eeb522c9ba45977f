//! Moments of the flash at which a board is turned off by itself, as `firmware/src/board/moments.rs` numbers them.
//!
//! ```text
//!  firmware
//!    moment   (this file)
//! ```

/// A kind of moment.
pub(super) struct Moment {
    pub(super) number: u32,
    pub(super) name: &'static str,
    /// Chosen among so many of a boot: a later one seldom comes before the boot takes too long.
    pub(super) among: u64,
}

pub(super) const MOMENTS: [Moment; 6] = [
    Moment {
        number: 1,
        name: "page just begun",
        among: 4,
    },
    Moment {
        number: 2,
        name: "amid a program",
        among: 30,
    },
    Moment {
        number: 3,
        name: "marked, not erased",
        among: 2,
    },
    Moment {
        number: 4,
        name: "first half erased",
        among: 2,
    },
    Moment {
        number: 5,
        name: "second half erased",
        among: 2,
    },
    Moment {
        number: 6,
        name: "erased, not marked",
        among: 2,
    },
];
