//! All that is checked with tools that not every machine has, behind one command: a table at the end says what came of each, and figures of it go to
//! `docs/assurance.md`.
//!
//! ```text
//!  assure (this file)        the list, the order, the table, the record
//!    tools                   what each tool is asked
//!    fuzzing · dependencies  two of them
//!    running                 programs, shown while they run
//! ```

mod dependencies;
mod fuzzing;
mod running;
mod tools;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const HEAD: &str = "\
# Assurance

Figures of slow campaigns, newest last, appended by `cargo xtask assure`. A row says what was run, on what, and what came of it.

| date | commit | what | tool | figures |
| --- | --- | --- | --- | --- |
";

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Passed(String),
    Failed(String),
    /// And why.
    NotRun(String),
}

impl Outcome {
    fn of(is_good: bool, figures: String) -> Self {
        if is_good {
            Self::Passed(figures)
        } else {
            Self::Failed(figures)
        }
    }

    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::Passed(figures) => ("passed", figures),
            Self::Failed(figures) => ("FAILED", figures),
            Self::NotRun(reason) => ("NOT RUN", reason),
        }
    }
}

/// A check: its name, how its tool says its version, how to install it, what it takes on two processors.
struct Check {
    name: &'static str,
    version: &'static [&'static str],
    install: &'static str,
    takes: &'static str,
    run: fn(&Path, &[&str]) -> Result<Vec<Outcome>, String>,
}

/// The short ones first.
const CHECKS: [Check; 11] = [
    Check {
        name: "dependencies",
        version: &["cargo", "deny", "--version"],
        install: "cargo install --locked cargo-deny",
        takes: "10 seconds",
        run: dependencies::dependencies,
    },
    Check {
        name: "advisories",
        version: &["cargo", "deny", "--version"],
        install: "cargo install --locked cargo-deny",
        takes: "10 seconds, and a network",
        run: dependencies::advisories,
    },
    Check {
        name: "constant-time",
        version: &["valgrind", "--version"],
        install: "apt-get install valgrind",
        takes: "2 minutes",
        run: tools::constant_time,
    },
    Check {
        name: "semver",
        version: &["cargo", "semver-checks", "--version"],
        install: "cargo install --locked cargo-semver-checks",
        takes: "3 minutes",
        run: tools::semver,
    },
    Check {
        name: "coverage",
        version: &["cargo", "llvm-cov", "--version"],
        install: "rustup component add llvm-tools && cargo install --locked cargo-llvm-cov",
        takes: "15 minutes",
        run: tools::coverage,
    },
    Check {
        name: "wiping",
        version: &["cargo", "--version"],
        install: "nothing: QEMU for Arm adds the part on a device",
        takes: "15 minutes",
        run: tools::wiping,
    },
    Check {
        name: "without-waits",
        version: &["cargo", "--version"],
        install: "nothing: cargo is all it needs",
        takes: "20 minutes",
        run: tools::without_waits,
    },
    Check {
        name: "miri",
        version: &["cargo", "+nightly", "miri", "--version"],
        install: "rustup component add --toolchain nightly miri rust-src",
        takes: "an hour and more",
        run: tools::miri,
    },
    Check {
        name: "fuzz-long",
        version: &["cargo", "fuzz", "--version"],
        install: "rustup toolchain install nightly && cargo install --locked cargo-fuzz",
        takes: "half an hour, all targets at once; -- -max_total_time=SECONDS",
        run: fuzzing::fuzz_long,
    },
    Check {
        name: "cuts",
        version: &["cargo", "--version"],
        install: "nothing: cargo is all it needs",
        takes: "an hour and more",
        run: tools::cuts,
    },
    Check {
        name: "mutants",
        version: &["cargo", "mutants", "--version"],
        install: "cargo install --locked cargo-mutants",
        takes: "days; -- --shard 1/40 takes hours",
        run: tools::mutants,
    },
];

/// A line of the table at the end.
struct Row {
    name: &'static str,
    tool: String,
    outcome: Outcome,
    seconds: u64,
}

/// `--list`, or runs the checks that are named, or all, and prints what came of them. A tool that is not there makes the whole fail, after the
/// others have run.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let (names, extra) = match arguments.iter().position(|&argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    if names == ["--list"] {
        print!("{}", list());
        return Ok(());
    }
    if let Some(stranger) = names
        .iter()
        .find(|&&name| name != "all" && CHECKS.iter().all(|check| check.name != name))
    {
        return Err(format!("no check is called {stranger}\n{}", list()));
    }
    let is_all = names.is_empty() || names.contains(&"all");
    if !extra.is_empty() && (is_all || names.len() > 1) {
        return Err("arguments are one tool's: name one check".to_owned());
    }
    let mut rows = Vec::new();
    for check in CHECKS
        .iter()
        .filter(|check| is_all || names.contains(&check.name))
    {
        rows.extend(run_one(root, check, extra)?);
    }
    print!("\n{}", table(&rows));
    let bad = rows
        .iter()
        .filter(|row| !matches!(row.outcome, Outcome::Passed(_)))
        .count();
    if bad == 0 {
        Ok(())
    } else {
        Err(format!("{bad} of {} did not pass", rows.len()))
    }
}

