//! What a page says before any key is known: a store of ours, someone else's data, the leavings of a format, nothing.
//!
//! ```text
//!  key_page · mount
//!  clear    (this file)
//!  pages · geometry · format
//! ```

use embedded_storage::nor_flash::NorFlashErrorKind;

use super::error::{Fault, MountError};
use super::format::{self, CLEAR_LEN, MAGIC, MAX_UNIT};
use super::geometry::{Geometry, LOG_START};
use super::pages::Pages;
use crate::flash::{Medium, MediumKind, Routine, two_faces};

/// What the clear part of a key page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clear {
    /// No key page.
    Blank,
    /// Something else.
    Foreign,
    /// The driver reports an error.
    Unreadable(NorFlashErrorKind),
    /// A store of a newer format.
    Newer(u8),
    /// A store that uses features of this format that this reader does not know.
    Features(u8),
    /// A store of this format for another medium kind.
    OtherMedium,
    /// A store of this format for another geometry.
    OtherGeometry,
    /// A store that may be mounted here.
    Store { store_id: [u8; 16] },
}

/// The clear part of a key page as this version writes it.
pub(crate) fn clear_part(
    geometry: Geometry,
    kind: MediumKind,
    features: u8,
    store_id: &[u8; 16],
) -> [u8; CLEAR_LEN] {
    let mut bytes = [0; CLEAR_LEN];
    format::place(&mut bytes, 0, &MAGIC);
    let unit = u8::try_from(geometry.unit).unwrap_or(0);
    format::place(
        &mut bytes,
        8,
        &[format::VERSION, format::medium_byte(kind), unit, features],
    );
    format::place(&mut bytes, 12, &geometry.page.to_le_bytes());
    format::place(&mut bytes, 16, &u32::from(geometry.pages).to_le_bytes());
    format::place(&mut bytes, 20, store_id);
    bytes
}

/// Where a key page's first sealed record stands: behind the clear part.
pub(crate) fn clear_end(geometry: Geometry) -> u32 {
    geometry.first() + geometry.align(u32::try_from(CLEAR_LEN).unwrap_or(0))
}

/// The store ids on the key pages, the second if it differs.
type StoreIds = ([u8; 16], Option<[u8; 16]>);

#[two_faces]
impl<M: Medium> Pages<M> {
    /// The store ids on the key pages, one or two that differ, or why there is nothing to mount.
    //= compliance/requirements.md#store-14
    //# A mount with the wrong root key or label, on foreign flash, or of a newer format MUST fail with a reason and change nothing on flash.
    #[inline(never)]
    pub(crate) fn find_store(&mut self) -> Routine<M, impl Future<Output = Result<StoreIds, MountError>>> {
        M::call(async move {
            let (first, other) = (self.store_id(0).await?, self.store_id(1).await?);
            if let Some(id) = first.or(other) {
                return Ok((id, other.filter(|&other| other != id)));
            }
            let mut refusal = MountError::Unformatted;
            for page in 0..LOG_START {
                match self.read_clear(page).await? {
                    Clear::Newer(version) => refusal = MountError::NewerFormat(version),
                    Clear::Features(features) => refusal = MountError::UnknownFeatures(features),
                    Clear::OtherMedium => refusal = MountError::Medium,
                    Clear::OtherGeometry => refusal = MountError::Geometry,
                    Clear::Foreign if refusal == MountError::Unformatted => refusal = MountError::Foreign,
                    Clear::Unreadable(kind) if refusal == MountError::Unformatted => {
                        refusal = MountError::Flash(kind);
                    }
                    Clear::Foreign | Clear::Unreadable(_) | Clear::Blank | Clear::Store { .. } => {}
                }
            }
            // A store made for pages of another size has its key page where we do not look for it.
            if matches!(refusal, MountError::Foreign | MountError::Unformatted)
                && self.has_magic_elsewhere().await
            {
                refusal = MountError::Geometry;
            }
            if refusal == MountError::Unformatted
                && let Some(page) = self.cut_key_page().await
            {
                refusal = MountError::Damaged(self.geometry.start(page));
            }
            Err(refusal)
        })
    }

    /// The id of the store whose key page this is. Reads little of a page that does not begin like one.
    pub(crate) fn store_id(
        &mut self,
        page: u16,
    ) -> Routine<M, impl Future<Output = Result<Option<[u8; 16]>, Fault>>> {
        M::call(async move {
            if !self.begins_like_a_key_page(page).await {
                return Ok(None);
            }
            match self.read_clear(page).await? {
                Clear::Store { store_id } => Ok(Some(store_id)),
                _ => Ok(None),
            }
        })
    }

