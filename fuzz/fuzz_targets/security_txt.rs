//! A `security.txt`, and values that are to become one.
//!
//! ```text
//!  input    the file, or one value a line
//! ```
//!
//! What must hold: no panic; a flaw names a line that is there; a file that passes has a contact and one expiry to come, and passes with the
//! other end of line; what the builder writes passes.
#![no_main]

use bydesign::paper::Timestamp;
use bydesign::paper::security_txt::{Asked, LONGEST_FILE, SecurityTxt, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::from_unix(1_790_000_000).expect("a time");
    let asked = Asked::at(now);
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let mut told = 0;
    let checked = check(bytes, &asked, |flaw| {
        assert!(
            flaw.line.is_none_or(|line| line.get() as usize <= lines),
            "{flaw}"
        );
        told += u32::from(!flaw.reason.is_advice());
    });
    assert_eq!(told, checked.flaws());
    let Ok(text) = core::str::from_utf8(bytes) else {
        assert!(!checked.is_valid());
        return;
    };
    if checked.is_valid() {
        assert!(checked.expires().is_some_and(|expires| expires > now));
        assert!(text.to_ascii_lowercase().contains("contact: "));
        let other = if text.contains("\r\n") {
            text.replace("\r\n", "\n")
        } else {
            text.replace('\n', "\r\n")
        };
        assert!(other.len() > LONGEST_FILE || check(other.as_bytes(), &asked, |_| {}).is_valid());
    }
    let values: Vec<&str> = text.split('\n').collect();
    let (first, rest) = values.split_at(values.len().min(2));
    let expires = Timestamp::from_unix(now.unix() + 1).expect("a time");
    let mut written = String::new();
    let file = SecurityTxt::new(first, expires).policy(rest).encryption(first);
    for file in [file, file.policy(&[]).languages(rest)] {
        written.clear();
        match file.write(&mut written, now) {
            Ok(()) => assert!(check(written.as_bytes(), &asked, |_| {}).is_valid(), "{written}"),
            Err(_) => assert_eq!(written, ""),
        }
    }
});
