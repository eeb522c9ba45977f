//! A report read again, strictly: what the encoder would not have written is refused, and the error names the field and the reason.
//!
//! ```text
//!  collectors, settings screens
//!  decode    (this file)
//!  schema · shape
//! ```
//!
//! It needs neither an allocator nor a feature, so that a device with a screen shows a preview by it. Loops are bounded by the declaration.

use core::fmt;

use super::schema::{Declaration, Field, ReportSchema};
use super::shape::{Shape, head_len, lowest_bits};

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Yes or no.
    Truth(bool),
    /// A number, in the unit of the reading.
    Number(i64),
    /// One of the declared choices, from 0 on.
    Choice(u32),
    /// A bit for each choice, the first the lowest.
    Bits(u64),
    /// Two numbers, in the unit of the reading.
    Pair(i64, i64),
    /// A count for each bucket, and how many buckets there are.
    Counts([u32; 32], u8),
    /// A geohash.
    Letters(&'a str),
    /// A pseudonym.
    Bytes(&'a [u8]),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(true) => to.write_str("yes"),
            Self::Truth(false) => to.write_str("no"),
            Self::Number(number) => write!(to, "{number}"),
            Self::Choice(number) => write!(to, "choice {number}"),
            Self::Bits(bits) => write!(to, "{bits:#b}"),
            Self::Pair(first, second) => write!(to, "{first}, {second}"),
            Self::Counts(counts, buckets) => {
                for (at, count) in counts.iter().take(usize::from(*buckets)).enumerate() {
                    write!(to, "{}{count}", if at == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Letters(letters) => to.write_str(letters),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}")),
        }
    }
}

/// Why a report is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// What stands before the fields is wrong.
    #[error("the head of the report: {0}")]
    Head(Reason),
    /// It is another report, or another version of it: its number and version are given.
    #[error("no declaration of report {number} in version {version}")]
    Unknown {
        /// Number of the report.
        number: u16,
        /// Its version.
        version: u16,
    },
    /// No field of this number is declared, or none that is ever sent.
    #[error("field {0}: not declared")]
    Undeclared(u8),
    /// What stands for this field is wrong.
    #[error("field {field}: {reason}")]
    Field {
        /// The name of the field.
        field: &'static str,
        /// What is wrong.
        reason: Reason,
    },
    /// Bytes follow the report; how many is given.
    #[error("{0} bytes follow the report")]
    Trailing(usize),
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The bytes end in it.
    #[error("it is cut short")]
    Truncated,
    /// It is of another CBOR type.
    #[error("it is of another type")]
    Type,
    /// Its head is longer than it has to be, or its length is indefinite.
    #[error("it is not in the shortest form")]
    NotShortest,
    /// It is no value that the treatment makes.
    #[error("the treatment makes no such value")]
    Range,
    /// It has another number of parts than declared.
    #[error("it has another number of parts than declared")]
    Length,
    /// It does not come in the order of the numbers, or comes twice.
    #[error("it is out of order, or there twice")]
    Order,
}

impl ReportSchema {
    /// Reads a report of this declaration: calls `each` with the fields that it has, once all of it was found right.
    ///
    /// ```
    /// # use bydesign::telemetry::{Clamped, ConsentClass, DecodeError, Purpose, Reason, Recipient, Report, Retention, Value};
    /// # const FAULTS: ConsentClass = ConsentClass::new(2, "faults");
    /// # const REPAIR: Purpose = Purpose::new(2, "repair", "To mend what breaks.", &FAULTS);
    /// # bydesign::report! {
    /// #     /// Faults of a day.
    /// #     pub struct Faults {
    /// #         report: 2, "faults", version 1;
    /// #         class: FAULTS;
    /// #         bytes: 16;
    /// #         /// The last error.
    /// #         error: u16 {
    /// #             purpose: REPAIR,
    /// #             treatment: Clamped = Clamped::between(0, 99),
    /// #             retention: Retention::Days(30),
    /// #             recipient: Recipient { name: "Example Heating Ltd", role: "maker" },
    /// #         }
    /// #     }
    /// # }
    /// let mut error = None;
    /// Faults::SCHEMA.decode(&[0x83, 2, 1, 0xa1, 0, 0x18, 42], |field, value| error = Some((field.name, value)))?;
    /// assert_eq!(error, Some(("error", Value::Number(42))));
    ///
    /// let refused = Faults::SCHEMA.decode(&[0x83, 2, 1, 0xa1, 0, 0x18, 100], |_, _| {});
    /// assert_eq!(refused, Err(DecodeError::Field { field: "error", reason: Reason::Range }));
    /// # Ok::<(), DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`]; `each` was not called then.
    //= compliance/requirements.md#tele-9
    //# The decoder MUST refuse every report that the encoder does not make of the declaration, and MUST name the field and the reason.
    pub fn decode<'a>(
        &self,
        bytes: &'a [u8],
        mut each: impl FnMut(&'static Field, Value<'a>),
    ) -> Result<(), DecodeError> {
        self.walk(bytes, &mut |_, _| {})?;
        self.walk(bytes, &mut each)
    }

    fn walk<'a>(
        &self,
        bytes: &'a [u8],
        each: &mut impl FnMut(&'static Field, Value<'a>),
    ) -> Result<(), DecodeError> {
        let mut reader = Reader(bytes);
        let (number, version) = reader.report().map_err(DecodeError::Head)?;
        if (number, version) != (self.number, self.version) {
            return Err(DecodeError::Unknown { number, version });
        }
        let count = reader.expect(MAP).map_err(DecodeError::Head)?;
        if count == 0 || count > self.fields.len() as u64 {
            return Err(DecodeError::Head(Reason::Length));
        }
        let mut next = 0;
        for _ in 0..count {
            let number = reader.expect(UNSIGNED).map_err(DecodeError::Head)?;
            let number = u8::try_from(number).map_err(|_| DecodeError::Head(Reason::Range))?;
            let declared = self.fields.get(usize::from(number));
            let sent = declared.filter(|field| field.effect.shape != Shape::Nothing);
            let field = sent.ok_or(DecodeError::Undeclared(number))?;
            let wrong = |reason| DecodeError::Field {
                field: field.name,
                reason,
            };
            if number < next {
                return Err(wrong(Reason::Order));
            }
            next = number.saturating_add(1);
            each(field, reader.value(field.effect.shape).map_err(wrong)?);
        }
        match reader.0.len() {
            0 => Ok(()),
            trailing => Err(DecodeError::Trailing(trailing)),
        }
    }
}

