//! The only place that imports cipher, hash and signature crates: one way to seal, one to open, one table of key labels.
//!
//! Nothing here is for applications; the store's types carry it. What is public is `ledger`, with feature `test-util`, for tests.
//!
//! ```text
//!  store
//!  crypto   (this file)   XChaCha20-Poly1305 · HKDF-SHA-256 · HMAC-SHA-256 · SipHash-2-4
//!  secret
//! ```

use core::hash::Hasher;

use chacha20poly1305::{AeadInOut, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand_core::TryCryptoRng;
use sha2::Sha256;
use siphasher::sip::SipHasher24;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

use crate::secret::{self, Secret};
use crate::stack::on_wiped_stack;

#[cfg(feature = "factory")]
pub(crate) mod digests;
#[cfg(feature = "factory")]
pub(crate) mod factory;
#[cfg(feature = "test-util")]
pub mod ledger;
// By their paths: the check of constant time takes this file into a crate of its own.
#[path = "crypto/password.rs"]
pub(crate) mod password;
#[path = "crypto/sign.rs"]
pub(crate) mod sign;

/// Bytes of the random part of a nonce.
pub(crate) const SALT_LEN: usize = 12;
/// Bytes of the synthetic part of a nonce, stored beside the ciphertext.
pub(crate) const SYNTHETIC_LEN: usize = 8;
/// Bytes of the authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// Fresh bytes that go into the synthetic part of each nonce.
pub(crate) const RANDOMNESS_LEN: usize = 16;

/// Stack that is wiped after each derivation and each sealing: 3.25 KiB where a word has 64 bits, half of that where it has 32. By their frames they take up to
/// 1.5 KB on 32-bit cores (decision 28).
type Room = [u8; 416 * size_of::<usize>()];

/// And after each opening, which takes 1,044.
type OpenRoom = [u8; 320 * size_of::<usize>()];

/// What a derived key is for. The text is the whole difference between two keys: one table, no duplicates.
#[derive(Clone, Copy)]
pub(crate) enum Label {
    WrapSeal,
    WrapNonce,
    StoreMix,
    StoreKey,
    StoreSeal,
    StoreNonce,
    ClassMix,
    Structure,
    Live,
    Name,
    ClassKey,
    ClassSeal,
    ClassNonce,
    LimiterEpoch,
    TelemetrySeed,
    Pseudonym,
}

impl Label {
    const fn text(self) -> &'static [u8] {
        match self {
            Self::WrapSeal => b"bydesign/v1/wrap-seal",
            Self::WrapNonce => b"bydesign/v1/wrap-nonce",
            Self::StoreMix => b"bydesign/v1/store-mix",
            Self::StoreKey => b"bydesign/v1/store-key",
            Self::StoreSeal => b"bydesign/v1/store-seal",
            Self::StoreNonce => b"bydesign/v1/store-nonce",
            Self::ClassMix => b"bydesign/v1/class-mix",
            Self::Structure => b"bydesign/v1/structure",
            Self::Live => b"bydesign/v1/live",
            Self::Name => b"bydesign/v1/name",
            Self::ClassKey => b"bydesign/v1/class-key",
            Self::ClassSeal => b"bydesign/v1/class-seal",
            Self::ClassNonce => b"bydesign/v1/class-nonce",
            Self::LimiterEpoch => b"bydesign/v1/limiter-epoch",
            Self::TelemetrySeed => b"bydesign/v1/telemetry-seed",
            Self::Pseudonym => b"bydesign/v1/pseudonym",
        }
    }
}

/// The cryptography refused. Says nothing more, on purpose: for a failed opening there is nothing more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// HKDF-SHA-256 (RFC 5869): `info` is the label, a zero byte and the context parts in order.
pub(crate) fn derive<const N: usize>(
    salt: &[u8],
    key_material: &[&[u8]],
    label: Label,
    context: &[&[u8]; 4],
) -> Result<Secret<N>, Refused> {
    let mut secret = Secret::new([0; N]);
    derive_into(salt, key_material, label, context, secret.expose_mut())?;
    Ok(secret)
}

