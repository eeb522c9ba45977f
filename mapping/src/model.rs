//! All of the mapping together.
//!
//! ```text
//!  xtask · the tool · tests
//!  model   (this file)
//!  catalogue · requirement · citation · evidence
//! ```

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::{
    Catalogue, Citation, DOCUMENT, Duty, Evidence, Executed, Framework, Guideline, Kind, Mutation, NEWEST,
    Primitive, Provision, Requirement, citations, files, requirements,
};

/// The mapping of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The version of the library.
    pub version: String,
    /// The day on which the decisions were last gone through.
    pub reviewed: String,
    /// The 13 guidelines, with decisions.
    pub guidelines: Vec<Guideline>,
    /// The parts of the library that make claims.
    pub primitives: Vec<Primitive>,
    /// What others must do.
    pub duties: Vec<Duty>,
    /// The documents.
    pub frameworks: Vec<Framework>,
    /// Their provisions, with decisions.
    pub provisions: Vec<Provision>,
    /// What the library must do.
    pub requirements: Vec<Requirement>,
    /// Where code and tests say that they do it.
    pub citations: Vec<Citation>,
    /// What campaigns found. Not part of what is generated: results are of a day.
    #[serde(skip)]
    pub evidence: Evidence,
}

impl Mapping {
    /// Reads the tree at `root`.
    ///
    /// # Errors
    ///
    /// An input that cannot be read at all. What can be read and does not hold together is found by [`trace`](crate::trace).
    pub fn read(root: &Path) -> Result<Self, String> {
        let read =
            |path: &str| fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"));
        let evidence = match fs::read_to_string(root.join("compliance/evidence.json")) {
            Ok(text) => Evidence::read(&text)?,
            Err(_) => Evidence::default(),
        };
        let catalogue = read("compliance/catalogue.toml")?;
        let (catalogue, wrong) =
            Catalogue::read(&catalogue).map_err(|error| format!("compliance/catalogue.toml: {error}"))?;
        if let Some((line, what)) = wrong.first() {
            return Err(format!("compliance/catalogue.toml:{line}: {what}"));
        }
        let (requirements, _) = requirements(&read(DOCUMENT)?);
        let citations = files(root).iter().flat_map(citations).collect();
        let manifest = read("Cargo.toml")?;
        let version = manifest
            .lines()
            .find_map(|line| line.strip_prefix("version = "))
            .unwrap_or_default();
        let mapping = Self::new(catalogue, requirements, citations, evidence);
        Ok(Self {
            version: version.trim_matches('"').to_owned(),
            ..mapping
        })
    }

    /// Puts the parts together: the provisions of [`NEWEST`], and those that are the same, get the requirements that say that they serve them.
    #[must_use]
    pub fn new(
        catalogue: Catalogue,
        requirements: Vec<Requirement>,
        citations: Vec<Citation>,
        evidence: Evidence,
    ) -> Self {
        let mut provisions = catalogue.provisions;
        for provision in &mut provisions {
            let newest = match &provision.same {
                Some(same) => same,
                None if provision.framework == NEWEST => &provision.id,
                None => continue,
            };
            let serving = requirements
                .iter()
                .filter(|requirement| requirement.provisions.contains(newest));
            provision.requirements = serving.map(|requirement| requirement.id.clone()).collect();
        }
        Self {
            version: String::new(),
            reviewed: catalogue.reviewed,
            guidelines: catalogue.guidelines,
            primitives: catalogue.primitives,
            duties: catalogue.duties,
            frameworks: catalogue.frameworks,
            provisions,
            requirements,
            citations,
            evidence,
        }
    }

    /// As it is generated: without lines, which change with every edit of a file.
    #[must_use]
    pub fn without_lines(mut self) -> Self {
        for citation in &mut self.citations {
            (citation.line, citation.item_line) = (0, 0);
        }
        self
    }

    /// A framework.
    #[must_use]
    pub fn framework(&self, id: &str) -> Option<&Framework> {
        self.frameworks.iter().find(|framework| framework.id == id)
    }

    /// A provision.
    #[must_use]
    pub fn provision(&self, framework: &str, id: &str) -> Option<&Provision> {
        self.provisions
            .iter()
            .find(|provision| provision.framework == framework && provision.id == id)
    }

    /// The provisions of a framework.
    pub fn provisions_of(&self, framework: &str) -> impl Iterator<Item = &Provision> {
        self.provisions
            .iter()
            .filter(move |provision| provision.framework == framework)
    }

    /// The provisions of EN 303 645 V3.1.3 that belong to a guideline.
    pub fn provisions_of_guideline(&self, number: u8) -> impl Iterator<Item = &Provision> {
        self.provisions_of(NEWEST)
            .filter(move |provision| provision.guidelines.contains(&number))
    }

    /// A duty.
    #[must_use]
    pub fn duty(&self, id: &str) -> Option<&Duty> {
        self.duties.iter().find(|duty| duty.id == id)
    }

    /// A requirement, by its id in upper case.
    #[must_use]
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| requirement.id == id)
    }

    /// The requirements by which the library does something about a provision.
    pub fn requirements_of(&self, provision: &Provision) -> impl Iterator<Item = &Requirement> {
        let ids = provision.requirements.clone();
        self.requirements
            .iter()
            .filter(move |requirement| ids.contains(&requirement.id))
    }

    /// The requirements that say that they serve a guideline.
    pub fn requirements_of_guideline(&self, number: u8) -> impl Iterator<Item = &Requirement> {
        self.requirements
            .iter()
            .filter(move |requirement| requirement.guidelines.contains(&number))
    }

    /// Whose a requirement is.
    #[must_use]
    pub fn primitive_of(&self, requirement: &str) -> Option<&Primitive> {
        self.primitives
            .iter()
            .find(|primitive| primitive.requirements.iter().any(|id| id == requirement))
    }

    /// Where a requirement is cited.
    pub fn citations_of(&self, requirement: &str) -> impl Iterator<Item = &Citation> {
        self.citations
            .iter()
            .filter(move |citation| citation.requirement == requirement)
    }

    /// The tests of a requirement.
    pub fn tests_of(&self, requirement: &str) -> impl Iterator<Item = &Citation> {
        self.citations_of(requirement)
            .filter(|citation| citation.kind == Kind::Test)
    }

    /// The code that cites the same sentence as a test does: what the test has to run.
    pub fn code_of<'a>(&'a self, test: &'a Citation) -> impl Iterator<Item = &'a Citation> {
        self.citations_of(&test.requirement)
            .filter(|code| code.kind == Kind::Code && code.quote == test.quote)
    }

    /// What is known of whether a cited test runs the cited code.
    pub fn executed(&self, requirement: &str) -> impl Iterator<Item = &Executed> {
        self.evidence
            .executed
            .iter()
            .filter(move |record| record.requirement == requirement)
    }

    /// What is known of bugs planted in the code of a requirement.
    pub fn mutations(&self, requirement: &str) -> impl Iterator<Item = &Mutation> {
        self.evidence
            .mutations
            .iter()
            .filter(move |record| record.requirement == requirement)
    }

    /// The model as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
