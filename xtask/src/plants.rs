//! Proof that tests can fail: known bugs, planted one at a time in a copy of the tree, each to be caught by the test named.
//!
//! `xtask/plants.txt` has one block for each, separated by `---`; lines that begin with `#` are remarks, one of a number alone says which requirement the bug breaks:
//!
//! ```text
//!  # store-1
//!  name: what is broken, in words
//!  file: src/store/format.rs
//!  test: --lib store::format              arguments for cargo test
//!  expect: part_of_the_name_of_a_test     which must pass without the bug and fail with it
//!  passes: another_test a_third           optional: tests of the same run that must not see the bug
//!  refused: what the compiler says        optional: the bug does not get as far as a test
//!  <<<<
//!  the text to replace, which must stand in the file once
//!  ====
//!  the text that takes its place
//!  >>>>
//!  file: src/store/log.rs                 optional: a bug that takes more than one place goes on so
//!  <<<<
//!  …
//! ```

mod little;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
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
pub(crate) struct Plant {
    pub(crate) name: String,
    /// The requirement that it breaks, in upper case; empty: none of its own.
    pub(crate) requirement: String,
    test: String,
    expect: String,
    passes: Vec<String>,
    /// What the compiler says, if it sees the bug; empty: it does not.
    refused: String,
    edits: Vec<Edit>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Edit {
    file: String,
    old: String,
    new: String,
}

impl Plant {
    /// Whether all is there that it takes.
    fn is_complete(&self) -> bool {
        let named = [&self.name, &self.test, &self.expect]
            .iter()
            .all(|text| !text.is_empty());
        let edited = |edit: &Edit| !edit.file.is_empty() && !edit.old.is_empty();
        named && !self.edits.is_empty() && self.edits.iter().all(edited)
    }

    /// Arguments for the tests named alone: of the program's options what they are, and these names in place of its own filter.
    fn alone(&self) -> String {
        let mut arguments = Vec::new();
        let mut words = self.test.split_whitespace();
        while let Some(option) = words.next().filter(|word| word.starts_with('-')) {
            arguments.push(option);
            if matches!(option, "--test" | "--package") {
                arguments.extend(words.next());
            }
        }
        arguments.push("--");
        arguments.push(&self.expect);
        arguments.extend(self.passes.iter().map(String::as_str));
        arguments.join(" ")
    }

    fn files(&self) -> String {
        let mut files: Vec<&str> = self.edits.iter().map(|edit| edit.file.as_str()).collect();
        files.dedup();
        files.join(", ")
    }
}

/// Plants those bugs whose name contains `part`.
pub(crate) fn run(root: &Path, part: &str) -> Result<(), String> {
    let plants: Vec<Plant> = list(root)?
        .into_iter()
        .filter(|plant| plant.name.contains(part))
        .collect();
    if plants.is_empty() {
        return Err(format!("no plant has {part:?} in its name"));
    }
    let seen = Field::new(root)?.sow(&plants)?;
    if seen.iter().all(|seen| *seen) {
        Ok(())
    } else {
        Err("a plant was not caught by its test".to_owned())
    }
}

/// All bugs that can be planted.
pub(crate) fn list(root: &Path) -> Result<Vec<Plant>, String> {
    let list = fs::read_to_string(root.join("xtask/plants.txt"))
        .map_err(|error| format!("xtask/plants.txt: {error}"))?;
    parse(&list)
}

/// A copy of the tree to plant in, and what its tests say without a plant.
pub(crate) struct Field {
    tree: PathBuf,
    whole: BTreeMap<String, String>,
}

impl Field {
    pub(crate) fn new(root: &Path) -> Result<Self, String> {
        let tree = root.join("target/plants/tree");
        copy(root, Path::new(""), &tree)?;
        Ok(Self {
            tree,
            whole: BTreeMap::new(),
        })
    }

    /// Plants each of them, and gives whether its test, and no test that must pass, saw it.
    pub(crate) fn sow(&mut self, plants: &[Plant]) -> Result<Vec<bool>, String> {
        // Found out before anything slow: the text to replace stands there once.
        for plant in plants {
            planted(&self.tree, plant)?;
        }
        for plant in plants {
            self.pass_without(plant)?;
        }
        reap(&self.tree, plants)
    }

