//! What is generated: the same every time, all of it there, links that lead somewhere, and no word that is not ours to print.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use crate::{Decision, NEWEST, Requirement};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn mapping() -> Mapping {
    Mapping::read(&root()).expect("the tree")
}

fn rendered(mapping: &Mapping) -> BTreeMap<String, String> {
    render(mapping, &ixit(&root()).expect("the rows"))
}

/// The paths of the files that a change of the mapping changes.
fn changed(change: impl FnOnce(&mut Mapping)) -> BTreeSet<String> {
    let mut other = mapping();
    change(&mut other);
    let (before, after) = (rendered(&mapping()), rendered(&other));
    assert!(before.keys().eq(after.keys()), "the same files");
    before
        .into_iter()
        .filter(|(path, text)| after[path] != *text)
        .map(|(path, _)| path)
        .collect()
}

fn requirement<'a>(mapping: &'a mut Mapping, id: &str) -> &'a mut Requirement {
    mapping
        .requirements
        .iter_mut()
        .find(|requirement| requirement.id == id)
        .expect("there")
}

#[test]
fn what_is_committed_is_what_the_mapping_makes() {
    let files = generated(&root()).expect("the tree");
    assert!(files.len() > 30, "{}", files.len());
    let stale: Vec<&String> = files
        .iter()
        .filter(|(path, text)| !fs::read_to_string(root().join(path)).is_ok_and(|there| there == **text))
        .map(|(path, _)| path)
        .collect();
    assert!(
        stale.is_empty(),
        "cargo xtask mapping --write, and look at the difference: {stale:?}"
    );
}

#[test]
fn the_same_mapping_makes_the_same_bytes() {
    assert_eq!(rendered(&mapping()), rendered(&mapping()));
}

#[test]
fn a_changed_requirement_changes_its_page_and_no_other_guideline_s() {
    let paths = changed(|mapping| requirement(mapping, "STORE-13").sentences[0].push_str(" At all."));
    assert!(
        paths.contains("docs/guidelines/09-make-systems-resilient-to-outages.md"),
        "{paths:?}"
    );
    assert!(
        !paths.contains("docs/guidelines/11-make-it-easy-for-consumers.md"),
        "{paths:?}"
    );
}

#[test]
fn a_changed_decision_changes_every_form() {
    let paths = changed(|mapping| {
        let provision = mapping
            .provisions
            .iter_mut()
            .find(|provision| provision.framework == NEWEST && provision.id == "5.4-1");
        provision.expect("there").decision = Decision::Supports;
    });
    for path in [
        "docs/guidelines/04-securely-store-credentials-and-security.md",
        "docs/guidelines/README.md",
        "docs/guidelines/mapping.csv",
        "docs/guidelines/mapping.json",
        "docs/guidelines/ics.csv",
        "compliance/oscal/component-definition.json",
        "src/store/claims.rs",
        "src/guideline/table.rs",
    ] {
        assert!(paths.contains(path), "{path} is not among {paths:?}");
    }
    assert!(!paths.contains("src/telemetry/claims.rs"));
}

#[test]
fn a_test_that_is_cited_no_more_changes_its_page() {
    let paths = changed(|mapping| {
        mapping
            .citations
            .retain(|citation| !citation.test.contains("foreign_bytes_anywhere"));
    });
    assert!(
        paths.contains("docs/guidelines/09-make-systems-resilient-to-outages.md"),
        "{paths:?}"
    );
}

#[test]
fn an_edit_that_moves_lines_changes_nothing() {
    let paths = changed(|mapping| {
        for citation in &mut mapping.citations {
            citation.line += 7;
            citation.item_line += 7;
        }
    });
    assert_eq!(paths, BTreeSet::new());
}

#[test]
fn every_link_of_every_page_leads_to_a_file() {
    let mut followed = 0;
    for (path, text) in rendered(&mapping()).iter().filter(|(path, _)| {
        Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "md")
    }) {
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#']).next().expect("a link");
            let at = root().join(path).parent().expect("a directory").join(link);
            assert!(at.exists(), "{path}: {link} leads nowhere");
            followed += 1;
        }
    }
    assert!(followed > 500, "{followed}");
}

#[test]
fn every_page_has_the_five_headings_and_nothing_calls_a_device_compliant() {
    let files = rendered(&mapping());
    let pages: Vec<_> = files
        .iter()
        .filter(|(path, _)| {
            path.starts_with("docs/guidelines/") && path.contains("/0") || path.contains("/1")
        })
        .collect();
    assert_eq!(pages.len(), 13);
    for (path, text) in pages {
        let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(
            headings,
            [
                "In one sentence",
                "What the library does",
                "What you must still do",
                "What this does not give you",
                "Evidence"
            ],
            "{path}"
        );
    }
    for (path, text) in &files {
        let lower = text.to_lowercase();
        assert!(
            !lower.contains("compliant") && !lower.contains("certified"),
            "{path}"
        );
    }
}

#[test]
fn every_guideline_and_provision_is_in_the_table() {
    let mapping = mapping();
    let files = rendered(&mapping);
    let mut reader = csv::Reader::from_reader(files["docs/guidelines/mapping.csv"].as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), mapping.guidelines.len() + mapping.provisions.len());
    let mut conformance = csv::Reader::from_reader(files["docs/guidelines/ics.csv"].as_bytes());
    assert!(
        conformance.records().all(|row| row.expect("a row")[3].is_empty()),
        "what a device supports is left to its maker"
    );
}
