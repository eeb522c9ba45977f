//! Images that somebody changed: mounted, read, written to.
//!
//! ```text
//!  input    base 1 | moment 1 | edits: kind 1, arguments
//!  base     which part and history, see `BASES`; one number more: the bytes that follow are the image
//!  moment   how far the history had come when the image was taken
//! ```
//!
//! The attacker of this target changes and copies what is on flash, also from earlier moments of the same device, and does not
//! have the root key. What must hold:
//!
//! * no panic, no endless loop, and no more bytes read than [`MOST_READ`] says;
//! * a value that is returned was stored under that name, and what is shown as a whole was a state of the device at some moment;
//! * a store that mounted keeps what it then acknowledges, here and after the next mount.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bydesign::store::MountError;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use rig::{Rig, observe, run_operation};
use support::operation::{Operation, Outcome};
use support::{Ecc, Model, Nor, format, mount, random};

/// Bytes that one mount, or one operation, may read: so many times the part's capacity.
const MOST_READ: u64 = 64;
/// Moments of each history that are kept.
const MOMENTS: usize = 32;
const OPERATIONS_BETWEEN: usize = 5;

fuzz_target!(|input: &[u8]| {
    let Some((&[base, moment], rest)) = input.split_first_chunk() else { return };
    let (base, moment) = (usize::from(base) % 12, usize::from(moment) % MOMENTS);
    match base % 6 {
        0 => target::<Nor<4, 1024>>(&BASES[0], base >= 6, moment, rest),
        1 => target::<Nor<1, 256>>(&BASES[1], base >= 6, moment, rest),
        2 => target::<Nor<16, 2048>>(&BASES[2], base >= 6, moment, rest),
        3 => target::<Ecc<8, 256>>(&BASES[3], base >= 6, moment, rest),
        4 => target::<Ecc<4, 4096>>(&BASES[4], base >= 6, moment, rest),
        _ => target::<Ecc<32, 2048>>(&BASES[5], base >= 6, moment, rest),
    }
});

/// The history of one device.
struct Base {
    page: usize,
    images: Vec<Vec<u8>>,
    states: BTreeSet<Model>,
    values: BTreeMap<(u8, String), BTreeSet<Vec<u8>>>,
}

static BASES: LazyLock<[Base; 6]> = LazyLock::new(|| {
    [
        history::<Nor<4, 1024>>(1024, 8 * 1024, 1),
        history::<Nor<1, 256>>(1024, 6 * 1024, 2),
        history::<Nor<16, 2048>>(2048, 12 * 1024, 3),
        history::<Ecc<8, 256>>(1024, 8 * 1024, 4),
        history::<Ecc<4, 4096>>(4096, 16 * 1024, 5),
        history::<Ecc<32, 2048>>(2048, 12 * 1024, 6),
    ]
});

fn history<P: Rig>(page: usize, capacity: usize, seed: u64) -> Base {
    let mut part = P::new(capacity);
    drop(format(&mut part, seed));
    let mut model = Model::new();
    let mut base = Base {
        page,
        images: Vec::new(),
        states: BTreeSet::from([model.clone()]),
        values: BTreeMap::new(),
    };
    let mut source = random(seed);
    for moment in 0..MOMENTS {
        base.images.push(part.image().to_vec());
        // Some moments come after a restart: Session records.
        let mut store = mount(&mut part).expect("mounts");
        for operation in (moment * OPERATIONS_BETWEEN..).take(OPERATIONS_BETWEEN).map(step_of_history) {
            assert_ne!(run_operation(&operation, &mut store, &mut source), Outcome::Cut);
            model = observe(&mut store).expect("reads");
            for (name, value) in &model {
                base.values.entry(name.clone()).or_default().insert(value.clone());
            }
            base.states.insert(model.clone());
        }
    }
    base
}

fn step_of_history(at: usize) -> Operation {
    let [byte, ..] = at.to_le_bytes();
    let class = byte % 5;
    match at % 23 {
        22 if at % 2 == 0 => Operation::EraseClass { class },
        22 => Operation::EraseUser,
        5 | 14 => Operation::Remove { class, key: byte % 4 },
        9 => Operation::EraseItem { class, key: byte % 4 },
        17 => Operation::Maintain { steps: 3 },
        _ => Operation::Put { class, key: byte % 6, len: 10 + u16::from(byte) * 13 % 70, fill: byte },
    }
}

