//! Secrets that everybody knows: test keys of standards and kits, codes of examples, patterns. A device that holds one was never provisioned.
//!
//! ```text
//!  device · window
//!  published (this file)
//!  crypto · secret
//! ```
//!
//! Patterns are known by what they are; the others by a fingerprint, the first eight bytes of their SHA-256: that is enough to refuse one, and the
//! list is no list of keys.

use subtle::{Choice, ConstantTimeEq};

use super::matter::{FORBIDDEN, PUBLISHED, is_allowed, is_published};
use super::verifier::{Verifier, VerifierError};
use crate::crypto::password::Block;
use crate::crypto::sign::{public_key, short_id};
use crate::secret::{RootKey, Secret};

/// Whether 32 secret bytes are a pattern (all zero, counting, repeated) or a published test key. Takes the same time for all that are not.
///
/// ```
/// use bydesign::credential::published;
/// use bydesign::secret::Secret;
///
/// assert!(published::is_secret(&Secret::new([0; 32])));
/// ```
//= compliance/requirements.md#cred-9
//# A device MUST NOT run with an identity or pairing verifier that is a pattern or a published test secret.
#[must_use]
pub fn is_secret(secret: &Secret<32>) -> bool {
    // What is no root key is no other secret either.
    RootKey::new(*secret.expose()).is_err() || is_listed(secret.expose())
}

/// Whether an Ed25519 seed is one that [`is_secret`] knows, or one whose public key is published with its private key.
#[must_use]
pub fn is_identity(seed: &Secret<32>) -> bool {
    is_secret(seed) || is_public_key(&public_key(seed))
}

/// Whether a public key is that of a published private key.
#[must_use]
pub fn is_public_key(key: &[u8; 32]) -> bool {
    is_listed(key)
}

/// Whether the private key to an X25519 public key is printed somewhere: then what is sealed to it is sealed to everybody.
#[cfg(feature = "factory")]
pub(crate) fn is_recipient(public_key: &[u8; 32]) -> bool {
    const FINGERPRINTS: [[u8; 8]; 6] = [
        // this project's own example, tests/interop/lamp.toml
        [0xa0, 0x28, 0x98, 0x10, 0x03, 0x2e, 0xb4, 0x17],
        // RFC 7748, 6.1: Alice and Bob
        [0x30, 0x0c, 0x9c, 0x96, 0x03, 0xb9, 0x2a, 0x4b],
        [0xf3, 0x5e, 0x56, 0x16, 0x16, 0x0a, 0x30, 0xbf],
        // RFC 9180, A.1 and A.2: the recipients of base mode
        [0x8b, 0x22, 0x8c, 0xd7, 0x5a, 0xb7, 0x0b, 0xad],
        [0x9e, 0x07, 0x47, 0x9c, 0x8d, 0x82, 0x79, 0xa4],
        // the base point, which is what an example without a key has
        [0x34, 0xec, 0x81, 0xdb, 0xda, 0xf9, 0x14, 0x85],
    ];
    FINGERPRINTS.contains(&short_id(public_key))
}

/// Whether a code or password stands in the examples of standards and kits, or is one of those that Matter forbids.
///
/// ```
/// use bydesign::credential::published;
///
/// assert!(published::is_code("20202021") && published::is_code("00000000"));
/// assert!(!published::is_code("73914628"));
/// ```
#[must_use]
pub fn is_code(code: &str) -> bool {
    CODES.contains(&code) || is_pattern(code.as_bytes()) || is_of_matter(code)
}

/// Whether it is a passcode that Matter forbids, or one of its kits and guides.
fn is_of_matter(code: &str) -> bool {
    let is_passcode = code.len() == 8 && code.bytes().all(|digit| digit.is_ascii_digit());
    is_passcode
        && code
            .parse()
            .is_ok_and(|code| !is_allowed(code) || is_published(code))
}

/// One digit again and again, or each one more or less than the one before.
fn is_pattern(code: &[u8]) -> bool {
    let mut steps = code.windows(2).filter_map(|pair| match pair {
        [first, second] => Some(second.wrapping_sub(*first)),
        _ => None,
    });
    let Some(first) = steps.next() else {
        return true;
    };
    matches!(first, 0 | 1 | u8::MAX) && steps.all(|step| step == first)
}

