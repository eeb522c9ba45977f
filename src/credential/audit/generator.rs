//! Passwords from generators whose outputs follow from a small seed, or from one another.
//!
//! ```text
//!  audit
//!  audit::generator (this file)      seeds in turn, drawn from in the usual ways
//!    seeds                           which ones
//!    parity                          generators whose low bits tell, whatever the seed
//!    stream · twister                the generators
//!  audit::case · audit::orders · audit::chance
//! ```
//!
//! A seed's numbers are compared with the symbols in the order of the file. In which order the alphabet stands need not be known: a number has to
//! be the same symbol wherever it comes again, and a symbol the same number.

mod parity;
mod seeds;
mod stream;
mod twister;

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::{BTreeMap, HashSet};
use std::format;
use std::string::String;
use std::sync::Mutex;
use std::thread;
use std::vec;
use std::vec::Vec;

use super::batch::{bare, order_key};
use super::case::{Case, Notes, letters};
use super::chance::{self, LIMIT};
use super::orders;
use super::report::{Kind, Prohibition};
use super::shape::{FEWEST, Group};
use seeds::Seeds;
use stream::{DRAWS, DRAWS_OF_MILLISECONDS, Draw, OF_LONG_NUMBERS, Source, Tape, Way};

//= compliance/requirements.md#cred-51
//# Passwords from the generators that docs/audit.md lists MUST be found for small seeds, for times in the window that is given, and for seeds that are an identifier's number.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let Some(group) = case
        .shape
        .large()
        .next()
        .filter(|group| !group.is_words && group.grid.width >= 4)
    else {
        case.cannot(
            notes,
            "weak generators",
            format!("fewer than {FEWEST} passwords of four symbols look alike"),
        );
        return;
    };
    if group.devices.len() * 2 < case.devices() {
        case.cannot(
            notes,
            "weak generators",
            "passwords of many lengths: their order in the stream is not known",
        );
    }
    if case.settings.window.is_none() {
        case.cannot(
            notes,
            "generators seeded with a time",
            "no window of times is given, so only whole days, round numbers and what follows them, the hours about the time of the file, and the milliseconds of some minutes about it were tried",
        );
    }
    let found = by_identifier(case, group).or_else(|| by_seed(case, group));
    if let Some(found) = found {
        let mut prohibitions = found.prohibitions;
        prohibitions.push(Prohibition::Guessable);
        prohibitions.sort_unstable();
        prohibitions.dedup();
        let numbers = (found.devices, group.devices.len());
        case.find(
            notes,
            (&prohibitions, Kind::WeakGenerator),
            numbers,
            &group.devices,
            &found.evidence,
        );
    }
}

struct Found {
    prohibitions: Vec<Prohibition>,
    devices: usize,
    evidence: String,
}

/// Passwords as they are compared: rows in an order, and what is drawn for each.
struct Rows<'a> {
    group: &'a Group,
    order: Vec<usize>,
    name: String,
}

/// How a password is drawn: symbol by symbol, or as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Symbols,
    /// A number below the limit, and what is added.
    Number {
        limit: u64,
        from: u64,
    },
    /// A number of so many bits, printed in hexadecimal digits: as it is, or its bytes from the lowest on.
    Long {
        bits: u32,
        is_turned: bool,
    },
}

/// What else is drawn after each password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Between {
    Nothing,
    One,
    Two,
    /// A number of twelve bits, such as Matter's discriminator.
    Discriminator,
}

impl Between {
    const ALL: [Self; 4] = [Self::Nothing, Self::One, Self::Two, Self::Discriminator];

    fn draw(self, tape: &mut Tape, way: Way) {
        match self {
            Self::Nothing => {}
            Self::One => _ = tape.draw(Way::Modulo, 2),
            Self::Two => _ = (tape.draw(Way::Modulo, 2), tape.draw(Way::Modulo, 2)),
            Self::Discriminator => _ = tape.draw(way, 4096),
        }
    }
}

