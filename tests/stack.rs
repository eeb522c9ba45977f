//! What operations leave of keys and values on the stack, read through /proc by the thread that called them. `cargo xtask wiping` looks
//! further, at optimised programs and at a device.
#![cfg(target_os = "linux")]

#[path = "../examples/lifecycle/forensics.rs"]
mod forensics;
mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
#[cfg(feature = "async")]
use std::pin::pin;
#[cfg(feature = "async")]
use std::task::{Context, Poll, Waker};

use bydesign::credential::reseal::reseal;
use bydesign::erase::{Eraser, Exported, Scope};
use bydesign::secret::{RootKey, Secret};
#[cfg(feature = "async")]
use bydesign::store::AsyncStore;
use bydesign::store::{Class, CodecError, Key, Memory, Ram, Store, Stored, UserId};
use support::{LABEL, Nor, Part, ROOT, format, random, root_key};

/// What is looked at below the test's frame, and wiped before.
const DEPTH: usize = 256 * 1024;
const PIECE: usize = 8;

const TYPED: Key<Secret<40>> = Key::new("typed", Class::Settings);
const OF_USER: Key<Secret<40>> = Key::new("of a user", Class::User);

#[inline(never)]
fn value() -> Secret<40> {
    Secret::new(std::array::from_fn(|at| {
        u8::try_from(at * 89 % 251).unwrap_or(0) ^ 0x35
    }))
}

/// Keys that the image gives to whoever has the root key, and the value.
#[inline(never)]
fn secrets(image: &[u8]) -> Vec<Vec<u8>> {
    let findings = forensics::scan(image, &ROOT, LABEL.as_bytes());
    let keys = findings.store_keys.iter().map(|key| key.to_vec());
    let classes = findings.class_keys.iter().map(|found| found.key.to_vec());
    let opened = findings.opened.iter().map(|(key, _)| key.to_vec());
    let value = [value().expose().to_vec(), ROOT.to_vec()];
    keys.chain(classes).chain(opened).chain(value).collect()
}

/// The keys that the cipher makes for one record each.
#[cfg(feature = "async")]
#[inline(never)]
fn keys_of_the_cipher(image: &[u8]) -> Vec<Vec<u8>> {
    let findings = forensics::scan(image, &ROOT, LABEL.as_bytes());
    let keys = findings.opened.iter().map(|(key, nonce)| {
        let input: [u8; 16] = nonce[..16].try_into().unwrap_or([0; 16]);
        chacha20::hchacha::<chacha20::R20>(&(*key).into(), &input.into()).to_vec()
    });
    keys.collect()
}

/// Reads its own dead stack without using more of it than one system call does.
struct Stack {
    memory: File,
    bytes: Vec<u8>,
}

impl Stack {
    fn new() -> Self {
        Self {
            memory: File::open("/proc/self/mem").expect("Linux has it"),
            bytes: vec![0; DEPTH],
        }
    }

    /// Does something, and reads what it left below.
    #[inline(never)]
    fn read_after(&mut self, operation: &mut dyn FnMut()) {
        Self::wipe();
        operation();
        self.read();
    }

    /// For what gives a store away: between this and [`Stack::read`] its caller's frame is there, and is not looked at.
    #[inline(never)]
    fn wipe() {
        zeroize::zeroize_stack::<DEPTH>();
    }

    /// Reads what lies below its caller's frame, but for the little that it needs itself.
    #[inline(never)]
    fn read(&mut self) {
        let here = 0_u8;
        let from = std::ptr::from_ref(std::hint::black_box(&here)).addr() - DEPTH;
        let read = self.memory.read_exact_at(&mut self.bytes, from as u64);
        read.expect("the stack is mapped");
    }

    #[inline(never)]
    fn pieces_of(&self, secrets: &[Vec<u8>]) -> usize {
        assert!(secrets.len() > 4, "a search for little would find little");
        let pieces: std::collections::HashSet<&[u8]> =
            secrets.iter().flat_map(|secret| secret.windows(PIECE)).collect();
        self.bytes
            .windows(PIECE)
            .filter(|window| pieces.contains(window))
            .count()
    }
}

/// Polls as an executor does, without the blocking face around it.
#[cfg(feature = "async")]
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("blocking drivers never pend"),
    }
}

