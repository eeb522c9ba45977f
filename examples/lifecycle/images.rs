//! The image files: all of an order or none, and never half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The labels of all devices: with their codes, as confidential as these.
pub(crate) const LABELS: &str = "labels.csv";
/// What the devices tell, for their users.
pub(crate) const DICTIONARY: &str = "dictionary.md";

/// A directory of image files. Unless it is to be kept, it goes when this is dropped.
pub(crate) struct Images {
    directory: PathBuf,
    fate: Fate,
}

/// What happens to the files at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The directory is ours and goes.
    Remove,
    /// The directory is the caller's and stays with all in it.
    Keep,
    /// Not complete yet: our files go, and the directory if we made it.
    Undo { made_directory: bool },
}

impl Images {
    /// A fresh directory that is removed at the end.
    pub(crate) fn temporary(number: u64) -> Result<Self, String> {
        let directory =
            std::env::temp_dir().join(format!("bydesign-lifecycle-{}-{number:016x}", std::process::id()));
        fs::create_dir(&directory).map_err(|error| trouble(&directory, &error))?;
        Ok(Self {
            directory,
            fate: Fate::Remove,
        })
    }

    /// A directory of the caller's, made if it is not there.
    pub(crate) fn kept(directory: &Path) -> Result<Self, String> {
        let made_directory = !directory.exists();
        if made_directory {
            fs::create_dir(directory).map_err(|error| trouble(directory, &error))?;
        } else if !directory.is_dir() {
            return Err(format!("{}: not a directory", directory.display()));
        }
        Ok(Self {
            directory: directory.into(),
            fate: Fate::Undo { made_directory },
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn file(&self, serial: &str) -> PathBuf {
        self.directory.join(format!("{serial}.img"))
    }

    /// Writes an image for each serial: first all under other names, and only when all are good under their own.
    pub(crate) fn build<'a>(
        &mut self,
        serials: impl Iterator<Item = &'a str> + Clone,
        mut image_of: impl FnMut(usize) -> Result<Vec<u8>, String>,
    ) -> Result<u64, String> {
        let papers = [LABELS, DICTIONARY].map(|name| self.directory.join(name));
        for file in serials.clone().map(|serial| self.file(serial)).chain(papers) {
            if file.exists() {
                return Err(format!("{}: there already, and not overwritten", file.display()));
            }
        }
        let mut written = Unfinished::default();
        let mut bytes = 0;
        for (at, serial) in serials.clone().enumerate() {
            let image = image_of(at)?;
            let file = unfinished_name(&self.file(serial));
            written.0.push(file.clone());
            write_all(&file, &image).map_err(|error| trouble(&file, &error))?;
            bytes += image.len() as u64;
        }
        for serial in serials {
            let file = self.file(serial);
            fs::rename(unfinished_name(&file), &file).map_err(|error| trouble(&file, &error))?;
            written.0.push(file);
        }
        written.0.clear();
        if self.fate != Fate::Remove {
            self.fate = Fate::Keep;
        }
        Ok(bytes)
    }
}

impl Images {
    /// Writes what goes with the images, beside them.
    pub(crate) fn write_paper(&self, name: &str, text: &str) -> Result<(), String> {
        replace(&self.directory.join(name), text.as_bytes())
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        // Nothing more can be done about an error here, and the directory is named in the report.
        let _ = match self.fate {
            Fate::Keep
            | Fate::Undo {
                made_directory: false,
            } => Ok(()),
            Fate::Undo { made_directory: true } => fs::remove_dir(&self.directory),
            Fate::Remove => fs::remove_dir_all(&self.directory),
        };
    }
}

/// Reads an image file.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| trouble(file, &error))
}

/// Replaces an image file by a new state, whole or not at all.
pub(crate) fn replace(file: &Path, image: &[u8]) -> Result<(), String> {
    let mut unfinished = Unfinished(vec![unfinished_name(file)]);
    let result = write_all(&unfinished.0[0], image).and_then(|()| fs::rename(&unfinished.0[0], file));
    if result.is_ok() {
        unfinished.0.clear();
    }
    result.map_err(|error| trouble(file, &error))
}

/// Files that go when this is dropped.
#[derive(Default)]
struct Unfinished(Vec<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        for file in &self.0 {
            let _ = fs::remove_file(file);
        }
    }
}

fn unfinished_name(file: &Path) -> PathBuf {
    file.with_extension("img.unfinished")
}

fn write_all(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn trouble(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}
