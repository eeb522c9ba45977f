//! Secure erase: from one item to the whole device, resumable, verified, with a receipt.
//!
//! The store destroys keys, overwrites and erases pages by itself. This module makes an erasure of it that a user can be shown: a
//! plan before, all places that the application knows of, not only the store, a report of what was *achieved*, and a receipt.
//!
//! ```
//! use bydesign::erase::{Callback, Cleared, Eraser, Found, Level, Media, Residual, Scope};
//! use bydesign::flash::Overwritable;
//! use bydesign::flash::simulator::{Rule, Simulator}; // stands where your driver stands; feature `test-util`
//! use bydesign::secret::RootKey;
//! use bydesign::store::{Class, Key, Ram, Store, UserId};
//!
//! const NAME: Key<[u8; 3]> = Key::new("name", Class::User);
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let fuses = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
//! # let root_key = RootKey::new(fuses)?;
//! # let mut random = getrandom::SysRng;
//! # let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
//! # drop(Store::format(Overwritable::new(&mut flash), Ram::<32, 256>::new(), &root_key, "device", &mut random)?);
//! // What else holds users' data: nothing is forgotten that is registered.
//! let mut bonds = Callback::new("radio bonds", |_scope| {
//!     Ok(Cleared { level: Level::Delegated, verified: false, residual: Residual::Unknown })
//! });
//! let mut areas: [&mut dyn bydesign::erase::Area; 1] = [&mut bonds];
//! let mut eraser = Eraser::new(&mut areas)?.on(Media::RawFlash);
//!
//! // At every boot, in place of `Store::mount`: completes what a power cut interrupted.
//! let medium = Overwritable::new(&mut flash);
//! let (mut store, found) = eraser.mount(medium, Ram::<32, 256>::new(), &root_key, "device", &mut random)?;
//! assert_eq!(found, Found::Nothing);
//! store.put(&NAME.of(UserId(7)), b"Ada", &mut random)?;
//!
//! // The user asks, sees, and confirms.
//! let plan = eraser.plan(&mut store, Scope::User(UserId(7)))?;
//! assert_eq!((plan.going().items, plan.classes()), (1, 1));
//! let report = eraser.carry_out(&mut store, plan, &mut random)?;
//! assert!(report.is_complete() && report.store.verified);
//! assert_eq!(report.store.level, Level::KeyDestroyed);
//! assert!(report.canary.opened_before && report.canary.failed_after);
//! # Ok(())
//! # }
//! ```
//!
//! # Power loss
//!
//! An erasure is noted on flash before anything is destroyed. From then on [`Store::mount`](crate::store::Store::mount) refuses with
//! [`MountError::ErasureBegun`] until [`Eraser::mount`] has completed it, whatever was cut short, and however often. The keys of all classes
//! of a scope go in one step.
//!
//! # Security
//!
//! What anybody copied before the erasure is out of its reach: a dump of the flash taken earlier, together with the root key, opens what it
//! held. So is what other components keep that is not registered. The canary and the receipt are the device's own word: they tell
//! an honest device's owner that the erasure did its work, and no one that a dishonest one did.
//!
//! Serves CoP 11, 4 and 8. [`CLAIMS`] names the provisions of EN 303 645, how far each is served and by which requirements.
//!
//! ```text
//!  erase
//!    steps · receipt · qr
//!    report
//!    note
//!    scope · area
//!  store
//! ```

mod area;
mod claims;
mod note;
#[cfg(feature = "qr")]
mod qr;
mod receipt;
mod report;
mod scope;
mod steps;

pub use area::{
    Area, AreaFailed, Callback, Cleared, LONGEST_NAME, Level, MOST_AREAS, Media, Region, Residual,
};
pub use claims::CLAIMS;
#[cfg(feature = "qr")]
pub use qr::{Qr, QrMemory};
pub use receipt::{Attester, DeviceInfo, Json, LONGEST_RECEIPT, ReceiptError, Text};
pub use report::{AreaName, AreaReport, Canary, Plan, Progress, Report};
pub use scope::{Kind, MOST_KEPT, Scope};

use rand_core::TryCryptoRng;

