//! Unary encoding: a bit for each of `K` categories, each flipped or not.
//!
//! ```text
//!  unary   (this file)
//!  epsilon · draw
//!  ratio
//! ```

use rand_core::TryCryptoRng;

use super::Mechanism;
use super::draw::{self, WAYS};
use super::epsilon::{BinaryLog, MicroEpsilon, wanted};
use super::ratio::{ParameterError, Ratio, at_compile_time};

/// One of `K` categories as `K` bits, bit `i` for category `i`: the true one is set with one probability, each other one with a lower one.
///
/// `K` is from 2 to 64. [`Unary::new`] is the optimised encoding: the true bit is a fair coin and the others are rarely set, which has
/// the least variance for categories that are rare. It does not get worse with the number of categories, as [`Response`](super::Response) does.
///
/// ```
/// use bydesign::telemetry::noise::{Mechanism, Unary};
///
/// const PROGRAMME: Unary<24> = Unary::with_epsilon::<2, 1>();
///
/// let bits: u64 = PROGRAMME.randomise(7, &mut getrandom::SysRng)?;
/// assert!(bits < 1 << 24);
/// assert_eq!(PROGRAMME.epsilon().micros(), 2_000_000); // for all the bits together
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// # Security
///
/// As [`Response`](super::Response). Two values differ in two bits, and epsilon covers both: it is the price of the whole vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unary<const K: usize> {
    /// Ways in which the bit of the true category is set.
    kept: u64,
    /// Ways in which the bit of another category is set.
    raised: u64,
    epsilon: MicroEpsilon,
}

impl<const K: usize> Unary<K> {
    /// Optimised, at most `NUMERATOR / DENOMINATOR` of epsilon, worked out by the compiler.
    #[must_use]
    pub const fn with_epsilon<const NUMERATOR: u32, const DENOMINATOR: u32>() -> Self {
        const {
            match Ratio::new(NUMERATOR, DENOMINATOR) {
                Ok(epsilon) => at_compile_time(Self::new(epsilon)),
                Err(error) => at_compile_time(Err(error)),
            }
        }
    }

    /// Optimised: the true bit is a fair coin, the others are set as rarely as at most so much epsilon allows, rounded down to a micro-unit.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Epsilon`], [`ParameterError::Categories`].
    pub const fn new(epsilon: Ratio) -> Result<Self, ParameterError> {
        Self::search(epsilon, true)
    }

    /// Symmetric, as in basic RAPPOR: every bit is flipped with the same probability.
    ///
    /// # Errors
    ///
    /// As [`Unary::new`].
    pub const fn symmetric(epsilon: Ratio) -> Result<Self, ParameterError> {
        Self::search(epsilon, false)
    }

    const fn search(epsilon: Ratio, is_optimised: bool) -> Result<Self, ParameterError> {
        if K < 2 || K > 64 {
            return Err(ParameterError::Categories);
        }
        let wanted = match wanted(epsilon) {
            Ok(wanted) => wanted,
            Err(error) => return Err(error),
        };
        let (mut few, mut enough) = (0, WAYS / 2);
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            if Self::spent(Self::kept(middle, is_optimised), middle).micros() <= wanted.micros() {
                enough = middle;
            } else {
                few = middle;
            }
        }
        let kept = Self::kept(enough, is_optimised);
        Ok(Self {
            kept,
            raised: enough,
            epsilon: Self::spent(kept, enough),
        })
    }

    const fn kept(raised: u64, is_optimised: bool) -> u64 {
        if is_optimised { WAYS / 2 } else { WAYS - raised }
    }

    /// The vector that tells two values apart best has the one's bit set and the other's not. What is left of the two ratios when
    /// the other bits, which are alike, are divided out: set if true over set if not, times not set if not over not set if true.
    const fn spent(kept: u64, raised: u64) -> MicroEpsilon {
        BinaryLog::of(kept, raised)
            .plus(BinaryLog::of(WAYS - raised, WAYS - kept))
            .micros()
    }

    /// What the whole vector costs.
    #[must_use]
    pub const fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    /// How many of the 2⁶⁴ draws for one bit set it, if it is the true category's and if it is not. Each bit has a draw of its own.
    #[must_use]
    pub const fn draws(&self, is_true: bool) -> u64 {
        2 * if is_true { self.kept } else { self.raised }
    }
}

impl<const K: usize> Mechanism for Unary<K> {
    type Value = u8;
    type Output = u64;
    const RANDOM_BYTES: usize = K * draw::BYTES;

    fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    #[allow(clippy::cast_possible_truncation)] // at most 64
    fn randomise<R: TryCryptoRng + ?Sized>(&self, value: u8, random: &mut R) -> Result<u64, R::Error> {
        let value = draw::clamp(i32::from(value), 0, K as u32 - 1);
        let mut bits = 0_u64;
        for category in 0..K as u32 {
            let way = draw::way(draw::draw(random)?);
            let (kept, raised) = (draw::is_below(way, self.kept), draw::is_below(way, self.raised));
            // Equal if neither is below the other.
            let is_other = draw::is_below(u64::from(value ^ category), 1) ^ 1;
            let bit = kept ^ ((kept ^ raised) & draw::mask(is_other));
            bits |= u64::from(bit) << category;
        }
        Ok(bits)
    }
}
