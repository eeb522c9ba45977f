//! Slow checks and campaigns, run by hand.
//!
//! ```text
//!  cargo xtask assure [--list | all | NAME ...] [-- arguments for the tool]
//!  cargo xtask assure executed|planted [--only STORE-1,TELE]
//!  cargo xtask plants [part of a name]
//!  cargo xtask instructions [--write]
//!  cargo xtask wiping [--short]
//!  cargo xtask campaigns
//!  cargo xtask costs [core] [--write]
//!  cargo xtask firmware [serial|parallel] [--cuts N] [--seed N] [--blank]
//!  cargo xtask pictures [--write]
//!  cargo xtask blocklist [--write]
//!  cargo xtask utility [--write]
//!  cargo xtask trace [--listed]
//!  cargo xtask mapping [--write | --pick 20 --seed 7]
//! ```
//!
//! `assure` drives tools that take seconds to days (fuzzing, Miri, audits, mutants, dependencies), ends with one table, and appends what they found to
//! `docs/assurance.md`, or to `compliance/evidence.json`. `plants` proves that
//! tests can fail: it plants the bugs of `xtask/plants.txt`, one at a time, in a copy of the tree. `instructions` counts what each
//! operation takes and holds it against `docs/instructions.md`. `wiping` looks for what is left of secrets in the memory of optimised
//! programs, on this machine and on an emulated device. `campaigns` shows what slow checks found, `costs` measures what the crate takes on
//! emulated cores, `firmware` cuts the power of emulated boards. `pictures` draws what an erasure does to the flash. `blocklist` makes
//! the filter of common passwords. `utility` measures what the estimates of telemetry are worth. `trace` follows guidelines to provisions,
//! requirements, code and tests; `mapping` makes the pages of it.

mod assure;
mod blocklist;
mod built;
mod campaigns;
mod costs;
mod evidence;
mod executed;
mod firmware;
mod instructions;
mod mapping;
mod pick;
mod pictures;
mod plants;
mod said;
mod trace;
mod utility;
mod wiping;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask assure [--list | all | dependencies|advisories|constant-time|semver|coverage|wiping|miri|fuzz-long|cuts|mutants ...] [-- arguments for the tool]
    Runs the tools named, or all, shows one table at the end, and appends figures to docs/assurance.md. List: what there is, and what each takes.
cargo xtask assure executed|planted [--only STORE-1,TELE]
    Whether cited tests run the cited code; whether they see the bugs of xtask/plants.txt. For one requirement, a family (STORE) or all; recorded in compliance/evidence.json.
cargo xtask plants [part of a name]
    Plants the bugs of xtask/plants.txt in a copy of the tree; each must make its test fail.
cargo xtask instructions [--write]
    Counts the instructions of each operation and compares them with docs/instructions.md, or writes that anew.
cargo xtask wiping [--short]
    Looks for secrets in the memory of optimised programs; with a wipe taken out, they must be found. Short: one level of optimisation.
cargo xtask campaigns
    Shows every slow check, how it is run and what it last found, out of docs/assurance.md.
cargo xtask costs [Cortex-M4|Cortex-M0|Cortex-M33|'RISC-V 32 IMC'] [--write]
    Measures code, instructions and stack on emulated cores, or on one, and compares with docs/firmware-costs.md and firmware/budgets.txt, or writes
    what it measured into the former.
cargo xtask firmware [serial|parallel] [--cuts N] [--seed N] [--blank]
    Cuts the power of emulated boards, and holds each start against the journal of those before. Blank: of a board that no factory made.
cargo xtask pictures [--write]
    Draws a part before and after an erasure and compares with docs/pictures, or writes those anew.
cargo xtask blocklist [--write]
    Makes the filter of common passwords from xtask/common_words.txt and compares it with src/credential/blocklist.bin, or writes that anew.
cargo xtask utility [--write]
    Measures the errors of telemetry's estimates and compares with docs/telemetry-utility.md, or writes that anew.
cargo xtask trace [--listed]
    Looks whether guidelines, provisions, requirements, code and tests hold together. Listed: cargo test must know each cited test, too.
cargo xtask mapping [--write]
    Makes the pages, tables and claims of the mapping and compares them with what is there, or writes them anew.
cargo xtask mapping --pick 20 --seed 7
    Draws so many rows of the mapping and follows them: the cited test must pass alone, and a test must fail when the code is broken.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["assure", "executed"] => evidence::executed(&root(), ""),
        ["assure", "executed", "--only", id] => evidence::executed(&root(), id),
        ["assure", "planted"] => evidence::planted(&root(), ""),
        ["assure", "planted", "--only", id] => evidence::planted(&root(), id),
        ["assure", rest @ ..] => assure::run(&root(), rest),
        ["plants"] => plants::run(&root(), ""),
        ["plants", name] => plants::run(&root(), name),
        ["instructions"] => instructions::run(&root(), false),
        ["instructions", "--write"] => instructions::run(&root(), true),
        ["wiping"] => wiping::run(&root(), false),
        ["wiping", "--short"] => wiping::run(&root(), true),
        ["campaigns"] => campaigns::run(&root()),
        ["costs"] => costs::run(&root(), None, false),
        ["costs", "--write"] => costs::run(&root(), None, true),
        ["costs", core] => costs::run(&root(), Some(core), false),
        ["costs", core, "--write"] => costs::run(&root(), Some(core), true),
        ["firmware", rest @ ..] => firmware::run(&root(), rest),
        ["pictures"] => pictures::run(&root(), false),
        ["pictures", "--write"] => pictures::run(&root(), true),
        ["blocklist"] => blocklist::run(&root(), false),
        ["blocklist", "--write"] => blocklist::run(&root(), true),
        ["utility"] => utility::run(&root(), false),
        ["utility", "--write"] => utility::run(&root(), true),
        ["trace"] => trace::run(&root(), false),
        ["trace", "--listed"] => trace::run(&root(), true),
        ["mapping"] => mapping::run(&root(), false),
        ["mapping", "--pick", count, "--seed", seed] => match (count.parse(), seed.parse()) {
            (Ok(count), Ok(seed)) => pick::run(&root(), count, seed),
            _ => Err(HELP.to_owned()),
        },
        ["mapping", "--write"] => mapping::run(&root(), true),
        _ => Err(HELP.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}
