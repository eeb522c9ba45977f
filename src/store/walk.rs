//! Reading a page of the log record by record, trusting nothing: what was written, what was torn, what was overwritten.
//!
//! ```text
//!  mount
//!  walk     (this file)
//!  log · record · pages · format
//! ```

use core::ops::Range;

use super::error::Fault;
use super::format::{self, Header, Kind, MAX_UNIT, Position, SALT_PAYLOAD, SaltPayload};
use super::log::{Log, Run, Writing};
use super::memory::Slots;
use super::pages::LOOKS;
use super::record::{Frame, SALT_RECORD};
use crate::crypto::{Digest, Place, SALT_LEN};
use crate::flash::{Medium, MediumKind, Routine, two_faces};

/// The first record of a log page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageStart {
    pub(crate) page: u16,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) payload: SaltPayload,
}

/// A place in a page, and what is known from the records before it.
pub(crate) struct Cursor {
    pub(crate) start: PageStart,
    pub(crate) offset: u32,
    /// Where the page's log ends, if a later page says so.
    end: Option<u32>,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) salt_at: u16,
    pub(crate) digest: Digest,
    jump: Jump,
    /// Records before this offset are passed over unread.
    pub(crate) unread: u32,
    /// Changes that a record follows are passed over unread: it was written when they were whole.
    pub(crate) skims: bool,
    /// The transaction that the cursor is in or was in last.
    pub(crate) run: Option<Run>,
}

/// Records of one page under one salt.
#[derive(Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) page: u16,
    pub(crate) generation: u32,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) salt_at: u16,
}

impl Cursor {
    fn stretch(&self) -> Stretch {
        Stretch {
            page: self.start.page,
            generation: self.start.payload.generation,
            salt: self.salt,
            salt_at: self.salt_at,
        }
    }

    fn pass(&mut self, header: Header, size: u32) {
        self.digest.add(&self.offset.to_le_bytes());
        self.digest.add(&header.to_bytes());
        self.offset += size;
    }

    /// The transaction that the record at an offset belongs to.
    pub(crate) fn run_at(&self, offset: u32) -> Option<Run> {
        self.run.filter(|run| (run.first..=run.commit).contains(&offset))
    }
}

/// The next Session record that stands beyond a burnt place.
enum Jump {
    /// Not looked for yet beyond this offset.
    Unknown(u32),
    /// From `resume` the log goes on at `offset`.
    To { resume: u32, offset: u32 },
    /// There is none in this page.
    Never,
}

/// The salt that was read last, and where.
pub(crate) type ReadSalt = Option<(u16, u16, [u8; SALT_LEN])>;

/// Most places behind an interrupted write that look like a record of the log and are none. Ciphertext looks like one at one
/// place in some thousands.
const MOST_FALSE_HEADERS: u32 = 16;

/// What stands at the cursor.
pub(crate) enum Found {
    /// A record of a class or of the store that opened; its plaintext is at `text` in the buffer.
    Opened {
        header: Header,
        offset: u32,
        text: Range<usize>,
    },
    /// A Session record.
    Session(SaltPayload),
    /// An overwritten record.
    Overwritten,
    /// A record of a class key that is gone.
    Dead,
    /// A record that says nothing: of an index whose class key is gone, before where the reading begins, or not asked.
    Passed,
    /// A record that does not open where one must; on overwritable media it may be half overwritten.
    Unopened { address: u32 },
    /// The end of the page's log; `next` is where another record may go, `clean` whether nothing torn follows.
    End { next: u32, clean: bool },
}

