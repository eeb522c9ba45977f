//! What an audit found, what it could not decide, and what a reviewer needs to see of the batch.
//!
//! ```text
//!  audit
//!  audit::report (this file)
//! ```

use core::fmt;
use std::string::String;
use std::vec::Vec;

/// The prohibitions of the PSTI Regulations 2023, Schedule 1, paragraph 1(3), in their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prohibition {
    /// (a): based on incremental counters.
    Counter,
    /// (b): based on or derived from publicly available information.
    Public,
    /// (c): based on or derived from unique identifiers of the product, without good cryptography under a secret key.
    Identifier,
    /// (d): otherwise guessable. What is not unique per product (paragraph 1(2)) stands here too: who knows one knows the other.
    Guessable,
}

impl Prohibition {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Counter, Self::Public, Self::Identifier, Self::Guessable];

    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Counter => "a",
            Self::Public => "b",
            Self::Identifier => "c",
            Self::Guessable => "d",
        }
    }

    /// What it forbids, in our words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Counter => "based on a counter",
            Self::Public => "based on or derived from public information",
            Self::Identifier => {
                "based on or derived from unique identifiers of the product, without a keyed algorithm"
            }
            Self::Guessable => "otherwise guessable, or not unique to the product",
        }
    }
}

/// What kind of mistake was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// One password on more devices than chance puts it on.
    Repeated,
    /// A part of the password on more devices than chance puts it on.
    RepeatedPart,
    /// Passwords count, up or down, in the order of an identifier or of the file.
    Counter,
    /// Passwords of neighbours in that order are alike, or one follows from the last.
    Neighbours,
    /// Passwords are computed from an identifier.
    Derived,
    /// Positions of the password follow from positions of an identifier.
    Dependent,
    /// Passwords hold pieces of an identifier.
    Contained,
    /// Some symbols come more often than others.
    Biased,
    /// A position has always the same symbol.
    Constant,
    /// Symbols of the alphabet never come.
    MissingSymbols,
    /// A position follows from others of the same password.
    Patterned,
    /// Passwords come from a generator whose outputs can be computed.
    WeakGenerator,
    /// Passwords that somebody has published.
    Published,
    /// Passwords that people try first: words, dates, rows of keys.
    Common,
    /// Passwords hold the name of the product or the vendor.
    Name,
    /// There are too few possible passwords.
    SmallSpace,
    /// A code that its scheme forbids.
    Forbidden,
    /// A password that does not fit what was declared.
    Undeclared,
    /// A device without a password.
    Empty,
    /// Salts that devices share, or that are known.
    Salt,
    /// Too few iterations, or too many for the scheme.
    Iterations,
    /// Verifiers that devices share, or that belong to a published password.
    Verifier,
}

impl Kind {
    /// As in the report for machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
            Self::RepeatedPart => "repeated-part",
            Self::Counter => "counter",
            Self::Neighbours => "neighbours",
            Self::Derived => "derived",
            Self::Dependent => "dependent",
            Self::Contained => "contained",
            Self::Biased => "biased",
            Self::Constant => "constant",
            Self::MissingSymbols => "missing-symbols",
            Self::Patterned => "patterned",
            Self::WeakGenerator => "weak-generator",
            Self::Published => "published",
            Self::Common => "common",
            Self::Name => "name",
            Self::SmallSpace => "small-space",
            Self::Forbidden => "forbidden",
            Self::Undeclared => "undeclared",
            Self::Empty => "empty",
            Self::Salt => "salt",
            Self::Iterations => "iterations",
            Self::Verifier => "verifier",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Something that a batch must not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What forbids it.
    pub prohibition: Prohibition,
    /// What it is.
    pub kind: Kind,
    /// The column of the passwords, salts or verifiers.
    pub column: String,
    /// What shows it, in words. Holds of passwords only what proves it.
    pub evidence: String,
    /// How many devices it concerns; of how many that were looked at.
    pub devices: usize,
    /// Devices that were looked at.
    pub of: usize,
    /// Lines of the file where it can be seen, a few of them.
    pub lines: Vec<u64>,
}

/// A test that could not tell, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The column of the passwords.
    pub column: String,
    /// The test.
    pub test: &'static str,
    /// Why.
    pub why: String,
}

/// What a column of passwords looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its header.
    pub column: String,
    /// Whether it holds pairing codes.
    pub is_pairing: bool,
    /// How passwords look: how many there are of each length or layout.
    pub layouts: Vec<(String, usize)>,
    /// The symbols at places that vary, in order.
    pub alphabet: String,
    /// Bits of the space, declared or inferred; none where it cannot be told.
    pub bits: Option<f64>,
    /// Bits that its use asks for.
    pub floor: f64,
    /// How many different ones there are.
    pub distinct: usize,
    /// Pairs of devices that chance gives the same one.
    pub expected_pairs: f64,
    /// Ten of them, from all over the file.
    pub specimens: Vec<String>,
}

/// The end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was found. What could not be decided is listed.
    Pass,
    /// Something was found.
    Fail,
}

impl Verdict {
    /// As in the report for machines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// What an audit says of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many devices it has.
    pub devices: usize,
    /// Its columns: header, and what it was taken for.
    pub columns: Vec<(String, super::Role)>,
    /// What each column of passwords looks like.
    pub summaries: Vec<Summary>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be decided.
    pub undecided: Vec<Undecided>,
    /// What is worth knowing, and no finding.
    pub observations: Vec<String>,
    /// The tests that ran, in order.
    pub tests: Vec<&'static str>,
    /// How the vendor says that the passwords were made.
    pub generator: Option<String>,
    /// Whether passwords can be tried without the device.
    pub offline: bool,
}

impl Report {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.findings.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Fail
        }
    }

    /// What was found against one prohibition.
    pub fn against(&self, prohibition: Prohibition) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.prohibition == prohibition)
    }

    /// Whether a mistake of a kind was found against a prohibition.
    #[must_use]
    pub fn has(&self, prohibition: Prohibition, kind: Kind) -> bool {
        self.against(prohibition).any(|finding| finding.kind == kind)
    }
}
