//! Another root key takes over: at every cut one of the two opens everything, and afterwards the old one opens nothing.

use crate::forensics;
use crate::support;

use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::secret::RootKey;
use bydesign::store::{Class, EraseError, MountError, Store};
use forensics::scan;
use support::operation::{Operation, Outcome, commit};
use support::{
    Ecc, LABEL, Memory, Model, Nor, Part, ROOT, TEARS, Zeros, contents, format, mount, random, second_cuts,
    tears,
};

const NEXT: [u8; 32] = [
    0x91, 0x5c, 0x2e, 0xf0, 0x37, 0xb8, 0x4d, 0x66, 0x1a, 0xc3, 0x72, 0x09, 0xee, 0x85, 0x5b, 0x14, 0xd7,
    0x40, 0x2b, 0x9c, 0xf6, 0x61, 0x38, 0xaa, 0x0d, 0x7f, 0xc4, 0x53, 0xe9, 0x16, 0xb2, 0x88,
];

fn next_root_key() -> RootKey {
    RootKey::new(NEXT).unwrap()
}

fn mount_with<'a, P: Part>(
    part: &'a mut P,
    root_key: &RootKey,
) -> Result<Store<P::Medium<'a>, Memory>, MountError> {
    Store::mount(part.medium(), Memory::new(), root_key, LABEL)
}

fn filled<P: Part>() -> (P, Model) {
    let mut part = P::new(8 * 1024);
    let mut store = format(&mut part, 1);
    for round in 0..30u8 {
        let operation = Operation::Put {
            class: round,
            key: round % 7,
            len: 30,
            fill: round,
        };
        assert_eq!(
            operation.run(&mut store, &mut random(u64::from(round))),
            Outcome::Done
        );
    }
    let model = contents(&mut store);
    drop(store);
    (part, model)
}

fn cut_everywhere<P: Part>(tear: (ProgramTear, EraseTear)) {
    let (base, model) = filled::<P>();
    let events = {
        let mut part = base.clone();
        let begun = part.events();
        mount(&mut part)
            .unwrap()
            .change_root_key(&next_root_key(), &mut random(5))
            .unwrap();
        part.events() - begun
    };
    let (mut old, mut new) = (0, 0);
    for cut in 0..events {
        let mut part = base.clone();
        part.set_tear(tear.0, tear.1, cut);
        part.cut_after(cut);
        let changed =
            mount(&mut part).map(|mut store| store.change_root_key(&next_root_key(), &mut random(5)));
        assert!(part.is_off() && changed != Ok(Ok(())));
        part.power_on();
        // On a copy, for a mount decides.
        let old_opens = mount(&mut part.clone()).is_ok();
        let new_opened = mount_with(&mut part, &next_root_key()).map(|mut store| contents(&mut store));
        let (opens, other) = match new_opened {
            Ok(found) => {
                new += 1;
                assert_eq!(found, model, "cut at {cut}");
                (next_root_key(), support::root_key())
            }
            Err(error) => {
                assert!(old_opens, "cut at {cut}: {error}, and the old key opens nothing");
                old += 1;
                assert_ne!(
                    error,
                    MountError::Unformatted,
                    "cut at {cut}: nobody may format this"
                );
                (support::root_key(), next_root_key())
            }
        };
        let mut store = mount_with(&mut part, &opens).unwrap();
        assert_eq!(contents(&mut store), model, "cut at {cut}");
        store
            .put_bytes(Class::Settings, "after", b"the cut", &mut random(cut))
            .unwrap();
        drop(store);
        assert_eq!(
            mount_with(&mut part, &other).err(),
            Some(MountError::WrongRootKey)
        );
        // And again, uncut, from wherever it was.
        mount_with(&mut part, &opens)
            .unwrap()
            .change_root_key(&other, &mut random(6))
            .unwrap();
        assert_eq!(
            contents(&mut mount_with(&mut part, &other).unwrap()).len(),
            model.len() + 1
        );
    }
    assert!(
        old > 100 && new > 3,
        "{old} under the old key, {new} under the new"
    );
}

//= compliance/requirements.md#store-26
//= type=test
//# A change of the root key that was interrupted MUST leave a store that opens completely under the old root key or the new one.
#[test]
fn at_every_cut_one_of_the_two_root_keys_opens_everything_on_overwritable_flash() {
    for tear in TEARS {
        if tear.0 != ProgramTear::UnreadableWord {
            cut_everywhere::<Nor<4, 1024>>(tear);
        }
    }
}

#[test]
fn at_every_cut_one_of_the_two_root_keys_opens_everything_on_write_once_flash() {
    for tear in TEARS {
        cut_everywhere::<Ecc<8, 1024>>(tear);
    }
}

/// Changes the root key, if it is still the old one, and makes a transaction in the same instance. Gives whether the key was
/// changed and whether the transaction returned.
fn change_and_commit<P: Part>(part: &mut P, after_the_change: &Operation, seed: u64) -> (bool, bool) {
    let is_new = mount_with(&mut part.clone(), &next_root_key()).is_ok();
    let opens = if is_new {
        next_root_key()
    } else {
        support::root_key()
    };
    let Ok(mut store) = mount_with(part, &opens) else {
        return (is_new, false);
    };
    let changed = is_new || store.change_root_key(&next_root_key(), &mut random(seed)).is_ok();
    let done = changed && after_the_change.run(&mut store, &mut random(seed + 1)) == Outcome::Done;
    (changed, done)
}

