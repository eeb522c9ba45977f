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

pub use within::put_between;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{File, Ixit, Mapping, ixit};

/// Files that are written by hand but for a table.
const WITH_A_TABLE: [&str; 2] = ["README.md", "src/lib.rs"];

/// All that is generated of the tree at `root`: path from the root, and the text that the file should have.
///
/// # Errors
///
/// An input that cannot be read.
pub fn generated(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mapping = Mapping::read(root)?;
    let mut files = render(&mapping, &ixit(root)?);
    for path in WITH_A_TABLE {
        let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        files.insert(path.to_owned(), within::within(&mapping, path, &text)?);
    }
    Ok(files)
}

/// The files that are generated as a whole.
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

#[cfg(test)]
mod tests;
