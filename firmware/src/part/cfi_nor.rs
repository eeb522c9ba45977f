//! Parallel NOR flash of the Intel command set: two chips of 16 bits side by side, memory-mapped.
//!
//! ```text
//!  part
//!    cfi_nor  (this file)
//!  memory that answers to commands
//! ```
//!
//! Driven as write-once: a word that is not blank is not programmed. (Such chips would allow programming again, towards zero; QEMU's model does not keep to
//! "towards zero", so a driver that relies on it would prove nothing there.) Erase units of 256 KiB, words of 4 bytes.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash, check_erase, check_read, check_write};

use super::PartError;

// The same command to both chips.
const ERASE: u32 = 0x0020_0020;
const CONFIRM: u32 = 0x00d0_00d0;
const PROGRAM: u32 = 0x0040_0040;
const CLEAR_STATUS: u32 = 0x0050_0050;
const READ_ARRAY: u32 = 0x00ff_00ff;
/// Bit of each status: done.
const READY: u32 = 0x0080_0080;
/// All others are failures.
const FAILURES: u32 = 0x007f_007f;
const BLANK: u32 = 0xffff_ffff;
/// Reads of the status before the chips count as broken. An erase takes 4 s at most, a read 100 ns.
const MOST_POLLS: u32 = 40_000_000;

/// The chips at an address.
pub struct CfiNor {
    base: *mut u32,
    capacity: usize,
}

impl CfiNor {
    /// # Safety
    ///
    /// At `base` there are `capacity` bytes of such chips, and nobody else writes there.
    pub const unsafe fn new(base: *mut u32, capacity: usize) -> Self {
        Self { base, capacity }
    }

    fn get(&self, word: usize) -> u32 {
        // SAFETY: `new`, and callers have checked the bounds.
        unsafe { self.base.add(word).read_volatile() }
    }

    fn set(&mut self, word: usize, value: u32) {
        // SAFETY: `new`, and callers have checked the bounds.
        unsafe { self.base.add(word).write_volatile(value) }
    }

    /// After a command the chips show their status until they are told to show what they hold.
    fn wait(&mut self, word: usize) -> Result<(), PartError> {
        let mut status = 0;
        for _ in 0..MOST_POLLS {
            status = self.get(word);
            if status & READY == READY {
                break;
            }
        }
        self.set(word, CLEAR_STATUS);
        self.set(word, READ_ARRAY);
        match status {
            status if status & READY != READY => Err(PartError::Busy),
            status if status & FAILURES != 0 => Err(PartError::Status(status)),
            _ => Ok(()),
        }
    }
}

impl ErrorType for CfiNor {
    type Error = PartError;
}

impl ReadNorFlash for CfiNor {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PartError> {
        check_read(self, offset, bytes.len())?;
        let first = offset as usize / 4;
        for (word, bytes) in (first..).zip(bytes.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&self.get(word).to_le_bytes());
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl NorFlash for CfiNor {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 256 * 1024;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PartError> {
        check_erase(self, from, to)?;
        for block in (from..to).step_by(Self::ERASE_SIZE) {
            let word = block as usize / 4;
            self.set(word, ERASE);
            self.set(word, CONFIRM);
            self.wait(word)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PartError> {
        check_write(self, offset, bytes.len())?;
        let first = offset as usize / 4;
        for (word, bytes) in (first..).zip(bytes.as_chunks::<4>().0) {
            let value = u32::from_le_bytes(*bytes);
            if value == BLANK {
                continue;
            }
            if self.get(word) != BLANK {
                return Err(PartError::NeedsErase);
            }
            self.set(word, PROGRAM);
            self.set(word, value);
            self.wait(word)?;
        }
        Ok(())
    }
}
