//! Randomised treatments: a mechanism of [`noise`](crate::telemetry::noise), and how long its answer is kept.
//!
//! A mechanism that is asked again about the same reading gives another answer, and many answers give the reading away. Keeping one answer
//! stops that; keeping it for ever makes it a name for the device. So answers are kept for an epoch, as the pseudonym is, and every new one
//! is debited.

use rand_core::TryCryptoRng;

use super::{Aids, Effect, How, Keeping, Sealed, Treated, Treatment, Untreated};
use crate::telemetry::epoch::Question;
use crate::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, Mechanism as Randomise, OneBitMean, Response, Unary,
};
use crate::telemetry::raw::Number;
use crate::telemetry::shape::Shape;
use crate::telemetry::steady;

/// Values that answers may be kept for each by each.
const MOST_VALUES: usize = 16;

/// A mechanism, and how long its answer is kept.
///
/// ```
/// use bydesign::telemetry::Noisy;
/// use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace};
///
/// // Whether somebody was at home, one answer a week.
/// const AT_HOME: Noisy<BinaryResponse> = Noisy::for_an_epoch(BinaryResponse::with_epsilon::<1, 2>());
/// // Openings of a door, drawn anew each time, and paid for each time.
/// const OPENINGS: Noisy<DiscreteLaplace<20>> = Noisy::fresh(DiscreteLaplace::with_epsilon::<0, 1, 4>());
/// ```
///
/// # Security
///
/// | | what is debited | what all answers of an epoch tell |
/// | --- | --- | --- |
/// | [`Noisy::fresh`] | epsilon for each report | of each reading, epsilon; of one that stays the same, epsilon times the reports |
/// | [`Noisy::for_an_epoch`] | epsilon once | epsilon, of whatever the readings were: only the first counts |
/// | [`Noisy::for_each_value`] | epsilon times the values, once | of each value, epsilon. *When* the reading changes can show, because the answer may change with it |
#[derive(Clone, Copy)]
pub struct Noisy<M> {
    mechanism: M,
    keeping: Keeping,
}

impl<M: Copy> Noisy<M> {
    /// A new answer for each report. For readings that have nothing to do with the one before.
    #[must_use]
    pub const fn fresh(mechanism: M) -> Self {
        Self {
            mechanism,
            keeping: Keeping::Fresh,
        }
    }

    /// One answer, to the first reading of an epoch, for the whole epoch.
    #[must_use]
    pub const fn for_an_epoch(mechanism: M) -> Self {
        Self {
            mechanism,
            keeping: Keeping::Epoch,
        }
    }

    /// An answer to each of the values, for the whole epoch: of mechanisms for yes and no, and for up to 16 categories. With another one the
    /// declaration does not compile.
    #[must_use]
    pub const fn for_each_value(mechanism: M) -> Self {
        Self {
            mechanism,
            keeping: Keeping::Value,
        }
    }
}

/// What the treatments need of a mechanism.
trait Answers<T> {
    /// True values that it tells apart; 0: more than are kept one by one.
    const VALUES: u8;
    /// Whether its answers are yes and no.
    const IS_TRUTH: bool;
    /// The true value of a reading, of so many.
    fn value(&self, reading: &T) -> u8;
    /// An answer to a reading.
    fn answer<R: TryCryptoRng + ?Sized>(&self, reading: &T, random: &mut R) -> Result<u64, R::Error>;
    /// An answer to one of the true values.
    fn answer_to_value<R: TryCryptoRng + ?Sized>(&self, value: u8, random: &mut R) -> Result<u64, R::Error>;
}

impl Answers<bool> for BinaryResponse {
    const VALUES: u8 = 2;
    const IS_TRUTH: bool = true;

    fn value(&self, reading: &bool) -> u8 {
        u8::from(*reading)
    }

    fn answer<R: TryCryptoRng + ?Sized>(&self, reading: &bool, random: &mut R) -> Result<u64, R::Error> {
        self.randomise(*reading, random).map(u64::from)
    }

    fn answer_to_value<R: TryCryptoRng + ?Sized>(&self, value: u8, random: &mut R) -> Result<u64, R::Error> {
        self.randomise(value == 1, random).map(u64::from)
    }
}

/// The category of a number: one that is none counts as the last.
fn category<T: Number>(reading: &T, count: usize) -> u8 {
    let last = i64::try_from(count).unwrap_or(i64::MAX).wrapping_sub(1);
    u8::try_from(steady::clamp(reading.number(), 0, last)).unwrap_or(u8::MAX)
}

/// A number as the mechanisms take it. They bring it into their own range.
fn narrow<T: Number>(reading: &T) -> i32 {
    let number = steady::clamp(reading.number(), i64::from(i32::MIN), i64::from(i32::MAX));
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "compared")]
const fn values(count: usize) -> u8 {
    if count <= MOST_VALUES { count as u8 } else { 0 }
}

macro_rules! of_categories {
    ($mechanism:ident) => {
        impl<const K: usize, T: Number> Answers<T> for $mechanism<K> {
            const VALUES: u8 = values(K);
            const IS_TRUTH: bool = false;

            fn value(&self, reading: &T) -> u8 {
                category(reading, K)
            }

            fn answer<R: TryCryptoRng + ?Sized>(&self, reading: &T, random: &mut R) -> Result<u64, R::Error> {
                self.randomise(category(reading, K), random).map(u64::from)
            }

            fn answer_to_value<R: TryCryptoRng + ?Sized>(
                &self,
                value: u8,
                random: &mut R,
            ) -> Result<u64, R::Error> {
                self.randomise(value, random).map(u64::from)
            }
        }
    };
}

of_categories!(Response);
of_categories!(Unary);

impl<T: Number> Answers<T> for OneBitMean {
    const VALUES: u8 = 0;
    const IS_TRUTH: bool = true;

