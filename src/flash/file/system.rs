//! Names, and what stays if power goes: what making and opening a file asks of the system beside bytes at places.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// The system. In tests one that loses power, or on which others do something in between.
pub(super) trait System {
    /// Opens what has this name.
    fn open(&mut self, options: &OpenOptions, path: &Path) -> io::Result<File> {
        options.open(path)
    }

    /// Returns when the bytes of a file stay if power goes, and its size.
    fn sync_file(&mut self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    /// Gives a file another name.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Takes a name away.
    fn remove(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Returns when the names in a directory stay if power goes.
    #[cfg(unix)]
    fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    /// The standard library opens no directory here; the names are the file system's own care.
    #[cfg(not(unix))]
    fn sync_directory(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// The one this runs on.
pub(super) struct Host;

impl System for Host {}
