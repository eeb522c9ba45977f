//! A system that loses power with names that no directory has yet, and bytes that no disk has; and one on which another process
//! is faster.

use std::boxed::Box;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{format, vec};

use super::super::system::{Host, System};
use super::super::{FileFlash, OpenError, open};

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

// ---- others ----

/// Another process does something once, at this step.
struct Meanwhile<'a> {
    step: Step,
    act: Option<Box<dyn FnOnce() + 'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Opened, and not locked yet.
    Opened,
    /// Locked and filled.
    Filled,
    /// About to get its name.
    Naming,
}

impl<'a> Meanwhile<'a> {
    fn at(step: Step, act: impl FnOnce() + 'a) -> Self {
        Self {
            step,
            act: Some(Box::new(act)),
        }
    }

    fn reach(&mut self, step: Step) {
        if step == self.step {
            self.act.take().into_iter().for_each(|act| act());
        }
    }
}

impl System for Meanwhile<'_> {
    fn open(&mut self, options: &OpenOptions, path: &Path) -> io::Result<File> {
        let file = Host.open(options, path);
        self.reach(Step::Opened);
        file
    }

    fn sync_file(&mut self, file: &File) -> io::Result<()> {
        let synced = Host.sync_file(file);
        self.reach(Step::Filled);
        synced
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.reach(Step::Naming);
        Host.rename(from, to)
    }
}

type Flash = FileFlash<4, 4096>;

//= compliance/requirements.md#file-1
//= type=test
//# A file that has lost its name to another, or to none, when the lock is had MUST be refused by name.
#[test]
#[cfg(unix)]
fn file_that_lost_its_name_before_it_was_locked_is_refused() {
    // As a reset does it: whoever has the file removes it and makes another.
    let place = Place::new();
    let path = place.path("store.img");
    let capacity = CAPACITY as usize;
    let first = Flash::create(&path, capacity).unwrap();
    let mut second = None;
    let mut system = Meanwhile::at(Step::Opened, || {
        fs::remove_file(&path).unwrap();
        drop(first);
        second = Some(Flash::create(&path, capacity).unwrap());
    });
    let late = open::open(&mut system, &path, CAPACITY);
    drop(system);
    assert!(second.is_some());
    refused(late, &path);
    assert!(matches!(
        Flash::open(&path, capacity),
        Err(OpenError::Locked { .. })
    ));
    drop(second);
    // The next attempt finds what has the name.
    drop(Flash::open(&path, capacity).unwrap());

    let mut system = Meanwhile::at(Step::Opened, || fs::remove_file(&path).unwrap());
    refused(open::open(&mut system, &path, CAPACITY), &path);
    assert!(!path.exists());
}

#[test]
#[cfg(unix)]
fn link_that_points_elsewhere_before_the_file_is_locked_is_refused() {
    let place = Place::new();
    let [one, other, link] = ["one.img", "other.img", "link.img"].map(|name| place.path(name));
    drop(Flash::create(&one, CAPACITY as usize).unwrap());
    drop(Flash::create(&other, CAPACITY as usize).unwrap());
    std::os::unix::fs::symlink(&one, &link).unwrap();
    let mut system = Meanwhile::at(Step::Opened, || {
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&other, &link).unwrap();
    });
    refused(open::open(&mut system, &link, CAPACITY), &link);
    drop(open::open(&mut Host, &link, CAPACITY).unwrap());
}

#[test]
#[cfg(unix)]
fn file_that_loses_its_name_while_it_is_made_is_refused_and_the_others_is_left() {
    let place = Place::new();
    let path = place.path("store.img");
    let unfinished = place.path("store.img.new");
    let others = [0xff; 100];
    let take = || {
        fs::remove_file(&unfinished).unwrap();
        fs::write(&unfinished, others).unwrap();
    };
    // In time: what is not whole gets no name, and stays.
    refused(
        open::create(&mut Meanwhile::at(Step::Filled, take), &path, CAPACITY),
        &path,
    );
    assert!(!path.exists());
    assert_eq!(fs::read(&unfinished).unwrap(), others);
    // In the last moment: the name goes to another file, and nobody is told that it is this one.
    refused(
        open::create(&mut Meanwhile::at(Step::Naming, take), &path, CAPACITY),
        &path,
    );
    assert_eq!(fs::read(&path).unwrap(), others);
    drop(open::open(&mut Host, &path, 100).unwrap());
}

#[cfg(unix)]
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, OpenError>, path: &Path) {
    let error = result.expect_err("is refused");
    assert!(matches!(error, OpenError::Replaced { .. }), "{error}");
    let path = format!("{}", path.display());
    assert!(format!("{error}").starts_with(&path), "{error}");
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
