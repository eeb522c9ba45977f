//! A file that one has at a time.

use std::fs::File;
use std::io;
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::error::OpenError;
use super::storage::Storage;

/// A file that is locked until it is dropped, or its process ends.
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Takes the lock, or says that somebody else has it.
    //= compliance/requirements.md#file-1
    //# A file MUST NOT be open as flash twice at a time, in one process or in two: the second is refused by name, and changes nothing.
    pub(super) fn new(file: File, path: &Path) -> Result<Self, OpenError> {
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.into() }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(path, "lock the file")(error)),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for LockedFile {
    /// Closing would not do: a child process that another thread just began has a copy of the handle until it runs its
    /// own program, and the lock is gone when the last copy is.
    fn drop(&mut self) {
        // If this fails, closing is what is left.
        let _ = FileExt::unlock(&self.0);
    }
}

impl Storage for LockedFile {
    fn read_at(&mut self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        Storage::read_at(&mut self.0, offset, bytes)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        Storage::write_at(&mut self.0, offset, bytes)
    }

    fn size(&mut self) -> io::Result<u64> {
        Storage::size(&mut self.0)
    }

    fn sync(&mut self) -> io::Result<()> {
        Storage::sync(&mut self.0)
    }
}