    /// Whether the tests of a plant are there and pass without it, found out once for all plants of the same tests.
    fn pass_without(&mut self, plant: &Plant) -> Result<(), String> {
        let arguments = plant.alone();
        if !self.whole.contains_key(&arguments) {
            eprintln!("without a plant: cargo test {arguments}");
            let (passes, output) = with_texts(&self.tree, &little::texts(&self.tree, plant), &arguments)?;
            if !passes {
                return Err(format!(
                    "{output}\nwithout a plant, cargo test {arguments} must pass"
                ));
            }
            self.whole.insert(arguments.clone(), output);
        }
        for test in std::iter::once(&plant.expect).chain(&plant.passes) {
            if !has_test(&self.whole[&arguments], test, "ok") {
                return Err(format!("cargo test {arguments} runs no test {test}"));
            }
        }
        Ok(())
    }
}

/// Runs the tests of each plant with it, and prints the table.
fn reap(tree: &Path, plants: &[Plant]) -> Result<Vec<bool>, String> {
    let (mut rows, mut caught) = (Vec::new(), Vec::new());
    for plant in plants {
        eprintln!("planting: {}", plant.name);
        let begun = Instant::now();
        let mut texts = little::texts(tree, plant);
        texts.extend(planted(tree, plant)?);
        let (passes, output) = with_texts(tree, &texts, &plant.alone())?;
        let sees_it = |test: &&String| !has_test(&output, test, "ok") || has_test(&output, test, "FAILED");
        let outcome = match (passes, has_test(&output, &plant.expect, "FAILED")) {
            (false, true) if plant.passes.iter().any(|test| sees_it(&test)) => "CAUGHT BY OTHERS TOO",
            (false, true) => "caught",
            (false, false) if !output.contains("\ntest result: ") => {
                if !plant.refused.is_empty() && output.contains(&plant.refused) {
                    "refused by the compiler"
                } else {
                    "DOES NOT COMPILE"
                }
            }
            (false, false) => "CAUGHT BY ANOTHER TEST OF THAT NAME",
            (true, _) => "NOT CAUGHT",
        };
        let is_caught = matches!(outcome, "caught" | "refused by the compiler");
        caught.push(is_caught);
        if !is_caught {
            eprintln!("{output}");
        }
        let seconds = begun.elapsed().as_secs();
        let alone = match plant.passes.len() {
            0 => String::new(),
            others => format!("; the {others} others named pass"),
        };
        let alone = if outcome == "caught" { alone } else { String::new() };
        rows.push(format!(
            "| {} | {} | {} | {outcome}{alone} | {seconds} s |",
            plant.name,
            plant.files(),
            plant.expect
        ));
    }
    println!(
        "| plant | in | test | outcome | time |\n| --- | --- | --- | --- | --- |\n{}\n",
        rows.join("\n")
    );
    let uncaught = caught.iter().filter(|caught| !**caught).count();
    println!("{} plants, {uncaught} not caught", plants.len());
    Ok(caught)
}

fn parse(list: &str) -> Result<Vec<Plant>, String> {
    let mut plants = Vec::new();
    for block in format!("\n{list}\n").split("\n---\n") {
        let mut plant = Plant::default();
        let mut file = String::new();
        let mut remarks = block.lines().filter_map(|line| line.strip_prefix("# "));
        plant.requirement = remarks.find_map(requirement).unwrap_or_default();
        let mut lines = block
            .lines()
            .skip_while(|line| line.is_empty() || line.starts_with('#'))
            .peekable();
        if lines.peek().is_none() {
            continue;
        }
        while let Some(line) = lines.next() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line == "<<<<" {
                // Either text may be empty; the marks may not be missing.
                let mut until = |mark: &str| {
                    let mut text: Vec<&str> = Vec::new();
                    loop {
                        match lines.next() {
                            Some(line) if line == mark => return Ok(text.join("\n")),
                            Some(line) => text.push(line),
                            None => return Err(format!("{}: no {mark}", plant.name)),
                        }
                    }
                };
                let (old, new) = (until("====")?, until(">>>>")?);
                plant.edits.push(Edit {
                    file: file.clone(),
                    old,
                    new,
                });
                continue;
            }
            let (field, value) = line.split_once(": ").ok_or(format!("not a field: {line}"))?;
            let value = value.trim();
            match field {
                "name" => value.clone_into(&mut plant.name),
                "file" => value.clone_into(&mut file),
                "test" => value.clone_into(&mut plant.test),
                "expect" => value.clone_into(&mut plant.expect),
                "refused" => value.clone_into(&mut plant.refused),
                "passes" => plant.passes.extend(value.split_whitespace().map(str::to_owned)),
                _ => return Err(format!("no such field: {line}")),
            }
        }
        if !plant.is_complete() {
            return Err(format!(
                "{}: name, file, test, expect and the text to replace are all needed",
                plant.name
            ));
        }
        plants.push(plant);
    }
    Ok(plants)
}

/// `store-1` and nothing else.
fn requirement(remark: &str) -> Option<String> {
    let (family, number) = remark.split_once('-')?;
    let is_one = !family.is_empty()
        && family.bytes().all(|letter| letter.is_ascii_lowercase())
        && number.parse::<u16>().is_ok();
    is_one.then(|| remark.to_uppercase())
}

pub(crate) fn read(tree: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(tree.join(file)).map_err(|error| format!("{file}: {error}"))
}

pub(crate) fn write(tree: &Path, file: &str, text: &str) -> Result<(), String> {
    fs::write(tree.join(file), text).map_err(|error| format!("{file}: {error}"))
}

