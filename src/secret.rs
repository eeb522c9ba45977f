//! Secrets of a fixed size: wiped on drop, compared in constant time, never printed, copied or serialised.
//!
//! ```text
//!  store · credential · telemetry
//!  crypto
//!  secret   (this file)
//! ```

// By its path: the check of constant time takes this file into a crate of its own.
#[path = "secret/claims.rs"]
mod claims;

pub use claims::CLAIMS;

use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes.
///
/// ```
/// use bydesign::secret::Secret;
/// use subtle::ConstantTimeEq;
///
/// let password = Secret::new(*b"correct horse");
/// assert!(bool::from(password.ct_eq(&Secret::new(*b"correct horse"))));
/// ```
///
/// It cannot be printed, copied or compared with `==`:
///
/// ```compile_fail
/// println!("{:?}", bydesign::secret::Secret::new([7; 16]));
/// ```
///
/// # Security
///
/// The bytes are wiped when the value is dropped. Moving a value leaves its old place as it was, as every move in Rust
/// does; keep it behind a reference where that matters. What the store moves is wiped with the stack of its operation. Serves CoP 4, EN 303 645 5.4-1.
//= compliance/requirements.md#secret-2
//# A secret MUST be wiped when it is dropped.
//= compliance/requirements.md#secret-3
//# A secret MUST NOT be printable or copyable, and MUST be compared in constant time only.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes the bytes over. The caller's own copy is the caller's to wipe.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws `N` bytes.
    ///
    /// # Errors
    ///
    /// Whatever the random source reports; no secret is made then.
    pub fn random<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Self, R::Error> {
        let mut secret = Self([0; N]);
        random.try_fill_bytes(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes. Where this is called is where the secret leaves the type's protection.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, to be filled in.
    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// The device's root key: 32 secret bytes from fuses, a PUF, a secure element or a TEE. Everything stored hangs on it.
///
/// ```
/// use bydesign::secret::RootKey;
///
/// assert!(RootKey::new([0; 32]).is_err());
/// # let fuses = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
/// let root_key = RootKey::new(fuses)?;
/// # Ok::<(), bydesign::secret::WeakRootKey>(())
/// ```
///
/// # Security
///
/// Unfused parts, forgotten test values and keys computed from a serial number are the ways in which "unique" device
/// keys went wrong before; the ones that can be seen are refused. That a key passes says nothing about its entropy.
/// Serves CoP 4, EN 303 645 5.4-3 and 5.4-4.
#[derive(ZeroizeOnDrop)]
pub struct RootKey(Secret<32>);

impl RootKey {
    /// Takes a root key over, unless it is visibly no secret.
    ///
    /// # Errors
    ///
    /// [`WeakRootKey`] for a constant, counting or repeating pattern, a published test key, and the SHA-256 of an empty
    /// or well-known word.
    pub fn new(bytes: [u8; 32]) -> Result<Self, WeakRootKey> {
        Self::unrelated_to(bytes, &[])
    }

    /// As [`RootKey::new`], and refuses the SHA-256 of any of the device's public identifiers (serial, MAC, chip id), as
    /// they are or in lower- or upper-case hexadecimal.
    ///
    /// ```
    /// use bydesign::secret::{RootKey, WeakRootKey};
    /// use sha2::{Digest, Sha256};
    ///
    /// let from_serial = Sha256::digest(b"SN-000123").into();
    /// assert!(RootKey::new(from_serial).is_ok(), "nothing to see without the serial number");
    /// assert_eq!(RootKey::unrelated_to(from_serial, &[b"SN-000123"]).err(), Some(WeakRootKey::HashOfIdentifier));
    /// ```
    ///
    /// # Errors
    ///
    /// [`WeakRootKey`], as for [`RootKey::new`] and for a hash of an identifier.
    //= compliance/requirements.md#secret-1
    //# A root key MUST be refused if it is a constant, a counting or repeated pattern, a published test key, or the hash of a well-known word or of a public identifier given with it.
    pub fn unrelated_to(bytes: [u8; 32], identifiers: &[&[u8]]) -> Result<Self, WeakRootKey> {
        let key = Self(Secret::new(bytes));
        if has_short_period(key.expose()) {
            return Err(WeakRootKey::Repeating);
        }
        if is_counting(key.expose()) {
            return Err(WeakRootKey::Counting);
        }
        if PUBLISHED
            .iter()
            .any(|known| bool::from(known.ct_eq(key.expose())))
            || WORDS.iter().any(|word| is_hash_of(key.expose(), word))
        {
            return Err(WeakRootKey::Published);
        }
        if identifiers
            .iter()
            .any(|identifier| is_hash_of_identifier(key.expose(), identifier))
        {
            return Err(WeakRootKey::HashOfIdentifier);
        }
        Ok(key)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// Why a root key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakRootKey {
    /// All bytes the same (unfused, or an erased page), or a pattern of at most 16 bytes repeated.
    #[error("the root key is a repeated pattern")]
    Repeating,
    /// Each byte differs from the one before by the same step.
    #[error("the root key is a counting pattern")]
    Counting,
    /// A key from a standard's test vectors, or the SHA-256 of an empty or well-known word.
    #[error("the root key is a published test value")]
    Published,
    /// The SHA-256 of an identifier that anybody can read off the device.
    #[error("the root key is the hash of a public identifier")]
    HashOfIdentifier,
}

/// Keys of 32 bytes that are printed in standards; a device that holds one was never provisioned.
const PUBLISHED: [[u8; 32]; 2] = [
    // NIST SP 800-38A, F.1.5: AES-256
    [
        0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f,
        0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
    ],
    // RFC 8032, 7.1, test 1: Ed25519 secret key
    [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44,
        0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ],
];

/// Words whose hash has served as a "key": an empty device id first of all.
const WORDS: [&[u8]; 9] = [
    b"",
    b"0",
    b"key",
    b"test",
    b"root",
    b"admin",
    b"secret",
    b"default",
    b"password",
];

// Each looks at all bytes, whatever it finds: how long a good key takes says nothing about it.

fn has_short_period(bytes: &[u8; 32]) -> bool {
    [1, 2, 4, 8, 16]
        .iter()
        .any(|&period| bool::from(repeats_after(bytes, period)))
}

/// Whether each byte is the one that stands so many places before it.
pub(crate) fn repeats_after(bytes: &[u8; 32], period: usize) -> Choice {
    let pairs = bytes.iter().zip(bytes.iter().skip(period));
    pairs.fold(Choice::from(1), |same, (a, b)| same & a.ct_eq(b))
}

fn is_counting(bytes: &[u8; 32]) -> bool {
    let mut steps = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .map(|(a, b)| b.wrapping_sub(*a));
    let first = steps.next().unwrap_or(0);
    bool::from(steps.fold(Choice::from(1), |same, step| same & step.ct_eq(&first)))
}

fn is_hash_of(bytes: &[u8; 32], word: &[u8]) -> bool {
    bool::from(<[u8; 32]>::from(Sha256::digest(word)).ct_eq(bytes))
}

fn is_hash_of_identifier(bytes: &[u8; 32], identifier: &[u8]) -> bool {
    let hexadecimal = |digits: &[u8; 16]| {
        let mut hash = Sha256::new();
        for byte in identifier {
            for nibble in [byte >> 4, byte & 15] {
                hash.update(
                    digits
                        .get(usize::from(nibble))
                        .map_or(&[][..], core::slice::from_ref),
                );
            }
        }
        bool::from(<[u8; 32]>::from(hash.finalize()).ct_eq(bytes))
    };
    is_hash_of(bytes, identifier) || hexadecimal(b"0123456789abcdef") || hexadecimal(b"0123456789ABCDEF")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: [u8; 32]) -> Option<WeakRootKey> {
        RootKey::new(bytes).err()
    }

    //= compliance/requirements.md#secret-1
    //= type=test
    //# A root key MUST be refused if it is a constant, a counting or repeated pattern, a published test key, or the hash of a well-known word or of a public identifier given with it.
    #[test]
    fn an_unfused_or_erased_key_is_refused() {
        assert_eq!(refusal([0; 32]), Some(WeakRootKey::Repeating));
        assert_eq!(refusal([0xff; 32]), Some(WeakRootKey::Repeating));
    }

    #[test]
    fn a_serial_number_repeated_to_fill_the_key_is_refused() {
        assert_eq!(
            refusal(*b"SN00001234567890SN00001234567890"),
            Some(WeakRootKey::Repeating)
        );
    }

    #[test]
    fn a_counting_key_is_refused_upwards_downwards_and_in_steps() {
        assert_eq!(
            refusal(core::array::from_fn(|i| u8::try_from(i).unwrap_or(0))),
            Some(WeakRootKey::Counting)
        );
        assert_eq!(
            refusal(core::array::from_fn(|i| 0x9f - u8::try_from(i).unwrap_or(0))),
            Some(WeakRootKey::Counting)
        );
        assert_eq!(
            refusal(core::array::from_fn(|i| 3 * u8::try_from(i).unwrap_or(0))),
            Some(WeakRootKey::Counting)
        );
    }

    #[test]
    fn every_published_key_and_the_hash_of_every_listed_word_is_refused() {
        for key in PUBLISHED {
            assert_eq!(refusal(key), Some(WeakRootKey::Published));
        }
        for word in WORDS {
            assert_eq!(refusal(Sha256::digest(word).into()), Some(WeakRootKey::Published));
        }
    }

    #[test]
    fn the_hash_of_a_mac_address_is_refused_in_bytes_and_in_both_spellings() {
        let mac: &[u8] = &[0x02, 0xAB, 0xCD, 0xEF, 0x01, 0x23];
        for form in [mac, b"02abcdef0123", b"02ABCDEF0123"] {
            let key: [u8; 32] = Sha256::digest(form).into();
            assert_eq!(
                RootKey::unrelated_to(key, &[b"other", mac]).err(),
                Some(WeakRootKey::HashOfIdentifier)
            );
        }
    }

    #[test]
    fn a_random_key_is_taken() {
        assert_eq!(
            refusal(Sha256::digest(b"a key that stands in no list").into()),
            None
        );
    }
}
