//! The judge with the root key: what each record is to the store.
//!
//! ```text
//!  opened
//!  keyed    (this file)
//!  page · walk · key_page · log
//! ```

use std::collections::BTreeSet;
use std::vec::Vec;

use zeroize::{Zeroize, Zeroizing};

use super::page::{Candidate, Judge, Role, State};
use crate::crypto::SALT_LEN;
use crate::flash::Medium;
use crate::store::blocking::run_unwiped;
use crate::store::clear::clear_end;
use crate::store::format::{self, HEADER_LEN, Header, KeyPagePayload, Kind, MAX_NAME};
use crate::store::geometry::LOG_START;
use crate::store::key_page::KeyPage;
use crate::store::log::{Log, Run};
use crate::store::memory::Parts;
use crate::store::record::{SALT_RECORD, split_value};
use crate::store::walk::{Found, Stretch, is_plain};

/// Judges with the keys of the store. A page whose first record was destroyed is read with the salts and the generations that it may have
/// had: an interrupted erase can leave records that still open.
pub(super) struct Keyed<'a, 'b, M> {
    log: &'a mut Log<M>,
    parts: &'a mut Parts<'b>,
    /// Addresses of the live records; `None` if the store does not mount.
    live: Option<&'a BTreeSet<u32>>,
    page: u16,
    /// What the key page that is read may be: one, if its first record opens.
    key_pages: Vec<KeyPage>,
    /// What the generation of the page may be: one, if its first record or another one opens.
    generations: Vec<u32>,
    /// The transaction met last.
    run: Option<Run>,
    /// The first record that opens amid what a header claimed that does not open itself.
    opening: Option<u32>,
}

impl<'a, 'b, M> Keyed<'a, 'b, M> {
    pub(super) const fn new(
        log: &'a mut Log<M>,
        parts: &'a mut Parts<'b>,
        live: Option<&'a BTreeSet<u32>>,
    ) -> Self {
        Self {
            log,
            parts,
            live,
            page: 0,
            key_pages: Vec::new(),
            generations: Vec::new(),
            run: None,
            opening: None,
        }
    }
}

impl<M: Medium> Judge for Keyed<'_, '_, M> {
    fn begin(&mut self, page: u16) -> (Role, Option<u32>) {
        (self.page, self.run, self.opening) = (page, None, None);
        self.key_pages.clear();
        self.generations.clear();
        if page < LOG_START {
            let key_page = run_unwiped(self.log.pages.key_page(&self.log.keys.wrapping, page));
            let key_page = key_page.ok().flatten();
            match key_page {
                Some(key_page) => self.key_pages.push(key_page),
                None => self.guess_key_pages(),
            }
            let version = key_page.map(|key_page| key_page.payload.version);
            let role = if page == self.log.key_page.page {
                Role::Keys
            } else {
                Role::FormerKeys
            };
            return (role, version);
        }
        let generation = self.salt_record(Kind::Page, self.log.pages.geometry.first(), 0);
        match generation {
            Some(generation) => self.generations.push(generation),
            None => self.guess_generations(),
        }
        let is_left_out = self.log.ring().left_out().any(|left_out| left_out == page);
        let role = if is_left_out {
            Role::LeftOut
        } else if self.live.is_none() {
            Role::Unjudged
        } else if generation.is_some() && self.log.generation_of(page) == generation {
            Role::Log
        } else {
            Role::Dead
        };
        (role, generation)
    }

    fn judge(&mut self, candidate: &Candidate<'_>) -> Option<State> {
        let Candidate { header, at, .. } = *candidate;
        let judged = match header.kind {
            Kind::KeyPage | Kind::StoreKey | Kind::ClassKey | Kind::KeyCommit => self.judge_key(header, at),
            Kind::Page => self.salt_record(Kind::Page, at, 0).map(|_| State::Structure),
            Kind::Session => self.judge_session(at),
            _ => self.judge_plain(header, at),
        };
        self.parts.buffer.zeroize();
        match judged {
            None | Some(State::Dead) => {
                // Nothing vouches for the header of a record that does not open.
                let size = self.log.pages.geometry.size(header);
                let is_record = candidate.in_chain && candidate.is_whole() && !self.opens_within(at, size);
                is_record.then_some(judged.unwrap_or(State::Unopened))
            }
            judged => judged,
        }
    }
}

