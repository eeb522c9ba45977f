//! An image as a driver. It has its own copy of the bytes: a mount may finish in it what a power cut interrupted.
//!
//! ```text
//!  opened
//!  copy     (this file)
//! ```

use std::vec::Vec;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};

use crate::flash::{Blocking, NeverPends, Overwritable, WriteOnce};

/// Flash in memory, of words and erase units of any length: the layout of the image decides.
pub(super) struct Copy {
    bytes: Vec<u8>,
}

impl Copy {
    fn range(&mut self, from: usize, to: usize) -> Result<&mut [u8], NorFlashErrorKind> {
        self.bytes.get_mut(from..to).ok_or(NorFlashErrorKind::OutOfBounds)
    }
}

impl ErrorType for Copy {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Copy {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let from = usize::try_from(offset).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        let here = self.range(from, from.saturating_add(bytes.len()))?;
        bytes.copy_from_slice(here);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Copy {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let number = |at: u32| usize::try_from(at).map_err(|_| NorFlashErrorKind::OutOfBounds);
        self.range(number(from)?, number(to)?)?.fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let from = usize::try_from(offset).map_err(|_| NorFlashErrorKind::OutOfBounds)?;
        let here = self.range(from, from.saturating_add(bytes.len()))?;
        here.iter_mut().zip(bytes).for_each(|(cell, byte)| *cell &= byte);
        Ok(())
    }
}

impl MultiwriteNorFlash for Copy {}

/// A medium over a copy of an image.
pub(super) trait Over: NeverPends {
    fn over(bytes: &[u8]) -> Self;
}

impl Over for Overwritable<Blocking<Copy>> {
    fn over(bytes: &[u8]) -> Self {
        Self::new(Copy { bytes: bytes.into() })
    }
}

impl Over for WriteOnce<Blocking<Copy>> {
    fn over(bytes: &[u8]) -> Self {
        Self::new(Copy { bytes: bytes.into() })
    }
}
