//! What is shown before an erasure, and what came of it.

use core::fmt;

use super::area::{Area, Cleared, LONGEST_NAME, Level, MOST_AREAS, Media, Residual};
use super::note::{Flags, Note, Outcome, Stage, fingerprint};
use super::scope::{Kept, Kind, Scope};
use crate::store::Amount;

/// What an erasure will take, to be shown before the user confirms. It is the only thing that [`Eraser::carry_out`](super::Eraser::carry_out) takes:
/// nothing is erased that was not planned.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "nothing is erased before the plan is carried out"]
pub struct Plan<'s> {
    pub(crate) scope: Scope<'s>,
    pub(crate) going: Amount,
    pub(crate) staying: Amount,
    pub(crate) classes: u32,
    pub(crate) areas: u32,
    pub(crate) pages: u32,
    pub(crate) keeps: Kept,
}

impl Plan<'_> {
    /// What it was made for.
    #[must_use]
    pub const fn scope(&self) -> Kind {
        self.scope.kind()
    }

    /// Items and bytes that go.
    #[must_use]
    pub const fn going(&self) -> Amount {
        self.going
    }

    /// Items and bytes that stay.
    #[must_use]
    pub const fn staying(&self) -> Amount {
        self.staying
    }

    /// Class keys that are destroyed.
    #[must_use]
    pub const fn classes(&self) -> u32 {
        self.classes
    }

    /// Areas that are erased.
    #[must_use]
    pub const fn areas(&self) -> u32 {
        self.areas
    }

    /// Pages that are swept: each costs an erase.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }
}

/// A few sentences for a screen. It names no item.
impl fmt::Display for Plan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "Erase: {}.", self.scope().words())?;
        writeln!(
            formatter,
            "Goes: {} items, {} bytes, {} keys, {} areas outside the store.",
            self.going.items, self.going.bytes, self.classes, self.areas
        )?;
        write!(
            formatter,
            "Stays: {} items, {} bytes.",
            self.staying.items, self.staying.bytes
        )
    }
}

/// The name of an area, copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AreaName {
    bytes: [u8; LONGEST_NAME],
    len: usize,
}

impl AreaName {
    fn of(name: &str) -> Self {
        let mut bytes = [0; LONGEST_NAME];
        for (to, from) in bytes.iter_mut().zip(name.as_bytes()) {
            *to = *from;
        }
        Self {
            bytes,
            len: name.len().min(LONGEST_NAME),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for AreaName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(formatter)
    }
}

/// What came of one area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaReport {
    /// Its name; empty if this firmware knows no such area any more.
    pub name: AreaName,
    /// What was achieved; `None`: it failed, and is tried again at the next boot.
    pub cleared: Option<Cleared>,
}

/// What the canary showed. It is written into what is to be erased, for no other purpose. All that says is what the device saw itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// It opened before. `false` also if there was no room for one, if a power cut came between, or if no key was to be destroyed.
    pub opened_before: bool,
    /// Its record was still there afterwards, and no key at hand opened it.
    pub failed_after: bool,
}

/// What came of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The erasures of a store are counted from 1.
    pub number: u32,
    /// What was to be erased.
    pub scope: Kind,
    /// When, as the caller's clock had it: seconds since 1970.
    pub time: Option<u64>,
    /// Items and bytes that went.
    pub gone: Amount,
    /// Items and bytes that stay.
    pub left: Amount,
    /// Class keys destroyed.
    pub classes: u32,
    /// Pages emptied and erased to get rid of sealed records, since the last start.
    pub pages: u32,
    /// What lies under the store.
    pub media: Media,
    /// What was achieved in the store.
    pub store: Cleared,
    /// What the canary showed.
    pub canary: Canary,
    /// What was achieved elsewhere.
    pub areas: [Option<AreaReport>; MOST_AREAS],
    /// A decommissioning whose receipt has not been exported: the identity is still there.
    pub identity_pending: bool,
}

impl Report {
    pub(crate) fn of(note: &Note, registered: &[&mut dyn Area]) -> Self {
        let media = if note.flags.has(Flags::RAW) {
            Media::RawFlash
        } else {
            Media::Managed
        };
        let canary = Canary {
            opened_before: note.flags.has(Flags::CANARY_OPENED),
            failed_after: note.flags.has(Flags::CANARY_FAILED),
        };
        let swept = note.flags.has(Flags::SWEEP) && note.flags.has(Flags::NO_RECORDS);
        let level = match note.scope {
            Kind::Item if note.flags.has(Flags::OVERWRITES) => Level::Overwritten,
            Kind::Item => Level::PageErased,
            _ => Level::KeyDestroyed,
        };
        let verified = note.flags.has(Flags::SEEN);
        let residual = match (media, note.scope) {
            (Media::Managed, _) => Residual::HiddenCopies,
            // What is left of an item opens under a key that is there; so does a secret that was not rotated.
            (Media::RawFlash, Kind::Item | Kind::OwnershipTransfer) if !verified => Residual::Unknown,
            (Media::RawFlash, Kind::Item) => Residual::Nothing,
            (Media::RawFlash, _) if swept => Residual::Nothing,
            (Media::RawFlash, _) => Residual::SealedRecords,
        };
        let store = Cleared {
            level,
            verified,
            residual,
        };
        let areas = note.areas.map(|area| {
            let area = area?;
            let known = registered
                .iter()
                .find(|known| fingerprint(&***known) == area.fingerprint);
            Some(AreaReport {
                name: AreaName::of(known.map_or("", |known| known.name())),
                cleared: match area.outcome {
                    Outcome::Pending(_) => None,
                    Outcome::Cleared(cleared) => Some(cleared),
                },
            })
        });
        Self {
            number: note.number,
            scope: note.scope,
            time: (note.time > 0).then_some(note.time),
            gone: note.gone,
            left: note.left,
            classes: note.classes,
            pages: note.swept,
            media,
            store,
            canary,
            areas,
            identity_pending: matches!(note.stage, Stage::AwaitingExport | Stage::Destroying),
        }
    }

    /// Whether nothing is left to do, but for an identity that waits for the export of the receipt.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.areas.iter().flatten().all(|area| area.cleared.is_some())
    }
}

/// How far a slow erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The keys are being destroyed.
    Keys,
    /// The area with this number, of all that go, is being erased.
    Area {
        /// Counted from 0.
        number: u32,
        /// How many there are.
        of: u32,
    },
    /// Pages are being swept.
    Sweep {
        /// So many are.
        done: u32,
        /// Of about so many.
        of: u32,
    },
    /// What was done is being looked at.
    Verify,
    /// The medium is being erased.
    Medium {
        /// So many pages are.
        done: u32,
        /// Of so many.
        of: u32,
    },
}
