//! The blocking face: the same operations over drivers whose futures never pend.

use core::mem::MaybeUninit;

use rand_core::TryCryptoRng;

use super::mount::Existing;
use super::{
    AnchorError, AnchorPolicy, AsyncStore, Change, Counter, DataClass, EraseError, Figures, FormatError,
    Freshness, Key, Memory, MountError, ReadError, Salvage, Salvaged, Scope, Stored, UpgradeError,
    WriteError,
};
use crate::flash::{AtOnce, NeverPends, Now, two_faces};
use crate::secret::RootKey;
use crate::stack::on_wiped_stack;

/// The store over a medium with a blocking driver. See the [module](super) for what it promises, and [`AsyncStore`] for each
/// operation's power-loss and security notes.
///
/// # Security
///
/// Each operation wipes the stack that it used before it returns: copies of keys and values that were moved, and words that were
/// spilled. It needs that much stack: with `Ram<32, 256>` on a Cortex-M4 10.4 KB for a format and a mount, about four times the size of a larger `Ram`
/// more, 3.4 KB for what writes and 2 KB for what reads. With feature `async` 13, 12, 6.3 and 2.3 KB.
/// Frames of the caller and registers are not reached; `docs/secrets-in-ram.md` has the whole list. Serves CoP 4, EN 303 645 5.4-1.
pub struct Store<M: NeverPends, I: Memory>(pub(crate) AsyncStore<Now<M>, I>);

/// Words of stack that are wiped after an operation: as many as its deepest chain of calls takes on 32-bit cores above the cipher's own, and a twentieth.
/// `cargo xtask costs` holds each to the frames in images (decision 28). What is compiled to wait, too, keeps more in its frames.
pub(crate) const fn words(without_waits: usize) -> usize {
    if cfg!(feature = "async") {
        1536
    } else {
        without_waits
    }
}

/// For what writes: the deepest is a put that meets a page which no longer erases, and leaves it out.
const WRITES: usize = words(832);
/// For a commit that does.
const COMMITS: usize = words(960);
/// For what only reads.
const READS: usize = if cfg!(feature = "async") { 544 } else { 320 };
/// For what finds or makes a store, or completes an erasure on the way, beside the stores in its frames.
const BEGINS: usize = words(1216);

/// So much stack, and twice what the operation is or gives.
type Room<F, const WORDS: usize> = ([MaybeUninit<F>; 2], [usize; WORDS]);

/// And what a read gives, which may be a large value, some times over.
type ReadRoom<F, T> = ([MaybeUninit<F>; 2], [MaybeUninit<T>; 4], [usize; READS]);

/// And when a store was found, made or salvaged: the store stands there, and its memory stood there.
type LargeRoom<S, F> = ([MaybeUninit<S>; 3], Room<F, BEGINS>);

/// Runs what an [`AsyncStore`] over a [`NeverPends`] medium does, and wipes so much of the stack that it used. Every operation of every blocking
/// face goes through here, or through one of those below.
pub(crate) fn run_within<const WORDS: usize, F: AtOnce>(operation: impl FnOnce() -> F) -> F::Output {
    run_beside::<(), WORDS, F>(operation)
}

/// The same for what has things of its own in its frames, of a size that the caller chooses.
pub(crate) fn run_beside<Own, const WORDS: usize, F: AtOnce>(operation: impl FnOnce() -> F) -> F::Output {
    on_wiped_stack::<([MaybeUninit<Own>; 1], Room<F, WORDS>), _>(|| operation().at_once())
}

/// The same for what the store writes.
fn run<F: AtOnce>(operation: impl FnOnce() -> F) -> F::Output {
    run_within::<WRITES, F>(operation)
}

/// The same for what writes nothing, and needs less.
fn read<F: AtOnce>(operation: impl FnOnce() -> F) -> F::Output {
    on_wiped_stack::<ReadRoom<F, F::Output>, _>(|| operation().at_once())
}

/// Fills a store in where it stands, gives it away with what was found on the way, and wipes the stack that took.
#[two_faces]
pub(crate) fn begin<M: NeverPends, I: Memory, T, Whole, E>(
    empty: impl FnOnce() -> Result<AsyncStore<Now<M>, I>, E>,
    fill: impl AsyncFnOnce(&mut AsyncStore<Now<M>, I>) -> Result<T, E>,
    whole: impl FnOnce(Store<M, I>, T) -> Whole,
) -> Result<Whole, E> {
    on_wiped_stack::<LargeRoom<Store<M, I>, ()>, _>(|| {
        let mut store = empty()?;
        let found = fill(&mut store).at_once()?;
        Ok(whole(Store(store), found))
    })
}

