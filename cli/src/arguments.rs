//! What the tool can be told.
//!
//! ```text
//!  main
//!  arguments (this file)
//!  class_name
//! ```

use std::ops::RangeInclusive;
use std::path::PathBuf;

use bydesign::credential::audit::{Role, Scheme};
use bydesign::flash::MediumKind;
use bydesign::paper::Date;
use bydesign::store::DataClass;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::class_name;

/// For laboratories and factories: flash images of the sealed store, and batches of passwords.
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
    /// Judges any vendor's batch of passwords by the four prohibitions of PSTI Schedule 1. Exits with 1 where it finds something.
    #[command(after_help = AUDIT_HELP)]
    Audit(Audit),
    /// What the library does about each guideline, by which requirements, code and tests, and what is known of them.
    Guidelines(Guidelines),
    /// Makes a batch: flash images, labels, a registry without secrets, a manifest sealed to a public key. See docs/provisioning.md.
    Provision(Provision),
    /// Looks whether the codes scanned off a device are those that its image takes. Exits with 1 if one is not.
    VerifyLabel(VerifyLabel),
    /// Writes the rows of a manifest in clear to standard output. For the recipient.
    OpenManifest(OpenManifest),
}

/// `guidelines`.
#[derive(Debug, Args)]
pub struct Guidelines {
    /// This guideline only, 1 to 13.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=13))]
    pub guideline: Option<u8>,
    /// How the report is written.
    #[arg(long, value_enum, default_value = "table")]
    pub format: MappingFormat,
    /// The source tree of the library, which the report is made of.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub tree: PathBuf,
    /// Where the report goes, in place of the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How the mapping is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MappingFormat {
    /// For people, on a terminal.
    Table,
    /// A row for each provision.
    Csv,
    /// All of it, for programs.
    Json,
    /// A component definition of OSCAL.
    Oscal,
    /// A page for reviewers with search and filters: one file, no network.
    Html,
}

/// `provision`.
#[derive(Debug, Args)]
pub struct Provision {
    /// The order: a table with a header, a line for each device.
    #[arg(value_name = "ORDER.csv")]
    pub order: PathBuf,
    /// The profile of the product.
    #[arg(long, value_name = "PROFILE.toml")]
    pub profile: PathBuf,
    /// The directory to make. It is called DIR.partial until everything is in it.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Go on with a run that did not finish.
    #[arg(long)]
    pub resume: bool,
    /// Work on so many threads; all cores unless said otherwise.
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<usize>,
    /// The key under which secrets are derived from serials, where the profile says so: a file with 32 bytes or 64 hexadecimal digits.
    #[arg(long, value_name = "KEYFILE")]
    pub batch_key: Option<PathBuf>,
    /// Draw everything from this text: the same files at each run, NOT FOR SALE.
    #[arg(long, value_name = "TEXT")]
    pub test_seed: Option<String>,
}

/// `verify-label`.
#[derive(Debug, Args)]
pub struct VerifyLabel {
    /// The image that was programmed.
    #[arg(long, value_name = "FILE")]
    pub image: PathBuf,
    /// The profile of the product.
    #[arg(long, value_name = "PROFILE.toml")]
    pub profile: PathBuf,
    /// The root key, or transport key: a file with 32 bytes or 64 hexadecimal digits.
    #[arg(long, value_name = "KEYFILE")]
    pub root_key: PathBuf,
    /// Take an image that was made with a test seed, and is not for sale, too.
    #[arg(long)]
    pub not_for_sale: bool,
    /// What was scanned or typed, a code a line; standard input unless said otherwise. Never on the command line, where others see it.
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub scanned: PathBuf,
}

/// `open-manifest`.
#[derive(Debug, Args)]
pub struct OpenManifest {
    /// The manifest.
    #[arg(value_name = "MANIFEST.jsonl")]
    pub file: PathBuf,
    /// The recipient's X25519 private key: a file with 32 bytes or 64 hexadecimal digits, or - for standard input.
    #[arg(long, value_name = "KEYFILE")]
    pub private_key: PathBuf,
    /// This device only.
    #[arg(long, value_name = "SERIAL")]
    pub serial: Option<String>,
}

