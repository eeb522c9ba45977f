//! Several changes that take effect together: staged one behind the other in one page, and counted by the Commit behind them.
//!
//! ```text
//!  store
//!  transaction (this file)
//!  change · collect · log
//! ```
//!
//! ```text
//!  … | Session | staged a | staged b | staged c | Commit | …
//!              '--------- counts for nothing ----^ until this opens
//! ```
//!
//! Until the Commit is on flash, all that was staged is one interrupted write: the end of the log lies before it, and what is
//! appended next goes beyond it. Afterwards the index is brought up to date from the records, and what they supersede is
//! overwritten; both may be begun again at any point.

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::change::{Item, Layout};
use super::class::DataClass;
use super::error::{Fault, WriteError};
use super::format::{
    self, CHECKPOINTS, COMMIT_PAYLOAD, HEADER_LEN, Header, Kind, LINK_LEN, MAX_NAME, NO_ADDRESS, NO_SLOT,
    PAIR_PAYLOAD, Position, TEXT_START,
};
use super::key::Key;
use super::log::{Doomed, Log, Run, Writing};
use super::memory::{Entry, Parts};
use super::stored::{CodecError, Stored};
use crate::crypto;
use crate::flash::{Medium, MediumKind, Routine, two_faces};
use crate::secret::Secret;

/// One change of a transaction: what [`Store::commit`](super::Store::commit) takes a list of.
///
/// Holds references only; nothing is copied before the commit.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    data: DataClass,
    name: &'a str,
    fixed: bool,
    what: What<'a>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Typed { version: u8, value: &'a dyn Encode },
    Bytes(&'a [u8]),
    Removal,
}

/// [`Stored`], as far as a list of changes of different types needs it.
trait Encode {
    fn encode_into(&self, out: &mut [u8]) -> Result<usize, CodecError>;
}

impl<T: Stored> Encode for T {
    fn encode_into(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        self.encode(out)
    }
}

impl<'a> Change<'a> {
    /// Stores a value, in place of an earlier one.
    #[must_use]
    pub fn put<T: Stored>(key: &Key<T>, value: &'a T) -> Self {
        Self {
            data: key.data,
            name: key.name,
            fixed: key.fixed,
            what: What::Typed {
                version: key.version,
                value,
            },
        }
    }

    /// Removes an item; no error if there is none.
    #[must_use]
    pub fn remove<T>(key: &Key<T>) -> Self {
        Self {
            data: key.data,
            name: key.name,
            fixed: false,
            what: What::Removal,
        }
    }

    /// Stores bytes, in place of earlier ones.
    #[must_use]
    pub fn put_bytes(data: impl Into<DataClass>, name: &'a str, value: &'a [u8]) -> Self {
        Self {
            data: data.into(),
            name,
            fixed: false,
            what: What::Bytes(value),
        }
    }

    /// Stores bytes that can never be changed or removed, only erased with their class.
    #[must_use]
    pub fn put_fixed_bytes(data: impl Into<DataClass>, name: &'a str, value: &'a [u8]) -> Self {
        Self {
            fixed: true,
            ..Self::put_bytes(data, name, value)
        }
    }

    /// Removes the item of this name; no error if there is none.
    #[must_use]
    pub fn remove_bytes(data: impl Into<DataClass>, name: &'a str) -> Self {
        Self {
            data: data.into(),
            name,
            fixed: false,
            what: What::Removal,
        }
    }

    /// Whether it changes what is the library's own.
    pub(crate) fn is_reserved(&self) -> bool {
        self.data.reserves(self.name)
    }

    fn is_removal(&self) -> bool {
        matches!(self.what, What::Removal)
    }

