//! A device with something of everybody's in it, erasures of it, and what must be true afterwards.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::cell::Cell;

use bydesign::erase::{
    Area, AreaFailed, Callback, Cleared, Eraser, Found, Kind, Level, Media, Report, Residual, ResumeError,
    Rotated, Scope,
};
use bydesign::flash::NeverPends;
use bydesign::secret::Secret;
use bydesign::store::{Class, DataClass, Key, MountError, Salvage, Store, UserId};
use chacha20::ChaCha20Rng;

use crate::forensics::scan;
use crate::support::{LABEL, Memory, Model, Part, ROOT, class, format, random, root_key};

/// A value that looks like no other. The second one is a typed secret, behind the version of its key.
pub fn value(number: u8) -> Vec<u8> {
    let version = (number % 100 == 1).then_some(0);
    version.into_iter().chain(bytes(number)).collect()
}

pub fn bytes(number: u8) -> [u8; 24] {
    std::array::from_fn(|at| u8::try_from(at).expect("small"))
        .map(|at| at.wrapping_mul(37) ^ number.wrapping_mul(101).wrapping_add(at >> 3))
}

/// What is stored, by class number and name: each item was changed once.
pub const ITEMS: [(u8, &str); 6] = [
    (0, "serial"),
    (0, "pairing"),
    (1, "wifi"),
    (2, "routine"),
    (3, "name"),
    (4, "cache"),
];
pub const PAIRING: Key<Secret<24>> = Key::new("pairing", Class::Identity);
pub const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];

pub fn contents<M: NeverPends>(store: &mut Store<M, Memory>) -> Model {
    let mut all = Model::new();
    for number in 0..5 {
        store
            .for_each(class(number), |name, value| {
                if name != "\u{0}canary" {
                    all.insert((number, name.to_owned()), value.to_vec());
                }
            })
            .expect("every item reads");
    }
    all
}

pub fn prepared<P: Part>() -> (P, Model) {
    let mut part = P::new(10 * 1024);
    let mut store = format(&mut part, 1);
    let mut eraser = Eraser::new(&mut []).unwrap();
    eraser.prepare(&mut store, &mut random(2)).expect("prepares");
    for round in [100, 0] {
        for (number, (in_class, name)) in (0..).zip(ITEMS) {
            if name == "pairing" {
                let secret = Secret::new(bytes(round + number));
                store.put(&PAIRING, &secret, &mut random(3)).expect("puts");
                continue;
            }
            store
                .put_bytes(class(in_class), name, &value(round + number), &mut random(3))
                .expect("puts");
        }
    }
    let model = contents(&mut store);
    assert_eq!(model.len(), ITEMS.len());
    drop(store);
    (part, model)
}

pub const SCOPES: [Scope<'static>; 6] = [
    Scope::Item {
        data: DataClass::user(UserId(7)),
        name: "name",
    },
    Scope::User(UserId(7)),
    Scope::AllUsers,
    Scope::FactoryReset,
    Scope::OwnershipTransfer,
    Scope::Decommission,
];

/// Whether a scope takes an item, and whether it changes one.
pub fn takes(scope: Scope<'_>, in_class: u8) -> bool {
    match scope {
        Scope::Item { .. } | Scope::User(_) => in_class == 3,
        Scope::AllUsers => in_class == 2 || in_class == 3,
        _ => in_class > 0,
    }
}

/// What a scope leaves; a rotated secret is left out, because it has another value.
pub fn left(model: &Model, scope: Scope<'_>) -> Model {
    let mut left = model.clone();
    left.retain(|(in_class, name), _| {
        !(takes(scope, *in_class) || scope == Scope::OwnershipTransfer && name == "pairing")
    });
    left
}

pub fn without_rotated(mut model: Model, scope: Scope<'_>) -> Model {
    if scope == Scope::OwnershipTransfer {
        model.remove(&(0, "pairing".to_owned()));
    }
    model
}

/// An area that remembers that it was erased.
pub fn remembering(erased: &Cell<bool>) -> Callback<impl FnMut(Kind) -> Result<Cleared, AreaFailed>> {
    Callback::new("log", |_| {
        erased.set(true);
        Ok(Cleared {
            level: Level::PageErased,
            verified: true,
            residual: Residual::Nothing,
        })
    })
}

/// Mounts, plans and carries out.
pub fn erase<P: Part>(
    part: &mut P,
    scope: Scope<'_>,
    area: &mut dyn Area,
    seed: u64,
) -> Result<Report, String> {
    let mut areas = [area];
    let mut eraser = Eraser::new(&mut areas)
        .unwrap()
        .on(Media::RawFlash)
        .rotating(&ROTATED)
        .at(1_700_000_000);
    let mut random = random(seed);
    let (mut store, found) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random)
        .map_err(|error| error.to_string())?;
    assert_eq!(found, Found::Nothing);
    let plan = eraser
        .plan(&mut store, scope)
        .map_err(|error| error.to_string())?;
    eraser
        .carry_out(&mut store, plan, &mut random)
        .map_err(|error| error.to_string())
}

