//! Rows for a test laboratory: `compliance/ixit.toml` as types.
//!
//! ```text
//!  render
//!  ixit   (this file)
//! ```

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// A row of one of the tables of ETSI TS 103 701.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ixit {
    /// The table: `10-SecParam`.
    pub table: String,
    /// The id of the row.
    pub id: String,
    /// What the answers stand on.
    pub requirements: Vec<String>,
    /// Field and answer; "…" is for the device's maker.
    pub fields: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    row: Vec<Ixit>,
}

pub(crate) fn rows(text: &str) -> Result<Vec<Ixit>, String> {
    let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
    Ok(written.row)
}

/// Reads `compliance/ixit.toml` of the tree at `root`.
///
/// # Errors
///
/// What the reader says, with its line.
pub fn ixit(root: &Path) -> Result<Vec<Ixit>, String> {
    let path = "compliance/ixit.toml";
    let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
    rows(&text).map_err(|error| format!("{path}: {error}"))
}
