//! What the crate costs on a device: bytes of code by feature set and target, instructions and stack of each operation, held against
//! `docs/firmware-costs.md` and `firmware/budgets.txt`.
//!
//! ```text
//!  costs    (this file)       the document, the comparison, the budgets
//!    readme                   the README's table, out of the document
//!    sizes                    images of firmware/src/size, by llvm-size and llvm-nm
//!    stacks                   what calls in them take of the stack, and what is wiped of it
//!      frames · instructions  by what they say themselves
//!    runs                     the image of firmware/src/measure.rs on emulated cores
//! ```

mod frames;
mod instructions;
mod readme;
mod runs;
mod sizes;
mod stacks;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::said::said;

use runs::Run;
use sizes::Size;
use stacks::Stacks;

/// A figure may differ from the document by so many per cent, as the compiler's version would have it.
const TOLERANCE_PERCENT: u64 = 2;
const DOCUMENT: &str = "docs/firmware-costs.md";
const README: &str = "README.md";
const BUDGETS: &str = "firmware/budgets.txt";

/// A target, as its column is headed.
pub(crate) struct Target {
    pub(crate) triple: &'static str,
    pub(crate) core: &'static str,
}

pub(crate) const TARGETS: [Target; 4] = [
    Target {
        triple: "thumbv7em-none-eabihf",
        core: "Cortex-M4",
    },
    Target {
        triple: "thumbv6m-none-eabi",
        core: "Cortex-M0",
    },
    Target {
        triple: "thumbv8m.main-none-eabi",
        core: "Cortex-M33",
    },
    Target {
        triple: "riscv32imc-unknown-none-elf",
        core: "RISC-V 32 IMC",
    },
];

/// All cores, or one by its name; compares, or writes what was measured into the document.
pub(crate) fn run(root: &Path, core: Option<&str>, is_writing: bool) -> Result<(), String> {
    let targets: Vec<&'static Target> = TARGETS
        .iter()
        .filter(|target| core.is_none_or(|core| core == target.core))
        .collect();
    if targets.is_empty() {
        return Err(format!("no core is called {}", core.unwrap_or_default()));
    }
    let compiler = said(Command::new("rustc").arg("--version"))?;
    let file = root.join(DOCUMENT);
    let known = fs::read_to_string(&file).unwrap_or_default();
    if !is_writing && !known.contains(compiler.trim()) {
        return Err(format!(
            "{DOCUMENT} is not of {}: cargo xtask costs --write",
            compiler.trim()
        ));
    }
    let (mut sizes, mut runs) = (Vec::new(), Vec::new());
    for &target in &targets {
        sizes.extend(sizes::measure(root, target)?);
        runs.extend(runs::measure(root, target)?);
    }
    let budgets = fs::read_to_string(root.join(BUDGETS)).map_err(|error| format!("{BUDGETS}: {error}"))?;
    let (mut failures, mut first) = (Vec::new(), None);
    for &target in &targets {
        let stacks = stacks::measure(root, target)?;
        failures.extend(stacks.shallow.iter().cloned());
        // The budgets are of the first core.
        if target.core == TARGETS[0].core {
            failures.extend(over(&parse(&budgets)?, &sizes, &runs, &stacks.deepest));
            first = Some(stacks);
        }
    }
    let deepest: &[(&str, u64)] = first.as_ref().map_or(&[], |stacks| &stacks.deepest);
    failures.extend(sizes::floats(root, &targets)?);
    failures.extend(with_data(&sizes));
    let readme = fs::read_to_string(root.join(README)).map_err(|error| format!("{README}: {error}"))?;
    if is_writing {
        let first = first.ok_or_else(|| format!("{DOCUMENT} is written with {}", TARGETS[0].core))?;
        let text = document(root, compiler.trim(), &known, &sizes, &runs, first)?;
        fs::write(&file, &text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        let readme = readme::with_table(&readme, &text)?;
        fs::write(root.join(README), readme).map_err(|error| format!("{README}: {error}"))?;
    } else {
        failures.extend(compare(&figures(&sizes, &runs, deepest), &known));
        if readme::with_table(&readme, &known)? != readme {
            failures.push(format!("the table in {README} is not that of {DOCUMENT}"));
        }
    }
    if failures.is_empty() {
        println!(
            "{} sizes and {} operations, within the budgets and {TOLERANCE_PERCENT} % of {DOCUMENT}",
            sizes.len(),
            runs.len()
        );
        Ok(())
    } else {
        Err(format!(
            "{}\nif that is meant: cargo xtask costs --write",
            failures.join("\n")
        ))
    }
}

// ---- budgets ----

/// A limit on a figure of the first target.
#[derive(Debug, PartialEq, Eq)]
struct Budget {
    what: String,
    most: u64,
}

/// Lines of `bytes  what`, and remarks.
fn parse(text: &str) -> Result<Vec<Budget>, String> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (most, what) = line
                .split_once("  ")
                .ok_or_else(|| format!("{BUDGETS}: {line:?}"))?;
            let most = most
                .trim()
                .parse()
                .map_err(|_| format!("{BUDGETS}: {line:?} begins with no number"))?;
            Ok(Budget {
                what: what.trim().to_owned(),
                most,
            })
        })
        .collect()
}