impl<M: Medium> Keyed<'_, '_, M> {
    // ---- key pages ----

    /// A key page whose first record is destroyed had one of the versions before or after the current one.
    fn guess_key_pages(&mut self) {
        let geometry = self.log.pages.geometry;
        let mut record = [0; SALT_RECORD];
        let at = geometry.start(self.page).saturating_add(clear_end(geometry));
        if run_unwiped(self.log.pages.medium.read(at, &mut record)).is_err() {
            return;
        }
        let salt = record.get(HEADER_LEN..).and_then(<[u8]>::first_chunk).copied();
        let version = self.log.key_page.payload.version;
        self.key_pages.extend(
            (version.saturating_sub(NEAR)..=version.saturating_add(NEAR)).map(|version| KeyPage {
                page: self.page,
                features: 0,
                salt: salt.unwrap_or_default(),
                payload: KeyPagePayload {
                    version,
                    ..KeyPagePayload::default()
                },
            }),
        );
    }

    fn judge_key(&mut self, header: Header, at: u32) -> Option<State> {
        let opens = if header.kind == Kind::KeyPage {
            at == clear_end(self.log.pages.geometry) && self.key_pages.len() == 1
        } else {
            self.key_pages.iter().any(|key_page| {
                // The plaintext may be a key.
                let mut record = Zeroizing::new([0; SALT_RECORD]);
                let opened = run_unwiped(self.log.pages.open_key_record(
                    &self.log.keys.wrapping,
                    key_page,
                    at,
                    header.kind,
                    header.slot,
                    &mut record,
                ));
                matches!(opened, Ok(Some(_)))
            })
        };
        let state = if self.page == self.log.key_page.page {
            State::Live
        } else {
            State::Former
        };
        opens.then_some(state)
    }

    // ---- pages of the log ----

    /// A page whose first record is destroyed had one of the generations that belong there.
    fn guess_generations(&mut self) {
        let geometry = self.log.pages.geometry;
        let newest = self
            .log
            .head
            .generation
            .max(self.log.key_page.payload.log_end.generation);
        let round = geometry.log_pages();
        let first = newest.saturating_sub(round.saturating_mul(NEAR)).max(1);
        let last = newest.saturating_add(round);
        self.generations
            .extend((first..=last).filter(|&generation| geometry.page_of(generation) == self.page));
    }

    /// The generation that a Page or Session record names, if it opens.
    fn salt_record(&mut self, kind: Kind, offset: u32, generation: u32) -> Option<u32> {
        let geometry = self.log.pages.geometry;
        let mut record = [0; SALT_RECORD];
        let record = record.get_mut(..usize::try_from(geometry.salt_record()).ok()?)?;
        let at = geometry.start(self.page).checked_add(offset)?;
        run_unwiped(self.log.pages.medium.read(at, record)).ok()?;
        let header = Header::from_bytes(*record.first_chunk()?).filter(|header| header.kind == kind)?;
        let associated = format::associated_data(M::KIND, header, generation, 0);
        let (_, payload) = self.log.open_salt_record(header, offset, &associated, record)?;
        Some(payload.generation)
    }

    fn judge_session(&mut self, at: u32) -> Option<State> {
        let generations = self.generations.clone();
        let generation = generations
            .into_iter()
            .find(|&generation| self.salt_record(Kind::Session, at, generation).is_some())?;
        self.generations = std::vec![generation];
        Some(State::Structure)
    }

    /// What a record is found to be, with the salt that its header names. Its plaintext is then in the buffer.
    fn examine(&mut self, header: Header, at: u32) -> Option<(Stretch, Found)> {
        let salt = run_unwiped(self.log.read_salt(self.page, header.salt_at)).ok()??;
        let is_certain = self.generations.len() == 1;
        for generation in self.generations.clone() {
            let stretch = Stretch {
                page: self.page,
                generation,
                salt,
                salt_at: header.salt_at,
            };
            let Parts { slots, buffer, .. } = &mut *self.parts;
            match run_unwiped(self.log.examine(stretch, header, at, slots, buffer)) {
                Ok(Some(found @ Found::Opened { .. })) => {
                    self.generations = std::vec![generation];
                    return Some((stretch, found));
                }
                Ok(Some(found)) if is_certain || matches!(found, Found::Overwritten) => {
                    return Some((stretch, found));
                }
                _ => {}
            }
        }
        None
    }