#[two_faces]
impl<M: Medium> Log<M> {
    /// Reads and opens the first record of a page; `None` if there is none that opens, or it goes on from where the log ended when
    /// the key page was written and does not name that key page: it was never accepted.
    pub(crate) fn page_start(&mut self, page: u16) -> Routine<M, impl Future<Output = Option<PageStart>>> {
        M::call(async move {
            let offset = self.pages.geometry.first();
            // Of a blank page no more is read than a word.
            let header = self
                .header_at(page, offset)
                .await
                .filter(|header| header.kind == Kind::Page && header.salt_at == 0)?;
            let mut record = [0; SALT_RECORD];
            let record = record.get_mut(..usize::try_from(self.pages.geometry.salt_record()).ok()?)?;
            self.pages
                .read_patiently(self.pages.geometry.start(page) + offset, record)
                .await
                .ok()?;
            let associated = format::associated_data(M::KIND, header, 0, 0);
            let (salt, payload) = self.open_salt_record(header, offset, &associated, record)?;
            let keys = self.key_page.payload;
            let is_accepted =
                payload.generation <= keys.log_end.generation || payload.key_version >= keys.version;
            (self.pages.geometry.page_of(payload.generation) == page
                && payload.generation > 0
                && self.ring().has(payload.generation)
                && payload.resume <= self.pages.geometry.page
                && is_accepted)
                .then_some(PageStart { page, salt, payload })
        })
    }

    pub(crate) fn open_salt_record(
        &self,
        header: Header,
        offset: u32,
        associated: &[u8],
        record: &mut [u8],
    ) -> Option<([u8; SALT_LEN], SaltPayload)> {
        let salt = *record.get(format::HEADER_LEN..)?.first_chunk()?;
        let frame = Frame {
            header,
            key: &self.keys.store,
            place: Place { salt, offset },
            associated,
        };
        let text = frame.open(record)?;
        Some((salt, SaltPayload::from_bytes(record.get(text)?)))
    }

    /// A cursor behind the page's first record.
    pub(crate) fn cursor(&self, start: PageStart, end: Option<u32>) -> Cursor {
        let mut digest = Digest::new(&self.keys.structure);
        digest.add(&start.salt);
        let offset = self.pages.geometry.first() + self.pages.geometry.salt_record();
        Cursor {
            start,
            offset,
            end,
            salt: start.salt,
            salt_at: 0,
            digest,
            jump: Jump::Unknown(offset),
            unread: 0,
            skims: false,
            run: None,
        }
    }

