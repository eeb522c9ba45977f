//! How a result of a computation is written as a password, and where in it the password's symbols stand.
//!
//! ```text
//!  audit::derived
//!  audit::notation (this file)
//!  audit::orders · audit::transforms · audit::chance
//! ```
//!
//! A notation makes units out of bytes: a unit for each byte, divided by the size of the alphabet; for each nibble; letters of an encoding;
//! digits of a number. The symbols of the password are units in each usual order of the alphabet, and are looked for at every place.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::chance;
use super::orders;
use super::transforms::{base_32, base_64, hexadecimal};

/// The symbols of a batch, in the orders that vendors use.
pub(super) struct Alphabet {
    orders: Vec<Vec<String>>,
    /// Symbols that are compared: enough that chance does not give them.
    probe: usize,
}

/// Where a password stands in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    part: Part,
    notation: Notation,
    order: usize,
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    First,
    Last,
    /// Without a look at parts.
    Everything,
    /// As the last, with one symbol left out at the end: a check digit.
    ButOne,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    /// As text, whatever the case.
    Text,
    /// Digits among hexadecimal digits.
    DigitsOnly,
    Bytes,
    Scaled,
    Nibbles,
    FiveBits,
    SixBits,
    /// A number in the base of the alphabet, its last digits.
    Number(usize),
    /// The same, its last digit first.
    NumberBackwards(usize),
    /// The first decimal digits of a number.
    Leading(usize),
    /// A symbol for each byte, by a table that nobody knows.
    Table,
}

const WINDOWS: [Notation; 7] = [
    Notation::Text,
    Notation::DigitsOnly,
    Notation::Bytes,
    Notation::Scaled,
    Notation::Nibbles,
    Notation::FiveBits,
    Notation::SixBits,
];

/// A table from bytes to symbols that holds for all results at once, if there is one: where it begins, and how likely that is by chance.
pub(super) fn by_table(results: &[Vec<u8>], targets: &[Target], alphabet: &Alphabet) -> Option<(Place, f64)> {
    let length = results.iter().map(Vec::len).min().unwrap_or(0);
    let longest = targets.iter().map(|target| target.whole.len()).max().unwrap_or(0);
    let one = -(alphabet.size() as f64 / 2.0).max(1.3).ln();
    (0..=length.saturating_sub(longest)).find_map(|offset| {
        let mut symbols = [0_u8; 256];
        let mut chance = 0.0;
        for (result, target) in results.iter().zip(targets) {
            for (byte, symbol) in result.iter().skip(offset).zip(&target.whole) {
                let seen = symbols.get_mut(usize::from(*byte))?;
                if *seen == 0 {
                    *seen = *symbol;
                } else if seen == symbol {
                    chance += one;
                } else {
                    return None;
                }
            }
        }
        let place = Place {
            part: Part::Everything,
            notation: Notation::Table,
            order: 0,
            offset,
        };
        Some((place, chance))
    })
}

/// The symbols of one password that are looked for.
pub(super) struct Target {
    /// All of them.
    whole: Vec<u8>,
    parts: Vec<(Part, Needle)>,
}

struct Needle {
    text: Vec<u8>,
    /// The symbols' places in each order.
    ranks: Vec<Vec<u8>>,
    /// The number that they are in each order, both ways.
    numbers: Vec<(u64, u64)>,
    modulus: u64,
}

