//! What an adversarial review broke once, one test for each finding. See `docs/security-review.md`.

use crate::forensics;
use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{Class, DataClass, MountError, ReadError, Scope, UserId, WriteError};
use embedded_storage::nor_flash::NorFlashErrorKind;
use forensics::scan;
use support::{Ecc, LABEL, Nor, Part, ROOT, contents, format, mount, random};

fn holds(image: &[u8], value: &[u8]) -> bool {
    scan(image, &ROOT, LABEL.as_bytes()).holds_value(value)
}

#[test]
fn a_second_cut_in_the_overwriting_behind_a_torn_record_leaves_a_store_that_mounts() {
    for first in (1..160).step_by(4) {
        for second in (100..320).step_by(5) {
            let mut part = Nor::<4, 1024>::new(8 * 1024);
            let mut store = format(&mut part, 1);
            store
                .put_bytes(Class::User, "k", &[1; 40], &mut random(1))
                .unwrap();
            drop(store);
            for (cut, seed) in [(first, 2u8), (second, 3)] {
                part.cut_after(cut);
                if let Ok(mut store) = mount(&mut part) {
                    let _ = store.put_bytes(Class::User, "k", &[seed; 40], &mut random(u64::from(seed)));
                }
                part.power_on();
            }
            let mounted = mount(&mut part).map(drop);
            assert_eq!(mounted, Ok(()), "cuts at {first} and {second}");
        }
    }
}

fn updates_at_every_fill<P: Part>(capacity: usize, len: usize) {
    for percent in [50, 75, 90, 100] {
        let mut part = P::new(capacity);
        let mut store = format(&mut part, 1);
        let mut fits = 0;
        while fits < 46
            && store
                .put_bytes(Class::User, &format!("k{fits:03}"), &vec![1; len], &mut random(1))
                .is_ok()
        {
            fits += 1;
        }
        for key in fits * percent / 100..fits {
            store
                .remove_bytes(Class::User, &format!("k{key:03}"), &mut random(1))
                .unwrap();
        }
        let items = (fits * percent / 100).max(1);
        for round in 0..1_000u32 {
            let key = format!("k{:03}", round % items);
            let value = vec![round.to_le_bytes()[0]; len];
            store
                .put_bytes(Class::User, &key, &value, &mut random(u64::from(round)))
                .unwrap_or_else(|error| {
                    panic!("{percent} % of {fits} items of {len}, update {round}: {error}")
                });
        }
    }
}

#[test]
fn what_was_accepted_once_can_be_updated_for_ever_at_every_fill() {
    updates_at_every_fill::<Nor<4, 1024>>(6 * 1024, 60);
    updates_at_every_fill::<Nor<4, 1024>>(5 * 1024, 60);
    updates_at_every_fill::<Nor<4, 1024>>(8 * 1024, 60);
    updates_at_every_fill::<Nor<4, 4096>>(4 * 4096, 64);
    updates_at_every_fill::<Ecc<8, 2048>>(6 * 2048, 40);
    updates_at_every_fill::<Ecc<32, 1024>>(8 * 1024, 100);
}

fn failing_calls<P: Part>(fail_after: impl Fn(&mut P, u64)) {
    let mut base = P::new(10 * 1024);
    let mut store = format(&mut base, 1);
    store
        .put_bytes(Class::User, "a", &[1; 300], &mut random(1))
        .unwrap();
    store
        .put_bytes(Class::User, "removed", &[2; 20], &mut random(1))
        .unwrap();
    store
        .put_bytes(Class::Settings, "s", &[2; 20], &mut random(1))
        .unwrap();
    drop(store);
    for failing in 0..220 {
        // Twice, so that a driver that is asked again fails again.
        let mut part = base.clone();
        fail_after(&mut part, failing);
        let Ok(mut store) = mount(&mut part) else { continue };
        let _ = store.put_bytes(Class::User, "big", &[9; 450], &mut random(4));
        drop(store);
        fail_after(&mut part, u64::MAX);
        let mut same_boot = part.clone();
        for erase in [false, true] {
            let mut store = mount(&mut same_boot).unwrap();
            if erase {
                store.erase(Class::Settings, &mut random(5)).unwrap();
            }
            store
                .put_bytes(Class::User, "small", b"acknowledged", &mut random(5))
                .unwrap();
            store
                .remove_bytes(Class::User, "removed", &mut random(6))
                .unwrap();
            let expected = contents(&mut store);
            drop(store);
            let found = contents(
                &mut mount(&mut same_boot).unwrap_or_else(|error| panic!("call {failing}: {error}")),
            );
            assert_eq!(found, expected, "call {failing} failed");
        }
    }
}

