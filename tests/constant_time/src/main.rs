//! Calls of the crate with secrets that valgrind takes for undefined. Each case has a number of reports that it may cause: the
//! branches on a verdict that the caller learns anyway. The last cases are no constant time, on purpose, and must be reported.
#![allow(dead_code, clippy::pedantic)]

#[path = "../../../src/crypto.rs"]
mod crypto;
#[path = "../../../src/guideline.rs"]
mod guideline;
#[path = "../../../src/secret.rs"]
mod secret;
#[path = "../../../src/stack.rs"]
mod stack;
mod valgrind;

use std::hint::black_box;
use std::process::ExitCode;

use crypto::{Label, Place, Sealed, SealingKey};
use rand_core::{TryCryptoRng, TryRng};
use secret::{RootKey, Secret};
use subtle::ConstantTimeEq;
use valgrind::{conceal, hide, is_there, reports, reveal};

/// What a case may cause.
#[derive(Clone, Copy)]
enum Reports {
    /// None at all.
    None,
    /// At most so many: a branch each on something that the caller is told, unless the compiler needs none.
    Verdicts(usize),
    /// Any number but none: the control.
    Some,
}

fn key() -> SealingKey {
    SealingKey {
        seal: Secret::new(conceal([0x5a; 32])),
        nonce: Secret::new(conceal([0xa5; 32])),
    }
}

const PLACE: Place = Place {
    salt: [7; 12],
    offset: 64,
};
const ASSOCIATED: [u8; 16] = [1; 16];

fn equality(other: [u8; 32]) {
    let (one, other) = (Secret::new(conceal([3; 32])), Secret::new(conceal(other)));
    black_box(one.ct_eq(&other).unwrap_u8());
}

fn seal() -> (Sealed, [u8; 64]) {
    let mut text = conceal([9; 64]);
    let sealed = crypto::seal(&key(), PLACE, &ASSOCIATED, &[4; 16], &mut text);
    let Ok(mut sealed) = sealed else {
        panic!("short enough")
    };
    // What goes to the flash is public.
    reveal(&mut sealed.tag);
    reveal(&mut sealed.synthetic);
    reveal(&mut text);
    (sealed, text)
}

/// Opens what was sealed, with one byte of it changed: the place of the change must not show.
fn open(change: impl FnOnce(&mut Sealed, &mut [u8; 64]), is_right: bool) {
    let (mut sealed, mut text) = seal();
    change(&mut sealed, &mut text);
    let opened = crypto::open(&key(), PLACE, &ASSOCIATED, &sealed, &mut text);
    let mut is_open = [u8::from(opened.is_ok())];
    reveal(&mut is_open);
    assert_eq!(is_open[0] == 1, is_right);
}

fn derive() {
    let material = conceal([6; 32]);
    let derived = crypto::derive::<32>(&[], &[&material], Label::ClassSeal, &[&[1], &[2], &[3], &[4]]);
    black_box(derived.is_ok());
}

fn fingerprint() {
    let key = Secret::new(conceal([8; 16]));
    black_box(crypto::fingerprint(&key, &[&conceal([2; 20])]));
}

/// A random source whose output is secret.
struct Concealed(u8);

impl TryRng for Concealed {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes.iter_mut() {
            self.0 = self.0.wrapping_mul(29).wrapping_add(71);
            *byte = self.0;
        }
        hide(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Concealed {}

/// A key that passes: each look ends in a verdict. The first half is a pattern: a look that ended early would end late there.
fn root_key() {
    let bytes = *b"\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x8e\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
    assert!(RootKey::new(conceal(bytes)).is_ok());
}

#[inline(never)]
fn early_exit(one: &[u8; 32], other: &[u8; 32]) -> bool {
    for at in 0..32 {
        if black_box(one[at]) != other[at] {
            return false;
        }
    }
    true
}

#[inline(never)]
fn look_up(table: &[u8; 256], at: u8) -> u8 {
    black_box(table)[usize::from(at)]
}

type Case = (&'static str, Reports, fn());

const CASES: [Case; 16] = [
    ("Secret::ct_eq, equal", Reports::None, || equality([3; 32])),
    ("Secret::ct_eq, the first byte differs", Reports::None, || {
        let mut other = [3; 32];
        other[0] = 4;
        equality(other);
    }),
    ("Secret::ct_eq, the last byte differs", Reports::None, || {
        let mut other = [3; 32];
        other[31] = 4;
        equality(other);
    }),
    ("crypto::seal", Reports::None, || drop(seal())),
    ("crypto::open, right", Reports::Verdicts(1), || {
        open(|_, _| (), true)
    }),
    (
        "crypto::open, the tag's first byte is wrong",
        Reports::Verdicts(1),
        || {
            open(|sealed, _| sealed.tag[0] ^= 1, false);
        },
    ),
    (
        "crypto::open, the tag's last byte is wrong",
        Reports::Verdicts(1),
        || {
            open(|sealed, _| sealed.tag[15] ^= 1, false);
        },
    ),
    ("crypto::open, the text is wrong", Reports::Verdicts(1), || {
        open(|_, text| text[20] ^= 1, false);
    }),
    ("crypto::open, the nonce is wrong", Reports::Verdicts(1), || {
        open(|sealed, _| sealed.synthetic[7] ^= 1, false);
    }),
    ("crypto::derive", Reports::None, derive),
    ("crypto::fingerprint", Reports::None, fingerprint),
    // One verdict: whether the source looks alive.
    ("crypto::fresh_key", Reports::Verdicts(1), || {
        drop(crypto::fresh_key(&mut Concealed(1)));
    }),
    // Five periods, counting, two published keys, nine words.
    ("RootKey::new", Reports::Verdicts(17), root_key),
    ("the drop of a secret", Reports::None, || drop(key())),
    ("control: a comparison that ends early", Reports::Some, || {
        black_box(early_exit(&conceal([3; 32]), &[3; 32]));
    }),
    ("control: a table looked up by a secret", Reports::Some, || {
        black_box(look_up(&[5; 256], conceal([3; 32])[black_box(7)]));
    }),
];

fn main() -> ExitCode {
    if !is_there() {
        eprintln!("this is to be run under valgrind: tests/constant_time/check");
        return ExitCode::from(2);
    }
    let mut failures = 0;
    for (name, allowed, case) in CASES {
        let before = reports();
        case();
        let count = reports() - before;
        let is_well = match allowed {
            Reports::None => count == 0,
            Reports::Verdicts(verdicts) => count <= verdicts,
            Reports::Some => count > 0,
        };
        let verdict = if is_well {
            "as it should be"
        } else {
            "NOT AS IT SHOULD BE"
        };
        println!("{count:>4} reports  {name}: {verdict}");
        failures += usize::from(!is_well);
    }
    if failures == 0 {
        println!("{} cases, the controls reported", CASES.len());
        ExitCode::SUCCESS
    } else {
        println!("{failures} cases are not as they should be");
        ExitCode::FAILURE
    }
}
