//! Proof that tests can fail: known bugs, planted one at a time in a copy of the tree, each to be caught by the test named.
//!
//! `xtask/plants.txt` has one block for each, separated by `---`; lines that begin with `#` are remarks:
//!
//! ```text
//!  name: what is broken, in words
//!  file: src/store/format.rs
//!  test: --lib store::format              arguments for cargo test
//!  expect: part_of_the_name_of_a_test     which must pass without the bug and fail with it
//!  <<<<
//!  the text to replace, which must stand in the file once
//!  ====
//!  the text that takes its place
//!  >>>>
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Not copied: what is made, not written.
const LEFT_OUT: [&str; 6] = [
    "target",
    ".git",
    "fuzz/target",
    "fuzz/corpus",
    "fuzz/artifacts",
    "fuzz/coverage",
];

#[derive(Debug, Default, PartialEq, Eq)]
struct Plant {
    name: String,
    file: String,
    test: String,
    expect: String,
    old: String,
    new: String,
}

/// Plants those bugs whose name contains `part`.
pub(crate) fn run(root: &Path, part: &str) -> Result<(), String> {
    let list = fs::read_to_string(root.join("xtask/plants.txt"))
        .map_err(|error| format!("xtask/plants.txt: {error}"))?;
    let plants: Vec<Plant> = parse(&list)?
        .into_iter()
        .filter(|plant| plant.name.contains(part))
        .collect();
    if plants.is_empty() {
        return Err(format!("no plant has {part:?} in its name"));
    }
    let tree = root.join("target/plants/tree");
    copy(root, Path::new(""), &tree)?;
    // Found out before anything slow: the text to replace stands there once.
    for plant in &plants {
        planted(&tree, plant)?;
    }

    let mut whole = BTreeMap::<&str, String>::new();
    for plant in &plants {
        if !whole.contains_key(plant.test.as_str()) {
            eprintln!("without a plant: cargo test {}", plant.test);
            let (passes, output) = cargo_test(&tree, &plant.test)?;
            if !passes {
                return Err(format!(
                    "{output}\nwithout a plant, cargo test {} must pass",
                    plant.test
                ));
            }
            whole.insert(&plant.test, output);
        }
        if !has_test(&whole[plant.test.as_str()], &plant.expect, "ok") {
            return Err(format!("cargo test {} runs no test {}", plant.test, plant.expect));
        }
    }

    let (mut rows, mut uncaught) = (Vec::new(), 0);
    for plant in &plants {
        eprintln!("planting: {}", plant.name);
        let begun = Instant::now();
        let path = tree.join(&plant.file);
        let before = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", plant.file))?;
        fs::write(&path, planted(&tree, plant)?).map_err(|error| format!("{}: {error}", plant.file))?;
        let run = cargo_test(&tree, &plant.test);
        fs::write(&path, before).map_err(|error| format!("{}: {error}", plant.file))?;
        let (passes, output) = run?;
        let outcome = match (passes, has_test(&output, &plant.expect, "FAILED")) {
            (false, true) => "caught",
            (false, false) if !output.contains("\ntest result: ") => "DOES NOT COMPILE",
            (false, false) => "CAUGHT BY ANOTHER TEST",
            (true, _) => "NOT CAUGHT",
        };
        if outcome != "caught" {
            uncaught += 1;
            eprintln!("{output}");
        }
        let seconds = begun.elapsed().as_secs();
        rows.push(format!(
            "| {} | {} | {} | {outcome} | {seconds} s |",
            plant.name, plant.file, plant.expect
        ));
    }
    println!(
        "| plant | in | test | outcome | time |\n| --- | --- | --- | --- | --- |\n{}\n",
        rows.join("\n")
    );
    println!("{} plants, {uncaught} not caught", plants.len());
    if uncaught == 0 {
        Ok(())
    } else {
        Err("a plant was not caught by its test".to_owned())
    }
}