impl Alphabet {
    /// None where symbols are too few, or no ASCII.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut symbols = orders::distinct(texts);
        if symbols.len() < 2 || symbols.len() > 128 || !symbols.iter().all(|symbol| symbol.is_ascii()) {
            return None;
        }
        let within = |alphabet: &str| symbols.iter().all(|symbol| alphabet.contains(symbol.as_str()));
        // A small batch does not show all symbols of the usual alphabets.
        for whole in ["0123456789", "0123456789abcdef", "0123456789ABCDEF"] {
            if within(whole) {
                symbols = whole.chars().map(String::from).collect();
                break;
            }
        }
        let bits = (symbols.len() as f64).log2();
        Some(Self {
            orders: orders::of(&symbols),
            probe: (PROBE_BITS / bits).ceil() as usize,
        })
    }

    fn size(&self) -> usize {
        self.orders.first().map_or(2, Vec::len)
    }

    /// How likely so many of so many devices have their symbols at one place by chance.
    pub(super) fn chance(&self, place: &Place, hits: usize, of: usize) -> f64 {
        let compared = match place.part {
            Part::Whole => self.probe.min(4),
            Part::ButOne => self.probe.min(3),
            _ => self.probe,
        };
        // Not all symbols need to be equally likely: twice the even share is allowed for.
        let one = -(compared as f64) * (self.size() as f64 / 2.0).max(1.3).ln();
        chance::binomial(of, hits, one.exp())
    }

    fn ranks(&self, text: &str) -> Vec<Vec<u8>> {
        self.orders
            .iter()
            .map(|order| {
                text.chars()
                    .map(|letter| {
                        let is_it = |symbol: &String| symbol.starts_with(letter);
                        order
                            .iter()
                            .position(is_it)
                            .and_then(|at| u8::try_from(at).ok())
                            .unwrap_or(u8::MAX)
                    })
                    .collect()
            })
            .collect()
    }
}

impl Place {
    pub(super) fn is_by_table(&self) -> bool {
        self.notation == Notation::Table
    }

    /// Which part of the password it is.
    pub(super) fn what(&self) -> &'static str {
        match self.part {
            Part::Whole | Part::Everything => "the whole of what varies",
            Part::First => "their first symbols",
            Part::Last => "their last symbols",
            Part::ButOne => "their symbols but the last, which may be a check digit",
        }
    }

    pub(super) fn in_words(&self, alphabet: &Alphabet) -> String {
        let order: String = alphabet
            .orders
            .get(self.order)
            .map_or(String::new(), |order| order.iter().take(4).cloned().collect());
        let at = self.offset + 1;
        match self.notation {
            Notation::Text => format!("as text, from symbol {at} on"),
            Notation::DigitsOnly => format!("the digits of its hexadecimal digits, from {at} on"),
            Notation::Bytes => format!(
                "from byte {at} on, each divided by {} into {order}…",
                alphabet.size()
            ),
            Notation::Scaled => format!(
                "from byte {at} on, each scaled to {} symbols {order}…",
                alphabet.size()
            ),
            Notation::Nibbles => format!("in hexadecimal digits from {at} on, written as {order}…"),
            Notation::FiveBits => format!("in Base32 from {at} on"),
            Notation::SixBits => format!("in Base64 from {at} on"),
            Notation::Number(which) => format!(
                "{} as a number in base {}, its last digits, written as {order}…",
                number_name(which),
                alphabet.size()
            ),
            Notation::NumberBackwards(which) => {
                format!(
                    "{} as a number in base {}, its last digit first, written as {order}…",
                    number_name(which),
                    alphabet.size()
                )
            }
            Notation::Leading(which) => format!("{} as a number, its first digits", number_name(which)),
            Notation::Table => {
                format!("a symbol for each byte from {at} on, by a table that was learnt from the batch")
            }
        }
    }
}

impl Target {
    /// None for what is too short to be looked for, or no ASCII.
    pub(super) fn of(text: &str, alphabet: &Alphabet) -> Option<Self> {
        let length = text.len();
        if length < SHORTEST || !text.is_ascii() {
            return None;
        }
        let probe = alphabet.probe;
        let pieces = if length <= probe {
            Vec::from([(Part::Whole, text), (Part::ButOne, text.get(..length - 1)?)])
        } else {
            Vec::from([
                (Part::First, text.get(..probe)?),
                (Part::Last, text.get(length - probe..)?),
                (Part::ButOne, text.get(length - 1 - probe..length - 1)?),
            ])
        };
        let base = alphabet.size() as u64;
        let parts = pieces
            .into_iter()
            .map(|(part, text)| {
                let ranks = alphabet.ranks(text);
                let add = |sum: u64, rank: &u8| sum.wrapping_mul(base).wrapping_add(u64::from(*rank));
                let numbers = ranks
                    .iter()
                    .map(|ranks| (ranks.iter().fold(0, add), ranks.iter().rev().fold(0, add)))
                    .collect();
                let needle = Needle {
                    text: text.to_ascii_lowercase().into_bytes(),
                    ranks,
                    numbers,
                    modulus: base
                        .checked_pow(u32::try_from(text.len()).unwrap_or(u32::MAX))
                        .unwrap_or(u64::MAX),
                };
                (part, needle)
            })
            .collect();
        Some(Self {
            whole: text.as_bytes().to_vec(),
            parts,
        })
    }

