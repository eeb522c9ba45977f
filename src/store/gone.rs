//! What an erasure of several steps asks of the store: keys destroyed, pages swept, and a look at what is left.
//!
//! ```text
//!  store
//!  gone     (this file)
//!  collect · ahead · replay · keys · walk · log · memory
//! ```

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::AsyncStore;
use super::change::Item;
use super::class::DataClass;
use super::copy_of;
use super::error::{EraseError, Fault, MountError, ReadError, WriteError};
use super::format;
use super::geometry::LOG_START;
use super::keys::Fate;
use super::log::{Access, Log};
use super::memory::{Entry, Memory, Parts};
use super::record::Frame;
use super::walk::Found;
use crate::crypto::Place;
use crate::flash::{Medium, MediumKind, Routine, two_faces};

/// Where the library notes which erasure was begun, among [`DataClass::LEDGER`].
pub(crate) const ERASURE: &str = "erasure";
/// The first byte of that note, once the erasure is complete.
pub(crate) const COMPLETE: u8 = 0;
/// Bytes of that note.
pub(crate) const NOTE_LEN: usize = 96;

/// Slots of the classes that every store has.
const FIXED_SLOTS: u8 = 3;

/// Items and the bytes of flash that they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub items: u32,
    /// Bytes of flash, what seals them included.
    pub bytes: u32,
}

impl Amount {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.items = self.items.saturating_add(1);
        self.bytes = self.bytes.saturating_add(entry.size());
    }
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Whether an erasure was begun that is not complete. A note that does not read counts as damage, not as none.
    pub(crate) fn is_being_erased(
        &mut self,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let Some(slot) = parts.slots.find(DataClass::LEDGER) else {
                return Ok(false);
            };
            let found = self.find(&parts.index, &parts.slots, slot, ERASURE.as_bytes(), parts.buffer);
            let stage = found.await.map(|found| {
                let (_, opened) = found?;
                parts
                    .buffer
                    .get(opened.value)
                    .unwrap_or_default()
                    .first()
                    .copied()
            });
            parts.buffer.zeroize();
            Ok(stage?.is_some_and(|stage| stage != COMPLETE))
        })
    }
}

