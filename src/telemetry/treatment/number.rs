//! Treatments of numbers: less exact, in a range, in few classes, or not at all.

use rand_core::TryCryptoRng;
use subtle::ConditionallySelectable;

use super::{Aids, Effect, How, Sealed, Treated, Treatment, Untreated};
use crate::telemetry::noise::{Ratio, Sampling};
use crate::telemetry::raw::{Number, Time};
use crate::telemetry::shape::Shape;
use crate::telemetry::steady;

/// Read, and never sent. The declaration stands in the dictionary all the same.
#[derive(Clone, Copy)]
pub struct Dropped;

impl Dropped {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::Dropped, Shape::Nothing)
    }
}

impl Sealed for Dropped {}
#[allow(private_interfaces)]
impl<T> Treatment<T> for Dropped {
    fn treat<R: TryCryptoRng + ?Sized>(&self, _: &T, _: &mut Aids<'_, R>) -> Result<Treated, Untreated> {
        Ok(Treated::Nothing)
    }
}

/// The nearest number of a range.
///
/// ```
/// use bydesign::telemetry::Clamped;
///
/// const FIRMWARE: Clamped = Clamped::between(0, 999);
/// ```
#[derive(Clone, Copy)]
pub struct Clamped(Rounded);

impl Clamped {
    /// From `low` to `high`.
    ///
    /// # Panics
    ///
    /// If `low` is not below `high`; in a constant that is a compile error.
    #[must_use]
    pub const fn between(low: i64, high: i64) -> Self {
        Self(Rounded::to(1).between(low, high))
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::Clamped, self.0.shape())
    }
}

impl Sealed for Clamped {}
#[allow(private_interfaces)]
impl<T: Number> Treatment<T> for Clamped {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        Ok(Treated::Number(self.0.steps(reading.number())))
    }
}

/// The nearest of the steps of a range, its ends included.
///
/// ```
/// use bydesign::telemetry::Rounded;
///
/// /// To half a degree, between 5 and 35 °C, in thousandths.
/// const ROOM: Rounded = Rounded::to(500).between(5_000, 35_000);
/// ```
///
/// ```compile_fail
/// # use bydesign::telemetry::Rounded;
/// const UNEVEN: Rounded = Rounded::to(7).between(0, 100);
/// ```
#[derive(Clone, Copy)]
pub struct Rounded {
    step: u64,
    low: i64,
    last: u64,
}

/// A step whose range is not said yet.
#[derive(Clone, Copy)]
pub struct RoundedTo {
    step: u32,
}

impl Rounded {
    /// Steps of this size; [`RoundedTo::between`] says between which numbers.
    #[must_use]
    pub const fn to(step: u32) -> RoundedTo {
        RoundedTo { step }
    }

    pub(super) const fn shape(&self) -> Shape {
        Shape::Steps {
            low: self.low,
            step: self.step,
            last: self.last,
        }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::Rounded, self.shape())
    }

    pub(super) const fn parts(&self) -> (i64, u64, u64) {
        (self.low, self.step, self.last)
    }

    /// How many steps above the lower end.
    pub(super) fn steps(&self, reading: i64) -> u64 {
        // The constructor has seen to it that the range is below 2³² steps of a size below 2³².
        let width = self.step.wrapping_mul(self.last).cast_signed();
        let inside = steady::clamp(reading, self.low, self.low.wrapping_add(width));
        let above = inside.wrapping_sub(self.low).cast_unsigned();
        // The half is rounded up; the upper end is a step, so that nothing comes to lie beyond it.
        steady::divide(above.wrapping_add(self.step / 2), self.step)
    }
}

impl RoundedTo {
    /// The range, whole steps wide.
    ///
    /// # Panics
    ///
    /// If the step is 0, `low` is not below `high`, or the range is not a whole number of steps, at most 2³²; in a constant that is a
    /// compile error.
    #[must_use]
    pub const fn between(self, low: i64, high: i64) -> Rounded {
        let step = self.step as u64;
        assert!(step > 0, "a step is at least 1");
        assert!(low < high, "the lower end of a range lies below the upper one");
        let width = high.wrapping_sub(low).cast_unsigned();
        assert!(
            width.is_multiple_of(step),
            "a range is a whole number of steps wide"
        );
        let last = width / step;
        assert!(last <= u32::MAX as u64, "a range has at most 2^32 steps");
        assert!(width < 1 << 62, "a range is narrower than 2^62");
        Rounded { step, low, last }
    }
}

impl Sealed for Rounded {}
#[allow(private_interfaces)]
impl<T: Number> Treatment<T> for Rounded {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        Ok(Treated::Number(self.steps(reading.number())))
    }
}

/// Which of `N` + 1 ranges a number lies in.
///
/// ```
/// use bydesign::telemetry::Buckets;
///
/// /// None, one or two, up to nine, more.
/// const HOW_MANY: Buckets<3> = Buckets::from(&[1, 3, 10]);
/// ```
#[derive(Clone, Copy)]
pub struct Buckets<const N: usize>(&'static [i64; N]);

impl<const N: usize> Buckets<N> {
    /// The edges: each begins a range, which goes up to the next.
    ///
    /// # Panics
    ///
    /// If they do not ascend, or are none or more than 63; in a constant that is a compile error.
    #[must_use]
    pub const fn from(edges: &'static [i64; N]) -> Self {
        assert!(N >= 1 && N <= 63, "there are 1 to 63 edges");
        let mut at = 1;
        while at < N {
            #[expect(clippy::indexing_slicing, reason = "below N")]
            let ascends = edges[at - 1] < edges[at];
            assert!(ascends, "edges ascend");
            at += 1;
        }
        Self(edges)
    }

    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 63")]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::Buckets(self.0), Shape::Choice { count: N as u32 + 1 })
    }
}

