//! The catalogue: `compliance/catalogue.toml` as types. Its head says what the words mean.
//!
//! ```text
//!  model
//!  catalogue   (this file)
//! ```

use serde::{Deserialize, Serialize};

/// The framework whose numbers `same`, `near` and the requirements use.
pub const NEWEST: &str = "en303645-v3.1.3";

/// What the library does about a guideline or a provision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// What is asked, for what passes through the library.
    Implements,
    /// A part of it, by requirements; duties complete it.
    Supports,
    /// Words or papers towards it.
    Documents,
    /// Nothing: a library cannot do it, or this one does not.
    OutOfReach,
    /// Nothing: there is nothing to do.
    NotApplicable,
}

impl Decision {
    /// In words, as reports show it.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Implements => "implements",
            Self::Supports => "supports",
            Self::Documents => "documents",
            Self::OutOfReach => "out of reach",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// Who has a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// Whoever chooses and wires the parts.
    Hardware,
    /// Whoever writes the firmware.
    Firmware,
    /// Whoever makes the devices.
    Factory,
    /// Whoever runs the services that devices speak to.
    Service,
    /// Whoever sells the product under their name.
    Manufacturer,
}

/// How a provision relates to those of [`NEWEST`] that are near it: the words of OSCAL mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relationship {
    /// The same, in the same words or nearly.
    EqualTo,
    /// The same in effect.
    EquivalentTo,
    /// It asks for a part of what those ask for.
    SubsetOf,
    /// It asks for more than those.
    SupersetOf,
    /// They have something in common.
    IntersectsWith,
}

impl Relationship {
    /// The word in OSCAL.
    #[must_use]
    pub const fn in_oscal(self) -> &'static str {
        match self {
            Self::EqualTo => "equal-to",
            Self::EquivalentTo => "equivalent-to",
            Self::SubsetOf => "subset-of",
            Self::SupersetOf => "superset-of",
            Self::IntersectsWith => "intersects-with",
        }
    }
}

/// A guideline of the UK Code of Practice for Consumer IoT Security (2018).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guideline {
    /// 1 to 13.
    pub number: u8,
    /// Its title.
    pub title: String,
    /// `shall`, `should` or both.
    pub force: String,
    /// What it asks for, in our own words.
    pub asks: String,
    /// What the library does about it.
    pub decision: Decision,
    /// That in one sentence: the reason of the decision.
    pub sentence: String,
    /// What you must still do: ids of duties.
    pub duties: Vec<String>,
    /// What the library does not give.
    pub limits: Vec<String>,
}

/// A part of the library that makes claims of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Primitive {
    /// A short name: `store`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The module, with its path in the crate.
    pub module: String,
    /// The item to begin with, with its path in the crate.
    pub item: String,
    /// The features that it takes; none: always there.
    pub features: Vec<String>,
    /// The ids of its requirements.
    pub requirements: Vec<String>,
}

/// What somebody else must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// `D-1`.
    pub id: String,
    /// Who has it.
    pub whose: Whose,
    /// A title of some words.
    pub title: String,
    /// What to do, in Markdown of one line.
    pub text: String,
}

/// A document that has provisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// A short name without spaces: `en303645-v3.1.3`.
    pub id: String,
    /// As it is called in tables.
    pub short: String,
    /// In full.
    pub name: String,
}

/// A provision of a framework, with the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provision {
    /// The id of the framework.
    pub framework: String,
    /// The number that it has there: `5.4-1`.
    pub id: String,
    /// Mandatory, recommended, conditions, as the framework writes them.
    pub status: String,
    /// The guidelines that it belongs to; none: it stands for itself.
    pub guidelines: Vec<u8>,
    /// What it asks for, in our own words.
    pub summary: String,
    /// Belongs to its guideline by its heading alone: the guideline has no sentence for it.
    pub by_heading_only: bool,
    /// The provision of [`NEWEST`] that decision, reason, requirements and duties were taken from.
    pub same: Option<String>,
    /// What the library does about it.
    pub decision: Decision,
    /// Why, and why no more.
    pub reason: String,
    /// Ids of requirements: those listed in the catalogue, or, for [`NEWEST`], those that say that they serve it.
    pub requirements: Vec<String>,
    /// Ids of the duties that complete it, or that it stands on.
    pub duties: Vec<String>,
    /// The crosswalk: provisions of [`NEWEST`] that it relates to.
    pub near: Vec<String>,
    /// How it relates to all of `near`.
    pub relationship: Option<Relationship>,
    /// Line in the catalogue, for messages.
    #[serde(skip)]
    pub line: usize,
}

