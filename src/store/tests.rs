//! What only the inside can see: the caller's buffer after each operation, and names that have one fingerprint.

use std::collections::HashMap;
use std::format;
use std::string::String;
use std::vec;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;

use super::*;
use crate::flash::simulator::{Rule, Simulator};
use crate::flash::{Overwritable, WriteOnce};

type TestRam = Ram<32, 512>;

const ROOT: [u8; 32] = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";

fn is_wiped<M: crate::flash::NeverPends>(store: &mut Store<M, TestRam>) -> bool {
    store.0.memory.parts().buffer.iter().all(|&byte| byte == 0)
}

fn after_every_operation<M: crate::flash::NeverPends>(medium: M) {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let root_key = RootKey::new(ROOT).unwrap();
    let mut store = Store::format(medium, TestRam::new(), &root_key, "test", &mut random).unwrap();
    assert!(is_wiped(&mut store));
    let mut out = [0; 300];
    for round in 0..300u16 {
        let name = format!("item {}", round % 9);
        store
            .put_bytes(
                Class::User,
                &name,
                &vec![7; usize::from(round % 200)],
                &mut random,
            )
            .unwrap();
        assert!(is_wiped(&mut store), "put, with the collection in it");
        store.get_bytes(Class::User, &name, &mut out).unwrap();
        assert!(is_wiped(&mut store), "get");
        store.contains_bytes(Class::User, &name).unwrap();
        assert!(is_wiped(&mut store), "contains");
        if round % 7 == 0 {
            store.remove_bytes(Class::User, &name, &mut random).unwrap();
            assert!(is_wiped(&mut store), "remove");
            store.maintain(2, &mut random).unwrap();
            assert!(is_wiped(&mut store), "maintain");
        }
    }
    assert_eq!(
        store.get_bytes(Class::User, "item 1", &mut []),
        Err(ReadError::OutputTooSmall(out_len(&mut store)))
    );
    assert!(is_wiped(&mut store), "get into a buffer that is too small");
    let of_another_type = Key::<[u8; 3]>::new("item 1", Class::User);
    assert_eq!(store.get(&of_another_type), Err(ReadError::Version(7)));
    assert!(is_wiped(&mut store), "get of another version");
    assert_eq!(store.get(&of_another_type.version(7)), Err(ReadError::Decode));
    assert!(is_wiped(&mut store), "get of another type");
    assert!(
        store
            .put_bytes(Class::User, "long", &[7; 400], &mut random)
            .is_ok()
    );
    assert!(
        store
            .put_bytes(Class::User, "long", &[7; 1400], &mut random)
            .is_err()
    );
    assert!(is_wiped(&mut store), "put that is refused");
    store.for_each(Class::User, |_, _| ()).unwrap();
    assert!(is_wiped(&mut store), "iteration");
    store.erase_item(Class::User, "item 2", &mut random).unwrap();
    assert!(is_wiped(&mut store), "erasure of an item");
    store.erase(Class::User, &mut random).unwrap();
    assert!(is_wiped(&mut store), "erasure of a class");
    let medium = store.into_medium();
    let mut store = Store::mount(medium, TestRam::new(), &root_key, "test").unwrap();
    assert!(is_wiped(&mut store), "mount");
}

fn out_len<M: crate::flash::NeverPends>(store: &mut Store<M, TestRam>) -> usize {
    let mut out = [0; 300];
    store.get_bytes(Class::User, "item 1", &mut out).unwrap().unwrap()
}

//= compliance/requirements.md#store-16
//= type=test
//# Names and values MUST NOT remain in the store's memory once an operation has returned.
#[test]
fn the_record_buffer_is_wiped_after_every_operation() {
    after_every_operation(Overwritable::new(Simulator::<4, 1024>::new(
        16 * 1024,
        Rule::Multiwrite,
    )));
    after_every_operation(WriteOnce::new(Simulator::<8, 1024>::new(
        16 * 1024,
        Rule::WriteOnce,
    )));
}

