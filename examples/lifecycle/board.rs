//! One device's life: made at the factory, used while its power fails, its users' data erased, sold on, and each time looked at by
//! the finder.
//!
//! ```text
//!   factory ── image file ──> first start ── updates and cuts ── image file ──> finder
//!                                                                    │
//!                     plan ── erase the users' data ── receipt ── image file ─> finder
//!                                                                    │
//!             plan ── transfer to another owner ── receipt ── image file ─> finder
//!                                                                    │
//!                                        set up and used anew ── image file ─> finder
//! ```

use std::fmt::Display;
use std::marker::PhantomData;
use std::path::Path;

use bydesign::erase::{
    Attester, DeviceInfo, Eraser, Found, Kind as ScopeKind, LONGEST_RECEIPT, Media, Report, Rotated, Scope,
};
use bydesign::flash::simulator::{EraseTear, ProgramTear, Rule, Simulator};
use bydesign::flash::{Blocking, NeverPends, Overwritable, WriteOnce};
use bydesign::secret::{RootKey, Secret};
use bydesign::store::{Class, Key, Ram, Store};
use chacha20::ChaCha20Rng;

use crate::device::{Device, Life};
use crate::finder::Finder;
use crate::images;
use crate::model::{Chance, Change, Item, Model, Owner, SETTING_NAMES, USER_NAMES, USERS};

/// The partition label of the store.
pub(crate) const LABEL: &str = "lifecycle";

const MAC: Key<[u8; 6]> = Key::fixed("mac", Class::Identity);
const DEVICE_KEY: Key<Secret<32>> = Key::fixed("device key", Class::Identity);
/// What the owner types in from the label, and may have told others: another one with another owner.
const PAIRING: Key<Secret<16>> = Key::new("pairing", Class::Identity);
const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];
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
    root_key: RootKey,
    random: &'a mut ChaCha20Rng,
    chance: Chance,
    model: Model,
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

impl<'a, K: Kind, const WORD: usize, const ERASE: usize> Board<'a, K, WORD, ERASE> {
    /// Small, so that the log goes around often: 16 KiB in units of 1 KiB, or 32 KiB in units of 4.
    const CAPACITY: usize = if ERASE < 4096 { 16 * ERASE } else { 8 * ERASE };

    /// Formats a blank chip, writes the identity, and gives the image.
    pub(crate) fn build(device: &Device, random: &mut ChaCha20Rng) -> Result<Vec<u8>, String> {
        let mut chip = Simulator::<WORD, ERASE>::new(Self::CAPACITY, K::RULE);
        let root_key = device.root_key()?;
        let device_key = Secret::random(random).map_err(during("drawing the device key"))?;

        let mut store = Store::format(K::medium(&mut chip), Memory::new(), &root_key, LABEL, random)
            .map_err(during("format"))?;
        for (name, text) in [("serial", &device.order.serial), ("model", &device.order.model)] {
            store
                .put_fixed_bytes(Class::Identity, name, text.as_bytes(), random)
                .map_err(during(name))?;
        }
        store
            .put(&MAC, &device.order.mac, random)
            .map_err(during("mac"))?;
        store
            .put(&DEVICE_KEY, &device_key, random)
            .map_err(during("device key"))?;
        let pairing = Secret::random(random).map_err(during("drawing the pairing secret"))?;
        store.put(&PAIRING, &pairing, random).map_err(during("pairing"))?;
        // However full the store will be, there is room for the note of an erasure.
        Eraser::new(&mut [])
            .map_err(during("areas"))?
            .prepare(&mut store, random)
            .map_err(during("prepare"))?;
        drop(store);
        Ok(chip.image().to_vec())
    }

