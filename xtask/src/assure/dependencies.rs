//! What the crate stands on, by `deny.toml`: licences, sources, duplicates; and what is known against it.
//!
//! ```text
//!  assure
//!    dependencies (this file)
//!    running
//!  cargo-deny
//! ```

use std::path::Path;

use super::Outcome;
use super::running::run_and_keep;

/// Workspaces, and what is looked at. Two generations of one crate are the HAL's choice, and nothing that we ship.
const PLACES: [(&str, &[&str]); 3] = [
    ("Cargo.toml", &["bans", "licenses", "sources"]),
    ("firmware/Cargo.toml", &["licenses", "sources"]),
    ("firmware/embassy/Cargo.toml", &["licenses", "sources"]),
];

/// Licences, sources and duplicates. Needs no network.
pub(super) fn dependencies(root: &Path, _extra: &[&str]) -> Result<Vec<Outcome>, String> {
    PLACES
        .into_iter()
        .map(|(manifest, checks)| {
            let (success, output) = deny(root, manifest, checks)?;
            let verdict = output.lines().rev().find(|line| line.contains("licenses "));
            let figures = format!("{manifest}: {}", verdict.unwrap_or("no verdict").trim());
            Ok(Outcome::of(success && verdict.is_some(), figures))
        })
        .collect()
}

/// Known flaws of what the crate stands on, by the `RustSec` database, which is fetched.
pub(super) fn advisories(root: &Path, _extra: &[&str]) -> Result<Vec<Outcome>, String> {
    let (success, output) = deny(root, "Cargo.toml", &["advisories"])?;
    if output.contains("failed to fetch advisory database") {
        return Err("THE ADVISORY DATABASE COULD NOT BE FETCHED: known flaws were not looked for".to_owned());
    }
    let found = output.lines().filter(|line| line.starts_with("error[")).count();
    Ok(vec![Outcome::of(success, format!("{found} advisories apply"))])
}

fn deny(root: &Path, manifest: &str, checks: &[&str]) -> Result<(bool, String), String> {
    let program = [
        "cargo",
        "deny",
        "--locked",
        "--config",
        "deny.toml",
        "--manifest-path",
        manifest,
        "check",
    ];
    run_and_keep(root, &[&program, checks].concat())
}
