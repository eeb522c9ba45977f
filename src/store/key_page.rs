//! One key page: the keys of the store and its classes, wrapped under the root key. Section 6 of the format document.
//!
//! ```text
//!  keys · mount
//!  key_page (this file)
//!  pages · clear · record · hierarchy · format
//! ```

use core::ops::Range;

use rand_core::TryCryptoRng;

use super::class::DataClass;
use super::clear::{clear_end, clear_part};
use super::error::Fault;
use super::format::{
    self, CLASS_PAYLOAD, CLEAR_LEN, HEADER_LEN, Header, KeyPagePayload, Kind, MAX_UNIT, NO_SLOT,
    PAIR_PAYLOAD, Position, SALT_PAYLOAD, TEXT_START,
};
use super::geometry::Geometry;
use super::hierarchy::{KEY_LEN, WrapKeys};
use super::pages::Pages;
use super::record::{Frame, SALT_RECORD};
use crate::crypto::{self, Place, SALT_LEN};
use crate::flash::{Medium, Routine, two_faces};
use crate::secret::Secret;

/// A key page whose first record opens.
#[derive(Clone, Copy, Default)]
pub(crate) struct KeyPage {
    pub(crate) page: u16,
    /// What the store uses beyond a plain one.
    pub(crate) features: u8,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) payload: KeyPagePayload,
}

impl KeyPage {
    /// What the log repeats of the salt, to say which page it goes with.
    pub(crate) fn check(&self) -> [u8; 4] {
        self.salt.first_chunk().copied().unwrap_or_default()
    }

    /// The page that the next change is written to.
    pub(crate) fn other(&self) -> u16 {
        1 - self.page.min(1)
    }
}

/// A class key as its record holds it.
pub(crate) struct ClassKey {
    /// `None`: the slot is free.
    pub(crate) data: Option<DataClass>,
    pub(crate) generation: u32,
    /// Records of the slot before this point belong to an earlier key.
    pub(crate) since: Position,
    pub(crate) key: Secret<KEY_LEN>,
}

impl ClassKey {
    fn to_bytes(&self) -> Secret<CLASS_PAYLOAD> {
        let mut text = Secret::new([0; CLASS_PAYLOAD]);
        let bytes = text.expose_mut();
        if let Some(data) = self.data {
            format::place(bytes, 0, &data.code().to_le_bytes());
            format::place(bytes, 4, &data.user.0.to_le_bytes());
        }
        format::place(bytes, 8, &self.generation.to_le_bytes());
        format::place(bytes, 12, &self.since.generation.to_le_bytes());
        format::place(bytes, 16, &self.since.offset.to_le_bytes());
        format::place(bytes, 20, self.key.expose());
        text
    }

    fn from_bytes(text: &[u8]) -> Option<Self> {
        let code = text.first_chunk().copied().map(u16::from_le_bytes)?;
        let mut key = Secret::new([0; KEY_LEN]);
        key.expose_mut().copy_from_slice(text.get(20..CLASS_PAYLOAD)?);
        Some(Self {
            data: DataClass::from_code(code, format::number(text, 4)),
            generation: format::number(text, 8),
            since: Position {
                generation: format::number(text, 12),
                offset: format::number(text, 16),
            },
            key,
        })
    }
}

fn store_key_offset(geometry: Geometry) -> u32 {
    clear_end(geometry) + geometry.salt_record()
}

fn class_key_offset(geometry: Geometry, slot: usize) -> u32 {
    let slot = u32::try_from(slot).unwrap_or(u32::MAX / 256);
    store_key_offset(geometry) + geometry.store_key_record() + slot * geometry.class_key_record()
}

/// How many class keys fit a key page.
pub(crate) fn class_limit(geometry: Geometry) -> usize {
    (0..62)
        .take_while(|&slot| {
            class_key_offset(geometry, slot + 1).saturating_add(geometry.pair_record()) <= geometry.page
        })
        .count()
}

#[two_faces]
impl<M: Medium> Pages<M> {
    // ---- reading ----

