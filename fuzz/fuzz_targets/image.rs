//! Images that somebody changed: mounted, read, written to.
//!
//! ```text
//!  input    base 1 | moment 1 | edits: kind 1, arguments
//!  base     which part and history, see `BASES`; 6 more: the bytes that follow are the image. From 240 on: two parts with a page
//!           left out, held against a counter
//!  moment   how far the history had come when the image was taken
//! ```
//!
//! The attacker of this target changes and copies what is on flash, also from earlier moments of the same device, and does not
//! have the root key. What must hold:
//!
//! * no panic, no endless loop, and no more bytes read than `MOST_READ` says;
//! * a value that is returned was stored under that name, and what is shown as a whole was a state of the device at some moment;
//! * a store that mounted keeps what it then acknowledges, here and after the next mount;
//! * one that is held against a counter shows its last state or an error;
//! * a salvage shows no value that was not stored under that name, and changes nothing.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use bydesign::flash::NeverPends;
use bydesign::flash::simulator::WornOut;
use bydesign::store::{AnchorPolicy, MountError, Salvage, Store};
use chacha20::ChaCha20Rng;
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use rig::{Rig, observe, run_operation};
use support::operation::{Operation, Outcome};
use support::register::Register;
use support::{Ecc, LABEL, Memory, Model, Nor, class, format, mount, random, root_key};

/// Bytes that a mount and a look at everything may read, and then a mount and all the writes: so many times the part's
/// capacity. An honest mount reads the log once or twice and the newest page three times, a look every live record once,
/// collecting everything the log once more; in a quarter of a million changed images none came to 8 times the capacity.
const MOST_READ: u64 = 32;
/// Moments of each history that are kept.
const MOMENTS: usize = 32;
const OPERATIONS_BETWEEN: usize = 5;
/// More are cut off, to keep an execution short.
const MOST_EDITS: usize = 20;

fuzz_target!(|changed: Changed| {
    match changed.base {
        240..=247 => return target::<Nor<4, 1024>>(&BASES[6], &changed),
        248.. => return target::<Ecc<8, 256>>(&BASES[7], &changed),
        _ => {}
    }
    match changed.base % 6 {
        0 => target::<Nor<4, 1024>>(&BASES[0], &changed),
        1 => target::<Nor<1, 256>>(&BASES[1], &changed),
        2 => target::<Nor<16, 2048>>(&BASES[2], &changed),
        3 => target::<Ecc<8, 256>>(&BASES[3], &changed),
        4 => target::<Ecc<4, 4096>>(&BASES[4], &changed),
        _ => target::<Ecc<32, 2048>>(&BASES[5], &changed),
    }
});

/// A moment of a history, and what somebody made of it.
#[derive(Debug)]
struct Changed {
    base: u8,
    moment: u8,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Edits(Vec<Edit>),
    /// Something else altogether.
    Replaced(Vec<u8>),
}

/// Addresses and pages are taken modulo those there are.
#[derive(Debug)]
enum Edit {
    FlipBit {
        at: u16,
        bit: u8,
    },
    Write {
        at: u16,
        bytes: Vec<u8>,
    },
    Fill {
        at: u16,
        byte: u8,
        words: u8,
    },
    BlankRestOfPage {
        at: u16,
    },
    Move {
        at: u16,
        from: u16,
        words: u8,
    },
    /// As it was at another moment.
    Piece {
        at: u16,
        moment: u8,
        words: u8,
    },
    RestOfPage {
        at: u16,
        moment: u8,
    },
    Page {
        at: u16,
        moment: u8,
    },
    SwapPages {
        at: u16,
        other: u8,
    },
    BlankRestOfPart {
        at: u16,
    },
}

impl Edit {
    fn decode(input: &mut Unstructured) -> arbitrary::Result<Self> {
        let kind: u8 = input.arbitrary()?;
        let at = input.arbitrary()?;
        Ok(match kind % 10 {
            0 => Self::FlipBit {
                at,
                bit: input.arbitrary()?,
            },
            1 => {
                let len = input.arbitrary::<u8>()? % 32;
                Self::Write {
                    at,
                    bytes: input.bytes(len.into())?.to_vec(),
                }
            }
            2 => Self::Fill {
                at,
                byte: input.arbitrary()?,
                words: input.arbitrary()?,
            },
            3 => Self::BlankRestOfPage { at },
            4 => Self::Move {
                at,
                from: input.arbitrary()?,
                words: input.arbitrary()?,
            },
            5 => Self::Piece {
                at,
                moment: input.arbitrary()?,
                words: input.arbitrary()?,
            },
            6 => Self::RestOfPage {
                at,
                moment: input.arbitrary()?,
            },
            7 => Self::Page {
                at,
                moment: input.arbitrary()?,
            },
            8 => Self::SwapPages {
                at,
                other: input.arbitrary()?,
            },
            _ => Self::BlankRestOfPart { at },
        })
    }
}

