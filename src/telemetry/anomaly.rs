//! A rate that is unusual for this device: the count of an interval against a baseline that decays, in integers.
//!
//! ```text
//!  applications
//!  anomaly   (this file)
//! ```
//!
//! The device looks at its own telemetry, so that nobody else has to see it (EN 303 645 5.10-1, 6-7).

use crate::store::{CodecError, Stored};

/// Fixed point: a count of 1.
const ONE: u32 = 256;
/// Each interval counts for one part in this many of the baseline.
const MEMORY: u32 = 16;
/// Intervals before the baseline says anything.
const LEARNING: u16 = 16;
/// Counts above this count as this.
const MOST: u32 = 1 << 20;

/// What an interval was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rate {
    /// Too few intervals were seen to say.
    Learning,
    /// As before.
    Usual,
    /// More than `usual_up_to`.
    Unusual {
        /// The most that would have been usual.
        usual_up_to: u32,
    },
}

impl Rate {
    /// Whether the interval stood out.
    #[must_use]
    pub const fn is_unusual(self) -> bool {
        matches!(self, Self::Unusual { .. })
    }
}

/// Mean and mean deviation of a count, each interval with a sixteenth of the weight.
///
/// ```
/// use bydesign::telemetry::{Baseline, Rate};
///
/// let mut logins = Baseline::new();
/// for hour in 0..100 {
///     assert!(!logins.observe(hour % 3).is_unusual()); // up to two failed logins an hour
/// }
/// assert!(matches!(logins.observe(60), Rate::Unusual { usual_up_to: 5..12 }));
/// ```
///
/// An interval is unusual if it has more than the mean, six mean deviations and four events. What is unusual is learnt as if it had been just
/// usual: one burst does not blind the baseline. A rate that rises slowly enough is learnt; limits that must hold belong into a limiter.
///
/// It is a value of the store ([`Stored`]), to be kept over restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    mean: u32,
    deviation: u32,
    intervals: u16,
}

impl Baseline {
    /// Nothing seen so far.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mean: 0,
            deviation: 0,
            intervals: 0,
        }
    }

    /// Takes the count of an interval into account, and says whether it was unusual.
    pub fn observe(&mut self, count: u32) -> Rate {
        let count = count.min(MOST).saturating_mul(ONE);
        let limit = self
            .mean
            .saturating_add(self.deviation.saturating_mul(6))
            .saturating_add(4 * ONE);
        let is_learning = self.intervals < LEARNING;
        let rate = match (is_learning, count > limit) {
            (true, _) => Rate::Learning,
            (false, false) => Rate::Usual,
            (false, true) => Rate::Unusual {
                usual_up_to: limit / ONE,
            },
        };
        let learnt = if is_learning { count } else { count.min(limit) };
        // The first intervals count for more: the mean of those that there are.
        let weight = u32::from(self.intervals).saturating_add(1).min(MEMORY);
        self.deviation = nearer(self.deviation, learnt.abs_diff(self.mean), weight);
        self.mean = nearer(self.mean, learnt, weight);
        self.intervals = self.intervals.saturating_add(1);
        rate
    }
}

/// One part in `weight` of the way from `value` to `target`, and never stuck short of it.
const fn nearer(value: u32, target: u32, weight: u32) -> u32 {
    if target >= value {
        value.saturating_add(target.saturating_sub(value).div_ceil(weight))
    } else {
        value.saturating_sub(value.saturating_sub(target).div_ceil(weight))
    }
}

impl Stored for Baseline {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        let bytes = self
            .mean
            .to_le_bytes()
            .into_iter()
            .chain(self.deviation.to_le_bytes())
            .chain(self.intervals.to_le_bytes());
        let out = out.get_mut(..10).ok_or(CodecError)?;
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Ok(10)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let parts = || {
            let (mean, rest) = bytes.split_first_chunk()?;
            let (deviation, rest) = rest.split_first_chunk()?;
            let intervals = rest.try_into().ok()?;
            Some(Self {
                mean: u32::from_le_bytes(*mean),
                deviation: u32::from_le_bytes(*deviation),
                intervals: u16::from_le_bytes(intervals),
            })
        };
        parts().ok_or(CodecError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_comes_back_from_its_bytes() {
        let mut baseline = Baseline::new();
        for count in 0..40 {
            let _ = baseline.observe(count);
        }
        let mut bytes = [0; 10];
        assert_eq!(baseline.encode(&mut bytes), Ok(10));
        assert_eq!(Baseline::decode(&bytes), Ok(baseline));
        assert_eq!(Baseline::decode(&bytes[1..]), Err(CodecError));
        assert_eq!(baseline.encode(&mut [0; 9]), Err(CodecError));
    }

    #[test]
    fn a_burst_is_unusual_each_time_and_a_lasting_change_is_learnt() {
        let mut baseline = Baseline::new();
        for hour in 0..200 {
            let _ = baseline.observe(hour % 2);
        }
        let burst = (0..3).filter(|_| baseline.observe(100).is_unusual()).count();
        assert_eq!(burst, 3, "one burst does not hide the next");
        let mut alarms = 0;
        for _ in 0..400 {
            alarms += u32::from(baseline.observe(40).is_unusual());
        }
        assert!(alarms > 0 && !baseline.observe(40).is_unusual(), "{alarms}");
    }
}
