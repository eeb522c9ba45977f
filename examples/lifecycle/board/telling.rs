//! What the device tells its maker: nothing unasked; then little, shown before it goes, within a budget; and nothing more, nor anything left of
//! it, when the user has changed their mind.
//!
//! ```text
//!   board
//!   telling    (this file)
//!   declaration
//!   bydesign::telemetry
//! ```

use std::fmt::Write;

use bydesign::telemetry::{Gate, GateError, Raw, Report, Status, Tally, Time};

use super::{Board, Kind, during, mount};
use crate::declaration::{CARE, HABITS, Household, REPAIR, WEEK, Weekly};
use crate::model::{Item, Owner};
use crate::plant::Plant;

const GATE: Gate<Household> = Gate::new();
/// When the device is set up.
const BEGIN_S: u64 = 1_790_000_000;
/// Weeks in which reports are made and sent, and then some in which there is no network.
const WEEKS: u64 = 9;
const WEEKS_WITHOUT_NETWORK: u64 = 3;
/// Weeks in which power stays on: one report at least is made and sent, and one waits in the end.
const CALM_WEEKS: [u64; 3] = [3, 4, WEEKS + WEEKS_WITHOUT_NETWORK - 1];
/// Events of one week's report, about: debited, queued, sent, taken out of the queue.
const EVENTS_OF_A_WEEK: u32 = 2_500;
/// Events of a withdrawal, about: recorded, a key page written and one erased, recorded.
const EVENTS_OF_A_WITHDRAWAL: u32 = 1_500;
const CONSENT: &str = "\0consent";

/// What went through the gate, as somebody who watches it knows.
#[derive(Default)]
struct Watched {
    /// Reports whose release returned.
    queued: Vec<Vec<u8>>,
    /// Reports in whose release power was cut: queued or not.
    perhaps: Vec<Vec<u8>>,
    /// What reached the maker.
    received: Vec<Vec<u8>>,
    /// What was taken out of the queue for it, for certain.
    acknowledged: Vec<Vec<u8>>,
    /// Millionths of epsilon of the first, and of both.
    least_spent: u64,
    most_spent: u64,
}

