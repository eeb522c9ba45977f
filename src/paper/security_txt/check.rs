//! From a file to its flaws.
//!
//! ```text
//!  check    (this file)
//!  cleartext · field · value
//! ```

use core::fmt;
use core::num::NonZeroU32;

use super::super::timestamp::Timestamp;

use super::cleartext::{Frame, FrameFlaw, Line};
use super::field::Field;
use super::value::{self, ValueError};

/// What a file is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    now: Timestamp,
    from: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Whether it holds at this time.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { now, from: None }
    }

    /// And whether it belongs where it was found: an address of the web.
    #[must_use]
    pub const fn found_at(mut self, address: &'a str) -> Self {
        self.from = Some(address);
        self
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    flaws: u32,
    unknown: u32,
    is_signed: bool,
    expires: Option<Timestamp>,
}

impl Checked {
    /// Whether the file has no flaw; advice is none.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.flaws == 0
    }

    /// How many flaws there are.
    #[must_use]
    pub const fn flaws(&self) -> u32 {
        self.flaws
    }

    /// How many fields are of names that this version does not know; they are allowed.
    #[must_use]
    pub const fn unknown_fields(&self) -> u32 {
        self.unknown
    }

    /// Whether the file has the signed form. The signature was not verified.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Until when it holds, if it says so once and rightly.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }
}

/// A flaw, or advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line, from 1; `None` where it is the whole file's.
    pub line: Option<NonZeroU32>,
    /// What is wrong.
    pub reason: Reason,
}

impl fmt::Display for Flaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.reason),
            None => write!(formatter, "the file: {}", self.reason),
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is longer than [`LONGEST_FILE`]; nothing of it was read.
    #[error("longer than {LONGEST_FILE} bytes")]
    FileTooLong,
    /// The line is longer than [`LONGEST_LINE`]; it was not read.
    #[error("longer than {LONGEST_LINE} bytes")]
    LineTooLong,
    /// It is no UTF-8; nothing from here on was read.
    #[error("no UTF-8")]
    NotUtf8,
    /// It begins with a byte order mark.
    #[error("begins with a byte order mark")]
    ByteOrderMark,
    /// A control character other than a tab.
    #[error("holds a control character")]
    Control,
    /// The last line has no end.
    #[error("the last line does not end")]
    Unended,
    /// Neither a field nor a comment.
    #[error("neither a field, as in Contact: https://example.com, nor a comment")]
    NoField,
    /// Not one space behind the colon.
    #[error("one space follows the colon of {0}")]
    Space(Field),
    /// A field that has to be there is not.
    #[error("{0} is missing")]
    Missing(Field),
    /// A field is there again that may be there once.
    #[error("{0} is there again")]
    Repeated(Field),
    /// What a field says is wrong.
    #[error("{field} {error}")]
    Value {
        /// The field.
        field: Field,
        /// Why.
        error: ValueError,
    },
    /// The frame of the signature is broken.
    #[error("{0}")]
    Frame(FrameFlaw),
    /// Found at an address that no `Canonical` names.
    #[error("found at an address that no Canonical names")]
    Elsewhere,
    /// Advice: it expires in more than a year.
    #[error("advice: Expires is more than a year ahead, and the file may be out of date before")]
    FarAhead,
    /// Advice: there is no policy.
    #[error(
        "advice: without Policy nobody knows when a report is answered, which EN 303 645 5.2-1 and the PSTI regulations ask for"
    )]
    NoPolicy,
}

impl Reason {
    /// Whether it is advice: a file with it is still one of RFC 9116.
    #[must_use]
    pub const fn is_advice(&self) -> bool {
        matches!(self, Self::FarAhead | Self::NoPolicy)
    }
}

/// Checks a file, and tells each flaw, in the order of the lines and then those of the whole file.
///
/// Lines end with LF or with CR LF. Fields of unknown names are allowed. In a signed file, what counts is the text within the signature's
/// frame; the signature is not verified.
///
/// It ends for any bytes, after one pass over at most [`LONGEST_FILE`] of them.
//= compliance/requirements.md#paper-1
//# A `security.txt` MUST NOT pass without a contact and exactly one time of expiry that is to come, nor with a field that is no URI or a web address without https, and line and reason MUST be told of each flaw.
pub fn check(file: &[u8], asked: &Asked<'_>, mut found: impl FnMut(Flaw)) -> Checked {
    let mut check = Check {
        asked,
        line: 0,
        found: &mut found,
        seen: [0; Field::ALL.len()],
        is_canonical: false,
        checked: Checked {
            flaws: 0,
            unknown: 0,
            is_signed: false,
            expires: None,
        },
    };
    check.file(file);
    check.checked
}

struct Check<'a, F> {
    asked: &'a Asked<'a>,
    /// The line that is read, from 1.
    line: u32,
    found: &'a mut F,
    /// How often each field was there.
    seen: [u32; Field::ALL.len()],
    /// A `Canonical` names where the file was found.
    is_canonical: bool,
    checked: Checked,
}