/// The declaration of a report that is there in bytes, by its number and version.
///
/// # Errors
///
/// [`DecodeError::Head`], [`DecodeError::Unknown`].
pub fn schema_of<D: Declaration>(report: &[u8]) -> Result<&'static ReportSchema, DecodeError> {
    let (number, version) = Reader(report).report().map_err(DecodeError::Head)?;
    let declared = D::REPORTS
        .iter()
        .find(|schema| schema.number == number && schema.version == version);
    declared.ok_or(DecodeError::Unknown { number, version })
}

// Major types of CBOR (RFC 8949, 3.1).
const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const SIMPLE: u8 = 7;

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Reason> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Reason::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Major type and argument of the next item, in the shortest form.
    fn head(&mut self) -> Result<(u8, u64), Reason> {
        let first = self.take(1)?.first().copied().unwrap_or(0);
        let (major, short) = (first >> 5, first & 31);
        let following = match short {
            0..=23 => return Ok((major, u64::from(short))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(Reason::NotShortest),
        };
        let bytes = self.take(following)?;
        let argument = bytes
            .iter()
            .fold(0u64, |argument, byte| argument << 8 | u64::from(*byte));
        if head_len(argument) == following + 1 {
            Ok((major, argument))
        } else {
            Err(Reason::NotShortest)
        }
    }

    fn expect(&mut self, major: u8) -> Result<u64, Reason> {
        match self.head()? {
            (found, argument) if found == major => Ok(argument),
            _ => Err(Reason::Type),
        }
    }

    /// A number of steps, and what it stands for.
    fn steps(&mut self, low: i64, step: u64, last: u64) -> Result<i64, Reason> {
        let number = self.expect(UNSIGNED)?;
        if number > last {
            return Err(Reason::Range);
        }
        Ok(low.wrapping_add(step.wrapping_mul(number).cast_signed()))
    }

    fn report(&mut self) -> Result<(u16, u16), Reason> {
        if self.expect(ARRAY)? != 3 {
            return Err(Reason::Length);
        }
        let number = self.expect(UNSIGNED)?;
        let version = self.expect(UNSIGNED)?;
        let narrow = |number: u64| u16::try_from(number).map_err(|_| Reason::Range);
        Ok((narrow(number)?, narrow(version)?))
    }

    fn length(&mut self, major: u8, count: u8) -> Result<usize, Reason> {
        if self.expect(major)? == u64::from(count) {
            Ok(usize::from(count))
        } else {
            Err(Reason::Length)
        }
    }

    fn value(&mut self, shape: Shape) -> Result<Value<'a>, Reason> {
        Ok(match shape {
            Shape::Nothing => return Err(Reason::Range),
            Shape::Truth => match self.head()? {
                (SIMPLE, 20) => Value::Truth(false),
                (SIMPLE, 21) => Value::Truth(true),
                _ => return Err(Reason::Type),
            },
            Shape::Steps { low, step, last } => Value::Number(self.steps(low, step, last)?),
            Shape::Choice { count } => {
                let number = u32::try_from(self.expect(UNSIGNED)?).map_err(|_| Reason::Range)?;
                if number >= count {
                    return Err(Reason::Range);
                }
                Value::Choice(number)
            }
            Shape::Bits { count } => {
                let bits = self.expect(UNSIGNED)?;
                if bits > lowest_bits(count) {
                    return Err(Reason::Range);
                }
                Value::Bits(bits)
            }
            Shape::Pair { low, step, last } => {
                self.length(ARRAY, 2)?;
                Value::Pair(self.steps(low, step, last)?, self.steps(low, step, last)?)
            }
            Shape::Counts { buckets, step, last } => {
                let mut counts = [0; 32];
                for count in counts.iter_mut().take(self.length(ARRAY, buckets)?) {
                    *count = u32::try_from(self.steps(0, step, last)?).map_err(|_| Reason::Range)?;
                }
                Value::Counts(counts, buckets)
            }
            Shape::Letters { count } => {
                let len = self.length(TEXT, count)?;
                let letters = core::str::from_utf8(self.take(len)?).map_err(|_| Reason::Range)?;
                let is_letter = |letter: char| {
                    letter.is_ascii_digit() || letter.is_ascii_lowercase() && !"ailo".contains(letter)
                };
                if !letters.chars().all(is_letter) {
                    return Err(Reason::Range);
                }
                Value::Letters(letters)
            }
            Shape::Bytes { count } => {
                let len = self.length(BYTES, count)?;
                Value::Bytes(self.take(len)?)
            }
        })
    }
}
