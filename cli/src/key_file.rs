//! The root key, from a file or from standard input, and never from the command line, where others see it.
//!
//! ```text
//!  inspect · residue · map
//!  key_file (this file)
//!  fault · bydesign::secret
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bydesign::secret::{RootKey, Secret};
use zeroize::Zeroizing;

use crate::arguments::KeyArguments;
use crate::expected;
use crate::fault::Fault;

/// A root key and the label that goes with it. It cannot be printed, and is wiped when dropped.
pub struct Key {
    /// The bytes.
    pub bytes: Secret<32>,
    /// Where they come from, for messages.
    pub path: PathBuf,
    /// The partition label.
    pub label: String,
}

impl Key {
    /// The key of the arguments, if they name one.
    ///
    /// # Errors
    ///
    /// As [`Key::read`].
    pub fn of(arguments: &KeyArguments) -> Result<Option<Self>, Fault> {
        let named = arguments.root_key.as_deref().zip(arguments.label.as_deref());
        named.map(|(path, label)| Self::read(path, label)).transpose()
    }

    /// Reads a root key: 32 bytes, or 64 hexadecimal digits with or without a line end.
    ///
    /// # Errors
    ///
    /// [`Fault`]; a visibly weak key is refused as a device would.
    ///
    /// # Security
    ///
    /// The file's bytes and the key are wiped when they are dropped.
    pub fn read(path: &Path, label: &str) -> Result<Self, Fault> {
        let key = Self {
            bytes: read_secret(path)?,
            path: path.into(),
            label: label.into(),
        };
        key.root_key()?;
        Ok(key)
    }

    /// The key as the store takes it.
    ///
    /// # Errors
    ///
    /// [`Fault::WeakKey`].
    pub fn root_key(&self) -> Result<RootKey, Fault> {
        RootKey::new(*self.bytes.expose()).map_err(|reason| Fault::WeakKey {
            path: self.path.clone(),
            reason,
        })
    }
}

/// Reads 32 secret bytes that are no root key: as [`Key::read`], without its look at weakness.
///
/// # Errors
///
/// [`Fault`].
///
/// # Security
///
/// The file's bytes are wiped.
pub fn read_secret(path: &Path) -> Result<Secret<32>, Fault> {
    // Room for one byte too many, which is noticed, and no reallocation, which would leave a copy behind.
    let mut bytes = Zeroizing::new([0; LONGEST + 1]);
    let len = if path == Path::new("-") {
        fill(io::stdin().lock(), bytes.as_mut_slice())
    } else {
        File::open(path).and_then(|file| fill(file, bytes.as_mut_slice()))
    }
    .map_err(Fault::read(path))?;
    let form = || Fault::KeyForm { path: path.into() };
    let bytes = bytes.get(..len).filter(|_| len <= LONGEST).ok_or_else(form)?;
    let raw: [u8; 32] = match bytes.try_into() {
        Ok(raw) => raw,
        Err(_) => from_digits(bytes).ok_or_else(form)?,
    };
    Ok(Secret::new(raw))
}

fn from_digits(bytes: &[u8]) -> Option<[u8; 32]> {
    let digits = std::str::from_utf8(bytes).ok()?.trim_ascii();
    let bytes = expected::from_hexadecimal(digits)?;
    bytes.as_slice().try_into().ok()
}

fn fill(mut source: impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while let Some(rest) = bytes.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

/// Digits, and a line end of two bytes.
const LONGEST: usize = 66;
