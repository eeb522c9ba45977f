//! The store's memory, sized by the caller: an index of where each item lies, the class keys, one record buffer.

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::class::DataClass;
use super::format::{NAME_HASH_BITS, Position};
use crate::crypto::SealingKey;

/// Where one item lies, in eight bytes: address (24 bits), slot (6), record length in 4-byte steps (12), whether it is
/// write-once (1), fingerprint of its name (21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(u64);

const HASH_MASK: u32 = (1 << NAME_HASH_BITS) - 1;

impl Entry {
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) fn new(address: u32, slot: u8, size: u32, fixed: bool, hash: u32) -> Self {
        Self(
            u64::from(address & 0x00ff_ffff)
                | u64::from(slot & 0x3f) << 24
                | u64::from((size / 4) & 0xfff) << 30
                | u64::from(fixed) << 42
                | u64::from(hash & HASH_MASK) << 43,
        )
    }

    /// The same item elsewhere.
    pub(crate) fn moved_to(self, address: u32) -> Self {
        Self::new(address, self.slot(), self.size(), self.is_fixed(), self.hash())
    }

    fn field(self, shift: u32, mask: u32) -> u32 {
        u32::try_from(self.0 >> shift & u64::from(mask)).unwrap_or(0)
    }

    pub(crate) fn address(self) -> u32 {
        self.field(0, 0x00ff_ffff)
    }

    pub(crate) fn slot(self) -> u8 {
        u8::try_from(self.field(24, 0x3f)).unwrap_or(0)
    }

    /// Bytes that the record takes, padding included.
    pub(crate) fn size(self) -> u32 {
        self.field(30, 0xfff) * 4
    }

    pub(crate) fn is_fixed(self) -> bool {
        self.field(42, 1) == 1
    }

    pub(crate) fn hash(self) -> u32 {
        self.field(43, HASH_MASK)
    }

    fn is_empty(self) -> bool {
        self.size() == 0
    }
}

/// Open addressing over the caller's entries.
pub(crate) struct Index<'a> {
    entries: &'a mut [Entry],
    used: &'a mut usize,
}

#[cfg(feature = "lab")]
impl<'a> Index<'a> {
    /// An index over entries that are somewhere else than in a [`Ram`].
    pub(crate) const fn over(entries: &'a mut [Entry], used: &'a mut usize) -> Self {
        Self { entries, used }
    }
}

