//! Erasures where something fails: an area, a page, the driver, the random source, or the room.

use crate::drivers;
use crate::erasure;
use crate::forensics;
use crate::support;

use bydesign::erase::{
    Area, AreaFailed, Callback, Cleared, Eraser, Exported, Found, Kind, Level, Media, Region, Report,
    Residual, Scope,
};
use bydesign::flash::Medium;
use bydesign::flash::simulator::{Rule, Simulator, WornOut};
use bydesign::store::{AsyncStore, Change, Class, EraseError, ReadError, Store, WriteError};
use drivers::{Pending, Shared, poll_times};
use erasure::{
    ITEMS, PAIRING, SCOPES, boot, booted, contents, erase, is_begun, left, prepared, remembering,
    remembering_never, settled, takes, value, without_rotated,
};
use forensics::scan;
use std::cell::{Cell, RefCell};
use support::{Ecc, LABEL, Memory, Model, Nor, Part, ROOT, Zeros, class, format, random, root_key};

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
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (mut store, _) = booted(&mut eraser, &mut part, &mut random(1));
    let plan = eraser.plan(&mut store, Scope::FactoryReset).unwrap();
    let refused = eraser.carry_out(&mut store, plan, &mut Zeros).err();
    assert_eq!(refused, Some(EraseError::Random));
    assert_eq!(contents(&mut store), model, "nothing was touched");
    drop(store);
    assert!(!is_begun(&part, "stuck"), "nor begun");
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
    let (mut store, _) = booted(&mut eraser, part, &mut random);
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
        let (store, _) = booted(&mut eraser, &mut part, &mut random);
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
        let (mut store, _) = booted(&mut eraser, &mut part, &mut random);
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

//= compliance/requirements.md#erase-9
//= type=test
//# Between the beginning of an erasure and its end the store MUST refuse to read and to write, whatever fails or is dropped.
#[test]
fn an_erasure_that_is_dropped_at_any_await_leaves_all_or_a_closed_store_that_another_call_completes() {
    const ALWAYS: usize = usize::MAX;
    let (base, model) = prepared::<Ecc<8, 1024>>();
    let (mut untouched, mut closed) = (0, 0);
    for polls in 0.. {
        let context = format!("dropped after {polls} polls");
        let mut part = base.clone();
        let mut eraser = Eraser::new(&mut []).unwrap();
        let (mut random, key) = (random(5), root_key());
        let medium = part.pending(&Shared::default());
        let mounted = eraser.mount_async(medium, Memory::new(), &key, LABEL, &mut random);
        let (mut store, _) = poll_times(mounted, ALWAYS).expect("ends").expect("boots");
        let plan = poll_times(eraser.plan_async(&mut store, Scope::AllUsers), ALWAYS);
        let plan = plan.expect("ends").expect("plans");
        let carried_out = poll_times(eraser.carry_out_async(&mut store, plan, &mut random), polls);
        if let Some(report) = carried_out {
            report.expect("erases");
            break;
        }
        if let Ok(state) = contents_now_but_for_the_ledger(&mut store) {
            assert_eq!(state, model, "{context}: a third state");
            untouched += 1;
        } else {
            let refused = poll_times(store.contains_bytes(Class::Settings, "wifi"), ALWAYS);
            assert_eq!(refused, Some(Err(ReadError::ErasureBegun)), "{context}");
            closed += 1;
        }
        let plan = poll_times(eraser.plan_async(&mut store, Scope::AllUsers), ALWAYS);
        let plan = plan.expect("ends").expect("plans");
        let again = poll_times(eraser.carry_out_async(&mut store, plan, &mut random), ALWAYS);
        let report = again
            .expect("ends")
            .unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(
            report.number == 1 && report.store.verified,
            "{context}: {report:?}"
        );
        let state = contents_now_but_for_the_ledger(&mut store).expect("reads");
        assert_eq!(state, left(&model, Scope::AllUsers), "{context}");
        drop(store);
        let mut store = support::mount(&mut part).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(contents(&mut store), left(&model, Scope::AllUsers), "{context}");
    }
    assert!(untouched > 0 && closed > 40, "{untouched}, {closed}");
}

fn contents_now_but_for_the_ledger<M: Medium>(store: &mut AsyncStore<M, Memory>) -> Result<Model, ReadError> {
    let mut all = Model::new();
    for number in 0..5 {
        let each = |name: &str, value: &[u8]| drop(all.insert((number, name.to_owned()), value.to_vec()));
        poll_times(store.for_each(class(number), each), usize::MAX).expect("ends")?;
    }
    Ok(all)
}
