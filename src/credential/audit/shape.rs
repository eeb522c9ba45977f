//! What passwords look like: their layout, the positions that vary, and the symbols that stand there.
//!
//! ```text
//!  every detector
//!  audit::shape (this file)
//!  audit::batch · audit::chance
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::batch::bare;
use super::chance::{self, LIMIT};

/// Symbols in rows and columns, as numbers in the order of the symbols.
pub(super) struct Grid {
    pub(super) width: usize,
    codes: Vec<u16>,
    symbols: Vec<String>,
}

impl Grid {
    /// Rows of as many symbols as the first has; what is longer is cut off, what is shorter is filled with the first symbol.
    fn of(rows: &[Vec<String>]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let distinct: BTreeSet<&String> = rows.iter().flat_map(|row| row.iter().take(width)).collect();
        let symbols: Vec<String> = distinct.into_iter().cloned().collect();
        let code: BTreeMap<&str, u16> = symbols.iter().map(String::as_str).zip(0..u16::MAX).collect();
        let mut codes = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let of_row = row
                .iter()
                .map(|symbol| code.get(symbol.as_str()).copied().unwrap_or(u16::MAX));
            codes.extend(of_row.chain(core::iter::repeat(0)).take(width));
        }
        Self {
            width,
            codes,
            symbols,
        }
    }

    /// Identifiers without separators and case, aligned to their first or their last symbol.
    pub(super) fn of_identifiers(values: &[&str], is_aligned_right: bool) -> Self {
        let bare: Vec<Vec<char>> = values
            .iter()
            .map(|value| bare(value).to_uppercase().chars().take(MOST_WIDTH).collect())
            .collect();
        let width = bare.iter().map(Vec::len).max().unwrap_or(0);
        let rows: Vec<Vec<String>> = bare
            .iter()
            .map(|letters| {
                let fill = core::iter::repeat_n(' ', width.saturating_sub(letters.len()));
                let letters = letters.iter().copied();
                let row: Vec<char> = if is_aligned_right {
                    fill.chain(letters).collect()
                } else {
                    letters.chain(fill).collect()
                };
                row.into_iter().map(String::from).collect()
            })
            .collect();
        Self::of(&rows)
    }

    pub(super) fn height(&self) -> usize {
        self.codes.len().checked_div(self.width).unwrap_or(0)
    }

    pub(super) fn row(&self, row: usize) -> &[u16] {
        let from = row * self.width;
        self.codes.get(from..from + self.width).unwrap_or_default()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u16]> {
        self.codes.chunks_exact(self.width.max(1))
    }

    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = u16> {
        self.codes.iter().skip(column).step_by(self.width.max(1)).copied()
    }

    /// How often each symbol stands in a column.
    pub(super) fn counts(&self, column: usize) -> Vec<usize> {
        let mut counts = vec![0; self.symbols.len()];
        for code in self.column(column) {
            if let Some(count) = counts.get_mut(usize::from(code)) {
                *count += 1;
            }
        }
        counts
    }

    pub(super) fn symbols(&self) -> &[String] {
        &self.symbols
    }

    pub(super) fn symbol(&self, code: u16) -> &str {
        self.symbols.get(usize::from(code)).map_or("?", String::as_str)
    }

    /// The probability of the most frequent symbol of a column.
    pub(super) fn peak(&self, column: usize) -> f64 {
        let most = self.counts(column).into_iter().max().unwrap_or(0);
        most as f64 / self.height().max(1) as f64
    }

    /// The probability that two rows have the same symbol in a column, a little above the truth in small batches.
    pub(super) fn collision(&self, column: usize) -> f64 {
        let n = self.height().max(1) as f64;
        self.counts(column)
            .into_iter()
            .map(|count| (count as f64 / n).powi(2))
            .sum()
    }

    fn keep_columns(&self, keep: &[usize]) -> Self {
        let rows: Vec<Vec<String>> = self
            .rows()
            .map(|row| {
                keep.iter()
                    .filter_map(|column| row.get(*column))
                    .map(|code| self.symbol(*code).to_string())
                    .collect()
            })
            .collect();
        Self::of(&rows)
    }
}

