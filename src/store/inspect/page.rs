//! What stands where in a page: marks, records, zeros, blank flash, and bytes of which nothing is known.
//!
//! ```text
//!  opened
//!  page     (this file)
//!  layout · geometry · format
//! ```
//!
//! Headers are in clear, so records can be told apart without a key; with one, a judge says what each is.

use core::fmt;
use std::vec::Vec;

use super::Layout;
use crate::crypto::TAG_LEN;
use crate::flash::MediumKind;
use crate::store::format::{self, CLEAR_LEN, HEADER_LEN, Header, Kind, MAGIC, NO_SLOT};
use crate::store::geometry::{Geometry, LOG_START};
use crate::store::walk::is_plain;

/// One page of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// Its number; 0 and 1 are the key pages.
    pub number: u16,
    /// Its first byte in the image.
    pub address: u32,
    /// How often it was erased, if its mark says so.
    pub erases: Option<u32>,
    /// What it is to the store.
    pub role: Role,
    /// The generation of a log page or the version of a key page, if its first record opens.
    pub generation: Option<u32>,
    /// What stands on it, without gaps.
    pub pieces: Vec<Piece>,
}

/// What a page is to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// The current key page.
    Keys,
    /// A key page that is not the current one and holds something: its erase is still to come.
    FormerKeys,
    /// A page of the log that counts.
    Log,
    /// A page that was turned over, or never became part of the log: its erase is still to come.
    Dead,
    /// Blank behind its mark.
    Free,
    /// Left out for good, because it fails.
    LeftOut,
    /// Not known without the root key, or without a store that mounts.
    Unjudged,
}

/// Bytes of a page that are one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Piece {
    /// The first byte, from the start of the image.
    pub from: u32,
    /// The first byte behind it.
    pub to: u32,
    /// What it is.
    pub what: What,
}

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum What {
    /// The mark that says how often the page was erased.
    EraseMark,
    /// The clear bytes of a key page.
    Clear,
    /// A record.
    Record {
        /// Its kind.
        kind: RecordKind,
        /// The slot of the class key that sealed it, or that it holds.
        slot: Option<u8>,
        /// What it is to the store.
        state: State,
    },
    /// Zeros: overwritten, header and all.
    Zeros,
    /// Blank flash.
    Blank,
    /// Something that is no record: torn, damaged, or not of this store.
    Unknown,
    /// The image ends before it.
    Missing,
}

/// What a record is to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Not judged: no key.
    Sealed,
    /// The newest of its name, or a record of the current key page.
    Live,
    /// It opens, and a newer one of its name is live.
    Superseded,
    /// It opens, and nothing of its name is live.
    Removed,
    /// It opens, and was never accepted: its transaction or its session did not come about.
    Unaccepted,
    /// It opens; whether it is live is not known, because the store does not mount.
    Opened,
    /// Its class key is gone: erased with its class.
    Dead,
    /// Overwritten with zeros behind its header.
    Wiped,
    /// A record of the store itself, which holds no name and no value.
    Structure,
    /// It opens and stands on a key page that is not the current one.
    Former,
    /// It does not open, and nothing says that it need not.
    Unopened,
}

/// The kind of a record; section 4 of the format document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs)] // the names of the format document
pub enum RecordKind {
    Page,
    Session,
    Value,
    Fixed,
    Removal,
    StagedValue,
    StagedRemoval,
    StagedFixed,
    Commit,
    Index,
    Checkpoint,
    Anchor,
    Retire,
    KeyPage,
    ClassKey,
    KeyCommit,
    StoreKey,
}

impl RecordKind {
    /// Whether it holds a name and a value.
    #[must_use]
    pub const fn is_value(self) -> bool {
        matches!(
            self,
            Self::Value | Self::Fixed | Self::StagedValue | Self::StagedFixed
        )
    }
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Page => Self::Page,
            Kind::Session => Self::Session,
            Kind::Value | Kind::Alike => Self::Value,
            Kind::Fixed => Self::Fixed,
            Kind::Removal => Self::Removal,
            Kind::StagedValue | Kind::StagedAlike => Self::StagedValue,
            Kind::StagedRemoval => Self::StagedRemoval,
            Kind::StagedFixed => Self::StagedFixed,
            Kind::Commit => Self::Commit,
            Kind::Index => Self::Index,
            Kind::Checkpoint => Self::Checkpoint,
            Kind::Anchor => Self::Anchor,
            Kind::Retire => Self::Retire,
            Kind::KeyPage => Self::KeyPage,
            Kind::ClassKey => Self::ClassKey,
            Kind::KeyCommit => Self::KeyCommit,
            Kind::StoreKey => Self::StoreKey,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Session => "session",
            Self::Value => "value",
            Self::Fixed => "fixed",
            Self::Removal => "removal",
            Self::StagedValue => "staged value",
            Self::StagedRemoval => "staged removal",
            Self::StagedFixed => "staged fixed",
            Self::Commit => "commit",
            Self::Index => "index",
            Self::Checkpoint => "checkpoint",
            Self::Anchor => "anchor",
            Self::Retire => "retire",
            Self::KeyPage => "key page",
            Self::ClassKey => "class key",
            Self::KeyCommit => "key commit",
            Self::StoreKey => "store key",
        })
    }
}