fn parse(list: &str) -> Result<Vec<Plant>, String> {
    let mut plants = Vec::new();
    for block in format!("\n{list}\n").split("\n---\n") {
        let mut plant = Plant::default();
        let Some((fields, texts)) = block.split_once("\n<<<<\n") else {
            if block.lines().all(|line| line.is_empty() || line.starts_with('#')) {
                continue;
            }
            return Err(format!("a plant without a text to replace:\n{block}"));
        };
        for line in fields
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (field, value) = line.split_once(": ").ok_or(format!("not a field: {line}"))?;
            let place = match field {
                "name" => &mut plant.name,
                "file" => &mut plant.file,
                "test" => &mut plant.test,
                "expect" => &mut plant.expect,
                _ => return Err(format!("no such field: {line}")),
            };
            value.trim().clone_into(place);
        }
        // Either text may be empty, and the last mark may end the file.
        let texts = format!("\n{texts}\n");
        let halves = texts
            .split_once("\n====\n")
            .and_then(|(old, rest)| Some((old, format!("\n{rest}"), rest.find(">>>>")?)));
        let Some((old, rest, _)) = halves else {
            return Err(format!("{}: no ==== or no >>>>", plant.name));
        };
        let new = rest
            .split_once("\n>>>>\n")
            .map(|(new, _)| new)
            .ok_or(format!("{}: no >>>>", plant.name))?;
        old.trim_start_matches('\n').clone_into(&mut plant.old);
        new.trim_start_matches('\n').clone_into(&mut plant.new);
        let complete = [&plant.name, &plant.file, &plant.test, &plant.expect, &plant.old]
            .iter()
            .all(|text| !text.is_empty());
        if !complete {
            return Err(format!(
                "{}: name, file, test, expect and the text to replace are all needed",
                plant.name
            ));
        }
        plants.push(plant);
    }
    Ok(plants)
}

/// The file with the bug in it.
fn planted(tree: &Path, plant: &Plant) -> Result<String, String> {
    let text =
        fs::read_to_string(tree.join(&plant.file)).map_err(|error| format!("{}: {error}", plant.file))?;
    match text.matches(&plant.old).count() {
        1 => Ok(text.replacen(&plant.old, &plant.new, 1)),
        count => Err(format!(
            "{}: the text to replace stands {count} times in {}",
            plant.name, plant.file
        )),
    }
}

/// Makes `tree` the same as the root, writing only what differs, so that little is built again.
fn copy(root: &Path, below: &Path, tree: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", below.display());
    fs::create_dir_all(tree.join(below)).map_err(failed)?;
    for entry in fs::read_dir(tree.join(below)).map_err(failed)? {
        let path = below.join(entry.map_err(failed)?.file_name());
        if root.join(&path).is_dir() != tree.join(&path).is_dir() || !root.join(&path).exists() {
            let gone = tree.join(&path);
            if gone.is_dir() {
                fs::remove_dir_all(gone)
            } else {
                fs::remove_file(gone)
            }
            .map_err(failed)?;
        }
    }
    for entry in fs::read_dir(root.join(below)).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = below.join(entry.file_name());
        if LEFT_OUT.iter().any(|left_out| path == Path::new(left_out)) {
            continue;
        }
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            copy(root, &path, tree)?;
        } else if kind.is_file() {
            let text = fs::read(root.join(&path)).map_err(failed)?;
            if fs::read(tree.join(&path)).ok().as_ref() != Some(&text) {
                fs::write(tree.join(&path), text).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Runs `cargo test` in the copy. Gives whether it passed, and what it printed.
fn cargo_test(tree: &Path, arguments: &str) -> Result<(bool, String), String> {
    let target = tree.with_file_name("target");
    let output = Command::new("cargo")
        .arg("test")
        .args(arguments.split_whitespace())
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Ok((output.status.success(), text.into_owned()))
}

/// Whether a line says that a test with this part in its name ended so.
fn has_test(output: &str, part: &str, outcome: &str) -> bool {
    output
        .lines()
        .any(|line| line.starts_with("test ") && line.contains(part) && line.ends_with(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "# a remark\nname: a bug\nfile: src/a.rs\ntest: --lib a\nexpect: it_holds\n<<<<\n    a\n    b\n====\n    c\n>>>>\n";

    #[test]
    fn a_list_is_read_with_its_indents_and_empty_replacements() {
        let list = format!(
            "# head\n---\n{BLOCK}---\n{}",
            BLOCK.replace("    c\n", "").replace("a bug", "another")
        );
        let plants = parse(&list).unwrap();
        assert_eq!(plants.len(), 2);
        assert_eq!(
            (plants[0].old.as_str(), plants[0].new.as_str()),
            ("    a\n    b", "    c")
        );
        assert_eq!((plants[1].name.as_str(), plants[1].new.as_str()), ("another", ""));
        assert_eq!(plants[0].test, "--lib a");
    }

    #[test]
    fn a_block_that_lacks_something_is_refused() {
        for (from, to) in [
            ("expect: it_holds\n", ""),
            ("====\n", ""),
            (">>>>\n", ""),
            ("<<<<\n", ""),
            ("file: ", "fiel: "),
        ] {
            assert!(parse(&BLOCK.replace(from, to)).is_err(), "{from:?} became {to:?}");
        }
    }

    #[test]
    fn only_the_named_test_with_the_named_outcome_counts() {
        let output = "running 2 tests\ntest a::it_holds ... FAILED\ntest a::it_lasts ... ok\n";
        assert!(has_test(output, "it_holds", "FAILED") && has_test(output, "it_lasts", "ok"));
        assert!(!has_test(output, "it_holds", "ok") && !has_test(output, "it_rests", "ok"));
    }
}
