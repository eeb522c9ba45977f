//! `security.txt`: a file for each flaw, and what the builder writes.

use bydesign::paper::security_txt::{
    Asked, Checked, Field, Flaw, FrameFlaw, LONGEST_FILE, LONGEST_LINE, Reason, Refused, SecurityTxt,
    ValueError, check,
};
use bydesign::paper::{Timestamp, TimestampError};
use proptest::prelude::*;

const NOW: &str = "2026-11-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("a time")
}

fn checked(file: &[u8], asked: &Asked<'_>) -> (Checked, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let checked = check(file, asked, |flaw| flaws.push(flaw));
    (checked, flaws)
}

/// The flaws, with 0 for the whole file; advice left out.
fn flaws(file: &str) -> Vec<(u32, Reason)> {
    let (checked, all) = checked(file.as_bytes(), &Asked::at(at(NOW)));
    let flaws: Vec<_> = all
        .into_iter()
        .filter(|flaw| !flaw.reason.is_advice())
        .map(|flaw| (flaw.line.map_or(0, u32::from), flaw.reason))
        .collect();
    assert_eq!(checked.is_valid(), flaws.is_empty());
    assert_eq!(checked.flaws() as usize, flaws.len());
    flaws
}

fn of_value(field: Field, error: ValueError) -> Reason {
    Reason::Value { field, error }
}

const GOOD: &str = "# Where to report\nContact: mailto:security@example.com\nContact: tel:+1-201-555-0123\n\
    Expires: 2027-06-30T12:00:00Z\n\nPolicy: https://example.com/disclosure\npreferred-languages: en, de-AT\n\
    Bug-Bounty: yes, ask\nEncryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f\n";

#[test]
fn a_file_without_flaws_has_none_with_either_end_of_line() {
    assert_eq!(flaws(GOOD), []);
    assert_eq!(flaws(&GOOD.replace('\n', "\r\n")), []);
    assert_eq!(flaws(&GOOD.replace('\n', " \t\r\n")), []);
    let (checked, all) = checked(GOOD.as_bytes(), &Asked::at(at(NOW)));
    assert_eq!(
        (all, checked.unknown_fields(), checked.is_signed()),
        (vec![], 1, false)
    );
    assert_eq!(checked.expires(), Some(at("2027-06-30T12:00:00Z")));
}