impl<K: Kind, const WORD: usize, const ERASE: usize> Board<'_, K, WORD, ERASE> {
    /// The user is asked and agrees; reports are queued and sent across cuts. Gives those that still wait.
    pub(super) fn tell_the_maker(&mut self) -> Result<Vec<Vec<u8>>, String> {
        self.ask()?;
        self.note_what_is_there(Item::new(Owner::Settings, CONSENT))?;
        let mut watched = Watched::default();
        for week in 0..WEEKS + WEEKS_WITHOUT_NETWORK {
            let now = Time::of(BEGIN_S + week * u64::from(WEEK));
            if !CALM_WEEKS.contains(&week) && self.chance.below(2) == 0 {
                let events = self.chance.below(EVENTS_OF_A_WEEK);
                self.plan_cut(events);
            }
            let end = self.tell_until_cut(week, now, &mut watched);
            self.life.told.cuts += u32::from(self.ended_by_cut(end)?);
            let spent = self.telemetry(now)?.spent.micros();
            if !(watched.least_spent..=watched.most_spent).contains(&spent) {
                return Err(format!(
                    "{spent} millionths are spent, where reports cost {} to {}",
                    watched.least_spent, watched.most_spent
                ));
            }
        }
        self.count(&watched)
    }

    /// Compares what was queued with what the maker has and with what waits.
    fn count(&mut self, watched: &Watched) -> Result<Vec<Vec<u8>>, String> {
        let Watched {
            queued,
            perhaps,
            received,
            acknowledged,
            ..
        } = watched;
        if let Some(report) = received
            .iter()
            .find(|report| !queued.contains(report) && !perhaps.contains(report))
        {
            return Err(format!(
                "a report reached the maker that was never released: {report:02x?}"
            ));
        }
        let now = Time::of(BEGIN_S + (WEEKS + WEEKS_WITHOUT_NETWORK) * u64::from(WEEK));
        let status = self.telemetry(now)?;
        let waiting: Vec<Vec<u8>> = queued
            .iter()
            .filter(|report| !received.contains(report))
            .cloned()
            .collect();
        // One that was sent, and not taken out because power was cut, may wait too.
        let may_wait = queued.iter().chain(perhaps);
        let most = may_wait.filter(|report| !acknowledged.contains(report)).count();
        if !(waiting.len()..=most).contains(&(status.waiting as usize)) {
            return Err(format!(
                "{} reports wait, where {} were released and not received",
                status.waiting,
                waiting.len()
            ));
        }
        if waiting.is_empty() || received.is_empty() {
            return Err("no report waits, or none was received: nothing is shown".into());
        }
        let told = &mut self.life.told;
        told.received = received.len();
        told.bytes = received.iter().map(Vec::len).sum();
        told.waiting = waiting.len();
        told.spent = status.spent.micros();
        told.left = status.left.micros();
        Ok(waiting)
    }

    /// Nothing is gathered before somebody was asked; then they are asked about each purpose.
    fn ask(&mut self) -> Result<(), String> {
        let now = Time::of(BEGIN_S);
        let week = self.week(now);
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        match GATE.submit(&mut store, week, now, self.random) {
            Err(GateError::NoConsent) => {}
            other => return Err(format!("a report before anybody was asked: {other:?}")),
        }
        for purpose in [REPAIR, HABITS] {
            if GATE.question(&mut store).map_err(during("question"))? != Some(purpose.number) {
                return Err(format!("nobody is asked about {}", purpose.name));
            }
            self.life.told.questions.push(purpose.why);
            GATE.grant(&mut store, purpose.number, now, self.random)
                .map_err(during("grant"))?;
        }
        match GATE.question(&mut store).map_err(during("question"))? {
            None => Ok(()),
            Some(purpose) => Err(format!("the user is asked about {purpose} again")),
        }
    }

    fn tell_until_cut(&mut self, week: u64, now: Time, watched: &mut Watched) -> Result<(), String> {
        let reading = self.week(now);
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        let prepared = GATE
            .prepare(&mut store, reading, now, self.random)
            .map_err(during("prepare"))?;
        let report = prepared.bytes().to_vec();
        if self.life.told.preview.is_empty() {
            self.life.told.preview = fields(&report)?;
        }
        let cost = prepared.epsilon().micros();
        watched.most_spent += cost;
        watched.perhaps.push(report);
        if self.device.plant != Some(Plant::ReportLost) {
            GATE.release(&mut store, prepared, now, self.random)
                .map_err(during("release"))?;
        }
        watched.least_spent += cost;
        watched.queued.extend(watched.perhaps.pop());

        if week >= WEEKS {
            return Ok(());
        }
        let mut out = [0; 64];
        while let Some(waiting) = GATE
            .next(&mut store, now, &mut out, self.random)
            .map_err(during("next"))?
        {
            let report = out.get(..waiting.len()).unwrap_or_default();
            fields(report)?;
            let report = report.to_vec();
            if watched.acknowledged.contains(&report) {
                return Err("a report is sent again that was acknowledged".into());
            }
            watched.received.push(report.clone());
            GATE.acknowledge(&mut store, waiting, self.random)
                .map_err(during("acknowledge"))?;
            watched.acknowledged.push(report);
        }
        Ok(())
    }

    /// The user changes their mind about all of it; power fails now and then.
    pub(super) fn withdraw(&mut self) -> Result<(), String> {
        let now = Time::of(BEGIN_S + (WEEKS + WEEKS_WITHOUT_NETWORK) * u64::from(WEEK));
        let mut cuts_to_come = self.chance.below(3);
        loop {
            if cuts_to_come > 0 {
                cuts_to_come -= 1;
                let events = self.chance.below(EVENTS_OF_A_WITHDRAWAL);
                self.plan_cut(events);
            }
            let end = self.withdraw_until_cut(now);
            if !self.ended_by_cut(end)? {
                break;
            }
            self.life.told.cuts += 1;
        }
        self.note_what_is_there(Item::new(Owner::Settings, CONSENT))?;
        let status = self.telemetry(now)?;
        if status.waiting != 0 || status.is_open {
            return Err(format!(
                "the consent is withdrawn, and {} reports wait",
                status.waiting
            ));
        }
        if status.spent.micros() != self.life.told.spent {
            return Err("a withdrawal has changed what is spent".into());
        }
        Ok(())
    }

    fn withdraw_until_cut(&mut self, now: Time) -> Result<(), String> {
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        for purpose in [HABITS, REPAIR] {
            GATE.withdraw(&mut store, purpose.number, now, self.random)
                .map_err(during("withdraw"))?;
        }
        Ok(())
    }

    /// Another owner is asked anew, and nothing is sent of theirs before; what was spent stays spent.
    pub(super) fn ask_anew(&mut self) -> Result<(), String> {
        let now = Time::of(BEGIN_S + 60 * u64::from(WEEK));
        let spent = self.telemetry(now)?.spent.micros();
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        if GATE.question(&mut store).map_err(during("question"))? != Some(REPAIR.number) {
            return Err("the next owner is not asked".into());
        }
        if spent != self.life.told.spent {
            return Err("the next owner has another budget".into());
        }
        Ok(())
    }

    fn telemetry(&mut self, now: Time) -> Result<Status, String> {
        let mut store = mount::<K, WORD, ERASE>(&mut self.chip, &self.root_key)?;
        GATE.status(&mut store, CARE.rules.number, now, self.random)
            .map_err(during("status"))
    }

    /// What the device has seen in a week: its own cuts and guesses.
    fn week(&mut self, now: Time) -> Weekly {
        let (mut cuts, mut failed_logins) = (Tally::new(), Tally::new());
        cuts.add(self.life.told.cuts + self.chance.below(20));
        failed_logins.add(self.life.checks);
        Weekly {
            week: Raw::new(now),
            cuts: Raw::new(cuts),
            failed_logins: Raw::new(failed_logins),
            by_night: Raw::new(self.chance.below(3) == 0),
            name: Raw::new(0x0b1e_55ed),
        }
    }
}

/// A report, field by field, as the maker reads it and as the user is shown it.
fn fields(report: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let decoded = Weekly::SCHEMA.decode(report, |field, value| {
        let _ = write!(text, "{} = {value}, ", field.name);
    });
    decoded.map_err(during("a report"))?;
    Ok(text.trim_end_matches(", ").to_owned())
}