/// What the next boot makes of it.
pub fn boot<P: Part>(
    part: &mut P,
    area: &mut dyn Area,
    seed: u64,
) -> Result<(Model, Found, Option<Report>), ResumeError> {
    let mut areas = [area];
    let mut eraser = Eraser::new(&mut areas)
        .unwrap()
        .on(Media::RawFlash)
        .rotating(&ROTATED);
    let (mut store, found) = eraser.mount(
        part.medium(),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random(seed),
    )?;
    let last = eraser.last(&mut store).expect("reads");
    Ok((contents(&mut store), found, last))
}

/// Whether an erasure was begun, as the plain mount and the salvage say.
pub fn is_begun<P: Part>(part: &P, context: &str) -> bool {
    let mut plain = part.clone();
    let mounted = Store::mount(plain.medium(), Memory::new(), &root_key(), LABEL).err();
    let mut plain = part.clone();
    let mut shown = 0;
    let salvaged = Store::salvage(plain.medium(), Memory::new(), &root_key(), LABEL, |found| {
        shown += usize::from(matches!(found, Salvage::Item { .. }));
    });
    match mounted {
        None => {
            assert!(salvaged.is_ok(), "{context}");
            false
        }
        Some(MountError::ErasureBegun) => {
            assert_eq!(
                (salvaged.err(), shown),
                (Some(MountError::ErasureBegun), 0),
                "{context}: a salvage shows what a mount does not"
            );
            true
        }
        Some(error) => panic!("{context}: {error}"),
    }
}

/// The state after a boot that is not cut, which must be one of two.
pub fn settled<P: Part>(
    part: &mut P,
    model: &Model,
    scope: Scope<'_>,
    erased: &Cell<bool>,
    context: &str,
) -> bool {
    settled_unsearched(part, model, scope, erased, context) && {
        no_trace(part, scope, context);
        true
    }
}

/// A finder with the root key and the whole flash gets nothing of what a scope takes.
pub fn no_trace<P: Part>(part: &P, scope: Scope<'_>, context: &str) {
    let found = scan(part.image(), &ROOT, LABEL.as_bytes());
    for (number, (in_class, name)) in (0..).zip(ITEMS) {
        let rotated = scope == Scope::OwnershipTransfer && name == "pairing";
        if takes(scope, in_class) || rotated {
            for round in [100, 0] {
                assert!(
                    !found.holds_value(&value(round + number)),
                    "{context}: a finder with the root key gets {name}"
                );
            }
        }
    }
}

/// As [`settled`], without a search of the flash, which takes most of the time.
pub fn settled_unsearched<P: Part>(
    part: &mut P,
    model: &Model,
    scope: Scope<'_>,
    erased: &Cell<bool>,
    context: &str,
) -> bool {
    let begun = is_begun(part, context);
    let (state, found, last) =
        boot(part, &mut remembering(erased), 99).unwrap_or_else(|error| panic!("{context}: {error}"));
    let done = without_rotated(state.clone(), scope) == left(model, scope) && last.is_some();
    if !done {
        assert!(!begun, "{context}: begun and not completed: {state:?}");
        assert_eq!(state, *model, "{context}: neither begun nor as before");
        assert_eq!((found, last), (Found::Nothing, None), "{context}");
        return false;
    }
    let last = last.expect("a report");
    assert_eq!((last.number, last.scope), (1, scope.kind()), "{context}");
    assert!(last.is_complete() && last.store.verified, "{context}: {last:?}");
    assert_eq!(last.time, Some(1_700_000_000), "{context}");
    let goes = !matches!(scope, Scope::Item { .. } | Scope::User(_));
    assert!(erased.get() == goes, "{context}: the area");
    let pairing = state.get(&(0, "pairing".to_owned()));
    assert_eq!(
        pairing.is_some_and(|pairing| *pairing != value(1)),
        scope == Scope::OwnershipTransfer,
        "{context}: the pairing secret"
    );
    assert!(
        !is_begun(part, context) || scope == Scope::Decommission,
        "{context}"
    );
    true
}

pub fn remembering_never() -> Callback<impl FnMut(Kind) -> Result<Cleared, AreaFailed>> {
    Callback::new("log", |_| Err(AreaFailed))
}

/// Boots by an eraser.
#[track_caller]
pub fn booted<'a, P: Part>(
    eraser: &mut Eraser<'_, '_>,
    part: &'a mut P,
    random: &mut ChaCha20Rng,
) -> (Store<P::Medium<'a>, Memory>, Found) {
    eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, random)
        .expect("boots")
}
