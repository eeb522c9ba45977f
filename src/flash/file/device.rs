//! A block device, if it is the one that was meant: a slip in a path must not be paid for with a partition.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::OpenError;
use super::lock::LockedFile;
use super::open::{holds_no_data, refuse_replaced};
use super::storage::{self, Storage as _};
use super::system::System;

/// Opens a block device of exactly `capacity` bytes that nobody else has, the system included.
//= compliance/requirements.md#file-8
//# A block device MUST be taken only where it is called one, has exactly the size that it was said to have, and is neither mounted nor open elsewhere as flash.
pub(super) fn open(system: &mut impl System, path: &Path, capacity: u32) -> Result<LockedFile, OpenError> {
    let there = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing { path: path.into() },
        _ => OpenError::io(path, "look at the device")(error),
    })?;
    if !there.file_type().is_block_device() {
        return Err(OpenError::NotADevice { path: path.into() });
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    // Of a block device, Linux takes this for "and nobody else, neither a mount nor another who says so" (open(2)).
    options.custom_flags(OFlags::EXCL.bits().cast_signed());
    let device = system.open(&options, path).map_err(|error| match error.kind() {
        io::ErrorKind::ResourceBusy => OpenError::Locked { path: path.into() },
        io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path: path.into() },
        _ => OpenError::io(path, "open the device")(error),
    })?;
    let mut device = LockedFile::new(device, path)?;
    refuse_replaced(&device, path, fs::metadata(path))?;
    let found = device.size().map_err(OpenError::io(path, "look at the device"))?;
    if found != u64::from(capacity) {
        return Err(OpenError::Size {
            path: path.into(),
            found,
            expected: capacity.into(),
        });
    }
    Ok(device)
}

/// Makes a block device blank that holds nothing but zeros and ones from end to end.
//= compliance/requirements.md#file-8
//# A block device that holds data MUST NOT be made blank.
pub(super) fn create(system: &mut impl System, path: &Path, capacity: u32) -> Result<LockedFile, OpenError> {
    let mut device = open(system, path, capacity)?;
    if !holds_no_data(&mut device).map_err(OpenError::io(path, "read the device"))? {
        return Err(OpenError::AlreadyThere { path: path.into() });
    }
    storage::write_blank(&mut device, 0, capacity as usize)
        .and_then(|()| system.sync_file(device.file()))
        .map_err(OpenError::io(path, "fill the device"))?;
    Ok(device)
}