/// The same, to where the key is to stay: it is never moved.
//= compliance/requirements.md#store-24
//# Every key MUST be derived with its purpose, the store id and the partition label.
pub(crate) fn derive_into(
    salt: &[u8],
    key_material: &[&[u8]],
    label: Label,
    context: &[&[u8]; 4],
    key: &mut [u8],
) -> Result<(), Refused> {
    on_wiped_stack::<Room, _>(|| derive_apart(salt, key_material, label, context, key))
}

fn derive_apart(
    salt: &[u8],
    key_material: &[&[u8]],
    label: Label,
    context: &[&[u8]; 4],
    key: &mut [u8],
) -> Result<(), Refused> {
    let mut extract = hkdf::HkdfExtract::<Sha256>::new(Some(salt));
    for part in key_material {
        extract.input_ikm(part);
    }
    let (mut pseudorandom_key, hkdf) = extract.finalize();
    pseudorandom_key.as_mut_slice().zeroize();
    let [first, second, third, fourth] = context;
    let info: [&[u8]; 6] = [label.text(), &[0], first, second, third, fourth];
    hkdf.expand_multi_info(&info, key).map_err(|_| Refused)
}

/// A key pair for one purpose: the cipher's key and the key of the synthetic nonce part.
pub(crate) struct SealingKey {
    pub(crate) seal: Secret<32>,
    pub(crate) nonce: Secret<32>,
}

impl SealingKey {
    /// Room for one.
    pub(crate) const fn none() -> Self {
        Self {
            seal: Secret::new([0; 32]),
            nonce: Secret::new([0; 32]),
        }
    }
}

/// Where something is sealed: no two seals between two erases of a page share one.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) salt: [u8; SALT_LEN],
    /// Bytes from the start of the page.
    pub(crate) offset: u32,
}

/// What stands beside a ciphertext.
pub(crate) struct Sealed {
    pub(crate) synthetic: [u8; SYNTHETIC_LEN],
    pub(crate) tag: [u8; TAG_LEN],
}

/// Seals `text` in place. Every sealing call of the crate is this one.
//= compliance/requirements.md#store-3
//# The store MUST NOT seal two different plaintexts under one key and nonce, whatever power, medium and random source do.
pub(crate) fn seal(
    key: &SealingKey,
    place: Place,
    associated: &[u8],
    randomness: &[u8; RANDOMNESS_LEN],
    text: &mut [u8],
) -> Result<Sealed, Refused> {
    on_wiped_stack::<Room, _>(|| seal_apart(key, place, associated, randomness, text))
}

// A function of its own in the binary, like `open_apart`: `tests/linked` names the two in which the cipher crate may have a panic.
#[inline(never)]
fn seal_apart(
    key: &SealingKey,
    place: Place,
    associated: &[u8],
    randomness: &[u8; RANDOMNESS_LEN],
    text: &mut [u8],
) -> Result<Sealed, Refused> {
    let synthetic = synthetic_part(key, place, associated, randomness, text)?;
    let nonce = nonce(place, synthetic);
    #[cfg(feature = "test-util")]
    ledger::note(key.seal.expose(), &nonce, associated, text);
    let cipher = XChaCha20Poly1305::new(<&Key>::from(key.seal.expose()));
    let tag = cipher
        .encrypt_inout_detached(<&XNonce>::from(&nonce), associated, text.into())
        .map_err(|_| Refused)?;
    Ok(Sealed {
        synthetic,
        tag: tag.into(),
    })
}

/// Opens `text` in place; on refusal `text` is as it was.
pub(crate) fn open(
    key: &SealingKey,
    place: Place,
    associated: &[u8],
    sealed: &Sealed,
    text: &mut [u8],
) -> Result<(), Refused> {
    on_wiped_stack::<OpenRoom, _>(|| open_apart(key, place, associated, sealed, text))
}