#[test]
fn what_is_acknowledged_after_a_failed_call_is_there_after_a_boot() {
    failing_calls::<Nor<4, 1024>>(|part, calls| part.0.fail_after(calls, NorFlashErrorKind::Other));
    failing_calls::<Ecc<8, 1024>>(|part, calls| part.0.fail_after(calls, NorFlashErrorKind::Other));
}

#[test]
fn a_failed_put_and_its_repetition_leave_no_copy_behind_on_overwritable_flash() {
    let value = *b"the value that goes away for good";
    let mut copies = 0;
    // The first calls look again and again at where the log ends.
    for failing in 0..480 {
        let mut part = Nor::<4, 1024>::new(8 * 1024);
        drop(format(&mut part, 1));
        let mut store = mount(&mut part).unwrap();
        store
            .medium_mut()
            .driver_mut()
            .fail_after(failing, NorFlashErrorKind::Other);
        let put = store.put_bytes(Class::User, "secret", &value, &mut random(2));
        let driver = store.medium_mut().driver_mut();
        copies += u32::from(put.is_err() && holds(driver.image(), &value));
        store
            .medium_mut()
            .driver_mut()
            .fail_after(u64::MAX, NorFlashErrorKind::Other);
        store
            .put_bytes(Class::User, "secret", &value, &mut random(3))
            .unwrap();
        store.remove_bytes(Class::User, "secret", &mut random(4)).unwrap();
        drop(store);
        assert!(!holds(part.image(), &value), "call {failing} failed");
    }
    assert!(copies > 1, "{copies} puts failed and left a copy");
}

#[test]
fn a_damaged_first_record_of_the_head_page_is_damage_and_no_earlier_state() {
    let mut part = Nor::<4, 1024>::new(10 * 1024);
    let mut store = format(&mut part, 1);
    for number in 0..9u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[number; 150], &mut random(1))
            .unwrap();
    }
    drop(store);
    let mut noticed = 0;
    for page in 2..10 {
        let mut part = part.clone();
        part.image_mut()[page * 1024 + 12 + 40] ^= 4;
        match mount(&mut part) {
            Err(MountError::Damaged(_)) => noticed += 1,
            Err(error) => panic!("page {page}: {error}"),
            Ok(mut store) => assert_eq!(contents(&mut store).len(), 9, "page {page}"),
        }
    }
    assert!(noticed >= 2);
}