/// Passwords of one length, or of as many words.
pub(super) struct Group {
    /// Devices, by their place in the batch; as many as the grid has rows.
    pub(super) devices: Vec<usize>,
    /// The positions that vary.
    pub(super) grid: Grid,
    /// Whether the symbols are words.
    pub(super) is_words: bool,
    /// How a password looks: a letter for each kind of symbol that varies, otherwise the symbol.
    pub(super) layout: String,
    /// Positions with always the same letter or digit, in a part that otherwise varies.
    pub(super) constants: Vec<(usize, String)>,
    /// Sizes of the alphabets at the positions that vary.
    pub(super) sizes: Vec<usize>,
    /// The probability of one password, had every position been drawn from all symbols of its kinds.
    pub(super) natural: f64,
    /// How many kinds of letters and digits stand at constant positions: a space as if they had been drawn.
    pub(super) constant_size: f64,
}

impl Group {
    fn of(devices: Vec<usize>, rows: &[Vec<String>], is_words: bool) -> Self {
        let whole = Grid::of(rows);
        let mut varying = Vec::new();
        let mut constants = Vec::new();
        let mut constant_size = 1.0;
        let mut natural_size = 1.0;
        let mut layout = String::new();
        for column in 0..whole.width {
            let counts = whole.counts(column);
            let present: Vec<&str> = whole
                .symbols()
                .iter()
                .zip(&counts)
                .filter(|(_, count)| **count > 0)
                .map(|(symbol, _)| symbol.as_str())
                .collect();
            if is_words
                || present
                    .iter()
                    .any(|symbol| symbol.chars().any(char::is_alphanumeric))
            {
                natural_size *= natural(&present).max(2) as f64;
            }
            if let [only] = present.as_slice() {
                layout.push_str(only);
                if only.chars().any(char::is_alphanumeric) {
                    constants.push((column, (*only).to_string()));
                    constant_size *= natural(&present) as f64;
                }
            } else {
                layout.push_str(if is_words { "word" } else { place(&present) });
                varying.push(column);
            }
            if is_words && column + 1 < whole.width {
                layout.push('-');
            }
        }
        let grid = whole.keep_columns(&varying);
        constants.retain(|(column, _)| !is_words && !is_apart(&whole, *column));
        if is_uuid(&layout) {
            constants.clear();
        }
        let sizes = sizes(&grid, is_words);
        Self {
            devices,
            grid,
            is_words,
            layout,
            constants,
            sizes,
            natural: 1.0 / natural_size,
            constant_size,
        }
    }

    /// What of a password varies.
    pub(super) fn core(&self, row: usize) -> String {
        self.grid
            .row(row)
            .iter()
            .map(|code| self.grid.symbol(*code))
            .collect()
    }

    /// Bits of what varies, by the sizes of the alphabets.
    pub(super) fn bits(&self) -> f64 {
        let by_size: f64 = self.sizes.iter().map(|size| (*size as f64).log2()).sum();
        let n = self.grid.height() as f64;
        if n < 500.0 {
            return by_size;
        }
        // With enough devices, what the symbols' frequencies leave of it.
        let by_collision: f64 = (0..self.grid.width)
            .map(|column| {
                let pairs: f64 = self
                    .grid
                    .counts(column)
                    .into_iter()
                    .map(|count| count as f64 * (count as f64 - 1.0))
                    .sum();
                -(pairs.max(1.0) / (n * (n - 1.0))).log2()
            })
            .sum();
        if by_collision < by_size - 1.0 {
            by_collision
        } else {
            by_size
        }
    }

    /// The probability that two devices have the same password, had all of it been drawn.
    pub(super) fn same(&self) -> f64 {
        let varying: f64 = self
            .sizes
            .iter()
            .map(|size| 1.0 / (*size).max(2) as f64)
            .product();
        varying
            / if self.grid.width == 0 {
                self.constant_size
            } else {
                1.0
            }
    }

