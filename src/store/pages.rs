//! The pages of the medium: programmed and read back, erased and marked, looked at until it is certain what they hold.
//!
//! ```text
//!  log · key_page · walk · mount
//!  pages    (this file)
//!  geometry · format
//! ```

use embedded_storage::nor_flash::NorFlashErrorKind;

use super::error::{Fault, MountError};
use super::format::{self, MAX_UNIT};
use super::geometry::Geometry;
use crate::crypto::Digest;
use crate::flash::{Medium, Routine, two_faces};
use crate::secret::Secret;

/// The medium as the store sees it.
pub(crate) struct Pages<M> {
    pub(crate) medium: M,
    pub(crate) geometry: Geometry,
    /// Highest number of erases seen in a mark.
    pub(crate) most_erases: u32,
}

/// How often what an interrupted write may have left is looked at before it is believed: its last word may read differently
/// each time.
pub(crate) const LOOKS: usize = 32;

const CHUNK_LEN: u32 = 64;
const CHUNK: usize = CHUNK_LEN as usize;
static ZEROS: [u8; 256] = [0; 256];

/// Where a store may be: a medium, whose driver says how long words and pages are, or pages of which that is known from elsewhere.
pub(crate) trait HasPages<M> {
    /// The pages on which a store with this label may be.
    fn pages(self, label: &str) -> Result<Pages<M>, MountError>;
}

impl<M: Medium> HasPages<M> for M {
    fn pages(self, label: &str) -> Result<Pages<M>, MountError> {
        if label.len() > format::MAX_LABEL {
            return Err(MountError::Label);
        }
        let geometry = Geometry::of(&self).ok_or(MountError::Geometry)?;
        Ok(Pages::new(self, geometry))
    }
}

#[cfg(feature = "lab")]
impl<M: Medium> HasPages<M> for Pages<M> {
    fn pages(self, label: &str) -> Result<Pages<M>, MountError> {
        if label.len() > format::MAX_LABEL {
            return Err(MountError::Label);
        }
        Ok(self)
    }
}

#[two_faces]
impl<M: Medium> Pages<M> {
    pub(crate) const fn new(medium: M, geometry: Geometry) -> Self {
        Self {
            medium,
            geometry,
            most_erases: 0,
        }
    }

