//! The right to one check, and the proof of one that came out right.

use super::AsyncLimiter;
use crate::flash::{Medium, NeverPends, two_faces};

/// The right to check one guess. It was counted before this was made; unless it [succeeds](AsyncPermit::succeed), it has failed.
///
/// There is one at a time, and a check takes it by value. See [`Permit`](super::Permit) for blocking drivers.
#[must_use = "the attempt counts as failed unless it is settled"]
///
/// With feature `async`.
#[cfg_attr(not(feature = "async"), doc(hidden))]
pub struct AsyncPermit<'a, M: Medium>(&'a mut AsyncLimiter<M>);

#[two_faces]
impl<'a, M: Medium> AsyncPermit<'a, M> {
    pub(super) fn new(limiter: &'a mut AsyncLimiter<M>) -> Self {
        Self(limiter)
    }

    /// The guess was right: the count begins anew. Give access only when this has returned.
    ///
    /// # Errors
    ///
    /// [`SettleError`]; the attempt counts as failed.
    ///
    /// # Power loss
    ///
    /// The count is zero, or the attempt counts as failed; zero for certain once this has returned.
    //= compliance/requirements.md#cred-4
    //# A success that was acknowledged MUST NOT be lost, and an attempt that a power cut or a fault kept from being settled MUST count as one failed attempt at most.
    pub async fn succeed(self) -> Result<Proven, SettleError> {
        self.0.mark_success().await?;
        Ok(Proven(()))
    }

    /// The guess was wrong. The same as dropping the permit, for who reads the code.
    pub fn fail(self) {}
}

/// A permit, of either face, for who checks: it cannot be implemented elsewhere.
pub trait Permission: sealed::Sealed {}

impl<M: Medium> Permission for AsyncPermit<'_, M> {}
impl<M: NeverPends> Permission for super::Permit<'_, M> {}

mod sealed {
    use super::{AsyncPermit, Medium, NeverPends};

    pub trait Sealed {}

    impl<M: Medium> Sealed for AsyncPermit<'_, M> {}
    impl<M: NeverPends> Sealed for super::super::Permit<'_, M> {}
}

/// What a check came to.
#[must_use = "a right guess has to be settled before it counts"]
pub enum Verdict<P> {
    /// The guess was right: settle it, then give access.
    Right(Right<P>),
    /// The guess was wrong, and has been counted.
    Wrong,
}

/// A right guess whose success is not on flash yet.
#[must_use = "the attempt counts as failed unless it is settled"]
pub struct Right<P>(P);

impl<P: Permission> Verdict<P> {
    pub(in crate::credential) fn of(is_right: bool, permit: P) -> Self {
        if is_right {
            Self::Right(Right(permit))
        } else {
            Self::Wrong
        }
    }
}

#[two_faces]
impl<M: Medium> Right<AsyncPermit<'_, M>> {
    /// Writes the success: see [`AsyncPermit::succeed`].
    ///
    /// # Errors
    ///
    /// [`SettleError`].
    pub async fn settle_async(self) -> Result<Proven, SettleError> {
        self.0.succeed().await
    }
}

impl<M: NeverPends> Right<super::Permit<'_, M>> {
    /// Writes the success: see [`AsyncPermit::succeed`].
    ///
    /// # Errors
    ///
    /// [`SettleError`].
    pub fn settle(self) -> Result<Proven, SettleError> {
        self.0.succeed()
    }
}

/// The success could not be written: the attempt counts as failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the success could not be written")]
pub struct SettleError;

/// The proof, for the types, that a check came out right and that flash knows. Take it by value where something needs it.
#[must_use]
pub struct Proven(());

impl Proven {
    /// In place of a check: somebody is at the device, and did what nobody does from afar, such as hold a button while it starts. The
    /// integrator's word, and theirs to keep.
    pub const fn by_presence() -> Self {
        Self(())
    }

    /// Of a code that the device drew.
    pub(in crate::credential) const fn of_code() -> Self {
        Self(())
    }
}
