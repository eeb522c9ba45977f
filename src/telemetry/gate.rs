//! The gate: the only way from a reading to a queue. It asks for consent, pays for noise, keeps the limits, and says what is spent.
//!
//! ```text
//!  applications
//!  gate      (this file)       consents · release · blocking
//!  report · queue · budget · consent · epoch
//!  store
//! ```

mod blocking;
mod consents;
mod release;
mod sending;

use core::marker::PhantomData;

use rand_core::TryCryptoRng;

use super::budget::{LEDGER_LEN, Ledger};
use super::epoch::{EPOCH_LEN, Epoch};
use super::noise::MicroEpsilon;
use super::queue::{Name, QUEUE, QUEUE_LEN, Queue};
use super::raw::Time;
use super::schema::{ClassRules, Declaration};
use crate::flash::{Medium, two_faces};
use crate::store::{
    AnchorError, AsyncStore, Class, DataClass, EraseError, Freshness, Memory, ReadError, WriteError,
};

pub use release::Prepared;
pub use sending::Waiting;

/// The gate of a product. All of its state lies in the store that each call is given.
///
/// The store needs a slot for each consent class and one for the library's own ([`Ram`](crate::store::Ram)), and a record buffer of 540 bytes, less where fewer than 32 answers are kept.
///
/// # Security
///
/// Against C and R, as [`telemetry`](super) says. Serves CoP 8 and 10; EN 303 645 6-2 to 6-8.
pub struct Gate<D: Declaration>(PhantomData<fn() -> D>);

impl<D: Declaration> Default for Gate<D> {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a report is not queued, or a consent not recorded. Nothing is queued then; what was debited before the failure stays debited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The store could not be read.
    #[error("the store could not be read: {0}")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written: {0}")]
    Write(#[from] WriteError),
    /// What is withdrawn could not be erased. The next call tries again, before anything else.
    #[error("what was withdrawn could not be erased: {0}")]
    Erase(#[from] EraseError),
    /// The debit could not be anchored.
    #[error("the debit could not be held against the counter: {0}")]
    Anchor(#[from] AnchorError),
    /// The random source failed or is visibly stuck.
    #[error("the random source failed or is stuck")]
    Random,
    /// The product declares no purpose or class of this number. Never caused by what is stored.
    #[error("no such purpose or consent class is declared")]
    Undeclared,
    /// The user has agreed to no purpose of the report's consent class.
    #[error("there is no consent to this report")]
    NoConsent,
    /// No field is left: none was agreed to, paid for and drawn.
    #[error("nothing is left of the report")]
    NothingToSend,
    /// The day has taken as many reports as it may.
    #[error("as many reports were taken today as the declaration allows")]
    DailyLimit,
    /// The budget does not reach, which it did when the report was prepared.
    #[error("the privacy budget is spent")]
    BudgetSpent,
    /// There is no room for another remembered answer: the reports of the class have more noisy fields than
    /// [`MOST_ANSWERS`](super::MOST_ANSWERS).
    #[error("there is no room for another remembered answer")]
    MemoFull,
    /// A consent, the epoch or answers have changed since the report was prepared: prepare another one.
    #[error("the report was prepared before something changed")]
    Stale,
    /// What is stored of budget, queue or epoch is not understood: later firmware wrote it. Nothing is released. Withdrawing the consent
    /// makes queue and epoch anew; a budget is never made anew.
    #[error("what is stored of telemetry is not understood")]
    NotUnderstood,
    /// The buffer is too small; the bytes needed are given.
    #[error("the buffer is too small, {0} bytes are needed")]
    BufferTooSmall(usize),
    /// An internal limit was met.
    #[error("internal limit")]
    Internal,
}

/// How a consent class stands: for a settings screen, and for whoever audits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether reports of the class are taken: at least one purpose of it is agreed to.
    pub is_open: bool,
    /// Spent in the life of the device.
    pub spent: MicroEpsilon,
    /// What may still be spent now, of lifetime and window.
    pub left: MicroEpsilon,
    /// How often something was debited.
    pub debits: u32,
    /// Whether what was spent can have been set back: without a counter out of reach, restoring an earlier image of the flash brings an
    /// earlier budget back, and this says [`Freshness::Unanchored`].
    pub freshness: Freshness,
    /// Reports that wait.
    pub waiting: u32,
    /// Bytes of them.
    pub bytes: u32,
    /// Reports taken today.
    pub today: u16,
}

/// Name of the item with pseudonym and answers, in the store class of the consent class.
const EPOCH: &str = "\0epoch";

#[two_faces]
impl<D: Declaration> Gate<D> {
    /// The gate of this product.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    fn rules(class: u8) -> Result<&'static ClassRules, GateError> {
        D::RULES
            .iter()
            .find(|rules| rules.number == class)
            .ok_or(GateError::Undeclared)
    }

    /// How a consent class stands, by its number.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub async fn status_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        class: u8,
        now: Time,
        random: &mut R,
    ) -> Result<Status, GateError> {
        let rules = Self::rules(class)?;
        let settled = self.settle(store, rules, random).await?;
        let ledger = read_ledger(store, rules).await?.at(rules.budget, now);
        let queue = read_queue(store, rules).await?.at(now);
        Ok(Status {
            is_open: !settled.granted.is_empty(),
            spent: MicroEpsilon::from_micros(ledger.spent),
            left: MicroEpsilon::from_micros(ledger.left(rules.budget)),
            debits: ledger.debits,
            freshness: store.freshness(),
            waiting: queue.span(),
            bytes: queue.bytes,
            today: queue.taken(),
        })
    }
}

