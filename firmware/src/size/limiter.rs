//! The store, and a limiter of attempts, whose checks are somebody else's (a PAKE's): no Argon2.
//!
//! ```text
//!  limiter (this file)
//!  board
//! ```
#![no_std]
#![no_main]

mod board;

use core::hint::black_box;

use board::{Flash, Random};
use bydesign::credential::Verifier;
use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy};
use bydesign::flash::Overwritable;

fn limiter() -> Option<()> {
    let mut store = board::start()?;
    board::work(&mut store)?;
    let (policy, now) = (Policy::new(), black_box(Moment::Awake(1)));
    let area = || Overwritable::new(Flash);
    let mounted = match Limiter::mount(area(), &mut store, "name", policy, now) {
        Err(AttemptError::Missing) => Limiter::create(area(), &mut store, "name", policy, now, &mut Random),
        mounted => mounted,
    };
    let mut limiter = mounted.ok()?;
    black_box(Verifier::from_phc(black_box("")).ok()?);
    let permit = limiter.attempt(&mut store, now, &mut Random).ok()?;
    if black_box(true) {
        let proven = permit.succeed().ok()?;
        limiter.clear(&mut store, &proven, now, &mut Random).ok()?;
    } else {
        permit.fail();
    }
    black_box(limiter.standing(&store, now));
    Some(())
}

#[unsafe(no_mangle)]
extern "C" fn begin() {
    black_box(limiter());
}