/// Whether a verifier is that of a published code of eight digits, or of another one in the list: hashes each of them.
pub(super) fn is_verifier_of_code(verifier: &Verifier, blocks: &mut [Block]) -> Result<bool, VerifierError> {
    for code in CODES {
        if verifier.matches(code.as_bytes(), blocks)? {
            return Ok(true);
        }
    }
    for passcode in FORBIDDEN.iter().chain(&PUBLISHED) {
        if verifier.matches(&eight_digits(*passcode), blocks)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks at the whole list.
fn is_listed(bytes: &[u8; 32]) -> bool {
    let fingerprint = short_id(bytes);
    let found = FINGERPRINTS.iter().fold(Choice::from(0), |found, listed| {
        found | listed.ct_eq(&fingerprint)
    });
    found.into()
}

/// A passcode as it is printed.
fn eight_digits(mut passcode: u32) -> [u8; 8] {
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(passcode % 10).unwrap_or_default();
        passcode /= 10;
    }
    digits
}

/// Codes that guides use, beside patterns and Matter's: counting with a zero at the end, and what passes for random.
const CODES: [&str; 4] = ["1234567890", "123123", "12341234", "0123456789"];

/// The first eight bytes of the SHA-256 of each.
const FINGERPRINTS: [[u8; 8]; 8] = [
    // TF-M: the initial attestation key of its dummy provisioning
    [0xfc, 0x15, 0xd5, 0x75, 0x54, 0x28, 0xeb, 0x71],
    // RFC 8032, 7.1: the seeds of tests 2, 3, 1024 and SHA(abc); that of test 1 is no root key either
    [0x3d, 0x2d, 0x96, 0x82, 0xcd, 0xba, 0x52, 0x96],
    [0xd8, 0xec, 0xa0, 0xcc, 0xa7, 0x20, 0xd3, 0x3b],
    [0x28, 0x02, 0x4a, 0x74, 0x94, 0x34, 0x22, 0xcc],
    [0x91, 0x8a, 0x48, 0x32, 0x06, 0xab, 0xfc, 0x92],
    // Matter's kit: w0 of its default passcode, salt and iterations
    [0x03, 0xaf, 0x82, 0x39, 0x6d, 0x22, 0x2a, 0xb4],
    // MCUboot: the public key of root-ed25519.pem
    [0x4a, 0x4a, 0x02, 0xb3, 0xbc, 0xb1, 0x74, 0x34],
    // RFC 8032, 7.1: the public key of test 2
    [0x39, 0xf7, 0x13, 0xd0, 0xa6, 0x44, 0x25, 0x3f],
];

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> [u8; 32] {
        core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
    }

    const UNLISTED: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    /// In the order of the list.
    const VALUES: [&str; 8] = [
        "a9b454b26d6f90a4ea31193564cba91fec6f9a002a7dc0504b92a1937134585f",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "b96170aae803346884724fe9a3b287c30330c2a660375d17bb205a8cf1aecb35",
        "d4b31ba49a3add3f825d10ca7f31b50b0de87f37ccc49f1a403a5c1320ffb4e0",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ];

    //= compliance/requirements.md#cred-9
    //= type=test
    //# A device MUST NOT run with an identity or pairing verifier that is a pattern or a published test secret.
    #[test]
    fn every_published_key_is_refused_and_stands_in_the_list_once() {
        for (value, listed) in VALUES.iter().zip(&FINGERPRINTS) {
            assert_eq!(short_id(&hex(value)), *listed, "{value}");
            assert!(is_secret(&Secret::new(hex(value))));
            assert_eq!(FINGERPRINTS.iter().filter(|other| *other == listed).count(), 1);
        }
    }

    #[test]
    fn zeros_counting_bytes_and_the_dummy_root_key_of_a_firmware_kit_are_refused() {
        let counting: [u8; 32] = core::array::from_fn(|at| 0xa0 + u8::try_from(at).expect("small"));
        let twice: [u8; 32] = core::array::from_fn(|at| u8::try_from(at % 16).expect("small"));
        for secret in [[0; 32], [0xff; 32], counting, twice] {
            assert!(is_secret(&Secret::new(secret)));
        }
        assert!(!is_secret(&Secret::new(hex(UNLISTED))));
    }

    #[test]
    fn an_identity_is_refused_by_the_public_key_of_a_known_pair() {
        assert!(is_identity(&Secret::new(hex(VALUES[1]))));
        assert!(is_public_key(&hex(VALUES[6])));
        assert!(!is_public_key(&hex(UNLISTED)));
    }

    #[test]
    fn codes_of_examples_and_patterns_are_known_and_others_are_not() {
        for code in CODES.into_iter().chain([
            "00000000", "11111111", "99999999", "12345678", "87654321", "7", "", "20202021", "20202025",
            "34567890", "62034001", "20372039",
        ]) {
            assert!(is_code(code), "{code}");
        }
        for code in ["73914628", "20202026", "11111112", "13579135"] {
            assert!(!is_code(code), "{code}");
        }
    }

    #[cfg(feature = "factory")]
    #[test]
    fn recipients_whose_private_key_is_printed_are_known() {
        use crate::crypto::factory::recipient_public_key;

        let public = |private: &str| recipient_public_key(&Secret::new(hex(private)));
        for private in [
            // tests/interop/README.md; RFC 9180, A.1 and A.2
            "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
            "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        ] {
            assert!(is_recipient(&public(private).expect("a key")), "{private}");
        }
        // RFC 7748, 6.1, as they are printed; and 9.
        let mut nine = [0; 32];
        nine[0] = 9;
        assert!(is_recipient(&nine));
        for printed in [
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ] {
            assert!(is_recipient(&hex(printed)), "{printed}");
        }
        assert!(!is_recipient(
            &recipient_public_key(&Secret::new([7; 32])).expect("a key")
        ));
    }
}