/// The store class of a consent class.
fn store_class(rules: &ClassRules) -> DataClass {
    DataClass::from(Class::Application(rules.application))
}

/// Reads an item of the library's own. One that is longer than the buffer was written by later firmware.
#[two_faces]
async fn read<M: Medium, I: Memory>(
    store: &mut AsyncStore<M, I>,
    class: DataClass,
    name: &str,
    out: &mut [u8],
) -> Result<Option<usize>, GateError> {
    match store.get_bytes(class, name, out).await {
        Err(ReadError::OutputTooSmall(_)) => Err(GateError::NotUnderstood),
        read => Ok(read?),
    }
}

//= compliance/requirements.md#tele-4
//# A budget that cannot be read, written or understood MUST count as spent.
#[two_faces]
async fn read_ledger<M: Medium, I: Memory>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
) -> Result<Ledger, GateError> {
    let mut bytes = [0; LEDGER_LEN];
    let name = Name::of_ledger(rules.number);
    match read(store, DataClass::LEDGER, name.as_str(), &mut bytes).await? {
        Some(len) => {
            let bytes = bytes.get(..len).unwrap_or_default();
            Ledger::from_bytes(bytes).ok_or(GateError::NotUnderstood)
        }
        None => Ok(Ledger::default()),
    }
}

#[two_faces]
async fn read_queue<M: Medium, I: Memory>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
) -> Result<Queue, GateError> {
    let mut bytes = [0; QUEUE_LEN];
    match read(store, store_class(rules), QUEUE, &mut bytes).await? {
        Some(len) => {
            let bytes = bytes.get(..len).unwrap_or_default();
            Queue::from_bytes(bytes).ok_or(GateError::NotUnderstood)
        }
        None => Ok(Queue::default()),
    }
}

#[two_faces]
async fn read_epoch<M: Medium, I: Memory>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
) -> Result<Option<Epoch>, GateError> {
    let mut bytes = zeroize::Zeroizing::new([0; EPOCH_LEN]);
    match read(store, store_class(rules), EPOCH, bytes.as_mut()).await? {
        Some(len) => {
            let bytes = bytes.get(..len).unwrap_or_default();
            Epoch::from_bytes(bytes).map(Some).ok_or(GateError::NotUnderstood)
        }
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flash::simulator::{Rule, Simulator};
    use crate::flash::{AtOnce, Overwritable};
    use crate::secret::RootKey;
    use crate::store::{Change, Ram, Store};
    use crate::telemetry::ConsentClass;

    //= compliance/requirements.md#tele-4
    //= type=test
    //# A budget that cannot be read, written or understood MUST count as spent.
    #[test]
    fn a_budget_of_later_firmware_is_not_a_new_one() {
        let rules = ConsentClass::new(1, "class").rules;
        let root_key = RootKey::new(core::array::from_fn(|at| {
            u8::try_from(at * at * 7 % 251).unwrap()
        }))
        .unwrap();
        let mut random = getrandom::SysRng;
        let medium = Overwritable::new(Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite));
        let mut store =
            Store::format(medium, Ram::<16, 256>::new(), &root_key, "device", &mut random).unwrap();
        assert_eq!(read_ledger(&mut store.0, &rules).at_once(), Ok(Ledger::default()));
        let later = [
            &[2; LEDGER_LEN][..],
            &[1; LEDGER_LEN - 1],
            &[1; LEDGER_LEN + 1],
            &[],
        ];
        for bytes in later {
            let name = Name::of_ledger(rules.number);
            let change = Change::put_bytes(DataClass::LEDGER, name.as_str(), bytes);
            store.0.commit_any(&[change], &mut random).at_once().unwrap();
            assert_eq!(
                read_ledger(&mut store.0, &rules).at_once(),
                Err(GateError::NotUnderstood),
                "{} bytes",
                bytes.len()
            );
        }
    }
}
