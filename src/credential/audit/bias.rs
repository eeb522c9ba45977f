//! Symbols that come too often, too rarely or never, and positions that follow from one another.
//!
//! ```text
//!  audit
//!  audit::bias (this file)
//!  audit::case · audit::chance · audit::orders · audit::predict
//! ```

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::case::{Case, Notes};
use super::chance::{self, LIMIT};
use super::orders;
use super::predict::{self, Relation};
use super::report::{Kind, Prohibition};
use super::shape::{Group, kind};

pub(super) fn search(case: &Case, notes: &mut Notes) {
    declared(case, notes);
    let mut looked = false;
    for group in case.shape.large() {
        looked = true;
        constant(case, group, notes);
        patterned(case, group, notes);
        let smallest = group.sizes.iter().copied().max().unwrap_or(1);
        if group.devices.len() < smallest * 5 {
            let why = format!(
                "{} passwords that look like {} are too few for {smallest} symbols",
                group.devices.len(),
                group.layout
            );
            case.cannot(notes, "frequencies of symbols at each position", why);
        }
        frequencies(case, group, notes);
        if group.grid.symbols().iter().all(|symbol| kind(symbol) == 0) {
            remainders(case, group, notes);
        }
    }
    if !looked {
        case.cannot(
            notes,
            "frequencies of symbols at each position",
            "too few passwords look alike",
        );
    }
}

fn declared(case: &Case, notes: &mut Notes) {
    let Some(alphabet) = &case.settings.alphabet else {
        return;
    };
    let foreign: Vec<usize> = case
        .values
        .iter()
        .enumerate()
        .filter(|(_, value)| {
            value
                .chars()
                .any(|letter| letter.is_alphanumeric() && !alphabet.contains(letter))
        })
        .map(|(device, _)| device)
        .collect();
    if let Some(first) = foreign.first() {
        let letters: String = case.values.get(*first).map_or(String::new(), |value| {
            value
                .chars()
                .filter(|letter| letter.is_alphanumeric() && !alphabet.contains(*letter))
                .collect()
        });
        let evidence = format!(
            "{} passwords have symbols that are not in the declared alphabet, such as {letters:?}",
            foreign.len()
        );
        let numbers = (foreign.len(), case.devices());
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::Undeclared),
            numbers,
            &foreign,
            &evidence,
        );
    }
    let total: usize = case.values.iter().map(|value| value.chars().count()).sum();
    let size = alphabet.chars().count().max(1) as f64;
    let missing: String = alphabet
        .chars()
        .filter(|letter| !case.values.iter().any(|value| value.contains(*letter)))
        .collect();
    let chance = total as f64 * (1.0 - 1.0 / size).max(1e-9).ln() + size.ln();
    if !missing.is_empty() && chance < LIMIT {
        let evidence = format!(
            "{missing:?} of the declared alphabet stands in no password. By chance: {}",
            chance::in_words(chance)
        );
        let of = case.devices();
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::MissingSymbols),
            (of, of),
            &[],
            &evidence,
        );
    }
}

fn constant(case: &Case, group: &Group, notes: &mut Notes) {
    if group.constants.is_empty() || case.is_pairing && group.layout.starts_with("MT:") {
        return;
    }
    let places: Vec<String> = group
        .constants
        .iter()
        .map(|(column, symbol)| format!("{symbol:?} at {}", column + 1))
        .collect();
    let evidence = format!("positions that never vary: {}", places.join(", "));
    let of = group.devices.len();
    case.find(
        notes,
        (&[Prohibition::Guessable], Kind::Constant),
        (of, of),
        &group.devices,
        &evidence,
    );
}

/// A position that another one tells.
fn patterned(case: &Case, group: &Group, notes: &mut Notes) {
    let width = group.grid.width;
    if group.is_words || group.devices.len() < predict::FEWEST {
        return;
    }
    let rows: Vec<usize> = predict::sample(group.grid.height());
    for to in 0..width {
        for from in (0..width).filter(|from| *from != to) {
            let seen = predict::run(
                group.grid.symbols().len(),
                rows.iter().map(|row| {
                    let row = group.grid.row(*row);
                    let at = |column: usize| row.get(column).copied().unwrap_or(0);
                    (usize::from(at(from)), at(to))
                }),
            );
            let chance = seen.chance(group.grid.peak(to)) + ((width * width) as f64).ln();
            if chance < LIMIT && seen.share() >= Relation::WORTH {
                let evidence = format!(
                    "symbol {} of what varies follows from symbol {} in {} of {} passwords. By chance: {}",
                    to + 1,
                    from + 1,
                    seen.hits,
                    seen.tries,
                    chance::in_words(chance)
                );
                let numbers = (seen.hits, seen.tries);
                case.find(
                    notes,
                    (&[Prohibition::Guessable], Kind::Patterned),
                    numbers,
                    &group.devices,
                    &evidence,
                );
                return;
            }
        }
    }
}

