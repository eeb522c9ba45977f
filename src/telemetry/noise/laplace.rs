//! Discrete Laplace noise on a bounded range.
//!
//! ```text
//!  laplace   (this file)
//!  epsilon · draw
//!  ratio
//! ```
//!
//! The noise is two-sided geometric, cut at the width of the range with the whole tail in the last step, and the sum is brought back
//! into the range. Both together are the truncated geometric mechanism, since from no value does a step as wide as the range, or wider,
//! lead anywhere but to an end. So one table serves all values:
//!
//! ```text
//!  noise     0            ±1           ±2          …    ±SPAN           α = exp(-epsilon / SPAN)
//!  ideal     (1-α)/(1+α)  each α times the one before   α^SPAN/(1+α)
//! ```
//!
//! An output inside the range comes of one noise; at an end it comes of all noise that leads there or beyond. That output has at least one
//! draw under every value is what keeps the ratio bounded at the ends: from one end to the other, it is the draws of noise 0 and above over
//! those of the last step, α^-SPAN in the ideal and a ratio of two integers as implemented.

use rand_core::TryCryptoRng;

use super::Mechanism;
use super::draw::{self, WAYS};
use super::epsilon::{BinaryLog, MicroEpsilon, wanted};
use super::ratio::{ParameterError, Ratio, at_compile_time};

/// A reading from `lowest` to `lowest + SPAN`, with discrete Laplace noise, within the same range.
///
/// `SPAN` is from 1 to 1024; for wider ranges round the reading to a step first. The table takes `8 * SPAN` bytes, of flash if it is a
/// constant or static, and is read whole for every answer. Readings outside the range count as its ends.
///
/// ```
/// use bydesign::telemetry::noise::{DiscreteLaplace, Mechanism};
///
/// // Door openings an hour, 0 to 20; epsilon 2 for any two readings of the range.
/// static OPENINGS: DiscreteLaplace<20> = DiscreteLaplace::with_epsilon::<0, 2, 1>();
///
/// let sent: i32 = OPENINGS.randomise(3, &mut getrandom::SysRng)?;
/// assert!((0..=20).contains(&sent));
/// assert_eq!(OPENINGS.epsilon().micros(), 2_000_000);
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// # Security
///
/// As [`Response`](super::Response), for any two readings of the range, not just for two that are one apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscreteLaplace<const SPAN: usize> {
    lowest: i32,
    /// α, in units of 2⁻⁶³.
    alpha: u64,
    /// Ways to a noise whose size is at most the index.
    up_to: [u64; SPAN],
    epsilon: MicroEpsilon,
}

/// The slowest decay that is taken: slower than that of the smallest epsilon over the widest range, where 1 - α is above 2⁻³⁰, and fast
/// enough that noise 0 keeps draws.
pub(crate) const MOST_ALPHA: u64 = WAYS - (1 << 32);

#[allow(clippy::indexing_slicing)] // by loops that end with the table, and at compile time
impl<const SPAN: usize> DiscreteLaplace<SPAN> {
    /// Readings from `LOWEST` on, at most `NUMERATOR / DENOMINATOR` of epsilon, worked out by the compiler.
    #[must_use]
    pub const fn with_epsilon<const LOWEST: i32, const NUMERATOR: u32, const DENOMINATOR: u32>() -> Self {
        const {
            match Ratio::new(NUMERATOR, DENOMINATOR) {
                Ok(epsilon) => at_compile_time(Self::new(LOWEST, epsilon)),
                Err(error) => at_compile_time(Err(error)),
            }
        }
    }

    /// Readings from `lowest` on, at most so much epsilon, rounded down to a micro-unit.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Epsilon`], also if it is too little for so wide a range; [`ParameterError::Range`].
    pub const fn new(lowest: i32, epsilon: Ratio) -> Result<Self, ParameterError> {
        if let Err(error) = Self::check(lowest) {
            return Err(error);
        }
        let wanted = match wanted(epsilon) {
            Ok(wanted) => wanted,
            Err(error) => return Err(error),
        };
        // The smallest α that keeps within it, with the table's roundings left out of account.
        let (mut small, mut enough) = (0, WAYS - 1);
        while enough - small > 1 {
            let middle = small + (enough - small) / 2;
            let loss = BinaryLog::of(WAYS, middle).times(Self::STEPS).micros();
            if loss.micros() <= wanted.micros() {
                enough = middle;
            } else {
                small = middle;
            }
        }
        // The roundings may cost a little more than that: then a slower decay.
        let mut retry = 0;
        while retry < 32 {
            match Self::from_alpha(lowest, enough) {
                Ok(made) if made.epsilon.micros() <= wanted.micros() => return Ok(made),
                _ => {}
            }
            enough = match enough.checked_add(1 << (retry * 2 % 62)) {
                Some(next) if next < WAYS => next,
                _ => return Err(ParameterError::Epsilon),
            };
            retry += 1;
        }
        Err(ParameterError::Epsilon)
    }

