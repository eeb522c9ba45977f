//! The ledger of every sealing call over forked histories: no nonce under one key with two plaintexts.

use crate::drivers;
use crate::support;

use bydesign::crypto::ledger;
use bydesign::flash::simulator::{EraseTear, ProgramTear};
use bydesign::store::{AsyncStore, Class, Store};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{TryCryptoRng, TryRng};
use drivers::poll_times;
use support::operation::Operation;
use support::{Ecc, LABEL, Memory, Nor, Part, format, mount, random, root_key};

/// A random source that gives the same block again and again, lively enough to pass the start-up check.
struct Stuck(u8);

impl TryRng for Stuck {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(7)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(7)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        // Keys differ from one to the next (the check asks for that); everything shorter is constant.
        if bytes.len() == 32 {
            self.0 = self.0.wrapping_add(1);
        }
        for (at, byte) in (0u8..).zip(bytes.iter_mut()) {
            *byte = at.wrapping_mul(at) ^ if bytes_is_key(at) { self.0 } else { 0 };
        }
        Ok(())
    }
}
fn bytes_is_key(at: u8) -> bool {
    at >= 16
}
impl TryCryptoRng for Stuck {}

fn assert_no_reuse(context: &str) {
    let entries = ledger::stop();
    assert!(
        entries.len() > 50,
        "{context}: the ledger saw {} calls",
        entries.len()
    );
    assert!(
        entries.iter().any(|entry| entry.key != entries[0].key),
        "{context}: several keys"
    );
    if let Some((first, second)) = ledger::reused(&entries) {
        panic!("{context}: {first:?} and {second:?}");
    }
}

fn put(key: u8, fill: u8) -> Operation {
    Operation::Put {
        class: 1 + key % 3,
        key,
        len: 30 + u16::from(key),
        fill,
    }
}

/// Writes different things to copies of one image, each with the given random source.
fn fork<P: Part, R: TryCryptoRng>(base: &P, source: impl Fn() -> R, futures: u8) {
    for future in 0..futures {
        let mut part = base.clone();
        let mut source = source();
        let mut store = mount(&mut part).expect("mounts");
        for key in 0..8 {
            let value = [future.wrapping_mul(17) ^ key; 40];
            store
                .put_bytes(Class::Settings, &format!("k{key}"), &value, &mut source)
                .expect("puts");
        }
        store
            .remove_bytes(Class::Settings, "k1", &mut source)
            .expect("removes");
        store.erase(Class::Settings, &mut source).expect("erases");
        store
            .put_bytes(Class::Settings, "k1", &[future; 9], &mut source)
            .expect("puts");
        for _ in 0..20 {
            store
                .put_bytes(Class::User, "turn", &[future; 60], &mut source)
                .expect("puts");
        }
    }
}

fn forked_histories<P: Part>() {
    ledger::start();
    let mut part = P::new(8 * 1024);
    drop(format(&mut part, 1));
    let mut source = random(2);
    let mut store = mount(&mut part).expect("mounts");
    for round in 0..60 {
        put(round % 9, round).run(&mut store, &mut source);
    }
    drop(store);
    fork(&part, || random(3), 4);
    assert_no_reuse("restored images, a random source restarted from one seed");
    ledger::start();
    fork(&part, || Stuck(3), 4);
    assert_no_reuse("restored images, a constant random source");
}

//= compliance/requirements.md#store-3
//= type=test
//# The store MUST NOT seal two different plaintexts under one key and nonce, whatever power, medium and random source do.
#[test]
fn no_nonce_is_used_twice_over_restored_images_on_overwritable_flash() {
    forked_histories::<Nor<4, 1024>>();
}

#[test]
fn no_nonce_is_used_twice_over_restored_images_on_write_once_flash() {
    forked_histories::<Ecc<8, 1024>>();
}

