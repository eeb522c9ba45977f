//! Who gets in: whoever has the label, once; then whoever knows the owner's password; and others not, however often they pull the plug.
//!
//! ```text
//!   board
//!   access     (this file)
//!   bydesign::credential::{Device, PasswordPolicy, Verifier, limiter}
//! ```

use std::mem;

use bydesign::credential::alphabet::Alphabet;
use bydesign::credential::items::PAIRING;
use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy, Verdict};
use bydesign::credential::offline::OfflineSecret;
use bydesign::credential::{Block, Device, OwnerSet, PasswordPolicy, Refusal, Stage};

use super::{Board, Kind, Mounted, during, mount};
use crate::label::{self, BLOCKS, COST};
use crate::model::{Item, Owner};
use crate::orders::mac_text;
use crate::plant::Plant;

/// The limiter, before code and password alike.
pub(super) const NAME: &str = "access";
pub(super) const POLICY: Policy = Policy::new();
/// What the policy lets somebody try before there is a delay, and the longest delay in seconds.
const FREE: u32 = 5;
const LONGEST_DELAY_S: u32 = 3600;

/// Events of a first boot and of an attempt, about, on the store's flash and on the limiter's area.
const EVENTS_OF_A_CLAIM: u32 = 1_500;
const EVENTS_OF_A_GUESS: u32 = 400;
const EVENTS_ON_THE_AREA: u32 = 40;
/// How often whoever guesses starts the device anew.
const STARTS: u32 = 24;
/// Where the device keeps the owner's verifier.
const OWNER: &str = "\0owner";

/// What people try first, and why it is not taken.
type IsReason = fn(Refusal) -> bool;
const TRIED_FIRST: [(&str, IsReason); 3] = [
    ("letmein", |refusal| matches!(refusal, Refusal::TooShort { .. })),
    ("P@ssw0rdDragon2024", |refusal| refusal == Refusal::Common),
    ("abcdefghijklmnop", |refusal| refusal == Refusal::Predictable),
];