fn units(group: &Group) -> Vec<Unit> {
    let mut units = Vec::from([Unit::Symbols]);
    let is_digits = group
        .grid
        .symbols()
        .iter()
        .all(|symbol| symbol.bytes().all(|byte| byte.is_ascii_digit()));
    let width = u32::try_from(group.grid.width).unwrap_or(u32::MAX);
    if let Some(all) = 10_u64
        .checked_pow(width)
        .filter(|_| is_digits && width <= 18 && group.constants.is_empty())
    {
        units.push(Unit::Number { limit: all, from: 0 });
        units.push(Unit::Number {
            limit: all - all / 10,
            from: all / 10,
        });
        if width == 8 {
            units.push(Unit::Number {
                limit: 99_999_998,
                from: 1,
            });
            units.push(Unit::Number {
                limit: 99_999_999,
                from: 1,
            });
            units.push(Unit::Number {
                limit: 99_999_999,
                from: 0,
            });
        }
    }
    let is_hexadecimal = group.grid.symbols().len() == 16
        && group
            .grid
            .symbols()
            .iter()
            .all(|symbol| symbol.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_hexadecimal && (8..=32).contains(&width) && group.constants.is_empty() {
        let bits = 4 * width;
        units.push(Unit::Long {
            bits,
            is_turned: false,
        });
        if width.is_multiple_of(2) {
            units.push(Unit::Long {
                bits,
                is_turned: true,
            });
        }
    }
    units
}

/// What a tape gives for a long number, if it is drawn so.
fn long_drawn(tape: &mut Tape, draw: Draw, bits: u32, is_turned: bool) -> Option<u128> {
    let number = (draw == OF_LONG_NUMBERS).then(|| tape.long(bits))?;
    Some(if is_turned {
        number.swap_bytes() >> (128 - bits)
    } else {
        number
    })
}

fn long_of(group: &Group, codes: &[u16]) -> u128 {
    let digit = |code: &u16| u128::from_str_radix(group.grid.symbol(*code), 16).unwrap_or(0);
    codes.iter().fold(0, |sum, code| sum << 4 | digit(code))
}

/// The file's order, and those of the first identifiers.
fn rows_in_order<'a>(case: &Case, group: &'a Group) -> Vec<Rows<'a>> {
    let mut rows = Vec::from([Rows {
        group,
        order: (0..group.devices.len()).collect(),
        name: "the file".into(),
    }]);
    for column in case.batch.identifiers().take(2) {
        let mut order: Vec<usize> = (0..group.devices.len()).collect();
        order.sort_by_cached_key(|row| {
            let device = group.devices.get(*row).copied().unwrap_or(0);
            column.values.get(device).map(|value| order_key(value))
        });
        if rows.iter().all(|rows| rows.order != order) {
            let name = column.name.clone();
            rows.push(Rows { group, order, name });
        }
    }
    rows
}

/// A stream that gave the first passwords of an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Followed {
    seed_at: usize,
    rows: usize,
    draw: Draw,
    between: Between,
    unit: usize,
    agreed: usize,
}

fn by_seed(case: &Case, group: &Group) -> Option<Found> {
    let (rows, units) = (rows_in_order(case, group), units(group));
    for rows in &rows {
        if let Some(evidence) = parity::search(group, &rows.order, &units) {
            return Some(Found {
                prohibitions: Vec::new(),
                devices: group.devices.len(),
                evidence: format!("in the order of {}, {evidence}", rows.name),
            });
        }
    }
    let tried: [(Seeds, &[Draw]); 2] = [
        (seeds::usual(case.settings), &DRAWS),
        (seeds::milliseconds(case.settings), &DRAWS_OF_MILLISECONDS),
    ];
    let threads = case.settings.threads.get();
    tried.into_iter().find_map(|(seeds, draws)| {
        let search = SeedSearch {
            trials: ((seeds.len().max(1) * draws.len() * 24 * rows.len()) as f64).ln(),
            anywhere: Anywhere::of(group, &units, seeds.len()),
            rows: &rows,
            units: &units,
            seeds,
            draws,
        };
        let (followed, hits) = search.run(threads);
        followed.map_or_else(
            || search.of_hits(group, hits),
            |first| Some(search.of_stream(first)),
        )
    })
}