use self::note::{Flags, Note, Stage, fingerprint};
use self::scope::{Kept, Takes};
use crate::flash::{Medium, NeverPends, Now, two_faces};
use crate::secret::{RootKey, Secret};
use crate::store::{
    Access, Amount, AsyncStore, Class, Counter, DataClass, EraseError, Key, Memory, MountError, Store,
    UserId, begin, run_within, words,
};

/// Stack that an operation of the blocking face uses: the note and the report in its frames, above a put.
const ROOM: usize = words(1408);

/// Longest secret that an ownership transfer replaces, in bytes.
pub const LONGEST_SECRET: usize = 64;

/// The areas given cannot be erased together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AreasError {
    /// There are more than [`MOST_AREAS`].
    #[error("more than {MOST_AREAS} areas")]
    TooMany,
    /// The name of the area with this number is empty or longer than [`LONGEST_NAME`] bytes.
    #[error("the name of area {0} is empty or too long")]
    Name(usize),
    /// The area with this number has the name of an earlier one.
    #[error("area {0} has the name of another")]
    Repeated(usize),
}

/// Why a device did not come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The store does not mount.
    #[error("not mounted: {0}")]
    Mount(#[from] MountError),
    /// It does, and the erasure that was begun could not be completed: mount again.
    #[error("an erasure was begun and could not be completed: {0}")]
    Erase(#[from] EraseError),
    /// The device was decommissioned: the medium is erased, and holds no store before it is provisioned anew.
    #[error("the device was decommissioned")]
    Decommissioned,
}

/// What a boot found of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// Nothing that was left to do.
    Nothing,
    /// One that had been cut short, or an area that had failed. This came of it.
    Resumed(Report),
    /// A decommissioning whose receipt waits to be exported: [`Eraser::finish`] ends it.
    AwaitingExport(Report),
}

/// An item that gets a new random value when the device gets another owner: a pairing secret, the seed of a pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated<'a> {
    data: DataClass,
    name: &'a str,
    version: u8,
    len: usize,
}

impl<'a> Rotated<'a> {
    /// The item under this key: 16 to [`LONGEST_SECRET`] bytes, or it does not compile.
    ///
    /// ```
    /// use bydesign::erase::Rotated;
    /// use bydesign::secret::Secret;
    /// use bydesign::store::{Class, Key};
    ///
    /// const PAIRING: Key<Secret<32>> = Key::new("pairing", Class::Identity);
    /// const ROTATED: [Rotated; 1] = [Rotated::new(&PAIRING)];
    /// ```
    ///
    /// # Panics
    ///
    /// If the item can be written only once; in a constant that does not compile.
    #[must_use]
    pub const fn new<const N: usize>(key: &Key<Secret<N>>) -> Self
    where
        Secret<N>: 'a,
    {
        const { assert!(N >= 16 && N <= LONGEST_SECRET, "a secret has 16 to 64 bytes") };
        assert!(
            !key.fixed,
            "an item that can be written only once cannot be rotated"
        );
        Self {
            data: key.data,
            name: key.name,
            version: key.version,
            len: N,
        }
    }
}

/// The proof, for the types, that a receipt has left the device: see [`Eraser::finish`].
#[derive(Debug)]
pub struct Exported {
    despite_areas: bool,
}

impl Exported {
    /// Says that the receipt is where the device cannot lose it any more.
    #[must_use]
    pub const fn acknowledged() -> Self {
        Self { despite_areas: false }
    }

    /// Says besides that areas which the report names as failed are given up: nothing remembers them afterwards.
    #[must_use]
    pub const fn despite_failed_areas() -> Self {
        Self { despite_areas: true }
    }
}

/// Plans and carries out erasures, over the store and all areas registered. See the [module](self).
///
/// Make one at boot, with everything that holds data of owners or users. It keeps no state of its own: what is to survive a power cut is
/// in the store.
pub struct Eraser<'a, 'b> {
    areas: &'a mut [&'b mut dyn Area],
    media: Media,
    sweeping: bool,
    keeps: Kept,
    rotates: &'a [Rotated<'a>],
    time: Option<u64>,
    progress: Option<&'a mut dyn FnMut(Progress)>,
}

