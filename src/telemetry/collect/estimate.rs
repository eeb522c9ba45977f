//! From counts to what can be said of the devices: the treatment's probabilities undone, with intervals.
//!
//! ```text
//!  release
//!  estimate   (this file)
//!  sum
//!  parameters
//! ```
//!
//! Floating point begins here, at the end: the probabilities are those of the implemented tables, divided once.

#![allow(clippy::cast_precision_loss)] // numbers of draws and devices, beside whose chance 53 bits are exact

use std::vec::Vec;

use super::parameters::Kind;
use super::sum::PartialSum;

/// How often an interval holds what it is an interval of, over many collections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// 9 of 10.
    Percent90,
    /// 19 of 20.
    Percent95,
    /// 99 of 100.
    Percent99,
    /// 999 of 1000: for a page with many numbers on it.
    Percent999,
}

impl Confidence {
    /// Standard deviations of a normal distribution, on either side.
    fn deviations(self) -> f64 {
        match self {
            Self::Percent90 => 1.644_853_626_951_472_7,
            Self::Percent95 => 1.959_963_984_540_054,
            Self::Percent99 => 2.575_829_303_548_900_4,
            Self::Percent999 => 3.290_526_731_491_930_4,
        }
    }
}

/// An estimate without bias, and an interval.
///
/// The estimate is not brought into its range: a category that nobody is in comes out below zero every other time, and sums and
/// averages of estimates are right only if that is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    value: f64,
    standard_error: f64,
    low: f64,
    high: f64,
}

impl Estimate {
    /// The estimate.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Its standard deviation over many collections, from this one.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.high
    }

    /// So many times as much: a frequency into a number of devices.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        let (one, other) = (self.low * factor, self.high * factor);
        Self {
            value: self.value * factor,
            standard_error: self.standard_error * factor.abs(),
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// Everything as `(it - offset) / divisor`, for a positive divisor.
    fn undone(self, offset: f64, divisor: f64) -> Self {
        Self {
            value: (self.value - offset) / divisor,
            standard_error: self.standard_error / divisor,
            low: (self.low - offset) / divisor,
            high: (self.high - offset) / divisor,
        }
    }

    /// The share of `count` in `reports`, with Wilson's score interval: it holds for few reports and for shares near 0 and 1.
    fn share(count: u64, reports: u64, confidence: Confidence) -> Self {
        let (reports, deviations) = (reports as f64, confidence.deviations());
        let share = count as f64 / reports;
        let variance = share * (1.0 - share) / reports;
        let square = deviations * deviations / reports;
        let middle = (share + square / 2.0) / (1.0 + square);
        let half = deviations * (variance + square / (4.0 * reports)).sqrt() / (1.0 + square);
        Self {
            value: share,
            standard_error: variance.sqrt(),
            low: middle - half,
            high: middle + half,
        }
    }

    /// The mean of what is `value` for `share` of the reports each.
    fn mean_of(values: impl Iterator<Item = (f64, f64)>, reports: u64, confidence: Confidence) -> Self {
        let (mut mean, mut square) = (0.0, 0.0);
        for (value, share) in values {
            mean += value * share;
            square += value * value * share;
        }
        let reports = reports as f64;
        let variance = (square - mean * mean).max(0.0) / (reports - 1.0);
        let half = confidence.deviations() * variance.sqrt();
        Self {
            value: mean,
            standard_error: variance.sqrt(),
            low: mean - half,
            high: mean + half,
        }
    }
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The field's treatment does not tell that.
    #[error("the field's treatment does not tell this")]
    Kind,
    /// There is no report, or one where two are needed.
    #[error("there are too few reports")]
    TooFewReports,
    /// The answers do not depend on the values.
    #[error("the answers of this treatment say nothing")]
    NoInformation,
}

/// Draws as a probability.
fn probability(draws: u64) -> f64 {
    draws as f64 / 18_446_744_073_709_551_616.0 // 2⁶⁴
}

//= compliance/requirements.md#tele-39
//# An estimate MUST be corrected by the probabilities of the treatment as implemented.
impl PartialSum {
    /// How large a part of the devices is in each category, or has each reading.
    ///
    /// Of responses and unary encodings the interval is Wilson's, of discrete Laplace the normal one, which wants some thirty reports. Intervals are for
    /// one category at a time.
    ///
    /// # Errors
    ///
    /// [`EstimateError`]. A one-bit mean and plain counts tell no frequencies.
    pub fn frequencies(&self, confidence: Confidence) -> Result<Vec<Estimate>, EstimateError> {
        match self.parameters().0 {
            Kind::Response { categories, other } => {
                let lie = probability(other);
                let truth = 1.0 - f64::from(categories - 1) * lie;
                self.shares(lie, truth - lie, confidence)
            }
            Kind::Unary { kept, raised, .. } => self.shares(
                probability(raised),
                probability(kept) - probability(raised),
                confidence,
            ),
            Kind::Laplace { alpha, .. } => self.readings(Decay::new(alpha), confidence),
            Kind::Mean { .. } | Kind::Sampled { .. } => Err(EstimateError::Kind),
        }
    }

