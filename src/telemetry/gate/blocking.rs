//! The blocking face: the same over stores whose drivers never pend.
//!
//! ```text
//!  gate
//!    blocking  (this file)
//! ```

use core::mem::MaybeUninit;

use rand_core::TryCryptoRng;

use super::{Gate, GateError, Prepared, Status, Waiting};
use crate::flash::NeverPends;
use crate::store::{Counter, Memory, Store, run_beside, run_within, words};
use crate::telemetry::consent::Consent;
use crate::telemetry::raw::Time;
use crate::telemetry::schema::{Declaration, PartOf};

/// Stack that an operation uses: consents and ledgers in its frames, above a commit.
const ROOM: usize = words(1472);

/// What frames hold of a report that is prepared or released: it is moved as it grows.
type Moved<D, P> = [MaybeUninit<(Prepared<D, P>, P)>; 4];

impl<D: Declaration> Gate<D> {
    /// How a consent class stands. See [`Gate::status_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn status<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        class: u8,
        now: Time,
        random: &mut R,
    ) -> Result<Status, GateError> {
        run_within::<ROOM, _>(|| self.status_async(&mut store.0, class, now, random))
    }

    /// Records that the user agrees to a purpose. See [`Gate::grant_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn grant<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        purpose: u8,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        run_within::<ROOM, _>(|| self.grant_async(&mut store.0, purpose, now, random))
    }

    /// Records that the user does not agree, or no more, and erases what was gathered. See [`Gate::withdraw_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn withdraw<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        purpose: u8,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        run_within::<ROOM, _>(|| self.withdraw_async(&mut store.0, purpose, now, random))
    }

    /// The first purpose that the user is to be asked about. See [`Gate::question_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn question<M: NeverPends, I: Memory>(
        &self,
        store: &mut Store<M, I>,
    ) -> Result<Option<u8>, GateError> {
        run_within::<ROOM, _>(|| self.question_async(&mut store.0))
    }

    /// What is recorded of a purpose. See [`Gate::consent_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn consent<M: NeverPends, I: Memory>(
        &self,
        store: &mut Store<M, I>,
        purpose: u8,
    ) -> Result<Option<Consent>, GateError> {
        run_within::<ROOM, _>(|| self.consent_async(&mut store.0, purpose))
    }

    /// Whether data may be gathered for a purpose. See [`Gate::allows_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn allows<M: NeverPends, I: Memory>(
        &self,
        store: &mut Store<M, I>,
        purpose: u8,
    ) -> Result<bool, GateError> {
        run_within::<ROOM, _>(|| self.allows_async(&mut store.0, purpose))
    }

    /// Treats a report, and neither writes, debits nor queues anything. See [`Gate::prepare_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn prepare<M: NeverPends, I: Memory, P: PartOf<D>, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        report: P,
        now: Time,
        random: &mut R,
    ) -> Result<Prepared<D, P>, GateError> {
        run_beside::<Moved<D, P>, ROOM, _>(|| self.prepare_async(&mut store.0, report, now, random))
    }

    /// Pays for a prepared report and queues it. See [`Gate::release_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn release<M: NeverPends, I: Memory, P: PartOf<D>, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        prepared: Prepared<D, P>,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        run_beside::<Moved<D, P>, ROOM, _>(|| self.release_async(&mut store.0, prepared, now, random))
    }

    /// As [`Gate::release`], with the debit held against a counter. See [`Gate::release_anchored_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn release_anchored<M: NeverPends, I: Memory, P: PartOf<D>, C: Counter, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        prepared: Prepared<D, P>,
        now: Time,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(), GateError> {
        run_beside::<Moved<D, P>, ROOM, _>(|| {
            self.release_anchored_async(&mut store.0, prepared, now, counter, random)
        })
    }

    /// The next report whose time has come. See [`Gate::next_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn next<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        now: Time,
        out: &mut [u8],
        random: &mut R,
    ) -> Result<Option<Waiting>, GateError> {
        run_within::<ROOM, _>(|| self.next_async(&mut store.0, now, out, random))
    }

    /// Takes a report that has been sent out of the queue. See [`Gate::acknowledge_async`].
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn acknowledge<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        sent: Waiting,
        random: &mut R,
    ) -> Result<(), GateError> {
        run_within::<ROOM, _>(|| self.acknowledge_async(&mut store.0, sent, random))
    }

    /// Prepares a report and releases it at once.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    ///
    /// # Power loss
    ///
    /// As [`Gate::release_async`].
    pub fn submit<M: NeverPends, I: Memory, P: PartOf<D>, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut Store<M, I>,
        report: P,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        let prepared = self.prepare(store, report, now, random)?;
        self.release(store, prepared, now, random)
    }
}
