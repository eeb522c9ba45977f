//! Bytes that are no sum, one flaw at a time.

use bydesign::telemetry::collect::{PartialSum, Reason};
use minicbor::Encoder;
use minicbor::data::Int;

use crate::sums::{MODE, PROGRAMME, bytes_of, filled};

/// An empty sum with these parameters.
fn with_parameters(parameters: &[i128], counts: usize) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    to.array(7).expect("written");
    to.u8(1).expect("written");
    to.str("thermostat").expect("written");
    to.u32(1).expect("written");
    to.str("mode").expect("written");
    to.array(parameters.len() as u64).expect("written");
    for number in parameters {
        to.int(Int::try_from(*number).expect("64 bits")).expect("written");
    }
    to.u64(0).expect("written");
    to.array(counts as u64).expect("written");
    for _ in 0..counts {
        to.u64(0).expect("written");
    }
    to.into_writer()
}

fn refused(bytes: &[u8]) -> Option<(&'static str, Reason)> {
    let error = PartialSum::decode(bytes).err()?;
    Some((error.field, error.reason))
}

#[test]
fn bytes_that_are_no_sum_are_refused_with_item_and_reason() {
    //= compliance/requirements.md#tele-37
    //= type=test
    //# Bytes that are not the one encoding of a sum that can be MUST be refused, with the item and the reason.
    let bytes = filled()[0].encode();
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        refused(&bytes)
    };
    assert_eq!(refused(&[]), Some(("sum", Reason::Item)));
    assert_eq!(changed(0, 0x86), Some(("sum", Reason::Item)), "six items");
    assert_eq!(changed(0, 0x9f), Some(("sum", Reason::Item)), "indefinite length");
    assert_eq!(changed(1, 2), Some(("format", Reason::Value)));
    assert_eq!(
        changed(2, 0x4a),
        Some(("report", Reason::Item)),
        "bytes, not text"
    );
    assert_eq!(changed(3, 0xff), Some(("report", Reason::Item)), "not UTF-8");
    assert_eq!(changed(13, 0x20), Some(("version", Reason::Item)), "negative");
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(refused(&longer), Some(("sum", Reason::TrailingBytes)));
    assert_eq!(refused(&[0; 10_241]), Some(("sum", Reason::TooLong)));
    let two_byte_version = [&bytes[..13], &[0x18, 1], &bytes[14..]].concat();
    assert_eq!(refused(&two_byte_version), Some(("sum", Reason::NotCanonical)));
    let nameless = [&bytes[..2], &[0x60], &bytes[13..]].concat();
    assert_eq!(refused(&nameless), Some(("report or field", Reason::Value)));
    let shown = PartialSum::decode(&nameless).expect_err("refused").to_string();
    assert_eq!(shown, "report or field: a value that is not allowed");
}

#[test]
fn counts_that_do_not_add_up_are_refused() {
    let inconsistent = Some(("counts", Reason::Inconsistent));
    assert_eq!(refused(&bytes_of(&MODE, 2, &[1, 1, 1])), inconsistent);
    assert_eq!(refused(&bytes_of(&MODE, 3, &[1, 1, 1])), None);
    assert_eq!(
        refused(&bytes_of(&MODE, u64::MAX, &[u64::MAX, 1, 0])),
        inconsistent
    );
    assert_eq!(refused(&bytes_of(&PROGRAMME, 2, &[3, 0, 0, 0, 0])), inconsistent);
    assert_eq!(refused(&bytes_of(&PROGRAMME, 3, &[3, 0, 3, 0, 0])), None);
    assert_eq!(refused(&with_parameters(&[0, 3, 5], 4)), inconsistent);
}

/// The number of counts that go with it, and the parameters; each number is one too far.
const IMPOSSIBLE: [(usize, &[i128]); 20] = [
    (1, &[0, 1, 5]),                            // a response of one category
    (257, &[0, 257, 5]),                        // of too many
    (3, &[0, 3, 0]),                            // that never lies
    (3, &[0, 3, u64::MAX as i128 / 3 + 1]),     // that lies more than by chance
    (65, &[1, 65, 9, 5]),                       // an encoding of too many
    (3, &[1, 3, 9, 0]),                         // that never sets another bit
    (3, &[1, 3, 4, 5]),                         // that sets others more often
    (2, &[2, 0, 0, 9, 5]),                      // a mean of one reading
    (2, &[2, 1, i32::MAX as i128, 9, 5]),       // of readings beyond 32 bits
    (2, &[2, 0, 2, 9, 1 << 63]),                // of more than all draws
    (2, &[2, 0, 2, 0, 5]),                      // that is never set at the lowest
    (2, &[2, 0, 2, 9, 0]),                      // that does not depend on the reading
    (1026, &[3, 0, 1025, 5]),                   // noise on too wide a range
    (1, &[3, 0, 0, 5]),                         // on none
    (3, &[3, i32::MAX as i128 - 1, 2, 5]),      // beyond 32 bits
    (3, &[3, 0, 2, (1 << 63) - (1 << 32) + 1]), // that does not decay
    (3, &[3, 0, 2, 0]),                         // that is none
    (3, &[4, 3, (1 << 63) + 1]),                // more than every device
    (3, &[0, 3, 5, 5]),                         // one number too many
    (3, &[5, 3, 5]),                            // a treatment that does not exist
];

/// The same, not too far.
const POSSIBLE: [(usize, &[i128]); 8] = [
    (2, &[0, 2, 5]),
    (256, &[0, 256, 5]),
    (3, &[0, 3, u64::MAX as i128 / 3]),
    (64, &[1, 64, 5, 5]),
    (2, &[2, 0, i32::MAX as i128, 9, 5]),
    (1025, &[3, 0, 1024, 5]),
    (3, &[3, i32::MAX as i128 - 2, 2, (1 << 63) - (1 << 32)]),
    (3, &[4, 3, 1 << 63]),
];

#[test]
fn parameters_that_no_treatment_has_are_refused() {
    for (counts, parameters) in IMPOSSIBLE {
        let found = refused(&with_parameters(parameters, counts));
        assert_eq!(found, Some(("parameters", Reason::Value)), "{parameters:?}");
    }
    for (counts, parameters) in POSSIBLE {
        assert_eq!(
            refused(&with_parameters(parameters, counts)),
            None,
            "{parameters:?}"
        );
    }
    let too_large = with_parameters(&[0, 70_000, 5], 3);
    assert_eq!(refused(&too_large), Some(("parameters", Reason::Item)));
}

#[test]
fn a_sum_that_is_cut_off_is_refused_at_every_byte() {
    for sum in filled() {
        let bytes = sum.encode();
        assert_eq!(PartialSum::decode(&bytes), Ok(sum));
        for len in 0..bytes.len() {
            assert!(PartialSum::decode(&bytes[..len]).is_err(), "cut at {len}");
        }
    }
}

#[test]
fn a_changed_bit_is_refused_or_says_something_else() {
    let mut refusals = 0;
    for sum in filled() {
        let bytes = sum.encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                match PartialSum::decode(&changed) {
                    Ok(other) => assert!(other != sum && other.encode() == changed),
                    Err(_) => refusals += 1,
                }
            }
        }
    }
    assert!(refusals > 1000, "{refusals}");
}
