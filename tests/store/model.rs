//! The store against its specification, a map: long random histories with remounts and power cuts.

use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use proptest::prelude::*;
use support::operation::{Operation, Outcome};
use support::{Ecc, Model, Nor, Part, TEARS, contents, format, mount, random};

#[derive(Clone, Debug)]
enum Step {
    Run(Operation),
    Remount,
    /// Power goes so many events into the operation.
    Cut(Operation, u16),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => (0..5u8, 0..12u8, prop_oneof![4 => 0..120u16, 1 => 300..900u16], any::<u8>())
            .prop_map(|(class, key, len, fill)| Operation::Put { class, key, len, fill }),
        3 => (0..5u8, 0..12u8, 0..300u16, any::<u8>())
            .prop_map(|(class, key, len, fill)| Operation::Commit { class, key, len, fill }),
        3 => (0..5u8, 0..12u8).prop_map(|(class, key)| Operation::Remove { class, key }),
        1 => (0..5u8, 0..12u8).prop_map(|(class, key)| Operation::EraseItem { class, key }),
        1 => (0..5u8).prop_map(|class| Operation::EraseClass { class }),
        1 => Just(Operation::EraseUser),
        2 => (0..6u8).prop_map(|steps| Operation::Maintain { steps }),
        1 => Just(Operation::KeepCheckpoints),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => operation().prop_map(Step::Run),
        1 => Just(Step::Remount),
        3 => (operation(), 0..700u16).prop_map(|(operation, events)| Step::Cut(operation, events)),
    ];
    prop::collection::vec(step, 1..120)
}

fn follow<P: Part>(capacity: usize, steps: &[Step], tear: (ProgramTear, EraseTear), seed: u64) {
    let mut part = P::new(capacity);
    drop(format(&mut part, seed));
    let mut model = Model::new();
    let mut random = random(seed);
    let mut todo = steps.iter().peekable();
    while todo.peek().is_some() {
        let mut store = mount(&mut part).expect("mounts");
        assert_eq!(
            contents(&mut store),
            model,
            "what was acknowledged is there after a boot"
        );
        let mut in_flight = None;
        for step in todo.by_ref() {
            match step {
                Step::Run(operation) => match operation.run(&mut store, &mut random) {
                    Outcome::Done => model = operation.apply(&model),
                    Outcome::Refused => {}
                    Outcome::Cut => panic!("{operation:?} failed without a cut"),
                },
                Step::Remount => break,
                Step::Cut(operation, events) => {
                    in_flight = Some((operation, *events));
                    break;
                }
            }
        }
        assert_eq!(contents(&mut store), model);
        drop(store);
        let Some((operation, events)) = in_flight else {
            continue;
        };
        let after = operation.apply(&model);
        part.set_tear(tear.0, tear.1, seed ^ u64::from(events));
        part.cut_after(u64::from(events));
        let outcome = mount(&mut part).map(|mut store| operation.run(&mut store, &mut random));
        if part.is_off() {
            part.power_on();
            let mut store = mount(&mut part).expect("mounts after a cut");
            let found = contents(&mut store);
            assert!(
                found == model || found == after,
                "a third state after {operation:?}: {found:?}"
            );
            model = found;
        } else {
            part.never_cut();
            match outcome.expect("mounts") {
                Outcome::Done => model = after,
                Outcome::Refused => {}
                Outcome::Cut => panic!("{operation:?} failed without a cut"),
            }
        }
    }
}

fn tear() -> impl Strategy<Value = (ProgramTear, EraseTear)> {
    prop::sample::select(&TEARS[..])
}

fn without_unreadable(tear: (ProgramTear, EraseTear)) -> (ProgramTear, EraseTear) {
    match tear.0 {
        ProgramTear::UnreadableWord => (ProgramTear::TornWord, tear.1),
        _ => tear,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn overwritable_flash_with_4_byte_words_is_a_map(steps in steps(), tear in tear(), seed: u64) {
        follow::<Nor<4, 1024>>(10 * 1024, &steps, without_unreadable(tear), seed);
    }

    #[test]
    fn overwritable_flash_with_1_byte_words_and_4_kib_pages_is_a_map(steps in steps(), tear in tear(), seed: u64) {
        follow::<Nor<1, 4096>>(24 * 1024, &steps, without_unreadable(tear), seed);
    }

    #[test]
    fn write_once_flash_with_8_byte_words_is_a_map(steps in steps(), tear in tear(), seed: u64) {
        follow::<Ecc<8, 2048>>(16 * 1024, &steps, tear, seed);
    }

    #[test]
    fn write_once_flash_with_32_byte_words_and_grouped_erase_units_is_a_map(
        steps in steps(), tear in tear(), seed: u64,
    ) {
        follow::<Ecc<32, 128>>(16 * 1024, &steps, tear, seed);
    }

    #[test]
    fn the_smallest_write_once_store_of_four_pages_is_a_map(steps in steps(), tear in tear(), seed: u64) {
        follow::<Ecc<16, 2048>>(8 * 1024, &steps, tear, seed);
    }

    #[test]
    fn the_smallest_overwritable_store_of_four_pages_is_a_map(steps in steps(), tear in tear(), seed: u64) {
        follow::<Nor<4, 1024>>(4 * 1024, &steps, without_unreadable(tear), seed);
    }
}
