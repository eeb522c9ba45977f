//! The tool for laboratories: what a flash image of the sealed store holds, what is left in it of what was erased, and a map of it.
//!
//! ```text
//!  main          the program `bydesign`
//!  arguments     what it is told
//!  audit         how a batch of passwords came about
//!  guidelines    the mapping of the library, as reviewers read it
//!  inspect · residue · map      a command each: first a report as data, then text, JSON or a picture of it
//!  area · in_words · in_json · in_html    what they have in common
//!  image_file · key_file · expected · class_name     what comes from outside
//!  fault · progress
//!  forensics     the search that shares no code with the store
//!  bydesign      the library, with its feature `lab`
//! ```
//!
//! Nothing here writes to an image. What comes from outside is read once and checked; no image, however broken, makes it panic.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::get_unwrap,
        clippy::string_slice
    )
)]

pub mod area;
pub mod arguments;
mod audit;
pub mod class_name;
pub mod expected;
pub mod fault;
mod guidelines;
pub mod image_file;
mod in_html;
mod in_json;
pub mod in_words;
pub mod inspect;
pub mod key_file;
pub mod map;
pub mod progress;
mod provision;
pub mod residue;

/// One search for the example, for the library's tests and for this tool; its places are checked before they are indexed.
#[path = "../../examples/lifecycle/forensics.rs"]
#[allow(clippy::indexing_slicing, clippy::expect_used)]
mod forensics;

use std::io::Write;

use arguments::{Command, ImageCommand};
use fault::Fault;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing to report.
    Clear,
    /// Something was found that a script should stop at.
    Findings,
}

impl Outcome {
    /// The exit code: 0 or 1. Bad input and bad usage are 2.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clear => 0,
            Self::Findings => 1,
        }
    }
}

/// Runs a command; its report goes to `out`.
///
/// # Errors
///
/// [`Fault`], which names the file and the reason.
pub fn run(command: Command, out: &mut impl Write) -> Result<Outcome, Fault> {
    let command = match command {
        Command::Audit(arguments) => return audit::run(&arguments, out),
        Command::Guidelines(arguments) => return guidelines::run(&arguments, out),
        Command::Provision(arguments) => return provision::run(&arguments, out),
        Command::VerifyLabel(arguments) => return provision::verify_label::run(&arguments, out),
        Command::OpenManifest(arguments) => return provision::open_manifest::run(&arguments, out),
        Command::Image { command } => command,
    };
    match command {
        ImageCommand::Inspect(arguments) => inspect::run(&arguments, out),
        ImageCommand::Residue(arguments) => residue::run(&arguments, out),
        ImageCommand::Map(arguments) => map::run(&arguments, out),
    }
}
