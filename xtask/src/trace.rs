//! Whether the mapping holds together: from guideline to provision to requirement to code to test.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use bydesign_mapping::{Flaw, Kind, Mapping};

/// Prints every flaw with file and id. With `listed`, also asks `cargo test` whether it knows each cited test, which builds the tests.
pub(crate) fn run(root: &Path, listed: bool) -> Result<(), String> {
    let mut flaws = bydesign_mapping::trace(root)?;
    let mapping = Mapping::read(root)?;
    if listed {
        flaws.extend(unlisted(root, &mapping)?);
    }
    for flaw in &flaws {
        println!("{flaw}");
    }
    if !flaws.is_empty() {
        return Err(format!("{} flaws", flaws.len()));
    }
    let tests: BTreeSet<_> = mapping
        .citations
        .iter()
        .filter(|citation| citation.kind == Kind::Test)
        .map(|citation| (&citation.target, &citation.test))
        .collect();
    println!(
        "{} guidelines and {} provisions decided, {} requirements, {} citations, {} tests{}",
        mapping.guidelines.len(),
        mapping.provisions.len(),
        mapping.requirements.len(),
        mapping.citations.len(),
        tests.len(),
        if listed {
            ", all of them known to cargo test"
        } else {
            ""
        }
    );
    Ok(())
}

/// Cited tests that `cargo test` does not have: in a file that no program includes, or behind a feature that is off.
fn unlisted(root: &Path, mapping: &Mapping) -> Result<Vec<Flaw>, String> {
    let cited = || {
        mapping
            .citations
            .iter()
            .filter(|citation| citation.kind == Kind::Test)
    };
    let targets: BTreeSet<&str> = cited().map(|citation| citation.target.as_str()).collect();
    let mut flaws = Vec::new();
    for target in targets {
        let listed = list(root, target)?;
        for citation in
            cited().filter(|citation| citation.target == target && !listed.contains(&citation.test))
        {
            flaws.push(Flaw {
                file: citation.file.clone(),
                line: citation.line,
                id: citation.requirement.clone(),
                what: format!("cargo test {target} has no test {}", citation.test),
            });
        }
    }
    Ok(flaws)
}

/// The names of the tests of a program.
fn list(root: &Path, target: &str) -> Result<BTreeSet<String>, String> {
    let output = Command::new("cargo")
        .args(["test", "--workspace"])
        .args(target.split(' '))
        .args(["--quiet", "--", "--list", "--format", "terse"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo test {target} -- --list failed"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text
        .lines()
        .filter_map(|line| line.strip_suffix(": test").map(str::to_owned))
        .collect())
}