    fn value(&self, _: &T) -> u8 {
        0
    }

    fn answer<R: TryCryptoRng + ?Sized>(&self, reading: &T, random: &mut R) -> Result<u64, R::Error> {
        self.randomise(narrow(reading), random).map(u64::from)
    }

    fn answer_to_value<R: TryCryptoRng + ?Sized>(&self, _: u8, random: &mut R) -> Result<u64, R::Error> {
        self.randomise(self.lowest(), random).map(u64::from)
    }
}

impl<const SPAN: usize, T: Number> Answers<T> for DiscreteLaplace<SPAN> {
    const VALUES: u8 = 0;
    const IS_TRUTH: bool = false;

    fn value(&self, _: &T) -> u8 {
        0
    }

    fn answer<R: TryCryptoRng + ?Sized>(&self, reading: &T, random: &mut R) -> Result<u64, R::Error> {
        let answer = self.randomise(narrow(reading), random)?;
        Ok(i64::from(answer)
            .wrapping_sub(i64::from(self.lowest()))
            .cast_unsigned())
    }

    fn answer_to_value<R: TryCryptoRng + ?Sized>(&self, _: u8, random: &mut R) -> Result<u64, R::Error> {
        Answers::<i32>::answer(self, &self.lowest(), random)
    }
}

impl Noisy<BinaryResponse> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let epsilon = self.mechanism.epsilon().micros();
        effect("randomised response", Shape::Truth, epsilon, 2, self.keeping)
    }
}

macro_rules! of_many_values {
    ($mechanism:ident, $name:literal, $shape:expr) => {
        impl<const K: usize> Noisy<$mechanism<K>> {
            #[doc(hidden)]
            #[must_use]
            #[expect(clippy::cast_possible_truncation, reason = "at most 256")]
            pub const fn effect(&self) -> Effect {
                let epsilon = self.mechanism.epsilon().micros();
                effect($name, $shape, epsilon, K as u64, self.keeping)
            }
        }
    };
}

of_many_values!(Response, "randomised response", Shape::Choice { count: K as u32 });
of_many_values!(Unary, "unary encoding", Shape::Bits { count: K as u8 });

impl Noisy<OneBitMean> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let epsilon = self.mechanism.epsilon().micros();
        effect("one bit for the mean", Shape::Truth, epsilon, 0, self.keeping)
    }
}

impl<const SPAN: usize> Noisy<DiscreteLaplace<SPAN>> {
    #[doc(hidden)]
    #[must_use]
    pub const fn effect(&self) -> Effect {
        let shape = Shape::Steps {
            low: self.mechanism.lowest() as i64,
            step: 1,
            last: SPAN as u64,
        };
        effect(
            "discrete Laplace noise",
            shape,
            self.mechanism.epsilon().micros(),
            0,
            self.keeping,
        )
    }
}

/// Where an answer to each value is kept, all of them are debited together: which ones were asked for would tell of the readings.
const fn effect(name: &'static str, shape: Shape, epsilon: u64, values: u64, keeping: Keeping) -> Effect {
    assert!(
        !matches!(keeping, Keeping::Value) || (values > 0 && values <= MOST_VALUES as u64),
        "answers are kept for each of 2 to 16 values, and for a whole range only one"
    );
    let draws = match keeping {
        Keeping::Value => values,
        Keeping::Fresh | Keeping::Epoch => 1,
    };
    Effect {
        how: How::Noise(name),
        shape,
        one_in: 1,
        micro_epsilon: epsilon.saturating_mul(draws),
        keeping,
    }
}

impl<M> Sealed for Noisy<M> {}
#[allow(private_interfaces, private_bounds)]
impl<T, M: Answers<T> + Randomise> Treatment<T> for Noisy<M> {
    //= compliance/requirements.md#tele-6
    //# An answer MUST be drawn once in an epoch where it is declared to be kept, and every draw MUST be debited.
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        reading: &T,
        aids: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        let one = self.mechanism.epsilon().micros();
        let answer = match self.keeping {
            Keeping::Fresh => {
                aids.spend(one)?;
                self.mechanism.answer(reading, aids.random)
            }
            Keeping::Epoch => {
                if !aids.epoch.has_answers(aids.report_and_version(), aids.field) {
                    aids.spend(one)?;
                    let drawn = self.mechanism.answer(reading, aids.random);
                    keep(0, drawn.map_err(|_| Untreated::Random)?, aids)?;
                }
                Ok(aids.epoch.answer(question(aids, 0)))
            }
            Keeping::Value => {
                if !aids.epoch.has_answers(aids.report_and_version(), aids.field) {
                    aids.spend(one.saturating_mul(u64::from(M::VALUES)))?;
                    for value in 0..M::VALUES {
                        let drawn = self.mechanism.answer_to_value(value, aids.random);
                        keep(value, drawn.map_err(|_| Untreated::Random)?, aids)?;
                    }
                }
                Ok(aids.epoch.answer(question(aids, self.mechanism.value(reading))))
            }
        };
        let answer = answer.map_err(|_: R::Error| Untreated::Random)?;
        Ok(if M::IS_TRUTH {
            Treated::Truth(answer == 1)
        } else {
            Treated::Number(answer)
        })
    }
}

fn keep<R: ?Sized>(value: u8, answer: u64, aids: &mut Aids<'_, R>) -> Result<(), Untreated> {
    let question = question(aids, value);
    if aids.epoch.remember(question, answer) {
        Ok(())
    } else {
        Err(Untreated::MemoFull)
    }
}

fn question<R: ?Sized>(aids: &Aids<'_, R>, value: u8) -> Question {
    Question {
        report: aids.report_and_version(),
        field: aids.field,
        value,
    }
}