#[two_faces]
impl<'a, 'b> Eraser<'a, 'b> {
    /// An eraser of the store and these areas.
    ///
    /// # Errors
    ///
    /// [`AreasError`].
    pub fn new(areas: &'a mut [&'b mut dyn Area]) -> Result<Self, AreasError> {
        if areas.len() > MOST_AREAS {
            return Err(AreasError::TooMany);
        }
        for (number, area) in areas.iter().enumerate() {
            if area.name().is_empty() || area.name().len() > LONGEST_NAME {
                return Err(AreasError::Name(number));
            }
            let mut earlier = areas.iter().take(number);
            if earlier.any(|earlier| fingerprint(&**earlier) == fingerprint(&**area)) {
                return Err(AreasError::Repeated(number));
            }
        }
        Ok(Self {
            areas,
            media: Media::Managed,
            sweeping: false,
            keeps: Kept::default(),
            rotates: &[],
            time: None,
            progress: None,
        })
    }

    /// Says what lies under the store. Unless it is said, the worse is assumed.
    #[must_use]
    pub fn on(mut self, media: Media) -> Self {
        self.media = media;
        self
    }

    /// Gets rid of the sealed records as well, whose keys are gone: up to an erase for every page of the log. A decommissioning always
    /// does, and on write-once media the erasure of one item.
    #[must_use]
    pub fn sweeping(mut self) -> Self {
        self.sweeping = true;
        self
    }

    /// The application's classes that a factory reset and an ownership transfer leave, by their numbers: at most [`MOST_KEPT`], or it does not
    /// compile. The others go: what nobody thought of goes too.
    #[must_use]
    pub fn keeping<const N: usize>(mut self, applications: &[u8; N]) -> Self {
        const { assert!(N <= MOST_KEPT, "at most eight classes are kept") };
        self.keeps = Kept::of(applications);
        self
    }

    /// What an ownership transfer gives a new random value.
    #[must_use]
    pub fn rotating(mut self, items: &'a [Rotated<'a>]) -> Self {
        self.rotates = items;
        self
    }

    /// The time for the report, in seconds since 1970, if the device knows it.
    #[must_use]
    pub fn at(mut self, seconds: u64) -> Self {
        self.time = Some(seconds);
        self
    }

    /// Hears how far a slow erasure has come.
    #[must_use]
    pub fn telling(mut self, progress: &'a mut dyn FnMut(Progress)) -> Self {
        self.progress = Some(progress);
        self
    }

    // ---- boot ----

    /// Mounts the store, and completes what was begun before anything can be read.
    ///
    /// # Errors
    ///
    /// [`ResumeError`].
    ///
    /// # Power loss
    ///
    /// The next call goes on.
    pub async fn mount_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<(AsyncStore<M, I>, Found), ResumeError> {
        let mut store = AsyncStore::unmounted(medium, memory, label)?;
        store.find(root_key, label).await?;
        let found = self.resume(&mut store, random).await?;
        Ok((store, found))
    }

    /// As [`Eraser::mount_async`], of a store that is held against a counter: what was set back is refused before it is erased.
    ///
    /// # Errors
    ///
    /// [`ResumeError`].
    pub async fn mount_anchored_async<M: Medium, I: Memory, C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(AsyncStore<M, I>, Found), ResumeError> {
        let mut store = AsyncStore::unmounted(medium, memory, label)?;
        store.find(root_key, label).await?;
        store.check_counter(counter).await?;
        let found = self.resume(&mut store, random).await?;
        Ok((store, found))
    }

    //= compliance/requirements.md#erase-2
    //# An erasure that was begun MUST be completed by the next start, wherever it was cut short, before anything can be read.
    async fn resume<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        random: &mut R,
    ) -> Result<Found, ResumeError> {
        let Some(mut note) = Self::note(store).await? else {
            return Ok(Found::Nothing);
        };
        Ok(match note.stage {
            Stage::Begun => {
                let note = self.go_on(store, note, random).await?;
                self.found(&note)
            }
            Stage::Destroying => {
                self.destroy_all(store, random).await?;
                return Err(ResumeError::Decommissioned);
            }
            Stage::Complete | Stage::AwaitingExport if note.has_pending_areas() => {
                let before = note;
                self.erase_areas(&mut note).await;
                // An area that fails at every boot costs no write at each.
                if note != before {
                    Self::put_note(store, &note, random).await?;
                }
                self.found(&note)
            }
            Stage::AwaitingExport => self.found(&note),
            Stage::Complete => Found::Nothing,
        })
    }

    fn found(&self, note: &Note) -> Found {
        let report = Report::of(note, self.areas);
        if note.stage == Stage::AwaitingExport {
            Found::AwaitingExport(report)
        } else {
            Found::Resumed(report)
        }
    }

    // ---- before ----

    /// Makes room for the note that every erasure begins with: one item and one class slot. Call it where the device is provisioned, and no full
    /// store ever stands in the way of an erasure.
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    ///
    /// # Power loss
    ///
    /// There is room or not: call it again.
    //= compliance/requirements.md#erase-4
    //# A store that is full MUST NOT keep an erasure from being carried out, if room for its note was made before.
    pub async fn prepare_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        random: &mut R,
    ) -> Result<(), EraseError> {
        if Self::note(store).await?.is_some() {
            return Ok(());
        }
        let nothing = Note {
            stage: Stage::Complete,
            scope: Kind::Item,
            flags: Flags::default(),
            number: 0,
            user: UserId::HOUSEHOLD,
            gone: Amount::default(),
            left: Amount::default(),
            classes: 0,
            swept: 0,
            time: 0,
            areas: [None; MOST_AREAS],
            keeps: Kept::default(),
            rotates: 0,
        };
        Self::put_note(store, &nothing, random).await
    }

    /// What an erasure will take and leave. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`EraseError`]; [`EraseError::Fixed`] for an item that is write-once, which goes with its class only.
    pub async fn plan_async<'s, M: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        scope: Scope<'s>,
    ) -> Result<Plan<'s>, EraseError> {
        let (kind, user) = (scope.kind(), user_of(scope));
        let takes = Takes {
            kind,
            user,
            keeps: self.keeps,
        };
        let mut plan = Plan {
            scope,
            going: store.amount(|data| takes.class(data)),
            staying: store.amount(|data| !takes.class(data) && data.class != Class::Ledger),
            classes: 0,
            areas: 0,
            pages: 0,
            keeps: self.keeps,
        };
        if kind == Kind::Decommission {
            // The identity goes, too: last.
            plan.going = store.amount(|data| data.class != Class::Ledger);
            plan.staying = Amount::default();
        }
        if let Scope::Item { data, name } = scope
            && let Some(entry) = store.entry_of(data, name).await?
        {
            if entry.is_fixed() {
                return Err(EraseError::Fixed);
            }
            plan.going.add(entry);
            plan.staying.items = plan.staying.items.saturating_sub(1);
            plan.staying.bytes = plan.staying.bytes.saturating_sub(entry.size());
        }
        for number in 0..store.class_count() {
            let data = store.class_at(number);
            plan.classes += u32::from(data.is_some_and(|data| takes.class(data)));
        }
        let areas = self.areas.iter().filter(|area| area.goes_with(kind)).count();
        plan.areas = u32::try_from(areas).unwrap_or(u32::MAX);
        if self.sweeps::<M, I>(kind) {
            let pages = store.page_written().saturating_sub(store.first_page());
            plan.pages = pages.saturating_add(1);
        }
        Ok(plan)
    }

    /// Calls `each` with the class, user and amount of every class that the store has a key for, and whether a scope takes it.
    pub fn classes_async<M: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        scope: Scope<'_>,
        mut each: impl FnMut(Class, UserId, Amount, bool),
    ) {
        let takes = Takes {
            kind: scope.kind(),
            user: user_of(scope),
            keeps: self.keeps,
        };
        for number in 0..store.class_count() {
            let data = store.class_at(number);
            if let Some(data) = data.filter(|data| data.class != Class::Ledger) {
                let amount = store.amount(|other| other == data);
                each(data.class, data.user, amount, takes.class(data));
            }
        }
    }

    /// Calls `each` with the class, user and name of every item, the bytes of its value, and whether a scope takes it: for a list to be shown
    /// before the user confirms.
    ///
    /// # Errors
    ///
    /// [`EraseError`]; items before the one that fails have been seen.
    pub async fn items_async<M: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        scope: Scope<'_>,
        mut each: impl FnMut(Class, UserId, &str, usize, bool),
    ) -> Result<(), EraseError> {
        let takes = Takes {
            kind: scope.kind(),
            user: user_of(scope),
            keeps: self.keeps,
        };
        for number in 0..store.class_count() {
            let data = store.class_at(number);
            let Some(data) = data.filter(|data| data.class != Class::Ledger) else {
                continue;
            };
            let is_last = scope.kind() == Kind::Decommission;
            let show = |name: &str, value: &[u8]| {
                let is_item = scope == Scope::Item { data, name };
                each(
                    data.class,
                    data.user,
                    name,
                    value.len(),
                    takes.class(data) || is_item || is_last,
                );
            };
            store.for_each(data, show).await?;
        }
        Ok(())
    }

    // ---- the erasure ----

    /// Carries out what was planned; or, if an earlier call failed on its way, completes what that one began, and reports on it.
    ///
    /// # Errors
    ///
    /// [`EraseError`]. [`EraseError::Changed`] if the store is not any more what the plan was made of; [`EraseError::Unfinished`] while a
    /// decommissioning waits for [`Eraser::finish`]. After an error that comes when the erasure has begun, the store refuses to read and to write until
    /// another call, or [`Eraser::mount`] after the next start, has completed it. An area that fails is no error: the [`Report`] names it.
    ///
    /// # Power loss
    ///
    /// Nothing has begun, or the next start completes it.
    ///
    /// # Security
    ///
    /// See the [module](self).
    pub async fn carry_out_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        plan: Plan<'_>,
        random: &mut R,
    ) -> Result<Report, EraseError> {
        let note = self.begin(store, &plan, random).await?;
        let note = self.go_on(store, note, random).await?;
        Ok(Report::of(&note, self.areas))
    }

    //= compliance/requirements.md#erase-10
    //# An erasure MUST NOT take or leave other than what its plan showed.
    async fn begin<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        plan: &Plan<'_>,
        random: &mut R,
    ) -> Result<Note, EraseError> {
        let last = Self::note(store).await?;
        match last {
            Some(begun) if begun.stage == Stage::Begun => return Ok(begun),
            Some(last) if last.stage != Stage::Complete => return Err(EraseError::Unfinished),
            _ => {}
        }
        if self.plan_async(store, plan.scope).await? != *plan {
            return Err(EraseError::Changed);
        }
        // From the first write on, until the end is reached or it is sure that nothing has begun, whatever comes between.
        store.allow(Access::Erasure);
        let marked = self.mark(store, plan, last, random).await;
        let may_have_begun = matches!(
            marked,
            Ok(_) | Err(EraseError::Flash(_) | EraseError::Unkept | EraseError::Internal)
        );
        if !may_have_begun {
            store.allow(Access::Everybody);
        }
        marked
    }

    /// What came of the last erasure; `None` if there was none.
    ///
    /// # Errors
    ///
    /// [`EraseError`]; [`EraseError::Unfinished`] for one that is not through: there is nothing to report yet.
    pub async fn last_async<M: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<M, I>,
    ) -> Result<Option<Report>, EraseError> {
        let note = Self::note(store).await?.filter(|note| note.number > 0);
        if note.is_some_and(|note| note.stage == Stage::Begun) {
            return Err(EraseError::Unfinished);
        }
        Ok(note.map(|note| Report::of(&note, self.areas)))
    }

    /// Ends a decommissioning: destroys the identity's key, then erases the key pages and the whole medium. Call it when the receipt has left
    /// the device, because afterwards nothing can sign another.
    ///
    /// # Errors
    ///
    /// [`EraseError`]; [`EraseError::Unfinished`] if no decommissioning waits for this, or an area is still to be erased and
    /// [`Exported::despite_failed_areas`] was not said: mount again. After another error the medium may not be erased everywhere.
    ///
    /// # Power loss
    ///
    /// The identity is there or gone; if it is gone, the next start goes on. Once the key pages are erased no start finds a store, and sealed
    /// pages without a key may be left: [`Store::format_erasing`] erases them.
    //= compliance/requirements.md#erase-5
    //# At a decommissioning the key of the identity MUST be destroyed last, and only after the caller said that the receipt is exported.
    pub async fn finish_async<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        mut store: AsyncStore<M, I>,
        exported: Exported,
        random: &mut R,
    ) -> Result<M, EraseError> {
        self.finish_in(&mut store, exported, random).await?;
        Ok(store.into_medium())
    }

    /// In the store where it stands: to move it is to leave copies of its keys.
    async fn finish_in<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        exported: Exported,
        random: &mut R,
    ) -> Result<(), EraseError> {
        let note = Self::note(store).await?;
        let waits = |note: &Note| {
            note.stage == Stage::AwaitingExport && (exported.despite_areas || !note.has_pending_areas())
        };
        let mut note = note.filter(waits).ok_or(EraseError::Unfinished)?;
        note.stage = Stage::Destroying;
        Self::put_note(store, &note, random).await?;
        self.destroy_all(store, random).await
    }

    async fn destroy_all<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        random: &mut R,
    ) -> Result<(), EraseError> {
        // First by the way that survives every cut: the key pages are erased only when no key is worth anything.
        self.tell(Progress::Keys);
        store
            .erase_classes(|data| data.class != Class::Ledger, random)
            .await?;
        let erased = store.erase_medium(|done, of| self.tell(Progress::Medium { done, of }));
        Ok(erased.await?)
    }
}

