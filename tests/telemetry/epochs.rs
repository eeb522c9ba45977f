//! Answers are kept for an epoch and no longer, and so are pseudonyms.

use std::collections::BTreeSet;

use bydesign::telemetry::GateError;

use crate::support::{Nor, Part, Zeros, format, mount, random};
use crate::toy::{DAY, GATE, agree, day, field, house, send_all};
use bydesign::telemetry::Time;

type Flash = Nor<4, 4096>;

//= compliance/requirements.md#tele-6
//= type=test
//# An answer MUST be drawn once in an epoch where it is declared to be kept, and every draw MUST be debited.
#[test]
fn within_an_epoch_one_answer_is_repeated_whatever_the_reading_does() {
    let (mut both, mut modes) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..12 {
        let mut part = Flash::new(64 * 1024);
        drop(format(&mut part, seed));
        let mut random = random(seed);
        let mut answers = BTreeSet::new();
        let mut by_mode = [BTreeSet::new(), BTreeSet::new()];
        for (number, home) in [true, false, true].into_iter().enumerate() {
            // Over restarts, too.
            let mut store = mount(&mut part).unwrap();
            agree(&mut store);
            let now = Time::of(DAY + 3600 * number as u64);
            let mode = u8::from(home);
            GATE.submit(&mut store, house(home, mode), now, &mut random)
                .unwrap();
            let sent = send_all(&mut store, now, &mut random).unwrap();
            answers.insert(field(&sent[0], "home").unwrap());
            by_mode[usize::from(mode)].insert(field(&sent[0], "mode").unwrap());
        }
        assert_eq!(answers.len(), 1, "one answer for the epoch");
        assert_eq!(
            by_mode.each_ref().map(BTreeSet::len),
            [1, 1],
            "one for each value"
        );
        both.extend(answers);
        modes.extend(by_mode.into_iter().flatten());
    }
    assert_eq!(both.len(), 2, "it is drawn, not fixed");
    assert!(modes.len() > 2, "{modes:?}");
}

#[test]
fn pseudonyms_hold_for_an_epoch_and_never_come_back() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    let mut random = random(1);
    agree(&mut store);
    let mut seen = Vec::new();
    for number in 1..30 {
        for hour in [0, 7] {
            let now = Time::of(number * DAY + hour * 3600);
            GATE.submit(&mut store, house(true, 1), now, &mut random).unwrap();
            let sent = send_all(&mut store, now, &mut random).unwrap();
            seen.push(field(&sent[0], "device").unwrap());
        }
    }
    for epoch in seen.chunks(2) {
        assert_eq!(epoch[0], epoch[1]);
    }
    let all: BTreeSet<_> = seen.iter().collect();
    assert_eq!(all.len(), 29);
    // A clock that is set back does not bring an earlier one back.
    GATE.submit(&mut store, house(true, 1), day(3), &mut random)
        .unwrap();
    let sent = send_all(&mut store, day(3), &mut random).unwrap();
    assert_eq!(field(&sent[0], "device").as_ref(), seen.last());
    // Nor does agreeing again.
    GATE.withdraw(&mut store, 1, day(30), &mut random).unwrap();
    agree(&mut store);
    GATE.submit(&mut store, house(true, 1), day(29), &mut random)
        .unwrap();
    let sent = send_all(&mut store, day(29), &mut random).unwrap();
    assert!(!all.contains(&field(&sent[0], "device").unwrap()));
}

#[test]
fn a_dead_random_source_begins_no_epoch() {
    let mut part = Flash::new(64 * 1024);
    let mut store = format(&mut part, 1);
    agree(&mut store);
    let prepared = GATE.prepare(&mut store, house(true, 1), day(1), &mut Zeros);
    assert_eq!(prepared.err(), Some(GateError::Random));
}
