//! Histories of writes, erasures of every scope, areas that fail and power cuts at any point: a map is the specification, and what a
//! report says is what is so. Property tests and the fuzzer run the same.
#![allow(dead_code, unreachable_pub)] // each program that includes this folder uses its own part of it

use std::cell::Cell;

use bydesign::erase::{
    Area, AreaFailed, Callback, Cleared, Eraser, Kind, Level, Media, Report, Residual, Rotated, Scope,
};
use bydesign::secret::Secret;
use bydesign::store::{Class, DataClass, Key, Store, UserId, WriteError};

use super::{LABEL, Memory, Model, Part, class, format, random, root_key, tears};

const PAIRING: Key<Secret<16>> = Key::new("pairing", Class::Identity);
const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];
const CANARY: &str = "\u{0}canary";

#[derive(Clone, Copy, Debug)]
pub enum Action {
    Put {
        class: u8,
        key: u8,
        len: u8,
    },
    Remove {
        class: u8,
        key: u8,
    },
    Erase {
        scope: u8,
        class: u8,
        key: u8,
        sweeping: bool,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub action: Action,
    /// Power goes after so many events, if so many come.
    pub cut: Option<u16>,
    /// The area beside the store cannot be erased.
    pub area_fails: bool,
}

impl Step {
    /// From the bytes that a fuzzer gives.
    pub fn decode(bytes: [u8; 7]) -> Self {
        let [kind, a, b, c, cut_low, cut_high, flags] = bytes;
        let (class, key) = (a % 5, b % 4);
        let action = match kind % 8 {
            0..=3 => Action::Put {
                class,
                key,
                len: c % 90,
            },
            4 => Action::Remove { class, key },
            _ => Action::Erase {
                scope: c % 5,
                class,
                key,
                sweeping: flags & 1 == 1,
            },
        };
        let cut = u16::from_le_bytes([cut_low, cut_high]) % 2500;
        Self {
            action,
            cut: (flags & 2 == 2).then_some(cut),
            area_fails: flags & 4 == 4,
        }
    }
}

fn name(key: u8) -> String {
    format!("key {key}")
}

/// Every value of a history is another one.
fn value(number: usize, len: u8) -> Vec<u8> {
    let mut value = u32::try_from(number).expect("small").to_le_bytes().to_vec();
    value.resize(4 + usize::from(len), 0x5a);
    value
}

/// The state after an action, but for the pairing secret, which is not in the model.
fn after(model: &Model, number: usize, action: Action) -> Model {
    let mut after = model.clone();
    match action {
        Action::Put { class, key, len } => {
            after.insert((class, name(key)), value(number, len));
        }
        Action::Remove { class, key } => {
            after.remove(&(class, name(key)));
        }
        Action::Erase {
            scope, class, key, ..
        } => after.retain(|(in_class, of), _| match scope {
            0 => (*in_class, of) != (class, &name(key)),
            1 => *in_class != 3,
            2 => *in_class != 2 && *in_class != 3,
            _ => *in_class == 0,
        }),
    }
    after
}

fn contents<M: bydesign::flash::NeverPends>(store: &mut Store<M, Memory>) -> Model {
    let mut all = Model::new();
    for number in 0..5 {
        let each = |name: &str, value: &[u8]| {
            if name != CANARY && name != "pairing" {
                all.insert((number, name.to_owned()), value.to_vec());
            }
        };
        store.for_each(class(number), each).expect("every item reads");
    }
    all
}

/// What is true of a device beside what it stores.
struct Beside {
    area_holds: Cell<bool>,
    area_fails: Cell<bool>,
}

impl Beside {
    fn area(&self) -> Callback<impl FnMut(Kind) -> Result<Cleared, AreaFailed> + use<'_>> {
        Callback::new("log", |_| {
            if self.area_fails.get() {
                return Err(AreaFailed);
            }
            self.area_holds.set(false);
            Ok(Cleared {
                level: Level::PageErased,
                verified: true,
                residual: Residual::Nothing,
            })
        })
    }
}

