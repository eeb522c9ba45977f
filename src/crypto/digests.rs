//! Hashes that vendors have made passwords with, broken ones among them; the audit tries them, and nothing is protected by them.
//!
//! ```text
//!  credential::audit
//!  crypto::digests (this file)   MD5 · SHA-1 · SHA-256 · SHA-512 · HMAC
//! ```

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// A digest, of the length that its function has.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    bytes: [u8; 64],
    len: usize,
}

impl Output {
    fn of(from: &[u8]) -> Self {
        let mut bytes = [0; 64];
        let len = from.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        Self { bytes, len }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// RFC 1321.
pub(crate) fn md5(of: &[u8]) -> Output {
    Output::of(&Md5::digest(of))
}

/// FIPS 180-4.
pub(crate) fn sha1(of: &[u8]) -> Output {
    Output::of(&Sha1::digest(of))
}

/// FIPS 180-4.
pub(crate) fn sha256(of: &[u8]) -> Output {
    Output::of(&Sha256::digest(of))
}

/// FIPS 180-4.
pub(crate) fn sha512(of: &[u8]) -> Output {
    Output::of(&Sha512::digest(of))
}

/// HMAC (RFC 2104) with MD5. A key of any length does; if one does not, the digest is empty.
pub(crate) fn hmac_md5(key: &[u8], of: &[u8]) -> Output {
    Hmac::<Md5>::new_from_slice(key).map_or(Output::of(&[]), |mac| {
        Output::of(&mac.chain_update(of).finalize().into_bytes())
    })
}

/// HMAC with SHA-1.
pub(crate) fn hmac_sha1(key: &[u8], of: &[u8]) -> Output {
    Hmac::<Sha1>::new_from_slice(key).map_or(Output::of(&[]), |mac| {
        Output::of(&mac.chain_update(of).finalize().into_bytes())
    })
}

/// HMAC with SHA-256.
pub(crate) fn hmac_sha256(key: &[u8], of: &[u8]) -> Output {
    Hmac::<Sha256>::new_from_slice(key).map_or(Output::of(&[]), |mac| {
        Output::of(&mac.chain_update(of).finalize().into_bytes())
    })
}
