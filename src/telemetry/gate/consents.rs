//! What the user says, and what follows from it.
//!
//! ```text
//!  gate
//!    consents  (this file)
//! ```

use rand_core::TryCryptoRng;

use super::{EPOCH, Gate, GateError, QUEUE, read, store_class};
use crate::flash::{Medium, two_faces};
use crate::store::{AsyncStore, Change, Class, DataClass, Memory};
use crate::telemetry::consent::{Answer, CONSENT_LEN, Consent, Consents, answered};
use crate::telemetry::raw::Time;
use crate::telemetry::report::Granted;
use crate::telemetry::schema::{Basis, ClassRules, Declaration, Terms};

/// Name of the item with all consents, among the owner's settings.
const CONSENT: &str = "\0consent";

#[two_faces]
impl<D: Declaration> Gate<D> {
    /// Records that the user agrees to a purpose, by its number, after having been shown what is declared for it.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    ///
    /// # Power loss
    ///
    /// The consent is recorded or not.
    pub async fn grant_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        purpose: u8,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        self.answer(store, purpose, Answer::Granted, now, random).await
    }

    /// Records that the user does not agree, or agrees no more, or objects to what is sent until then: and erases all that was gathered in the
    /// consent class of the purpose. What the other purposes of the class have gathered goes with it; they stay agreed to.
    ///
    /// # Errors
    ///
    /// [`GateError`]; with [`GateError::Erase`] the withdrawal stands, and the next call of the gate erases before it does anything else.
    ///
    /// # Power loss
    ///
    /// The withdrawal is recorded or not; once it is, nothing is handed out any more, and the next call of the gate completes the erasure.
    ///
    /// # Security
    ///
    /// After this returned, no later dump of the flash opens a queued report, the seed of a pseudonym or a remembered answer of the class,
    /// even with the root key: the key of the class is destroyed. What was sent is the recipient's to delete. Serves CoP 8; EN 303 645 6-3A.
    pub async fn withdraw_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        purpose: u8,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        self.answer(store, purpose, Answer::BeingWithdrawn, now, random)
            .await?;
        let rules = Self::rules(Self::terms(purpose)?.class)?;
        self.settle(store, rules, random).await?;
        Ok(())
    }

    /// The first purpose that the user is to be asked about: one that was never answered, or whose terms are no longer what was agreed to. A
    /// refusal is asked about again only when the terms have changed.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    //= compliance/requirements.md#tele-5
    //# Where what is declared for a purpose has changed since the consent, the consent MUST NOT count.
    pub async fn question_async<M: Medium, I: Memory>(
        &self,
        store: &mut AsyncStore<M, I>,
    ) -> Result<Option<u8>, GateError> {
        let consents = read_consents(store).await?;
        let open = D::TERMS.iter().find(|terms| {
            let consent = consents.of(terms.purpose);
            consent.is_none_or(|consent| consent.terms != terms.terms)
        });
        Ok(open.map(|terms| terms.purpose))
    }

    /// What is recorded of a purpose: the answer, the day, and the version of the declaration that was shown.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub async fn consent_async<M: Medium, I: Memory>(
        &self,
        store: &mut AsyncStore<M, I>,
        purpose: u8,
    ) -> Result<Option<Consent>, GateError> {
        Ok(read_consents(store).await?.of(purpose))
    }

    /// Whether data may be gathered for a purpose: for records that are kept on the device before a report is made of them.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub async fn allows_async<M: Medium, I: Memory>(
        &self,
        store: &mut AsyncStore<M, I>,
        purpose: u8,
    ) -> Result<bool, GateError> {
        let terms = Self::terms(purpose)?;
        let rules = Self::rules(terms.class)?;
        Ok(is_granted(&read_consents(store).await?, *terms, rules))
    }

    fn terms(purpose: u8) -> Result<&'static Terms, GateError> {
        D::TERMS
            .iter()
            .find(|terms| terms.purpose == purpose)
            .ok_or(GateError::Undeclared)
    }

    //= compliance/requirements.md#tele-15
    //# The answer to a question for consent MUST be on flash with its purpose, the version and fingerprint of what was declared, and the day, when the call returns.
    async fn answer<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        purpose: u8,
        answer: Answer,
        now: Time,
        random: &mut R,
    ) -> Result<(), GateError> {
        let terms = Self::terms(purpose)?;
        // A withdrawal that was cut short is completed first: this answer would hide it.
        self.settle(store, Self::rules(terms.class)?, random).await?;
        let mut consents = read_consents(store).await?;
        let consent = answered(purpose, answer, D::VERSION, terms.terms, now);
        if !consents.answer(consent) {
            return Err(GateError::Internal);
        }
        write_consents(store, consents, random).await
    }

    /// Completes a withdrawal that was cut short, erases what there is without a consent, and gives what is agreed to in a class.
    //= compliance/requirements.md#tele-7
    //# After a withdrawal has returned, and before anything else is done after one that was cut short, nothing that was gathered in its consent class MUST be left that opens.
    pub(super) async fn settle<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<M, I>,
        rules: &ClassRules,
        random: &mut R,
    ) -> Result<Settled, GateError> {
        let mut consents = read_consents(store).await?;
        let of_class = || D::TERMS.iter().filter(|terms| terms.class == rules.number);
        let mut granted = Granted::default();
        for terms in of_class().filter(|terms| is_granted(&consents, **terms, rules)) {
            granted.add(terms.purpose);
        }
        let mut is_withdrawn = false;
        for terms in of_class() {
            let withdrawn = consents
                .of(terms.purpose)
                .filter(|consent| consent.answer == Answer::BeingWithdrawn);
            if let Some(consent) = withdrawn {
                is_withdrawn = true;
                let refused = Consent {
                    answer: Answer::Refused,
                    ..consent
                };
                if !consents.set(refused) {
                    return Err(GateError::Internal);
                }
            }
        }
        if is_withdrawn || (granted.is_empty() && is_there(store, rules).await?) {
            store.erase(Class::Application(rules.application), random).await?;
        }
        if is_withdrawn {
            write_consents(store, consents, random).await?;
        }
        Ok(Settled {
            granted,
            answers: consents.answers,
        })
    }
}

