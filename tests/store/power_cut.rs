//! Power cuts: at every byte of every operation, twice, in every tear model, and afterwards the last acknowledged state or the
//! one in flight, never a third.

use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use support::operation::{Operation, Outcome, commit, put};
use support::{Ecc, Model, Nor, Part, TEARS, contents, format, mount, random, second_cuts};

/// Runs operations that must succeed or be refused, and follows them in the model.
fn run_all<P: Part>(part: &mut P, model: &mut Model, operations: &[Operation], seed: u64) {
    let mut random = random(seed);
    let mut store = mount(part).expect("mounts");
    for operation in operations {
        match operation.run(&mut store, &mut random) {
            Outcome::Done => *model = operation.apply(model),
            Outcome::Refused => {}
            Outcome::Cut => panic!("{operation:?} failed without a cut"),
        }
    }
    assert_eq!(contents(&mut store), *model);
}

/// A part that has been written around its ring several times, with much live data.
fn aged<P: Part>(capacity: usize, fill: u8, seed: u64) -> (P, Model) {
    let mut part = P::new(capacity);
    drop(format(&mut part, seed));
    let mut model = Model::new();
    let mut operations = Vec::new();
    for key in 0..fill {
        operations.push(put(key, key, 40 + u16::from(key) * 7 % 60, key));
    }
    for round in 0..120u8 {
        operations.push(put(round % 3, round % 4, 50 + u16::from(round) % 40, round));
        if round % 17 == 3 {
            operations.push(Operation::Remove {
                class: round % 3,
                key: round % 4,
            });
        }
    }
    run_all(&mut part, &mut model, &operations, seed + 1);
    (part, model)
}

/// Mounts, and demands one of the allowed states.
#[track_caller]
fn state_after<P: Part>(part: &mut P, allowed: &[&Model], context: &str) -> Model {
    let mut store = mount(part).unwrap_or_else(|error| panic!("{context}: does not mount: {error}"));
    let state = contents(&mut store);
    assert!(
        allowed.iter().any(|model| **model == state),
        "{context}: a third state:\n{state:?}\nnone of {allowed:?}"
    );
    state
}

/// Cuts at every event of one operation, and at every event of each recovery; then writes, opens again and compares.
/// Gives the number of cuts.
fn cut_everywhere<P: Part>(
    base: &P,
    before: &Model,
    operation: &Operation,
    tear: (ProgramTear, EraseTear),
    seed: u64,
) -> u64 {
    let after = operation.apply(before);
    let run = |part: &mut P| -> Option<Outcome> {
        let mut store = mount(part).ok()?;
        Some(operation.run(&mut store, &mut random(seed)))
    };
    let events = {
        let mut part = base.clone();
        let begun = part.events();
        assert_ne!(run(&mut part), Some(Outcome::Cut));
        part.events() - begun
    };
    let mut cuts = 0;
    for first in 0..events {
        let mut part = base.clone();
        part.set_tear(tear.0, tear.1, seed ^ first);
        part.cut_after(first);
        let outcome = run(&mut part);
        assert!(
            part.is_off(),
            "the cut at {first} of {events} must come: {outcome:?}"
        );
        part.power_on();
        cuts += 1;
        let context = format!("{operation:?}, {tear:?}, seed {seed}, cut at {first} of {events}");

        // A second cut at every event of the recovery.
        let recovery = {
            let mut part = part.clone();
            let begun = part.events();
            state_after(&mut part, &[before, &after], &context);
            part.events() - begun
        };
        for second in second_cuts(first, recovery, 16, 23) {
            let mut part = part.clone();
            part.cut_after(second);
            // A mount whose overwriting fails goes on without.
            drop(mount(&mut part));
            assert!(part.is_off(), "{context}, recovery cut at {second}");
            part.power_on();
            cuts += 1;
            state_after(
                &mut part,
                &[before, &after],
                &format!("{context}, recovery cut at {second}"),
            );
        }

        // Writes after the recovery, one of them cut too, and opened again.
        let mut state = state_after(&mut part, &[before, &after], &context);
        let again = put(1, 1, 33, first.to_le_bytes()[0]);
        let next = again.apply(&state);
        part.cut_after(first % 90);
        let outcome = mount(&mut part)
            .ok()
            .map(|mut store| again.run(&mut store, &mut random(seed + 7)));
        if part.is_off() {
            part.power_on();
            cuts += 1;
            state = state_after(
                &mut part,
                &[&state, &next],
                &format!("{context}, then {again:?} cut"),
            );
        } else {
            part.never_cut();
            assert_eq!(outcome, Some(Outcome::Done), "{context}");
            state = next;
        }
        run_all(
            &mut part,
            &mut state,
            &[put(2, 5, 20, 1), Operation::Remove { class: 1, key: 1 }],
            seed + 8,
        );
        state_after(
            &mut part,
            &[&state],
            &format!("{context}, written to and opened again"),
        );
    }
    cuts
}

