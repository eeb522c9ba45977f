//! How a batch of passwords came about, any vendor's: the four prohibitions of the UK's PSTI Regulations 2023 as tests.
//!
//! The Regulations (Schedule 1, paragraph 1) want passwords unique per product or chosen by the user, and forbid those that are (a) based on
//! counters, (b) derived from public information, (c) derived from identifiers of the product without good cryptography under a key, or
//! (d) otherwise guessable. They serve guideline 1 of the Code of Practice; [`CLAIMS`] has the provisions of EN 303 645.
//! What is tested, under which letter a finding stands and what no such test can see is in `docs/audit.md`.
//!
//! ```
//! use bydesign::credential::audit::{Batch, Columns, Kind, Prohibition, Settings, Verdict, audit};
//!
//! // A vendor who numbers the passwords as the devices.
//! let mut file = String::from("serial,password\n");
//! for number in 0..200 {
//!     file += &format!("SN{number:06},pw{:08}\n", 77_000 + number);
//! }
//! let batch = Batch::read(file.as_bytes(), &Columns::default())?;
//! let report = audit(&batch, &Settings::default(), &|_| ());
//! assert_eq!(report.verdict(), Verdict::Fail);
//! assert!(report.has(Prohibition::Counter, Kind::Counter));
//!
//! // What is no batch is refused, with its place.
//! let error = Batch::read(b"serial,password\n1,a,b\n", &Columns::default()).err().map(|error| error.to_string());
//! assert_eq!(error.as_deref(), Some("line 2, column 1: 3 fields where the header has 2"));
//! # Ok::<(), bydesign::credential::audit::BadInput>(())
//! ```
//!
//! ```text
//!  audit      (this file)   the tests in turn
//!    duplicates · counter · derived · linear · dependence · contained · bias · generator · published · pairing · space · verifiers · computed
//!    forms · transforms · notation · orders · words     what is tried
//!    case · shape · predict · chance                    what they share
//!    batch · table                                      what comes from outside
//!    settings · report
//!  crypto::digests · crypto::factory · verifier
//! ```
//!
//! # Security
//!
//! A pass says that these tests found nothing. Passwords that are derived under a secret key, or with a constant that only the vendor
//! knows, look random to everybody who does not have it; how passwords are generated has to be shown by the vendor.
//! Reports hold ten specimen passwords, and of others what proves a finding: they are as confidential as the batch.

// Counts become probabilities here; that large ones lose their last digits is of no consequence.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod batch;
mod bias;
mod case;
mod chance;
mod claims;
mod computed;
mod contained;
mod counter;
mod dependence;
mod derived;
mod duplicates;
mod forms;
mod generator;
mod linear;
mod notation;
mod orders;
mod pairing;
mod predict;
mod published;
mod report;
mod settings;
mod shape;
mod space;
mod table;
mod transforms;
mod verifiers;
mod words;

use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec::Vec;

pub use batch::{BadInput, Batch, Columns, Reason, Role};
pub use claims::CLAIMS;
pub use report::{Finding, Kind, Prohibition, Report, Summary, Undecided, Verdict};
pub use settings::{Depth, Scheme, Settings};
pub use space::{LIMITED_BITS, OFFLINE_BITS, PAIRING_BITS};

use batch::Column;
use case::{Case, Notes};
use shape::Shape;

/// At most one honest batch in so many is reported: bounds of all tests together, with room for what they learn from the batch.
pub const FALSE_ALARMS: u32 = 10_000;

