//! The cipher alone, sealing and opening: what the store is held against.
//!
//! ```text
//!  cipher (this file)
//!  board
//! ```
#![no_std]
#![no_main]

use core::hint::black_box;

use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

fn seal_and_open() -> Option<()> {
    let cipher = XChaCha20Poly1305::new(&black_box([7; 32]).into());
    let mut buffer = black_box([0; 64]);
    let nonce = black_box([0; 24]).into();
    let tag = cipher
        .encrypt_inout_detached(&nonce, black_box(b"head"), buffer.as_mut_slice().into())
        .ok()?;
    cipher
        .decrypt_inout_detached(&nonce, black_box(b"head"), buffer.as_mut_slice().into(), &tag)
        .ok()?;
    black_box(&buffer);
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(seal_and_open());
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        black_box(());
    }
}
