//! The store, and reports through the gate: asked, prepared, released, sent.
//!
//! ```text
//!  telemetry (this file)
//!  board
//! ```
#![no_std]
#![no_main]

mod board;

use core::hint::black_box;

use board::Random;
use bydesign::telemetry::{Gate, Raw, Tally, Time};

#[allow(dead_code, unreachable_pub)]
#[path = "../../../examples/lifecycle/declaration.rs"]
mod declaration;

fn telemetry() -> Option<()> {
    let mut store = board::start()?;
    board::work(&mut store)?;
    let gate = Gate::<declaration::Household>::new();
    let now = Time::of(black_box(1_000_000));
    while let Some(purpose) = gate.question(&mut store).ok()? {
        gate.grant(&mut store, purpose, now, &mut Random).ok()?;
    }
    let (mut cuts, mut failed_logins) = (Tally::new(), Tally::new());
    cuts.add(black_box(3));
    failed_logins.add(black_box(3));
    let week = declaration::Weekly {
        week: Raw::new(now),
        cuts: Raw::new(cuts),
        failed_logins: Raw::new(failed_logins),
        by_night: Raw::new(black_box(true)),
        name: Raw::new(black_box(1)),
    };
    gate.submit(&mut store, week, now, &mut Random).ok()?;
    let mut out = [0; 64];
    let waiting = gate.next(&mut store, now, &mut out, &mut Random).ok()??;
    black_box(&out);
    gate.acknowledge(&mut store, waiting, &mut Random).ok()?;
    gate.withdraw(&mut store, black_box(1), now, &mut Random).ok()
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(telemetry());
}