impl<'a> Arbitrary<'a> for Changed {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::arbitrary_take_rest(Unstructured::new(input.bytes(input.len())?))
    }

    fn arbitrary_take_rest(input: Unstructured<'a>) -> arbitrary::Result<Self> {
        let Some((&[base, moment], rest)) = input.take_rest().split_first_chunk() else {
            return Err(arbitrary::Error::NotEnoughData);
        };
        let change = if base < 240 && base % 12 >= 6 {
            Change::Replaced(rest.to_vec())
        } else {
            let mut input = Unstructured::new(rest);
            let mut next = || {
                if input.is_empty() {
                    None
                } else {
                    Edit::decode(&mut input).ok()
                }
            };
            Change::Edits(std::iter::from_fn(&mut next).take(MOST_EDITS).collect())
        };
        Ok(Self { base, moment, change })
    }
}

/// The history of one device.
struct Base {
    page: usize,
    images: Vec<Vec<u8>>,
    states: BTreeSet<Model>,
    values: BTreeMap<(u8, String), BTreeSet<Vec<u8>>>,
    /// The last state, and where the counter stands that it is held against.
    anchored: Option<(Model, u32)>,
}

static BASES: LazyLock<[Base; 8]> = LazyLock::new(|| {
    [
        history::<Nor<4, 1024>>(1024, 8 * 1024, 1),
        history::<Nor<1, 256>>(1024, 6 * 1024, 2),
        history::<Nor<16, 2048>>(2048, 12 * 1024, 3),
        history::<Ecc<8, 256>>(1024, 8 * 1024, 4),
        history::<Ecc<4, 4096>>(4096, 16 * 1024, 5),
        history::<Ecc<32, 2048>>(2048, 12 * 1024, 6),
        anchored_history::<Nor<4, 1024>>(9 * 1024, 7),
        anchored_history::<Ecc<8, 256>>(9 * 1024, 8),
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
        anchored: None,
    };
    let mut source = random(seed);
    for moment in 0..MOMENTS {
        base.images.push(part.image().to_vec());
        // Some moments come after a restart: Session records.
        let mut store = mount(&mut part).expect("mounts");
        model = run_moment(&mut base, moment, &mut store, &mut source);
    }
    assert!(base.states.contains(&model));
    base
}

/// The same with a page left out, and held against a counter from its beginning.
fn anchored_history<P: Rig>(capacity: usize, seed: u64) -> Base {
    let mut part = P::new(capacity);
    let (mut source, mut counter) = (random(seed), Register::at(5));
    format(&mut part, seed)
        .start_counter(&mut counter, &mut source)
        .expect("starts");
    part.wear_out(5 * 1024, Some(WornOut::DoesNotErase));
    let mut base = Base {
        page: 1024,
        images: Vec::new(),
        states: BTreeSet::from([Model::new()]),
        values: BTreeMap::new(),
        anchored: None,
    };
    let (mut last, mut most_left_out) = (Model::new(), 0);
    for moment in 0..MOMENTS {
        let mut store = Store::mount_anchored(part.medium(), Memory::new(), &root_key(), LABEL, &mut counter)
            .expect("mounts");
        last = run_moment(&mut base, moment, &mut store, &mut source);
        store
            .anchor(&mut counter, AnchorPolicy::EveryChange, &mut source)
            .expect("anchors");
        most_left_out = most_left_out.max(store.figures().left_out_pages);
        drop(store);
        base.images.push(part.image().to_vec());
    }
    assert_eq!(most_left_out, 1);
    base.anchored = Some((last, counter.value));
    base
}

fn run_moment<M: NeverPends>(
    base: &mut Base,
    moment: usize,
    store: &mut Store<M, Memory>,
    source: &mut ChaCha20Rng,
) -> Model {
    let mut model = Model::new();
    for operation in (moment * OPERATIONS_BETWEEN..)
        .take(OPERATIONS_BETWEEN)
        .map(step_of_history)
    {
        let outcome = run_operation(&operation, store, source);
        // On write-once flash an item is not said to be erased as long as a page does not erase.
        assert!(outcome != Outcome::Cut || matches!(operation, Operation::EraseItem { .. }));
        model = observe(store).expect("reads");
        for (name, value) in &model {
            base.values.entry(name.clone()).or_default().insert(value.clone());
        }
        base.states.insert(model.clone());
    }
    model
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
        12 => Operation::Commit {
            class,
            key: byte % 4,
            len: 20 + u16::from(byte) % 40,
            fill: byte,
        },
        _ => Operation::Put {
            class,
            key: byte % 6,
            len: 10 + u16::from(byte) * 13 % 70,
            fill: byte,
        },
    }
}

