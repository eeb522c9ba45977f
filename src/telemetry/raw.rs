//! Readings as they come: what a device knows and does not tell.
//!
//! ```text
//!  report
//!  treatment     the only way out of a Raw
//!  raw           (this file)
//!  steady
//! ```

use super::steady;

/// A reading that has not been treated. It can be given to a report, and nothing else: it has no way to its value, cannot be printed, copied,
/// compared or serialised. What a report makes of it stands in the report's declaration.
///
/// ```
/// use bydesign::telemetry::Raw;
///
/// let temperature = Raw::new(21_530_i32);
/// ```
///
/// ```compile_fail
/// # use bydesign::telemetry::Raw;
/// println!("{:?}", Raw::new(21_530_i32));
/// ```
///
/// # Security
///
/// The type keeps honest firmware from sending what it did not mean to send, and a reviewer from having to look for it. It does not
/// keep anything from code that never makes a `Raw`: wrap readings where the driver returns them. Serves CoP 8 and 10; EN 303 645 6-4, 6-6.
//= compliance/requirements.md#tele-1
//# A reading MUST NOT become sendable otherwise than through the treatment that is declared for its field.
pub struct Raw<T>(T);

impl<T> Raw<T> {
    /// Takes a reading. From here on only a treatment sees it.
    pub const fn new(reading: T) -> Self {
        Self(reading)
    }

    pub(crate) fn into_reading(self) -> T {
        self.0
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What is read as one number: integers of up to 64 bits with a sign or 32 without, and [`Tally`].
#[diagnostic::on_unimplemented(
    message = "a reading of type `{Self}` is not read as one number",
    label = "declared for this field",
    note = "numbers are integers of up to 64 bits with a sign or 32 without, and `Tally`; a fraction is read in a smaller unit, one of \
            several kinds as its number, and what may be missing as a number that says so"
)]
pub trait Number: sealed::Sealed {
    #[doc(hidden)]
    fn number(&self) -> i64;
}

macro_rules! numbers {
    ($($integer:ty),*) => {$(
        impl sealed::Sealed for $integer {}
        impl Number for $integer {
            fn number(&self) -> i64 {
                i64::from(*self)
            }
        }
    )*};
}

numbers!(u8, u16, u32, i8, i16, i32, i64);

impl sealed::Sealed for Tally {}
impl Number for Tally {
    fn number(&self) -> i64 {
        i64::from(self.0)
    }
}

/// A point in time, in seconds of the clock that the product has: since 1970 where it knows the date, since its first start where it only counts.
/// It should never go back; where it does, budgets and limits of a day stay as they are until it has caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Seconds.
    pub seconds: u64,
}

impl Time {
    /// A point in time.
    #[must_use]
    pub const fn of(seconds: u64) -> Self {
        Self { seconds }
    }

    /// Whole days, which is what is noted of a consent.
    #[must_use]
    pub const fn day(self) -> u32 {
        self.period(86_400)
    }

    /// Which period of so many seconds this is; the first where the period is nothing.
    pub(crate) const fn period(self, seconds: u32) -> u32 {
        match self.seconds.checked_div(seconds as u64) {
            Some(period) if period < u32::MAX as u64 => {
                #[expect(clippy::cast_possible_truncation, reason = "it was just compared")]
                let period = period as u32;
                period
            }
            Some(_) => u32::MAX,
            None => 0,
        }
    }
}

/// A place, in ten-millionths of a degree, as receivers of satellite navigation give it.
pub struct Place {
    /// North of the equator, at most 900,000,000 either way.
    pub latitude: i32,
    /// East of Greenwich, at most 1,800,000,000 either way.
    pub longitude: i32,
}

/// Stands for the device itself, where a report says which device it comes from: see [`Pseudonym`](super::Pseudonym).
pub struct ThisDevice;

/// How often something happened in a window, counted on the device.
///
/// ```
/// use bydesign::telemetry::{Raw, Tally};
///
/// let mut door = Tally::new();
/// door.add(1);
/// let openings = Raw::new(door.take()); // and the count begins again
/// ```
#[derive(Default)]
pub struct Tally(u32);

impl Tally {
    /// Nothing so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Counts so many more, up to the largest number that there is.
    pub fn add(&mut self, events: u32) {
        self.0 = self.0.saturating_add(events);
    }

    /// Ends the window: gives what was counted and begins again.
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }
}

/// How often readings fell between edges, counted on the device: the readings themselves are forgotten at once.
///
/// ```
/// use bydesign::telemetry::{Histogram, Raw};
///
/// // below 18 °C, 18 to 21, 21 to 24, above: in thousandths
/// const EDGES: [i64; 3] = [18_000, 21_000, 24_000];
/// let mut temperatures = Histogram::<4>::new();
/// temperatures.add(&Raw::new(20_300_i32), &EDGES);
/// let window = Raw::new(temperatures.take());
/// ```
pub struct Histogram<const N: usize>(pub(crate) [u16; N]);

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Histogram<N> {
    /// Nothing so far.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N >= 2 && N <= 32, "a histogram has 2 to 32 buckets") };
        Self([0; N])
    }

    /// Counts a reading. A bucket that has counted 65,535 stays so.
    pub fn add<T: Number, const EDGES: usize>(&mut self, reading: &Raw<T>, edges: &[i64; EDGES]) {
        const { assert!(EDGES + 1 == N, "a histogram has one bucket more than edges") };
        steady::count(&mut self.0, steady::bucket(reading.0.number(), edges));
    }

    /// Ends the window: gives what was counted and begins again.
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }
}

/// The smallest and the largest reading of a window, kept on the device.
pub struct Extremes {
    pub(crate) smallest: i64,
    pub(crate) largest: i64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self::new()
    }
}

impl Extremes {
    /// Nothing so far. A window without a reading reports the whole of its range: from the upper end to the lower.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            smallest: i64::MAX,
            largest: i64::MIN,
        }
    }

    /// Takes a reading into account.
    pub fn add<T: Number>(&mut self, reading: &Raw<T>) {
        let reading = reading.0.number();
        self.smallest = steady::smaller(self.smallest, reading);
        self.largest = steady::larger(self.largest, reading);
    }

    /// Ends the window: gives what was found and begins again.
    #[must_use]
    pub fn take(&mut self) -> Self {
        core::mem::take(self)
    }
}
