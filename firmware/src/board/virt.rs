//! QEMU `virt`: RISC-V 32, and two NOR chips side by side in its memory.
//!
//! ```text
//!  board
//!    virt     (this file)
//!  moments
//!  part::cfi_nor
//! ```

use core::arch::global_asm;
use core::fmt;

use bydesign::flash::{Blocking, WriteOnce};

use super::moments::Moments;
use crate::orders::Orders;
use crate::part::PartError;
use crate::part::cfi_nor::CfiNor;
use crate::part::partition::Partition;

global_asm!(
    ".section .init",
    ".globl _start",
    "_start:",
    "la sp, _stack_top",
    "la t0, _sbss",
    "la t1, _ebss",
    "1: bgeu t0, t1, 2f",
    "sw zero, 0(t0)",
    "addi t0, t0, 4",
    "j 1b",
    "2: call begin",
    "3: j 3b",
);

const FLASH: *mut u32 = 0x2200_0000 as *mut u32;
const FLASH_BYTES: usize = 32 * 1024 * 1024;
const UART: *mut u8 = 0x1000_0000 as *mut u8;
/// What is written here ends the emulator.
const FINISHER: *mut u32 = 0x0010_0000 as *mut u32;
const OFF: u32 = 0x5555;
const ORDERS: *const Orders = 0x8080_0000 as *const Orders;

/// The chips' driver, and the moments at which their power goes.
pub type Chip = Moments<CfiNor>;
/// To the store, the chips are write-once.
pub type Medium<'a> = WriteOnce<Blocking<Partition<'a, Chip>>>;

/// What a stretch of the chips is to the store.
pub fn medium(partition: Partition<'_, Chip>) -> Medium<'_> {
    WriteOnce::new(partition)
}

/// Units of the store's partition; the limiter's is behind it.
pub const STORE_UNITS: usize = 4;

/// The chips. Call it once.
///
/// # Errors
///
/// None; other boards have some.
pub fn chip(orders: &Orders) -> Result<Chip, PartError> {
    // SAFETY: the board has them there.
    let chips = unsafe { CfiNor::new(FLASH, FLASH_BYTES) };
    Ok(Moments::new(chips, orders, power_off))
}

/// At once: not one more word is programmed.
fn power_off() -> ! {
    // SAFETY: a register of the board.
    unsafe { FINISHER.write_volatile(OFF) };
    rest()
}

/// What the host ordered.
#[must_use]
pub fn orders() -> Option<Orders> {
    // SAFETY: behind the image's memory, `link.x`.
    unsafe { Orders::read(ORDERS) }
}

/// Nothing: this board is turned off at a moment of its flash, or by the host.
pub fn cut_after(_ticks: u32) {}

/// The serial line.
pub struct Serial;

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the transmit register; the emulated line is never busy.
            unsafe { UART.write_volatile(byte) };
        }
        Ok(())
    }
}

/// Nothing is left to do; whoever watches the line turns the board off.
pub fn rest() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
