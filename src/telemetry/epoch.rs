//! What holds for one epoch of a consent class: the seed of the pseudonyms and the answers that were drawn. One item in the store, under the key of
//! the class; the next epoch replaces it whole.
//!
//! ```text
//!  gate
//!  treatment
//!  epoch     (this file)
//! ```
//!
//! ```text
//! offset  bytes
//! 0       1      version of this layout: 1
//! 1       1      1: earlier ones of this item may still lie on write-once flash
//! 2       4      number of the epoch
//! 6       4      how often this item was written
//! 10      32     seed
//! 42      14 × n answers: version and number of the report 4, field 1, value 1, answer 8
//! ```

use rand_core::TryCryptoRng;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::crypto::{self, Label, Refused};
use crate::secret::Secret;

/// Answers that are remembered in one consent class at a time.
pub const MOST_ANSWERS: usize = 32;

const VERSION: u8 = 1;
const ANSWERS_START: usize = 42;
const ANSWER_LEN: usize = 14;

/// The longest form on flash.
pub(crate) const EPOCH_LEN: usize = ANSWERS_START + ANSWER_LEN * MOST_ANSWERS;

/// Which answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Number of the report, and its version below: another version may mean another field.
    pub(crate) report: u32,
    pub(crate) field: u8,
    /// The true value, of those that a treatment tells apart; 0 where one answer is given for all.
    pub(crate) value: u8,
}

#[derive(Clone, Copy, Default, Zeroize)]
struct Answer {
    report: u32,
    field: u8,
    value: u8,
    given: u64,
}

/// Wiped when it is dropped.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Epoch {
    pub(crate) number: u32,
    /// How often the item was written; a report that was prepared before the last time is no more released.
    pub(crate) written: u32,
    /// Whether earlier versions of the item may still lie on the flash.
    pub(crate) is_to_be_swept: bool,
    /// Whether it differs from what is on flash.
    pub(crate) is_changed: bool,
    seed: Secret<32>,
    answers: [Answer; MOST_ANSWERS],
    count: usize,
}

impl Epoch {
    /// The epoch after another one, or the first. Nothing of the earlier one is kept but what the new seed was mixed with, so that a
    /// random source that has turned bad does not make it known.
    pub(crate) fn begin<R: TryCryptoRng + ?Sized>(
        number: u32,
        before: Option<&Self>,
        random: &mut R,
    ) -> Result<Self, Refused> {
        let fresh = crypto::fresh_key(random)?;
        let none = Secret::new([0; 32]);
        let salt = before.map_or(&none, |before| &before.seed);
        let seed = crypto::derive(
            salt.expose(),
            &[fresh.expose()],
            Label::TelemetrySeed,
            &[&number.to_le_bytes(), &[], &[], &[]],
        )?;
        Ok(Self {
            number,
            written: before.map_or(0, |before| before.written),
            is_to_be_swept: before.is_some(),
            is_changed: true,
            seed,
            answers: [Answer::default(); MOST_ANSWERS],
            count: 0,
        })
    }

    /// The pseudonym that a field of a report shows.
    //= compliance/requirements.md#tele-13
    //# Two reports of different epochs MUST NOT share anything that names the device.
    pub(crate) fn pseudonym<const N: usize>(&self, report: u16, field: u8) -> Option<[u8; N]> {
        let context: [&[u8]; 4] = [&self.number.to_le_bytes(), &report.to_le_bytes(), &[field], &[]];
        let derived = crypto::derive(&[], &[self.seed.expose()], Label::Pseudonym, &context);
        derived.ok().map(|pseudonym: Secret<N>| *pseudonym.expose())
    }

    fn known(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().take(self.count)
    }

    /// Whether answers of a field have been drawn.
    pub(crate) fn has_answers(&self, report: u32, field: u8) -> bool {
        self.known()
            .any(|answer| answer.report == report && answer.field == field)
    }

    /// The answer to a question that [`Epoch::has_answers`]; looks at all of them, whatever the value is.
    pub(crate) fn answer(&self, question: Question) -> u64 {
        let of_field = self
            .known()
            .filter(|answer| answer.report == question.report && answer.field == question.field);
        of_field.fold(0, |found, answer| {
            let is_it = Choice::from(u8::from(answer.value ^ question.value == 0));
            u64::conditional_select(&found, &answer.given, is_it)
        })
    }

