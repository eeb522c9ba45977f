//! How deep the stack goes in each operation of telemetry, and in those of the store below it: it is painted before, and looked at behind.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::fmt::Write as _;
use core::hint::black_box;
use core::mem::size_of;

use bydesign::flash::WriteOnce;
use bydesign::secret::RootKey;
use bydesign::store::{Class, Ram, Store};
use bydesign::telemetry::{Extremes, Gate, Histogram, Place, Prepared, Raw, Tally, Time};
use part::{CAPACITY, Part, Random};
use thermostat::{COMFORTABLE, Climate, HABITS, HEATING, Thermostat};

#[allow(dead_code)]
#[path = "../../../tests/wiping/src/part.rs"]
mod part;
#[allow(dead_code)]
#[path = "../../../examples/thermostat/declaration.rs"]
mod thermostat;

// No start-up code is needed: the emulator loads every section where it belongs and clears the rest.
global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top",
    ".word begin",
    ".text",
    ".global begin",
    ".thumb_func",
    "begin:",
    // the floating point unit, which compiled code may use
    "ldr r0, =0xe000ed88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xf00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "bl main",
    "b .",
);

unsafe extern "C" {
    static ram_start: u8;
}

const PAINT: u32 = 0xa5c3_965a;
const ROOT: [u8; 32] = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";

static mut FLASH: [u8; CAPACITY] = [0xff; CAPACITY];

/// The debugger's channel, which the emulator prints.
struct Host;

/// # Safety
///
/// The argument is what the semihosting specification says for this operation.
unsafe fn call(operation: usize, argument: usize) {
    unsafe { asm!("bkpt 0xab", inlateout("r0") operation => _, in("r1") argument, options(nostack)) };
}

impl core::fmt::Write for Host {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        for byte in text.bytes() {
            let letter = [byte, 0];
            // SAFETY: SYS_WRITE0 takes the address of a text that ends with 0.
            unsafe { call(4, letter.as_ptr().addr()) };
        }
        Ok(())
    }
}

/// Bytes of stack below the caller's that the work takes.
#[inline(never)]
fn depth<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let pointer: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    let bottom = (&raw const ram_start).addr();
    // SAFETY: below the stack pointer nothing lives; the words belong to the stack.
    unsafe {
        let mut at = bottom;
        while at < pointer {
            (at as *mut u32).write_volatile(PAINT);
            at += 4;
        }
    }
    let made = apart(work);
    let mut at = bottom;
    // SAFETY: as above.
    while at < pointer && unsafe { (at as *const u32).read_volatile() } == PAINT {
        at += 4;
    }
    (pointer - at, made)
}

#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn week(now: Time) -> Climate {
    let (mut extremes, mut quarters, mut tally) = (Extremes::new(), Histogram::new(), Tally::new());
    extremes.add(&Raw::new(black_box(20_000_i32)));
    quarters.add(&Raw::new(black_box(20_000_i32)), &COMFORTABLE);
    tally.add(3);
    Climate {
        week: Raw::new(now),
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

type Memory = Ram<32, 540>;

fn print(name: &str, bytes: usize) {
    let _ = writeln!(Host, "| {name} | {bytes} |");
}

/// Runs, and prints a row; nothing comes back of what fails.
macro_rules! measured {
    ($name:literal, $work:expr) => {{
        let (bytes, made) = depth(|| $work);
        let made = made.ok()?;
        print($name, bytes);
        made
    }};
}

fn run(flash: &'static mut [u8]) -> Option<()> {
    let (root_key, gate) = (RootKey::new(ROOT).ok()?, Gate::<Thermostat>::new());
    let (mut random, now) = (Random::new(7), Time::of(1_790_000_000));
    let (bytes, store) = depth(|| {
        Store::format(WriteOnce::new(Part(flash)), Memory::new(), &root_key, "label", &mut random)
    });
    let mut store = store.ok()?;
    print("store: format", bytes);
    let class = Class::Settings;
    measured!("store: put of 64 bytes", store.put_bytes(class, "name", &[7; 64], &mut random));
    measured!("store: get", store.get_bytes(class, "name", &mut [0; 64]));
    measured!("store: erase of a class", store.erase(class, &mut random));
    measured!("telemetry: grant", gate.grant(&mut store, HEATING.number, now, &mut random));
    gate.grant(&mut store, HABITS.number, now, &mut random).ok()?;
    let prepared = measured!("telemetry: prepare", gate.prepare(&mut store, week(now), now, &mut random));
    measured!("telemetry: release", gate.release(&mut store, prepared, now, &mut random));
    measured!("telemetry: submit", gate.submit(&mut store, week(now), now, &mut random));
    let mut out = [0; 64];
    let later = Time::of(1_790_000_000 + 86_400);
    let waiting = measured!("telemetry: next", gate.next(&mut store, later, &mut out, &mut random))?;
    measured!("telemetry: acknowledge", gate.acknowledge(&mut store, waiting, &mut random));
    measured!("telemetry: withdraw", gate.withdraw(&mut store, HABITS.number, later, &mut random));
    print("kept: a prepared report", size_of::<Prepared<Thermostat, Climate>>());
    print("kept: the gate", size_of::<Gate<Thermostat>>());
    print("kept: the store, with `Ram<32, 540>`", size_of_val(&store));
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    // SAFETY: one thread, no interrupts; the flash is handed out once.
    let done = run(unsafe { &mut *(&raw mut FLASH) }).is_some();
    // ADP_Stopped_ApplicationExit, or a failure
    unsafe { call(0x18, if done { 0x20026 } else { 0x20023 }) };
    loop {}
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
