//! A sealed key-value store for raw flash: encrypted, authenticated, safe against power cuts, and able to forget.
//!
//! ```
//! use bydesign::flash::Overwritable;
//! use bydesign::flash::simulator::{Rule, Simulator};
//! use bydesign::secret::RootKey;
//! use bydesign::store::{Class, Key, MountError, Ram, Store};
//!
//! const WIFI_PASSWORD: Key<[u8; 8]> = Key::new("wifi.password", Class::Settings);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fuses = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
//! let root_key = RootKey::new(fuses)?;
//! let mut random = getrandom::SysRng;
//! let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
//!
//! // first boot: nothing is formatted silently
//! let medium = Overwritable::new(&mut flash);
//! assert_eq!(Store::mount(medium, Ram::<32, 256>::new(), &root_key, "settings").err(), Some(MountError::Unformatted));
//! let medium = Overwritable::new(&mut flash);
//! let mut store = Store::format(medium, Ram::<32, 256>::new(), &root_key, "settings", &mut random)?;
//! store.put(&WIFI_PASSWORD, b"12345678", &mut random)?;
//!
//! // every later boot
//! drop(store);
//! let mut store = Store::mount(Overwritable::new(&mut flash), Ram::<32, 256>::new(), &root_key, "settings")?;
//! assert_eq!(store.get(&WIFI_PASSWORD)?, Some(*b"12345678"));
//!
//! // a new owner: the key of the class is destroyed, whatever the class holds
//! store.erase(Class::Settings, &mut random)?;
//! assert_eq!(store.get(&WIFI_PASSWORD)?, None);
//! # Ok(())
//! # }
//! ```
//!
//! # Two faces
//!
//! [`Store`] is for blocking drivers; with feature `async`, [`AsyncStore`] is for async ones. They have one source. Without the feature it is compiled
//! without its waits, for a quarter less code; with it, it is compiled once for both, and under the blocking face routines run when they are called.
//!
//! # Sharing between tasks
//!
//! An operation borrows the store for itself: two cannot run at once. Tasks of an async executor share one behind an async mutex,
//! which each holds for one operation; a long operation yields at every call of the driver, so that other tasks run meanwhile.
//!
//! ```
//! use embassy_sync::blocking_mutex::raw::NoopRawMutex; // tasks of one executor
//! use embassy_sync::mutex::Mutex;
//! # use bydesign::flash::Medium;
//! # use bydesign::store::{AsyncStore, Class, Key, Memory, WriteError};
//! # use rand_core::CryptoRng;
//!
//! const SPEED: Key<u16> = Key::new("speed", Class::Settings);
//!
//! async fn set_speed<M: Medium, I: Memory, R: CryptoRng>(
//!     store: &Mutex<NoopRawMutex, AsyncStore<M, I>>,
//!     speed: u16,
//!     random: &mut R,
//! ) -> Result<(), WriteError> {
//!     store.lock().await.put(&SPEED, &speed, random).await
//! }
//!
//! /// When there is time: one step, and the others have the store again. No step takes longer than one erase.
//! async fn upkeep<M: Medium, I: Memory, R: CryptoRng>(
//!     store: &Mutex<NoopRawMutex, AsyncStore<M, I>>,
//!     random: &mut R,
//! ) -> Result<(), WriteError> {
//!     while store.lock().await.maintain(1, random).await? {}
//!     Ok(())
//! }
//! ```
//!
//! # Watchdogs
//!
//! Every wait of the async face is one call of the driver: a program call of at most one record, or the erase of one unit. A
//! watchdog that is fed by another task, or around the driver's calls, never waits longer. With a blocking driver, feed it in the
//! driver.
//!
//! # Power loss
//!
//! Power may go at any instant of any operation, of mount and erase too. Afterwards the store mounts, and each item has the
//! value last acknowledged or the one being written, never a third.
//!
//! # Security
//!
//! Against whoever reads the flash, the store keeps names and values; sizes and numbers of records show. Against whoever
//! reads the flash *and* holds the root key, it keeps what was erased before the reading. Against whoever also writes the
//! flash between boots, it keeps records from being forged, swapped, dropped or brought back unnoticed. A *whole* earlier
//! image is a genuine earlier state: a store that is held against a [`Counter`] outside the flash refuses it
//! ([`Store::mount_anchored`], [`Store::anchor`]), any other calls itself [`Freshness::Unanchored`]. The bytes are described in `docs/on-flash-format.md`, the attackers in `docs/threat-model.md`.
//!
//! Serves CoP 4, 8, 9 and 11. [`CLAIMS`] names the provisions of EN 303 645, how far each is served and by which requirements.
//!
//! ```text
//!  key · stored · class            what applications name
//!  store (this file) · blocking    the operations
//!  change · transaction            putting and removing one item; several together
//!  anchor · counter · flash_counter   holding the store against a monotonic counter
//!  mount · replay · resume · walk  from bytes to a store; the log into the index; from a checkpoint on; reading what may be torn
//!  checkpoint · list               the index in the log, now and then; its bytes
//!  collect · ahead · keys          making room; the pages to come, without those that fail; changing keys
//!  salvage                         what still opens of a store that does not mount
//!  inspect                         with feature `lab`: what an image holds, for laboratories
//!  log · memory                    the head of the log; the caller's RAM
//!  key_page · clear · record       one key page; one record
//!  pages · hierarchy               the medium, read back and marked; which key comes from which
//!  ring · geometry · format        the order of the pages; sizes and places; every byte on flash
//! ```