impl Index<'_> {
    pub(crate) fn clear(&mut self) {
        self.entries.fill(Entry::EMPTY);
        *self.used = 0;
    }

    pub(crate) fn len(&self) -> usize {
        *self.used
    }

    pub(crate) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many items it takes in all.
    pub(crate) fn places(&self) -> usize {
        self.entries.len()
    }

    /// How many more items it takes.
    pub(crate) fn room(&self) -> usize {
        self.entries.len().saturating_sub(*self.used)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().copied().filter(|entry| !entry.is_empty())
    }

    /// The `skip`-th entry of this slot and name fingerprint.
    pub(crate) fn candidate(&self, slot: u8, hash: u32, skip: usize) -> Option<Entry> {
        self.probe(hash)
            .map_while(|at| self.entries.get(at).copied().filter(|entry| !entry.is_empty()))
            .filter(|entry| entry.hash() == hash && entry.slot() == slot)
            .nth(skip)
    }

    /// Adds an entry; `false` if there is no room.
    pub(crate) fn insert(&mut self, entry: Entry) -> bool {
        let free = self
            .probe(entry.hash())
            .find(|&at| self.entries.get(at).is_some_and(|found| found.is_empty()));
        let Some(place) = free.and_then(|at| self.entries.get_mut(at)) else {
            return false;
        };
        *place = entry;
        *self.used += 1;
        true
    }

    /// Whether there is an entry at this address.
    pub(crate) fn holds(&self, address: u32) -> bool {
        self.iter().any(|entry| entry.address() == address)
    }

    /// Takes out the entry at this address. Looks through all of them: an entry that is known is taken out by itself.
    pub(crate) fn remove(&mut self, address: u32) -> Option<Entry> {
        let entry = self.iter().find(|entry| entry.address() == address)?;
        self.take_out(entry)
    }

    /// Takes out an entry.
    pub(crate) fn take_out(&mut self, entry: Entry) -> Option<Entry> {
        let mut hole = self
            .probe(entry.hash())
            .find(|&at| self.entries.get(at) == Some(&entry))?;
        let removed = core::mem::replace(self.entries.get_mut(hole)?, Entry::EMPTY);
        *self.used = self.used.saturating_sub(1);
        // Entries behind the hole move up if the hole lies between their home and their place.
        let mut at = self.next(hole);
        while let Some(entry) = self.entries.get(at).copied().filter(|entry| !entry.is_empty()) {
            let preferred = self.home(entry.hash());
            if self.distance(preferred, hole) < self.distance(preferred, at) {
                if let Ok([to, from]) = self.entries.get_disjoint_mut([hole, at]) {
                    core::mem::swap(to, from);
                }
                hole = at;
            }
            at = self.next(at);
        }
        Some(removed)
    }

    /// Takes out every entry of a slot.
    pub(crate) fn remove_slot(&mut self, slot: u8) {
        loop {
            let next = self.iter().find(|entry| entry.slot() == slot).map(Entry::address);
            let Some(address) = next else { return };
            self.remove(address);
        }
    }

    fn home(&self, hash: u32) -> usize {
        let scaled = u64::from(hash).saturating_mul(u64::try_from(self.entries.len()).unwrap_or(0));
        usize::try_from(scaled >> NAME_HASH_BITS).unwrap_or(0)
    }

    fn next(&self, at: usize) -> usize {
        if at + 1 >= self.entries.len() { 0 } else { at + 1 }
    }

    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from {
            to - from
        } else {
            to + self.entries.len() - from
        }
    }

    fn probe(&self, hash: u32) -> impl Iterator<Item = usize> + use<> {
        let len = self.entries.len();
        let home = self.home(hash);
        (home..len).chain(0..home)
    }
}

/// A class key at work.
pub(crate) struct ClassSlot {
    /// `None`: a free slot, whose earlier records are dead.
    pub(crate) data: Option<DataClass>,
    pub(crate) generation: u32,
    /// Records of this slot before this point belong to a key that is gone.
    pub(crate) since: Position,
    pub(crate) sealing: SealingKey,
}

impl ClassSlot {
    pub(crate) const fn free() -> Self {
        Self {
            data: None,
            generation: 0,
            since: Position {
                generation: 0,
                offset: 0,
            },
            sealing: SealingKey::none(),
        }
    }
}

/// The slots in use come first: `count` of them are on the key page.
pub(crate) struct Slots<'a> {
    pub(crate) all: &'a mut [ClassSlot],
    pub(crate) count: &'a mut usize,
}

impl Slots<'_> {
    pub(crate) fn get(&self, slot: u8) -> Option<&ClassSlot> {
        self.all.get(..*self.count)?.get(usize::from(slot))
    }

    pub(crate) fn used(&self) -> &[ClassSlot] {
        self.all.get(..*self.count).unwrap_or_default()
    }

    pub(crate) fn find(&self, data: DataClass) -> Option<u8> {
        let at = self.used().iter().position(|slot| slot.data == Some(data))?;
        u8::try_from(at).ok()
    }
}

/// The three parts at once.
pub struct Parts<'a> {
    pub(crate) index: Index<'a>,
    pub(crate) slots: Slots<'a>,
    pub(crate) buffer: &'a mut [u8],
}

/// Memory for a store. [`Ram`] is the one there is.
pub trait Memory: sealed::Sealed {
    /// Hands the parts out.
    #[doc(hidden)]
    fn parts(&mut self) -> Parts<'_>;
}