    /// Everything after the factory, on the image in `file`.
    pub(crate) fn live(
        device: &'a Device,
        file: &Path,
        seed: u64,
        random: &'a mut ChaCha20Rng,
    ) -> Result<Life, String> {
        let mut board = Self {
            device,
            chip: Simulator::from_image(&images::read(file)?, K::RULE),
            root_key: device.root_key()?,
            random,
            chance: Chance::new(seed, device.number),
            model: Model::default(),
            life: Life::default(),
            tears: None,
            last_cut: None,
            kind: PhantomData,
        };
        let end = board.live_on(file);
        if end.is_err() {
            // The state that failed, for whoever kept the images; the failure itself is what is reported.
            let _ = images::replace(file, board.chip.image());
        }
        end.map_err(|reason| board.with_circumstances(&reason))?;
        Ok(board.life)
    }

    fn live_on(&mut self, file: &Path) -> Result<(), String> {
        self.first_start()?;
        self.set_up()?;
        self.use_it(UPDATES)?;
        self.restart_and_compare()?;

        images::replace(file, self.chip.image())?;
        let image = images::read(file)?;
        let finder = Finder::look_before(self.device, &image, &self.model)?;
        self.life.before = finder.finds();

        self.erase(Scope::AllUsers)?;
        self.model.forget_users();
        self.restart_and_compare()?;
        images::replace(file, self.chip.image())?;
        finder.look_after(&images::read(file)?, &self.model)?;

        self.sell_on()?;
        images::replace(file, self.chip.image())?;
        finder.look_after(&images::read(file)?, &self.model)?;

        self.use_it_anew()?;
        images::replace(file, self.chip.image())?;
        self.life.after = finder.look_again(&images::read(file)?, &self.model)?;
        self.life.erased = self.model.erased().count();
        Ok(())
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
        self.set_up()?;
        let updates = self.life.updates + UPDATES_ANEW;
        self.use_it(updates)?;
        self.restart_and_compare()
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
        for (name, ordered) in [("serial", &order.serial), ("model", &order.model)] {
            if read(&mut store, &Item::new(Owner::Factory, name))?.as_deref() != Some(ordered.as_bytes()) {
                return Err(format!("the {name} is not that of the order"));
            }
        }
        if store.get(&MAC).map_err(during("mac"))? != Some(order.mac) {
            return Err("the MAC is not that of the order".into());
        }
        let device_key = store
            .get(&DEVICE_KEY)
            .map_err(during("device key"))?
            .ok_or("there is no device key")?;
        if store
            .put_fixed_bytes(Class::Identity, "serial", b"another", self.random)
            .is_ok()
        {
            return Err("the serial could be written a second time".into());
        }
        let pairing = store.get(&PAIRING).map_err(during("pairing"))?;
        let pairing = pairing.ok_or("there is no pairing secret")?;
        drop(store);

        for (name, value) in [
            ("serial", order.serial.as_bytes().to_vec()),
            ("model", order.model.as_bytes().to_vec()),
            ("mac", as_stored(&order.mac)),
            ("device key", as_stored(device_key.expose())),
            ("pairing", as_stored(pairing.expose())),
        ] {
            self.note(Item::new(Owner::Factory, name), Some(value));
        }
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
        let identity = store.get(&DEVICE_KEY).map_err(during("device key"))?;
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
        self.chip.power_on();
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        settle_and_compare(&mut store, &mut self.model)
    }

    fn with_circumstances(&self, reason: &str) -> String {
        let Life {
            updates,
            cuts,
            erase_cuts,
            ..
        } = self.life;
        let cuts = cuts + erase_cuts;
        match self.last_cut {
            Some((program, erase)) => format!(
                "{reason} (after {updates} updates and {cuts} cuts, in the last of which a program tears as {program:?} \
                 and an erase as {erase:?})"
            ),
            None => format!("{reason} (after {updates} updates)"),
        }
    }

    fn plan_cut(&mut self, events: u32) {
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
        self.chip
            .set_tear(program, erase, self.chance.below(u32::MAX).into());
        self.chip.cut_after(events.into());
    }

    /// Whether power went; any other error remains one. Power is back afterwards.
    fn ended_by_cut(&mut self, end: Result<(), String>) -> Result<bool, String> {
        let cut = self.chip.is_off();
        if cut {
            self.last_cut = self.tears;
        }
        self.chip.power_on();
        if cut { Ok(true) } else { end.map(|()| false) }
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