impl<K: Kind, const WORD: usize, const ERASE: usize> Board<'_, K, WORD, ERASE> {
    /// Somebody with the label in hand makes the device theirs; power fails now and then.
    pub(super) fn claim(&mut self) -> Result<(), String> {
        let store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        if !matches!(
            Device::open(store).map_err(during("open"))?,
            Stage::Provisioned(_)
        ) {
            return Err("the device does not wait for an owner".into());
        }
        let drawn = OfflineSecret::random(Alphabet::CLEAR, 20, self.random);
        let password = drawn.map_err(during("a password"))?.grouped().expose().to_owned();
        self.model.type_in(&password);
        let label = &self.device.label;
        for printed in [&label.text, &label.payload] {
            self.model.type_in(printed);
        }

        let mut cuts_to_come = self.chance.below(3);
        loop {
            if cuts_to_come > 0 {
                cuts_to_come -= 1;
                self.plan_cut_somewhere(EVENTS_OF_A_CLAIM);
            }
            let end = self.claim_until_cut(&password);
            if !self.ended_by_cut(end)? {
                break;
            }
            self.life.access_cuts += 1;
        }
        self.note_what_is_there(Item::new(Owner::Settings, OWNER))?;
        if self.device.plant == Some(Plant::PasswordKept) {
            self.put_setting("password", password.as_bytes())?;
        }
        let former = mem::replace(&mut self.password, password);
        if !former.is_empty() && self.is_let_in(&former)? {
            return Err("the earlier owner's password still lets them in".into());
        }
        if !self.is_let_in(&self.password.clone())? {
            return Err("the owner's password does not let them in".into());
        }
        Ok(())
    }

    fn claim_until_cut(&mut self, password: &str) -> Result<(), String> {
        let store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        let mut device = match Device::open(store).map_err(during("open"))? {
            Stage::Provisioned(device) => device,
            // The cut came behind the last step.
            Stage::OwnerSet(_) => return Ok(()),
            Stage::Unprovisioned(_) => return Err("the identity is gone".into()),
        };
        let area = K::medium(&mut self.area);
        let mut limiter = Limiter::mount(area, device.store(), NAME, POLICY, Moment::Awake(0))
            .map_err(during("limiter"))?;
        let mut blocks = vec![Block::new(); BLOCKS];
        let code = device.store().get(&PAIRING).map_err(during("pairing code"))?;
        let code = code.ok_or("there is no pairing code")?;

        // The label of another device is tried first, as happens where two lie on one table.
        let (other, _) = label::draw(self.random)?;
        let mut now = 0;
        let mut proven = None;
        for text in [&other.text, &self.device.label.text.to_lowercase()] {
            let typed = label::typed(text).map_err(during("the label as typed"))?;
            now += u64::from(limiter.standing(device.store(), Moment::Awake(now)).wait_s);
            let ready = code.ready(&mut blocks).map_err(during("memory"))?;
            let permit = limiter
                .attempt(device.store(), Moment::Awake(now), self.random)
                .map_err(during("attempt"))?;
            let verdict = ready.check(typed.symbols().as_bytes(), permit);
            proven = match verdict {
                Verdict::Right(right) => Some(right.settle().map_err(during("settle"))?),
                Verdict::Wrong => None,
            };
            if proven.is_some() && text == &other.text {
                return Err("the device takes the code of another one".into());
            }
        }
        let proven = proven.ok_or("the device does not take the code on its label")?;

        let mac = mac_text(self.device.order.mac);
        let order = &self.device.order;
        let about_it = [order.serial.as_str(), mac.as_str(), order.model.as_str()];
        let policy = PasswordPolicy::only_factor(&about_it);
        let refused = refusals(policy, &mac)?;
        let accepted = policy.check(password).map_err(during("a good password"))?;
        device
            .set_owner(&accepted, proven, COST, &mut blocks, self.random)
            .map_err(during("setting the password"))?;
        self.life.refusals = refused;
        Ok(())
    }

    /// Somebody guesses the owner's password, pulling the plug in the middle of it, and mostly too impatient for the delays.
    pub(super) fn withstand_guesses(&mut self) -> Result<(), String> {
        let whole = (self.chip.image().to_vec(), self.area.image().to_vec());
        let cuts_before = self.life.access_cuts;
        for _ in 0..STARTS {
            if self.device.plant == Some(Plant::FlashPutBack) {
                self.chip.image_mut().copy_from_slice(&whole.0);
                self.area.image_mut().copy_from_slice(&whole.1);
            }
            self.plan_cut_somewhere(EVENTS_OF_A_GUESS);
            let is_patient = self.chance.below(4) == 0;
            let end = self.guess_until_cut(is_patient);
            self.life.access_cuts += u32::from(self.ended_by_cut(end)?);
            let hasty = self.life.checks - self.life.patient_checks;
            if hasty > FREE {
                return Err(format!(
                    "{hasty} guesses were checked without a delay, where the policy allows {FREE}"
                ));
            }
        }
        let failures = self.failures()?;
        let most = self.life.checks + self.life.access_cuts - cuts_before;
        if !(self.life.checks..=most).contains(&failures) {
            return Err(format!(
                "{failures} failures are counted, of {} checks and {} cuts",
                self.life.checks,
                self.life.access_cuts - cuts_before
            ));
        }
        Ok(())
    }

    fn guess_until_cut(&mut self, mut is_patient: bool) -> Result<(), String> {
        let mut device = owned::<K, WORD, ERASE>(mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?)?;
        let area = K::medium(&mut self.area);
        let mut limiter = Limiter::mount(area, device.store(), NAME, POLICY, Moment::Awake(0))
            .map_err(during("limiter"))?;
        let verifier = device.owner().map_err(during("owner"))?;
        let mut blocks = vec![Block::new(); BLOCKS];
        let (mut now, mut has_waited) = (0, false);
        loop {
            let ready = verifier.ready(&mut blocks).map_err(during("memory"))?;
            match limiter.attempt(device.store(), Moment::Awake(now), self.random) {
                Ok(permit) => {
                    self.life.checks += 1;
                    self.life.patient_checks += u32::from(mem::take(&mut has_waited));
                    let guess = format!("correct horse {:08}", self.chance.below(u32::MAX));
                    if let Verdict::Right(_) = ready.check(guess.as_bytes(), permit) {
                        return Err(format!("{guess:?} is not the password, and was taken for it"));
                    }
                }
                Err(AttemptError::Wait { seconds }) if is_patient => {
                    (is_patient, has_waited) = (false, true);
                    now += u64::from(seconds);
                }
                Err(AttemptError::Wait { .. }) => return Ok(()),
                Err(error) => return Err(format!("attempt: {error}")),
            }
        }
    }

    /// The owner comes back, waits no longer than the policy says, and is let in; power may fail in the middle.
    pub(super) fn log_in(&mut self) -> Result<(), String> {
        if self.chance.below(2) == 0 {
            self.plan_cut_somewhere(EVENTS_OF_A_GUESS);
        }
        loop {
            let end = self.is_let_in(&self.password.clone());
            let is_in = *end.as_ref().unwrap_or(&false);
            if !self.ended_by_cut(end.map(drop))? {
                if !is_in {
                    return Err("the owner's password does not let them in".into());
                }
                break;
            }
            self.life.access_cuts += 1;
        }
        match self.failures()? {
            0 => Ok(()),
            failures => Err(format!("the owner is in, and {failures} failures still count")),
        }
    }

    /// Whether a password lets somebody in who waits as long as they are told.
    fn is_let_in(&mut self, password: &str) -> Result<bool, String> {
        let mut device = owned::<K, WORD, ERASE>(mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?)?;
        let area = K::medium(&mut self.area);
        let mut limiter = Limiter::mount(area, device.store(), NAME, POLICY, Moment::Awake(0))
            .map_err(during("limiter"))?;
        let wait_s = limiter.standing(device.store(), Moment::Awake(0)).wait_s;
        if wait_s > LONGEST_DELAY_S {
            return Err(format!("the owner has to wait for {wait_s} seconds"));
        }
        let verifier = device.owner().map_err(during("owner"))?;
        let mut blocks = vec![Block::new(); BLOCKS];
        let ready = verifier.ready(&mut blocks).map_err(during("memory"))?;
        let permit = limiter
            .attempt(device.store(), Moment::Awake(wait_s.into()), self.random)
            .map_err(during("the owner's attempt"))?;
        match ready.check(password.as_bytes(), permit) {
            Verdict::Right(right) => {
                let proven = right.settle().map_err(during("settle"))?;
                drop(proven);
                Ok(true)
            }
            Verdict::Wrong => Ok(false),
        }
    }

    /// Failures in a row, as a start finds them.
    fn failures(&mut self) -> Result<u32, String> {
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        let area = K::medium(&mut self.area);
        let limiter =
            Limiter::mount(area, &mut store, NAME, POLICY, Moment::Awake(0)).map_err(during("limiter"))?;
        Ok(limiter.standing(&store, Moment::Awake(0)).failures)
    }

    /// Within an attempt power fails as often over the area as over the store.
    fn plan_cut_somewhere(&mut self, events_of_store: u32) {
        if self.chance.below(2) == 0 {
            let events = self.chance.below(EVENTS_ON_THE_AREA);
            self.plan_cut_of_area(events);
        } else {
            let events = self.chance.below(events_of_store);
            self.plan_cut(events);
        }
    }
}

/// A device whose owner has set a password.
fn owned<K: Kind, const WORD: usize, const ERASE: usize>(
    store: Mounted<'_, K, WORD, ERASE>,
) -> Result<Device<OwnerSet, Mounted<'_, K, WORD, ERASE>>, String> {
    match Device::open(store).map_err(during("open"))? {
        Stage::OwnerSet(device) => Ok(device),
        Stage::Provisioned(_) | Stage::Unprovisioned(_) => Err("the owner's password is gone".into()),
    }
}

/// What is said of passwords that must not be taken.
fn refusals(policy: PasswordPolicy<'_>, mac: &str) -> Result<Vec<(String, String)>, String> {
    let own: (&str, IsReason) = (mac, |refusal| refusal == Refusal::Identifier);
    let mut refused = Vec::new();
    for (password, is_reason) in TRIED_FIRST.into_iter().chain([own]) {
        match policy.check(password) {
            Err(refusal) if is_reason(refusal) => refused.push((password.to_owned(), refusal.to_string())),
            Err(refusal) => return Err(format!("{password:?} is refused for another reason: {refusal}")),
            Ok(_) => return Err(format!("{password:?} is taken as a password")),
        }
    }
    Ok(refused)
}
