//! The list of values that must not be found. It is as sensitive as they are.
//!
//! ```text
//!  residue · key_file
//!  expected (this file)
//!  class_name · fault
//! ```

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bydesign::store::DataClass;
use zeroize::Zeroizing;

use crate::class_name;
use crate::fault::Fault;

/// A value that must not be found. It cannot be printed.
pub struct Expected {
    /// The line it stands on, from 1: by that it is named in reports.
    pub line: usize,
    /// What it was called.
    pub item: Option<(DataClass, String)>,
    /// The value, wiped when dropped.
    pub value: Zeroizing<Vec<u8>>,
}

/// Reads a list.
///
/// # Errors
///
/// [`Fault`], with the number of the line and never the line.
pub fn read(path: &Path) -> Result<Vec<Expected>, Fault> {
    let file = File::open(path).map_err(Fault::read(path))?;
    // Not grown while it is read: each growth would leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST + 1));
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    let len = file
        .take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(Fault::read(path))?;
    if len > LONGEST {
        return Err(Fault::TooLong {
            path: path.into(),
            limit,
        });
    }
    parse(&text).map_err(|refused| match refused {
        Refused::Line(line, reason) => Fault::Expected {
            path: path.into(),
            line,
            reason,
        },
        Refused::Empty => Fault::NothingExpected { path: path.into() },
    })
}

/// Why a list was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A line, and what is wrong with it.
    Line(usize, &'static str),
    /// There is no value.
    Empty,
}

/// The values of a list.
///
/// ```
/// use bydesign_cli::expected::parse;
///
/// let list = parse("# of the first owner\nuser:7/pin = text:4711\n00ff\n").unwrap();
/// assert_eq!(list[0].value.as_slice(), b"4711");
/// assert_eq!(list[1].value.as_slice(), [0x00, 0xff]);
/// assert!(parse("4711 0815").is_err());
/// ```
///
/// # Errors
///
/// [`Refused`].
pub fn parse(text: &str) -> Result<Vec<Expected>, Refused> {
    let mut list = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        if content.trim().is_empty() || content.starts_with('#') {
            continue;
        }
        let refused = |reason| Refused::Line(line, reason);
        let (item, value) = match content.split_once(" = ") {
            Some((item, value)) if !content.starts_with(TEXT) => (Some(item), value),
            _ => (None, content),
        };
        let item = match item {
            Some(item) => {
                let (class, name) = item
                    .split_once('/')
                    .ok_or(refused("CLASS/NAME stands before the ="))?;
                let class = class_name::parse(class.trim_start()).map_err(refused)?;
                Some((class, name.to_owned()))
            }
            None => None,
        };
        let value = match value.strip_prefix(TEXT) {
            Some(text) => Some(Zeroizing::new(text.as_bytes().to_vec())),
            None => from_hexadecimal(value.trim()),
        };
        let value = value.filter(|value| !value.is_empty()).ok_or(refused(
            "a value is an even number of hexadecimal digits, or text: and the value",
        ))?;
        list.push(Expected { line, item, value });
    }
    if list.is_empty() {
        Err(Refused::Empty)
    } else {
        Ok(list)
    }
}

/// Bytes of hexadecimal digits.
#[must_use]
pub fn from_hexadecimal(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits = digits.as_bytes();
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks(2) {
        let &[high, low] = pair else { return None };
        let digit = |letter: u8| char::from(letter).to_digit(16);
        bytes.push(u8::try_from(digit(high)? << 4 | digit(low)?).ok()?);
    }
    Some(bytes)
}

/// Hexadecimal digits of bytes.
#[must_use]
pub fn to_hexadecimal(bytes: &[u8]) -> Zeroizing<String> {
    let mut digits = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            digits.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
    }
    digits
}

const TEXT: &str = "text:";
/// Longer than any sensible list.
const LONGEST: usize = 4 * 1024 * 1024;
