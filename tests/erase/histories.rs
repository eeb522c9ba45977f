//! Histories of writes, erasures of every scope, areas that fail and power cuts at any point, drawn at random.

use proptest::prelude::*;

use crate::support::erase_history::{Action, Step, history};
use crate::support::{Ecc, Nor, every_cut};

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let action = prop_oneof![
        4 => (0..5u8, 0..4u8, 0..90u8).prop_map(|(class, key, len)| Action::Put { class, key, len }),
        1 => (0..5u8, 0..4u8).prop_map(|(class, key)| Action::Remove { class, key }),
        3 => (0..5u8, 0..5u8, 0..4u8, any::<bool>())
            .prop_map(|(scope, class, key, sweeping)| Action::Erase { scope, class, key, sweeping }),
    ];
    let step = (action, proptest::option::of(0..2500u16), any::<bool>());
    let step = step.prop_map(|(action, cut, area_fails)| Step {
        action,
        cut,
        area_fails,
    });
    proptest::collection::vec(step, 1..24)
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: if every_cut() { 20_000 } else { 400 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn erasures_leave_what_the_model_says_on_overwritable_flash(steps in steps(), seed in 0..60u64) {
        history::<Nor<4, 1024>>(&steps, seed);
    }

    #[test]
    fn erasures_leave_what_the_model_says_on_write_once_flash(steps in steps(), seed in 0..60u64) {
        history::<Ecc<8, 1024>>(&steps, seed);
    }
}

#[test]
fn a_secret_that_was_copied_to_make_room_for_the_one_that_replaces_it_is_not_left() {
    let step = |action, area_fails| Step {
        action,
        cut: None,
        area_fails,
    };
    let put = |class, key, len| step(Action::Put { class, key, len }, false);
    let erase = |scope, area_fails| {
        let action = Action::Erase {
            scope,
            class: 0,
            key: 0,
            sweeping: false,
        };
        step(action, area_fails)
    };
    let steps = [
        put(0, 0, 43),
        put(0, 0, 3),
        put(0, 0, 75),
        erase(2, true),
        put(0, 0, 0),
        put(0, 3, 0),
        put(0, 0, 0),
        erase(2, true),
        erase(1, false),
        put(0, 0, 0),
        put(1, 1, 0),
        put(0, 0, 0),
        put(0, 0, 0),
        put(0, 0, 3),
        put(0, 0, 0),
        erase(2, false),
        erase(4, false),
    ];
    history::<Ecc<8, 1024>>(&steps, 0);
}
