//! Rows of the mapping, drawn at random and followed: from provision to requirement to code and test, which must pass alone and fail when the code is broken.
//!
//! In a copy of the tree every cited function of the rows gets a panic that a variable of the environment sets off: so one build is enough, and each test is run as it is, then
//! with the code of its row broken. That shows that the test runs the code; whether it sees subtler bugs, `cargo xtask plants` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bydesign_mapping::{Citation, Decision, Kind, Mapping, NEWEST, Provision, Requirement};

use crate::{executed, plants};

/// Sets a panic off, by its number.
const SWITCH: &str = "BYDESIGN_BROKEN";

/// A row of the index, with one of the citations of each kind.
struct Row<'a> {
    provision: &'a Provision,
    requirement: &'a Requirement,
    code: &'a Citation,
    test: &'a Citation,
}

/// Follows `count` rows, drawn by `seed`.
pub(crate) fn run(root: &Path, count: usize, seed: u64) -> Result<(), String> {
    let mapping = Mapping::read(root)?;
    let rows = draw(&mapping, count, &mut Dice(seed));
    let tree = root.join("target/picked/tree");
    plants::copy(root, Path::new(""), &tree)?;
    let broken = switches(&tree, &rows)?;
    let targets: BTreeSet<&str> = rows.iter().map(|row| row.test.target.as_str()).collect();
    let mut cargo = Command::new("cargo");
    cargo.env("CARGO_TARGET_DIR", root.join("target/picked/target"));
    let programs = executed::programs(&tree, &targets, &mut cargo)?;

    println!("{} rows, drawn by the seed {seed}\n", rows.len());
    println!(
        "| provision | requirement | code | test | alone | with the code broken |\n| --- | --- | --- | --- | --- | --- |"
    );
    let mut untrue = 0;
    for (number, row) in rows.iter().enumerate() {
        let program = programs
            .get(&row.test.target)
            .ok_or(format!("no program for {}", row.test.target))?;
        let alone = passes(root, program, &row.test.test, None)?;
        let outcome = match broken.contains(&number) {
            false => "a declaration, or run by the compiler: not broken so",
            true if passes(root, program, &row.test.test, Some(number))? => "STILL PASSES",
            true => "fails",
        };
        untrue += usize::from(!alone || outcome == "STILL PASSES");
        println!(
            "| {} | {} | {}:{} `{}` | {}:{} `cargo test {} -- --exact {}` | {} | {outcome} |",
            row.provision.id,
            row.requirement.id,
            row.code.file,
            row.code.line,
            row.code.item,
            row.test.file,
            row.test.line,
            row.test.target,
            row.test.test,
            if alone { "passes" } else { "DOES NOT PASS" },
        );
    }
    println!("\n{untrue} rows are not true");
    if untrue == 0 {
        Ok(())
    } else {
        Err("a row of the mapping is not true".to_owned())
    }
}

fn draw<'a>(mapping: &'a Mapping, count: usize, dice: &mut Dice) -> Vec<Row<'a>> {
    let mut all: Vec<(&Provision, &Requirement)> = mapping
        .provisions_of(NEWEST)
        .filter(|provision| matches!(provision.decision, Decision::Implements | Decision::Supports))
        .flat_map(|provision| {
            mapping
                .requirements_of(provision)
                .map(move |requirement| (provision, requirement))
        })
        .collect();
    let mut rows = Vec::new();
    while rows.len() < count && !all.is_empty() {
        let (provision, requirement) = all.swap_remove(dice.below(all.len()));
        let cited = |kind: Kind| {
            mapping
                .citations_of(&requirement.id)
                .filter(move |citation| citation.kind == kind)
        };
        let tests: Vec<&Citation> = cited(Kind::Test).collect();
        // An exception has none.
        let Some(test) = tests.get(dice.below(tests.len().max(1))) else {
            continue;
        };
        let codes: Vec<&Citation> = cited(Kind::Code)
            .filter(|code| code.quote == test.quote)
            .collect();
        let Some(code) = codes.get(dice.below(codes.len().max(1))) else {
            continue;
        };
        rows.push(Row {
            provision,
            requirement,
            code,
            test,
        });
    }
    rows
}