#[inline(never)]
fn open_apart(
    key: &SealingKey,
    place: Place,
    associated: &[u8],
    sealed: &Sealed,
    text: &mut [u8],
) -> Result<(), Refused> {
    let nonce = nonce(place, sealed.synthetic);
    XChaCha20Poly1305::new(<&Key>::from(key.seal.expose()))
        .decrypt_inout_detached(
            <&XNonce>::from(&nonce),
            associated,
            text.into(),
            <&Tag>::from(&sealed.tag),
        )
        .map_err(|_| Refused)
}

/// A pseudorandom function of everything that is sealed and where: if two calls agree on salt and offset (a restored
/// image, a stuck random source), they still get two nonces unless they seal the same bytes.
fn synthetic_part(
    key: &SealingKey,
    place: Place,
    associated: &[u8],
    randomness: &[u8; RANDOMNESS_LEN],
    text: &[u8],
) -> Result<[u8; SYNTHETIC_LEN], Refused> {
    let length = u32::try_from(associated.len()).map_err(|_| Refused)?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.nonce.expose()).map_err(|_| Refused)?;
    mac.update(&place.salt);
    mac.update(&place.offset.to_le_bytes());
    mac.update(&length.to_le_bytes());
    mac.update(associated);
    mac.update(randomness);
    mac.update(text);
    let output: [u8; 32] = mac.finalize().into_bytes().into();
    output.first_chunk().copied().ok_or(Refused)
}

fn nonce(place: Place, synthetic: [u8; SYNTHETIC_LEN]) -> [u8; 24] {
    let mut nonce = [0; 24];
    let (salt, rest) = nonce.split_at_mut(SALT_LEN);
    salt.copy_from_slice(&place.salt);
    let (offset, synthetic_part) = rest.split_at_mut(4);
    offset.copy_from_slice(&place.offset.to_le_bytes());
    synthetic_part.copy_from_slice(&synthetic);
    nonce
}

/// A short keyed fingerprint (SipHash-2-4) of the parts, one after the other.
pub(crate) fn fingerprint(key: &Secret<16>, parts: &[&[u8]]) -> u64 {
    let mut digest = Digest::new(key);
    for part in parts {
        digest.add(part);
    }
    digest.value()
}

/// A running keyed fingerprint.
///
/// The hash crate does not wipe its state, which holds the key: it is overwritten with that of a hash that was given nothing.
#[derive(Clone)]
pub(crate) struct Digest(SipHasher24);

impl Drop for Digest {
    fn drop(&mut self) {
        self.0 = SipHasher24::new();
        optimization_barrier(self);
    }
}

impl ZeroizeOnDrop for Digest {}

impl Digest {
    pub(crate) fn new(key: &Secret<16>) -> Self {
        Self(SipHasher24::new_with_key(key.expose()))
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.finish()
    }
}

/// Fresh bytes, or a refusal if the source fails.
pub(crate) fn fresh<const N: usize, R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<[u8; N], Refused> {
    let mut bytes = [0; N];
    random.try_fill_bytes(&mut bytes).map_err(|_| Refused)?;
    Ok(bytes)
}

/// Fresh secret bytes from a source that is visibly alive, for keys that are to outlast everything else.
///
/// The source must answer twice, differently, and neither answer may be a short pattern: what a dead generator, a bus
/// that reads zero, or an uninitialised peripheral gives. It cannot tell a good source from a merely lively one.
//= compliance/requirements.md#store-12
//# Format and erase MUST fail, changing nothing, when the random source fails or is visibly stuck.
pub(crate) fn fresh_key<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Secret<32>, Refused> {
    let first: Secret<32> = Secret::random(random).map_err(|_| Refused)?;
    let second: Secret<32> = Secret::random(random).map_err(|_| Refused)?;
    let patterned = |key: &Secret<32>| {
        let periods = (1..=16).map(|period| secret::repeats_after(key.expose(), period));
        periods.fold(Choice::from(0), |any, repeats| any | repeats)
    };
    if bool::from(first.ct_eq(&second) | patterned(&first) | patterned(&second)) {
        Err(Refused)
    } else {
        Ok(first)
    }
}

#[cfg(test)]
mod tests;
