//! Forms in which an identifier goes into a computation: text, bytes, numbers, pieces, sums, with what vendors put around it.
//!
//! ```text
//!  audit::derived
//!  audit::forms (this file)
//!  audit::batch
//! ```

use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::batch::{Role, bare};
use super::settings::Depth;
use super::transforms::hexadecimal;
use crate::credential::hexadecimal::bytes_of;

/// A form of the identifiers of one device. The forms of all devices stand in the same order.
pub(super) struct Form {
    /// The identifiers that it is made of, by their place among the identifiers.
    pub(super) sources: (usize, usize),
    pub(super) name: String,
    /// None where the device's identifier has no such form.
    pub(super) bytes: Option<Vec<u8>>,
    /// How much is tried on it.
    pub(super) effort: Effort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    /// As it is, in every notation: it is a number or text of its own.
    Plain,
    /// Also one hash.
    Once,
    /// Also a hash of a hash, and codes under published keys.
    Twice,
}

/// All forms of the identifiers of a device.
pub(super) fn of(identifiers: &[(Role, &str)], depth: Depth) -> Vec<Form> {
    let mut forms = Forms {
        list: Vec::new(),
        is_full: depth == Depth::Full,
    };
    for (number, (role, value)) in identifiers.iter().enumerate() {
        forms.sources(number, number);
        forms.of_one(*role, value);
    }
    for (one, (_, first)) in identifiers.iter().enumerate() {
        for (other, (_, second)) in identifiers.iter().enumerate().filter(|(other, _)| *other != one) {
            forms.sources(one, other);
            forms.of_two(first, second);
        }
    }
    forms.list
}

/// Which forms are worth a try: those that differ from all before them on the first devices.
pub(super) fn different(devices: &[Vec<Form>]) -> Vec<usize> {
    let mut seen: BTreeSet<Vec<Option<&[u8]>>> = BTreeSet::new();
    let number = devices.first().map_or(0, Vec::len);
    (0..number)
        .filter(|form| {
            let bytes: Vec<Option<&[u8]>> = devices
                .iter()
                .take(3)
                .map(|forms| forms.get(*form).and_then(|form| form.bytes.as_deref()))
                .collect();
            bytes.iter().any(Option::is_some) && seen.insert(bytes)
        })
        .collect()
}

struct Forms {
    list: Vec<Form>,
    is_full: bool,
}

impl Forms {
    fn sources(&mut self, one: usize, other: usize) {
        self.list.push(Form {
            sources: (one, other),
            name: String::new(),
            bytes: None,
            effort: Effort::Plain,
        });
    }

    fn add(&mut self, effort: Effort, name: &str, bytes: Option<Vec<u8>>) {
        let sources = self.list.last().map_or((0, 0), |form| form.sources);
        self.list.push(Form {
            sources,
            name: name.to_string(),
            bytes,
            effort,
        });
    }

    fn text(&mut self, effort: Effort, name: &str, text: &str) {
        self.add(effort, name, (!text.is_empty()).then(|| text.as_bytes().to_vec()));
    }