impl<const N: usize> Sealed for Buckets<N> {}
#[allow(private_interfaces)]
impl<const N: usize, T: Number> Treatment<T> for Buckets<N> {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        Ok(Treated::Number(u64::from(steady::bucket(
            reading.number(),
            self.0,
        ))))
    }
}

/// Whether a number reaches a limit.
#[derive(Clone, Copy)]
pub struct AtLeast(i64);

impl AtLeast {
    /// The limit.
    #[must_use]
    pub const fn new(limit: i64) -> Self {
        Self(limit)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect::plain(How::AtLeast(self.0), Shape::Truth)
    }
}

impl Sealed for AtLeast {}
#[allow(private_interfaces)]
impl<T: Number> Treatment<T> for AtLeast {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let reached = !steady::is_below(reading.number(), self.0);
        Ok(Treated::Truth(reached.into()))
    }
}

/// One of `N` kinds, numbered from 0; any other number counts as the last kind.
#[derive(Clone, Copy)]
pub struct OneOf<const N: u8>;

impl<const N: u8> OneOf<N> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        const { assert!(N >= 2, "there are at least two kinds") };
        Effect::plain(How::OneOf, Shape::Choice { count: N as u32 })
    }
}

impl<const N: u8> Sealed for OneOf<N> {}
#[allow(private_interfaces)]
impl<const N: u8, T: Number> Treatment<T> for OneOf<N> {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let last = i64::from(N).wrapping_sub(1);
        let number = reading.number();
        let is_other = steady::is_below(number, 0) | steady::is_below(last, number);
        Ok(Treated::Number(
            i64::conditional_select(&number, &last, is_other).cast_unsigned(),
        ))
    }
}

/// The period that a point in time lies in: an hour, a day.
#[derive(Clone, Copy)]
pub struct CoarseTime(u32);

/// Points in time beyond this many seconds (35,000 years) count as this one.
const LAST_SECOND: u64 = 1 << 40;

impl CoarseTime {
    /// Periods of so many seconds.
    ///
    /// # Panics
    ///
    /// If that is less than an hour: a finer time tells apart who was where; in a constant that is a compile error.
    #[must_use]
    pub const fn of(seconds: u32) -> Self {
        assert!(seconds >= 3600, "a coarse time is coarser than an hour");
        Self(seconds)
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let shape = Shape::Steps {
            low: 0,
            step: self.0 as u64,
            last: LAST_SECOND / self.0 as u64,
        };
        Effect::plain(How::CoarseTime(self.0), shape)
    }
}

impl Sealed for CoarseTime {}
#[allow(private_interfaces)]
impl Treatment<Time> for CoarseTime {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &Time,
        _: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let seconds = reading.seconds & (i64::MAX.cast_unsigned());
        let seconds = steady::smaller(seconds.cast_signed(), LAST_SECOND.cast_signed());
        Ok(Treated::Number(steady::divide(
            seconds.cast_unsigned(),
            u64::from(self.0),
        )))
    }
}

/// Another treatment, in one of so many reports; in the others the field is left out. Which ones is drawn, whatever the reading is.
#[derive(Clone, Copy)]
pub struct Sampled<T> {
    one_in: u32,
    sampling: Sampling,
    inner: T,
}

impl<T: Copy> Sampled<T> {
    /// One report in so many, on average.
    ///
    /// # Panics
    ///
    /// If that is less than 2; in a constant that is a compile error.
    #[must_use]
    #[expect(clippy::panic, reason = "while compiling")]
    pub const fn one_in(reports: u32, inner: T) -> Self {
        assert!(reports >= 2, "one in two at most");
        let Ok(one_in) = Ratio::new(1, reports) else {
            panic!("it is not 0")
        };
        let Ok(sampling) = Sampling::new(one_in) else {
            panic!("it is below one")
        };
        Self {
            one_in: reports,
            sampling,
            inner,
        }
    }
}

impl<T> Sealed for Sampled<T> {}
#[allow(private_interfaces)]
impl<V, T: Treatment<V>> Treatment<V> for Sampled<T> {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &V,
        aids: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        // The treatment itself runs in any case: whether it did is not to be seen from the time that it takes.
        let treated = self.inner.treat(reading, aids)?;
        match self.sampling.takes_part(aids.random) {
            Ok(true) => Ok(treated),
            Ok(false) => Ok(Treated::Nothing),
            Err(_) => Err(Untreated::Random),
        }
    }
}

macro_rules! sampled {
    ($($treatment:ty),* $(,)?) => {$(
        impl Sampled<$treatment> {
            #[doc(hidden)]
            #[must_use]
            pub const fn effect(&self) -> Effect {
                Effect { one_in: self.one_in, ..self.inner.effect() }
            }
        }
    )*};
}

// Constants cannot ask a trait: one for each treatment that may be sampled.
sampled!(Clamped, Rounded, AtLeast, CoarseTime, super::Grid, super::Range);

impl<const N: usize> Sampled<Buckets<N>> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect {
            one_in: self.one_in,
            ..self.inner.effect()
        }
    }
}

impl<const N: usize> Sampled<super::Counts<N>> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        Effect {
            one_in: self.one_in,
            ..self.inner.effect()
        }
    }
}
