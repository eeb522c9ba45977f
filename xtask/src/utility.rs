//! What the collector's estimates are worth: runs `benches/noise`, and writes its tables and its drawing, or holds the tables that are the
//! same on every machine against those that are written.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const PAGE: &str = "docs/telemetry-utility.md";
const DRAWING: &str = "docs/telemetry-utility.svg";
/// Between what is the same on every machine and what is not.
const LINE: &str = "----\n";

/// Runs and compares, or writes.
pub(crate) fn run(root: &Path, write: bool) -> Result<(), String> {
    let drawing = root.join(if write {
        DRAWING
    } else {
        "target/telemetry-utility.svg"
    });
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--release", "--manifest-path"])
        .arg(root.join("benches/noise/Cargo.toml"))
        .arg("--")
        .arg(&drawing)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err("benches/noise did not end well".to_owned());
    }
    let text = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
    let (errors, speed) = text.split_once(LINE).ok_or("no line of dashes in the output")?;
    let page = root.join(PAGE);
    if write {
        fs::write(&page, document(errors, speed)).map_err(|error| format!("{}: {error}", page.display()))?;
        println!("written: {PAGE}, {DRAWING}");
        return Ok(());
    }
    let known = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    compare(errors, &known)
}

fn compare(errors: &str, page: &str) -> Result<(), String> {
    let rows = || errors.lines().filter(|line| line.starts_with('|'));
    if rows().count() < 10 {
        return Err("too few rows to be a run".to_owned());
    }
    let missing: Vec<&str> = rows()
        .filter(|row| !page.lines().any(|line| line == *row))
        .collect();
    if missing.is_empty() {
        println!("the errors are those of {PAGE}");
        return Ok(());
    }
    Err(format!(
        "not in {PAGE}, which `cargo xtask utility --write` writes anew:\n{}",
        missing.join("\n")
    ))
}

fn document(errors: &str, speed: &str) -> String {
    format!(
        "# What the estimates are worth

Written by `cargo xtask utility --write`, which runs `benches/noise`: simulated devices answer through the treatments, the collector sums and estimates, and the root of the mean
square error over many collections stands beside what theory says of it, the standard deviation that follows from the implemented draws. A ratio near 1 says that the estimator is free
of bias and does as well as its treatment allows; chance moves it by one over the root of twice the collections, a sixth for 16 of
them and a tenth for 60. All rows of one size share their seed, and so lie off to the same side. The last column is the same treatment drawn in floating point (`rand_distr`), undone with the ideal probabilities: exactness costs no
accuracy. Of shares, errors are over all categories.

![Errors over devices]({})

{errors}
Ten times more devices make the error √10 times smaller. To read the tables the other way round: with epsilon 1, a share is known to about one in a hundred (two standard deviations) from some
hundred thousand devices on.

## What an answer takes

On the machine that wrote this page, over ChaCha20, the fastest of 200 short runs. Big rationals are OpenDP's exact samplers (`opendp` 0.16), which draw until they are satisfied, from a source of their
own; what their time tells of the noise is what the tables here are for. On a device count instructions: `tests/noise_time/check`.

{speed}",
        DRAWING.trim_start_matches("docs/")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_on_the_page_is_told() {
        let rows: Vec<String> = (0..12).map(|number| format!("| row {number} |")).collect();
        let page = document(&rows.join("\n"), "");
        assert_eq!(compare(&rows.join("\n"), &page), Ok(()));
        let changed = rows.join("\n").replace("row 7", "row 70");
        assert!(compare(&changed, &page).is_err_and(|told| told.contains("row 70")));
        assert!(compare("", &page).is_err(), "no rows are no agreement");
    }
}
