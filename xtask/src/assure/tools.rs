//! What each tool is asked, and what of its answer is a figure.
//!
//! ```text
//!  assure
//!    tools    (this file)
//!    running
//!  cargo test · llvm-cov · mutants · miri · semver-checks · valgrind · xtask wiping
//! ```

use std::path::Path;

use super::Outcome;
use super::running::{run_and_keep, run_and_keep_with};
use super::said;

/// Nothing is published and there is no tag: until then, what the public interface is held against. Of 29 November 2026: what `Medium` does is hidden since.
const BASELINE: &str = "c8bfeab";

/// Power cuts at every event of every operation, and at every event of every recovery.
pub(super) fn cuts(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let mut arguments = vec!["cargo", "test", "--test", "store", "--", "--nocapture"];
    arguments.extend(["power_cut::", "mixed_faults::"]);
    arguments.extend(extra);
    let (success, output) = run_and_keep_with(root, &arguments, &[("BYDESIGN_EVERY_CUT", "1")])?;
    let cuts: u64 = output
        .lines()
        .filter_map(|line| line.strip_suffix(" cuts")?.parse::<u64>().ok())
        .sum();
    Ok(vec![if success && cuts > 0 {
        Outcome::Passed(format!(
            "{cuts} cuts, none left a third state or a store that does not mount"
        ))
    } else {
        Outcome::Failed(format!("a cut was not survived, or none was made ({cuts})"))
    }])
}

/// The tests that need the blocking face alone, with the library compiled as devices with blocking drivers have it.
pub(super) fn without_waits(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let folder = root.join("target/without");
    let folder = folder.to_string_lossy();
    let manifest = "tests/without_waits/Cargo.toml";
    let arguments = [
        &["cargo", "test", "--no-fail-fast", "--manifest-path", manifest],
        extra,
    ]
    .concat();
    let (success, output) = run_and_keep_with(root, &arguments, &[("CARGO_TARGET_DIR", &folder)])?;
    let count = |end: &str| output.lines().filter(|line| line.ends_with(end)).count();
    let (passed, failed) = (count(" ... ok"), count(" ... FAILED"));
    Ok(vec![Outcome::of(
        success && passed > 0 && failed == 0,
        format!("{passed} tests passed, {failed} failed"),
    )])
}

pub(super) fn coverage(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let (success, output) = run_and_keep(root, &[&["cargo", "llvm-cov", "--summary-only"], extra].concat())?;
    let total = output
        .lines()
        .rev()
        .find(|line| line.starts_with("TOTAL"))
        .unwrap_or_default();
    let shares: Vec<&str> = total
        .split_whitespace()
        .filter(|word| word.ends_with('%'))
        .collect();
    Ok(vec![match (success, shares.as_slice()) {
        (true, [regions, functions, lines, ..]) => {
            Outcome::Passed(format!("regions {regions}, functions {functions}, lines {lines}"))
        }
        _ => Outcome::Failed("cargo llvm-cov failed, or its summary has another shape".to_owned()),
    }])
}

pub(super) fn mutants(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let files = ["src/store.rs", "src/store/**", "src/crypto.rs", "src/crypto/**"];
    let mut arguments = vec!["cargo", "mutants", "--output", "target/assure"];
    for file in files {
        arguments.extend(["--file", file]);
    }
    // Missed mutants make the tool fail; they are figures here.
    let (_, output) = run_and_keep(root, &[&arguments, extra].concat())?;
    let summary = output.lines().rev().find(|line| line.contains("mutants tested"));
    let summary = summary.ok_or("cargo mutants ended without a summary")?;
    Ok(vec![Outcome::Passed(format!(
        "{}; the missed ones are in target/assure/mutants.out/missed.txt",
        summary.trim()
    ))])
}

/// Undefined behaviour, in what we stand on: ours has no `unsafe`. What files do is left out, what a factory has, and what computes for hours
/// and calls nobody.
pub(super) fn miri(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let skipped = [
        "file",
        "factory",
        "credential::",
        "paper::",
        "thousands_of_random_changes",
    ];
    let mut library = vec!["--lib", "--"];
    library.extend(skipped.iter().flat_map(|part| ["--skip", part]));
    let runs: [&[&str]; 5] = [
        &library,
        &["--test", "store", "sharing::"],
        &["--test", "store", "operations::typed_values"],
        &["--test", "store", "operations::each_user"],
        &["--test", "store", "transactions::changes_of_several"],
    ];
    let mut passed = 0;
    for run in runs {
        let arguments = [&["cargo", "+nightly", "miri", "test"], run, extra].concat();
        let (success, output) =
            run_and_keep_with(root, &arguments, &[("MIRIFLAGS", "-Zmiri-disable-isolation")])?;
        if !success {
            return Ok(vec![Outcome::Failed(arguments.join(" "))]);
        }
        passed += output.lines().filter(|line| line.ends_with(" ... ok")).count();
    }
    Ok(vec![Outcome::of(
        passed > 0,
        format!("{passed} tests, no undefined behaviour"),
    )])
}

/// Held against the last tag, or [`BASELINE`] while there is none, or what the arguments say.
pub(super) fn semver(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let tag = said(root, "git", &["describe", "--tags", "--abbrev=0"]).ok();
    let revision = tag.as_deref().unwrap_or(BASELINE);
    let mut program = vec!["cargo", "semver-checks", "--package", "bydesign"];
    let is_given = extra.iter().any(|argument| argument.starts_with("--baseline"));
    if !is_given {
        program.extend(["--baseline-rev", revision]);
    }
    let (success, output) = run_and_keep(root, &[&program, extra].concat())?;
    let summary = output
        .lines()
        .rev()
        .find(|line| line.contains("Summary") || line.contains("checks:"));
    // Without one it did not come to compare anything.
    let summary = summary.ok_or("cargo semver-checks ended without a summary")?;
    let found = if success {
        "no breaking change"
    } else {
        "breaking changes"
    };
    let against = if is_given { "the given baseline" } else { revision };
    let figures = format!("{found} against {against}: {}", summary.trim());
    Ok(vec![Outcome::of(success, figures)])
}

/// Whether a branch or an address follows from a secret; whether noise takes the same time.
pub(super) fn constant_time(root: &Path, _extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let scripts = [
        ("secrets", "tests/constant_time/check"),
        ("noise", "tests/noise_time/check"),
    ];
    scripts
        .into_iter()
        .map(|(what, script)| {
            let (success, output) = run_and_keep(root, &[script])?;
            let figures: Vec<&str> = output.lines().filter(|line| line.contains(" cases")).collect();
            let is_shown = success && !figures.is_empty();
            let figures = figures.join("; ");
            Ok(Outcome::of(
                is_shown,
                format!("{what}, at opt-level 3, s and z: {figures}"),
            ))
        })
        .collect()
}

/// What is left of secrets in memory, and whether the search sees what is left when a wipe is taken out.
pub(super) fn wiping(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let (success, output) = run_and_keep(root, &[&["cargo", "xtask", "wiping"], extra].concat())?;
    let controls = output
        .lines()
        .filter(|line| line.starts_with("control on"))
        .count();
    let summaries: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(place, _)| place.contains(" at ") && !place.starts_with("control"))
        .map(|(_, summary)| summary)
        .collect();
    let figures = format!(
        "{} searches, the last: {}; {controls} controls",
        summaries.len(),
        summaries.last().unwrap_or(&"none")
    );
    Ok(vec![Outcome::of(
        success && !summaries.is_empty() && controls > 0,
        figures,
    )])
}
