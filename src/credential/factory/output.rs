//! The files of a batch, in a directory that has another name until everything is in it.
//!
//! ```text
//!  OUT.partial/  while it is made, with a journal in it
//!  OUT/          when it is finished, by one rename
//!    FINISHED            how many devices, and the SHA-256 of each table
//!    report.json  registry.jsonl  manifest.jsonl  labels.csv  certificates.pem | requests.pem
//!    images/0000/0000000-SERIAL.bin
//!    sheets/0000/0000001.svg
//! ```
//!
//! ```text
//!  batch
//!  output   (this file)
//!  journal
//! ```

use std::format;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use super::batch::BatchError;
use super::profile::CertificateKind;
use crate::credential::hexadecimal::digits_of;
use crate::crypto::factory::Hash;

/// The tables that grow with each device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Registry,
    Manifest,
    Labels,
    Certificates,
}

impl Stream {
    pub(super) const ALL: [Self; 4] = [Self::Registry, Self::Manifest, Self::Labels, Self::Certificates];

    const fn name(self, certificates: CertificateKind) -> &'static str {
        match (self, certificates) {
            (Self::Registry, _) => "registry.jsonl",
            (Self::Manifest, _) => "manifest.jsonl",
            (Self::Labels, _) => "labels.csv",
            (Self::Certificates, CertificateKind::Request) => "requests.pem",
            (Self::Certificates, _) => "certificates.pem",
        }
    }
}

/// How many images or sheets a directory has.
const A_DIRECTORY: u64 = 1000;

/// The directory, and its tables.
pub(super) struct Output {
    partial: PathBuf,
    finished: PathBuf,
    tables: Vec<(Stream, PathBuf, File)>,
}

impl Output {
    /// Under which name a batch is made.
    pub(super) fn partial_name(out: &Path) -> PathBuf {
        let mut name = std::ffi::OsString::from(out);
        name.push(".partial");
        name.into()
    }

    /// Makes the tables, or opens them and cuts off what is behind the lengths.
    pub(super) fn open(
        out: &Path,
        certificates: CertificateKind,
        lengths: Option<&[u64]>,
    ) -> Result<Self, BatchError> {
        let partial = Self::partial_name(out);
        let mut tables = Vec::new();
        for (at, stream) in Stream::ALL.into_iter().enumerate() {
            if stream == Stream::Certificates && certificates == CertificateKind::None {
                continue;
            }
            let path = partial.join(stream.name(certificates));
            let mut file = private_file(&path).map_err(BatchError::write(&path))?;
            let len = lengths.and_then(|lengths| lengths.get(at)).copied().unwrap_or(0);
            let found = file.metadata().map_err(BatchError::read(&path))?.len();
            if found < len {
                return Err(BatchError::Damaged { path });
            }
            file.set_len(len)
                .and_then(|()| file.seek(SeekFrom::Start(len)))
                .map_err(BatchError::write(&path))?;
            tables.push((stream, path, file));
        }
        Ok(Self {
            partial,
            finished: out.into(),
            tables,
        })
    }

    /// Adds to a table; nothing where the batch has no such table.
    pub(super) fn add(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), BatchError> {
        let Some((_, path, file)) = self.tables.iter_mut().find(|(own, ..)| *own == stream) else {
            return Ok(());
        };
        file.write_all(bytes).map_err(BatchError::write(path))
    }

    /// Waits until everything is on disk, and gives the lengths of the tables.
    pub(super) fn sync(&mut self) -> Result<Vec<u64>, BatchError> {
        sync_images(&self.partial)?;
        let mut lengths = std::vec![0; Stream::ALL.len()];
        for (stream, path, file) in &mut self.tables {
            file.sync_data().map_err(BatchError::write(path))?;
            let len = file.stream_position().map_err(BatchError::read(path))?;
            let place = Stream::ALL.iter().position(|own| own == stream);
            if let Some(length) = place.and_then(|place| lengths.get_mut(place)) {
                *length = len;
            }
        }
        Ok(lengths)
    }

