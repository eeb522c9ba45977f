//! Boots that are cut again and again: whatever they burn, the store goes on working once the power stays.

use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use rand_core::Rng;
use support::operation::{Operation, Outcome, put};
use support::{Ecc, Model, Nor, Part, TEARS, contents, format, mount, random};

/// A store filled to so many percent of what it takes, and written around its ring.
fn filled<P: Part>(capacity: usize, percent: u32, seed: u64) -> (P, Model) {
    let mut part = P::new(capacity);
    let mut random = random(seed);
    let mut store = format(&mut part, seed);
    let mut model = Model::new();
    for key in 0..40u8 {
        let operation = put(key % 5, key, 30 + u16::from(key) * 7 % 90, key);
        let figures = store.figures();
        if figures.live_bytes * 100 >= figures.capacity_bytes * percent
            || operation.run(&mut store, &mut random) != Outcome::Done
        {
            break;
        }
        model = operation.apply(&model);
    }
    for round in 0..60u8 {
        let operation = put(round % 2, round % 2, 30, round);
        if operation.run(&mut store, &mut random) == Outcome::Done {
            model = operation.apply(&model);
        }
    }
    drop(store);
    (part, model)
}

/// What a store must still be able to do whenever the power stays.
fn works<P: Part>(part: &P, model: &Model, context: &str) {
    let mut part = part.clone();
    let mut random = random(1);
    let mut model = model.clone();
    for round in 0..3u8 {
        let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
        let mut steps = vec![Operation::Maintain { steps: 3 }];
        if let Some(((class, name), value)) = model.iter().nth(usize::from(round) * 3 % model.len().max(1)) {
            let key = (0..40).find(|&key| support::operation::name(key) == *name);
            let key = key.expect("a name of ours");
            let len = u16::try_from(value.len()).expect("short");
            steps.push(put(*class, key, len, 200 + round));
            steps.push(Operation::Remove { class: *class, key });
            steps.push(put(*class, key, len, 100 + round));
            steps.push(Operation::EraseItem { class: *class, key });
        }
        steps.push(Operation::EraseClass { class: 4 - round });
        for step in steps {
            let outcome = step.run(&mut store, &mut random);
            assert_eq!(outcome, Outcome::Done, "{context}: {step:?}");
            model = step.apply(&model);
        }
        assert_eq!(contents(&mut store), model, "{context}");
    }
}

/// Boots, each cut within so many events; between them the store must work, and at the end too.
fn boot_again_and_again<P: Part>(capacity: usize, tears: &[(ProgramTear, EraseTear)], boots: u32, seed: u64) {
    for percent in [15, 50, 80, 100] {
        for within in [40, 150, 400, 1500] {
            let mut dice = random(seed ^ u64::from(percent) << 8 ^ u64::from(within) << 16);
            let (mut part, mut model) = filled::<P>(capacity, percent, seed);
            for boot in 0..boots {
                let context = format!("seed {seed}, {percent} % full, cut within {within}, boot {boot}");
                let tear = tears[usize::try_from(dice.next_u32()).expect("64 bits") % tears.len()];
                part.set_tear(tear.0, tear.1, dice.next_u64());
                part.cut_after(u64::from(dice.next_u32() % within));
                let key = dice.next_u32().to_le_bytes()[0] % 40;
                // Mostly updates of what is there: they do not grow the store.
                let held = model.iter().nth(usize::from(key) % model.len().max(1));
                let update = held.and_then(|((class, name), value)| {
                    let key = (0..40).find(|&key| support::operation::name(key) == *name)?;
                    Some(put(
                        *class,
                        key,
                        u16::try_from(value.len()).ok()?,
                        boot.to_le_bytes()[0],
                    ))
                });
                let operation = match dice.next_u32() % 8 {
                    0 => Operation::Maintain { steps: 5 },
                    1 => put(key % 5, key, 40, key),
                    2 => Operation::Remove { class: key % 5, key },
                    _ => update.unwrap_or(put(0, 0, 30, 1)),
                };
                let after = operation.apply(&model);
                let outcome = mount(&mut part)
                    .ok()
                    .map(|mut store| operation.run(&mut store, &mut dice));
                let was_off = part.is_off();
                part.power_on();
                part.never_cut();
                let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
                let state = contents(&mut store);
                assert!(state == model || state == after, "{context}: a third state");
                if !was_off {
                    assert!(outcome != Some(Outcome::Done) || state == after, "{context}");
                }
                model = state;
                drop(store);
                if boot % 25 == 24 {
                    works(&part, &model, &context);
                }
            }
            works(&part, &model, "at the end");
        }
    }
}

