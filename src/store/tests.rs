//! What only the inside can see: the caller's buffer after each operation.

use std::format;
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
