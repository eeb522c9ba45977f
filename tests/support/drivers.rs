//! Drivers that misbehave: one that fails calls by script, one whose futures pend around every effect.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bydesign::flash::simulator::{Simulator, SimulatorError};
use bydesign::flash::{Medium, Overwritable, WriteOnce};
use bydesign::store::{AsyncStore, ReadError};
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

use crate::support::{BUFFER, Ecc, Memory, Model, Nor, Part, class};

/// Which calls fail: those of the given kinds, from one number to another.
#[derive(Default)]
pub struct Script {
    pub calls: u64,
    pub from: u64,
    pub to: u64,
    /// The call does its work and then reports the error.
    pub after: bool,
    /// 1 reads, 2 programs, 4 erases, or sums of them.
    pub kinds: u8,
    /// How many calls have failed.
    pub failed: u32,
    /// Whether power was off after the last program or erase that pends.
    pub off: bool,
}

impl Script {
    /// Lets `count` calls of these kinds fail, beginning `from` calls from now.
    pub fn fail(&mut self, kinds: u8, from: u64, count: u64) {
        self.calls = 0;
        (self.from, self.to) = (from, from + count);
        self.kinds = kinds;
    }

    fn fails(&mut self, kind: u8) -> bool {
        if self.kinds & kind == 0 {
            return false;
        }
        self.calls += 1;
        let fails = (self.from..self.to).contains(&(self.calls - 1));
        self.failed += u32::from(fails);
        fails
    }
}

pub type Shared = Rc<RefCell<Script>>;

/// Fails by script. The script is shared with the test that writes it.
pub struct Glitch<'a, const WRITE: usize, const ERASE: usize>(
    pub &'a mut Simulator<WRITE, ERASE>,
    pub Shared,
);

impl<const WRITE: usize, const ERASE: usize> Glitch<'_, WRITE, ERASE> {
    fn call(
        &mut self,
        kind: u8,
        work: impl FnOnce(&mut Simulator<WRITE, ERASE>) -> Result<(), SimulatorError>,
    ) -> Result<(), SimulatorError> {
        let (fails, after) = {
            let mut script = self.1.borrow_mut();
            (script.fails(kind), script.after)
        };
        if !fails || after {
            work(self.0)?;
        }
        if fails {
            Err(SimulatorError::PowerLost)
        } else {
            Ok(())
        }
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Glitch<'_, WRITE, ERASE> {
    type Error = SimulatorError;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Glitch<'_, WRITE, ERASE> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
        self.call(1, |part| part.read(offset, bytes))
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Glitch<'_, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
        self.call(2, |part| part.write(offset, bytes))
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
        self.call(4, |part| part.erase(from, to))
    }
}

impl<const WRITE: usize, const ERASE: usize> MultiwriteNorFlash for Glitch<'_, WRITE, ERASE> {}

/// Pends before, amid and after each program and erase, so that a future can be dropped when all of it is on flash. Fails by
/// script too.
pub struct Pend<'a, const WRITE: usize, const ERASE: usize>(pub &'a mut Simulator<WRITE, ERASE>, pub Shared);

/// A part behind a driver that pends.
pub trait Pending: Part {
    type Pending<'a>: Medium
    where
        Self: 'a;
    fn pending(&mut self, script: &Shared) -> Self::Pending<'_>;
}

impl<const WRITE: usize, const ERASE: usize> Pending for Nor<WRITE, ERASE> {
    type Pending<'a> = Overwritable<Pend<'a, WRITE, ERASE>>;
    fn pending(&mut self, script: &Shared) -> Self::Pending<'_> {
        Overwritable::from_async(Pend(&mut self.0, script.clone()))
    }
}

impl<const WRITE: usize, const ERASE: usize> Pending for Ecc<WRITE, ERASE> {
    type Pending<'a> = WriteOnce<Pend<'a, WRITE, ERASE>>;
    fn pending(&mut self, script: &Shared) -> Self::Pending<'_> {
        WriteOnce::from_async(Pend(&mut self.0, script.clone()))
    }
}

mod pend {
    use std::task::Poll;

    use bydesign::flash::simulator::{Simulator, SimulatorError};
    use embedded_storage::nor_flash::{NorFlash as _, ReadNorFlash as _};
    use embedded_storage_async::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

    use super::Pend;

    async fn pend_once() {
        let mut pended = false;
        std::future::poll_fn(|_| {
            if std::mem::replace(&mut pended, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    impl<const W: usize, const E: usize> Pend<'_, W, E> {
        /// Fails before the work is done; or gives how the call ends after it.
        fn call(&self, kind: u8) -> Result<Result<(), SimulatorError>, SimulatorError> {
            let mut script = self.1.borrow_mut();
            let result = if script.fails(kind) {
                Err(SimulatorError::PowerLost)
            } else {
                Ok(())
            };
            if script.after { Ok(result) } else { result.map(Ok) }
        }

        fn effect(
            &mut self,
            work: impl FnOnce(&mut Simulator<W, E>) -> Result<(), SimulatorError>,
        ) -> Result<(), SimulatorError> {
            let result = work(self.0);
            self.1.borrow_mut().off = self.0.is_off();
            result
        }
    }

    impl<const W: usize, const E: usize> ErrorType for Pend<'_, W, E> {
        type Error = SimulatorError;
    }

    impl<const W: usize, const E: usize> ReadNorFlash for Pend<'_, W, E> {
        const READ_SIZE: usize = 1;
        async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimulatorError> {
            self.call(1)??;
            self.0.read(offset, bytes)
        }
        fn capacity(&self) -> usize {
            self.0.capacity()
        }
    }

    impl<const W: usize, const E: usize> NorFlash for Pend<'_, W, E> {
        const WRITE_SIZE: usize = W;
        const ERASE_SIZE: usize = E;
        async fn erase(&mut self, from: u32, to: u32) -> Result<(), SimulatorError> {
            pend_once().await;
            let fails_after = self.call(4)?;
            self.effect(|part| part.erase(from, to))?;
            pend_once().await;
            fails_after
        }
        async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimulatorError> {
            let half = bytes.len() / 2 / W * W;
            let middle = offset + u32::try_from(half).expect("small");
            pend_once().await;
            let fails_after = self.call(2)?;
            self.effect(|part| part.write(offset, &bytes[..half]))?;
            pend_once().await;
            self.effect(|part| part.write(middle, &bytes[half..]))?;
            pend_once().await;
            fails_after
        }
    }

    impl<const W: usize, const E: usize> MultiwriteNorFlash for Pend<'_, W, E> {}
}

/// Polls at most `polls` times, then drops the future.
pub fn poll_times<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Everything the store holds, by iteration and item by item, when nothing is to be dropped.
pub fn contents_now<M: Medium>(store: &mut AsyncStore<M, Memory>) -> Result<Model, ReadError> {
    let mut all = Model::new();
    for number in 0..5 {
        let each = |name: &str, value: &[u8]| {
            let twice = all.insert((number, name.to_owned()), value.to_vec());
            assert_eq!(twice, None, "{name} is there twice");
        };
        poll_times(store.for_each(class(number), each), usize::MAX).expect("ends")?;
    }
    let mut out = [0; BUFFER];
    for ((number, name), value) in &all {
        let len = poll_times(store.get_bytes(class(*number), name, &mut out), usize::MAX).expect("ends")?;
        assert_eq!(len.map(|len| &out[..len]), Some(value.as_slice()), "{name}");
    }
    assert_eq!(store.figures().items, all.len());
    assert!(store.figures().free_pages > 0);
    Ok(all)
}
