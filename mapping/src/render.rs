//! What is made of the mapping and committed: the same tree always gives the same bytes.
//!
//! ```text
//!  xtask mapping
//!  render     (this file)   which files there are
//!    pages    a page for each guideline, and the index
//!    papers   the integrator's checklist, the skeleton of a PSTI statement
//!    tables   CSV: all of it; rows for a conformance statement and for a test laboratory
//!    oscal    catalogues, component definition, mapping collection
//!    rust     the table of provisions, and CLAIMS
//!    within   tables inside of files that are written by hand
//!  model
//! ```

mod oscal;
mod pages;
mod papers;
mod rust;
mod tables;
mod within;

use std::collections::BTreeMap;

use crate::{File, Ixit, Mapping};

pub use within::within;

/// All files that are generated as a whole: path from the root, and text.
#[must_use]
pub fn render(mapping: &Mapping, ixit: &[Ixit]) -> BTreeMap<String, String> {
    let mut files: Vec<File> = Vec::new();
    files.extend(pages::pages(mapping));
    files.extend(papers::papers(mapping));
    files.extend(tables::tables(mapping, ixit));
    files.extend(oscal::documents(mapping));
    files.extend(rust::rust_files(mapping));
    let json = (
        "docs/guidelines/mapping.json".to_owned(),
        mapping.clone().without_lines().to_json(),
    );
    files.push(json);
    files.into_iter().collect()
}

/// In Markdown tables a bar ends the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
