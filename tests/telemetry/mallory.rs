//! What Mallory has: reports read as numbers, ways to match, to tell apart and to guess, and the bounds that are stated of them. Why these hold is in
//! `bounds.rs`.

use std::collections::BTreeMap;

use bydesign::telemetry::{ReportSchema, Value};
use chacha20::rand_core::Rng;

use crate::support::random;

/// A report as numbers.
#[derive(Clone)]
pub(crate) struct Seen {
    /// What is told without noise, but for the time, which is the same for all, and for names.
    pub(crate) plain: Vec<i64>,
    /// What is told with noise.
    pub(crate) noisy: BTreeMap<&'static str, i64>,
    /// Pseudonyms.
    pub(crate) names: Vec<String>,
}

impl Seen {
    /// All of it; noise tells least, and decides between what is alike otherwise.
    pub(crate) fn features(&self) -> Vec<i64> {
        let plain = self.plain.iter().map(|number| number * 1000);
        plain.chain(self.noisy.values().copied()).collect()
    }
}

pub(crate) fn read(schema: &ReportSchema, report: &[u8]) -> Seen {
    let (mut plain, mut noisy, mut names) = (Vec::new(), BTreeMap::new(), Vec::new());
    schema
        .decode(report, |field, value| {
            let numbers = match value {
                Value::Truth(truth) => vec![i64::from(truth)],
                Value::Number(number) => vec![number],
                Value::Choice(number) => vec![i64::from(number) * 1000],
                Value::Pair(first, second) => vec![first, second],
                Value::Counts(counts, len) => counts[..usize::from(len)]
                    .iter()
                    .map(|count| i64::from(*count) * 10)
                    .collect(),
                Value::Letters(letters) => letters.bytes().map(i64::from).collect(),
                Value::Bytes(_) => return names.push(value.to_string()),
                other => panic!("{other:?}"),
            };
            match field.name {
                "week" => {}
                name if field.effect.micro_epsilon > 0 => drop(noisy.insert(name, numbers[0])),
                _ => plain.extend(numbers),
            }
        })
        .expect("decodes");
    Seen { plain, noisy, names }
}

pub(crate) fn distance(a: &[i64], b: &[i64]) -> i64 {
    // What one of the two does not tell is far from everything.
    let lacking = i64::try_from(a.len().abs_diff(b.len())).expect("few") * 1_000_000;
    lacking + a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<i64>()
}

/// For each of the earlier ones, the nearest of the later ones, one of the nearest by lot; how many were right.
pub(crate) fn linked(earlier: &[Vec<i64>], later: &[Vec<i64>]) -> f64 {
    let mut lots = random(99);
    let right = earlier.iter().enumerate().filter(|(number, features)| {
        let nearest = later.iter().map(|other| distance(features, other)).min();
        let candidates: Vec<_> = (0..later.len())
            .filter(|at| Some(distance(features, &later[*at])) == nearest)
            .collect();
        candidates[lots.next_u32() as usize % candidates.len()] == *number
    });
    right.count() as f64 / earlier.len() as f64
}

/// What nobody links beyond: of `n` reports that read the same but for noise, `exp(epsilon)` are found in the mean, and never more than `n`.
pub(crate) fn linking_bound(reports: &[Seen], epsilon: f64) -> f64 {
    let mut kinds: BTreeMap<&[i64], f64> = BTreeMap::new();
    for report in reports {
        *kinds.entry(&report.plain).or_default() += 1.0;
    }
    let found: f64 = kinds.values().map(|alike| alike.min(epsilon.exp())).sum();
    found / reports.len() as f64
}

/// Two at a time, one of each side: how often the second scores higher, of all pairs. What is usual does not help then.
pub(crate) fn told_apart(without: &[f64], with: &[f64]) -> f64 {
    let mut won = 0.0;
    for one in without {
        for other in with {
            won += match one.total_cmp(other) {
                std::cmp::Ordering::Less => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Greater => 0.0,
            };
        }
    }
    won / (without.len() * with.len()) as f64
}

/// How often two are told apart by one answer of this epsilon, and that with three standard deviations of so many pairs.
pub(crate) fn telling_bound(epsilon: f64, pairs: usize) -> (f64, f64) {
    let stated = epsilon.exp() / (1.0 + epsilon.exp());
    (stated, stated + 3.0 * 0.5 / (pairs as f64).sqrt())
}

/// The most readings that one guess meets, `near` on both sides; of sorted readings.
pub(crate) fn best_guess_meets(sorted: &[i32], near: i32) -> usize {
    let mut first = 0;
    let windows = sorted.iter().enumerate().map(|(last, reading)| {
        while reading - sorted[first] > 2 * near {
            first += 1;
        }
        last + 1 - first
    });
    windows.max().unwrap_or(0)
}

/// The share of readings that the best guess for each kind of report meets, chosen with all of them known.
pub(crate) fn best_with_hindsight(readings: impl IntoIterator<Item = (Vec<i64>, i32)>, near: i32) -> f64 {
    let mut of_kind: BTreeMap<Vec<i64>, Vec<i32>> = BTreeMap::new();
    for (report, reading) in readings {
        of_kind.entry(report).or_default().push(reading);
    }
    let (mut met, mut all) = (0, 0);
    for alike in of_kind.values_mut() {
        alike.sort_unstable();
        met += best_guess_meets(alike, near);
        all += alike.len();
    }
    met as f64 / all as f64
}
