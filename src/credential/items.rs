//! Under which names a device's credentials are kept: written at the factory, read on the device.
//!
//! | item | class | written by | goes with |
//! | --- | --- | --- | --- |
//! | [`SERIAL`] | identity | factory, once | decommissioning |
//! | [`IDENTITY`] | identity | factory, once | decommissioning |
//! | [`PAIRING`], [`PAIRING_PAKE`], [`DEVICE_PASSWORD`] | identity | factory, once | decommissioning |
//! | [`PAIRING_SECRET`] | identity | device | ownership transfer (a new one takes its place), decommissioning |
//! | the owner's verifier, `\0owner` | settings | [`Device`](super::Device), and nobody else | factory reset, ownership transfer |
//! | a limiter's epoch, by the limiter's name | the library's ledger | [`Limiter`](super::limiter) | the whole store |
//!
//! ```text
//!  device · limiter
//!  items    (this file)
//!  verifier
//!  store
//! ```

use super::verifier::Verifier;
use crate::erase::Rotated;
use crate::secret::Secret;
use crate::store::{Class, CodecError, Key, Stored};

/// What the device is called on its label: serial number or another identifier of the manufacturer.
pub const SERIAL: Key<Serial> = Key::fixed("serial", Class::Identity);

/// The seed of the device's Ed25519 key pair (RFC 8032): its identity towards services, which signs receipts of erasures too
/// ([`Attester::Identity`](crate::erase::Attester::Identity)).
pub const IDENTITY: Key<Secret<32>> = Key::fixed("identity", Class::Identity);

/// The verifier of the pairing code on the label, for a check behind the limiter.
pub const PAIRING: Key<Verifier> = Key::fixed("pairing.code", Class::Identity);

/// The verifier of the pairing code on the label, for an exchange by SPAKE2+.
pub const PAIRING_PAKE: Key<Spake2pVerifier> = Key::fixed("pairing.pake", Class::Identity);

/// The verifier of a password that is this device's own and stands on its label. It lets somebody set the owner's password, and does not
/// take its place.
pub const DEVICE_PASSWORD: Key<Verifier> = Key::fixed("device.password", Class::Identity);

/// A pairing secret that the device shows or sends, and that no earlier owner knows: list it in [`ROTATED`].
pub const PAIRING_SECRET: Key<Secret<16>> = Key::new("pairing", Class::Identity);

/// Whether the device was made from a test seed, which somebody else knows: firmware that is for sale refuses to go on.
pub const NOT_FOR_SALE: Key<bool> = Key::fixed("not-for-sale", Class::Identity);

/// What gets a new random value when the device gets another owner, for [`Eraser::rotating`](crate::erase::Eraser::rotating).
pub const ROTATED: [Rotated<'static>; 1] = [Rotated::new(&PAIRING_SECRET)];

/// The verifier of the password that the owner chose. Nobody but [`Device`](super::Device) writes it: there is no way for a default to get there.
/// The zero byte keeps applications from writing it, by any way.
pub(super) const OWNER: Key<Verifier> = Key::new("\0owner", Class::Settings);

/// Longest serial number, in bytes.
pub const LONGEST_SERIAL: usize = 32;

/// A serial number: 1 to [`LONGEST_SERIAL`] printable ASCII characters, no space among them.
///
/// ```
/// use bydesign::credential::items::Serial;
///
/// let serial = Serial::new("CAM-2026-000123").expect("printable");
/// assert_eq!(serial.as_str(), "CAM-2026-000123");
/// assert!(Serial::new("two words").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial {
    bytes: [u8; LONGEST_SERIAL],
    len: usize,
}

impl Serial {
    /// `None` if it is empty, too long, or has other characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut bytes = [0; LONGEST_SERIAL];
        let room = bytes.get_mut(..text.len())?;
        room.iter_mut()
            .zip(text.bytes())
            .for_each(|(to, from)| *to = from);
        Some(Self {
            bytes,
            len: text.len(),
        })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl Stored for Serial {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        let text = self.as_str();
        let room = out.get_mut(..text.len()).ok_or(CodecError)?;
        room.iter_mut()
            .zip(text.bytes())
            .for_each(|(to, from)| *to = from);
        Ok(text.len())
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let text = core::str::from_utf8(bytes).map_err(|_| CodecError)?;
        Self::new(text).ok_or(CodecError)
    }
}

