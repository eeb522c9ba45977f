//! Generators whose lowest bits follow from one another, whatever the seed was.
//!
//! ```text
//!  audit::generator
//!  audit::generator::parity (this file)
//!  audit::orders · audit::chance
//! ```
//!
//! A remainder by an even number keeps the lowest bit. In linear congruential generators modulo a power of two, that bit follows from the few bits
//! below it; in glibc's, it is the sum of two earlier ones three times out of four.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::super::chance::{self, LIMIT};
use super::super::orders;
use super::super::shape::Group;
use super::{Unit, number_of};

/// A generator: its factor, what it adds, and which bit is the lowest of its results.
const CONGRUENTIAL: [(&str, u32, u32, u32); 4] = [
    ("rand of Microsoft's C library", 214_013, 2_531_011, 16),
    ("rand of the C standard's example", 1_103_515_245, 12345, 16),
    ("java.util.Random or drand48", 0xdeec_e66d, 11, 17),
    ("a generator modulo a power of two", 1_664_525, 1_013_904_223, 0),
];

/// What shows it, if anything.
pub(super) fn search(group: &Group, rows: &[usize], units: &[Unit]) -> Option<String> {
    let evens = group.is_of_one_size() && group.sizes.first().is_some_and(|size| size.is_multiple_of(2));
    let mut sequences: Vec<Vec<u32>> = Vec::new();
    if evens {
        for order in orders::of(group.grid.symbols()) {
            let parity: Vec<u32> = group
                .grid
                .symbols()
                .iter()
                .map(|symbol| order.iter().position(|other| other == symbol).unwrap_or(0) as u32 & 1)
                .collect();
            let bits = |row: &usize| {
                let codes = group.grid.row(*row).iter();
                codes
                    .map(|code| parity.get(usize::from(*code)).copied().unwrap_or(0))
                    .collect::<Vec<_>>()
            };
            sequences.push(rows.iter().take(MOST).flat_map(bits).collect());
        }
    }
    if units.iter().any(|unit| matches!(unit, Unit::Number { .. })) {
        sequences.push(
            rows.iter()
                .take(MOST)
                .map(|row| number_of(group, group.grid.row(*row)) as u32 & 1)
                .collect(),
        );
    }
    let trials = ((sequences.len() * CONGRUENTIAL.len()).max(1) as f64).ln();
    sequences
        .iter()
        .find_map(|bits| congruential(bits, trials).or_else(|| additive(bits, trials)))
}

fn congruential(bits: &[u32], trials: f64) -> Option<String> {
    for (name, factor, add, lowest) in CONGRUENTIAL {
        let mask = (1_u32 << (lowest + 1)) - 1;
        for start in 0..=mask {
            let mut word = start;
            let agreed = bits
                .iter()
                .take_while(|bit| {
                    let now = word >> lowest & 1;
                    word = word.wrapping_mul(factor).wrapping_add(add) & mask;
                    now == **bit
                })
                .count();
            let chance = (f64::from(lowest) + 1.0 - agreed as f64) * core::f64::consts::LN_2 + trials;
            if agreed == bits.len() && chance < LIMIT {
                return Some(format!(
                    "the parities of {agreed} numbers follow from one another as those of {name} do, whatever the seed. By chance: {}",
                    chance::in_words(chance)
                ));
            }
        }
    }
    None
}

fn additive(bits: &[u32], trials: f64) -> Option<String> {
    let sums = bits.iter().zip(bits.iter().skip(28)).zip(bits.iter().skip(31));
    let total = bits.len().saturating_sub(31);
    let agreed = sums
        .filter(|((earlier, later), now)| *earlier ^ *later == **now)
        .count();
    let chance = chance::binomial(total, agreed, 0.5) + trials;
    (chance < LIMIT && agreed * 3 > total * 2).then(|| {
        format!(
            "the parity of a number is that of the third and thirty-first before it together in {agreed} of {total} cases, as of rand of glibc, \
             whatever the seed. By chance: {}",
            chance::in_words(chance)
        )
    })
}

/// Passwords that are looked at.
const MOST: usize = 2000;