    fn of_one(&mut self, role: Role, value: &str) {
        let plain = bare(value);
        let (upper, lower) = (plain.to_uppercase(), plain.to_lowercase());
        self.text(Effort::Twice, "its text", value);
        self.text(Effort::Twice, "its text in upper case", &value.to_uppercase());
        self.text(Effort::Twice, "its text in lower case", &value.to_lowercase());
        self.text(Effort::Twice, "its text without separators", &plain);
        self.text(Effort::Twice, "upper case without separators", &upper);
        self.text(Effort::Twice, "lower case without separators", &lower);
        let raw = from_hexadecimal(&plain);
        self.add(Effort::Twice, "its bytes", raw.clone());
        let turned = |text: &str| text.chars().rev().collect::<String>();
        self.text(Effort::Once, "its text backwards", &turned(&plain));
        self.add(
            Effort::Once,
            "its bytes backwards",
            raw.clone().map(|bytes| bytes.into_iter().rev().collect()),
        );
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        self.text(Effort::Twice, "its digits", &digits);
        self.text(
            Effort::Twice,
            "its digits without leading zeros",
            digits.trim_start_matches('0'),
        );
        for kept in [2, 3, 4, 5, 6, 7, 8, 10] {
            let (last, first) = (tail(&upper, kept), head(&upper, kept));
            let more_than = upper.chars().count() > kept;
            if more_than {
                self.text(Effort::Once, &format!("its last {kept} symbols"), &last);
                self.text(
                    Effort::Once,
                    &format!("its last {kept} symbols in lower case"),
                    &last.to_lowercase(),
                );
                self.text(Effort::Once, &format!("its first {kept} symbols"), &first);
            } else {
                (0..3).for_each(|_| self.add(Effort::Once, "", None));
            }
        }
        for kept in [2, 3, 4, 5] {
            let last = raw
                .as_ref()
                .and_then(|bytes| bytes.get(bytes.len().checked_sub(kept)?..));
            self.add(
                Effort::Once,
                &format!("its last {kept} bytes"),
                last.map(<[u8]>::to_vec),
            );
        }
        self.numbers(role, &plain, raw.as_deref());
        for (name, end) in [("a line feed", "\n"), ("CR LF", "\r\n"), ("a zero byte", "\0")] {
            self.text(
                Effort::Once,
                &format!("its text and {name}"),
                &format!("{value}{end}"),
            );
            self.text(
                Effort::Once,
                &format!("its text without separators and {name}"),
                &format!("{plain}{end}"),
            );
        }
        self.text(Effort::Once, "its text twice", &format!("{plain}{plain}"));
        if role == Role::Mac || raw.as_ref().is_some_and(|bytes| bytes.len() == 6) {
            for (name, separator) in [("colons", ":"), ("dashes", "-")] {
                let pairs = |text: &str| {
                    let letters: Vec<char> = text.chars().collect();
                    letters
                        .chunks(2)
                        .map(|pair| pair.iter().collect::<String>())
                        .collect::<Vec<_>>()
                        .join(separator)
                };
                self.text(Effort::Twice, &format!("upper case with {name}"), &pairs(&upper));
                self.text(Effort::Twice, &format!("lower case with {name}"), &pairs(&lower));
            }
        }
        if self.is_full {
            self.pieces(&upper);
            self.surrounded(value, &upper, &lower);
        }
    }

