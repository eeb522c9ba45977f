//! The log's head: where records are appended, pages opened, superseded records overwritten, pages erased.
//!
//! Two rules hold everywhere here, because a future may be dropped and power may go at any await:
//! a place is burnt in RAM *before* its first program call, and what a record changes is changed in RAM after it was read
//! back, without an await in between.
//!
//! ```text
//!  store · mount · collect · keys
//!  log      (this file)
//!  ring · key_page · record · pages · hierarchy · memory
//! ```

use core::ops::Range;

use rand_core::TryCryptoRng;

use super::counter::{AnchorPolicy, CounterPlace};
use super::error::Fault;
use super::format::{
    self, HEADER_LEN, Header, Kind, MAX_UNIT, NO_ADDRESS, NO_SLOT, PAIR_PAYLOAD, Position, SALT_PAYLOAD,
    SaltPayload, TEXT_START,
};
use super::hierarchy::StoreKeys;
use super::key_page::KeyPage;
use super::memory::{ClassSlot, Entry, Index, Slots};
use super::pace::Pace;
use super::pages::Pages;
use super::record::{Frame, OpenedValue, split_value};
use super::ring::Ring;
use crate::crypto::{self, Digest, Place, RANDOMNESS_LEN, SALT_LEN};
use crate::flash::{Medium, MediumKind, Routine, two_faces};

/// Ciphertext of a Page or Session record in the header's steps.
#[allow(clippy::cast_possible_truncation)] // 11
const SALT_STEPS: u16 = (SALT_PAYLOAD / 4) as u16;

/// Whether the next record may follow the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Yes.
    Open,
    /// A Session record comes first: after a mount, or when the class keys changed.
    Closed,
    /// The same, where the log's end read blank at a mount, and has not been looked at as often as it takes before a write.
    Doubtful,
    /// A Session record comes first, and beyond what an interrupted write may have touched.
    Burnt,
}

/// Where the log ends.
pub(crate) struct Head {
    pub(crate) generation: u32,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) salt_at: u16,
    /// End of the accepted records.
    pub(crate) end: u32,
    /// First byte that no program call has been aimed at.
    pub(crate) next: u32,
    pub(crate) digest: Digest,
    pub(crate) writing: Writing,
}

impl Head {
    /// The header that a record of this kind gets here.
    pub(crate) fn header(&self, kind: Kind, slot: u8, text_len: usize) -> Result<Header, Fault> {
        let steps = u16::try_from(text_len / 4).map_err(|_| Fault::Internal)?;
        Ok(Header {
            kind,
            slot,
            salt_at: self.salt_at,
            steps,
        })
    }

    fn place(&self) -> Place {
        Place {
            salt: self.salt,
            offset: self.next,
        }
    }

    /// The same, to go on from without counting for anything yet.
    pub(crate) fn fork(&self) -> Self {
        Self {
            digest: self.digest.clone(),
            ..*self
        }
    }

    /// The record at `offset` is on flash.
    fn accept(&mut self, offset: u32, header: Header, size: u32) {
        self.digest.add(&offset.to_le_bytes());
        self.digest.add(&header.to_bytes());
        self.next = offset + size;
        self.end = self.next;
    }
}

/// What may stand on the page after the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextPage {
    /// Nothing that this start does not know of.
    Known,
    /// What an earlier start began in a way that does not show.
    Doubtful,
    /// What must not stay, a first record that was never accepted or a tail that was turned over: it is erased before the next append.
    Spoiled,
}

/// Who may read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Everybody,
    /// An erasure is on its way.
    Erasure,
}

/// What is left to do of a change of the key pages, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyWork {
    /// The other key page is not known to be erased, blank and marked.
    Erase,
    /// The class keys in memory may not be those of the current key page.
    Load,
    Done,
}

/// Whether a counter agreed with what the log states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    No,
    By(CounterPlace),
}

/// What is known of the counter that the store is held against.
pub(crate) struct Anchoring {
    /// The last value stated on flash; 0: none ever was.
    pub(crate) stated: u32,
    /// What the next key page states, if that is to move the counter.
    pub(crate) next: Option<u32>,
    pub(crate) confirmed: Confirmed,
    /// Records of values and removals written since the last value was stated.
    pub(crate) changes: u32,
    /// And those before, if the counter has not been moved to that value yet.
    pub(crate) before: u32,
    /// Class keys were made or erased since.
    pub(crate) keys_changed: bool,
    /// The counter was moved twice since the start: no fork of an earlier start has come so far.
    pub(crate) is_ahead: bool,
}

