//! What a reader of the README decides by: code and worst stack of each set of features on each core, out of the document.
//!
//! ```text
//!  costs
//!    readme   (this file)
//!  docs/firmware-costs.md
//! ```

use std::fmt::Write as _;

use bydesign_mapping::put_between;

use super::{TARGETS, there};

const BEGIN: &str = "<!-- costs: begin, made by cargo xtask costs --write -->\n";
const END: &str = "<!-- costs: end -->\n";

/// A set of features, and which operations it does: the worst stack is of these.
struct Set {
    image: &'static str,
    what: &'static str,
    does: &'static [&'static str],
}

const SETS: [Set; 6] = [
    Set {
        image: "cipher",
        what: "the cipher alone",
        does: &["cipher: "],
    },
    Set {
        image: "read-only",
        what: "the store, mounted and read, as in a boot loader",
        does: &[
            "store, overwritable: mount",
            "store, overwritable: get",
            "store, write-once: mount",
            "store, write-once: get",
        ],
    },
    Set {
        image: "store",
        what: "the store",
        does: &["store, "],
    },
    Set {
        image: "limiter",
        what: "and a limiter of attempts",
        does: &["store, "],
    },
    Set {
        image: "password",
        what: "and passwords, by Argon2id",
        does: &["store, ", "credentials: "],
    },
    Set {
        image: "telemetry",
        what: "the store and telemetry",
        does: &["store, ", "telemetry, ", "report of one field"],
    },
];

/// The README with the table as the document has it.
pub(super) fn with_table(readme: &str, document: &str) -> Result<String, String> {
    put_between(readme, BEGIN, END, &table(document)?)
        .ok_or_else(|| format!("README.md: no place between {BEGIN:?} and {END:?}"))
}

fn table(document: &str) -> Result<String, String> {
    let mut text = String::from("| what is linked |");
    for target in &TARGETS {
        let _ = write!(text, " {} |", target.core);
    }
    text.push_str("\n| --- |");
    text.push_str(&" ---: |".repeat(TARGETS.len()));
    text.push('\n');
    for set in &SETS {
        let _ = write!(text, "| {} |", set.what);
        for column in 0..TARGETS.len() {
            let code = there(document, &format!("| `{}` |", set.image), column);
            let code = code.ok_or_else(|| format!("the document has no size of {}", set.image))?;
            let stack = worst(document, set, column);
            let stack = stack.ok_or_else(|| format!("the document has no stack of {}", set.image))?;
            let _ = write!(text, " {} + {} |", kilobytes(code), kilobytes(stack));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The largest stack of what the set does.
fn worst(document: &str, set: &Set, column: usize) -> Option<u64> {
    let rows = document.lines().filter_map(|line| {
        let name = line.strip_prefix("| stack of ")?;
        let is_done = set.does.iter().any(|begin| name.starts_with(begin));
        is_done.then(|| line.split('|').nth(2 + column)?.trim().parse().ok())?
    });
    rows.max()
}

/// In thousands of bytes, rounded up.
fn kilobytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "| `cipher` | 4698 | 1 | 1 | 1 |\n| `read-only` | 1 | 1 | 1 | 1 |\n| `store` | 102968 | 1 | 1 | 1 |\n\
        | `limiter` | 1 | 1 | 1 | 1 |\n| `password` | 1 | 1 | 1 | 1 |\n| `telemetry` | 1 | 1 | 1 | 1 |\n\
        | stack of cipher: seal | 860 | 1 | 1 | 1 |\n| stack of store, overwritable: mount, 4 items | 33592 | 1 | 1 | 1 |\n\
        | stack of store, write-once: put | 10472 | 2 | 3 | 4 |\n| store, write-once: put | 99999 | 1 | 1 | 1 |\n\
        | stack of credentials: hash | 90000 | 1 | 1 | 1 |\n";

    #[test]
    fn each_set_has_its_code_and_the_worst_stack_of_what_it_does() {
        let table = table(DOCUMENT).unwrap_or_default();
        assert!(table.contains("| the cipher alone | 4.7 + 0.9 |"), "{table}");
        assert!(table.contains("| the store | 103.0 + 33.6 |"), "{table}");
        assert!(
            table.contains("| and passwords, by Argon2id | 0.1 + 90.0 |"),
            "{table}"
        );
    }

    #[test]
    fn a_figure_that_the_document_does_not_have_is_an_error() {
        assert!(table("").is_err());
        assert!(with_table("no marks", DOCUMENT).is_err());
    }

    #[test]
    fn the_table_of_the_readme_is_that_of_the_document() {
        let readme = include_str!("../../../README.md");
        let document = include_str!("../../../docs/firmware-costs.md");
        assert_eq!(
            with_table(readme, document).as_deref(),
            Ok(readme),
            "cargo xtask costs --write"
        );
    }
}
