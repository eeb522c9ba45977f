//! Passwords that count, in any base and order of symbols, and passwords that are like their neighbours'.
//!
//! ```text
//!  audit
//!  audit::counter (this file)
//!  audit::case · audit::chance · audit::orders · audit::predict
//! ```
//!
//! Devices are put in the order of the file and of each identifier. Numbers are read in every usual order of the symbols, forwards and
//! backwards; what follows from the last password in an order that nobody knows shows in single positions.

use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::batch::order_key;
use super::case::{Case, Notes};
use super::chance::{self, LIMIT};
use super::orders;
use super::predict::{self, Relation};
use super::report::{Kind, Prohibition};
use super::shape::Group;

//= compliance/requirements.md#cred-43
//# Passwords that count in the order of the file or of an identifier MUST be found, whatever their base, their symbols' order and their stride.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let mut looked = false;
    for group in case.shape.large() {
        looked = true;
        for order in order_of_devices(case, group) {
            if let Some((kind, devices, evidence)) =
                counting(group, &order.rows).or_else(|| alike(group, &order.rows))
            {
                let evidence = format!("in the order of {}, {evidence}", order.name);
                let shown: Vec<usize> = order
                    .rows
                    .iter()
                    .filter_map(|row| group.devices.get(*row).copied())
                    .collect();
                let numbers = (devices, group.devices.len());
                case.find(notes, (&[Prohibition::Counter], kind), numbers, &shown, &evidence);
                break;
            }
        }
    }
    if !looked {
        case.cannot(notes, "counters", "too few passwords look alike");
    }
}

struct Order {
    name: String,
    rows: Vec<usize>,
}

fn order_of_devices(case: &Case, group: &Group) -> Vec<Order> {
    let file: Vec<usize> = (0..group.devices.len()).collect();
    let mut orders = Vec::from([Order {
        name: "the file".into(),
        rows: file.clone(),
    }]);
    for column in case.batch.identifiers() {
        let mut rows = file.clone();
        rows.sort_by_cached_key(|row| {
            let device = group.devices.get(*row).copied().unwrap_or(0);
            column.values.get(device).map(|value| order_key(value))
        });
        if !orders.iter().any(|order| order.rows == rows) {
            orders.push(Order {
                name: column.name.clone(),
                rows,
            });
        }
    }
    orders
}

/// A number that steps by a constant, or by little.
fn counting(group: &Group, rows: &[usize]) -> Option<(Kind, usize, String)> {
    if group.is_words || group.grid.symbols().len() > MOST_SYMBOLS {
        return None;
    }
    let orders = orders::of(group.grid.symbols());
    for order in &orders {
        for backwards in [false, true] {
            let numbers = Numbers::read(group, rows, order, backwards);
            let trials = (orders.len() as f64 * 2.0).ln();
            if let Some((devices, what)) = numbers.constant(trials).or_else(|| numbers.little(trials)) {
                let base = order.len();
                let way = if backwards { ", read backwards," } else { "" };
                return Some((
                    Kind::Counter,
                    devices,
                    format!("the varying part{way} is a number in base {base} that {what}"),
                ));
            }
        }
    }
    None
}

/// The varying parts as numbers, in the order of devices; of long ones the end that counts.
struct Numbers {
    values: Vec<u64>,
    modulus: u64,
    /// The probability that two of them are the same.
    same: f64,
}

impl Numbers {
    fn read(group: &Group, rows: &[usize], order: &[String], backwards: bool) -> Self {
        let base = order.len().max(2) as u64;
        let mut digits = 0;
        let mut modulus = 1_u64;
        while digits < group.grid.width {
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
        let skipped = group.grid.width - digits;
        let value = |row: &usize| {
            let codes = group.grid.row(*row);
            let add = |sum: u64, code: &u16| sum * base + rank.get(usize::from(*code)).copied().unwrap_or(0);
            if backwards {
                codes.iter().rev().skip(skipped).fold(0, add)
            } else {
                codes.iter().skip(skipped).fold(0, add)
            }
        };
        let counted = if backwards {
            0..digits
        } else {
            skipped..group.grid.width
        };
        Self {
            values: rows.iter().map(value).collect(),
            modulus,
            same: counted.map(|column| group.grid.collision(column)).product(),
        }
    }

    fn step(&self, from: u64, to: u64) -> u64 {
        (to + self.modulus - from) % self.modulus
    }

    /// One difference that comes again and again. Of all differences of independent numbers none is likelier than zero.
    fn constant(&self, trials: f64) -> Option<(usize, String)> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for pair in self.values.windows(2) {
            if let [from, to] = pair {
                *counts.entry(self.step(*from, *to)).or_default() += 1;
            }
        }
        let steps = self.values.len() - 1;
        let (step, count) = counts
            .into_iter()
            .filter(|(step, _)| *step != 0)
            .max_by_key(|(_, count)| *count)?;
        let chance = chance::binomial(steps, count, self.same) + trials + (steps as f64).ln();
        (count >= 3 && count * 50 >= steps && chance < LIMIT).then(|| {
            let shown = if step > self.modulus / 2 {
                format!("-{}", self.modulus - step)
            } else {
                step.to_string()
            };
            let evidence = format!(
                "steps by {shown} {count} times out of {steps}. By chance: {}",
                chance::in_words(chance)
            );
            (count, evidence)
        })
    }

