//! Positions of a password that follow from positions of an identifier, without knowing by which table or sum.
//!
//! ```text
//!  audit
//!  audit::dependence (this file)
//!  audit::case · audit::chance · audit::predict
//! ```

use std::format;
use std::string::String;
use std::vec::Vec;

use super::batch::Column;
use super::case::{Case, Notes, letters};
use super::chance::LIMIT;
use super::predict::{self, Relation};
use super::report::{Kind, Prohibition};
use super::shape::{Grid, Group};

//= compliance/requirements.md#cred-45
//# A position of the password that follows from one or two positions of identifiers MUST be found, whatever the table or sum between them.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let mut looked = false;
    for group in case.shape.large() {
        if group.devices.len() < predict::FEWEST {
            continue;
        }
        looked = true;
        in_group(case, group, notes);
    }
    if !looked {
        case.cannot(
            notes,
            "dependence on positions of identifiers",
            format!("fewer than {} passwords look alike", predict::FEWEST),
        );
    }
}

/// A position of an identifier.
struct Position<'a> {
    column: &'a Column,
    name: String,
    codes: Vec<u16>,
    symbols: usize,
}

struct Told {
    by: String,
    prohibitions: Vec<Prohibition>,
    positions: Vec<usize>,
    least: Relation,
    chance: f64,
}

fn in_group(case: &Case, group: &Group, notes: &mut Notes) {
    let rows = predict::sample(group.grid.height());
    let positions = positions(case, group, &rows);
    let targets: Vec<(Vec<u16>, f64)> = (0..group.grid.width)
        .map(|column| {
            let all: Vec<u16> = group.grid.column(column).collect();
            let codes = rows.iter().filter_map(|row| all.get(*row).copied()).collect();
            (codes, group.grid.peak(column))
        })
        .collect();
    let pairs = positions.len() * (positions.len() + 1) / 2;
    let trials = ((pairs * targets.len()).max(1) as f64).ln();
    let mut told: Vec<Told> = Vec::new();
    let mut known: Vec<bool> = targets.iter().map(|_| false).collect();
    // Single positions first: what one tells, no pair needs to.
    for is_pair in [false, true] {
        for (number, one) in positions.iter().enumerate() {
            let others: &[Position] = if is_pair {
                positions.get(number + 1..).unwrap_or_default()
            } else {
                core::slice::from_ref(one)
            };
            for other in others {
                let (keys, size): (Vec<usize>, usize) = if is_pair {
                    let both = one.codes.iter().zip(&other.codes);
                    let key = |(first, second): (&u16, &u16)| {
                        usize::from(*first) * other.symbols + usize::from(*second)
                    };
                    (both.map(key).collect(), one.symbols * other.symbols)
                } else {
                    (
                        one.codes.iter().map(|code| usize::from(*code)).collect(),
                        one.symbols,
                    )
                };
                if size > MOST_KEYS {
                    continue;
                }
                for ((at, (codes, peak)), known) in targets.iter().enumerate().zip(&mut known) {
                    if *known {
                        continue;
                    }
                    let seen = predict::run(size, keys.iter().copied().zip(codes.iter().copied()));
                    let chance = seen.chance(*peak) + trials;
                    if seen.share() >= Relation::WORTH && chance < LIMIT {
                        *known = true;
                        note(&mut told, (one, other, is_pair), at, seen, chance);
                    }
                }
            }
        }
    }
    for told in told {
        let places: Vec<String> = told.positions.iter().map(|at| format!("{}", at + 1)).collect();
        let evidence = format!(
            "symbols {} of what varies follow from {}: guessed from earlier devices, {} of {} were right. By chance: {}",
            places.join(", "),
            told.by,
            told.least.hits,
            told.least.tries,
            super::chance::in_words(told.chance)
        );
        let concerned = (told.least.share() * group.devices.len() as f64).round() as usize;
        let numbers = (concerned.min(group.devices.len()), group.devices.len());
        case.find(
            notes,
            (&told.prohibitions, Kind::Dependent),
            numbers,
            &group.devices,
            &evidence,
        );
    }
}

fn note(
    told: &mut Vec<Told>,
    (one, other, is_pair): (&Position, &Position, bool),
    at: usize,
    seen: Relation,
    chance: f64,
) {
    let mut prohibitions = letters(one.column).to_vec();
    prohibitions.extend(letters(other.column));
    prohibitions.sort_unstable();
    prohibitions.dedup();
    if let Some(same) = told.iter_mut().find(|told| told.prohibitions == prohibitions) {
        same.positions.push(at);
        if !same.by.contains(&one.name) {
            same.by.push_str(", ");
            same.by.push_str(&one.name);
        }
        if seen.share() < same.least.share() {
            same.least = seen;
        }
        same.chance = same.chance.max(chance);
        return;
    }
    let by = if is_pair {
        format!("{} with {}", one.name, other.name)
    } else {
        one.name.clone()
    };
    told.push(Told {
        by,
        prohibitions,
        positions: Vec::from([at]),
        least: seen,
        chance,
    });
}

fn positions<'a>(case: &Case<'a>, group: &Group, rows: &[usize]) -> Vec<Position<'a>> {
    let mut positions = Vec::new();
    for column in case.batch.identifiers() {
        let values: Vec<&str> = rows
            .iter()
            .map(|row| {
                group
                    .devices
                    .get(*row)
                    .and_then(|device| column.values.get(*device))
                    .map_or("", String::as_str)
            })
            .collect();
        let lengths = values.iter().map(|value| value.chars().count());
        let varies = lengths.clone().min() != lengths.max();
        for is_right in [false, true] {
            if is_right && !varies {
                continue;
            }
            let grid = Grid::of_identifiers(&values, is_right);
            for at in 0..grid.width {
                let codes: Vec<u16> = grid.column(at).collect();
                // What is never the same twice tells nothing of the next device, and what always is neither.
                if positions.len() >= MOST_POSITIONS || codes.iter().all(|code| Some(code) == codes.first()) {
                    continue;
                }
                let end = if is_right {
                    "from the end"
                } else {
                    "from the start"
                };
                let place = if is_right { grid.width - at } else { at + 1 };
                positions.push(Position {
                    column,
                    name: format!("symbol {place} {end} of {}", column.name),
                    codes,
                    symbols: grid.symbols().len(),
                });
            }
        }
    }
    positions
}

/// Pairs of symbols that are looked at: two positions of any usual alphabet.
const MOST_KEYS: usize = 1 << 16;
/// Positions of identifiers that are looked at: three or four identifiers' worth.
const MOST_POSITIONS: usize = 64;