fn over(budgets: &[Budget], sizes: &[Size], runs: &[Run], deepest: &[(&str, u64)]) -> Vec<String> {
    let first = TARGETS[0].triple;
    let text = |set: &str| {
        sizes
            .iter()
            .find(|size| size.target == first && size.set == set)
            .map(|size| size.text)
    };
    budgets
        .iter()
        .filter_map(|budget| {
            let words: Vec<&str> = budget.what.splitn(2, ' ').collect();
            let found = match words.as_slice() {
                ["text", set] => match set.split_once(" over ") {
                    Some((set, base)) => text(set)
                        .zip(text(base))
                        .map(|(set, base)| set.saturating_sub(base)),
                    None => text(set),
                },
                ["stack", name] => runs
                    .iter()
                    .filter(|run| run.target == first && run.name == *name)
                    .map(|run| run.stack)
                    .max(),
                ["calls", set] => deepest.iter().find(|(of, _)| of == set).map(|(_, bytes)| *bytes),
                _ => None,
            };
            match found {
                None => Some(format!(
                    "{BUDGETS}: nothing is measured that is called {:?}",
                    budget.what
                )),
                Some(found) if found > budget.most => Some(format!(
                    "{}: {found} bytes, where {} are allowed",
                    budget.what, budget.most
                )),
                Some(_) => None,
            }
        })
        .collect()
}

/// The document and the README say that there is none: what the store needs of memory is lent to it.
fn with_data(sizes: &[Size]) -> Vec<String> {
    sizes
        .iter()
        .filter(|size| size.data > 0)
        .map(|size| {
            format!(
                "{} on {}: {} bytes of .data and .bss, where there ought to be none",
                size.set, size.target, size.data
            )
        })
        .collect()
}

// ---- the document ----

/// Each figure with the words that find its row, and the number of its column.
fn figures(sizes: &[Size], runs: &[Run], deepest: &[(&str, u64)]) -> Vec<(String, usize, u64)> {
    let column = |triple: &str| {
        TARGETS
            .iter()
            .position(|target| target.triple == triple)
            .unwrap_or(0)
    };
    let of_sizes = sizes
        .iter()
        .map(|size| (format!("| `{}` |", size.set), column(size.target), size.text));
    let of_runs = runs.iter().map(|run| {
        (
            format!("| {}: {} |", run.group, run.name),
            column(run.target),
            run.instructions,
        )
    });
    let of_stacks = runs.iter().map(|run| {
        (
            format!("| stack of {}: {} |", run.group, run.name),
            column(run.target),
            run.stack,
        )
    });
    let of_chains = deepest
        .iter()
        .map(|(set, bytes)| (format!("| calls of `{set}` |"), 0, *bytes));
    of_sizes
        .chain(of_runs)
        .chain(of_stacks)
        .chain(of_chains)
        .collect()
}

