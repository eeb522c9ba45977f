//! Batches for the tests: random ones, and vendors' algorithms in code that the audit does not share.

use std::fmt::Display;
use std::num::NonZero;

use bydesign::credential::audit::{Batch, Columns, Depth, Report, Settings, audit};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

pub(crate) const BASE_62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(crate) const CLEAR: &str = "23456789abcdefghjkmnpqrstuvwxyz";

/// Random numbers from a seed.
pub(crate) struct Dice(ChaCha20Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // Drawn again where a remainder would come more often.
        loop {
            let drawn = self.0.next_u64();
            if drawn < u64::MAX / limit * limit {
                return drawn % limit;
            }
        }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.next_u32().to_be_bytes()[0]
    }

    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| letters[self.below(letters.len() as u64) as usize])
            .collect()
    }

    pub(crate) fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// A table with a header.
pub(crate) fn table<Row: Display>(header: &str, rows: impl Iterator<Item = Row>) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text += &format!("{row}\n");
    }
    text
}

pub(crate) fn report(table: &str, settings: &Settings) -> Report {
    let batch = Batch::read(table.as_bytes(), &Columns::default()).expect("a batch");
    audit(&batch, settings, &|_| ())
}

pub(crate) fn quick() -> Settings {
    Settings {
        depth: Depth::Quick,
        threads: NonZero::new(2).expect("two"),
        ..Settings::default()
    }
}

pub(crate) fn full() -> Settings {
    Settings {
        depth: Depth::Full,
        ..quick()
    }
}

pub(crate) fn colons(address: u64) -> String {
    let digits = format!("{address:012X}");
    let pairs: Vec<&str> = (0..6).map(|at| &digits[2 * at..2 * at + 2]).collect();
    pairs.join(":")
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number in a base, with as many digits.
pub(crate) fn in_base(mut number: u64, alphabet: &str, length: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut text = Vec::new();
    for _ in 0..length {
        text.push(letters[(number % letters.len() as u64) as usize]);
        number /= letters.len() as u64;
    }
    text.iter().rev().collect()
}

/// Seven digits and the checksum of WPS.
pub(crate) fn with_checksum(pin: u64) -> String {
    let digits = format!("{pin:07}");
    let sum: u32 = digits
        .bytes()
        .enumerate()
        .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