//= compliance/requirements.md#cred-46
//# Symbols that come more often than others, by the remainder of a division or for another cause, MUST be found where the batch is large enough to show it.
fn frequencies(case: &Case, group: &Group, notes: &mut Notes) {
    let policy = kinds_asked_for(group);
    // Columns that have the same symbols are counted together as well.
    let mut pooled: BTreeMap<Vec<bool>, (Vec<usize>, usize)> = BTreeMap::new();
    let mut found = Vec::new();
    for column in 0..group.grid.width {
        let mut possible = group.possible(column);
        let counts = group.grid.counts(column);
        let could = possible.iter().filter(|could| **could).count();
        let seen = counts.iter().filter(|count| **count > 0).count();
        if group.sizes.get(column) == Some(&seen)
            && seen < could
            && !is_layout(group, column, &possible, &counts)
        {
            found.push(missing(group, column, &possible, &counts));
        }
        // What never comes here is of another alphabet, or missing; it makes the others no likelier.
        possible
            .iter_mut()
            .zip(&counts)
            .for_each(|(could, count)| *could &= *count > 0);
        let chance = uneven(group, &counts, &possible, &policy);
        if chance + (group.grid.width as f64).ln() < LIMIT {
            found.push((chance, Kind::Biased, at_position(group, column, &counts, chance)));
        }
        let (sums, columns) = pooled
            .entry(possible)
            .or_insert_with(|| (vec![0; counts.len()], 0));
        sums.iter_mut()
            .zip(&counts)
            .for_each(|(sum, count)| *sum += count);
        *columns += 1;
    }
    for (possible, (sums, columns)) in &pooled {
        if *columns < 2 && group.grid.width > 1 {
            continue;
        }
        let chance =
            uneven(group, sums, possible, &policy).min(remainder_of_division(group, sums, possible, &policy));
        if chance + (pooled.len() as f64).ln() < LIMIT {
            let evidence = format!(
                "at {columns} positions taken together, {}",
                extremes(group, sums, possible, chance)
            );
            found.push((chance, Kind::Biased, evidence));
        }
    }
    found.sort_by(|one, other| one.0.total_cmp(&other.0));
    let of = group.devices.len();
    for kind in [Kind::Biased, Kind::MissingSymbols] {
        if let Some((_, _, evidence)) = found.iter().find(|(_, of_kind, _)| *of_kind == kind) {
            case.find(notes, (&[Prohibition::Guessable], kind), (of, of), &[], evidence);
        }
    }
}

/// Whether symbols are left out on purpose: a leading zero, look-alikes, or an alphabet that is small or that other positions have too.
fn is_layout(group: &Group, column: usize, possible: &[bool], counts: &[usize]) -> bool {
    let seen = |counts: &[usize]| counts.iter().map(|count| *count > 0).collect::<Vec<_>>();
    let could = possible.iter().filter(|could| **could).count();
    let present = counts.iter().filter(|count| **count > 0).count();
    let mut left_out = group
        .grid
        .symbols()
        .iter()
        .zip(possible)
        .zip(counts)
        .filter(|((_, could), count)| **could && **count == 0);
    let own = seen(counts);
    let others = (0..group.grid.width).filter(|other| *other != column);
    column == 0 && could - present == 1 && counts.first() == Some(&0)
        || present * 2 <= could + 1
        || left_out.all(|((symbol, _), _)| LOOK_ALIKES.contains(symbol.as_str()))
        || others
            .into_iter()
            .any(|other| seen(&group.grid.counts(other)) == own)
}

fn missing(group: &Group, column: usize, possible: &[bool], counts: &[usize]) -> (f64, Kind, String) {
    let symbols: String = group
        .grid
        .symbols()
        .iter()
        .zip(possible)
        .zip(counts)
        .filter(|((_, could), count)| **could && **count == 0)
        .map(|((symbol, _), _)| symbol.as_str())
        .collect();
    let evidence = format!(
        "position {} of what varies never has any of {symbols:?}, which other positions have",
        column + 1
    );
    (0.0, Kind::MissingSymbols, evidence)
}

fn at_position(group: &Group, column: usize, counts: &[usize], chance: f64) -> String {
    let possible: Vec<bool> = counts.iter().map(|count| *count > 0).collect();
    format!(
        "at position {} of what varies, {}",
        column + 1,
        extremes(group, counts, &possible, chance)
    )
}

fn extremes(group: &Group, counts: &[usize], possible: &[bool], chance: f64) -> String {
    let mut shown: Vec<(usize, &str)> = counts
        .iter()
        .zip(possible)
        .zip(group.grid.symbols())
        .filter(|((_, could), _)| **could)
        .map(|((count, _), symbol)| (*count, symbol.as_str()))
        .collect();
    shown.sort_unstable();
    let total: usize = counts.iter().sum();
    let one = |shown: Option<&(usize, &str)>| {
        shown.map_or(String::new(), |(count, symbol)| {
            format!("{symbol:?} stands {count} times")
        })
    };
    format!(
        "{} and {} among {total}; {:.1} of each are expected. By chance: {}",
        one(shown.last()),
        one(shown.first()),
        total as f64 / shown.len().max(1) as f64,
        chance::in_words(chance)
    )
}

