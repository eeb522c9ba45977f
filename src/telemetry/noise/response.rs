//! Randomised response: one of `K` categories, told truthfully or not.
//!
//! ```text
//!  response   (this file)
//!  epsilon · draw
//!  ratio
//! ```

use rand_core::TryCryptoRng;

use super::Mechanism;
use super::draw::{self, WAYS};
use super::epsilon::{BinaryLog, MicroEpsilon, wanted};
use super::ratio::{ParameterError, Ratio, at_compile_time};

/// Randomised response over `K` categories, `0 .. K`: the true one with a higher probability, each other one with the same lower one.
///
/// `K` is from 2 to 256. Above about 3·e^ε + 2 categories, [`Unary`](super::Unary) estimates better.
///
/// ```
/// use bydesign::telemetry::noise::{Mechanism, Response};
///
/// const HEATING_MODE: Response<4> = Response::with_epsilon::<3, 2>(); // epsilon 1.5, made at compile time
///
/// let sent = HEATING_MODE.randomise(2, &mut getrandom::SysRng)?;
/// assert!(sent < 4);
/// assert_eq!(HEATING_MODE.epsilon().micros(), 1_500_000);
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// Parameters that do not work do not compile:
///
/// ```compile_fail
/// use bydesign::telemetry::noise::Response;
///
/// const NO_PRIVACY: Response<4> = Response::with_epsilon::<17, 1>();
/// ```
///
/// # Security
///
/// Against C: whatever the answer, no value is likelier than another by more than a factor of exp([`epsilon`](Response::epsilon)), beyond
/// what was known before. Each further answer about the same value costs the same again. Assumes a random source nobody can foresee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<const K: usize> {
    /// Ways to each wrong answer. What they leave is the way to the true one.
    other: u64,
    epsilon: MicroEpsilon,
}

impl<const K: usize> Response<K> {
    /// At most `NUMERATOR / DENOMINATOR` of epsilon, worked out by the compiler.
    #[must_use]
    pub const fn with_epsilon<const NUMERATOR: u32, const DENOMINATOR: u32>() -> Self {
        const {
            match Ratio::new(NUMERATOR, DENOMINATOR) {
                Ok(epsilon) => at_compile_time(Self::new(epsilon)),
                Err(error) => at_compile_time(Err(error)),
            }
        }
    }

    /// At most so much epsilon, rounded down to a micro-unit; as true as that allows.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Epsilon`], [`ParameterError::Categories`].
    pub const fn new(epsilon: Ratio) -> Result<Self, ParameterError> {
        if let Err(error) = Self::check() {
            return Err(error);
        }
        let wanted = match wanted(epsilon) {
            Ok(wanted) => wanted,
            Err(error) => return Err(error),
        };
        // The fewest ways to a wrong answer that keep within it: epsilon falls as they become more.
        let (mut few, mut enough) = (0, WAYS / K as u64);
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            if Self::spent(middle).micros() <= wanted.micros() {
                enough = middle;
            } else {
                few = middle;
            }
        }
        Ok(Self::made(enough))
    }

    /// The true category with this probability, each other one with an equal share of the rest.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Probability`] if it is no better than chance, or certain; [`ParameterError::Categories`];
    /// [`ParameterError::Epsilon`] beyond [`MAX_EPSILON`](super::MAX_EPSILON).
    pub const fn truthful(probability: Ratio) -> Result<Self, ParameterError> {
        if let Err(error) = Self::check() {
            return Err(error);
        }
        let truth = match probability.of(WAYS) {
            Ok(truth) => truth,
            Err(error) => return Err(error),
        };
        // Rounded up: rather a little less true.
        let other = (WAYS - truth).div_ceil(K as u64 - 1);
        if other == 0 || other > WAYS / K as u64 {
            return Err(ParameterError::Probability);
        }
        let made = Self::made(other);
        if made.epsilon.micros() > super::MAX_EPSILON.micros() {
            return Err(ParameterError::Epsilon);
        }
        Ok(made)
    }

    const fn check() -> Result<(), ParameterError> {
        if K < 2 || K > 256 {
            return Err(ParameterError::Categories);
        }
        Ok(())
    }

    const fn made(other: u64) -> Self {
        Self {
            other,
            epsilon: Self::spent(other),
        }
    }

    const fn truth(other: u64) -> u64 {
        WAYS - (K as u64 - 1) * other
    }

    //= compliance/requirements.md#tele-30
    //# The epsilon of a randomised treatment MUST be at least the logarithm of the largest ratio between the probabilities with which two values lead to one output, as implemented.
    const fn spent(other: u64) -> MicroEpsilon {
        BinaryLog::of(Self::truth(other), other).micros()
    }

    /// What an answer costs: the logarithm of truth over lie, rounded up.
    #[must_use]
    pub const fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    /// How many of the 2⁶⁴ draws lead from `value` to `output`; both count as the last category if they are beyond it.
    #[must_use]
    pub const fn draws(&self, value: u8, output: u8) -> u64 {
        let last = K as u64 - 1;
        let is_last = value as u64 >= last && output as u64 >= last;
        let ways = if is_last || value == output {
            Self::truth(self.other)
        } else {
            self.other
        };
        2 * ways
    }
}

