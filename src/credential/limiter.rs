//! The attempt limiter: every guess is on flash before it is checked.
//!
//! ```
//! use bydesign::credential::limiter::{AttemptError, Limiter, Moment, Policy};
//! # use bydesign::flash::Overwritable;
//! # use bydesign::flash::simulator::{Rule, Simulator};
//! # use bydesign::secret::RootKey;
//! # use bydesign::store::{Ram, Store};
//!
//! const POLICY: Policy = Policy::new();
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let root_key = RootKey::new(*b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30")?;
//! # let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
//! # let mut random = getrandom::SysRng;
//! # let mut store = Store::format(Overwritable::new(&mut flash), Ram::<32, 256>::new(), &root_key, "device", &mut random)?;
//! # let mut two_units = Simulator::<4, 4096>::new(8192, Rule::Multiwrite);
//! // once, at the factory or at the first boot
//! let area = Overwritable::new(&mut two_units);
//! # let uptime_s = 3;
//! let now = Moment::Awake(uptime_s);
//! drop(Limiter::create(area, &mut store, "owner", POLICY, now, &mut random)?);
//!
//! // at every boot
//! let area = Overwritable::new(&mut two_units);
//! let mut limiter = Limiter::mount(area, &mut store, "owner", POLICY, now)?;
//!
//! // Somebody enters something: a PIN, a password, the first message of a PAKE.
//! # let (entered, pin) = ("1234", "4711");
//! for _ in 0..5 {
//!     let permit = limiter.attempt(&mut store, now, &mut random)?;
//!     if entered == pin {
//!         permit.succeed()?;
//!     } else {
//!         permit.fail(); // as is a permit that is dropped, or a cut of the power: flash says so already
//!     }
//! }
//! let sixth = limiter.attempt(&mut store, now, &mut random).err();
//! assert_eq!(sixth, Some(AttemptError::Wait { seconds: 30 }));
//! assert!(limiter.attempt(&mut store, Moment::Awake(uptime_s + 30), &mut random).is_ok());
//! # Ok(())
//! # }
//! ```
//!
//! It stands before anything that can be guessed. [`Ready::check`](super::Ready::check) takes a [`Permit`]; a PIN pad or a PAKE
//! of one's own takes one and settles it.
//!
//! # What it costs
//!
//! The first attempt after a start writes a record of about 110 bytes to the store; each one behind it, up to
//! [`Policy::between_records`], programs one bit of the area (overwritable parts) or one word (write-once parts), and a success
//! programs eight bytes. A unit of the area is erased when the one before it is full. `docs/attempt-limiter.md` has the bytes and the figures.
//!
//! # Power loss
//!
//! Power may go at any instant. What had not been acknowledged has happened or not: an attempt that was cut may count as a failed
//! one, and a check never ran that is not counted.
//!
//! # Security
//!
//! Against whoever guesses from outside and cuts the power, the [`Policy`] holds to the letter. Against whoever rewrites the area between
//! starts, it holds up to [`Policy::most_when_area_is_rewritten`]: what the store says of the epoch cannot be forged, and an area that does not
//! belong to it lets nobody try. A whole earlier image, of store and area, is a genuine earlier state: it takes back what was
//! counted since, unless a counter outside the flash is asked ([`Store::mount_anchored`](crate::store::Store::mount_anchored), and
//! [`Store::anchor`](crate::store::Store::anchor) between attempt and check). [`Standing::freshness`] says which it is.
//!
//! A read that is disturbed so that it gives all ones takes no attempt away: everything is looked at several times, a mark that any look
//! sees counts, and what an epoch is recognised by is not all ones. Faults in the processor's own steps are not addressed.
//!
//! A success takes the count back, whoever's it is: where several credentials stand behind one limiter, whoever has one of them guesses at the
//! others without end. Each has a limiter of its own.
//!
//! Serves CoP 1; EN 303 645 5.1-5.
//!
//! ```text
//!  limiter (this file) · blocking   attempts, over async and blocking drivers
//!  permit                           one attempt that may be made, and the proof of one that succeeded
//!  policy · error
//!  record · area                    what the store keeps; every byte of the area
//! ```

mod area;
mod blocking;
mod error;
mod permit;
mod policy;
mod record;

use rand_core::TryCryptoRng;

pub use self::blocking::{Limiter, Permit};
pub use self::error::AttemptError;
pub use self::permit::{AsyncPermit, Permission, Proven, Right, SettleError, Verdict};
pub use self::policy::{Moment, Policy};
pub use self::record::LONGEST_LIMITER_NAME;

use self::area::Area;
use self::record::{Name, Record};
use crate::crypto::{self, Label};
use crate::flash::{Medium, two_faces};
use crate::secret::Secret;
use crate::store::{AsyncStore, Freshness, Memory};

/// The limiter over an area whose driver may be async. See the [module](self) for what it promises; [`Limiter`] is the blocking face.
///
/// # Cancelling
///
/// Every future may be dropped at any await. The attempt that was being committed counts or not, as after a power cut.
///
/// With feature `async`.
#[cfg_attr(not(feature = "async"), doc(hidden))]
pub struct AsyncLimiter<M: Medium> {
    area: Area<M>,
    name: Name,
    policy: Policy,
    state: State,
    /// What is in RAM may differ from what is on flash: an operation failed or was dropped.
    stale: bool,
}

/// What the flash says, and the time since.
struct State {
    record: Record,
    /// Whether the epoch was begun since the start: only then may it be gone on with.
    live: bool,
    /// The first run without a token behind it and without marks of an earlier success.
    run: u32,
    /// Marks in that run.
    marks: u32,
    /// Marks since the record was written.
    marks_since_record: u32,
    /// Attempts in a row that did not succeed.
    failures: u32,
    delay: Delay,
}

/// How much of the delay has passed: `served` seconds before `since`.
#[derive(Clone, Copy)]
struct Delay {
    served: u32,
    since: Moment,
    /// Whether the store knows since when.
    kept: bool,
}

impl Delay {
    fn from(now: Moment) -> Self {
        Self {
            served: 0,
            since: now,
            kept: false,
        }
    }

    fn served(&self, now: Moment) -> u32 {
        let passed = now.since(self.since).unwrap_or(0);
        self.served
            .saturating_add(u32::try_from(passed).unwrap_or(u32::MAX))
    }
}

/// How things stand with attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Attempts in a row that did not succeed, or whose success was cut short.
    pub failures: u32,
    /// Seconds until the next attempt may be made.
    pub wait_s: u32,
    /// Attempts left before the policy locks; `None` if it never does.
    pub attempts_left: Option<u32>,
    /// Whether an earlier image of the whole flash would take failures back unnoticed: with anything but
    /// [`Freshness::Anchored`] it would.
    pub freshness: Freshness,
}