#[two_faces]
impl<M: Medium, I: Memory> AsyncStore<M, I> {
    /// Whether an erasure was begun that is not complete.
    pub(crate) fn is_being_erased(&mut self) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move { self.log.is_being_erased(&mut self.memory.parts()).await })
    }

    /// Says who may read and write.
    pub(crate) fn allow(&mut self, access: Access) {
        self.log.access = access;
    }

    /// Refuses while an erasure is on its way.
    //= compliance/requirements.md#erase-9
    //# Between the beginning of an erasure and its end the store MUST refuse to read and to write, whatever fails or is dropped.
    pub(crate) fn refuse_if_closed(&self) -> Result<(), Fault> {
        match self.log.access {
            Access::Everybody => Ok(()),
            Access::Erasure => Err(Fault::Begun),
        }
    }

    /// Destroys the keys of the classes that are named, in one step.
    pub(crate) fn erase_classes<R: TryCryptoRng + ?Sized>(
        &mut self,
        takes: impl Fn(DataClass) -> bool + Sync,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), EraseError>>> {
        M::call(async move {
            self.settle().await?;
            let mut parts = self.memory.parts();
            if !parts
                .slots
                .used()
                .iter()
                .any(|slot| slot.data.is_some_and(&takes))
            {
                return Ok(());
            }
            let fate = |slot: u8, data: Option<DataClass>| match data {
                Some(data) if takes(data) && slot < FIXED_SLOTS => Fate::Renew(data),
                Some(data) if takes(data) => Fate::Free,
                _ => Fate::Keep,
            };
            let count = *parts.slots.count;
            let erased = self
                .log
                .rewrite_class_keys(&mut parts, &fate, count, random)
                .await;
            self.memory.parts().buffer.zeroize();
            Ok(erased?)
        })
    }

    /// The page that the log has come to: what was written so far stands on it and before it.
    pub(crate) fn page_written(&self) -> u32 {
        self.log.head.generation
    }

    /// The page that the log begins with.
    pub(crate) fn first_page(&self) -> u32 {
        self.log.tail
    }

    /// Empties and erases the oldest page, if it is not behind the page with this number; then completes what was begun. Gives
    /// whether there is more to do.
    pub(crate) fn sweep_page<R: TryCryptoRng + ?Sized>(
        &mut self,
        last: u32,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            self.recover().await?;
            if self.log.tail <= last {
                let collected = self.log.collect_page(&mut self.memory.parts(), random).await;
                self.memory.parts().buffer.zeroize();
                collected?;
                return Ok(true);
            }
            // The page retired last may still hold what it held, if its erase was interrupted.
            let finished = self.log.finish_erase(&mut self.memory.parts(), random).await;
            self.memory.parts().buffer.zeroize();
            finished?;
            Ok(false)
        })
    }

    /// Whether the pages that were left out hold nothing any more. One that does not erase is no reason to stop.
    pub(crate) fn clear_left_out(&mut self) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move { self.log.erase_left_out().await.is_ok() })
    }

    /// Reads the note of an erasure into `note`, if there is one; gives the length of what is there.
    pub(crate) fn note(
        &mut self,
        note: &mut [u8; NOTE_LEN],
    ) -> Routine<M, impl Future<Output = Result<Option<usize>, ReadError>>> {
        M::call(async move { self.copy_bytes(DataClass::LEDGER, ERASURE, note).await })
    }

    /// Reads an item of the library's own.
    pub(crate) fn ledger_bytes(
        &mut self,
        name: &str,
        out: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<usize>, ReadError>>> {
        M::call(async move { self.copy_bytes(DataClass::LEDGER, name, out).await })
    }

    /// Puts bytes amid an erasure, and of what is the library's own.
    pub(crate) fn put_amid_erasure<R: TryCryptoRng + ?Sized>(
        &mut self,
        data: DataClass,
        name: &str,
        value: &[u8],
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            let item = Item {
                data,
                name,
                fixed: false,
                value_len: Some(value.len()),
            };
            self.put_any(item, copy_of(value), random).await
        })
    }

    /// Writes the note of an erasure.
    pub(crate) fn put_note<R: TryCryptoRng + ?Sized>(
        &mut self,
        note: &[u8; NOTE_LEN],
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            self.put_amid_erasure(DataClass::LEDGER, ERASURE, note, random)
                .await
        })
    }

    /// What is stored of the classes that are named.
    pub(crate) fn amount(&mut self, takes: impl Fn(DataClass) -> bool) -> Amount {
        let parts = self.memory.parts();
        let mut amount = Amount::default();
        for entry in parts.index.iter() {
            let data = parts.slots.get(entry.slot()).and_then(|slot| slot.data);
            if data.is_some_and(&takes) {
                amount.add(entry);
            }
        }
        amount
    }

    /// How many classes the store has had keys for.
    pub(crate) fn class_count(&mut self) -> usize {
        *self.memory.parts().slots.count
    }

    /// The class with this number, if there is a key for it now.
    pub(crate) fn class_at(&mut self, number: usize) -> Option<DataClass> {
        self.memory.parts().slots.used().get(number)?.data
    }

    /// Where the record of an item stands and what the item takes.
    pub(crate) fn entry_of(
        &mut self,
        data: DataClass,
        name: &str,
    ) -> Routine<M, impl Future<Output = Result<Option<Entry>, ReadError>>> {
        M::call(async move {
            let found = self.open(data, name).await?;
            self.memory.parts().buffer.zeroize();
            Ok(found.map(|(entry, _)| entry))
        })
    }

    /// Sees to it that the key page before the current one is erased to its last byte, where the store is content if no key opens there.
    pub(crate) fn clear_other_key_page(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.settle().await?;
            let log = &mut self.log;
            let other = log.key_page.other();
            // What a cut amid an erase left, or amid the mark behind it, may read so now and otherwise the next time.
            if !log.pages.is_steadily_erased(other).await? {
                let before = log.key_page.payload.other_erases;
                log.pages.erase_page(other, before).await?;
            }
            Ok(())
        })
    }

    /// Whether it reads so.
    pub(crate) fn has_one_key_page(&mut self) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let other = self.log.key_page.other();
            Ok(self.log.pages.is_erased(other).await?.is_some())
        })
    }

    /// Whether what stands at an address opens under any class key at hand, as that class's present record or an earlier one; `None` if no
    /// record stands there that could.
    pub(crate) fn opens(
        &mut self,
        address: u32,
    ) -> Routine<M, impl Future<Output = Result<Option<bool>, Fault>>> {
        M::call(async move {
            let Parts { slots, buffer, .. } = self.memory.parts();
            let log = &mut self.log;
            let geometry = log.pages.geometry;
            let Some((page, offset)) = geometry.place(address) else {
                return Ok(None);
            };
            let (Some(header), Some(generation)) =
                (log.header_at(page, offset).await, log.generation_of(page))
            else {
                return Ok(None);
            };
            let (start, size) = (geometry.start(page) + offset, geometry.size(header));
            let record = usize::try_from(size).ok().and_then(|size| buffer.get_mut(..size));
            let (Some(record), Some(salt)) = (record, log.read_salt(page, header.salt_at).await?) else {
                return Ok(None);
            };
            let fits = header.kind.is_value() && offset.saturating_add(size) <= geometry.page;
            for slot in slots.used() {
                for class_generation in [slot.generation, slot.generation.saturating_sub(1)] {
                    if !fits || log.pages.read_patiently(start, record).await.is_err() {
                        return Ok(None);
                    }
                    let frame = Frame {
                        header,
                        key: &slot.sealing,
                        place: Place { salt, offset },
                        associated: &format::associated_data(M::KIND, header, generation, class_generation),
                    };
                    let opened = frame.open(record).is_some();
                    record.zeroize();
                    if opened {
                        return Ok(Some(true));
                    }
                }
            }
            Ok(Some(false))
        })
    }

    /// What the log still holds beside what is live.
    pub(crate) fn remains(&mut self) -> Routine<M, impl Future<Output = Result<Remains, Fault>>> {
        M::call(async move {
            let Parts { index, slots, buffer } = self.memory.parts();
            let log = &mut self.log;
            let (tail, head) = (log.tail, log.head.generation);
            let mut remains = Remains::default();
            let damaged = |error| match error {
                MountError::Damaged(at) => Fault::Damaged(at),
                _ => Fault::Internal,
            };
            let mut start = log.page_of_generation(tail).await.map_err(damaged)?;
            for generation in log.ring().generations(tail, head) {
                let next = if generation < head {
                    let after = log.ring().after(generation);
                    Some(log.page_of_generation(after).await.map_err(damaged)?)
                } else {
                    None
                };
                let end = next.map_or(log.head.end, |next| next.payload.resume);
                let mut cursor = log.cursor(start, Some(end));
                loop {
                    let found = log.step(&mut cursor, &slots, buffer).await;
                    buffer.zeroize();
                    match found? {
                        Found::End { .. } => break,
                        Found::Dead => remains.dead = remains.dead.saturating_add(1),
                        Found::Opened { header, offset, .. } if header.kind.is_value() => {
                            let address = log.pages.geometry.address(start.page, offset);
                            let data = slots.get(header.slot).and_then(|slot| slot.data);
                            let is_ours = data == Some(DataClass::LEDGER);
                            if !is_ours && !index.holds(address) {
                                remains.stale = remains.stale.saturating_add(1);
                            }
                        }
                        Found::Unopened { .. } => remains.stale = remains.stale.saturating_add(1),
                        _ => {}
                    }
                }
                if let Some(next) = next {
                    start = next;
                }
            }
            Ok(remains)
        })
    }

    /// Whether a removed item leaves no record behind: the medium overwrites it.
    pub(crate) const OVERWRITES: bool = matches!(M::KIND, MediumKind::Overwritable);

    /// Erases the key pages, and then everything else; with the first error, if a page does not erase. The others do nevertheless.
    pub(crate) fn erase_medium(
        &mut self,
        mut progress: impl FnMut(u32, u32),
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let pages = self.log.pages.geometry.pages;
            let current = self.log.key_page.page;
            let order = [current, self.log.key_page.other()].into_iter();
            let order = order.chain((0..pages).skip(usize::from(LOG_START)));
            let mut erased = Ok(());
            for (done, page) in (1u32..).zip(order) {
                // What was erased before is not worn once more.
                if !matches!(self.log.pages.is_erased(page).await, Ok(Some(_))) {
                    erased = erased.and(self.log.pages.erase_page(page, 0).await);
                }
                progress(done, u32::from(pages));
            }
            erased
        })
    }
}

/// Records on flash that no item is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Remains {
    /// Of class keys that are gone.
    pub(crate) dead: u32,
    /// Of superseded and removed items, under keys that are there.
    pub(crate) stale: u32,
}
