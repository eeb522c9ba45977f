//! The decoder takes what the encoder makes and nothing else, and says what is wrong with the rest.

use bydesign::telemetry::{DecodeError, Reason, Report, schema_of};
use chacha20::rand_core::Rng;

use crate::again::encoded;
use crate::support::{Nor, Part, format, random};
use crate::thermostat::Thermostat;
use crate::toy::{GATE, House, Toy, agree, day, house};

/// Number, version, five fields: 8 bytes, a number of steps, yes, a choice, a number.
const GOOD: [u8; 23] = [
    0x83, 1, 1, 0xa5, 0, 0x48, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0x18, 33, 2, 0xf5, 3, 3, 4, 8,
];

fn refused(bytes: &[u8]) -> DecodeError {
    let mut seen = 0;
    let error = House::SCHEMA
        .decode(bytes, |_, _| seen += 1)
        .expect_err("is refused");
    assert_eq!(seen, 0, "nothing of a bad report is shown");
    error
}

fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = GOOD.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    changed
}

fn of(field: &'static str, reason: Reason) -> DecodeError {
    DecodeError::Field { field, reason }
}

#[test]
fn the_sample_is_a_report() {
    let mut found = Vec::new();
    House::SCHEMA
        .decode(&GOOD, |field, value| found.push((field, value)))
        .unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(found[1].1.to_string(), "21500");
    assert_eq!(encoded(&House::SCHEMA, &found), GOOD);
    assert_eq!(schema_of::<Toy>(&GOOD).unwrap().name, "house");
}

//= compliance/requirements.md#tele-9
//= type=test
//# The decoder MUST refuse every report that the encoder does not make of the declaration, and MUST name the field and the reason.
#[test]
fn each_flaw_is_refused_by_its_field_and_its_name() {
    let cases: [(&str, Vec<u8>, DecodeError); 22] = [
        ("nothing", vec![], DecodeError::Head(Reason::Truncated)),
        ("no array", vec![0xa0], DecodeError::Head(Reason::Type)),
        (
            "too many parts",
            with(0, &[0x84]),
            DecodeError::Head(Reason::Length),
        ),
        (
            "of indefinite length",
            with(0, &[0x9f]),
            DecodeError::Head(Reason::NotShortest),
        ),
        (
            "another report",
            with(1, &[2]),
            DecodeError::Unknown {
                number: 2,
                version: 1,
            },
        ),
        (
            "another version",
            with(2, &[9]),
            DecodeError::Unknown {
                number: 1,
                version: 9,
            },
        ),
        ("no map", with(3, &[0x85]), DecodeError::Head(Reason::Type)),
        (
            "no field",
            vec![0x83, 1, 1, 0xa0],
            DecodeError::Head(Reason::Length),
        ),
        (
            "more fields than declared",
            with(3, &[0xa6]),
            DecodeError::Head(Reason::Length),
        ),
        (
            "a field that is not declared",
            with(19, &[9]),
            DecodeError::Undeclared(9),
        ),
        ("a field twice", with(19, &[2]), of("home", Reason::Order)),
        ("fields out of order", with(14, &[2]), of("home", Reason::Type)),
        (
            "a longer pseudonym",
            with(5, &[0x49]),
            of("device", Reason::Length),
        ),
        (
            "a text for a pseudonym",
            with(5, &[0x68]),
            of("device", Reason::Type),
        ),
        ("beyond the range", with(16, &[61]), of("warm", Reason::Range)),
        (
            "not in the shortest form",
            with(16, &[5]),
            of("warm", Reason::NotShortest),
        ),
        ("a negative number", with(15, &[0x38]), of("warm", Reason::Type)),
        ("null for yes or no", with(18, &[0xf6]), of("home", Reason::Type)),
        ("a choice too many", with(20, &[4]), of("mode", Reason::Range)),
        (
            "a number out of the noise's range",
            with(22, &[9]),
            of("often", Reason::Range),
        ),
        ("cut short", GOOD[..22].to_vec(), of("often", Reason::Truncated)),
        (
            "with more behind it",
            [&GOOD[..], &[0]].concat(),
            DecodeError::Trailing(1),
        ),
    ];
    for (flaw, bytes, error) in cases {
        assert_eq!(refused(&bytes), error, "{flaw}");
    }
    assert_eq!(
        refused(&with(16, &[61])).to_string(),
        "field warm: the treatment makes no such value"
    );
}

#[test]
fn whatever_is_taken_is_what_the_encoder_makes() {
    let mut part = Nor::<4, 4096>::new(64 * 1024);
    let mut store = format(&mut part, 1);
    agree(&mut store);
    let mut source = random(1);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..4000u32 {
        let prepared = GATE
            .prepare(&mut store, house(true, 1), day(1), &mut source)
            .unwrap();
        let mut bytes = prepared.bytes().to_vec();
        for _ in 0..round % 3 {
            let at = source.next_u32() as usize % bytes.len();
            match source.next_u32() % 4 {
                0 => bytes[at] = source.next_u32() as u8,
                1 => bytes[at] ^= 1 << (source.next_u32() % 8),
                2 => bytes.insert(at, source.next_u32() as u8),
                _ => drop(bytes.remove(at)),
            }
        }
        let mut found = Vec::new();
        match House::SCHEMA.decode(&bytes, |field, value| found.push((field, value))) {
            Ok(()) => {
                assert_eq!(encoded(&House::SCHEMA, &found), bytes);
                taken += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(taken > 1400 && refused > 1000, "{taken} {refused}");
}

#[test]
fn the_fuzzer_begins_with_reports_that_are_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/report_decoder");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(seeds).expect("seeds") {
        let seed = std::fs::read(entry.expect("a file").path()).expect("bytes");
        let schema = schema_of::<Thermostat>(&seed).expect("declared");
        schema.decode(&seed, |_, _| {}).expect("a report");
        names.push(schema.name);
    }
    names.sort_unstable();
    assert_eq!(names, ["climate", "faults", "security"]);
}
