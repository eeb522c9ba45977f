//! Why a command could not do its work: the file, and the reason.
//!
//! ```text
//!  inspect · residue · map · guidelines
//!  fault    (this file)
//! ```

use std::io;
use std::path::{Path, PathBuf};

use bydesign::credential::audit::BadInput;
use bydesign::secret::WeakRootKey;
use bydesign::store::MountError;
use bydesign::store::inspect::{ImageError, ShowError};

/// Bad input or bad usage. Printed, it shows no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file, or the standard output, cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is longer than anything that it could be.
    #[error("{}: longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes that it may have.
        limit: u64,
    },
    /// A table is no batch of passwords.
    #[error("{}: {reason}", path.display())]
    Batch {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        reason: BadInput,
    },
    /// The tree has no mapping.
    #[error("{}: no mapping can be read: {reason}", path.display())]
    Mapping {
        /// The tree.
        path: PathBuf,
        /// The file, and what is wrong.
        reason: String,
    },
    /// The image cannot be looked into.
    #[error("{}: {reason}{}", path.display(), if *reason == ImageError::NoLayout { "; give --word, --page and --medium" } else { "" })]
    Image {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: ImageError,
    },
    /// The image says something else than the arguments.
    #[error("{}: the image itself says {said}", path.display())]
    Contradicted {
        /// The file.
        path: PathBuf,
        /// What it says.
        said: String,
    },
    /// The image has many beginnings of key pages: somebody wants to keep a search busy.
    #[error("{}: {number} places begin like a key page, a store has two", path.display())]
    TooManyStores {
        /// The file.
        path: PathBuf,
        /// How many.
        number: usize,
    },
    /// The root key is neither 32 bytes nor 64 hexadecimal digits.
    #[error("{}: a root key is 32 bytes, or 64 hexadecimal digits", path.display())]
    KeyForm {
        /// The file.
        path: PathBuf,
    },
    /// The root key cannot be one.
    #[error("{}: {reason}", path.display())]
    WeakKey {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: WeakRootKey,
    },
    /// The image does not open.
    #[error("{}: {reason}", path.display())]
    Mount {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: MountError,
    },
    /// A value cannot be shown.
    #[error("{}: {reason}", path.display())]
    Show {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: ShowError,
    },
    /// The root key opens nothing: a search with it would find nothing, and mean nothing.
    #[error("{}: the root key and label open nothing in it, so nothing found would mean nothing; \
             with a root key that was replaced, say --key-may-open-nothing", path.display())]
    OpensNothing {
        /// The file.
        path: PathBuf,
    },
    /// A line of the list of expected values cannot be read.
    #[error("{}: line {line}: {reason}", path.display())]
    Expected {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong. Never the line itself, which is a secret.
        reason: &'static str,
    },
    /// The list holds no value.
    #[error("{}: holds no expected value: a search for nothing finds nothing", path.display())]
    NothingExpected {
        /// The file.
        path: PathBuf,
    },
    /// A batch was not made.
    #[error(transparent)]
    Provision(#[from] bydesign::credential::factory::BatchError),
    /// There was nothing to look at.
    #[error("{}: nothing was scanned", path.display())]
    NothingScanned {
        /// Where it should have come from.
        path: PathBuf,
    },
    /// A row of a manifest does not open.
    #[error("{}: line {line}: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        reason: bydesign::credential::factory::ManifestError,
    },
}

impl Fault {
    /// The standard output cannot be written.
    #[must_use]
    pub fn output(source: io::Error) -> Self {
        Self::Write {
            path: "standard output".into(),
            source,
        }
    }

    /// A file cannot be written.
    pub fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Write { path, source }
    }

    /// A file cannot be read.
    pub fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Read { path, source }
    }
}