#[test]
fn a_page_that_was_begun_and_given_up_is_erased_before_it_is_opened_again_however_blank_it_reads() {
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let medium = Overwritable::new(Simulator::<4, 1024>::new(16 * 1024, Rule::Multiwrite));
    let root_key = RootKey::new(ROOT).unwrap();
    let mut store = Store::format(medium, TestRam::new(), &root_key, "test", &mut random).unwrap();
    for name in ["a", "b", "c", "d"] {
        store
            .put_bytes(Class::Settings, name, &[1; 160], &mut random)
            .unwrap();
    }
    assert!(store.0.log.room() < 200, "the next one takes another page");
    // As a future leaves it that was dropped amid the program call.
    store.0.log.next_page = log::NextPage::Spoiled;
    store.medium_mut().driver_mut().reset_counters();
    store
        .put_bytes(Class::Settings, "e", &[1; 160], &mut random)
        .unwrap();
    assert_eq!(store.medium().driver().counters().erases, 1);
}

/// Two names that have one fingerprint in a class, of those that begin so. It has 21 bits: of some thousands of names two are alike.
fn alike<M: crate::flash::NeverPends>(store: &mut Store<M, TestRam>, begin: &str) -> [String; 2] {
    let slot = store.0.memory.parts().slots.find(Class::Settings.into()).unwrap();
    let mut seen = HashMap::new();
    for number in 0..100_000 {
        let name = format!("{begin}{number}");
        let hash = store.0.log.keys.name_hash(slot, name.as_bytes());
        if let Some(other) = seen.insert(hash, name.clone()) {
            return [other, name];
        }
    }
    panic!("no two are alike");
}

#[test]
fn items_with_one_fingerprint_stay_two_when_a_mount_begins_at_a_checkpoint() {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    let root_key = RootKey::new(ROOT).unwrap();
    let medium = WriteOnce::new(Simulator::<4, 1024>::new(32 * 1024, Rule::WriteOnce));
    let mut store = Store::format(medium, TestRam::new(), &root_key, "test", &mut random).unwrap();
    store.keep_checkpoints(&mut random).unwrap();
    let [first, second] = alike(&mut store, "a");
    let [third, fourth] = alike(&mut store, "b");
    let class = Class::Settings;
    store.put_bytes(class, &first, &[1; 20], &mut random).unwrap();
    let mut fill = 0_u32;
    while store.0.log.checkpoint.is_none() {
        store
            .put_bytes(class, "fill", &fill.to_le_bytes(), &mut random)
            .unwrap();
        fill += 1;
    }
    // Behind the checkpoint: a new item like one that is listed, two new ones of one transaction, an update of each of two.
    store.put_bytes(class, &second, &[2; 20], &mut random).unwrap();
    let changes = [&third, &fourth].map(|name| Change::put_bytes(class, name, &[3; 20]));
    store.commit(&changes, &mut random).unwrap();
    let mut expected = [(&first, 1), (&second, 2), (&third, 3), (&fourth, 3)];
    for (round, updated) in [1, 3, 0].into_iter().enumerate() {
        let medium = store.into_medium();
        store = Store::mount(medium, TestRam::new(), &root_key, "test").unwrap();
        assert!(
            store.0.log.taken.is_some(),
            "round {round} begins at the checkpoint"
        );
        for (name, value) in expected {
            let mut out = [0; 20];
            assert_eq!(
                store.get_bytes(class, name, &mut out),
                Ok(Some(20)),
                "{name}, round {round}"
            );
            assert_eq!(out, [value; 20], "{name}, round {round}");
        }
        assert_eq!(store.0.memory.parts().index.len(), 5);
        let (name, value) = &mut expected[updated];
        *value += 10;
        store.put_bytes(class, name, &[*value; 20], &mut random).unwrap();
    }
}