    /// The key page, if its clear part is what it must be and its first record opens.
    pub(crate) fn key_page(
        &mut self,
        wrapping: &WrapKeys,
        page: u16,
    ) -> Routine<M, impl Future<Output = Result<Option<KeyPage>, Fault>>> {
        M::call(async move {
            let geometry = self.geometry;
            let offset = clear_end(geometry);
            // The clear bytes are bound into the record as they must be; what stands on flash must be just that.
            let mut padded = [0; 2 * MAX_UNIT];
            let len = usize::try_from(offset - geometry.first()).map_err(|_| Fault::Internal)?;
            let padded = padded.get_mut(..len).ok_or(Fault::Internal)?;
            self.read_patiently(geometry.start(page) + geometry.first(), padded)
                .await?;
            let features = padded.get(11).copied().unwrap_or_default();
            let expected = clear_part(geometry, M::KIND, features, &wrapping.context.store_id);
            if features & !format::FEATURES != 0 || padded.get(..CLEAR_LEN) != Some(expected.as_slice()) {
                return Ok(None);
            }
            let mut record = [0; SALT_RECORD];
            self.read_patiently(geometry.start(page) + offset, &mut record)
                .await?;
            let header = key_header(Kind::KeyPage, NO_SLOT, SALT_PAYLOAD)?;
            if !record.starts_with(&header.to_bytes()) {
                return Ok(None);
            }
            let salt: [u8; SALT_LEN] = record
                .get(HEADER_LEN..)
                .and_then(<[u8]>::first_chunk)
                .copied()
                .unwrap_or_default();
            let frame = Frame {
                header,
                key: &wrapping.wrap,
                place: Place { salt, offset },
                associated: &self.key_page_associated(header, features, wrapping),
            };
            let text = frame.open(&mut record);
            let payload = text
                .and_then(|text| record.get(text))
                .map(KeyPagePayload::from_bytes);
            Ok(payload.map(|payload| KeyPage {
                page,
                features,
                salt,
                payload,
            }))
        })
    }