//= compliance/requirements.md#secret-4
//= type=test
//# An operation of the blocking store MUST wipe the stack that it used before it returns, and so MUST each call of the cipher and each derivation of a key.
#[test]
fn no_piece_of_a_key_or_a_value_is_on_the_stack_after_an_operation() {
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(|| {
            let mut stack = Stack::new();
            let (mut part, mut random, value) = (Nor::<4, 1024>::new(16 * 1024), random(1), value());
            let mut store = format(&mut part, 1);
            // made here: what the making leaves is this test's own
            let next = root_key();
            let mut images = Vec::new();
            // and the version of the value
            let mut out = [0; 41];
            let mut looks = Vec::new();
            for step in 0..5 {
                stack.read_after(&mut || match step {
                    0 => store.put(&TYPED, &value, &mut random).expect("room"),
                    1 => assert_eq!(store.get_bytes(Class::Settings, "typed", &mut out), Ok(Some(41))),
                    2 => store
                        .put(&OF_USER.of(UserId(7)), &value, &mut random)
                        .expect("room"),
                    3 => store.erase(UserId(7), &mut random).expect("a user"),
                    _ => store.change_root_key(&next, &mut random).expect("a key"),
                });
                looks.push(stack.bytes.clone());
                images.push(store.medium_mut().driver_mut().image().to_vec());
            }
            let secrets: Vec<_> = images.iter().flat_map(|image| secrets(image)).collect();
            for (step, look) in looks.into_iter().enumerate() {
                stack.bytes = look;
                assert_eq!(stack.pieces_of(&secrets), 0, "step {step}");
            }
        })
        .expect("a thread")
        .join()
        .expect("no piece");
}

/// A part with a store of one item, and the keys on it.
fn with_an_item<I: Memory + Default>() -> (Nor<4, 4096>, Vec<Vec<u8>>) {
    let mut part = Nor::new(48 * 1024);
    let mut random = random(1);
    let store = Store::format(part.medium(), I::default(), &root_key(), LABEL, &mut random);
    store
        .expect("blank")
        .put(&TYPED, &value(), &mut random)
        .expect("room");
    let secrets = secrets(part.image());
    (part, secrets)
}

/// Pieces of keys below the frame of whoever found a store.
fn left_by_a_mount<I: Memory + Default>(stack: &mut Stack) -> usize {
    let (mut part, secrets) = with_an_item::<I>();
    let (medium, key) = (part.medium(), root_key());
    Stack::wipe();
    let found = Store::mount(medium, I::default(), &key, LABEL);
    stack.read();
    assert!(found.is_ok());
    stack.pieces_of(&secrets)
}

fn left_by_an_eraser<I: Memory + Default>(stack: &mut Stack) -> usize {
    let (mut part, secrets) = with_an_item::<I>();
    let (medium, key, mut random) = (part.medium(), root_key(), random(2));
    let mut eraser = Eraser::new(&mut []).expect("no areas");
    Stack::wipe();
    let found = eraser.mount(medium, I::default(), &key, LABEL, &mut random);
    stack.read();
    assert!(found.is_ok());
    stack.pieces_of(&secrets)
}

fn left_by_a_resealing<I: Memory + Default>(stack: &mut Stack) -> usize {
    let (mut part, secrets) = with_an_item::<I>();
    let (mut medium, key, mut random) = (part.medium(), root_key(), random(2));
    let mut own = ROOT;
    own[3] ^= 0x55;
    let own = RootKey::new(own).expect("in no list");
    Stack::wipe();
    let found = reseal::<_, I, _>(&mut medium, &key, &own, LABEL, &mut random);
    stack.read();
    assert!(found.is_ok());
    stack.pieces_of(&secrets)
}

fn left_by_an_end<I: Memory + Default>(stack: &mut Stack) -> usize {
    let (mut part, _) = with_an_item::<I>();
    let (key, mut random) = (root_key(), random(2));
    let mut store = Store::mount(part.medium(), I::default(), &key, LABEL).expect("a store");
    let mut eraser = Eraser::new(&mut []).expect("no areas");
    let plan = eraser
        .plan(&mut store, Scope::Decommission)
        .expect("nothing is under way");
    eraser.carry_out(&mut store, plan, &mut random).expect("room");
    // What is still worth something: the keys of the ledger, and what was derived of them.
    let secrets = secrets(store.medium_mut().driver_mut().image());
    // Where the store was until here it is this test's own.
    Stack::wipe();
    let ended = eraser.finish(store, Exported::acknowledged(), &mut random);
    stack.read();
    assert!(ended.is_ok());
    stack.pieces_of(&secrets)
}

/// With a closure that is moved about with a table of somebody else's.
fn left_by_a_salvage<I: Memory + Default>(stack: &mut Stack) -> usize {
    let (mut part, secrets) = with_an_item::<I>();
    let (medium, key, mut table) = (part.medium(), root_key(), [0_u8; 16_000]);
    Stack::wipe();
    let salvaged = Store::salvage(medium, I::default(), &key, LABEL, move |_| {
        std::hint::black_box(&mut table)[5] += 1;
    });
    stack.read();
    assert_eq!(salvaged.expect("a store").items, 1);
    stack.pieces_of(&secrets)
}

