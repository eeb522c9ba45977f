//! Whether each cited test runs the cited code: every test alone, with counts of what it ran.
//!
//! The counts are the compiler's own (`-C instrument-coverage`), in the crates of this workspace; llvm-tools read them. A citation above a type or a constant has nothing
//! that runs, and is neither run nor missed; a test of such alone is not run here.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bydesign_mapping::{Campaign, Citation, Executed, Kind, Mapping};

/// Runs the tests that cite the chosen requirements, and gives a record of each.
pub(crate) fn run(
    root: &Path,
    mapping: &Mapping,
    chosen: &BTreeSet<String>,
    of: &Campaign,
) -> Result<Vec<Executed>, String> {
    let tests: Vec<&Citation> = mapping
        .citations
        .iter()
        .filter(|citation| citation.kind == Kind::Test && chosen.contains(&citation.requirement))
        .filter(|citation| {
            mapping
                .code_of(citation)
                .any(|code| code.is_function() || code.item.starts_with("impl"))
        })
        .collect();
    let targets: BTreeSet<&str> = tests.iter().map(|citation| citation.target.as_str()).collect();
    let programs = build(root, &targets)?;
    let tools = tools()?;
    let mut counted = BTreeMap::new();
    let mut records: Vec<Executed> = Vec::new();
    for citation in tests {
        let key = (citation.target.as_str(), citation.test.as_str());
        let (passed, lines) = match counted.entry(key) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => {
                let program = programs
                    .get(citation.target.as_str())
                    .ok_or(format!("no program for {}", citation.target))?;
                free.insert(count(root, &tools, program, &citation.test)?)
            }
        };
        let (mut ran, mut missed) = (Vec::new(), Vec::new());
        for code in mapping.code_of(citation) {
            let name = code.place();
            let counts = lines
                .get(&code.file)
                .map_or(Vec::new(), |lines| within(root, code, lines));
            match counts.iter().max() {
                None if !code.is_function() => {}
                // No instance of it is in the test's program.
                None | Some(0) => missed.push(name),
                Some(_) => ran.push(name),
            }
        }
        let verdict = if ran.is_empty() && !missed.is_empty() {
            "DOES NOT RUN"
        } else {
            "runs"
        };
        eprintln!(
            "{}: {} {verdict} {}",
            citation.requirement,
            citation.test,
            [&ran[..], &missed[..]].concat().join(", ")
        );
        // A test may cite several sentences of one requirement.
        let earlier = records.iter_mut().find(|record| {
            record.requirement == citation.requirement
                && record.target == citation.target
                && record.test == citation.test
        });
        match earlier {
            Some(record) => {
                record.ran.extend(ran);
                record.missed.extend(missed);
            }
            None => records.push(Executed {
                requirement: citation.requirement.clone(),
                target: citation.target.clone(),
                test: citation.test.clone(),
                passed: *passed,
                ran,
                missed,
                of: of.clone(),
            }),
        }
    }
    for record in &mut records {
        let ran = record.ran.clone();
        record.missed.retain(|code| !ran.contains(code));
        for list in [&mut record.ran, &mut record.missed] {
            list.sort();
            list.dedup();
        }
    }
    Ok(records)
}

fn directory(root: &Path) -> PathBuf {
    root.join("target/executed")
}

/// Builds the programs of these targets with counters: which target is which file.
fn build(root: &Path, targets: &BTreeSet<&str>) -> Result<BTreeMap<String, PathBuf>, String> {
    let directory = directory(root);
    let mut cargo = Command::new("cargo");
    cargo
        .env("CARGO_TARGET_DIR", &directory)
        .env("RUSTC_WORKSPACE_WRAPPER", root.join("xtask/instrumented"))
        .env("LLVM_PROFILE_FILE", directory.join("build-%p.profraw"));
    programs(root, targets, &mut cargo)
}

/// Builds the test programs of these targets by a cargo that has its environment: which target is which file.
pub(crate) fn programs(
    tree: &Path,
    targets: &BTreeSet<&str>,
    cargo: &mut Command,
) -> Result<BTreeMap<String, PathBuf>, String> {
    let output = cargo
        .args(["test", "--no-run"])
        .args(targets.iter().flat_map(|target| target.split(' ')))
        .current_dir(tree)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the tests do not build:\n{text}"));
    }
    // "  Executable tests/store/main.rs (target/executed/debug/deps/store-1f2e)"
    let mut programs = BTreeMap::new();
    for line in text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Executable "))
    {
        let Some((source, program)) = line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) else {
            continue;
        };
        let target = match source.strip_prefix("tests/") {
            Some(path) => format!(
                "--test {}",
                path.trim_end_matches(".rs").trim_end_matches("/main")
            ),
            None => "--lib".to_owned(),
        };
        programs.insert(target, tree.join(program));
    }
    Ok(programs)
}

