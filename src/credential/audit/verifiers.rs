//! Salts, iterations and verifiers, where a batch gives them.
//!
//! ```text
//!  audit
//!  audit::verifiers (this file)
//!  audit::case
//! ```

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::batch::{Column, Role, bare};
use super::case::{Case, Notes};
use super::report::{Kind, Prohibition};
use super::shape::FEWEST;

//= compliance/requirements.md#cred-49
//# Salts and verifiers that devices share or that are published, verifiers that are not those of the passwords beside them, and too few iterations, MUST be found where the batch gives them.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    for column in &case.batch.columns {
        match column.role {
            Role::Salt => {
                shared(case, column, Kind::Salt, notes);
                known(case, column, Kind::Salt, &KNOWN_SALTS, notes);
                short(case, column, notes);
                hardly_vary(case, column, notes);
            }
            Role::Verifier => {
                shared(case, column, Kind::Verifier, notes);
                known(case, column, Kind::Verifier, &KNOWN_VERIFIERS, notes);
            }
            Role::Iterations => iterations(case, column, notes),
            _ => {}
        }
    }
}

fn find(case: &Case, column: &Column, kind: Kind, devices: &[usize], evidence: &str, notes: &mut Notes) {
    let numbers = (devices.len(), case.values.len());
    case.find(
        notes,
        (&[Prohibition::Guessable], kind),
        numbers,
        devices,
        evidence,
    );
    if let Some(finding) = notes.findings.last_mut() {
        finding.column.clone_from(&column.name);
    }
}

fn places(column: &Column, test: impl Fn(&str) -> bool) -> Vec<usize> {
    let tested = column.values.iter().enumerate().filter(|(_, value)| test(value));
    tested.map(|(device, _)| device).collect()
}

/// Salts are 16 bytes or more: that two devices have one by chance happens nowhere.
fn shared(case: &Case, column: &Column, kind: Kind, notes: &mut Notes) {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (device, value) in column
        .values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_empty())
    {
        owners.entry(value).or_default().push(device);
    }
    let shared: Vec<&Vec<usize>> = owners.values().filter(|devices| devices.len() > 1).collect();
    let Some(most) = shared.iter().max_by_key(|devices| devices.len()) else {
        return;
    };
    let number: usize = shared.iter().map(|devices| devices.len()).sum();
    let evidence = format!(
        "{number} devices share a value of {} with another, {} of them the same one",
        column.name,
        most.len()
    );
    let devices: Vec<usize> = shared
        .iter()
        .flat_map(|devices| devices.iter().copied())
        .collect();
    find(case, column, kind, &devices, &evidence, notes);
}

fn known(case: &Case, column: &Column, kind: Kind, values: &[&str], notes: &mut Notes) {
    let devices = places(column, |value| {
        let bare = bare(value).to_lowercase();
        !bare.is_empty()
            && (values.iter().any(|known| {
                value.starts_with(known) || bare.starts_with(&super::batch::bare(known).to_lowercase())
            }) || bare.len() > 8 && bare.chars().all(|letter| bare.starts_with(letter)))
    });
    if !devices.is_empty() {
        let evidence = format!(
            "{} values of {} are published, or one symbol repeated",
            devices.len(),
            column.name
        );
        find(case, column, kind, &devices, &evidence, notes);
    }
}

fn short(case: &Case, column: &Column, notes: &mut Notes) {
    let devices = places(column, |value| !value.is_empty() && bytes_of(value) < LEAST_SALT);
    if !devices.is_empty() {
        let evidence = format!("{} salts have fewer than {LEAST_SALT} bytes", devices.len());
        find(case, column, Kind::Salt, &devices, &evidence, notes);
    }
    let devices = places(column, str::is_empty);
    if !devices.is_empty() {
        let evidence = format!("{} devices have no salt", devices.len());
        find(case, column, Kind::Salt, &devices, &evidence, notes);
    }
    // A salt that is the identifier or the password is known to whoever knows that.
    let own: Vec<usize> = (0..column.values.len())
        .filter(|device| {
            let salt = column
                .values
                .get(*device)
                .map_or(String::new(), |salt| bare(salt).to_lowercase());
            !salt.is_empty()
                && case
                    .values
                    .get(*device)
                    .is_some_and(|password| bare(password).to_lowercase() == salt)
        })
        .collect();
    if !own.is_empty() {
        let evidence = format!("{} salts are the password itself", own.len());
        find(case, column, Kind::Salt, &own, &evidence, notes);
    }
}

