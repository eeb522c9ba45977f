//! A stretch of a chip as a driver of its own: the store has one, the limiter another.
//!
//! ```text
//!  part
//!    partition (this file)
//! ```

use core::cell::RefCell;

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use super::PartError;

/// `bytes` bytes of a chip from `start` on; both whole erase units.
pub struct Partition<'a, F> {
    chip: &'a RefCell<F>,
    start: u32,
    bytes: usize,
}

impl<'a, F> Partition<'a, F> {
    /// The stretch. One that does not lie on the chip is refused by the chip at each call.
    pub const fn new(chip: &'a RefCell<F>, start: u32, bytes: usize) -> Self {
        Self { chip, start, bytes }
    }
}

impl<F> ErrorType for Partition<'_, F> {
    type Error = PartError;
}

impl<F: ReadNorFlash<Error = PartError>> ReadNorFlash for Partition<'_, F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PartError> {
        check_read(self, offset, bytes.len())?;
        let mut chip = self.chip.try_borrow_mut().map_err(|_| PartError::Bus)?;
        chip.read(on_chip(self.start, offset)?, bytes)
    }

    fn capacity(&self) -> usize {
        self.bytes
    }
}

impl<F: NorFlash<Error = PartError>> NorFlash for Partition<'_, F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PartError> {
        check_erase(self, from, to)?;
        let mut chip = self.chip.try_borrow_mut().map_err(|_| PartError::Bus)?;
        chip.erase(on_chip(self.start, from)?, on_chip(self.start, to)?)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PartError> {
        check_write(self, offset, bytes.len())?;
        let mut chip = self.chip.try_borrow_mut().map_err(|_| PartError::Bus)?;
        chip.write(on_chip(self.start, offset)?, bytes)
    }
}

impl<F: MultiwriteNorFlash<Error = PartError>> MultiwriteNorFlash for Partition<'_, F> {}

fn on_chip(start: u32, offset: u32) -> Result<u32, PartError> {
    start
        .checked_add(offset)
        .ok_or(PartError::Refused(NorFlashErrorKind::OutOfBounds))
}