#[test]
fn an_item_erased_after_an_interrupted_page_erase_is_gone_from_write_once_flash() {
    type Flash = Ecc<8, 1024>;
    let secret = *b"what the first owner wrote down";
    let mut base = Flash::new(10 * 1024);
    let mut store = format(&mut base, 1);
    for value in [&secret[..], b"something else, of the same owner"] {
        store
            .put_bytes(Class::User, "secret", value, &mut random(1))
            .unwrap();
    }
    drop(store);
    let held = |part: &Flash| holds(part.image(), &secret);
    let write = |part: &mut Flash, put: u8| -> Result<Result<(), WriteError>, MountError> {
        mount(part).map(|mut store| {
            store.put_bytes(Class::User, "k1", &[put; 70], &mut random(u64::from(put)))?;
            // With the work of quiet times: then the page that is erased lies further ahead than the next ones to be opened.
            while store.maintain(1, &mut random(3))? {}
            Ok(())
        })
    };
    let (put, begun, events) = (0..60u8)
        .find_map(|put| {
            let mut full = base.clone();
            write(&mut full, put).unwrap().unwrap();
            let found = !held(&full);
            let (begun, events) = (base.clone(), full.events() - base.events());
            base = full;
            found.then_some((put, begun, events))
        })
        .expect("the page with the secret is erased in time");
    // A part of a page was erased, and the secret still stands.
    let stands_on_a_page_half_erased = |part: &Flash| {
        let is_blank = |half: &[u8]| half.iter().all(|byte| *byte == 0xFF);
        let mut halves = part.image().chunks(512).zip(begun.image().chunks(512));
        held(part) && halves.any(|(now, before)| is_blank(now) && !is_blank(before))
    };
    let mut seen = 0;
    for (tear, seed) in [
        (EraseTear::Clean, 0),
        (EraseTear::HalfErased, 0),
        (EraseTear::HalfErased, 1),
    ] {
        for cut in 0..events {
            let mut part = begun.clone();
            part.set_tear(ProgramTear::Clean, tear, seed);
            part.cut_after(cut);
            assert!(!matches!(write(&mut part, put), Ok(Ok(()))), "the cut comes");
            part.power_on();
            seen += u32::from(stands_on_a_page_half_erased(&part));
            mount(&mut part)
                .unwrap()
                .erase_item(Class::User, "secret", &mut random(6))
                .unwrap();
            assert!(!held(&part), "{tear:?}, seed {seed}, cut {cut}");
        }
    }
    assert!(seen > 0, "no cut left the secret on a page half erased");
}

#[test]
fn each_of_the_256_application_classes_is_one_of_its_own() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for number in 0..=255u8 {
        let class = Class::Application(number);
        store
            .put_bytes(class, "k", &[number], &mut random(u64::from(number)))
            .unwrap();
        let mut out = [0; 4];
        assert_eq!(store.get_bytes(class, "k", &mut out), Ok(Some(1)));
        assert_eq!(out[0], number);
        assert_eq!(
            store.get_bytes(Class::Application(number.wrapping_sub(1)), "k", &mut out),
            Ok(None)
        );
        store
            .erase(Scope::Class(class), &mut random(u64::from(number)))
            .unwrap();
        assert_eq!(store.get_bytes(class, "k", &mut out), Ok::<_, ReadError>(None));
    }
}

#[test]
fn pages_full_of_the_smallest_records_are_collected() {
    let mut part = Ecc::<32, 4096>::new(8 * 4096);
    let mut store = format(&mut part, 1);
    for round in 0..40u32 {
        for key in 0..40u8 {
            store
                .put_bytes(
                    Class::User,
                    &format!("{key:02}"),
                    b"",
                    &mut random(u64::from(round)),
                )
                .unwrap();
        }
    }
    for key in 0..40u8 {
        store
            .erase_item(Class::User, &format!("{key:02}"), &mut random(1))
            .unwrap();
    }
    assert!(contents(&mut store).is_empty());
    store
        .put_bytes(DataClass::user(UserId(3)), "k", b"v", &mut random(1))
        .unwrap();
}

#[test]
fn damage_in_pages_that_hold_nothing_costs_nothing() {
    let mut base = Nor::<4, 1024>::new(10 * 1024);
    let mut store = format(&mut base, 1);
    store
        .put_bytes(Class::User, "kept", &[1; 40], &mut random(1))
        .unwrap();
    drop(store);
    for page in 3..10 {
        for (at, len) in [(500, 1), (200, 300), (0, 1024)] {
            let mut part = base.clone();
            for (byte, number) in part.image_mut()[page * 1024 + at..][..len]
                .iter_mut()
                .zip(1u8..=255)
            {
                *byte = number.wrapping_mul(29);
            }
            // Right behind the head more than a word is a page that was written and then damaged.
            let Ok(mut store) = mount(&mut part) else {
                assert!(page == 3 && len > 1, "page {page}, {len} bytes at {at}");
                continue;
            };
            for round in 0..60u8 {
                store
                    .put_bytes(Class::User, "k", &[round; 100], &mut random(u64::from(round)))
                    .unwrap();
                if round % 5 == 0 {
                    drop(store);
                    store = mount(&mut part)
                        .unwrap_or_else(|error| panic!("page {page}, {len} bytes at {at}: {error}"));
                }
            }
            assert_eq!(contents(&mut store).len(), 2);
        }
    }
}

