//! What a device ought to hold: a map in memory that goes through the same updates as the store.
//!
//! A power cut may fall into one change. Until the device has started again, both the old and the new value are right.

use std::collections::BTreeMap;

use bydesign::store::{Class, DataClass, UserId};
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Whose an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Factory,
    Settings,
    User(u32),
}

/// One item of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) owner: Owner,
    pub(crate) name: String,
}

/// A new value, or none for a removal.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) item: Item,
    pub(crate) value: Option<Vec<u8>>,
}

/// What a device ought to hold.
#[derive(Default)]
pub(crate) struct Model {
    live: BTreeMap<Item, Vec<u8>>,
    /// The change that power was cut in.
    pending: Option<Change>,
    /// Every value that was ever given to the store, arrived or not, and was not erased since.
    written: Vec<(Item, Vec<u8>)>,
    /// Every value that was erased since.
    erased: Vec<(Item, Vec<u8>)>,
    /// What people typed in to be let in: never kept, not even sealed.
    typed: Vec<String>,
}

/// Chance with a seed: the same updates and cuts each time.
pub(crate) struct Chance(ChaCha20Rng);

impl Owner {
    pub(crate) fn data_class(self) -> DataClass {
        match self {
            Self::Factory => Class::Identity.into(),
            Self::Settings => Class::Settings.into(),
            Self::User(user) => DataClass::user(UserId(user)),
        }
    }

    pub(crate) fn is_user(self) -> bool {
        matches!(self, Self::User(_))
    }
}

impl Item {
    pub(crate) fn new(owner: Owner, name: impl Into<String>) -> Self {
        Self {
            owner,
            name: name.into(),
        }
    }
}

impl Model {
    /// Announces a change. It has arrived when [`Model::arrived`] is called.
    pub(crate) fn begin(&mut self, change: Change) {
        if let Some(value) = &change.value {
            self.written.push((change.item.clone(), value.clone()));
        }
        self.pending = Some(change);
    }

    /// The change announced last is on the device.
    pub(crate) fn arrived(&mut self) {
        let Some(Change { item, value }) = self.pending.take() else {
            return;
        };
        match value {
            Some(value) => self.live.insert(item, value),
            None => self.live.remove(&item),
        };
    }

    /// After a cut: settles whether the change in flight arrived, from what the device now holds.
    pub(crate) fn settle(&mut self, found: Option<&[u8]>) -> Result<(), String> {
        let Some(Change { item, value }) = &self.pending else {
            return Ok(());
        };
        if found == value.as_deref() {
            self.arrived();
        } else if found == self.live.get(item).map(Vec::as_slice) {
            self.pending = None;
        } else {
            return Err(format!(
                "after a power cut {item:?} has neither its old nor its new value"
            ));
        }
        Ok(())
    }

    pub(crate) fn pending(&self) -> Option<&Item> {
        self.pending.as_ref().map(|change| &change.item)
    }

    /// All that lives.
    pub(crate) fn live(&self) -> impl Iterator<Item = (&Item, &[u8])> {
        self.live.iter().map(|(item, value)| (item, value.as_slice()))
    }

    pub(crate) fn value(&self, item: &Item) -> Option<&[u8]> {
        self.live.get(item).map(Vec::as_slice)
    }

    /// Every value that was ever given to the store and not erased since, under its name.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.written
            .iter()
            .map(|(item, value)| (item.name.as_str(), value.as_slice()))
    }

    /// Somebody types in a password or a code.
    pub(crate) fn type_in(&mut self, secret: &str) {
        self.typed.push(secret.to_owned());
    }

    /// Passwords and codes that were typed in.
    pub(crate) fn typed(&self) -> impl Iterator<Item = &str> {
        self.typed.iter().map(String::as_str)
    }

    /// The data of all users is gone.
    pub(crate) fn forget_users(&mut self) {
        self.forget(|item| item.owner.is_user());
    }

    /// Everything that an owner put there is gone, and so is what the owner may know.
    pub(crate) fn forget_owner(&mut self, rotated: &Item) {
        self.forget(|item| item.owner != Owner::Factory || item == rotated);
    }

    fn forget(&mut self, takes: impl Fn(&Item) -> bool) {
        self.live.retain(|item, _| !takes(item));
        self.erased
            .extend(self.written.extract_if(.., |(item, _)| takes(item)));
    }

    /// Every value that was ever given to the store and then erased, under its name; but for those that the next owner gave anew.
    pub(crate) fn erased(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.erased
            .iter()
            .filter(|erased| !self.written.contains(erased))
            .map(|(item, value)| (item.name.as_str(), value.as_slice()))
    }
}

impl Chance {
    pub(crate) fn new(seed: u64, device: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&device.to_le_bytes());
        Self(ChaCha20Rng::from_seed(bytes))
    }

    /// A number from 0 to `bound` - 1. The bias of one in 2^32 matters to nobody here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = u64::from(self.0.next_u32()) * u64::from(bound);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    pub(crate) fn one_of<T: Copy, const CHOICES: usize>(&mut self, choices: [T; CHOICES]) -> T {
        let at = self.below(u32::try_from(CHOICES).unwrap_or(u32::MAX)) as usize;
        choices[at]
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    /// An update like those of a device in use: mostly new values, sometimes a removal. No two values are the same.
    pub(crate) fn change(&mut self, number: u32) -> Change {
        let owner = self.one_of([
            Owner::Settings,
            Owner::Settings,
            Owner::User(0),
            Owner::User(7),
            Owner::User(21),
        ]);
        let names = if owner.is_user() {
            USER_NAMES
        } else {
            SETTING_NAMES
        };
        let item = Item::new(owner, self.one_of(names));
        if self.below(5) == 0 {
            return Change { item, value: None };
        }
        // Beginning with what differs: no two values share eight bytes in a row at the same place, unless of one name.
        let mut value = format!("{number:04} {} ", item.name).into_bytes();
        let text = value.len();
        value.resize(text + 12 + self.below(100) as usize, 0);
        self.fill(&mut value[text..]);
        Change {
            item,
            value: Some(value),
        }
    }
}

pub(crate) const SETTING_NAMES: [&str; 6] = [
    "hostname",
    "time zone",
    "schedule",
    "update channel",
    "language",
    "broker",
];
pub(crate) const USER_NAMES: [&str; 6] = [
    "nickname",
    "home address",
    "door code",
    "voice print",
    "sleep log",
    "note",
];
/// The users of a device; 0 is the household.
pub(crate) const USERS: [u32; 3] = [0, 7, 21];