/// Bytes of the longest salt of PBKDF2 in Matter.
const LONGEST_PBKDF_SALT: usize = 32;

/// What the verifying side of SPAKE2+ (RFC 9383, over P-256, as Matter uses it) keeps of a setup code.
///
/// On flash: iterations (4 bytes, least significant first), length of the salt (1), salt, w0 (32), L (65).
///
/// # Security
///
/// w0 and L do not contain the code, and whoever has them can try codes until one fits: all of them, for a code of 27 bits.
pub struct Spake2pVerifier {
    /// Iterations of PBKDF2: 1,000 to 100,000 in Matter.
    pub iterations: u32,
    salt: [u8; LONGEST_PBKDF_SALT],
    salt_len: usize,
    /// The scalar w0, most significant byte first.
    pub w0: Secret<32>,
    /// The point L, uncompressed.
    pub l: Secret<65>,
}

impl Spake2pVerifier {
    /// `None` unless the salt has 16 to 32 bytes.
    #[must_use]
    pub fn new(iterations: u32, salt: &[u8], w0: Secret<32>, l: Secret<65>) -> Option<Self> {
        if salt.len() < 16 {
            return None;
        }
        let mut kept = [0; LONGEST_PBKDF_SALT];
        let room = kept.get_mut(..salt.len())?;
        room.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
        Some(Self {
            iterations,
            salt: kept,
            salt_len: salt.len(),
            w0,
            l,
        })
    }

    /// The salt of PBKDF2.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        self.salt.get(..self.salt_len).unwrap_or_default()
    }
}

impl Stored for Spake2pVerifier {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        let salt_len = u8::try_from(self.salt_len).map_err(|_| CodecError)?;
        let parts: [&[u8]; 5] = [
            &self.iterations.to_le_bytes(),
            &[salt_len],
            self.salt(),
            self.w0.expose(),
            self.l.expose(),
        ];
        let len = parts
            .iter()
            .fold(0_usize, |len, part| len.saturating_add(part.len()));
        let room = out.get_mut(..len).ok_or(CodecError)?;
        let bytes = parts.iter().flat_map(|part| part.iter());
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Ok(len)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (iterations, rest) = bytes.split_first_chunk().ok_or(CodecError)?;
        let (salt_len, rest) = rest.split_first().ok_or(CodecError)?;
        let (salt, rest) = rest.split_at_checked(usize::from(*salt_len)).ok_or(CodecError)?;
        let (w0, l) = rest.split_at_checked(32).ok_or(CodecError)?;
        let (w0, l) = (Secret::decode(w0)?, Secret::decode(l)?);
        Self::new(u32::from_le_bytes(*iterations), salt, w0, l).ok_or(CodecError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_comes_back_and_nothing_else_is_one() {
        let mut out = [0; 40];
        let serial = Serial::new("SN-1").expect("printable");
        let len = serial.encode(&mut out).expect("room");
        assert_eq!(Serial::decode(&out[..len]), Ok(serial));
        for text in ["", " ", "tab\t", "é", "123456789012345678901234567890123"] {
            assert_eq!(Serial::new(text), None, "{text:?}");
            assert_eq!(Serial::decode(text.as_bytes()), Err(CodecError));
        }
    }

    #[test]
    fn a_pake_verifier_comes_back_with_salts_of_both_ends_and_no_others() {
        let mut out = [0; 200];
        for salt in [&[1; 16][..], &[2; 32]] {
            let verifier = Spake2pVerifier::new(1000, salt, Secret::new([3; 32]), Secret::new([4; 65]));
            let len = verifier.expect("a salt").encode(&mut out).expect("room");
            let back = Spake2pVerifier::decode(&out[..len]).unwrap_or_else(|_| panic!("decodes"));
            assert_eq!((back.iterations, back.salt()), (1000, salt));
            assert_eq!((back.w0.expose(), back.l.expose()), (&[3; 32], &[4; 65]));
            assert!(Spake2pVerifier::decode(&out[..len - 1]).is_err());
            assert!(Spake2pVerifier::decode(&out[..=len]).is_err());
        }
        for len in [0, 15, 33] {
            let salt = &[0; 40][..len];
            assert!(Spake2pVerifier::new(1, salt, Secret::new([0; 32]), Secret::new([0; 65])).is_none());
        }
    }
}
