//! What an adversarial review of opening and turning over pages broke once. See `docs/security-review.md`.

use crate::drivers;
use crate::forensics;
use crate::support;

use bydesign::flash::Overwritable;
use bydesign::store::{AsyncStore, Class, DataClass, Store, UserId};
use drivers::{Glitch, Pending, Shared, poll_times};
use support::{Ecc, LABEL, Memory, Nor, Part, ROOT, contents, format, mount, random, root_key};

const ALWAYS: usize = usize::MAX;

/// A put dropped while it opens a page, then an erasure of another class: the store never mounts again.
#[test]
fn a_class_erased_after_a_cancelled_page_opening_leaves_a_store_that_mounts() {
    let mut lost = Vec::new();
    for pages in [4, 5, 6, 8] {
        let mut base = Nor::<4, 1024>::new(pages * 1024);
        let mut store = format(&mut base, 1);
        store
            .put_bytes(Class::Settings, "s", &[5; 30], &mut random(1))
            .unwrap();
        for n in 0..5u8 {
            store
                .put_bytes(Class::User, "a", &[n; 60], &mut random(u64::from(n)))
                .unwrap();
        }
        drop(store);
        for polls in 1..60 {
            let mut part = base.clone();
            let key = root_key();
            let mut source = random(7);
            let medium = part.pending(&Shared::default());
            let mut store = poll_times(AsyncStore::mount(medium, Memory::new(), &key, LABEL), ALWAYS)
                .unwrap()
                .unwrap();
            poll_times(store.put_bytes(Class::User, "a", &[91; 60], &mut source), ALWAYS)
                .unwrap()
                .unwrap();
            let _ = poll_times(store.put_bytes(Class::User, "a", &[92; 60], &mut source), polls);
            poll_times(store.erase(Class::Settings, &mut source), ALWAYS)
                .unwrap()
                .unwrap();
            drop(store);
            if let Err(error) = mount(&mut part).map(drop) {
                lost.push((pages, polls, error));
            }
        }
    }
    assert!(lost.is_empty(), "(pages, polls, error): {lost:?}");
}

/// The same by a driver that reports errors a few calls in a row.
#[test]
fn a_class_erased_after_a_failed_page_opening_leaves_a_store_that_mounts() {
    let mut lost = Vec::new();
    for pages in [4, 5, 6, 8] {
        let mut base = Nor::<4, 1024>::new(pages * 1024);
        let mut store = format(&mut base, 1);
        store
            .put_bytes(Class::Settings, "s", &[5; 30], &mut random(1))
            .unwrap();
        for n in 0..5u8 {
            store
                .put_bytes(Class::User, "a", &[n; 60], &mut random(u64::from(n)))
                .unwrap();
        }
        drop(store);
        for window in 1..6 {
            for at in 0..80 {
                let mut part = base.clone();
                let script = Shared::default();
                let mut source = random(7);
                let mut store = Store::mount(
                    Overwritable::new(Glitch(&mut part.0, script.clone())),
                    Memory::new(),
                    &root_key(),
                    LABEL,
                )
                .unwrap();
                store.put_bytes(Class::User, "a", &[91; 60], &mut source).unwrap();
                script.borrow_mut().fail(7, at, window);
                let _ = store.put_bytes(Class::User, "a", &[92; 60], &mut source);
                script.borrow_mut().kinds = 0;
                store.erase(Class::Settings, &mut source).unwrap();
                drop(store);
                if let Err(error) = mount(&mut part).map(drop) {
                    lost.push((pages, window, at, error));
                }
            }
        }
    }
    assert!(lost.is_empty(), "(pages, window, call, error): {lost:?}");
}