    /// Whether a result is too short for it.
    pub(super) fn is_longer_than(&self, results: &[Vec<u8>]) -> bool {
        results
            .last()
            .is_none_or(|result| result.len() < self.whole.len())
    }

    /// Adds the places where it stands in a result.
    pub(super) fn search(&self, result: &[u8], alphabet: &Alphabet, places: &mut Vec<Place>) {
        let mut add = |place: Place| {
            if !places.contains(&place) {
                places.push(place);
            }
        };
        for notation in WINDOWS {
            let units = notation.units(result, alphabet);
            for (part, needle) in &self.parts {
                if *part == Part::ButOne && notation != Notation::Text {
                    continue;
                }
                for (order, wanted) in needle.in_notation(notation).enumerate() {
                    let part = *part;
                    for (offset, _) in units
                        .windows(wanted.len())
                        .enumerate()
                        .filter(|(_, window)| *window == wanted)
                    {
                        add(Place {
                            part,
                            notation,
                            order,
                            offset,
                        });
                    }
                }
            }
        }
        for which in 0..NUMBERS {
            let Some(number) = number(result, which) else {
                continue;
            };
            for (part, needle) in &self.parts {
                let part = *part;
                for (order, (forwards, backwards)) in needle.numbers.iter().enumerate() {
                    let rest = number.rest(needle.modulus);
                    if rest == *forwards && part != Part::First {
                        add(Place {
                            part,
                            notation: Notation::Number(which),
                            order,
                            offset: 0,
                        });
                    }
                    if rest == *backwards && part != Part::Last {
                        add(Place {
                            part,
                            notation: Notation::NumberBackwards(which),
                            order,
                            offset: 0,
                        });
                    }
                }
                if alphabet.size() == 10
                    && matches!(part, Part::First | Part::Whole)
                    && number.begins_with(&needle.text)
                {
                    add(Place {
                        part,
                        notation: Notation::Leading(which),
                        order: 0,
                        offset: 0,
                    });
                }
            }
        }
    }

    /// Whether it stands at a place.
    pub(super) fn is_at(&self, result: &[u8], alphabet: &Alphabet, place: &Place) -> bool {
        let Some((_, needle)) = self.parts.iter().find(|(part, _)| *part == place.part) else {
            return false;
        };
        let numbers = needle.numbers.get(place.order);
        match place.notation {
            Notation::Number(which) => number(result, which)
                .zip(numbers)
                .is_some_and(|(number, (forwards, _))| number.rest(needle.modulus) == *forwards),
            Notation::NumberBackwards(which) => number(result, which)
                .zip(numbers)
                .is_some_and(|(number, (_, backwards))| number.rest(needle.modulus) == *backwards),
            Notation::Leading(which) => {
                number(result, which).is_some_and(|number| number.begins_with(&needle.text))
            }
            notation => {
                let units = notation.units(result, alphabet);
                needle
                    .in_notation(notation)
                    .nth(place.order)
                    .is_some_and(|wanted| {
                        units.get(place.offset..place.offset + wanted.len()) == Some(wanted)
                    })
            }
        }
    }
}

impl Needle {
    /// What is looked for among the units of a notation, in each order that makes a difference.
    fn in_notation(&self, notation: Notation) -> impl Iterator<Item = &[u8]> {
        let is_text = matches!(
            notation,
            Notation::Text | Notation::DigitsOnly | Notation::FiveBits | Notation::SixBits
        );
        let text = is_text.then_some(self.text.as_slice());
        let ranks = (!is_text)
            .then_some(&self.ranks)
            .into_iter()
            .flatten()
            .map(Vec::as_slice);
        text.into_iter().chain(ranks)
    }
}

