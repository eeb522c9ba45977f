//! A file as the flash: the same store, and the same bytes, on embedded Linux and on a PC.
//!
//! ```text
//!  store
//!  flash      Medium = Overwritable | WriteOnce
//!  file       (this file)  clears bits, sets units, and returns when the disk has it
//!    open       made whole or not at all; opened if it is what it should be
//!    device     a block device in its place (Linux)
//!    lock       had by one at a time
//!    storage    reads and writes in full
//!    system     names, and what of them stays
//!    error      why not, and which file
//! ```
//!
//! # What is on the disk
//!
//! The image of the flash, byte for byte and nothing else: a dump of a device's flash is opened as a file, and a file is programmed
//! into a device or read by whatever reads such dumps. Blank flash is all ones, so the file has no holes: it takes its full
//! size from the start, and where the file system overwrites in place no later write runs out of disk. (An image kept inverted
//! would be sparse, and readable by nothing else.)
//!
//! # Which wrapper
//!
//! [`WriteOnce`](super::WriteOnce), unless the image has to be that of a device whose part is
//! [`Overwritable`](super::Overwritable). Both work. But on a disk, overwriting costs a sync for each old record and proves
//! nothing (below); and a sector that is never written again cannot be lost when power goes.
//!
//! # Power loss
//!
//! The store needs what [`Medium`](super::Medium) says: words in order, and none of them touched but by the call it belongs to. A
//! file gives that if the disk writes a *sector* of 512 bytes whole, or from its first byte up to some byte, and leaves other
//! sectors alone: so a call goes sector by sector, each synced before the next, and returns after the last. Larger sectors that
//! are written whole are as good. `sync_data` rather than a file opened for synchronous writing: it is the same promise, and there
//! on every system.
//!
//! Not covered: a disk that acknowledges a sync and has nothing written (some memory cards); one that loses a sector it was
//! writing, and with it the records beside the new one: the mount then reports damage, and does not guess.
//!
//! # Security
//!
//! What is sealed is sealed: whoever has the disk and not the root key reads sizes and counts. What is *erased* is another matter.
//! Solid-state disks, memory cards, copy-on-write and journalling file systems, snapshots and backups keep old copies of
//! what was overwritten, key pages among them. On a file, therefore, neither an overwritten record nor a destroyed class key
//! is proof against somebody who reads the raw disk **and** has the root key. Keep the root key off that disk, in a TPM or a TEE.
//! To make the old copies of an erased class worthless, change the root key after the erasure
//! ([`Store::change_root_key`](crate::store::Store::change_root_key)) and destroy the old one where it is kept: what wrapped the class
//! key is then gone. Old copies of an item that was only removed open for as long as the key of its class lives.
//!
//! A file is made for its owner alone. The lock keeps honest programs apart and nobody else; it is meant for local file systems.
//! Whoever may write to the directory can put another file in the place of this one. On Unix systems that is noticed up to the moment
//! the lock is had ([`OpenError::Replaced`]), and not after: to replace a file, open it, and then remove it or rename another over it
//! before it is dropped. A file that somebody makes shorter or longer while it is open is not written to any more
//! ([`AccessError::Size`]); one that was cut short and made as long again between two calls cannot be told by its size.
//!
//! Serves CoP 9. [`CLAIMS`] names the provisions of EN 303 645, how far each is served and by which requirements.

use std::io;
use std::path::{Path, PathBuf};

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash, check_erase, check_read, check_write,
};

mod claims;
#[cfg(target_os = "linux")]
mod device;
mod error;
mod lock;
mod open;
mod storage;
mod system;
#[cfg(test)]
mod tests;

pub use claims::CLAIMS;
pub use error::{AccessError, OpenError};

use lock::LockedFile;
use storage::Storage;
use system::Host;

/// NOR flash in a file: `WRITE` bytes a word, `ERASE` bytes an erase unit, reads of any length.
///
/// Programming clears bits and never sets one; erasing sets the bits of whole units. See the [module](self) for which wrapper to
/// put it in and what a disk can promise.
///
/// ```
/// use bydesign::flash::WriteOnce;
/// use bydesign::flash::file::{FileFlash, OpenError};
/// use bydesign::store::{Class, Key, Ram, Store};
///
/// const NAME: Key<[u8; 5]> = Key::new("name", Class::Settings);
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("bydesign-example-{}.img", std::process::id()));
/// # let secret = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
/// let root_key = bydesign::secret::RootKey::new(secret)?;
/// let mut random = getrandom::SysRng;
///
/// let flash = FileFlash::<4, 4096>::create(&path, 64 * 1024)?;
/// let mut store = Store::format(WriteOnce::new(flash), Ram::<32, 256>::new(), &root_key, "settings", &mut random)?;
/// store.put(&NAME, b"hello", &mut random)?;
///
/// // one at a time
/// let second = FileFlash::<4, 4096>::open(&path, 64 * 1024);
/// assert!(matches!(second, Err(OpenError::Locked { .. })));
///
/// // the next boot
/// drop(store);
/// let flash = FileFlash::<4, 4096>::open(&path, 64 * 1024)?;
/// let mut store = Store::mount(WriteOnce::new(flash), Ram::<32, 256>::new(), &root_key, "settings")?;
/// assert_eq!(store.get(&NAME)?, Some(*b"hello"));
/// # drop(store);
/// # std::fs::remove_file(path)?;
/// # Ok(())
/// # }
/// ```
///
/// `S` is the locked file; nothing else can be put there.
#[derive(Debug)]
pub struct FileFlash<const WRITE: usize, const ERASE: usize, S: Storage = LockedFile> {
    storage: S,
    /// For messages.
    path: PathBuf,
    capacity: u32,
    /// A write or a sync failed, or the size changed: what reads back may not be what is on the disk.
    suspect: bool,
}

