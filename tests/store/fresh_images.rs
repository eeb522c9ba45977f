//! Images of random histories for the second reader (`tests/reader`): live, erased, cut short, with pages left out. Each is held against
//! the model here, and against what stands beside it there.
//!
//! `BYDESIGN_FRESH_IMAGES=DIR cargo test --test store fresh_images::` writes them into that folder; `BYDESIGN_SEED=n` makes others.

use crate::support;

use std::fmt::Write as _;
use std::path::PathBuf;

use bydesign::flash::simulator::{EraseTear, ProgramTear, WornOut};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use support::operation::{Operation, Outcome, commit, put};
use support::{Ecc, Model, Nor, Part, ROOT, contents, format, mount, random};

/// How a history ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Live,
    Erased,
    CutShort,
    LeftOut,
    /// Nothing, but checkpoints were kept all along, on write-once flash.
    Checkpoints,
}
const ENDS: [End; 5] = [
    End::Live,
    End::Erased,
    End::CutShort,
    End::LeftOut,
    End::Checkpoints,
];

fn below(dice: &mut ChaCha20Rng, limit: u8) -> u8 {
    u8::try_from(dice.next_u32() % u32::from(limit)).expect("below a byte")
}

fn operation(dice: &mut ChaCha20Rng) -> Operation {
    let (class, key, fill) = (below(dice, 5), below(dice, 4), below(dice, 255));
    let len = u16::from(below(dice, 70));
    match below(dice, 10) {
        0 | 1 => Operation::Remove { class, key },
        2 | 3 => commit(class, key, len, fill),
        4 if fill < 60 => Operation::EraseClass { class },
        _ => put(class, key, len, fill),
    }
}

/// A history of about three turns of the log.
fn history<P: Part>(end: End, seed: u64) -> (P, Model) {
    let keeps_checkpoints = matches!(end, End::Checkpoints);
    let capacity = if keeps_checkpoints { 32 * 1024 } else { 8 * 1024 };
    let (mut dice, mut part, mut model) = (random(seed), P::new(capacity), Model::new());
    let page = u32::try_from(P::PAGE).expect("small");
    let mut store = format(&mut part, seed);
    if keeps_checkpoints {
        store.keep_checkpoints(&mut dice).expect("keeps them");
    }
    drop(store);
    for boot in 0..8 {
        if matches!(end, End::LeftOut) && boot == 2 {
            part.wear_out(
                page * (2 + u32::from(below(&mut dice, 2))),
                Some(WornOut::DoesNotErase),
            );
        }
        let mut store = mount(&mut part).expect("mounts");
        for _ in 0..if keeps_checkpoints { 60 } else { 20 } {
            let operation = operation(&mut dice);
            if operation.run(&mut store, &mut dice) == Outcome::Done {
                model = operation.apply(&model);
            }
        }
        assert_eq!(contents(&mut store), model, "seed {seed}, {end:?}");
    }
    match end {
        End::Live | End::LeftOut | End::Checkpoints => {}
        End::Erased => {
            let mut store = mount(&mut part).expect("mounts");
            let operation = Operation::EraseClass {
                class: below(&mut dice, 5),
            };
            assert_eq!(operation.run(&mut store, &mut dice), Outcome::Done);
            model = operation.apply(&model);
        }
        End::CutShort => {
            let tears = [ProgramTear::Clean, ProgramTear::TornWord];
            part.set_tear(tears[usize::from(below(&mut dice, 2))], EraseTear::OldOrOne, seed);
            let mut before = model.clone();
            part.cut_after(u64::from(below(&mut dice, 250)));
            for _ in 0..100 {
                let operation = operation(&mut dice);
                let after = operation.apply(&model);
                let outcome = mount(&mut part)
                    .ok()
                    .map(|mut store| operation.run(&mut store, &mut dice));
                if part.is_off() {
                    before = model;
                    model = after;
                    break;
                }
                if outcome == Some(Outcome::Done) {
                    model = after;
                }
            }
            assert!(part.is_off(), "seed {seed}: power goes");
            part.power_on();
            let now = contents(&mut mount(&mut part.clone()).expect("mounts"));
            assert!(now == before || now == model, "seed {seed}: a third state");
            model = now;
        }
    }
    (part, model)
}

fn write(name: &str, image: &[u8], model: &Model) {
    let Some(folder) = std::env::var_os("BYDESIGN_FRESH_IMAGES").map(PathBuf::from) else {
        return;
    };
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let mut text = format!("root key\t{}\nlabel\ttest\n", hex(&ROOT));
    for ((class, name), value) in model {
        let class = ["identity", "settings", "user", "user 7", "application 1"][usize::from(*class)];
        let _ = writeln!(text, "{class}\t{name}\t{}", hex(value));
    }
    std::fs::create_dir_all(&folder).expect("makes the folder");
    std::fs::write(folder.join(format!("{name}.bin")), image).expect("writes the image");
    std::fs::write(folder.join(format!("{name}.txt")), text).expect("writes what it holds");
}

fn all<P: Part>(kind: &str) {
    let first = std::env::var("BYDESIGN_SEED").map_or(5_000, |seed| seed.parse().expect("a number"));
    let mut left_out = 0;
    for (seed, end) in (first..).zip(ENDS) {
        println!("{kind}, {end:?}: BYDESIGN_SEED={seed}");
        let (mut part, model) = history::<P>(end, seed);
        let image = part.image().to_vec();
        let mut store = mount(&mut part).expect("mounts");
        assert_eq!(contents(&mut store), model, "seed {seed}, {end:?}");
        left_out += store.figures().left_out_pages;
        drop(store);
        write(&format!("fresh-{kind}-{end:?}").to_lowercase(), &image, &model);
    }
    assert_eq!(left_out, 1, "one history leaves a page out");
}

#[test]
fn fresh_images_of_overwritable_flash_hold_what_the_model_says() {
    all::<Nor<4, 1024>>("overwritable-4");
    all::<Nor<1, 256>>("overwritable-1");
}

#[test]
fn fresh_images_of_write_once_flash_hold_what_the_model_says() {
    all::<Ecc<8, 1024>>("write-once-8");
    all::<Ecc<16, 1024>>("write-once-16");
}