    /// Whether the alphabets at all positions are of one size.
    pub(super) fn is_of_one_size(&self) -> bool {
        self.sizes.windows(2).all(|pair| pair.first() == pair.last())
    }

    /// The symbols that a column could have had: those of its kinds that stand anywhere.
    pub(super) fn possible(&self, column: usize) -> Vec<bool> {
        possible(&self.grid, column, self.is_words)
    }
}

/// A column of passwords, in groups that look alike; the largest first.
pub(super) struct Shape {
    pub(super) groups: Vec<Group>,
    /// Layouts, and how many devices have each.
    pub(super) layouts: Vec<(String, usize)>,
}

impl Shape {
    pub(super) fn of(values: &[String]) -> Self {
        let full = || values.iter().enumerate().filter(|(_, value)| !value.is_empty());
        let mut rows: BTreeMap<usize, (Vec<usize>, Vec<Vec<String>>)> = BTreeMap::new();
        let mut is_words = false;
        let longest = full().map(|(_, value)| value.chars().count()).max().unwrap_or(0);
        let are_numbers =
            longest <= 20 && full().all(|(_, value)| value.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(separator) = separator_of_words(values) {
            is_words = true;
            for (device, value) in full() {
                let words: Vec<String> = value.split(separator).map(String::from).collect();
                let (devices, texts) = rows.entry(words.len()).or_default();
                devices.push(device);
                texts.push(words);
            }
        } else {
            for (device, value) in full() {
                let mut letters: Vec<String> = value.chars().take(MOST_WIDTH).map(String::from).collect();
                if are_numbers {
                    let zeros = core::iter::repeat_n("0".to_string(), longest - letters.len());
                    letters.splice(0..0, zeros);
                }
                let (devices, texts) = rows.entry(letters.len()).or_default();
                devices.push(device);
                texts.push(letters);
            }
        }
        let mut groups: Vec<Group> = rows
            .into_values()
            .map(|(devices, rows)| Group::of(devices, &rows, is_words))
            .collect();
        groups.sort_by_key(|group| core::cmp::Reverse(group.devices.len()));
        let mut layouts: Vec<(String, usize)> = groups
            .iter()
            .map(|group| (group.layout.clone(), group.devices.len()))
            .collect();
        layouts.truncate(MOST_LAYOUTS);
        Self { groups, layouts }
    }

    /// The groups that statistics are made of.
    pub(super) fn large(&self) -> impl Iterator<Item = &Group> {
        self.groups
            .iter()
            .filter(|group| group.grid.width > 0 && group.devices.len() >= FEWEST)
            .take(MOST_GROUPS)
    }
}

/// Passwords of at least three words: what separates them.
fn separator_of_words(values: &[String]) -> Option<char> {
    let mut lengths = BTreeSet::new();
    let mut separator = None;
    let mut number = 0;
    for value in values.iter().filter(|value| !value.is_empty()) {
        let found = value.chars().find(|letter| !letter.is_alphanumeric())?;
        if *separator.get_or_insert(found) != found {
            return None;
        }
        let words: Vec<&str> = value.split(found).collect();
        if words.len() < 3 || words.iter().any(|word| !word.chars().all(char::is_alphabetic)) {
            return None;
        }
        lengths.insert(words.first().map_or(0, |word| word.len()));
        number += 1;
    }
    (number >= FEWEST && lengths.len() > 1)
        .then_some(separator)
        .flatten()
}

/// Whether a constant position belongs to a part between separators that is constant as a whole: a layout, as `ACME-` is.
fn is_apart(grid: &Grid, column: usize) -> bool {
    let kind = |column: usize| {
        let mut seen = grid.column(column);
        let first = seen.next();
        if seen.any(|code| Some(code) != first) {
            return Some(false);
        }
        let symbol = first.map_or("", |code| grid.symbol(code));
        symbol.chars().all(char::is_alphanumeric).then_some(true)
    };
    let reaches_an_end = |columns: &mut dyn Iterator<Item = usize>| {
        for column in columns {
            match kind(column) {
                Some(true) => {}
                Some(false) => return None,
                None => return Some(true),
            }
        }
        Some(false)
    };
    match (
        reaches_an_end(&mut (0..column).rev()),
        reaches_an_end(&mut (column + 1..grid.width)),
    ) {
        (Some(before), Some(behind)) => before || behind,
        _ => false,
    }
}

fn is_uuid(layout: &str) -> bool {
    layout.len() == 36
        && layout
            .bytes()
            .enumerate()
            .all(|(at, byte)| (byte == b'-') == matches!(at, 8 | 13 | 18 | 23))
}

/// Kinds of symbols.
pub(super) fn kind(symbol: &str) -> u8 {
    match symbol.chars().next() {
        Some(letter) if letter.is_ascii_digit() => 0,
        Some(letter) if letter.is_lowercase() => 1,
        Some(letter) if letter.is_uppercase() => 2,
        Some(letter) if letter.is_alphabetic() => 3,
        _ => 4,
    }
}

fn place(present: &[&str]) -> &'static str {
    let kinds: BTreeSet<u8> = present.iter().map(|symbol| kind(symbol)).collect();
    match kinds.iter().collect::<Vec<_>>().as_slice() {
        [0] => "9",
        [1] => "a",
        [2] => "A",
        [4] => "#",
        _ => "*",
    }
}

