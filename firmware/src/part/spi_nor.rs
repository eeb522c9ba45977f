//! Serial NOR flash by the commands that all makers share, over any SPI bus of `embedded-hal`.
//!
//! ```text
//!  part
//!    spi_nor  (this file)
//!  embedded-hal SpiDevice
//! ```
//!
//! A programmed byte may be programmed again, towards zero: such chips are `Overwritable`. Erase units of 4 KiB, program pages of 256 bytes,
//! addresses of 3 bytes (chips of up to 16 MiB).

use embedded_hal::spi::{Operation, SpiDevice};
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash, check_erase, check_read, check_write,
};

use super::PartError;

const WRITE_ENABLE: u8 = 0x06;
const READ_STATUS: u8 = 0x05;
const READ: u8 = 0x03;
const PAGE_PROGRAM: u8 = 0x02;
const SECTOR_ERASE: u8 = 0x20;
const READ_ID: u8 = 0x9f;

/// Bit of the status: an erase or a program is under way.
const BUSY: u8 = 0x01;
/// Bytes that one command programs at most, and whose border none crosses.
const PROGRAM_PAGE: usize = 256;
/// Reads of the status before the chip counts as broken. An erase takes 400 ms at most, a read of the status 400 ns at 40 MHz.
const MOST_POLLS: u32 = 4_000_000;

/// A chip on a bus.
pub struct SpiNor<S> {
    bus: S,
    capacity: usize,
}

impl<S: SpiDevice> SpiNor<S> {
    /// Asks the chip what it is; the third byte of its identification is the logarithm of its size.
    ///
    /// # Errors
    ///
    /// [`PartError::Bus`]; [`PartError::Status`] with the identification where no chip of 64 KiB to 16 MiB answers.
    pub fn new(mut bus: S) -> Result<Self, PartError> {
        let mut id = [0; 3];
        bus.transaction(&mut [Operation::Write(&[READ_ID]), Operation::Read(&mut id)])
            .map_err(|_| PartError::Bus)?;
        let [maker, kind, log] = id;
        if !(16..=24).contains(&log) {
            return Err(PartError::Status(u32::from_be_bytes([0, maker, kind, log])));
        }
        Ok(Self {
            bus,
            capacity: 1 << log,
        })
    }

    /// Write enable, a command with an address and data, and the wait for its end.
    fn change(&mut self, command: u8, offset: u32, data: &[u8]) -> Result<(), PartError> {
        let [_, a, b, c] = offset.to_be_bytes();
        self.bus.write(&[WRITE_ENABLE]).map_err(|_| PartError::Bus)?;
        self.bus
            .transaction(&mut [Operation::Write(&[command, a, b, c]), Operation::Write(data)])
            .map_err(|_| PartError::Bus)?;
        for _ in 0..MOST_POLLS {
            let mut status = [0];
            self.bus
                .transaction(&mut [Operation::Write(&[READ_STATUS]), Operation::Read(&mut status)])
                .map_err(|_| PartError::Bus)?;
            if status[0] & BUSY == 0 {
                return Ok(());
            }
        }
        Err(PartError::Busy)
    }
}

impl<S> ErrorType for SpiNor<S> {
    type Error = PartError;
}

impl<S: SpiDevice> ReadNorFlash for SpiNor<S> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PartError> {
        check_read(self, offset, bytes.len())?;
        let [_, a, b, c] = offset.to_be_bytes();
        self.bus
            .transaction(&mut [Operation::Write(&[READ, a, b, c]), Operation::Read(bytes)])
            .map_err(|_| PartError::Bus)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<S: SpiDevice> NorFlash for SpiNor<S> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PartError> {
        check_erase(self, from, to)?;
        for sector in (from..to).step_by(Self::ERASE_SIZE) {
            self.change(SECTOR_ERASE, sector, &[])?;
        }
        Ok(())
    }

    fn write(&mut self, mut offset: u32, mut bytes: &[u8]) -> Result<(), PartError> {
        check_write(self, offset, bytes.len())?;
        while !bytes.is_empty() {
            let room = PROGRAM_PAGE - offset as usize % PROGRAM_PAGE;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.change(PAGE_PROGRAM, offset, now)?;
            offset += now.len() as u32;
            bytes = later;
        }
        Ok(())
    }
}

impl<S: SpiDevice> MultiwriteNorFlash for SpiNor<S> {}
