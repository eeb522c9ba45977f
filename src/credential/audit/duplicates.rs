//! One password on several devices, and parts of passwords that come again.
//!
//! ```text
//!  audit
//!  audit::duplicates (this file)
//!  audit::case · audit::chance
//! ```

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::case::{Case, Notes};
use super::chance::{self, LIMIT};
use super::report::{Kind, Prohibition};
use super::shape::Group;

pub(super) fn search(case: &Case, notes: &mut Notes) {
    empty(case, notes);
    let repeated = whole(case, notes);
    if !repeated {
        case.shape.large().for_each(|group| parts(case, group, notes));
    }
}

fn empty(case: &Case, notes: &mut Notes) {
    let empty: Vec<usize> = places(case.values, String::is_empty);
    if !empty.is_empty() {
        let evidence = format!("{} devices have no password", empty.len());
        let numbers = (empty.len(), case.values.len());
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::Empty),
            numbers,
            &empty,
            &evidence,
        );
    }
}

fn places(values: &[String], test: impl Fn(&String) -> bool) -> Vec<usize> {
    let tested = values.iter().enumerate().filter(|(_, value)| test(value));
    tested.map(|(device, _)| device).collect()
}

//= compliance/requirements.md#cred-42
//# Passwords that several devices share MUST be found, and pairing codes that do only where they are more than the space they are drawn from makes likely.
fn whole(case: &Case, notes: &mut Notes) -> bool {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (device, value) in case
        .values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_empty())
    {
        owners.entry(value).or_default().push(device);
    }
    let mut shared: Vec<(&str, Vec<usize>)> = owners
        .into_iter()
        .filter(|(_, devices)| devices.len() > 1)
        .collect();
    shared.sort_by_key(|(_, devices)| core::cmp::Reverse(devices.len()));
    let Some((most, owners)) = shared.first() else {
        return false;
    };
    let pairs: usize = shared
        .iter()
        .map(|(_, devices)| devices.len() * (devices.len() - 1) / 2)
        .sum();
    let concerned: usize = shared.iter().map(|(_, devices)| devices.len()).sum();
    let expected = expected_pairs(case);
    let chance = chance::poisson(pairs, expected);
    if case.is_pairing && chance > LIMIT {
        notes.observations.push(format!(
            "{}: {pairs} pairs of devices share a code; {expected:.1} are expected of a space of this size",
            case.column.name
        ));
        return false;
    }
    let evidence = format!(
        "{concerned} devices share a password with another, in {pairs} pairs where {expected:.2} are expected; \
         {:?} alone is on {} (paragraph 1(2): unique per product). By chance: {}",
        most,
        owners.len(),
        chance::in_words(chance)
    );
    let numbers = (concerned, case.devices());
    case.find(
        notes,
        (&[Prohibition::Guessable], Kind::Repeated),
        numbers,
        owners,
        &evidence,
    );
    true
}

/// Pairs of devices that chance gives the same password: of the declared space, or of the one that shows.
pub(super) fn expected_pairs(case: &Case) -> f64 {
    if let Some(bits) = case.settings.space_bits {
        let n = case.devices() as f64;
        return n * (n - 1.0) / 2.0 * (-bits).exp2();
    }
    let groups = case.shape.groups.iter();
    groups
        .map(|group| {
            let n = group.devices.len() as f64;
            n * (n - 1.0) / 2.0 * group.same()
        })
        .sum()
}

/// Halves of passwords that come again and again: a clock or a short list behind them.
fn parts(case: &Case, group: &Group, notes: &mut Notes) {
    let width = group.grid.width;
    for (name, from, to) in [("first", 0, width / 2), ("last", width / 2, width)] {
        if to - from < 3 {
            continue;
        }
        let n = group.grid.height() as f64;
        let same: f64 = (from..to).map(|column| group.grid.collision(column)).product();
        let expected = n * (n - 1.0) / 2.0 * same;
        // Where they are many, the error of what is expected counts for more than what is seen.
        if expected > 50.0 {
            continue;
        }
        let mut owners: BTreeMap<&[u16], Vec<usize>> = BTreeMap::new();
        for (row, device) in group.grid.rows().zip(&group.devices) {
            owners
                .entry(row.get(from..to).unwrap_or_default())
                .or_default()
                .push(*device);
        }
        let pairs: usize = owners
            .values()
            .map(|devices| devices.len() * (devices.len() - 1) / 2)
            .sum();
        let chance = chance::poisson(pairs, expected);
        if chance > LIMIT {
            continue;
        }
        let most = owners
            .values()
            .max_by_key(|devices| devices.len())
            .cloned()
            .unwrap_or_default();
        let evidence = format!(
            "the {name} {} varying symbols are the same on {pairs} pairs of devices where {expected:.2} are expected; \
             one such part is on {} devices. By chance: {}",
            to - from,
            most.len(),
            chance::in_words(chance)
        );
        let concerned = owners
            .values()
            .filter(|devices| devices.len() > 1)
            .map(Vec::len)
            .sum();
        let numbers = (concerned, group.devices.len());
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::RepeatedPart),
            numbers,
            &most,
            &evidence,
        );
    }
}
