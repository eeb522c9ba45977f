//! Erasures of several steps: what each scope takes and leaves, and what plan, report and progress say.

use crate::erasure;
use crate::support;

use bydesign::erase::{
    Area, AreaFailed, AreasError, Callback, Eraser, Exported, Level, Media, Progress, Residual, Scope,
};
use bydesign::flash::WriteOnce;
use bydesign::flash::file::FileFlash;
use bydesign::store::{Change, Class, DataClass, EraseError, Store, UserId, WriteError};
use erasure::{
    SCOPES, booted, contents, erase, prepared, remembering, remembering_never, settled, takes, value,
};
use std::cell::{Cell, RefCell};
use support::{Ecc, LABEL, Memory, Nor, Part, random, root_key};

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

#[test]
fn finish_is_refused_where_no_decommissioning_waits() {
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (store, _) = booted(&mut eraser, &mut part, &mut random(1));
    let refused = eraser
        .finish(store, Exported::acknowledged(), &mut random(1))
        .err();
    assert_eq!(refused, Some(EraseError::Unfinished));
    let mut store = support::mount(&mut part).expect("mounts");
    assert_eq!(contents(&mut store), model);
}

#[test]
fn a_plan_says_what_goes_and_what_stays_and_changes_nothing() {
    let (mut part, model) = prepared::<Nor<4, 1024>>();
    let mut area = remembering_never();
    let mut areas: [&mut dyn Area; 1] = [&mut area];
    let mut eraser = Eraser::new(&mut areas).unwrap().keeping(&[1]);
    let (mut store, _) = booted(&mut eraser, &mut part, &mut random(1));
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
    let mut listed = Vec::new();
    let each = |class: Class, user: UserId, name: &str, len: usize, goes: bool| {
        listed.push((class, user.0, name.to_owned(), len, goes));
    };
    let item = Scope::Item {
        data: DataClass::user(UserId(7)),
        name: "name",
    };
    eraser.items(&mut store, item, each).expect("lists");
    let expected = [
        (Class::Identity, 0, "serial", 24, false),
        (Class::Identity, 0, "pairing", 25, false),
        (Class::Settings, 0, "wifi", 24, false),
        (Class::User, 0, "routine", 24, false),
        (Class::User, 7, "name", 24, true),
        (Class::Application(1), 0, "cache", 24, false),
    ];
    let mut expected =
        expected.map(|(class, user, name, len, goes)| (class, user, name.to_owned(), len, goes));
    listed.sort_by(|a, b| a.2.cmp(&b.2));
    expected.sort_by(|a, b| a.2.cmp(&b.2));
    assert_eq!(listed, expected);
    for (scope, going) in [(Scope::FactoryReset, 3), (Scope::Decommission, 6)] {
        let mut number = 0;
        eraser
            .items(&mut store, scope, |_, _, _, _, goes| number += u32::from(goes))
            .expect("lists");
        assert_eq!(number, going, "{scope:?}");
    }
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

#[test]
fn progress_is_told_for_every_step_and_reaches_its_end() {
    let (mut part, _) = prepared::<Ecc<8, 1024>>();
    let seen = RefCell::new(Vec::new());
    let mut tell = |progress| seen.borrow_mut().push(progress);
    let mut area = remembering_never();
    let mut areas: [&mut dyn Area; 1] = [&mut area];
    let mut eraser = Eraser::new(&mut areas).unwrap().sweeping().telling(&mut tell);
    let (mut store, _) = booted(&mut eraser, &mut part, &mut random(1));
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
        let (mut store, _) = booted(&mut eraser, &mut part, &mut random(1));
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

//= compliance/requirements.md#erase-10
//= type=test
//# An erasure MUST NOT take or leave other than what its plan showed.
#[test]
fn a_plan_that_is_not_of_the_store_any_more_is_refused() {
    let (mut part, _) = prepared::<Nor<4, 1024>>();
    let mut eraser = Eraser::new(&mut []).unwrap();
    let (mut store, _) = booted(&mut eraser, &mut part, &mut random(1));
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

/// What the disk keeps of it is the disk's: the receipt says so.
#[test]
fn a_file_is_erased_whole_at_a_decommissioning_and_called_no_more_than_cleared() {
    let path = std::env::temp_dir().join(format!("bydesign-erase-{}.img", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let mut file = FileFlash::<8, 1024>::create(&path, 16 * 1024).expect("is made");
    let mut random = random(1);
    let mut store = Store::format(
        WriteOnce::new(&mut file),
        Memory::new(),
        &root_key(),
        LABEL,
        &mut random,
    )
    .expect("formats");
    store
        .put_bytes(Class::User, "name", &value(4), &mut random)
        .expect("puts");
    let mut eraser = Eraser::new(&mut []).unwrap();
    let plan = eraser.plan(&mut store, Scope::Decommission).unwrap();
    let report = eraser.carry_out(&mut store, plan, &mut random).unwrap();
    assert!(report.store.verified);
    assert_eq!(report.store.residual, Residual::HiddenCopies);
    assert_eq!(report.store.sanitization(report.media), Some("clear"));
    eraser
        .finish(store, Exported::acknowledged(), &mut random)
        .unwrap();
    drop(file);
    let bytes = std::fs::read(&path).expect("reads");
    std::fs::remove_file(&path).expect("goes");
    let marks = bytes
        .chunks(1024)
        .all(|page| page[16..].iter().all(|&byte| byte == 0xff));
    assert!(marks, "nothing but the marks of erased pages");
}
