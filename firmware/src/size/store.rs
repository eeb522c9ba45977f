//! The store: mounted or made, an item put, read and removed, a class erased.
//!
//! ```text
//!  store (this file)
//!  board
//! ```
#![no_std]
#![no_main]

mod board;

use core::hint::black_box;

fn store() -> Option<()> {
    let mut store = board::start()?;
    board::work(&mut store)
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(store());
}
