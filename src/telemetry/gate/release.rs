//! From a report with its readings to the queue: prepared, which changes nothing, and released, which pays first.
//!
//! ```text
//!  gate
//!    release   (this file)
//! ```

use core::marker::PhantomData;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::consents::Settled;
use super::{EPOCH, Gate, GateError, QUEUE, read_epoch, read_ledger, read_queue, store_class};
use crate::flash::{Medium, MediumKind, two_faces};
use crate::store::{
    AnchorPolicy, AsyncStore, Change, Counter, CounterFailed, CounterPlace, DataClass, Memory,
};
use crate::telemetry::encode::TooLong;
use crate::telemetry::epoch::{EPOCH_LEN, Epoch};
use crate::telemetry::noise::{Jitter, MicroEpsilon};
use crate::telemetry::queue::{Name, Queue, TRAILER_LEN, Trailer};
use crate::telemetry::raw::Time;
use crate::telemetry::report::{LeftOut, Refused, Treating};
use crate::telemetry::schema::{ClassRules, Declaration, MOST_BYTES, PartOf};
use crate::telemetry::treatment::Untreated;

/// A report as it would be sent, byte by byte: for a screen, and for [`Gate::release`]. Dropped, it has never been.
///
/// # Security
///
/// Its noise is drawn and not paid for: show it to the user of the device and to nobody else.
pub struct Prepared<D: Declaration, P: PartOf<D>> {
    bytes: P::Buffer,
    len: usize,
    draft: Draft,
    of: PhantomData<fn() -> D>,
}

/// What there is of a report beside its bytes: the same for reports of all kinds, and so is the code that follows.
struct Draft {
    debit: u64,
    left_out: LeftOut,
    settled: Settled,
    epoch: Epoch,
    /// What stood on flash of the epoch.
    before: Option<Mark>,
}

/// Tells one writing of an epoch from every other.
type Mark = (u32, Option<[u8; 8]>);

fn mark(epoch: &Epoch) -> Mark {
    (epoch.written, epoch.pseudonym(u16::MAX, u8::MAX))
}

impl<D: Declaration, P: PartOf<D>> Prepared<D, P> {
    /// The report.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref().get(..self.len).unwrap_or_default()
    }

    /// What its release debits.
    #[must_use]
    pub fn epsilon(&self) -> MicroEpsilon {
        MicroEpsilon::from_micros(self.draft.debit)
    }

    /// Fields that are not in it, and why.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.draft.left_out
    }
}

/// Where a debit is not held against a counter.
enum NoCounter {}

impl Counter for NoCounter {
    fn place(&self) -> CounterPlace {
        match *self {}
    }
    async fn value(&mut self) -> Result<u32, CounterFailed> {
        match *self {}
    }
    async fn advance(&mut self) -> Result<(), CounterFailed> {
        match *self {}
    }
}

