//! What may stand in a field: the builder and the checker ask the same questions.
//!
//! ```text
//!  write · check
//!  value    (this file)
//!  timestamp
//! ```

use super::super::timestamp::{Timestamp, TimestampError};
use super::field::Field;

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It has no scheme and looks like an address of mail.
    #[error("is no URI; an address of mail begins with mailto:")]
    BareMail,
    /// It has no scheme and looks like a telephone number.
    #[error("is no URI; a telephone number begins with tel:")]
    BareTelephone,
    /// It begins with no scheme.
    #[error("is no URI: it begins with no scheme, as https: is one")]
    NoScheme,
    /// A symbol that no URI has.
    #[error("is no URI: {0:?} has to be written with %")]
    Symbol(char),
    /// A percent sign without two hexadecimal digits.
    #[error("is no URI: two hexadecimal digits follow each %")]
    Percent,
    /// A web address that is not `https`.
    #[error("is a web address without https")]
    NotHttps,
    /// A web address that names no host.
    #[error("is a web address without a host")]
    NoHost,
    /// `mailto:` and no address.
    #[error("has no address of mail after mailto:")]
    NoMail,
    /// `tel:` and no number.
    #[error("has no telephone number after tel:")]
    NoTelephone,
    /// A language tag without the form of one.
    #[error("is no list of language tags, as in en, de-AT")]
    Language,
    /// No time.
    #[error("is {0}")]
    Time(TimestampError),
    /// A time that is not after the one asked about.
    #[error("is past")]
    Past,
}

/// Looks at the value of any field but `Expires`.
pub(super) fn flaw_of(field: Field, value: &str) -> Option<ValueError> {
    match field {
        Field::PreferredLanguages => {
            let tags_hold = value
                .split(',')
                .all(|tag| is_language(tag.trim_matches([' ', '\t'])));
            (!tags_hold).then_some(ValueError::Language)
        }
        _ => flaw_of_uri(value),
    }
}

/// The value of `Expires`, if it is after `now`.
pub(super) fn expiry(value: &str, now: Timestamp) -> Result<Timestamp, ValueError> {
    Timestamp::parse(value)
        .map_err(ValueError::Time)
        .and_then(|expires| expiry_of(expires, now))
}

/// A time of expiry, if it is after `now`.
//= compliance/requirements.md#paper-1
//# A `security.txt` MUST NOT pass without a contact and exactly one time of expiry that is to come, nor with a field that is no URI or a web address without https, and line and reason MUST be told of each flaw.
pub(super) fn expiry_of(expires: Timestamp, now: Timestamp) -> Result<Timestamp, ValueError> {
    if expires > now {
        Ok(expires)
    } else {
        Err(ValueError::Past)
    }
}

/// RFC 3986 as far as a reader of this file needs it: a scheme, symbols that may be, and what three schemes ask for.
fn flaw_of_uri(value: &str) -> Option<ValueError> {
    let Some((scheme, rest)) = value.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        let is_telephone = |symbol: char| symbol.is_ascii_digit() || " -()+".contains(symbol);
        return Some(if value.contains('@') {
            ValueError::BareMail
        } else if value.starts_with('+') && value.chars().all(is_telephone) {
            ValueError::BareTelephone
        } else {
            ValueError::NoScheme
        });
    };
    if let Some(symbol) = rest.chars().find(|symbol| !may_be_in_uri(*symbol)) {
        return Some(ValueError::Symbol(symbol));
    }
    if rest.matches('#').count() > 1 {
        return Some(ValueError::Symbol('#'));
    }
    if !rest.split('%').skip(1).all(begins_with_two_digits) {
        return Some(ValueError::Percent);
    }
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    if is("https") {
        (!has_host(rest)).then_some(ValueError::NoHost)
    } else if is("http") {
        Some(ValueError::NotHttps)
    } else if is("mailto") {
        let address = rest.split('?').next().unwrap_or_default();
        let has_both = |(user, host): (&str, &str)| !user.is_empty() && !host.is_empty();
        (!address.rsplit_once('@').is_some_and(has_both)).then_some(ValueError::NoMail)
    } else if is("tel") {
        (!rest.bytes().any(|symbol| symbol.is_ascii_digit())).then_some(ValueError::NoTelephone)
    } else {
        rest.is_empty().then_some(ValueError::NoScheme)
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|symbol| symbol.is_ascii_alphanumeric() || b"+-.".contains(&symbol))
}

