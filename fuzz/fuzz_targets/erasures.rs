//! Histories of writes, erasures of every scope, areas that fail and power cuts, against the model.
//!
//! ```text
//!  input    part 1 | seed 1 | steps of 7: kind, class, key, length or scope, cut 2, flags
//!  flags    bit 0: swept; bit 1: power goes after `cut` events; bit 2: the area beside the store fails
//! ```
//!
//! What must hold: see `tests/support/erase_history.rs`, which the property tests run too.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use support::erase_history::{Step, history};
use support::{Ecc, Nor};

/// More are cut off, to keep an execution short.
const MOST_STEPS: usize = 24;

fuzz_target!(|input: &[u8]| {
    let Some((&[part, seed], steps)) = input.split_first_chunk() else {
        return;
    };
    let (steps, _) = steps.as_chunks::<7>();
    let steps: Vec<Step> = steps
        .iter()
        .take(MOST_STEPS)
        .map(|&bytes| Step::decode(bytes))
        .collect();
    match part % 3 {
        0 => history::<Nor<4, 1024>>(&steps, seed.into()),
        1 => history::<Ecc<8, 1024>>(&steps, seed.into()),
        _ => history::<Ecc<16, 1024>>(&steps, seed.into()),
    }
});