impl Anchoring {
    pub(crate) const NONE: Self = Self {
        stated: 0,
        next: None,
        confirmed: Confirmed::No,
        changes: 0,
        before: 0,
        keys_changed: false,
        is_ahead: false,
    };

    /// A value is on flash; the counter is still to be moved to it.
    pub(crate) fn state(&mut self, value: u32) {
        self.before = self.before.saturating_add(self.changes);
        self.changes = 0;
        self.keys_changed = false;
        self.stated = value;
    }

    /// The counter stands at the value stated.
    pub(crate) fn confirm(&mut self, place: CounterPlace) {
        self.before = 0;
        self.confirmed = Confirmed::By(place);
    }

    /// How many of the newest records could be dropped unnoticed.
    pub(crate) fn window(&self) -> u32 {
        self.before.saturating_add(self.changes)
    }

    /// Whether there is something to anchor. A start cannot know that the one before moved the counter twice: whatever the log and
    /// the counter show, a fork may have moved it while the power was off.
    pub(crate) fn is_due(&self, policy: AnchorPolicy) -> bool {
        self.keys_changed
            || !self.is_ahead
            || match policy {
                AnchorPolicy::EveryChange => self.changes > 0,
                AnchorPolicy::Every(most) => self.changes >= most.max(1),
                AnchorPolicy::AtErase => false,
            }
    }
}

/// What a checkpoint took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Taken {
    pub(crate) entries: u32,
    pub(crate) bytes: u32,
}

/// The end of the log as the first reading of the head page found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecidedEnd {
    pub(crate) at: u32,
    pub(crate) next: u32,
    pub(crate) clean: bool,
}

/// A transaction in the log: staged records one behind the other, and the Commit that makes them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) generation: u32,
    /// Where its first record stands in the page.
    pub(crate) first: u32,
    /// Where its Commit stands.
    pub(crate) commit: u32,
    /// What that states: it is read once, because one that was torn may not open again.
    pub(crate) live: u32,
}

/// A record that is superseded and not yet overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    pub(crate) address: u32,
    pub(crate) size: u32,
    pub(crate) slot: u8,
}

/// The medium and everything that is known of the log on it.
pub(crate) struct Log<M> {
    pub(crate) pages: Pages<M>,
    pub(crate) keys: StoreKeys,
    /// The current key page.
    pub(crate) key_page: KeyPage,
    pub(crate) key_work: KeyWork,
    pub(crate) head: Head,
    /// Generation of the oldest page that counts.
    pub(crate) tail: u32,
    /// Pages after the head that are known to be erased and marked.
    pub(crate) ready: u32,
    /// Pages after those that nobody has looked at since the mount.
    pub(crate) unseen: u32,
    pub(crate) live_sum: u32,
    pub(crate) live_bytes: u32,
    /// Size of the largest record seen since the mount: bounds what is lost at the end of each page.
    pub(crate) largest: u32,
    /// How fast the tail is to be emptied, tail and head when that was found out, bytes of copies that are due, and bytes that were
    /// copied before they were.
    pub(crate) pace: Pace,
    pub(crate) paced: (u32, u32),
    pub(crate) due: u32,
    pub(crate) ahead: u32,
    /// A record that a checkpoint would list is damaged: none is written before the next start.
    pub(crate) lists_nothing: bool,
    /// The newest Checkpoint record, if one is known.
    pub(crate) checkpoint: Option<Position>,
    /// What it took, if that is known.
    pub(crate) taken: Option<Taken>,
    /// How many records were moved since the start; where it has not changed, entries found before are still those.
    pub(crate) moved: u32,
    pub(crate) doomed: Option<Doomed>,
    /// The last transaction, if the index may not know it yet, or what it superseded may not be overwritten.
    pub(crate) run: Option<Run>,
    /// Bytes in which a write that was never accepted may have left something; overwritten before the next append.
    pub(crate) burnt: Option<(u32, u32)>,
    pub(crate) next_page: NextPage,
    /// The page before the tail is erased for certain.
    pub(crate) tail_erased: bool,
    pub(crate) anchoring: Anchoring,
    /// Formatted by this instance.
    pub(crate) is_new: bool,
    pub(crate) access: Access,
    /// Where the head page's log ends, once the mount has decided: a torn record may open by chance when it is read again.
    pub(crate) decided_end: Option<DecidedEnd>,
}

