//! A medium whose driver has done its work when it returns: nothing over it needs to wait.
//!
//! ```text
//!  store      each of its routines begins with `Access::call`
//!  now        (this file)
//!  medium · faces
//! ```
//!
//! A future keeps what it needs from one wait to the next in memory of its own, asks at each poll where it was, and holds the futures of all
//! that it calls: over a blocking driver that is code and stack for waits that never come. With feature `async` the routines are compiled once
//! for both faces, and over [`Now`] a routine runs when it is called: what it gives is a future that is ready. Without it they have no waits.

// A routine that is not inlined here keeps its future in memory, and its caller the code for a wait.
#![allow(clippy::inline_always)]

#[cfg(feature = "async")]
use core::future::Future;

use embedded_storage::nor_flash::NorFlashErrorKind;

#[cfg(feature = "async")]
use super::faces::{Once, now};
use super::medium::sealed::Access;
use super::{Medium, MediumKind, NeverPends};

/// What came of a routine that has run.
///
/// Not yet a future: one may have been polled before, as far as a caller can tell, and each caller would keep the code of a wait for it.
#[cfg(feature = "async")]
pub(crate) struct Done<Output>(Output);

#[cfg(feature = "async")]
impl<Output> IntoFuture for Done<Output> {
    type Output = Output;
    type IntoFuture = Once<Output>;

    #[inline(always)]
    fn into_future(self) -> Once<Output> {
        Once::Full(self.0)
    }
}

/// A medium that never pends, whose calls are over when they return.
pub(crate) struct Now<M>(pub(crate) M);

impl<M: NeverPends> NeverPends for Now<M> {}

impl<M: NeverPends> Medium for Now<M> {
    const KIND: MediumKind = M::KIND;
    const READ_SIZE: usize = M::READ_SIZE;
    const WRITE_SIZE: usize = M::WRITE_SIZE;
    const ERASE_SIZE: usize = M::ERASE_SIZE;

    fn sizes(&self) -> (usize, usize, usize) {
        self.0.sizes()
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

#[cfg(feature = "async")]
impl<M: NeverPends> Access for Now<M> {
    type Call<Output, F: Future<Output = Output>> = Done<Output>;

    #[inline(always)]
    fn call<Output, F: Future<Output = Output>>(routine: F) -> Done<Output> {
        Done(now(routine))
    }

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> impl Future<Output = Result<(), NorFlashErrorKind>> {
        Once::Full(now(self.0.read(offset, bytes)))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> impl Future<Output = Result<(), NorFlashErrorKind>> {
        Once::Full(now(self.0.write(offset, bytes)))
    }

    fn erase(&mut self, from: u32, to: u32) -> impl Future<Output = Result<(), NorFlashErrorKind>> {
        Once::Full(now(self.0.erase(from, to)))
    }
}

#[cfg(not(feature = "async"))]
impl<M: NeverPends> Access for Now<M> {
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        self.0.read(offset, bytes)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        self.0.write(offset, bytes)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        self.0.erase(from, to)
    }
}