    /// Writes the value into `out` and gives its length.
    fn fill(&self, out: &mut [u8]) -> Result<usize, WriteError> {
        match self.what {
            What::Typed { version, value } => {
                let (first, rest) = out.split_first_mut().ok_or(WriteError::Encode)?;
                *first = version;
                let len = value.encode_into(rest).map_err(|CodecError| WriteError::Encode)?;
                len.checked_add(1).ok_or(WriteError::Encode)
            }
            What::Bytes(bytes) => {
                out.get_mut(..bytes.len())
                    .ok_or(WriteError::Encode)?
                    .copy_from_slice(bytes);
                Ok(bytes.len())
            }
            What::Removal => Ok(0),
        }
    }

    fn item(&self) -> Item<'a> {
        Item {
            data: self.data,
            name: self.name,
            fixed: self.fixed,
            value_len: match self.what {
                What::Bytes(bytes) => Some(bytes.len()),
                What::Typed { .. } | What::Removal => None,
            },
        }
    }
}

/// What a list of changes comes to.
struct Plan {
    /// Bytes of all records with their Commit.
    size: u32,
    records: u32,
    puts: u32,
    new_items: usize,
    /// The largest record.
    largest: u32,
    /// Whether a value is new or longer than what it replaces.
    grows: bool,
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Carries out all changes or none. The caller wipes the buffer.
    //= compliance/requirements.md#store-31
    //# The changes of one transaction MUST take effect together or not at all, whatever interrupts it.
    pub(crate) fn commit<R: TryCryptoRng + ?Sized>(
        &mut self,
        changes: &[Change<'_>],
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), WriteError>>> {
        M::call(async move {
            let plan = self.plan(changes, parts).await?;
            let geometry = self.pages.geometry;
            if plan.records == 0 {
                if !changes.is_empty() && self.head.writing == Writing::Burnt {
                    // As for a single removal: what a failed write left must not be there after the next mount.
                    self.prepare(geometry.pair_record(), 0, parts, random).await?;
                }
                return Ok(());
            }
            let most = geometry.usable();
            if plan.size > most {
                return Err(WriteError::TransactionTooLong {
                    bytes: plan.size,
                    limit: most,
                });
            }
            if parts.index.room() < plan.new_items {
                return Err(WriteError::IndexFull);
            }
            // All of it lies in one page, beside what it supersedes: like one record of that size.
            let largest = self.largest.max(plan.size);
            let items = u32::try_from(parts.index.len())
                .unwrap_or(u32::MAX)
                .saturating_add(1);
            let bytes = self.live_bytes.saturating_add(plan.size);
            if plan.puts > 0 && !self.ring().holds(bytes, items, largest) {
                return Err(WriteError::Full);
            }
            // Afterwards each of the items must find room for an update, as if they had come one by one.
            let largest = self.largest.max(plan.largest);
            let items = items.saturating_add(u32::try_from(plan.new_items).unwrap_or(u32::MAX));
            let bytes = bytes.saturating_add(largest);
            if plan.grows && !self.ring().holds(bytes, items, largest) {
                return Err(WriteError::Full);
            }
            for change in changes.iter().filter(|change| !change.is_removal()) {
                if parts.slots.find(change.data).is_none() {
                    self.add_class(change.data, parts, random).await?;
                }
            }
            let in_haste = self.keep_checkpoint(plan.size, parts, random).await?;
            self.make_room(plan.size, in_haste, parts, random).await?;
            self.run = Some(self.stage(changes, parts, random).await?);
            self.count_run(parts).await?;
            Ok(self.overwrite_run(parts).await?)
        })
    }

    /// Checks the changes one by one and adds up what they take.
    fn plan(
        &mut self,
        changes: &[Change<'_>],
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Plan, WriteError>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let mut plan = Plan {
                size: geometry.commit_record(),
                records: 0,
                puts: 0,
                new_items: 0,
                largest: 0,
                grows: false,
            };
            for (number, change) in changes.iter().enumerate() {
                if change.name.len() > MAX_NAME {
                    return Err(WriteError::Name);
                }
                let is_same = |other: &&Change<'_>| other.data == change.data && other.name == change.name;
                if changes.iter().take(number).any(|other| is_same(&other)) {
                    return Err(WriteError::Repeated);
                }
                let older = self.older(change, parts).await?;
                if older.is_some_and(Entry::is_fixed) {
                    return Err(WriteError::Fixed);
                }
                if change.is_removal() {
                    if older.is_some() {
                        plan.size = plan.size.saturating_add(geometry.pair_record());
                        plan.records += 1;
                    }
                    continue;
                }
                let layout = Layout::of::<M>(geometry, change.name, parts.buffer.len());
                let len = layout.measure(change.item().value_len, parts.buffer, |out| change.fill(out))?;
                let header = self.head.header(change.kind(), 0, layout.text_len(len))?;
                let size = geometry.size(header);
                plan.size = plan.size.saturating_add(size);
                plan.largest = plan.largest.max(size);
                plan.grows |= older.is_none_or(|older| older.size() < size);
                plan.records += 1;
                plan.puts += 1;
                plan.new_items += usize::from(older.is_none());
            }
            Ok(plan)
        })
    }

