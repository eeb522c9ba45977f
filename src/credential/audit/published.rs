//! Passwords that somebody has published, and those that people try first: words, dates, rows of keys, repetitions.
//!
//! ```text
//!  audit
//!  audit::published (this file)
//!  audit::words · audit::case · audit::chance
//! ```
//!
//! How many such passwords chance makes is known from how many there are and from the size of the space, so that a random code that happens to be
//! a date is no finding, and a long password that is a word with a year is one.

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::batch::bare;
use super::case::{Case, Notes};
use super::chance::{self, LIMIT};
use super::report::{Kind, Prohibition};
use super::shape::FEWEST;
use super::words::{DEFAULTS, ROWS, WORDS};

/// A password that is published word for word is reported from 1 in 22,000 on: only among short ones it is there by chance.
const PUBLISHED: f64 = -10.0;

/// A set of passwords that people try, and how many there are in it.
type Tried = (&'static str, f64);

//= compliance/requirements.md#cred-48
//# Passwords that are published defaults, or words, dates and rows of keys that people try first, MUST be found where they are more than chance makes.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let defaults: Vec<String> = DEFAULTS
        .iter()
        .flat_map(|list| list.split_whitespace())
        .map(str::to_lowercase)
        .collect();
    let words: Vec<&str> = WORDS.iter().flat_map(|list| list.split_whitespace()).collect();
    let mut published: Vec<usize> = Vec::new();
    let mut expected_published = 0.0;
    let mut common: BTreeMap<&'static str, (Vec<usize>, f64)> = BTreeMap::new();
    let usual = case.shape.groups.first().map_or(1.0, |group| group.natural);
    for group in &case.shape.groups {
        let n = group.devices.len() as f64;
        // A few that look unlike the others have no space of their own.
        let one = if group.devices.len() < FEWEST {
            group.natural.min(usual)
        } else {
            group.natural
        };
        let one = one.max(1e-300);
        let length = group.layout.chars().count();
        let of_length = defaults
            .iter()
            .filter(|known| known.chars().count() == length)
            .count();
        expected_published += n * of_length as f64 * one;
        let mut of_group: BTreeMap<&'static str, (Vec<usize>, f64)> = BTreeMap::new();
        for device in &group.devices {
            let Some(value) = case.values.get(*device) else {
                continue;
            };
            let lower = value.to_lowercase();
            if defaults.binary_search(&lower).is_ok() || defaults.contains(&lower) {
                published.push(*device);
            }
            if let Some((name, size)) = tried(&lower, &words) {
                let (devices, most) = of_group.entry(name).or_default();
                devices.push(*device);
                *most = most.max(size);
            }
        }
        for (name, (devices, size)) in of_group {
            let (all, expected) = common.entry(name).or_default();
            all.extend(devices);
            *expected += n * size * one;
        }
    }
    let chance = chance::poisson(published.len(), expected_published);
    if chance < if case.is_pairing { LIMIT } else { PUBLISHED } {
        let shown: String = published
            .first()
            .and_then(|device| case.values.get(*device))
            .cloned()
            .unwrap_or_default();
        let evidence = format!(
            "{} passwords stand in published lists of defaults, such as {shown:?}. By chance: {}",
            published.len(),
            chance::in_words(chance)
        );
        let both = &[Prohibition::Public, Prohibition::Guessable];
        case.find(
            notes,
            (both, Kind::Published),
            (published.len(), case.devices()),
            &published,
            &evidence,
        );
    }
    for (name, (devices, expected)) in common {
        let chance = chance::poisson(devices.len(), expected) + 16_f64.ln();
        if chance < LIMIT {
            let shown: String = devices
                .first()
                .and_then(|device| case.values.get(*device))
                .cloned()
                .unwrap_or_default();
            let evidence = format!(
                "{} passwords are {name}, such as {shown:?}. By chance: {}",
                devices.len(),
                chance::in_words(chance)
            );
            case.find(
                notes,
                (&[Prohibition::Guessable], Kind::Common),
                (devices.len(), case.devices()),
                &devices,
                &evidence,
            );
        }
    }
}

/// What somebody would call a password and try first, and how many are called so.
fn tried(lower: &str, words: &[&str]) -> Option<Tried> {
    let plain = bare(lower);
    let letters: Vec<char> = plain.chars().collect();
    if letters.len() < 4 {
        return None;
    }
    let length = letters.len();
    if letters.iter().all(|letter| Some(letter) == letters.first()) {
        return Some(("one symbol repeated", 62.0));
    }
    for period in 2..=length / 2 {
        if length > 5
            && letters
                .windows(period + 1)
                .all(|window| window.first() == window.last())
        {
            let size = if letters.iter().all(char::is_ascii_digit) {
                10_f64
            } else {
                36_f64
            };
            return Some((
                "a short piece repeated",
                size.powi(i32::try_from(period).unwrap_or(i32::MAX)),
            ));
        }
    }
    if ROWS.iter().any(|row| is_along(&letters, row)) {
        return Some(("a row of keys, or an alphabet or digits in order", 200.0));
    }
    if is_date(&plain) {
        return Some(("dates", 150_000.0));
    }
    in_words(&plain, words)
}

/// Along a row, forwards or backwards, from anywhere, beginning anew at its end.
fn is_along(letters: &[char], row: &str) -> bool {
    let row: Vec<char> = row.chars().collect();
    let place = |letter: &char| row.iter().position(|other| other == letter);
    let steps = |step: usize| {
        letters.windows(2).all(|pair| match pair {
            [one, other] => place(one)
                .zip(place(other))
                .is_some_and(|(one, other)| (one + step) % row.len() == other),
            _ => false,
        })
    };
    steps(1) || steps(row.len() - 1)
}

fn is_date(plain: &str) -> bool {
    let number = |from: usize, to: usize| {
        plain
            .get(from..to)
            .and_then(|text| text.parse::<u32>().ok())
            .unwrap_or(99)
    };
    if !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let is_day = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let is_year = |year: u32| (1940..=2035).contains(&year);
    match plain.len() {
        6 => {
            is_day(number(0, 2), number(2, 4))
                || is_day(number(2, 4), number(0, 2))
                || is_day(number(4, 6), number(2, 4))
        }
        8 => {
            is_year(number(0, 4)) && is_day(number(6, 8), number(4, 6))
                || is_year(number(4, 8))
                    && (is_day(number(0, 2), number(2, 4)) || is_day(number(2, 4), number(0, 2)))
        }
        _ => false,
    }
}

/// Words, with a few digits before, between or behind them.
fn in_words(plain: &str, words: &[&str]) -> Option<Tried> {
    let mut rest = plain;
    let (mut number, mut digits) = (0_i32, 0_usize);
    while !rest.is_empty() {
        if rest.starts_with(|letter: char| letter.is_ascii_digit()) {
            rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
            digits = plain.chars().filter(char::is_ascii_digit).count();
            continue;
        }
        // The longest word that fits.
        let word = words
            .iter()
            .filter(|word| rest.starts_with(**word))
            .max_by_key(|word| word.len())?;
        rest = rest.get(word.len()..)?;
        number += 1;
    }
    if number == 0 || number > 3 || digits > 6 {
        return None;
    }
    let size = (words.len() as f64).powi(number) * 10_f64.powi(i32::try_from(digits).unwrap_or(6)) * 4.0;
    Some(("words with a few digits", size))
}
