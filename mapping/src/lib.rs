//! The mapping of the library as a model: guideline → provision → decision → requirement → citations in code and tests → evidence.
//!
//! ```text
//!  xtask (trace, mapping, assure) · the tool (guidelines) · tests/traceability.rs
//!  mapping    (this file)
//!    model        all of it together: `Mapping`
//!    render       what is made of it and committed
//!    trace        what does not hold together, with file and id: `Flaw`
//!    catalogue · requirement · citation · evidence · ixit      one input each
//! ```
//!
//! Two inputs are written by hand, `compliance/catalogue.toml` and `compliance/requirements.md`; the citations stand in code and tests; `compliance/evidence.json`
//! is what campaigns leave. Everything else is made of these.
//!
//! ```no_run
//! use std::path::Path;
//! use bydesign_mapping::Mapping;
//!
//! let mapping = Mapping::read(Path::new("."))?;
//! for provision in mapping.provisions_of_guideline(4) {
//!     println!("{} {}: {:?}", provision.framework, provision.id, provision.decision);
//!     for requirement in mapping.requirements_of(provision) {
//!         println!("  {} by {} citations", requirement.id, mapping.citations_of(&requirement.id).count());
//!     }
//! }
//! # Ok::<(), String>(())
//! ```

mod catalogue;
mod citation;
mod evidence;
mod ixit;
mod model;
mod render;
mod requirement;
mod trace;

pub use catalogue::{
    Catalogue, Decision, Duty, Framework, Guideline, NEWEST, Primitive, Provision, Relationship, Whose,
};
pub use citation::{Citation, Kind, SOURCES, citations, files};
pub use evidence::{Campaign, Evidence, Executed, Mutation};
pub use ixit::{Ixit, ixit};
pub use model::Mapping;
pub use render::{generated, put_between, render};
pub use requirement::{DOCUMENT, Requirement, requirements};
pub use trace::{Flaw, trace};

/// A file of the tree: its path from the root with `/`, and its text.
pub type File = (String, String);
