//! One device's life: made at the factory, given to an owner, used while its power fails, its users' data erased, sold on, and each time
//! looked at by the finder.
//!
//! ```text
//!   factory ── image file ──> label checked ── first start ── owner's password ── updates and cuts ─┐
//!                                                                                                   │
//!      ┌── reports to the maker, consented to and sent <── wrong guesses and cuts, the owner's login ┘
//!      │
//!      └── image file ──> finder ── consent withdrawn ── image file ──> finder
//!                                                                    │
//!                     plan ── erase the users' data ── receipt ── image file ─> finder
//!                                                                    │
//!             plan ── transfer to another owner ── receipt ── image file ─> finder
//!                                                                    │
//!                     the next owner's password ── set up and used anew ── image file ─> finder
//! ```
//!
//! ```text
//!   board      (this file)
//!   access     first boots, guesses, logins
//!   telling    consent, reports, withdrawal
//! ```

use std::fmt::Display;
use std::marker::PhantomData;
use std::path::Path;

use bydesign::credential::items::{IDENTITY, PAIRING, PAIRING_SECRET, ROTATED, SERIAL, Serial};
use bydesign::credential::limiter::{Limiter, Moment};
use bydesign::credential::{Claim, Stage};
use bydesign::erase::{
    Attester, DeviceInfo, Eraser, Found, Kind as ScopeKind, LONGEST_RECEIPT, Media, Report, Scope,
};
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator};
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{Class, Key, Ram, Store};
use chacha20::ChaCha20Rng;

use crate::device::{Device, Life};
use crate::finder::Finder;
use crate::images;
use crate::label;
use crate::model::{Chance, Change, Item, Model, Owner, SETTING_NAMES, USER_NAMES, USERS};
use crate::plant::Plant;

mod access;
mod telling;

/// The partition label of the store.
pub(crate) const LABEL: &str = "lifecycle";

const MAC: Key<[u8; 6]> = Key::fixed("mac", Class::Identity);
const WIFI: Key<Secret<32>> = Key::new("wifi", Class::Settings);
const VOLUME: Key<[u8; 1]> = Key::new("volume", Class::Settings);

/// Updates of each device: enough for the log to go around its flash several times.
const UPDATES: u32 = 600;
/// Events (bytes programmed, steps of an erase) between two starts, at most.
const LONGEST_TIME_ON: u32 = 8_000;
/// Events of an erasure, about: it is noted, a key page is written and one is erased, and the note is completed.
const EVENTS_OF_AN_ERASURE: u32 = 1_700;
/// Updates of the second owner.
const UPDATES_ANEW: u32 = 60;
const MAX_VALUE_LENGTH: usize = 256;
/// Erase units of the limiter's area: the fewest there can be.
const AREA_UNITS: usize = 2;

/// Memory for the store: 64 items, records of 512 bytes.
type Memory = Ram<64, 512>;
type Mounted<'a, K, const WORD: usize, const ERASE: usize> =
    Store<<K as Kind>::Medium<'a, WORD, ERASE>, Memory>;

/// The two kinds of flash, as something to start from.
pub(crate) trait Kind {
    const RULE: Rule;
    /// What a program cut short can leave behind on this kind.
    const PROGRAM_TEARS: [ProgramTear; 3];
    type Medium<'a, const WORD: usize, const ERASE: usize>: NeverPends;

    fn medium<const WORD: usize, const ERASE: usize>(
        chip: &mut Simulator<WORD, ERASE>,
    ) -> Self::Medium<'_, WORD, ERASE>;
}

pub(crate) struct Plain;
pub(crate) struct Once;

impl Kind for Plain {
    const RULE: Rule = Rule::Multiwrite;
    const PROGRAM_TEARS: [ProgramTear; 3] =
        [ProgramTear::Clean, ProgramTear::TornWord, ProgramTear::Unstable];
    type Medium<'a, const WORD: usize, const ERASE: usize> =
        Overwritable<Blocking<&'a mut Simulator<WORD, ERASE>>>;

    fn medium<const WORD: usize, const ERASE: usize>(
        chip: &mut Simulator<WORD, ERASE>,
    ) -> Self::Medium<'_, WORD, ERASE> {
        Overwritable::new(chip)
    }
}

impl Kind for Once {
    const RULE: Rule = Rule::WriteOnce;
    const PROGRAM_TEARS: [ProgramTear; 3] = [
        ProgramTear::Clean,
        ProgramTear::TornWord,
        ProgramTear::UnreadableWord,
    ];
    type Medium<'a, const WORD: usize, const ERASE: usize> =
        WriteOnce<Blocking<&'a mut Simulator<WORD, ERASE>>>;

