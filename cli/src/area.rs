//! The areas of a map: what a reviewer wants to tell apart at a glance.
//!
//! ```text
//!  map · inspect · residue
//!  area     (this file)
//!  bydesign::store::inspect
//! ```

use bydesign::store::inspect::{Piece, RecordKind, State, What};

/// What bytes are to a reviewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // `name` says it
pub enum Area {
    Keys,
    FormerKeys,
    Structure,
    Live,
    Sealed,
    Opened,
    Superseded,
    Removed,
    Unaccepted,
    Dead,
    Wiped,
    Unknown,
    Mark,
    Blank,
    Missing,
}

impl Area {
    /// All of them, in the order of the legend.
    pub const ALL: [Self; 15] = [
        Self::Keys,
        Self::FormerKeys,
        Self::Structure,
        Self::Live,
        Self::Sealed,
        Self::Opened,
        Self::Superseded,
        Self::Removed,
        Self::Unaccepted,
        Self::Dead,
        Self::Wiped,
        Self::Unknown,
        Self::Mark,
        Self::Blank,
        Self::Missing,
    ];

    /// The area of a piece.
    #[must_use]
    pub fn of(what: What) -> Self {
        let (kind, state) = match what {
            What::EraseMark | What::Clear => return Self::Mark,
            What::Zeros => return Self::Wiped,
            What::Blank => return Self::Blank,
            What::Missing => return Self::Missing,
            What::Record { kind, state, .. } => (kind, state),
            _ => return Self::Unknown,
        };
        match (state, kind) {
            (State::Former, _) => Self::FormerKeys,
            (
                State::Live | State::Sealed,
                RecordKind::KeyPage | RecordKind::StoreKey | RecordKind::ClassKey | RecordKind::KeyCommit,
            ) => Self::Keys,
            (State::Structure, _) | (State::Sealed, RecordKind::Page | RecordKind::Session) => {
                Self::Structure
            }
            (State::Live, _) => Self::Live,
            (State::Sealed, _) => Self::Sealed,
            (State::Opened, _) => Self::Opened,
            (State::Superseded, _) => Self::Superseded,
            (State::Removed, _) => Self::Removed,
            (State::Unaccepted, _) => Self::Unaccepted,
            (State::Dead, _) => Self::Dead,
            (State::Wiped, _) => Self::Wiped,
            _ => Self::Unknown,
        }
    }

    /// For a legend.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys: records of the key page",
            Self::FormerKeys => "former keys: they open, on a key page that is not the current one",
            Self::Structure => {
                "structure: first records, sessions, removals and other records without name and value"
            }
            Self::Live => "live",
            Self::Sealed => "sealed: not judged without the root key",
            Self::Opened => "opens: not judged, because the store does not mount",
            Self::Superseded => "superseded: opens, and a newer one is live",
            Self::Removed => "removed: opens, and nothing of its name is live",
            Self::Unaccepted => "unaccepted: opens, and was never accepted",
            Self::Dead => "dead: of a class whose key was erased",
            Self::Wiped => "wiped: overwritten with zeros",
            Self::Unknown => "torn or unknown: does not open",
            Self::Mark => "erase marks and clear bytes",
            Self::Blank => "blank",
            Self::Missing => "missing: the image ends before",
        }
    }

    /// In a word.
    #[must_use]
    pub const fn short(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::FormerKeys => "former keys",
            Self::Structure => "structure",
            Self::Live => "live",
            Self::Sealed => "sealed",
            Self::Opened => "opens",
            Self::Superseded => "superseded",
            Self::Removed => "removed",
            Self::Unaccepted => "unaccepted",
            Self::Dead => "dead",
            Self::Wiped => "wiped",
            Self::Unknown => "unknown",
            Self::Mark => "mark",
            Self::Blank => "blank",
            Self::Missing => "missing",
        }
    }

    /// A colour of the palette of Okabe and Ito, which is told apart with any kind of colour vision; greys for what holds nothing.
    pub(crate) const fn colour(self) -> &'static str {
        match self {
            Self::Keys => "#0072b2",
            Self::FormerKeys => "#ff0000",
            Self::Structure => "#8da9c4",
            Self::Live => "#009e73",
            Self::Sealed => "#56b4e9",
            Self::Opened => "#7fcdbb",
            Self::Superseded => "#e69f00",
            Self::Removed => "#d55e00",
            Self::Unaccepted => "#f0e442",
            Self::Dead => "#cc79a7",
            Self::Wiped => "#1a1a1a",
            Self::Unknown => "#8c510a",
            Self::Mark => "#bdbdbd",
            Self::Blank => "#f2f2f2",
            Self::Missing => "#ffffff",
        }
    }
}

/// Bytes of each area.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals(std::collections::BTreeMap<Area, u64>);

impl Totals {
    /// Of pieces.
    #[must_use]
    pub fn of<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> Self {
        let mut totals = Self::default();
        for piece in pieces {
            *totals.0.entry(Area::of(piece.what)).or_default() += u64::from(piece.to - piece.from);
        }
        totals
    }

    /// The areas that there are, in the order of the legend.
    pub fn iter(&self) -> impl Iterator<Item = (Area, u64)> + '_ {
        self.0.iter().map(|(area, bytes)| (*area, *bytes))
    }

    /// Bytes of one.
    #[must_use]
    pub fn bytes(&self, area: Area) -> u64 {
        self.0.get(&area).copied().unwrap_or_default()
    }
}