fn may_be_in_uri(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(symbol)
}

fn begins_with_two_digits(rest: &str) -> bool {
    matches!(rest.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Whether `//host` follows a scheme.
fn has_host(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix("//") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':').unwrap_or(port)),
        None => host.split_once(':').unwrap_or((host, "")),
    };
    !name.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit())
}

/// The form of RFC 5646, and not whether there is such a language.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let is_letters = !language.is_empty() && language.bytes().all(|letter| letter.is_ascii_alphabetic());
    let is_private = matches!(language, "x" | "X" | "i" | "I");
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|symbol| symbol.is_ascii_alphanumeric())
    };
    is_letters
        && ((2..=8).contains(&language.len()) || is_private && tag.len() > language.len())
        && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_right_are_taken() {
        for value in [
            "mailto:security@example.com",
            "mailto:security@example.com?subject=A%20flaw",
            "tel:+1-201-555-0123",
            "https://example.com",
            "HTTPS://user@example.com:8443/a/b?c=d#e",
            "https://[2001:db8::2]:443/",
            "https://192.0.2.1/x",
            "openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f",
            "dns:5d2d37ab76d47d36._openpgpkey.example.com?type=OPENPGPKEY",
        ] {
            assert_eq!(flaw_of(Field::Contact, value), None, "{value}");
        }
    }

    #[test]
    fn addresses_that_are_wrong_are_refused_with_the_reason() {
        for (value, reason) in [
            ("", ValueError::NoScheme),
            ("example.com", ValueError::NoScheme),
            ("//example.com", ValueError::NoScheme),
            ("4ever:1", ValueError::NoScheme),
            ("about:", ValueError::NoScheme),
            ("security@example.com", ValueError::BareMail),
            ("+1 201 555 0123", ValueError::BareTelephone),
            ("http://example.com", ValueError::NotHttps),
            ("Http://example.com", ValueError::NotHttps),
            ("https:example.com", ValueError::NoHost),
            ("https://", ValueError::NoHost),
            ("https:///path", ValueError::NoHost),
            ("https://user@/path", ValueError::NoHost),
            ("https://:443/", ValueError::NoHost),
            ("https://example.com:4a/", ValueError::NoHost),
            ("https://[::1", ValueError::NoHost),
            ("https://example.com/a b", ValueError::Symbol(' ')),
            ("https://example.com/ä", ValueError::Symbol('ä')),
            ("https://example.com/#a#b", ValueError::Symbol('#')),
            ("https://example.com/%4", ValueError::Percent),
            ("https://example.com/%zz", ValueError::Percent),
            ("mailto:", ValueError::NoMail),
            ("mailto:security", ValueError::NoMail),
            ("mailto:?to=a@b", ValueError::NoMail),
            ("tel:", ValueError::NoTelephone),
        ] {
            assert_eq!(flaw_of(Field::Policy, value), Some(reason), "{value}");
        }
    }

    #[test]
    fn languages_have_the_form_of_tags() {
        for value in [
            "en",
            "en, de-AT",
            "zh-Hant\t,fr",
            "x-klingon",
            "sl-rozaj-biske-1994",
        ] {
            assert_eq!(flaw_of(Field::PreferredLanguages, value), None, "{value}");
        }
        for value in [
            "",
            "e",
            "x",
            "en,",
            ",en",
            "en de",
            "en_US",
            "en-",
            "englishes",
            "en-abcdefghi",
            "e1",
            "dé",
        ] {
            assert_eq!(
                flaw_of(Field::PreferredLanguages, value),
                Some(ValueError::Language),
                "{value}"
            );
        }
    }
}