/// Memory for `KEYS` items, records of `BUFFER` bytes and `CLASSES` class keys.
///
/// A record is the value, its name and 29 bytes (37 on overwritable media), rounded up to the word. A class key takes
/// 88 bytes here, an item 8.
///
/// ```
/// use bydesign::store::Ram;
///
/// // 64 items of up to 200 bytes and a name, eight class keys
/// static_assertions(core::mem::size_of::<Ram<64, 256>>());
/// fn static_assertions(bytes: usize) {
///     assert!(bytes <= 64 * 8 + 256 + 8 * 88 + 64);
/// }
/// ```
///
/// Sizes that no store can use do not compile:
///
/// ```compile_fail
/// let too_small = bydesign::store::Ram::<8, 64>::new();
/// ```
///
/// # Security
///
/// Wiped when dropped; the record buffer is wiped after each operation that opened a record into it.
pub struct Ram<const KEYS: usize, const BUFFER: usize, const CLASSES: usize = 8> {
    entries: [Entry; KEYS],
    used: usize,
    slots: [ClassSlot; CLASSES],
    slot_count: usize,
    buffer: [u8; BUFFER],
}

impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> Ram<KEYS, BUFFER, CLASSES> {
    /// Empty memory.
    #[must_use]
    pub const fn new() -> Self {
        const {
            assert!(BUFFER >= 128, "the record buffer must have at least 128 bytes");
            assert!(
                CLASSES >= 3,
                "identity, settings and household need three class slots"
            );
            assert!(CLASSES <= 62, "the format has 62 class slots");
            assert!(KEYS >= 1, "the index must have room for an item");
        }
        Self {
            entries: [Entry::EMPTY; KEYS],
            used: 0,
            slots: [const { ClassSlot::free() }; CLASSES],
            slot_count: 0,
            buffer: [0; BUFFER],
        }
    }
}

impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> Default for Ram<KEYS, BUFFER, CLASSES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> Memory for Ram<KEYS, BUFFER, CLASSES> {
    fn parts(&mut self) -> Parts<'_> {
        Parts {
            index: Index {
                entries: &mut self.entries,
                used: &mut self.used,
            },
            slots: Slots {
                all: &mut self.slots,
                count: &mut self.slot_count,
            },
            buffer: &mut self.buffer,
        }
    }
}

impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> Drop for Ram<KEYS, BUFFER, CLASSES> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

// The class keys are secrets that wipe themselves; the buffer is wiped above.
impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> ZeroizeOnDrop
    for Ram<KEYS, BUFFER, CLASSES>
{
}

mod sealed {
    pub trait Sealed {}
    impl<const KEYS: usize, const BUFFER: usize, const CLASSES: usize> Sealed
        for super::Ram<KEYS, BUFFER, CLASSES>
    {
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn an_entry_keeps_every_field_at_its_limits() {
        for (address, slot, size, fixed, hash) in [
            (0, 0, 4, false, 0),
            (0x00ff_ffff, 61, 8188, true, HASH_MASK),
            (12_345, 7, 104, false, 0x10_0001),
        ] {
            let entry = Entry::new(address, slot, size, fixed, hash);
            assert_eq!(
                (
                    entry.address(),
                    entry.slot(),
                    entry.size(),
                    entry.is_fixed(),
                    entry.hash()
                ),
                (address, slot, size, fixed, hash)
            );
        }
    }

    #[test]
    fn the_index_is_a_map_through_thousands_of_random_changes_at_any_fill() {
        let mut state = 0x1234_5678_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for limit in [1, 3, 16, 31] {
            let mut ram = Ram::<31, 128>::new();
            let mut parts = ram.parts();
            let mut model: HashMap<u32, Entry> = HashMap::new();
            for _ in 0..5_000 {
                let address = next() % 64 + 1;
                if let Some(expected) = model.remove(&address) {
                    assert_eq!(parts.index.remove(address), Some(expected));
                } else if model.len() < limit {
                    // few hashes, so that probes collide and wrap
                    let entry = Entry::new(address, 2, 100, false, next() % 7 * 299_593);
                    assert!(parts.index.insert(entry));
                    model.insert(address, entry);
                }
                assert_eq!(parts.index.len(), model.len());
                for (address, entry) in &model {
                    let found = (0..).map_while(|skip| parts.index.candidate(2, entry.hash(), skip));
                    assert!(found.into_iter().any(|found| found.address() == *address));
                }
            }
            assert_eq!(parts.index.is_full(), model.len() == 31);
        }
    }
}
