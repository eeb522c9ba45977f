//! Bytes as hexadecimal digits, and back.
//!
//! ```text
//!  factory · audit
//!  hexadecimal (this file)
//! ```

use std::string::String;
use std::vec::Vec;

/// Two lower-case digits a byte, in an allocation that was large enough from the start: no copy of a secret is left behind.
pub(super) fn digits_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(nibble.into(), 16));
        }
    }
    text
}

/// The bytes of digits in either case; nothing but digits, and an even number of them.
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |symbol: u8| char::from(symbol).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_and_nothing_else_is_taken() {
        assert_eq!(digits_of(&[0, 0x9f, 0xff]), "009fff");
        assert_eq!(bytes_of("009fFF"), Some(Vec::from([0, 0x9f, 0xff])));
        assert_eq!(bytes_of(""), Some(Vec::new()));
        for text in ["0", "+1", "0x", "0g", "ää", "00 1"] {
            assert_eq!(bytes_of(text), None, "{text}");
        }
    }
}