#[test]
fn no_nonce_is_used_twice_after_torn_writes_with_a_constant_random_source() {
    for tear in [
        ProgramTear::Clean,
        ProgramTear::TornWord,
        ProgramTear::UnreadableWord,
        ProgramTear::Unstable,
    ] {
        ledger::start();
        let mut part = Ecc::<4, 1024>::new(8 * 1024);
        drop(format(&mut part, 1));
        for cut in 0..200u64 {
            part.set_tear(tear, EraseTear::OldOrOne, cut);
            part.cut_after(cut * 3 % 250);
            if let Ok(mut store) = mount(&mut part) {
                // Each boot writes something else, from the same constant source.
                let value = [cut.to_le_bytes()[0]; 50];
                for key in 0..3 {
                    let _ = store.put_bytes(Class::User, &format!("k{key}"), &value, &mut Stuck(3));
                }
            }
            part.power_on();
        }
        assert!(mount(&mut part).is_ok());
        assert_no_reuse("torn writes, a constant random source");
    }
}

#[test]
fn no_nonce_is_used_twice_by_two_instances_on_copies_of_one_image() {
    ledger::start();
    let mut one = Nor::<4, 4096>::new(32 * 1024);
    drop(format(&mut one, 1));
    let mut other = one.clone();
    let (mut first, mut second) = (
        mount(&mut one).expect("mounts"),
        mount(&mut other).expect("mounts"),
    );
    for round in 0..60u8 {
        // The same source, in step: what a cloned virtual machine or two boards from one seed do.
        first
            .put_bytes(Class::User, "k", &[round; 20], &mut random(9))
            .expect("puts");
        second
            .put_bytes(Class::User, "k", &[round ^ 0x80; 20], &mut random(9))
            .expect("puts");
    }
    assert_no_reuse("two instances");
}

#[test]
fn no_nonce_is_used_twice_when_the_driver_fails_and_the_caller_tries_again() {
    ledger::start();
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    for failing in 0..120u64 {
        let mut store = mount(&mut part).expect("mounts");
        let mut source = Stuck(3);
        store
            .put_bytes(Class::User, "a", &[1; 30], &mut source)
            .expect("puts");
        let kind = embedded_storage::nor_flash::NorFlashErrorKind::Other;
        store.medium_mut().driver_mut().fail_after(failing % 40, kind);
        for attempt in 0..4u8 {
            let _ = store.put_bytes(
                Class::User,
                "a",
                &[failing.to_le_bytes()[0] ^ attempt; 30],
                &mut source,
            );
        }
        store.medium_mut().driver_mut().fail_after(u64::MAX, kind);
        let mut out = [0; 64];
        store
            .get_bytes(Class::User, "a", &mut out)
            .expect("reads")
            .expect("is there");
    }
    assert_no_reuse("failed writes");
}

/// A driver whose every call pends once, so that a future can be dropped at each.
struct Pending<'a, const WRITE: usize, const ERASE: usize>(
    &'a mut bydesign::flash::simulator::Simulator<WRITE, ERASE>,
);

mod pending {
    use super::Pending;
    use bydesign::flash::simulator::SimulatorError;
    use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
    use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

    async fn pend_once() {
        let mut pended = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut pended, true) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    }

    impl<const W: usize, const E: usize> ErrorType for Pending<'_, W, E> {
        type Error = SimulatorError;
    }

    impl<const W: usize, const E: usize> ReadNorFlash for Pending<'_, W, E> {
        const READ_SIZE: usize = 1;
        async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
            pend_once().await;
            self.0.read(offset, bytes)
        }
        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }

    impl<const W: usize, const E: usize> NorFlash for Pending<'_, W, E> {
        const WRITE_SIZE: usize = W;
        const ERASE_SIZE: usize = E;
        async fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
            pend_once().await;
            self.0.erase(from, to)
        }
        async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
            // Half of the call happens before the future can be dropped, half after.
            let half = bytes.len() / 2 / W * W;
            self.0.write(offset, &bytes[..half])?;
            pend_once().await;
            self.0
                .write(offset + u32::try_from(half).expect("small"), &bytes[half..])
        }
    }

    impl<const W: usize, const E: usize> MultiwriteNorFlash for Pending<'_, W, E> {}
}

