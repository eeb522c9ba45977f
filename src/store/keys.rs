//! The class keys: brought into memory, and the one routine that changes them.
//!
//! Every change writes the *other* key page whole and then erases the one before: a key that is not carried over is gone from
//! the flash, whatever dumps of the rest exist. This is what makes the erasure of a class independent of its size.
//!
//! ```text
//!  store · mount · collect
//!  keys     (this file)
//!  log · key_page · hierarchy
//! ```

use rand_core::TryCryptoRng;

use super::class::DataClass;
use super::error::Fault;
use super::format::{CHECKPOINTS, KeyPagePayload, MOST_LEFT_OUT, NO_SLOT, Position};
use super::hierarchy::{KEY_LEN, StoreKeys, WrapKeys};
use super::key_page::{ClassKey, KeyPage};
use super::log::{KeyWork, Log, Writing};
use super::memory::{ClassSlot, Entry, Parts, Slots};
use super::ring::Ring;
use crate::crypto;
use crate::flash::{Medium, MediumKind, Routine, two_faces};
use crate::secret::{RootKey, Secret};

/// What becomes of a slot when the key page is written anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The key is carried over.
    Keep,
    /// The key dies; a new one takes its place for this class.
    Renew(DataClass),
    /// The key dies; nothing takes its place.
    Free,
}

/// What becomes of the key of each slot, which has a class or none. By reference: one body of a rewriting, whatever for.
pub(crate) type Fates<'a> = dyn Fn(u8, Option<DataClass>) -> Fate + Sync + 'a;