    fn medium<const WORD: usize, const ERASE: usize>(
        chip: &mut Simulator<WORD, ERASE>,
    ) -> Self::Medium<'_, WORD, ERASE> {
        WriteOnce::new(chip)
    }
}

/// A device with its chip, and what ought to be on it.
pub(crate) struct Board<'a, K: Kind, const WORD: usize, const ERASE: usize> {
    device: &'a Device,
    chip: Simulator<WORD, ERASE>,
    /// The flash that the limiter of attempts has to itself: on it stands every guess before it is checked.
    area: Simulator<WORD, ERASE>,
    root_key: RootKey,
    random: &'a mut ChaCha20Rng,
    chance: Chance,
    model: Model,
    /// What the owner chose, and nobody else knows.
    password: String,
    life: Life,
    /// How the flash tears at the cut that is planned, and how it tore at the last.
    tears: Option<(ProgramTear, EraseTear)>,
    last_cut: Option<(ProgramTear, EraseTear)>,
    kind: PhantomData<K>,
}

/// The bytes of a typed value: the version of its key, then the value.
fn as_stored(value: &[u8]) -> Vec<u8> {
    [&[0], value].concat()
}

/// Small, so that the log goes around often: 16 KiB in units of 1 KiB, or 32 KiB in units of 4.
pub(crate) const fn units(erase: usize) -> usize {
    if erase < 4096 { 16 } else { 8 }
}

impl<'a, K: Kind, const WORD: usize, const ERASE: usize> Board<'a, K, WORD, ERASE> {
    const CAPACITY: usize = units(ERASE) * ERASE;

    /// Formats a blank chip, writes the identity and the verifier of the label's code, and gives the image: the store, and behind it the
    /// limiter's area.
    pub(crate) fn build(device: &Device, random: &mut ChaCha20Rng) -> Result<Vec<u8>, String> {
        let mut chip = Simulator::<WORD, ERASE>::new(Self::CAPACITY, K::RULE);
        let mut area = Simulator::<WORD, ERASE>::new(AREA_UNITS * ERASE, K::RULE);
        let root_key = device.root_key()?;
        let identity = Secret::random(random).map_err(during("drawing the identity"))?;

        let mut store = Store::format(K::medium(&mut chip), Memory::new(), &root_key, LABEL, random)
            .map_err(during("format"))?;
        store
            .put_fixed_bytes(Class::Identity, "model", device.order.model.as_bytes(), random)
            .map_err(during("model"))?;
        store
            .put(&MAC, &device.order.mac, random)
            .map_err(during("mac"))?;
        let pairing = Secret::random(random).map_err(during("drawing the pairing secret"))?;
        store
            .put(&PAIRING_SECRET, &pairing, random)
            .map_err(during("pairing"))?;
        let area_medium = K::medium(&mut area);
        let now = Moment::Awake(0);
        Limiter::create(area_medium, &mut store, access::NAME, access::POLICY, now, random)
            .map_err(during("limiter"))?;
        // However full the store will be, there is room for the note of an erasure.
        Eraser::new(&mut [])
            .map_err(during("areas"))?
            .prepare(&mut store, random)
            .map_err(during("prepare"))?;

        let Stage::Unprovisioned(blank) =
            bydesign::credential::Device::open(store).map_err(during("open"))?
        else {
            return Err("a new store has an identity".into());
        };
        let serial = Serial::new(&device.order.serial).ok_or("the serial does not fit")?;
        blank
            .provision(&identity, &serial, Claim::Code(&device.pairing), random)
            .map_err(during("provision"))?;
        Ok([chip.image(), area.image()].concat())
    }

    /// Everything after the factory, on the image in `file`.
    pub(crate) fn live(
        device: &'a Device,
        file: &Path,
        seed: u64,
        random: &'a mut ChaCha20Rng,
    ) -> Result<Life, String> {
        let image = images::read(file)?;
        label::check(device, &image)?;
        let (store, area) = image
            .split_at_checked(Self::CAPACITY)
            .ok_or("the image is too short")?;
        let mut board = Self {
            device,
            chip: Simulator::from_image(store, K::RULE),
            area: Simulator::from_image(area, K::RULE),
            root_key: device.root_key()?,
            random,
            chance: Chance::new(seed, device.number),
            model: Model::default(),
            password: String::new(),
            life: Life::default(),
            tears: None,
            last_cut: None,
            kind: PhantomData,
        };
        let end = board.live_on(file);
        if end.is_err() {
            // The state that failed, for whoever kept the images; the failure itself is what is reported.
            let _ = images::replace(file, &board.image());
        }
        end.map_err(|reason| board.with_circumstances(&reason))?;
        Ok(board.life)
    }