fn run_one(root: &Path, check: &Check, extra: &[&str]) -> Result<Vec<Row>, String> {
    let (begun, tool) = (Instant::now(), version(root, check.version));
    eprintln!("==== {}: {}", check.name, tool.as_deref().unwrap_or("not there"));
    let outcomes = match &tool {
        Some(_) => (check.run)(root, extra).unwrap_or_else(|reason| vec![Outcome::NotRun(reason)]),
        None => vec![Outcome::NotRun(format!("not installed: {}", check.install))],
    };
    let seconds = begun.elapsed().as_secs();
    let tool = tool.unwrap_or_default();
    for outcome in &outcomes {
        match outcome {
            Outcome::NotRun(reason) => eprintln!("!!!! {}: {reason}", check.name),
            Outcome::Passed(figures) => record(root, check.name, &tool, figures)?,
            Outcome::Failed(figures) => record(root, check.name, &tool, &format!("FAILED: {figures}"))?,
        }
    }
    Ok(outcomes
        .into_iter()
        .map(|outcome| Row {
            name: check.name,
            tool: tool.clone(),
            outcome,
            seconds,
        })
        .collect())
}

/// What the tool says first, if it is there.
fn version(root: &Path, program: &[&str]) -> Option<String> {
    let (name, arguments) = program.split_first()?;
    let output = Command::new(name)
        .args(arguments)
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    output.status.success().then_some(line)
}

fn record(root: &Path, name: &str, tool: &str, figures: &str) -> Result<(), String> {
    let (date, commit) = (said(root, "date", &["-u", "+%F"])?, commit(root)?);
    let row = format!("| {date} | {commit} | {name} | {tool} | {figures} |\n");
    let path = root.join("docs/assurance.md");
    let before = fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
    fs::write(&path, before + &row).map_err(|error| format!("docs/assurance.md: {error}"))
}

/// What there is, and what each takes.
fn list() -> String {
    let mut text = String::from(
        "| check | takes about | shows | if the tool is not there |\n| --- | --- | --- | --- |\n",
    );
    for check in &CHECKS {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            check.name,
            check.takes,
            crate::campaigns::shows(check.name),
            check.install
        );
    }
    text
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| what | tool | outcome | seconds | figures, or why not |\n| --- | --- | --- | ---: | --- |\n",
    );
    for row in rows {
        let (outcome, figures) = row.outcome.words();
        let _ = writeln!(
            text,
            "| {} | {} | {outcome} | {} | {figures} |",
            row.name, row.tool, row.seconds
        );
    }
    text
}

pub(crate) fn commit(root: &Path) -> Result<String, String> {
    let commit = said(root, "git", &["rev-parse", "--short", "HEAD"])?;
    // What campaigns write themselves does not count.
    let status = [
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ".",
        ":!compliance/evidence.json",
        ":!docs/assurance.md",
        ":!docs/guidelines",
    ];
    let changed = !said(root, "git", &status)?.is_empty();
    Ok(if changed { commit + " and changes" } else { commit })
}

/// What a short command prints, in `root`.
pub(crate) fn said(root: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let text = crate::said::said(Command::new(program).args(arguments).current_dir(root))?;
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_line_with_its_tool_and_seconds() {
        let row = |outcome| Row {
            name: "miri",
            tool: "miri 0.1".to_owned(),
            outcome,
            seconds: 7,
        };
        let rows = [
            row(Outcome::of(true, "5 tests".to_owned())),
            row(Outcome::of(false, "1 test".to_owned())),
            row(Outcome::NotRun("no nightly".to_owned())),
        ];
        let table = table(&rows);
        for line in [
            "| miri | miri 0.1 | passed | 7 | 5 tests |",
            "| miri | miri 0.1 | FAILED | 7 | 1 test |",
            "| miri | miri 0.1 | NOT RUN | 7 | no nightly |",
        ] {
            assert!(table.contains(line), "{table}");
        }
    }

    #[test]
    fn every_check_says_what_it_shows_and_what_it_takes() {
        for check in &CHECKS {
            assert!(!crate::campaigns::shows(check.name).is_empty(), "{}", check.name);
            assert!(list().contains(check.takes));
        }
    }

    #[test]
    fn a_tool_that_is_not_there_has_no_version() {
        let here = Path::new(".");
        assert_eq!(version(here, &["there-is-no-such-program"]), None);
        assert!(version(here, &["cargo", "--version"]).is_some_and(|version| version.starts_with("cargo ")));
    }

    #[test]
    fn a_check_that_is_not_there_and_arguments_for_several_are_refused() {
        assert!(run(Path::new("."), &["no-such-check"]).is_err());
        assert!(run(Path::new("."), &["miri", "semver", "--", "--quiet"]).is_err());
    }
}