#[test]
fn a_removal_that_finds_nothing_after_a_failed_put_holds_after_a_boot() {
    for failing in 0..40 {
        let mut part = Nor::<4, 1024>::new(8 * 1024);
        let mut store = format(&mut part, 1);
        store
            .medium_mut()
            .driver_mut()
            .fail_after(failing, NorFlashErrorKind::Other);
        let _ = store.put_bytes(Class::User, "a", &[1; 100], &mut random(1));
        store
            .medium_mut()
            .driver_mut()
            .fail_after(u64::MAX, NorFlashErrorKind::Other);
        store.remove_bytes(Class::User, "a", &mut random(2)).unwrap();
        drop(store);
        assert_eq!(
            mount(&mut part).unwrap().contains_bytes(Class::User, "a"),
            Ok(false),
            "call {failing} failed"
        );
    }
}

#[test]
fn a_key_page_with_other_clear_bytes_is_not_taken() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    let before = part.image()[..1024].to_vec();
    mount(&mut part)
        .unwrap()
        .erase(Class::Settings, &mut random(1))
        .unwrap();
    for byte in 12..52 {
        let mut part = part.clone();
        part.image_mut()[..1024].copy_from_slice(&before);
        part.image_mut()[1024 + byte] ^= 1;
        // The older page and this log are a whole earlier state; then that is what every later mount finds too.
        let first = mount(&mut part).is_ok();
        assert_eq!(mount(&mut part).is_ok(), first, "byte {byte}");
        assert!(first, "byte {byte}");
    }
}

/// Blanks the log from every place on to the end of its page, and asks whether what is shown ever was.
fn cut_back_everywhere<P: Part>(page: usize) {
    let mut part = P::new(4 * page);
    let mut store = format(&mut part, 1);
    let mut states = vec![contents(&mut store)];
    let (mut refused, mut whole) = (0, 0);
    for round in 0..40u8 {
        let key = format!("k{}", round % 4);
        store
            .put_bytes(Class::User, &key, &[round; 40], &mut random(u64::from(round)))
            .unwrap();
        states.push(contents(&mut store));
        drop(store);
        for from in (2 * page..4 * page).step_by(4) {
            let mut part = part.clone();
            let end = (from / page + 1) * page;
            part.image_mut()[from..end].fill(0xff);
            match mount(&mut part) {
                Err(_) => refused += 1,
                Ok(mut store) => {
                    let state = contents(&mut store);
                    assert!(
                        states.contains(&state),
                        "round {round}, blank from {from}: {state:?}"
                    );
                    whole += 1;
                }
            }
        }
        store = mount(&mut part).unwrap();
    }
    assert!(refused > 1000 && whole > 1000, "{refused} refused, {whole} whole");
}

#[test]
fn a_log_cut_back_into_a_page_that_was_turned_over_is_damage_and_no_state_that_never_was() {
    cut_back_everywhere::<Nor<4, 1024>>(1024);
    cut_back_everywhere::<Ecc<4, 1024>>(1024);
}

fn every_cut_of_a_first_write<P: Part>(page: usize) {
    let mut base = P::new(4 * page);
    let mut store = format(&mut base, 1);
    for number in 0..3u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[number; 33], &mut random(1))
            .unwrap();
    }
    drop(store);
    // Now the log ends between two granules, and the next write begins with a Session record at the next one.
    for cut in 0..250 {
        let mut part = base.clone();
        part.cut_after(cut);
        let put =
            mount(&mut part).map(|mut store| store.put_bytes(Class::User, "k1", &[9; 33], &mut random(2)));
        if !part.is_off() {
            assert_eq!(put, Ok(Ok(())));
            return;
        }
        part.power_on();
        let mounted = mount(&mut part).map(|mut store| contents(&mut store).len());
        assert_eq!(mounted, Ok(3), "cut at {cut}");
    }
    panic!("250 events are more than one put");
}

