//! Randomised answers: what leaves the device is the true value with noise that was added on the device, and what that costs is known exactly.
//!
//! ```text
//!  telemetry: declarations, budget, queue          collect (on the host)
//!  noise   (this file)
//!    response · unary · mean · laplace · sampling · jitter
//!    epsilon · draw
//!    ratio
//! ```
//!
//! | | value | output | estimated from it |
//! | --- | --- | --- | --- |
//! | [`BinaryResponse`] | yes or no | yes or no | how many say yes |
//! | [`Response`] | one of `K` categories | one of them | how many are in each |
//! | [`Unary`] | one of up to 64 categories | a bit for each | how many are in each, where there are many |
//! | [`OneBitMean`] | a reading in a range | one bit | the mean |
//! | [`DiscreteLaplace`] | a reading in a range | a reading in the range | the mean, and roughly the single reading |
//! | [`Sampling`] | | whether to report | |
//! | [`Jitter`] | | how long to wait | |
//!
//! All are integers from end to end: no floating point, whose gaps have given readings away, and no loop whose length follows from the noise, which
//! has done the same through timing. Each answer takes a fixed number of random bytes; tables are read whole; nothing branches on value, draw
//! or output. Every output has at least one of the 2⁶⁴ draws under every value, and [`epsilon`](Mechanism::epsilon) is the logarithm of the largest ratio of
//! such numbers of draws, rounded up: pure differential privacy, without a delta, of what is implemented and not of what was meant.
//!
//! ```
//! use bydesign::telemetry::noise::{DiscreteLaplace, Mechanism};
//!
//! static OPENINGS: DiscreteLaplace<20> = DiscreteLaplace::with_epsilon::<0, 2, 1>();
//!
//! // Of 2⁶⁴ draws, so many make 20 of 20, and so many make 20 of 0. Their ratio is what epsilon bounds.
//! let (from_20, from_0) = (OPENINGS.draws(20, 20), OPENINGS.draws(0, 20));
//! assert_eq!(from_20, 9_684_156_715_447_980_617);
//! assert!(from_20 as f64 / from_0 as f64 <= 2_f64.exp());
//! ```
//!
//! # Security
//!
//! Against C, the collector, and whoever reads on the way. Epsilon is that of one answer: of two answers about one reading the sum is spent, which is
//! for the budget to keep. A random source that can be foreseen takes all of it away. Serves CoP 8, EN 303 645 6-8.

mod draw;
mod epsilon;
mod jitter;
mod laplace;
mod mean;
mod ratio;
mod response;
mod sampling;
mod unary;

use rand_core::TryCryptoRng;

pub use epsilon::{MAX_EPSILON, MicroEpsilon};
pub use jitter::Jitter;
pub use laplace::DiscreteLaplace;
#[cfg(feature = "collector")]
pub(crate) use laplace::MOST_ALPHA;
pub use mean::OneBitMean;
pub use ratio::{ParameterError, Ratio};
pub use response::{BinaryResponse, Response};
pub use sampling::Sampling;
pub use unary::Unary;

/// A treatment that randomises a value on the device and knows what that gives away.
///
/// ```
/// use bydesign::telemetry::noise::{BinaryResponse, Mechanism, MicroEpsilon};
///
/// /// Debits before it draws.
/// fn release<M: Mechanism>(treatment: &M, value: M::Value, left: &mut MicroEpsilon) -> Option<M::Output> {
///     let rest = left.micros().checked_sub(treatment.epsilon().micros())?;
///     *left = MicroEpsilon::from_micros(rest);
///     treatment.randomise(value, &mut getrandom::SysRng).ok()
/// }
///
/// let window_open = BinaryResponse::with_epsilon::<1, 1>();
/// let mut left = MicroEpsilon::from_micros(1_500_000);
/// assert!(release(&window_open, true, &mut left).is_some());
/// assert!(release(&window_open, true, &mut left).is_none());
/// ```
pub trait Mechanism {
    /// What is measured.
    type Value;
    /// What is sent.
    type Output;
    /// Random bytes of one answer, always the same.
    const RANDOM_BYTES: usize;

    /// What one answer costs, rounded up.
    fn epsilon(&self) -> MicroEpsilon;

    /// An answer. The caller debits [`epsilon`](Mechanism::epsilon) first.
    ///
    /// # Errors
    ///
    /// Whatever the random source reports. There is no output then.
    ///
    /// # Security
    ///
    /// Draws [`RANDOM_BYTES`](Mechanism::RANDOM_BYTES), and runs the same instructions, whatever value, draw and output are.
    fn randomise<R: TryCryptoRng + ?Sized>(
        &self,
        value: Self::Value,
        random: &mut R,
    ) -> Result<Self::Output, R::Error>;
}