#[two_faces]
impl<M: Medium> Log<M> {
    // ---- appending ----

    pub(crate) fn head_page(&self) -> u16 {
        self.pages.geometry.page_of(self.head.generation)
    }

    pub(crate) fn log_end(&self) -> Position {
        Position {
            generation: self.head.generation,
            offset: self.head.end,
        }
    }

    /// The order of the pages, as the current key page has it.
    pub(crate) fn ring(&self) -> Ring {
        Ring::new(self.pages.geometry, self.key_page.payload.left_out)
    }

    /// Pages that the log may take.
    pub(crate) fn free_pages(&self) -> u32 {
        self.ring().free(self.tail, self.head.generation)
    }

    /// The generation of the log page with this number.
    pub(crate) fn generation_of(&self, page: u16) -> Option<u32> {
        self.ring().generation_of(page, self.tail, self.head.generation)
    }

    /// The generation that the next page gets.
    pub(crate) fn next_generation(&self) -> Result<u32, Fault> {
        let next = self.ring().after(self.head.generation);
        // A mount looks for generations below the last number there is, and the page after this one has a number too.
        if self.ring().after(next) < u32::MAX {
            Ok(next)
        } else {
            Err(Fault::Internal)
        }
    }

    pub(crate) fn page_after_head(&self) -> u16 {
        self.pages
            .geometry
            .page_of(self.ring().after(self.head.generation))
    }

    /// The page that was erased last, or is to be.
    pub(crate) fn page_before_tail(&self) -> u16 {
        self.ring().page_before(self.tail)
    }

    /// Where the next Session record would stand.
    fn session_offset(&self) -> u32 {
        let geometry = self.pages.geometry;
        if self.head.writing == Writing::Burnt {
            // With a blank unit before it, by which a reader knows it from what was written in one go.
            let next = self.head.next.saturating_add(geometry.unit);
            geometry.to_skip(next)
        } else {
            geometry.to_granule(self.head.next)
        }
    }

    /// Bytes left in the head page for records, after a Session record if one is due.
    pub(crate) fn room(&self) -> u32 {
        let from = match self.head.writing {
            Writing::Open => self.head.next,
            Writing::Closed | Writing::Doubtful | Writing::Burnt => self
                .session_offset()
                .saturating_add(self.pages.geometry.salt_record()),
        };
        self.pages.geometry.page.saturating_sub(from)
    }