#[test]
fn no_piece_of_a_key_is_below_whoever_found_a_store_on_any_way_with_any_memory() {
    let thread = std::thread::Builder::new().stack_size(4 * 1024 * 1024);
    let found = thread.spawn(|| {
        let mut stack = Stack::new();
        assert_eq!(left_by_a_mount::<Ram<32, 256>>(&mut stack), 0);
        assert_eq!(left_by_a_mount::<Ram<512, 1024, 40>>(&mut stack), 0);
        assert_eq!(left_by_an_eraser::<Ram<32, 256>>(&mut stack), 0);
        assert_eq!(left_by_an_eraser::<Ram<512, 1024, 40>>(&mut stack), 0);
        assert_eq!(left_by_a_salvage::<Ram<32, 256>>(&mut stack), 0);
        assert_eq!(left_by_a_salvage::<Ram<512, 1024, 40>>(&mut stack), 0);
        assert_eq!(left_by_a_resealing::<Ram<32, 256>>(&mut stack), 0);
        assert_eq!(left_by_a_resealing::<Ram<512, 1024, 40>>(&mut stack), 0);
        assert_eq!(left_by_an_end::<Ram<32, 256>>(&mut stack), 0);
        assert_eq!(left_by_an_end::<Ram<512, 1024, 40>>(&mut stack), 0);
    });
    found.expect("a thread").join().expect("no piece");
}

#[test]
fn no_piece_of_a_value_is_below_whoever_read_it_however_large_it_is() {
    fn same(_: u8, bytes: &[u8]) -> Result<Secret<2600>, CodecError> {
        Secret::decode(bytes)
    }
    const LARGE: Key<Secret<2600>> = Key::new("large", Class::Settings);
    const LATER: Key<Secret<2600>> = Key::new("large", Class::Settings).version(1).migrate(same);
    let thread = std::thread::Builder::new().stack_size(4 * 1024 * 1024);
    let read = thread.spawn(|| {
        let mut stack = Stack::new();
        let (mut part, mut random) = (Nor::<4, 4096>::new(48 * 1024), random(1));
        let memory = Ram::<32, 3000>::new();
        let store = Store::format(part.medium(), memory, &root_key(), LABEL, &mut random);
        let mut store = store.expect("blank");
        // No byte of it stands for another.
        let mut word = 1_u32;
        let value = Secret::new(std::array::from_fn(|_| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word.to_be_bytes()[0]
        }));
        store.put(&LARGE, &value, &mut random).expect("room");
        Stack::wipe();
        let got = store.get(&LARGE);
        stack.read();
        let got = got.expect("opens").expect("there");
        assert_eq!(got.expose(), value.expose());
        let pieces: Vec<Vec<u8>> = value.expose().chunks(40).map(<[u8]>::to_vec).collect();
        assert_eq!(stack.pieces_of(&pieces), 0);
        drop(got);
        Stack::wipe();
        let upgraded = store.upgrade(&LATER, &mut random);
        stack.read();
        assert_eq!(upgraded, Ok(true));
        assert_eq!(stack.pieces_of(&pieces), 0);
    });
    read.expect("a thread").join().expect("no piece");
}

#[cfg(feature = "async")]
#[test]
fn no_piece_of_a_key_of_the_cipher_is_on_the_stack_after_a_call_of_the_async_face() {
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(|| {
            let mut stack = Stack::new();
            let (mut part, mut random) = (Nor::<4, 1024>::new(16 * 1024), random(1));
            let key = root_key();
            let made = ready(AsyncStore::format(
                part.medium(),
                Ram::<48, 900>::new(),
                &key,
                LABEL,
                &mut random,
            ));
            let mut store = made.expect("blank");
            let value = value();
            let mut out = [0; 40];
            for is_get in [false, true] {
                stack.read_after(&mut || {
                    if is_get {
                        let got = ready(store.get_bytes(Class::Settings, "a", &mut out));
                        assert_eq!(got, Ok(Some(40)));
                    } else {
                        let put = ready(store.put_bytes(Class::Settings, "a", value.expose(), &mut random));
                        put.expect("room");
                    }
                });
                let image = store.medium_mut().driver_mut().image().to_vec();
                assert_eq!(stack.pieces_of(&keys_of_the_cipher(&image)), 0, "get: {is_get}");
            }
        })
        .expect("a thread")
        .join()
        .expect("no piece");
}

//= compliance/requirements.md#secret-2
//= type=test
//# A secret MUST be wiped when it is dropped.
#[test]
fn a_secret_is_wiped_where_it_lay_when_it_is_dropped() {
    let memory = Stack::new().memory;
    let mut place = Some(value());
    let address = std::ptr::from_ref(place.as_ref().expect("there").expose()).addr() as u64;
    let mut bytes = [0; 40];
    memory.read_exact_at(&mut bytes, address).expect("is mapped");
    assert_eq!(&bytes, value().expose());
    place = None;
    memory.read_exact_at(&mut bytes, address).expect("is mapped");
    assert!(std::hint::black_box(&place).is_none());
    assert_eq!(bytes, [0; 40]);
}

#[test]
fn a_secret_that_a_call_leaves_is_found() {
    let mut stack = Stack::new();
    let secrets = vec![value().expose().to_vec(); 5];
    stack.read_after(&mut || {
        let copy: [u8; 40] = *value().expose();
        std::hint::black_box(&copy);
    });
    assert!(stack.pieces_of(&secrets) > 0);
}