/// As [`run`], for a salvage, which finds a store of its own, as `S`.
fn salvage<S, F: AtOnce>(operation: impl FnOnce() -> F) -> F::Output {
    on_wiped_stack::<LargeRoom<S, [MaybeUninit<F>; 2]>, _>(|| operation().at_once())
}

/// The same for what was called already, in the laboratory: nothing is wiped.
#[cfg(feature = "lab")]
pub(super) fn run_unwiped<F: AtOnce>(routine: F) -> F::Output {
    routine.at_once()
}

#[two_faces]
impl<M: NeverPends, I: Memory> Store<M, I> {
    /// Makes a store on blank flash. See [`AsyncStore::format`].
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    pub fn format<R: TryCryptoRng + ?Sized>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<Self, FormatError> {
        begin(
            || AsyncStore::unmade(Now(medium), memory),
            async |store| store.make(root_key, label, Existing::Refuse, random).await,
            |store, ()| store,
        )
    }

    /// Makes a store, erasing whatever is on the flash. See [`AsyncStore::format_erasing`].
    ///
    /// # Errors
    ///
    /// [`FormatError`].
    pub fn format_erasing<R: TryCryptoRng + ?Sized>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        random: &mut R,
    ) -> Result<Self, FormatError> {
        begin(
            || AsyncStore::unmade(Now(medium), memory),
            async |store| store.make(root_key, label, Existing::Erase, random).await,
            |store, ()| store,
        )
    }

    /// Finds the store on the flash and makes it ready. See [`AsyncStore::mount`].
    ///
    /// # Errors
    ///
    /// [`MountError`]; nothing is destroyed by a mount that fails.
    pub fn mount(medium: M, memory: I, root_key: &RootKey, label: &str) -> Result<Self, MountError> {
        begin(
            || AsyncStore::unmounted(Now(medium), memory, label),
            async |store| store.find_unerased(root_key, label).await,
            |store, ()| store,
        )
    }

    /// As [`Store::mount`], and holds the store against a counter. See [`AsyncStore::mount_anchored`]. A counter whose futures
    /// pend is polled until they are ready.
    ///
    /// # Errors
    ///
    /// [`MountError`].
    pub fn mount_anchored<C: Counter>(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        counter: &mut C,
    ) -> Result<Self, MountError> {
        begin(
            || AsyncStore::unmounted(Now(medium), memory, label),
            async |store| {
                store.find_unerased(root_key, label).await?;
                store.check_counter(counter).await
            },
            |store, ()| store,
        )
    }

    /// Reads everything that still authenticates out of a store that no longer mounts. See [`AsyncStore::salvage`].
    ///
    /// # Errors
    ///
    /// [`MountError`].
    pub fn salvage(
        medium: M,
        memory: I,
        root_key: &RootKey,
        label: &str,
        mut each: impl FnMut(Salvage<'_>),
    ) -> Result<Salvaged, MountError> {
        salvage::<Self, _>(|| AsyncStore::salvage(Now(medium), memory, root_key, label, &mut each))
    }

    /// Ends the store and gives the medium back.
    pub fn into_medium(self) -> M {
        self.0.into_medium().0
    }

    /// The medium under the store.
    pub fn medium(&self) -> &M {
        &self.0.medium().0
    }

    /// The medium under the store, to exercise it in tests. Writing to it loses data.
    pub fn medium_mut(&mut self) -> &mut M {
        &mut self.0.medium_mut().0
    }

    /// The value of an item. See [`AsyncStore::get`].
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn get<T: Stored>(&mut self, key: &Key<T>) -> Result<Option<T>, ReadError> {
        read(|| self.0.get(key))
    }

    /// Copies an item's bytes out. See [`AsyncStore::get_bytes`].
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn get_bytes(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        out: &mut [u8],
    ) -> Result<Option<usize>, ReadError> {
        read(|| self.0.get_bytes(data, name, out))
    }

    /// Whether there is an item.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn contains<T>(&mut self, key: &Key<T>) -> Result<bool, ReadError> {
        read(|| self.0.contains(key))
    }

    /// Whether there is an item of this name.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn contains_bytes(&mut self, data: impl Into<DataClass>, name: &str) -> Result<bool, ReadError> {
        read(|| self.0.contains_bytes(data, name))
    }

    /// Visits every item of a class. See [`AsyncStore::for_each`].
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn for_each(
        &mut self,
        data: impl Into<DataClass>,
        mut each: impl FnMut(&str, &[u8]),
    ) -> Result<(), ReadError> {
        read(|| self.0.for_each(data, &mut each))
    }

    /// How full and how worn the store is.
    pub fn figures(&mut self) -> Figures {
        self.0.figures()
    }

    /// Stores a value. See [`AsyncStore::put`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn put<T: Stored, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        value: &T,
        random: &mut R,
    ) -> Result<(), WriteError> {
        run(|| self.0.put(key, value, random))
    }

    /// Brings an item to the present version of its key. See [`AsyncStore::upgrade`].
    ///
    /// # Errors
    ///
    /// [`UpgradeError`].
    pub fn upgrade<T: Stored, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        random: &mut R,
    ) -> Result<bool, UpgradeError> {
        run_beside::<[MaybeUninit<T>; 4], WRITES, _>(|| self.0.upgrade(key, random))
    }

    /// Stores bytes. See [`AsyncStore::put_bytes`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn put_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        value: &[u8],
        random: &mut R,
    ) -> Result<(), WriteError> {
        run(|| self.0.put_bytes(data, name, value, random))
    }

    /// Stores bytes that can never be changed. See [`AsyncStore::put_fixed_bytes`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn put_fixed_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        value: &[u8],
        random: &mut R,
    ) -> Result<(), WriteError> {
        run(|| self.0.put_fixed_bytes(data, name, value, random))
    }

    /// Removes an item. See [`AsyncStore::remove`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn remove<T, R: TryCryptoRng + ?Sized>(
        &mut self,
        key: &Key<T>,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        run(|| self.0.remove(key, random))
    }

    /// Removes the item of this name. See [`AsyncStore::remove`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn remove_bytes<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        run(|| self.0.remove_bytes(data, name, random))
    }

    /// Erases a class, or one user's data. See [`AsyncStore::erase`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn erase<R: TryCryptoRng + ?Sized>(
        &mut self,
        scope: impl Into<Scope>,
        random: &mut R,
    ) -> Result<(), EraseError> {
        run(|| self.0.erase(scope, random))
    }

    /// Erases one item and every version of it. See [`AsyncStore::erase_item`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn erase_item<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: impl Into<DataClass>,
        name: &str,
        random: &mut R,
    ) -> Result<(), EraseError> {
        run(|| self.0.erase_item(data, name, random))
    }

    /// Puts the store under another root key. See [`AsyncStore::change_root_key`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn change_root_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        root_key: &RootKey,
        random: &mut R,
    ) -> Result<(), EraseError> {
        run(|| self.0.change_root_key(root_key, random))
    }

    /// Carries out several changes together. See [`AsyncStore::commit`].
    ///
    /// # Errors
    ///
    /// [`WriteError`]; none of the changes was made.
    pub fn commit<R: TryCryptoRng + ?Sized>(
        &mut self,
        changes: &[Change<'_>],
        random: &mut R,
    ) -> Result<(), WriteError> {
        run_within::<COMMITS, _>(|| self.0.commit(changes, random))
    }

    /// Begins to hold the store against a counter. See [`AsyncStore::start_counter`].
    ///
    /// # Errors
    ///
    /// [`AnchorError`].
    pub fn start_counter<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        random: &mut R,
    ) -> Result<(), AnchorError> {
        run(|| self.0.start_counter(counter, random))
    }

    /// Moves the counter, if the policy says that it is time. See [`AsyncStore::anchor`].
    ///
    /// # Errors
    ///
    /// [`AnchorError`].
    pub fn anchor<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        policy: AnchorPolicy,
        random: &mut R,
    ) -> Result<(), AnchorError> {
        run(|| self.0.anchor(counter, policy, random))
    }

    /// Keeps checkpoints from now on. See [`AsyncStore::keep_checkpoints`].
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub fn keep_checkpoints<R: TryCryptoRng + ?Sized>(&mut self, random: &mut R) -> Result<(), EraseError> {
        run(|| self.0.keep_checkpoints(random))
    }

    /// What is known about the contents being the latest ones.
    pub fn freshness(&self) -> Freshness {
        self.0.freshness()
    }

    /// Does some of the work that puts would do on the way. See [`AsyncStore::maintain`].
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn maintain<R: TryCryptoRng + ?Sized>(
        &mut self,
        budget: usize,
        random: &mut R,
    ) -> Result<bool, WriteError> {
        run(|| self.0.maintain(budget, random))
    }
}