type Test = (&'static str, fn(&Case, &mut Notes));

/// Every test, in the order in which they run.
const TESTS: [Test; 12] = [
    ("duplicates", duplicates::search),
    ("space", space::search),
    ("published and common passwords", published::search),
    ("counters", counter::search),
    ("linear derivation from identifiers", linear::search),
    ("dependence on positions of identifiers", dependence::search),
    ("pieces of identifiers and names", contained::search),
    ("frequencies of symbols", bias::search),
    ("derivation from identifiers", derived::search),
    ("weak generators", generator::search),
    ("salts, iterations and verifiers", verifiers::search),
    ("verifiers computed anew", computed::search),
];

/// How many steps [`audit`] takes on a batch; each calls `progress` once.
#[must_use]
pub fn steps(batch: &Batch) -> usize {
    batch
        .columns
        .iter()
        .filter(|column| column.role.is_secret())
        .count()
        * TESTS.len()
}

/// Judges a batch. `progress` is told the name of each test when it begins.
///
/// The result is the same for every number of threads. A batch of 100,000 devices takes about five seconds of one core, and 2.5 KB of memory for each.
pub fn audit(batch: &Batch, settings: &Settings, progress: &dyn Fn(&'static str)) -> Report {
    let is_offline = settings.offline || batch.has_ssid();
    let mut notes = Notes::default();
    let mut summaries = Vec::new();
    repeated_identifiers(batch, &mut notes);
    for column in batch.columns.iter().filter(|column| column.role.is_secret()) {
        let is_pairing = column.role == Role::Pin;
        let (values, what) = if is_pairing {
            pairing::as_drawn(&column.values, settings.scheme)
        } else {
            (column.values.clone(), None)
        };
        if let Some(what) = what {
            notes.observations.push(format!("{}: {what}", column.name));
        }
        let shape = Shape::of(&values);
        let case = Case {
            batch,
            settings,
            column,
            values: &values,
            shape: &shape,
            is_pairing,
            is_offline,
        };
        let mut of_column = Notes::default();
        for (name, search) in TESTS {
            progress(name);
            search(&case, &mut of_column);
        }
        if is_pairing {
            pairing::search(&case, &mut of_column);
        }
        explained(&mut of_column);
        summaries.push(summary(&case));
        notes.findings.append(&mut of_column.findings);
        notes.undecided.append(&mut of_column.undecided);
        notes.observations.append(&mut of_column.observations);
    }
    notes.findings.sort_by_key(|finding| finding.prohibition);
    let mut seen: Vec<Finding> = Vec::new();
    // Salts and verifiers are looked at with each column of passwords.
    notes.findings.retain(|finding| {
        let is_new = !seen.contains(finding);
        seen.push(finding.clone());
        is_new
    });
    Report {
        devices: batch.devices(),
        columns: batch
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.role))
            .collect(),
        summaries,
        findings: notes.findings,
        undecided: notes.undecided,
        observations: notes.observations,
        tests: TESTS.iter().map(|(name, _)| *name).collect(),
        generator: settings.generator.clone(),
        offline: is_offline,
    }
}

/// Likeness of neighbours says nothing new where all are alike, or come from one stream.
fn explained(notes: &mut Notes) {
    let cause = |finding: &Finding| {
        matches!(finding.kind, Kind::WeakGenerator | Kind::Repeated) && finding.devices * 2 > finding.of
    };
    if notes.findings.iter().any(cause) {
        notes.findings.retain(|finding| finding.kind != Kind::Neighbours);
    }
}

fn repeated_identifiers(batch: &Batch, notes: &mut Notes) {
    for column in batch
        .columns
        .iter()
        .filter(|column| matches!(column.role, Role::Serial | Role::Mac | Role::Imei))
    {
        let full = column.values.iter().filter(|value| !value.is_empty());
        let number = full.clone().count();
        let distinct = full.collect::<BTreeSet<_>>().len();
        if distinct < number {
            let text = format!(
                "{}: {} devices have an identifier that another has too",
                column.name,
                number - distinct
            );
            notes.observations.push(text);
        }
        if number < column.values.len() {
            let text = format!(
                "{}: {} devices have none",
                column.name,
                column.values.len() - number
            );
            notes.observations.push(text);
        }
    }
}

fn summary(case: &Case) -> Summary {
    let column: &Column = case.column;
    let full: Vec<&String> = column.values.iter().filter(|value| !value.is_empty()).collect();
    let mut alphabet: BTreeSet<&str> = BTreeSet::new();
    for group in case.shape.groups.iter().filter(|group| !group.is_words) {
        alphabet.extend(group.grid.symbols().iter().map(String::as_str));
    }
    Summary {
        column: column.name.clone(),
        is_pairing: case.is_pairing,
        layouts: case.shape.layouts.clone(),
        alphabet: alphabet.into_iter().take(MOST_SYMBOLS).collect(),
        bits: space::bits(case),
        floor: space::floor(case),
        distinct: full.iter().collect::<BTreeSet<_>>().len(),
        expected_pairs: duplicates::expected_pairs(case),
        specimens: (0..SPECIMENS.min(full.len()))
            .filter_map(|number| full.get(number * full.len() / SPECIMENS.min(full.len())))
            .map(|value| (*value).clone())
            .collect(),
    }
}

/// How many passwords evaluation schemes ask to see.
const SPECIMENS: usize = 10;
const MOST_SYMBOLS: usize = 256;
