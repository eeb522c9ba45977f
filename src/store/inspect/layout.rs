//! Word, page size and medium of an image, as the clear bytes of its key pages state them.
//!
//! ```text
//!  page · opened
//!  layout   (this file)
//!  geometry · format
//! ```

use super::ImageError;
use crate::flash::MediumKind;
use crate::store::format::{self, CLEAR_LEN, MAGIC, MAX_UNIT};
use crate::store::geometry::{Geometry, MAX_PAGE, MAX_REGION, MIN_PAGE, MIN_PAGES};

/// The sizes of a store, and the kind of its medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// What a programmed word allows.
    pub medium: MediumKind,
    /// Bytes of a word: everything on flash is aligned to it.
    pub word: u32,
    /// Bytes of a page.
    pub page_size: u32,
    /// Number of pages.
    pub pages: u16,
    /// What the store uses beyond a plain one, one bit each; section 12 of the format document.
    pub features: u8,
    /// The id of the store, if a key page states it.
    pub store_id: Option<[u8; 16]>,
}

impl Layout {
    /// The layout that the key pages state. One that stands where it says itself that a key page is counts, the first of two.
    pub(super) fn in_image(image: &[u8]) -> Result<Self, ImageError> {
        let mut newer = None;
        let farthest = usize::try_from(MAX_PAGE)
            .unwrap_or(usize::MAX)
            .saturating_add(MAX_UNIT);
        for at in (0..image.len().min(farthest.saturating_add(1))).step_by(4) {
            let Some(clear) = image.get(at..).and_then(|rest| rest.get(..CLEAR_LEN)) else {
                break;
            };
            if !clear.starts_with(&MAGIC) {
                continue;
            }
            let version = clear.get(8).copied().unwrap_or_default();
            if version != format::VERSION {
                newer = newer.or(Some(version).filter(|&version| version > format::VERSION));
            } else if let Some(layout) = Self::stated(clear).filter(|layout| layout.has_key_page_at(at)) {
                return Ok(layout);
            }
        }
        Err(newer.map_or(ImageError::NoLayout, ImageError::NewerFormat))
    }

    fn stated(clear: &[u8]) -> Option<Self> {
        let byte = |at: usize| clear.get(at).copied().unwrap_or_default();
        let medium = [MediumKind::Overwritable, MediumKind::WriteOnce]
            .into_iter()
            .find(|&kind| format::medium_byte(kind) == byte(9))?;
        let pages = u16::try_from(format::number(clear, 16)).ok()?;
        Self {
            medium,
            word: u32::from(byte(10)),
            page_size: format::number(clear, 12),
            pages,
            features: byte(11),
            store_id: clear.get(20..).and_then(<[u8]>::first_chunk).copied(),
        }
        .if_sound()
    }

    pub(super) fn given(len: usize, medium: MediumKind, word: u32, page_size: u32) -> Option<Self> {
        let len = u32::try_from(len).unwrap_or(u32::MAX).min(MAX_REGION);
        Self {
            medium,
            word,
            page_size,
            pages: u16::try_from(len.checked_div(page_size)?).ok()?,
            features: 0,
            store_id: None,
        }
        .if_sound()
    }

    fn if_sound(self) -> Option<Self> {
        let sound = matches!(self.word, 4 | 8 | 16 | 32)
            && (MIN_PAGE..=MAX_PAGE).contains(&self.page_size)
            && self.page_size.is_multiple_of(self.word)
            && u32::from(self.pages) >= MIN_PAGES
            && u32::from(self.pages).checked_mul(self.page_size)? <= MAX_REGION;
        sound.then_some(self)
    }

    fn has_key_page_at(&self, at: usize) -> bool {
        let first = self.geometry().first();
        [first, first.saturating_add(self.page_size)]
            .iter()
            .any(|&place| usize::try_from(place) == Ok(at))
    }

    pub(super) const fn geometry(&self) -> Geometry {
        Geometry {
            unit: self.word,
            page: self.page_size,
            pages: self.pages,
        }
    }
}
