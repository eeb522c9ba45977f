//! What a guess costs: the parameters of Argon2id, with a preset for each class of device.
//!
//! ```text
//!  verifier
//!  phc
//!  cost     (this file)
//! ```

/// Memory, passes and lanes of Argon2id: what every guess costs whoever has the verifier, and what a login costs the device.
///
/// Take the preset with the most memory that the device can lend for the time of a login:
///
/// | preset | memory | passes | memory traffic (KiB · passes) | for |
/// | --- | --- | --- | --- | --- |
/// | [`Cost::KIB_32`] | 32 KiB | 16 | 512 | 64 KiB of RAM |
/// | [`Cost::KIB_64`] | 64 KiB | 12 | 768 | 128 to 256 KiB of RAM |
/// | [`Cost::KIB_256`] | 256 KiB | 6 | 1,536 | 512 KiB of RAM and more |
/// | [`Cost::MIB_19`] | 19 MiB | 2 | 38,912 | Linux |
///
/// What that is in time, on both sides, is measured in `docs/attempt-limiter.md`. In short: one core of a server tries some 5,800 passwords a
/// second against the smallest preset, and 56 against the largest. No preset saves a weak password from whoever reads the verifier;
/// the store keeps it sealed, and the [limiter](super::limiter) stands before it.
///
/// ```
/// use bydesign::credential::Cost;
///
/// let cost = Cost::new(128, 8).expect("within bounds");
/// assert_eq!((cost.memory_kib(), cost.passes()), (128, 8));
/// assert!(Cost::new(7, 1).is_none(), "Argon2 needs eight blocks");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 32 KiB, for the smallest parts that keep a password at all.
    pub const KIB_32: Self = Self::single(32, 16);
    /// 64 KiB.
    pub const KIB_64: Self = Self::single(64, 12);
    /// 256 KiB.
    pub const KIB_256: Self = Self::single(256, 6);
    /// 19 MiB, the least that OWASP recommends for servers.
    pub const MIB_19: Self = Self::single(19 * 1024, 2);

    const fn single(memory_kib: u32, passes: u32) -> Self {
        Self {
            memory_kib,
            passes,
            lanes: 1,
        }
    }

    /// A cost of one's own, in one lane: memory in KiB, which is as many [`Block`](super::Block)s, and passes over it. `None` out of the bounds: 8 KiB to 4 GiB,
    /// 1 to 255 passes.
    #[must_use]
    pub const fn new(memory_kib: u32, passes: u32) -> Option<Self> {
        Self::with_lanes(memory_kib, passes, 1)
    }

    /// As [`Cost::new`], of a verifier from elsewhere that has several lanes (1 to 16): they are computed one after the other.
    #[must_use]
    pub const fn with_lanes(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        if lanes == 0
            || lanes > MOST_LANES
            || memory_kib < LEAST_MEMORY_OF_A_LANE * lanes
            || memory_kib > MOST_MEMORY
            || passes == 0
            || passes > MOST_PASSES
        {
            return None;
        }
        Some(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Memory in KiB: as many [`Block`](super::Block)s are to be lent.
    #[must_use]
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes: 1, unless the verifier is from elsewhere.
    #[must_use]
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    /// Whether a guess against this costs less than against `other`: in memory, or in memory times passes.
    #[must_use]
    pub const fn is_below(self, other: Self) -> bool {
        self.memory_kib < other.memory_kib || self.traffic() < other.traffic()
    }

    const fn traffic(self) -> u64 {
        self.memory_kib as u64 * self.passes as u64
    }
}

const LEAST_MEMORY_OF_A_LANE: u32 = 8; // RFC 9106, 3.1
const MOST_MEMORY: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 255; // a string from outside does not stop the device for hours
const MOST_LANES: u32 = 16;
