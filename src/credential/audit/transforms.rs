//! What computations do with an identifier: hashes, checksums, encodings.
//!
//! ```text
//!  audit::derived
//!  audit::transforms (this file)
//!  crypto::digests
//! ```

use std::string::String;
use std::vec::Vec;

use crate::credential::hexadecimal::digits_of;
use crate::crypto::digests;

/// A function, and what it is called.
pub(super) type Function = (&'static str, fn(&[u8]) -> Vec<u8>);
/// A code of a message under a key.
type Code = fn(&[u8], &[u8]) -> Vec<u8>;

/// Functions without a key. The first leaves its input as it is.
pub(super) const ONCE: [Function; 20] = [
    ("", <[u8]>::to_vec),
    ("MD5", by_md5),
    ("SHA-1", by_sha1),
    ("SHA-256", sha256),
    ("SHA-512", |of| digests::sha512(of).bytes().to_vec()),
    ("CRC-32", |of| crc_32(of).to_be_bytes().to_vec()),
    ("CRC-16/ARC", |of| crc_16(of, 0xa001, 0, true)),
    ("CRC-16/MODBUS", |of| crc_16(of, 0xa001, 0xffff, true)),
    ("CRC-16/CCITT", |of| crc_16(of, 0x1021, 0xffff, false)),
    ("CRC-16/XMODEM", |of| crc_16(of, 0x1021, 0, false)),
    ("Adler-32", |of| adler_32(of).to_be_bytes().to_vec()),
    ("FNV-1", |of| {
        let step = |hash: u32, byte: &u8| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte);
        of.iter().fold(0x811c_9dc5, step).to_be_bytes().to_vec()
    }),
    ("FNV-1a", |of| {
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        of.iter().fold(0x811c_9dc5, step).to_be_bytes().to_vec()
    }),
    ("FNV-1a of 64 bits", |of| {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        of.iter().fold(0xcbf2_9ce4_8422_2325, step).to_be_bytes().to_vec()
    }),
    ("djb2", |of| multiplied(of, 5381, 33)),
    ("Java's hashCode", |of| multiplied(of, 0, 31)),
    ("sdbm", |of| multiplied(of, 0, 65599)),
    ("Base64", |of| base_64(of).into_bytes()),
    ("the digits of its codes", |of| {
        hexadecimal(of, false).into_bytes()
    }),
    ("MD5, mixed as one vendor does, and MD5 again", mangled),
];

/// Those that are worth a second.
pub(super) const TWICE: [Function; 6] = [
    ("MD5", by_md5),
    ("SHA-1", by_sha1),
    ("SHA-256", sha256),
    ("SHA-512", |of| digests::sha512(of).bytes().to_vec()),
    ("CRC-32", |of| crc_32(of).to_be_bytes().to_vec()),
    ("Base64", |of| base_64(of).into_bytes()),
];

/// How one result goes into the next function.
pub(super) const BETWEEN: [Function; 4] = [
    ("bytes", <[u8]>::to_vec),
    ("hexadecimal digits", |of| hexadecimal(of, false).into_bytes()),
    ("hexadecimal digits in upper case", |of| {
        hexadecimal(of, true).into_bytes()
    }),
    ("Base64", |of| base_64(of).into_bytes()),
];

/// Codes whose key is published, which is no key.
pub(super) const KEYED: [(&str, Code); 3] = [
    ("HMAC-MD5", |key, of| digests::hmac_md5(key, of).bytes().to_vec()),
    ("HMAC-SHA-1", |key, of| {
        digests::hmac_sha1(key, of).bytes().to_vec()
    }),
    ("HMAC-SHA-256", |key, of| {
        digests::hmac_sha256(key, of).bytes().to_vec()
    }),
];

fn by_md5(of: &[u8]) -> Vec<u8> {
    digests::md5(of).bytes().to_vec()
}

fn by_sha1(of: &[u8]) -> Vec<u8> {
    digests::sha1(of).bytes().to_vec()
}

fn sha256(of: &[u8]) -> Vec<u8> {
    digests::sha256(of).bytes().to_vec()
}

fn multiplied(of: &[u8], start: u32, factor: u32) -> Vec<u8> {
    let step = |hash: u32, byte: &u8| hash.wrapping_mul(factor).wrapping_add(u32::from(*byte));
    of.iter().fold(start, step).to_be_bytes().to_vec()
}

fn crc_32(of: &[u8]) -> u32 {
    let step = |mut crc: u32, byte: &u8| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
        crc
    };
    !of.iter().fold(u32::MAX, step)
}

