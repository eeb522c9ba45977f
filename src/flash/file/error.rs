//! Why a file was not made or opened, and why a call on it failed: always with its path.

use std::io;
use std::path::{Path, PathBuf};

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

/// Why a file was not made or opened. What was there is as it was; a file that was being made is not there, or whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A mistake of the caller: no file has this many bytes. Never caused by what is on the disk.
    #[error("{}: {capacity} bytes are not one or more whole erase units of {erase_size} bytes, at most {} in all", path.display(), u32::MAX)]
    Capacity {
        /// Which file.
        path: PathBuf,
        /// Bytes asked for.
        capacity: usize,
        /// Bytes of an erase unit.
        erase_size: usize,
    },
    /// There is no such file.
    #[error("{}: there is no such file", path.display())]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// A file was to be made, and something has that name already.
    #[error("{}: is there already", path.display())]
    AlreadyThere {
        /// What is there.
        path: PathBuf,
    },
    /// A directory, device, pipe or socket.
    #[error("{}: is not a regular file", path.display())]
    NotAFile {
        /// What is none.
        path: PathBuf,
    },
    /// No block device.
    #[error("{}: is not a block device", path.display())]
    NotADevice {
        /// What is none.
        path: PathBuf,
    },
    /// The file is marked as read-only.
    #[error("{}: is marked as read-only", path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
    },
    /// Another process, or another handle of this one, has the file.
    #[error("{}: is in use, by another process or another handle", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// Between the opening and the lock, or while it was made, the file lost its name: somebody removed or moved it, or gave the
    /// name to another. What has the name now is as it was; the next attempt finds it.
    #[error("{}: was removed or replaced in the meantime", path.display())]
    Replaced {
        /// Which file.
        path: PathBuf,
    },
    /// The file is shorter or longer than it was said to be.
    #[error("{}: has {found} bytes, not {expected}", path.display())]
    Size {
        /// Which file.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes asked for.
        expected: u64,
    },
    /// The system said no.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// For `map_err`: what was tried, and with which file.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.into(),
            action,
            source,
        }
    }
}

/// Why a call on a file failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Offset or length is not a multiple of the word (program) or the erase unit (erase). Nothing changed.
    #[error("{}: the arguments are not aligned", path.display())]
    NotAligned {
        /// Which file.
        path: PathBuf,
    },
    /// The range ends beyond the file, or before it begins. Nothing changed.
    #[error("{}: the arguments are out of bounds", path.display())]
    OutOfBounds {
        /// Which file.
        path: PathBuf,
    },
    /// The system said no. A read changed nothing; a write left what an interrupted one leaves, and nothing but
    /// [`AccessError::Suspect`] follows it.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody made the file shorter or longer since it was opened. This call wrote nothing where that was noticed or after, and nothing
    /// but [`AccessError::Suspect`] follows it.
    #[error("{}: has {found} bytes by now, not {expected}: somebody changed its size", path.display())]
    Size {
        /// Which file.
        path: PathBuf,
        /// Bytes it has.
        found: u64,
        /// Bytes it had when it was opened.
        expected: u64,
    },
    /// An earlier write failed, or somebody changed the size, so that what reads back may not be what is on the disk. Open the file anew.
    #[error("{}: an earlier write failed, or the size was changed; open the file anew", path.display())]
    Suspect {
        /// Which file.
        path: PathBuf,
    },
}

impl AccessError {
    /// For `map_err`: what `embedded-storage`'s checks found wrong with the arguments.
    pub(super) fn refused(path: &Path) -> impl FnOnce(NorFlashErrorKind) -> Self {
        move |kind| match kind {
            NorFlashErrorKind::NotAligned => Self::NotAligned { path: path.into() },
            _ => Self::OutOfBounds { path: path.into() },
        }
    }

    /// For `map_err`: what was tried, and with which file.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.into(),
            action,
            source,
        }
    }
}

impl NorFlashError for AccessError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::NotAligned { .. } => NorFlashErrorKind::NotAligned,
            Self::OutOfBounds { .. } => NorFlashErrorKind::OutOfBounds,
            Self::Io { .. } | Self::Size { .. } | Self::Suspect { .. } => NorFlashErrorKind::Other,
        }
    }
}
