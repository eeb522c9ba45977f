//! Instructions and stack of each operation, on emulated cores that count the one exactly: `cargo xtask costs` runs it and writes
//! `docs/firmware-costs.md`.
//!
//! ```text
//!  measure  (this file)     the operations
//!    meter                  the counter of the core or board, and the painted stack
//!  tests/wiping/src/part    flash in memory that costs next to nothing
//! ```
#![no_std]
#![no_main]

#[allow(dead_code, unreachable_pub)]
#[path = "../../examples/lifecycle/declaration.rs"]
mod declaration;
#[path = "measure/meter.rs"]
mod meter;
#[path = "../../tests/wiping/src/part.rs"]
mod part;
#[path = "measure/peers.rs"]
mod peers;
#[path = "measure/treatments.rs"]
mod treatments;

use core::hint::black_box;

use bydesign::credential::limiter::{Limiter, Moment, Policy};
use bydesign::credential::{Block, Cost, Verifier};
use bydesign::flash::{NeverPends, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Change, Class, Ram, Store};
use bydesign::telemetry::{Gate, Raw, Tally, Time};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use embedded_storage::nor_flash::MultiwriteNorFlash;
use semihosting::{print, println, process};

use meter::measured;
use part::{CAPACITY, Part, Random};

impl MultiwriteNorFlash for Part {}

type Memory = Ram<32, 256>;
type Failed = &'static str;

const VALUE: [u8; 64] = [0x5a; 64];
/// Plaintext of a record of such a value: link, name, value and a byte.
const TEXT: usize = 80;
const LABEL: &str = "measure";
const POLICY: Policy = Policy::new();
const NOW: Moment = Moment::Awake(1);

static mut FLASH: [u8; CAPACITY] = [0xff; CAPACITY];
static mut AREA: [u8; 2 * 2048] = [0xff; 2 * 2048];
static mut BLOCKS: [Block; 32] = [const { Block::new() }; 32];

/// Flash without anything on it.
fn blank() -> Part {
    // SAFETY: one thread; whoever had it before is gone.
    let flash = unsafe { &mut *(&raw mut FLASH) };
    flash.fill(0xff);
    Part(flash)
}

fn area() -> Part {
    // SAFETY: as above.
    let area = unsafe { &mut *(&raw mut AREA) };
    area.fill(0xff);
    Part(area)
}

fn root_key() -> Result<RootKey, Failed> {
    let mut bytes = [0; 32];
    let mut random = Random::new(20_261);
    rand_core::TryRng::try_fill_bytes(&mut random, &mut bytes).map_err(|_| "random")?;
    RootKey::new(bytes).map_err(|_| "root key")
}

fn cipher() -> Result<(), Failed> {
    let mut text = [0x5a; TEXT];
    let (key, nonce) = (black_box([7; 32]), black_box([9; 24]));
    let tag = measured("cipher alone, seal 80 bytes", || {
        XChaCha20Poly1305::new(&key.into()).encrypt_inout_detached(
            &nonce.into(),
            &[1; 16],
            text.as_mut_slice().into(),
        )
    });
    let tag = tag.map_err(|_| "seal")?;
    let opened = measured("cipher alone, open 80 bytes", || {
        XChaCha20Poly1305::new(&key.into()).decrypt_inout_detached(
            &nonce.into(),
            &[1; 16],
            text.as_mut_slice().into(),
            &tag,
        )
    });
    opened.map_err(|_| "open")
}

