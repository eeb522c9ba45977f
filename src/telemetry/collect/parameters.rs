//! What has to be known of a treatment to make sense of its answers: the implemented numbers of draws, as integers.
//!
//! ```text
//!  release · estimate · cbor
//!  sum
//!  parameters   (this file)
//! ```

use crate::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, MOST_ALPHA, OneBitMean, Response, Sampling, Unary,
};

/// A treatment as its answers are counted: two are equal only if every probability is.
///
/// ```
/// use bydesign::telemetry::collect::Parameters;
/// use bydesign::telemetry::noise::Response;
///
/// let one = Parameters::from(&Response::<4>::with_epsilon::<1, 1>());
/// let other = Parameters::from(&Response::<4>::with_epsilon::<1, 2>());
/// assert_ne!(one, other);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters(pub(super) Kind);

/// The numbers of draws are out of 2⁶⁴.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `other`: draws to each wrong category.
    Response { categories: u16, other: u64 },
    /// Draws that set the bit of the true category, and that of another.
    Unary { categories: u16, kept: u64, raised: u64 },
    /// Draws that set the bit at the lowest reading, and how many more at each step above.
    Mean {
        lowest: i32,
        span: u32,
        base: u64,
        step: u64,
    },
    /// `alpha` in units of 2⁻⁶³.
    Laplace { lowest: i32, span: u16, alpha: u64 },
    /// Draws, of 2⁶³, that lead to a report.
    Sampled { categories: u16, ways: u64 },
}

/// All draws, as an integer and as a float.
const ALL: u128 = 1 << 64;
/// The widest range of discrete Laplace, the most categories of a response and of an encoding.
const WIDEST: u16 = 1024;
const MOST_CATEGORIES: u16 = 256;
const MOST_BITS: u16 = 64;
/// The most categories of a plain count.
const MOST_COUNTED: u16 = 1025;

impl Parameters {
    /// Plain counts of so many categories, one to 1025, of devices that report with the probability of `sampling`.
    /// `None` for another number of categories.
    #[must_use]
    pub fn sampled(sampling: &Sampling, categories: u16) -> Option<Self> {
        Self(Kind::Sampled {
            categories,
            ways: sampling.ways(),
        })
        .checked()
    }

    /// How many counts a sum has.
    pub(super) fn counts(self) -> usize {
        match self.0 {
            Kind::Response { categories, .. }
            | Kind::Unary { categories, .. }
            | Kind::Sampled { categories, .. } => usize::from(categories),
            Kind::Mean { .. } => 2,
            Kind::Laplace { span, .. } => usize::from(span) + 1,
        }
    }

    /// Itself, if a treatment can have such numbers: those that come from elsewhere may not.
    pub(super) fn checked(self) -> Option<Self> {
        let is_right = match self.0 {
            Kind::Response { categories, other } => {
                let others = u128::from(other) * u128::from(categories.saturating_sub(1));
                (2..=MOST_CATEGORIES).contains(&categories) && other > 0 && others + u128::from(other) <= ALL
            }
            Kind::Unary {
                categories,
                kept,
                raised,
            } => (2..=MOST_BITS).contains(&categories) && raised > 0 && raised <= kept,
            Kind::Mean {
                lowest,
                span,
                base,
                step,
            } => {
                let top = u128::from(base) + u128::from(step) * u128::from(span);
                span > 0
                    && i64::from(lowest) + i64::from(span) <= i64::from(i32::MAX)
                    && base > 0
                    && step > 0
                    && top < ALL
            }
            Kind::Laplace { lowest, span, alpha } => {
                (1..=WIDEST).contains(&span)
                    && lowest.checked_add(i32::from(span)).is_some()
                    && alpha > 0
                    && alpha <= MOST_ALPHA
            }
            Kind::Sampled { categories, ways } => {
                (1..=MOST_COUNTED).contains(&categories) && ways > 0 && ways <= 1 << 63
            }
        };
        is_right.then_some(self)
    }
}

impl<const K: usize> From<&Response<K>> for Parameters {
    #[allow(clippy::cast_possible_truncation)] // 2 to 256 of them
    fn from(response: &Response<K>) -> Self {
        Self(Kind::Response {
            categories: K as u16,
            other: response.draws(0, 1),
        })
    }
}

impl From<&BinaryResponse> for Parameters {
    fn from(response: &BinaryResponse) -> Self {
        Self::from(response.as_response())
    }
}

impl<const K: usize> From<&Unary<K>> for Parameters {
    #[allow(clippy::cast_possible_truncation)] // 2 to 64 of them
    fn from(unary: &Unary<K>) -> Self {
        Self(Kind::Unary {
            categories: K as u16,
            kept: unary.draws(true),
            raised: unary.draws(false),
        })
    }
}

impl From<&OneBitMean> for Parameters {
    fn from(mean: &OneBitMean) -> Self {
        let (base, step) = mean.draws();
        Self(Kind::Mean {
            lowest: mean.lowest(),
            span: mean.span(),
            base,
            step,
        })
    }
}

impl<const SPAN: usize> From<&DiscreteLaplace<SPAN>> for Parameters {
    #[allow(clippy::cast_possible_truncation)] // 1 to 1024
    fn from(laplace: &DiscreteLaplace<SPAN>) -> Self {
        Self(Kind::Laplace {
            lowest: laplace.lowest(),
            span: SPAN as u16,
            alpha: laplace.alpha(),
        })
    }
}