#[test]
fn a_first_write_after_a_boot_may_be_cut_anywhere_on_large_pages() {
    every_cut_of_a_first_write::<Nor<4, 16_384>>(16_384);
    every_cut_of_a_first_write::<Nor<4, 65_536>>(65_536);
    every_cut_of_a_first_write::<Ecc<8, 65_536>>(65_536);
    every_cut_of_a_first_write::<Ecc<32, 131_072>>(131_072);
}

/// Every bit of every page in use, one at a time: an error, or everything is there but the record written last.
fn no_bit_takes_more_than_the_last_record<P: Part>(capacity: usize) {
    let mut part = P::new(capacity);
    let mut store = format(&mut part, 1);
    let mut states = vec![contents(&mut store)];
    for number in 0..4u8 {
        store
            .put_bytes(Class::User, &format!("k{number}"), &[number; 30], &mut random(1))
            .unwrap();
    }
    drop(store);
    let mut store = mount(&mut part).unwrap();
    for number in 4..8u8 {
        states.push(contents(&mut store));
        store
            .put_bytes(Class::User, &format!("k{number}"), &[number; 30], &mut random(2))
            .unwrap();
    }
    let whole = contents(&mut store);
    drop(store);
    let before_the_last = states.pop().unwrap();
    let (mut refused, mut last) = (0, 0);
    for byte in 0..part.image().len() {
        if part.image()[byte] == 0xff {
            continue;
        }
        for bit in 0..8 {
            let mut part = part.clone();
            part.image_mut()[byte] ^= 1 << bit;
            match mount(&mut part) {
                Err(_) => refused += 1,
                Ok(mut store) => {
                    let state = contents(&mut store);
                    assert!(
                        state == whole || state == before_the_last,
                        "bit {bit} of byte {byte:#x} takes more than the last record: {} of {}",
                        state.len(),
                        whole.len()
                    );
                    last += u32::from(state == before_the_last);
                }
            }
        }
    }
    assert!(
        refused > 1000 && last > 100,
        "{refused} refused, {last} the last record"
    );
}

/// A bit of each byte that a short boot wrote, wherever in its page that stands: the records behind a Session record that no longer
/// opens may lie where an attempt that was cut short would.
fn no_bit_takes_the_records_of_a_boot<P: Part>(capacity: usize) {
    for len in (0..256).step_by(4) {
        let mut part = P::new(capacity);
        let mut store = format(&mut part, 1);
        store
            .put_bytes(Class::User, "k", &vec![1; len], &mut random(1))
            .unwrap();
        drop(store);
        let before = part.image().to_vec();
        let mut store = mount(&mut part).unwrap();
        store.put_bytes(Class::User, "a", b"", &mut random(2)).unwrap();
        let before_the_last = contents(&mut store);
        store.put_bytes(Class::User, "b", b"", &mut random(2)).unwrap();
        let whole = contents(&mut store);
        drop(store);
        for (byte, before) in before.iter().enumerate() {
            if part.image()[byte] == *before {
                continue;
            }
            let mut part = part.clone();
            part.image_mut()[byte] ^= 1 << (byte % 8);
            if let Ok(mut store) = mount(&mut part) {
                let state = contents(&mut store);
                assert!(
                    state == whole || state == before_the_last,
                    "behind {len} bytes, byte {byte:#x} takes more than the last record: {state:?}"
                );
            }
        }
    }
}

#[test]
fn one_flipped_bit_never_takes_more_than_the_last_record_unnoticed() {
    no_bit_takes_more_than_the_last_record::<Nor<4, 1024>>(6 * 1024);
    no_bit_takes_more_than_the_last_record::<Ecc<4, 1024>>(6 * 1024);
    no_bit_takes_more_than_the_last_record::<Ecc<8, 2048>>(12 * 1024);
    no_bit_takes_more_than_the_last_record::<Nor<1, 4096>>(24 * 1024);
    no_bit_takes_the_records_of_a_boot::<Nor<4, 1024>>(6 * 1024);
    no_bit_takes_the_records_of_a_boot::<Ecc<8, 1024>>(6 * 1024);
    no_bit_takes_the_records_of_a_boot::<Ecc<4, 4096>>(24 * 1024);
}
