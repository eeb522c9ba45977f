//! What the tool can be told.
//!
//! ```text
//!  main
//!  arguments (this file)
//!  class_name
//! ```

use std::path::PathBuf;

use bydesign::flash::MediumKind;
use bydesign::store::DataClass;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::class_name;

/// Looks into flash images of the sealed store. Nothing is ever written to an image.
#[derive(Debug, Parser)]
#[command(name = "bydesign", version = env!("CARGO_PKG_VERSION"), after_help = EXIT_CODES)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Images of flash, as a programmer, the simulator or `flash::file` makes them.
    Image {
        /// What to do with an image.
        #[command(subcommand)]
        command: ImageCommand,
    },
}

/// What to do with an image.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Shows structure and wear; with the root key also classes, names and sizes. Exits with 1 where something is damaged.
    #[command(after_help = EXIT_CODES)]
    Inspect(Inspect),
    /// Searches for what an attacker with the whole image and the root key still recovers. Exits with 1 if an expected value is found.
    #[command(after_help = RESIDUE_HELP)]
    Residue(Residue),
    /// Draws every page: live, stale, wiped, blank, keys, wear.
    #[command(after_help = EXIT_CODES)]
    Map(Map),
}

/// `image inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The image.
    #[command(flatten)]
    pub image: ImageArguments,
    /// The key.
    #[command(flatten)]
    pub key: KeyArguments,
    /// Print the value of this item, and no other.
    #[arg(long, value_name = "NAME", requires_all = ["class", "root_key"])]
    pub show: Option<String>,
    /// Its class: identity, settings, user, user:7, application:3.
    #[arg(long, value_name = "CLASS", requires = "show", value_parser = class_name::parse)]
    pub class: Option<DataClass>,
    /// A report for machines.
    #[arg(long)]
    pub json: bool,
}

/// `image residue`.
#[derive(Debug, Args)]
pub struct Residue {
    /// The image.
    #[command(flatten)]
    pub image: ImageArguments,
    /// The root key: a file with 32 bytes or 64 hexadecimal digits, or - for standard input.
    #[arg(long, value_name = "KEYFILE")]
    pub root_key: PathBuf,
    /// The partition label that the store was made with.
    #[arg(long, value_name = "LABEL")]
    pub label: String,
    /// The values that must not be found, a line each.
    #[arg(long, value_name = "LIST")]
    pub expect: PathBuf,
    /// The root key was replaced: it is no error if it opens nothing at all.
    #[arg(long)]
    pub key_may_open_nothing: bool,
    /// A report for machines.
    #[arg(long)]
    pub json: bool,
}

/// `image map`.
#[derive(Debug, Args)]
pub struct Map {
    /// The image.
    #[command(flatten)]
    pub image: ImageArguments,
    /// The key.
    #[command(flatten)]
    pub key: KeyArguments,
    /// Where the picture goes.
    #[arg(short, long, value_name = "SVG", required_unless_present = "json")]
    pub output: Option<PathBuf>,
    /// A report for machines.
    #[arg(long)]
    pub json: bool,
}

/// The image, and what it may no longer say itself.
#[derive(Debug, Args)]
pub struct ImageArguments {
    /// The image file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Bytes of a word (4, 8, 16, 32), where no key page says so any more.
    #[arg(long, value_name = "BYTES", requires_all = ["page", "medium"])]
    pub word: Option<u32>,
    /// Bytes of a page: the erase unit, or the smallest multiple of it that is at least 1024.
    #[arg(long, value_name = "BYTES", requires_all = ["word", "medium"])]
    pub page: Option<u32>,
    /// What a programmed word allows.
    #[arg(long, value_name = "KIND", requires_all = ["word", "page"])]
    pub medium: Option<MediumName>,
}

/// The root key and the label, both or neither.
#[derive(Debug, Args)]
pub struct KeyArguments {
    /// The root key: a file with 32 bytes or 64 hexadecimal digits, or - for standard input. Never on the command line.
    #[arg(long, value_name = "KEYFILE", requires = "label")]
    pub root_key: Option<PathBuf>,
    /// The partition label that the store was made with.
    #[arg(long, value_name = "LABEL", requires = "root_key")]
    pub label: Option<String>,
}

/// What a programmed word allows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MediumName {
    /// Programmed again, towards zero.
    Overwritable,
    /// Programmed once between erases.
    WriteOnce,
}

impl From<MediumName> for MediumKind {
    fn from(name: MediumName) -> Self {
        match name {
            MediumName::Overwritable => Self::Overwritable,
            MediumName::WriteOnce => Self::WriteOnce,
        }
    }
}

const EXIT_CODES: &str = "Exit codes: 0 nothing to report, 1 findings, 2 bad input or usage.";

const RESIDUE_HELP: &str = "\
LIST holds one value a line: hexadecimal digits, or text: and the value. What it was called may stand before it:
  text:hunter2
  686172642d77697265642d746f6b656e
  user:7/pin = text:4711-0815
With a name, remains of a record that does not open any more are searched too. Lines that begin with # are passed over.

Exit codes: 0 none of the values was found, 1 one was, 2 bad input or usage.";
