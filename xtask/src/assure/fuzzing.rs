//! Fuzzing for hours: hostile images, operations, orders, reports.
//!
//! ```text
//!  assure
//!    fuzzing  (this file)
//!    running
//!  cargo-fuzz · fuzz/
//! ```

use std::fs;
use std::path::Path;
use std::thread;

use super::Outcome;
use super::running::run_and_keep_with;

/// Seconds for each fuzz target, unless `-max_total_time` says otherwise.
const FUZZ_SECONDS: u32 = 30 * 60;

/// The portable cipher code that devices run; `cargo fuzz` does not read `.cargo/config.toml`.
const FUZZ_FLAGS: [(&str, &str); 1] = [(
    "RUSTFLAGS",
    "--cfg chacha20_backend=\"soft\" --cfg poly1305_backend=\"soft\"",
)];

/// All targets at once, one process each, with the sanitizer of memory: what we stand on has `unsafe` code.
pub(super) fn fuzz_long(root: &Path, extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let targets = fuzz_targets(root)?;
    // Built once, so that the runs do not wait for each other.
    let (built, _) = run_and_keep_with(root, &["cargo", "+nightly", "fuzz", "build"], &FUZZ_FLAGS)?;
    if !built {
        return Ok(vec![Outcome::Failed("the fuzz targets do not build".to_owned())]);
    }
    thread::scope(|scope| {
        let runs: Vec<_> = targets
            .iter()
            .map(|target| scope.spawn(|| fuzz_one(root, target, extra)))
            .collect();
        let ended = runs
            .into_iter()
            .map(|run| run.join().map_err(|_| "a run died".to_owned())?);
        ended.collect()
    })
}

fn fuzz_one(root: &Path, target: &str, extra: &[&str]) -> Result<Outcome, String> {
    let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
    for directory in [&corpus, &seeds] {
        fs::create_dir_all(root.join(directory)).map_err(|error| format!("{directory}: {error}"))?;
    }
    let seconds = extra
        .iter()
        .find_map(|argument| argument.strip_prefix("-max_total_time="));
    let seconds: u32 = seconds
        .map_or(Ok(FUZZ_SECONDS), str::parse)
        .map_err(|error| format!("-max_total_time: {error}"))?;
    let most = format!("-max_total_time={seconds}");
    let arguments = [
        "cargo",
        "+nightly",
        "fuzz",
        "run",
        target,
        &corpus,
        &seeds,
        "--",
        &most,
        "-max_len=512",
        "-timeout=10",
        "-print_final_stats=1",
    ];
    let (success, output) = run_and_keep_with(root, &[&arguments, extra].concat(), &FUZZ_FLAGS)?;
    let executions = output
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let edges = output.lines().rev().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "cov:");
        words.nth(1)
    });
    let found = if success {
        "no finding"
    } else {
        "A FINDING, see fuzz/artifacts"
    };
    let figures = format!(
        "{target}: {found} in {} executions of {} minutes, {} edges",
        executions.unwrap_or("?").trim(),
        seconds / 60,
        edges.unwrap_or("?"),
    );
    Ok(Outcome::of(success, figures))
}

/// The names of the binaries in `fuzz/Cargo.toml`.
fn fuzz_targets(root: &Path) -> Result<Vec<String>, String> {
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml"))
        .map_err(|error| format!("fuzz/Cargo.toml: {error}"))?;
    let names = manifest.split("[[bin]]").skip(1).filter_map(|section| {
        let name = section.lines().find_map(|line| line.strip_prefix("name = "))?;
        Some(name.trim().trim_matches('"').to_owned())
    });
    Ok(names.collect())
}