#[two_faces]
impl<M: Medium> AsyncLimiter<M> {
    // ---- beginning ----

    /// Makes a limiter: its first epoch in the store, and the header of it in the area. Erases the first unit of the area.
    ///
    /// The area is at least two erase units that nothing else uses. Several limiters have several areas and names. Call it where the
    /// device is provisioned.
    ///
    /// # Errors
    ///
    /// [`AttemptError`]; [`AttemptError::Exists`] if the store has one of this name: what it counted is not thrown away.
    ///
    /// # Power loss
    ///
    /// There is a limiter or not.
    pub async fn create<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        area: M,
        store: &mut AsyncStore<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
        random: &mut R,
    ) -> Result<Self, AttemptError> {
        let (area, name) = Self::parts(area, name)?;
        if Record::read(store, name).await?.is_some() {
            return Err(AttemptError::Exists);
        }
        let nothing = Record {
            kind: M::KIND,
            number: 0,
            secret: Secret::new([0; 16]),
            start: NOWHERE,
            charged: 0,
            served: 0,
            wall: None,
        };
        let mut limiter = Self::with_record(area, name, policy, nothing, now);
        limiter.begin(store, 0, 0, now, random).await?;
        Ok(limiter)
    }

    /// Finds the limiter after a start.
    ///
    /// # Errors
    ///
    /// [`AttemptError`]; with [`AttemptError::Area`] nobody may try before [`AsyncLimiter::repair`].
    ///
    /// # Power loss
    ///
    /// Nothing is written.
    pub async fn mount<S: Medium, I: Memory>(
        area: M,
        store: &mut AsyncStore<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
    ) -> Result<Self, AttemptError> {
        let (area, name) = Self::parts(area, name)?;
        let record = Self::record(store, name).await?;
        let mut limiter = Self::with_record(area, name, policy, record, now);
        limiter.read_area(now).await?;
        Ok(limiter)
    }

    /// Mounts a limiter whose area was erased, replaced or damaged, with a new epoch in which everything counts as failed that the
    /// area may have held. May be called at every boot in place of [`AsyncLimiter::mount`], which it is if the area is sound.
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    ///
    /// # Power loss
    ///
    /// The next call does it again.
    ///
    /// # Security
    ///
    /// Whoever erases the area gains nothing: it costs [`Policy::between_records`] attempts. They may bring the owner to the longest
    /// delay, and where the policy locks, to that: so do those who simply try. That the area was lost should be told.
    //= compliance/requirements.md#cred-6
    //# An area that does not belong to the epoch in the store MUST let nobody try; a new epoch in its place MUST count as failed all attempts that may have stood there.
    pub async fn repair<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        area: M,
        store: &mut AsyncStore<S, I>,
        name: &str,
        policy: Policy,
        now: Moment,
        random: &mut R,
    ) -> Result<(Self, Repaired), AttemptError> {
        let (area, name) = Self::parts(area, name)?;
        let record = Self::record(store, name).await?;
        let mut limiter = Self::with_record(area, name, policy, record, now);
        match limiter.read_area(now).await {
            Ok(()) => return Ok((limiter, Repaired::Sound)),
            Err(AttemptError::Area) => {}
            Err(error) => return Err(error),
        }
        // Nothing on the area is gone on from.
        limiter.state.record.start = NOWHERE;
        let charged = limiter
            .state
            .record
            .charged
            .saturating_add(policy.marks_between_records());
        limiter.begin(store, charged, 0, now, random).await?;
        Ok((limiter, Repaired::Anew))
    }

    fn parts(area: M, name: &str) -> Result<(Area<M>, Name), AttemptError> {
        let name = Name::new(name).ok_or(AttemptError::Name)?;
        Ok((Area::new(area).ok_or(AttemptError::Geometry)?, name))
    }

    async fn record<S: Medium, I: Memory>(
        store: &mut AsyncStore<S, I>,
        name: Name,
    ) -> Result<Record, AttemptError> {
        let record = Record::read(store, name).await?.ok_or(AttemptError::Missing)?;
        if record.kind == M::KIND {
            Ok(record)
        } else {
            Err(AttemptError::Record)
        }
    }

    fn with_record(area: Area<M>, name: Name, policy: Policy, record: Record, now: Moment) -> Self {
        Self {
            area,
            name,
            policy,
            state: State {
                failures: record.charged,
                record,
                live: false,
                run: 0,
                marks: 0,
                marks_since_record: 0,
                delay: Delay::from(now),
            },
            stale: true,
        }
    }

    /// Counts what the area says since the record.
    async fn read_area(&mut self, now: Moment) -> Result<(), AttemptError> {
        let record = &self.state.record;
        let (secret, start) = (&record.secret, record.start);
        let runs = self.area.runs(start).ok_or(AttemptError::Area)?;
        if !self.area.has_header(secret, start).await {
            return Err(AttemptError::Area);
        }
        let (mut used, mut marks, mut failures, mut marks_since_record) = (0, 0, record.charged, 0_u32);
        let most = self.policy.marks_between_records();
        for run in 0..runs {
            let read = self.area.run(secret, start, run).await;
            // Runs follow one another. What stands behind a blank one is the header of an epoch that never began.
            if read.is_blank {
                break;
            }
            used = run + 1;
            if read.has_token {
                (failures, marks) = (0, 0);
            } else {
                marks += read.marks;
            }
            marks_since_record += read.marks;
        }
        // A word that a cut left may read as more than there were; more than so many were never marked.
        failures = failures.saturating_add(marks.min(most));
        let delay = if marks_since_record == 0 && used == 0 {
            match (record.wall, now) {
                (Some(wall), Moment::Wall(_)) => Delay {
                    served: record.served,
                    since: Moment::Wall(wall),
                    kept: true,
                },
                _ => Delay {
                    served: record.served,
                    since: now,
                    kept: false,
                },
            }
        } else {
            Delay::from(now)
        };
        self.state = State {
            live: false,
            run: used,
            marks: 0,
            marks_since_record,
            failures,
            delay,
            record: Record {
                secret: Secret::new(*secret.expose()),
                ..*record
            },
        };
        self.stale = false;
        Ok(())
    }

    // ---- attempts ----

    /// Commits an attempt to flash, reads it back, and gives the permit for one check.
    ///
    /// # Errors
    ///
    /// [`AttemptError`]; no check may be made.
    ///
    /// # Power loss
    ///
    /// The attempt counts as failed, or nothing happened.
    ///
    /// # Security
    ///
    /// Once this has returned, the attempt counts, whatever happens next. Serves CoP 1; EN 303 645 5.1-5.
    //= compliance/requirements.md#cred-3
    //# An attempt MUST be on flash, and have been read back, before its check can be made.
    pub async fn attempt<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        now: Moment,
        random: &mut R,
    ) -> Result<AsyncPermit<'_, M>, AttemptError> {
        self.settle(store, now).await?;
        self.refuse_if_locked()?;
        self.refuse_if_early(store, now, random).await?;
        let failures = self.state.failures.saturating_add(1);
        self.stale = true;
        if !self.mark().await {
            self.begin(store, failures, 0, now, random).await?;
        }
        self.state.failures = failures;
        self.state.delay = Delay {
            kept: self.state.marks_since_record == 0,
            ..Delay::from(now)
        };
        self.stale = false;
        Ok(AsyncPermit::new(self))
    }

    /// What an operation that failed or was dropped left: read anew.
    async fn settle<S: Medium, I: Memory>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        now: Moment,
    ) -> Result<(), AttemptError> {
        if self.stale {
            self.state.record = Self::record(store, self.name).await?;
            self.read_area(now).await?;
        }
        Ok(())
    }

    fn refuse_if_locked(&self) -> Result<(), AttemptError> {
        match self.policy.attempts_left(self.state.failures) {
            Some(0) => Err(AttemptError::Locked),
            _ => Ok(()),
        }
    }

    //= compliance/requirements.md#cred-5
    //# A delay MUST NOT become shorter by a restart or a power cut, and MUST NOT grow beyond the longest one of the policy.
    async fn refuse_if_early<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        if now.since(self.state.delay.since).is_none() {
            // The clock went back, or is another one: what passed before is kept, and it goes on from here.
            self.state.delay.since = now;
            self.state.delay.kept = false;
        }
        let seconds = self.wait_s(now);
        if seconds == 0 {
            return Ok(());
        }
        if now.wall().is_some() && !self.state.delay.kept {
            // So that it passes while the device is off.
            self.keep_time(store, now, random).await?;
        }
        Err(AttemptError::Wait { seconds })
    }

    fn wait_s(&self, now: Moment) -> u32 {
        self.policy
            .delay(self.state.failures)
            .saturating_sub(self.state.delay.served(now))
    }

    /// Marks an attempt in the area. `false` if it was not marked, or may not have been: then a record has to stand for it.
    async fn mark(&mut self) -> bool {
        let state = &self.state;
        let (secret, start) = (&state.record.secret, state.record.start);
        if !state.live || state.marks_since_record >= self.policy.marks_between_records() {
            return false;
        }
        let (mut run, mut mark) = (state.run, state.marks);
        if mark >= Area::<M>::marks_in_run() {
            (run, mark) = (run + 1, 0);
        }
        if self.area.runs(start).is_none_or(|runs| run >= runs) {
            return false;
        }
        let marked = self.area.write_mark(secret, start, run, mark).await == Ok(true);
        let state = &mut self.state;
        (state.run, state.marks) = (run, mark + 1);
        state.marks_since_record += 1;
        // One that did not take is no place to go on from.
        state.live = marked;
        marked
    }

    /// Begins an epoch: header, then record, each read back.
    async fn begin<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        charged: u32,
        served: u32,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        self.stale = true;
        let before = &self.state.record;
        let number = before.number.checked_add(1).ok_or(AttemptError::Epoch)?;
        let fresh: Secret<32> = Secret::random(random).map_err(|_| AttemptError::Epoch)?;
        let secret = crypto::derive(
            fresh.expose(),
            &[before.secret.expose()],
            Label::LimiterEpoch,
            &[&number.to_le_bytes(), &[], &[], &[]],
        )
        .map_err(|_| AttemptError::Epoch)?;
        let start = self.write_header(&secret).await?;
        let record = Record {
            kind: M::KIND,
            number,
            secret,
            start,
            charged,
            served,
            wall: now.wall(),
        };
        record.write(store, self.name, random).await?;
        self.state = State {
            record,
            live: true,
            run: 0,
            marks: 0,
            marks_since_record: 0,
            failures: charged,
            delay: Delay {
                served,
                since: now,
                kept: true,
            },
        };
        self.stale = false;
        Ok(())
    }

    /// Writes a header where nothing stands that counts, and gives the place.
    async fn write_header(&mut self, secret: &Secret<16>) -> Result<u32, AttemptError> {
        let before = self.state.record.start;
        let used = self.state.run.saturating_add(u32::from(self.state.marks > 0));
        let place = match self.area.runs(before) {
            Some(_) => self.area.place_behind(before, used).await,
            None => None,
        };
        if let Some(place) = place
            && self.area.write_header(secret, place).await == Ok(true)
        {
            return Ok(place);
        }
        let unit = self.area.unit_behind(before);
        let place = self.area.place_on_unit(unit).await?;
        if self.area.write_header(secret, place).await? {
            Ok(place)
        } else {
            Err(AttemptError::Unkept)
        }
    }

    /// Marks the success of an attempt: the next run begins.
    pub(super) async fn mark_success(&mut self) -> Result<(), SettleError> {
        let state = &self.state;
        let (secret, start) = (&state.record.secret, state.record.start);
        let runs = self.area.runs(start).unwrap_or(0);
        self.stale = true;
        // One slot that does not take the token is passed by, unless that would leave a blank run before the next.
        for run in (state.run..runs).take(2) {
            if self.area.write_success(secret, start, run).await == Ok(true) {
                let state = &mut self.state;
                (state.run, state.marks, state.failures) = (run + 1, 0, 0);
                self.stale = false;
                return Ok(());
            }
            if self.area.run(secret, start, run).await.is_blank {
                break;
            }
        }
        Err(SettleError)
    }

    // ---- the rest ----

    /// Keeps what has passed of the delay, so that the next start goes on from there: call it before the device goes to sleep in a way
    /// that its clock does not survive. Does nothing if there is no delay.
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    ///
    /// # Power loss
    ///
    /// What had passed is kept or not.
    pub async fn keep_time<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        self.settle(store, now).await?;
        if self.wait_s(now) == 0 {
            return Ok(());
        }
        let (failures, served) = (self.state.failures, self.state.delay.served(now));
        self.begin(store, failures, served, now, random).await
    }

    /// Sets the count to zero, on the proof that somebody has another right to the device: another limiter's success, or a hand on it.
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    ///
    /// # Power loss
    ///
    /// The count is zero or what it was.
    pub async fn clear<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &mut self,
        store: &mut AsyncStore<S, I>,
        _proof: &Proven,
        now: Moment,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        self.settle(store, now).await?;
        self.begin(store, 0, 0, now, random).await
    }

    /// How things stand. Reads nothing.
    pub fn standing<S: Medium, I: Memory>(&self, store: &AsyncStore<S, I>, now: Moment) -> Standing {
        Standing {
            failures: self.state.failures,
            wait_s: self.wait_s(now),
            attempts_left: self.policy.attempts_left(self.state.failures),
            freshness: store.freshness(),
        }
    }

    /// Gives the area back.
    pub fn into_medium(self) -> M {
        self.area.into_medium()
    }

    /// The area, to exercise it in tests.
    pub fn medium_mut(&mut self) -> &mut M {
        self.area.medium_mut()
    }
}

/// No place of an area.
const NOWHERE: u32 = u32::MAX;

/// What [`Limiter::repair`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repaired {
    /// The area is that of the live epoch: nothing was done.
    Sound,
    /// It was not: a new epoch was begun.
    Anew,
}
