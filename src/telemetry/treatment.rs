//! Treatments: what turns a reading into something that may be sent. Each is a constant, made by a checked constructor; what it makes has
//! a known shape, a known greatest length, and a known price in privacy.
//!
//! ```text
//!  report · gate
//!  treatment      (this file)
//!    number · place · window · pseudonym · noisy
//!  raw · shape · epoch
//!  steady
//! ```
//!
//! Every one takes the same time whatever it is given: comparisons, divisions and look-ups are those of `steady`.

mod noisy;
mod number;
mod place;
mod pseudonym;
mod window;

use rand_core::TryCryptoRng;

pub use self::noisy::Noisy;
pub use self::number::{AtLeast, Buckets, Clamped, CoarseTime, Dropped, OneOf, Rounded, RoundedTo, Sampled};
pub use self::place::{Geohash, Grid};
pub use self::pseudonym::{PSEUDONYM_LEN, Pseudonym};
pub use self::window::{Counts, Range};

use super::epoch::Epoch;
use super::shape::Shape;

/// What a treatment has made: the only thing that a report is encoded from.
#[derive(Clone, Copy)]
pub(crate) enum Treated {
    /// The field is left out.
    Nothing,
    Truth(bool),
    /// A number from 0 on, which [`Shape`] gives its meaning.
    Number(u64),
    Pair(u64, u64),
    Counts([u16; 32], u8),
    Text([u8; 12], u8),
    Bytes([u8; PSEUDONYM_LEN]),
}

/// Why a treatment made nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untreated {
    /// The random source failed.
    Random,
    /// There is no room for another remembered answer.
    MemoFull,
    /// The budget does not reach: the field is left out.
    Budget,
    /// An internal limit was met.
    Internal,
}

/// What a treatment may use beside the reading.
pub struct Aids<'a, R: ?Sized> {
    pub(crate) random: &'a mut R,
    /// Pseudonym and remembered answers.
    pub(crate) epoch: &'a mut Epoch,
    /// Number of the report.
    pub(crate) report: u16,
    /// Its version.
    pub(crate) version: u16,
    /// Number of the field.
    pub(crate) field: u8,
    /// Micro-epsilon that may still be spent.
    pub(crate) left: u64,
    /// Micro-epsilon that has been spent on this report.
    pub(crate) debit: u64,
}

impl<R: ?Sized> Aids<'_, R> {
    /// Number and version in one: what was kept for another version may have been of another field.
    pub(crate) fn report_and_version(&self) -> u32 {
        u32::from(self.report) << 16 | u32::from(self.version)
    }
}

impl<R: TryCryptoRng + ?Sized> Aids<'_, R> {
    /// Spends, or spends nothing if there is not enough.
    //= compliance/requirements.md#tele-4
    //# Noise whose debit is not covered by the budget MUST NOT be drawn.
    pub(crate) fn spend(&mut self, micro_epsilon: u64) -> Result<(), Untreated> {
        self.left = self.left.checked_sub(micro_epsilon).ok_or(Untreated::Budget)?;
        self.debit = self.debit.saturating_add(micro_epsilon);
        Ok(())
    }
}

mod sealed {
    pub trait Sealed {}
}
pub(crate) use sealed::Sealed;

/// A treatment of readings of type `T`. Not for applications to implement: what a treatment may give away is known for those that are here.
///
/// A treatment that does not fit the type does not compile: see [`report!`](crate::report).
#[diagnostic::on_unimplemented(
    message = "the treatment `{Self}` does not fit a reading of type `{T}`",
    label = "declared for this field"
)]
#[allow(private_bounds, private_interfaces)] // only its name is public
pub trait Treatment<T>: Sealed {
    #[doc(hidden)]
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        aids: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated>;
}

/// What a treatment does, for whoever reads the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It is read and never sent.
    Dropped,
    /// The nearest number of a range.
    Clamped,
    /// The nearest step of a range.
    Rounded,
    /// Which of some ranges it lies in; their lower edges, from the second range on.
    Buckets(&'static [i64]),
    /// Whether it reaches a limit.
    AtLeast(i64),
    /// One of a few kinds.
    OneOf,
    /// The period that it lies in, in seconds.
    CoarseTime(u32),
    /// The cell of a grid, in ten-millionths of a degree.
    Grid(u32),
    /// A geohash of so many letters.
    Geohash(u8),
    /// How many readings fell into each range.
    Counts,
    /// The smallest and the largest of a window, each rounded.
    Range,
    /// A name for the device that holds for an epoch.
    Pseudonym,
    /// Deliberately wrong with a known probability: the mechanism.
    Noise(&'static str),
}

/// What the declaration of a field says of its treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What it does.
    pub how: How,
    /// What comes out.
    pub shape: Shape,
    /// The field is sent once in so many reports.
    pub one_in: u32,
    /// What is debited each time that noise is drawn, in micro-epsilon; 0: there is no noise.
    pub micro_epsilon: u64,
    /// How long drawn noise is kept.
    pub keeping: Keeping,
}

impl Effect {
    pub(crate) const fn plain(how: How, shape: Shape) -> Self {
        Self {
            how,
            shape,
            one_in: 1,
            micro_epsilon: 0,
            keeping: Keeping::Fresh,
        }
    }
}

/// How long the answer of a noisy treatment is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keeping {
    /// It is drawn anew for each report, and debited each time.
    Fresh,
    /// One answer is given for a whole epoch.
    Epoch,
    /// One answer for each true value is given for a whole epoch; all of them are debited at the first.
    Value,
}