/// Kinds of symbols that every password has to have: a rule that makes kinds uneven, but no symbol within one.
fn kinds_asked_for(group: &Group) -> Vec<u8> {
    let kinds: Vec<u8> = group.grid.symbols().iter().map(|symbol| kind(symbol)).collect();
    let mut asked = Vec::new();
    for wanted in 0..=4 {
        if !kinds.contains(&wanted) {
            continue;
        }
        let has = |code: &u16| kinds.get(usize::from(*code)) == Some(&wanted);
        if group.grid.rows().any(|row| !row.iter().any(has)) {
            continue;
        }
        let without: f64 = (0..group.grid.width)
            .map(|column| {
                let with: usize = group.grid.column(column).filter(has).count();
                1.0 - with as f64 / group.grid.height() as f64
            })
            .product();
        if without * group.grid.height() as f64 > 8.0 {
            asked.push(wanted);
        }
    }
    asked
}

/// How likely chance makes symbols as uneven as these.
fn uneven(group: &Group, counts: &[usize], possible: &[bool], policy: &[u8]) -> f64 {
    let mut parts: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for ((count, could), symbol) in counts.iter().zip(possible).zip(group.grid.symbols()) {
        if *could {
            let part = if policy.is_empty() { 0 } else { kind(symbol) };
            parts.entry(part).or_default().push(*count);
        }
    }
    let (mut sum, mut freedom) = (0.0, 0.0);
    for counts in parts.values() {
        let expected = counts.iter().sum::<usize>() as f64 / counts.len() as f64;
        if counts.len() < 2 || expected < 5.0 {
            continue;
        }
        sum += counts
            .iter()
            .map(|count| (*count as f64 - expected).powi(2) / expected)
            .sum::<f64>();
        freedom += counts.len() as f64 - 1.0;
    }
    chance::chi_square(sum, freedom)
}

/// The first symbols of an alphabet come more often where a byte is divided by its size.
fn remainder_of_division(group: &Group, counts: &[usize], possible: &[bool], policy: &[u8]) -> f64 {
    let size = possible.iter().filter(|could| **could).count();
    if group.is_words || size < 3 || !policy.is_empty() {
        return 0.0;
    }
    let symbols: Vec<String> = group
        .grid
        .symbols()
        .iter()
        .zip(possible)
        .filter(|(_, could)| **could)
        .map(|(symbol, _)| symbol.clone())
        .collect();
    let total: usize = counts.iter().sum();
    let mut least: f64 = 0.0;
    let ways = orders::of(&symbols);
    for order in &ways {
        for range in [32, 64, 100, 128, 256, 1000] {
            let heavy = range % size;
            if range < size || heavy == 0 {
                continue;
            }
            let first: usize = order
                .iter()
                .take(heavy)
                .filter_map(|symbol| group.grid.symbols().iter().position(|other| other == symbol))
                .filter_map(|code| counts.get(code))
                .sum();
            let trials = ((ways.len() * 6) as f64).ln();
            least = least.min(chance::binomial(total, first, heavy as f64 / size as f64) + trials);
        }
    }
    least
}

/// Numbers that leave some remainders more often than others: repaired by adding one, doubled, or scaled up from fewer.
fn remainders(case: &Case, group: &Group, notes: &mut Notes) {
    let width = group.grid.width;
    if !(4..=18).contains(&width) || !group.constants.is_empty() {
        return;
    }
    let mut cores: Vec<String> = (0..group.grid.height()).map(|row| group.core(row)).collect();
    // A check digit of Luhn prefers some remainders: what is drawn is what stands before it.
    if cores.iter().all(|core| is_luhn(core)) {
        for core in &mut cores {
            core.pop();
        }
    }
    let numbers: Vec<u64> = cores.iter().filter_map(|core| core.parse().ok()).collect();
    for divisor in 2..=64_u64 {
        let expected = numbers.len() as f64 / divisor as f64;
        if expected < 8.0 {
            break;
        }
        let mut counts = vec![0_usize; usize::try_from(divisor).unwrap_or(1)];
        for number in &numbers {
            if let Some(count) = usize::try_from(number % divisor)
                .ok()
                .and_then(|at| counts.get_mut(at))
            {
                *count += 1;
            }
        }
        let sum: f64 = counts
            .iter()
            .map(|count| (*count as f64 - expected).powi(2) / expected)
            .sum();
        let chance = chance::chi_square(sum, divisor as f64 - 1.0) + 63_f64.ln();
        if chance < LIMIT {
            let most = counts.iter().max().copied().unwrap_or(0);
            let evidence = format!(
                "divided by {divisor}, the numbers leave one remainder {most} times where {expected:.1} are expected. By chance: {}",
                chance::in_words(chance)
            );
            case.find(
                notes,
                (&[Prohibition::Guessable], Kind::Biased),
                (most, numbers.len()),
                &[],
                &evidence,
            );
            return;
        }
    }
}

/// Whether the last of some digits is Luhn's check digit.
fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .zip(0_u32..)
        .map(|(digit, at)| {
            let value = if at % 2 == 0 { digit } else { 2 * digit };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Symbols that alphabets for people leave out.
const LOOK_ALIKES: &str = "0O1IlLoi5S2Z8BUVuvQ9gq6GD";
