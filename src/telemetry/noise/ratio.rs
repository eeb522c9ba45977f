//! Exact rationals, in which parameters are given, and why a parameter is refused.
//!
//! ```text
//!  response · unary · mean · laplace · sampling · jitter
//!  epsilon · draw
//!  ratio   (this file)
//! ```

/// A positive rational: numerator over denominator, as written.
///
/// ```
/// use bydesign::telemetry::noise::{ParameterError, Ratio};
///
/// assert!(Ratio::new(3, 2).is_ok());
/// assert_eq!(Ratio::new(3, 0), Err(ParameterError::ZeroDenominator));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    numerator: u32,
    denominator: u32,
}

impl Ratio {
    /// `numerator` over `denominator`.
    ///
    /// # Errors
    ///
    /// [`ParameterError::ZeroDenominator`].
    pub const fn new(numerator: u32, denominator: u32) -> Result<Self, ParameterError> {
        if denominator == 0 {
            return Err(ParameterError::ZeroDenominator);
        }
        Ok(Self {
            numerator,
            denominator,
        })
    }

    /// Millionths, rounded down.
    pub(super) const fn millionths(self) -> u64 {
        self.numerator as u64 * 1_000_000 / self.denominator as u64
    }

    /// This part of a whole, rounded down.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Probability`] if it is more than the whole.
    pub(super) const fn of(self, whole: u64) -> Result<u64, ParameterError> {
        if self.numerator > self.denominator {
            return Err(ParameterError::Probability);
        }
        let part = self.numerator as u128 * whole as u128 / self.denominator as u128;
        #[allow(clippy::cast_possible_truncation)] // a part of a u64
        Ok(part as u64)
    }
}

/// Why a parameter is refused. Never caused by a reading or a random source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A rational with the denominator zero.
    #[error("the denominator is zero")]
    ZeroDenominator,
    /// Less than a millionth, or more than [`MAX_EPSILON`](super::MAX_EPSILON).
    #[error("epsilon is at least a millionth and at most 16")]
    Epsilon,
    /// A probability that is not below one, or that leaves an output without a draw.
    #[error("the probability leaves an output without a draw")]
    Probability,
    /// Fewer than two categories, or more than the treatment takes.
    #[error("the number of categories is outside what the treatment takes")]
    Categories,
    /// The lowest value is not below the highest, the range does not fit 32 bits, or it is too wide for this epsilon.
    #[error("the range is empty or too wide")]
    Range,
}

impl ParameterError {
    /// The sentence that a refused constant shows.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::ZeroDenominator => "the denominator is zero",
            Self::Epsilon => "epsilon is at least a millionth and at most 16",
            Self::Probability => "the probability leaves an output without a draw",
            Self::Categories => "the number of categories is outside what the treatment takes",
            Self::Range => "the range is empty or too wide",
        }
    }
}

/// What the result holds; a compile error if it holds none. Only for constants: on a device it is never called.
pub(super) const fn at_compile_time<T: Copy>(result: Result<T, ParameterError>) -> T {
    match result {
        Ok(value) => value,
        #[allow(clippy::panic)] // in a constant: a compile error
        Err(error) => panic!("{}", error.sentence()),
    }
}
