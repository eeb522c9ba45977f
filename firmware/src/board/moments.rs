//! A chip whose power goes at a moment of its own that the host has chosen: which word, which erase, and how far it has come.
//!
//! ```text
//!  board::virt
//!  moments  (this file)
//!  part
//! ```
//!
//! What an emulated chip does at once, a real one does bit by bit. An erase that is cut amid is not begun here: the device says which unit it is, and the
//! host, which has the chip in a file, blanks half of it.

use core::fmt::Write as _;

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::Serial;
use crate::orders::Orders;

/// A store's mark of an erase, and the first record behind it, begin within so many bytes of a unit.
const BEGINNING: usize = 64;

/// A moment, by the number that `xtask/src/firmware/moment.rs` has for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// What one call writes at the beginning of an erase unit is programmed, the first of the unit or the one behind its mark.
    FirstProgram,
    /// Half of what one call writes is programmed.
    AmidProgram,
    /// What is to be erased has been declared dead, or its successor is there; the erase has not begun.
    BeforeErase,
    /// Half of the unit is blank.
    AmidErase,
    /// The unit is blank, and nothing says so yet.
    AfterErase,
}

impl Moment {
    const fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::FirstProgram,
            2 => Self::AmidProgram,
            3 => Self::BeforeErase,
            4 => Self::AmidErase,
            5 => Self::AfterErase,
            _ => return None,
        })
    }
}

/// The chip, until its power goes.
pub struct Moments<F> {
    chip: F,
    moment: Option<Moment>,
    /// Moments of this kind until then.
    left: u32,
    power_off: fn() -> !,
}

impl<F: NorFlash> Moments<F> {
    /// The chip, and how the board is turned off.
    pub fn new(chip: F, orders: &Orders, power_off: fn() -> !) -> Self {
        Self {
            chip,
            moment: Moment::of(orders.moment),
            left: orders.count,
            power_off,
        }
    }

    /// Whether the moment is now.
    fn is(&mut self, moment: Moment) -> bool {
        if self.moment != Some(moment) {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }

    fn stop_if(&mut self, moment: Moment) {
        if self.is(moment) {
            (self.power_off)();
        }
    }
}

impl<F: ErrorType> ErrorType for Moments<F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> ReadNorFlash for Moments<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.chip.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.chip.capacity()
    }
}

impl<F: NorFlash> NorFlash for Moments<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        for unit in (from..to).step_by(F::ERASE_SIZE) {
            self.stop_if(Moment::BeforeErase);
            if self.is(Moment::AmidErase) {
                let _ = writeln!(Serial, "erasing {unit}");
                (self.power_off)();
            }
            self.chip.erase(unit, unit + F::ERASE_SIZE as u32)?;
            self.stop_if(Moment::AfterErase);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let words = bytes.len() / F::WRITE_SIZE;
        if words > 1 && self.is(Moment::AmidProgram) {
            let half = bytes.get(..words / 2 * F::WRITE_SIZE).unwrap_or_default();
            self.chip.write(offset, half)?;
            (self.power_off)();
        }
        self.chip.write(offset, bytes)?;
        if offset as usize % F::ERASE_SIZE < BEGINNING {
            self.stop_if(Moment::FirstProgram);
        }
        Ok(())
    }
}
