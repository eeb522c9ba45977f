//! Reading what still authenticates out of a store that no longer mounts. Nothing is written.
//!
//! ```text
//!  store
//!  salvage  (this file)
//!  mount · walk · keys · log
//! ```
//!
//! A mount goes from record to record and refuses a log in which one does not open. Here each page is read for itself, and
//! whatever does not open is stepped over, word by word, to the next record that does.

use core::fmt;
use core::ops::Range;

use super::class::DataClass;
use super::error::{Fault, MountError};
use super::format::{self, HEADER_LEN, Header, Kind, MAX_NAME, MAX_UNIT, Position, SaltPayload};
use super::geometry::LOG_START;
use super::hierarchy::{Context, WrapKeys};
use super::key_page::KeyPage;
use super::log::{Log, Run};
use super::memory::{Entry, Parts, Slots};
use super::pages::{HasPages, Pages};
use super::record::split_value;
use super::walk::{Cursor, Found, PageStart, Stretch, is_plain};
use crate::crypto::{Digest, SALT_LEN};
use crate::flash::{Medium, MediumKind, Routine, two_faces};
use crate::secret::{RootKey, Secret};

/// What [`Store::salvage`](super::Store::salvage) comes across. Printed, it shows neither name nor value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Salvage<'a> {
    /// An item that authenticates. The slices are wiped afterwards.
    Item {
        /// Its class.
        data: DataClass,
        /// Its name.
        name: &'a str,
        /// Its value.
        value: &'a [u8],
        /// Nothing that does not read stands behind it in the log. Otherwise a newer value, or its removal, may be what is lost.
        is_latest: bool,
    },
    /// Bytes from one address to another that hold something of which nothing opens. At the end of the log it may be a write that
    /// was interrupted.
    Gap {
        /// The first of them.
        from: u32,
        /// The first behind them.
        to: u32,
    },
    /// The key of the class in this slot of the key page does not open: its items are lost.
    LostClass {
        /// The slot.
        slot: u8,
    },
}

//= compliance/requirements.md#secret-3
//# A secret MUST NOT be printable or copyable, and MUST be compared in constant time only.
impl fmt::Debug for Salvage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item { data, is_latest, .. } => f
                .debug_struct("Item")
                .field("data", data)
                .field("is_latest", is_latest)
                .finish_non_exhaustive(),
            Self::Gap { from, to } => f.debug_struct("Gap").field("from", from).field("to", to).finish(),
            Self::LostClass { slot } => f.debug_struct("LostClass").field("slot", slot).finish(),
        }
    }
}

/// What a salvage came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvaged {
    /// Items that authenticate.
    pub items: usize,
    /// Gaps.
    pub gaps: usize,
    /// Classes whose key does not open.
    pub lost_classes: usize,
}

/// Later than any record.
const END_OF_TIME: Position = Position {
    generation: u32::MAX,
    offset: u32::MAX,
};

/// A page while it is read, record by record.
struct Scan {
    stretch: Stretch,
    at: u32,
    run: Option<Run>,
    /// The page has no first record that opens, and nothing else either.
    is_blank: bool,
    /// Where nothing is that should be.
    missing: Option<(u32, u32)>,
    /// End of the last record that was accepted for one.
    reached: u32,
    /// Where the page's log ends and what its digest is, if the next page says so.
    end: u32,
    end_digest: u64,
    /// Up to where records must be: the key page says so, or a first record that was written after them.
    least: u32,
    /// Where the log ended when the key page was written, or 0.
    key_end: u32,
    /// The same, until records are met up to there that are those that the key page vouches for.
    unmet_key_end: Option<u32>,
    /// Finds the Session records that pass over what was written and not accepted.
    cursor: Cursor,
    /// The version of a key page that a record names, if that comes after the one that is there, or was in its place.
    other_keys: Option<u32>,
    /// The live sum as the last record states it, and where that ends.
    live: Option<(u32, u32)>,
    /// An overwritten record behind which nothing says why.
    overwritten: Option<(u32, u32)>,
    digest: Digest,
    /// A gap was given: the digest no longer tells anything.
    has_gap: bool,
    /// A header was changed so that its record passes for one whose key is gone.
    is_changed: bool,
}

