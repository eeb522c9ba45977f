//! Passwords that hold pieces of an identifier, or a name.
//!
//! ```text
//!  audit
//!  audit::contained (this file)
//!  audit::case · audit::chance
//! ```
//!
//! What is common by chance is seen from the identifiers of other devices: passwords that have nothing to do with their own have as much in
//! common with those.

use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::batch::{Role, bare};
use super::case::{Case, Notes, letters};
use super::chance::{self, LIMIT};
use super::predict;
use super::report::{Kind, Prohibition};

pub(super) fn search(case: &Case, notes: &mut Notes) {
    names(case, notes);
    if case.devices() < predict::FEWEST {
        case.cannot(
            notes,
            "pieces of identifiers",
            format!("fewer than {} passwords", predict::FEWEST),
        );
        return;
    }
    let devices = predict::sample(case.values.len());
    let passwords: Vec<Vec<char>> = devices
        .iter()
        .map(|device| plain(case.values.get(*device)))
        .collect();
    for column in case.batch.identifiers() {
        let own: Vec<Vec<char>> = devices
            .iter()
            .map(|device| plain(column.values.get(*device)))
            .collect();
        for is_reversed in [false, true] {
            let texts: Vec<Vec<char>> = own
                .iter()
                .map(|text| {
                    let mut text = text.clone();
                    if is_reversed {
                        text.reverse();
                    }
                    text
                })
                .collect();
            let common: Vec<usize> = passwords
                .iter()
                .zip(&texts)
                .map(|(one, other)| longest_common(one, other))
                .collect();
            let n = passwords.len();
            let foreign: Vec<usize> = [n / 2 + 1, n / 3 + 1, n / 5 + 2]
                .iter()
                .flat_map(|shift| passwords.iter().zip(texts.iter().cycle().skip(*shift)))
                .map(|(one, other)| longest_common(one, other))
                .collect();
            if let Some((length, hits, chance)) = excess(&common, &foreign) {
                let turned = if is_reversed { ", turned round," } else { "" };
                let evidence = format!(
                    "{hits} of {n} passwords hold {length} or more symbols of their own {}{turned} in a row; \
                     of other devices' {:.1} do. By chance: {}",
                    column.name,
                    foreign.iter().filter(|common| **common >= length).count() as f64 / 3.0,
                    chance::in_words(chance)
                );
                let shown: Vec<usize> = common
                    .iter()
                    .zip(&devices)
                    .filter(|(common, _)| **common >= length)
                    .map(|(_, device)| *device)
                    .collect();
                case.find(
                    notes,
                    (letters(column), Kind::Contained),
                    (hits, n),
                    &shown,
                    &evidence,
                );
                break;
            }
        }
    }
}

/// The length from which on own identifiers have more in common than others'.
fn excess(own: &[usize], foreign: &[usize]) -> Option<(usize, usize, f64)> {
    let longest = own.iter().copied().max().unwrap_or(0);
    (2..=longest).rev().find_map(|length| {
        let hits = own.iter().filter(|common| **common >= length).count();
        let by_chance = foreign.iter().filter(|common| **common >= length).count() as f64;
        let probability = (by_chance + 3.0 + 3.0 * by_chance.sqrt()) / foreign.len().max(1) as f64;
        let chance = chance::binomial(own.len(), hits, probability) + 128_f64.ln();
        (hits * 20 >= own.len() && chance < LIMIT).then_some((length, hits, chance))
    })
}

fn plain(value: Option<&String>) -> Vec<char> {
    value.map_or(Vec::new(), |value| {
        bare(value).to_lowercase().chars().take(MOST).collect()
    })
}

fn longest_common(one: &[char], other: &[char]) -> usize {
    let mut before = vec![0_usize; other.len() + 1];
    let mut longest = 0;
    for letter in one {
        let mut diagonal = 0;
        for (cell, theirs) in before.iter_mut().skip(1).zip(other) {
            let next = if letter == theirs { diagonal + 1 } else { 0 };
            diagonal = core::mem::replace(cell, next);
            longest = longest.max(next);
        }
    }
    longest
}

/// Names of product and vendor: given, or in columns that are called so.
fn names(case: &Case, notes: &mut Notes) {
    let mut names: BTreeSet<String> = case
        .settings
        .names
        .iter()
        .map(|name| bare(name).to_lowercase())
        .collect();
    for column in &case.batch.columns {
        let header = column.name.to_lowercase();
        let is_name = ["model", "vendor", "product", "brand", "manufacturer"]
            .iter()
            .any(|word| header.contains(word));
        if column.role == Role::Other && is_name {
            let values: BTreeSet<String> = column
                .values
                .iter()
                .map(|value| bare(value).to_lowercase())
                .collect();
            names.extend(values.into_iter().take(MOST));
        }
    }
    for name in names.iter().filter(|name| name.chars().count() >= 3) {
        let holding: Vec<usize> = case
            .values
            .iter()
            .enumerate()
            .filter(|(_, value)| bare(value).to_lowercase().contains(name.as_str()))
            .map(|(device, _)| device)
            .collect();
        // Three letters stand somewhere by chance in a large batch.
        let letters = name.chars().count() as f64;
        let places: f64 = case.values.iter().map(|value| value.chars().count() as f64).sum();
        let chance = chance::poisson(holding.len(), places * (-letters * 10_f64.ln()).exp());
        if !holding.is_empty() && chance < LIMIT {
            let evidence = format!("{} passwords hold the name {name:?}", holding.len());
            let numbers = (holding.len(), case.devices());
            let both = &[Prohibition::Public, Prohibition::Guessable];
            case.find(notes, (both, Kind::Name), numbers, &holding, &evidence);
        }
    }
}

const MOST: usize = 64;
