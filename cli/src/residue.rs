//! `image residue`: what an attacker with the whole image and the root key still recovers.
//!
//! ```text
//!  lib
//!  residue  (this file)
//!    text · json
//!  expected · image_file · key_file · inspect
//!  forensics     opens everything at every place, and believes nothing of what the store says
//! ```
//!
//! Two opinions meet here. The search, which shares no code with the store, says what *opens*; the store says what that is *to it*. A
//! record that opens and is dead to the store would be an erasure that did not work.

mod json;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use bydesign::store::inspect::{Opened, RecordKind, State, What};
use zeroize::Zeroize;

use crate::Outcome;
use crate::arguments;
use crate::expected::{self, Expected};
use crate::fault::Fault;
use crate::forensics::{self, Findings, KnownPlace};
use crate::image_file;
use crate::in_words;
use crate::inspect;
use crate::key_file::Key;
use crate::progress::Progress;

/// What a search came to. No value is in it.
#[derive(Debug)]
pub struct Report {
    /// Bytes that were searched.
    pub image_len: usize,
    /// Why the store does not open or does not mount: then it is not known what is live.
    pub refusal: Option<String>,
    /// The expected values, in the order of the list.
    pub values: Vec<Recovery>,
    /// Records that hold a name and a value, open, are not live, and hold none of the expected values.
    pub other_stale: Vec<Stale>,
    /// Records that hold a name and a value and are live.
    pub live: usize,
    /// Class keys that opened, by where they stand.
    pub class_keys: Vec<FoundKey>,
    /// Openings that were tried.
    pub tried: u64,
}

/// What was found of one expected value.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Its line in the list.
    pub line: usize,
    /// Class and name, if the list gives them.
    pub item: Option<String>,
    /// Its length.
    pub len: usize,
    /// It was long enough to be searched in the raw bytes.
    pub is_searched_raw: bool,
    /// Where it was found, and how.
    pub found: Vec<Found>,
}

/// Where a value was found, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// In clear, at this byte of the image.
    Clear(usize),
    /// In a record that opens.
    Opened(Stale),
    /// Nothing opens, but remains in the image confirm that the item had this value.
    Confirmed,
}

/// A record that opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Its first byte.
    pub address: usize,
    /// The slot of the class key that opened it.
    pub slot: u8,
    /// The generation of that key.
    pub class_generation: u32,
    /// What it is to the store; `None` where the store sees no record, or does not open.
    pub state: Option<State>,
}

/// A class key that opened. The key itself is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// The first byte of its record.
    pub address: usize,
    /// Its slot.
    pub slot: u8,
    /// Its generation.
    pub generation: u32,
    /// It stands on the current key page.
    pub is_current: bool,
}

impl Report {
    /// Whether any of the expected values was found.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.values.iter().any(|value| !value.found.is_empty()) {
            Outcome::Findings
        } else {
            Outcome::Clear
        }
    }

    fn opens_nothing(&self) -> bool {
        self.class_keys.is_empty()
            && self.live == 0
            && self.other_stale.is_empty()
            && self.outcome() == Outcome::Clear
    }
}

/// Searches an image. `opened` is what the store makes of it.
#[must_use]
pub fn search(image: &[u8], key: &Key, expected: &[Expected], opened: Result<&Opened, String>) -> Report {
    let findings = Wiped(forensics::scan(image, key.bytes.expose(), key.label.as_bytes()));
    let store = opened.as_ref().map(|opened| states(opened)).unwrap_or_default();
    let stale = |record: &forensics::Recovered| Stale {
        address: record.address,
        slot: record.slot,
        class_generation: record.class_generation,
        state: store.get(&record.address).map(|(_, state)| *state),
    };
    // An Index record has no name and no value of its own.
    let records = || findings.0.records.iter().filter(|record| record.kind != INDEX);
    let mut accounted = BTreeSet::new();
    let mut values: Vec<Recovery> = expected
        .iter()
        .map(|expected| {
            let raw = raw_places(image, &expected.value);
            let holding = records().filter(|record| is_in(&expected.value, &record.value));
            let found = raw
                .into_iter()
                .map(Found::Clear)
                .chain(holding.map(|record| {
                    accounted.insert(record.address);
                    Found::Opened(stale(record))
                }))
                .collect();
            Recovery {
                line: expected.line,
                item: expected
                    .item
                    .as_ref()
                    .map(|(data, name)| format!("{}/{}", crate::class_name::of(*data), in_words::name(name))),
                len: expected.value.len(),
                is_searched_raw: expected.value.len() >= LONG_ENOUGH,
                found,
            }
        })
        .collect();
    confirm(image, key, expected, &mut values);
    let is_live = |record: &Stale| record.state == Some(State::Live);
    let class_keys = findings
        .0
        .class_keys
        .iter()
        .map(|key| FoundKey {
            address: key.address,
            slot: key.slot,
            generation: key.generation,
            is_current: store.get(&key.address) == Some(&(RecordKind::ClassKey, State::Live)),
        })
        .collect();
    Report {
        image_len: image.len(),
        refusal: match opened {
            Ok(opened) => opened.refusal.map(|refusal| refusal.to_string()),
            Err(refusal) => Some(refusal),
        },
        values,
        live: records().map(stale).filter(is_live).count(),
        other_stale: records()
            .map(stale)
            .filter(|record| !is_live(record) && !accounted.contains(&record.address))
            .collect(),
        class_keys,
        tried: findings.0.tried,
    }
}

