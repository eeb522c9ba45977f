//! Nothing: what a program is without the crate.
//!
//! ```text
//!  nothing (this file)
//!  board
//! ```
#![no_std]
#![no_main]

use core::hint::black_box;

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(());
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