mod ahead;
mod anchor;
mod blocking;
mod change;
mod checkpoint;
mod claims;
mod class;
mod clear;
mod collect;
mod counter;
mod error;
mod figures;
mod flash_counter;
mod format;
mod geometry;
mod gone;
mod hierarchy;
#[cfg(feature = "lab")]
pub mod inspect;
mod key;
mod key_page;
mod keys;
mod list;
mod log;
mod memory;
mod mount;
mod pace;
mod pages;
mod record;
mod replay;
mod resume;
mod ring;
mod salvage;
mod stored;
mod transaction;
mod walk;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

pub use blocking::Store;
pub(crate) use blocking::{begin, run_beside, run_within, words};
pub use claims::CLAIMS;
pub use class::{Class, DataClass, Scope, UserId};
pub use counter::{AnchorPolicy, Counter, CounterFailed, CounterPlace, Freshness};
pub use error::{AnchorError, EraseError, FormatError, MountError, ReadError, UpgradeError, WriteError};
pub use figures::Figures;
pub use flash_counter::FlashCounter;
pub use gone::Amount;
pub(crate) use gone::{COMPLETE, ERASURE, NOTE_LEN};
pub use key::Key;
pub(crate) use log::Access;
pub(crate) use memory::Entry;
pub use memory::{Memory, Ram};
pub use salvage::{Salvage, Salvaged};
pub use stored::{CodecError, Serde, Stored};
pub use transaction::Change;

use self::change::Item;
use self::error::Fault;
use self::format::MAX_NAME;
use self::geometry::Geometry;
use self::log::{KeyWork, Log};
use self::memory::Parts;
use self::mount::Existing;
use self::pages::{HasPages, Pages};
use self::record::OpenedValue;
use crate::flash::{Medium, MediumKind, Routine, two_faces};
use crate::secret::RootKey;

/// The store over a medium whose driver may be async. See the [module](self) for what it promises; [`Store`] is the
/// blocking face.
///
/// # Cancelling
///
/// Every future may be dropped at any await. What it was doing has then happened or not, as after a power cut; the store
/// goes on to be used.
///
/// With feature `async`.
#[cfg_attr(not(feature = "async"), doc(hidden))]
pub struct AsyncStore<M: Medium, I: Memory> {
    log: Log<M>,
    memory: I,
}

#[two_faces]
impl<M: Medium, I: Memory> AsyncStore<M, I> {
    /// Makes a store on blank flash.
    ///
    /// `label` names the partition (at most 32 bytes); it is part of every key, and the mount must be given the same.
    ///
    /// # Errors
    ///
    /// [`FormatError`]; [`FormatError::NotBlank`] if the flash holds anything but the leavings of a format that was cut
    /// short.
    ///
    /// # Power loss
    ///
    /// The flash stays unformatted until the last write; format again.
    ///
    /// # Security
    ///
    /// Fails, changing nothing, if the random source is visibly stuck.
    pub async fn format<R: TryCryptoRng + ?Sized>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<Self, FormatError> {
        let mut store = Self::unmade(medium, memory)?;
        store.make(root_key, label, Existing::Refuse, random).await?;
        Ok(store)
    }

    /// Makes a store, erasing whatever is on the flash.
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    ///
    /// # Power loss
    ///
    /// Once begun, what was there is gone and the flash is unformatted until the last write; call it again.
    pub async fn format_erasing<R: TryCryptoRng + ?Sized>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<Self, FormatError> {
        let mut store = Self::unmade(medium, memory)?;
        store.make(root_key, label, Existing::Erase, random).await?;
        Ok(store)
    }

    /// Finds the store on the flash, finishes what a power cut interrupted, and reads where everything lies.
    ///
    /// # Errors
    ///
    /// [`MountError`]; nothing is destroyed by a mount that fails.
    ///
    /// # Power loss
    ///
    /// Mounting again does what was left to do.
    ///
    /// # Security
    ///
    /// What the last change superseded or removed on overwritable media is overwritten, if a power cut prevented that. Where the
    /// flash does not take it, the store mounts all the same, and each write reports the failure until it does.
    pub async fn mount(medium: M, memory: I, root_key: &RootKey, label: &str) -> Result<Self, MountError> {
        let mut store = Self::unmounted(medium, memory, label)?;
        store.find_unerased(root_key, label).await?;
        Ok(store)
    }