impl<const WRITE: usize, const ERASE: usize> FileFlash<WRITE, ERASE> {
    /// Makes a blank file of `capacity` bytes, which must be one or more whole erase units, and has it locked until it is
    /// dropped.
    ///
    /// It is written under the same name with `.new` behind it, and renamed when it is whole.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::AlreadyThere`] if anything has the name, or something that holds data the other, and what has it
    /// is as it was. [`OpenError::Replaced`] if another process took one of the names away while the file was made.
    ///
    /// # Power loss
    ///
    /// There is no file, or a whole one. What is left of the other is taken away by the next attempt.
    ///
    /// # Security
    ///
    /// On Unix systems only the owner may read or write the file.
    pub fn create(path: impl AsRef<Path>, capacity: usize) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let capacity = Self::capacity_of(path, capacity)?;
        Self::over(open::create(&mut Host, path, capacity)?, path, capacity)
    }

    /// Opens a file of `capacity` bytes, and has it locked until it is dropped.
    ///
    /// Regular files only. A block device has calls of its own: a slip in a path would be paid for with a partition.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the file is as it was. [`OpenError::Replaced`] if it lost its name before it was locked, on Unix systems; the next
    /// attempt finds what has the name then.
    ///
    /// # Power loss
    ///
    /// Nothing is changed. What a process that was killed had written and not synced, the name included, is on the disk when
    /// this returns.
    pub fn open(path: impl AsRef<Path>, capacity: usize) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let capacity = Self::capacity_of(path, capacity)?;
        Self::over(open::open(&mut Host, path, capacity)?, path, capacity)
    }

    /// Makes a block device blank, and has it until it is dropped: a partition of an eMMC or SD card for the store alone.
    ///
    /// The whole device is the flash: `capacity` is its size in bytes, exactly. It must hold nothing but zeros and ones, so that a slip in
    /// the path costs no data; one that was in use is wiped beforehand, by whoever knows that it may be (`blkdiscard`, `dd`).
    ///
    /// ```no_run
    /// use bydesign::flash::WriteOnce;
    /// use bydesign::flash::file::FileFlash;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // once, in the factory: then `open_device`
    /// let flash = FileFlash::<4, 4096>::create_on_device("/dev/disk/by-partlabel/settings", 1024 * 1024)?;
    /// let medium = WriteOnce::new(flash);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`]; [`OpenError::AlreadyThere`] if it holds data, and then it is as it was.
    ///
    /// # Power loss
    ///
    /// What is not blank yet holds zeros or ones as before: the next attempt begins anew.
    ///
    /// # Security
    ///
    /// The device's translation layer moves data as it likes. What is erased there is *cleared* at most, and receipts say so
    /// ([`Media::Managed`](crate::erase::Media::Managed)).
    #[cfg(target_os = "linux")]
    pub fn create_on_device(path: impl AsRef<Path>, capacity: usize) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let capacity = Self::capacity_of(path, capacity)?;
        Self::over(device::create(&mut Host, path, capacity)?, path, capacity)
    }

    /// Opens a block device of exactly `capacity` bytes, and has it until it is dropped.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the device is as it was. [`OpenError::Locked`] if it is mounted or had by another who asks for it alone; also for the
    /// moment in which the system looks at a new device.
    ///
    /// # Power loss
    ///
    /// Nothing is changed.
    #[cfg(target_os = "linux")]
    pub fn open_device(path: impl AsRef<Path>, capacity: usize) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let capacity = Self::capacity_of(path, capacity)?;
        Self::over(device::open(&mut Host, path, capacity)?, path, capacity)
    }

    fn capacity_of(path: &Path, capacity: usize) -> Result<u32, OpenError> {
        // Addresses are 32 bits wide.
        u32::try_from(capacity)
            .ok()
            .filter(|_| capacity > 0 && capacity.is_multiple_of(ERASE))
            .ok_or_else(|| OpenError::Capacity {
                path: path.into(),
                capacity,
                erase_size: ERASE,
            })
    }
}

impl<const WRITE: usize, const ERASE: usize, S: Storage> FileFlash<WRITE, ERASE, S> {
    /// Takes a storage over, when what reads back from it stays.
    fn over(mut storage: S, path: &Path, capacity: u32) -> Result<Self, OpenError> {
        const {
            assert!(WRITE > 0, "a word has at least one byte");
            assert!(
                ERASE > 0 && ERASE.is_multiple_of(WRITE),
                "an erase unit is made of whole words"
            );
        }
        // A process that was killed may have left what is not on the disk yet.
        storage.sync().map_err(OpenError::io(path, "sync the file"))?;
        Ok(Self {
            storage,
            path: path.into(),
            capacity,
            suspect: false,
        })
    }

