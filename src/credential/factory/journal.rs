//! The journal of a batch that is being made: which rows are done, and how long each file was then. A run that was killed goes on behind
//! the last whole line.
//!
//! ```text
//!  batch
//!  journal  (this file)
//! ```

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

use super::batch::BatchError;

/// What a run must have in common with the one that it goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) journal: u32,
    pub(super) batch: String,
    pub(super) order_sha256: String,
    pub(super) profile_sha256: String,
    /// What a hash of the test seed is; nothing where there is none.
    pub(super) test_seed_sha256: Option<String>,
    /// Eight bytes that are derived from the batch key as secrets are, for a purpose of their own.
    #[serde(default)]
    pub(super) batch_key_check: Option<String>,
    /// Of the issuer's certificate.
    #[serde(default)]
    pub(super) issuer_sha256: Option<String>,
    pub(super) rows: u64,
    pub(super) chunk: u64,
    /// The day on certificates, in seconds since 1970.
    pub(super) date: u64,
}

/// A line: everything up to there is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Chunks of rows that are done.
    pub(super) chunks: u64,
    pub(super) rows: u64,
    /// How long the files are, in the order of [`Stream`](super::output::Stream).
    pub(super) lengths: Vec<u64>,
}

/// The journal, locked for as long as this lives.
pub(super) struct Journal {
    file: File,
    path: PathBuf,
}

impl Journal {
    /// Begins a journal. Whoever has the lock of an earlier one keeps it.
    pub(super) fn begin(path: &Path, head: &Head) -> Result<Self, BatchError> {
        let mut journal = Self::locked(path, true)?;
        journal.add(head)?;
        Ok(journal)
    }

    /// Opens a journal, and gives its head and its last whole line.
    pub(super) fn resume(path: &Path) -> Result<(Self, Head, Done), BatchError> {
        let mut journal = Self::locked(path, false)?;
        let mut text = String::new();
        journal
            .file
            .read_to_string(&mut text)
            .map_err(BatchError::read(path))?;
        // What a kill or a power cut left of the last line is none.
        let whole = text.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let damaged = || BatchError::Damaged { path: path.into() };
        let mut lines = text.get(..whole).unwrap_or_default().lines();
        let head = lines
            .next()
            .and_then(|line| serde_json::from_str::<Head>(line).ok())
            .ok_or_else(damaged)?;
        let mut done = Done::default();
        for line in lines {
            let next: Done = serde_json::from_str(line).map_err(|_| damaged())?;
            if next.chunks <= done.chunks || next.rows <= done.rows || next.rows > head.rows {
                return Err(damaged());
            }
            done = next;
        }
        let write = || BatchError::write(path);
        journal.file.set_len(whole as u64).map_err(write())?;
        journal.file.seek(SeekFrom::End(0)).map_err(write())?;
        Ok((journal, head, done))
    }

    fn locked(path: &Path, create: bool) -> Result<Self, BatchError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(create);
        let file = options.open(path).map_err(BatchError::write(path))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self {
                file,
                path: path.into(),
            }),
            Err(TryLockError::WouldBlock) => Err(BatchError::InUse { path: path.into() }),
            Err(TryLockError::Error(source)) => Err(BatchError::write(path)(source)),
        }
    }

    /// Adds a line, and waits until it is on disk.
    pub(super) fn add(&mut self, line: &impl Serialize) -> Result<(), BatchError> {
        let mut text = serde_json::to_vec(line).map_err(|_| BatchError::Damaged {
            path: self.path.clone(),
        })?;
        text.push(b'\n');
        self.file
            .write_all(&text)
            .and_then(|()| self.file.sync_data())
            .map_err(BatchError::write(&self.path))
    }
}