    /// The identifier as a number, its neighbours, and what routers compute from it.
    fn numbers(&mut self, role: Role, plain: &str, raw: Option<&[u8]>) {
        let big = |number: u64| Some(number.to_be_bytes().to_vec());
        let decimal: String = plain.chars().filter(char::is_ascii_digit).collect();
        let number = tail(&decimal, 18).parse::<u64>().ok();
        self.add(Effort::Once, "its digits as a number", number.and_then(big));
        self.add(
            Effort::Once,
            "its digits as a number of 4 bytes, little end first",
            number.map(|number| number.to_le_bytes().into_iter().take(4).collect()),
        );
        self.add(
            Effort::Once,
            "its digits as a number of 4 bytes",
            number.map(|number| number.to_be_bytes().into_iter().skip(4).collect()),
        );
        let base_36 = u64::from_str_radix(&tail(plain, 12), 36).ok();
        self.add(Effort::Plain, "it as a number in base 36", base_36.and_then(big));
        let address = raw.filter(|bytes| (3..=8).contains(&bytes.len()));
        let address = address.map(|bytes| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
        if role != Role::Mac && address.is_none() {
            return;
        }
        for delta in deltas(self.is_full) {
            let near = address.map(|address| address.wrapping_add_signed(delta));
            let name = if delta == 0 {
                "its number".to_string()
            } else {
                format!("its number {delta:+}")
            };
            let last = |bits: u32| near.map(|near| near & ((1 << bits) - 1));
            for bits in [16, 20, 24, 28, 32, 40] {
                self.add(
                    Effort::Plain,
                    &format!("{name}, the last {bits} bits"),
                    last(bits).and_then(big),
                );
            }
            self.add(Effort::Plain, &name, near.and_then(big));
            for (what, number) in arithmetic(near) {
                self.add(Effort::Plain, &format!("{name}, {what}"), number.and_then(big));
            }
            let effort = if delta.abs() <= 2 {
                Effort::Twice
            } else {
                Effort::Once
            };
            let hexadecimal = near.map(|near| format!("{:012x}", near & 0xffff_ffff_ffff));
            let text = hexadecimal.unwrap_or_default();
            let pairs: Vec<String> = text
                .as_bytes()
                .chunks(2)
                .map(|pair| String::from_utf8_lossy(pair).into_owned())
                .collect();
            if delta != 0 {
                self.text(effort, &format!("{name}, lower case"), &text);
                self.text(effort, &format!("{name}, upper case"), &text.to_uppercase());
                self.text(
                    effort,
                    &format!("{name}, lower case with colons"),
                    &pairs.join(":"),
                );
                self.text(
                    effort,
                    &format!("{name}, upper case with colons"),
                    &pairs.join(":").to_uppercase(),
                );
                self.add(effort, &format!("{name}, bytes"), from_hexadecimal(&text));
            }
            self.text(
                Effort::Once,
                &format!("{name}, in decimal"),
                &near.map_or(String::new(), |near| near.to_string()),
            );
            self.text(
                Effort::Once,
                &format!("{name}, the last 24 bits in decimal"),
                &last(24).map_or(String::new(), |near| near.to_string()),
            );
        }
    }

    /// Pieces, and what is left when a piece is taken out: with the tail as it is, or as the digits of its codes.
    fn pieces(&mut self, upper: &str) {
        let letters: Vec<char> = upper.chars().collect();
        for from in 0..MOST_LETTERS {
            for to in from + 4..=MOST_LETTERS {
                let piece = letters.get(from..to).filter(|piece| piece.len() < letters.len());
                let piece = piece.map(|piece| piece.iter().collect::<String>());
                self.text(
                    Effort::Once,
                    &format!("its symbols {} to {to}", from + 1),
                    &piece.unwrap_or_default(),
                );
            }
        }
        for from in 0..MOST_LETTERS {
            for length in 1..=4 {
                let left = letters.get(..from).zip(letters.get(from + length..));
                let name = format!("it without symbols {} to {}", from + 1, from + length);
                let (before, behind) = left.map_or((String::new(), String::new()), |(before, behind)| {
                    (before.iter().collect(), behind.iter().collect())
                });
                self.text(Effort::Once, &name, &format!("{before}{behind}"));
                for kept in [3, 4] {
                    // Two letters of the vendor's, a year, a week, then the digits of the codes of what is left.
                    let cut = codes(&behind.chars().take(kept).collect::<String>());
                    let full = behind.chars().count() >= kept && !before.is_empty();
                    let coded = if full {
                        format!("{before}{cut}")
                    } else {
                        String::new()
                    };
                    self.text(
                        Effort::Once,
                        &format!("{name}, then codes of {kept} symbols"),
                        &coded,
                    );
                }
            }
        }
        let coded = codes(upper);
        self.text(Effort::Once, "digits of its codes", &coded);
        self.text(
            Effort::Once,
            "digits of its codes in lower case",
            &coded.to_lowercase(),
        );
    }

    fn surrounded(&mut self, value: &str, upper: &str, lower: &str) {
        for around in SURROUNDINGS {
            for (name, text) in [("its text", value), ("upper case", upper), ("lower case", lower)] {
                self.text(
                    Effort::Once,
                    &format!("{around:?} and {name}"),
                    &format!("{around}{text}"),
                );
                self.text(
                    Effort::Once,
                    &format!("{name} and {around:?}"),
                    &format!("{text}{around}"),
                );
            }
        }
    }

    fn of_two(&mut self, first: &str, second: &str) {
        let (one, other) = (bare(first), bare(second));
        let bytes = from_hexadecimal(&one).zip(from_hexadecimal(&other));
        self.add(
            Effort::Once,
            "the bytes of both",
            bytes.map(|(mut one, other)| {
                one.extend(other);
                one
            }),
        );
        for separator in ["", "-", ":", "_", " ", "|", "/", ","] {
            let effort = if separator.is_empty() {
                Effort::Twice
            } else {
                Effort::Once
            };
            self.text(
                effort,
                &format!("both with {separator:?} between them"),
                &format!("{first}{separator}{second}"),
            );
            self.text(
                Effort::Once,
                &format!("both without separators, {separator:?} between them"),
                &format!("{one}{separator}{other}"),
            );
            let (one_up, other_up) = (one.to_uppercase(), other.to_uppercase());
            let (one_down, other_down) = (one.to_lowercase(), other.to_lowercase());
            for (name, mixed) in [
                (
                    "upper, then lower case",
                    format!("{one_up}{separator}{other_down}"),
                ),
                (
                    "lower, then upper case",
                    format!("{one_down}{separator}{other_up}"),
                ),
                (
                    "the first as it is, then lower case",
                    format!("{first}{separator}{other_down}"),
                ),
                (
                    "the first as it is, then upper case",
                    format!("{first}{separator}{other_up}"),
                ),
                (
                    "lower case, then the second as it is",
                    format!("{one_down}{separator}{second}"),
                ),
            ] {
                self.text(
                    Effort::Once,
                    &format!("both with {separator:?} between them, {name}"),
                    &mixed,
                );
            }
            let both = format!("{first}{separator}{second}");
            self.text(
                Effort::Once,
                &format!("both in lower case with {separator:?}"),
                &both.to_lowercase(),
            );
            self.text(
                Effort::Once,
                &format!("both in upper case with {separator:?}"),
                &both.to_uppercase(),
            );
            self.text(
                Effort::Once,
                &format!("both in lower case, {separator:?} between them"),
                &format!("{one}{separator}{other}").to_lowercase(),
            );
            self.text(
                Effort::Once,
                &format!("both in upper case, {separator:?} between them"),
                &format!("{one}{separator}{other}").to_uppercase(),
            );
        }
        for kept in [2, 4, 6] {
            self.text(
                Effort::Once,
                &format!("both, {kept} last symbols each"),
                &format!("{}{}", tail(&one, kept), tail(&other, kept)),
            );
        }
    }
}

/// What routers compute from an address: published algorithms for codes of eight digits.
fn arithmetic(address: Option<u64>) -> Vec<(&'static str, Option<u64>)> {
    let of = |function: &dyn Fn(u64, u64) -> u64| {
        address.map(|address| function(address & 0xff_ffff, address >> 24 & 0xff_ffff))
    };
    let xors = |constant: u64| of(&|nic, _| nic ^ constant);
    Vec::from([
        (
            "its last 3 bytes turned round",
            of(&|nic, _| (nic & 0xff) << 16 | nic & 0xff00 | nic >> 16),
        ),
        ("its last 24 bits inverted", of(&|nic, _| !nic & 0xff_ffff)),
        ("its last 24 bits doubled", of(&|nic, _| nic * 2)),
        ("its last 24 bits three times", of(&|nic, _| nic * 3)),
        ("its halves added", of(&|nic, vendor| nic + vendor)),
        ("its halves subtracted", of(&|nic, vendor| nic.abs_diff(vendor))),
        (
            "its halves combined by exclusive or",
            of(&|nic, vendor| nic ^ vendor),
        ),
        ("its last 24 bits and 0x55aa55", xors(0x55_aa55)),
        ("its last 24 bits and 0xaa55aa", xors(0xaa_55aa)),
        (
            "its last 24 bits mixed as one vendor does",
            of(&|nic, _| {
                let mut pin = nic ^ 0x55_aa55;
                let low = pin & 0xf;
                pin ^= (low << 4) + (low << 8) + (low << 12) + (low << 16) + (low << 20);
                pin %= 10_000_000;
                if pin < 1_000_000 {
                    pin + pin % 9 * 1_000_000 + 1_000_000
                } else {
                    pin
                }
            }),
        ),
        (
            "sums of its bytes as one vendor does",
            address.map(|address| {
                let bytes: Vec<u64> = (0..6).rev().map(|at| address >> (8 * at) & 0xff).collect();
                let at = |at: usize| bytes.get(at).copied().unwrap_or(0);
                let sum: u64 = (1..6).map(at).sum();
                (0..7).fold(0, |pin, place: usize| {
                    pin * 10 + (at(place % 6) + at(5)) % (10 - (place as u64 + sum) % 7)
                })
            }),
        ),
    ])
}

fn deltas(is_full: bool) -> core::ops::RangeInclusive<i64> {
    if is_full { -16..=16 } else { -2..=2 }
}

pub(super) fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    bytes_of(text).filter(|bytes| !bytes.is_empty())
}

/// The digits of a text's codes.
fn codes(text: &str) -> String {
    hexadecimal(text.as_bytes(), true)
}

fn tail(text: &str, kept: usize) -> String {
    let skipped = text.chars().count().saturating_sub(kept);
    text.chars().skip(skipped).collect()
}

fn head(text: &str, kept: usize) -> String {
    text.chars().take(kept).collect()
}

/// Symbols of an identifier that are cut into pieces.
const MOST_LETTERS: usize = 14;
/// What vendors and examples put before or behind an identifier, and publish: keys of codes as well.
pub(super) const SURROUNDINGS: [&str; 34] = [
    "",
    "0",
    "1",
    "1234",
    "12345678",
    "0123456789",
    "abc",
    "abcd1234",
    "admin",
    "root",
    "user",
    "password",
    "pass",
    "passwd",
    "secret",
    "key",
    "salt",
    "pepper",
    "default",
    "test",
    "wifi",
    "WIFI",
    "wpa",
    "WPA2",
    "pin",
    "device",
    "router",
    "CP",
    "bcgbghgg",
    "changeme",
    "iot",
    "mac",
    "serial",
    "S/N:",
];