    /// Whether a record opens that stands amid what a header claims.
    fn opens_within(&mut self, at: u32, size: u32) -> bool {
        let unit = self.log.pages.geometry.unit;
        let (mut place, end) = (at.saturating_add(unit), at.saturating_add(size));
        if let Some(opening) = self.opening.filter(|&opening| opening >= place) {
            return opening < end;
        }
        while place < end {
            let header = run_unwiped(self.log.header_at(self.page, place));
            let opens = header.is_some_and(|header| match header.kind {
                Kind::Session => self.judge_session(place).is_some(),
                _ if is_plain(header) => {
                    matches!(self.examine(header, place), Some((_, Found::Opened { .. })))
                }
                _ => false,
            });
            if opens {
                self.opening = Some(place);
                return true;
            }
            place = place.saturating_add(unit);
        }
        false
    }

    /// Whether a staged record belongs to a transaction that took effect. The Commit behind it says where that begins: the records before
    /// this one may be dead or wiped.
    fn is_in_run(&mut self, stretch: Stretch, mut header: Header, at: u32) -> bool {
        let is_in = |run: Option<Run>| run.is_some_and(|run| (run.first..run.commit).contains(&at));
        if is_in(self.run) {
            return true;
        }
        let mut commit = at;
        while header.kind.is_staged() {
            // Every record takes room: the page ends this.
            commit = commit.saturating_add(self.log.pages.geometry.size(header));
            let Some(next) = run_unwiped(self.log.header_at(stretch.page, commit)) else {
                return false;
            };
            header = next;
        }
        let Some([_, first, ..]) = run_unwiped(self.log.commit_at(stretch, header, commit)) else {
            return false;
        };
        self.run = run_unwiped(self.log.run_from(stretch, first));
        is_in(self.run)
    }

    /// Whether a record that does not open was written and never accepted before its class was erased: it stands behind the end of the log
    /// that the key page names, at which the class got its new key.
    fn died_unaccepted(&self, header: Header, at: u32) -> bool {
        let [generation] = *self.generations else {
            return false;
        };
        let stretch = Stretch {
            page: self.page,
            generation,
            salt: [0; SALT_LEN],
            salt_at: header.salt_at,
        };
        let log_end = self.log.key_page.payload.log_end;
        let slot = self.parts.slots.get(header.slot);
        slot.is_some_and(|slot| slot.since == log_end) && self.log.is_behind_keys(stretch, at)
    }

    fn judge_plain(&mut self, header: Header, at: u32) -> Option<State> {
        let Some((stretch, found)) = self.examine(header, at) else {
            return self.died_unaccepted(header, at).then_some(State::Dead);
        };
        let text = match found {
            Found::Opened { text, .. } => text,
            Found::Overwritten => return Some(State::Wiped),
            Found::Dead | Found::Passed => return Some(State::Dead),
            _ => return None,
        };
        if !header.kind.is_value() {
            return Some(State::Structure);
        }
        let opened = split_value(M::KIND, header.kind, self.parts.buffer, &text)?;
        let mut name = Zeroizing::new([0; MAX_NAME]);
        let bytes = self.parts.buffer.get(opened.name)?;
        let name = name.get_mut(..bytes.len())?;
        name.copy_from_slice(bytes);
        let is_accepted = !header.kind.is_staged() || self.is_in_run(stretch, header, at);
        if !is_accepted || self.log.is_behind_keys(stretch, at) {
            return Some(State::Unaccepted);
        }
        let Some(live) = self.live else {
            return Some(State::Opened);
        };
        if live.contains(&self.log.pages.geometry.address(self.page, at)) {
            return Some(State::Live);
        }
        let Parts { index, slots, buffer } = &mut *self.parts;
        let newer = run_unwiped(self.log.find(index, slots, header.slot, name, buffer));
        Some(if matches!(newer, Ok(Some(_))) {
            State::Superseded
        } else {
            State::Removed
        })
    }
}

/// How far from the current key version, and how many rounds before the head, a page may be from whose first record is destroyed.
const NEAR: u32 = 3;
