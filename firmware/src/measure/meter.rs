//! What an operation takes: instructions by the emulator's exact clock, stack by what it overwrites of a painted stretch.
//!
//! ```text
//!  measure
//!    meter    (this file)
//! ```
//!
//! Arm: with `-icount shift=6` an instruction takes 64 ns of virtual time, and the board's timer ticks every 40 or 50 ns. RISC-V: with
//! `-icount shift=0` the core's own counter counts instructions.

use core::arch::asm;
use core::hint::black_box;

use semihosting::println;

/// More than any operation's stack.
const PAINTED: usize = 96 * 1024;
const PAINT: u32 = 0xa5c3_5a3c;
/// Between the frame that paints and what it paints.
const MARGIN: usize = 256;

#[cfg(target_arch = "arm")]
mod counter {
    /// CMSDK timer 0: control, value, reload.
    const TIMER: *mut u32 = 0x4000_0000 as *mut u32;
    /// Nanoseconds of a tick: 25 MHz, and 20 MHz on the board with the Cortex-M33.
    const TICK_NS: u64 = if cfg!(armv8m) { 50 } else { 40 };
    const INSTRUCTION_NS: u64 = 64;

    pub(super) fn start() {
        // SAFETY: registers that nobody else has.
        unsafe {
            TIMER.write_volatile(0);
            TIMER.add(2).write_volatile(u32::MAX);
            TIMER.add(1).write_volatile(u32::MAX);
            TIMER.write_volatile(1);
        }
    }

    pub(super) fn ticks() -> u32 {
        // SAFETY: as above.
        unsafe { !TIMER.add(1).read_volatile() }
    }

    pub(super) fn instructions(ticks: u32) -> u64 {
        u64::from(ticks) * TICK_NS / INSTRUCTION_NS
    }
}

#[cfg(target_arch = "riscv32")]
mod counter {
    pub(super) fn start() {}

    pub(super) fn ticks() -> u32 {
        let count;
        // SAFETY: reads a counter.
        unsafe { core::arch::asm!("rdinstret {}", out(reg) count, options(nomem, nostack)) };
        count
    }

    pub(super) fn instructions(ticks: u32) -> u64 {
        ticks.into()
    }
}

/// Once, before the first measurement.
pub(crate) fn start() {
    counter::start();
}

#[inline(always)]
fn stack_pointer() -> usize {
    let pointer;
    #[cfg(target_arch = "arm")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "riscv32")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mv {}, sp", out(reg) pointer, options(nomem, nostack, preserves_flags));
    }
    pointer
}

/// Runs an operation, and prints its name, instructions and bytes of stack below the caller of this.
#[inline(never)]
pub(crate) fn measured<R>(name: &str, operation: impl FnOnce() -> R) -> R {
    let top = (stack_pointer() - MARGIN) & !3;
    let words = (top - PAINTED) as *mut u32;
    let count = PAINTED / 4;
    for word in 0..count {
        // SAFETY: stack that nobody uses now: the boards have more.
        unsafe { words.add(word).write_volatile(PAINT) };
    }
    let empty = counter::ticks();
    let before = counter::ticks();
    let output = apart(operation);
    let after = counter::ticks();
    // SAFETY: as above.
    let untouched = (0..count)
        .take_while(|&word| unsafe { words.add(word).read_volatile() } == PAINT)
        .count();
    let stack = top + MARGIN - (words as usize + 4 * untouched);
    let ticks = after
        .wrapping_sub(before)
        .saturating_sub(before.wrapping_sub(empty));
    println!("{name}\t{}\t{stack}", counter::instructions(ticks));
    black_box(output)
}

#[inline(never)]
fn apart<R>(operation: impl FnOnce() -> R) -> R {
    operation()
}
