//! One operation of the store, so many times, for a tool that counts instructions: `cargo xtask instructions` runs this under
//! valgrind's callgrind and writes `docs/instructions.md`. Or by the clock.
//!
//! ```text
//!  cargo bench --bench instructions -- NAME
//!  cargo bench --bench instructions -- --nanoseconds [part of a NAME]
//! ```
//!
//! Without arguments it prints the names. Only what runs inside [`measured`] is counted or timed.

use std::hint::black_box;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bydesign::credential::limiter::{Limiter, Moment, Policy};
use bydesign::credential::{Block, Cost, Verifier};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Change, Class, Key, Ram, Store};
use bydesign::telemetry::{Extremes, Gate, Histogram, Place, Raw, Tally, Time};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, XChaCha20Poly1305};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};

#[allow(dead_code, unreachable_pub)]
#[path = "../examples/thermostat/declaration.rs"]
mod thermostat;

const PAGE: usize = 4096;
const CAPACITY: usize = 128 * 1024;
const ROOT: [u8; 32] = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
const VALUE: [u8; 64] = [0x5a; 64];
/// Plaintext of a record of such a value: name, value and a byte.
const TEXT: usize = 72;
/// Associated data of a record.
const ASSOCIATED: [u8; 16] = [1; 16];

type Memory = Ram<600, 256>;

/// Flash that costs next to nothing, so that the store is what is counted.
struct Bytes(Vec<u8>);

