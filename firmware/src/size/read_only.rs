//! The store, mounted and read: what a boot loader takes.
//!
//! ```text
//!  read_only (this file)
//!  board
//! ```
#![no_std]
#![no_main]

#[allow(dead_code)]
mod board;

use core::hint::black_box;

use board::{Flash, Memory};
use bydesign::flash::Overwritable;
use bydesign::secret::RootKey;
use bydesign::store::{Class, Store};

fn read() -> Option<()> {
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    let mut store = Store::mount(Overwritable::new(Flash), Memory::new(), &root_key, "label").ok()?;
    let mut out = [0; 64];
    black_box(
        store
            .get_bytes(Class::Settings, black_box("name"), &mut out)
            .ok()?,
    );
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(read());
}