    /// Keeps an answer for the rest of the epoch. Gives whether there was room.
    #[must_use]
    pub(crate) fn remember(&mut self, question: Question, answer: u64) -> bool {
        let Some(place) = self.answers.get_mut(self.count) else {
            return false;
        };
        *place = Answer {
            report: question.report,
            field: question.field,
            value: question.value,
            given: answer,
        };
        self.count = self.count.saturating_add(1);
        self.is_changed = true;
        true
    }

    /// The form on flash, with one more writing counted; gives its length.
    pub(crate) fn write(&mut self, out: &mut [u8; EPOCH_LEN]) -> usize {
        self.written = self.written.saturating_add(1);
        let head = [VERSION, u8::from(self.is_to_be_swept)].into_iter();
        let numbers = self
            .number
            .to_le_bytes()
            .into_iter()
            .chain(self.written.to_le_bytes());
        let seed = self.seed.expose().iter().copied();
        let answers = self.known().flat_map(|known| {
            let place = [known.field, known.value].into_iter();
            known
                .report
                .to_le_bytes()
                .into_iter()
                .chain(place)
                .chain(known.given.to_le_bytes())
        });
        let bytes = head.chain(numbers).chain(seed).chain(answers);
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        ANSWERS_START.saturating_add(self.count.saturating_mul(ANSWER_LEN))
    }

    /// Reads the form on flash.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version, swept], rest) = bytes.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (written, rest) = rest.split_first_chunk()?;
        let (seed, mut rest) = rest.split_first_chunk::<32>()?;
        if version != VERSION || swept > 1 {
            return None;
        }
        let mut epoch = Self {
            number: u32::from_le_bytes(*number),
            written: u32::from_le_bytes(*written),
            is_to_be_swept: swept == 1,
            is_changed: false,
            seed: Secret::new(*seed),
            answers: [Answer::default(); MOST_ANSWERS],
            count: 0,
        };
        while !rest.is_empty() {
            let (report, after) = rest.split_first_chunk()?;
            let (&[field, value], after) = after.split_first_chunk()?;
            let (answer, after) = after.split_first_chunk()?;
            let question = Question {
                report: u32::from_le_bytes(*report),
                field,
                value,
            };
            if !epoch.remember(question, u64::from_le_bytes(*answer)) {
                return None;
            }
            rest = after;
        }
        epoch.is_changed = false;
        Some(epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha20Rng;
    use chacha20::rand_core::SeedableRng;

    #[test]
    fn an_epoch_comes_back_from_its_bytes_and_no_other_length_does() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut epoch = Epoch::begin(7, None, &mut random).unwrap();
        for value in 0..5 {
            let question = Question {
                report: 300,
                field: 2,
                value,
            };
            assert!(epoch.remember(question, u64::from(value) << 33));
        }
        let mut bytes = [0; EPOCH_LEN];
        let len = epoch.write(&mut bytes);
        let read = Epoch::from_bytes(&bytes[..len]).unwrap();
        assert_eq!((read.number, read.written, read.is_changed), (7, 1, false));
        assert_eq!(read.pseudonym::<8>(1, 0), epoch.pseudonym::<8>(1, 0));
        let asked = Question {
            report: 300,
            field: 2,
            value: 4,
        };
        assert_eq!(read.answer(asked), 4 << 33);
        assert!(read.has_answers(300, 2) && !read.has_answers(301, 2) && !read.has_answers(300, 3));
        assert!(Epoch::from_bytes(&bytes[..len - 1]).is_none());
        assert!(Epoch::from_bytes(&[]).is_none());
    }

    #[test]
    fn pseudonyms_differ_by_epoch_report_and_field() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let first = Epoch::begin(1, None, &mut random).unwrap();
        let second = Epoch::begin(2, Some(&first), &mut random).unwrap();
        let all = [
            first.pseudonym::<8>(1, 0),
            first.pseudonym::<8>(2, 0),
            first.pseudonym::<8>(1, 1),
            second.pseudonym::<8>(1, 0),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(one.is_some() && !all[..at].contains(one), "{at}");
        }
    }

    #[test]
    fn a_stuck_random_source_begins_no_epoch() {
        struct Stuck;
        impl rand_core::TryRng for Stuck {
            type Error = core::convert::Infallible;
            fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
                Ok(7)
            }
            fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
                Ok(7)
            }
            fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
                bytes.fill(7);
                Ok(())
            }
        }
        impl TryCryptoRng for Stuck {}
        assert!(Epoch::begin(1, None, &mut Stuck).is_err());
    }
}
