//! What is known of a requirement: whether its tests ran the code, and whether they saw the bugs that were planted.
//!
//! ```text
//!  table · html
//!  standing (this file)
//!  bydesign_mapping
//! ```

use std::fmt;

use bydesign_mapping::{Citation, Executed, Kind, Mapping};

/// What the campaigns recorded of a requirement.
pub(super) struct Standing {
    /// Tests that cite it.
    pub(super) tests: usize,
    /// Tests that passed alone and ran cited code.
    pub(super) ran: usize,
    /// Tests that did not pass, or ran none of the cited code.
    pub(super) failed: usize,
    /// Planted bugs.
    pub(super) planted: usize,
    /// Those that the tests saw.
    pub(super) killed: usize,
}

/// In one word, for filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// A test failed, or a planted bug was not seen.
    Doubtful,
    /// Bugs were planted, and all of them seen.
    SeenToFail,
    /// Tests passed and ran the code; no bug was planted.
    Ran,
    /// There is no record.
    NoRecord,
}

impl Standing {
    pub(super) fn of(mapping: &Mapping, requirement: &str) -> Self {
        let tests: Vec<&Citation> = tests(mapping, requirement).collect();
        let records = || {
            tests
                .iter()
                .filter_map(|test| record(mapping, test))
                .collect::<Vec<_>>()
        };
        let (good, bad): (Vec<_>, Vec<_>) = records()
            .into_iter()
            .partition(|record| record.passed && !ran_none(record));
        Self {
            tests: tests.len(),
            ran: good.len(),
            failed: bad.len(),
            planted: mapping.mutations(requirement).map(|record| record.of_all).sum(),
            killed: mapping.mutations(requirement).map(|record| record.killed).sum(),
        }
    }

    pub(super) const fn grade(&self) -> Grade {
        if self.failed > 0 || self.killed < self.planted {
            Grade::Doubtful
        } else if self.planted > 0 {
            Grade::SeenToFail
        } else if self.ran > 0 {
            Grade::Ran
        } else {
            Grade::NoRecord
        }
    }
}

impl Grade {
    pub(super) const ALL: [Self; 4] = [Self::SeenToFail, Self::Ran, Self::Doubtful, Self::NoRecord];

    /// For attributes.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Doubtful => "doubtful",
            Self::SeenToFail => "seen-to-fail",
            Self::Ran => "ran",
            Self::NoRecord => "no-record",
        }
    }

    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Doubtful => "a test failed, or a planted bug was not seen",
            Self::SeenToFail => "planted bugs were all seen",
            Self::Ran => "tests passed and ran the code",
            Self::NoRecord => "no record",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.planted, self.ran + self.failed) {
            (0, 0) => formatter.write_str("no record"),
            (planted, 0) => write!(formatter, "{} of {planted} planted bugs seen", self.killed),
            (0, _) => write!(
                formatter,
                "{} of {} tests passed and ran the code",
                self.ran, self.tests
            ),
            (planted, _) => write!(
                formatter,
                "{} of {planted} planted bugs seen; {} of {} tests passed and ran the code",
                self.killed, self.ran, self.tests
            ),
        }
    }
}

/// The tests that cite a requirement, each once.
pub(super) fn tests<'a>(mapping: &'a Mapping, requirement: &'a str) -> impl Iterator<Item = &'a Citation> {
    let mut seen = Vec::new();
    mapping
        .citations_of(requirement)
        .filter(|citation| citation.kind == Kind::Test)
        .filter(move |citation| {
            let name = (citation.target.as_str(), citation.test.as_str());
            let is_new = !seen.contains(&name);
            seen.push(name);
            is_new
        })
}

/// Whether a test ran none of the code that it is cited for.
pub(super) fn ran_none(record: &Executed) -> bool {
    record.ran.is_empty() && !record.missed.is_empty()
}

/// The last record of a test that cites a requirement.
pub(super) fn record<'a>(mapping: &'a Mapping, test: &Citation) -> Option<&'a Executed> {
    mapping
        .evidence
        .executed
        .iter()
        .filter(|record| {
            record.requirement == test.requirement && record.target == test.target && record.test == test.test
        })
        .max_by(|one, other| one.of.date.cmp(&other.of.date))
}
