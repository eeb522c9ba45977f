//! Treatments of what was gathered over a window on the device.

use rand_core::TryCryptoRng;

use super::number::Rounded;
use super::{Aids, Effect, How, Sealed, Treated, Treatment, Untreated};
use crate::telemetry::raw::{Extremes, Histogram};
use crate::telemetry::shape::Shape;

/// The counters of a histogram, each rounded: small counts, which tell of single events, come out as zero or one step.
///
/// ```
/// use bydesign::telemetry::Counts;
///
/// const HOURS: Counts<4> = Counts::to(5, 100); // 0, 5, 10 … 100 and more
/// ```
#[derive(Clone, Copy)]
pub struct Counts<const N: usize>(Rounded);

impl<const N: usize> Counts<N> {
    /// Rounded to steps, at most `most`.
    ///
    /// # Panics
    ///
    /// If `most` is not a whole number of steps, or is 0; in a constant that is a compile error.
    #[must_use]
    pub const fn to(step: u32, most: u16) -> Self {
        const { assert!(N >= 2 && N <= 32, "a histogram has 2 to 32 buckets") };
        Self(Rounded::to(step).between(0, most as i64))
    }

    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 32")]
    pub const fn effect(&self) -> Effect {
        let (_, step, last) = self.0.parts();
        let shape = Shape::Counts {
            buckets: N as u8,
            step,
            last,
        };
        Effect::plain(How::Counts, shape)
    }
}

impl<const N: usize> Sealed for Counts<N> {}
#[allow(private_interfaces)]
impl<const N: usize> Treatment<Histogram<N>> for Counts<N> {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &Histogram<N>,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let mut counts = [0; 32];
        for (rounded, count) in counts.iter_mut().zip(&reading.0) {
            let steps = self.0.steps(i64::from(*count));
            *rounded = u16::try_from(steps).map_err(|_| Untreated::Internal)?;
        }
        Ok(Treated::Counts(
            counts,
            u8::try_from(N).map_err(|_| Untreated::Internal)?,
        ))
    }
}

/// The smallest and the largest reading, each rounded.
///
/// ```
/// use bydesign::telemetry::{Range, Rounded};
///
/// const ROOM: Range = Range::of(Rounded::to(1_000).between(0, 40_000));
/// ```
#[derive(Clone, Copy)]
pub struct Range(Rounded);

impl Range {
    /// How each of the two is rounded.
    #[must_use]
    pub const fn of(rounded: Rounded) -> Self {
        Self(rounded)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let (low, step, last) = self.0.parts();
        Effect::plain(How::Range, Shape::Pair { low, step, last })
    }
}

impl Sealed for Range {}
#[allow(private_interfaces)]
impl Treatment<Extremes> for Range {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &Extremes,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        Ok(Treated::Pair(
            self.0.steps(reading.smallest),
            self.0.steps(reading.largest),
        ))
    }
}
