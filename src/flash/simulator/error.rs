//! Why a call on the simulator failed, and what a driver-agnostic caller sees of it.

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Why a call on the simulator failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// Power went during this call or before it; [`Simulator::power_on`](super::Simulator::power_on) brings it back.
    #[error("power is off")]
    PowerLost,
    /// Offset or length is not a multiple of the word (program) or the erase unit (erase). Nothing changed.
    #[error("the arguments are not aligned")]
    NotAligned,
    /// The range ends beyond the part, or before it begins. Nothing changed.
    #[error("the arguments are out of bounds")]
    OutOfBounds,
    /// The word at this address was programmed since its erase, and the part is
    /// [`Rule::WriteOnce`](super::Rule::WriteOnce). Nothing changed.
    #[error("the word at {0:#x} is programmed already")]
    ProgrammedTwice(u32),
    /// The word at this address fails to read; the buffer is left as it was.
    #[error("the word at {0:#x} cannot be read")]
    Unreadable(u32),
    /// The erase unit at this address is worn out, see [`WornOut`](super::WornOut). Nothing changed.
    #[error("the erase unit at {0:#x} is worn out")]
    WornOut(u32),
    /// The error asked for by [`Simulator::fail_after`](super::Simulator::fail_after). Nothing changed.
    #[error("injected: {0}")]
    Injected(NorFlashErrorKind),
}

impl NorFlashError for SimulatorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds => NorFlashErrorKind::OutOfBounds,
            Self::Injected(kind) => *kind,
            Self::PowerLost | Self::ProgrammedTwice(_) | Self::Unreadable(_) | Self::WornOut(_) => {
                NorFlashErrorKind::Other
            }
        }
    }
}

/// The error for what `embedded-storage`'s checks found wrong with the arguments.
pub(super) fn refused(kind: NorFlashErrorKind) -> SimulatorError {
    match kind {
        NorFlashErrorKind::NotAligned => SimulatorError::NotAligned,
        _ => SimulatorError::OutOfBounds,
    }
}