impl Scan {
    fn meet_key_end(&mut self, digest: u64) {
        if self.unmet_key_end == Some(self.reached) && self.digest.value() == digest {
            self.unmet_key_end = None;
        }
    }

    fn is_in_run(&self) -> bool {
        self.run
            .is_some_and(|run| (run.first..=run.commit).contains(&self.at))
    }
}

enum Piece {
    Record {
        header: Header,
        at: u32,
        text: Range<usize>,
    },
    Gap {
        from: u32,
        to: u32,
    },
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Reads everything that authenticates, without writing. The caller wipes the buffer.
    //= compliance/requirements.md#store-33
    //# A salvage MUST write nothing, MUST return nothing that does not authenticate, and MUST say where something does not read.
    pub(crate) fn salvage(
        place: impl HasPages<M>,
        root_key: &RootKey,
        label: &str,
        parts: &mut Parts<'_>,
        mut each: impl FnMut(Salvage<'_>),
    ) -> Routine<M, impl Future<Output = Result<Salvaged, MountError>>> {
        M::call(async move {
            let mut pages = place.pages(label)?;
            let geometry = pages.geometry;
            let (wrapping, key_page) = best_key_page(&mut pages, root_key, label).await?;
            let mut log = Self::over(pages);
            (log.keys.wrapping, log.key_page) = (wrapping, key_page);
            let count = log.open_key_page(parts).await?;
            let mut salvaged = Salvaged::default();
            for slot in log.load_readable_keys(&mut parts.slots, count).await? {
                salvaged.lost_classes += 1;
                each(Salvage::LostClass { slot });
            }

            let (head, oldest) = log.newest_and_tail().await?;
            let (tail, names_other_keys) = log.tail_and_keys(oldest, head, parts).await?;
            // An older key page in the place of the current one, or one of another history: what was erased since would be shown.
            if names_other_keys {
                return Err(MountError::Inconsistent);
            }
            log.tail = tail;
            log.head.generation = head;
            // Salts are read from the pages: none is in hand.
            log.head.salt_at = u16::MAX;

            let mut last_gap = None;
            if let Some((from, to)) = log.older_page_ahead().await {
                last_gap = Some(END_OF_TIME);
                salvaged.gaps += 1;
                each(Salvage::Gap { from, to });
            }
            let (mut live, mut overwritten) = (None, None);
            for generation in log.ring().generations(tail, head) {
                let mut scan = log.scan_of(generation).await?;
                scan.overwritten = overwritten;
                if scan.is_blank {
                    // Where a whole page is gone, the log may have been cut back: nothing is the latest for certain.
                    last_gap = Some(END_OF_TIME);
                }
                let start = geometry.start(scan.stretch.page);
                while let Some(piece) = log.next_piece(&mut scan, &parts.slots, parts.buffer).await? {
                    match piece {
                        Piece::Record { header, at, text } => {
                            log.count_salvaged(&scan, header, at, text, parts).await?;
                        }
                        Piece::Gap { from, to } => {
                            salvaged.gaps += 1;
                            // If what is missing is not blank, it is anywhere in between.
                            last_gap = last_gap.max(Some(Position {
                                generation,
                                offset: to,
                            }));
                            each(Salvage::Gap {
                                from: start + from,
                                to: start + to,
                            });
                        }
                    }
                }
                live = scan
                    .live
                    .map(|(sum, end)| {
                        (
                            sum,
                            Position {
                                generation,
                                offset: end,
                            },
                        )
                    })
                    .or(live);
                overwritten = scan.overwritten;
            }
            if let Some((from, to)) = overwritten {
                // A record is overwritten when the one that supersedes it is there: that one is gone.
                last_gap = Some(END_OF_TIME);
                salvaged.gaps += 1;
                each(Salvage::Gap { from, to });
            }
            if salvaged.gaps == 0 && salvaged.lost_classes == 0 && !log.is_all_there(live, parts) {
                // A record was made to look superseded, or cut off with the one that was superseded by it.
                last_gap = Some(END_OF_TIME);
                salvaged.gaps += 1;
                each(Salvage::Gap {
                    from: geometry.start(LOG_START),
                    to: geometry.start(geometry.pages),
                });
            }
            if log.is_being_erased(parts).await? {
                return Err(MountError::ErasureBegun);
            }
            salvaged.items = log.show_salvaged(parts, last_gap, &mut each).await?;
            Ok(salvaged)
        })
    }

    /// What the newest Page record does not say of the tail, a Retire record behind it does; and whether a record names a key page
    /// that comes after this one, or stands in its place.
    fn tail_and_keys(
        &mut self,
        oldest: u32,
        head: u32,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(u32, bool), MountError>>> {
        M::call(async move {
            let (mut tail, mut names_other_keys) = (oldest, false);
            for generation in self.ring().generations(oldest, head) {
                let mut scan = self.scan_of(generation).await?;
                while let Some(piece) = self.next_piece(&mut scan, &parts.slots, parts.buffer).await? {
                    if let Piece::Record { header, text, .. } = piece
                        && header.kind == Kind::Retire
                    {
                        let retired = parts.buffer.get(text).map_or(0, |text| format::number(text, 0));
                        tail = tail.max(retired.min(head));
                    }
                }
                names_other_keys |= scan.other_keys.is_some();
            }
            Ok((tail, names_other_keys))
        })
    }

    /// Brings the class keys that open into memory, and gives the slots of the others.
    pub(crate) fn load_readable_keys(
        &mut self,
        slots: &mut Slots<'_>,
        count: usize,
    ) -> Routine<M, impl Future<Output = Result<impl Iterator<Item = u8> + use<M>, MountError>>> {
        M::call(async move {
            let mut lost = 0u64;
            for at in 0..count {
                let number = u8::try_from(at).map_err(|_| MountError::Internal)?;
                let opened = self
                    .pages
                    .class_key(&self.keys.wrapping, &self.key_page, number)
                    .await;
                let slot = slots.all.get_mut(at).ok_or(MountError::Internal)?;
                slot.data = None;
                if let Ok(class_key) = opened {
                    self.hold_class_key(slot, number, &class_key)?;
                } else {
                    slot.since = Position::default();
                    lost |= 1 << at;
                }
            }
            *slots.count = count;
            Ok((0..64u8).filter(move |slot| lost >> slot & 1 == 1))
        })
    }

    /// The newest generation that anything speaks of, and the oldest that counts.
    fn newest_and_tail(&mut self) -> Routine<M, impl Future<Output = Result<(u32, u32), MountError>>> {
        M::call(async move {
            let mut head = self.key_page.payload.log_end.generation;
            let mut tail = 1;
            for page in LOG_START..self.pages.geometry.pages {
                if let Some(start) = self.page_start(page).await {
                    head = head.max(start.payload.generation);
                    tail = tail.max(start.payload.tail);
                }
            }
            // The newest page may be the one whose first record does not open.
            let next = self.ring().after(head);
            if next == u32::MAX {
                return Err(MountError::Internal);
            }
            let page = self.pages.geometry.page_of(next);
            let start = self.pages.geometry.start(page);
            let behind = start + self.pages.geometry.first() + self.pages.geometry.salt_record();
            let has_records = !self
                .pages
                .is_blank(behind, start + self.pages.geometry.page)
                .await;
            // The page before the tail may be this one, not erased yet.
            if has_records && self.page_start(page).await.is_none() {
                head = next;
            }
            let pages = self.pages.geometry.log_pages();
            let tail = tail.max(head.saturating_sub(pages - 1)).max(1);
            Ok((head, tail.min(head)))
        })
    }

    /// A page of the log, at its first record behind the Page record.
    fn scan_of(&mut self, generation: u32) -> Routine<M, impl Future<Output = Result<Scan, Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let page = geometry.page_of(generation);
            let first = geometry.first();
            let start = self.page_start(page).await;
            let opens = start.is_some_and(|start| start.payload.generation == generation);
            // If only the rest of the record is damaged, its salt still opens what follows.
            let mut bytes = [0; MAX_UNIT];
            let bytes = bytes
                .get_mut(..usize::try_from(geometry.align(16)).map_err(|_| Fault::Internal)?)
                .ok_or(Fault::Internal)?;
            let at = geometry.start(page) + first;
            let salt: [u8; SALT_LEN] = match self.pages.read_patiently(at, bytes).await {
                Ok(()) => bytes
                    .get(HEADER_LEN..)
                    .and_then(<[u8]>::first_chunk)
                    .copied()
                    .unwrap_or_default(),
                Err(_) => [0; SALT_LEN],
            };
            let next = self.ring().after(generation);
            let (end, end_digest) = self
                .page_start(geometry.page_of(next))
                .await
                .filter(|start| start.payload.generation == next)
                .map_or((0, 0), |start| (start.payload.resume, start.payload.digest));
            let keys = self.key_page.payload;
            let key_end = if keys.log_end.generation == generation {
                keys.log_end.offset.min(geometry.page)
            } else {
                0
            };
            let payload = start.filter(|_| opens).map(|start| start.payload);
            let filled = payload.map_or(0, |payload| payload.filled.min(geometry.page));
            let cursor = self.cursor(
                PageStart {
                    page,
                    salt,
                    payload: SaltPayload {
                        generation,
                        ..payload.unwrap_or(self.salt_payload(generation, 0))
                    },
                },
                (end > 0).then_some(end),
            );
            let mut digest = Digest::new(&self.keys.structure);
            digest.add(&salt);
            let behind = first + geometry.salt_record();
            let start = geometry.start(page);
            let is_blank = !opens && self.pages.is_blank(start + first, start + geometry.page).await;
            Ok(Scan {
                is_blank,
                missing: (!opens).then_some((first, behind)),
                reached: behind,
                end,
                end_digest,
                least: key_end.max(filled),
                key_end,
                cursor,
                other_keys: payload.and_then(|payload| self.other_keys(payload)),
                unmet_key_end: (key_end > 0).then_some(key_end),
                live: payload.map(|payload| (payload.live, behind)),
                overwritten: None,
                digest,
                has_gap: false,
                is_changed: false,
                stretch: Stretch {
                    page,
                    generation,
                    salt,
                    salt_at: 0,
                },
                at: if opens { behind } else { first },
                run: None,
            })
        })
    }

    /// The next record of a page that opens, or the bytes before it that hold something else.
    fn next_piece(
        &mut self,
        scan: &mut Scan,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<Piece>, Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let mut gap: Option<(u32, u32)> = scan.missing.take();
            let closed = |gap: (u32, u32)| {
                Some(Piece::Gap {
                    from: gap.0,
                    to: gap.1,
                })
            };
            let limit = if scan.end > 0 { scan.end } else { geometry.page };
            while scan.at < limit {
                scan.meet_key_end(self.key_page.payload.digest);
                scan.cursor.offset = scan.at;
                if let Some(session) = self.jump_from(&mut scan.cursor).await? {
                    // What stands in between was written and never accepted, whole though it may be.
                    scan.at = session;
                }
                let at = scan.at;
                let (page, generation) = (scan.stretch.page, scan.stretch.generation);
                if let Some((salt, payload)) = self.session_in(page, generation, at).await {
                    // What lies between its resume and itself was written and never accepted.
                    let lost = gap
                        .take()
                        .or(Some((scan.reached, payload.resume)))
                        .filter(|gap| gap.0 < payload.resume);
                    scan.other_keys = scan.other_keys.or(self.other_keys(payload));
                    scan.live = Some((payload.live, at + geometry.salt_record()));
                    scan.overwritten = None;
                    scan.is_changed |= payload.digest != scan.digest.value();
                    if let Some(header) = self.header_at(page, at).await {
                        scan.digest.add(&at.to_le_bytes());
                        scan.digest.add(&header.to_bytes());
                        scan.digest.add(&salt);
                    }
                    scan.stretch.salt = salt;
                    scan.stretch.salt_at = geometry.in_granules(at).ok_or(Fault::Internal)?;
                    scan.at = at + geometry.salt_record();
                    scan.reached = scan.at;
                    if let Some((from, to)) = lost {
                        scan.has_gap = true;
                        return Ok(closed((from, to.min(payload.resume))));
                    }
                    continue;
                }
                if let Some(first) = self.run_before(scan).await {
                    gap = gap.filter(|gap| gap.0 < first).map(|gap| (gap.0, first));
                    scan.at = first;
                    continue;
                }
                if let Some((found, header)) = self.record_in(scan, slots, buffer).await? {
                    // Records stand behind each other: between two of them nothing is blank.
                    let hole = (scan.reached < at).then_some((scan.reached, at));
                    if let Some(gap) = gap.or(hole) {
                        scan.has_gap = true;
                        scan.reached = at;
                        return Ok(closed(gap));
                    }
                    let size = geometry.size(header);
                    scan.digest.add(&at.to_le_bytes());
                    scan.digest.add(&header.to_bytes());
                    scan.at = at + size;
                    scan.reached = scan.at;
                    if let Found::Opened { header, text, .. } = found {
                        let text_bytes = buffer.get(text.clone()).unwrap_or_default();
                        let sum_at = if header.kind == Kind::Commit { 12 } else { 4 };
                        scan.live = Some((format::number(text_bytes, sum_at), scan.at));
                        scan.overwritten = None;
                        return Ok(Some(Piece::Record { header, at, text }));
                    }
                    if matches!(found, Found::Overwritten) {
                        let start = geometry.start(page);
                        scan.overwritten = Some((start + at, start + scan.at));
                    }
                    if scan.at == scan.key_end {
                        scan.overwritten = None;
                    }
                    continue;
                }
                let start = geometry.start(page);
                if !self.pages.is_blank(start + at, start + at + geometry.unit).await {
                    gap = Some((gap.map_or(at, |gap| gap.0), at + geometry.unit));
                }
                scan.at = at + geometry.unit;
            }
            scan.meet_key_end(self.key_page.payload.digest);
            // What the key page says of the log is not what is there: it is another history's.
            scan.is_changed |= scan.unmet_key_end.is_some();
            // Blank where records were.
            let least = scan.end.max(scan.least);
            if scan.reached < least {
                gap = Some((gap.map_or(scan.reached, |gap| gap.0.min(scan.reached)), least));
            } else if scan.end > 0 {
                // Behind the end of a page's log is what interrupted writes left.
                gap = gap.filter(|gap| gap.0 < scan.end);
                scan.is_changed |= scan.end_digest != scan.digest.value();
            }
            if gap.is_none() && scan.is_changed && !scan.has_gap {
                gap = Some((geometry.first(), scan.reached));
            }
            scan.has_gap = true;
            scan.at = geometry.page;
            (scan.end, scan.least) = (0, 0);
            Ok(gap.and_then(closed))
        })
    }

    /// The version of the key page that a Page or Session record names, if that cannot have been before the present one.
    fn other_keys(&self, payload: SaltPayload) -> Option<u32> {
        let (named, ours) = (payload.key_version, self.key_page.payload.version);
        let is_another = named == ours && payload.key_check != self.key_page.check();
        (named > ours || is_another).then_some(named)
    }

    /// A page of an earlier time in the place of one that was behind the head.
    fn older_page_ahead(&mut self) -> Routine<M, impl Future<Output = Option<(u32, u32)>>> {
        M::call(async move {
            if self.free_pages() < 2 {
                // The tail before this one, not erased yet.
                return None;
            }
            let geometry = self.pages.geometry;
            let page = self.page_after_head();
            self.page_start(page).await?;
            Some((geometry.start(page), geometry.start(page) + geometry.page))
        })
    }

    /// On overwritable media: whether the records that were found add up to what the last of them states.
    fn is_all_there(&self, stated: Option<(u32, Position)>, parts: &Parts<'_>) -> bool {
        if M::KIND == MediumKind::WriteOnce {
            return true;
        }
        let keys = self.key_page.payload;
        let stated = stated.map(|(sum, end)| if end == keys.log_end { keys.live } else { sum });
        let found = parts.index.iter().fold(0, |sum: u32, entry| {
            sum.wrapping_add(self.keys.live_summand(entry.address()))
        });
        stated == Some(found)
    }

    /// The record at the scan's place and its header, if it opens, was overwritten or belongs to a key that is gone.
    fn record_in(
        &mut self,
        scan: &mut Scan,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<(Found, Header)>, Fault>>> {
        M::call(async move {
            let (geometry, at) = (self.pages.geometry, scan.at);
            let header = self.header_at(scan.stretch.page, at).await;
            let Some(header) = header.filter(|header| is_plain(*header)) else {
                return Ok(None);
            };
            if self.is_behind_keys(scan.stretch, at) {
                return Ok(None);
            }
            let size = geometry.size(header);
            let fits = at.saturating_add(size) <= geometry.page
                && usize::try_from(size).is_ok_and(|size| size <= buffer.len());
            if !fits {
                return Ok(None);
            }
            if (header.kind.is_staged() || header.kind == Kind::Commit) && !scan.is_in_run() {
                return Ok(None);
            }
            let found = self.examine(scan.stretch, header, at, slots, buffer).await?;
            Ok(match found {
                // Nothing vouches for the header of a record whose key is gone but that another one, or nothing, follows it.
                Some(Found::Dead) if !self.is_followed(scan.stretch, at + size).await => None,
                found => found.map(|found| (found, header)),
            })
        })
    }

    /// The first record of the transaction whose Commit stands at the scan's place, when that is met for the first time. Going by
    /// the Commit, which only the store can make, and not by staged records, of which an attacker makes as many as fit.
    fn run_before(&mut self, scan: &mut Scan) -> Routine<M, impl Future<Output = Option<u32>>> {
        M::call(async move {
            let at = scan.at;
            if scan.is_in_run() {
                return None;
            }
            let header = self.header_at(scan.stretch.page, at).await?;
            let [_, first, ..] = self.commit_at(scan.stretch, header, at).await?;
            if !(scan.reached..at).contains(&first) {
                return None;
            }
            let run = self.run_from(scan.stretch, first).await;
            scan.run = run.filter(|run| run.commit == at);
            scan.run.map(|run| run.first)
        })
    }

    fn is_followed(&mut self, stretch: Stretch, at: u32) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let end = (at + geometry.unit).min(geometry.page);
            let start = geometry.start(stretch.page);
            self.pages.is_blank(start + at.min(end), start + end).await
                || self.header_at(stretch.page, at).await.is_some_and(|header| {
                    header.kind == Kind::Session || is_plain(header) && header.salt_at == stretch.salt_at
                })
        })
    }

    /// Brings a record that opened into the index: of the records of one name, the last counts.
    fn count_salvaged(
        &mut self,
        scan: &Scan,
        header: Header,
        at: u32,
        text: Range<usize>,
        parts: &mut Parts<'_>,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let Parts { index, slots, buffer } = parts;
            if matches!(header.kind, Kind::Removal | Kind::StagedRemoval) {
                let previous = format::number(buffer.get(text).unwrap_or_default(), 0);
                index.remove(previous);
                return Ok(());
            }
            if !header.kind.is_value() {
                return Ok(());
            }
            let Some(opened) = split_value(M::KIND, header.kind, buffer, &text) else {
                return Ok(());
            };
            if M::KIND == MediumKind::Overwritable {
                // Its overwriting may have been cut short.
                let previous = format::number(buffer.get(text).unwrap_or_default(), 0);
                index.remove(previous);
            }
            let mut name = Secret::new([0; MAX_NAME]);
            let bytes = buffer.get(opened.name).unwrap_or_default();
            let name = name
                .expose_mut()
                .get_mut(..bytes.len())
                .ok_or(MountError::Internal)?;
            name.copy_from_slice(bytes);
            let older = self.find(index, slots, header.slot, name, buffer).await;
            if let Ok(Some((older, _))) = older {
                index.take_out(older);
            }
            let geometry = self.pages.geometry;
            let hash = self.keys.name_hash(header.slot, name);
            let entry = Entry::new(
                geometry.address(scan.stretch.page, at),
                header.slot,
                geometry.size(header),
                header.kind.is_fixed(),
                hash,
            );
            if index.insert(entry) {
                Ok(())
            } else {
                Err(MountError::IndexFull)
            }
        })
    }

    /// Shows every item, and gives their number.
    fn show_salvaged(
        &mut self,
        parts: &mut Parts<'_>,
        last_gap: Option<Position>,
        each: &mut impl FnMut(Salvage<'_>),
    ) -> Routine<M, impl Future<Output = Result<usize, MountError>>> {
        M::call(async move {
            let Parts { index, slots, buffer } = parts;
            let mut items = 0;
            for entry in index.iter() {
                let slot = slots.get(entry.slot());
                let (address, size) = (entry.address(), entry.size());
                let Ok(opened) = self.read_value(address, size, slot, buffer).await else {
                    continue;
                };
                let position = self.pages.geometry.place(address).and_then(|(page, offset)| {
                    let generation = self.generation_of(page)?;
                    Some(Position { generation, offset })
                });
                let name = buffer.get(opened.name).map(core::str::from_utf8);
                let value = buffer.get(opened.value);
                let data = slot
                    .and_then(|slot| slot.data)
                    .filter(|data| *data != DataClass::LEDGER);
                if let (Some(Ok(name)), Some(value), Some(data)) = (name, value, data) {
                    items += 1;
                    each(Salvage::Item {
                        data,
                        name,
                        value,
                        is_latest: position > last_gap,
                    });
                }
            }
            Ok(items)
        })
    }
}