impl Notation {
    fn units(self, result: &[u8], alphabet: &Alphabet) -> Vec<u8> {
        let size = alphabet.size() as u16;
        let result = result.get(..MOST_BYTES).unwrap_or(result);
        match self {
            Self::Text => result.to_ascii_lowercase(),
            Self::DigitsOnly if size == 10 => {
                let digits = hexadecimal(result, false).into_bytes();
                digits.into_iter().filter(u8::is_ascii_digit).collect()
            }
            Self::Bytes => result
                .iter()
                .map(|byte| (u16::from(*byte) % size) as u8)
                .collect(),
            Self::Scaled => result
                .iter()
                .map(|byte| ((u16::from(*byte) * size) >> 8) as u8)
                .collect(),
            Self::Nibbles if size <= 16 => {
                let both = result.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                both.map(|nibble| (u16::from(nibble) % size) as u8).collect()
            }
            Self::FiveBits if size > 16 => base_32(result).to_ascii_lowercase().into_bytes(),
            Self::SixBits if size > 36 => base_64(result).to_ascii_lowercase().into_bytes(),
            _ => Vec::new(),
        }
    }
}

enum Number<'a> {
    Small(u64),
    Large(&'a [u8]),
}

impl Number<'_> {
    fn rest(&self, modulus: u64) -> u64 {
        match self {
            Self::Small(number) => number % modulus.max(1),
            Self::Large(bytes) => {
                let step = |sum: u128, byte: &u8| (sum << 8 | u128::from(*byte)) % u128::from(modulus.max(1));
                u64::try_from(bytes.iter().fold(0, step)).unwrap_or(0)
            }
        }
    }

    fn begins_with(&self, digits: &[u8]) -> bool {
        match self {
            Self::Small(number) => {
                let mut number = *number;
                let length = u32::try_from(digits.len()).unwrap_or(u32::MAX);
                let Some(limit) = 10_u64.checked_pow(length) else {
                    return false;
                };
                while number >= limit {
                    number /= 10;
                }
                number >= limit / 10
                    && core::str::from_utf8(digits)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        == Some(number)
            }
            Self::Large(_) => false,
        }
    }
}

/// Numbers that bytes are read as.
fn number(result: &[u8], which: usize) -> Option<Number<'_>> {
    let big = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let little = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let length = result.len();
    let last = |kept: usize| result.get(length.checked_sub(kept)?..);
    Some(Number::Small(match which {
        0 => big(result.get(..4)?),
        1 => little(result.get(..4)?),
        2 => big(last(4)?),
        3 => little(last(4)?),
        4 => big(result.get(..8)?),
        5 => little(result.get(..8)?),
        6 => big(last(8)?),
        7 => big(result.get(..3)?),
        8 => big(last(3)?),
        9 => big(result.get(..2)?),
        10 => big(result.get(..5)?),
        11 => big(result.get(..6)?),
        12 => big(result.get(..7)?),
        _ => return (length > 8).then_some(Number::Large(result)),
    }))
}

fn number_name(which: usize) -> &'static str {
    [
        "its first 4 bytes",
        "its first 4 bytes, the last first,",
        "its last 4 bytes",
        "its last 4 bytes, the last first,",
        "its first 8 bytes",
        "its first 8 bytes, the last first,",
        "its last 8 bytes",
        "its first 3 bytes",
        "its last 3 bytes",
        "its first 2 bytes",
        "its first 5 bytes",
        "its first 6 bytes",
        "its first 7 bytes",
    ]
    .get(which)
    .copied()
    .unwrap_or("all of it")
}

const NUMBERS: usize = 14;
/// Bits of the symbols that are compared first.
const PROBE_BITS: f64 = 19.9;
/// Fewer symbols are not looked for.
const SHORTEST: usize = 4;
/// Bytes of a result that are looked at.
const MOST_BYTES: usize = 128;
