//! Known answers from the RFCs, and the properties the store relies on.

use std::vec::Vec;

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn key() -> SealingKey {
    SealingKey {
        seal: Secret::new([7; 32]),
        nonce: Secret::new([9; 32]),
    }
}

const PLACE: Place = Place {
    salt: [1; SALT_LEN],
    offset: 64,
};

/// draft-irtf-cfrg-xchacha-03, A.3.1: our `open` on the published ciphertext, with its nonce cut into our three parts.
#[test]
fn the_published_xchacha20_poly1305_example_opens() {
    let seal: [u8; 32] = unhex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
        .try_into()
        .unwrap();
    let key = SealingKey {
        seal: Secret::new(seal),
        nonce: Secret::new([0; 32]),
    };
    let nonce = unhex("404142434445464748494a4b4c4d4e4f5051525354555657");
    let place = Place {
        salt: nonce[..12].try_into().unwrap(),
        offset: u32::from_le_bytes(nonce[12..16].try_into().unwrap()),
    };
    let associated = unhex("50515253c0c1c2c3c4c5c6c7");
    let mut text = unhex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39\
         ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9\
         21f9664c97637da9768812f615c68b13b52e",
    );
    let tag = unhex("c0875924c1c7987947deafd8780acf49").try_into().unwrap();
    let sealed = Sealed {
        synthetic: nonce[16..].try_into().unwrap(),
        tag,
    };
    assert_eq!(open(&key, place, &associated, &sealed, &mut text), Ok(()));
    assert!(text.starts_with(b"Ladies and Gentlemen of the class of '99"));
}

/// RFC 5869, A.1, through the same crate: the label and context parts are only concatenated into `info`.
#[test]
fn the_first_example_of_rfc_5869_comes_out() {
    let hkdf = hkdf::Hkdf::<Sha256>::new(Some(&unhex("000102030405060708090a0b0c")), &[0x0b; 22]);
    let mut output = [0; 42];
    hkdf.expand_multi_info(&[&unhex("f0f1f2f3f4"), &unhex("f5f6f7f8f9")], &mut output)
        .unwrap();
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(output.to_vec(), unhex(expected));
}

//= compliance/requirements.md#store-24
//= type=test
//# Every key MUST be derived with its purpose, the store id and the partition label.
#[test]
fn a_derived_key_is_hkdf_of_label_zero_byte_and_context() {
    let derived: Secret<32> = derive(
        b"salt",
        &[b"key", b"material"],
        Label::Live,
        &[b"a", b"b", b"c", b"d"],
    )
    .unwrap();
    let mut expected = [0; 32];
    hkdf::Hkdf::<Sha256>::new(Some(b"salt"), b"keymaterial")
        .expand(b"bydesign/v1/live\0abcd", &mut expected)
        .unwrap();
    assert_eq!(*derived.expose(), expected);
}

#[test]
fn no_two_labels_are_the_same_and_none_begins_another() {
    use Label::{
        ClassKey, ClassMix, ClassNonce, ClassSeal, Live, Name, StoreNonce, StoreSeal, Structure, WrapNonce,
        WrapSeal,
    };
    let labels = [
        WrapSeal, WrapNonce, StoreSeal, StoreNonce, ClassMix, Structure, Live, Name, ClassKey, ClassSeal,
        ClassNonce,
    ];
    for (i, a) in labels.iter().enumerate() {
        for b in &labels[i + 1..] {
            assert!(!a.text().starts_with(b.text()) && !b.text().starts_with(a.text()));
        }
    }
}

#[test]
fn what_is_sealed_opens_and_any_flipped_bit_is_refused() {
    let mut text = *b"attack at dawn!!";
    let sealed = seal(&key(), PLACE, b"header", &[3; 16], &mut text).unwrap();
    let mut good = text;
    assert_eq!(open(&key(), PLACE, b"header", &sealed, &mut good), Ok(()));
    assert_eq!(&good, b"attack at dawn!!");
    for bit in 0..text.len() * 8 {
        let mut bad = text;
        bad[bit / 8] ^= 1 << (bit % 8);
        let before = bad;
        assert_eq!(open(&key(), PLACE, b"header", &sealed, &mut bad), Err(Refused));
        assert_eq!(bad, before, "a refused opening leaves the bytes alone");
    }
    assert_eq!(
        open(
            &key(),
            Place { offset: 68, ..PLACE },
            b"header",
            &sealed,
            &mut good
        ),
        Err(Refused)
    );
    assert_eq!(open(&key(), PLACE, b"leader", &sealed, &mut good), Err(Refused));
}

#[test]
fn with_everything_else_equal_another_plaintext_gets_another_nonce() {
    let synthetic =
        |text: &[u8], randomness| synthetic_part(&key(), PLACE, b"header", &randomness, text).unwrap();
    assert_ne!(synthetic(b"one", [0; 16]), synthetic(b"two", [0; 16]));
    assert_ne!(synthetic(b"one", [0; 16]), synthetic(b"one", [1; 16]));
    assert_eq!(synthetic(b"one", [0; 16]), synthetic(b"one", [0; 16]));
}

/// Reference: the key 00…0f and message 00…0e of the SipHash paper, appendix A.
#[test]
fn the_example_of_the_siphash_paper_comes_out() {
    let key = Secret::new(core::array::from_fn(|i| u8::try_from(i).unwrap()));
    let message: Vec<u8> = (0..15).collect();
    assert_eq!(fingerprint(&key, &[&message]), 0xa129_ca61_49be_45e5);
    assert_eq!(
        fingerprint(&key, &[&message[..4], &message[4..]]),
        0xa129_ca61_49be_45e5
    );
}

//= compliance/requirements.md#secret-2
//= type=test
//# A secret MUST be wiped when it is dropped.
#[test]
fn the_cipher_the_mac_and_our_secrets_wipe_themselves() {
    fn wipes_on_drop<T: zeroize::ZeroizeOnDrop>() {}
    wipes_on_drop::<XChaCha20Poly1305>();
    wipes_on_drop::<Secret<32>>();
    // These two have no marker; without their `zeroize` feature they would have nothing to drop.
    assert!(core::mem::needs_drop::<poly1305::Poly1305>());
    assert!(core::mem::needs_drop::<Hmac<Sha256>>());
}

struct Source(fn(u64) -> u64, u64);

impl rand_core::TryRng for Source {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(u32::try_from(self.try_next_u64()? & 0xffff_ffff).unwrap_or(0))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.1 += 1;
        Ok(self.0(self.1))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
impl TryCryptoRng for Source {}

#[test]
fn a_stuck_or_patterned_random_source_makes_no_key() {
    assert!(fresh_key(&mut Source(|_| 0, 0)).is_err(), "all zero");
    assert!(fresh_key(&mut Source(|_| u64::MAX, 0)).is_err(), "all one");
    assert!(
        fresh_key(&mut Source(|n| if n % 4 == 0 { 1 } else { n % 4 * 77 }, 0)).is_err(),
        "repeats itself"
    );
    assert!(fresh_key(&mut Source(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0)).is_ok());
}
