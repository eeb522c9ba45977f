//! What is noted on flash of an erasure: enough to go on with it after a power cut, and to report on it when it is over.
//!
//! ```text
//! offset  bytes
//! 0       1      stage: 0 complete, 1 begun, 2 awaiting export, 3 destroying
//! 1       1      scope
//! 2       1      flags
//! 3       1      version of this layout: 1
//! 4       4      number of the erasure, counted from 1
//! 8       4      user, of the scope of one user, until it is complete
//! 12      16     items and bytes that went, items and bytes that stay
//! 28      4      class keys destroyed
//! 32      4      pages swept
//! 36      8      time that the caller gave, in seconds; 0: none
//! 44      8 × 5  areas: fingerprint of the name, outcome
//! 84      9      how many classes of the application stay, their numbers
//! 93      1      how many secrets are to be rotated
//! 94      2      zeros
//! ```

use super::area::{Area, Cleared, Level, MOST_AREAS, Residual};
use super::scope::{Kept, Kind, MOST_KEPT, Takes};
use crate::crypto;
use crate::secret::Secret;
use crate::store::{Amount, COMPLETE, NOTE_LEN, UserId};

const VERSION: u8 = 1;

/// How far an erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Complete,
    /// Nothing of the scope may be read any more.
    Begun,
    /// A decommissioning: all is gone but the identity, which signs the receipt.
    AwaitingExport,
    /// The identity is to go, too.
    Destroying,
}

impl Stage {
    const fn number(self) -> u8 {
        match self {
            Self::Complete => COMPLETE,
            Self::Begun => 1,
            Self::AwaitingExport => 2,
            Self::Destroying => 3,
        }
    }
}

/// The outcome of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Of an erasure of this scope, which may be an earlier one.
    Pending(Kind),
    Cleared(Cleared),
}

/// An area of the scope, known by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotedArea {
    pub(crate) fingerprint: u32,
    pub(crate) outcome: Outcome,
}

/// What is on flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) stage: Stage,
    pub(crate) scope: Kind,
    pub(crate) flags: Flags,
    pub(crate) number: u32,
    pub(crate) user: UserId,
    pub(crate) gone: Amount,
    pub(crate) left: Amount,
    pub(crate) classes: u32,
    pub(crate) swept: u32,
    pub(crate) time: u64,
    pub(crate) areas: [Option<NotedArea>; MOST_AREAS],
    pub(crate) keeps: Kept,
    pub(crate) rotates: u8,
}

/// What was asked for, and what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    /// Sealed records go, too.
    pub(crate) const SWEEP: u8 = 1;
    /// Cells are where the addresses say.
    pub(crate) const RAW: u8 = 1 << 1;
    /// The canary opened before.
    pub(crate) const CANARY_OPENED: u8 = 1 << 2;
    /// And did not afterwards.
    pub(crate) const CANARY_FAILED: u8 = 1 << 3;
    /// All was looked at that shows that it was done.
    pub(crate) const SEEN: u8 = 1 << 4;
    /// No record of a destroyed key was left.
    pub(crate) const NO_RECORDS: u8 = 1 << 5;
    /// The medium overwrites what is removed.
    pub(crate) const OVERWRITES: u8 = 1 << 6;

    pub(crate) const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8, value: bool) {
        if value {
            self.0 |= flag;
        } else {
            self.0 &= !flag;
        }
    }
}

impl Note {
    pub(crate) fn to_bytes(self) -> [u8; NOTE_LEN] {
        let mut bytes = [0; NOTE_LEN];
        let mut writer = bytes.iter_mut();
        let mut write = |value: &[u8]| {
            // In this order: the end of the value takes no byte of the note.
            for (from, to) in value.iter().zip(writer.by_ref()) {
                *to = *from;
            }
        };
        write(&[self.stage.number(), self.scope.number(), self.flags.0, VERSION]);
        for value in [
            self.number,
            self.user.0,
            self.gone.items,
            self.gone.bytes,
            self.left.items,
            self.left.bytes,
            self.classes,
            self.swept,
        ] {
            write(&value.to_le_bytes());
        }
        write(&self.time.to_le_bytes());
        for area in self.areas {
            let (fingerprint, outcome) = match area {
                None => (0, 0),
                Some(area) => (area.fingerprint, area.outcome.to_byte()),
            };
            write(&fingerprint.to_le_bytes());
            write(&[outcome]);
        }
        write(&[self.keeps.len]);
        write(&self.keeps.numbers);
        write(&[self.rotates]);
        bytes
    }

    /// `None` if it is none that this version writes.
    pub(crate) fn from_bytes(bytes: &[u8; NOTE_LEN]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let [stage, scope, flags, version] = *head;
        if version != VERSION {
            return None;
        }
        let (numbers, rest) = rest.split_at_checked(32)?;
        let mut numbers = numbers
            .chunks_exact(4)
            .filter_map(|bytes| bytes.first_chunk().copied().map(u32::from_le_bytes));
        let mut next = || numbers.next();
        let (number, user) = (next()?, UserId(next()?));
        let gone = Amount {
            items: next()?,
            bytes: next()?,
        };
        let left = Amount {
            items: next()?,
            bytes: next()?,
        };
        let (classes, swept) = (next()?, next()?);
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (noted_areas, rest) = rest.split_at_checked(5 * MOST_AREAS)?;
        let (&[kept], rest) = rest.split_first_chunk::<1>()?;
        let (numbers, rest) = rest.split_first_chunk::<MOST_KEPT>()?;
        let rotates = *rest.first()?;
        if usize::from(kept) > MOST_KEPT {
            return None;
        }
        let mut areas = [None; MOST_AREAS];
        for (area, bytes) in areas.iter_mut().zip(noted_areas.chunks_exact(5)) {
            let (fingerprint, outcome) = bytes.split_first_chunk::<4>()?;
            *area = match *outcome.first()? {
                0 => None,
                outcome => Some(NotedArea {
                    fingerprint: u32::from_le_bytes(*fingerprint),
                    outcome: Outcome::from_byte(outcome)?,
                }),
            };
        }
        let stages = [
            Stage::Complete,
            Stage::Begun,
            Stage::AwaitingExport,
            Stage::Destroying,
        ];
        Some(Self {
            stage: stages.into_iter().find(|known| known.number() == stage)?,
            scope: Kind::from_number(scope)?,
            flags: Flags(flags),
            number,
            user,
            gone,
            left,
            classes,
            swept,
            time: u64::from_le_bytes(*time),
            areas,
            keeps: Kept {
                numbers: *numbers,
                len: kept,
            },
            rotates,
        })
    }

