//! Sums as bytes, for storage and for other workers. `docs/telemetry-sums.md` has the format.
//!
//! ```text
//!  cbor   (this file)
//!  sum
//!  parameters
//! ```

use std::vec::Vec;

use minicbor::encode::{Error, Write};
use minicbor::{Decoder, Encoder};

use super::parameters::{Kind, Parameters};
use super::sum::{PartialSum, Source};

/// The format's version, the first item.
const FORMAT: u8 = 1;
/// Beyond this no sum is: the names, the parameters and 1025 counts.
const MAX_BYTES: usize = 10 * 1024;

/// Where and why bytes are no sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct DecodeError {
    /// The item of the format.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Another kind of item, cut off, or of indefinite length.
    #[error("not the item that is expected here")]
    Item,
    /// A value that no sum has.
    #[error("a value that is not allowed")]
    Value,
    /// The counts and the number of reports do not go together.
    #[error("does not add up")]
    Inconsistent,
    /// There is more after the end.
    #[error("more bytes than the sum has")]
    TrailingBytes,
    /// The same could be written shorter.
    #[error("not the shortest encoding")]
    NotCanonical,
    /// Longer than any sum.
    #[error("longer than any sum")]
    TooLong,
}

const fn wrong(field: &'static str, reason: Reason) -> DecodeError {
    DecodeError { field, reason }
}

impl PartialSum {
    /// The bytes: equal sums have equal ones.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        // Writing to a vector does not fail.
        let _ = write(self, &mut encoder);
        encoder.into_writer()
    }

    //= compliance/requirements.md#tele-37
    //# Bytes that are not the one encoding of a sum that can be MUST be refused, with the item and the reason.
    /// Reads bytes from elsewhere. Accepts what [`encode`](PartialSum::encode) writes, and nothing else.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], with the item and the reason.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(wrong("sum", Reason::TooLong));
        }
        let mut decoder = Decoder::new(bytes);
        let sum = read(&mut decoder)?;
        if decoder.position() != bytes.len() {
            return Err(wrong("sum", Reason::TrailingBytes));
        }
        if sum.encode() != bytes {
            return Err(wrong("sum", Reason::NotCanonical));
        }
        Ok(sum)
    }
}

fn write<W: Write>(sum: &PartialSum, to: &mut Encoder<W>) -> Result<(), Error<W::Error>> {
    to.array(7)?.u8(FORMAT)?;
    let source = sum.source();
    to.str(source.report())?
        .u32(source.version())?
        .str(source.field())?;
    match sum.parameters().0 {
        Kind::Response { categories, other } => to.array(3)?.u8(0)?.u16(categories)?.u64(other)?,
        Kind::Unary {
            categories,
            kept,
            raised,
        } => to.array(4)?.u8(1)?.u16(categories)?.u64(kept)?.u64(raised)?,
        Kind::Mean {
            lowest,
            span,
            base,
            step,
        } => to.array(5)?.u8(2)?.i32(lowest)?.u32(span)?.u64(base)?.u64(step)?,
        Kind::Laplace { lowest, span, alpha } => to.array(4)?.u8(3)?.i32(lowest)?.u16(span)?.u64(alpha)?,
        Kind::Sampled { categories, ways } => to.array(3)?.u8(4)?.u16(categories)?.u64(ways)?,
    };
    to.u64(sum.reports())?.array(sum.counts().len() as u64)?;
    for count in sum.counts() {
        to.u64(*count)?;
    }
    Ok(())
}

/// An item that is of the right kind.
fn item<T>(field: &'static str, read: Result<T, minicbor::decode::Error>) -> Result<T, DecodeError> {
    read.map_err(|_| wrong(field, Reason::Item))
}

fn array(field: &'static str, from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    item(field, from.array())?.ok_or(wrong(field, Reason::Item))
}

fn read(from: &mut Decoder<'_>) -> Result<PartialSum, DecodeError> {
    if array("sum", from)? != 7 {
        return Err(wrong("sum", Reason::Item));
    }
    if item("format", from.u8())? != FORMAT {
        return Err(wrong("format", Reason::Value));
    }
    let report = item("report", from.str())?;
    let version = item("version", from.u32())?;
    let field = item("field", from.str())?;
    let source = Source::new(report, version, field).map_err(|_| wrong("report or field", Reason::Value))?;
    let parameters = read_parameters(from)?;
    let reports = item("reports", from.u64())?;
    if array("counts", from)? != parameters.counts() as u64 {
        return Err(wrong("counts", Reason::Inconsistent));
    }
    let mut counts = Vec::with_capacity(parameters.counts());
    for _ in 0..parameters.counts() {
        counts.push(item("counts", from.u64())?);
    }
    PartialSum::of_counts(source, parameters, reports, counts).ok_or(wrong("counts", Reason::Inconsistent))
}

fn read_parameters(from: &mut Decoder<'_>) -> Result<Parameters, DecodeError> {
    const FIELD: &str = "parameters";
    let items = array(FIELD, from)?;
    let number = item(FIELD, from.u8())?;
    let kind = match (number, items) {
        (0, 3) => Kind::Response {
            categories: item(FIELD, from.u16())?,
            other: item(FIELD, from.u64())?,
        },
        (1, 4) => Kind::Unary {
            categories: item(FIELD, from.u16())?,
            kept: item(FIELD, from.u64())?,
            raised: item(FIELD, from.u64())?,
        },
        (2, 5) => Kind::Mean {
            lowest: item(FIELD, from.i32())?,
            span: item(FIELD, from.u32())?,
            base: item(FIELD, from.u64())?,
            step: item(FIELD, from.u64())?,
        },
        (3, 4) => Kind::Laplace {
            lowest: item(FIELD, from.i32())?,
            span: item(FIELD, from.u16())?,
            alpha: item(FIELD, from.u64())?,
        },
        (4, 3) => Kind::Sampled {
            categories: item(FIELD, from.u16())?,
            ways: item(FIELD, from.u64())?,
        },
        _ => return Err(wrong(FIELD, Reason::Value)),
    };
    Parameters(kind).checked().ok_or(wrong(FIELD, Reason::Value))
}
