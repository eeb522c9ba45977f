//! A system that loses power with names that no directory has yet, and bytes that no disk has.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{format, vec};

use super::super::open;
use super::super::system::{Host, System};

const CAPACITY: u32 = 8192;

/// The files are real; what would not be on the disk yet is remembered, and lost when power goes.
#[derive(Default)]
struct Losing {
    /// Calls until nothing happens any more.
    calls_left: Option<u32>,
    /// Whether the disk has the bytes.
    has_bytes: bool,
    /// The name it was given.
    named: Option<PathBuf>,
    /// Whether the disk has the name.
    has_name: bool,
}

/// What the disk has of a name that was given and not synced.
#[derive(Clone, Copy, Debug)]
enum Name {
    New,
    Old,
    Neither,
}

/// What the disk has of bytes that were written and not synced.
#[derive(Clone, Copy, Debug)]
enum Bytes {
    All,
    Some,
    Zeros,
    None,
}

impl Losing {
    fn after(calls: u32) -> Self {
        Self {
            calls_left: Some(calls),
            ..Self::default()
        }
    }

    fn call(&mut self) -> io::Result<()> {
        match &mut self.calls_left {
            Some(0) => return Err(io::Error::other("power is off")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    fn lose_power(&self, unfinished: &Path, name: Name, bytes: Bytes) {
        let at = self.named.as_deref().unwrap_or(unfinished);
        if !self.has_bytes {
            let file = File::options().write(true).open(at).unwrap();
            let size = file.metadata().unwrap().len();
            match bytes {
                Bytes::All => {}
                Bytes::Some => file.set_len(size / 2 + 3).unwrap(),
                Bytes::None | Bytes::Zeros => file.set_len(0).unwrap(),
            }
            if matches!(bytes, Bytes::Zeros) {
                file.set_len(size).unwrap();
            }
        }
        match name {
            _ if self.has_name => {}
            Name::New => {}
            Name::Old => fs::rename(at, unfinished).unwrap(),
            Name::Neither => fs::remove_file(at).unwrap(),
        }
    }
}

impl System for Losing {
    fn sync_file(&mut self, file: &File) -> io::Result<()> {
        self.call()?;
        self.has_bytes = true;
        Host.sync_file(file)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        self.named = Some(to.into());
        Host.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.call()?;
        Host.remove(path)
    }

    fn sync_directory(&mut self, directory: &Path) -> io::Result<()> {
        self.call()?;
        if let Some(parent) = self.named.as_deref().and_then(Path::parent) {
            self.has_name = fs::canonicalize(directory)? == fs::canonicalize(parent)?;
        }
        Ok(())
    }
}

//= compliance/requirements.md#file-6
//= type=test
//# A file that was made or opened MUST still stand under its name if power goes after that.
#[test]
fn file_that_is_made_is_there_and_whole_or_not_there_wherever_power_goes() {
    let (mut there, mut not_there) = (0, 0);
    for name in [Name::New, Name::Old, Name::Neither] {
        for bytes in [Bytes::All, Bytes::Some, Bytes::Zeros, Bytes::None] {
            for calls in 0.. {
                let context = format!("{name:?}, {bytes:?}, off after {calls} calls");
                let place = Place::new();
                let path = place.path("store.img");
                let mut system = Losing::after(calls);
                let made = open::create(&mut system, &path, CAPACITY).is_ok();
                system.lose_power(&place.path("store.img.new"), name, bytes);
                if path.exists() {
                    there += 1;
                    assert!(
                        fs::read(&path).unwrap() == vec![0xff; CAPACITY as usize],
                        "{context}"
                    );
                    open::open(&mut Host, &path, CAPACITY).unwrap();
                } else {
                    not_there += 1;
                    assert!(!made, "{context}: made, and gone");
                    open::create(&mut Host, &path, CAPACITY).unwrap();
                }
                if made {
                    break;
                }
            }
        }
    }
    assert!(there > 12 && not_there > 12, "{there}, {not_there}");
}

#[test]
fn name_that_a_killed_process_gave_is_durable_when_the_file_is_opened() {
    for through_link in [false, cfg!(unix)] {
        let place = Place::new();
        let path = place.path("store.img");
        // Bytes and name, and then it is killed.
        let mut system = Losing::after(2);
        assert!(open::create(&mut system, &path, CAPACITY).is_err());
        assert!(path.exists());
        system.calls_left = None;

        let elsewhere = Place::new();
        let link = elsewhere.path("link.img");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let named = if through_link { &link } else { &path };
        open::open(&mut system, named, CAPACITY).unwrap();
        system.lose_power(&place.path("store.img.new"), Name::Old, Bytes::None);
        assert!(path.exists(), "through a link: {through_link}");
        open::open(&mut Host, named, CAPACITY).unwrap();
    }
}

// ---- a place for files ----

/// A directory that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bydesign-names-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
