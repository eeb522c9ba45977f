//! The mean of a reading over many devices, from one bit of each.
//!
//! ```text
//!  mean   (this file)
//!  epsilon · draw
//!  ratio
//! ```

use rand_core::TryCryptoRng;

use super::Mechanism;
use super::draw::{self, WAYS};
use super::epsilon::{BinaryLog, MicroEpsilon, wanted};
use super::ratio::{ParameterError, Ratio, at_compile_time};

/// One bit about a reading between `lowest` and `highest`: set with a probability that rises in equal steps with the reading.
///
/// Readings outside the range count as its ends.
///
/// ```
/// use bydesign::telemetry::noise::{Mechanism, OneBitMean};
///
/// // Tenths of a degree, 5.0 to 35.0; epsilon 1.
/// const ROOM: OneBitMean = OneBitMean::with_epsilon::<50, 350, 1, 1>();
///
/// let _sent: bool = ROOM.randomise(214, &mut getrandom::SysRng)?;
/// assert_eq!(ROOM.epsilon().micros(), 1_000_000);
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// # Security
///
/// As [`Response`](super::Response), for any two readings of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneBitMean {
    lowest: i32,
    span: u32,
    /// Ways to a set bit at the lowest reading.
    base: u64,
    /// How many more ways each step above it adds.
    step: u64,
    epsilon: MicroEpsilon,
}

impl OneBitMean {
    /// Readings from `LOWEST` to `HIGHEST`, at most `NUMERATOR / DENOMINATOR` of epsilon, worked out by the compiler.
    #[must_use]
    pub const fn with_epsilon<
        const LOWEST: i32,
        const HIGHEST: i32,
        const NUMERATOR: u32,
        const DENOMINATOR: u32,
    >() -> Self {
        const {
            match Ratio::new(NUMERATOR, DENOMINATOR) {
                Ok(epsilon) => at_compile_time(Self::new(LOWEST, HIGHEST, epsilon)),
                Err(error) => at_compile_time(Err(error)),
            }
        }
    }

    /// Readings from `lowest` to `highest`, at most so much epsilon, rounded down to a micro-unit.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Epsilon`]; [`ParameterError::Range`] if `lowest` is not below `highest`, or so far that one step is less than one draw.
    pub const fn new(lowest: i32, highest: i32, epsilon: Ratio) -> Result<Self, ParameterError> {
        if lowest >= highest {
            return Err(ParameterError::Range);
        }
        let span = highest.abs_diff(lowest);
        let wanted = match wanted(epsilon) {
            Ok(wanted) => wanted,
            Err(error) => return Err(error),
        };
        let (mut few, mut enough) = (0, WAYS / 2);
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            if BinaryLog::of(WAYS - middle, middle).micros().micros() <= wanted.micros() {
                enough = middle;
            } else {
                few = middle;
            }
        }
        let between = WAYS - 2 * enough;
        let step = between / span as u64;
        if step == 0 {
            return Err(ParameterError::Range);
        }
        // What does not divide goes to the two ends, which makes the loss smaller.
        let base = enough + (between % span as u64) / 2;
        let top = base + step * span as u64;
        let set = BinaryLog::of(top, base);
        let not_set = BinaryLog::of(WAYS - base, WAYS - top);
        Ok(Self {
            lowest,
            span,
            base,
            step,
            epsilon: set.or(not_set).micros(),
        })
    }

    /// What the bit costs.
    #[must_use]
    pub const fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    /// The lowest reading.
    #[must_use]
    pub const fn lowest(&self) -> i32 {
        self.lowest
    }

    /// Steps from the lowest reading to the highest.
    #[must_use]
    pub const fn span(&self) -> u32 {
        self.span
    }

    /// How many of the 2⁶⁴ draws set the bit at the lowest reading, and how many more at each step above it.
    #[must_use]
    pub const fn draws(&self) -> (u64, u64) {
        (2 * self.base, 2 * self.step)
    }
}

impl Mechanism for OneBitMean {
    type Value = i32;
    type Output = bool;
    const RANDOM_BYTES: usize = draw::BYTES;

    fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    fn randomise<R: TryCryptoRng + ?Sized>(&self, value: i32, random: &mut R) -> Result<bool, R::Error> {
        let way = draw::way(draw::draw(random)?);
        let above = draw::clamp(value, self.lowest, self.span);
        // Base and step times above, added bit by bit: as many as the range has, which is public.
        let mut threshold = self.base;
        for bit in 0..u32::BITS - self.span.leading_zeros() {
            let mask = draw::mask((above >> bit) & 1);
            let mask = u64::from(mask) | u64::from(mask) << 32;
            threshold = threshold.wrapping_add((self.step << bit) & mask);
        }
        Ok(draw::is_below(way, threshold) == 1)
    }
}