fn crc_16(of: &[u8], polynomial: u16, start: u16, is_reflected: bool) -> Vec<u8> {
    let step = |mut crc: u16, byte: &u8| {
        crc ^= u16::from(*byte) << if is_reflected { 0 } else { 8 };
        for _ in 0..8 {
            crc = match (is_reflected, crc & 1 == 1, crc >> 15 == 1) {
                (true, true, _) => crc >> 1 ^ polynomial,
                (true, false, _) => crc >> 1,
                (false, _, true) => crc << 1 ^ polynomial,
                (false, _, false) => crc << 1,
            };
        }
        crc
    };
    of.iter().fold(start, step).to_be_bytes().to_vec()
}

fn adler_32(of: &[u8]) -> u32 {
    let step = |(one, sum): (u32, u32), byte: &u8| {
        let one = (one + u32::from(*byte)) % 65521;
        (one, (sum + one) % 65521)
    };
    let (one, sum) = of.iter().fold((1, 0), step);
    sum << 16 | one
}

/// A published algorithm: numbers out of the halves of an MD5, in hexadecimal digits, hashed again.
fn mangled(of: &[u8]) -> Vec<u8> {
    let digest = by_md5(of);
    let words = |half: &[u8]| -> Vec<u64> {
        half.chunks(2)
            .map(|pair| pair.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            .collect()
    };
    let mut text = String::new();
    for half in digest.chunks(8) {
        let words = words(half);
        let at = |at: usize| words.get(at).copied().unwrap_or(0);
        let quotient = (at(3) * 0xb216_42c9) >> 40;
        // As in 32 bits of a C program, where a - b wraps.
        let rest = (at(3) as u32).wrapping_sub(
            (quotient as u32)
                .wrapping_sub((at(3) >> 31) as u32)
                .wrapping_mul(9999),
        );
        let factor = rest.wrapping_add(1).wrapping_mul(11);
        let sum = (at(1) * 100 + at(2) * 10 + at(0)) as u32;
        text.push_str(&hexadecimal(&factor.wrapping_mul(sum).to_be_bytes(), true));
    }
    by_md5(text.as_bytes())
}

pub(super) fn hexadecimal(bytes: &[u8], is_upper: bool) -> String {
    let digits = digits_of(bytes);
    if is_upper { digits.to_uppercase() } else { digits }
}

pub(super) fn base_64(bytes: &[u8]) -> String {
    let mut text = in_groups(
        bytes,
        6,
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    );
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

pub(super) fn base_32(bytes: &[u8]) -> String {
    in_groups(bytes, 5, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

fn in_groups(bytes: &[u8], size: u32, alphabet: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    let mut push = |group: u32| {
        let at = usize::try_from(group & ((1 << size) - 1)).unwrap_or(0);
        text.push(alphabet.get(at).map_or('?', |letter| char::from(*letter)));
    };
    for byte in bytes {
        held = held << 8 & 0xffff | u32::from(*byte);
        bits += 8;
        while bits >= size {
            bits -= size;
            push(held >> bits);
        }
    }
    if bits > 0 {
        push(held << (size - bits));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> fn(&[u8]) -> Vec<u8> {
        ONCE.iter().find(|(other, _)| *other == name).unwrap().1
    }

    #[test]
    fn checksums_give_the_published_check_values() {
        for (name, value) in [
            ("CRC-32", "cbf43926"),
            ("CRC-16/ARC", "bb3d"),
            ("CRC-16/MODBUS", "4b37"),
            ("CRC-16/CCITT", "29b1"),
            ("CRC-16/XMODEM", "31c3"),
            ("Adler-32", "091e01de"),
            ("MD5", "25f9e794323b453885f5181f1b624d0b"),
        ] {
            assert_eq!(hexadecimal(&named(name)(b"123456789"), false), value, "{name}");
        }
        assert_eq!(hexadecimal(&named("FNV-1a")(b"a"), false), "e40c292c");
        assert_eq!(hexadecimal(&named("FNV-1")(b"a"), false), "050c5d7e");
        assert_eq!(
            hexadecimal(&named("FNV-1a of 64 bits")(b"a"), false),
            "af63dc4c8601ec8c"
        );
        assert_eq!(named("Java's hashCode")(b"abc"), 96354_u32.to_be_bytes());
    }

    #[test]
    fn encodings_are_those_of_rfc_4648() {
        assert_eq!(base_64(b"foob"), "Zm9vYg==");
        assert_eq!(base_64(b"foobar"), "Zm9vYmFy");
        assert_eq!(base_32(b"foobar"), "MZXW6YTBOI");
    }
}