    /// Makes the head page ready to take a record, if a Session record is due.
    //= compliance/requirements.md#store-8
    //# The store MUST NOT append behind a place that an earlier or interrupted write may have touched.
    pub(crate) fn open_session<R: TryCryptoRng + ?Sized>(
        &mut self,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if self.head.writing == Writing::Open {
                return self.overwrite_burnt().await;
            }
            if self.head.writing == Writing::Doubtful {
                return Err(Fault::Internal);
            }
            match self.try_session(random).await {
                // The words may have been begun before, which does not always show: once more, beyond them.
                Err(Fault::Flash(_) | Fault::Unkept) => self.try_session(random).await?,
                opened => opened?,
            }
            self.overwrite_burnt().await
        })
    }

    fn try_session<R: TryCryptoRng + ?Sized>(
        &mut self,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let offset = self.session_offset();
            let passes_over = self.head.writing == Writing::Burnt;
            let size = self.pages.geometry.salt_record();
            if offset.saturating_add(size) > self.pages.geometry.page {
                return Err(Fault::Full);
            }
            let salt = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let salt_at = self.pages.geometry.in_granules(offset).ok_or(Fault::Internal)?;
            let header = Header {
                kind: Kind::Session,
                slot: NO_SLOT,
                salt_at,
                steps: SALT_STEPS,
            };
            let payload = self.salt_payload(self.head.generation, self.head.end);
            let frame = Frame {
                header,
                key: &self.keys.store,
                place: Place { salt, offset },
                associated: &format::associated_data(M::KIND, header, self.head.generation, 0),
            };
            let (record, size) =
                frame.seal_with_salt(self.pages.geometry, &randomness, &payload.to_bytes())?;
            let bytes = record.get(..size).ok_or(Fault::Internal)?;

            self.head.next = offset + u32::try_from(size).map_err(|_| Fault::Internal)?;
            self.head.writing = Writing::Burnt;
            let start = self.pages.geometry.start(self.head_page());
            self.pages.program(start + offset, bytes).await?;

            self.head.digest.add(&offset.to_le_bytes());
            self.head.digest.add(&header.to_bytes());
            self.head.digest.add(&salt);
            if passes_over {
                self.burnt = Some((start + self.head.end, start + offset));
            }
            self.head.salt = salt;
            self.head.salt_at = salt_at;
            self.head.end = self.head.next;
            self.head.writing = Writing::Open;
            Ok(())
        })
    }

    /// On overwritable media an interrupted write leaves nothing behind either: part of a value that is removed later.
    pub(crate) fn overwrite_burnt(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            if let (MediumKind::Overwritable, Some((from, to))) = (M::KIND, self.burnt) {
                self.pages.program_zeros(from, to).await?;
            }
            self.burnt = None;
            Ok(())
        })
    }

    /// The live sum as records state it: on write-once media there is nothing that it would tell.
    pub(crate) fn stated(live_sum: u32) -> u32 {
        match M::KIND {
            MediumKind::Overwritable => live_sum,
            MediumKind::WriteOnce => 0,
        }
    }

    pub(crate) fn salt_payload(&self, generation: u32, resume: u32) -> SaltPayload {
        SaltPayload {
            generation,
            tail: self.tail,
            key_version: self.key_page.payload.version,
            key_check: self.key_page.check(),
            live: Self::stated(self.live_sum),
            resume,
            digest: self.head.digest.value(),
            checkpoint: self.checkpoint.map_or(NO_ADDRESS, |at| {
                self.pages
                    .geometry
                    .address(self.pages.geometry.page_of(at.generation), at.offset)
            }),
            counter: self.anchoring.stated,
            filled: 0,
        }
    }

    /// Writes the first record of an erased page.
    pub(crate) fn begin_page(
        &mut self,
        page: u16,
        salt: [u8; SALT_LEN],
        randomness: &[u8; RANDOMNESS_LEN],
        payload: SaltPayload,
    ) -> Routine<M, impl Future<Output = Result<Head, Fault>>> {
        M::call(async move {
            let offset = self.pages.geometry.first();
            let header = Header {
                kind: Kind::Page,
                slot: NO_SLOT,
                salt_at: 0,
                steps: SALT_STEPS,
            };
            let frame = Frame {
                header,
                key: &self.keys.store,
                place: Place { salt, offset },
                associated: &format::associated_data(M::KIND, header, 0, 0),
            };
            let (record, size) =
                frame.seal_with_salt(self.pages.geometry, randomness, &payload.to_bytes())?;
            let bytes = record.get(..size).ok_or(Fault::Internal)?;
            self.pages
                .program(self.pages.geometry.start(page) + offset, bytes)
                .await?;
            Ok(self.page_head(salt, payload.generation))
        })
    }

    /// The head behind the first record of a page.
    pub(crate) fn page_head(&self, salt: [u8; SALT_LEN], generation: u32) -> Head {
        let mut digest = Digest::new(&self.keys.structure);
        digest.add(&salt);
        let end = self.pages.geometry.first() + self.pages.geometry.salt_record();
        Head {
            generation,
            salt,
            salt_at: 0,
            end,
            next: end,
            digest,
            writing: Writing::Open,
        }
    }

    /// The address that the next record gets; only true while the head is open.
    pub(crate) fn next_address(&self) -> u32 {
        self.pages.geometry.address(self.head_page(), self.head.next)
    }

    /// Seals the plaintext at [`TEXT_START`] of `buffer` under a class key, or the store's, and appends it.
    pub(crate) fn append(
        &mut self,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let size = self.pages.geometry.size(header);
            if self.head.writing != Writing::Open || size > self.room() {
                return Err(Fault::Internal);
            }
            let (generation, place) = (self.head.generation, self.head.place());
            self.head.next = place.offset + size;
            self.head.writing = Writing::Burnt;
            self.write_record(generation, place, header, class, randomness, buffer)
                .await?;
            self.head.accept(place.offset, header, size);
            self.head.writing = Writing::Open;
            if header.kind.is_change() {
                self.anchoring.changes = self.anchoring.changes.saturating_add(1);
            }
            Ok(())
        })
    }

    /// As [`Log::append`], to a page that is not the head yet.
    pub(crate) fn append_to(
        &mut self,
        head: &mut Head,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let (size, place) = (self.pages.geometry.size(header), head.place());
            if place.offset.saturating_add(size) > self.pages.geometry.page {
                return Err(Fault::Internal);
            }
            self.write_record(head.generation, place, header, class, randomness, buffer)
                .await?;
            head.accept(place.offset, header, size);
            Ok(())
        })
    }

    fn write_record(
        &mut self,
        generation: u32,
        place: Place,
        header: Header,
        class: Option<&ClassSlot>,
        randomness: &[u8; RANDOMNESS_LEN],
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let offset = place.offset;
            let class_generation = class.map_or(0, |slot| slot.generation);
            let frame = Frame {
                header,
                key: class.map_or(&self.keys.store, |slot| &slot.sealing),
                place,
                associated: &format::associated_data(M::KIND, header, generation, class_generation),
            };
            let len = frame.seal(self.pages.geometry, randomness, buffer)?;
            let start = self.pages.geometry.start(self.pages.geometry.page_of(generation));
            self.pages
                .program(start + offset, buffer.get(..len).ok_or(Fault::Internal)?)
                .await
        })
    }

    /// Appends a Retire record: pages before `tail` are dead from now on.
    pub(crate) fn append_retire<R: TryCryptoRng + ?Sized>(
        &mut self,
        tail: u32,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.append_pair(Kind::Retire, tail, random).await?;
            self.tail_erased = false;
            self.tail = tail;
            Ok(())
        })
    }

    /// Appends an Anchor record: the counter is moved to `value` from now on.
    pub(crate) fn append_anchor<R: TryCryptoRng + ?Sized>(
        &mut self,
        value: u32,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            self.append_pair(Kind::Anchor, value, random).await?;
            self.anchoring.state(value);
            Ok(())
        })
    }

    /// Appends a record of a number and the live sum, under the store's key.
    fn append_pair<R: TryCryptoRng + ?Sized>(
        &mut self,
        kind: Kind,
        number: u32,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let randomness = crypto::fresh(random).map_err(|_| Fault::Random)?;
            let header = self.head.header(kind, NO_SLOT, PAIR_PAYLOAD)?;
            let mut record = [0; 64];
            format::place(&mut record, TEXT_START, &number.to_le_bytes());
            format::place(
                &mut record,
                TEXT_START + 4,
                &Self::stated(self.live_sum).to_le_bytes(),
            );
            self.append(header, None, &randomness, &mut record).await
        })
    }

    // ---- overwriting ----

    /// Overwrites the superseded record, if one is waiting: everything after its header becomes zero.
    //= compliance/requirements.md#store-9
    //# On overwritable media a superseded or removed item's name, value, tag and nonce part MUST be overwritten before the operation that superseded it reports success.
    pub(crate) fn overwrite_doomed(&mut self) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let Some(doomed) = self.doomed else { return Ok(()) };
            //= compliance/requirements.md#store-21
            //# On write-once media the store MUST NOT program a word twice between two erases.
            if M::KIND == MediumKind::Overwritable {
                self.overwrite(doomed).await?;
            }
            self.doomed = None;
            Ok(())
        })
    }

    pub(crate) fn overwrite(
        &mut self,
        doomed: Doomed,
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let start = doomed.address.saturating_mul(4);
            let header = u32::try_from(HEADER_LEN).map_err(|_| Fault::Internal)?;
            let end = start + doomed.size;
            let unit = self.pages.geometry.unit;
            // The header may share its word with what must go: it is programmed again as it is.
            let mut at = start + header;
            if unit > header {
                let mut word = [0; MAX_UNIT];
                let word = word
                    .get_mut(..usize::try_from(unit).map_err(|_| Fault::Internal)?)
                    .ok_or(Fault::Internal)?;
                self.pages.medium.read(start, word).await?;
                word.get_mut(HEADER_LEN..).ok_or(Fault::Internal)?.fill(0);
                self.pages.program(start, word).await?;
                at = start + unit;
            }
            self.pages.program_zeros(at, end).await
        })
    }

    // ---- reading back ----

    /// Reads and opens the item's record into `buffer`.
    //= compliance/requirements.md#store-15
    //# A record that no longer opens while the store is mounted MUST be reported as damage, never as an absent item.
    pub(crate) fn read_value(
        &mut self,
        address: u32,
        size: u32,
        slot: Option<&ClassSlot>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<OpenedValue, Fault>>> {
        M::call(async move {
            let (header, text) = self.read_record(address, size, slot, buffer).await?;
            split_value(M::KIND, header.kind, buffer, &text).ok_or(Fault::Damaged(address.saturating_mul(4)))
        })
    }

    /// Reads and opens a record of a class. Gives its header and where its plaintext is in the buffer.
    pub(crate) fn read_record(
        &mut self,
        address: u32,
        size: u32,
        slot: Option<&ClassSlot>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(Header, Range<usize>), Fault>>> {
        M::call(async move {
            let damaged = Fault::Damaged(address.saturating_mul(4));
            let (page, offset) = self.pages.geometry.place(address).ok_or(damaged)?;
            let generation = self.generation_of(page).ok_or(damaged)?;
            let size = usize::try_from(size).map_err(|_| Fault::Internal)?;
            let record = buffer.get_mut(..size).ok_or(Fault::Internal)?;
            self.pages.medium.read(address * 4, record).await?;
            let header = record
                .first_chunk()
                .copied()
                .and_then(Header::from_bytes)
                .ok_or(damaged)?;
            let salt = if generation == self.head.generation && header.salt_at == self.head.salt_at {
                self.head.salt
            } else {
                self.read_salt(page, header.salt_at).await?.ok_or(damaged)?
            };
            let class = slot.ok_or(damaged)?;
            let frame = Frame {
                header,
                key: &class.sealing,
                place: Place { salt, offset },
                associated: &format::associated_data(M::KIND, header, generation, class.generation),
            };
            let text = frame.open(record).ok_or(damaged)?;
            Ok((header, text))
        })
    }

    /// The entry of an item, found by its name; the item's record is left open in `buffer`.
    pub(crate) fn find(
        &mut self,
        index: &Index<'_>,
        slots: &Slots<'_>,
        slot: u8,
        name: &[u8],
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<(Entry, OpenedValue)>, Fault>>> {
        M::call(async move {
            let hash = self.keys.name_hash(slot, name);
            let mut skip = 0;
            while let Some(entry) = index.candidate(slot, hash, skip) {
                let opened = self
                    .read_value(entry.address(), entry.size(), slots.get(slot), buffer)
                    .await?;
                if buffer.get(opened.name.clone()) == Some(name) {
                    return Ok(Some((entry, opened)));
                }
                skip += 1;
            }
            Ok(None)
        })
    }

    /// Reads the salt that a header points at.
    pub(crate) fn read_salt(
        &mut self,
        page: u16,
        salt_at: u16,
    ) -> Routine<M, impl Future<Output = Result<Option<[u8; SALT_LEN]>, Fault>>> {
        M::call(async move {
            let offset = match salt_at {
                0 => self.pages.geometry.first(),
                granules => u32::from(granules) * self.pages.geometry.granule(),
            };
            let len = self.pages.geometry.align(16);
            if offset.saturating_add(len) > self.pages.geometry.page {
                return Ok(None);
            }
            let mut bytes = [0; MAX_UNIT];
            let bytes = bytes
                .get_mut(..usize::try_from(len).map_err(|_| Fault::Internal)?)
                .ok_or(Fault::Internal)?;
            self.pages
                .medium
                .read(self.pages.geometry.start(page) + offset, bytes)
                .await?;
            Ok(bytes.get(HEADER_LEN..).and_then(<[u8]>::first_chunk).copied())
        })
    }
}
