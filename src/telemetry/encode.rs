//! A report as CBOR (RFC 8949, deterministic: 4.2.1) in a caller's buffer.
//!
//! ```text
//!  report
//!  encode    (this file)
//! ```
//!
//! ```text
//! [number, version, {field: value, …}]        docs/telemetry-format.md
//! ```

use minicbor::Encoder;
use minicbor::encode::write::{Cursor, EndOfSlice};

use super::treatment::Treated;

/// A report that is being encoded: the fields one by one, and the head when their number is known.
pub(crate) struct Encoding<'a> {
    bytes: &'a mut [u8],
    /// Where the map of fields begins.
    head: usize,
    at: usize,
    count: u8,
}

/// There is no room. Reports are as long as declared at most, so that this does not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

type Written = Result<(), minicbor::encode::Error<EndOfSlice>>;

impl<'a> Encoding<'a> {
    /// Begins behind a head of so many bytes and the head of the map, which is one byte for up to 23 fields.
    pub(crate) fn begin(bytes: &'a mut [u8], head: usize) -> Self {
        Self {
            bytes,
            head,
            at: head.saturating_add(1),
            count: 0,
        }
    }

    /// Adds a field, unless there is nothing of it. Fields come in the order of their numbers.
    //= compliance/requirements.md#tele-2
    //# A report MUST hold no field but those that are declared, and MUST NOT become longer than declared.
    pub(crate) fn field(&mut self, number: u8, value: &Treated) -> Result<(), TooLong> {
        if matches!(value, Treated::Nothing) {
            return Ok(());
        }
        let room = self.bytes.get_mut(self.at..).ok_or(TooLong)?;
        let mut encoder = Encoder::new(Cursor::new(room));
        write(&mut encoder, number, value).map_err(|_| TooLong)?;
        self.at = self.at.saturating_add(encoder.writer().position());
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Fields so far.
    pub(crate) fn count(&self) -> u8 {
        self.count
    }

    /// Writes the head; gives the length of it all.
    pub(crate) fn finish(self, number: u16, version: u16) -> Result<usize, TooLong> {
        let head = self.bytes.get_mut(..self.head.saturating_add(1)).ok_or(TooLong)?;
        let mut encoder = Encoder::new(Cursor::new(head));
        let written = encoder
            .array(3)
            .and_then(|encoder| encoder.u16(number))
            .and_then(|encoder| encoder.u16(version))
            .and_then(|encoder| encoder.map(u64::from(self.count)));
        written.map_err(|_| TooLong)?;
        Ok(self.at)
    }
}

fn write(encoder: &mut Encoder<Cursor<&mut [u8]>>, number: u8, value: &Treated) -> Written {
    encoder.u8(number)?;
    match value {
        Treated::Nothing => {}
        Treated::Truth(truth) => {
            encoder.bool(*truth)?;
        }
        Treated::Number(number) => {
            encoder.u64(*number)?;
        }
        Treated::Pair(first, second) => {
            encoder.array(2)?.u64(*first)?.u64(*second)?;
        }
        Treated::Counts(counts, len) => {
            encoder.array(u64::from(*len))?;
            for count in counts.iter().take(usize::from(*len)) {
                encoder.u16(*count)?;
            }
        }
        Treated::Text(letters, len) => {
            let letters = letters.get(..usize::from(*len)).unwrap_or_default();
            encoder.str(core::str::from_utf8(letters).unwrap_or_default())?;
        }
        Treated::Bytes(bytes) => {
            encoder.bytes(bytes)?;
        }
    }
    Ok(())
}
