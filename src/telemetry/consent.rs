//! What the user has said: one answer for each purpose, with the day, the version of the declaration and a fingerprint of the terms.
//!
//! ```text
//!  gate
//!  consent   (this file)
//! ```
//!
//! One item among the owner's settings: a new owner is asked again.
//!
//! ```text
//! offset  bytes
//! 0       1       version of this layout: 1
//! 1       4       how often the user has answered
//! 5       12 × n  purpose 1, answer 1 (0 refused, 1 granted, 2 being withdrawn), version of the declaration 2, day 4, terms 4
//! ```

use super::raw::Time;

const VERSION: u8 = 1;
const HEAD_LEN: usize = 5;
const ENTRY_LEN: usize = 12;

/// Purposes that one declaration has at most.
pub const MOST_PURPOSES: usize = 16;

/// The longest form on flash.
pub(crate) const CONSENT_LEN: usize = HEAD_LEN + ENTRY_LEN * MOST_PURPOSES;

/// What a user has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Refused, or withdrawn.
    Refused,
    /// Granted.
    Granted,
    /// Withdrawn, and what was gathered is not erased yet: the next call of the gate does that before anything else.
    BeingWithdrawn,
}

/// A consent as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Number of the purpose.
    pub purpose: u8,
    /// The answer.
    pub answer: Answer,
    /// Version of the declaration that the user was shown.
    pub version: u16,
    /// The day of the answer: no finer time is kept.
    pub day: u32,
    /// Fingerprint of what was declared for the purpose.
    pub terms: u32,
}

/// All consents of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Consents {
    /// How often the user has answered: a report that was prepared before the last time is no more released.
    pub(crate) answers: u32,
    entries: [Option<Consent>; MOST_PURPOSES],
}

impl Consents {
    pub(crate) fn of(&self, purpose: u8) -> Option<Consent> {
        self.entries
            .iter()
            .flatten()
            .find(|consent| consent.purpose == purpose)
            .copied()
    }

    /// Puts what the user says now in place of an earlier answer. Gives whether there was room.
    #[must_use]
    pub(crate) fn answer(&mut self, consent: Consent) -> bool {
        self.answers = self.answers.wrapping_add(1);
        self.set(consent)
    }

    /// Puts an answer in place of an earlier one. Gives whether there was room.
    #[must_use]
    pub(crate) fn set(&mut self, consent: Consent) -> bool {
        let is_same =
            |entry: &&mut Option<Consent>| entry.is_some_and(|existing| existing.purpose == consent.purpose);
        if let Some(entry) = self.entries.iter_mut().find(is_same) {
            *entry = Some(consent);
            return true;
        }
        match self.entries.iter_mut().find(|entry| entry.is_none()) {
            Some(entry) => {
                *entry = Some(consent);
                true
            }
            None => false,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Consent> + '_ {
        self.entries.iter().flatten().copied()
    }

    /// The form on flash; gives its length.
    pub(crate) fn to_bytes(self, out: &mut [u8; CONSENT_LEN]) -> usize {
        let entries = self.all().flat_map(|consent| {
            let answer = match consent.answer {
                Answer::Refused => 0,
                Answer::Granted => 1,
                Answer::BeingWithdrawn => 2,
            };
            [consent.purpose, answer]
                .into_iter()
                .chain(consent.version.to_le_bytes())
                .chain(consent.day.to_le_bytes())
                .chain(consent.terms.to_le_bytes())
        });
        let bytes = [VERSION]
            .into_iter()
            .chain(self.answers.to_le_bytes())
            .chain(entries);
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        HEAD_LEN + self.all().count().saturating_mul(ENTRY_LEN)
    }

    /// Reads the form on flash; `None` is no consent to anything.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (answers, mut rest) = rest.split_first_chunk()?;
        if version != VERSION {
            return None;
        }
        let mut consents = Self {
            answers: u32::from_le_bytes(*answers),
            ..Self::default()
        };
        while !rest.is_empty() {
            let (&[purpose, answer], after) = rest.split_first_chunk()?;
            let (version, after) = after.split_first_chunk()?;
            let (day, after) = after.split_first_chunk()?;
            let (terms, after) = after.split_first_chunk()?;
            let consent = Consent {
                purpose,
                answer: match answer {
                    0 => Answer::Refused,
                    1 => Answer::Granted,
                    2 => Answer::BeingWithdrawn,
                    _ => return None,
                },
                version: u16::from_le_bytes(*version),
                day: u32::from_le_bytes(*day),
                terms: u32::from_le_bytes(*terms),
            };
            if !consents.set(consent) {
                return None;
            }
            rest = after;
        }
        Some(consents)
    }
}

/// A consent, given or refused now.
pub(crate) fn answered(purpose: u8, answer: Answer, version: u16, terms: u32, now: Time) -> Consent {
    Consent {
        purpose,
        answer,
        version,
        day: now.day(),
        terms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consents_come_back_from_their_bytes_and_nothing_else_does() {
        let mut consents = Consents::default();
        for purpose in 0..16 {
            let granted = answered(purpose, Answer::Granted, 2, 0xdead_beef, Time::of(86_400 * 9 + 5));
            assert!(consents.set(granted));
        }
        assert!(
            !consents.set(answered(99, Answer::Granted, 1, 1, Time::of(0))),
            "there is no seventeenth"
        );
        assert!(consents.set(answered(3, Answer::BeingWithdrawn, 2, 1, Time::of(0))));
        let now = answered(4, Answer::Granted, 2, 0xdead_beef, Time::of(86_400 * 9 + 5));
        assert!(consents.answer(now) && consents.answers == 1);
        let mut bytes = [0; CONSENT_LEN];
        let len = consents.to_bytes(&mut bytes);
        assert_eq!(Consents::from_bytes(&bytes[..len]), Some(consents));
        assert_eq!(consents.of(4).unwrap().day, 9);
        assert_eq!(Consents::from_bytes(&bytes[..len - 1]), None);
        assert_eq!(
            Consents::from_bytes(&[2, 0, 0, 0, 0]),
            None,
            "a later version is not understood"
        );
        bytes[6] = 3;
        assert_eq!(Consents::from_bytes(&bytes[..len]), None, "no such answer");
    }
}