/// `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// The batch: a table with a header, separated by commas, semicolons or tabs.
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
    /// How the report is written.
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    pub format: Format,
    /// A report for machines, as --format json.
    #[arg(long)]
    pub json: bool,
    /// Where the report goes, in place of the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// What a column is, where its header does not say it, as in password=Key.
    #[arg(long, value_name = "ROLE=HEADER", value_parser = role_of_column)]
    pub column: Vec<(Role, String)>,
    /// A column that is not looked at.
    #[arg(long, value_name = "HEADER")]
    pub ignore: Vec<String>,
    /// Passwords can be tried without the device, as a Wi-Fi key can; a column ssid says so too.
    #[arg(long)]
    pub offline: bool,
    /// Bits of the space that the vendor says passwords are drawn from.
    #[arg(long, value_name = "BITS", value_parser = space_bits)]
    pub space_bits: Option<f64>,
    /// The symbols that the vendor says passwords are drawn from.
    #[arg(long, value_name = "SYMBOLS")]
    pub alphabet: Option<String>,
    /// How the vendor says that passwords are generated: for the report.
    #[arg(long, value_name = "TEXT")]
    pub generator: Option<String>,
    /// A name of the product or the vendor, which no password may hold.
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
    /// The rules that codes in a column pin follow.
    #[arg(long, value_enum)]
    pub scheme: Option<SchemeName>,
    /// When the batch was made: times that a generator may have been seeded with, as dates or Unix times. 2026-03-01..2026-03-02 takes seconds.
    #[arg(long, value_name = "FROM..TO", value_parser = window)]
    pub window: Option<RangeInclusive<u64>>,
    /// Searches less far for derivations and seeds.
    #[arg(long)]
    pub quick: bool,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
    /// A page for reviewers: it needs no script and no network.
    Html,
}

/// Rules of pairing codes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemeName {
    /// Matter setup codes.
    Matter,
    /// `HomeKit` setup codes.
    Homekit,
    /// WPS PINs.
    Wps,
    /// None of these.
    Plain,
}

impl From<SchemeName> for Scheme {
    fn from(name: SchemeName) -> Self {
        match name {
            SchemeName::Matter => Self::Matter,
            SchemeName::Homekit => Self::HomeKit,
            SchemeName::Wps => Self::Wps,
            SchemeName::Plain => Self::Plain,
        }
    }
}

fn role_of_column(text: &str) -> Result<(Role, String), String> {
    let (role, header) = text
        .split_once('=')
        .ok_or("a role and a header, as in password=Key")?;
    let role = Role::named(role).ok_or(
        "a role is serial, mac, ssid, imei, identifier, password, pin, salt, iterations or verifier",
    )?;
    Ok((role, header.into()))
}

fn space_bits(text: &str) -> Result<f64, String> {
    let bits: f64 = text.parse().map_err(|_| "a number of bits, as in 26.5")?;
    (bits.is_finite() && bits >= 0.0)
        .then_some(bits)
        .ok_or_else(|| "a number of bits, as in 26.5".into())
}

fn window(text: &str) -> Result<RangeInclusive<u64>, String> {
    let (from, to) = text
        .split_once("..")
        .ok_or("two times, as in 2026-03-01..2026-03-02")?;
    let (from, to) = (time(from)?, time(to)?);
    if from > to {
        return Err("it ends before it begins".into());
    }
    if to - from > LONGEST_WINDOW {
        return Err("it is longer than a year".into());
    }
    Ok(from..=to)
}

/// A Unix time, or the midnight of a date.
fn time(text: &str) -> Result<u64, String> {
    let wrong = || "a time is a date, as in 2026-03-01, or seconds since 1970".to_owned();
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let days = Date::parse(text).map(Date::days).ok_or_else(wrong)?;
    // Unix times begin in 1970.
    u64::try_from(days).map(|days| days * 86_400).map_err(|_| wrong())
}

/// Seconds.
const LONGEST_WINDOW: u64 = 366 * 86_400;

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

const AUDIT_HELP: &str = "\
Columns are known by their headers, whatever their case: serial, mac, ssid, imei, password or pin, salt, iterations, verifier. Any other column
is a further identifier. Give --window where you know when the batch was made.

Exit codes: 0 pass, 1 findings, 2 bad input or usage.";

const RESIDUE_HELP: &str = "\
LIST holds one value a line: hexadecimal digits, or text: and the value. What it was called may stand before it:
  text:hunter2
  686172642d77697265642d746f6b656e
  user:7/pin = text:4711-0815
With a name, remains of a record that does not open any more are searched too. Lines that begin with # are passed over.

Exit codes: 0 none of the values was found, 1 one was, 2 bad input or usage.";