/// `BYDESIGN_EVERY_CUT=1 cargo test --test store power_cut::` leaves no second cut out.
fn operations() -> Vec<Operation> {
    vec![
        put(1, 1, 60, 200),
        put(1, 9, 0, 0),
        Operation::Remove { class: 1, key: 1 },
        Operation::EraseItem { class: 1, key: 2 },
        Operation::EraseClass { class: 1 },
        Operation::EraseClass { class: 2 },
        put(3, 1, 30, 9),
        commit(1, 1, 40, 3),
        commit(3, 8, 20, 4),
        Operation::Maintain { steps: 3 },
    ]
}

fn campaign<P: Part>(capacity: usize, fill: u8, seed: u64, (program, erase): (ProgramTear, EraseTear)) {
    let (base, model) = aged::<P>(capacity, fill, seed);
    let cuts: u64 = operations()
        .iter()
        .map(|operation| cut_everywhere(&base, &model, operation, (program, erase), seed))
        .sum();
    println!("{cuts} cuts");
    assert!(cuts > 5_000);
}

/// One test for each tear model, so that a failure says which model showed it.
macro_rules! campaigns {
    ($($(#[$note:meta])* $name:ident: $part:ty, $program:ident, $erase:ident;)*) => {$(
        $(#[$note])*
        #[test]
        fn $name() {
            campaign::<$part>(8 * 1024, 14, 1, (ProgramTear::$program, EraseTear::$erase));
        }
    )*};
}

// A part whose words may be programmed again has no error-correcting code that could make a word unreadable.
campaigns! {
    a_clean_cut_at_every_byte_leaves_the_old_or_the_new_state_on_overwritable_flash: Nor<4, 1024>, Clean, Clean;
    a_cut_that_tears_words_and_leaves_old_bits_on_overwritable_flash: Nor<4, 1024>, TornWord, OldOrOne;
    a_cut_that_leaves_words_unsteady_on_overwritable_flash: Nor<4, 1024>, Unstable, Unstable;
    a_cut_that_leaves_erased_pages_weak_on_overwritable_flash: Nor<4, 1024>, TornWord, WeakBlank;
    a_cut_that_leaves_pages_half_erased_on_overwritable_flash: Nor<4, 1024>, Clean, HalfErased;
    a_clean_cut_at_every_byte_leaves_the_old_or_the_new_state_on_write_once_flash: Ecc<8, 256>, Clean, Clean;
    a_cut_that_tears_words_and_leaves_old_bits_on_write_once_flash: Ecc<8, 256>, TornWord, OldOrOne;
    a_cut_that_leaves_words_unreadable_on_write_once_flash: Ecc<8, 256>, UnreadableWord, Clean;
    a_cut_that_leaves_words_unsteady_on_write_once_flash: Ecc<8, 256>, Unstable, Unstable;
    a_cut_that_leaves_erased_pages_weak_on_write_once_flash: Ecc<8, 256>, Clean, WeakBlank;
    a_cut_that_leaves_pages_half_erased_on_write_once_flash: Ecc<8, 256>, Clean, HalfErased;
}

//= compliance/requirements.md#store-1
//= type=test
//# After power was cut at any point of any operation, the store MUST mount and hold for each item the last acknowledged value or the one being written.
//= compliance/requirements.md#store-6
//= type=test
//# The store MUST NOT rely on a page being erased unless a mark written after a verified erase says so.
//= compliance/requirements.md#store-7
//= type=test
//# A page that held part of the log MUST be declared dead in the log before its erase begins.
//= compliance/requirements.md#store-8
//= type=test
//# The store MUST NOT append behind a place that an earlier or interrupted write may have touched.
//= compliance/requirements.md#store-21
//= type=test
//# On write-once media the store MUST NOT program a word twice between two erases.
#[test]
fn cuts_in_long_histories_leave_the_old_or_the_new_state_in_every_tear_model() {
    fn histories<P: Part>(seeds: std::ops::Range<u64>) -> u64 {
        let mut cuts = 0;
        for seed in seeds {
            let tear = TEARS[usize::try_from(seed).expect("small") % TEARS.len()];
            let tear = if P::OVERWRITABLE && tear.0 == ProgramTear::UnreadableWord {
                TEARS[1]
            } else {
                tear
            };
            let (mut part, mut model) = aged::<P>(10 * 1024, 12, seed);
            for cut in 0..120u64 {
                let number = u8::try_from(cut).expect("small");
                let operation = match cut % 11 {
                    3 => Operation::Remove {
                        class: number % 3,
                        key: number % 5,
                    },
                    7 => Operation::EraseClass { class: number % 5 },
                    9 => Operation::EraseItem { class: 1, key: 1 },
                    1 | 5 => commit(number % 5, number % 7, 30 + u16::from(number) / 2, number),
                    _ => put(number % 4, number % 5, 30 + u16::from(number), number),
                };
                part.set_tear(tear.0, tear.1, seed * 1000 + cut);
                part.cut_after((cut * 131 + seed * 17) % 700);
                let after = operation.apply(&model);
                let outcome = mount(&mut part)
                    .ok()
                    .map(|mut store| operation.run(&mut store, &mut random(cut)));
                let was_off = part.is_off();
                part.power_on();
                let context = format!("seed {seed}, cut {cut}, {tear:?}");
                let state = state_after(&mut part, &[&model, &after], &context);
                if outcome == Some(Outcome::Done) && !was_off {
                    assert_eq!(state, after, "{context}: what was acknowledged is there");
                }
                model = state;
                cuts += 1;
            }
        }
        cuts
    }
    let cuts = histories::<Nor<4, 1024>>(0..30)
        + histories::<Ecc<8, 1024>>(30..60)
        + histories::<Nor<1, 2048>>(60..70);
    println!("{cuts} cuts");
    assert!(cuts > 8_000);
}

/// With words of one byte, one in a few interrupted words reads right by chance, and not the next time.
#[test]
fn a_last_byte_that_reads_differently_each_time_leaves_one_state_for_good() {
    let mut cuts = 0;
    for seed in 0..2 {
        let (base, model) = aged::<Nor<1, 1024>>(8 * 1024, 8, 30 + seed);
        for operation in [
            put(1, 1, 20, 77),
            Operation::Remove { class: 1, key: 1 },
            put(2, 1, 3, 9),
        ] {
            let tear = (ProgramTear::Unstable, EraseTear::Unstable);
            cuts += cut_everywhere(&base, &model, &operation, tear, seed);
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 1_000);
}

/// The head page holds a place that an interrupted write burnt, with the log going on beyond it.
fn behind_a_burnt_place<P: Part>(seed: u64) -> u64 {
    let mut cuts = 0;
    let (aged, model) = aged::<P>(12 * 1024, 10, seed);
    for burn in [5, 90] {
        let mut base = aged.clone();
        let mut model = model.clone();
        run_all(&mut base, &mut model, &[put(1, 1, 30, 1)], seed);
        base.set_tear(ProgramTear::TornWord, EraseTear::Clean, seed);
        base.cut_after(burn);
        let burning = mount(&mut base).map(|mut store| put(2, 2, 30, 2).run(&mut store, &mut random(seed)));
        assert!(base.is_off() && burning.ok() != Some(Outcome::Done));
        base.power_on();
        model = contents(&mut mount(&mut base).expect("mounts"));
        for operation in [
            put(1, 1, 30, 3),
            Operation::Remove { class: 1, key: 1 },
            Operation::EraseClass { class: 2 },
        ] {
            cuts += cut_everywhere(&base, &model, &operation, TEARS[1], seed);
        }
    }
    cuts
}

#[test]
fn a_cut_behind_a_burnt_place_leaves_the_old_or_the_new_state() {
    let cuts = behind_a_burnt_place::<Nor<4, 1024>>(50) + behind_a_burnt_place::<Ecc<8, 1024>>(51);
    println!("{cuts} cuts");
    assert!(cuts > 5_000);
}

/// Pages of more than 4 KiB have granules of more than a word: records stand apart where a Session record comes.
fn on_large_pages<P: Part>(page: usize, tear: (ProgramTear, EraseTear)) -> u64 {
    let (base, model) = aged::<P>(4 * page, 10, 70);
    [
        put(1, 1, 61, 200),
        Operation::Remove { class: 1, key: 1 },
        Operation::EraseClass { class: 2 },
        put(3, 1, 30, 9),
    ]
    .iter()
    .map(|operation| cut_everywhere(&base, &model, operation, tear, 71))
    .sum()
}

#[test]
fn a_cut_on_large_pages_leaves_the_old_or_the_new_state() {
    let cuts = on_large_pages::<Nor<4, 16_384>>(16_384, TEARS[1])
        + on_large_pages::<Nor<1, 8192>>(8192, TEARS[0])
        + on_large_pages::<Ecc<8, 16_384>>(16_384, TEARS[2])
        + on_large_pages::<Ecc<32, 65_536>>(65_536, TEARS[1]);
    println!("{cuts} cuts");
    assert!(cuts > 5_000);
}