/// How many passwords each draw gave first, in each order of the alphabet.
type Hits = BTreeMap<(Draw, usize), usize>;

struct SeedSearch<'a> {
    rows: &'a [Rows<'a>],
    units: &'a [Unit],
    seeds: Seeds,
    draws: &'a [Draw],
    trials: f64,
    anywhere: Option<Anywhere<'a>>,
}

impl SeedSearch<'_> {
    /// The first stream that gives the passwords in an order, or how many are given by any seed.
    fn run(&self, threads: usize) -> (Option<Followed>, Hits) {
        let next = AtomicUsize::new(0);
        let followed: Mutex<Vec<Followed>> = Mutex::new(Vec::new());
        let hits: Mutex<Hits> = Mutex::new(Hits::new());
        let work = || {
            let mut table = Table::default();
            let mut hits_here = Hits::new();
            loop {
                let from = next.fetch_add(CHUNK, Ordering::Relaxed);
                if from >= self.seeds.len() {
                    break;
                }
                let mut found_here = Vec::new();
                for seed_at in from..(from + CHUNK).min(self.seeds.len()) {
                    let seed = self.seeds.at(seed_at);
                    self.try_seed((seed_at, seed), &mut table, &mut found_here, &mut hits_here);
                }
                if let Ok(mut followed) = followed.lock() {
                    followed.extend(found_here);
                    if !followed.is_empty() {
                        break;
                    }
                }
            }
            if let Ok(mut hits) = hits.lock() {
                for (key, number) in hits_here {
                    *hits.entry(key).or_default() += number;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        // Seeds are handed out in order, and what was handed out is finished: the first is the same for any number of threads.
        let first = followed.into_inner().unwrap_or_default().into_iter().min();
        (first, hits.into_inner().unwrap_or_default())
    }

    fn try_seed(
        &self,
        (seed_at, seed): (usize, u64),
        table: &mut Table,
        found: &mut Vec<Followed>,
        hits: &mut Hits,
    ) {
        let mut tape: Option<(Source, Tape)> = None;
        for draw in self.draws.iter().copied() {
            if tape.as_ref().is_none_or(|(source, _)| *source != draw.source) {
                tape = Some((draw.source, Tape::new(draw.source, seed)));
            }
            let Some((_, tape)) = &mut tape else { continue };
            for (unit, of_unit) in self.units.iter().enumerate() {
                for (number, rows) in self.rows.iter().enumerate() {
                    for between in Between::ALL {
                        tape.rewind();
                        let (agreed, is_sure) =
                            follow(rows, tape, (draw, *of_unit, between), table, self.trials);
                        if is_sure {
                            found.push(Followed {
                                seed_at,
                                rows: number,
                                draw,
                                between,
                                unit,
                                agreed,
                            });
                        }
                        // What is drawn in between matters from the second password on.
                        if agreed == 0 {
                            break;
                        }
                    }
                }
                if let Some(anywhere) = &self.anywhere {
                    tape.rewind();
                    anywhere.look(tape, (draw, unit, *of_unit), hits);
                }
            }
        }
    }

    fn of_stream(&self, first: Followed) -> Found {
        let extra = if first.between == Between::Nothing {
            ""
        } else {
            ", with other numbers drawn in between"
        };
        Found {
            prohibitions: Vec::new(),
            devices: first.agreed,
            evidence: format!(
                "in the order of {}, the first {} passwords and more are what {} gives with seed {}, {}{extra}",
                self.rows.get(first.rows).map_or("", |rows| rows.name.as_str()),
                first.agreed,
                first.draw.in_words(),
                self.seeds.at(first.seed_at),
                unit_in_words(self.units.get(first.unit).copied().unwrap_or(Unit::Symbols))
            ),
        }
    }

    fn of_hits(&self, group: &Group, hits: Hits) -> Option<Found> {
        let expected = self.anywhere.as_ref()?.expected;
        let ((draw, _), hits) = hits.into_iter().max_by_key(|(_, hits)| *hits)?;
        let chance = chance::poisson(hits, expected * 1.2 + 1e-9) + ((self.draws.len() * WAYS) as f64).ln();
        (hits >= 2 && chance < LIMIT).then(|| Found {
            prohibitions: Vec::new(),
            devices: hits.min(group.devices.len()),
            evidence: format!(
                "{hits} passwords are what {} gives first with one of {} {}, where {expected:.1} are expected. By chance: {}",
                draw.in_words(),
                self.seeds.len(),
                self.seeds.what(),
                chance::in_words(chance)
            ),
        })
    }
}

/// All passwords at once: a generator that is seeded for each device gives each of them first, for some seed.
struct Anywhere<'a> {
    group: &'a Group,
    passwords: HashSet<&'a [u16]>,
    /// Whether any begins with these three symbols.
    begins: Vec<bool>,
    numbers: HashSet<u64>,
    longs: HashSet<u128>,
    orders: Vec<Vec<u16>>,
    size: usize,
    /// How many chance gives.
    expected: f64,
}

impl<'a> Anywhere<'a> {
    fn of(group: &'a Group, units: &[Unit], seeds: usize) -> Option<Self> {
        let bits: f64 = group.sizes.iter().map(|size| (*size as f64).log2()).sum();
        let passwords: HashSet<&[u16]> = group.grid.rows().collect();
        // What chance gives has to be far less than what is looked for.
        let expected = seeds as f64 * passwords.len() as f64 * (-bits).exp2();
        let symbols = group.grid.symbols();
        let size = group.sizes.first().copied().unwrap_or(2);
        if expected > 1000.0 || !group.is_of_one_size() || size != symbols.len() || size > 128 {
            return None;
        }
        let place = |symbol: &String| {
            symbols
                .iter()
                .position(|other| other == symbol)
                .map(|at| at as u16)
        };
        let orders = orders::of(symbols)
            .iter()
            .map(|order| order.iter().filter_map(place).collect())
            .collect();
        let mut begins = vec![false; size.pow(3)];
        for password in &passwords {
            if let Some(begins) = begins.get_mut(beginning(password, size)) {
                *begins = true;
            }
        }
        let are = |test: fn(&Unit) -> bool| units.iter().any(test);
        let are_numbers = are(|unit| matches!(unit, Unit::Number { .. }));
        let are_longs = are(|unit| matches!(unit, Unit::Long { .. }));
        let rows = || group.grid.rows();
        let numbers = rows()
            .filter(|_| are_numbers)
            .map(|codes| number_of(group, codes))
            .collect();
        let longs = rows()
            .filter(|_| are_longs)
            .map(|codes| long_of(group, codes))
            .collect();
        Some(Self {
            group,
            passwords,
            begins,
            numbers,
            longs,
            orders,
            size,
            expected,
        })
    }

    fn look(
        &self,
        tape: &mut Tape,
        (draw, number, unit): (Draw, usize, Unit),
        hits: &mut BTreeMap<(Draw, usize), usize>,
    ) {
        let mut hit = |place: usize| *hits.entry((draw, place)).or_default() += 1;
        if let Unit::Long { bits, is_turned } = unit {
            let drawn = long_drawn(tape, draw, bits, is_turned);
            if drawn.is_some_and(|drawn| self.longs.contains(&drawn)) {
                hit(self.orders.len() + number);
            }
            return;
        }
        if let Unit::Number { limit, from } = unit {
            if self.numbers.contains(&(tape.draw(draw.way, limit) + from)) {
                hit(self.orders.len() + number);
            }
            return;
        }
        let first = [0; 3].map(|_: usize| tape.draw(draw.way, self.size as u64) as usize);
        for (place, order) in self.orders.iter().enumerate() {
            let symbol = |number: usize| order.get(number).copied().unwrap_or(NONE);
            let begun = first.map(symbol);
            if !self
                .begins
                .get(beginning(&begun, self.size))
                .copied()
                .unwrap_or(false)
            {
                continue;
            }
            tape.rewind();
            let drawn =
                (0..self.group.grid.width).map(|_| symbol(tape.draw(draw.way, self.size as u64) as usize));
            let word: Vec<u16> = drawn.collect();
            if self.passwords.contains(word.as_slice()) {
                hit(place);
            }
        }
    }
}

fn beginning(codes: &[u16], size: usize) -> usize {
    codes
        .iter()
        .take(3)
        .fold(0, |sum, code| sum * size + usize::from(*code))
}

fn unit_in_words(unit: Unit) -> String {
    match unit {
        Unit::Symbols => "a number for each symbol".into(),
        Unit::Number { limit, from } => format!("a number from {from} to {} for each", from + (limit - 1)),
        Unit::Long { bits, .. } => format!("a number of {bits} bits for each"),
    }
}

/// What numbers and symbols have been the same so far.
#[derive(Default)]
struct Table {
    /// For each size of alphabet, the symbol of each number.
    of_number: Vec<u16>,
    of_symbol: Vec<u16>,
    /// The logarithm of how likely chance agrees so often.
    chance: f64,
}

const NONE: u16 = u16::MAX;

impl Table {
    fn clear(&mut self) {
        self.of_number.clear();
        self.of_symbol.clear();
        self.chance = 0.0;
    }

    /// Whether a number can stand for a symbol among so many.
    fn agrees(&mut self, number: usize, symbol: u16, size: usize) -> bool {
        let width = number.max(usize::from(symbol)) + 1;
        if self.of_number.len() < width {
            self.of_number.resize(width, NONE);
            self.of_symbol.resize(width, NONE);
        }
        let (Some(seen), Some(other)) = (
            self.of_number.get_mut(number),
            self.of_symbol.get_mut(usize::from(symbol)),
        ) else {
            return false;
        };
        if *seen == NONE && *other == NONE {
            *seen = symbol;
            *other = number as u16;
            return true;
        }
        self.chance -= (size as f64 / 2.0).max(1.5).ln();
        *seen == symbol && usize::from(*other) == number
    }
}

/// Follows a stream as long as it agrees: how many passwords it gave, and whether those are more than chance gives.
fn follow(
    rows: &Rows,
    tape: &mut Tape,
    (draw, unit, between): (Draw, Unit, Between),
    table: &mut Table,
    trials: f64,
) -> (usize, bool) {
    table.clear();
    let (group, way) = (rows.group, draw.way);
    let mut agreed = 0;
    for row in rows.order.iter().take(FOLLOWED) {
        let codes = group.grid.row(*row);
        match unit {
            Unit::Symbols => {
                for (code, size) in codes.iter().zip(&group.sizes) {
                    let number = tape.draw(way, *size as u64) as usize;
                    // Positions with other symbols have numbers of their own.
                    if !table.agrees(
                        number + if group.is_of_one_size() { 0 } else { size * 128 },
                        *code,
                        *size,
                    ) {
                        return (agreed, false);
                    }
                }
            }
            Unit::Number { limit, from } => {
                let password = number_of(group, codes);
                // Between passwords other numbers may be drawn, and some of those again.
                let most = if agreed == 0 { 1 } else { MOST_BETWEEN };
                if !(0..most).any(|_| tape.draw(way, limit) + from == password) {
                    return (agreed, false);
                }
                table.chance -= (limit as f64 / 2.0 / f64::from(most)).ln();
            }
            Unit::Long { bits, is_turned } => {
                if long_drawn(tape, draw, bits, is_turned) != Some(long_of(group, codes)) {
                    return (agreed, false);
                }
                table.chance -= f64::from(bits) * core::f64::consts::LN_2;
            }
        }
        agreed += 1;
        between.draw(tape, way);
    }
    (agreed, agreed >= 3 && table.chance + trials < LIMIT)
}

fn number_of(group: &Group, codes: &[u16]) -> u64 {
    let digit = |code: &u16| group.grid.symbol(*code).parse::<u64>().unwrap_or(0);
    codes
        .iter()
        .fold(0, |sum: u64, code| sum.wrapping_mul(10).wrapping_add(digit(code)))
}

/// Seeds that are a number of the device's own.
fn by_identifier(case: &Case, group: &Group) -> Option<Found> {
    let step = (group.devices.len() / SAMPLE).max(1);
    let rows: Vec<usize> = (0..group.devices.len()).step_by(step).take(SAMPLE).collect();
    let units = units(group);
    for column in case.batch.identifiers() {
        for (name, read) in READINGS {
            let seeds: Option<Vec<u64>> = rows
                .iter()
                .map(|row| read(&bare(column.values.get(*group.devices.get(*row)?)?)))
                .collect();
            let Some(seeds) = seeds else { continue };
            if let Some((draw, unit)) = agreeing(group, &rows, &seeds, &units) {
                return Some(Found {
                    prohibitions: letters(column).to_vec(),
                    devices: group.devices.len(),
                    evidence: format!(
                        "each of {} passwords is what {} gives when {} ({name}) is the seed, {}",
                        rows.len(),
                        draw.in_words(),
                        column.name,
                        unit_in_words(unit)
                    ),
                });
            }
        }
    }
    let places: Vec<Vec<u64>> = [0, 1]
        .iter()
        .map(|from| rows.iter().map(|row| *row as u64 + from).collect())
        .collect();
    places.iter().find_map(|seeds| {
        agreeing(group, &rows, seeds, &units).map(|(draw, unit)| Found {
            prohibitions: Vec::from([Prohibition::Counter]),
            devices: group.devices.len(),
            evidence: format!(
                "each of {} passwords is what {} gives when its place in the file is the seed, {}",
                rows.len(),
                draw.in_words(),
                unit_in_words(unit)
            ),
        })
    })
}

type Reading = (&'static str, fn(&str) -> Option<u64>);

const READINGS: [Reading; 5] = [
    ("its digits", |text| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.get(digits.len().saturating_sub(18)..)?.parse().ok()
    }),
    ("a hexadecimal number", |text| {
        u64::from_str_radix(text.get(text.len().saturating_sub(15)..)?, 16).ok()
    }),
    ("its last 24 bits", |text| {
        u64::from_str_radix(text.get(text.len().checked_sub(6)?..)?, 16).ok()
    }),
    ("its last 32 bits", |text| {
        u64::from_str_radix(text.get(text.len().checked_sub(8)?..)?, 16).ok()
    }),
    ("its last 16 bits", |text| {
        u64::from_str_radix(text.get(text.len().checked_sub(4)?..)?, 16).ok()
    }),
];

fn agreeing(group: &Group, rows: &[usize], seeds: &[u64], units: &[Unit]) -> Option<(Draw, Unit)> {
    let trials = ((DRAWS.len() * units.len() * READINGS.len() * 8) as f64).ln();
    for draw in DRAWS {
        for unit in units {
            let mut table = Table::default();
            let agree = rows.iter().zip(seeds).all(|(row, seed)| {
                let mut tape = Tape::new(draw.source, *seed);
                let codes = group.grid.row(*row);
                match unit {
                    Unit::Symbols => codes.iter().zip(&group.sizes).all(|(code, size)| {
                        let number = tape.draw(draw.way, *size as u64) as usize;
                        table.agrees(
                            number + if group.is_of_one_size() { 0 } else { size * 128 },
                            *code,
                            *size,
                        )
                    }),
                    Unit::Number { limit, from } => {
                        table.chance -= (*limit as f64 / 2.0).ln();
                        tape.draw(draw.way, *limit) + from == number_of(group, codes)
                    }
                    Unit::Long { bits, is_turned } => {
                        table.chance -= f64::from(*bits) * core::f64::consts::LN_2;
                        long_drawn(&mut tape, draw, *bits, *is_turned) == Some(long_of(group, codes))
                    }
                }
            });
            if agree && rows.len() >= 3 && table.chance + trials < LIMIT {
                return Some((draw, *unit));
            }
        }
    }
    None
}

/// Passwords that a stream is followed for.
const FOLLOWED: usize = 64;
/// Numbers that may be drawn from one password to the next.
const MOST_BETWEEN: u32 = 8;
const SAMPLE: usize = 24;
const CHUNK: usize = 512;
/// Orders of the alphabet, and numbers, that a draw is tried with.
const WAYS: usize = 16;
