//! Pairing codes, by the rules of their own schemes.
//!
//! ```text
//!  audit
//!  audit::pairing (this file)
//!  audit::case
//! ```

use std::format;
use std::string::String;
use std::vec::Vec;

use super::case::{Case, Notes};
use super::chance::{self, LIMIT};
use super::report::{Kind, Prohibition};
use super::settings::Scheme;
use crate::credential::matter::{
    LARGEST_PASSCODE, bits_of, checked_digits, is_allowed, is_published, passcode_in, passcode_number,
};

/// The codes as they are drawn: without separators, passcodes out of manual codes and payloads.
pub(super) fn as_drawn(values: &[String], scheme: Option<Scheme>) -> (Vec<String>, Option<&'static str>) {
    let plain: Vec<String> = values.iter().map(|value| plain(value)).collect();
    let full = || plain.iter().filter(|value| !value.is_empty());
    let decoded_by = |decode: fn(&str) -> Option<u32>| -> Option<Vec<String>> {
        // One that does not decode is left as it is, and stands out.
        let decoded = full().filter(|value| decode(value).is_some()).count();
        (decoded * 100 >= full().count() * 99 && decoded > 0).then(|| {
            let passcode =
                |value: &String| decode(value).map_or_else(|| value.clone(), |code| format!("{code:08}"));
            plain.iter().map(passcode).collect()
        })
    };
    let may_be_matter = !matches!(scheme, Some(Scheme::HomeKit | Scheme::Wps | Scheme::Plain));
    if may_be_matter {
        if let Some(codes) = decoded_by(manual_code) {
            return (codes, Some("Matter manual codes; judged are their passcodes"));
        }
        if let Some(codes) = decoded_by(payload) {
            return (codes, Some("Matter payloads; judged are their passcodes"));
        }
    }
    if full().all(|value| value.bytes().all(|byte| byte.is_ascii_digit())) {
        let longest = full().map(String::len).max().unwrap_or(0).min(20);
        // Passcodes that went through a spreadsheet have lost their zeros.
        let filled = |value: &String| {
            if value.is_empty() {
                String::new()
            } else {
                format!("{value:0>longest$}")
            }
        };
        return (plain.iter().map(filled).collect(), None);
    }
    (plain, None)
}

fn plain(value: &str) -> String {
    if value.starts_with("MT:") {
        value.into()
    } else {
        value
            .chars()
            .filter(|letter| !matches!(letter, '-' | ' ' | '.'))
            .collect()
    }
}

//= compliance/requirements.md#cred-50
//# Pairing codes that Matter or HomeKit forbid, and published test codes, MUST be found, each one of them.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let eight = |value: &&String| value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let codes = case.values.iter().filter(eight).count();
    if codes == 0 && places(case, is_forbidden).is_empty() {
        if matches!(
            case.settings.scheme,
            Some(Scheme::Matter | Scheme::HomeKit | Scheme::Wps)
        ) {
            undeclared(case, notes, |_| false, "is no code of eight digits");
        }
        return;
    }
    let forbidden: Vec<usize> = places(case, is_forbidden);
    if let Some(code) = forbidden.first().and_then(|device| case.values.get(*device)) {
        let evidence = format!(
            "{} codes are such as the schemes forbid or publish, such as {code}",
            forbidden.len()
        );
        let both = &[Prohibition::Public, Prohibition::Guessable];
        case.find(
            notes,
            (both, Kind::Forbidden),
            (forbidden.len(), case.devices()),
            &forbidden,
            &evidence,
        );
    }
    // Where a forbidden draw is mended by one, its neighbours come twice.
    let mended = places(case, |code| {
        let near = |code: u32| code <= LARGEST_PASSCODE + 1 && !is_allowed(code);
        eight_digits(code).is_some_and(|code| near(code + 1) || near(code.wrapping_sub(1)))
    });
    let chance = chance::poisson(mended.len(), codes as f64 * 26.0 / 1e8);
    if chance < LIMIT {
        let evidence = format!(
            "{} codes are one away from forbidden ones: a draw that was mended, not repeated. By chance: {}",
            mended.len(),
            chance::in_words(chance)
        );
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::Biased),
            (mended.len(), codes),
            &mended,
            &evidence,
        );
    }
    let with_checksum = case.values.iter().filter(|value| is_wps(value)).count();
    match case.settings.scheme {
        Some(Scheme::Wps) => undeclared(case, notes, is_wps, "has a wrong checksum for a WPS PIN"),
        Some(Scheme::Matter | Scheme::HomeKit) => {
            undeclared(
                case,
                notes,
                |code| code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()),
                "is no code of eight digits",
            );
        }
        _ if codes >= 20 && with_checksum == codes => {
            notes.observations.push(format!(
                "{}: the last digit is that of a WPS PIN; seven are drawn",
                case.column.name
            ));
        }
        _ => {}
    }
}

fn places(case: &Case, test: impl Fn(&str) -> bool) -> Vec<usize> {
    let tested = case.values.iter().enumerate().filter(|(_, value)| test(value));
    tested.map(|(device, _)| device).collect()
}

fn undeclared(case: &Case, notes: &mut Notes, test: impl Fn(&str) -> bool, what: &str) {
    let wrong = places(case, |value| !value.is_empty() && !test(value));
    if let Some(code) = wrong.first().and_then(|device| case.values.get(*device)) {
        let evidence = format!("{code} {what}, and {} in all", wrong.len());
        case.find(
            notes,
            (&[Prohibition::Guessable], Kind::Undeclared),
            (wrong.len(), case.devices()),
            &wrong,
            &evidence,
        );
    }
}

/// What Matter and `HomeKit` forbid, and the codes that examples, development kits and WPS defaults have; in whatever form one stands among others.
fn is_forbidden(code: &str) -> bool {
    let number = eight_digits(code)
        .or_else(|| manual_code(code))
        .or_else(|| payload(code));
    number.is_some_and(|number| !is_allowed(number) || is_published(number)) || code == "12345670"
}

fn eight_digits(code: &str) -> Option<u32> {
    let is_one = code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit());
    code.parse().ok().filter(|_| is_one)
}

/// The checksum of Wi-Fi Protected Setup: weights three and one in turn.
pub(super) fn is_wps(code: &str) -> bool {
    let digits: Vec<u32> = code.chars().filter_map(|letter| letter.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { 3 * digit } else { *digit })
        .sum();
    digits.len() == 8 && code.len() == 8 && sum.is_multiple_of(10)
}

/// The number in a manual code of 11 or 21 digits, if its check digit is right: a forbidden one too.
fn manual_code(code: &str) -> Option<u32> {
    passcode_number(checked_digits(code).ok()?.expose()).ok()
}

/// The number in a payload: a forbidden one too.
fn payload(code: &str) -> Option<u32> {
    let digits = code.strip_prefix("MT:").filter(|digits| digits.len() >= 19)?;
    bits_of(digits).map(passcode_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_test_code_is_read_out_of_each_of_its_forms() {
        assert_eq!(manual_code("34970112332"), Some(20_202_021));
        assert_eq!(payload("MT:Y.K9042C00KA0648G00"), Some(20_202_021));
        assert_eq!(manual_code("34970112333"), None);
    }

    #[test]
    fn the_checksum_of_the_wps_default_is_right() {
        assert!(is_wps("12345670"));
        assert!(!is_wps("12345671"));
    }
}
