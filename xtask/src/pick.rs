//! Rows of the mapping, drawn at random and followed: from provision to requirement to code and test, which must pass alone; then the code is broken, and a test must fail.
//!
//! Broken by a bug of `xtask/plants.txt` where there is one for the requirement, else by a panic at the beginning of a cited function, which shows that the cited test runs it.

use std::collections::BTreeMap;
use std::path::Path;

use bydesign_mapping::{Citation, Decision, Kind, Mapping, NEWEST, Provision, Requirement};

use crate::plants::{self, Plant};

/// Follows `count` rows, drawn by `seed`.
pub(crate) fn run(root: &Path, count: usize, seed: u64) -> Result<(), String> {
    let mapping = Mapping::read(root)?;
    let plants = plants::list(root)?;
    let tree = root.join("target/plants/tree");
    plants::copy(root, Path::new(""), &tree)?;
    let mut dice = Dice(seed);
    let mut rows: Vec<(&Provision, &Requirement)> = mapping
        .provisions_of(NEWEST)
        .filter(|provision| matches!(provision.decision, Decision::Implements | Decision::Supports))
        .flat_map(|provision| {
            mapping
                .requirements_of(provision)
                .map(move |requirement| (provision, requirement))
        })
        .collect();
    println!("{count} of {} rows, drawn by the seed {seed}\n", rows.len());
    println!(
        "| provision | requirement | code | test | alone | broken by | then |\n| --- | --- | --- | --- | --- | --- | --- |"
    );
    let mut alone = BTreeMap::new();
    let mut untrue = 0;
    for _ in 0..count.min(rows.len()) {
        let (provision, requirement) = rows.swap_remove(dice.below(rows.len()));
        let cited = |kind: Kind| -> Vec<&Citation> {
            mapping
                .citations_of(&requirement.id)
                .filter(|citation| citation.kind == kind)
                .collect()
        };
        let (codes, tests) = (cited(Kind::Code), cited(Kind::Test));
        let [Some(code), Some(test)] =
            [&codes, &tests].map(|of| of.get(dice.below(of.len().max(1))).copied())
        else {
            println!("| {} | {} | an exception | | | | |", provision.id, requirement.id);
            continue;
        };
        let command = format!("{} -- --exact {}", test.target, test.test);
        if !alone.contains_key(&command) {
            let (passed, output) = plants::cargo_test(&tree, &command)?;
            alone.insert(
                command.clone(),
                passed && plants::has_test(&output, &test.test, "ok"),
            );
        }
        let passes = alone.get(&command) == Some(&true);
        let bugs: Vec<&Plant> = plants
            .iter()
            .filter(|plant| plant.requirement == requirement.id)
            .collect();
        let (by, outcome) = match bugs.get(dice.below(bugs.len().max(1))) {
            Some(bug) => (format!("bug: {}", bug.name), sown(&tree, bug)?),
            None => panicking(&tree, code, test, &command)?,
        };
        let is_true = passes
            && matches!(
                outcome,
                Outcome::Fails | Outcome::DoesNotCompile | Outcome::NothingToBreak
            );
        untrue += usize::from(!is_true);
        println!(
            "| {} | {} | {}:{} `{}` | {}:{} `cargo test {command}` | {} | {by} | {} |",
            provision.id,
            requirement.id,
            code.file,
            code.line,
            code.item,
            test.file,
            test.line,
            if passes { "passes" } else { "DOES NOT PASS" },
            outcome.in_words(),
        );
    }
    println!("\n{untrue} rows are not true");
    if untrue == 0 {
        Ok(())
    } else {
        Err("a row of the mapping is not true".to_owned())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fails,
    Passes,
    DoesNotCompile,
    NothingToBreak,
}

impl Outcome {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Fails => "fails",
            Self::Passes => "STILL PASSES",
            Self::DoesNotCompile => "is run by the compiler, which refuses it",
            Self::NothingToBreak => "a declaration: nothing to break so",
        }
    }
}

/// With a bug of the list: its own test must see it.
fn sown(tree: &Path, bug: &Plant) -> Result<Outcome, String> {
    let (_, output) = plants::with_texts(tree, &plants::planted(tree, bug)?, &bug.test)?;
    Ok(outcome(&output, &bug.expect))
}

/// With a panic where the cited function begins.
fn panicking(
    tree: &Path,
    code: &Citation,
    test: &Citation,
    command: &str,
) -> Result<(String, Outcome), String> {
    let source = plants::read(tree, &code.file)?;
    let Some(broken) = with_a_panic(&source, code) else {
        return Ok(("nothing".to_owned(), Outcome::NothingToBreak));
    };
    let texts = BTreeMap::from([(code.file.as_str(), broken)]);
    let (_, output) = plants::with_texts(tree, &texts, command)?;
    Ok((
        format!("a panic in `{}`", code.item),
        outcome(&output, &test.test),
    ))
}

fn outcome(output: &str, test: &str) -> Outcome {
    if plants::has_test(output, test, "FAILED") {
        Outcome::Fails
    } else if output.contains("\ntest result: ") {
        Outcome::Passes
    } else {
        Outcome::DoesNotCompile
    }
}

/// The text with a panic as the first statement of the cited item; none if that is not a function, or has none.
fn with_a_panic(text: &str, code: &Citation) -> Option<String> {
    if !(code.item.starts_with("fn ") || code.item.starts_with("impl")) {
        return None;
    }
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let function =
        (code.item_line - 1..lines.len()).find(|&at| format!(" {}", lines[at]).contains(" fn "))?;
    let body = (function..lines.len()).find(|&at| lines[at].ends_with('{'))?;
    lines.insert(
        body + 1,
        "    if core::hint::black_box(true) { panic!(\"broken on purpose\"); }".to_owned(),
    );
    Some(lines.join("\n") + "\n")
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
    fn a_panic_goes_into_the_cited_function_and_not_into_a_declaration() {
        let text = "//= a\npub fn f(\n    a: u8,\n) -> u8 {\n    a\n}\nconst A: u8 = 1;\n";
        let files = bydesign_mapping::citations(&(
            "src/a.rs".to_owned(),
            text.replace("//= a\n", "//= compliance/requirements.md#a-1\n//# It MUST.\n"),
        ));
        let cited = &files[0];
        let broken = with_a_panic(&text.replace("//= a\n", "\n\n"), cited).unwrap();
        assert!(
            broken.contains(") -> u8 {\n    if core::hint::black_box(true) { panic!"),
            "{broken}"
        );
        let constant = Citation {
            item: "const A".to_owned(),
            ..cited.clone()
        };
        assert_eq!(with_a_panic(text, &constant), None);
    }
}
