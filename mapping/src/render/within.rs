//! Tables inside of files that are written by hand, between two marks.
//!
//! ```text
//!  render
//!  within   (this file)
//!  model
//! ```

use std::fmt::Write as _;

use super::{cell, pages};
use crate::{Decision, Mapping, Provision};

/// The files, and what they have between `guidelines: begin` and `guidelines: end`: path, text of the file; the text with the table as it is now.
///
/// # Errors
///
/// A file without the marks.
pub(super) fn within(mapping: &Mapping, path: &str, text: &str) -> Result<String, String> {
    let (begin, end) = match path {
        "src/lib.rs" => (
            "//! <!-- guidelines: begin -->\n",
            "//! <!-- guidelines: end -->\n",
        ),
        _ => (
            "<!-- guidelines: begin, made by cargo xtask mapping --write -->\n",
            "<!-- guidelines: end -->\n",
        ),
    };
    let table = match path {
        "src/lib.rs" => of_the_crate(mapping),
        _ => of_the_readme(mapping),
    };
    put_between(text, begin, end, &table)
        .ok_or_else(|| format!("{path}: no place between {begin:?} and {end:?}"))
}

/// The text with this table between the marks, if it has them.
#[must_use]
pub fn put_between(text: &str, begin: &str, end: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}{table}{end}{after}"))
}

fn by_words(provisions: &[&Provision]) -> String {
    let groups = [Decision::Implements, Decision::Supports, Decision::Documents].map(|decision| {
        let ids: Vec<&str> = provisions
            .iter()
            .filter(|provision| provision.decision == decision)
            .map(|provision| provision.id.as_str())
            .collect();
        if ids.is_empty() {
            String::new()
        } else {
            format!("{} {}", decision.in_words(), ids.join(", "))
        }
    });
    let groups: Vec<String> = groups.into_iter().filter(|group| !group.is_empty()).collect();
    if groups.is_empty() {
        "none of them".to_owned()
    } else {
        groups.join("; ")
    }
}

fn of_the_readme(mapping: &Mapping) -> String {
    let mut out = String::from(
        "| UK Code of Practice (2018) | in one sentence | provisions of ETSI EN 303 645 V3.1.3 |\n| --- | --- | --- |\n",
    );
    for guideline in &mapping.guidelines {
        let provisions: Vec<&Provision> = mapping.provisions_of_guideline(guideline.number).collect();
        let _ = writeln!(
            out,
            "| [{} {}](docs/guidelines/{}) | {} | {} |",
            guideline.number,
            guideline.title,
            pages::name(guideline),
            cell(&guideline.sentence),
            by_words(&provisions)
        );
    }
    out
}

fn of_the_crate(mapping: &Mapping) -> String {
    let mut out =
        String::from("//! | guideline | provisions of EN 303 645 | served by |\n//! | --- | --- | --- |\n");
    for guideline in &mapping.guidelines {
        let provisions: Vec<&Provision> = mapping.provisions_of_guideline(guideline.number).collect();
        let by: Vec<String> = mapping
            .primitives
            .iter()
            .filter(|primitive| {
                mapping
                    .requirements_of_guideline(guideline.number)
                    .any(|requirement| primitive.requirements.contains(&requirement.id))
            })
            .map(|primitive| match primitive.features.as_slice() {
                [] => format!("[`{0}`](mod@{0}) ([claims]({0}::CLAIMS))", primitive.module),
                [feature, ..] => format!("`{}` (feature `{feature}`)", primitive.module),
            })
            .collect();
        let by = if by.is_empty() {
            "—".to_owned()
        } else {
            by.join(", ")
        };
        let _ = writeln!(
            out,
            "//! | {} {} | {} | {by} |",
            guideline.number,
            guideline.title,
            by_words(&provisions)
        );
    }
    out
}