/// Where the consents of a class stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled {
    /// The purposes that are agreed to.
    pub(super) granted: Granted,
    /// How often the user had answered: a withdrawal and a new consent show in that alone where nothing stood of an epoch.
    answers: u32,
}

/// Whether something was gathered in a class.
#[two_faces]
async fn is_there<M: Medium, I: Memory>(
    store: &mut AsyncStore<M, I>,
    rules: &ClassRules,
) -> Result<bool, GateError> {
    let class = store_class(rules);
    Ok(store.contains_bytes(class, QUEUE).await? || store.contains_bytes(class, EPOCH).await?)
}

fn is_granted(consents: &Consents, terms: Terms, rules: &ClassRules) -> bool {
    match (consents.of(terms.purpose), rules.basis) {
        (Some(consent), Basis::OptIn) => consent.answer == Answer::Granted && consent.terms == terms.terms,
        (Some(consent), Basis::OptOut) => consent.answer == Answer::Granted,
        (None, basis) => basis == Basis::OptOut,
    }
}

/// A record that is not understood is no consent: the user is asked again.
#[two_faces]
async fn read_consents<M: Medium, I: Memory>(store: &mut AsyncStore<M, I>) -> Result<Consents, GateError> {
    let mut bytes = [0; CONSENT_LEN];
    let read = read(store, DataClass::from(Class::Settings), CONSENT, &mut bytes).await;
    match read {
        Ok(Some(len)) => {
            let bytes = bytes.get(..len).unwrap_or_default();
            Consents::from_bytes(bytes).ok_or(GateError::NotUnderstood)
        }
        Ok(None) => Ok(Consents::default()),
        Err(error) => Err(error),
    }
}

#[two_faces]
async fn write_consents<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    consents: Consents,
    random: &mut R,
) -> Result<(), GateError> {
    let mut bytes = [0; CONSENT_LEN];
    let len = consents.to_bytes(&mut bytes);
    let value = bytes.get(..len).unwrap_or_default();
    let change = Change::put_bytes(Class::Settings, CONSENT, value);
    Ok(store.commit_any(&[change], random).await?)
}