/// The same with a new user instead of an erasure, and a power cut (or a drop) behind the key page.
#[test]
fn a_user_added_after_a_cancelled_page_opening_and_a_cut_leaves_a_store_that_mounts() {
    let mut lost = Vec::new();
    for pages in [4, 5, 8] {
        let mut base = Nor::<4, 1024>::new(pages * 1024);
        let mut store = format(&mut base, 1);
        store
            .put_bytes(Class::Settings, "s", &[5; 30], &mut random(1))
            .unwrap();
        for n in 0..5u8 {
            store
                .put_bytes(Class::User, "a", &[n; 60], &mut random(u64::from(n)))
                .unwrap();
        }
        drop(store);
        for polls in 1..40 {
            for second in 1..60 {
                let mut part = base.clone();
                let key = root_key();
                let mut source = random(7);
                let medium = part.pending(&Shared::default());
                let mut store = poll_times(AsyncStore::mount(medium, Memory::new(), &key, LABEL), ALWAYS)
                    .unwrap()
                    .unwrap();
                poll_times(store.put_bytes(Class::User, "a", &[91; 60], &mut source), ALWAYS)
                    .unwrap()
                    .unwrap();
                let _ = poll_times(store.put_bytes(Class::User, "a", &[92; 60], &mut source), polls);
                let _ = poll_times(
                    store.put_bytes(DataClass::user(UserId(9)), "u", &[1; 9], &mut source),
                    second,
                );
                drop(store);
                if let Err(error) = mount(&mut part).map(drop) {
                    lost.push((pages, polls, second, error));
                }
            }
        }
    }
    assert!(
        lost.is_empty(),
        "{} of (pages, polls, second, error): {:?}",
        lost.len(),
        &lost[..lost.len().min(6)]
    );
}

/// The writer blanks the end of a page that was turned over: an item that was there all along is absent.
fn cut_back<P: Part>() {
    let mut shown = Vec::new();
    for updates in 0..16u8 {
        let mut part = P::new(4 * 1024);
        let mut store = format(&mut part, 1);
        for n in 0..4u8 {
            store
                .put_bytes(Class::User, &format!("item {n}"), &[n; 40], &mut random(1))
                .unwrap();
        }
        store
            .put_bytes(Class::User, "item 0", &[9; 40], &mut random(2))
            .unwrap();
        for n in 0..updates {
            store
                .put_bytes(Class::User, "item 3", &[n; 40], &mut random(u64::from(n)))
                .unwrap();
        }
        drop(store);
        for page in 2..4 {
            for at in (0..1024).step_by(4) {
                let mut changed = part.clone();
                changed.image_mut()[page * 1024 + at..][..1024 - at].fill(0xff);
                if let Ok(mut store) = mount(&mut changed) {
                    let found = contents(&mut store);
                    let first = found.get(&(2, "item 0".into()));
                    if found.len() < 4 && first == Some(&vec![9; 40]) {
                        shown.push((updates, page, at, found.len()));
                    }
                }
            }
        }
    }
    assert!(
        shown.is_empty(),
        "{} cuts show a state that never was (updates, page, byte, items of 4): {:?}",
        shown.len(),
        &shown[..shown.len().min(5)]
    );
}
#[test]
fn a_turned_page_that_is_cut_back_is_noticed_on_overwritable_flash() {
    cut_back::<Nor<4, 1024>>();
}
#[test]
fn a_turned_page_that_is_cut_back_is_noticed_on_write_once_flash() {
    cut_back::<Ecc<8, 1024>>();
}

/// The writer programs zeros over the last live records of a turned page.
#[test]
fn a_zeroed_record_of_a_turned_page_is_noticed() {
    let mut silent = Vec::new();
    for updates in 0..12u8 {
        let mut part = Nor::<4, 1024>::new(4 * 1024);
        let mut store = format(&mut part, 1);
        for n in 0..4u8 {
            store
                .put_bytes(Class::User, &format!("item {n}"), &[n; 40], &mut random(1))
                .unwrap();
        }
        for n in 0..updates {
            store
                .put_bytes(Class::Settings, "s", &[n; 40], &mut random(u64::from(n)))
                .unwrap();
        }
        let whole = contents(&mut store).len();
        drop(store);
        for page in 2..4 {
            for at in (96..900).step_by(4) {
                let mut changed = part.clone();
                let header = u32::from_le_bytes(changed.image()[page * 1024 + at..][..4].try_into().unwrap());
                if header >> 27 != 3 || header & 0x7ff > 40 || header >> 17 & 0x3ff != 0 {
                    continue;
                }
                let len = 28 + 4 * (header & 0x7ff) as usize;
                changed.image_mut()[page * 1024 + at + 4..][..len - 4].fill(0);
                if let Ok(mut store) = mount(&mut changed) {
                    let n = contents(&mut store).len();
                    if n < whole {
                        silent.push((updates, page, at, n, whole));
                    }
                }
            }
        }
    }
    assert!(
        silent.is_empty(),
        "{} (updates, page, byte, items, of): {:?}",
        silent.len(),
        &silent[..silent.len().min(6)]
    );
}

fn secret(n: u8) -> Vec<u8> {
    (0..40u8)
        .map(|a| a.wrapping_mul(37) ^ n.wrapping_mul(101).wrapping_add(a >> 3))
        .collect()
}

