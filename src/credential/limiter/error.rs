//! What can go wrong before a check may be made.

use embedded_storage::nor_flash::NorFlashErrorKind;

use crate::store::{ReadError, WriteError};

/// Why no attempt may be made now. Whatever it is, no check runs: there is no [`Permit`](super::Permit).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttemptError {
    /// Too many attempts have failed: not before so many seconds have passed.
    #[error("wait {seconds} seconds")]
    Wait {
        /// Seconds that are left.
        seconds: u32,
    },
    /// So many have failed that the policy allows no more.
    #[error("locked")]
    Locked,
    /// The area does not belong to the epoch that the store names: erased, replaced, or of another time. See
    /// [`Limiter::repair`](super::Limiter::repair).
    #[error("the area is not that of the live epoch")]
    Area,
    /// There is no limiter of this name in the store: [`Limiter::create`](super::Limiter::create) was never called.
    #[error("there is no limiter of this name")]
    Missing,
    /// There is one already.
    #[error("there is a limiter of this name already")]
    Exists,
    /// The name is empty or longer than [`LONGEST_LIMITER_NAME`](super::LONGEST_LIMITER_NAME) bytes. Never caused by what is on flash.
    #[error("the name is empty or too long")]
    Name,
    /// The area has fewer than two erase units, or its units or words are too small or too large. Never caused by what is on flash.
    #[error("the area cannot hold a limiter")]
    Geometry,
    /// The record in the store is of a later version, or of an area of the other kind.
    #[error("the record is not one of this version and kind of medium")]
    Record,
    /// What was written did not read back: a fault of the part, or an attack on it.
    #[error("what was written does not read back")]
    Unkept,
    /// The random source failed, or the epochs are used up.
    #[error("no new epoch can be made")]
    Epoch,
    /// The area's driver failed.
    #[error("the area's driver failed: {0:?}")]
    Flash(NorFlashErrorKind),
    /// The store could not be read.
    #[error("the store: {0}")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store: {0}")]
    Write(#[from] WriteError),
}

impl From<NorFlashErrorKind> for AttemptError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Flash(kind)
    }
}
