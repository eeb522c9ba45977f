//! What may be shown: nothing that stands on too few devices.
//!
//! ```text
//!  release   (this file)
//!  estimate
//!  sum
//! ```

use std::vec::Vec;

use super::estimate::{Confidence, Estimate, EstimateError};
use super::sum::PartialSum;

/// Shows only what at least so many devices stand behind.
///
/// ```
/// use bydesign::telemetry::collect::{Confidence, Parameters, PartialSum, Source, Threshold};
/// use bydesign::telemetry::noise::Sampling;
///
/// let all = Parameters::sampled(&Sampling::with_probability::<1, 1>(), 3).expect("three categories");
/// let mut sum = PartialSum::new(&Source::new("kettle", 1, "fault")?, all);
/// for (category, devices) in [(0_u8, 80), (1, 2), (2, 30)] {
///     for _ in 0..devices {
///         sum.add(category)?;
///     }
/// }
/// let shown = Threshold::new(10)?.totals(&sum, Confidence::Percent95)?;
/// assert_eq!(shown[0].map(|devices| devices.value()), Some(80.0));
/// assert!(shown[1].is_none());
/// // With 112 devices known and 80 and 30 shown, the 2 would follow: the next smallest goes with it.
/// assert!(shown[2].is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Security
///
/// Against those who read what the collector publishes. Of randomised answers the threshold is on the estimate: it keeps noise from being taken for
/// devices, and costs no epsilon. Of plain counts it is all there is: the smallest groups are not shown, but two releases with one device
/// between them still tell about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold(u64);

impl Threshold {
    /// At least two: one device's number is that device's.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::Threshold`] below two.
    pub const fn new(devices: u64) -> Result<Self, ReleaseError> {
        if devices < 2 {
            return Err(ReleaseError::Threshold);
        }
        Ok(Self(devices))
    }

    //= compliance/requirements.md#tele-38
    //# A release MUST withhold what fewer devices than its threshold stand behind, by count or by estimate.
    fn enough(self, sum: &PartialSum) -> Result<(), ReleaseError> {
        if sum.reports() < self.0 {
            return Err(ReleaseError::Withheld);
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)] // beside estimates
    fn is_met(self, devices: f64) -> bool {
        devices >= self.0 as f64
    }

    /// [`PartialSum::frequencies`], `None` for a category whose estimated number of devices is below the threshold.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`].
    #[allow(clippy::cast_precision_loss)] // beside estimates
    pub fn frequencies(
        self,
        sum: &PartialSum,
        confidence: Confidence,
    ) -> Result<Vec<Option<Estimate>>, ReleaseError> {
        self.enough(sum)?;
        let reports = sum.reports() as f64;
        let frequencies = sum.frequencies(confidence)?;
        let shown = |estimate: Estimate| Some(estimate).filter(|it| self.is_met(it.value() * reports));
        Ok(frequencies.into_iter().map(shown).collect())
    }

    /// [`PartialSum::mean`].
    ///
    /// # Errors
    ///
    /// [`ReleaseError`].
    pub fn mean(self, sum: &PartialSum, confidence: Confidence) -> Result<Estimate, ReleaseError> {
        self.enough(sum)?;
        Ok(sum.mean(confidence)?)
    }

    /// [`PartialSum::totals`], `None` for a category with fewer reports than the threshold; and if that is one alone, which would follow
    /// from the others and the total, for the smallest of the others as well.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`].
    pub fn totals(
        self,
        sum: &PartialSum,
        confidence: Confidence,
    ) -> Result<Vec<Option<Estimate>>, ReleaseError> {
        self.enough(sum)?;
        let totals = sum.totals(confidence)?;
        let is_small = |count: &&u64| **count < self.0;
        let small = sum.counts().iter().filter(is_small).count();
        // None follows from the rest if there are two, or if all are large.
        let besides = if small == 1 {
            let large = sum
                .counts()
                .iter()
                .enumerate()
                .filter(|(_, count)| **count >= self.0);
            large.min_by_key(|(_, count)| **count).map(|(at, _)| at)
        } else {
            None
        };
        let shown = |(at, (estimate, count)): (usize, (Estimate, &u64))| {
            Some(estimate).filter(|_| *count >= self.0 && Some(at) != besides)
        };
        Ok(totals
            .into_iter()
            .zip(sum.counts())
            .enumerate()
            .map(shown)
            .collect())
    }
}

/// Why nothing is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A threshold of less than two devices.
    #[error("a threshold is at least two devices")]
    Threshold,
    /// Fewer reports than the threshold.
    #[error("fewer devices reported than the threshold asks for")]
    Withheld,
    /// There is no estimate.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}
