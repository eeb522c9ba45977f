//! What must not be found: the sentinels, and every key that follows from the root keys and an image of the flash.

use std::collections::BTreeSet;

use hkdf::Hkdf;
use sha2::{Digest, Sha256, Sha512};

use crate::forensics::{self, Findings};
use crate::formula::{IDENTITY, LABEL, NEXT_ROOT_KEY, ROOT_KEY, TYPED_VALUE, VALUE, VALUE_LEN, fill};

pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Known {
    /// Whether it exists in the cipher alone, and only while it runs.
    pub(crate) fn is_of_the_cipher(&self) -> bool {
        [CIPHER_KEY, ONE_TIME_KEY].contains(&self.name.as_str())
    }
}

const CIPHER_KEY: &str = "the cipher key of a record";
const ONE_TIME_KEY: &str = "the one-time key of a record";
const SCALAR: &str = "the identity's scalar";

pub(crate) struct Secrets {
    all: Vec<Known>,
    known: BTreeSet<Vec<u8>>,
    roots: [[u8; 32]; 2],
}

impl Secrets {
    pub(crate) fn new(seed: u32) -> Self {
        let root = |which| {
            let mut bytes = [0; 32];
            fill(seed, which, &mut bytes);
            bytes
        };
        let mut secrets = Self {
            all: Vec::new(),
            known: BTreeSet::new(),
            roots: [root(ROOT_KEY), root(NEXT_ROOT_KEY)],
        };
        for root in secrets.roots {
            secrets.add("a root key", &root);
        }
        for which in [VALUE, TYPED_VALUE] {
            let mut value = [0; VALUE_LEN];
            fill(seed, which, &mut value);
            secrets.add("a value", &value);
        }
        secrets.add_identity(&root(IDENTITY));
        secrets
    }

    /// RFC 8032, section 5.1.5: a seed becomes a scalar and a prefix; the scalar also as it is reckoned with. RFC 2104: a key meets two pads.
    fn add_identity(&mut self, seed: &[u8; 32]) {
        self.add("the seed of the identity", seed);
        let digest: [u8; 64] = Sha512::digest(seed).into();
        let (mut scalar, prefix) = (<[u8; 32]>::default(), &digest[32..]);
        scalar.copy_from_slice(&digest[..32]);
        self.add("the digest of the identity", &scalar);
        scalar[0] &= 248;
        scalar[31] = (scalar[31] & 127) | 64;
        self.add(SCALAR, &scalar);
        let reduced = curve25519_dalek::Scalar::from_bytes_mod_order(scalar);
        self.add("the identity's scalar, reduced", &reduced.to_bytes());
        self.add("the identity's prefix", prefix);
        for pad in [0x36, 0x5c] {
            self.add("a padded key", &seed.map(|byte| byte ^ pad));
        }
    }

    pub(crate) fn all(&self) -> &[Known] {
        &self.all
    }

    /// A search for little would find little.
    pub(crate) fn are_enough(&self) -> Result<(), String> {
        for name in [
            "a root key",
            "a value",
            "the store key",
            "a class key",
            "a class's seal",
            CIPHER_KEY,
            ONE_TIME_KEY,
            SCALAR,
        ] {
            if !self.all.iter().any(|known| known.name == name) {
                return Err(format!("not known: {name}"));
            }
        }
        Ok(())
    }

    /// Takes in the keys that this image gives to whoever has the root keys.
    pub(crate) fn learn(&mut self, image: &[u8]) {
        for root in self.roots {
            let Findings {
                stores,
                store_keys,
                class_keys,
                opened,
                ..
            } = forensics::scan(image, &root, LABEL.as_bytes());
            for store in &stores {
                let context = context(&store.store_id, &[]);
                for (name, label) in [
                    ("the wrap key", "wrap-seal"),
                    ("the wrap key's nonce key", "wrap-nonce"),
                    ("the store mix", "store-mix"),
                ] {
                    self.add(name, &derive(&root, label, &context));
                }
                for key in &store_keys {
                    self.add("the store key", key);
                    for (name, label) in [
                        ("the store seal", "store-seal"),
                        ("the store nonce key", "store-nonce"),
                        ("the class mix", "class-mix"),
                    ] {
                        self.add(name, &derive(key, label, &context));
                    }
                    for (name, label) in [
                        ("the structure key", "structure"),
                        ("the live key", "live"),
                        ("the name key", "name"),
                    ] {
                        self.add(name, &derive(key, label, &context)[..16]);
                    }
                }
                for found in &class_keys {
                    let mut place = vec![found.slot];
                    place.extend(found.generation.to_le_bytes());
                    let context = self::context(&store.store_id, &place);
                    self.add("a class key", &found.key);
                    self.add("a class's seal", &derive(&found.key, "class-seal", &context));
                    self.add(
                        "a class's nonce key",
                        &derive(&found.key, "class-nonce", &context),
                    );
                }
            }
            for (key, nonce) in opened {
                let mut input = [0; 16];
                input.copy_from_slice(&nonce[..16]);
                let subkey = chacha20::hchacha::<chacha20::R20>(&key.into(), &input.into());
                self.add(CIPHER_KEY, &subkey);
                self.add(ONE_TIME_KEY, &one_time(&key, &nonce));
            }
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        if self.known.insert(bytes.to_vec()) {
            self.all.push(Known {
                name: name.to_owned(),
                bytes: bytes.to_vec(),
            });
        }
    }
}

/// The key of Poly1305: the first block of the key stream. The cipher crate starts to encrypt at the second, so the stream cipher of the
/// crate below is used.
fn one_time(key: &[u8; 32], nonce: &[u8; 24]) -> [u8; 32] {
    use chacha20::XChaCha20;
    use chacha20::cipher::{KeyIvInit, StreamCipher};
    let mut block = [0; 32];
    XChaCha20::new(&(*key).into(), &(*nonce).into()).apply_keystream(&mut block);
    block
}

fn context(store_id: &[u8; 16], place: &[u8]) -> Vec<u8> {
    let mut bytes = store_id.to_vec();
    bytes.push(LABEL.len() as u8);
    bytes.extend_from_slice(LABEL.as_bytes());
    bytes.extend_from_slice(place);
    bytes
}

fn derive(from: &[u8; 32], label: &str, context: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let label = format!("bydesign/v1/{label}");
    // HKDF takes at most 255 blocks; this is one.
    let _ = Hkdf::<Sha256>::new(None, from).expand_multi_info(&[label.as_bytes(), &[0], context], &mut key);
    key
}
