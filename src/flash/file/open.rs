//! A file is made whole or not at all, and opened if it is what it should be.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::error::OpenError;
use super::lock::LockedFile;
use super::storage::{self, Storage as _};
use super::system::System;

/// Makes a blank file of `capacity` bytes, has it locked, and only then gives it its name.
//= compliance/requirements.md#file-6
//# A file that is made for the flash MUST be whole and blank when it appears under its name, wherever the making was interrupted.
pub(super) fn create(system: &mut impl System, path: &Path, capacity: u32) -> Result<LockedFile, OpenError> {
    refuse_existing(path)?;
    let unfinished = unfinished(path);
    if fs::symlink_metadata(&unfinished).is_ok_and(|there| !there.is_file()) {
        return Err(OpenError::NotAFile { path: unfinished });
    }
    let file = system
        .open(private().create(true).truncate(false), &unfinished)
        .map_err(OpenError::io(&unfinished, "make the file"))?;
    let mut file = LockedFile::new(file, path)?;
    // Between the opening and the lock somebody else may have finished: then this is their file.
    if !is(&file, fs::symlink_metadata(&unfinished)) {
        return Err(OpenError::Locked { path: path.into() });
    }
    if !holds_no_data(&mut file).map_err(OpenError::io(&unfinished, "read the file"))? {
        return Err(OpenError::AlreadyThere { path: unfinished });
    }
    let named = refuse_existing(path)
        .and_then(|()| fill(system, &mut file, capacity).map_err(OpenError::io(&unfinished, "fill the file")))
        .and_then(|()| refuse_replaced(&file, &unfinished, fs::symlink_metadata(&unfinished)))
        .and_then(|()| {
            system
                .rename(&unfinished, path)
                .map_err(OpenError::io(path, "name the file"))
        });
    if named.is_err() && is(&file, fs::symlink_metadata(&unfinished)) {
        // The next attempt would begin anew; until then it would only take room.
        let _ = system.remove(&unfinished);
    }
    named?;
    refuse_replaced(&file, path, fs::symlink_metadata(path))?;
    sync_name(system, path)?;
    Ok(file)
}

/// Opens a file of `capacity` bytes, if it is one and nobody else has it.
//= compliance/requirements.md#file-4
//# A file that has another size than it was said to have, is marked as read-only or is no regular file MUST be refused by name and left as it was.
pub(super) fn open(system: &mut impl System, path: &Path, capacity: u32) -> Result<LockedFile, OpenError> {
    let there = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing { path: path.into() },
        _ => OpenError::io(path, "look at the file")(error),
    })?;
    // Before it is opened: opening a device or a pipe may already do something.
    if !there.is_file() {
        return Err(OpenError::NotAFile { path: path.into() });
    }
    // The superuser could write to it all the same.
    if there.permissions().readonly() {
        return Err(OpenError::ReadOnly { path: path.into() });
    }
    let file = system
        .open(&private(), path)
        .map_err(OpenError::io(path, "open the file"))?;
    let file = LockedFile::new(file, path)?;
    refuse_replaced(&file, path, fs::metadata(path))?;
    let found = file
        .file()
        .metadata()
        .map_err(OpenError::io(path, "look at the file"))?
        .len();
    if found != u64::from(capacity) {
        return Err(OpenError::Size {
            path: path.into(),
            found,
            expected: capacity.into(),
        });
    }
    // Whoever made it may have been killed before the name was durable.
    let target = fs::canonicalize(path).map_err(OpenError::io(path, "look at the file"))?;
    sync_name(system, &target)?;
    Ok(file)
}

/// The name a file has until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

fn refuse_existing(path: &Path) -> Result<(), OpenError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(OpenError::AlreadyThere { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpenError::io(path, "look for the file")(error)),
    }
}

/// For reading and writing; made, if it is made, for its owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Between the opening and the lock whoever had the file may have removed it: the lock would be that of a file without a name, and
/// the next to open the name would get another.
//= compliance/requirements.md#file-1
//# A file that has lost its name to another, or to none, when the lock is had MUST be refused by name.
pub(super) fn refuse_replaced(
    file: &LockedFile,
    path: &Path,
    there: io::Result<Metadata>,
) -> Result<(), OpenError> {
    if is(file, there) {
        Ok(())
    } else {
        Err(OpenError::Replaced { path: path.into() })
    }
}

/// Whether what stands under a name is this file.
#[cfg(unix)]
fn is(file: &LockedFile, there: io::Result<Metadata>) -> bool {
    use std::os::unix::fs::MetadataExt;

    match (file.file().metadata(), there) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// The standard library does not tell one file from another here: only that something stands there.
#[cfg(not(unix))]
fn is(_: &LockedFile, there: io::Result<Metadata>) -> bool {
    there.is_ok()
}

/// Whether nothing is there but what an attempt that was cut short leaves, or what a wiped disk has: blank bytes, or zeros.
pub(super) fn holds_no_data(file: &mut LockedFile) -> io::Result<bool> {
    let mut bytes = [0; 4096];
    let mut at = 0;
    loop {
        match file.read_at(at, &mut bytes) {
            Ok(0) => return Ok(true),
            Ok(read) => {
                let mut read_bytes = bytes.iter().take(read);
                if !read_bytes.all(|&byte| matches!(byte, 0 | 0xff)) {
                    return Ok(false);
                }
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes the file blank from end to end, whatever an earlier attempt left in it.
fn fill(system: &mut impl System, file: &mut LockedFile, capacity: u32) -> io::Result<()> {
    file.file().set_len(0)?;
    storage::write_blank(file, 0, capacity as usize)?;
    system.sync_file(file.file())
}

/// The name stays if power goes, as the bytes do.
//= compliance/requirements.md#file-6
//# A file that was made or opened MUST still stand under its name if power goes after that.
fn sync_name(system: &mut impl System, path: &Path) -> Result<(), OpenError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    system
        .sync_directory(directory)
        .map_err(OpenError::io(directory, "sync the directory"))
}