/// Puts a panic with a switch into the code of each row, and gives those rows that have one.
fn switches(tree: &Path, rows: &[Row<'_>]) -> Result<BTreeSet<usize>, String> {
    let mut by_file = BTreeMap::<&str, Vec<(usize, &Citation)>>::new();
    for (number, row) in rows.iter().enumerate() {
        by_file
            .entry(&row.code.file)
            .or_default()
            .push((number, row.code));
    }
    let mut broken = BTreeSet::new();
    for (file, mut codes) in by_file {
        let mut text = plants::read(tree, file)?;
        // From below, so that lines above stay where they are.
        codes.sort_by_key(|(_, code)| std::cmp::Reverse(code.item_line));
        for (number, code) in codes {
            if let Some(with) = with_a_switch(&text, code, number) {
                text = with;
                broken.insert(number);
            }
        }
        plants::write(tree, file, &text)?;
    }
    Ok(broken)
}

/// The text with a panic as the first statement of the cited function; none if it is no function, or one that the compiler may run.
fn with_a_switch(text: &str, code: &Citation, number: usize) -> Option<String> {
    if !(code.item.starts_with("fn ") || code.item.starts_with("impl")) {
        return None;
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let function =
        (code.item_line - 1..lines.len()).find(|&at| format!(" {}", lines[at]).contains(" fn "))?;
    if lines[function].contains("const fn") {
        return None;
    }
    let body = (function..lines.len()).find(|&at| lines[at].ends_with('{'))?;
    let switch = format!(
        "    if std::env::var(\"{SWITCH}\").is_ok_and(|broken| broken == \"{number}\") {{ panic!(\"broken on purpose\"); }}"
    );
    lines.insert(body + 1, switch);
    Some(lines.join("\n") + "\n")
}

/// Whether one test passes, with a panic switched on or none.
fn passes(root: &Path, program: &PathBuf, test: &str, broken: Option<usize>) -> Result<bool, String> {
    let mut run = Command::new(program);
    run.args(["--exact", test])
        .current_dir(root)
        .env("CARGO_MANIFEST_DIR", root)
        .env_remove(SWITCH)
        .stdin(Stdio::null());
    if let Some(number) = broken {
        run.env(SWITCH, number.to_string());
    }
    let output = run
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    // A name that selects nothing passes, too.
    Ok(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"))
}

/// Draws that a seed repeats: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The remainder's bias is of no account for a choice among some hundred.
        usize::try_from(mixed % bound as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_draws_and_another_makes_others() {
        let draws = |seed| {
            let mut dice = Dice(seed);
            [(); 8].map(|()| dice.below(1000))
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        assert!(draws(7).iter().all(|draw| *draw < 1000));
    }

    #[test]
    fn a_switch_goes_into_the_cited_function_and_not_into_a_declaration() {
        let text = "//= a\npub fn f(\n    a: u8,\n) -> u8 {\n    a\n}\nconst A: u8 = 1;\n";
        let files = bydesign_mapping::citations(&(
            "src/a.rs".to_owned(),
            text.replace("//= a\n", "//= compliance/requirements.md#a-1\n//# It MUST.\n"),
        ));
        let cited = &files[0];
        let broken = with_a_switch(&text.replace("//= a\n", "\n\n"), cited, 3).unwrap();
        assert!(
            broken.contains(") -> u8 {\n    if std::env::var(\"BYDESIGN_BROKEN\")"),
            "{broken}"
        );
        let constant = Citation {
            item: "const A".to_owned(),
            ..cited.clone()
        };
        assert_eq!(with_a_switch(text, &constant, 3), None);
        let by_the_compiler = text.replace("//= a\n", "\n\n").replace("pub fn", "pub const fn");
        assert_eq!(with_a_switch(&by_the_compiler, cited, 3), None);
    }
}