    /// Whether a page reads blank where a key page has its clear part.
    pub(crate) fn has_no_clear_part(&mut self, page: u16) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let start = self.geometry.start(page);
            self.is_blank(start + self.geometry.first(), start + clear_end(self.geometry))
                .await
        })
    }

    fn begins_like_a_key_page(&mut self, page: u16) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let geometry = self.geometry;
            let mut begin = [0; MAX_UNIT];
            // Whole units: some parts read nothing less.
            let begin = usize::try_from(geometry.unit.max(8))
                .ok()
                .and_then(|len| begin.get_mut(..len));
            let Some(begin) = begin else { return false };
            let at = geometry.start(page) + geometry.first();
            self.medium.read(at, begin).await.is_ok() && begin.starts_with(&MAGIC)
        })
    }

    /// A key page that ends early beside a log that holds something. A format begins its key page when the log holds
    /// nothing: no interrupted write leaves this.
    pub(crate) fn cut_key_page(&mut self) -> Routine<M, impl Future<Output = Option<u16>>> {
        M::call(async move {
            for page in 0..LOG_START {
                if self.begins_like_a_key_page(page).await && !self.is_log_unused().await {
                    return Some(page);
                }
            }
            None
        })
    }

    /// Whether the first page begins like a key page of another unit.
    fn has_magic_elsewhere(&mut self) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let mut bytes = [0; 64];
            let read = self.medium.read(self.geometry.start(0), &mut bytes).await;
            read.is_ok()
                && [12, 16, 32].iter().any(|&at| {
                    u32::try_from(at) != Ok(self.geometry.first())
                        && bytes.get(at..).is_some_and(|rest| rest.starts_with(&MAGIC))
                })
        })
    }

    /// What the clear part of a key page says.
    pub(crate) fn read_clear(&mut self, page: u16) -> Routine<M, impl Future<Output = Result<Clear, Fault>>> {
        M::call(async move {
            let geometry = self.geometry;
            let mut bytes = [0; 3 * MAX_UNIT];
            let len = usize::try_from(clear_end(geometry)).map_err(|_| Fault::Internal)?;
            let bytes = bytes.get_mut(..len).ok_or(Fault::Internal)?;
            if let Err(kind) = self.medium.read(geometry.start(page), bytes).await {
                return Ok(Clear::Unreadable(kind));
            }
            let first = usize::try_from(geometry.first()).map_err(|_| Fault::Internal)?;
            let (mark, clear) = bytes.split_at_checked(first).ok_or(Fault::Internal)?;
            if !clear.starts_with(&MAGIC) {
                // The clear part is the first that is written: torn, it has nothing behind it. With something behind it, it is
                // damaged, or never was ours.
                let leavings =
                    format::may_be_torn_mark(mark) && self.is_all_ones(page, clear_end(geometry)).await;
                return Ok(if leavings { Clear::Blank } else { Clear::Foreign });
            }
            // A page that was torn while it was written has nothing behind its clear part and first record, whatever they say.
            let behind = clear_end(geometry) + geometry.salt_record() + geometry.store_key_record();
            if self.is_all_ones(page, behind).await {
                return Ok(Clear::Blank);
            }
            let number = |at: usize| clear.get(at).copied().unwrap_or(0);
            if number(8) > format::VERSION {
                return Ok(Clear::Newer(number(8)));
            }
            if number(11) & !format::FEATURES != 0 {
                return Ok(Clear::Features(number(11)));
            }
            let store_id: [u8; 16] = clear
                .get(20..)
                .and_then(<[u8]>::first_chunk)
                .copied()
                .unwrap_or_default();
            if number(9) != format::medium_byte(M::KIND) {
                return Ok(Clear::OtherMedium);
            }
            if clear.get(..CLEAR_LEN) != Some(&clear_part(geometry, M::KIND, number(11), &store_id)) {
                return Ok(Clear::OtherGeometry);
            }
            Ok(Clear::Store { store_id })
        })
    }

    /// Whether a page holds nothing, or what a format leaves that was cut short: our own mark with anything behind it, or a
    /// torn mark with nothing behind it.
    pub(crate) fn is_left_by_format(&mut self, page: u16) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let mut mark = [0; MAX_UNIT];
            let Some(mark) = usize::try_from(self.geometry.first())
                .ok()
                .and_then(|first| mark.get_mut(..first))
            else {
                return false;
            };
            if self.medium.read(self.geometry.start(page), mark).await.is_err() {
                return false;
            }
            format::read_erase_mark(mark).is_some()
                || (format::may_be_torn_mark(mark) && self.is_all_ones(page, self.geometry.first()).await)
        })
    }

    /// Whether the log holds nothing but, at most, the first record of its first page.
    pub(crate) fn is_log_unused(&mut self) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let first = self.geometry.first();
            for page in LOG_START..self.geometry.pages {
                let from = if page == LOG_START {
                    first + self.geometry.salt_record()
                } else {
                    first
                };
                if !self.is_all_ones(page, from).await {
                    return false;
                }
            }
            true
        })
    }

    /// Whether a page reads as ones from an offset on. A word that does not read is none.
    fn is_all_ones(&mut self, page: u16, from: u32) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let start = self.geometry.start(page);
            self.is_blank(start + from, start + self.geometry.page).await
        })
    }
}