    /// The name it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    //= compliance/requirements.md#file-5
    //# After a write or a sync has failed, a file MUST refuse every call until it is opened anew.
    fn refuse_if_suspect(&self) -> Result<(), AccessError> {
        if self.suspect {
            return Err(AccessError::Suspect {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    fn read_all(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), AccessError> {
        let read = storage::read_all(&mut self.storage, offset, bytes);
        if matches!(&read, Err(error) if error.kind() == io::ErrorKind::UnexpectedEof) {
            self.refuse_if_resized()?;
        }
        read.map_err(AccessError::io(&self.path, "read"))
    }

    /// Written behind its end, a file would grow again, with a hole in between that reads as zeros: as programmed.
    //= compliance/requirements.md#file-7
    //# A file that was made shorter or longer since it was opened MUST be refused by name when it is to be written to, and MUST NOT be made longer.
    fn refuse_if_resized(&mut self) -> Result<(), AccessError> {
        let found = self
            .storage
            .size()
            .map_err(AccessError::io(&self.path, "look at the file"))?;
        let expected = u64::from(self.capacity);
        if found == expected {
            return Ok(());
        }
        self.suspect = true;
        Err(AccessError::Size {
            path: self.path.clone(),
            found,
            expected,
        })
    }

    /// Writes, and returns when it stays.
    //= compliance/requirements.md#file-2
    //# A call that programs or erases a file MUST NOT go on to the next sector or unit, or return success, before what it wrote is durable.
    fn write_through(&mut self, write: impl FnOnce(&mut S) -> io::Result<()>) -> Result<(), AccessError> {
        self.suspect = true;
        self.refuse_if_resized()?;
        write(&mut self.storage).map_err(AccessError::io(&self.path, "write"))?;
        self.storage.sync().map_err(AccessError::io(&self.path, "sync"))?;
        self.suspect = false;
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize, S: Storage> ErrorType for FileFlash<WRITE, ERASE, S> {
    type Error = AccessError;
}

impl<const WRITE: usize, const ERASE: usize, S: Storage> ReadNorFlash for FileFlash<WRITE, ERASE, S> {
    const READ_SIZE: usize = 1;

    /// # Errors
    ///
    /// [`AccessError`]; [`AccessError::Size`] if somebody cut off what was to be read.
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), AccessError> {
        self.refuse_if_suspect()?;
        check_read(self, offset, bytes.len()).map_err(AccessError::refused(&self.path))?;
        self.read_all(offset.into(), bytes)
    }

    fn capacity(&self) -> usize {
        self.capacity as usize
    }
}

impl<const WRITE: usize, const ERASE: usize, S: Storage> NorFlash for FileFlash<WRITE, ERASE, S> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    /// # Errors
    ///
    /// [`AccessError`]; [`AccessError::Size`] if somebody made the file shorter or longer since it was opened. The size is looked at before
    /// each sector.
    ///
    /// # Power loss
    ///
    /// Sectors before the interrupted one are as asked, those after it are untouched.
    //= compliance/requirements.md#file-3
    //# Programming a file MUST clear bits only, and erasing it MUST set all bits of the units and no other.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), AccessError> {
        self.refuse_if_suspect()?;
        check_write(self, offset, bytes.len()).map_err(AccessError::refused(&self.path))?;
        let mut sector = [0; SECTOR];
        let mut at = u64::from(offset);
        let mut rest = bytes;
        while !rest.is_empty() {
            let left_in_sector = SECTOR - offset_in_sector(at);
            let (asked, later) = rest.split_at(rest.len().min(left_in_sector));
            let (cells, _) = sector.split_at_mut(asked.len());
            self.read_all(at, cells)?;
            for (cell, asked) in cells.iter_mut().zip(asked) {
                *cell &= asked;
            }
            self.write_through(|storage| storage::write_all(storage, at, cells))?;
            at += asked.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// # Errors
    ///
    /// [`AccessError`]; [`AccessError::Size`] if somebody made the file shorter or longer since it was opened. The size is looked at before
    /// each unit.
    ///
    /// # Power loss
    ///
    /// Units before the interrupted one are erased, those after it are untouched; of the interrupted one, any sector is.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), AccessError> {
        self.refuse_if_suspect()?;
        check_erase(self, from, to).map_err(AccessError::refused(&self.path))?;
        for unit in (from..to).step_by(ERASE) {
            self.write_through(|storage| storage::write_blank(storage, unit.into(), ERASE))?;
        }
        Ok(())
    }
}

impl<const WRITE: usize, const ERASE: usize, S: Storage> MultiwriteNorFlash for FileFlash<WRITE, ERASE, S> {}

fn offset_in_sector(at: u64) -> usize {
    usize::try_from(at % SECTOR as u64).unwrap_or(0) // less than a sector
}

/// Bytes that a disk writes whole, or from the first up to some byte: the smallest in use.
const SECTOR: usize = 512;
