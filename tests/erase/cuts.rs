//! Power cuts amid erasures: at any byte, twice, and with another firmware afterwards.

use crate::erasure;
use crate::forensics;
use crate::support;

use bydesign::erase::{Eraser, Exported, Found, Media, Residual, Scope};
use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{Class, Store, UserId};
use erasure::{
    ROTATED, SCOPES, boot, booted, contents, erase, is_begun, left, no_trace, prepared, remembering, settled,
    settled_unsearched, value,
};
use forensics::scan;
use std::cell::Cell;
use support::{
    Ecc, LABEL, Memory, Nor, Part, ROOT, TEARS, every_cut, every_first_cut, random, root_key, second_cuts,
};

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
    // Every one in the long campaigns; every fourth otherwise, begun at another place for each scope.
    let (begin, step) = if every_first_cut() {
        (0, 1)
    } else {
        (u64::from(scope.kind().number() % 4), 4)
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

/// One campaign for every scope, with cuts before and after the mark.
fn every_scope_is_cut_everywhere<P: Part>(tear: (ProgramTear, EraseTear)) {
    for scope in SCOPES {
        let (undone, done) = cut_everywhere::<P>(scope, tear);
        println!("{:?}: {undone} cuts before, {done} after the mark", scope.kind());
        assert!(undone > 20 && done > 20, "{scope:?}: {undone}, {done}");
    }
}

#[test]
fn a_clean_cut_leaves_all_or_completes_on_overwritable_flash() {
    every_scope_is_cut_everywhere::<Nor<4, 1024>>(TEARS[0]);
}

#[test]
fn a_cut_that_tears_words_leaves_all_or_completes_on_overwritable_flash() {
    every_scope_is_cut_everywhere::<Nor<4, 1024>>(TEARS[1]);
}

//= compliance/requirements.md#erase-2
//= type=test
//# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
#[test]
fn a_cut_that_tears_erases_leaves_all_or_completes_on_overwritable_flash() {
    every_scope_is_cut_everywhere::<Nor<4, 1024>>(TEARS[5]);
}

#[test]
fn a_clean_cut_leaves_all_or_completes_on_write_once_flash() {
    every_scope_is_cut_everywhere::<Ecc<8, 1024>>(TEARS[0]);
}

#[test]
fn a_cut_that_tears_words_leaves_all_or_completes_on_write_once_flash() {
    every_scope_is_cut_everywhere::<Ecc<8, 1024>>(TEARS[2]);
}

//= compliance/requirements.md#erase-2
//= type=test
//# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
#[test]
fn a_cut_that_leaves_words_unsteady_leaves_all_or_completes_on_write_once_flash() {
    every_scope_is_cut_everywhere::<Ecc<8, 1024>>(TEARS[3]);
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
        let (mut store, _) = booted(&mut eraser, &mut part, &mut random);
        let plan = eraser.plan(&mut store, Scope::FactoryReset).expect("plans");
        Nor::<4, 1024>::cut_in_store(&mut store, 400);
        assert!(eraser.carry_out(&mut store, plan, &mut random).is_err());
        drop(store);
        part.power_on();
        assert!(is_begun(&part, "cut after the mark"));
        let mut eraser = with(!keeps_first);
        let (mut store, _) = booted(&mut eraser, &mut part, &mut random);
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
    let (mut store, _) = booted(&mut eraser, &mut part, &mut random);
    let plan = eraser.plan(&mut store, Scope::OwnershipTransfer).expect("plans");
    Nor::<4, 1024>::cut_in_store(&mut store, 400);
    assert!(eraser.carry_out(&mut store, plan, &mut random).is_err());
    drop(store);
    part.power_on();
    let mut eraser = Eraser::new(&mut []).unwrap().on(Media::RawFlash);
    let (_, found) = booted(&mut eraser, &mut part, &mut random);
    let Found::Resumed(report) = found else {
        panic!("{found:?}")
    };
    assert_eq!(
        (report.store.verified, report.store.residual),
        (false, Residual::Unknown)
    );
}

// The erase of a key page, cut short, and cut short again when it is repeated: what is left may read blank, and marked, by chance.
//= compliance/requirements.md#erase-2
//= type=test
//# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
#[test]
fn a_key_page_that_reads_erased_by_chance_is_not_taken_for_erased() {
    let (base, model) = prepared::<Ecc<8, 1024>>();
    let scope = Scope::User(UserId(7));
    let mut cuts = 0;
    for first in (340..480).step_by(13) {
        let context = format!("cut at {first}");
        let mut part = base.clone();
        let erased = Cell::new(false);
        part.set_tear(TEARS[3].0, TEARS[3].1, first);
        part.cut_after(first);
        assert!(erase(&mut part, scope, &mut remembering(&erased), 5).is_err());
        part.power_on();
        let recovery = {
            let mut part = part.clone();
            let before = part.events();
            boot(&mut part, &mut remembering(&erased), 99)
                .unwrap_or_else(|error| panic!("{context}: {error}"));
            part.events() - before
        };
        for second in 0..recovery {
            let mut part = part.clone();
            part.cut_after(second);
            drop(boot(&mut part, &mut remembering(&erased), 99));
            part.power_on();
            let context = format!("{context}, recovery cut at {second} of {recovery}");
            settled_unsearched(&mut part, &model, scope, &erased, &context);
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(cuts > 1_000);
}