    /// As [`AsyncStore::mount`], and holds the store against the counter that [`AsyncStore::start_counter`] was given: an
    /// earlier image of it is refused.
    ///
    /// # Errors
    ///
    /// [`MountError`]; [`MountError::SetBack`] if the flash was set back, [`MountError::NotAnchored`] if the store was never
    /// held against a counter. Where a product always does that before it stores anything, the latter means that the first boot
    /// was cut short or that the store was replaced: format it.
    ///
    /// # Power loss
    ///
    /// A counter that a power cut kept from being moved is moved now.
    ///
    /// # Security
    ///
    /// What was anchored cannot be taken back unnoticed; what came after it may be, see [`Freshness::Anchored`]. Serves CoP 4
    /// and 7; EN 303 645 5.4-1.
    pub async fn mount_anchored<C: Counter>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        counter: &mut C,
    ) -> Result<Self, MountError> {
        let mut store = Self::unmounted(medium, memory, label)?;
        store.find_unerased(root_key, label).await?;
        store.check_counter(counter).await?;
        Ok(store)
    }

    pub(crate) fn check_counter<C: Counter>(
        &mut self,
        counter: &mut C,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move { self.log.check_counter(counter).await })
    }

    /// Ends the store and gives the medium back. Nothing is pending: every change was on flash when it was acknowledged.
    pub fn into_medium(self) -> M {
        self.log.pages.medium
    }

    /// The medium under the store.
    pub fn medium(&self) -> &M {
        &self.log.pages.medium
    }

    /// The medium under the store, to exercise it in tests. Writing to it loses data.
    pub fn medium_mut(&mut self) -> &mut M {
        &mut self.log.pages.medium
    }

    /// Reads everything that still authenticates out of a store that no longer mounts, and says what does not. Never runs by
    /// itself, and writes nothing; what comes of the store is the caller's to decide: usually
    /// [`AsyncStore::format_erasing`] and putting back what was found.
    ///
    /// ```
    /// # use bydesign::flash::NeverPends;
    /// # use bydesign::secret::RootKey;
    /// # use bydesign::store::{Memory, MountError, Salvage, Store};
    /// # fn example<M: NeverPends, I: Memory>(medium: M, memory: I, root_key: &RootKey) -> Result<(), MountError> {
    /// let salvaged = Store::salvage(medium, memory, root_key, "settings", |found| match found {
    ///     Salvage::Item { name, is_latest, .. } => println!("{name}{}", if is_latest { "" } else { " (or an earlier value of it)" }),
    ///     Salvage::Gap { from, to } => println!("nothing opens from {from:#x} to {to:#x}"),
    ///     other => println!("{other:?}"),
    /// })?;
    /// # let _ = salvaged;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Takes a few readings of every page, and where it is damaged an attempt to open a record at each word: slow, and bounded
    /// by the size of the part. `memory` must have room for all items.
    ///
    /// # Errors
    ///
    /// [`MountError`]: no key page opens, the memory is too small, or the store's own key is damaged. Then nothing can be read:
    /// there is one copy of every key, so that it can be destroyed.
    ///
    /// # Power loss
    ///
    /// Nothing is written.
    ///
    /// # Security
    ///
    /// Only what opens under its key is given. Damage that an attacker chose can hide newer values and removals: see
    /// [`Salvage::Item`]. Erased classes stay erased.
    pub async fn salvage(
        medium: M,
        mut memory: I,
        root_key: &RootKey,
        label: &str,
        each: impl FnMut(Salvage<'_>),
    ) -> Result<Salvaged, MountError> {
        let mut parts = memory.parts();
        let salvaged = Log::salvage(medium, root_key, label, &mut parts, each).await;
        parts.buffer.zeroize();
        salvaged
    }

    // ---- reading ----

    /// The value of an item; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; with [`ReadError::Version`] or [`ReadError::Decode`] the bytes stay as they are. A record that no longer opens is [`ReadError::Damaged`], never `None`.
    pub async fn get<T: Stored>(&mut self, key: &Key<T>) -> Result<Option<T>, ReadError> {
        self.refuse_if_closed()?;
        let Some((_, opened)) = self.open(key.data, key.name).await? else {
            return Ok(None);
        };
        let buffer = self.memory.parts().buffer;
        let value = key.decode(buffer.get(opened.value).unwrap_or_default());
        buffer.zeroize();
        value.map(Some)
    }

    /// Copies an item's bytes to the start of `out` and gives their number; `None` if there is no such item.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; with [`ReadError::OutputTooSmall`] `out` is untouched.
    pub async fn get_bytes(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        out: &mut [u8],
    ) -> Result<Option<usize>, ReadError> {
        self.refuse_if_closed()?;
        self.copy_bytes(data.into(), name, out).await
    }

    fn copy_bytes(
        &mut self,
        data: DataClass,
        name: &str,
        out: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<usize>, ReadError>>> {
        M::call(async move {
            let Some((_, opened)) = self.open(data, name).await? else {
                return Ok(None);
            };
            let buffer = self.memory.parts().buffer;
            let needed = opened.value.len();
            let copied = match (buffer.get(opened.value), out.get_mut(..needed)) {
                (Some(value), Some(target)) => {
                    // Of one length, which no compiler sees: no panic is left behind this way.
                    target.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
                    Ok(Some(needed))
                }
                _ => Err(ReadError::OutputTooSmall(needed)),
            };
            buffer.zeroize();
            copied
        })
    }

    /// Whether there is an item.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn contains<T>(&mut self, key: &Key<T>) -> Result<bool, ReadError> {
        self.contains_bytes(key.data, key.name).await
    }

    /// Whether there is an item of this name.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn contains_bytes(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
    ) -> Result<bool, ReadError> {
        self.refuse_if_closed()?;
        let found = self.open(data.into(), name).await?;
        self.memory.parts().buffer.zeroize();
        Ok(found.is_some())
    }

    /// Calls `each` with the name and value of every item of a class, in no order. The slices are wiped afterwards.
    ///
    /// # Errors
    ///
    /// [`ReadError`]; items before the one that fails have been seen.
    pub async fn for_each(
        &mut self,
        data: impl Into<DataClass>,
        mut each: impl FnMut(&str, &[u8]),
    ) -> Result<(), ReadError> {
        self.refuse_if_closed()?;
        self.settle().await?;
        let data = data.into();
        let Parts { index, slots, buffer } = self.memory.parts();
        let Some(slot) = slots.find(data) else {
            return Ok(());
        };
        for entry in index.iter().filter(|entry| entry.slot() == slot) {
            let class = slots.get(slot);
            let opened = self
                .log
                .read_value(entry.address(), entry.size(), class, buffer)
                .await;
            let shown = opened.map_err(ReadError::from).and_then(|opened| {
                let name = buffer.get(opened.name).map(core::str::from_utf8);
                match (name, buffer.get(opened.value)) {
                    (Some(Ok(name)), Some(value)) => {
                        each(name, value);
                        Ok(())
                    }
                    _ => Err(ReadError::Damaged(entry.address().saturating_mul(4))),
                }
            });
            buffer.zeroize();
            shown?;
        }
        Ok(())
    }

    /// How full and how worn the store is.
    pub fn figures(&mut self) -> Figures {
        Figures::of(&self.log, &self.memory.parts().index)
    }

    // ---- writing ----

    /// Stores a value, in place of an earlier one.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the earlier value is still there. After an error of the flash driver either value may be there
    /// after the next mount, and the earlier one until then.
    ///
    /// # Power loss
    ///
    /// The earlier value or this one; this one for certain once the call has returned.
    ///
    /// # Security
    ///
    /// On overwritable media the earlier value is overwritten before this returns. On write-once media it stays on flash,
    /// sealed under the class key, until its page is collected or the class erased.
    pub async fn put<T: Stored, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        value: &T,
        random: &mut R,
    ) -> Result<(), WriteError> {
        let item = Item {
            data: key.data,
            name: key.name,
            fixed: key.fixed,
            value_len: None,
        };
        let fill = |out: &mut [u8]| key.encode(value, out).map_err(|CodecError| WriteError::Encode);
        self.put_with(item, fill, random).await
    }

    /// Brings an item to the present version of its key, if it is there in an earlier one. Gives whether it was. Call it for each key
    /// that has changed, once after an update of the firmware; until then [`AsyncStore::get`] reads the earlier version.
    ///
    /// # Errors
    ///
    /// [`UpgradeError`]; the item is as it was. A write-once item cannot be written anew: it is read through
    /// [`Key::migrate`] for good.
    ///
    /// # Power loss
    ///
    /// The item has its earlier version or the present one; reading gives the same value.
    pub async fn upgrade<T: Stored, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        random: &mut R,
    ) -> Result<bool, UpgradeError> {
        self.refuse_if_closed().map_err(ReadError::from)?;
        let Some((_, opened)) = self.open(key.data, key.name).await? else {
            return Ok(false);
        };
        let buffer = self.memory.parts().buffer;
        let bytes = buffer.get(opened.value).unwrap_or_default();
        let value = key
            .is_of_another_version(bytes)
            .then(|| key.decode(bytes))
            .transpose();
        buffer.zeroize();
        let Some(value) = value? else { return Ok(false) };
        self.put(key, &value, random).await?;
        Ok(true)
    }

    /// Stores bytes, in place of earlier ones. As [`AsyncStore::put`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub async fn put_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        value: &[u8],
        random: &mut R,
    ) -> Result<(), WriteError> {
        let item = Item {
            data: data.into(),
            name,
            fixed: false,
            value_len: Some(value.len()),
        };
        self.put_with(item, copy_of(value), random).await
    }

    /// Stores bytes that can never be changed or removed, only erased with their class.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; [`WriteError::Fixed`] if there is such an item already.
    pub async fn put_fixed_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        value: &[u8],
        random: &mut R,
    ) -> Result<(), WriteError> {
        let item = Item {
            data: data.into(),
            name,
            fixed: true,
            value_len: Some(value.len()),
        };
        self.put_with(item, copy_of(value), random).await
    }

    /// Removes an item: gone to software. Gives whether there was one.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; [`WriteError::Fixed`] for a write-once item.
    ///
    /// # Power loss
    ///
    /// The item is there or not; not for certain once the call has returned.
    ///
    /// # Security
    ///
    /// On overwritable media name and value are overwritten before this returns. On write-once media they stay on flash,
    /// sealed under the class key, until their page is collected; [`AsyncStore::erase_item`] does not wait.
    pub async fn remove<T, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        self.remove_bytes(key.data, key.name, random).await
    }

    /// Removes the item of this name. As [`AsyncStore::remove`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub async fn remove_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        let data = data.into();
        if name.len() > MAX_NAME {
            return Err(WriteError::Name);
        }
        if data.reserves(name) {
            return Err(WriteError::Reserved);
        }
        self.refuse_if_closed()?;
        self.remove_any(data, name, random).await
    }

    /// As [`AsyncStore::remove_bytes`], amid an erasure as well.
    pub(crate) fn remove_any<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: DataClass,
        name: &str,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, WriteError>>> {
        M::call(async move {
            self.recover().await?;
            let removed = self
                .log
                .remove_item(data, name, &mut self.memory.parts(), random)
                .await;
            self.memory.parts().buffer.zeroize();
            removed
        })
    }

    /// Carries out several changes, in any classes, together: all of them or none.
    ///
    /// ```
    /// # use bydesign::flash::NeverPends;
    /// # use bydesign::store::{Change, Class, Key, Memory, Store, WriteError};
    /// const FROM: Key<u32> = Key::new("balance.a", Class::User);
    /// const TO: Key<u32> = Key::new("balance.b", Class::User);
    /// const PENDING: Key<u32> = Key::new("pending", Class::Settings);
    ///
    /// # fn example<M: NeverPends, I: Memory>(store: &mut Store<M, I>) -> Result<(), WriteError> {
    /// # let mut random = getrandom::SysRng;
    /// store.commit(
    ///     &[Change::put(&FROM, &60), Change::put(&TO, &40), Change::remove(&PENDING)],
    ///     &mut random,
    /// )?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// All records of one transaction stand in one page: at 4 KiB pages and 4-byte words they may take 3,880 bytes together,
    /// of which each value costs about 40 beside its name and bytes, and the transaction itself 44.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; none of the changes was made. After an error of the flash driver all or none of them are there after the
    /// next mount; until then, and whatever the next operation tells, they stay so.
    ///
    /// # Power loss
    ///
    /// All of them or none; all for certain once the call has returned.
    ///
    /// # Security
    ///
    /// As for [`AsyncStore::put`] and [`AsyncStore::remove`], for each change. What was written of a transaction that was
    /// interrupted is overwritten like any other interrupted write.
    pub async fn commit<R: TryCryptoRng + ?Sized>(
        &mut self,
        changes: &[Change<'_>],
        random: &mut R,
    ) -> Result<(), WriteError> {
        if changes.iter().any(Change::is_reserved) {
            return Err(WriteError::Reserved);
        }
        self.refuse_if_closed()?;
        self.commit_any(changes, random).await
    }

    /// As [`AsyncStore::commit`], of what is the library's own as well.
    pub(crate) fn commit_any<R: TryCryptoRng + ?Sized>(
        &mut self,
        changes: &[Change<'_>],
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            self.recover().await?;
            let committed = self.log.commit(changes, &mut self.memory.parts(), random).await;
            self.memory.parts().buffer.zeroize();
            committed
        })
    }

    // ---- erasing ----

    /// Erases a class, or one user's data: its key is destroyed and a new one made, in a time that does not depend on how
    /// much there is.
    ///
    /// ```
    /// # use bydesign::store::{Class, EraseError, Memory, Store, UserId};
    /// # use bydesign::flash::NeverPends;
    /// # fn example<M: NeverPends, I: Memory>(store: &mut Store<M, I>) -> Result<(), EraseError> {
    /// # let mut random = getrandom::SysRng;
    /// store.erase(UserId(7), &mut random)?;       // one user's data
    /// store.erase(Class::User, &mut random)?;     // every user's data
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EraseError`]. With [`EraseError::Random`] nothing was touched; with the others the erasure may have begun, and the
    /// next operation or mount completes it.
    ///
    /// # Power loss
    ///
    /// The class is whole or erased. Once the new key page is complete, a mount finishes before anything can be read.
    ///
    /// # Security
    ///
    /// After this returned, no dump of the flash opens the class's records, even with the root key. The sealed records
    /// themselves stay until their pages are collected. A dump taken *before* holds what it held.
    pub async fn erase<R: TryCryptoRng + ?Sized>(
        &mut self,
        scope: impl Into<Scope>,
        random: &mut R,
    ) -> Result<(), EraseError> {
        let scope = scope.into();
        if scope == Scope::Class(Class::Ledger) {
            return Err(EraseError::Reserved);
        }
        self.refuse_if_closed()?;
        self.erase_classes(|data| scope.takes(data), random).await
    }

    /// Erases one item: removes it and sees to it that no version of it is left on the flash.
    ///
    /// On overwritable media that is what [`AsyncStore::remove`] does anyway. On write-once media every page that may hold
    /// a version is collected, up to one turn of the whole log: slow, and wear for each page.
    ///
    /// # Errors
    ///
    /// [`EraseError`]; call it again, it starts over. A page of write-once media that holds something and no longer erases makes it
    /// fail every time: erase the class.
    ///
    /// # Power loss
    ///
    /// The item is there or not. On write-once media versions may be left on flash until the call is repeated and returns.
    pub async fn erase_item<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        random: &mut R,
    ) -> Result<(), EraseError> {
        let data = data.into();
        if name.len() > MAX_NAME {
            return Err(EraseError::Name);
        }
        if data.reserves(name) {
            return Err(EraseError::Reserved);
        }
        self.refuse_if_closed()?;
        self.recover().await?;
        let removed = self
            .log
            .remove_item(data, name, &mut self.memory.parts(), random)
            .await;
        self.memory.parts().buffer.zeroize();
        removed?;
        self.erase_versions(random).await
    }

    /// Sees to it that of items that were removed or superseded no version is left on write-once media; on overwritable ones none is.
    pub(crate) fn erase_versions<R: TryCryptoRng + ?Sized>(
        &mut self,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), EraseError>>> {
        M::call(async move {
            //= compliance/requirements.md#store-20
            //# The erasure of one item MUST NOT report success while the medium holds a version of it that opens under a class key that is still there.
            if M::KIND == MediumKind::WriteOnce {
                let last = self.log.head.generation;
                while self.sweep_page(last, random).await? {}
                self.log.erase_left_out().await?;
            }
            Ok(())
        })
    }

    // ---- keys ----

    /// Puts the store under another root key: from the next mount on it opens with that one, and with the old one no more.
    ///
    /// ```
    /// # use bydesign::flash::NeverPends;
    /// # use bydesign::secret::RootKey;
    /// # use bydesign::store::{EraseError, Memory, MountError, Store};
    /// # fn example<M: NeverPends, I: Memory + Default>(medium: M, transport: &RootKey, fuses: &RootKey) -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut random = getrandom::SysRng;
    /// // first boot: the image came under a transport key, the part has its own now
    /// let mut store = Store::mount(medium, I::default(), transport, "settings")?;
    /// store.change_root_key(fuses, &mut random)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// One key page is written; no other page is touched, however much is stored.
    ///
    /// # Errors
    ///
    /// [`EraseError`]. With [`EraseError::Random`] nothing was touched. After another error the change has happened or not: try
    /// the new key first at the next mount, then the old one.
    ///
    /// # Power loss
    ///
    /// The old root key or the new one, whole: a mount with the new key succeeds if the change had happened, and finishes it;
    /// otherwise one with the old key succeeds. Between the two there is an instant at which either does; the first mount
    /// decides.
    ///
    /// # Security
    ///
    /// After this returned, the old root key opens nothing on a later dump. It still opens a dump taken before, and the keys
    /// below, which have not changed, open later ones with it: change the root key *before* there is something to hide from
    /// whoever knew the old one, or erase afterwards. Serves CoP 4; EN 303 645 5.4-1.
    pub async fn change_root_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        root_key: &RootKey,
        random: &mut R,
    ) -> Result<(), EraseError> {
        self.settle().await?;
        let changed = self.log.rewrap(root_key, &mut self.memory.parts(), random).await;
        self.memory.parts().buffer.zeroize();
        Ok(changed?)
    }

    // ---- freshness ----

    /// Begins to hold the store against a counter: its next value is written to the flash, then the counter is moved to it.
    ///
    /// Also for a store that is there already, and with another counter than before; only call it when what is stored is known
    /// to be what it should be, because it is declared the latest.
    ///
    /// # Errors
    ///
    /// [`AnchorError`]; [`AnchorError::OtherCounter`] if the counter stands below what the store states.
    ///
    /// # Power loss
    ///
    /// The store is held against the counter, and the next [`AsyncStore::mount_anchored`] moves it if that is left to do; or
    /// it is not, and that mount says [`MountError::NotAnchored`].
    pub async fn start_counter<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(), AnchorError> {
        self.recover().await?;
        let started = self
            .log
            .start_counter(counter, &mut self.memory.parts(), random)
            .await;
        self.memory.parts().buffer.zeroize();
        started
    }

    /// Moves the counter, if the policy says that it is time: from then on nothing that was written before can be taken back.
    /// Call it after each change; it costs one read of the counter when there is nothing to do. The first call after a start moves
    /// the counter twice, whatever the policy: do not make it in a start that has changed nothing.
    ///
    /// ```
    /// # use bydesign::flash::NeverPends;
    /// # use bydesign::store::{AnchorPolicy, Counter, Freshness, Key, Memory, Store, Class};
    /// # const BALANCE: Key<u32> = Key::new("balance", Class::User);
    /// # fn example<M: NeverPends, I: Memory, C: Counter>(store: &mut Store<M, I>, counter: &mut C) -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut random = getrandom::SysRng;
    /// store.put(&BALANCE, &40, &mut random)?;
    /// store.anchor(counter, AnchorPolicy::EveryChange, &mut random)?;
    /// assert_eq!(store.freshness(), Freshness::Anchored { window: 0 });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AnchorError`]; call it again, or mount again: what was begun is completed.
    ///
    /// # Power loss
    ///
    /// Nothing stored is lost; the next [`AsyncStore::mount_anchored`] moves the counter if that is left to do.
    ///
    /// # Security
    ///
    /// A change is protected once this has returned after it; a power cut or an attacker in between may take it back. The first time
    /// after a start the counter is moved twice, which leaves behind what a fork of the store may have prepared at its value.
    pub async fn anchor<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        policy: AnchorPolicy,
        random: &mut R,
    ) -> Result<(), AnchorError> {
        self.recover().await?;
        let anchored = self
            .log
            .anchor(counter, policy, &mut self.memory.parts(), random)
            .await;
        self.memory.parts().buffer.zeroize();
        anchored
    }

    /// Keeps checkpoints from now on: the index is written into the log now and then, and a mount begins there. It reads little then,
    /// however large the part is. Costs a seventh of what is written, at most, and less with few items. Does nothing where checkpoints are kept already, and on
    /// overwritable media, where they would hold fingerprints of names that were removed.
    ///
    /// What lies before the checkpoint is checked when it is read and no more when the store is mounted: damage there shows later.
    ///
    /// Software that does not know checkpoints refuses the store from then on ([`MountError::UnknownFeatures`]).
    ///
    /// ```
    /// # use bydesign::flash::NeverPends;
    /// # use bydesign::store::{EraseError, Memory, Store};
    /// # fn example<M: NeverPends, I: Memory>(store: &mut Store<M, I>) -> Result<(), EraseError> {
    /// # let mut random = getrandom::SysRng;
    /// store.keep_checkpoints(&mut random)?; // once, after the format
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EraseError`]: a key page is written.
    ///
    /// # Power loss
    ///
    /// The store keeps checkpoints or does not; nothing stored is touched.
    ///
    /// # Security
    ///
    /// The list is sealed under the keys of the classes and dies with them. The salts of the records that it names are compared at the
    /// mount: pages of another history of the store are not taken for its own.
    pub async fn keep_checkpoints<R: TryCryptoRng + ?Sized>(
        &mut self,
        random: &mut R,
    ) -> Result<(), EraseError> {
        self.settle().await?;
        let begun = self.log.begin_checkpoints(&mut self.memory.parts(), random).await;
        self.memory.parts().buffer.zeroize();
        Ok(begun?)
    }

    /// What is known about the contents being the latest ones.
    pub fn freshness(&self) -> Freshness {
        self.log.freshness()
    }

    // ---- upkeep ----

    /// Does up to `budget` steps of the work that puts would otherwise do on the way: copying a record, erasing a page.
    /// Gives whether there is more. Call it when there is time.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    ///
    /// # Power loss
    ///
    /// Nothing is lost at any instant.
    pub async fn maintain<R: TryCryptoRng + ?Sized>(
        &mut self,
        budget: usize,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        self.recover().await?;
        let mut parts = self.memory.parts();
        for _ in 0..budget {
            // So that the next put has none to write.
            let largest = self.log.largest;
            let done = match self.log.keep_checkpoint(largest, &mut parts, random).await {
                Ok(false) => self.log.maintain_step(&mut parts, random).await,
                kept => kept,
            };
            parts.buffer.zeroize();
            if !done? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // ---- what the operations share ----

    /// A store that is to be made there.
    #[inline(never)]
    fn unmade(medium: M, memory: I) -> Result<Self, FormatError> {
        let geometry = Geometry::of(&medium).ok_or(FormatError::Geometry)?;
        let log = Log::over(Pages::new(medium, geometry));
        Ok(Self { log, memory })
    }

    #[inline(never)]
    fn make<R: TryCryptoRng + ?Sized>(
        &mut self,
        root_key: &RootKey,
        label: &str,
        existing: Existing,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), FormatError>>> {
        M::call(async move {
            self.log
                .format(root_key, label, existing, &mut self.memory.parts(), random)
                .await
        })
    }

    /// A store that is to be found there.
    #[inline(never)]
    pub(crate) fn unmounted(medium: M, memory: I, label: &str) -> Result<Self, MountError> {
        let log = Log::over(medium.pages(label)?);
        Ok(Self { log, memory })
    }

    #[inline(never)]
    pub(crate) fn find(
        &mut self,
        root_key: &RootKey,
        label: &str,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let mut parts = self.memory.parts();
            let found = self.log.mount(root_key, label, &mut parts).await;
            parts.buffer.zeroize();
            found
        })
    }

    //= compliance/requirements.md#erase-1
    //# While an erasure that was begun is not complete, a mount MUST refuse to show anything.
    pub(crate) fn find_unerased(
        &mut self,
        root_key: &RootKey,
        label: &str,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            self.find(root_key, label).await?;
            if self.is_being_erased().await? {
                return Err(MountError::ErasureBegun);
            }
            Ok(())
        })
    }

    /// Brings the keys and the index up to date after an operation that failed or was dropped: enough to read, and to change keys.
    fn settle(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            // A start of the counter that was dropped states nothing later.
            self.log.anchoring.next = None;
            self.log.settle_key_pages().await?;
            if self.log.key_work == KeyWork::Load {
                let mut slots = self.memory.parts().slots;
                let count = *slots.count;
                self.log.load_class_keys(&mut slots, count).await?;
            }
            self.log.count_run(&mut self.memory.parts()).await
        })
    }

    /// Completes what an operation that failed or was dropped left half done. A write does that before it begins: nothing may
    /// stand behind a record whose predecessor is not overwritten yet.
    fn recover(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.settle().await?;
            self.log.prove_end().await;
            self.log.overwrite_doomed().await?;
            self.log.overwrite_run(&mut self.memory.parts()).await?;
            self.log.overwrite_burnt().await
        })
    }

    /// Finds an item and leaves its record open in the buffer; the caller wipes it.
    fn open(
        &mut self,
        data: DataClass,
        name: &str,
    ) -> Routine<M, impl Future<Output = Result<Option<(Entry, OpenedValue)>, ReadError>>> {
        M::call(async move {
            if name.len() > MAX_NAME {
                return Err(ReadError::Name);
            }
            self.settle().await?;
            let Parts { index, slots, buffer } = self.memory.parts();
            let Some(slot) = slots.find(data) else {
                return Ok(None);
            };
            let found = self.log.find(&index, &slots, slot, name.as_bytes(), buffer).await;
            if !matches!(found, Ok(Some(_))) {
                buffer.zeroize();
            }
            Ok(found?)
        })
    }

    //= compliance/requirements.md#store-16
    //# Names and values MUST NOT remain in the store's memory once an operation has returned.
    fn put_with<R: TryCryptoRng + ?Sized>(
        &mut self,
        item: Item<'_>,
        fill: impl Fn(&mut [u8]) -> Result<usize, WriteError>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            if item.name.len() > MAX_NAME {
                return Err(WriteError::Name);
            }
            if item.data.reserves(item.name) {
                return Err(WriteError::Reserved);
            }
            self.refuse_if_closed()?;
            self.put_any(item, fill, random).await
        })
    }

    fn put_any<R: TryCryptoRng + ?Sized>(
        &mut self,
        item: Item<'_>,
        fill: impl Fn(&mut [u8]) -> Result<usize, WriteError>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            self.recover().await?;
            let put = self
                .log
                .put_item(item, &mut self.memory.parts(), fill, random)
                .await;
            self.memory.parts().buffer.zeroize();
            put
        })
    }
}

pub(crate) fn copy_of(value: &[u8]) -> impl Fn(&mut [u8]) -> Result<usize, WriteError> + '_ {
    move |out| {
        out.get_mut(..value.len())
            .ok_or(WriteError::Encode)?
            .copy_from_slice(value);
        Ok(value.len())
    }
}

#[cfg(test)]
mod tests;
