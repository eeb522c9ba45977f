//! One record in a buffer: sealed at its place, opened, taken apart.
//!
//! ```text
//!  log · key_page · walk · mount
//!  record   (this file)
//!  geometry · format · crypto
//! ```

use core::ops::Range;

use super::error::Fault;
use super::format::{self, HEADER_LEN, Header, Kind, MAX_UNIT, SALT_PAYLOAD};
use super::geometry::Geometry;
use crate::crypto::{self, Place, RANDOMNESS_LEN, Sealed, SealingKey, TAG_LEN};
use crate::flash::MediumKind;

/// Bytes that hold a Page, Session or Key page record, padding included, whatever the unit.
pub(crate) const SALT_RECORD: usize = 3 * MAX_UNIT;

/// Everything about a record but its plaintext: what it is sealed under and bound to.
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) key: &'a SealingKey,
    pub(crate) place: Place,
    pub(crate) associated: &'a [u8],
}

impl Frame<'_> {
    /// Seals the plaintext that stands in `record` behind the room for header and synthetic part, and pads. Gives the
    /// record's bytes. A salt of its own is already there.
    pub(crate) fn seal(
        &self,
        geometry: Geometry,
        randomness: &[u8; RANDOMNESS_LEN],
        record: &mut [u8],
    ) -> Result<usize, Fault> {
        let size = usize::try_from(geometry.size(self.header)).map_err(|_| Fault::Internal)?;
        let text_start = self.header.text_start();
        let text_end = text_start + self.header.text_len();
        let text = record.get_mut(text_start..text_end).ok_or(Fault::Internal)?;
        let sealed = crypto::seal(self.key, self.place, self.associated, randomness, text)?;
        format::place(record, 0, &self.header.to_bytes());
        format::place(record, text_start - crypto::SYNTHETIC_LEN, &sealed.synthetic);
        format::place(record, text_end, &sealed.tag);
        record
            .get_mut(text_end + TAG_LEN..size)
            .ok_or(Fault::Internal)?
            .fill(0xff);
        Ok(size)
    }

    /// A complete Page, Session or Key page record, and its bytes.
    pub(crate) fn seal_with_salt(
        &self,
        geometry: Geometry,
        randomness: &[u8; RANDOMNESS_LEN],
        payload: &[u8; SALT_PAYLOAD],
    ) -> Result<([u8; SALT_RECORD], usize), Fault> {
        let mut record = [0; SALT_RECORD];
        format::place(&mut record, HEADER_LEN, &self.place.salt);
        format::place(&mut record, self.header.text_start(), payload);
        let size = self.seal(geometry, randomness, &mut record)?;
        Ok((record, size))
    }

    /// Opens the record that stands in `record`. Gives where its plaintext is.
    pub(crate) fn open(&self, record: &mut [u8]) -> Option<Range<usize>> {
        let text_start = self.header.text_start();
        let text_end = text_start + self.header.text_len();
        let sealed = Sealed {
            synthetic: *record.get(text_start - crypto::SYNTHETIC_LEN..)?.first_chunk()?,
            tag: *record.get(text_end..)?.first_chunk()?,
        };
        let text = record.get_mut(text_start..text_end)?;
        crypto::open(self.key, self.place, self.associated, &sealed, text).ok()?;
        Some(text_start..text_end)
    }
}

/// Where name and value of an opened record stand in its buffer.
pub(crate) struct OpenedValue {
    /// Value or Fixed: what a copy of it is.
    pub(crate) kind: Kind,
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Splits the plaintext of a record that holds a value, which stands in `buffer` at `text`.
pub(crate) fn split_value(
    medium: MediumKind,
    kind: Kind,
    buffer: &[u8],
    text: &Range<usize>,
) -> Option<OpenedValue> {
    let link = match medium {
        MediumKind::Overwritable => format::LINK_LEN,
        MediumKind::WriteOnce => 0,
    };
    let meta_at = text.start.checked_add(link)?;
    let meta = *buffer.get(meta_at)?;
    let name_start = meta_at + format::META_LEN;
    let name_end = name_start + usize::from(meta & 0x3f);
    let value_end = text.end.checked_sub(usize::from(meta >> 6))?;
    (name_end <= value_end).then_some(OpenedValue {
        kind: if kind.is_fixed() { Kind::Fixed } else { Kind::Value },
        name: name_start..name_end,
        value: name_end..value_end,
    })
}