/// The blocking face.
#[two_faces]
impl Eraser<'_, '_> {
    /// See [`Eraser::mount_async`].
    ///
    /// # Errors
    ///
    /// [`ResumeError`].
    pub fn mount<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<(Store<M, I>, Found), ResumeError> {
        begin(
            || Ok(AsyncStore::unmounted(Now(medium), memory, label)?),
            async |store| {
                store.find(root_key, label).await?;
                self.resume(store, random).await
            },
            |store, found| (store, found),
        )
    }

    /// See [`Eraser::mount_anchored_async`].
    ///
    /// # Errors
    ///
    /// [`ResumeError`].
    pub fn mount_anchored<M: NeverPends, I: Memory, C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(Store<M, I>, Found), ResumeError> {
        begin(
            || Ok(AsyncStore::unmounted(Now(medium), memory, label)?),
            async |store| {
                store.find(root_key, label).await?;
                store.check_counter(counter).await?;
                self.resume(store, random).await
            },
            |store, found| (store, found),
        )
    }

    /// See [`Eraser::prepare_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn prepare<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut Store<M, I>,
        random: &mut R,
    ) -> Result<(), EraseError> {
        run_within::<ROOM, _>(|| self.prepare_async(&mut store.0, random))
    }

    /// See [`Eraser::plan_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn plan<'s, M: NeverPends, I: Memory>(
        &mut self,
        store: &mut Store<M, I>,
        scope: Scope<'s>,
    ) -> Result<Plan<'s>, EraseError> {
        run_within::<ROOM, _>(|| self.plan_async(&mut store.0, scope))
    }

    /// See [`Eraser::classes_async`].
    pub fn classes<M: NeverPends, I: Memory>(
        &mut self,
        store: &mut Store<M, I>,
        scope: Scope<'_>,
        each: impl FnMut(Class, UserId, Amount, bool),
    ) {
        self.classes_async(&mut store.0, scope, each);
    }

    /// See [`Eraser::items_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn items<M: NeverPends, I: Memory>(
        &mut self,
        store: &mut Store<M, I>,
        scope: Scope<'_>,
        mut each: impl FnMut(Class, UserId, &str, usize, bool),
    ) -> Result<(), EraseError> {
        run_within::<ROOM, _>(|| self.items_async(&mut store.0, scope, &mut each))
    }

    /// See [`Eraser::carry_out_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn carry_out<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut Store<M, I>,
        plan: Plan<'_>,
        random: &mut R,
    ) -> Result<Report, EraseError> {
        run_within::<ROOM, _>(|| self.carry_out_async(&mut store.0, plan, random))
    }

    /// See [`Eraser::last_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn last<M: NeverPends, I: Memory>(
        &mut self,
        store: &mut Store<M, I>,
    ) -> Result<Option<Report>, EraseError> {
        run_within::<ROOM, _>(|| self.last_async(&mut store.0))
    }

    /// See [`Eraser::finish_async`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn finish<M: NeverPends, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        mut store: Store<M, I>,
        exported: Exported,
        random: &mut R,
    ) -> Result<M, EraseError> {
        run_within::<ROOM, _>(|| self.finish_in(&mut store.0, exported, random))?;
        Ok(store.into_medium())
    }
}

fn user_of(scope: Scope<'_>) -> UserId {
    match scope {
        Scope::User(user) => user,
        _ => UserId::HOUSEHOLD,
    }
}