    //= compliance/requirements.md#tele-31
    //# A randomised treatment MUST be able to give every output under every value.
    /// The table of a given decay, `alpha` in units of 2⁻⁶³: what a collector makes again of the parameters in its sums.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Range`]; [`ParameterError::Probability`] if a noise would be left without a draw.
    pub const fn from_alpha(lowest: i32, alpha: u64) -> Result<Self, ParameterError> {
        if let Err(error) = Self::check(lowest) {
            return Err(error);
        }
        if alpha == 0 || alpha > MOST_ALPHA {
            return Err(ParameterError::Probability);
        }
        let one = WAYS as u128;
        let sum = one + alpha as u128;
        // Of 2⁶³ ways to a size, size 1 has 2 · (1-α)/(1+α) · α, and the last 2 · α^SPAN/(1+α).
        let scale = ((one << 64) - ((alpha as u128) << 64)) / sum;
        let mut ways = [0_u64; SPAN]; // of the sizes from 1 on
        let mut power = one;
        let mut total = 0_u64;
        let mut size = 1;
        while size <= SPAN {
            // Up, so that the decay is never faster than α says.
            power = (power * alpha as u128).div_ceil(one);
            let share = if size == SPAN {
                (power << 64).div_ceil(sum)
            } else {
                (scale * power).div_ceil(one)
            };
            #[allow(clippy::cast_possible_truncation)] // at most 2⁶³ each
            {
                ways[size - 1] = share as u64;
            }
            total = match total.checked_add(ways[size - 1]) {
                Some(total) if total < WAYS => total,
                _ => return Err(ParameterError::Probability),
            };
            size += 1;
        }
        let mut up_to = [0; SPAN];
        let mut so_far = WAYS - total;
        let mut size = 0;
        while size < SPAN {
            up_to[size] = so_far;
            so_far += ways[size];
            size += 1;
        }
        let made = Self {
            lowest,
            alpha,
            up_to,
            epsilon: MicroEpsilon::ZERO,
        };
        Ok(Self {
            epsilon: made.spent(),
            ..made
        })
    }

    #[allow(clippy::cast_possible_truncation)] // checked
    const STEPS: u32 = SPAN as u32;

    #[allow(clippy::cast_possible_wrap)] // at most 1024
    const fn check(lowest: i32) -> Result<(), ParameterError> {
        if SPAN < 1 || SPAN > 1024 || lowest.checked_add(Self::STEPS as i32).is_none() {
            return Err(ParameterError::Range);
        }
        Ok(())
    }

    /// Of the 2⁶⁴ draws, those with exactly this noise. The sign doubles what a size has; size 0 has both signs.
    const fn draws_with(&self, size: usize) -> u64 {
        if size == 0 {
            2 * self.up_to[0]
        } else if size == SPAN {
            WAYS - self.up_to[SPAN - 1]
        } else {
            self.up_to[size] - self.up_to[size - 1]
        }
    }

    /// Of the 2⁶⁴ draws, those with this noise or more, on one side.
    const fn draws_from(&self, size: usize) -> u64 {
        if size == 0 {
            WAYS + self.up_to[0]
        } else {
            WAYS - self.up_to[size - 1]
        }
    }

    /// Over all outputs. An end is likeliest from itself and least from the other end. An output inside comes of the noise between
    /// it and the value: the most that any such noise has, over the least.
    const fn spent(&self) -> MicroEpsilon {
        let at_an_end = BinaryLog::of(self.draws_from(0), self.draws_from(SPAN));
        let (mut most, mut least) = (0, u64::MAX);
        let mut size = 0;
        while size < SPAN {
            let draws = self.draws_with(size);
            if draws > most {
                most = draws;
            }
            if draws < least {
                least = draws;
            }
            size += 1;
        }
        at_an_end.or(BinaryLog::of(most, least)).micros()
    }

    /// What an answer costs, whatever the two readings.
    #[must_use]
    pub const fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    /// The lowest reading.
    #[must_use]
    pub const fn lowest(&self) -> i32 {
        self.lowest
    }

    /// The decay from one size of noise to the next, in units of 2⁻⁶³.
    #[must_use]
    pub const fn alpha(&self) -> u64 {
        self.alpha
    }

    /// How many of the 2⁶⁴ draws lead from `value` to `output`; both count as the end if they are beyond it.
    #[must_use]
    pub const fn draws(&self, value: i32, output: i32) -> u64 {
        let (value, output) = (self.above(value), self.above(output));
        let size = value.abs_diff(output);
        if output == 0 || output == SPAN {
            // At an end all that leads there or beyond; the value itself at the same end counts with noise 0.
            self.draws_from(size)
        } else {
            self.draws_with(size)
        }
    }

    /// Not for a device: it branches.
    #[allow(clippy::cast_possible_truncation)] // at most 1024
    const fn above(&self, value: i32) -> usize {
        if value <= self.lowest {
            0
        } else if value.abs_diff(self.lowest) >= Self::STEPS {
            SPAN
        } else {
            value.abs_diff(self.lowest) as usize
        }
    }
}

impl<const SPAN: usize> Mechanism for DiscreteLaplace<SPAN> {
    type Value = i32;
    type Output = i32;
    const RANDOM_BYTES: usize = draw::BYTES;

    fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // the lowest bit; a range that fits 32 bits
    fn randomise<R: TryCryptoRng + ?Sized>(&self, value: i32, random: &mut R) -> Result<i32, R::Error> {
        let draw = draw::draw(random)?;
        let way = draw::way(draw);
        let above = draw::clamp(value, self.lowest, Self::STEPS);
        let mut size = 0_u32;
        for up_to in &self.up_to {
            size = size.wrapping_add(1 ^ draw::is_below(way, *up_to));
        }
        // The bit that is not compared is the sign.
        let sign = draw::mask(draw as u32 & 1);
        let noise = (size ^ sign).wrapping_sub(sign);
        let output = draw::clamp(above.wrapping_add(noise) as i32, 0, Self::STEPS);
        Ok(self.lowest.wrapping_add(output as i32))
    }
}
