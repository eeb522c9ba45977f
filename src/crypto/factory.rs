//! What only a factory computes: verifiers of SPAKE2+, sealed rows, derivation under a batch key.

use std::vec::Vec;

pub(crate) use chacha20::ChaCha20Rng;
use hkdf::Hkdf;
use hmac::Hmac;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem, X25519HkdfSha256};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable};
use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::DecodePrivateKey;
use p256::{ProjectivePoint, Scalar};
use rand_core::{CryptoRng, SeedableRng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::Refused;
use crate::secret::Secret;

/// SHA-256 of what is public.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of what comes in pieces.
#[derive(Clone, Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// A generator that gives the same again for the same key and inputs (HKDF-SHA-256, then `ChaCha20`); inputs are told apart by their
/// lengths.
pub(crate) fn generator(key: &Secret<32>, purpose: &str, inputs: &[&str]) -> Result<ChaCha20Rng, Refused> {
    let hkdf = Hkdf::<Sha256>::new(None, key.expose());
    let mut info = Vec::new();
    for part in core::iter::once(&purpose).chain(inputs) {
        info.extend_from_slice(&(part.len() as u64).to_le_bytes());
        info.extend_from_slice(part.as_bytes());
    }
    let mut seed = Zeroizing::new([0; 32]);
    hkdf.expand(&info, seed.as_mut_slice()).map_err(|_| Refused)?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

/// w0 and L of SPAKE2+ for a Matter passcode: PBKDF2-HMAC-SHA-256 gives 80 bytes, each half is reduced to a scalar, L = w1·P.
pub(crate) fn spake2p_verifier(
    passcode: u32,
    salt: &[u8],
    iterations: u32,
) -> Result<(Secret<32>, Secret<65>), Refused> {
    let mut password = passcode.to_le_bytes();
    let mut halves = Zeroizing::new([0; 80]);
    let derived = pbkdf2::pbkdf2::<Hmac<Sha256>>(&password, salt, iterations, halves.as_mut_slice());
    password.zeroize();
    derived.map_err(|_| Refused)?;
    let (first, second) = halves.split_at_checked(40).ok_or(Refused)?;
    let (mut w0, mut w1) = (scalar(first), scalar(second));
    let point = (ProjectivePoint::GENERATOR * w1).to_affine().to_sec1_point(false);
    let verifier = (
        Secret::new(w0.to_repr().into()),
        Secret::new(point.as_bytes().try_into().map_err(|_| Refused)?),
    );
    w0.zeroize();
    w1.zeroize();
    Ok(verifier)
}

/// A number of any length, most significant byte first, modulo the order of P-256.
fn scalar(bytes: &[u8]) -> Scalar {
    let step = Scalar::from(256_u64);
    bytes.iter().fold(Scalar::ZERO, |sum, byte| {
        sum * step + Scalar::from(u64::from(*byte))
    })
}

/// The private key of an issuer of certificates.
pub(crate) enum IssuerKey {
    Ed25519 {
        seed: Secret<32>,
        public: [u8; 32],
    },
    P256 {
        key: p256::ecdsa::SigningKey,
        public: Vec<u8>,
    },
}

impl IssuerKey {
    /// Reads PKCS#8 in DER, of version 1.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        // RFC 8410: everything but the seed is the same in every such key.
        const ED25519: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        if let Some(seed) = der.strip_prefix(ED25519) {
            let seed = Secret::new(seed.try_into().ok()?);
            let public = super::sign::public_key(&seed);
            return Some(Self::Ed25519 { seed, public });
        }
        let key = p256::SecretKey::from_pkcs8_der(der).ok()?;
        let public = key.public_key().to_sec1_point(false).as_bytes().to_vec();
        Some(Self::P256 {
            key: key.into(),
            public,
        })
    }

    /// The public key as a certificate holds it.
    pub(crate) fn public(&self) -> &[u8] {
        match self {
            Self::Ed25519 { public, .. } => public,
            Self::P256 { public, .. } => public,
        }
    }

    pub(crate) const fn is_ed25519(&self) -> bool {
        matches!(self, Self::Ed25519 { .. })
    }

    /// Ed25519, or ECDSA with SHA-256 (deterministic, RFC 6979) in DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519 { seed, .. } => super::sign::sign(seed, message).to_vec(),
            Self::P256 { key, .. } => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

/// An X25519 public key, if the bytes can be one.
pub(crate) fn is_public_key(bytes: &[u8; 32]) -> bool {
    // A point of small order would make the shared secret zero.
    <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes).is_ok()
        && seal_row(bytes, b"", b"", &mut ChaCha20Rng::from_seed([1; 32])).is_ok()
}

/// The public key to an X25519 private key.
#[cfg(test)]
pub(crate) fn recipient_public_key(private: &Secret<32>) -> Result<[u8; 32], Refused> {
    let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(private.expose()).map_err(|_| Refused)?;
    Ok(<X25519HkdfSha256 as Kem>::sk_to_pk(&private).to_bytes().into())
}

/// HPKE (RFC 9180) in base mode with X25519, HKDF-SHA-256 and ChaCha20-Poly1305: the encapsulated key, and the ciphertext with its tag.
pub(crate) fn seal_row(
    recipient: &[u8; 32],
    info: &[u8],
    plaintext: &[u8],
    random: &mut impl CryptoRng,
) -> Result<([u8; 32], Vec<u8>), Refused> {
    let recipient = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(recipient).map_err(|_| Refused)?;
    let (key, text) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &recipient,
        info,
        plaintext,
        b"",
        random,
    )
    .map_err(|_| Refused)?;
    Ok((key.to_bytes().into(), text))
}

/// Opens what [`seal_row`] sealed.
pub(crate) fn open_row(
    private: &Secret<32>,
    key: &[u8; 32],
    info: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let private = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(private.expose()).map_err(|_| Refused)?;
    let key = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).map_err(|_| Refused)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &private,
        &key,
        info,
        ciphertext,
        b"",
    )
    .map(Zeroizing::new)
    .map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
            .collect()
    }

    /// From connectedhomeip: `sTestSpake2p01` of `TestPASESession.cpp`, and a vendor's guide for the second.
    #[test]
    fn verifiers_are_those_of_the_reference_implementation() {
        let salt = b"SPAKE2P Key Salt";
        let (w0, l) = spake2p_verifier(20_202_021, salt, 1000).expect("derived");
        assert_eq!(
            w0.expose()[..],
            hex("b96170aae803346884724fe9a3b287c30330c2a660375d17bb205a8cf1aecb35")
        );
        assert_eq!(
            l.expose()[..],
            hex(
                "0457f8ab79ee253ab6a8e46bb09e543ae422736de501e3db37d441fe344920d09548e4c18240630c4ff4913c53513839b7c07fcc0627a1b8573a149fcd1fa466cf"
            )
        );
    }

    #[test]
    fn what_is_sealed_opens_for_the_recipient_with_the_same_data_and_for_nobody_else() {
        let (own, other) = (Secret::new([7; 32]), Secret::new([8; 32]));
        let public = recipient_public_key(&own).expect("a key");
        let mut random = ChaCha20Rng::from_seed([9; 32]);
        let (key, text) = seal_row(&public, b"info", b"row", &mut random).expect("sealed");
        let open = |private, info| open_row(private, &key, info, &text).ok();
        assert_eq!(
            open(&own, b"info").as_deref().map(Vec::as_slice),
            Some(&b"row"[..])
        );
        assert!(open(&other, b"info").is_none());
        assert!(open(&own, b"else").is_none());
        assert!(is_public_key(&public) && !is_public_key(&[0; 32]));
    }
}