fn target<P: Rig>(base: &Base, changed: &Changed) {
    let mut image = base.images[usize::from(changed.moment) % MOMENTS].clone();
    match &changed.change {
        Change::Edits(edits) => edits.iter().for_each(|change| edit(&mut image, base, change)),
        Change::Replaced(bytes) => {
            for (to, from) in image.iter_mut().zip(bytes.iter().chain(std::iter::repeat(&0xff))) {
                *to = *from;
            }
        }
    }
    let mut part = P::of_image(&image);
    let capacity = image.len() as u64;
    let bounded = |part: &P, before: u64, what: &str| {
        let read = part.counters().bytes_read - before;
        assert!(
            read <= MOST_READ * capacity,
            "{what} read {read} bytes of a part of {capacity}"
        );
        part.counters().bytes_read
    };

    let read = salvage(base, &mut part, &image);
    let read = bounded(&part, read, "a salvage");
    if let Some((last, value)) = &base.anchored {
        let mut part = part.clone();
        let mut counter = Register::at(*value);
        let mounted = Store::mount_anchored(part.medium(), Memory::new(), &root_key(), LABEL, &mut counter);
        if let Ok(Ok(state)) = mounted.map(|mut store| observe(&mut store)) {
            assert_eq!(&state, last, "held against its counter, and set back");
        }
    }
    let mounted = mount(&mut part).map(|mut store| observe(&mut store));
    let read = bounded(&part, read, "a mount and a look at everything");
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
        Operation::Put {
            class: 1,
            key: 1,
            len: 40,
            fill: 99,
        },
        Operation::Put {
            class: 3,
            key: 2,
            len: 90,
            fill: 98,
        },
        Operation::Remove { class: 2, key: 1 },
        Operation::EraseItem { class: 0, key: 3 },
        Operation::EraseClass { class: 1 },
        Operation::Put {
            class: 1,
            key: 4,
            len: 0,
            fill: 0,
        },
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
        assert_eq!(
            observe(&mut store).as_ref(),
            Ok(state),
            "what was acknowledged is there"
        );
    }
    drop(store);
    bounded(&part, read, "a mount and seven operations");
    let mut store = mount(&mut part).expect("what was written to mounts again");
    if let Some(state) = &kept {
        assert_eq!(
            observe(&mut store).as_ref(),
            Ok(state),
            "what was acknowledged is kept"
        );
    }
}

/// What still opens. Gives how much had been read before.
fn salvage<P: Rig>(base: &Base, part: &mut P, image: &[u8]) -> u64 {
    let before = part.counters().bytes_read;
    let _ = Store::salvage(part.medium(), Memory::new(), &root_key(), LABEL, |piece| {
        if let Salvage::Item {
            data, name, value, ..
        } = piece
        {
            let number = (0..5).find(|&number| class(number) == data);
            let known = number.and_then(|number| base.values.get(&(number, name.to_owned())));
            assert!(
                known.is_some_and(|values| values.contains(value)),
                "{name:?} never was {value:?}"
            );
        }
    });
    assert!(part.image() == image, "a salvage wrote");
    before
}

/// A mount that failed destroyed nothing: the next one fails too.
fn refused<P: Rig>(part: &mut P) {
    let error: Option<MountError> = mount(part).err();
    assert!(error.is_some(), "refused once, mounted then");
}

fn edit(image: &mut [u8], base: &Base, change: &Edit) {
    let capacity = image.len();
    let place = |at: u16| usize::from(at) % capacity;
    let piece = |at: u16, words: u8| place(at)..(place(at) + usize::from(words) * 4).min(capacity);
    let page = |at: u16| place(at) / base.page * base.page..(place(at) / base.page + 1) * base.page;
    let rest_of_page = |at: u16| place(at)..page(at).end;
    let earlier = |moment: u8| &base.images[usize::from(moment) % MOMENTS];
    match change {
        Edit::FlipBit { at, bit } => image[place(*at)] ^= 1 << (bit % 8),
        Edit::Write { at, bytes } => {
            for (to, from) in image[place(*at)..].iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        Edit::Fill { at, byte, words } => image[piece(*at, *words)].fill(*byte),
        Edit::BlankRestOfPage { at } => image[rest_of_page(*at)].fill(0xff),
        Edit::Move { at, from, words } => {
            let len = piece(*at, *words).len().min(piece(*from, *words).len());
            image.copy_within(place(*from)..place(*from) + len, place(*at));
        }
        Edit::Piece { at, moment, words } => {
            let range = piece(*at, *words);
            image[range.clone()].copy_from_slice(&earlier(*moment)[range]);
        }
        Edit::RestOfPage { at, moment } => {
            let range = rest_of_page(*at);
            image[range.clone()].copy_from_slice(&earlier(*moment)[range]);
        }
        Edit::Page { at, moment } => {
            let range = page(*at);
            image[range.clone()].copy_from_slice(&earlier(*moment)[range]);
        }
        Edit::SwapPages { at, other } => {
            let (one, other) = (
                page(*at),
                usize::from(*other) % (capacity / base.page) * base.page,
            );
            let held = image[one.clone()].to_vec();
            image.copy_within(other..other + base.page, one.start);
            image[other..other + base.page].copy_from_slice(&held);
        }
        Edit::BlankRestOfPart { at } => image[page(*at).start..].fill(0xff),
    }
}
