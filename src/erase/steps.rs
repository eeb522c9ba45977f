//! The steps of an erasure. Each may be cut short and is then begun again; none shows anything of the scope once the note is on flash.
//!
//! ```text
//!  mark      the note, and with it the removal of a single item, in one transaction
//!  destroy   the keys
//!  rotate    the secrets that an owner may know
//!  areas     outside the store
//!  sweep     pages that hold sealed records
//!  verify
//!  report    the note again, complete
//! ```

use core::future::poll_fn;

use rand_core::TryCryptoRng;

use super::area::Level;
use super::note::{Flags, Note, Outcome, Stage, fingerprint};
use super::report::{Plan, Progress};
use super::scope::{Kind, Scope, Takes};
use super::{Eraser, LONGEST_SECRET};
use crate::crypto;
use crate::flash::{Medium, foreign, two_faces};
use crate::secret::Secret;
use crate::store::{
    Access, Amount, AsyncStore, COMPLETE, Change, DataClass, ERASURE, EraseError, Memory, NOTE_LEN,
    ReadError, UserId, WriteError,
};

/// What stands in the way of reading, to see it opened before and not afterwards. No name of an application begins with this byte.
const CANARY: &str = "\u{0}canary";
/// Bytes of random content in a canary.
const CANARY_LEN: usize = 16;

#[two_faces]
impl Eraser<'_, '_> {
    /// The note of the last erasure.
    pub(super) async fn note<M: Medium, I: Memory>(
        store: &mut AsyncStore<M, I>,
    ) -> Result<Option<Note>, EraseError> {
        let mut bytes = [0; NOTE_LEN];
        match store.note(&mut bytes).await {
            Ok(None) => Ok(None),
            // Another one was written by a later version, which is to complete it.
            Ok(Some(NOTE_LEN)) => match Note::from_bytes(&bytes) {
                None if bytes.first() != Some(&COMPLETE) => Err(EraseError::Note),
                note => Ok(note),
            },
            Ok(Some(_)) | Err(ReadError::OutputTooSmall(_)) => Err(EraseError::Note),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn put_note<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        store: &mut AsyncStore<M, I>,
        note: &Note,
        random: &mut R,
    ) -> Result<(), EraseError> {
        Ok(store.put_note(&note.to_bytes(), random).await?)
    }

    /// Where the canary is put: the first class that goes.
    fn canary_class<M: Medium, I: Memory>(store: &mut AsyncStore<M, I>, takes: Takes) -> Option<DataClass> {
        (0..store.class_count()).find_map(|number| store.class_at(number).filter(|data| takes.class(*data)))
    }

    /// From here on the erasure goes to its end.
    pub(super) async fn mark<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        plan: &Plan<'_>,
        last: Option<Note>,
        random: &mut R,
    ) -> Result<Note, EraseError> {
        let kind = plan.scope.kind();
        let user = match plan.scope {
            Scope::User(user) => user,
            _ => UserId::HOUSEHOLD,
        };
        let mut note = Note {
            stage: Stage::Begun,
            scope: kind,
            flags: Flags::default(),
            number: last.map_or(0, |last| last.number).saturating_add(1),
            user,
            gone: plan.going,
            left: plan.staying,
            classes: plan.classes,
            swept: 0,
            time: self.time.unwrap_or(0),
            areas: Default::default(),
            keeps: plan.keeps,
            rotates: u8::try_from(self.rotates.len()).unwrap_or(u8::MAX),
        };
        note.flags.set(Flags::SWEEP, self.sweeps::<M, I>(kind));
        note.flags.set(Flags::RAW, self.media == super::Media::RawFlash);
        note.flags.set(Flags::OVERWRITES, AsyncStore::<M, I>::OVERWRITES);
        // What an earlier erasure could not erase is not forgotten for this one.
        for area in last.iter().flat_map(|last| last.areas).flatten() {
            if let Outcome::Pending(scope) = area.outcome {
                note.add_pending(area.fingerprint, scope);
            }
        }
        for area in self.areas.iter().filter(|area| area.goes_with(kind)) {
            if !note.add_pending(fingerprint(&**area), kind) {
                return Err(EraseError::Unfinished);
            }
        }
        // The keys that come after are not made by a dead source: that is found out while there is a way back.
        drop(crypto::fresh_key(random).map_err(|_| EraseError::Random)?);
        let bytes = note.to_bytes();
        let begun = Change::put_bytes(DataClass::LEDGER, ERASURE, &bytes);
        if let Scope::Item { data, name } = plan.scope {
            match store
                .commit_any(&[Change::remove_bytes(data, name), begun], random)
                .await
            {
                Err(WriteError::Full | WriteError::TransactionTooLong { .. }) if last.is_some() => {
                    // One after the other there is always room. The item is gone either way; a cut in between is one before the erasure
                    // began, and leaves on write-once media what a removal leaves.
                    store.remove_any(data, name, random).await?;
                }
                committed => return Ok(committed.map(|()| note)?),
            }
        }
        if let Some(data) = Self::canary_class(store, note.takes()) {
            let mut canary = [0; CANARY_LEN];
            random
                .try_fill_bytes(&mut canary)
                .map_err(|_| EraseError::Random)?;
            let canary = Change::put_bytes(data, CANARY, &canary);
            match store.commit_any(&[canary, begun], random).await {
                // There is no room for a canary: not for that is anything left undeleted.
                Err(
                    WriteError::Full
                    | WriteError::IndexFull
                    | WriteError::TransactionTooLong { .. }
                    | WriteError::TooLong(_),
                ) => {}
                committed => return Ok(committed.map(|()| note)?),
            }
        }
        Self::put_note(store, &note, random).await?;
        Ok(note)
    }

