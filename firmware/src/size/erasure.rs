//! The store, and erasures with a plan, a report and a receipt under a shared key.
//!
//! ```text
//!  erasure (this file)
//!  board
//! ```
#![no_std]
#![no_main]

mod board;

use core::hint::black_box;

use board::{Flash, Memory, Random};
use bydesign::erase::{Attester, DeviceInfo, Eraser, LONGEST_RECEIPT, Media, Scope};
use bydesign::flash::Overwritable;
use bydesign::secret::{RootKey, Secret};

fn erasure() -> Option<()> {
    let mut eraser = Eraser::new(&mut []).ok()?.on(Media::RawFlash);
    let root_key = RootKey::new(black_box([7; 32])).ok()?;
    drop(board::start()?);
    let flash = Overwritable::new(Flash);
    let (mut store, _) = eraser
        .mount(flash, Memory::new(), &root_key, "label", &mut Random)
        .ok()?;
    board::work(&mut store)?;
    let plan = eraser.plan(&mut store, Scope::FactoryReset).ok()?;
    let report = eraser.carry_out(&mut store, plan, &mut Random).ok()?;
    let device = DeviceInfo {
        manufacturer: black_box("m"),
        model: black_box("m"),
        serial: black_box("s"),
    };
    let mut out = [0; LONGEST_RECEIPT];
    let key = Secret::new(black_box([7; 32]));
    black_box(
        report
            .receipt(&device, Attester::SharedKey(&key), &mut out)
            .ok()?,
    );
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(erasure());
}