/// What a key page says anew, beside the class keys.
struct KeyChange {
    /// The keys of another root key.
    wrapping: Option<WrapKeys>,
    left_out: [u16; MOST_LEFT_OUT],
    features: u8,
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Brings the class keys of the current key page into memory. The caller has checked that they fit.
    pub(crate) fn load_class_keys(
        &mut self,
        slots: &mut Slots<'_>,
        count: usize,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            for at in 0..count {
                let number = u8::try_from(at).map_err(|_| Fault::Internal)?;
                let class_key = self
                    .pages
                    .class_key(&self.keys.wrapping, &self.key_page, number)
                    .await?;
                let slot = slots.all.get_mut(at).ok_or(Fault::Internal)?;
                self.hold_class_key(slot, number, &class_key)?;
            }
            *slots.count = count;
            self.key_work = KeyWork::Done;
            Ok(())
        })
    }

    /// Brings one class key into memory.
    pub(crate) fn hold_class_key(
        &self,
        slot: &mut ClassSlot,
        number: u8,
        class_key: &ClassKey,
    ) -> Result<(), Fault> {
        self.keys
            .class_sealing(&class_key.key, number, class_key.generation, &mut slot.sealing)?;
        slot.data = class_key.data;
        slot.generation = class_key.generation;
        slot.since = class_key.since;
        Ok(())
    }

    /// Sees to it that the key page before the current one is gone for certain.
    //= compliance/requirements.md#store-11
    //# An erasure that was interrupted at any point after it began MUST be completed by the next mount before anything can be read.
    pub(crate) fn settle_key_pages(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.key_work != KeyWork::Erase {
                return Ok(());
            }
            let (other, before) = (self.key_page.other(), self.key_page.payload.other_erases);
            // The mark is written after an erase that was verified. Since then at most another key page was begun.
            let erases = self.pages.erases_of(other).await?;
            if erases.is_none_or(|erases| erases <= before) || !self.pages.has_no_key_page(other).await {
                self.pages.erase_page(other, before).await?;
            }
            self.key_work = KeyWork::Load;
            Ok(())
        })
    }

    /// Writes the key page anew under another root key. Nothing else on the flash changes.
    //= compliance/requirements.md#store-26
    //# A change of the root key that was interrupted MUST leave a store that opens completely under the old root key or the new one.
    //= compliance/requirements.md#store-27
    //# After a change of the root key has returned, the old root key MUST open nothing on the medium.
    pub(crate) fn rewrap<R: TryCryptoRng + ?Sized>(
        &mut self,
        root_key: &RootKey,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let wrapping = WrapKeys::derive(root_key, self.keys.wrapping.context)?;
            let count = *parts.slots.count;
            let mut change = KeyChange {
                wrapping: Some(wrapping),
                ..self.no_change()
            };
            self.write_keys(&mut change, parts, &|_, _| Fate::Keep, count, random)
                .await
        })
    }

    /// Writes the key page anew: from then on the log goes round these pages.
    pub(crate) fn rewrite_ring<R: TryCryptoRng + ?Sized>(
        &mut self,
        ring: Ring,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let count = *parts.slots.count;
            let mut change = KeyChange {
                left_out: ring.list(),
                ..self.no_change()
            };
            self.write_keys(&mut change, parts, &|_, _| Fate::Keep, count, random)
                .await
        })
    }

    /// Writes the key page anew: from then on the store keeps checkpoints.
    pub(crate) fn begin_checkpoints<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if M::KIND == MediumKind::Overwritable || self.key_page.features & CHECKPOINTS != 0 {
                return Ok(());
            }
            let count = *parts.slots.count;
            let mut change = KeyChange {
                features: self.key_page.features | CHECKPOINTS,
                ..self.no_change()
            };
            self.write_keys(&mut change, parts, &|_, _| Fate::Keep, count, random)
                .await
        })
    }

    fn no_change(&self) -> KeyChange {
        KeyChange {
            wrapping: None,
            left_out: self.ring().list(),
            features: self.key_page.features,
        }
    }

    /// Writes the key page anew under the same root key.
    pub(crate) fn rewrite_class_keys<R: TryCryptoRng + ?Sized>(
        &mut self,
        parts: &mut Parts<'_>,
        fate: &Fates<'_>,
        count: usize,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.write_keys(&mut self.no_change(), parts, fate, count, random)
                .await
        })
    }

    /// Writes the key page anew: `fate` decides what becomes of each slot. When this returns, the keys that had to die are
    /// gone from the flash; if it is interrupted after the new page was complete, the next operation or mount goes on.
    //= compliance/requirements.md#store-10
    //# Erasing a class MUST destroy every copy of its key on the medium, so that no later dump opens its records, even with the root key.
    #[inline(never)]
    fn write_keys<R: TryCryptoRng + ?Sized>(
        &mut self,
        change: &mut KeyChange,
        parts: &mut Parts<'_>,
        fate: &Fates<'_>,
        count: usize,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            // A dead random source is found out before anything is touched.
            drop(crypto::fresh_key(random).map_err(|_| Fault::Random)?);
            self.settle_key_pages().await?;
            let other = self.key_page.other();
            if self.pages.is_erased(other).await?.is_none() {
                self.pages.erase_page(other, 0).await?;
            }
            // The key page names the end of the log. Whatever stands behind that, and does not name the key page, counts for nothing.
            let Parts { index, slots, .. } = parts;
            let own_erases = self
                .pages
                .erases_of(self.key_page.page)
                .await?
                .unwrap_or(self.pages.most_erases);
            let dying = |slots: &Slots<'_>, slot: usize| {
                let number = u8::try_from(slot).unwrap_or(NO_SLOT);
                fate(number, slots.get(number).and_then(|slot| slot.data))
            };
            let mut live_sum = self.live_sum;
            for entry in index.iter() {
                if dying(slots, usize::from(entry.slot())) != Fate::Keep {
                    live_sum = live_sum.wrapping_sub(self.keys.live_summand(entry.address()));
                }
            }
            let version = self.key_page.payload.version;
            let version = version.checked_add(1).ok_or(Fault::Internal)?;
            let next = KeyPage {
                page: other,
                features: change.features,
                salt: crypto::fresh(random).map_err(|_| Fault::Random)?,
                payload: KeyPagePayload {
                    left_out: change.left_out,
                    ..self.key_page_payload(version, count, live_sum, own_erases)?
                },
            };

            // From here the other page holds something: it is not to be trusted before it is erased again or committed.
            self.key_work = KeyWork::Erase;
            let wrapping = change.wrapping.as_ref();
            let Self { pages, keys, .. } = self;
            let first = wrapping.unwrap_or(&keys.wrapping);
            pages.write_key_page_start(first, &next, random).await?;
            self.copy_store_key(wrapping, &next, random).await?;
            for at in 0..count {
                let is_there = at < *slots.count;
                self.turn_class_key(at, is_there, dying(slots, at), wrapping, &next, random)
                    .await?;
            }
            let wrapping = wrapping.unwrap_or(&self.keys.wrapping);
            self.pages.write_key_commit(wrapping, &next, random).await?;

            // Committed. What follows in memory happens without an await, so no half of it is ever seen.
            self.key_page = next;
            if let Some(another) = change.wrapping.take() {
                self.keys.wrapping = another;
            }
            self.live_sum = live_sum;
            self.anchoring.keys_changed = true;
            if next.payload.counter != self.anchoring.stated {
                self.anchoring.state(next.payload.counter);
            }
            for slot in 0..u8::try_from(*slots.count).unwrap_or(NO_SLOT) {
                if dying(slots, usize::from(slot)) != Fate::Keep {
                    let bytes = index
                        .iter()
                        .filter(|entry| entry.slot() == slot)
                        .map(Entry::size)
                        .sum();
                    self.live_bytes = self.live_bytes.saturating_sub(bytes);
                    index.remove_slot(slot);
                    self.doomed = self.doomed.filter(|doomed| doomed.slot != slot);
                    if let Some(slot) = slots.all.get_mut(usize::from(slot)) {
                        slot.data = None;
                        slot.since = next.payload.log_end;
                    }
                }
            }
            *slots.count = count;
            if self.head.writing == Writing::Open {
                self.head.writing = Writing::Closed;
            }
            self.settle_key_pages().await?;
            self.load_class_keys(slots, count).await
        })
    }

    /// Writes the store's key to the next key page, as the current one has it.
    #[inline(never)]
    fn copy_store_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        another: Option<&WrapKeys>,
        next: &KeyPage,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let Self {
                pages,
                keys,
                key_page,
                ..
            } = self;
            let wrapping = another.unwrap_or(&keys.wrapping);
            let store_key = pages.store_key(&keys.wrapping, key_page).await?;
            pages.write_store_key(wrapping, next, &store_key, random).await
        })
    }

    /// Writes the key of a slot to the next key page: the one that the current page has, if it has one, or what fate makes of it.
    #[inline(never)]
    fn turn_class_key<R: TryCryptoRng + ?Sized>(
        &mut self,
        at: usize,
        is_there: bool,
        fate: Fate,
        another: Option<&WrapKeys>,
        next: &KeyPage,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let slot = u8::try_from(at).map_err(|_| Fault::Internal)?;
            let Self {
                pages,
                keys,
                key_page,
                ..
            } = self;
            let before = if is_there {
                Some(pages.class_key(&keys.wrapping, key_page, slot).await?)
            } else {
                None
            };
            let after = next_class_key(keys, slot, before, fate, next.payload.log_end, random)?;
            let wrapping = another.unwrap_or(&keys.wrapping);
            pages.write_class_key(wrapping, next, slot, &after, random).await
        })
    }

    /// The first key page of a store: a fresh key for the store and for each of the fixed classes.
    pub(crate) fn write_first_key_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        store_key: &Secret<KEY_LEN>,
        classes: &[(DataClass, Secret<KEY_LEN>)],
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let KeyPagePayload {
                version,
                other_erases,
                ..
            } = self.key_page.payload;
            self.key_page.payload = self.key_page_payload(version, classes.len(), 0, other_erases)?;
            let Self {
                pages,
                keys,
                key_page,
                ..
            } = self;
            pages
                .write_key_page_start(&keys.wrapping, key_page, random)
                .await?;
            pages
                .write_store_key(&keys.wrapping, key_page, store_key, random)
                .await?;
            for (slot, (data, randomness)) in (0u8..).zip(classes) {
                let class_key = ClassKey {
                    data: Some(*data),
                    generation: 1,
                    since: key_page.payload.log_end,
                    key: keys.new_class_key(&Secret::new([0; KEY_LEN]), randomness, slot, 1)?,
                };
                pages
                    .write_class_key(&keys.wrapping, key_page, slot, &class_key, random)
                    .await?;
            }
            pages.write_key_commit(&keys.wrapping, key_page, random).await
        })
    }

    /// What a key page says that is written now.
    fn key_page_payload(
        &self,
        version: u32,
        count: usize,
        live_sum: u32,
        other_erases: u32,
    ) -> Result<KeyPagePayload, Fault> {
        Ok(KeyPagePayload {
            version,
            log_end: self.log_end(),
            live: Self::stated(live_sum),
            digest: self.head.digest.value(),
            count: u32::try_from(count).map_err(|_| Fault::Internal)?,
            other_erases,
            counter: self.anchoring.next.unwrap_or(self.anchoring.stated),
            left_out: self.key_page.payload.left_out,
        })
    }
}

#[inline(never)]
fn next_class_key<R: TryCryptoRng + ?Sized>(
    keys: &StoreKeys,
    slot: u8,
    before: Option<ClassKey>,
    fate: Fate,
    since: Position,
    random: &mut R,
) -> Result<ClassKey, Fault> {
    let generation = before.as_ref().map_or(0, |before| before.generation);
    let generation = generation.checked_add(1).ok_or(Fault::Internal)?;
    let (data, key) = match (fate, before) {
        (Fate::Keep, Some(before)) => return Ok(before),
        (Fate::Renew(data), before) => {
            let randomness = crypto::fresh_key(random).map_err(|_| Fault::Random)?;
            let before = before.map_or(Secret::new([0; KEY_LEN]), |before| before.key);
            let key = keys.new_class_key(&before, &randomness, slot, generation)?;
            (Some(data), key)
        }
        (Fate::Free, _) | (Fate::Keep, None) => (None, Secret::new([0; KEY_LEN])),
    };
    Ok(ClassKey {
        data,
        generation,
        since,
        key,
    })
}