    /// Programs and reads back.
    //= compliance/requirements.md#store-22
    //# What the store programs or erases MUST be read back and compared before it is relied on.
    pub(crate) fn program(
        &mut self,
        at: u32,
        bytes: &[u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.medium.write(at, bytes).await?;
            let mut chunk = [0; CHUNK];
            let mut done = at;
            for expected in bytes.chunks(CHUNK) {
                let actual = chunk.get_mut(..expected.len()).ok_or(Fault::Internal)?;
                self.medium.read(done, actual).await?;
                if actual != expected {
                    return Err(Fault::Unkept);
                }
                done += u32::try_from(expected.len()).map_err(|_| Fault::Internal)?;
            }
            Ok(())
        })
    }

    /// Reads where a word that was torn may not read at all: an error counts only if it stays.
    pub(crate) fn read_patiently(
        &mut self,
        at: u32,
        bytes: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), NorFlashErrorKind>>> {
        M::call(async move {
            for _ in 1..LOOKS {
                if self.medium.read(at, bytes).await.is_ok() {
                    return Ok(());
                }
            }
            self.medium.read(at, bytes).await
        })
    }

    /// The end of the last unit in `from..to` (both aligned) that is not provably blank: not all ones, or unreadable.
    pub(crate) fn last_not_blank(
        &mut self,
        from: u32,
        to: u32,
    ) -> Routine<M, impl Future<Output = Option<u32>>> {
        M::call(async move {
            let mut last = None;
            let mut chunk = [0; CHUNK];
            let mut at = from;
            while at < to {
                let len = usize::try_from(to - at).map_or(CHUNK, |left| left.min(CHUNK));
                let bytes = chunk.get_mut(..len)?;
                let read = self.medium.read(at, bytes).await;
                if read.is_err() || bytes.iter().any(|&byte| byte != 0xff) {
                    let unit = self.geometry.unit;
                    let mut word = [0; MAX_UNIT];
                    let mut offset = at;
                    while offset < to && offset < at + u32::try_from(len).ok()? {
                        let word = word.get_mut(..usize::try_from(unit).ok()?)?;
                        if self.read_patiently(offset, word).await.is_err()
                            || word.iter().any(|&byte| byte != 0xff)
                        {
                            last = Some(offset + unit);
                        }
                        offset += unit;
                    }
                }
                at += u32::try_from(len).ok()?;
            }
            last
        })
    }

    /// The first unit in `from..to` (both aligned) that is not provably blank.
    pub(crate) fn first_not_blank(
        &mut self,
        from: u32,
        to: u32,
    ) -> Routine<M, impl Future<Output = Option<u32>>> {
        M::call(async move {
            let unit = self.geometry.unit;
            let mut at = from;
            while at < to {
                if self.last_not_blank(at, (at + unit).min(to)).await.is_some() {
                    return Some(at);
                }
                at += unit;
            }
            None
        })
    }

    /// Reads no further than to what is not blank.
    pub(crate) fn is_blank(&mut self, from: u32, to: u32) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let mut at = from;
            while at < to {
                let end = at.saturating_add(CHUNK_LEN).min(to);
                if self.last_not_blank(at, end).await.is_some() {
                    return false;
                }
                at = end;
            }
            true
        })
    }

    /// Whether bytes read as blank every time.
    pub(crate) fn is_steadily_blank(&mut self, from: u32, to: u32) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            for _ in 0..LOOKS {
                if !self.is_blank(from, to).await {
                    return false;
                }
            }
            true
        })
    }

    /// The erase mark of a page.
    pub(crate) fn erases_of(
        &mut self,
        page: u16,
    ) -> Routine<M, impl Future<Output = Result<Option<u32>, Fault>>> {
        M::call(async move {
            let mut mark = [0; MAX_UNIT];
            let len = usize::try_from(self.geometry.first()).map_err(|_| Fault::Internal)?;
            let bytes = mark.get_mut(..len).ok_or(Fault::Internal)?;
            // A word that does not read is a mark that is not whole.
            Ok(
                match self.read_patiently(self.geometry.start(page), bytes).await {
                    Ok(()) => format::read_erase_mark(bytes),
                    Err(_) => None,
                },
            )
        })
    }

    /// Whether a page is erased for certain: marked, and blank after the mark. Gives its number of erases.
    pub(crate) fn is_erased(
        &mut self,
        page: u16,
    ) -> Routine<M, impl Future<Output = Result<Option<u32>, Fault>>> {
        M::call(async move {
            let Some(erases) = self.erases_of(page).await? else {
                return Ok(None);
            };
            let start = self.geometry.start(page);
            let blank = self
                .is_blank(start + self.geometry.first(), start + self.geometry.page)
                .await;
            Ok(blank.then_some(erases))
        })
    }

    /// Whether that reads so every time.
    pub(crate) fn is_steadily_erased(
        &mut self,
        page: u16,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            for _ in 0..LOOKS {
                if self.is_erased(page).await?.is_none() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Erases a page, checks that it is blank, and only then marks it as erased.
    //= compliance/requirements.md#store-6
    //# The store MUST NOT rely on a page being erased unless a mark written after a verified erase says so.
    pub(crate) fn erase_page(
        &mut self,
        page: u16,
        at_least: u32,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let before = self
                .erases_of(page)
                .await?
                .unwrap_or(self.most_erases)
                .max(at_least);
            let start = self.geometry.start(page);
            self.medium.erase(start, start + self.geometry.page).await?;
            if !self.is_blank(start, start + self.geometry.page).await {
                return Err(Fault::Unkept);
            }
            let erases = before.saturating_add(1);
            let mark = format::erase_mark(erases);
            let len = usize::try_from(self.geometry.first()).map_err(|_| Fault::Internal)?;
            self.program(start, mark.get(..len).ok_or(Fault::Internal)?)
                .await?;
            self.most_erases = self.most_erases.max(erases);
            Ok(())
        })
    }

    /// Programs zeros over what must go.
    pub(crate) fn program_zeros(
        &mut self,
        from: u32,
        to: u32,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let mut at = from;
            while at < to {
                let len = usize::try_from(to - at).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
                self.program(at, ZEROS.get(..len).ok_or(Fault::Internal)?).await?;
                at += u32::try_from(len).map_err(|_| Fault::Internal)?;
            }
            Ok(())
        })
    }

    /// Whether bytes read the same every time.
    pub(crate) fn is_steady(&mut self, from: u32, len: u32) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            // A fingerprint to compare with itself: no secret is needed.
            let any_key = Secret::new([0; 16]);
            let mut first = None;
            let mut chunk = [0; CHUNK];
            for _ in 0..LOOKS {
                let mut seen = Digest::new(&any_key);
                let mut at = from;
                while at < from + len {
                    let size =
                        usize::try_from(from + len - at).map_or(chunk.len(), |left| left.min(chunk.len()));
                    let Some(bytes) = chunk.get_mut(..size) else {
                        return false;
                    };
                    if self.read_patiently(at, bytes).await.is_err() {
                        return false;
                    }
                    seen.add(bytes);
                    at += u32::try_from(size).unwrap_or(len);
                }
                if *first.get_or_insert(seen.value()) != seen.value() {
                    return false;
                }
            }
            true
        })
    }
}
