//! What operations leave of keys and values on the stack, read through /proc by the thread that called them. `cargo xtask wiping` looks
//! further, at optimised programs and at a device.
#![cfg(target_os = "linux")]

#[path = "../examples/lifecycle/forensics.rs"]
mod forensics;
mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bydesign::secret::Secret;
use bydesign::store::{AsyncStore, Class, Key, Ram, UserId};
use support::{LABEL, Nor, Part, ROOT, format, random, root_key};

/// What is looked at below the test's frame, and wiped before.
const DEPTH: usize = 128 * 1024;
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
        let here = 0_u8;
        zeroize::zeroize_stack::<DEPTH>();
        operation();
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