#[two_faces]
impl<D: Declaration> Gate<D> {
    /// Treats a report: what it gives are the very bytes that a release would queue. Nothing is written, debited or queued.
    ///
    /// # Errors
    ///
    /// [`GateError`]; [`GateError::NoConsent`] and [`GateError::NothingToSend`] are no failures.
    //= compliance/requirements.md#tele-10
    //# A preview MUST show the bytes that its release queues, and MUST NOT debit, queue or write anything by itself.
    pub async fn prepare_async<M: Medium, I: Memory, P: PartOf<D>, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        report: P,
        now: Time,
        random: &mut R,
    ) -> Result<Prepared<D, P>, GateError> {
        let (mut draft, left) = self.draft(store, const { &P::CLASS }, now, random).await?;
        let mut bytes = P::buffer();
        let mut treating = Treating::begin(
            bytes.as_mut(),
            const { P::SCHEMA.head_bytes() },
            (P::NUMBER, P::VERSION),
            &mut draft.epoch,
            left,
            draft.settled.granted,
            random,
        );
        let treated = report.treat(&mut treating);
        let (len, debit, left_out) = finished(treating, treated, P::NUMBER, P::VERSION)?;
        draft.debit = debit;
        draft.left_out = left_out;
        Ok(Prepared {
            bytes,
            len,
            draft,
            of: PhantomData,
        })
    }

    /// Consent, epoch and what may be spent, before anything is treated.
    async fn draft<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        rules: &ClassRules,
        now: Time,
        random: &mut R,
    ) -> Result<(Draft, u64), GateError> {
        let settled = self.settle(store, rules, random).await?;
        if settled.granted.is_empty() {
            return Err(GateError::NoConsent);
        }
        let stored = read_epoch(store, rules).await?;
        let before = stored.as_ref().map(mark);
        let epoch = current(stored, rules, now, random)?;
        let ledger = read_ledger(store, rules).await?.at(rules.budget, now);
        let draft = Draft {
            debit: 0,
            left_out: LeftOut::default(),
            settled,
            epoch,
            before,
        };
        Ok((draft, ledger.left(rules.budget)))
    }

    /// Pays for a prepared report and queues it.
    ///
    /// # Errors
    ///
    /// [`GateError`]; the report is not queued. What was debited stays debited.
    ///
    /// # Power loss
    ///
    /// The report is queued or not. Where it is, it has been paid for.
    pub async fn release_async<M: Medium, I: Memory, P: PartOf<D>, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        prepared: Prepared<D, P>,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        let Prepared {
            bytes, len, draft, ..
        } = prepared;
        let report = bytes.as_ref().get(..len).unwrap_or_default();
        let rules = const { &P::CLASS };
        self.release_draft(store, rules, report, draft, now, None::<&mut NoCounter>, random)
            .await
    }

    /// As [`Gate::release_async`], and holds the debit against the counter before the report is queued: no earlier image of the flash brings
    /// back what this report has spent. The counter moves only for reports with noise that is drawn now.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub async fn release_anchored_async<
        M: Medium,
        I: Memory,
        P: PartOf<D>,
        C: Counter,
        R: TryCryptoRng + ?Sized,
    >(
        &self,
        store: &mut AsyncStore<M, I>,
        prepared: Prepared<D, P>,
        now: Time,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(), GateError> {
        let Prepared {
            bytes, len, draft, ..
        } = prepared;
        let report = bytes.as_ref().get(..len).unwrap_or_default();
        let rules = const { &P::CLASS };
        self.release_draft(store, rules, report, draft, now, Some(counter), random)
            .await
    }

    #[expect(clippy::too_many_arguments, reason = "one call of it, from two faces")]
    async fn release_draft<M: Medium, I: Memory, C: Counter, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        rules: &ClassRules,
        report: &[u8],
        mut draft: Draft,
        now: Time,
        counter: Option<&mut C>,
        random: &mut R,
    ) -> Result<(), GateError> {
        if self.settle(store, rules, random).await? != draft.settled {
            return Err(GateError::Stale);
        }
        if read_epoch(store, rules).await?.as_ref().map(mark) != draft.before {
            return Err(GateError::Stale);
        }
        // Nor does it leave under the name of an epoch that is over.
        if now.period(rules.epoch_seconds) > draft.epoch.number {
            return Err(GateError::Stale);
        }
        let queue = read_queue(store, rules).await?.at(now);
        if !queue.takes_another(&rules.queueing) {
            return Err(GateError::DailyLimit);
        }
        pay(store, rules, draft.debit, now, counter, random).await?;
        renew(store, rules, &mut draft.epoch, random).await?;
        enqueue(store, rules, report, queue, &mut draft.epoch, now, random).await
    }
}

/// The length of a report whose fields are treated, what it spends, and what is not in it.
fn finished<R: TryCryptoRng + ?Sized>(
    treating: Treating<'_, R>,
    treated: Result<(), Refused>,
    number: u16,
    version: u16,
) -> Result<(usize, u64, LeftOut), GateError> {
    treated.map_err(|Refused(why)| match why {
        Untreated::Random => GateError::Random,
        Untreated::MemoFull => GateError::MemoFull,
        Untreated::Budget => GateError::BudgetSpent,
        Untreated::Internal => GateError::Internal,
    })?;
    let Treating {
        aids,
        encoding,
        left_out,
        ..
    } = treating;
    if encoding.count() == 0 {
        return Err(GateError::NothingToSend);
    }
    let len = encoding
        .finish(number, version)
        .map_err(|TooLong| GateError::Internal)?;
    Ok((len, aids.debit, left_out))
}

/// The epoch that it is now. A clock that goes back stays in the one that was begun.
fn current<R: TryCryptoRng + ?Sized>(
    stored: Option<Epoch>,
    rules: &ClassRules,
    now: Time,
    random: &mut R,
) -> Result<Epoch, GateError> {
    let number = now.period(rules.epoch_seconds);
    match stored {
        Some(epoch) if number <= epoch.number => Ok(epoch),
        before => Epoch::begin(number, before.as_ref(), random).map_err(|_| GateError::Random),
    }
}