/// The size of the least alphabet in common use that has these symbols.
fn natural(symbols: &[&str]) -> usize {
    let all = |test: fn(char) -> bool| symbols.iter().all(|symbol| symbol.chars().all(test));
    if all(|letter| letter.is_ascii_digit()) {
        return 10;
    }
    if all(|letter| matches!(letter, '0'..='9' | 'a'..='f'))
        || all(|letter| matches!(letter, '0'..='9' | 'A'..='F'))
    {
        return 16;
    }
    let kinds: BTreeSet<u8> = symbols.iter().map(|symbol| kind(symbol)).collect();
    let others = symbols.iter().filter(|symbol| kind(symbol) > 2).count();
    kinds
        .iter()
        .map(|kind| match kind {
            0 => 10,
            1 | 2 => 26,
            _ => 0,
        })
        .sum::<usize>()
        + others
}

fn possible(grid: &Grid, column: usize, is_words: bool) -> Vec<bool> {
    let counts = grid.counts(column);
    let kinds: BTreeSet<u8> = grid
        .symbols()
        .iter()
        .zip(&counts)
        .filter(|(_, count)| **count > 0)
        .map(|(symbol, _)| kind(symbol))
        .collect();
    grid.symbols()
        .iter()
        .map(|symbol| is_words || kinds.contains(&kind(symbol)))
        .collect()
}

fn sizes(grid: &Grid, is_words: bool) -> Vec<usize> {
    let n = grid.height() as f64;
    (0..grid.width)
        .map(|column| {
            let counts = grid.counts(column);
            let seen = counts.iter().filter(|count| **count > 0).count();
            let could = possible(grid, column, is_words)
                .into_iter()
                .filter(|could| *could)
                .count();
            if (n * grid.width as f64) < 8.0 * grid.symbols().len() as f64 && !is_words {
                let symbols: Vec<&str> = grid
                    .symbols()
                    .iter()
                    .zip(possible(grid, column, is_words))
                    .filter(|(_, could)| *could)
                    .map(|(symbol, _)| symbol.as_str())
                    .collect();
                return natural(&symbols);
            }
            // As many symbols as chance leaves out of so many rows are not missing.
            let unseen = could as f64 * (1.0 - 1.0 / could.max(1) as f64).powf(n);
            let chance = chance::poisson(could - seen, unseen) + (grid.width as f64).ln();
            if chance < LIMIT { seen } else { could }
        })
        .collect()
}

/// Fewer passwords than this make no statistics.
pub(super) const FEWEST: usize = 20;
/// Groups that are looked at one by one.
const MOST_GROUPS: usize = 4;
const MOST_LAYOUTS: usize = 12;
/// Symbols of a password or identifier that are looked at.
const MOST_WIDTH: usize = 128;
