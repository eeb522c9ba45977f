//! What a finder with the root key and every byte of the flash gets of what was withdrawn, and of what held for an earlier epoch.

use bydesign::flash::simulator::{EraseTear, ProgramTear};

use crate::forensics::{in_clear, scan};
use crate::support::{Ecc, LABEL, Nor, Part, ROOT, every_cut, format, mount, random};
use crate::toy::{COMFORT, GATE, HABITS, HOUSE, agree, day, house};

/// Names and values of what was gathered, as far as they open: queued reports, counts, pseudonym's seed, answers.
fn gathered(image: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let findings = scan(image, &ROOT, LABEL.as_bytes());
    let records = findings.records.iter();
    records
        .map(|record| (record.name.clone(), record.value.clone()))
        .filter(|(name, _)| name.starts_with(b"\0q") || name.starts_with(b"\0epoch"))
        .collect()
}

fn prepared<P: Part>() -> P {
    let mut part = P::new(16 * 1024);
    let mut store = format(&mut part, 1);
    agree(&mut store);
    for number in 1..4 {
        GATE.submit(&mut store, house(true, 1), day(number), &mut random(number))
            .unwrap();
    }
    drop(store);
    part
}

fn withdrawn_at_every_cut<P: Part>(tear: (ProgramTear, EraseTear)) {
    let base = prepared::<P>();
    let before = gathered(base.image());
    assert!(before.len() >= 5, "before, the finder gets all: {}", before.len());
    let withdraw = |part: &mut P| {
        mount(part).is_ok_and(|mut store| {
            GATE.withdraw(&mut store, HABITS.number, day(4), &mut random(7))
                .is_ok()
        })
    };
    let events = {
        let mut part = base.clone();
        assert!(withdraw(&mut part));
        part.events() - base.events()
    };
    let (mut undone, mut done) = (0, 0);
    let step = if every_cut() { 1 } else { 5 };
    for cut in (0..=events).step_by(step).chain([events]) {
        let mut part = base.clone();
        part.set_tear(tear.0, tear.1, cut);
        if cut < events {
            part.cut_after(cut);
        }
        assert_eq!(withdraw(&mut part), cut == events);
        part.power_on();
        // The next call of the gate, whichever it is, ends what was begun.
        let mut store = mount(&mut part).unwrap();
        let mut out = [0; 64];
        let waiting = GATE.next(&mut store, day(4), &mut out, &mut random(8)).unwrap();
        let stands = GATE.allows(&mut store, HABITS.number).unwrap();
        drop(store);
        if stands {
            undone += 1;
            assert!(
                waiting.is_some(),
                "cut at {cut}: nothing was withdrawn, and nothing is lost"
            );
            continue;
        }
        done += 1;
        assert!(
            waiting.is_none(),
            "cut at {cut}: what was withdrawn is handed out"
        );
        let left = gathered(part.image());
        assert!(left.is_empty(), "cut at {cut}: {left:?}");
        for (_, value) in &before {
            assert!(!in_clear(part.image(), value));
        }
        let mut store = mount(&mut part).unwrap();
        assert!(
            GATE.allows(&mut store, COMFORT.number).unwrap(),
            "the other purpose stands"
        );
    }
    assert!(undone > 0 && done > 1, "{undone} undone, {done} done");
}

//= compliance/requirements.md#tele-7
//= type=test
//# After a withdrawal has returned, and before anything else is done after one that was cut short, nothing that was gathered in its consent class MUST be left that opens.
#[test]
fn nothing_that_was_withdrawn_opens_at_any_cut_even_with_the_root_key() {
    withdrawn_at_every_cut::<Nor<4, 1024>>((ProgramTear::TornWord, EraseTear::OldOrOne));
    withdrawn_at_every_cut::<Ecc<8, 1024>>((ProgramTear::UnreadableWord, EraseTear::HalfErased));
}

fn earlier_epoch_is_gone<P: Part>() {
    let mut part = P::new(16 * 1024);
    drop(format(&mut part, 1));
    let mut before: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for number in 1..6 {
        let mut store = mount(&mut part).unwrap();
        agree(&mut store);
        for _ in 0..2 {
            GATE.submit(&mut store, house(true, 1), day(number), &mut random(number))
                .unwrap();
        }
        drop(store);
        let now: Vec<_> = gathered(part.image())
            .into_iter()
            .filter(|(name, _)| name == b"\0epoch")
            .collect();
        assert!(!now.is_empty(), "the present epoch is found");
        // The seed, and behind it the answers.
        for (_, value) in &before {
            let seed = &value[10..42];
            assert!(
                !now.iter().any(|(_, value)| value[10..42] == *seed),
                "day {number}: the seed of an earlier epoch opens"
            );
        }
        before = now;
    }
    let store = mount(&mut part).unwrap();
    drop(store);
    assert_eq!(HOUSE.rules.epoch_seconds, 86_400);
}

//= compliance/requirements.md#tele-6
//= type=test
//# When an epoch is over and the next one is begun, nothing that held for it MUST be left on the flash.
#[test]
fn of_an_earlier_epoch_neither_seed_nor_answers_open() {
    earlier_epoch_is_gone::<Nor<4, 1024>>();
    earlier_epoch_is_gone::<Ecc<8, 1024>>();
}