impl<F: FnMut(Flaw)> Check<'_, F> {
    fn file(&mut self, file: &[u8]) {
        if file.len() > LONGEST_FILE {
            return self.of_file(Reason::FileTooLong);
        }
        let (text, is_utf8) = match core::str::from_utf8(file) {
            Ok(text) => (text, true),
            // What stands before the first byte that is none is whole.
            Err(error) => {
                let whole = file.get(..error.valid_up_to()).unwrap_or_default();
                (core::str::from_utf8(whole).unwrap_or_default(), false)
            }
        };
        let mut frame = Frame::new();
        for line in text.split_inclusive('\n') {
            self.line += 1;
            let Some(whole) = line.strip_suffix('\n') else {
                if is_utf8 {
                    self.line(line, &mut frame);
                    self.tell(Reason::Unended);
                }
                break;
            };
            self.line(whole.strip_suffix('\r').unwrap_or(whole), &mut frame);
        }
        if !is_utf8 {
            // The line that was broken off has been counted, unless it had no byte.
            self.line += u32::from(text.is_empty() || text.ends_with('\n'));
            return self.tell(Reason::NotUtf8);
        }
        self.checked.is_signed = frame.is_signed();
        if let Some(flaw) = frame.end() {
            self.of_file(Reason::Frame(flaw));
        }
        for field in [Field::Contact, Field::Expires] {
            if self.times(field) == 0 {
                self.of_file(Reason::Missing(field));
            }
        }
        if self.asked.from.is_some() && self.times(Field::Canonical) > 0 && !self.is_canonical {
            self.of_file(Reason::Elsewhere);
        }
        if self.times(Field::Policy) == 0 {
            self.of_file(Reason::NoPolicy);
        }
    }

    fn line(&mut self, line: &str, frame: &mut Frame) {
        if line.len() > LONGEST_LINE {
            return self.tell(Reason::LineTooLong);
        }
        let without_mark = line.strip_prefix('\u{feff}').filter(|_| self.line == 1);
        if without_mark.is_some() {
            self.tell(Reason::ByteOrderMark);
        }
        let line = without_mark.unwrap_or(line);
        if line
            .chars()
            .any(|symbol| symbol.is_ascii_control() && symbol != '\t')
        {
            return self.tell(Reason::Control);
        }
        // White space may stand at the end of any line.
        match frame.take(line.trim_end_matches([' ', '\t'])) {
            Line::Frame => {}
            Line::Broken(flaw) => self.tell(Reason::Frame(flaw)),
            Line::Text(text) => self.text(text),
        }
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        let Some((name, rest)) = text.split_once(':').filter(|(name, _)| is_name(name)) else {
            return self.tell(Reason::NoField);
        };
        let Some(field) = Field::named(name) else {
            self.checked.unknown += 1;
            return;
        };
        let times = self.count(field);
        if times > 1 && field.is_single() {
            self.checked.expires = self.checked.expires.filter(|_| field != Field::Expires);
            return self.tell(Reason::Repeated(field));
        }
        match rest
            .strip_prefix(' ')
            .filter(|value| !value.starts_with([' ', '\t']))
        {
            Some(value) => self.value(field, value),
            None => self.tell(Reason::Space(field)),
        }
    }

    fn value(&mut self, field: Field, value: &str) {
        let flaw = if field == Field::Expires {
            match value::expiry(value, self.asked.now) {
                Ok(expires) => {
                    self.checked.expires = Some(expires);
                    if expires.unix() - self.asked.now.unix() > YEAR {
                        self.tell(Reason::FarAhead);
                    }
                    None
                }
                Err(error) => Some(error),
            }
        } else {
            value::flaw_of(field, value)
        };
        self.is_canonical |= field == Field::Canonical && self.asked.from == Some(value);
        if let Some(error) = flaw {
            self.tell(Reason::Value { field, error });
        }
    }

    fn of_file(&mut self, reason: Reason) {
        self.line = 0;
        self.tell(reason);
    }

    fn tell(&mut self, reason: Reason) {
        self.checked.flaws += u32::from(!reason.is_advice());
        (self.found)(Flaw {
            line: NonZeroU32::new(self.line),
            reason,
        });
    }

    /// Counts the field in, and tells how often it was there.
    fn count(&mut self, field: Field) -> u32 {
        let Some(seen) = place(field).and_then(|place| self.seen.get_mut(place)) else {
            return 0;
        };
        *seen += 1;
        *seen
    }

    fn times(&self, field: Field) -> u32 {
        place(field)
            .and_then(|place| self.seen.get(place))
            .copied()
            .unwrap_or_default()
    }
}

fn place(field: Field) -> Option<usize> {
    Field::ALL.iter().position(|each| *each == field)
}

/// The name of a field as RFC 5322 has it: visible symbols.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|symbol| symbol.is_ascii_graphic())
}

/// Bytes of a file. The standard names no bound; a file of a screen or two has a twentieth of this.
pub const LONGEST_FILE: usize = 32 * 1024;

/// Bytes of a line: addresses that browsers take are no longer.
pub const LONGEST_LINE: usize = 2048;

/// Seconds of a leap year.
const YEAR: i64 = 366 * 86_400;
