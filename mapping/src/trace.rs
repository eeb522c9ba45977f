//! What does not hold together, with file and id.
//!
//! ```text
//!  xtask trace · tests/traceability.rs
//!  trace   (this file)
//!  model
//! ```
//!
//! What this cannot see: whether a cited test runs the cited code, and whether it would fail if the code were wrong. Campaigns look at that
//! (`cargo xtask assure`), and what they leave in `compliance/evidence.json` is held against the tree here.

mod catalogue;
mod citations;
mod records;

use std::fmt;
use std::fs;
use std::path::Path;

use crate::{Catalogue, DOCUMENT, Evidence, File, Mapping, citations as cited, files, ixit, requirements};

/// Something that does not hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file, from the root.
    pub file: String,
    /// The line; 0: the file as a whole.
    pub line: usize,
    /// The requirement, provision or duty.
    pub id: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}: {}", self.file, self.id, self.what),
            line => write!(out, "{}:{line}: {}: {}", self.file, self.id, self.what),
        }
    }
}

const CATALOGUE: &str = "compliance/catalogue.toml";
const IDS: &str = "compliance/provision-ids.txt";
const IXIT: &str = "compliance/ixit.toml";
const EVIDENCE: &str = "compliance/evidence.json";
const README: &str = "README.md";

/// Looks through the tree at `root`.
///
/// # Errors
///
/// An input that cannot be read at all.
pub fn trace(root: &Path) -> Result<Vec<Flaw>, String> {
    Inputs::read(root)?.flaws()
}

/// What a tree has to say for itself.
#[derive(Clone)]
struct Inputs {
    catalogue: String,
    requirements: String,
    ids: String,
    readme: String,
    ixit: String,
    evidence: String,
    files: Vec<File>,
}

impl Inputs {
    fn read(root: &Path) -> Result<Self, String> {
        let read =
            |path: &str| fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"));
        Ok(Self {
            catalogue: read(CATALOGUE)?,
            requirements: read(DOCUMENT)?,
            ids: read(IDS)?,
            readme: read(README)?,
            ixit: read(IXIT)?,
            evidence: read(EVIDENCE).unwrap_or_default(),
            files: files(root),
        })
    }

    fn flaws(&self) -> Result<Vec<Flaw>, String> {
        let mut flaws = Vec::new();
        let (catalogue, wrong) =
            Catalogue::read(&self.catalogue).map_err(|error| format!("{CATALOGUE}: {error}"))?;
        flaws.extend(
            wrong
                .into_iter()
                .map(|(line, what)| split(CATALOGUE, line, &what)),
        );
        let (requirements, wrong) = requirements(&self.requirements);
        flaws.extend(wrong.into_iter().map(|(line, what)| split(DOCUMENT, line, &what)));
        let citations: Vec<_> = self.files.iter().flat_map(cited).collect();
        let evidence = match self.evidence.as_str() {
            "" => Evidence::default(),
            text => Evidence::read(text)?,
        };
        let mapping = Mapping::new(catalogue, requirements, citations, evidence);
        flaws.extend(catalogue::flaws(&mapping, &self.ids, &self.readme));
        flaws.extend(citations::flaws(&mapping));
        flaws.extend(records::flaws(&mapping));
        for row in ixit::rows(&self.ixit).map_err(|error| format!("{IXIT}: {error}"))? {
            let unknown = row
                .requirements
                .iter()
                .filter(|id| mapping.requirement(id).is_none());
            flaws.extend(unknown.map(|id| split(IXIT, 0, &format!("{}: no requirement {id}", row.id))));
        }
        Ok(flaws)
    }
}

/// A message that begins with its id.
fn split(file: &str, line: usize, message: &str) -> Flaw {
    let (id, what) = message.split_once(": ").unwrap_or(("", message));
    Flaw {
        file: file.to_owned(),
        line,
        id: id.to_owned(),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