/// Power cuts only: a write of x is cut short; the next boot's write turns a page over and is cut before the leavings are
/// overwritten; x is removed.
#[test]
fn what_a_cut_left_before_a_turned_page_is_gone_after_the_removal() {
    let (mut tried, mut left) = (0, Vec::new());
    for (pages, statics) in [(5usize, 3u8), (5, 6), (6, 3)] {
        for fill in 0..20u8 {
            let mut base = Nor::<4, 1024>::new(pages * 1024);
            let mut store = format(&mut base, 1);
            store
                .put_bytes(Class::User, "x", &secret(1), &mut random(1))
                .unwrap();
            for n in 0..statics {
                let _ = store.put_bytes(Class::User, &format!("s{n}"), &[n; 60], &mut random(u64::from(n)));
            }
            for n in 0..fill {
                store
                    .put_bytes(Class::User, "a", &[n; 60], &mut random(u64::from(n)))
                    .unwrap();
            }
            drop(store);
            for first in (40..500).step_by(24) {
                let mut one = base.clone();
                one.cut_after(first);
                let _ = mount(&mut one).map(|mut store| {
                    store
                        .put_bytes(Class::User, "x", &secret(2), &mut random(7))
                        .is_ok()
                });
                if !one.is_off() {
                    break;
                }
                one.power_on();
                let write = |part: &mut Nor<4, 1024>| {
                    mount(part).map(|mut store| {
                        store
                            .put_bytes(Class::User, "a", &[92; 60], &mut random(8))
                            .is_ok()
                    })
                };
                let mut whole = one.clone();
                write(&mut whole).unwrap();
                let events = whole.events() - one.events();
                for second in (0..events).step_by(4) {
                    let mut part = one.clone();
                    part.cut_after(second);
                    let _ = write(&mut part);
                    part.power_on();
                    mount(&mut part)
                        .unwrap()
                        .remove_bytes(Class::User, "x", &mut random(9))
                        .unwrap();
                    tried += 1;
                    let (one, two) = (secret(1), secret(2));
                    let guesses: [(&[u8], &[u8]); 2] = [(b"x", &one), (b"x", &two)];
                    let confirmed = forensics::confirm_each(
                        part.image(),
                        &ROOT,
                        LABEL.as_bytes(),
                        &forensics::KnownPlace::default(),
                        &guesses,
                    );
                    if confirmed.contains(&true) {
                        left.push((pages, statics, fill, first, second, confirmed));
                    }
                }
            }
        }
    }
    println!("{tried} tried");
    assert!(
        left.is_empty(),
        "{} of {tried} (pages, statics, fill, first, second, which): {:?}",
        left.len(),
        &left[..left.len().min(6)]
    );
}

/// The overwriting behind a Session record fails once, a second Session record is written, power goes.
#[test]
fn what_a_failed_put_left_is_gone_although_its_overwriting_failed_once_and_power_went() {
    let mut left = Vec::new();
    let run = |glitch: u64, cut: u64| {
        let mut part = Nor::<4, 1024>::new(8 * 1024);
        let mut source = random(1);
        let script = Shared::default();
        let mut store = Store::format(
            Overwritable::new(Glitch(&mut part.0, script.clone())),
            Memory::new(),
            &root_key(),
            LABEL,
            &mut source,
        )
        .unwrap();
        store
            .put_bytes(Class::User, "x", &secret(1), &mut source)
            .unwrap();
        // The program call of the new value does its work and reports an error.
        script.borrow_mut().after = true;
        script.borrow_mut().fail(2, 0, 1);
        assert!(
            store
                .put_bytes(Class::User, "x", &secret(2), &mut source)
                .is_err()
        );
        script.borrow_mut().after = false;
        script.borrow_mut().fail(2, glitch, 1);
        store.medium_mut().driver_mut().0.cut_after(cut);
        let _ = store.put_bytes(Class::User, "z", &secret(5), &mut source);
        drop(store);
        part.power_on();
        mount(&mut part)
            .unwrap()
            .remove_bytes(Class::User, "x", &mut random(9))
            .unwrap();
        forensics::scan(part.image(), &ROOT, LABEL.as_bytes()).holds_value(&secret(2))
    };
    for glitch in 0..5 {
        for cut in 0..260 {
            if run(glitch, cut) {
                left.push((glitch, cut));
            }
        }
    }
    assert!(left.is_empty(), "(failing call, cut): {left:?}");
}
