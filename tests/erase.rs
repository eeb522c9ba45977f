//! Erasures of several steps: what each scope takes and leaves, what a cut at any byte leaves, what a finder still gets.

#[path = "../examples/lifecycle/forensics.rs"]
mod forensics;
mod support;

use std::cell::{Cell, RefCell};

use bydesign::erase::{
    Area, AreaFailed, AreasError, Callback, Cleared, Eraser, Exported, Found, Kind, Level, Media, Progress,
    Region, Report, Residual, ResumeError, Rotated, Scope,
};
use bydesign::flash::NeverPends;
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator, WornOut};
use bydesign::secret::Secret;
use bydesign::store::{
    Change, Class, DataClass, EraseError, Key, MountError, ReadError, Salvage, Store, UserId, WriteError,
};
use forensics::scan;
use support::{
    Ecc, LABEL, Memory, Model, Nor, Part, ROOT, TEARS, class, every_cut, format, random, root_key,
    second_cuts,
};

/// A value that looks like no other. The second one is a typed secret, behind the version of its key.
fn value(number: u8) -> Vec<u8> {
    let version = (number % 100 == 1).then_some(0);
    version.into_iter().chain(bytes(number)).collect()
}

fn bytes(number: u8) -> [u8; 24] {
    std::array::from_fn(|at| u8::try_from(at).expect("small"))
        .map(|at| at.wrapping_mul(37) ^ number.wrapping_mul(101).wrapping_add(at >> 3))
}

/// What is stored, by class number and name: each item was changed once.
const ITEMS: [(u8, &str); 6] = [
    (0, "serial"),
    (0, "pairing"),
    (1, "wifi"),
    (2, "routine"),
    (3, "name"),
    (4, "cache"),
];
const PAIRING: Key<Secret<24>> = Key::new("pairing", Class::Identity);
const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];