/// The key page to read with: a complete one, if there is one, and of two the newer.
#[two_faces]
pub(crate) fn best_key_page<M: Medium>(
    pages: &mut Pages<M>,
    root_key: &RootKey,
    label: &str,
) -> Routine<M, impl Future<Output = Result<(WrapKeys, KeyPage), MountError>>> {
    M::call(async move {
        let (first_id, other_id) = pages.find_store().await?;
        let mut best: Option<(bool, WrapKeys, KeyPage)> = None;
        for store_id in [Some(first_id), other_id].into_iter().flatten() {
            for page in 0..LOG_START {
                let context = Context::new(store_id, label).ok_or(MountError::Label)?;
                let wrapping = WrapKeys::derive(root_key, context)?;
                let Ok(Some(found)) = pages.key_page(&wrapping, page).await else {
                    continue;
                };
                let complete = pages
                    .is_committed(&wrapping, &found, false)
                    .await
                    .unwrap_or(false);
                let is_better = best.as_ref().is_none_or(|(best_complete, _, best)| {
                    (complete, found.payload.version) > (*best_complete, best.payload.version)
                });
                if is_better {
                    best = Some((complete, wrapping, found));
                }
            }
        }
        best.map(|(_, wrapping, key_page)| (wrapping, key_page))
            .ok_or(MountError::WrongRootKey)
    })
}
