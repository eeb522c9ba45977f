//! The guidelines, the provisions, and what this library does about them, as data.
//!
//! The 13 guidelines of the UK Code of Practice for Consumer IoT Security (2018); the provisions of ETSI EN 303 645 in both versions that are cited
//! today; and beside them, with how they relate, those of the UK's PSTI Regulations, the CRA's Annex I, EN 18031, NIST IR 8425 and NIST SP 800-88r2. Numbers are
//! the standards', sentences are our own.
//!
//! ```
//! use bydesign::guideline::{Framework, Provision, Relation};
//!
//! // What the library does about a provision, and why no more.
//! let provision = Provision::find(Framework::En303645V3, "5.11-1").ok_or("no such provision")?;
//! assert_eq!(provision.relation, Relation::Supports);
//! assert!(provision.duties.contains(&"D-7"), "the button is the firmware's");
//!
//! // What is compiled into this program, and no more: firmware can print it.
//! let claims = bydesign::claims::compiled_in();
//! assert!(claims.iter().any(|of| of.primitive == "store" && of.claims.iter().any(|claim| claim.provision == "5.4-1")));
//! # Ok::<(), &str>(())
//! ```
//!
//! "Implements" and "supports" are about the library. Whether a device meets a provision is decided by the device.
//!
//! ```text
//!  claims      what is compiled in
//!  store · erase · credential · telemetry · secret · flash      CLAIMS beside each
//!  guideline   (this file)    what the words mean
//!    table     generated from compliance/catalogue.toml
//! ```
//!
//! It is data alone: what is not used takes no flash.

// By its path: the check of constant time takes this file into a crate of its own.
#[path = "guideline/table.rs"]
mod table;

pub use table::{GUIDELINES, PROVISIONS};

/// A document that has provisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framework {
    /// ETSI EN 303 645 V3.1.3 (2024-09). [`Claim`]s use its numbers.
    En303645V3,
    /// ETSI EN 303 645 V2.1.1 (2020-06), which the UK's PSTI Regulations cite.
    En303645V2,
    /// The UK's PSTI Regulations 2023, and what belongs to them.
    Psti2023,
    /// The EU's Cyber Resilience Act, Annex I.
    CraAnnexI,
    /// EN 18031-1, -2 and -3:2024.
    En18031,
    /// NIST IR 8425.
    NistIr8425,
    /// NIST SP 800-88 revision 2.
    Sp80088R2,
}

/// How far the library goes with a guideline or a provision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// It does what is asked, for what passes through it; the duties are what it stands on.
    Implements,
    /// It does a part, by requirements; the duties complete it.
    Supports,
    /// It gives words or papers towards it.
    Documents,
    /// It does nothing: a library cannot, or this one does not.
    OutOfReach,
    /// There is nothing to do: it defines or delimits.
    NotApplicable,
}

/// How a provision relates to others: the words of OSCAL mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relationship {
    /// The same, nearly in the same words.
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

/// A guideline of the Code of Practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guideline {
    /// 1 to 13.
    pub number: u8,
    /// Its title.
    pub title: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// What the library does about it.
    pub relation: Relation,
    /// That in one sentence.
    pub sentence: &'static str,
    /// The duties that complete it: ids, written out in `docs/guidelines/checklist.md`.
    pub duties: &'static [&'static str],
}

/// A provision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provision {
    /// Where it stands.
    pub framework: Framework,
    /// The number that it has there.
    pub id: &'static str,
    /// Mandatory (M), recommended (R) and on which conditions, as the framework writes it.
    pub status: &'static str,
    /// The guidelines that it belongs to.
    pub guidelines: &'static [u8],
    /// What it asks for.
    pub summary: &'static str,
    /// What the library does about it.
    pub relation: Relation,
    /// Why, and why no more.
    pub reason: &'static str,
    /// The duties that complete it: ids, written out in `docs/guidelines/checklist.md`.
    pub duties: &'static [&'static str],
    /// The provisions of [`Framework::En303645V3`] that are near it.
    pub near: &'static [&'static str],
    /// How it relates to all of those.
    pub relationship: Option<Relationship>,
}

/// What a primitive does about a provision of [`Framework::En303645V3`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The number of the provision.
    pub provision: &'static str,
    /// How far the library as a whole goes with it.
    pub relation: Relation,
    /// The requirements by which this primitive does its part: ids in `compliance/requirements.md`.
    pub requirements: &'static [&'static str],
}

/// The claims of one primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Its short name.
    pub primitive: &'static str,
    /// What it claims.
    pub claims: &'static [Claim],
}

impl Claims {
    /// For the `CLAIMS` beside each primitive.
    pub(crate) const fn new(primitive: &'static str, claims: &'static [Claim]) -> Self {
        Self { primitive, claims }
    }
}

impl Claim {
    /// For the `CLAIMS` beside each primitive.
    pub(crate) const fn new(
        provision: &'static str,
        relation: Relation,
        requirements: &'static [&'static str],
    ) -> Self {
        Self {
            provision,
            relation,
            requirements,
        }
    }

    /// The provision in full. Brings the whole table into the program.
    #[must_use]
    pub fn provision(&self) -> Option<&'static Provision> {
        Provision::find(Framework::En303645V3, self.provision)
    }
}

impl Provision {
    /// The provision with this number.
    #[must_use]
    pub fn find(framework: Framework, id: &str) -> Option<&'static Self> {
        PROVISIONS
            .iter()
            .find(|provision| provision.framework == framework && provision.id == id)
    }
}

impl Guideline {
    /// The guideline with this number.
    #[must_use]
    pub fn find(number: u8) -> Option<&'static Self> {
        GUIDELINES.iter().find(|guideline| guideline.number == number)
    }
}