fn target<P: Rig>(base: &Base, raw: bool, moment: usize, rest: &[u8]) {
    let mut image = base.images[moment].clone();
    if raw {
        for (to, from) in image.iter_mut().zip(rest.iter().chain(std::iter::repeat(&0xff))) {
            *to = *from;
        }
    } else {
        // Input that ends within an edit ends the edits.
        let _ = edit_all(&mut image, base, &mut Unstructured::new(rest));
    }
    let mut part = P::of_image(&image);
    let capacity = image.len() as u64;
    let bounded = |part: &P, before: u64, what: &str| {
        let read = part.counters().bytes_read - before;
        assert!(read <= MOST_READ * capacity, "{what} read {read} bytes of a part of {capacity}");
        part.counters().bytes_read
    };

    let mounted = mount(&mut part).map(|mut store| observe(&mut store));
    let read = bounded(&part, 0, "a mount and a look at everything");
    let state = match mounted {
        Err(_) => return refused(&mut part),
        // Damage that the mount had no reason to look for.
        Ok(Err(_)) => None,
        Ok(Ok(state)) => Some(state),
    };
    if let Some(state) = &state {
        for (name, value) in state {
            let known = base.values.get(name).is_some_and(|values| values.contains(value));
            assert!(known, "{name:?} never was {value:?}");
        }
        assert!(base.states.contains(state), "never was a state: {state:?}");
    }

    // Writes; each is acknowledged and kept, or refused.
    let mut source = random(7);
    let mut kept = state;
    let mut store = mount(&mut part).expect("what mounted mounts again");
    for operation in [
        Operation::Put { class: 1, key: 1, len: 40, fill: 99 },
        Operation::Put { class: 3, key: 2, len: 90, fill: 98 },
        Operation::Remove { class: 2, key: 1 },
        Operation::EraseItem { class: 0, key: 3 },
        Operation::EraseClass { class: 1 },
        Operation::Put { class: 1, key: 4, len: 0, fill: 0 },
        Operation::Maintain { steps: 20 },
    ] {
        if let Some(state) = kept.as_mut() {
            match run_operation(&operation, &mut store, &mut source) {
                Outcome::Done => *state = operation.apply(state),
                // On write-once media the item may be gone and older versions of it not.
                Outcome::Refused if matches!(operation, Operation::EraseItem { .. }) => {
                    *state = observe(&mut store).expect("reads");
                }
                Outcome::Refused => {}
                Outcome::Cut => panic!("{operation:?} failed on a part that works"),
            }
        }
    }
    if let Some(state) = &kept {
        assert_eq!(observe(&mut store).as_ref(), Ok(state), "what was acknowledged is there");
    }
    drop(store);
    bounded(&part, read, "a mount and eight operations");
    let mut store = mount(&mut part).expect("what was written to mounts again");
    if let Some(state) = &kept {
        assert_eq!(observe(&mut store).as_ref(), Ok(state), "what was acknowledged is kept");
    }
}

/// A mount that failed destroyed nothing: the next one fails too.
fn refused<P: Rig>(part: &mut P) {
    let error: Option<MountError> = mount(part).err();
    assert!(error.is_some(), "refused once, mounted then");
}

/// Edits until the input is used up.
fn edit_all(image: &mut [u8], base: &Base, input: &mut Unstructured) -> Result<()> {
    while !input.is_empty() {
        edit(image, base, input)?;
    }
    Ok(())
}

fn edit(image: &mut [u8], base: &Base, input: &mut Unstructured) -> Result<()> {
    let capacity = image.len();
    let pages = capacity / base.page;
    let kind = input.arbitrary::<u8>()? % 10;
    let at = usize::from(input.arbitrary::<u16>()?) % capacity;
    let to_end_of = |unit: usize| at..(at / unit + 1) * unit;
    match kind {
        0 => image[at] ^= 1 << (input.arbitrary::<u8>()? % 8),
        1 => {
            let len = usize::from(input.arbitrary::<u8>()?) % 32;
            let len = len.min(capacity - at);
            image[at..at + len].copy_from_slice(input.bytes(len)?);
        }
        2 => {
            let byte = [0xff, 0x00, 0x55, 0xfe][usize::from(input.arbitrary::<u8>()? % 4)];
            let len = usize::from(input.arbitrary::<u8>()?) * 4;
            let len = len.min(capacity - at);
            image[at..at + len].fill(byte);
        }
        // the rest of a page, blank
        3 => image[to_end_of(base.page)].fill(0xff),
        // a piece moved
        4 => {
            let from = usize::from(input.arbitrary::<u16>()?) % capacity;
            let len = usize::from(input.arbitrary::<u8>()?) * 4;
            let len = len.min(capacity - from).min(capacity - at);
            image.copy_within(from..from + len, at);
        }
        // a piece, the rest of a page, a page, a whole part as it was at another moment
        5..=7 => {
            let earlier = &base.images[usize::from(input.arbitrary::<u8>()?) % MOMENTS];
            let range = match kind {
                5 => at..(at + usize::from(input.arbitrary::<u8>()?) * 4).min(capacity),
                6 => to_end_of(base.page),
                _ => at / base.page * base.page..(at / base.page + 1) * base.page,
            };
            image[range.clone()].copy_from_slice(&earlier[range]);
        }
        // two pages swapped
        8 => {
            let other = usize::from(input.arbitrary::<u8>()?) % pages * base.page;
            let page = at / base.page * base.page;
            if other != page {
                let held = image[page..page + base.page].to_vec();
                image.copy_within(other..other + base.page, page);
                image[other..other + base.page].copy_from_slice(&held);
            }
        }
        // the end of the part cut off
        _ => image[at / base.page * base.page..].fill(0xff),
    }
    Ok(())
}