/// Debits, on flash and, where there is one, against the counter.
//= compliance/requirements.md#tele-4
//# What a report spends MUST be debited on flash, and where a counter is given be held against it, before the report is queued.
#[two_faces]
async fn pay<M: Medium, I: Memory, C: Counter, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
    debit: u64,
    now: Time,
    counter: Option<&mut C>,
    random: &mut R,
) -> Result<(), GateError> {
    if debit == 0 {
        return Ok(());
    }
    let ledger = read_ledger(store, rules).await?.at(rules.budget, now);
    let debited = ledger.debit(debit, rules.budget).ok_or(GateError::BudgetSpent)?;
    let name = Name::of_ledger(rules.number);
    let value = debited.to_bytes();
    let change = Change::put_bytes(DataClass::LEDGER, name.as_str(), &value);
    store.commit_any(&[change], random).await?;
    if let Some(counter) = counter {
        store.anchor(counter, AnchorPolicy::EveryChange, random).await?;
    }
    Ok(())
}

/// Puts a new epoch on flash in place of the earlier one, of which nothing is left then.
//= compliance/requirements.md#tele-6
//# When an epoch is over and the next one is begun, nothing that held for it MUST be left on the flash.
#[two_faces]
async fn renew<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
    epoch: &mut Epoch,
    random: &mut R,
) -> Result<(), GateError> {
    if !epoch.is_to_be_swept {
        return Ok(());
    }
    // Overwritable flash has lost the earlier one when the put returns; the other kind has it until its pages are erased.
    if M::KIND == MediumKind::WriteOnce {
        put_epoch(store, rules, epoch, random).await?;
        store.erase_versions(random).await?;
    }
    epoch.is_to_be_swept = false;
    epoch.is_changed = true;
    Ok(())
}

#[two_faces]
async fn put_epoch<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
    epoch: &mut Epoch,
    random: &mut R,
) -> Result<(), GateError> {
    let mut bytes = Zeroizing::new([0; EPOCH_LEN]);
    let len = epoch.write(&mut bytes);
    let value = bytes.get(..len).unwrap_or_default();
    let change = Change::put_bytes(store_class(rules), EPOCH, value);
    Ok(store.commit_any(&[change], random).await?)
}

/// Queues a report, together with what it has changed of the epoch; the oldest make room.
#[two_faces]
async fn enqueue<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
    report: &[u8],
    mut queue: Queue,
    epoch: &mut Epoch,
    now: Time,
    random: &mut R,
) -> Result<(), GateError> {
    let class = store_class(rules);
    let mut item = [0; MOST_BYTES + TRAILER_LEN];
    let delay = Jitter::up_to(rules.queueing.jitter_seconds)
        .draw(random)
        .map_err(|_| GateError::Random)?;
    let trailer = Trailer {
        due: now.seconds.saturating_add(u64::from(delay)),
        day: now.day(),
    };
    let parts = report.iter().copied().chain(trailer.to_bytes());
    let len = report.len().saturating_add(TRAILER_LEN);
    item.get_mut(..len)
        .ok_or(GateError::Internal)?
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    let item = item.get(..len).unwrap_or_default();
    let report_len = u32::try_from(report.len()).unwrap_or(u32::MAX);
    while !queue.has_room(report_len, &rules.queueing) && queue.span() > 0 {
        queue = super::sending::drop_report(store, rules, queue, queue.first, random).await?;
    }
    let name = Name::of_report(queue.next);
    let counts = queue.with(report_len).to_bytes();
    let mut bytes = Zeroizing::new([0; EPOCH_LEN]);
    let epoch_len = if epoch.is_changed {
        epoch.write(&mut bytes)
    } else {
        0
    };
    let changes = [
        Change::put_bytes(class, name.as_str(), item),
        Change::put_bytes(class, QUEUE, &counts),
        Change::put_bytes(class, EPOCH, bytes.get(..epoch_len).unwrap_or_default()),
    ];
    let changes = match changes.split_last() {
        Some((_, rest)) if epoch_len == 0 => rest,
        _ => &changes,
    };
    Ok(store.commit_any(changes, random).await?)
}