    fn live_on(&mut self, file: &Path) -> Result<(), String> {
        self.first_start()?;
        self.claim()?;
        self.set_up()?;
        self.use_it(UPDATES)?;
        self.restart_and_compare()?;
        self.withstand_guesses()?;
        self.log_in()?;
        let waiting = self.tell_the_maker()?;
        self.restart_and_compare()?;

        let image = self.save(file)?;
        let finder = Finder::look_before(self.device, &image, &self.model, &waiting)?;
        self.life.before = finder.finds();

        if self.device.plant == Some(Plant::QueueKept) {
            let copy = waiting.first().cloned().unwrap_or_default();
            self.put_setting("last report", &copy)?;
        }
        self.withdraw()?;
        self.restart_and_compare()?;
        finder.look_after(&self.save(file)?, &self.model)?;

        self.erase(Scope::AllUsers)?;
        self.model.forget_users();
        self.restart_and_compare()?;
        finder.look_after(&self.save(file)?, &self.model)?;

        self.sell_on()?;
        finder.look_after(&self.save(file)?, &self.model)?;

        self.use_it_anew()?;
        self.life.after = finder.look_again(&self.save(file)?, &self.model)?;
        self.life.erased = self.model.erased().count();
        Ok(())
    }

    /// All flash of the device.
    fn image(&self) -> Vec<u8> {
        [self.chip.image(), self.area.image()].concat()
    }

    /// Writes the image file, and gives what whoever takes it gets.
    fn save(&self, file: &Path) -> Result<Vec<u8>, String> {
        images::replace(file, &self.image())?;
        images::read(file)
    }

    /// Another owner gets the device.
    fn sell_on(&mut self) -> Result<(), String> {
        let pairing = Item::new(Owner::Factory, "pairing");
        let before = self.model.value(&pairing).map(<[u8]>::to_vec);
        self.erase(Scope::OwnershipTransfer)?;
        self.model.forget_owner(&pairing);
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        let anew = read(&mut store, &pairing)?;
        drop(store);
        if anew.is_none() || anew == before {
            return Err("the pairing secret is that of the owner before".into());
        }
        self.note(pairing, anew);
        self.restart_and_compare()
    }

    /// And sets it up.
    fn use_it_anew(&mut self) -> Result<(), String> {
        self.claim()?;
        self.ask_anew()?;
        self.set_up()?;
        let updates = self.life.updates + UPDATES_ANEW;
        self.use_it(updates)?;
        self.restart_and_compare()
    }

    fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        let item = Item::new(Owner::Settings, name);
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        store
            .put_bytes(Class::Settings, name, value, self.random)
            .map_err(during(name))?;
        drop(store);
        self.note(item, Some(value.to_vec()));
        Ok(())
    }

    /// What is on the device is so, as the model has it.
    fn note(&mut self, item: Item, value: Option<Vec<u8>>) {
        self.model.begin(Change { item, value });
        self.model.arrived();
    }

    /// The device comes out of its box: it is what the order says.
    fn first_start(&mut self) -> Result<(), String> {
        let order = &self.device.order;
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        if store.get(&SERIAL).map_err(during("serial"))? != Serial::new(&order.serial) {
            return Err("the serial is not that of the order".into());
        }
        if read(&mut store, &Item::new(Owner::Factory, "model"))?.as_deref() != Some(order.model.as_bytes()) {
            return Err("the model is not that of the order".into());
        }
        if store.get(&MAC).map_err(during("mac"))? != Some(order.mac) {
            return Err("the MAC is not that of the order".into());
        }
        let another = Serial::new("another").ok_or("the serial does not fit")?;
        if store.put(&SERIAL, &another, self.random).is_ok() {
            return Err("the serial could be written a second time".into());
        }
        for key in [
            store.contains(&IDENTITY),
            store.contains(&PAIRING),
            store.contains(&PAIRING_SECRET),
        ] {
            if !key.map_err(during("identity"))? {
                return Err("the identity is not complete".into());
            }
        }
        drop(store);
        for name in ["serial", "model", "mac", "identity", "pairing.code", "pairing"] {
            self.note_what_is_there(Item::new(Owner::Factory, name))?;
        }
        Ok(())
    }

    /// What the device itself has written of an item is right.
    fn note_what_is_there(&mut self, item: Item) -> Result<(), String> {
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        let value = read(&mut store, &item)?;
        drop(store);
        self.note(item, value);
        Ok(())
    }

    /// An owner tells the device the first settings.
    fn set_up(&mut self) -> Result<(), String> {
        let mut wifi = [0; 32];
        self.chance.fill(&mut wifi);
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        store
            .put(&WIFI, &Secret::new(wifi), self.random)
            .map_err(during("wifi"))?;
        store.put(&VOLUME, &[7], self.random).map_err(during("volume"))?;
        drop(store);
        self.note(Item::new(Owner::Settings, "wifi"), Some(as_stored(&wifi)));
        self.note(Item::new(Owner::Settings, "volume"), Some(as_stored(&[7])));
        Ok(())
    }

    /// Hundreds of updates, while the power fails again and again.
    fn use_it(&mut self, updates: u32) -> Result<(), String> {
        while self.life.updates < updates {
            let events = 1 + self.chance.below(LONGEST_TIME_ON);
            self.plan_cut(events);
            let end = self.use_until_cut(updates);
            self.life.cuts += u32::from(self.ended_by_cut(end)?);
        }
        Ok(())
    }

    fn use_until_cut(&mut self, updates: u32) -> Result<(), String> {
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        settle_and_compare(&mut store, &mut self.model)?;
        while self.life.updates < updates {
            let Change { item, value } = self.chance.change(self.life.updates);
            self.life.updates += 1;
            self.model.begin(Change {
                item: item.clone(),
                value: value.clone(),
            });
            let class = item.owner.data_class();
            match value {
                Some(value) => store
                    .put_bytes(class, &item.name, &value, self.random)
                    .map_err(during("put"))?,
                None => store
                    .remove_bytes(class, &item.name, self.random)
                    .map(drop)
                    .map_err(during("remove"))?,
            }
            self.model.arrived();
        }
        Ok(())
    }

    /// Erases as the button for it would, from the plan to the receipt; power fails in the middle a few times.
    fn erase(&mut self, scope: Scope<'static>) -> Result<(), String> {
        let number = u32::try_from(self.life.receipts.len()).unwrap_or(u32::MAX) + 1;
        let mut cuts_to_come = self.chance.below(4);
        loop {
            if cuts_to_come > 0 {
                cuts_to_come -= 1;
                let events = self.chance.below(EVENTS_OF_AN_ERASURE);
                self.plan_cut(events);
            }
            let end = self.erase_until_cut(scope, number);
            if self.ended_by_cut(end)? {
                self.life.erase_cuts += 1;
            } else {
                return Ok(());
            }
        }
    }

    fn erase_until_cut(&mut self, scope: Scope<'static>, number: u32) -> Result<(), String> {
        let mut eraser = Eraser::new(&mut [])
            .map_err(during("areas"))?
            .on(Media::RawFlash)
            .rotating(&ROTATED);
        let medium = K::medium(&mut self.chip);
        let mounted = eraser.mount(medium, Memory::new(), &self.root_key, LABEL, self.random);
        let (mut store, found) = mounted.map_err(during("boot"))?;
        let last = eraser.last(&mut store).map_err(during("the last report"))?;
        let report = match last.filter(|last| last.number == number) {
            // The cut came after the mark: this start has gone on with it.
            Some(report) => report,
            None if found != Found::Nothing => return Err(format!("the start found {found:?}")),
            // It has not begun: everything is there, and the plan says what of it goes.
            None => {
                compare(&mut store, &self.model)?;
                let plan = eraser.plan(&mut store, scope).map_err(during("plan"))?;
                let goes = |item: &Item| match scope.kind() {
                    ScopeKind::AllUsers => item.owner.is_user(),
                    _ => item.owner != Owner::Factory,
                };
                let going = self.model.live().filter(|(item, _)| goes(item)).count();
                if plan.going().items as usize != going {
                    return Err(format!(
                        "the plan takes {} items, not {going}",
                        plan.going().items
                    ));
                }
                let report = eraser.carry_out(&mut store, plan, self.random);
                report.map_err(during("erase"))?
            }
        };
        if report.scope != scope.kind() || !report.is_complete() || !report.store.verified {
            return Err(format!("the report is {report:?}"));
        }
        let identity = store.get(&IDENTITY).map_err(during("identity"))?;
        drop(store);
        self.receive(&report, &identity.ok_or("the identity is gone")?)
    }

    /// The receipt leaves the device.
    fn receive(&mut self, report: &Report, identity: &Secret<32>) -> Result<(), String> {
        let device = DeviceInfo {
            manufacturer: "bydesign examples",
            model: &self.device.order.model,
            serial: &self.device.order.serial,
        };
        let mut receipt = [0; LONGEST_RECEIPT];
        let len = report
            .receipt(&device, Attester::Identity(identity), &mut receipt)
            .map_err(during("receipt"))?;
        self.life.receipts.push(len);
        self.life.last_receipt = report.text(&device).to_string();
        Ok(())
    }

    /// Restarts in good order, reads everything back and compares it with the model.
    fn restart_and_compare(&mut self) -> Result<(), String> {
        self.power_on();
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        settle_and_compare(&mut store, &mut self.model)
    }

    fn with_circumstances(&self, reason: &str) -> String {
        let Life {
            updates,
            cuts,
            erase_cuts,
            access_cuts,
            ref told,
            ..
        } = self.life;
        let cuts = cuts + erase_cuts + access_cuts + told.cuts;
        match self.last_cut {
            Some((program, erase)) => format!(
                "{reason} (after {updates} updates and {cuts} cuts, in the last of which a program tears as {program:?} \
                 and an erase as {erase:?})"
            ),
            None => format!("{reason} (after {updates} updates)"),
        }
    }

    /// Power will go after so many events of the store's flash.
    fn plan_cut(&mut self, events: u32) {
        self.plan_tears();
        self.chip.cut_after(events.into());
    }

    /// Power will go after so many events of the limiter's area.
    fn plan_cut_of_area(&mut self, events: u32) {
        self.plan_tears();
        self.area.cut_after(events.into());
    }

    fn plan_tears(&mut self) {
        let erase_tears = [
            EraseTear::Clean,
            EraseTear::OldOrOne,
            EraseTear::Unstable,
            EraseTear::WeakBlank,
            EraseTear::HalfErased,
        ];
        let program = self.chance.one_of(K::PROGRAM_TEARS);
        let erase = self.chance.one_of(erase_tears);
        self.tears = Some((program, erase));
        let seed = self.chance.below(u32::MAX).into();
        self.chip.set_tear(program, erase, seed);
        self.area.set_tear(program, erase, seed);
    }

    /// Whether power went; any other error remains one. Power is back afterwards.
    fn ended_by_cut(&mut self, end: Result<(), String>) -> Result<bool, String> {
        let cut = self.chip.is_off() || self.area.is_off();
        if cut {
            self.last_cut = self.tears;
        }
        self.power_on();
        if cut { Ok(true) } else { end.map(|()| false) }
    }

    fn power_on(&mut self) {
        self.chip.power_on();
        self.area.power_on();
    }
}