impl ErrorType for Bytes {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Bytes {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let at = offset as usize;
        bytes.copy_from_slice(&self.0[at..at + bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Bytes {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.0[from as usize..to as usize].fill(0xff);
        Ok(())
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let at = offset as usize;
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

impl MultiwriteNorFlash for Bytes {}

trait Part: NeverPends + Sized {
    fn blank() -> Self;
}

impl Part for WriteOnce<bydesign::flash::Blocking<Bytes>> {
    fn blank() -> Self {
        WriteOnce::new(Bytes(vec![0xff; CAPACITY]))
    }
}

impl Part for Overwritable<bydesign::flash::Blocking<Bytes>> {
    fn blank() -> Self {
        Overwritable::new(Bytes(vec![0xff; CAPACITY]))
    }
}

type Once = WriteOnce<bydesign::flash::Blocking<Bytes>>;
type Over = Overwritable<bydesign::flash::Blocking<Bytes>>;

/// Whether operations are timed and not counted.
static IS_TIMED: AtomicBool = AtomicBool::new(false);

/// What the tool counts.
#[inline(never)]
fn measured(operation: impl FnMut(u32), times: u32) {
    if IS_TIMED.load(Ordering::Relaxed) {
        timed(operation, times);
    } else {
        repeated(operation, 0..times);
    }
}

fn repeated(mut operation: impl FnMut(u32), numbers: Range<u32>) {
    for number in numbers {
        operation(black_box(number));
    }
}

/// Prints the middle of up to a hundred stretches: on a busy machine most of them are left alone.
fn timed(mut operation: impl FnMut(u32), times: u32) {
    let stretch = times.div_ceil(100);
    let mut runs: Vec<u128> = (0..times / stretch)
        .map(|number| {
            let begun = Instant::now();
            repeated(&mut operation, number * stretch..(number + 1) * stretch);
            begun.elapsed().as_nanos() / u128::from(stretch)
        })
        .collect();
    runs.sort_unstable();
    println!("{:>12} ns", runs[runs.len() / 2]);
}

fn random() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(20_261_125)
}

fn root_key() -> RootKey {
    RootKey::new(ROOT).expect("a key")
}

fn format<P: Part>() -> Store<P, Memory> {
    Store::format(P::blank(), Memory::new(), &root_key(), "bench", &mut random()).expect("blank flash")
}

fn name(number: u32) -> String {
    format!("item-{number:02}")
}

/// So many items, each updated a few times.
fn filled<P: Part>(items: u32) -> Store<P, Memory> {
    let (mut store, mut random) = (format::<P>(), random());
    for number in 0..items * 3 {
        store
            .put_bytes(Class::Settings, &name(number % items), &VALUE, &mut random)
            .expect("room");
    }
    store
}

fn get<P: Part>(items: u32, times: u32) {
    let mut store = filled::<P>(items);
    let names: Vec<String> = (0..items).map(name).collect();
    let mut out = [0; 64];
    measured(
        |number| {
            let name = &names[(number % items) as usize];
            let found = store.get_bytes(Class::Settings, name, &mut out);
            assert_eq!(found, Ok(Some(64)));
        },
        times,
    );
}

fn get_absent(times: u32) {
    let mut store = filled::<Once>(80);
    measured(
        |_| assert_eq!(store.contains_bytes(Class::Settings, "nothing"), Ok(false)),
        times,
    );
}

fn put<P: Part>(items: u32, times: u32) {
    let (mut store, mut random) = (filled::<P>(items), random());
    let names: Vec<String> = (0..items).map(name).collect();
    measured(
        |number| {
            let name = &names[(number % items) as usize];
            let put = store.put_bytes(Class::Settings, name, &VALUE, &mut random);
            assert_eq!(put, Ok(()));
        },
        times,
    );
}

fn put_and_remove(times: u32) {
    let (mut store, mut random) = (filled::<Once>(80), random());
    measured(
        |_| {
            let put = store.put_bytes(Class::Settings, "guest", &VALUE, &mut random);
            assert_eq!(put, Ok(()));
            let removed = store.remove_bytes(Class::Settings, "guest", &mut random);
            assert_eq!(removed, Ok(true));
        },
        times,
    );
}

const EIGHT: [Key<[u8; 32]>; 8] = [
    Key::new("item-a", Class::Settings),
    Key::new("item-b", Class::Settings),
    Key::new("item-c", Class::Settings),
    Key::new("item-d", Class::Settings),
    Key::new("item-e", Class::Settings),
    Key::new("item-f", Class::Settings),
    Key::new("item-g", Class::Settings),
    Key::new("item-h", Class::Settings),
];

fn commit(times: u32) {
    let (mut store, mut random) = (filled::<Once>(80), random());
    let value = [0x5a; 32];
    measured(
        |_| {
            let changes = EIGHT.each_ref().map(|key| Change::put(key, &value));
            assert_eq!(store.commit(&changes, &mut random), Ok(()));
        },
        times,
    );
}

fn erase_class(times: u32) {
    let (mut store, mut random) = (filled::<Once>(80), random());
    measured(
        |_| assert_eq!(store.erase(Class::User, &mut random), Ok(())),
        times,
    );
}

fn mount<P: Part>(items: u32, times: u32) {
    let mut medium = Some(filled::<P>(items).into_medium());
    let key = root_key();
    measured(
        |_| {
            let store = Store::mount(medium.take().expect("one"), Memory::new(), &key, "bench");
            medium = Some(store.expect("a store").into_medium());
        },
        times,
    );
}

/// What a check of a password is nearly all of.
fn verify(cost: Cost, times: u32) {
    let mut blocks = vec![Block::new(); cost.memory_kib() as usize];
    measured(
        |number| {
            let verifier = Verifier::of_issued(&number.to_le_bytes(), [7; 16], cost, &mut blocks);
            assert!(verifier.is_ok());
        },
        times,
    );
}

const NEVER: Policy = Policy::new().delays(0, 0);
const NOW: Moment = Moment::Awake(0);

fn limiter<P: Part>(store: &mut Store<P, Memory>) -> Limiter<P> {
    Limiter::create(P::blank(), store, "bench", NEVER, NOW, &mut random()).expect("created")
}

/// So many of them are marks; each eighth is a record.
fn attempt<P: Part>(times: u32) {
    let (mut store, mut random) = (filled::<P>(16), random());
    let mut limiter = limiter(&mut store);
    measured(
        |_| assert!(limiter.attempt(&mut store, NOW, &mut random).is_ok()),
        times,
    );
}

fn attempt_and_success<P: Part>(times: u32) {
    let (mut store, mut random) = (filled::<P>(16), random());
    let mut limiter = limiter(&mut store);
    measured(
        |_| {
            let permit = limiter.attempt(&mut store, NOW, &mut random);
            assert!(permit.is_ok_and(|permit| permit.succeed().is_ok()));
        },
        times,
    );
}

fn bare_seal(times: u32) {
    let mut text = [0x5a; TEXT];
    measured(
        |number| {
            let cipher = XChaCha20Poly1305::new(black_box(&[7; 32].into()));
            let nonce = [number.to_le_bytes()[0]; 24].into();
            let tag = cipher.encrypt_inout_detached(&nonce, &ASSOCIATED, text.as_mut_slice().into());
            black_box(tag.expect("short"));
        },
        times,
    );
}

macro_rules! bare_open {
    ($name:ident, $cipher:ident, $nonce:literal) => {
        fn $name(times: u32) {
            let (key, nonce) = ([7; 32].into(), [9; $nonce].into());
            let mut sealed = [0x5a; TEXT];
            let tag = $cipher::new(&key)
                .encrypt_inout_detached(&nonce, &ASSOCIATED, sealed.as_mut_slice().into())
                .expect("short");
            measured(
                |_| {
                    let mut text = black_box(sealed);
                    let cipher = $cipher::new(black_box(&key));
                    let opened =
                        cipher.decrypt_inout_detached(&nonce, &ASSOCIATED, text.as_mut_slice().into(), &tag);
                    assert!(opened.is_ok());
                    black_box(text);
                },
                times,
            );
        }
    };
}

bare_open!(bare_open, XChaCha20Poly1305, 24);
bare_open!(bare_open_ietf, ChaCha20Poly1305, 12);

/// A week of the example thermostat.
fn week() -> thermostat::Climate {
    let (mut extremes, mut quarters, mut tally) = (Extremes::new(), Histogram::new(), Tally::new());
    extremes.add(&Raw::new(20_000_i32));
    quarters.add(&Raw::new(20_000_i32), &thermostat::COMFORTABLE);
    tally.add(3);
    thermostat::Climate {
        week: Raw::new(Time::of(1_790_000_000)),
        temperature: Raw::new(black_box(20_000)),
        extremes: Raw::new(extremes),
        quarters: Raw::new(quarters),
        starts: Raw::new(tally.take()),
        place: Raw::new(Place {
            latitude: black_box(538_000_000),
            longitude: black_box(-15_500_000),
        }),
        at_home: Raw::new(black_box(true)),
        changes: Raw::new(tally.take()),
        programme: Raw::new(1),
    }
}

/// What telemetry needs beside little else.
type Little = Ram<64, 512>;

fn agreed() -> (Store<Once, Little>, ChaCha20Rng) {
    let mut random = random();
    let formatted = Store::format(Once::blank(), Little::new(), &root_key(), "bench", &mut random);
    let mut store = formatted.expect("blank flash");
    for purpose in [1, 2] {
        let granted = GATE.grant(&mut store, purpose, Time::of(1_790_000_000), &mut random);
        assert_eq!(granted, Ok(()));
    }
    (store, random)
}

const GATE: Gate<thermostat::Thermostat> = Gate::new();

/// Treated and encoded, with what is read of the store for that; nothing is written.
fn prepare_report(times: u32) {
    let (mut store, mut random) = agreed();
    let now = Time::of(1_790_000_000);
    let first = GATE
        .prepare(&mut store, week(), now, &mut random)
        .expect("agreed");
    assert_eq!(GATE.release(&mut store, first, now, &mut random), Ok(()));
    measured(
        |_| {
            let prepared = GATE.prepare(&mut store, week(), now, &mut random);
            assert!(prepared.is_ok_and(|prepared| prepared.bytes().len() == 30));
        },
        times,
    );
}

/// Treated, encoded and queued, one a day; nothing is debited but in the first week of an epoch.
fn submit_report(times: u32) {
    let (mut store, mut random) = agreed();
    measured(
        |number| {
            let now = Time::of(1_790_000_000 + u64::from(number) * 86_400);
            assert_eq!(GATE.submit(&mut store, week(), now, &mut random), Ok(()));
        },
        times,
    );
}

/// The same numbers, as they were measured, in the same encoding.
fn bare_encoding(times: u32) {
    let mut out = [0u8; 64];
    measured(
        |number| {
            let mut encoder = minicbor::Encoder::new(minicbor::encode::write::Cursor::new(&mut out[..]));
            let number = black_box(number);
            let report = encoder
                .array(3)
                .and_then(|out| out.u16(1)?.u16(1)?.map(8))
                .and_then(|out| out.u8(0)?.u64(1_790_000_000)?.u8(1)?.i32(20_000))
                .and_then(|out| out.u8(2)?.array(2)?.i32(15_000)?.i32(20_000))
                .and_then(|out| out.u8(3)?.array(4)?.u32(0)?.u32(10)?.u32(662)?.u32(0))
                .and_then(|out| out.u8(4)?.u32(number)?.u8(5)?.i32(538_000_000)?.i32(-15_500_000))
                .and_then(|out| out.u8(6)?.bool(true)?.u8(7)?.u32(3));
            assert!(report.is_ok());
        },
        times,
    );
    black_box(out);
}

/// A name, how often it is done, and how.
type Operation = (&'static str, u32, fn(u32));

/// What is measured.
const OPERATIONS: [Operation; 29] = [
    ("cipher alone, seal", 1_000, bare_seal),
    ("cipher alone, open", 1_000, bare_open),
    (
        "cipher alone, open with a nonce of 12 bytes",
        1_000,
        bare_open_ietf,
    ),
    ("get, write-once, 16 items", 1_000, |times| get::<Once>(16, times)),
    ("get, write-once, 500 items", 1_000, |times| {
        get::<Once>(500, times);
    }),
    ("get, overwritable, 80 items", 1_000, |times| {
        get::<Over>(80, times);
    }),
    ("get, no such item", 1_000, get_absent),
    ("put, write-once, 16 items", 2_000, |times| put::<Once>(16, times)),
    ("put, write-once, 80 items", 2_000, |times| put::<Once>(80, times)),
    ("put, write-once, 500 items", 2_000, |times| {
        put::<Once>(500, times);
    }),
    ("put, overwritable, 80 items", 2_000, |times| {
        put::<Over>(80, times);
    }),
    ("put and remove a new item, write-once", 1_000, put_and_remove),
    ("commit of eight, 32 bytes each, write-once", 200, commit),
    ("erase a class", 20, erase_class),
    ("mount, write-once, 16 items", 5, |times| mount::<Once>(16, times)),
    ("mount, write-once, 80 items", 5, |times| mount::<Once>(80, times)),
    ("mount, write-once, 500 items", 5, |times| {
        mount::<Once>(500, times);
    }),
    ("mount, overwritable, 80 items", 5, |times| {
        mount::<Over>(80, times);
    }),
    ("encoding of a report alone, untreated", 1_000, bare_encoding),
    ("prepare a report of nine fields", 1_000, prepare_report),
    ("submit a report of nine fields, write-once", 200, submit_report),
    ("attempt, overwritable", 800, attempt::<Over>),
    ("attempt, write-once", 800, attempt::<Once>),
    (
        "attempt and success, overwritable",
        800,
        attempt_and_success::<Over>,
    ),
    (
        "attempt and success, write-once",
        800,
        attempt_and_success::<Once>,
    ),
    ("hash of a password, 32 KiB", 2, |times| {
        verify(Cost::KIB_32, times);
    }),
    ("hash of a password, 64 KiB", 2, |times| {
        verify(Cost::KIB_64, times);
    }),
    ("hash of a password, 256 KiB", 2, |times| {
        verify(Cost::KIB_256, times);
    }),
    ("format", 5, |times| measured(|_| drop(format::<Once>()), times)),
];

fn main() -> ExitCode {
    // cargo adds an argument of its own.
    let arguments: Vec<String> = (std::env::args().skip(1))
        .filter(|argument| argument != "--bench")
        .collect();
    if let [option, part @ ..] = arguments.as_slice()
        && option == "--nanoseconds"
    {
        IS_TIMED.store(true, Ordering::Relaxed);
        let of_interest = |name: &str| part.iter().all(|part| name.contains(part.as_str()));
        for (name, times, run) in OPERATIONS.iter().filter(|(name, ..)| of_interest(name)) {
            println!("{name}");
            run(*times);
        }
        return ExitCode::SUCCESS;
    }
    let [name] = arguments.as_slice() else {
        for (name, times, _) in OPERATIONS {
            println!("{name}\t{times}");
        }
        return ExitCode::SUCCESS;
    };
    let Some((_, times, run)) = OPERATIONS.iter().find(|(known, ..)| known == name) else {
        eprintln!("no operation is called {name}");
        return ExitCode::FAILURE;
    };
    run(*times);
    ExitCode::SUCCESS
}
