//! One column of passwords under audit, and the notes that the tests make on it.
//!
//! ```text
//!  every detector
//!  audit::case (this file)
//!  audit::batch · audit::settings · audit::shape · audit::report
//! ```

use std::string::String;
use std::vec::Vec;

use super::batch::{Batch, Column, Role};
use super::report::{Finding, Kind, Prohibition, Undecided};
use super::settings::Settings;
use super::shape::Shape;

/// A column of passwords, and all that is known around it.
pub(super) struct Case<'a> {
    pub(super) batch: &'a Batch,
    pub(super) settings: &'a Settings,
    pub(super) column: &'a Column,
    /// The passwords as they are judged: codes decoded where they stand for a passcode.
    pub(super) values: &'a [String],
    pub(super) shape: &'a Shape,
    pub(super) is_pairing: bool,
    pub(super) is_offline: bool,
}

/// What the tests note.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
    pub(super) undecided: Vec<Undecided>,
    pub(super) observations: Vec<String>,
}

impl Case<'_> {
    pub(super) fn devices(&self) -> usize {
        self.values.iter().filter(|value| !value.is_empty()).count()
    }

    /// Notes a finding, once under each prohibition.
    pub(super) fn find(
        &self,
        notes: &mut Notes,
        (prohibitions, kind): (&[Prohibition], Kind),
        (devices, of): (usize, usize),
        shown: &[usize],
        evidence: &str,
    ) {
        for prohibition in prohibitions {
            notes.findings.push(Finding {
                prohibition: *prohibition,
                kind,
                column: self.column.name.clone(),
                evidence: evidence.into(),
                devices,
                of,
                lines: shown
                    .iter()
                    .take(MOST_LINES)
                    .map(|device| self.batch.line(*device))
                    .collect(),
            });
        }
    }

    /// Notes that a test could not tell.
    pub(super) fn cannot(&self, notes: &mut Notes, test: &'static str, why: impl Into<String>) {
        let undecided = Undecided {
            column: self.column.name.clone(),
            test,
            why: why.into(),
        };
        if !notes.undecided.contains(&undecided) {
            notes.undecided.push(undecided);
        }
    }
}

/// What forbids to make passwords from a column: an address or a name is broadcast, an identifier is on the label and in the shop.
pub(super) fn letters(column: &Column) -> &'static [Prohibition] {
    const PUBLIC: &[Prohibition] = &[Prohibition::Public];
    const IDENTIFIER: &[Prohibition] = &[Prohibition::Identifier];
    const BOTH: &[Prohibition] = &[Prohibition::Public, Prohibition::Identifier];
    let name = column.name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match column.role {
        Role::Mac => BOTH,
        Role::Ssid => PUBLIC,
        Role::Other if has(&["mac", "bssid", "eui", "host", "address"]) => BOTH,
        Role::Other
            if has(&[
                "model",
                "vendor",
                "product",
                "brand",
                "manufacturer",
                "ssid",
                "date",
                "country",
            ]) =>
        {
            PUBLIC
        }
        _ => IDENTIFIER,
    }
}

const MOST_LINES: usize = 5;