impl<const K: usize> Mechanism for Response<K> {
    type Value = u8;
    type Output = u8;
    const RANDOM_BYTES: usize = draw::BYTES;

    fn epsilon(&self) -> MicroEpsilon {
        self.epsilon
    }

    //= compliance/requirements.md#tele-33
    //# A randomised treatment MUST run the same instructions and draw the same number of random bytes whatever the value, the draw and the output.
    #[allow(clippy::cast_possible_truncation)] // a category, below 256
    fn randomise<R: TryCryptoRng + ?Sized>(&self, value: u8, random: &mut R) -> Result<u8, R::Error> {
        let way = draw::way(draw::draw(random)?);
        let last = K as u32 - 1;
        let value = draw::clamp(i32::from(value), 0, last);
        // How far from the truth: 0 below the first threshold, one more from each on.
        let mut threshold = Self::truth(self.other);
        let mut from_truth = 0_u32;
        for _ in 0..last {
            from_truth = from_truth.wrapping_add(1 ^ draw::is_below(way, threshold));
            threshold = threshold.wrapping_add(self.other);
        }
        let sum = value.wrapping_add(from_truth);
        // Around, beyond the last.
        let beyond = draw::mask(draw::is_below(u64::from(last), u64::from(sum)));
        Ok(sum.wrapping_sub((K as u32) & beyond) as u8)
    }
}

/// Randomised response to a question of yes or no.
///
/// ```
/// use bydesign::telemetry::noise::{BinaryResponse, Mechanism, Ratio};
///
/// // The classic: a coin decides whether the truth or another coin is told.
/// let classic = BinaryResponse::truthful(Ratio::new(3, 4)?)?;
/// assert_eq!(classic.epsilon().micros(), 1_098_613); // ln 3, rounded up
/// let _sent: bool = classic.randomise(true, &mut getrandom::SysRng)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
///
/// As [`Response`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinaryResponse(Response<2>);

impl BinaryResponse {
    /// At most `NUMERATOR / DENOMINATOR` of epsilon, worked out by the compiler.
    #[must_use]
    pub const fn with_epsilon<const NUMERATOR: u32, const DENOMINATOR: u32>() -> Self {
        Self(Response::with_epsilon::<NUMERATOR, DENOMINATOR>())
    }

    /// At most so much epsilon, as [`Response::new`].
    ///
    /// # Errors
    ///
    /// [`ParameterError::Epsilon`].
    pub const fn new(epsilon: Ratio) -> Result<Self, ParameterError> {
        match Response::new(epsilon) {
            Ok(response) => Ok(Self(response)),
            Err(error) => Err(error),
        }
    }

    /// The truth with this probability.
    ///
    /// # Errors
    ///
    /// As [`Response::truthful`].
    pub const fn truthful(probability: Ratio) -> Result<Self, ParameterError> {
        match Response::truthful(probability) {
            Ok(response) => Ok(Self(response)),
            Err(error) => Err(error),
        }
    }

    /// What an answer costs.
    #[must_use]
    pub const fn epsilon(&self) -> MicroEpsilon {
        self.0.epsilon
    }

    /// How many of the 2⁶⁴ draws lead from `value` to `output`.
    #[must_use]
    pub const fn draws(&self, value: bool, output: bool) -> u64 {
        self.0.draws(value as u8, output as u8)
    }

    /// The same over the categories 0, for no, and 1, for yes.
    #[must_use]
    pub const fn as_response(&self) -> &Response<2> {
        &self.0
    }
}

impl Mechanism for BinaryResponse {
    type Value = bool;
    type Output = bool;
    const RANDOM_BYTES: usize = Response::<2>::RANDOM_BYTES;

    fn epsilon(&self) -> MicroEpsilon {
        self.0.epsilon
    }

    fn randomise<R: TryCryptoRng + ?Sized>(&self, value: bool, random: &mut R) -> Result<bool, R::Error> {
        Ok(self.0.randomise(u8::from(value), random)? == 1)
    }
}