/// Salts of one length that are the same but for a few positions: counters, identifiers in zeros, one number in a fixed frame. Of 16 random bytes
/// every position varies, in hexadecimal digits, Base64 or text.
fn hardly_vary(case: &Case, column: &Column, notes: &mut Notes) {
    let salts: Vec<&str> = column
        .values
        .iter()
        .map(|salt| salt.trim_end_matches('='))
        .filter(|salt| !salt.is_empty())
        .collect();
    let Some(length) = salts.first().map(|salt| salt.len()) else {
        return;
    };
    if salts.len() < FEWEST || salts.iter().any(|salt| salt.len() != length) {
        return;
    }
    let varying = |at: &usize| {
        let mut symbols = salts.iter().map(|salt| salt.as_bytes().get(*at));
        let first = symbols.next();
        symbols.any(|symbol| Some(symbol) != first)
    };
    let varying: Vec<usize> = (0..length).filter(varying).collect();
    let is_hexadecimal = |salt: &&str| {
        let symbols = varying.iter().filter_map(|at| salt.as_bytes().get(*at));
        symbols.copied().all(|symbol| symbol.is_ascii_hexdigit())
    };
    let bytes = if salts.iter().all(is_hexadecimal) {
        varying.len() / 2
    } else {
        varying.len() * 3 / 4
    };
    if bytes < LEAST_VARYING {
        let evidence = format!(
            "{} of {length} symbols vary over {} salts: {bytes} bytes",
            varying.len(),
            salts.len()
        );
        let devices: Vec<usize> = (0..column.values.len()).collect();
        find(case, column, Kind::Salt, &devices, &evidence, notes);
    }
}

/// Bytes of a salt, as hexadecimal digits, Base64 or text.
fn bytes_of(value: &str) -> usize {
    let length = value.trim_end_matches('=').len();
    if value.bytes().all(|byte| byte.is_ascii_hexdigit()) && length.is_multiple_of(2) {
        length / 2
    } else {
        length * 3 / 4
    }
}

fn iterations(case: &Case, column: &Column, notes: &mut Notes) {
    let least = if case.is_pairing {
        LEAST_OF_PAIRING
    } else {
        LEAST_ITERATIONS
    };
    let few = places(column, |value| {
        value.parse::<u64>().is_ok_and(|number| number < least)
    });
    if !few.is_empty() {
        let evidence = format!("{} devices have fewer than {least} iterations", few.len());
        find(case, column, Kind::Iterations, &few, &evidence, notes);
    }
    if case.is_pairing {
        let many = places(column, |value| {
            value.parse::<u64>().is_ok_and(|number| number > MOST_OF_PAIRING)
        });
        if !many.is_empty() {
            let evidence = format!(
                "{} devices have more than {MOST_OF_PAIRING} iterations, which the scheme does not allow",
                many.len()
            );
            find(case, column, Kind::Iterations, &many, &evidence, notes);
        }
    }
}

/// Bytes of a salt (SP 800-132 and Matter ask for 16).
const LEAST_SALT: usize = 16;
/// Bytes of it that vary: a few may say what version or batch it is of.
const LEAST_VARYING: usize = 12;
/// Iterations of PBKDF2 behind a password: what guidance asked for in 2010 and nothing should be below.
const LEAST_ITERATIONS: u64 = 10_000;
/// Iterations of PBKDF2 behind a Matter passcode, least and most.
const LEAST_OF_PAIRING: u64 = 1000;
const MOST_OF_PAIRING: u64 = 100_000;
/// The salt of the Matter SDK's test devices, as text, Base64 and hexadecimal digits.
const KNOWN_SALTS: [&str; 4] = [
    "SPAKE2P Key Salt",
    "U1BBS0UyUCBLZXkgU2FsdA==",
    "5350414b453250204b65792053616c74",
    "saltsaltsaltsalt",
];
/// How the verifier of passcode 20202021 begins under that salt at 1000 iterations, in Base64 and hexadecimal digits.
const KNOWN_VERIFIERS: [&str; 2] = ["uWFwqugDNGiEck/po7KHww", "b96170aae803346884724fe9a3b287c3"];