fn contents<M: NeverPends>(store: &mut Store<M, Memory>) -> Model {
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

fn prepared<P: Part>() -> (P, Model) {
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

const SCOPES: [Scope<'static>; 6] = [
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
fn takes(scope: Scope<'_>, in_class: u8) -> bool {
    match scope {
        Scope::Item { .. } | Scope::User(_) => in_class == 3,
        Scope::AllUsers => in_class == 2 || in_class == 3,
        _ => in_class > 0,
    }
}

/// What a scope leaves; a rotated secret is left out, because it has another value.
fn left(model: &Model, scope: Scope<'_>) -> Model {
    let mut left = model.clone();
    left.retain(|(in_class, name), _| {
        !(takes(scope, *in_class) || scope == Scope::OwnershipTransfer && name == "pairing")
    });
    left
}

fn without_rotated(mut model: Model, scope: Scope<'_>) -> Model {
    if scope == Scope::OwnershipTransfer {
        model.remove(&(0, "pairing".to_owned()));
    }
    model
}

/// An area that remembers that it was erased.
fn remembering(
    erased: &Cell<bool>,
) -> Callback<impl FnMut(bydesign::erase::Kind) -> Result<Cleared, AreaFailed>> {
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
fn erase<P: Part>(part: &mut P, scope: Scope<'_>, area: &mut dyn Area, seed: u64) -> Result<Report, String> {
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
fn boot<P: Part>(
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
fn is_begun<P: Part>(part: &P, context: &str) -> bool {
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
fn settled<P: Part>(
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
fn no_trace<P: Part>(part: &P, scope: Scope<'_>, context: &str) {
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
fn settled_unsearched<P: Part>(
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

fn cut_everywhere<P: Part>(scope: Scope<'_>, tear: (ProgramTear, EraseTear)) -> (u64, u64) {
    let (base, model) = prepared::<P>();
    for number in 0..6 {
        assert!(
            scan(base.image(), &ROOT, LABEL.as_bytes()).holds_value(&value(number)),
            "before, the finder gets all"
        );
    }
    let events = {
        let mut part = base.clone();
        erase(&mut part, scope, &mut remembering(&Cell::new(false)), 5).expect("erases");
        part.events() - base.events()
    };
    let (mut undone, mut done) = (0, 0);
    // Every one in the long campaign; every twelfth otherwise, begun at another place for each scope.
    let (begin, step) = if every_cut() {
        (0, 1)
    } else {
        (u64::from(scope.kind().number()), 12)
    };
    for first in (begin..events).step_by(usize::try_from(step).expect("small")) {
        let context = format!("{:?}, {tear:?}, cut at {first} of {events}", scope.kind());
        let mut part = base.clone();
        let erased = Cell::new(false);
        part.set_tear(tear.0, tear.1, first);
        part.cut_after(first);
        let outcome = erase(&mut part, scope, &mut remembering(&erased), 5);
        assert!(part.is_off(), "{context}: {outcome:?}");
        part.power_on();
        let recovery = {
            let (mut part, erased) = (part.clone(), erased.clone());
            let before = part.events();
            boot(&mut part, &mut remembering(&erased), 99)
                .unwrap_or_else(|error| panic!("{context}: {error}"));
            part.events() - before
        };
        for second in second_cuts(first / step, recovery, 128, 127) {
            let (mut part, erased) = (part.clone(), erased.clone());
            part.cut_after(second);
            drop(boot(&mut part, &mut remembering(&erased), 99));
            part.power_on();
            let context = format!("{context}, recovery cut at {second} of {recovery}");
            settled_unsearched(&mut part, &model, scope, &erased, &context);
        }
        if settled_unsearched(&mut part, &model, scope, &erased, &context) {
            done += 1;
            if (first / step).is_multiple_of(16) || every_cut() {
                no_trace(&part, scope, &context);
            }
        } else {
            undone += 1;
        }
    }
    (undone, done)
}

macro_rules! campaigns {
    ($($name:ident: $part:ty, $tear:expr;)*) => {$(
        //= compliance/requirements.md#erase-2
        //= type=test
        //# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
        #[test]
        fn $name() {
            for scope in SCOPES {
                let (undone, done) = cut_everywhere::<$part>(scope, $tear);
                println!("{:?}: {undone} cuts before, {done} after the mark", scope.kind());
                assert!(undone > 10 && done > 20, "{scope:?}: {undone}, {done}");
            }
        }
    )*};
}

campaigns! {
    a_clean_cut_leaves_all_or_completes_on_overwritable_flash: Nor<4, 1024>, TEARS[0];
    a_cut_that_tears_words_leaves_all_or_completes_on_overwritable_flash: Nor<4, 1024>, TEARS[1];
    a_cut_that_tears_erases_leaves_all_or_completes_on_overwritable_flash: Nor<4, 1024>, TEARS[5];
    a_clean_cut_leaves_all_or_completes_on_write_once_flash: Ecc<8, 1024>, TEARS[0];
    a_cut_that_tears_words_leaves_all_or_completes_on_write_once_flash: Ecc<8, 1024>, TEARS[2];
    a_cut_that_leaves_words_unsteady_leaves_all_or_completes_on_write_once_flash: Ecc<8, 1024>, TEARS[3];
}

#[test]
fn each_scope_takes_what_it_says_and_reports_what_was_achieved() {
    fn on<P: Part>() {
        for scope in SCOPES {
            let (mut part, model) = prepared::<P>();
            let erased = Cell::new(false);
            let report = erase(&mut part, scope, &mut remembering(&erased), 5).expect("erases");
            let going = model
                .keys()
                .filter(|(in_class, _)| takes(scope, *in_class))
                .count();
            // At a decommissioning everything goes, the identity when the receipt is exported.
            let going = if scope == Scope::Decommission {
                model.len()
            } else {
                going
            };
            assert_eq!(report.gone.items as usize, going, "{scope:?}");
            assert_eq!(report.left.items as usize, model.len() - going, "{scope:?}");
            assert_eq!(report.media, Media::RawFlash);
            let is_item = matches!(scope, Scope::Item { .. });
            let expected = match (is_item, P::OVERWRITABLE) {
                (true, true) => Level::Overwritten,
                (true, false) => Level::PageErased,
                (false, _) => Level::KeyDestroyed,
            };
            assert_eq!(report.store.level, expected, "{scope:?}");
            assert_eq!(
                (report.canary.opened_before, report.canary.failed_after),
                (!is_item, !is_item),
                "{scope:?}"
            );
            assert_eq!(report.identity_pending, scope == Scope::Decommission);
            assert!(settled(&mut part, &model, scope, &erased, "without a cut"));
        }
    }
    on::<Nor<4, 1024>>();
    on::<Ecc<8, 1024>>();
}

//= compliance/requirements.md#erase-1
//= type=test
//# While an erasure that was begun is not complete, a mount MUST refuse to show anything.
#[test]
fn between_the_mark_and_the_end_nothing_is_shown_and_other_erasures_wait() {
    let (base, _) = prepared::<Ecc<8, 1024>>();
    let mut refused = 0;
    for cut in 0..3000 {
        let mut part = base.clone();
        part.cut_after(cut);
        drop(erase(
            &mut part,
            Scope::AllUsers,
            &mut remembering(&Cell::new(false)),
            5,
        ));
        if !part.is_off() {
            break;
        }
        part.power_on();
        refused += u32::from(is_begun(&part, "between"));
    }
    assert!(refused > 100, "{refused} cuts left one that was begun");
}

#[test]
fn a_power_cut_while_an_erasure_completes_never_ends_with_the_data_back() {
    // A boot loop: each boot is cut a little later.
    let (base, model) = prepared::<Ecc<8, 1024>>();
    let mut part = base.clone();
    part.cut_after(700);
    let erased = Cell::new(false);
    drop(erase(
        &mut part,
        Scope::FactoryReset,
        &mut remembering(&erased),
        5,
    ));
    part.power_on();
    assert!(is_begun(&part, "begun"));
    for cut in 0..400 {
        part.set_tear(TEARS[3].0, TEARS[3].1, cut);
        part.cut_after(cut);
        drop(boot(&mut part, &mut remembering(&erased), cut));
        if !part.is_off() {
            break;
        }
        part.power_on();
        if let Ok(mut store) = Store::mount(part.medium(), Memory::new(), &root_key(), LABEL) {
            assert_eq!(contents(&mut store), left(&model, Scope::FactoryReset));
        }
    }
    part.never_cut();
    assert!(settled(
        &mut part,
        &model,
        Scope::FactoryReset,
        &erased,
        "in the end"
    ));
}

//= compliance/requirements.md#erase-3
//= type=test
//# An area that is not erased MUST be named in the report and tried again at every start until it is.
#[test]
fn an_area_that_fails_is_named_and_tried_again_at_every_boot_until_it_succeeds() {
    let (mut part, model) = prepared::<Ecc<8, 1024>>();
    let fails = Cell::new(true);
    let calls = Cell::new(0);
    let mut radio = Callback::new("radio bonds", |_| {
        calls.set(calls.get() + 1);
        if fails.get() {
            return Err(AreaFailed);
        }
        Ok(Cleared {
            level: Level::Delegated,
            verified: false,
            residual: Residual::Unknown,
        })
    });
    let report = erase(&mut part, Scope::FactoryReset, &mut radio, 5).expect("the rest is erased");
    let area = report.areas[0].expect("is named");
    assert_eq!((area.name.as_str(), area.cleared), ("radio bonds", None));
    assert!(!report.is_complete());
    assert_eq!(calls.get(), 1);

    // The store itself is done with, and can be used meanwhile.
    let (state, found, _) = boot(&mut part, &mut radio, 1).expect("boots");
    assert_eq!(state, left(&model, Scope::FactoryReset));
    assert!(matches!(found, Found::Resumed(report) if !report.is_complete()));
    assert_eq!(calls.get(), 2);
    let events = part.events();
    boot(&mut part, &mut radio, 1).expect("boots");
    assert_eq!(
        part.events(),
        events,
        "a boot that changes nothing writes nothing"
    );

    fails.set(false);
    let (_, found, _) = boot(&mut part, &mut radio, 2).expect("boots");
    let Found::Resumed(report) = found else {
        panic!("{found:?}")
    };
    let cleared = report.areas[0]
        .and_then(|area| area.cleared)
        .expect("is erased now");
    assert_eq!((cleared.level, cleared.verified), (Level::Delegated, false));
    let (_, found, _) = boot(&mut part, &mut radio, 3).expect("boots");
    assert_eq!((found, calls.get()), (Found::Nothing, 4));
}

#[test]
fn a_region_is_erased_and_read_before_it_is_called_erased() {
    let mut log = Simulator::<4, 1024>::new(4096, Rule::Multiwrite);
    log.image_mut().fill(0x5a);
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut region = Region::new("event log", &mut log, Media::RawFlash);
    let report = erase(&mut part, Scope::AllUsers, &mut region, 5).expect("erases");
    let cleared = report.areas[0].and_then(|area| area.cleared).expect("is erased");
    assert_eq!(
        (cleared.level, cleared.verified, cleared.residual),
        (Level::PageErased, true, Residual::Nothing)
    );
    assert!(log.image().iter().all(|&byte| byte == 0xff));

    // Power goes amid it: it is not erased, and the next boot does it.
    log.image_mut().fill(0x5a);
    log.cut_after(1);
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut region = Region::new("event log", &mut log, Media::Managed);
    let report = erase(&mut part, Scope::AllUsers, &mut region, 5).expect("erases the store");
    assert_eq!(report.areas[0].and_then(|area| area.cleared), None);
    log.power_on();
    let mut region = Region::new("event log", &mut log, Media::Managed);
    let (_, found, _) = boot(&mut part, &mut region, 1).expect("boots");
    let Found::Resumed(report) = found else {
        panic!("{found:?}")
    };
    let cleared = report.areas[0]
        .and_then(|area| area.cleared)
        .expect("is erased now");
    assert_eq!(
        cleared.residual,
        Residual::HiddenCopies,
        "of a file only the interface is blank"
    );
    assert!(log.image().iter().all(|&byte| byte == 0xff));
}

//= compliance/requirements.md#erase-5
//= type=test
//# At a decommissioning the key of the identity MUST be destroyed last, and only after the caller said that the receipt is exported.
#[test]
fn a_decommissioned_device_signs_first_and_holds_no_store_afterwards_at_every_cut() {
    fn on<P: Part>(tear: (ProgramTear, EraseTear)) {
        let (mut base, _) = prepared::<P>();
        let log = Cell::new(false);
        erase(&mut base, Scope::Decommission, &mut remembering(&log), 5).expect("erases");
        let finishes = |part: &mut P| -> Result<(), String> {
            let mut eraser = Eraser::new(&mut []).unwrap();
            let mut random = random(6);
            let (mut store, found) = eraser
                .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random)
                .map_err(|error| error.to_string())?;
            assert!(matches!(found, Found::AwaitingExport(report) if report.identity_pending));
            let mut out = [0; 64];
            let serial = store
                .get_bytes(Class::Identity, "serial", &mut out)
                .expect("reads");
            assert_eq!(
                serial,
                Some(24),
                "the identity is there until the receipt is exported"
            );
            eraser
                .finish(store, Exported::acknowledged(), &mut random)
                .map(drop)
                .map_err(|error| error.to_string())
        };
        let events = {
            let mut part = base.clone();
            finishes(&mut part).expect("finishes");
            assert!(
                part.image().iter().filter(|&&byte| byte != 0xff).count() < 10 * 16,
                "nothing but the marks of erased pages"
            );
            part.events() - base.events()
        };
        let (mut awaiting, mut gone) = (0, 0);
        for cut in 0..events {
            let context = format!("{tear:?}, cut at {cut} of {events}");
            let mut part = base.clone();
            part.set_tear(tear.0, tear.1, cut);
            part.cut_after(cut);
            drop(finishes(&mut part));
            part.power_on();
            for _ in 0..2 {
                let mut eraser = Eraser::new(&mut []).unwrap();
                let booted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(7));
                let booted = booted.map(|(_, found)| found);
                match booted {
                    Ok(Found::AwaitingExport(_)) => {
                        awaiting += 1;
                        break;
                    }
                    Ok(found) => panic!("{context}: {found:?}"),
                    Err(_) => gone += 1,
                }
                let found = scan(part.image(), &ROOT, LABEL.as_bytes());
                assert!(!found.holds_value(&value(0)), "{context}: the identity");
            }
            // Provisioned anew.
            let again =
                Store::format_erasing(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(8));
            let mut again = again.unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(contents(&mut again).is_empty(), "{context}");
        }
        assert!(awaiting > 10 && gone > 100, "{awaiting}, {gone}");
    }
    on::<Nor<4, 1024>>(TEARS[0]);
    on::<Ecc<8, 1024>>(TEARS[1]);
    on::<Nor<4, 1024>>(TEARS[5]);
}

#[test]
fn finish_is_refused_where_no_decommissioning_waits() {
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
        .unwrap();
    let refused = eraser
        .finish(store, Exported::acknowledged(), &mut random(1))
        .err();
    assert_eq!(refused, Some(EraseError::Unfinished));
    let mut store = support::mount(&mut part).expect("mounts");
    assert_eq!(contents(&mut store), model);
}

//= compliance/requirements.md#erase-4
//= type=test
//# A store that is full MUST NOT keep an erasure from being carried out, if room for its note was made before.
#[test]
fn a_full_store_is_erased_if_it_was_prepared() {
    fn on<P: Part>() {
        for scope in SCOPES {
            let (mut part, _) = prepared::<P>();
            let mut store = support::mount(&mut part).expect("mounts");
            let mut number = 0u16;
            while store
                .put_bytes(
                    class(2),
                    &number.to_string(),
                    &[7; 100],
                    &mut random(u64::from(number)),
                )
                .is_ok()
            {
                number += 1;
            }
            assert!(number > 10, "it takes some");
            let model = contents(&mut store);
            drop(store);
            let log = Cell::new(false);
            let report = erase(&mut part, scope, &mut remembering(&log), 5)
                .unwrap_or_else(|error| panic!("{scope:?} on a full store: {error}"));
            assert!(report.store.verified);
            assert!(settled(&mut part, &model, scope, &log, "full"));
        }
    }
    on::<Nor<4, 1024>>();
    on::<Ecc<8, 1024>>();
}

#[test]
fn a_store_without_a_free_class_slot_says_so_before_anything_is_touched() {
    let mut part = Nor::<4, 1024>::new(10 * 1024);
    let small = bydesign::store::Ram::<8, 256, 3>::new();
    let mut store = Store::format(part.medium(), small, &root_key(), LABEL, &mut random(1)).unwrap();
    store
        .put_bytes(Class::User, "name", b"Ada", &mut random(2))
        .unwrap();
    let mut eraser = Eraser::new(&mut []).unwrap();
    assert_eq!(
        eraser.prepare(&mut store, &mut random(3)),
        Err(EraseError::ClassesFull)
    );
    let plan = eraser.plan(&mut store, Scope::AllUsers).unwrap();
    assert_eq!(
        eraser.carry_out(&mut store, plan, &mut random(3)).err(),
        Some(EraseError::ClassesFull)
    );
    assert_eq!(store.contains_bytes(Class::User, "name"), Ok(true));
}

#[test]
fn a_random_source_that_is_stuck_touches_nothing_of_the_scope() {
    struct Stuck;
    impl rand_core::TryRng for Stuck {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Stuck {}
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (mut store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
        .unwrap();
    let plan = eraser.plan(&mut store, Scope::FactoryReset).unwrap();
    let refused = eraser.carry_out(&mut store, plan, &mut Stuck).err();
    assert_eq!(refused, Some(EraseError::Random));
    assert_eq!(contents(&mut store), model, "nothing was touched");
    drop(store);
    assert!(!is_begun(&part, "stuck"), "nor begun");
}

#[test]
fn a_plan_says_what_goes_and_what_stays_and_changes_nothing() {
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut area = remembering_never();
    let mut areas: [&mut dyn Area; 1] = [&mut area];
    let mut eraser = Eraser::new(&mut areas).unwrap().keeping(&[1]);
    let (mut store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
        .unwrap();
    let plan = eraser.plan(&mut store, Scope::FactoryReset).unwrap();
    // wifi, routine and name go; serial, pairing and, because it is kept, the cache stay.
    assert_eq!((plan.going().items, plan.staying().items), (3, 3));
    assert_eq!((plan.classes(), plan.areas(), plan.pages()), (3, 1, 0));
    assert_eq!(
        plan.to_string(),
        format!(
            "Erase: factory reset.\nGoes: 3 items, {} bytes, 3 keys, 1 areas outside the store.\nStays: 3 items, {} bytes.",
            plan.going().bytes,
            plan.staying().bytes
        )
    );
    let mut seen = Vec::new();
    eraser.classes(&mut store, Scope::FactoryReset, |class, user, amount, goes| {
        seen.push((class, user, amount.items, goes));
    });
    assert_eq!(
        seen,
        [
            (Class::Identity, UserId(0), 2, false),
            (Class::Settings, UserId(0), 1, true),
            (Class::User, UserId(0), 1, true),
            (Class::User, UserId(7), 1, true),
            (Class::Application(1), UserId(0), 1, false),
        ]
    );
    assert_eq!(contents(&mut store), model);
    let fixed = Scope::Item {
        data: Class::Settings.into(),
        name: "model",
    };
    store
        .put_fixed_bytes(Class::Settings, "model", b"X1", &mut random(2))
        .unwrap();
    assert_eq!(eraser.plan(&mut store, fixed).err(), Some(EraseError::Fixed));
}

fn remembering_never() -> Callback<impl FnMut(bydesign::erase::Kind) -> Result<Cleared, AreaFailed>> {
    Callback::new("log", |_| Err(AreaFailed))
}

#[test]
fn progress_is_told_for_every_step_and_reaches_its_end() {
    let (mut part, _) = prepared::<Ecc<8, 1024>>();
    let seen = RefCell::new(Vec::new());
    let mut tell = |progress| seen.borrow_mut().push(progress);
    let mut area = remembering_never();
    let mut areas: [&mut dyn Area; 1] = [&mut area];
    let mut eraser = Eraser::new(&mut areas).unwrap().sweeping().telling(&mut tell);
    let (mut store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
        .unwrap();
    let plan = eraser.plan(&mut store, Scope::AllUsers).unwrap();
    let pages = plan.pages();
    assert!(pages > 0);
    let report = eraser.carry_out(&mut store, plan, &mut random(2)).unwrap();
    let seen = seen.borrow();
    assert_eq!(seen.first(), Some(&Progress::Keys));
    assert!(seen.contains(&Progress::Area { number: 0, of: 1 }));
    let sweeps: Vec<_> = seen
        .iter()
        .filter_map(|progress| match progress {
            Progress::Sweep { done, of } => Some((*done, *of)),
            _ => None,
        })
        .collect();
    assert!(sweeps.is_sorted() && sweeps.len() > 1, "{sweeps:?}");
    assert_eq!(sweeps.last(), Some(&(report.pages, report.pages)));
    assert_eq!(
        report.store.residual,
        Residual::HiddenCopies,
        "nobody said that it is raw flash"
    );
}

#[test]
fn a_sweep_leaves_no_record_of_a_destroyed_key_and_says_so() {
    for sweeping in [false, true] {
        let (mut part, _) = prepared::<Ecc<8, 1024>>();
        let mut eraser = Eraser::new(&mut []).unwrap().on(Media::RawFlash);
        if sweeping {
            eraser = eraser.sweeping();
        }
        let (mut store, _) = eraser
            .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
            .unwrap();
        let plan = eraser.plan(&mut store, Scope::AllUsers).unwrap();
        let report = eraser.carry_out(&mut store, plan, &mut random(2)).unwrap();
        let expected = if sweeping {
            Residual::Nothing
        } else {
            Residual::SealedRecords
        };
        assert_eq!((report.store.residual, report.pages > 0), (expected, sweeping));
    }
}

#[test]
fn areas_that_cannot_be_told_apart_or_do_not_fit_a_receipt_are_refused() {
    let named = |name: &'static str| Callback::new(name, |_| Err(AreaFailed));
    let (mut a, mut b) = (named("log"), named("log"));
    let mut areas: [&mut dyn Area; 2] = [&mut a, &mut b];
    assert_eq!(Eraser::new(&mut areas).err(), Some(AreasError::Repeated(1)));
    let mut empty = named("");
    let mut areas: [&mut dyn Area; 1] = [&mut empty];
    assert_eq!(Eraser::new(&mut areas).err(), Some(AreasError::Name(0)));
    let digits = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let mut nine = digits.map(named);
    let mut areas: Vec<&mut dyn Area> = nine.iter_mut().map(|area| area as &mut dyn Area).collect();
    assert!(Eraser::new(&mut areas[..8]).is_ok());
    let mut areas: Vec<&mut dyn Area> = nine.iter_mut().map(|area| area as &mut dyn Area).collect();
    assert_eq!(Eraser::new(&mut areas).err(), Some(AreasError::TooMany));
}

#[test]
fn a_second_owner_sets_the_device_up_and_cannot_read_the_first() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    erase(
        &mut part,
        Scope::OwnershipTransfer,
        &mut remembering(&Cell::new(false)),
        5,
    )
    .expect("erases");
    let mut store = support::mount(&mut part).expect("mounts");
    assert_eq!(store.contains_bytes(Class::Settings, "wifi"), Ok(false));
    store
        .put_bytes(Class::Settings, "wifi", b"the second owner's", &mut random(9))
        .unwrap();
    store
        .put_bytes(DataClass::user(UserId(7)), "name", b"Grace", &mut random(9))
        .unwrap();
    drop(store);
    let second = erase(
        &mut part,
        Scope::FactoryReset,
        &mut remembering(&Cell::new(false)),
        6,
    )
    .unwrap();
    assert_eq!((second.number, second.gone.items), (2, 2));
}

/// Pages 2 to 9 hold the log.
fn worn<P: Part>(page: u32) -> (P, Model) {
    let (mut part, model) = prepared::<P>();
    part.wear_out(page * 1024, Some(WornOut::DoesNotErase));
    (part, model)
}

//= compliance/requirements.md#erase-2
//= type=test
//# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
#[test]
fn a_page_that_no_longer_erases_keeps_no_erasure_from_its_end_and_is_not_called_erased() {
    fn on<P: Part>() {
        let mut unseen = 0;
        for page in 2..10 {
            for scope in SCOPES {
                let (mut part, model) = worn::<P>(page);
                let context = format!("{scope:?}, page {page}");
                let log = Cell::new(false);
                let report = erase(&mut part, scope, &mut remembering(&log), 5)
                    .unwrap_or_else(|error| panic!("{context}: {error}"));
                let (state, _, last) = boot(&mut part, &mut remembering(&log), 6)
                    .unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(last, Some(report), "{context}");
                assert_eq!(without_rotated(state, scope), left(&model, scope), "{context}");
                let found = scan(part.image(), &ROOT, LABEL.as_bytes());
                let is_gone = (0..).zip(ITEMS).all(|(number, (in_class, _))| {
                    !takes(scope, in_class) || !found.holds_value(&value(number))
                });
                assert!(is_gone || !report.store.verified, "{context}: called verified");
                assert!(
                    is_gone || report.store.residual == Residual::Unknown,
                    "{context}: {report:?}"
                );
                unseen += u32::from(!report.store.verified);
            }
        }
        // On write-once flash a version of the item stands on one of the pages.
        assert_eq!(unseen > 0, !P::OVERWRITABLE, "{unseen}");
    }
    on::<Nor<4, 1024>>();
    on::<Ecc<8, 1024>>();
}

//= compliance/requirements.md#erase-3
//= type=test
//# An area that is not erased MUST be named in the report and tried again at every start until it is.
#[test]
fn another_erasure_does_not_forget_an_area_that_failed() {
    for scope in [SCOPES[0], SCOPES[1], SCOPES[5]] {
        let (mut part, _) = prepared::<Ecc<8, 1024>>();
        let scopes = RefCell::new(Vec::new());
        let fails = Cell::new(true);
        let mut radio = Callback::new("radio", |scope| {
            scopes.borrow_mut().push(scope);
            if fails.get() {
                return Err(AreaFailed);
            }
            Ok(Cleared {
                level: Level::Delegated,
                verified: false,
                residual: Residual::Unknown,
            })
        });
        erase(&mut part, Scope::AllUsers, &mut radio, 5).expect("the store is erased");
        let report = erase_later(&mut part, scope, &mut radio);
        assert!(!report.is_complete(), "{scope:?}: {report:?}");
        fails.set(false);
        let (_, found, last) = boot(&mut part, &mut radio, 7).expect("boots");
        assert_ne!(found, Found::Nothing);
        assert!(last.is_some_and(|last| last.is_complete()), "{scope:?}");
        assert!(
            scopes.borrow().iter().all(|asked| *asked == Kind::AllUsers),
            "it is erased for what it was to be erased for: {scopes:?}"
        );
    }
}

/// As [`erase`], where an earlier one left something to do.
fn erase_later<P: Part>(part: &mut P, scope: Scope<'_>, area: &mut dyn Area) -> Report {
    let mut areas = [area];
    let mut eraser = Eraser::new(&mut areas).unwrap().on(Media::RawFlash);
    let mut random = random(6);
    let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
    let (mut store, _) = mounted.expect("boots");
    let plan = eraser.plan(&mut store, scope).expect("plans");
    eraser.carry_out(&mut store, plan, &mut random).expect("erases")
}

#[test]
fn a_decommissioning_is_not_finished_over_a_failed_area_unless_that_is_said() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut never = remembering_never();
    erase(&mut part, Scope::Decommission, &mut never, 5).expect("the store is erased");
    for (exported, expected) in [
        (Exported::acknowledged(), Some(EraseError::Unfinished)),
        (Exported::despite_failed_areas(), None),
    ] {
        let mut areas: [&mut dyn Area; 1] = [&mut never];
        let mut eraser = Eraser::new(&mut areas).unwrap();
        let mut random = random(6);
        let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
        let (store, _) = mounted.expect("boots");
        assert_eq!(eraser.finish(store, exported, &mut random).err(), expected);
    }
}

//= compliance/requirements.md#erase-9
//= type=test
//# Between the beginning of an erasure and its end the store MUST refuse to read and to write, whatever fails or is dropped.
#[test]
fn a_store_whose_erasure_failed_on_its_way_is_closed_until_another_call_completes_it() {
    let mut closed = 0;
    for calls in 0..400 {
        let (mut part, model) = prepared::<Ecc<8, 1024>>();
        let mut eraser = Eraser::new(&mut []).unwrap();
        let mut random = random(5);
        let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
        let (mut store, _) = mounted.expect("boots");
        let plan = eraser.plan(&mut store, Scope::AllUsers).expect("plans");
        Ecc::<8, 1024>::fail_in_store(&mut store, calls);
        let failed = eraser.carry_out(&mut store, plan, &mut random).err();
        Ecc::<8, 1024>::fail_in_store(&mut store, u64::MAX);
        let Some(error) = failed else { continue };
        let refused = store.contains_bytes(Class::Settings, "wifi");
        if refused == Ok(true) {
            // Nothing has begun, and for certain.
            assert_eq!(contents(&mut store), model, "{error}, call {calls}");
            continue;
        }
        closed += 1;
        assert_eq!(refused, Err(ReadError::ErasureBegun), "call {calls}");
        assert_eq!(
            store.put_bytes(Class::Settings, "wifi", b"x", &mut random),
            Err(WriteError::ErasureBegun)
        );
        assert_eq!(
            store.remove_bytes(Class::Settings, "wifi", &mut random),
            Err(WriteError::ErasureBegun)
        );
        let change = Change::put_bytes(Class::Settings, "wifi", b"x");
        assert_eq!(
            store.commit(&[change], &mut random),
            Err(WriteError::ErasureBegun)
        );
        assert_eq!(
            store.erase(Class::Settings, &mut random),
            Err(EraseError::Unfinished)
        );
        assert_eq!(
            store.erase_item(Class::Settings, "wifi", &mut random),
            Err(EraseError::Unfinished)
        );
        assert_eq!(store.get(&PAIRING).err(), Some(ReadError::ErasureBegun));
        assert_eq!(
            store.for_each(Class::Settings, |_, _| panic!("shown")).err(),
            Some(ReadError::ErasureBegun)
        );
        let plan = eraser.plan(&mut store, Scope::AllUsers).expect("plans");
        let report = eraser
            .carry_out(&mut store, plan, &mut random)
            .expect("completes");
        assert_eq!((report.number, report.scope), (1, Kind::AllUsers));
        assert_eq!(
            contents(&mut store),
            left(&model, Scope::AllUsers),
            "call {calls}"
        );
    }
    assert!(closed > 20, "{closed}");
}

//= compliance/requirements.md#erase-10
//= type=test
//# An erasure MUST NOT take or leave other than what its plan showed.
#[test]
fn a_plan_that_is_not_of_the_store_any_more_is_refused() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (mut store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(1))
        .unwrap();
    let plan = eraser.plan(&mut store, Scope::AllUsers).unwrap();
    store
        .put_bytes(Class::User, "new", b"since", &mut random(2))
        .unwrap();
    let model = contents(&mut store);
    assert_eq!(
        eraser.carry_out(&mut store, plan, &mut random(3)).err(),
        Some(EraseError::Changed)
    );
    assert_eq!(contents(&mut store), model, "nothing was touched");

    // Made by one eraser, carried out by another that keeps something else.
    let plan = eraser.plan(&mut store, Scope::FactoryReset).unwrap();
    let mut other = Eraser::new(&mut []).unwrap().keeping(&[1]);
    assert_eq!(
        other.carry_out(&mut store, plan, &mut random(3)).err(),
        Some(EraseError::Changed)
    );
    assert_eq!(contents(&mut store), model, "nothing was touched");
}

//= compliance/requirements.md#erase-10
//= type=test
//# An erasure MUST NOT take or leave other than what its plan showed.
#[test]
fn what_is_kept_is_what_the_plan_said_whatever_firmware_completes_it() {
    for keeps_first in [false, true] {
        let (mut part, _) = prepared::<Nor<4, 1024>>();
        let with = |keeps: bool| {
            let eraser = Eraser::new(&mut []).unwrap();
            if keeps { eraser.keeping(&[1]) } else { eraser }
        };
        let mut random = random(5);
        let mut eraser = with(keeps_first);
        let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
        let (mut store, _) = mounted.expect("boots");
        let plan = eraser.plan(&mut store, Scope::FactoryReset).expect("plans");
        Nor::<4, 1024>::cut_in_store(&mut store, 400);
        assert!(eraser.carry_out(&mut store, plan, &mut random).is_err());
        drop(store);
        part.power_on();
        assert!(is_begun(&part, "cut after the mark"));
        let mut eraser = with(!keeps_first);
        let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
        let (mut store, _) = mounted.expect("boots");
        let is_kept = store.contains_bytes(Class::Application(1), "cache");
        assert_eq!(is_kept, Ok(keeps_first));
    }
}

#[test]
fn secrets_that_the_firmware_after_a_cut_does_not_rotate_are_not_called_rotated() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut random = random(5);
    let mut eraser = Eraser::new(&mut [])
        .unwrap()
        .rotating(&ROTATED)
        .on(Media::RawFlash);
    let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
    let (mut store, _) = mounted.expect("boots");
    let plan = eraser.plan(&mut store, Scope::OwnershipTransfer).expect("plans");
    Nor::<4, 1024>::cut_in_store(&mut store, 400);
    assert!(eraser.carry_out(&mut store, plan, &mut random).is_err());
    drop(store);
    part.power_on();
    let mut eraser = Eraser::new(&mut []).unwrap().on(Media::RawFlash);
    let mounted = eraser.mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random);
    let (_, found) = mounted.expect("boots");
    let Found::Resumed(report) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (report.store.verified, report.store.residual),
        (false, Residual::Unknown)
    );
}

#[test]
fn a_secret_that_cannot_be_rotated_keeps_no_device_from_starting() {
    let mut part = Nor::<4, 1024>::new(10 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_fixed_bytes(Class::Identity, "pairing", &[7; 25], &mut random(2))
        .unwrap();
    drop(store);
    let report = erase(
        &mut part,
        Scope::OwnershipTransfer,
        &mut remembering(&Cell::new(false)),
        5,
    )
    .unwrap();
    assert!(!report.store.verified, "{report:?}");
    assert!(boot(&mut part, &mut remembering(&Cell::new(false)), 6).is_ok());
}

//= compliance/requirements.md#erase-11
//= type=test
//# An application MUST NOT be able to change or erase what is noted of an erasure.
#[test]
fn the_ledger_and_names_of_the_librarys_own_are_refused_in_every_write() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut store = support::mount(&mut part).unwrap();
    let mut random = random(2);
    for (class, name) in [
        (Class::Ledger, "erasure"),
        (Class::Ledger, "x"),
        (Class::User, "\0canary"),
    ] {
        assert_eq!(
            store.put_bytes(class, name, b"x", &mut random),
            Err(WriteError::Reserved)
        );
        assert_eq!(
            store.put_fixed_bytes(class, name, b"x", &mut random),
            Err(WriteError::Reserved)
        );
        assert_eq!(
            store.remove_bytes(class, name, &mut random),
            Err(WriteError::Reserved)
        );
        for change in [
            Change::put_bytes(class, name, b"x"),
            Change::remove_bytes(class, name),
        ] {
            assert_eq!(store.commit(&[change], &mut random), Err(WriteError::Reserved));
        }
        assert_eq!(
            store.erase_item(class, name, &mut random),
            Err(EraseError::Reserved)
        );
    }
    assert_eq!(store.erase(Class::Ledger, &mut random), Err(EraseError::Reserved));
    let mut note = [0; 96];
    assert_eq!(store.get_bytes(Class::Ledger, "erasure", &mut note), Ok(Some(96)));
}
