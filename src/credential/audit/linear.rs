//! Passwords that are a number times an identifier and another number, whatever the two numbers are.
//!
//! ```text
//!  audit
//!  audit::linear (this file)
//!  audit::case · audit::chance · audit::orders
//! ```

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::batch::bare;
use super::case::{Case, Notes, letters};
use super::chance::{self, LIMIT};
use super::orders;
use super::report::Kind;
use super::shape::Group;

pub(super) fn search(case: &Case, notes: &mut Notes) {
    for group in case
        .shape
        .large()
        .filter(|group| !group.is_words && group.grid.symbols().len() <= 128)
    {
        in_group(case, group, notes);
    }
}

fn in_group(case: &Case, group: &Group, notes: &mut Notes) {
    let step = group.devices.len().div_ceil(SAMPLE).max(1);
    let rows: Vec<usize> = (0..group.devices.len()).step_by(step).collect();
    let orders = orders::of(group.grid.symbols());
    for column in case.batch.identifiers() {
        for (name, read) in READINGS {
            let identifiers: Vec<Option<u64>> = rows
                .iter()
                .map(|row| {
                    let device = group.devices.get(*row)?;
                    read(&bare(column.values.get(*device)?))
                })
                .collect();
            if identifiers.iter().flatten().count() * 10 < rows.len() * 9 {
                continue;
            }
            for order in &orders {
                for dropped in [0, 1] {
                    let (passwords, modulus, digits) = numbers(group, &rows, order, dropped);
                    if digits < 4 {
                        continue;
                    }
                    let pairs: Vec<(u64, u64)> = identifiers
                        .iter()
                        .zip(passwords)
                        .filter_map(|(identifier, password)| Some(((*identifier)? % modulus, password)))
                        .collect();
                    if let Some((factor, hits, chance)) = fit(&pairs, modulus) {
                        let evidence = format!(
                            "the last {digits} symbols that vary{} are, in base {}, {factor} times {} ({name}) and a constant, on {hits} of {} devices. By chance: {}",
                            if dropped == 0 { "" } else { ", but one," },
                            order.len(),
                            column.name,
                            pairs.len(),
                            chance::in_words(chance)
                        );
                        case.find(
                            notes,
                            (letters(column), Kind::Derived),
                            (hits, pairs.len()),
                            &group.devices,
                            &evidence,
                        );
                        return;
                    }
                }
            }
        }
    }
}

type Reading = (&'static str, fn(&str) -> Option<u64>);

const READINGS: [Reading; 3] = [
    ("its digits", |text| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let from = digits.len().saturating_sub(18);
        digits.get(from..)?.parse().ok()
    }),
    ("a hexadecimal number", |text| {
        let from = text.len().saturating_sub(15);
        u64::from_str_radix(text.get(from..)?, 16).ok()
    }),
    ("a number in base 36", |text| {
        let from = text.len().saturating_sub(11);
        u64::from_str_radix(text.get(from..)?, 36).ok()
    }),
];

/// The end of what varies as numbers, below 2⁶².
fn numbers(group: &Group, rows: &[usize], order: &[String], dropped: usize) -> (Vec<u64>, u64, usize) {
    let base = order.len().max(2) as u64;
    let width = group.grid.width.saturating_sub(dropped);
    let (mut modulus, mut digits) = (1_u64, 0);
    while digits < width {
        let Some(next) = modulus.checked_mul(base).filter(|next| *next < 1 << 62) else {
            break;
        };
        modulus = next;
        digits += 1;
    }
    let rank: Vec<u64> = group
        .grid
        .symbols()
        .iter()
        .map(|symbol| order.iter().position(|other| other == symbol).unwrap_or(0) as u64)
        .collect();
    let value = |row: &usize| {
        let codes = group.grid.row(*row).iter().take(width).skip(width - digits);
        codes.fold(0, |sum: u64, code| {
            sum * base + rank.get(usize::from(*code)).copied().unwrap_or(0)
        })
    };
    (rows.iter().map(value).collect(), modulus, digits)
}

/// A factor that leaves the same rest for most.
fn fit(pairs: &[(u64, u64)], modulus: u64) -> Option<(u64, usize, f64)> {
    let times = |one: u64, other: u64| (u128::from(one) * u128::from(other) % u128::from(modulus)) as u64;
    let minus = |one: u64, other: u64| (one + modulus - other) % modulus;
    let mut factors: Vec<u64> = Vec::from([1, modulus - 1, 2, 3, 5, 7, 11, 13]);
    for pair in pairs.windows(2).take(BASES) {
        if let [(one, first), (other, second)] = pair
            && let Some(inverse) = inverse(minus(*other, *one), modulus)
        {
            factors.push(times(minus(*second, *first), inverse));
        }
    }
    let trials = ((factors.len() * pairs.len()) as f64).ln() + 100_f64.ln();
    factors
        .into_iter()
        .filter(|factor| *factor != 0)
        .find_map(|factor| {
            let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
            for (identifier, password) in pairs {
                *counts
                    .entry(minus(*password, times(factor, *identifier)))
                    .or_default() += 1;
            }
            let hits = counts.values().copied().max().unwrap_or(0);
            // Of three devices two make the factor; leave room for symbols that are not equally likely.
            let one = (16.0 / modulus as f64).min(1.0);
            let chance = chance::binomial(pairs.len(), hits.saturating_sub(2), one) + trials;
            (hits >= 5 && hits * 10 >= pairs.len() && chance < LIMIT).then_some((factor, hits, chance))
        })
}

fn inverse(of: u64, modulus: u64) -> Option<u64> {
    let (mut old, mut new) = (i128::from(of), i128::from(modulus));
    let (mut old_factor, mut factor) = (1_i128, 0_i128);
    while new != 0 {
        let quotient = old / new;
        (old, new) = (new, old - quotient * new);
        (old_factor, factor) = (factor, old_factor - quotient * factor);
    }
    (old == 1).then(|| u64::try_from(old_factor.rem_euclid(i128::from(modulus))).unwrap_or(0))
}

const SAMPLE: usize = 200;
const BASES: usize = 24;
