//! The blocking face: the same operations over drivers whose futures never pend.

use rand_core::TryCryptoRng;

use super::{
    AsyncLimiter, AsyncPermit, AttemptError, Moment, Policy, Proven, Repaired, SettleError, Standing,
};
use crate::flash::{NeverPends, two_faces};
use crate::store::{Memory, Store, run_within, words};

/// Stack that an operation uses: an attempt that renews the record, above a put.
const ROOM: usize = words(1088);

/// The limiter over an area with a blocking driver. See the [module](super) for what it promises and for an example, and
/// [`AsyncLimiter`] for each operation's power-loss and security notes.
pub struct Limiter<M: NeverPends>(AsyncLimiter<M>);

#[two_faces]
impl<M: NeverPends> Limiter<M> {
    /// Makes a limiter. See [`AsyncLimiter::create`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn create<S: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        area: M,
        store: &mut Store<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
        random: &mut R,
    ) -> Result<Self, AttemptError> {
        run_within::<ROOM, _>(async || {
            AsyncLimiter::create(area, &mut store.0, name, policy, now, random)
                .await
                .map(Self)
        })
    }

    /// Finds the limiter after a start. See [`AsyncLimiter::mount`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn mount<S: NeverPends, I: Memory>(
        area: M,
        store: &mut Store<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
    ) -> Result<Self, AttemptError> {
        run_within::<ROOM, _>(async || {
            AsyncLimiter::mount(area, &mut store.0, name, policy, now)
                .await
                .map(Self)
        })
    }

    /// Mounts a limiter whose area may have been lost. See [`AsyncLimiter::repair`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn repair<S: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        area: M,
        store: &mut Store<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
        random: &mut R,
    ) -> Result<(Self, Repaired), AttemptError> {
        run_within::<ROOM, _>(async || {
            AsyncLimiter::repair(area, &mut store.0, name, policy, now, random)
                .await
                .map(|(limiter, repaired)| (Self(limiter), repaired))
        })
    }

    /// Commits an attempt to flash and gives the permit for one check. See [`AsyncLimiter::attempt`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn attempt<S: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut Store<S, I>,
        now: Moment,
        random: &mut R,
    ) -> Result<Permit<'_, M>, AttemptError> {
        run_within::<ROOM, _>(|| self.0.attempt(&mut store.0, now, random)).map(Permit)
    }

    /// Keeps what has passed of the delay. See [`AsyncLimiter::keep_time`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn keep_time<S: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut Store<S, I>,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        run_within::<ROOM, _>(|| self.0.keep_time(&mut store.0, now, random))
    }

    /// Sets the count to zero on proof of another right. See [`AsyncLimiter::clear`].
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub fn clear<S: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut Store<S, I>,
        proof: &Proven,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        run_within::<ROOM, _>(|| self.0.clear(&mut store.0, proof, now, random))
    }

    /// How things stand. Reads nothing.
    pub fn standing<S: NeverPends, I: Memory>(&self, store: &Store<S, I>, now: Moment) -> Standing {
        self.0.standing(&store.0, now)
    }

    /// Gives the area back.
    pub fn into_medium(self) -> M {
        self.0.into_medium()
    }

    /// The area, to exercise it in tests.
    pub fn medium_mut(&mut self) -> &mut M {
        self.0.medium_mut()
    }
}

/// The right to check one guess. It was counted before this was made; unless it [succeeds](Permit::succeed), it has failed.
///
/// There is one at a time, and a check takes it by value:
///
/// ```compile_fail
/// # use bydesign::credential::limiter::Permit;
/// # use bydesign::flash::NeverPends;
/// # fn example<M: NeverPends>(permit: Permit<'_, M>) {
/// permit.succeed();
/// permit.succeed();
/// # }
/// ```
#[must_use = "the attempt counts as failed unless it is settled"]
pub struct Permit<'a, M: NeverPends>(AsyncPermit<'a, M>);

impl<M: NeverPends> Permit<'_, M> {
    /// The guess was right: the count begins anew. See [`AsyncPermit::succeed`].
    ///
    /// # Errors
    ///
    /// [`SettleError`]; the attempt counts as failed.
    pub fn succeed(self) -> Result<Proven, SettleError> {
        run_within::<ROOM, _>(|| self.0.succeed())
    }

    /// The guess was wrong. The same as dropping the permit, for who reads the code.
    pub fn fail(self) {}
}