/// All of the catalogue. `same` is resolved; requirements of [`NEWEST`] are not there yet, see [`Mapping`](crate::Mapping).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// The day on which the decisions were last gone through.
    pub reviewed: String,
    /// The 13 guidelines.
    pub guidelines: Vec<Guideline>,
    /// The parts of the library that make claims.
    pub primitives: Vec<Primitive>,
    /// What others must do.
    pub duties: Vec<Duty>,
    /// The documents.
    pub frameworks: Vec<Framework>,
    /// Their provisions.
    pub provisions: Vec<Provision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    reviewed: String,
    guideline: Vec<Guideline>,
    primitive: Vec<Primitive>,
    duty: Vec<Duty>,
    framework: Vec<Framework>,
    provision: Vec<WrittenProvision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenProvision {
    framework: String,
    id: toml::Spanned<String>,
    status: String,
    guidelines: Vec<u8>,
    summary: String,
    #[serde(default)]
    by_heading_only: bool,
    same: Option<String>,
    decision: Option<Decision>,
    reason: Option<String>,
    #[serde(default)]
    requirements: Vec<String>,
    #[serde(default)]
    duties: Vec<String>,
    #[serde(default)]
    near: Vec<String>,
    relationship: Option<Relationship>,
}

impl Catalogue {
    /// Reads the text of `compliance/catalogue.toml`. What is missing or too much in one entry comes out beside it, a line each.
    ///
    /// # Errors
    ///
    /// What the TOML reader says, with its line: nothing can be read then.
    pub fn read(text: &str) -> Result<(Self, Vec<(usize, String)>), String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut wrong = Vec::new();
        let mut provisions: Vec<Provision> = Vec::new();
        for entry in written.provision {
            let line = text[..entry.id.span().start].matches('\n').count() + 1;
            let id = entry.id.into_inner();
            let of_another = entry.same.as_ref().map(|same| {
                provisions
                    .iter()
                    .find(|other| other.framework == NEWEST && other.id == *same)
            });
            let decided = match (of_another, entry.decision, entry.reason) {
                (None, Some(decision), Some(reason)) => {
                    Some((decision, reason, entry.requirements, entry.duties))
                }
                (Some(Some(other)), None, None)
                    if entry.requirements.is_empty() && entry.duties.is_empty() =>
                {
                    Some((
                        other.decision,
                        other.reason.clone(),
                        Vec::new(),
                        other.duties.clone(),
                    ))
                }
                (Some(None), ..) => {
                    wrong.push((
                        line,
                        format!(
                            "{} {id}: `same` names no provision of {NEWEST} above it",
                            entry.framework
                        ),
                    ));
                    None
                }
                (Some(Some(_)), ..) => {
                    wrong.push((
                        line,
                        format!("{} {id}: `same` and a decision of its own", entry.framework),
                    ));
                    None
                }
                (None, None, _) => {
                    wrong.push((line, format!("{} {id}: no decision", entry.framework)));
                    None
                }
                (None, _, None) => {
                    wrong.push((line, format!("{} {id}: no reason", entry.framework)));
                    None
                }
            };
            let Some((decision, reason, requirements, duties)) = decided else {
                continue;
            };
            provisions.push(Provision {
                framework: entry.framework,
                id,
                status: entry.status,
                guidelines: entry.guidelines,
                summary: entry.summary,
                by_heading_only: entry.by_heading_only,
                same: entry.same,
                decision,
                reason,
                requirements,
                duties,
                near: entry.near,
                relationship: entry.relationship,
                line,
            });
        }
        let catalogue = Self {
            reviewed: written.reviewed,
            guidelines: written.guideline,
            primitives: written.primitive,
            duties: written.duty,
            frameworks: written.framework,
            provisions,
        };
        Ok((catalogue, wrong))
    }
}