/// Where `llvm-profdata` and `llvm-cov` of this compiler are.
fn tools() -> Result<PathBuf, String> {
    let ask = |arguments: &[&str]| {
        let output = Command::new("rustc")
            .args(arguments)
            .output()
            .map_err(|error| format!("rustc: {error}"))?;
        Ok::<_, String>(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let version = ask(&["-vV"])?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let tools = Path::new(ask(&["--print", "sysroot"])?.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin");
    if tools.join("llvm-cov").exists() {
        Ok(tools)
    } else {
        Err("there are no llvm-tools: rustup component add llvm-tools".to_owned())
    }
}

/// Whether a test passes alone, and how often it runs each line of each file of the crate.
type Counts = (bool, BTreeMap<String, BTreeMap<usize, u64>>);

fn count(root: &Path, tools: &Path, program: &Path, test: &str) -> Result<Counts, String> {
    let raw = directory(root).join("raw");
    let _ = fs::remove_dir_all(&raw);
    fs::create_dir_all(&raw).map_err(|error| format!("{}: {error}", raw.display()))?;
    let output = Command::new(program)
        .args(["--exact", test])
        .current_dir(root)
        .env("CARGO_MANIFEST_DIR", root)
        .env("LLVM_PROFILE_FILE", raw.join("%p-%m.profraw"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let ran = said.contains(&format!("test {test} ... ok")) || said.contains("1 passed");
    let passed = output.status.success() && ran;
    let mut files = Vec::new();
    for entry in fs::read_dir(&raw).map_err(|error| error.to_string())? {
        files.push(entry.map_err(|error| error.to_string())?.path());
    }
    let merged = raw.join("merged.profdata");
    let merge = Command::new(tools.join("llvm-profdata"))
        .args(["merge", "-sparse", "-o"])
        .arg(&merged)
        .args(&files)
        .output();
    let merge = merge.map_err(|error| format!("llvm-profdata: {error}"))?;
    if !merge.status.success() {
        return Err(format!("{test}: {}", String::from_utf8_lossy(&merge.stderr)));
    }
    let export = Command::new(tools.join("llvm-cov"))
        .args(["export", "-format=lcov", "-instr-profile"])
        .arg(&merged)
        .arg(program)
        .arg("-sources")
        .arg(root.join("src"))
        .output()
        .map_err(|error| format!("llvm-cov: {error}"))?;
    if !export.status.success() {
        return Err(format!("{test}: {}", String::from_utf8_lossy(&export.stderr)));
    }
    Ok((passed, lines(root, &String::from_utf8_lossy(&export.stdout))))
}

/// Reads the counts in LCOV's form.
fn lines(root: &Path, lcov: &str) -> BTreeMap<String, BTreeMap<usize, u64>> {
    let mut files = BTreeMap::<String, BTreeMap<usize, u64>>::new();
    let mut file = String::new();
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = Path::new(path);
            file = path.strip_prefix(root).unwrap_or(path).display().to_string();
            continue;
        }
        let counted = line.strip_prefix("DA:").and_then(|rest| rest.split_once(','));
        if let Some((Ok(number), Ok(count))) =
            counted.map(|(number, count)| (number.parse(), count.parse::<u64>()))
        {
            let slot = files.entry(file.clone()).or_default().entry(number).or_default();
            *slot = slot.saturating_add(count);
        }
    }
    files
}

/// The counts of the lines of the item that a citation stands at.
fn within(root: &Path, code: &Citation, counts: &BTreeMap<usize, u64>) -> Vec<u64> {
    let text = fs::read_to_string(root.join(&code.file)).unwrap_or_default();
    let last = end(&text, code.item_line);
    counts
        .range(code.item_line..=last)
        .map(|(_, count)| *count)
        .collect()
}

/// The last line of the item that begins at this line: the next one that is as little indented and closes it.
fn end(text: &str, first: usize) -> usize {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().enumerate().skip(first.saturating_sub(1));
    let Some((_, head)) = lines.next() else {
        return first;
    };
    if head.trim_end().ends_with(';') {
        return first;
    }
    let own = indent(head);
    lines
        .find(|(_, line)| {
            !line.trim().is_empty()
                && indent(line) <= own
                && matches!(line.trim_start().as_bytes().first(), Some(b'}' | b']'))
        })
        .map_or(first, |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_ends_where_it_is_closed() {
        let text = "const A: u8 = 1;\nfn f(\n    a: u8,\n) -> u8\nwhere\n    u8: Copy,\n{\n    if a {\n    }\n}\nfn g() {}\n";
        assert_eq!((end(text, 1), end(text, 2)), (1, 10));
    }

    #[test]
    fn counts_of_one_line_are_added_up() {
        let lcov =
            "SF:/root/src/a.rs\nFN:1,f\nDA:1,2\nDA:2,0\nDA:1,3\nend_of_record\nSF:/root/src/b.rs\nDA:7,1\n";
        let files = lines(Path::new("/root"), lcov);
        assert_eq!(files["src/a.rs"], BTreeMap::from([(1, 5), (2, 0)]));
        assert_eq!(files["src/b.rs"], BTreeMap::from([(7, 1)]));
    }
}