/// What the one root key opens that opens anything; and whether it is the new one.
fn opened<P: Part>(part: &mut P, context: &str) -> (bool, Model) {
    let under_old = mount(&mut part.clone()).map(|mut store| contents(&mut store));
    match mount_with(part, &next_root_key()).map(|mut store| contents(&mut store)) {
        Ok(model) => (true, model),
        Err(error) => (
            false,
            under_old
                .unwrap_or_else(|old| panic!("{context}: {error} under the new key, {old} under the old")),
        ),
    }
}

fn cut_change_and_transaction<P: Part>() {
    let (base, before) = filled::<P>();
    let transaction = commit(1, 1, 40, 200);
    let after = transaction.apply(&before);
    let events = {
        let mut part = base.clone();
        let begun = part.events();
        assert_eq!(change_and_commit(&mut part, &transaction, 5), (true, true));
        part.events() - begun
    };
    // Under the old key; under the new one without the transaction and with it.
    let (mut cuts, mut seen) = (0, [0; 3]);
    for tear in tears::<P>() {
        let mut check = |part: &mut P, (changed, done): (bool, bool), context: &str| {
            let (is_new, found) = opened(part, context);
            assert!(found == before || found == after, "{context}: a third state");
            assert!(
                is_new || found == before,
                "{context}: the transaction came second"
            );
            assert!(is_new || !changed, "{context}: the change had returned");
            assert!(found == after || !done, "{context}: the transaction had returned");
            seen[usize::from(is_new) + usize::from(found == after)] += 1;
        };
        let finish = |part: &mut P, seed: u64, context: &str| {
            assert_eq!(
                change_and_commit(part, &transaction, seed),
                (true, true),
                "{context}"
            );
            assert_eq!(opened(part, context), (true, after.clone()), "{context}");
            assert_eq!(mount(part).err(), Some(MountError::WrongRootKey), "{context}");
        };
        for first in 0..events {
            let context = format!("{tear:?}, cut at {first} of {events}");
            let mut part = base.clone();
            part.set_tear(tear.0, tear.1, first);
            part.cut_after(first);
            let ended = change_and_commit(&mut part, &transaction, 5);
            assert!(part.is_off(), "{context}: the cut must come");
            part.power_on();
            cuts += 1;
            check(&mut part.clone(), ended, &context);
            let again = {
                let mut part = part.clone();
                let begun = part.events();
                finish(&mut part, 6, &context);
                part.events() - begun
            };
            for second in second_cuts(first, again, 4096, 2999) {
                let context = format!("{context}, then at {second} of {again}");
                let mut part = part.clone();
                part.cut_after(second);
                let again = change_and_commit(&mut part, &transaction, 6);
                cuts += u64::from(part.is_off());
                part.power_on();
                check(
                    &mut part.clone(),
                    (ended.0 || again.0, ended.1 || again.1),
                    &context,
                );
                finish(&mut part, 7, &context);
            }
        }
    }
    println!("{cuts} cuts");
    assert!(seen.iter().all(|times| *times > 10), "{seen:?}");
}

#[test]
fn a_transaction_after_a_change_of_the_root_key_is_whole_under_the_new_one_at_every_cut_on_overwritable_flash()
 {
    cut_change_and_transaction::<Nor<4, 512>>();
}

#[test]
fn a_transaction_after_a_change_of_the_root_key_is_whole_under_the_new_one_at_every_cut_on_write_once_flash()
{
    cut_change_and_transaction::<Ecc<8, 512>>();
}

//= compliance/requirements.md#store-27
//= type=test
//# After a change of the root key has returned, the old root key MUST open nothing on the medium.
#[test]
fn the_old_root_key_opens_nothing_afterwards_and_the_new_one_everything() {
    let (mut part, model) = filled::<Nor<4, 1024>>();
    let before = scan(part.image(), &ROOT, LABEL.as_bytes());
    assert!(model.values().all(|value| before.holds_value(value)));
    mount(&mut part)
        .unwrap()
        .change_root_key(&next_root_key(), &mut random(5))
        .unwrap();
    let with_old = scan(part.image(), &ROOT, LABEL.as_bytes());
    assert!(with_old.records.is_empty() && with_old.class_keys.is_empty());
    assert_eq!(with_old.other_records, 0);
    let with_new = scan(part.image(), &NEXT, LABEL.as_bytes());
    assert!(model.values().all(|value| with_new.holds_value(value)));
    assert_eq!(mount(&mut part).err(), Some(MountError::WrongRootKey));
}

#[test]
fn a_store_goes_on_under_the_new_root_key_without_a_boot() {
    let (mut part, model) = filled::<Ecc<8, 1024>>();
    let mut store = mount(&mut part).unwrap();
    store.change_root_key(&next_root_key(), &mut random(5)).unwrap();
    assert_eq!(contents(&mut store), model);
    store.erase(Class::User, &mut random(6)).unwrap();
    store
        .put_bytes(Class::User, "next", b"owner", &mut random(7))
        .unwrap();
    let after = contents(&mut store);
    drop(store);
    assert_eq!(
        contents(&mut mount_with(&mut part, &next_root_key()).unwrap()),
        after
    );
}

#[test]
fn a_change_of_the_root_key_with_a_stuck_random_source_changes_nothing() {
    let (mut part, model) = filled::<Nor<4, 1024>>();
    let before = part.image().to_vec();
    let changed = mount(&mut part)
        .unwrap()
        .change_root_key(&next_root_key(), &mut Zeros);
    assert_eq!(changed, Err(EraseError::Random));
    assert!(part.image() == before);
    assert_eq!(contents(&mut mount(&mut part).unwrap()), model);
}