/// Asks whether remains confirm the values that have a name and were not found.
fn confirm(image: &[u8], key: &Key, expected: &[Expected], values: &mut [Recovery]) {
    let asked: Vec<_> = values
        .iter_mut()
        .zip(expected)
        .filter(|(value, _)| value.found.is_empty())
        .filter_map(|(value, expected)| Some((value, expected.item.as_ref()?, &expected.value)))
        .collect();
    let guesses: Vec<(&[u8], &[u8])> = asked
        .iter()
        .map(|(_, (_, name), value)| (name.as_bytes(), value.as_slice()))
        .collect();
    if guesses.is_empty() {
        return;
    }
    let place = KnownPlace::default();
    let confirmed =
        forensics::confirm_each(image, key.bytes.expose(), key.label.as_bytes(), &place, &guesses);
    for ((value, ..), confirmed) in asked.into_iter().zip(confirmed) {
        if confirmed {
            value.found.push(Found::Confirmed);
        }
    }
}

/// What the store says of the record at each place.
fn states(opened: &Opened) -> BTreeMap<usize, (RecordKind, State)> {
    opened
        .pages
        .iter()
        .flat_map(|page| &page.pieces)
        .filter_map(|piece| match piece.what {
            What::Record { kind, state, .. } => Some((usize::try_from(piece.from).ok()?, (kind, state))),
            _ => None,
        })
        .collect()
}

/// Where a value stands in clear.
fn raw_places(image: &[u8], value: &[u8]) -> Vec<usize> {
    if value.len() < LONG_ENOUGH {
        return Vec::new();
    }
    image
        .windows(value.len())
        .enumerate()
        .filter(|(_, window)| *window == value)
        .map(|(at, _)| at)
        .collect()
}

/// Whether a stored value gives an expected one away: it is it, with or without a key's version before it, or has it inside.
fn is_in(expected: &[u8], stored: &[u8]) -> bool {
    stored == expected
        || stored.get(1..) == Some(expected)
        || expected.len() >= LONG_ENOUGH && forensics::in_clear(stored, expected)
}

/// Findings whose values and keys are wiped when this is dropped.
struct Wiped(Findings);

impl Drop for Wiped {
    fn drop(&mut self) {
        for record in &mut self.0.records {
            record.value.zeroize();
            record.name.zeroize();
        }
        for key in &mut self.0.class_keys {
            key.key.zeroize();
        }
    }
}

pub(crate) fn run(arguments: &arguments::Residue, out: &mut impl Write) -> Result<Outcome, Fault> {
    let progress = Progress::of_steps(3);
    let path = &arguments.image.file;
    progress.step("reading");
    let bytes = image_file::read(path)?;
    refuse_many_stores(&bytes, arguments)?;
    let expected = expected::read(&arguments.expect)?;
    let key = Key::read(&arguments.root_key, &arguments.label)?;
    progress.step("asking the store what is live");
    let opened = image_file::of(&bytes, &arguments.image).and_then(|image| inspect::open(&image, path, &key));
    progress.step("opening every place with every key");
    let report = search(
        &bytes,
        &key,
        &expected,
        opened.as_ref().map_err(ToString::to_string),
    );
    drop(progress);
    if report.opens_nothing() && !arguments.key_may_open_nothing && begins_like_a_key_page(&bytes) > 0 {
        return Err(Fault::OpensNothing { path: path.clone() });
    }
    let written = if arguments.json {
        json::write(&report, out)
    } else {
        text::write(&report, out)
    };
    written.map_err(Fault::output)?;
    Ok(report.outcome())
}

/// Each place that begins like a key page is a store to be searched for. Two are the rule; some more may be made of old ones.
fn refuse_many_stores(bytes: &[u8], arguments: &arguments::Residue) -> Result<(), Fault> {
    let number = begins_like_a_key_page(bytes);
    if number <= MOST_STORES {
        return Ok(());
    }
    Err(Fault::TooManyStores {
        path: arguments.image.file.clone(),
        number,
    })
}

fn begins_like_a_key_page(bytes: &[u8]) -> usize {
    let words = (0..bytes.len()).step_by(4);
    words
        .filter(|&at| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"bydesign")))
        .count()
}

const MOST_STORES: usize = 16;
/// Bytes of a value that do not stand anywhere by chance: at four, once in 64 images of 64 MiB.
const LONG_ENOUGH: usize = 4;
/// The kind of an Index record on flash.
const INDEX: u8 = 9;
