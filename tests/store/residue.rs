//! What a finder with the root key and the whole flash still gets: after overwrite, removal and erase, at every cut point,
//! on both kinds of flash. The finder shares no code with the store.

use crate::forensics;
use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{Class, Store, UserId};
use forensics::{KnownPlace, confirm_each, in_clear, scan};
use support::operation::{Operation, Outcome};
use support::{Ecc, LABEL, Memory, Model, Nor, Part, ROOT, contents, format, mount, random};

/// A value that looks like no other.
fn secret(number: u8) -> Vec<u8> {
    (0..40u8)
        .map(|at| at.wrapping_mul(37) ^ number.wrapping_mul(101).wrapping_add(at >> 3))
        .collect()
}

fn is_found(image: &[u8], value: &[u8]) -> bool {
    scan(image, &ROOT, LABEL.as_bytes()).holds_value(value)
}

fn is_confirmed(image: &[u8], name: &str, guess: &[u8]) -> bool {
    let guess = (name.as_bytes(), guess);
    confirm_each(image, &ROOT, LABEL.as_bytes(), &KnownPlace::default(), &[guess]) == [true]
}

/// Three items of one class, one each of two others, all of them once overwritten.
fn prepared<P: Part>() -> P {
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for round in [100, 0] {
        for number in 0..3 {
            let name = format!("item {number}");
            store
                .put_bytes(Class::User, &name, &secret(round + number), &mut random(1))
                .unwrap();
        }
        store
            .put_bytes(Class::Settings, "setting", &secret(round + 10), &mut random(2))
            .unwrap();
        store
            .put_bytes(Class::Identity, "serial", &secret(round + 11), &mut random(3))
            .unwrap();
    }
    drop(store);
    part
}