    /// Whether the page's Key commit record opens: all that came before it was written.
    pub(crate) fn is_committed(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        is_complete: bool,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let payload = key_page.payload;
            let count = usize::try_from(payload.count).map_err(|_| Fault::Internal)?;
            if count > class_limit(self.geometry) {
                return Ok(false);
            }
            let offset = class_key_offset(self.geometry, count);
            let mut record = [0; SALT_RECORD];
            let text = self
                .open_key_record(wrapping, key_page, offset, Kind::KeyCommit, NO_SLOT, &mut record)
                .await?;
            let opens = text.and_then(|text| record.get(text)).is_some_and(|text| {
                format::number(text, 0) == payload.count && format::number(text, 4) == payload.version
            });
            // If its last word was torn it may open now and not the next time.
            let start = self.geometry.start(key_page.page) + offset;
            Ok(opens && (is_complete || self.is_steady(start, self.geometry.pair_record()).await))
        })
    }

    /// The store's key.
    pub(crate) fn store_key(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
    ) -> Routine<M, impl Future<Output = Result<Secret<KEY_LEN>, Fault>>> {
        M::call(async move {
            let offset = store_key_offset(self.geometry);
            let damaged = Fault::Damaged(self.geometry.start(key_page.page) + offset);
            // The plaintext is a key: it lives in a buffer that wipes itself.
            let mut record = Secret::new([0; SALT_RECORD]);
            let text = self
                .open_key_record(
                    wrapping,
                    key_page,
                    offset,
                    Kind::StoreKey,
                    NO_SLOT,
                    record.expose_mut(),
                )
                .await?
                .ok_or(damaged)?;
            let text = record.expose().get(text).ok_or(damaged)?;
            let mut key = Secret::new([0; KEY_LEN]);
            key.expose_mut()
                .copy_from_slice(text.get(..KEY_LEN).ok_or(damaged)?);
            Ok(key)
        })
    }

    /// The class key of a slot.
    pub(crate) fn class_key(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        slot: u8,
    ) -> Routine<M, impl Future<Output = Result<ClassKey, Fault>>> {
        M::call(async move {
            let offset = class_key_offset(self.geometry, usize::from(slot));
            let damaged = Fault::Damaged(self.geometry.start(key_page.page) + offset);
            let mut record = Secret::new([0; SALT_RECORD]);
            let text = self
                .open_key_record(
                    wrapping,
                    key_page,
                    offset,
                    Kind::ClassKey,
                    slot,
                    record.expose_mut(),
                )
                .await?
                .ok_or(damaged)?;
            record
                .expose()
                .get(text)
                .and_then(ClassKey::from_bytes)
                .ok_or(damaged)
        })
    }

    /// Opens a record behind the first one into `record`, and gives where its plaintext is; `None` if it does not open.
    pub(crate) fn open_key_record(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        offset: u32,
        kind: Kind,
        slot: u8,
        record: &mut [u8; SALT_RECORD],
    ) -> Routine<M, impl Future<Output = Result<Option<Range<usize>>, Fault>>> {
        M::call(async move {
            let header = key_header(kind, slot, kind.key_payload())?;
            let size = usize::try_from(self.geometry.size(header)).map_err(|_| Fault::Internal)?;
            let record = record.get_mut(..size).ok_or(Fault::Internal)?;
            self.read_patiently(self.geometry.start(key_page.page) + offset, record)
                .await?;
            if !record.starts_with(&header.to_bytes()) {
                return Ok(None);
            }
            let frame = Frame {
                header,
                key: &wrapping.wrap,
                place: Place {
                    salt: key_page.salt,
                    offset,
                },
                associated: &format::associated_data(M::KIND, header, key_page.payload.version, 0),
            };
            Ok(frame.open(record))
        })
    }

    fn key_page_associated(&self, header: Header, features: u8, wrapping: &WrapKeys) -> [u8; 16 + CLEAR_LEN] {
        let mut associated = [0; 16 + CLEAR_LEN];
        let clear = clear_part(self.geometry, M::KIND, features, &wrapping.context.store_id);
        format::place(
            &mut associated,
            0,
            &format::associated_data(M::KIND, header, 0, 0),
        );
        format::place(&mut associated, 16, &clear);
        associated
    }

    /// Whether a page holds nothing where a key page begins: its clear part and its first record are written first.
    pub(crate) fn has_no_key_page(&mut self, page: u16) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let start = self.geometry.start(page);
            let end = clear_end(self.geometry) + self.geometry.salt_record();
            self.is_blank(start + self.geometry.first(), start + end).await
        })
    }

    // ---- writing, in this order ----

    /// The clear part and the first record.
    pub(crate) fn write_key_page_start<R: TryCryptoRng + ?Sized>(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let geometry = self.geometry;
            let start = geometry.start(key_page.page);
            let offset = clear_end(geometry);
            let mut clear = [0xff; 2 * MAX_UNIT];
            format::place(
                &mut clear,
                0,
                &clear_part(geometry, M::KIND, key_page.features, &wrapping.context.store_id),
            );
            let clear_len = usize::try_from(offset - geometry.first()).map_err(|_| Fault::Internal)?;
            let header = key_header(Kind::KeyPage, NO_SLOT, SALT_PAYLOAD)?;
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let frame = Frame {
                header,
                key: &wrapping.wrap,
                place: Place {
                    salt: key_page.salt,
                    offset,
                },
                associated: &self.key_page_associated(header, key_page.features, wrapping),
            };
            let (record, size) = frame.seal_with_salt(geometry, &randomness, &key_page.payload.to_bytes())?;
            self.program(
                start + geometry.first(),
                clear.get(..clear_len).ok_or(Fault::Internal)?,
            )
            .await?;
            self.program(start + offset, record.get(..size).ok_or(Fault::Internal)?)
                .await
        })
    }

    /// The store's key.
    pub(crate) fn write_store_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        key: &Secret<KEY_LEN>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let offset = store_key_offset(self.geometry);
            self.write_key_record(
                wrapping,
                key_page,
                offset,
                Kind::StoreKey,
                NO_SLOT,
                key.expose(),
                random,
            )
            .await
        })
    }

    /// The class key of a slot.
    pub(crate) fn write_class_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        slot: u8,
        class_key: &ClassKey,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let offset = class_key_offset(self.geometry, usize::from(slot));
            let text = class_key.to_bytes();
            self.write_key_record(
                wrapping,
                key_page,
                offset,
                Kind::ClassKey,
                slot,
                text.expose(),
                random,
            )
            .await
        })
    }

    /// The record that makes the page count.
    pub(crate) fn write_key_commit<R: TryCryptoRng + ?Sized>(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let KeyPagePayload { count, version, .. } = key_page.payload;
            let offset = class_key_offset(
                self.geometry,
                usize::try_from(count).map_err(|_| Fault::Internal)?,
            );
            let mut text = [0; PAIR_PAYLOAD];
            format::place(&mut text, 0, &count.to_le_bytes());
            format::place(&mut text, 4, &version.to_le_bytes());
            self.write_key_record(
                wrapping,
                key_page,
                offset,
                Kind::KeyCommit,
                NO_SLOT,
                &text,
                random,
            )
            .await
        })
    }

    #[allow(clippy::too_many_arguments)] // the parts of one record, each used once
    fn write_key_record<R: TryCryptoRng + ?Sized>(
        &mut self,
        wrapping: &WrapKeys,
        key_page: &KeyPage,
        offset: u32,
        kind: Kind,
        slot: u8,
        text: &[u8],
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let header = key_header(kind, slot, text.len())?;
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let mut record = Secret::new([0; SALT_RECORD]);
            format::place(record.expose_mut(), TEXT_START, text);
            let frame = Frame {
                header,
                key: &wrapping.wrap,
                place: Place {
                    salt: key_page.salt,
                    offset,
                },
                associated: &format::associated_data(M::KIND, header, key_page.payload.version, 0),
            };
            let size = frame.seal(self.geometry, &randomness, record.expose_mut())?;
            let bytes = record.expose().get(..size).ok_or(Fault::Internal)?;
            self.program(self.geometry.start(key_page.page) + offset, bytes)
                .await
        })
    }
}

fn key_header(kind: Kind, slot: u8, text_len: usize) -> Result<Header, Fault> {
    let steps = u16::try_from(text_len / 4).map_err(|_| Fault::Internal)?;
    Ok(Header {
        kind,
        slot,
        salt_at: 0,
        steps,
    })
}