/// A place that may hold a record, whole in its page.
pub(super) struct Candidate<'a> {
    pub(super) header: Header,
    /// From the start of the page.
    pub(super) at: u32,
    /// Its bytes, without padding.
    pub(super) record: &'a [u8],
    /// It stands right behind another record, and something that can follow a record stands behind it; or it is of a kind that needs
    /// no such evidence.
    pub(super) in_chain: bool,
}

/// Says what records are.
pub(super) trait Judge {
    /// A page begins: what it is, and its generation or version.
    fn begin(&mut self, page: u16) -> (Role, Option<u32>);
    /// What the candidate is; `None` if it is no record.
    fn judge(&mut self, candidate: &Candidate<'_>) -> Option<State>;
}

/// The judge without a key: a record is what looks like one.
#[derive(Default)]
pub(super) struct Sealed(());

impl Judge for Sealed {
    fn begin(&mut self, _page: u16) -> (Role, Option<u32>) {
        (Role::Unjudged, None)
    }

    fn judge(&mut self, candidate: &Candidate<'_>) -> Option<State> {
        (candidate.in_chain && candidate.is_whole()).then_some(State::Sealed)
    }
}

impl Candidate<'_> {
    /// Its last bytes were programmed, and not overwritten.
    pub(super) fn is_whole(&self) -> bool {
        let tag = self.record.len().checked_sub(TAG_LEN);
        tag.and_then(|at| self.record.get(at..))
            .is_some_and(|tag| !is_all(tag, 0xff) && !is_all(tag, 0))
    }
}

/// Every page of the image.
pub(super) fn pages(image: &[u8], layout: Layout, judge: &mut impl Judge) -> Vec<Page> {
    (0..layout.pages)
        .map(|number| {
            let (role, generation) = judge.begin(number);
            let reading = Reading::of(image, layout, number);
            let erases = format::read_erase_mark(reading.bytes);
            let pieces = reading.pieces(judge);
            let is_blank = pieces
                .iter()
                .all(|piece| matches!(piece.what, What::EraseMark | What::Blank));
            let role = match role {
                Role::LeftOut => role,
                _ if is_blank && erases.is_some() => Role::Free,
                _ => role,
            };
            Page {
                number,
                address: layout.geometry().start(number),
                erases,
                role,
                generation,
                pieces,
            }
        })
        .collect()
}

/// A page while it is read.
struct Reading<'a> {
    geometry: Geometry,
    medium: MediumKind,
    number: u16,
    start: u32,
    /// What of the page is in the image.
    bytes: &'a [u8],
    pieces: Vec<Piece>,
    at: u32,
    /// What stands before is a record.
    in_chain: bool,
}

impl<'a> Reading<'a> {
    fn of(image: &'a [u8], layout: Layout, number: u16) -> Self {
        let geometry = layout.geometry();
        let start = geometry.start(number);
        let index = |at: u32| usize::try_from(at).unwrap_or(usize::MAX).min(image.len());
        let bytes = image
            .get(index(start)..index(start.saturating_add(geometry.page)))
            .unwrap_or_default();
        Self {
            geometry,
            medium: layout.medium,
            number,
            start,
            bytes,
            pieces: Vec::new(),
            at: 0,
            in_chain: false,
        }
    }

    fn pieces(mut self, judge: &mut impl Judge) -> Vec<Piece> {
        let first = self.geometry.first();
        if format::read_erase_mark(self.bytes).is_some() {
            self.push(first, What::EraseMark);
        } else {
            while self.at < first {
                self.push_unit();
            }
        }
        self.in_chain = true;
        while self.at < self.geometry.page {
            self.step(judge);
        }
        self.pieces
    }