    /// What stands at the cursor; moves the cursor behind it.
    //= compliance/requirements.md#store-17
    //# Mounting and reading an image of any content MUST end without a panic, after reads bounded by the size of the medium.
    pub(crate) fn step(
        &mut self,
        cursor: &mut Cursor,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Found, Fault>>> {
        M::call(async move {
            if let (None, Some(end)) = (cursor.end, self.decided_end)
                && end.at == cursor.offset
            {
                return Ok(Found::End {
                    next: end.next,
                    clean: end.clean,
                });
            }
            if let Some(offset) = self.jump_from(cursor).await? {
                if let Some(session) = self.session_at(cursor, offset).await {
                    return self.enter_session(cursor, offset, session);
                }
                if cursor.end.is_none() {
                    // It opened a moment ago: power went while it was written, and what it passes over was never accepted.
                    let header = self.header_at(cursor.start.page, cursor.offset).await;
                    return self.torn_tail(cursor, header, slots, buffer).await;
                }
            }
            let at = cursor.offset;
            if cursor.end == Some(at) {
                return Ok(Found::End {
                    next: at,
                    clean: true,
                });
            }
            let damaged = Fault::Damaged(self.pages.geometry.start(cursor.start.page) + at);
            let limit = cursor.end.unwrap_or(self.pages.geometry.page);
            let header = self.header_at(cursor.start.page, at).await;
            // A clean Session record stands at the next granule, which can leave a gap.
            if header.is_none_or(|header| header.kind == Kind::Session) {
                let aligned = self.pages.geometry.to_granule(at);
                if aligned < limit
                    && let Some(session) = self
                        .session_at(cursor, aligned)
                        .await
                        .filter(|(_, payload)| payload.resume == at)
                {
                    return self.enter_session(cursor, aligned, session);
                }
            }
            let fits = |header: &Header| at.saturating_add(self.pages.geometry.size(*header)) <= limit;
            // What was written before the page's first record, or is followed by another page, was never torn.
            let is_whole = cursor.end.is_some() || at < cursor.start.payload.filled;
            let is_behind_keys = self.is_behind_keys(cursor.stretch(), at);
            let Some(header) = header.filter(|header| !is_behind_keys && fits(header) && is_plain(*header))
            else {
                return if is_whole {
                    Err(damaged)
                } else {
                    self.torn_tail(cursor, header, slots, buffer).await
                };
            };
            if at < cursor.unread {
                cursor.pass(header, self.pages.geometry.size(header));
                return Ok(Found::Passed);
            }
            if cursor.run_at(at).is_none() && (header.kind.is_staged() || header.kind == Kind::Commit) {
                cursor.run = self.run_from(cursor.stretch(), at).await;
                if cursor.run.is_none() {
                    // A Commit that opens and names other records was not cut short.
                    let contradicts = header.kind == Kind::Commit
                        && self
                            .examine(cursor.stretch(), header, at, slots, buffer)
                            .await?
                            .is_some();
                    return if is_whole || contradicts {
                        Err(damaged)
                    } else {
                        self.torn_tail(cursor, Some(header), slots, buffer).await
                    };
                }
            }
            if cursor.skims && self.is_passed_over(cursor, header).await {
                cursor.pass(header, self.pages.geometry.size(header));
                return Ok(Found::Passed);
            }
            let committed = cursor.run_at(at).filter(|run| run.commit == at);
            let examined = match committed {
                Some(run) => Some(opened_commit(run, header, buffer)),
                None => self.examine(cursor.stretch(), header, at, slots, buffer).await?,
            };
            // Only a value is ever overwritten, and its header stays as it was.
            let may_be_overwritten = M::KIND == MediumKind::Overwritable
                && header.kind.is_value()
                && header.salt_at == cursor.salt_at;
            let found = match examined {
                Some(found) => found,
                // At the head it may be the torn end of the log; what follows tells.
                None if !is_whole => {
                    let behind = at + self.pages.geometry.size(header);
                    if !may_be_overwritten || !self.is_record(cursor, behind, slots, buffer).await? {
                        return self.torn_tail(cursor, Some(header), slots, buffer).await;
                    }
                    Found::Unopened {
                        address: self.pages.geometry.address(cursor.start.page, at),
                    }
                }
                None if may_be_overwritten => Found::Unopened {
                    address: self.pages.geometry.address(cursor.start.page, at),
                },
                None => return Err(damaged),
            };
            cursor.pass(header, self.pages.geometry.size(header));
            Ok(found)
        })
    }

    /// Whether the record at the cursor is a change or part of a list, and another record or its own Commit stands behind it.
    fn is_passed_over(&mut self, cursor: &Cursor, header: Header) -> Routine<M, impl Future<Output = bool>> {
        M::call(async move {
            if header.salt_at != cursor.salt_at || !header.kind.is_of_a_class() {
                return false;
            }
            let behind = cursor.offset.saturating_add(self.pages.geometry.size(header));
            let follower = self.header_at(cursor.start.page, behind).await;
            follower.is_some_and(|follower| {
                let end = behind.saturating_add(self.pages.geometry.size(follower));
                is_plain(follower) && follower.salt_at == cursor.salt_at && end <= self.pages.geometry.page
            })
        })
    }

    /// The transaction whose first staged record stands at `first`, if its Commit stands behind its records and opens.
    //= compliance/requirements.md#store-31
    //# The changes of one transaction MUST take effect together or not at all, whatever interrupts it.
    pub(crate) fn run_from(
        &mut self,
        stretch: Stretch,
        first: u32,
    ) -> Routine<M, impl Future<Output = Option<Run>>> {
        M::call(async move {
            let Stretch {
                page,
                generation,
                salt_at,
                ..
            } = stretch;
            let (mut at, mut number) = (first, 0);
            let header = loop {
                let header = self
                    .header_at(page, at)
                    .await
                    .filter(|header| header.salt_at == salt_at)?;
                if !header.kind.is_staged() {
                    break header;
                }
                // Every record takes room: the page ends this.
                at = at.checked_add(self.pages.geometry.size(header))?;
                number += 1;
            };
            let [names @ .., live] = self.commit_at(stretch, header, at).await?;
            (number > 0 && names == [generation, first, number]).then_some(Run {
                generation,
                first,
                commit: at,
                live,
            })
        })
    }

    /// The generation, first offset and number that the Commit at an offset names, and its live sum, if one opens there.
    pub(crate) fn commit_at(
        &mut self,
        stretch: Stretch,
        header: Header,
        at: u32,
    ) -> Routine<M, impl Future<Output = Option<[u32; 4]>>> {
        M::call(async move {
            let size = self.pages.geometry.commit_record();
            if header.kind != Kind::Commit
                || header.salt_at != stretch.salt_at
                || at.checked_add(size)? > self.pages.geometry.page
            {
                return None;
            }
            let mut record = [0; 2 * MAX_UNIT];
            let record = record.get_mut(..usize::try_from(size).ok()?)?;
            let start = self.pages.geometry.start(stretch.page);
            self.pages.read_patiently(start + at, record).await.ok()?;
            let frame = Frame {
                header,
                key: &self.keys.store,
                place: Place {
                    salt: stretch.salt,
                    offset: at,
                },
                associated: &format::associated_data(M::KIND, header, stretch.generation, 0),
            };
            let text = frame.open(record)?;
            let text = record.get(text)?;
            Some([0, 4, 8, 12].map(|field| format::number(text, field)))
        })
    }

    /// What the record with this header is; `None` if it does not open and must.
    pub(crate) fn examine(
        &mut self,
        stretch: Stretch,
        header: Header,
        at: u32,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<Found>, Fault>>> {
        M::call(async move {
            if header.salt_at != stretch.salt_at {
                return Ok(None);
            }
            let generation = stretch.generation;
            let slot = slots.get(header.slot);
            if slot.is_some_and(|slot| {
                Position {
                    generation,
                    offset: at,
                } < slot.since
            }) {
                return Ok(Some(if header.kind == Kind::Index {
                    Found::Passed
                } else {
                    Found::Dead
                }));
            }
            let start = self.pages.geometry.start(stretch.page) + at;
            let size = self.pages.geometry.size(header);
            let Some(record) = buffer.get_mut(..usize::try_from(size).map_err(|_| Fault::Internal)?) else {
                // Torn if its end was never written, otherwise the caller needs more memory.
                let written = self.pages.last_not_blank(start, start + size).await;
                return if written == Some(start + size) {
                    Err(Fault::TooLong(size))
                } else {
                    Ok(None)
                };
            };
            if self.pages.read_patiently(start, record).await.is_err() {
                return Ok(None);
            }
            let body = record.get(format::HEADER_LEN..header.len()).unwrap_or_default();
            if M::KIND == MediumKind::Overwritable
                && header.kind.is_value()
                && body.iter().all(|&byte| byte == 0)
            {
                return Ok(Some(Found::Overwritten));
            }
            let (key, class_generation) = match slot {
                Some(slot) if slot.data.is_some() => (&slot.sealing, slot.generation),
                None if !header.kind.is_of_a_class() => (&self.keys.store, 0),
                _ => return Ok(None),
            };
            let frame = Frame {
                header,
                key,
                place: Place {
                    salt: stretch.salt,
                    offset: at,
                },
                associated: &format::associated_data(M::KIND, header, generation, class_generation),
            };
            let text = frame.open(record);
            Ok(text.map(|text| Found::Opened {
                header,
                offset: at,
                text,
            }))
        })
    }

    /// Whether a record stands at an offset that only a completed write before it can have left free.
    fn is_record(
        &mut self,
        cursor: &Cursor,
        at: u32,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<bool, Fault>>> {
        M::call(async move {
            let aligned = self.pages.geometry.to_granule(at);
            if self
                .session_at(cursor, aligned)
                .await
                .is_some_and(|(_, payload)| payload.resume == at)
            {
                return Ok(true);
            }
            // What follows may have been torn itself; then the log goes on beyond it.
            let mut offset = self.pages.geometry.to_skip(at.saturating_add(1));
            while offset < self.pages.geometry.page {
                if self
                    .session_at(cursor, offset)
                    .await
                    .is_some_and(|(_, payload)| payload.resume == at)
                {
                    return Ok(true);
                }
                offset += self.pages.geometry.skip();
            }
            let header = self
                .header_at(cursor.start.page, at)
                .await
                .filter(|header| is_plain(*header));
            match header.filter(|header| {
                at.saturating_add(self.pages.geometry.size(*header)) <= self.pages.geometry.page
            }) {
                Some(header) => Ok(self
                    .examine(cursor.stretch(), header, at, slots, buffer)
                    .await?
                    .is_some()),
                None => Ok(false),
            }
        })
    }

    /// Adds an item's record to what tells a group of records from those that another history of the store has at their places: where each
    /// stands, its header, and the salt that it is sealed under. Gives the header.
    pub(crate) fn add_to_check(
        &mut self,
        check: &mut Digest,
        address: u32,
        last: &mut ReadSalt,
    ) -> Routine<M, impl Future<Output = Result<Header, Fault>>> {
        M::call(async move {
            let damaged = Fault::Damaged(address.saturating_mul(4));
            let (page, offset) = self.pages.geometry.place(address).ok_or(damaged)?;
            let header = self.header_at(page, offset).await.ok_or(damaged)?;
            let salt = match *last {
                Some((known, at, salt)) if (known, at) == (page, header.salt_at) => salt,
                _ => self.read_salt(page, header.salt_at).await?.ok_or(damaged)?,
            };
            *last = Some((page, header.salt_at, salt));
            check.add(&address.to_le_bytes());
            check.add(&header.to_bytes());
            check.add(&salt);
            Ok(header)
        })
    }

    pub(crate) fn header_at(
        &mut self,
        page: u16,
        offset: u32,
    ) -> Routine<M, impl Future<Output = Option<Header>>> {
        M::call(async move {
            if offset.checked_add(self.pages.geometry.unit)? > self.pages.geometry.page {
                return None;
            }
            let mut word = [0; MAX_UNIT];
            let word = word.get_mut(..usize::try_from(self.pages.geometry.unit).ok()?)?;
            self.pages
                .read_patiently(self.pages.geometry.start(page) + offset, word)
                .await
                .ok()?;
            Header::from_bytes(*word.first_chunk()?)
        })
    }

    /// The Session record at an offset of the cursor's page, if one opens there.
    fn session_at(
        &mut self,
        cursor: &Cursor,
        offset: u32,
    ) -> Routine<M, impl Future<Output = Option<([u8; SALT_LEN], SaltPayload)>>> {
        M::call(async move {
            let start = cursor.start;
            self.session_in(start.page, start.payload.generation, offset)
                .await
        })
    }

    /// The Session record at an offset of a page, if one opens there; not one that goes on from where the log ended when the key
    /// page was written and does not name that key page: it was never accepted.
    pub(crate) fn session_in(
        &mut self,
        page: u16,
        generation: u32,
        offset: u32,
    ) -> Routine<M, impl Future<Output = Option<([u8; SALT_LEN], SaltPayload)>>> {
        M::call(async move {
            let header = self.header_at(page, offset).await?;
            let own_place = u32::from(header.salt_at) * self.pages.geometry.granule();
            let size = self.pages.geometry.salt_record();
            if header.kind != Kind::Session
                || own_place != offset
                || offset.checked_add(size)? > self.pages.geometry.page
            {
                return None;
            }
            let mut record = [0; SALT_RECORD];
            let record = record.get_mut(..usize::try_from(size).ok()?)?;
            self.pages
                .read_patiently(self.pages.geometry.start(page) + offset, record)
                .await
                .ok()?;
            let associated = format::associated_data(M::KIND, header, generation, 0);
            let keys = self.key_page.payload;
            self.open_salt_record(header, offset, &associated, record)
                .filter(|(_, payload)| payload.generation == generation && payload.resume <= offset)
                .filter(|(_, payload)| {
                    let resumes = Position {
                        generation,
                        offset: payload.resume,
                    };
                    resumes < keys.log_end || payload.key_version >= keys.version
                })
        })
    }

    /// Whether what stands at a place was never accepted, whatever it is: the log ended there when the key page was written, and goes on
    /// only with a record that names the key page.
    pub(crate) fn is_behind_keys(&self, stretch: Stretch, at: u32) -> bool {
        let position = |offset| Position {
            generation: stretch.generation,
            offset,
        };
        let log_end = self.key_page.payload.log_end;
        let salt = u32::from(stretch.salt_at) * self.pages.geometry.granule();
        position(salt) < log_end && position(at) >= log_end
    }

    /// Where the log goes on if what stands at the cursor was written and not accepted: the last Session record beyond it
    /// that resumes here. Their *resume* never falls from one to the next, so each is looked at once or twice.
    pub(crate) fn jump_from(
        &mut self,
        cursor: &mut Cursor,
    ) -> Routine<M, impl Future<Output = Result<Option<u32>, Fault>>> {
        M::call(async move {
            loop {
                match cursor.jump {
                    Jump::To { resume, offset } if resume == cursor.offset => return Ok(Some(offset)),
                    Jump::To { offset, .. } if cursor.offset <= offset => return Ok(None),
                    Jump::Never => return Ok(None),
                    Jump::To { offset, .. } => cursor.jump = Jump::Unknown(offset),
                    Jump::Unknown(from) => {
                        let skip = self.pages.geometry.skip();
                        let limit = cursor.end.unwrap_or(self.pages.geometry.page);
                        let mut found = None;
                        let mut offset = self.pages.geometry.to_skip(from.saturating_add(1));
                        while offset < limit {
                            if let Some((_, payload)) = self.session_at(cursor, offset).await {
                                // One that resumes at its own place is met on the way. One that stands at the next granule may pass over an interrupted
                                // write, too, where granules are large.
                                let beyond = payload.resume < offset;
                                match found {
                                    None if beyond => found = Some((payload.resume, offset)),
                                    Some((resume, _)) if beyond && payload.resume == resume => {
                                        found = Some((resume, offset));
                                    }
                                    Some(_) => break,
                                    None => {}
                                }
                            }
                            offset += skip;
                        }
                        cursor.jump =
                            found.map_or(Jump::Never, |(resume, offset)| Jump::To { resume, offset });
                    }
                }
            }
        })
    }

    fn enter_session(
        &self,
        cursor: &mut Cursor,
        offset: u32,
        (salt, payload): ([u8; SALT_LEN], SaltPayload),
    ) -> Result<Found, Fault> {
        let damaged = Fault::Damaged(self.pages.geometry.start(cursor.start.page) + offset);
        if payload.resume != cursor.offset || payload.digest != cursor.digest.value() {
            return Err(damaged);
        }
        let salt_at = self.pages.geometry.in_granules(offset).ok_or(Fault::Internal)?;
        let header = Header {
            kind: Kind::Session,
            slot: format::NO_SLOT,
            salt_at,
            steps: u16::try_from(SALT_PAYLOAD / 4).map_err(|_| Fault::Internal)?,
        };
        cursor.digest.add(&offset.to_le_bytes());
        cursor.digest.add(&header.to_bytes());
        cursor.digest.add(&salt);
        cursor.salt = salt;
        cursor.salt_at = salt_at;
        cursor.offset = offset + self.pages.geometry.salt_record();
        Ok(Found::Session(payload))
    }

    /// The head page's log ends at the cursor: nothing may follow but one incomplete record, and blank flash.
    //= compliance/requirements.md#store-5
    //# The store MUST treat only an incomplete record at the end of the log, with blank flash behind it, as an interrupted write; anything else that does not open is reported.
    fn torn_tail(
        &mut self,
        cursor: &Cursor,
        header: Option<Header>,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Found, Fault>>> {
        M::call(async move {
            let start = self.pages.geometry.start(cursor.start.page);
            let at = cursor.offset;
            let last = self
                .pages
                .last_not_blank(start + at, start + self.pages.geometry.page)
                .await;
            let Some(last) = last else {
                // What may have been begun, and does not show, is looked for before the next write.
                return Ok(Found::End {
                    next: at,
                    clean: true,
                });
            };
            let begun = self.begun_behind(cursor.start.page, at, last - start).await;
            let last = begun.map_or(last, |begun| start + begun);
            self.check_torn(cursor, header, last - start, slots, buffer)
                .await?;
            Ok(Found::End {
                // The unit after it may have been begun, and not show.
                next: (last - start + self.pages.geometry.unit).min(self.pages.geometry.page),
                clean: false,
            })
        })
    }

    /// The end of the last unit from `from` on that an interrupted write began and that may read blank now and not the next
    /// time: the first of a record at `at`, of the Session record of a start, or of one of its later attempts.
    fn begun_behind(
        &mut self,
        page: u16,
        at: u32,
        from: u32,
    ) -> Routine<M, impl Future<Output = Option<u32>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let start = geometry.start(page);
            let attempts = (1..)
                .map(|number: u32| number.saturating_mul(geometry.skip()))
                .take_while(|&attempt| attempt < geometry.page);
            let places = [at, geometry.to_granule(at)].into_iter().chain(attempts);
            let mut last = None;
            for place in places.filter(|&place| place >= from) {
                let end = place + geometry.unit;
                for _ in 0..LOOKS {
                    if end <= geometry.page
                        && self
                            .pages
                            .last_not_blank(start + place, start + end)
                            .await
                            .is_some()
                    {
                        last = last.max(Some(end));
                        break;
                    }
                }
            }
            last
        })
    }

    /// Looks again and again, before the first write after a start, at the places behind the end of the log where an interrupted write
    /// may have begun: the mount saw them blank once.
    pub(crate) fn prove_end(&mut self) -> Routine<M, impl Future<Output = ()>> {
        M::call(async move {
            if self.head.writing == Writing::Doubtful {
                let (page, end) = (self.head_page(), self.head.end);
                let begun = self.begun_behind(page, end, end).await;
                self.head.writing = Writing::Closed;
                if let Some(begun) = begun {
                    self.head.next = (begun + self.pages.geometry.unit).min(self.pages.geometry.page);
                    self.head.writing = Writing::Burnt;
                }
            }
        })
    }

    /// Whether what stands between the cursor and `last` is only what interrupted writes leave. The first one started at the
    /// cursor, and may have been the record of a value or a whole transaction; each later one was a Session record at a multiple of the skip, with a blank unit before it.
    fn check_torn(
        &mut self,
        cursor: &Cursor,
        header: Option<Header>,
        last: u32,
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<(), Fault>>> {
        M::call(async move {
            let geometry = self.pages.geometry;
            let start = geometry.start(cursor.start.page);
            let (at, unit, session) = (cursor.offset, geometry.unit, geometry.salt_record());
            let damaged = Fault::Damaged(start + at);

            let (mut behind, mut number) = (at, 0);
            let mut header = header;
            while let Some(staged) = header
                .filter(|header| header.kind.is_staged() && header.salt_at == cursor.salt_at)
                .filter(|header| behind.saturating_add(geometry.size(*header)) <= geometry.page)
            {
                behind += geometry.size(staged);
                number += 1;
                header = self.header_at(cursor.start.page, behind).await;
            }
            let own_commit = (behind, [cursor.start.payload.generation, at, number]);
            let claimed = header.map_or(unit, |header| geometry.size(header));
            let claimed = if behind.saturating_add(claimed) > geometry.page {
                unit
            } else {
                claimed
            };
            // A Session record of a start stands at the next granule.
            let first_session = geometry.to_granule(at).saturating_add(session);
            let mut behind = first_session.max(behind.saturating_add(claimed));
            while behind < last {
                let Some(found) = self.pages.first_not_blank(start + behind, start + last).await else {
                    break;
                };
                let found = found - start;
                let attempt = found & !(geometry.skip() - 1);
                let is_attempt = attempt > at
                    && found < attempt.saturating_add(session)
                    && self.pages.is_blank(start + attempt - unit, start + attempt).await;
                if !is_attempt {
                    return Err(damaged);
                }
                behind = attempt.saturating_add(session);
            }

            // A header that was changed may claim good records: nothing of this log may open behind the cursor.
            let (mut offset, mut false_headers) = (at.saturating_add(unit), 0);
            while offset < last {
                match self
                    .opens_behind(cursor, offset, own_commit, slots, buffer)
                    .await?
                {
                    Some(true) => return Err(damaged),
                    Some(false) => false_headers += 1,
                    None => {}
                }
                // Nobody but an attacker makes more of them, to keep the mount busy.
                if false_headers > MOST_FALSE_HEADERS {
                    return Err(damaged);
                }
                offset += unit;
            }
            Ok(())
        })
    }

    /// Whether a record of this log stands at an offset behind the cursor: it was written after what stands at the cursor had
    /// been accepted. `None` if nothing there looks like one. `own_commit` is where the Commit of what stands at the cursor would
    /// be, and what it would say.
    fn opens_behind(
        &mut self,
        cursor: &Cursor,
        offset: u32,
        own_commit: (u32, [u32; 3]),
        slots: &Slots<'_>,
        buffer: &mut [u8],
    ) -> Routine<M, impl Future<Output = Result<Option<bool>, Fault>>> {
        M::call(async move {
            let Some(header) = self.header_at(cursor.start.page, offset).await else {
                return Ok(None);
            };
            if header.kind == Kind::Session {
                // One that resumes at the cursor was torn and opens by chance, or it would have been followed.
                let session = self.session_at(cursor, offset).await;
                let opens = session.is_some_and(|(_, payload)| payload.resume != cursor.offset);
                // Attempts that were cut short are many, and short.
                return Ok(opens.then_some(true));
            }
            let size = self.pages.geometry.size(header);
            let readable = usize::try_from(size).is_ok_and(|size| size <= buffer.len())
                && offset.saturating_add(size) <= self.pages.geometry.page;
            // A staged record may be whole: what is missing is its Commit.
            if !readable || !is_plain(header) || header.kind.is_staged() || header.salt_at != cursor.salt_at {
                return Ok(None);
            }
            let found = self
                .examine(cursor.stretch(), header, offset, slots, buffer)
                .await?;
            let Some(Found::Opened { text, .. }) = found else {
                return Ok(Some(false));
            };
            // A Commit that did not open a moment ago was torn, and opens by chance.
            let text = buffer.get(text).unwrap_or_default();
            let says = [0, 4, 8].map(|at| format::number(text, at));
            Ok(Some(header.kind != Kind::Commit || own_commit != (offset, says)))
        })
    }
}

/// The Commit of a transaction as it was when the transaction was found.
fn opened_commit(run: Run, header: Header, buffer: &mut [u8]) -> Found {
    for (at, says) in [(0, run.generation), (4, run.first), (12, run.live)] {
        format::place(buffer, format::TEXT_START + at, &says.to_le_bytes());
    }
    Found::Opened {
        header,
        offset: run.commit,
        text: format::TEXT_START..format::TEXT_START + format::COMMIT_PAYLOAD,
    }
}

/// Whether the record has no salt of its own and belongs in a log page.
pub(crate) fn is_plain(header: Header) -> bool {
    header.kind.is_of_a_class()
        || matches!(
            header.kind,
            Kind::Commit | Kind::Checkpoint | Kind::Anchor | Kind::Retire
        )
}