/// The files that the bug touches, with the bug in them.
fn planted(tree: &Path, plant: &Plant) -> Result<BTreeMap<String, String>, String> {
    let mut texts = BTreeMap::new();
    for edit in &plant.edits {
        if !texts.contains_key(&edit.file) {
            texts.insert(edit.file.clone(), read(tree, &edit.file)?);
        }
        let text = texts.entry(edit.file.clone()).or_default();
        match text.matches(&edit.old).count() {
            1 => *text = text.replacen(&edit.old, &edit.new, 1),
            count => {
                return Err(format!(
                    "{}: the text to replace stands {count} times in {}:\n{}",
                    plant.name, edit.file, edit.old
                ));
            }
        }
    }
    Ok(texts)
}

/// Runs `cargo test` in the copy with other texts in some files, which are put back. Gives whether it passed, and what it printed.
fn with_texts(
    tree: &Path,
    texts: &BTreeMap<String, String>,
    arguments: &str,
) -> Result<(bool, String), String> {
    let mut before = Vec::new();
    for file in texts.keys() {
        before.push((file, read(tree, file)?));
    }
    for (file, text) in texts {
        write(tree, file, text)?;
    }
    let run = cargo_test(tree, arguments);
    for (file, text) in before {
        write(tree, file, &text)?;
    }
    run
}

/// Makes `tree` the same as the root, writing only what differs, so that little is built again.
pub(crate) fn copy(root: &Path, below: &Path, tree: &Path) -> Result<(), String> {
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
        // Built once for each bug, and run for moments: what is built anew is optimised little, and what it stands on as ever.
        .args(["--config", "profile.dev.opt-level=1"])
        .args(["--config", "profile.dev.package.'*'.opt-level=2"])
        .args(arguments.split_whitespace())
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", target)
        // One file differs from the last time.
        .env("CARGO_INCREMENTAL", "1")
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

    #[test]
    fn every_bug_has_its_place_in_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let plants = parse(&read(&root, "xtask/plants.txt").unwrap()).unwrap();
        for plant in &plants {
            planted(&root, plant).unwrap();
        }
        assert!(plants.len() > 100);
    }

    const BLOCK: &str = "# a remark\nname: a bug\nfile: src/a.rs\ntest: --lib a\nexpect: it_holds\n<<<<\n    a\n    b\n====\n    c\n>>>>\n";

    #[test]
    fn a_list_is_read_with_its_indents_and_empty_replacements() {
        let list = format!(
            "# head\n---\n{BLOCK}---\n{}",
            BLOCK.replace("    c\n", "").replace("a bug", "another")
        );
        let plants = parse(&list).unwrap();
        assert_eq!(plants.len(), 2);
        let [first, second] = [&plants[0], &plants[1]].map(|plant| &plant.edits[0]);
        assert_eq!(
            (first.old.as_str(), first.new.as_str()),
            ("    a\n    b", "    c")
        );
        assert_eq!((plants[1].name.as_str(), second.new.as_str()), ("another", ""));
        assert_eq!(plants[0].test, "--lib a");
        assert_eq!(plants[0].requirement, "", "a remark in words is none");
        assert!(plants[0].passes.is_empty());
    }

    #[test]
    fn a_remark_of_a_number_alone_names_the_requirement() {
        for (remark, named) in [("store-1", "STORE-1"), ("tear model: a-1", ""), ("store-", "")] {
            let plants = parse(&BLOCK.replacen("a remark", remark, 1)).unwrap();
            assert_eq!(plants[0].requirement, named);
        }
    }

    #[test]
    fn with_a_bug_the_tests_named_run_alone() {
        let list = BLOCK.replacen("--lib a", "--package b --test c d::", 1);
        let plants = parse(&list.replacen("<<<<", "passes: it_lasts\n<<<<", 1)).unwrap();
        assert_eq!(plants[0].alone(), "--package b --test c -- it_holds it_lasts");
    }

    #[test]
    fn tests_that_must_not_see_the_bug_are_read_in_one_line_or_several() {
        let passes = "passes: it_lasts it_rests\npasses: it_ends\n<<<<";
        let plants = parse(&BLOCK.replacen("<<<<", passes, 1)).unwrap();
        assert_eq!(plants[0].passes, ["it_lasts", "it_rests", "it_ends"]);
    }

    #[test]
    fn a_bug_may_take_several_places_in_one_file_or_in_two() {
        let more = "\n<<<<\n\n    d\n====\n>>>>\nfile: src/b.rs\n<<<<\n    e\n====\n    f\n>>>>\n";
        let plants = parse(&format!("{BLOCK}{more}")).unwrap();
        let edits: Vec<_> = plants[0]
            .edits
            .iter()
            .map(|edit| [edit.file.as_str(), edit.old.as_str(), edit.new.as_str()])
            .collect();
        let [_, second, third] = edits[..] else {
            panic!("three places: {edits:?}")
        };
        assert_eq!(second, ["src/a.rs", "\n    d", ""]);
        assert_eq!(third, ["src/b.rs", "    e", "    f"]);
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