fn mount<'a, K: Kind, const WORD: usize, const ERASE: usize>(
    chip: &'a mut Simulator<WORD, ERASE>,
    root_key: &RootKey,
) -> Result<Mounted<'a, K, WORD, ERASE>, String> {
    Store::mount(K::medium(chip), Memory::new(), root_key, LABEL).map_err(during("mount"))
}

/// Finds out whether the change in which power was cut arrived, and compares all else.
fn settle_and_compare<M: NeverPends>(store: &mut Store<M, Memory>, model: &mut Model) -> Result<(), String> {
    if let Some(item) = model.pending().cloned() {
        let found = read(store, &item)?;
        model.settle(found.as_deref())?;
    }
    compare(store, model)
}

/// Everything that ought to be there is, and nothing else.
fn compare<M: NeverPends>(store: &mut Store<M, Memory>, model: &Model) -> Result<(), String> {
    for (item, value) in model.live() {
        if read(store, item)?.as_deref() != Some(value) {
            return Err(format!("{item:?} is not what was stored"));
        }
    }
    let owners = [Owner::Factory, Owner::Settings]
        .into_iter()
        .chain(USERS.map(Owner::User));
    for owner in owners {
        let names = if owner.is_user() {
            USER_NAMES
        } else {
            SETTING_NAMES
        };
        for item in names.map(|name| Item::new(owner, name)) {
            if model.value(&item).is_none() && read(store, &item)?.is_some() {
                return Err(format!("{item:?} is back"));
            }
        }
        let mut count = 0;
        store
            .for_each(owner.data_class(), |_: &str, _: &[u8]| count += 1)
            .map_err(during("listing"))?;
        let expected = model.live().filter(|(item, _)| item.owner == owner).count();
        if count != expected {
            return Err(format!("{owner:?} has {count} items, not {expected}"));
        }
    }
    Ok(())
}

fn read<M: NeverPends>(store: &mut Store<M, Memory>, item: &Item) -> Result<Option<Vec<u8>>, String> {
    let mut buffer = [0; MAX_VALUE_LENGTH];
    let length = store
        .get_bytes(item.owner.data_class(), &item.name, &mut buffer)
        .map_err(during(&item.name))?;
    Ok(length.map(|length| buffer[..length].to_vec()))
}

fn during<E: Display>(what: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("{what}: {error}")
}