//= compliance/requirements.md#store-25
//= type=test
//# Power cuts, however many and wherever they come, MUST NOT use up room for good.
#[test]
fn boots_that_are_cut_again_and_again_use_up_no_room_on_write_once_flash() {
    boot_again_and_again::<Ecc<8, 1024>>(16 * 1024, &TEARS, 150, 1);
    boot_again_and_again::<Ecc<8, 256>>(8 * 1024, &TEARS, 150, 2);
}

#[test]
fn boots_that_are_cut_again_and_again_use_up_no_room_on_overwritable_flash() {
    let tears = TEARS.map(|(program, erase)| match program {
        ProgramTear::UnreadableWord => (ProgramTear::TornWord, erase),
        program => (program, erase),
    });
    boot_again_and_again::<Nor<4, 1024>>(8 * 1024, &tears, 150, 3);
    boot_again_and_again::<Nor<1, 4096>>(24 * 1024, &tears, 100, 4);
}

#[test]
fn boots_that_are_cut_again_and_again_use_up_no_room_in_the_smallest_stores() {
    boot_again_and_again::<Ecc<8, 1024>>(4 * 1024, &TEARS, 150, 5);
    boot_again_and_again::<Ecc<16, 1024>>(5 * 1024, &TEARS, 150, 6);
    boot_again_and_again::<Nor<4, 1024>>(4 * 1024, &TEARS[..2], 150, 7);
}

/// A put after a start in which one call fails and then power goes.
fn fail_and_cut<P: Part>(part: &mut P, interrupted: &Operation, calls: u64, events: u64) {
    let mut store = mount(part).expect("mounts");
    P::fail_in_store(&mut store, calls);
    P::cut_in_store(&mut store, events);
    let outcome = interrupted.run(&mut store, &mut random(9));
    assert_eq!(outcome, Outcome::Cut, "call {calls} fails, {events} events");
    P::fail_in_store(&mut store, u64::MAX);
    drop(store);
    part.power_on();
}

/// The first Session record of a start fails in the driver, and power goes in the first word of the second. That word reads as
/// it pleases, so a mount may find it blank. Then the power stays, and what is put goes over that place.
fn second_attempt_cut_in_its_first_word<P: Part>() {
    let mut base = P::new(32 * 1024);
    let first = put(0, 0, 30, 6);
    assert_eq!(
        first.run(&mut format(&mut base, 1), &mut random(1)),
        Outcome::Done
    );
    let model = first.apply(&Model::new());
    let interrupted = put(0, 0, 30, 7);
    let begun_at = |calls| {
        let mut part = base.clone();
        part.set_tear(ProgramTear::Clean, EraseTear::Clean, 0);
        fail_and_cut(&mut part, &interrupted, calls, 40);
        base.image()
            .iter()
            .zip(part.image())
            .position(|(before, after)| before != after)
    };
    let first_attempt = begun_at(u64::MAX - 1);
    // Behind the calls that look at the end of the log.
    let calls = (0..4000).find(|&calls| begun_at(calls) > first_attempt);
    let calls = calls.expect("a second attempt stands beyond the first");

    let mut found_blank = 0;
    for seed in 0..1500 {
        let context = format!("seed {seed}");
        let mut part = base.clone();
        part.set_tear(ProgramTear::Unstable, EraseTear::Clean, seed);
        fail_and_cut(&mut part, &interrupted, calls, 0);
        found_blank += u32::from(part.image() == base.image());
        let mut store = mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
        let mut state = model.clone();
        assert_eq!(contents(&mut store), state, "{context}");
        for round in 0..6 {
            let operation = put(1, 1, 100, round);
            let outcome = operation.run(&mut store, &mut random(seed ^ u64::from(round)));
            assert_eq!(outcome, Outcome::Done, "{context}, put {round}");
            state = operation.apply(&state);
        }
        assert_eq!(contents(&mut store), state, "{context}");
    }
    assert!(found_blank > 0);
}

#[test]
fn no_put_fails_over_a_word_that_a_second_attempt_began_on_overwritable_flash() {
    second_attempt_cut_in_its_first_word::<Nor<1, 1024>>();
    second_attempt_cut_in_its_first_word::<Nor<1, 4096>>();
}
