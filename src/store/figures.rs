//! How full and how worn a store is.
//!
//! ```text
//!  store
//!  figures  (this file)
//!  log · memory
//! ```

use super::log::Log;
use super::memory::Index;
use crate::flash::{Medium, MediumKind};

/// How full and how worn the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Items stored.
    pub items: usize,
    /// Bytes of flash that the items take, overhead included.
    pub live_bytes: u32,
    /// Bytes of items that the flash is sure to hold at the present mix of sizes.
    pub capacity_bytes: u32,
    /// Pages of the log that hold none of it now.
    pub free_pages: u32,
    /// Pages of the log that failed and are left out for good: four at most.
    pub left_out_pages: u32,
    /// Bytes of a page.
    pub page_bytes: u32,
    /// The highest number of erases that any page has seen.
    pub most_erases: u32,
    /// How often class keys were made or erased, the root key changed or a page left out.
    pub key_version: u32,
    usable: u32,
    log_pages: u32,
    overhead: u32,
    unit: u32,
}

impl Figures {
    pub(crate) fn of<M: Medium>(log: &Log<M>, index: &Index<'_>) -> Self {
        let geometry = log.pages.geometry;
        let usable = geometry.usable();
        let waste = log.largest.saturating_sub(geometry.unit);
        let ring = log.ring();
        let pages = ring.kept().saturating_sub(ring.spare());
        Self {
            items: index.len(),
            live_bytes: log.live_bytes,
            capacity_bytes: pages.saturating_mul(usable.saturating_sub(waste)),
            free_pages: log.free_pages(),
            left_out_pages: ring.number_left_out(),
            page_bytes: geometry.page,
            most_erases: log.pages.most_erases,
            key_version: log.key_page.payload.version,
            usable,
            log_pages: ring.kept(),
            overhead: if M::KIND == MediumKind::Overwritable {
                37
            } else {
                29
            },
            unit: geometry.unit,
        }
    }

    /// How many more updates of values of `value_len` bytes under names of `name_len` bytes the flash takes, if its pages
    /// endure `endurance` erases and the live data stays as it is. An estimate: sizes and restarts vary.
    #[must_use]
    pub fn updates_left(&self, name_len: u32, value_len: u32, endurance: u32) -> u64 {
        let size = self
            .overhead
            .saturating_add(name_len)
            .saturating_add(value_len)
            .checked_next_multiple_of(self.unit)
            .unwrap_or(u32::MAX);
        let per_turn = u64::from(self.log_pages) * u64::from(self.usable / size.max(1));
        let copies = u64::from(self.live_bytes / size.max(1));
        let turns = u64::from(endurance.saturating_sub(self.most_erases));
        turns * per_turn.saturating_sub(copies)
    }
}