    /// Writes the report and the mark, and gives the directory its name.
    //= compliance/requirements.md#cred-30
    //# Output that is not finished MUST stand under another name than finished output, and MUST get its name only when all of it is on disk.
    pub(super) fn finish(mut self, report: &str, devices: u64) -> Result<(), BatchError> {
        self.sync()?;
        let mut hashes = serde_json::Map::new();
        for (stream, path, file) in &mut self.tables {
            let digest = digest(file).map_err(BatchError::read(path))?;
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // Labels hold codes, some of them short: a hash of the table is no secret, because it hangs on all of them at once. That of a
            // table with one line would be something to try codes against.
            if *stream != Stream::Labels || devices > 100 {
                hashes.insert(name, digits_of(&digest).into());
            }
        }
        let mark = serde_json::json!({"format": 1, "devices": devices, "sha256": hashes});
        write_whole(&self.partial.join("report.json"), report.as_bytes())?;
        write_whole(&self.partial.join("FINISHED"), format!("{mark:#}\n").as_bytes())?;
        sync_directory(&self.partial)?;
        drop(core::mem::take(&mut self.tables));
        fs::rename(&self.partial, &self.finished).map_err(BatchError::write(&self.finished))?;
        let above = self
            .finished
            .parent()
            .filter(|above| !above.as_os_str().is_empty());
        sync_directory(above.unwrap_or(Path::new(".")))?;
        // Last: a run that is killed before this has everything, and one that is killed before the name is resumed by it.
        let journal = self.finished.join(JOURNAL);
        fs::remove_file(&journal).map_err(BatchError::write(&journal))
    }
}

/// The name of the journal in the directory.
pub(super) const JOURNAL: &str = "journal";

/// Where the image of a device goes.
pub(super) fn image_path(partial: &Path, number: u64, serial: &str) -> PathBuf {
    partial
        .join("images")
        .join(format!("{:04}", number / A_DIRECTORY))
        .join(format!("{number:07}-{serial}.bin"))
}

/// Where a sheet of labels goes.
pub(super) fn sheet_path(partial: &Path, number: u64) -> PathBuf {
    partial
        .join("sheets")
        .join(format!("{:04}", number / A_DIRECTORY))
        .join(format!("{number:07}.svg"))
}

/// Waits until images and sheets are on disk: all files of the file system at once.
#[cfg(target_os = "linux")]
fn sync_images(partial: &Path) -> Result<(), BatchError> {
    let synced = File::open(partial).and_then(|directory| Ok(rustix::fs::syncfs(&directory)?));
    synced.map_err(BatchError::write(partial))
}

/// Each was synced when it was written.
#[cfg(not(target_os = "linux"))]
const fn sync_images(_: &Path) -> Result<(), BatchError> {
    Ok(())
}

/// Writes an image or a sheet; it is on disk after the next [`Output::sync`].
pub(super) fn write_member(path: &Path, bytes: &[u8]) -> Result<(), BatchError> {
    write(path, bytes, cfg!(not(target_os = "linux")))
}

/// Writes a file for its owner alone, and waits until it is on disk.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BatchError> {
    write(path, bytes, true)
}

/// The directory is made if it is not there.
fn write(path: &Path, bytes: &[u8], sync: bool) -> Result<(), BatchError> {
    let write = |path: &Path| {
        let mut file = private_file(path)?;
        file.set_len(0)?;
        file.write_all(bytes)?;
        if sync { file.sync_data() } else { Ok(()) }
    };
    let written = write(path).or_else(|error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        match path.parent().filter(|_| missing) {
            Some(above) => make_directory(above).and_then(|()| write(path)),
            None => Err(error),
        }
    });
    written.map_err(BatchError::write(path))
}

/// Makes a directory that nobody but its owner looks into.
pub(super) fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn digest(file: &mut File) -> std::io::Result<[u8; 32]> {
    let mut hash = Hash::default();
    let mut block = std::vec![0; 1 << 16];
    file.seek(SeekFrom::Start(0))?;
    loop {
        let len = file.read(&mut block)?;
        if len == 0 {
            zeroize::Zeroize::zeroize(&mut block);
            return Ok(hash.finish());
        }
        hash.update(block.get(..len).unwrap_or_default());
    }
}

/// The names in a directory are on disk behind this, where the system knows of that.
fn sync_directory(path: &Path) -> Result<(), BatchError> {
    if cfg!(unix) {
        let synced = File::open(path).and_then(|directory| directory.sync_all());
        synced.map_err(BatchError::write(path))?;
    }
    Ok(())
}

/// What is in the directory, for messages.
pub(super) fn exists(path: &Path) -> Result<bool, BatchError> {
    path.try_exists().map_err(BatchError::read(path))
}

/// The text of a report, indented.
pub(super) fn indented(json: &serde_json::Value) -> String {
    format!("{json:#}\n")
}