    /// Whether sealed records are got rid of, which costs up to one erase for every page: where the caller wants it, where all goes,
    /// and where a key that stays would open them.
    pub(super) fn sweeps<M: Medium, I: Memory>(&self, kind: Kind) -> bool {
        let under_a_key_that_stays =
            kind == Kind::Item || (kind == Kind::OwnershipTransfer && !self.rotates.is_empty());
        self.sweeping
            || kind == Kind::Decommission
            || (under_a_key_that_stays && !AsyncStore::<M, I>::OVERWRITES)
    }

    /// Everything between the mark and the report. Begins anew wherever it was cut short.
    pub(super) async fn go_on<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        mut note: Note,
        random: &mut R,
    ) -> Result<Note, EraseError> {
        store.allow(Access::Erasure);
        // What this firmware rotates may be more than what the one before did.
        let sweeps = note.flags.has(Flags::SWEEP) || self.sweeps::<M, I>(note.scope);
        note.flags.set(Flags::SWEEP, sweeps);
        self.destroy(store, &mut note, random).await?;
        let rotated = note.scope != Kind::OwnershipTransfer || self.rotate(store, &note, random).await?;
        self.erase_areas(&mut note).await;
        // Not earlier: what makes room for a rotated secret may copy the one that it replaces.
        let written = store.page_written();
        let swept = !sweeps || self.sweep(store, &mut note, written, random).await?;
        self.tell(Progress::Verify);
        self.verify(store, &mut note, rotated, swept).await?;
        note.stage = if note.scope == Kind::Decommission {
            Stage::AwaitingExport
        } else {
            Stage::Complete
        };
        note.user = UserId::HOUSEHOLD;
        Self::put_note(store, &note, random).await?;
        store.allow(Access::Everybody);
        Ok(note)
    }

    /// Destroys the keys, and looks at once whether the canary still opens: its record is there, which is the point.
    async fn destroy<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        note: &mut Note,
        random: &mut R,
    ) -> Result<(), EraseError> {
        self.tell(Progress::Keys);
        let takes = note.takes();
        let mut canary = None;
        if let Some(data) = Self::canary_class(store, takes) {
            canary = store
                .entry_of(data, CANARY)
                .await?
                .map(crate::store::Entry::address);
            note.flags.set(Flags::CANARY_OPENED, canary.is_some());
        }
        store.erase_classes(|data| takes.class(data), random).await?;
        store.clear_other_key_page().await?;
        if let Some(address) = canary {
            let opens = store.opens(address).await?;
            note.flags.set(Flags::CANARY_FAILED, opens == Some(false));
        }
        Ok(())
    }

    /// Gives what an owner may know a new random value. Gives whether all of it has one: where there is no room for that, the erasure goes on,
    /// and says that it was not seen through.
    async fn rotate<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        note: &Note,
        random: &mut R,
    ) -> Result<bool, EraseError> {
        let mut rotated = self.rotates.len() >= usize::from(note.rotates);
        for item in self.rotates {
            let mut fresh = Secret::new([0; 1 + LONGEST_SECRET]);
            let value = fresh.expose_mut().get_mut(..=item.len);
            let value = value.ok_or(EraseError::Internal)?;
            random.try_fill_bytes(value).map_err(|_| EraseError::Random)?;
            if let Some(version) = value.first_mut() {
                *version = item.version;
            }
            match store.put_amid_erasure(item.data, item.name, value, random).await {
                Err(error @ (WriteError::Flash(_) | WriteError::Unkept | WriteError::Random)) => {
                    return Err(error.into());
                }
                put => rotated &= put.is_ok(),
            }
        }
        Ok(rotated)
    }

    /// Erases the areas that are still to be erased.
    //= compliance/requirements.md#erase-3
    //# An area that is not erased MUST be named in the report and tried again at every start until it is.
    pub(super) async fn erase_areas(&mut self, note: &mut Note) {
        let of = u32::try_from(note.areas.iter().flatten().count()).unwrap_or(u32::MAX);
        for number in 0..note.areas.len() {
            let Some(noted) = note.areas.get_mut(number).and_then(Option::as_mut) else {
                continue;
            };
            let Outcome::Pending(scope) = noted.outcome else {
                continue;
            };
            let known = self
                .areas
                .iter()
                .position(|area| fingerprint(&**area) == noted.fingerprint);
            let Some(at) = known else { continue };
            self.tell(Progress::Area {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                of,
            });
            let Some(area) = self.areas.get_mut(at) else {
                continue;
            };
            if let Ok(cleared) = foreign(poll_fn(|context| area.poll_erase(scope, context))).await {
                noted.outcome = Outcome::Cleared(cleared);
            }
        }
    }

    /// Empties and erases every page up to the one that the log had come to. Gives whether the pages that were left out hold nothing either:
    /// one that does not erase any more keeps no device from starting.
    async fn sweep<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        note: &mut Note,
        written: u32,
        random: &mut R,
    ) -> Result<bool, EraseError> {
        let of = written.saturating_sub(store.first_page()).saturating_add(1);
        note.swept = 0;
        self.tell(Progress::Sweep { done: 0, of });
        while store.sweep_page(written, random).await? {
            note.swept = note.swept.saturating_add(1);
            self.tell(Progress::Sweep { done: note.swept, of });
        }
        Ok(store.clear_left_out().await)
    }

    /// Looks at what was done, in what is on flash.
    async fn verify<M: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<M, I>,
        note: &mut Note,
        rotated: bool,
        swept: bool,
    ) -> Result<(), EraseError> {
        let takes = note.takes();
        let is_empty = store.amount(|data| takes.class(data)) == Amount::default();
        // Under keys that stay, nothing may be left of what was removed or rotated.
        let under_a_key_that_stays =
            note.scope == Kind::Item || (note.scope == Kind::OwnershipTransfer && note.rotates > 0);
        let remains = if note.flags.has(Flags::SWEEP) || under_a_key_that_stays {
            Some(store.remains().await?)
        } else {
            None
        };
        let nothing_opens =
            !under_a_key_that_stays || (swept && remains.is_some_and(|remains| remains.stale == 0));
        let seen = is_empty && rotated && nothing_opens && store.has_one_key_page().await?;
        note.flags.set(Flags::SEEN, seen);
        let nothing_dead = swept && remains.is_some_and(|remains| remains.dead == 0);
        note.flags.set(Flags::NO_RECORDS, nothing_dead);
        Ok(())
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        if let Some(tell) = &mut self.progress {
            tell(progress);
        }
    }
}

const _: () = assert!(Level::ALL.len() < 8, "an outcome has three bits for the level");
