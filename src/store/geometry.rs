//! Sizes and places that follow from the medium: units, pages, the ring. Section 1 of the format document.
//!
//! ```text
//!  pages · record · log …
//!  geometry (this file)
//!  format
//! ```

use super::format::{Header, MAX_UNIT};
use crate::flash::Medium;

/// A logical page is at least this long.
pub(crate) const MIN_PAGE: u32 = 1024;
/// And at most this.
pub(crate) const MAX_PAGE: u32 = 256 * 1024;
/// The log's first page; the two before it hold the class keys.
pub(crate) const LOG_START: u16 = 2;
/// Fewest pages: two for keys, two for the log.
pub(crate) const MIN_PAGES: u32 = 4;
/// Addresses are 24 bits of 4-byte steps.
pub(crate) const MAX_REGION: u32 = 64 * 1024 * 1024;
/// A program page of common parts: what an interrupted program call may have touched.
const PROGRAM_PAGE: u32 = 256;
/// And at least this.
const LEAST_SKIP: u32 = 128;

/// The sizes of one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) unit: u32,
    pub(crate) page: u32,
    pub(crate) pages: u16,
}

impl Geometry {
    /// `None` where a store cannot live on the medium.
    pub(crate) fn of<M: Medium>(medium: &M) -> Option<Self> {
        let number = |size: usize| u32::try_from(size).ok();
        let (read_size, write_size, erase_size) = medium.sizes();
        let unit = number(write_size.max(read_size).max(4))?;
        let erase = number(erase_size)?;
        let page = MIN_PAGE.div_ceil(erase.max(1)).checked_mul(erase)?;
        let sound = unit.is_power_of_two()
            && number(MAX_UNIT).is_some_and(|limit| unit <= limit)
            && write_size.is_power_of_two()
            && read_size.is_power_of_two()
            && erase >= unit
            && erase.is_multiple_of(unit)
            && page <= MAX_PAGE;
        if !sound {
            return None;
        }
        let pages = u32::try_from(medium.capacity())
            .unwrap_or(u32::MAX)
            .min(MAX_REGION)
            / page;
        let pages = u16::try_from(pages).unwrap_or(u16::MAX);
        (u32::from(pages) >= MIN_PAGES).then_some(Self { unit, page, pages })
    }

    pub(crate) fn align(self, bytes: u32) -> u32 {
        round_up(bytes, self.unit)
    }

    /// The next place at which a salt can stand.
    pub(crate) fn to_granule(self, at: u32) -> u32 {
        round_up(at, self.granule())
    }

    /// The next place at which a write may be attempted after one that failed.
    pub(crate) fn to_skip(self, at: u32) -> u32 {
        round_up(at, self.skip())
    }

    /// A place as headers give it.
    pub(crate) fn in_granules(self, at: u32) -> Option<u16> {
        u16::try_from(at.checked_shr(self.granule().trailing_zeros())?).ok()
    }

    /// Where the first record of a page stands.
    pub(crate) fn first(self) -> u32 {
        self.align(12)
    }

    /// The step in which a header can say where its salt stands.
    pub(crate) fn granule(self) -> u32 {
        self.unit.max(self.page.div_ceil(1024).next_power_of_two())
    }

    /// How far beyond what an interrupted write may have touched the next one starts: a program page, which parts with pages
    /// of less than 4 KiB have shorter. Never less than a Session record takes, or attempts could overlap.
    pub(crate) fn skip(self) -> u32 {
        let program_page = (self.page.next_power_of_two() / 16).clamp(LEAST_SKIP, PROGRAM_PAGE);
        self.granule().max(program_page)
    }

    /// Bytes that a record takes, padding included.
    pub(crate) fn size(self, header: Header) -> u32 {
        u32::try_from(header.len()).map_or(u32::MAX, |len| self.align(len))
    }

    /// Bytes that a Page or Session record takes.
    pub(crate) fn salt_record(self) -> u32 {
        self.align(84)
    }

    /// Bytes that a Removal or Retire record takes.
    pub(crate) fn pair_record(self) -> u32 {
        self.align(36)
    }

    /// Bytes that a Commit record takes.
    pub(crate) fn commit_record(self) -> u32 {
        self.align(44)
    }

    /// Bytes that a Checkpoint record takes.
    pub(crate) fn checkpoint_record(self) -> u32 {
        self.align(76)
    }

    /// Bytes that an Index record with so many bytes of plaintext takes.
    pub(crate) fn index_record(self, text: u32) -> u32 {
        self.align(text.saturating_add(28))
    }

    /// Bytes that a Store key record takes.
    pub(crate) fn store_key_record(self) -> u32 {
        self.align(60)
    }

    /// Bytes that a Class key record takes.
    pub(crate) fn class_key_record(self) -> u32 {
        self.align(80)
    }

    /// Bytes of values and copies that a page takes.
    pub(crate) fn usable(self) -> u32 {
        // Page record, the Session record of a start, and a Removal or Retire record, which must always find room.
        self.page
            .saturating_sub(self.first() + 2 * self.salt_record() + self.pair_record())
    }

    /// Pages of the log.
    pub(crate) fn log_pages(self) -> u32 {
        u32::from(self.pages.saturating_sub(LOG_START))
    }

    /// The page that generation `generation` of the log lives on.
    pub(crate) fn page_of(self, generation: u32) -> u16 {
        let ring = generation.saturating_sub(1) % self.log_pages().max(1);
        u16::try_from(ring).unwrap_or(0) + LOG_START
    }

    /// First byte of a page.
    pub(crate) fn start(self, page: u16) -> u32 {
        u32::from(page) * self.page
    }

    /// The address of a record, in 4-byte steps.
    pub(crate) fn address(self, page: u16, offset: u32) -> u32 {
        (self.start(page) + offset) / 4
    }

    /// Page and offset of an address; `None` if it lies outside the log.
    pub(crate) fn place(self, address: u32) -> Option<(u16, u32)> {
        let byte = address.checked_mul(4)?;
        let page = u16::try_from(byte.checked_div(self.page)?).ok()?;
        (page >= LOG_START && page < self.pages).then_some((page, byte - self.start(page)))
    }
}

/// The next multiple of a power of two. Units, granules and skips are such; a division would have to be told that they are not zero.
fn round_up(value: u32, power_of_two: u32) -> u32 {
    let below = power_of_two.wrapping_sub(1);
    value.saturating_add(below) & !below
}