type Change<P> = fn(&mut Store<<P as Part>::Medium<'_>, Memory>) -> bool;

/// Runs the change with a cut at every event; after the next mount, if the change took effect, nothing of what it took away is
/// left, and the rest is. `gone` are names and values.
fn at_every_cut<P: Part>(
    change: Change<P>,
    gone: &[(&str, Vec<u8>)],
    kept: &[Vec<u8>],
    tear: (ProgramTear, EraseTear),
) {
    at_every_cut_of(&prepared::<P>(), change, gone, kept, tear);
}

fn at_every_cut_of<P: Part>(
    base: &P,
    change: Change<P>,
    gone: &[(&str, Vec<u8>)],
    kept: &[Vec<u8>],
    tear: (ProgramTear, EraseTear),
) {
    for (name, value) in gone {
        assert!(is_found(base.image(), value), "before, the finder finds all");
        assert!(
            is_confirmed(base.image(), name, value),
            "and confirms a right guess"
        );
        assert!(
            !is_confirmed(base.image(), name, &secret(250)),
            "and no wrong one"
        );
    }
    let before = contents(&mut mount(&mut base.clone()).unwrap());
    let events = {
        let mut part = base.clone();
        assert!(change(&mut mount(&mut part).unwrap()));
        part.events() - base.events()
    };
    let (mut undone, mut done) = (0, 0);
    for cut in 0..=events {
        let mut part = base.clone();
        part.set_tear(tear.0, tear.1, cut);
        if cut < events {
            part.cut_after(cut);
        }
        let acknowledged = mount(&mut part).is_ok_and(|mut store| change(&mut store));
        assert_eq!(acknowledged, cut == events);
        part.power_on();
        let after = contents(&mut mount(&mut part).unwrap());
        let image = part.image();
        let findings = scan(image, &ROOT, LABEL.as_bytes());
        for value in kept {
            assert!(findings.holds_value(value), "cut at {cut}: what stays is found");
        }
        if after == before {
            undone += 1;
            continue;
        }
        done += 1;
        let guesses: Vec<(&[u8], &[u8])> = gone
            .iter()
            .map(|(name, value)| (name.as_bytes(), &value[..]))
            .collect();
        for (name, value) in gone {
            assert!(!findings.holds_value(value), "cut at {cut}: {name} is found");
            assert!(!in_clear(image, value));
        }
        let confirmed = confirm_each(image, &ROOT, LABEL.as_bytes(), &KnownPlace::default(), &guesses);
        assert!(
            confirmed.iter().all(|confirmed| !confirmed),
            "cut at {cut}: a guess is confirmed"
        );
    }
    assert!(undone > 0 && done > 0, "{undone} undone, {done} done");
}

const TORN: [(ProgramTear, EraseTear); 3] = [
    (ProgramTear::TornWord, EraseTear::OldOrOne),
    (ProgramTear::Clean, EraseTear::HalfErased),
    (ProgramTear::TornWord, EraseTear::WeakBlank),
];

fn erase_users<P: Part>() {
    let gone: Vec<(&str, Vec<u8>)> = ["item 0", "item 1", "item 2"]
        .into_iter()
        .zip((0..3).map(secret))
        .collect();
    // earlier values of the class go with it
    let earlier = ["item 0", "item 1", "item 2"]
        .into_iter()
        .zip((100..103).map(secret));
    let gone: Vec<_> = if P::OVERWRITABLE {
        gone
    } else {
        gone.into_iter().chain(earlier).collect()
    };
    for tear in TORN {
        at_every_cut::<P>(
            |store| store.erase(Class::User, &mut random(9)).is_ok(),
            &gone,
            &[secret(10), secret(11)],
            tear,
        );
    }
}

//= compliance/requirements.md#store-10
//= type=test
//# Erasing a class MUST destroy every copy of its key on the medium, so that no later dump opens its records, even with the root key.
//= compliance/requirements.md#store-11
//= type=test
//# An erasure that was interrupted at any point after it began MUST be completed by the next mount before anything can be read.
#[test]
fn an_erased_class_is_not_found_at_any_cut_point_on_overwritable_flash() {
    erase_users::<Nor<4, 1024>>();
}

#[test]
fn an_erased_class_is_not_found_at_any_cut_point_on_write_once_flash() {
    erase_users::<Ecc<8, 1024>>();
}

//= compliance/requirements.md#store-9
//= type=test
//# On overwritable media a superseded or removed item's name, value, tag and nonce part MUST be overwritten before the operation that superseded it reports success.
#[test]
fn a_removed_item_is_not_found_at_any_cut_point_on_overwritable_flash() {
    for tear in TORN {
        at_every_cut::<Nor<4, 1024>>(
            |store| store.remove_bytes(Class::User, "item 1", &mut random(9)).is_ok(),
            &[("item 1", secret(1))],
            &[secret(0), secret(2), secret(10), secret(11)],
            tear,
        );
    }
}

/// With two log pages every collection moves a whole page, and leaves the old one to be erased.
#[test]
fn a_removed_item_is_not_found_at_any_cut_point_on_a_page_that_was_turned_over() {
    let erases = |part: &Nor<4, 1024>| mount(&mut part.clone()).unwrap().figures().most_erases;
    let mut turned_over = 0;
    for updates in 3..14 {
        let mut base = Nor::<4, 1024>::new(4 * 1024);
        let mut store = format(&mut base, 1);
        for number in 0..3 {
            let name = format!("item {number}");
            store
                .put_bytes(Class::User, &name, &secret(number), &mut random(1))
                .unwrap();
        }
        for update in 0..=updates {
            store
                .put_bytes(Class::Settings, "setting", &secret(20 + update), &mut random(2))
                .unwrap();
        }
        drop(store);
        let mut removed = base.clone();
        mount(&mut removed)
            .unwrap()
            .remove_bytes(Class::User, "item 1", &mut random(9))
            .unwrap();
        turned_over += u32::from(erases(&removed) > erases(&base));
        for tear in TORN {
            at_every_cut_of::<Nor<4, 1024>>(
                &base,
                |store| store.remove_bytes(Class::User, "item 1", &mut random(9)).is_ok(),
                &[("item 1", secret(1))],
                &[secret(0), secret(2), secret(20 + updates)],
                tear,
            );
        }
    }
    assert!(turned_over > 0, "the removal had to turn a page over");
}

#[test]
fn a_removed_item_is_not_found_when_the_removal_failed_anywhere_and_was_repeated() {
    let mut base = Nor::<4, 1024>::new(4 * 1024);
    let mut store = format(&mut base, 1);
    store
        .put_bytes(Class::User, "item 1", &secret(1), &mut random(1))
        .unwrap();
    // so many that the removal turns the page over
    while store.figures().most_erases < 5 {
        drop(store);
        let before = base.clone();
        store = mount(&mut base).unwrap();
        store.remove_bytes(Class::User, "item 1", &mut random(9)).unwrap();
        if store.figures().most_erases == 5 {
            base = before;
            break;
        }
        drop(store);
        base = before;
        store = mount(&mut base).unwrap();
        store
            .put_bytes(Class::Settings, "setting", &secret(2), &mut random(2))
            .unwrap();
    }
    let events = {
        let mut part = base.clone();
        let mut store = mount(&mut part).unwrap();
        let begun = store.medium().driver().events();
        store.remove_bytes(Class::User, "item 1", &mut random(9)).unwrap();
        store.medium().driver().events() - begun
    };
    let mut failures = 0;
    for event in 0.. {
        let mut part = base.clone();
        let mut store = mount(&mut part).unwrap();
        store.medium_mut().driver_mut().cut_after(event);
        let first = store.remove_bytes(Class::User, "item 1", &mut random(9));
        store.medium_mut().driver_mut().power_on();
        store.medium_mut().driver_mut().never_cut();
        if first == Ok(true) {
            break;
        }
        failures += 1;
        store
            .remove_bytes(Class::User, "item 1", &mut random(10))
            .unwrap();
        assert!(
            !is_found(store.medium().driver().image(), &secret(1)),
            "failed at {event}"
        );
        assert!(!is_confirmed(
            store.medium().driver().image(),
            "item 1",
            &secret(1)
        ));
        drop(store);
        assert_eq!(contents(&mut mount(&mut part).unwrap()).len(), 1);
    }
    assert_eq!(failures, events, "each event of the removal failed once");
}

#[test]
fn an_overwritten_value_is_not_found_at_any_cut_point_on_overwritable_flash() {
    for tear in TORN {
        at_every_cut::<Nor<8, 1024>>(
            |store| {
                store
                    .put_bytes(Class::User, "item 1", &secret(77), &mut random(9))
                    .is_ok()
            },
            &[("item 1", secret(1))],
            &[secret(0), secret(2), secret(10), secret(11)],
            tear,
        );
    }
}

//= compliance/requirements.md#store-20
//= type=test
//# The erasure of one item MUST NOT report success while the medium holds a version of it that opens under a class key that is still there.
#[test]
fn an_erased_item_is_not_found_on_write_once_flash() {
    let mut part = prepared::<Ecc<4, 1024>>();
    assert!(is_found(part.image(), &secret(1)) && is_found(part.image(), &secret(101)));
    mount(&mut part)
        .unwrap()
        .erase_item(Class::User, "item 1", &mut random(9))
        .unwrap();
    for value in [secret(1), secret(101)] {
        assert!(!is_found(part.image(), &value));
        assert!(!is_confirmed(part.image(), "item 1", &value));
    }
    for value in [0, 2, 10, 11].map(secret) {
        assert!(is_found(part.image(), &value));
    }
}

#[test]
fn a_removed_item_stays_on_write_once_flash_until_it_is_erased() {
    let mut part = prepared::<Ecc<4, 1024>>();
    mount(&mut part)
        .unwrap()
        .remove_bytes(Class::User, "item 1", &mut random(9))
        .unwrap();
    assert!(is_found(part.image(), &secret(1)), "the documented limit");
    mount(&mut part)
        .unwrap()
        .erase_item(Class::User, "item 1", &mut random(9))
        .unwrap();
    assert!(!is_found(part.image(), &secret(1)));
}

//= compliance/requirements.md#store-23
//= type=test
//# Every user's personal data MUST be sealed under a key of that user alone, so that one user's can be erased and the others' kept.
#[test]
fn an_erased_user_is_not_found_and_the_other_is() {
    for user in [7, 8] {
        let mut part = prepared::<Nor<4, 1024>>();
        let mut store = mount(&mut part).unwrap();
        for each in [7, 8] {
            let data = bydesign::store::DataClass::user(UserId(each));
            store
                .put_bytes(data, "pin", &secret(each.to_le_bytes()[0]), &mut random(1))
                .unwrap();
        }
        store.erase(UserId(user), &mut random(2)).unwrap();
        drop(store);
        assert_eq!(is_found(part.image(), &secret(7)), user != 7);
        assert_eq!(is_found(part.image(), &secret(8)), user != 8);
    }
}

#[test]
fn what_a_transaction_superseded_is_not_found_at_any_cut_point_on_overwritable_flash() {
    use bydesign::store::Change;
    let gone = [
        ("item 0", secret(0)),
        ("item 1", secret(1)),
        ("setting", secret(10)),
    ];
    for tear in TORN {
        at_every_cut::<Nor<4, 1024>>(
            |store| {
                let changes = [
                    Change::put_bytes(Class::User, "item 0", b"another"),
                    Change::remove_bytes(Class::User, "item 1"),
                    Change::put_bytes(Class::Settings, "setting", b""),
                ];
                store.commit(&changes, &mut random(9)).is_ok()
            },
            &gone,
            &[secret(2), secret(11)],
            tear,
        );
    }
}

/// What was written of a transaction that did not come about is no item's value, and does not stay either.
#[test]
fn values_of_a_transaction_that_was_cut_are_not_found_after_the_next_write_on_overwritable_flash() {
    use bydesign::store::Change;
    let base = prepared::<Nor<4, 1024>>();
    let run = |part: &mut Nor<4, 1024>| {
        mount(part).is_ok_and(|mut store| {
            let (first, second) = (secret(61), secret(62));
            let changes = [
                Change::put_bytes(Class::User, "new", &first),
                Change::put_bytes(Class::User, "newer", &second),
            ];
            store.commit(&changes, &mut random(9)).is_ok()
        })
    };
    let mut seen_before = 0;
    for cut in 0.. {
        let mut part = base.clone();
        part.cut_after(cut);
        if run(&mut part) {
            break;
        }
        part.power_on();
        seen_before += u32::from(is_found(part.image(), &secret(61)));
        let mut store = mount(&mut part).unwrap();
        if store.contains_bytes(Class::User, "new").unwrap() {
            continue;
        }
        store
            .put_bytes(Class::User, "another", &secret(70), &mut random(3))
            .unwrap();
        drop(store);
        for value in [61, 62].map(secret) {
            assert!(!is_found(part.image(), &value), "cut at {cut}");
        }
    }
    assert!(seen_before > 20, "{seen_before}");
}

/// A long history with collections: on overwritable flash exactly what is live is found, nothing that was.
#[test]
fn through_a_long_history_only_live_values_are_found_on_overwritable_flash() {
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    let mut model = Model::new();
    let mut source = random(4);
    for round in 0..300u16 {
        let [low, _] = round.to_le_bytes();
        let operation = match low % 23 {
            5 => Operation::Remove {
                class: 2,
                key: low % 7,
            },
            11 => Operation::EraseClass { class: 1 },
            17 => Operation::Maintain { steps: 2 },
            _ => Operation::Put {
                class: low % 4,
                key: low % 7,
                len: 24 + round % 50,
                fill: low,
            },
        };
        if operation.run(&mut store, &mut source) == Outcome::Done {
            model = operation.apply(&model);
        }
        if round % 10 != 0 {
            continue;
        }
        let findings = scan(store.medium().driver().image(), &ROOT, LABEL.as_bytes());
        let mut found: Vec<_> = findings
            .values()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        let mut live: Vec<_> = model
            .iter()
            .map(|((_, name), value)| (name.clone().into_bytes(), value.clone()))
            .collect();
        found.sort();
        live.sort();
        assert_eq!(found, live, "after {round} operations");
    }
    drop(store);
    assert_eq!(contents(&mut mount(&mut part).unwrap()), model);
}
