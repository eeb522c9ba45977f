//! The store, a limiter, and a password checked by Argon2id behind it.
//!
//! ```text
//!  password (this file)
//!  board
//! ```
#![no_std]
#![no_main]

mod board;

use core::hint::black_box;

use board::{Flash, Random};
use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy, Verdict};
use bydesign::credential::{Block, Cost, Verifier};
use bydesign::flash::Overwritable;

fn password() -> Option<()> {
    let mut store = board::start()?;
    board::work(&mut store)?;
    let (policy, now) = (Policy::new(), black_box(Moment::Awake(1)));
    let area = || Overwritable::new(Flash);
    let mounted = match Limiter::mount(area(), &mut store, "name", policy, now) {
        Err(AttemptError::Missing) => Limiter::create(area(), &mut store, "name", policy, now, &mut Random),
        mounted => mounted,
    };
    let mut limiter = mounted.ok()?;
    let mut blocks = [const { Block::new() }; 8];
    let cost = Cost::new(8, black_box(1))?;
    let verifier = Verifier::of_issued(black_box(b"73914628"), black_box([7; 16]), cost, &mut blocks).ok()?;
    let ready = verifier.ready(&mut blocks).ok()?;
    let permit = limiter.attempt(&mut store, now, &mut Random).ok()?;
    let Verdict::Right(right) = ready.check(black_box(b"73914628"), permit) else {
        return None;
    };
    let proven = right.settle().ok()?;
    limiter.clear(&mut store, &proven, now, &mut Random).ok()
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(password());
}
