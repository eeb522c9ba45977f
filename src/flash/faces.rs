//! Two faces of one source: with feature `async` routines wait for drivers, without it they are compiled without their waits.
//!
//! ```text
//!  store · erase · credential · telemetry    their routines are `#[two_faces]`
//!  now · medium
//!  faces    (this file)
//!  bydesign-macros
//! ```
//!
//! In an item that is `two_faces` every `.await` is of a routine of this crate, or of a [`foreign`] future. A face that is blocking is the same
//! in both: it runs what it calls [`AtOnce`].

// What is not inlined here keeps a future in memory, and its caller the code for a wait.
#![allow(clippy::inline_always)]

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

#[cfg(feature = "async")]
pub(crate) use bydesign_macros::as_written as two_faces;
#[cfg(not(feature = "async"))]
pub(crate) use bydesign_macros::without_waits as two_faces;

/// Runs a future to its end, where it is ready at the first poll. One of somebody else that pends, a counter's, is polled until it is ready.
#[inline(always)]
pub(crate) fn now<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Ready at its first poll. As `core::future::Ready`, which is not inlined where code is to be small, and which keeps *empty* among the values
/// of the output: then nobody knows that it is full, either.
#[repr(u8)]
pub(crate) enum Once<Output> {
    Full(Output),
    Empty,
}

impl<Output> Unpin for Once<Output> {}

impl<Output> Future for Once<Output> {
    type Output = Output;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Output> {
        match core::mem::replace(&mut *self, Self::Empty) {
            Self::Full(output) => Poll::Ready(output),
            Self::Empty => Poll::Pending,
        }
    }
}

/// What a routine gives that never waits: a future that is ready, or, compiled without waits, its output.
pub(crate) trait AtOnce {
    type Output;

    /// The output.
    fn at_once(self) -> Self::Output;
}

#[cfg(feature = "async")]
impl<F: IntoFuture> AtOnce for F {
    type Output = F::Output;

    #[inline(always)]
    fn at_once(self) -> F::Output {
        now(self)
    }
}

#[cfg(not(feature = "async"))]
impl<Output> AtOnce for Output {
    type Output = Output;

    #[inline(always)]
    fn at_once(self) -> Output {
        self
    }
}

/// Somebody else's future in a routine of ours: awaited, or, where routines have no waits, run to its end.
#[cfg(feature = "async")]
#[inline(always)]
pub(crate) fn foreign<F: Future>(future: F) -> F {
    future
}

/// Somebody else's future in a routine of ours: awaited, or, where routines have no waits, run to its end.
#[cfg(not(feature = "async"))]
#[inline(always)]
pub(crate) fn foreign<F: Future>(future: F) -> F::Output {
    now(future)
}

/// A routine of ours in a future that is somebody else's, whose shape we do not choose.
#[cfg(feature = "async")]
#[inline(always)]
pub(crate) fn ours<F: Future>(routine: F) -> F {
    routine
}

/// A routine of ours in a future that is somebody else's, whose shape we do not choose.
#[cfg(not(feature = "async"))]
#[inline(always)]
pub(crate) fn ours<Output>(output: Output) -> Once<Output> {
    Once::Full(output)
}