#[test]
fn no_nonce_is_used_twice_when_futures_are_dropped_at_every_await_and_nothing_is_lost() {
    ledger::start();
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    let mut store = format(&mut part, 1);
    let mut source = Stuck(3);
    store
        .put_bytes(Class::User, "a", &[1; 30], &mut source)
        .expect("puts");
    store
        .put_bytes(Class::Settings, "b", &[2; 30], &mut source)
        .expect("puts");
    drop(store);

    let always = usize::MAX;
    let mut completed = 0;
    for polls in 1..400usize {
        let mut part = part.clone();
        let medium = bydesign::flash::Overwritable::from_async(Pending(&mut part.0));
        let root_key = root_key();
        let mount = AsyncStore::mount(medium, Memory::new(), &root_key, LABEL);
        let mut store = poll_times(mount, always).expect("ready").expect("mounts");
        let new = [polls.to_le_bytes()[0]; 31];
        let value = |store: &mut AsyncStore<_, Memory>, class, name| {
            let mut out = [0; 64];
            let len = poll_times(store.get_bytes(class, name, &mut out), always)
                .expect("ready")
                .expect("reads");
            len.map(|len| out[..len].to_vec())
        };

        let put = poll_times(store.put_bytes(Class::User, "a", &new, &mut source), polls);
        completed += usize::from(put.is_some());
        let a = value(&mut store, Class::User, "a").expect("a is there, old or new");
        assert!(a == new || (put.is_none() && a == [1; 30]));
        // The store goes on, here and after a boot.
        poll_times(store.put_bytes(Class::User, "c", &new, &mut source), always)
            .expect("ready")
            .expect("puts");
        let erased = poll_times(store.erase(Class::Settings, &mut source), polls);
        let b = value(&mut store, Class::Settings, "b");
        assert!(b.is_none() || (erased.is_none() && b == Some(vec![2; 30])));
        poll_times(store.put_bytes(Class::Settings, "d", &new, &mut source), always)
            .expect("ready")
            .expect("puts");
        drop(store);

        let mut store =
            support::mount(&mut part).unwrap_or_else(|error| panic!("dropped after {polls} polls: {error}"));
        let all = support::contents(&mut store);
        assert_eq!(all.get(&(2, "a".into())), Some(&a));
        assert_eq!(all.get(&(1, "b".into())).cloned(), b);
        assert_eq!(all.get(&(2, "c".into())).map(Vec::as_slice), Some(&new[..]));
        assert_eq!(all.get(&(1, "d".into())).map(Vec::as_slice), Some(&new[..]));
    }
    assert!(
        completed > 50 && completed < 398,
        "{completed} puts were polled to the end"
    );
    assert_no_reuse("cancelled writes");
}

#[test]
fn the_ledger_sees_a_nonce_used_twice() {
    let entry = ledger::Entry {
        key: [1; 32],
        nonce: [2; 24],
        contents: [3; 32],
    };
    let other = ledger::Entry {
        contents: [4; 32],
        ..entry
    };
    assert_eq!(
        ledger::reused(&[entry, entry]),
        None,
        "the same plaintext again gives nothing away"
    );
    assert_eq!(
        ledger::reused(&[
            entry,
            ledger::Entry {
                nonce: [9; 24],
                ..other
            },
            other
        ]),
        Some((entry, other))
    );
}

/// A source restarted from one seed at each boot: `ChaCha20Rng` from the same seed.
#[test]
fn no_nonce_is_used_twice_when_the_random_source_restarts_from_one_seed_at_each_boot() {
    ledger::start();
    let mut part = Nor::<4, 1024>::new(8 * 1024);
    drop(format(&mut part, 1));
    for boot in 0..80u8 {
        let mut source: ChaCha20Rng = random(42);
        let mut store = Store::mount(part.medium(), Memory::new(), &root_key(), LABEL).expect("mounts");
        store
            .put_bytes(Class::User, "boots", &[boot; 16], &mut source)
            .expect("puts");
        if boot % 10 == 3 {
            store.erase(Class::User, &mut source).expect("erases");
        }
    }
    assert_no_reuse("one seed at each boot");
}
