//! Secrets that follow from a serial under a secret batch key: only where a profile asks for it by name.
//!
//! ```text
//!  issue
//!  derive   (this file)
//!  source · items
//!  crypto::factory
//! ```

use std::string::String;

use rand_core::TryRng;

use super::source::{Generator, SourceError};
use crate::credential::hexadecimal::digits_of;
use crate::credential::items::Serial;
use crate::crypto::factory::generator;
use crate::secret::{RootKey, Secret, WeakRootKey};

/// The secret under which secrets follow from serials: whoever has it can compute those of every device of the batch.
///
/// It takes a serial. A MAC address or the name of a network, which devices send to everybody, is none, and does not compile:
///
/// ```compile_fail
/// use bydesign::credential::factory::{BatchKey, Mac};
///
/// fn mistaken(key: &BatchKey, mac: &Mac) {
///     let _ = key.generator("wifi", mac);
/// }
/// ```
///
/// # Security
///
/// Drawn secrets are better: nothing opens all of them. This is for those who must be able to print a label again and may not keep a
/// manifest. Keep the key as one keeps a root key. HKDF-SHA-256; which secret it is stands in the info, so that two do not meet.
pub struct BatchKey(Secret<32>);

impl BatchKey {
    /// Takes a batch key over, unless it is visibly no secret.
    ///
    /// # Errors
    ///
    /// [`WeakRootKey`], as for a root key.
    pub fn new(bytes: [u8; 32]) -> Result<Self, WeakRootKey> {
        let key = Secret::new(bytes);
        RootKey::new(bytes)?;
        Ok(Self(key))
    }

    /// What tells this key from another in the journal of a batch, so that a run that was killed goes on under the same one. It says as little of the
    /// key as a secret that is derived from it.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub(super) fn check(&self) -> Result<String, SourceError> {
        let derived = generator(&self.0, "journal", &["bydesign batch key"]);
        let mut check = [0; 8];
        Generator::fixed(derived.map_err(|_| SourceError::Failed)?)?.try_fill_bytes(&mut check)?;
        Ok(digits_of(&check))
    }

    /// What a secret of that purpose is drawn from, for that serial.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn generator(&self, purpose: &str, serial: &Serial) -> Result<Generator, SourceError> {
        let derived = generator(&self.0, purpose, &["bydesign batch key", serial.as_str()]);
        Generator::fixed(derived.map_err(|_| SourceError::Failed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_secret_hangs_on_key_purpose_and_serial() {
        let draw = |key: u8, purpose, serial| {
            let key = BatchKey::new(core::array::from_fn(|at| {
                key ^ u8::try_from(at * at * 7 % 251).expect("small")
            }))
            .expect("not weak");
            let serial = Serial::new(serial).expect("a serial");
            key.generator(purpose, &serial)
                .expect("derived")
                .try_next_u64()
                .expect("drawn")
        };
        let first = draw(1, "code", "SN-1");
        assert_eq!(first, draw(1, "code", "SN-1"));
        for other in [
            draw(2, "code", "SN-1"),
            draw(1, "password", "SN-1"),
            draw(1, "code", "SN-2"),
        ] {
            assert_ne!(first, other);
        }
        assert!(BatchKey::new([7; 32]).is_err());
    }
}