    /// What goes by its key.
    pub(crate) const fn takes(&self) -> Takes {
        Takes {
            kind: self.scope,
            user: self.user,
            keeps: self.keeps,
        }
    }

    /// Whether an area failed that is to be tried again.
    pub(crate) fn has_pending_areas(&self) -> bool {
        self.areas
            .iter()
            .flatten()
            .any(|area| matches!(area.outcome, Outcome::Pending(_)))
    }

    /// Adds what is to be erased, if it is not among them. Gives whether there is room.
    pub(crate) fn add_pending(&mut self, fingerprint: u32, scope: Kind) -> bool {
        if self
            .areas
            .iter()
            .flatten()
            .any(|area| area.fingerprint == fingerprint)
        {
            return true;
        }
        let free = self.areas.iter_mut().find(|area| area.is_none());
        free.is_some_and(|area| {
            *area = Some(NotedArea {
                fingerprint,
                outcome: Outcome::Pending(scope),
            });
            true
        })
    }
}

impl Outcome {
    const PENDING: u8 = 0x80;
    const VERIFIED: u8 = 1 << 3;

    fn to_byte(self) -> u8 {
        match self {
            Self::Pending(scope) => Self::PENDING | scope.number(),
            Self::Cleared(cleared) => {
                let verified = if cleared.verified { Self::VERIFIED } else { 0 };
                cleared.level.number() | verified | cleared.residual.number() << 4
            }
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        if byte & Self::PENDING != 0 {
            return Kind::from_number(byte & !Self::PENDING).map(Self::Pending);
        }
        Some(Self::Cleared(Cleared {
            level: Level::from_number(byte & 7)?,
            verified: byte & Self::VERIFIED != 0,
            residual: Residual::from_number(byte >> 4)?,
        }))
    }
}

/// What tells areas apart in a note. Names are the firmware's and no secret.
pub(crate) fn fingerprint(area: &dyn Area) -> u32 {
    let [a, b, c, d, ..] =
        crypto::fingerprint(&Secret::new([0; 16]), &[area.name().as_bytes()]).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> Note {
        let mut areas = [None; MOST_AREAS];
        areas[0] = Some(NotedArea {
            fingerprint: 0x1234_5678,
            outcome: Outcome::Pending(Kind::AllUsers),
        });
        areas[7] = Some(NotedArea {
            fingerprint: 9,
            outcome: Outcome::Cleared(Cleared {
                level: Level::Delegated,
                verified: true,
                residual: Residual::Unknown,
            }),
        });
        Note {
            stage: Stage::AwaitingExport,
            scope: Kind::OwnershipTransfer,
            flags: Flags(Flags::SWEEP | Flags::OVERWRITES),
            number: 1,
            user: UserId(2),
            gone: Amount { items: 3, bytes: 4 },
            left: Amount { items: 5, bytes: 6 },
            classes: 7,
            swept: 8,
            time: 0x0102_0304_0506_0708,
            areas,
            keeps: Kept::of(&[9, 8]),
            rotates: 3,
        }
    }

    #[test]
    fn a_note_survives_its_bytes_and_fills_them_to_the_last_area() {
        let bytes = note().to_bytes();
        assert_eq!(Note::from_bytes(&bytes), Some(note()));
        assert_eq!(bytes[83], Level::Delegated.number() | 1 << 3 | 3 << 4);
        assert_eq!(bytes[84..], [2, 9, 8, 0, 0, 0, 0, 0, 0, 3, 0, 0]);
    }

    #[test]
    fn every_outcome_survives_its_byte() {
        let mut seen = std::collections::BTreeSet::new();
        for level in Level::ALL {
            for residual in Residual::ALL {
                for verified in [false, true] {
                    let outcome = Outcome::Cleared(Cleared {
                        level,
                        verified,
                        residual,
                    });
                    assert_eq!(Outcome::from_byte(outcome.to_byte()), Some(outcome));
                    assert!(seen.insert(outcome.to_byte()), "two outcomes share a byte");
                }
            }
        }
        for scope in Kind::ALL {
            let pending = Outcome::Pending(scope);
            assert_eq!(Outcome::from_byte(pending.to_byte()), Some(pending));
            assert!(seen.insert(pending.to_byte()), "two outcomes share a byte");
        }
        assert!(!seen.contains(&0));
    }

    #[test]
    fn a_note_of_another_version_stage_or_scope_is_none() {
        for (at, value) in [(0, 4), (1, 0), (1, 7), (3, 2), (48, 0xff), (48, 0x80), (84, 9)] {
            let mut bytes = note().to_bytes();
            bytes[at] = value;
            assert_eq!(Note::from_bytes(&bytes), None, "byte {at}");
        }
    }
}