    fn step(&mut self, judge: &mut impl Judge) {
        let at = self.at;
        if self.number < LOG_START && at == self.geometry.first() && self.slice(at, 8).starts_with(&MAGIC) {
            let len = self.geometry.align(u32::try_from(CLEAR_LEN).unwrap_or(0));
            if self.slice(at, len).len() == usize::try_from(len).unwrap_or(0) {
                self.push(len, What::Clear);
                return;
            }
        }
        let Some((header, size)) = self.header_at(at) else {
            self.push_unit();
            return;
        };
        let record = self.slice(at, u32::try_from(header.len()).unwrap_or(u32::MAX));
        let kind = RecordKind::from(header.kind);
        let slot = (header.slot != NO_SLOT).then_some(header.slot);
        let body = record.get(HEADER_LEN..).unwrap_or_default();
        let is_wiped = self.medium == MediumKind::Overwritable && header.kind.is_value() && is_all(body, 0);
        let state = if is_wiped {
            Some(State::Wiped)
        } else {
            // Kind, slot, length and place of these leave nothing to chance.
            let resumes = matches!(header.kind, Kind::Session | Kind::Page);
            judge.judge(&Candidate {
                header,
                at,
                record,
                in_chain: resumes
                    || self.in_chain
                        && self.can_follow(at.saturating_add(size))
                        && !self.is_passed_over(at, at.saturating_add(size)),
            })
        };
        match state {
            Some(state) => {
                self.push(size, What::Record { kind, slot, state });
                self.in_chain = true;
            }
            None => self.push_unit(),
        }
    }

    /// The header at a place, if such a record can stand there, and the bytes that it takes.
    fn header_at(&self, at: u32) -> Option<(Header, u32)> {
        let header = Header::from_bytes(*self.slice(at, 4).first_chunk()?)?;
        let size = self.geometry.size(header);
        let place = u32::from(header.salt_at).checked_mul(self.geometry.granule());
        let belongs = match header.kind {
            Kind::Page => at == self.geometry.first() && header.salt_at == 0 && self.number >= LOG_START,
            Kind::Session => place == Some(at) && self.number >= LOG_START,
            Kind::KeyPage | Kind::ClassKey | Kind::KeyCommit | Kind::StoreKey => {
                header.salt_at == 0 && self.number < LOG_START
            }
            _ => is_plain(header) && self.number >= LOG_START,
        };
        let end = at.checked_add(size)?;
        let is_there = usize::try_from(end).is_ok_and(|end| end <= self.bytes.len());
        (belongs && is_there).then_some((header, size))
    }

    /// Whether what stands at a place may stand behind a record.
    fn can_follow(&self, at: u32) -> bool {
        if at >= self.geometry.page {
            return true;
        }
        let unit = self.slice(at, self.geometry.unit);
        is_all(unit, 0xff) || is_all(unit, 0) || self.header_at(at).is_some()
    }

    /// Whether a Session record stands amid what a header claims, where one stands that passes over an interrupted write.
    fn is_passed_over(&self, from: u32, to: u32) -> bool {
        let skip = self.geometry.skip();
        let first = self.geometry.to_skip(from.saturating_add(1));
        let step = usize::try_from(skip).unwrap_or(usize::MAX);
        (first..to).step_by(step).any(|at| {
            let before = self.slice(at.saturating_sub(self.geometry.unit), self.geometry.unit);
            let header = self.header_at(at);
            header.is_some_and(|(header, _)| header.kind == Kind::Session) && is_all(before, 0xff)
        })
    }

    fn slice(&self, at: u32, len: u32) -> &'a [u8] {
        let index = |at: u32| usize::try_from(at).unwrap_or(usize::MAX).min(self.bytes.len());
        self.bytes
            .get(index(at)..index(at.saturating_add(len)))
            .unwrap_or_default()
    }

    /// A unit that is no part of a record.
    fn push_unit(&mut self) {
        let unit = self.slice(self.at, self.geometry.unit);
        let what = if unit.len() < usize::try_from(self.geometry.unit).unwrap_or(0) {
            What::Missing
        } else if is_all(unit, 0xff) {
            What::Blank
        } else if is_all(unit, 0) {
            What::Zeros
        } else {
            What::Unknown
        };
        self.in_chain = false;
        self.push(self.geometry.unit, what);
    }

    fn push(&mut self, len: u32, what: What) {
        let from = self.start.saturating_add(self.at);
        let to = from.saturating_add(len);
        self.at = self.at.saturating_add(len);
        let is_record = matches!(what, What::Record { .. });
        match self.pieces.last_mut() {
            Some(last) if last.what == what && !is_record => last.to = to,
            _ => self.pieces.push(Piece { from, to, what }),
        }
    }
}

fn is_all(bytes: &[u8], value: u8) -> bool {
    bytes.iter().all(|&byte| byte == value)
}
