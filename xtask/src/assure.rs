//! Campaigns with tools that not every machine has: each leaves a row in `docs/assurance.md`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Seconds for each fuzz target, unless `-max_total_time` says otherwise.
const FUZZ_SECONDS: u32 = 30 * 60;

/// The portable cipher code that devices run; `cargo fuzz` does not read `.cargo/config.toml`.
const FUZZ_FLAGS: [(&str, &str); 1] = [(
    "RUSTFLAGS",
    "--cfg chacha20_backend=\"soft\" --cfg poly1305_backend=\"soft\"",
)];

const HEAD: &str = "\
# Assurance

Figures of slow campaigns, newest last, appended by `cargo xtask assure`. A row says what was run, on what, and what came of it.

| date | commit | what | tool | figures |
| --- | --- | --- | --- | --- |
";

/// A campaign: its name, the tool's version command, how to install it.
struct Campaign {
    name: &'static str,
    version: &'static [&'static str],
    install: &'static str,
    run: fn(&Path, &[&str]) -> Result<Vec<String>, String>,
}

const CAMPAIGNS: [Campaign; 6] = [
    Campaign {
        name: "cuts",
        version: &["--version"],
        install: "nothing: cargo is all it needs",
        run: cuts,
    },
    Campaign {
        name: "coverage",
        version: &["llvm-cov", "--version"],
        install: "rustup component add llvm-tools && cargo install --locked cargo-llvm-cov",
        run: coverage,
    },
    Campaign {
        name: "mutants",
        version: &["mutants", "--version"],
        install: "cargo install --locked cargo-mutants",
        run: mutants,
    },
    Campaign {
        name: "miri",
        version: &["+nightly", "miri", "--version"],
        install: "rustup component add --toolchain nightly miri rust-src",
        run: miri,
    },
    Campaign {
        name: "semver",
        version: &["semver-checks", "--version"],
        install: "cargo install --locked cargo-semver-checks",
        run: semver,
    },
    Campaign {
        name: "fuzz-long",
        version: &["fuzz", "--version"],
        install: "rustup toolchain install nightly && cargo install --locked cargo-fuzz",
        run: fuzz_long,
    },
];

/// Runs one campaign or all. A tool that is not there makes the whole fail, after the others have run.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let (names, extra) = match arguments.iter().position(|&argument| argument == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let name = match names {
        [] => "all",
        [name] => name,
        _ => return Err("one campaign, or all".to_owned()),
    };
    let chosen: Vec<&Campaign> = CAMPAIGNS
        .iter()
        .filter(|campaign| name == "all" || campaign.name == name)
        .collect();
    if chosen.is_empty() {
        return Err(format!(
            "no campaign {name}; there are cuts, coverage, mutants, miri, semver, fuzz-long and all"
        ));
    }
    let mut failures = String::new();
    for campaign in chosen {
        if let Err(reason) = run_one(root, campaign, extra) {
            eprintln!("!!!! {}: {reason}", campaign.name);
            let _ = writeln!(failures, "{}: {reason}", campaign.name);
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("\nnot done:\n{failures}"))
    }
}

fn run_one(root: &Path, campaign: &Campaign, extra: &[&str]) -> Result<(), String> {
    let version = Command::new("cargo")
        .args(campaign.version)
        .current_dir(root)
        .output();
    let version = match version {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => {
            return Err(format!(
                "the tool is not installed; install it with: {}",
                campaign.install
            ));
        }
    };
    eprintln!("==== {}: {version}", campaign.name);
    let (date, commit) = (said(root, "date", &["-u", "+%F"])?, commit(root)?);
    for figures in (campaign.run)(root, extra)? {
        let row = format!(
            "| {date} | {commit} | {} | {version} | {figures} |\n",
            campaign.name
        );
        let path = root.join("docs/assurance.md");
        let before = fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
        fs::write(&path, before + &row).map_err(|error| format!("docs/assurance.md: {error}"))?;
        eprint!("{row}");
    }
    Ok(())
}

// ---- the campaigns: each gives its rows ----

/// Power cuts at every event of every operation, and at every event of every recovery.
fn cuts(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let mut arguments = vec!["test", "--test", "store", "--", "--nocapture"];
    arguments.extend(["power_cut::", "mixed_faults::"]);
    arguments.extend(extra);
    let (success, output) = run_and_keep_with(root, &arguments, &[("BYDESIGN_EVERY_CUT", "1")])?;
    let cuts: u64 = output
        .lines()
        .filter_map(|line| line.strip_suffix(" cuts")?.parse::<u64>().ok())
        .sum();
    if success && cuts > 0 {
        Ok(vec![format!(
            "{cuts} cuts, none left a third state or a store that does not mount"
        )])
    } else {
        Err(format!("a cut was not survived, or none was made ({cuts})"))
    }
}

