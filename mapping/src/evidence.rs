//! What campaigns found: `compliance/evidence.json`. It is not made anew with the other files, because results are of a day and of a commit.
//!
//! ```text
//!  model
//!  evidence   (this file)
//! ```

use serde::{Deserialize, Serialize};

/// When and of what a result is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// `2026-11-28`, in UTC.
    pub date: String,
    /// The commit, short; with `+changes` if the tree was not clean.
    pub commit: String,
}

/// Whether a cited test runs the cited code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// The id of the requirement.
    pub requirement: String,
    /// As in a citation: `--test store`.
    pub target: String,
    /// As in a citation: the whole name of the test.
    pub test: String,
    /// Whether it passed, alone.
    pub passed: bool,
    /// The cited code that it ran: `src/store/log.rs fn append`.
    pub ran: Vec<String>,
    /// The cited code that it did not run.
    pub missed: Vec<String>,
    /// When.
    #[serde(flatten)]
    pub of: Campaign,
}

/// Bugs planted in the code of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutation {
    /// The id of the requirement.
    pub requirement: String,
    /// What planted them: `plants` (chosen by hand, xtask/plants.txt) or `cargo-mutants` (by rule, in the cited functions).
    pub by: String,
    /// How many the tests saw.
    pub killed: usize,
    /// Of how many.
    pub of_all: usize,
    /// The names of those that were not seen.
    pub survived: Vec<String>,
    /// When.
    #[serde(flatten)]
    pub of: Campaign,
}

/// All records. What is not here was not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// One for each pair of a requirement and a test that cites it.
    pub executed: Vec<Executed>,
    /// One for each pair of a requirement and what planted the bugs.
    pub mutations: Vec<Mutation>,
}

impl Evidence {
    /// Reads the text of `compliance/evidence.json`.
    ///
    /// # Errors
    ///
    /// What the JSON reader says.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("compliance/evidence.json: {error}"))
    }

    /// The text, records in the order of their requirements and names.
    #[must_use]
    pub fn write(&self) -> String {
        let mut sorted = self.clone();
        sorted
            .executed
            .sort_by(|a, b| (&a.requirement, &a.target, &a.test).cmp(&(&b.requirement, &b.target, &b.test)));
        sorted
            .mutations
            .sort_by(|a, b| (&a.requirement, &a.by).cmp(&(&b.requirement, &b.by)));
        serde_json::to_string_pretty(&sorted).unwrap_or_default() + "\n"
    }
}