fn compare(figures: &[(String, usize, u64)], known: &str) -> Vec<String> {
    let mut differences = Vec::new();
    for (row, column, found) in figures {
        match there(known, row, *column) {
            Some(there) if found.abs_diff(there) * 100 <= there * TOLERANCE_PERCENT => {}
            there => differences.push(format!("{row} {found}, where {DOCUMENT} has {there:?}")),
        }
    }
    differences
}

fn head(text: &mut String, first: &str) {
    let _ = write!(text, "\n| {first} |");
    for target in &TARGETS {
        let _ = write!(text, " {} |", target.core);
    }
    text.push_str("\n| --- |");
    text.push_str(&" ---: |".repeat(TARGETS.len()));
    text.push('\n');
}

/// What was not measured now stays as it is in the document.
fn row(text: &mut String, known: &str, first: &str, cell: impl Fn(&str) -> Option<u64>) {
    let begin = format!("| {first} |");
    text.push_str(&begin);
    for (column, target) in TARGETS.iter().enumerate() {
        let _ = match cell(target.triple).or_else(|| there(known, &begin, column)) {
            Some(number) => write!(text, " {number} |"),
            None => write!(text, " |"),
        };
    }
    text.push('\n');
}

/// A figure of the document.
fn there(known: &str, row: &str, column: usize) -> Option<u64> {
    let line = known.lines().find_map(|line| line.strip_prefix(row))?;
    line.split('|').nth(column)?.trim().parse().ok()
}

