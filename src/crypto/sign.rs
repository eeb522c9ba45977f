//! Signatures and authentication codes over what leaves the device.

use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Refused, Room};
use crate::secret::Secret;
use crate::stack::on_wiped_stack;

/// Bytes of an Ed25519 signature.
pub(crate) const SIGNATURE_LEN: usize = 64;
/// Bytes of an HMAC-SHA-256 code.
pub(crate) const CODE_LEN: usize = 32;

/// Stack that a signature takes, and that is wiped behind it: the arithmetic of the curve goes far deeper than a cipher does.
type SignatureRoom = [usize; 2560];

/// Ed25519 (RFC 8032) under a seed.
pub(crate) fn sign(seed: &Secret<32>, message: &[u8]) -> [u8; SIGNATURE_LEN] {
    on_wiped_stack::<SignatureRoom, _>(|| SigningKey::from_bytes(seed.expose()).sign(message).to_bytes())
}

/// The Ed25519 public key of a seed.
pub(crate) fn public_key(seed: &Secret<32>) -> [u8; 32] {
    on_wiped_stack::<SignatureRoom, _>(|| SigningKey::from_bytes(seed.expose()).verifying_key().to_bytes())
}

/// HMAC-SHA-256 (RFC 2104).
pub(crate) fn code(key: &Secret<32>, message: &[u8]) -> Result<[u8; CODE_LEN], Refused> {
    on_wiped_stack::<Room, _>(|| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()).map_err(|_| Refused)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().into())
    })
}

/// The first bytes of the SHA-256 digest of what is public.
pub(crate) fn short_id(public: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(public).into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn a_signature_is_that_of_the_rfc() {
        let seed = Secret::new(hex(
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        ));
        assert_eq!(
            public_key(&seed),
            hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        );
        assert_eq!(
            sign(&seed, &[0x72]),
            hex(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            )
        );
    }

    /// RFC 4231 has no key of 32 bytes; computed with Python's `hmac`.
    #[test]
    fn a_code_is_that_of_another_implementation() {
        let key = Secret::new(core::array::from_fn(|at| u8::try_from(at).expect("small")));
        assert_eq!(
            code(&key, b"what leaves the device"),
            Ok(hex(
                "4728bf0f0cf5f67f66b980d3289277bbdc15d2a47630d4c53dde73b9bdc1f4a8"
            ))
        );
    }
}
