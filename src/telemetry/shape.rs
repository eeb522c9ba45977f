//! The shape of what a treatment makes: what the encoder may write, what the decoder takes, and how long it can be.
//!
//! ```text
//!  schema · encode · decode
//!  shape     (this file)
//! ```

/// What stands in a report for a field, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// Never anything.
    Nothing,
    /// `true` or `false`.
    Truth,
    /// Steps above `low`, from 0 to `last`: the value is `low + step × number`.
    Steps {
        /// The value of step 0.
        low: i64,
        /// From one step to the next.
        step: u64,
        /// The highest number.
        last: u64,
    },
    /// Which of so many choices, from 0 on.
    Choice {
        /// How many there are.
        count: u32,
    },
    /// A bit for each of so many choices, the first the lowest.
    Bits {
        /// How many there are, at most 64.
        count: u8,
    },
    /// Two numbers of steps.
    Pair {
        /// The value of step 0.
        low: i64,
        /// From one step to the next.
        step: u64,
        /// The highest number.
        last: u64,
    },
    /// So many numbers of steps above 0.
    Counts {
        /// How many buckets, at most 32.
        buckets: u8,
        /// From one step to the next.
        step: u64,
        /// The highest number.
        last: u64,
    },
    /// A geohash of so many letters.
    Letters {
        /// How many, at most 12.
        count: u8,
    },
    /// So many bytes.
    Bytes {
        /// How many.
        count: u8,
    },
}

impl Shape {
    /// The most bytes that it is encoded in.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Truth => 1,
            Self::Steps { last, .. } => head_len(last),
            Self::Choice { count } => head_len(count as u64),
            Self::Bits { count } => head_len(lowest_bits(count)),
            Self::Pair { last, .. } => 1 + 2 * head_len(last),
            Self::Counts { buckets, last, .. } => {
                head_len(buckets as u64) + buckets as usize * head_len(last)
            }
            Self::Letters { count } | Self::Bytes { count } => head_len(count as u64) + count as usize,
        }
    }
}

/// The number whose `count` lowest bits are set.
pub(crate) const fn lowest_bits(count: u8) -> u64 {
    match 1u64.checked_shl(count as u32) {
        Some(end) => end.wrapping_sub(1),
        None => u64::MAX,
    }
}

/// Bytes of the head of a CBOR item with this argument, in the shortest form (RFC 8949, 4.2.1).
pub(crate) const fn head_len(argument: u64) -> usize {
    match argument {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