    fn older(
        &mut self,
        change: &Change<'_>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Option<Entry>, Fault>>> {
        M::call(async move {
            let Some(slot) = parts.slots.find(change.data) else {
                return Ok(None);
            };
            let name = change.name.as_bytes();
            let found = self
                .find(&parts.index, &parts.slots, slot, name, parts.buffer)
                .await;
            parts.buffer.zeroize();
            Ok(found?.map(|(entry, _)| entry))
        })
    }

    /// Appends the records and their Commit, behind which the log goes on.
    fn stage<R: TryCryptoRng + ?Sized>(
        &mut self,
        changes: &[Change<'_>],
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<Run, WriteError>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let mut head = self.head.fork();
            let first = head.next;
            // Until the Commit is there, this is one write that was begun.
            self.head.writing = Writing::Burnt;
            let (mut live_sum, mut number) = (self.live_sum, 0);
            for (place, change) in changes.iter().enumerate() {
                // Making room may have moved the older record.
                let older = self.older(change, parts).await?;
                if change.is_removal() && older.is_none() {
                    continue;
                }
                let slot = parts.slots.find(change.data).ok_or(WriteError::Internal)?;
                let randomness = crypto::fresh(random).map_err(|_| WriteError::Random)?;
                let text_len = if change.is_removal() {
                    PAIR_PAYLOAD
                } else {
                    let layout = Layout::of::<M>(geometry, change.name, parts.buffer.len());
                    let fill = |out: &mut [u8]| change.fill(out);
                    let len = layout.measure(change.item().value_len, parts.buffer, fill)?;
                    layout.lay_out(change.name, len, parts.buffer, fill)?;
                    layout.text_len(len)
                };
                let hash = self.keys.name_hash(slot, change.name.as_bytes());
                // The index does not know those before it yet.
                let mut before = changes
                    .iter()
                    .take(place)
                    .filter(|other| other.data == change.data);
                let is_alike = |other: &Change<'_>| self.keys.name_hash(slot, other.name.as_bytes()) == hash;
                let has_others = self.is_alike(slot, hash, &parts.index)
                    || self.key_page.features & CHECKPOINTS != 0 && before.any(is_alike);
                let kind = match change.kind() {
                    Kind::StagedValue if older.is_none() && has_others => Kind::StagedAlike,
                    kind => kind,
                };
                let header = head.header(kind, slot, text_len)?;
                let address = geometry.address(self.head_page(), head.next);
                let previous = older.map_or(NO_ADDRESS, Entry::address);
                if header.kind.is_value() {
                    live_sum = live_sum.wrapping_add(self.keys.live_summand(address));
                }
                if older.is_some() {
                    live_sum = live_sum.wrapping_sub(self.keys.live_summand(previous));
                }
                if change.is_removal() || M::KIND == MediumKind::Overwritable {
                    format::place(parts.buffer, TEXT_START, &previous.to_le_bytes());
                    let stated = Self::stated(live_sum).to_le_bytes();
                    format::place(parts.buffer, TEXT_START + LINK_LEN / 2, &stated);
                }
                self.head.next = head.next.saturating_add(geometry.size(header));
                let class = parts.slots.get(slot);
                self.append_to(&mut head, header, class, &randomness, parts.buffer)
                    .await?;
                parts.buffer.zeroize();
                number += 1;
            }

            let run = Run {
                generation: head.generation,
                first,
                commit: head.next,
                live: Self::stated(live_sum),
            };
            let randomness = crypto::fresh(random).map_err(|_| WriteError::Random)?;
            let header = head.header(Kind::Commit, NO_SLOT, COMMIT_PAYLOAD)?;
            let mut record = [0; 64];
            let says = [run.generation, first, number, run.live];
            for (at, says) in (TEXT_START..).step_by(4).zip(says) {
                format::place(&mut record, at, &says.to_le_bytes());
            }
            self.head.next = head.next.saturating_add(geometry.size(header));
            self.append_to(&mut head, header, None, &randomness, &mut record)
                .await?;

            // Committed. What follows in memory happens without an await.
            head.writing = Writing::Open;
            self.head = head;
            self.anchoring.changes = self.anchoring.changes.saturating_add(number);
            Ok(run)
        })
    }

    /// Brings the index up to date with the last transaction. May be done again from the start at any time.
    pub(crate) fn count_run(
        &mut self,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let Some(run) = self.run else { return Ok(()) };
            let mut at = run.first;
            while at < run.commit {
                let header = self.staged_at(run, at).await?;
                let counted = self.count_staged(run, at, header, parts).await;
                parts.buffer.zeroize();
                counted?;
                at = at.saturating_add(self.pages.geometry.size(header));
            }
            if M::KIND == MediumKind::WriteOnce {
                self.run = None;
            }
            Ok(())
        })
    }

    /// Overwrites what the last transaction superseded. May be done again from the start at any time.
    pub(crate) fn overwrite_run(
        &mut self,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let Some(run) = self.run else { return Ok(()) };
            let mut at = run.first;
            while at < run.commit {
                let header = self.staged_at(run, at).await?;
                let previous = self.previous_of(run, at, header, parts).await;
                parts.buffer.zeroize();
                if let Some(address) = previous? {
                    let doomed = self.doomed_at(address).await?;
                    self.overwrite(doomed).await?;
                }
                at = at.saturating_add(self.pages.geometry.size(header));
            }
            self.run = None;
            Ok(())
        })
    }

    fn staged_at(&mut self, run: Run, at: u32) -> Routine<M, impl Future<Output = Result<Header, Fault>>> {
        M::call(async move {
            let page = self.pages.geometry.page_of(run.generation);
            let address = self.pages.geometry.address(page, at);
            let header = self.header_of(address).await?;
            header
                .filter(|header| header.kind.is_staged())
                .ok_or(Fault::Damaged(address.saturating_mul(4)))
        })
    }

    /// A superseded record: nothing but a value in a page of the log ever is.
    pub(crate) fn doomed_at(
        &mut self,
        address: u32,
    ) -> Routine<M, impl Future<Output = Result<Doomed, Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let damaged = Fault::Damaged(address.saturating_mul(4));
            let (_, offset) = geometry.place(address).ok_or(damaged)?;
            let header = self.header_of(address).await?;
            let header = header.filter(|header| header.kind.is_value()).ok_or(damaged)?;
            let size = geometry.size(header);
            let records = geometry.first() + geometry.salt_record()..geometry.page;
            if !records.contains(&offset) || offset.saturating_add(size) > records.end {
                return Err(damaged);
            }
            Ok(Doomed {
                address,
                size,
                slot: header.slot,
            })
        })
    }

    fn header_of(&mut self, address: u32) -> Routine<M, impl Future<Output = Result<Option<Header>, Fault>>> {
        M::call(async move {
            let mut word = [0; format::MAX_UNIT];
            let len = usize::try_from(self.pages.geometry.unit).map_err(|_| Fault::Internal)?;
            let word = word.get_mut(..len.max(HEADER_LEN)).ok_or(Fault::Internal)?;
            self.pages.medium.read(address.saturating_mul(4), word).await?;
            Ok(word.first_chunk().copied().and_then(Header::from_bytes))
        })
    }

    /// Whether a staged record belongs to a class key that is gone.
    fn is_dead(run: Run, at: u32, header: Header, parts: &Parts<'_>) -> bool {
        let position = Position {
            generation: run.generation,
            offset: at,
        };
        parts
            .slots
            .get(header.slot)
            .is_none_or(|slot| slot.data.is_none() || position < slot.since)
    }

    /// Brings one staged record into the index, or what it removes out of it.
    fn count_staged(
        &mut self,
        run: Run,
        at: u32,
        header: Header,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let address = self
                .pages
                .geometry
                .address(self.pages.geometry.page_of(run.generation), at);
            if Self::is_dead(run, at, header, parts) || parts.index.holds(address) {
                return Ok(());
            }
            let size = self.pages.geometry.size(header);
            let Parts { index, slots, buffer } = parts;
            let slot = slots.get(header.slot);
            if !header.kind.is_value() {
                let (_, text) = self.read_record(address, size, slot, buffer).await?;
                let previous = format::number(buffer.get(text).unwrap_or_default(), 0);
                if let Some(older) = index.remove(previous) {
                    self.discount(older);
                }
                return Ok(());
            }
            let opened = self.read_value(address, size, slot, buffer).await?;
            let mut name = Secret::new([0; MAX_NAME]);
            let bytes = buffer.get(opened.name).unwrap_or_default();
            let name = name.expose_mut().get_mut(..bytes.len()).ok_or(Fault::Internal)?;
            name.copy_from_slice(bytes);
            let older = self.find(index, slots, header.slot, name, buffer).await?;
            let hash = self.keys.name_hash(header.slot, name);

            // From here without an await: the item has one entry at any time.
            if let Some((older, _)) = older {
                index.take_out(older);
                self.discount(older);
            }
            if !index.insert(Entry::new(
                address,
                header.slot,
                size,
                header.kind.is_fixed(),
                hash,
            )) {
                return Err(Fault::Internal);
            }
            self.live_sum = self.live_sum.wrapping_add(self.keys.live_summand(address));
            self.live_bytes = self.live_bytes.saturating_add(size);
            self.largest = self.largest.max(size);
            Ok(())
        })
    }

    fn discount(&mut self, older: Entry) {
        self.live_sum = self
            .live_sum
            .wrapping_sub(self.keys.live_summand(older.address()));
        self.live_bytes = self.live_bytes.saturating_sub(older.size());
    }

    /// What a staged record superseded, if it is still known.
    fn previous_of(
        &mut self,
        run: Run,
        at: u32,
        header: Header,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<Option<u32>, Fault>>> {
        M::call(async move {
            if Self::is_dead(run, at, header, parts) {
                return Ok(None);
            }
            let page = self.pages.geometry.page_of(run.generation);
            let address = self.pages.geometry.address(page, at);
            let size = self.pages.geometry.size(header);
            let slot = parts.slots.get(header.slot);
            let (_, text) = self.read_record(address, size, slot, parts.buffer).await?;
            let previous = format::number(parts.buffer.get(text).unwrap_or_default(), 0);
            Ok((previous != NO_ADDRESS).then_some(previous))
        })
    }
}

impl Change<'_> {
    fn kind(&self) -> Kind {
        match (self.is_removal(), self.fixed) {
            (true, _) => Kind::StagedRemoval,
            (false, true) => Kind::StagedFixed,
            (false, false) => Kind::StagedValue,
        }
    }
}