    fn shares(
        &self,
        offset: f64,
        divisor: f64,
        confidence: Confidence,
    ) -> Result<Vec<Estimate>, EstimateError> {
        if self.reports() == 0 {
            return Err(EstimateError::TooFewReports);
        }
        if divisor <= 0.0 {
            return Err(EstimateError::NoInformation);
        }
        let share = |count: &u64| Estimate::share(*count, self.reports(), confidence).undone(offset, divisor);
        Ok(self.counts().iter().map(share).collect())
    }

    /// The inverse of truncated geometric noise has three diagonals. With the outputs' probabilities divided by (1 - α)/(1 + α), at the ends by
    /// 1/(1 + α), what is left is α to the distance between reading and output; the inverse of such a matrix is, over 1 - α²,
    ///
    /// ```text
    ///   1   -α
    ///  -α  1+α²  -α
    ///       -α  1+α²  -α
    ///             …   -α   1
    /// ```
    ///
    /// Both divisors together are 1 - α squared, and 1 - α at the ends.
    fn readings(&self, decay: Decay, confidence: Confidence) -> Result<Vec<Estimate>, EstimateError> {
        if self.reports() < 2 {
            return Err(EstimateError::TooFewReports);
        }
        let Decay { alpha, rest } = decay;
        let last = self.counts().len() - 1;
        let reports = self.reports() as f64;
        let is_end = |at: usize| at == 0 || at == last;
        let weight = |at: usize| if is_end(at) { rest } else { rest * rest }.recip();
        let reading = |at: usize| {
            let diagonal = if is_end(at) { 1.0 } else { 1.0 + alpha * alpha };
            let factor = move |output: usize| {
                let entry = if output == at { diagonal } else { -alpha };
                entry * weight(output)
            };
            let near = at.saturating_sub(1)..=last.min(at + 1);
            let values = near
                .filter_map(|output| Some((factor(output), *self.counts().get(output)? as f64 / reports)));
            Estimate::mean_of(values, self.reports(), confidence)
        };
        Ok((0..=last).map(reading).collect())
    }

    /// The mean reading of the devices, those outside the range counted as its ends.
    ///
    /// # Errors
    ///
    /// [`EstimateError`]. Only a one-bit mean and discrete Laplace tell a mean.
    pub fn mean(&self, confidence: Confidence) -> Result<Estimate, EstimateError> {
        match self.parameters().0 {
            Kind::Mean {
                lowest, base, step, ..
            } => {
                if self.reports() == 0 {
                    return Err(EstimateError::TooFewReports);
                }
                let set = self.counts().get(1).copied().unwrap_or(0);
                let above = Estimate::share(set, self.reports(), confidence)
                    .undone(probability(base), probability(step));
                Ok(above.undone(-f64::from(lowest), 1.0))
            }
            Kind::Laplace { lowest, alpha, .. } => {
                if self.reports() < 2 {
                    return Err(EstimateError::TooFewReports);
                }
                let Decay { alpha, rest } = Decay::new(alpha);
                // What is cut off at an end was on average this much further out.
                let cut = alpha / rest;
                let last = self.counts().len() - 1;
                let reports = self.reports() as f64;
                let values = self.counts().iter().enumerate().map(|(at, count)| {
                    let reading = match at {
                        0 => -cut,
                        at if at == last => at as f64 + cut,
                        at => at as f64,
                    };
                    (reading, *count as f64 / reports)
                });
                let above = Estimate::mean_of(values, self.reports(), confidence);
                Ok(above.undone(-f64::from(lowest), 1.0))
            }
            _ => Err(EstimateError::Kind),
        }
    }

    /// How many devices are in each category, of plain counts of those that were drawn to report.
    ///
    /// # Errors
    ///
    /// [`EstimateError::Kind`] for every other treatment.
    pub fn totals(&self, confidence: Confidence) -> Result<Vec<Estimate>, EstimateError> {
        let Kind::Sampled { ways, .. } = self.parameters().0 else {
            return Err(EstimateError::Kind);
        };
        let taken = ways as f64 / 9_223_372_036_854_775_808.0; // 2⁶³
        let deviations = confidence.deviations();
        let total = |count: &u64| {
            let count = *count as f64;
            // The expected counts from which this one is at most so many deviations away.
            let spread = deviations * deviations * (1.0 - taken);
            let half = (spread * spread + 4.0 * count * spread).sqrt() / 2.0;
            let middle = count + spread / 2.0;
            Estimate {
                value: count / taken,
                standard_error: (count * (1.0 - taken)).sqrt() / taken,
                low: (middle - half) / taken,
                high: (middle + half) / taken,
            }
        };
        Ok(self.counts().iter().map(total).collect())
    }
}

/// α and 1 - α, each from integers: of an α close to 1 nothing would be left of the difference in floating point.
#[derive(Clone, Copy)]
struct Decay {
    alpha: f64,
    rest: f64,
}

impl Decay {
    fn new(alpha: u64) -> Self {
        const ONE: u64 = 1 << 63;
        Self {
            alpha: alpha as f64 / ONE as f64,
            rest: ONE.saturating_sub(alpha) as f64 / ONE as f64,
        }
    }
}