//= compliance/requirements.md#paper-1
//= type=test
//# A `security.txt` MUST NOT pass without a contact and exactly one time of expiry that is to come, nor with a field that is no URI or a web address without https, and line and reason MUST be told of each flaw.
#[test]
#[expect(clippy::too_many_lines, reason = "a case for each flaw")]
fn each_flaw_is_told_with_its_line_and_reason() {
    let expires = "Expires: 2027-06-30T12:00:00Z\n";
    let contact = "Contact: mailto:security@example.com\n";
    let cases: Vec<(String, Vec<(u32, Reason)>)> = vec![
        (
            String::new(),
            vec![
                (0, Reason::Missing(Field::Contact)),
                (0, Reason::Missing(Field::Expires)),
            ],
        ),
        (contact.into(), vec![(0, Reason::Missing(Field::Expires))]),
        (expires.into(), vec![(0, Reason::Missing(Field::Contact))]),
        (
            format!("{contact}# {expires}"),
            vec![(0, Reason::Missing(Field::Expires))],
        ),
        (
            format!("{contact}{expires}\n{expires}"),
            vec![(4, Reason::Repeated(Field::Expires))],
        ),
        (
            format!("{contact}{expires}Preferred-Languages: en\nPREFERRED-LANGUAGES: de\n"),
            vec![(4, Reason::Repeated(Field::PreferredLanguages))],
        ),
        (
            format!("{contact}Expires: 2026-11-01T00:00:00Z\n"),
            vec![(2, of_value(Field::Expires, ValueError::Past))],
        ),
        (
            format!("{contact}Expires: 2026-11-01T00:59:59+01:00\n"),
            vec![(2, of_value(Field::Expires, ValueError::Past))],
        ),
        (
            format!("{contact}Expires: Thu, 31 Dec 2027 18:37:07 -0800\n"),
            vec![(
                2,
                of_value(Field::Expires, ValueError::Time(TimestampError::Form)),
            )],
        ),
        (
            format!("{contact}Expires: 2027-02-29T12:00:00Z\n"),
            vec![(2, of_value(Field::Expires, ValueError::Time(TimestampError::Day)))],
        ),
        (
            format!("Contact: security@example.com\n{expires}"),
            vec![(1, of_value(Field::Contact, ValueError::BareMail))],
        ),
        (
            format!("Contact: http://example.com/report\n{expires}"),
            vec![(1, of_value(Field::Contact, ValueError::NotHttps))],
        ),
        (
            format!("{contact}{expires}Policy: http://example.com/policy\nHiring: jobs\n"),
            vec![
                (3, of_value(Field::Policy, ValueError::NotHttps)),
                (4, of_value(Field::Hiring, ValueError::NoScheme)),
            ],
        ),
        (
            format!("{contact}{expires}Preferred-Languages: en_GB\n"),
            vec![(3, of_value(Field::PreferredLanguages, ValueError::Language))],
        ),
        (
            format!("{contact}{expires}Policy:https://example.com/\n"),
            vec![(3, Reason::Space(Field::Policy))],
        ),
        (
            format!("{contact}{expires}Policy:  https://example.com/\n"),
            vec![(3, Reason::Space(Field::Policy))],
        ),
        (
            format!("{contact}{expires}Policy:\n"),
            vec![(3, Reason::Space(Field::Policy))],
        ),
        (
            format!("{contact}{expires}please be kind\n"),
            vec![(3, Reason::NoField)],
        ),
        (
            format!("{contact}{expires}Bug Bounty: no\n"),
            vec![(3, Reason::NoField)],
        ),
        (
            format!("{contact}{expires}# a\u{7}bell\n"),
            vec![(3, Reason::Control)],
        ),
        (
            format!("{contact}\r{expires}"),
            vec![(2, Reason::Control), (0, Reason::Missing(Field::Expires))],
        ),
        (
            format!("{contact}{}", expires.trim_end()),
            vec![(2, Reason::Unended)],
        ),
        (
            format!("\u{feff}{contact}{expires}"),
            vec![(1, Reason::ByteOrderMark)],
        ),
        (
            format!("{contact}{expires}# {}\n", "x".repeat(LONGEST_LINE)),
            vec![(3, Reason::LineTooLong)],
        ),
        (
            format!("{contact}{}{expires}", "# x\n".repeat(LONGEST_FILE / 4)),
            vec![(0, Reason::FileTooLong)],
        ),
    ];
    for (file, expected) in cases {
        let shown: String = file.chars().take(200).collect();
        assert_eq!(flaws(&file), expected, "{shown}");
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_told_with_their_line() {
    for (bytes, line) in [
        (&b"Contact: mailto:a@b\n# \xff\n"[..], 2),
        (b"\xff", 1),
        (b"# a\n\xff\n", 2),
        (b"# \xc3\xa4 \xc3", 1),
    ] {
        let (checked, flaws) = checked(bytes, &Asked::at(at(NOW)));
        assert!(!checked.is_valid());
        let last = flaws.last().expect("a flaw");
        assert_eq!(
            (last.line.map(u32::from), last.reason),
            (Some(line), Reason::NotUtf8)
        );
    }
}

#[test]
fn a_file_found_elsewhere_than_it_says_is_told() {
    let file = format!("{GOOD}Canonical: https://example.com/.well-known/security.txt\n");
    let asked = Asked::at(at(NOW));
    let here = asked.found_at("https://example.com/.well-known/security.txt");
    let there = asked.found_at("https://example.org/.well-known/security.txt");
    assert!(checked(file.as_bytes(), &here).0.is_valid());
    assert!(checked(GOOD.as_bytes(), &there).0.is_valid());
    let (result, flaws) = checked(file.as_bytes(), &there);
    assert!(!result.is_valid());
    assert_eq!(
        flaws,
        [Flaw {
            line: None,
            reason: Reason::Elsewhere
        }]
    );
}

#[test]
fn advice_is_given_and_is_no_flaw() {
    let file = "Contact: mailto:security@example.com\nExpires: 2027-11-03T00:00:00Z\n";
    let (result, flaws) = checked(file.as_bytes(), &Asked::at(at(NOW)));
    assert!(result.is_valid());
    let reasons: Vec<_> = flaws.iter().map(|flaw| flaw.reason).collect();
    assert_eq!(reasons, [Reason::FarAhead, Reason::NoPolicy]);
}

const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nContact: mailto:security@example.com\n\
    - # - dashes\nExpires: 2027-06-30T12:00:00Z\n-----BEGIN PGP SIGNATURE-----\nComment: an example\n\n\
    wsBzBAEBCgAdFiEEexample0123456789/+==\n=aB3d\n-----END PGP SIGNATURE-----\n";

//= compliance/requirements.md#paper-3
//= type=test
//# In a signed `security.txt` only what lies within the frame of the signature MUST count, and text outside it MUST be told.
#[test]
fn in_a_signed_file_only_what_is_within_the_frame_counts() {
    assert_eq!(flaws(SIGNED), []);
    assert_eq!(flaws(&SIGNED.replace('\n', "\r\n")), []);
    let (result, _) = checked(SIGNED.as_bytes(), &Asked::at(at(NOW)));
    assert!(result.is_signed());

    let outside = Reason::Frame(FrameFlaw::Outside);
    // Put behind the signature or before it: nobody signed it.
    assert_eq!(
        flaws(&format!("{SIGNED}\nContact: mailto:mallory@example.org\n")),
        [(14, outside)]
    );
    assert_eq!(flaws(&format!("# mine\n{SIGNED}"))[0], (2, outside));
    // A contact that stands outside only is missing.
    let moved = SIGNED.replace("Contact: mailto:security@example.com\n", "");
    let moved = format!("{moved}Contact: mailto:security@example.com\n");
    assert_eq!(
        flaws(&moved),
        [(12, outside), (0, Reason::Missing(Field::Contact))]
    );
    let in_head = SIGNED.replace("Hash: SHA512\n", "Contact: mailto:mallory@example.org\n");
    assert_eq!(flaws(&in_head), [(2, Reason::Frame(FrameFlaw::Head))]);
    let in_signature = SIGNED.replace("=aB3d", "Contact mallory");
    assert_eq!(flaws(&in_signature), [(11, Reason::Frame(FrameFlaw::Signature))]);
    let bare = SIGNED.replace("- # - dashes", "-----BEGIN PGP SIGNED MESSAGE-----");
    assert_eq!(flaws(&bare), [(5, Reason::Frame(FrameFlaw::NotEscaped))]);
    for end in [2, 5, 9] {
        let cut: String = SIGNED.split_inclusive('\n').take(end).collect();
        assert!(
            flaws(&cut).contains(&(0, Reason::Frame(FrameFlaw::Unfinished))),
            "{end} lines"
        );
    }
}

//= compliance/requirements.md#paper-2
//= type=test
//# The builder MUST NOT write a `security.txt` in which the checker finds a flaw at the time given.
#[test]
fn the_builder_refuses_what_the_checker_would() {
    let now = at(NOW);
    let good = SecurityTxt::new(&["https://example.com/report"], at("2027-06-30T12:00:00Z"));
    let long = format!("https://example.com/{}", "x".repeat(LONGEST_LINE));
    let medium = format!("https://example.com/{}", "x".repeat(1500));
    let refused = |field, at, error| Refused::Value { field, at, error };
    for (file, reason) in [
        (
            SecurityTxt::new(&[], at("2027-06-30T12:00:00Z")),
            Refused::NoContact,
        ),
        (
            SecurityTxt::new(&["mailto:a@b"], now),
            refused(Field::Expires, 0, ValueError::Past),
        ),
        (
            SecurityTxt::new(&["mailto:a@b", "a@b"], at("2027-06-30T12:00:00Z")),
            refused(Field::Contact, 1, ValueError::BareMail),
        ),
        (
            good.policy(&["http://example.com"]),
            refused(Field::Policy, 0, ValueError::NotHttps),
        ),
        (
            good.hiring(&["https://example.com\nContact: mailto:mallory@example.org"]),
            refused(Field::Hiring, 0, ValueError::Symbol('\n')),
        ),
        (
            good.languages(&["en", "de,fr"]),
            refused(Field::PreferredLanguages, 1, ValueError::Language),
        ),
        (
            good.canonical(&[long.as_str()]),
            Refused::LineTooLong {
                field: Field::Canonical,
                at: 0,
            },
        ),
        (
            good.languages(&["en"; 600]),
            Refused::LineTooLong {
                field: Field::PreferredLanguages,
                at: 507,
            },
        ),
        (good.acknowledgments(&[medium.as_str(); 25]), Refused::FileTooLong),
    ] {
        let mut text = String::new();
        assert_eq!(file.write(&mut text, now), Err(reason));
        assert_eq!(text, "", "nothing is written of a file that is refused");
    }
}

proptest! {
    // Neither any values nor values that nearly hold bring the builder to write a file with a flaw.
    #[test]
    fn what_the_builder_writes_passes(
        values in prop::collection::vec("(https://|mailto:|tel:|http://|)[a-z@./%0-9 \\[\\]:#\\n-]{0,20}", 0..4),
        tags in prop::collection::vec("[a-z]{1,3}(-[A-Z]{2})?[, ]?", 0..4),
        ahead in -2_i64..90_000_000,
    ) {
        let now = at(NOW);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let expires = Timestamp::from_unix(now.unix() + ahead).unwrap();
        let file = SecurityTxt::new(&values, expires).policy(&values).canonical(&values).languages(&tags);
        let mut text = String::new();
        if file.write(&mut text, now).is_ok() {
            prop_assert_eq!(flaws(&text), []);
            prop_assert_eq!(text.matches("Contact: ").count(), values.len());
            prop_assert_eq!(text.contains(&format!("Expires: {expires}\n")), true);
        } else {
            prop_assert_eq!(text, "");
        }
    }
}
