//! Whether the mapping holds together: from guideline to provision to requirement to code to test.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use bydesign_mapping::{Citation, Flaw, Kind, Mapping};

/// Prints every flaw with file and id. With `listed`, also asks `cargo test` whether it knows each cited test, which builds the tests.
pub(crate) fn run(root: &Path, listed: bool) -> Result<(), String> {
    let mut flaws = bydesign_mapping::trace(root)?;
    let mapping = Mapping::read(root)?;
    if listed {
        flaws.extend(unlisted(root, &mapping.citations)?);
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
fn unlisted(root: &Path, citations: &[Citation]) -> Result<Vec<Flaw>, String> {
    let cited = || citations.iter().filter(|citation| citation.kind == Kind::Test);
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A package with a test in a program, one behind a feature that is off, and one in a file that no program includes.
    const PACKAGE: [(&str, &str); 4] = [
        (
            "Cargo.toml",
            "[package]\nname = \"cited\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[features]\noff = []\n[workspace]\n",
        ),
        ("src/lib.rs", ""),
        (
            "tests/a.rs",
            "#[test]\nfn holds() {}\n#[cfg(feature = \"off\")]\n#[test]\nfn lasts() {}\n",
        ),
        ("tests/a/forgotten.rs", "#[test]\nfn rests() {}\n"),
    ];

    #[test]
    fn a_cited_test_that_no_program_has_is_found_with_file_and_id() {
        let root = std::env::temp_dir().join(format!("bydesign-cited-{}", std::process::id()));
        for (file, text) in PACKAGE {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let citation = |file: &str, id: &str, test: &str| Citation {
            requirement: id.to_owned(),
            quote: "It MUST hold.".to_owned(),
            kind: Kind::Test,
            file: file.to_owned(),
            line: 1,
            item: format!("fn {test}"),
            item_line: 2,
            target: "--test a".to_owned(),
            test: test.to_owned(),
            reason: String::new(),
            flaws: Vec::new(),
        };
        let citations = [
            citation("tests/a.rs", "A-1", "holds"),
            citation("tests/a.rs", "A-2", "lasts"),
            citation("tests/a/forgotten.rs", "A-3", "rests"),
        ];
        let found = unlisted(&root, &citations);
        fs::remove_dir_all(&root).unwrap();
        let found: Vec<String> = found.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "tests/a.rs:1: A-2: cargo test --test a has no test lasts",
                "tests/a/forgotten.rs:1: A-3: cargo test --test a has no test rests",
            ]
        );
    }
}