fn document(
    root: &Path,
    compiler: &str,
    known: &str,
    sizes: &[Size],
    runs: &[Run],
    stacks: Stacks,
) -> Result<String, String> {
    let mut text = format!(
        "# What the crate costs on a device

Written by `cargo xtask costs --write`; `.ci/run` measures the first core again and fails where a figure differs by more than
{TOLERANCE_PERCENT} %, or is over its budget in `firmware/budgets.txt`. {compiler}, `opt-level = \"z\"`, fat LTO, one unit, `panic = \"abort\"`, SHA-256 and BLAKE2b in
their compact forms. No float instruction and no call of a soft-float routine is in any of these images; what panics remain is listed by `tests/linked`.

## Bytes of code

`.text` of images of `firmware/src/size/`: start-up code and vectors are not in it, read-only data is 1 to 3 KB besides, `.data` and
`.bss` are empty.
"
    );
    head(&mut text, "image");
    for set in sizes::sets() {
        row(&mut text, known, &format!("`{set}`"), |triple| {
            sizes
                .iter()
                .find(|size| size.target == triple && size.set == set)
                .map(|size| size.text)
        });
    }
    text.push_str("\n| image | what it holds |\n| --- | --- |\n");
    for set in sizes::sets() {
        let source = root
            .join("firmware/src/size")
            .join(set.replace('-', "_"))
            .with_extension("rs");
        let source = fs::read_to_string(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        let first = source
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("//! ");
        let _ = writeln!(text, "| `{set}` | {first} |");
    }
    text.push_str(&sizes::breakdown(root)?);

    text.push_str(
        "\n## Instructions

Counted exactly on emulated cores (QEMU, `-icount`), flash in memory that costs next to nothing, pages of 2 KiB, values of 64 bytes,
`Ram<32, 256>`. Instructions are not cycles. The other stores seal nothing: what the cipher alone takes comes on top of theirs.
",
    );
    let mut names: Vec<(&str, &str)> = Vec::new();
    for run in runs {
        if !names.contains(&(&run.group, &run.name)) {
            names.push((&run.group, &run.name));
        }
    }
    let cell = |triple: &str, group: &str, name: &str| {
        runs.iter()
            .find(|run| run.target == triple && run.group == group && run.name == name)
    };
    head(&mut text, "operation");
    for (group, name) in &names {
        row(&mut text, known, &format!("{group}: {name}"), |triple| {
            cell(triple, group, name).map(|run| run.instructions)
        });
    }
    text.push_str(
        "\n## Stack

Bytes below the caller, as a painted stack shows them. The blocking face wipes the stack behind each operation, as deep as the rarest way of the
operation goes above the cipher: more than the usual way takes (decision 28).
",
    );
    head(&mut text, "operation");
    for (group, name) in &names {
        row(&mut text, known, &format!("stack of {group}: {name}"), |triple| {
            cell(triple, group, name).map(|run| run.stack)
        });
    }
    let _ = write!(
        text,
        "
What no run shows is the rarest way: a put that meets a page which no longer erases, leaves it out and writes the keys anew. By the frames of all
calls in an image, on {}, below whoever calls the library, whatever it takes for them to follow one another. Each wipe is held against the frames
that run above it, without those that are wiped on their own, in images that call every operation, on every core: it is a twentieth deeper at least.

| image | deepest chain of calls |
| --- | ---: |
",
        TARGETS[0].core
    );
    for set in sizes::sets() {
        let begin = format!("| calls of `{set}` |");
        let of_set = stacks.deepest.iter().find(|(of, _)| *of == set);
        let bytes = of_set.map(|(_, bytes)| *bytes);
        let bytes = bytes.ok_or_else(|| format!("there are no frames of {set}"))?;
        let _ = writeln!(text, "{begin} {bytes} |");
    }
    text.push_str(&stacks.table());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(set: &'static str, text: u64) -> Size {
        Size {
            target: TARGETS[0].triple,
            set,
            text,
            data: 0,
        }
    }

    fn run(name: &str, stack: u64) -> Run {
        Run {
            target: TARGETS[0].triple,
            group: "store".into(),
            name: name.into(),
            instructions: 1000,
            stack,
        }
    }

    #[test]
    fn what_is_over_its_budget_is_told() {
        let sizes = [size("store", 1000), size("limiter", 1200)];
        for (budget, is_over) in [
            ("1000  text store", false),
            ("999  text store", true),
            ("200  text limiter over store", false),
            ("199  text limiter over store", true),
            ("50  stack put", false),
            ("49  stack put", true),
            ("70  calls store", false),
            ("69  calls store", true),
            ("9  text of nothing", true),
        ] {
            let budgets = parse(budget).unwrap_or_default();
            assert_eq!(budgets.len(), 1);
            assert_eq!(
                !over(&budgets, &sizes, &[run("put", 50)], &[("store", 70)]).is_empty(),
                is_over,
                "{budget}"
            );
        }
    }

    #[test]
    fn an_image_with_data_is_told() {
        assert!(with_data(&[size("store", 1000)]).is_empty());
        let with = Size {
            data: 4,
            ..size("store", 1000)
        };
        assert_eq!(with_data(&[with]).len(), 1);
    }

    #[test]
    fn a_line_that_is_no_budget_is_refused() {
        assert!(parse("many  text store").is_err());
        assert!(parse("1000 text store").is_err());
        assert_eq!(parse("# remark\n\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_figure_that_differs_by_more_than_two_per_cent_or_is_not_there_is_told() {
        let known = "| `store` | 1000 | 2000 | | |\n| store: put | 1000 | | | |\n| stack of store: put | 50 | | | |\n| calls of `store` | 70 |\n";
        for (text, differs) in [(1000, false), (1020, false), (1021, true), (979, true)] {
            let figures = figures(&[size("store", text)], &[run("put", 50)], &[("store", 70)]);
            assert_eq!(figures.len(), 4);
            assert_eq!(!compare(&figures, known).is_empty(), differs, "{text}");
        }
        assert_eq!(compare(&figures(&[size("limiter", 1)], &[], &[]), known).len(), 1);
    }
}