fn coverage(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let (success, output) = run_and_keep(root, &[&["llvm-cov", "--summary-only"], extra].concat())?;
    let total = output
        .lines()
        .rev()
        .find(|line| line.starts_with("TOTAL"))
        .unwrap_or_default();
    let shares: Vec<&str> = total
        .split_whitespace()
        .filter(|word| word.ends_with('%'))
        .collect();
    match (success, shares.as_slice()) {
        (true, [regions, functions, lines, ..]) => Ok(vec![format!(
            "regions {regions}, functions {functions}, lines {lines}"
        )]),
        _ => Err("cargo llvm-cov failed, or its summary has another shape".to_owned()),
    }
}

fn mutants(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let files = ["src/store.rs", "src/store/**", "src/crypto.rs", "src/crypto/**"];
    let mut arguments = vec!["mutants", "--output", "target/assure"];
    for file in files {
        arguments.extend(["--file", file]);
    }
    // Missed mutants make the tool fail; they are figures here.
    let (_, output) = run_and_keep(root, &[&arguments, extra].concat())?;
    let summary = output.lines().rev().find(|line| line.contains("mutants tested"));
    let summary = summary.ok_or("cargo mutants ended without a summary")?;
    Ok(vec![format!(
        "{}; the missed ones are in target/assure/mutants.out/missed.txt",
        summary.trim()
    )])
}

/// Undefined behaviour, in ours and in what we stand on. What files do is left out, and of the integration tests those that are long.
fn miri(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let runs: [&[&str]; 5] = [
        &["--lib", "--", "--skip", "file"],
        &["--test", "store", "sharing::"],
        &["--test", "store", "operations::typed_values"],
        &["--test", "store", "operations::each_user"],
        &["--test", "store", "transactions::changes_of_several"],
    ];
    let mut passed = 0;
    for run in runs {
        let arguments = [&["+nightly", "miri", "test"], run, extra].concat();
        let (success, output) =
            run_and_keep_with(root, &arguments, &[("MIRIFLAGS", "-Zmiri-disable-isolation")])?;
        if !success {
            return Err(format!("cargo {} failed", arguments.join(" ")));
        }
        passed += output.lines().filter(|line| line.ends_with(" ... ok")).count();
    }
    Ok(vec![format!("{passed} tests, no undefined behaviour")])
}

fn semver(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let tag = said(root, "git", &["describe", "--tags", "--abbrev=0"]).ok();
    let mut arguments = vec!["semver-checks"];
    match &tag {
        Some(tag) => arguments.extend(["--baseline-rev", tag]),
        None if extra.iter().any(|argument| argument.starts_with("--baseline")) => {}
        None => {
            return Err("there is no tag to compare with; give one: -- --baseline-rev REVISION".to_owned());
        }
    }
    let (success, output) = run_and_keep(root, &[&arguments, extra].concat())?;
    let summary = output
        .lines()
        .rev()
        .find(|line| line.contains("Summary") || line.contains("checks:"));
    let outcome = if success {
        "no breaking change"
    } else {
        "breaking changes"
    };
    let against = tag.as_deref().unwrap_or("the given baseline");
    Ok(vec![format!(
        "{outcome} against {against}: {}",
        summary.unwrap_or_default().trim()
    )])
}

/// All targets at once, one process each.
fn fuzz_long(root: &Path, extra: &[&str]) -> Result<Vec<String>, String> {
    let targets = fuzz_targets(root)?;
    // Built once, so that the runs do not wait for each other.
    let (built, _) = run_and_keep_with(
        root,
        &["+nightly", "fuzz", "build", "--sanitizer", "none"],
        &FUZZ_FLAGS,
    )?;
    if !built {
        return Err("the fuzz targets do not build".to_owned());
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

fn fuzz_one(root: &Path, target: &str, extra: &[&str]) -> Result<String, String> {
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
        "+nightly",
        "fuzz",
        "run",
        "--sanitizer",
        "none",
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
    let outcome = if success {
        "no finding"
    } else {
        "A FINDING, see fuzz/artifacts"
    };
    Ok(format!(
        "{target}: {outcome} in {} executions of {} minutes, {} edges",
        executions.unwrap_or("?").trim(),
        seconds / 60,
        edges.unwrap_or("?"),
    ))
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

// ---- running things ----

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

/// Runs cargo, shows what it prints and keeps it. Gives whether it succeeded.
fn run_and_keep(root: &Path, arguments: &[&str]) -> Result<(bool, String), String> {
    run_and_keep_with(root, arguments, &[])
}

/// As [`run_and_keep`], with more in the environment.
fn run_and_keep_with(
    root: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(bool, String), String> {
    eprintln!("$ cargo {}", arguments.join(" "));
    let child = Command::new("cargo")
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("cargo: {error}"))?;
    let errors = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || show_and_keep(pipe)));
    let mut output = child.stdout.take().map(show_and_keep).unwrap_or_default();
    if let Some(errors) = errors {
        output += &errors
            .join()
            .map_err(|_| "a reader of the tool's output died".to_owned())?;
    }
    let status = child.wait().map_err(|error| format!("cargo: {error}"))?;
    Ok((status.success(), output))
}

fn show_and_keep(pipe: impl Read) -> String {
    let mut kept = String::new();
    let mut lines = BufReader::new(pipe);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        eprint!("{text}");
        kept += &text;
        line.clear();
    }
    kept
}