/// Boots, and acts if there is something to do. Gives the state, the last report and whether the action was acknowledged or refused for
/// want of room; `None` if power went.
fn run<P: Part>(
    part: &mut P,
    beside: &Beside,
    number: usize,
    action: Option<Action>,
) -> Option<(Model, Option<Report>, Option<bool>)> {
    let mut area = beside.area();
    let mut areas: [&mut dyn Area; 1] = [&mut area];
    let mut eraser = Eraser::new(&mut areas)
        .unwrap()
        .on(Media::RawFlash)
        .rotating(&ROTATED);
    if matches!(action, Some(Action::Erase { sweeping: true, .. })) {
        eraser = eraser.sweeping();
    }
    let mut random = random(u64::try_from(number).expect("small"));
    let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
    let (mut store, _) = mounted.map_err(|error| println!("boot: {error}")).ok()?;
    let written = |result: Result<(), WriteError>| match result {
        Ok(()) => Some(true),
        Err(WriteError::Full | WriteError::IndexFull) => Some(false),
        Err(WriteError::Flash(_) | WriteError::Unkept) => None,
        Err(error) => panic!("{action:?}: {error}"),
    };
    let done = match action {
        None => None,
        Some(Action::Put {
            class: number_of,
            key,
            len,
        }) => {
            beside.area_holds.set(true);
            Some(written(store.put_bytes(
                class(number_of),
                &name(key),
                &value(number, len),
                &mut random,
            ))?)
        }
        Some(Action::Remove {
            class: number_of,
            key,
        }) => {
            let removed = store.remove_bytes(class(number_of), &name(key), &mut random);
            Some(written(removed.map(drop))?)
        }
        Some(Action::Erase {
            scope,
            class: of,
            key,
            ..
        }) => {
            let name = name(key);
            let scope = match scope {
                0 => Scope::Item {
                    data: class(of),
                    name: &name,
                },
                1 => Scope::User(UserId(7)),
                2 => Scope::AllUsers,
                3 => Scope::FactoryReset,
                _ => Scope::OwnershipTransfer,
            };
            let plan = eraser.plan(&mut store, scope).expect("plans");
            let report = eraser.carry_out(&mut store, plan, &mut random).ok()?;
            assert!(report.store.verified, "{report:?}");
            Some(true)
        }
    };
    let last = eraser.last(&mut store).expect("reads");
    Some((contents(&mut store), last, done))
}

/// Lives through the steps, with a boot after each, and looks after each.
pub fn history<P: Part>(steps: &[Step], seed: u64) {
    let mut part = P::new(10 * 1024);
    let mut store = format(&mut part, seed);
    store
        .put(&PAIRING, &Secret::new([7; 16]), &mut random(1))
        .expect("puts");
    Eraser::new(&mut [])
        .unwrap()
        .prepare(&mut store, &mut random(2))
        .expect("prepares");
    drop(store);
    let beside = Beside {
        area_holds: Cell::new(false),
        area_fails: Cell::new(false),
    };
    let (mut model, mut erasures) = (Model::new(), 0);
    // Whether an erasure could not erase the area yet.
    let mut is_owed = false;
    for (number, step) in steps.iter().enumerate() {
        let context = format!("step {number}, {step:?}");
        beside.area_fails.set(step.area_fails);
        let tears: Vec<_> = tears::<P>().collect();
        let tear = tears[(number + usize::try_from(seed).expect("small")) % tears.len()];
        part.set_tear(
            tear.0,
            tear.1,
            seed * 1000 + u64::try_from(number).expect("small"),
        );
        if let Some(cut) = step.cut {
            part.cut_after(cut.into());
        }
        let next = after(&model, number, step.action);
        let ran = run(&mut part, &beside, number, Some(step.action));
        let was_cut = part.is_off();
        assert!(ran.is_some() || was_cut, "{context}: fails without a cut");
        part.power_on();
        part.never_cut();
        let (state, last, _) =
            run(&mut part, &beside, number, None).unwrap_or_else(|| panic!("{context}: does not boot"));
        let begun = last.map_or(0, |last| last.number);
        let is_erasure = matches!(step.action, Action::Erase { .. });
        if is_erasure {
            assert!(
                begun == erasures || begun == erasures + 1,
                "{context}: {begun} erasures"
            );
            // An item alone may be gone before its erasure has begun, where the store was too full for both.
            let is_item = matches!(step.action, Action::Erase { scope: 0, .. });
            let expected = if begun > erasures { &next } else { &model };
            assert!(
                state == *expected || (is_item && state == next),
                "{context}: {state:?}"
            );
        } else {
            assert_eq!(begun, erasures, "{context}");
            assert!(
                state == model || state == next,
                "{context}: a third state {state:?}"
            );
        }
        if let (Some((_, _, Some(true))), false) = (&ran, was_cut) {
            assert_eq!(state, next, "{context}: what was acknowledged is so");
            assert!(
                !is_erasure || begun == erasures + 1,
                "{context}: an erasure without a report"
            );
        }
        if let Some(last) = last.filter(|last| last.number > erasures) {
            let reported = last.areas.iter().flatten().next();
            let goes = !matches!(last.scope, Kind::Item | Kind::User);
            // The boot may have erased what was owed before this one began.
            let is_expected = goes || (is_owed && beside.area_holds.get());
            assert!(reported.is_some() || !is_expected, "{context}: {last:?}");
            assert!(reported.is_none() || goes || is_owed, "{context}: {last:?}");
            if reported.is_some_and(|area| area.cleared.is_some()) {
                assert!(
                    !beside.area_holds.get(),
                    "{context}: reported as erased and not erased"
                );
            }
        }
        is_owed = last.is_some_and(|last| !last.is_complete());
        assert!(
            !is_owed || step.area_fails,
            "{context}: an area that answers is still to be erased"
        );
        (model, erasures) = (state, begun);
    }
    // In the end every area answers, and nothing is left to do.
    beside.area_fails.set(false);
    let (state, last, _) = run(&mut part, &beside, 0, None).expect("boots");
    assert_eq!(state, model);
    assert!(last.is_none_or(|last| last.is_complete()), "{last:?}");
    let mut store = Store::mount(part.medium(), Memory::new(), &root_key(), LABEL).expect("mounts");
    let data = DataClass::user(UserId(7));
    assert_eq!(store.contains_bytes(data, CANARY), Ok(false));
}