fn store<M: NeverPends>(kind: &str, medium: fn(Part) -> M) -> Result<(), Failed> {
    let root_key = root_key()?;
    let mut random = Random::new(1);
    print!("# {kind}\n");
    let made = measured("format", || {
        Store::format(medium(blank()), Memory::new(), &root_key, LABEL, &mut random)
    });
    let mut store = made.map_err(|_| "format")?;
    for name in ["a", "b", "c", "d"] {
        store
            .put_bytes(Class::Settings, name, &VALUE, &mut random)
            .map_err(|_| "put")?;
    }
    let medium_again = store.into_medium();
    let mounted = measured("mount, 4 items", || {
        Store::mount(medium_again, Memory::new(), &root_key, LABEL)
    });
    let mut store = mounted.map_err(|_| "mount")?;
    // The first put after a start opens a session.
    let put = measured("put, first after a start", || {
        store.put_bytes(Class::Settings, "a", &VALUE, &mut random)
    });
    put.map_err(|_| "put")?;
    let put = measured("put 64 bytes", || {
        store.put_bytes(Class::Settings, "a", &VALUE, &mut random)
    });
    put.map_err(|_| "put")?;
    let mut out = [0; 64];
    let got = measured("get 64 bytes", || store.get_bytes(Class::Settings, "a", &mut out));
    got.map_err(|_| "get")?;
    let got = measured("get, no such item", || {
        store.get_bytes(Class::Settings, "z", &mut out)
    });
    got.map_err(|_| "get")?;
    let changes = [
        Change::put_bytes(Class::Settings, "a", &VALUE),
        Change::put_bytes(Class::User, "b", &VALUE),
    ];
    measured("commit of two", || store.commit(&changes, &mut random)).map_err(|_| "commit")?;
    measured("remove", || store.remove_bytes(Class::Settings, "b", &mut random)).map_err(|_| "remove")?;
    measured("erase an item", || {
        store.erase_item(Class::Settings, "c", &mut random)
    })
    .map_err(|_| "erase item")?;
    measured("erase a class", || store.erase(Class::User, &mut random)).map_err(|_| "erase")?;

    let made = measured("limiter, create", || {
        Limiter::create(medium(area()), &mut store, "door", POLICY, NOW, &mut random)
    });
    let mut limiter = made.map_err(|_| "limiter")?;
    let permit = measured("limiter, attempt", || {
        limiter.attempt(&mut store, NOW, &mut random)
    });
    let permit = permit.map_err(|_| "attempt")?;
    measured("limiter, success", || permit.succeed())
        .map(drop)
        .map_err(|_| "success")
}

fn verifier() -> Result<(), Failed> {
    print!("# credentials\n");
    // SAFETY: one thread, once.
    let blocks = unsafe { &mut *(&raw mut BLOCKS) };
    let verifier = measured("hash of a password, 32 KiB, 16 passes", || {
        Verifier::of_issued(b"73914628", [7; 16], Cost::KIB_32, blocks)
    });
    verifier.map(drop).map_err(|_| "verifier")
}

fn telemetry() -> Result<(), Failed> {
    print!("# telemetry, overwritable\n");
    let root_key = root_key()?;
    let mut random = Random::new(2);
    let made = Store::format(
        Overwritable::new(blank()),
        Memory::new(),
        &root_key,
        LABEL,
        &mut random,
    );
    let mut store = made.map_err(|_| "format")?;
    let gate = Gate::<declaration::Household>::new();
    let now = Time::of(1_790_000_000);
    while let Some(purpose) = gate.question(&mut store).map_err(|_| "question")? {
        gate.grant(&mut store, purpose, now, &mut random)
            .map_err(|_| "grant")?;
    }
    let week = || {
        let (mut cuts, mut failed_logins) = (Tally::new(), Tally::new());
        cuts.add(3);
        failed_logins.add(1);
        declaration::Weekly {
            week: Raw::new(now),
            cuts: Raw::new(cuts),
            failed_logins: Raw::new(failed_logins),
            by_night: Raw::new(true),
            name: Raw::new(1),
        }
    };
    let week = week();
    let prepared = measured("prepare a report of five fields", || {
        gate.prepare(&mut store, week, now, &mut random)
    });
    let prepared = prepared.map_err(|_| "prepare")?;
    measured("release it", || {
        gate.release(&mut store, prepared, now, &mut random)
    })
    .map_err(|_| "release")?;
    let mut out = [0; 64];
    // When it is sent is drawn.
    let later = Time::of(1_790_000_000 + 86_400);
    let waiting = measured("take the next report", || {
        gate.next(&mut store, later, &mut out, &mut random)
    });
    let waiting = waiting.map_err(|_| "next")?.ok_or("no report")?;
    measured("acknowledge it", || {
        gate.acknowledge(&mut store, waiting, &mut random)
    })
    .map_err(|_| "acknowledge")
}

fn all() -> Result<(), Failed> {
    print!("# cipher\n");
    cipher()?;
    store("store, overwritable", Overwritable::new)?;
    store("store, write-once", WriteOnce::new)?;
    verifier()?;
    telemetry()?;
    treatments::all(&root_key()?)?;
    peers::all()
}

/// Where every board begins.
fn begin() -> ! {
    meter::start();
    match all() {
        Ok(()) => process::exit(0),
        Err(what) => {
            println!("failed: {what}");
            process::exit(1)
        }
    }
}

#[cfg(target_arch = "arm")]
#[cortex_m_rt::entry]
fn main() -> ! {
    begin()
}

#[cfg(target_arch = "riscv32")]
mod riscv {
    // The same start as the lifecycle's board.
    use firmware as _;

    #[unsafe(export_name = "begin")]
    extern "C" fn main() -> ! {
        super::begin()
    }
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    println!("failed: a panic");
    process::exit(1)
}
