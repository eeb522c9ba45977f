//! An image of flash in memory, of words and erase units whose sizes a profile names: what a factory programs into parts.
//!
//! ```text
//!  credential::factory
//!  store
//!  image    (this file)
//! ```

use std::vec::Vec;

use embedded_storage::nor_flash::NorFlashErrorKind;

use super::medium::awaited;
use super::medium::sealed::Access;
use super::{Medium, MediumKind, NeverPends, two_faces};

/// Flash in memory. It holds callers to what the part would: whole words, and on write-once parts each word once between erases.
pub(crate) struct Image<const OVERWRITABLE: bool> {
    bytes: Vec<u8>,
    word: usize,
    unit: usize,
}

impl<const OVERWRITABLE: bool> Image<OVERWRITABLE> {
    /// Blank flash of so many units.
    pub(crate) fn blank(word: usize, unit: usize, units: usize) -> Self {
        Self::of(std::vec![0xff; unit.saturating_mul(units)], word, unit)
    }

    /// What a part holds.
    pub(crate) fn of(bytes: Vec<u8>, word: usize, unit: usize) -> Self {
        Self { bytes, word, unit }
    }

    /// What is to be programmed into the part.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn range(&mut self, offset: u32, len: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        let from = usize::try_from(offset).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        let to = from.checked_add(len).ok_or(NorFlashErrorKind::OutOfBounds)?;
        self.bytes.get_mut(from..to).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl<const OVERWRITABLE: bool> NeverPends for Image<OVERWRITABLE> {}

impl<const OVERWRITABLE: bool> Medium for Image<OVERWRITABLE> {
    const KIND: MediumKind = MediumKind::of(OVERWRITABLE);
    const READ_SIZE: usize = 1;
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn sizes(&self) -> (usize, usize, usize) {
        (1, self.word, self.unit)
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

#[two_faces]
impl<const OVERWRITABLE: bool> Access for Image<OVERWRITABLE> {
    awaited!();

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let here = self.range(offset, bytes.len())?;
        bytes.copy_from_slice(here);
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let word = self.word;
        let from = usize::try_from(offset).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        if !from.is_multiple_of(word) || !bytes.len().is_multiple_of(word) {
            return Err(NorFlashErrorKind::NotAligned);
        }
        let here = self.range(offset, bytes.len())?;
        if !OVERWRITABLE && here.iter().any(|byte| *byte != 0xff) {
            return Err(NorFlashErrorKind::Other);
        }
        here.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        Ok(())
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let unit = u32::try_from(self.unit).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        let len = to.checked_sub(from).ok_or(NorFlashErrorKind::OutOfBounds)?;
        if !from.is_multiple_of(unit) || !len.is_multiple_of(unit) {
            return Err(NorFlashErrorKind::NotAligned);
        }
        let len = usize::try_from(len).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        self.range(from, len)?.fill(0xff);
        Ok(())
    }
}
