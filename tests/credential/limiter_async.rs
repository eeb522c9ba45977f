//! The async face: drivers that pend, and futures that are dropped at any of their awaits.

use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::rc::Rc;

use bydesign::credential::limiter::AsyncLimiter;
use bydesign::flash::Overwritable;
use bydesign::store::AsyncStore;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

use crate::rig::{AWAKE, Board, COUNTING, Memory, Over, Part, UNIT, root_key};

/// A driver that pends once before each call, and counts.
struct Pending {
    part: Part,
    waits: Rc<Cell<u32>>,
}

struct Once(bool);

impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if core::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Pending {
    async fn wait(&self) {
        self.waits.set(self.waits.get() + 1);
        Once(false).await;
    }
}

impl ErrorType for Pending {
    type Error = <Part as blocking::ErrorType>::Error;
}

impl ReadNorFlash for Pending {
    const READ_SIZE: usize = 1;
    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.wait().await;
        blocking::ReadNorFlash::read(&mut self.part, offset, bytes)
    }
    fn capacity(&self) -> usize {
        blocking::ReadNorFlash::capacity(&self.part)
    }
}

impl NorFlash for Pending {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = UNIT;
    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.wait().await;
        blocking::NorFlash::erase(&mut self.part, from, to)
    }
    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.wait().await;
        blocking::NorFlash::write(&mut self.part, offset, bytes)
    }
}

impl MultiwriteNorFlash for Pending {}

/// Polls so often, and gives up then.
fn poll_for<F: Future>(future: F, polls: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
    }
    None
}

fn finish<F: Future>(future: F) -> F::Output {
    poll_for(future, u32::MAX).expect("ready")
}

#[test]
fn an_attempt_that_is_dropped_at_any_await_gives_no_free_guess_and_no_broken_limiter() {
    let mut dropped = 0;
    for polls in 0.. {
        let mut board = Board::<Over>::new(COUNTING);
        let waits = Rc::new(Cell::new(0));
        let pending = |part: Part| {
            Overwritable::from_async(Pending {
                part,
                waits: waits.clone(),
            })
        };
        let mut random = ChaCha20Rng::seed_from_u64(u64::from(polls));
        let store = pending(board.part(0, 16 * UNIT));
        let mut store =
            finish(AsyncStore::mount(store, Memory::new(), &root_key(), "device")).expect("mounts");
        let area = pending(board.area.clone());
        let mut limiter =
            finish(AsyncLimiter::mount(area, &mut store, "owner", COUNTING, AWAKE)).expect("mounts");
        let mut checks = 0;
        let first = poll_for(limiter.attempt(&mut store, AWAKE, &mut random), polls);
        let was_dropped = first.is_none();
        if let Some(permit) = first {
            permit.expect("a permit").fail();
            checks += 1;
        }
        // The same limiter goes on.
        let permit = finish(limiter.attempt(&mut store, AWAKE, &mut random)).expect("a permit");
        permit.fail();
        checks += 1;
        let counted = limiter.standing(&store, AWAKE).failures;
        assert!(
            (checks..=checks + 1).contains(&counted),
            "after {polls} polls: {counted}"
        );
        assert_eq!(board.failures(), counted);
        if !was_dropped {
            break;
        }
        dropped += 1;
    }
    assert!(dropped > 20, "{dropped}");
}

#[test]
fn a_success_that_is_dropped_counts_or_does_not() {
    let mut outcomes = [0, 0];
    for polls in 0..40 {
        let mut board = Board::<Over>::new(COUNTING);
        let waits = Rc::new(Cell::new(0));
        let pending = |part: Part| {
            Overwritable::from_async(Pending {
                part,
                waits: waits.clone(),
            })
        };
        let mut random = ChaCha20Rng::seed_from_u64(polls.into());
        let store = pending(board.part(0, 16 * UNIT));
        let mut store =
            finish(AsyncStore::mount(store, Memory::new(), &root_key(), "device")).expect("mounts");
        let area = pending(board.area.clone());
        let mut limiter =
            finish(AsyncLimiter::mount(area, &mut store, "owner", COUNTING, AWAKE)).expect("mounts");
        let permit = finish(limiter.attempt(&mut store, AWAKE, &mut random)).expect("a permit");
        let settled = poll_for(permit.succeed(), polls);
        let failures = board.failures();
        assert!(failures <= 1);
        if settled.is_some_and(|settled| settled.is_ok()) {
            assert_eq!(failures, 0, "acknowledged");
            outcomes[0] += 1;
        } else {
            outcomes[1] += 1;
        }
        finish(limiter.attempt(&mut store, AWAKE, &mut random))
            .expect("a permit")
            .fail();
        assert!((1..=2).contains(&board.failures()));
    }
    assert!(outcomes[0] > 0 && outcomes[1] > 0, "{outcomes:?}");
}
