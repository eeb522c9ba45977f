//! Flash chips as drivers.
//!
//! ```text
//!  board
//!  part     (this file)
//!    spi_nor     serial NOR by its commands, over any SPI bus
//!    cfi_nor     parallel NOR of the Intel command set, memory-mapped
//!    partition   a stretch of a chip, which others hold stretches of, too
//! ```

pub mod cfi_nor;
pub mod partition;
pub mod spi_nor;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Why a chip did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartError {
    /// The call was out of bounds or not aligned: nothing was done.
    Refused(NorFlashErrorKind),
    /// A bit that is 0 was to become 1, which only an erase does: nothing was done.
    NeedsErase,
    /// The bus failed.
    Bus,
    /// The chip reports a failure.
    Status(u32),
    /// It was busy for longer than its data sheet allows.
    Busy,
}

impl NorFlashError for PartError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Refused(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for PartError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Refused(kind)
    }
}
