//! What the calls on the simulator cost, and how long they would take on a chip.

use std::vec;
use std::vec::Vec;

/// Work done by the simulated part.
///
/// An interrupted call counts for as far as it came. A call that failed for another reason does not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Read calls.
    pub reads: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Program calls.
    pub programs: u64,
    /// Bytes programmed whole.
    pub bytes_programmed: u64,
    /// Program pages of 256 bytes touched, summed over the program calls: a serial NOR chip takes one program cycle for
    /// each.
    pub pages_touched: u64,
    /// Units whose erase began.
    pub erases: u64,
    /// The same by unit: the wear.
    pub erases_per_unit: Vec<u32>,
    /// Bits that a program call asked to be one where a zero was, and that stayed zero.
    pub lost_ones: u64,
}

impl Counters {
    /// All zero, for a part of `units` erase units.
    pub(super) fn new(units: usize) -> Self {
        Self {
            erases_per_unit: vec![0; units],
            ..Self::default()
        }
    }

    /// Microseconds this work takes on a common serial NOR chip: 200 a program page touched, 45 000 an erase unit,
    /// and 40 bytes read each microsecond.
    ///
    /// A model to compare designs by, not a promise about your part: it knows no bus, driver or suspend.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // exact up to 2^53 bytes
    pub fn modelled_micros(&self) -> f64 {
        self.pages_touched as f64 * MICROS_PER_PROGRAM_PAGE
            + self.erases as f64 * MICROS_PER_ERASE
            + self.bytes_read as f64 / BYTES_READ_PER_MICRO
    }

    pub(super) fn touch_pages(&mut self, start: usize, length: usize) {
        let pages = (start + length).div_ceil(PROGRAM_PAGE) - start / PROGRAM_PAGE;
        self.pages_touched += if length == 0 { 0 } else { pages as u64 };
    }

    pub(super) fn erase(&mut self, unit: usize) {
        self.erases += 1;
        if let Some(erases) = self.erases_per_unit.get_mut(unit) {
            *erases += 1;
        }
    }
}

/// Bytes; of nearly all serial NOR chips.
const PROGRAM_PAGE: usize = 256;

// Typical times of the 4 KiB sector parts that small devices carry; data sheets give 0.2 to 0.7 ms a page and 30 to
// 45 ms a sector, and 40 MB/s is four lanes at 80 MHz.
const MICROS_PER_PROGRAM_PAGE: f64 = 200.0;
const MICROS_PER_ERASE: f64 = 45_000.0;
const BYTES_READ_PER_MICRO: f64 = 40.0;