    /// Steps that are small, and all in one direction.
    fn little(&self, trials: f64) -> Option<(usize, String)> {
        let pairs: Vec<u64> = self
            .values
            .chunks_exact(2)
            .map(|pair| {
                self.step(
                    pair.first().copied().unwrap_or(0),
                    pair.last().copied().unwrap_or(0),
                )
            })
            .collect();
        let strangers = self.strangers();
        for shift in [3_u32, 6, 10, 16, 24, 32] {
            let limit = self.modulus >> shift;
            for is_down in [false, true] {
                let is_little = |step: &&u64| {
                    **step != 0
                        && if is_down {
                            self.modulus - **step < limit
                        } else {
                            **step < limit
                        }
                };
                let hits = pairs.iter().filter(is_little).count();
                if hits * 2 < pairs.len() {
                    continue;
                }
                let expected = strangers.iter().filter(is_little).count() as f64;
                let probability = ((expected + 3.0 + 3.0 * expected.sqrt()) / strangers.len().max(1) as f64)
                    .max((-f64::from(shift)).exp2());
                let chance = chance::binomial(pairs.len(), hits, probability) + trials + 12_f64.ln();
                if chance < LIMIT {
                    let way = if is_down { "falls" } else { "grows" };
                    let evidence = format!(
                        "{way} by less than 1 in {} of its range from device to device, in {hits} of {} pairs. By chance: {}",
                        1_u64 << shift,
                        pairs.len(),
                        chance::in_words(chance)
                    );
                    return Some((hits * 2, evidence));
                }
            }
        }
        None
    }

    /// Differences between devices that have nothing to do with each other.
    fn strangers(&self) -> Vec<u64> {
        let n = self.values.len();
        let mut found = Vec::new();
        // Strides that share no factor with most sizes go everywhere.
        for stride in [n / 2 + 1, n / 3 + 1, 2 * n / 5 + 1] {
            for at in 0..n.min(4000) {
                if let (Some(from), Some(to)) = (self.values.get(at), self.values.get((at + stride) % n)) {
                    found.push(self.step(*from, *to));
                    found.push(self.step(*to, *from));
                }
            }
        }
        found
    }
}

/// Positions that neighbours share, or that follow from the neighbour's.
fn alike(group: &Group, rows: &[usize]) -> Option<(Kind, usize, String)> {
    let trials = (group.grid.width as f64 * 2.0).ln();
    let code = |row: usize, column: usize| group.grid.row(row).get(column).copied().unwrap_or(0);
    for column in 0..group.grid.width {
        let pairs = rows.len() / 2;
        let equal = rows
            .chunks_exact(2)
            .filter(|pair| matches!(pair, [one, other] if code(*one, column) == code(*other, column)))
            .count();
        let collision = group.grid.collision(column);
        let expected = collision + 2.0 * (collision / pairs.max(1) as f64).sqrt();
        let chance = chance::binomial(pairs, equal, expected.min(1.0)) + trials;
        if equal * 2 >= pairs && chance < LIMIT {
            let evidence = format!(
                "symbol {} of what varies is the same on {equal} of {pairs} pairs of neighbours, where {:.0} are expected. By chance: {}",
                column + 1,
                collision * pairs as f64,
                chance::in_words(chance)
            );
            return Some((Kind::Neighbours, equal * 2, evidence));
        }
        let follows = predict::run(
            group.grid.symbols().len(),
            rows.windows(2).filter_map(|pair| match pair {
                [one, other] => Some((usize::from(code(*one, column)), code(*other, column))),
                _ => None,
            }),
        );
        let chance = follows.chance(group.grid.peak(column)) + trials;
        if follows.share() >= Relation::WORTH && chance < LIMIT {
            let evidence = format!(
                "symbol {} of what varies follows from the neighbour's in {} of {} cases. By chance: {}",
                column + 1,
                follows.hits,
                follows.tries,
                chance::in_words(chance)
            );
            return Some((Kind::Neighbours, follows.hits, evidence));
        }
    }
    None
}

/// Symbols of an alphabet that numbers are written in.
const MOST_SYMBOLS: usize = 128;
