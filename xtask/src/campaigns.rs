//! Every slow check in one table: what it shows, how it is run, and what it last found, out of `docs/assurance.md`.
//!
//! ```text
//!  campaigns (this file)
//!  assure · wiping · plants · firmware     write the rows, or have them written
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A slow check. Rows of the record belong to it if their third cell begins with one of its names.
struct Check {
    names: &'static [&'static str],
    shows: &'static str,
    command: &'static str,
}

const CHECKS: [Check; 17] = [
    Check {
        names: &["fuzz-long"],
        shows: "hostile images, operations, orders and codes: no panic, no endless loop, no loss",
        command: "cargo xtask assure fuzz-long",
    },
    Check {
        names: &["without-waits"],
        shows: "the store's, erasures', limiter's and telemetry's tests hold where the library is compiled without waits, as for blocking drivers",
        command: "cargo xtask assure without-waits",
    },
    Check {
        names: &["miri"],
        shows: "no undefined behaviour, in ours and in what we stand on",
        command: "cargo xtask assure miri",
    },
    Check {
        names: &["constant-time", "constant time"],
        shows: "time does not depend on secrets, under valgrind",
        command: "cargo xtask assure constant-time",
    },
    Check {
        names: &["wiping"],
        shows: "nothing of secrets in memory, on a PC and on an emulated Cortex-M4",
        command: "cargo xtask assure wiping",
    },
    Check {
        names: &["plants"],
        shows: "each known bug, planted, makes its test fail",
        command: "cargo xtask plants",
    },
    Check {
        names: &["executed"],
        shows: "each cited test, alone, runs the code that it is cited for",
        command: "cargo xtask assure executed",
    },
    Check {
        names: &["mutants"],
        shows: "what changes of the code the tests notice",
        command: "cargo xtask assure mutants",
    },
    Check {
        names: &["coverage"],
        shows: "what of the code the tests run",
        command: "cargo xtask assure coverage",
    },
    Check {
        names: &[
            "cuts",
            "mixed histories",
            "histories of erasures",
            "erasures, every first cut",
            "cuts of attempts",
        ],
        shows: "power cuts in the simulator, at every event",
        command: "cargo xtask assure cuts",
    },
    Check {
        names: &["firmware"],
        shows: "power cuts on emulated boards with emulated NOR flash",
        command: "cargo xtask firmware --cuts 2000",
    },
    Check {
        names: &["wear of attempts"],
        shows: "what guesses cost the flash",
        command: "LIMITER_ATTEMPTS=100000 cargo test --test credential limiter_wear",
    },
    Check {
        names: &["batch", "vendor batches", "requests and certificates"],
        shows: "batches made, read by others and audited",
        command: "AUDIT_BATCHES=2000 cargo test --release --test audit -- --ignored",
    },
    Check {
        names: &["rows of the mapping"],
        shows: "rows of the mapping followed to code and test, which is then broken",
        command: "cargo xtask mapping --pick 20 --seed 20181014",
    },
    Check {
        names: &["semver"],
        shows: "no change of the public interface that the version does not say",
        command: "cargo xtask assure semver",
    },
    Check {
        names: &["dependencies"],
        shows: "licences, sources and duplicates of what we stand on",
        command: "cargo xtask assure dependencies",
    },
    Check {
        names: &["advisories"],
        shows: "known flaws of what we stand on",
        command: "cargo xtask assure advisories",
    },
];

/// What the check of this name shows.
pub(crate) fn shows(name: &str) -> &'static str {
    let check = CHECKS.iter().find(|check| check.names.contains(&name));
    check.map_or("", |check| check.shows)
}

/// Prints the table.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let path = root.join("docs/assurance.md");
    let record = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    print!("{}", table(&record));
    Ok(())
}

fn table(record: &str) -> String {
    let mut text = String::from(
        "| what it shows | how | runs | last | figures of the last |\n| --- | --- | ---: | --- | --- |\n",
    );
    for check in &CHECKS {
        let rows: Vec<Vec<&str>> = record
            .lines()
            .filter(|line| line.starts_with("| 2"))
            .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
            .filter(|cells: &Vec<&str>| is_of(cells.get(2).copied().unwrap_or_default(), check))
            .collect();
        let (last, figures) = match rows.last().map(Vec::as_slice) {
            Some([date, commit, _, _, figures, ..]) => (format!("{date}, {commit}"), *figures),
            _ => ("never recorded".to_owned(), ""),
        };
        let Check { shows, command, .. } = check;
        let _ = writeln!(
            text,
            "| {shows} | `{command}` | {} | {last} | {figures} |",
            rows.len()
        );
    }
    text
}

fn is_of(what: &str, check: &Check) -> bool {
    check.names.iter().any(|name| what.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "| date | commit | what | tool | figures |\n| --- | --- | --- | --- | --- |\n\
        | 2026-01-01 | abc | miri | miri 0.1 | 3 tests |\n| 2026-02-01 | def | miri | miri 0.1 | 5 tests |\n\
        | 2026-03-01 | 012 | plants, erasures | cargo | 28 planted |\n";

    #[test]
    fn the_last_row_of_each_check_is_shown_and_how_many_there_are() {
        let table = table(RECORD);
        assert!(
            table.contains("`cargo xtask assure miri` | 2 | 2026-02-01, def | 5 tests |"),
            "{table}"
        );
        assert!(
            table.contains("`cargo xtask plants` | 1 | 2026-03-01, 012 | 28 planted |"),
            "{table}"
        );
    }

    #[test]
    fn a_check_that_nobody_ran_is_shown_as_such() {
        assert!(table(RECORD).contains("`cargo xtask assure semver` | 0 | never recorded |  |"));
    }

    #[test]
    fn every_row_of_the_record_belongs_to_a_check() {
        let record = include_str!("../../docs/assurance.md");
        let rows = record.lines().filter(|line| line.starts_with("| 2"));
        let strangers: Vec<&str> = rows
            .filter_map(|line| line.split(" | ").nth(2))
            .filter(|what| !CHECKS.iter().any(|check| is_of(what, check)))
            .collect();
        assert!(strangers.is_empty(), "{strangers:?}");
    }
}
