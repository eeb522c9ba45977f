//! What ought to be on the flash, as the journal tells it: `firmware/src/lifecycle/journal.rs`.
//!
//! ```text
//!  firmware
//!    model    (this file)
//! ```
//!
//! After a cut, what was under way has arrived as a whole or not at all; everything else is as it was.

use std::collections::{BTreeMap, BTreeSet};

/// The class of the owner's password and of what they agreed to.
const SETTINGS: &str = "settings";

/// Class and name.
type Item = (String, String);

/// An operation that was begun and is not known to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    /// These items change together.
    Change(Vec<(Item, Option<String>)>),
    /// An item goes, with all its versions.
    EraseItem(Item),
    /// These classes go.
    Erase(Vec<String>),
    Attempt,
    Login,
    Report {
        cost: u64,
        bytes: String,
    },
    Send(String),
}

#[derive(Default)]
pub(super) struct Model {
    is_overwritable: bool,
    serial: Option<String>,
    live: BTreeMap<Item, String>,
    /// Values that were live and are not, and that may still open: on write-once flash, until their page is collected.
    stale: Vec<(Item, String)>,
    /// Values that were live, and that nothing may recover.
    gone: Vec<(Item, String)>,
    pending: Option<(u32, Pending)>,
    /// Failures that the limiter counts: at least, at most.
    failures: (u32, u32),
    /// Millionths of epsilon that are spent: at least, at most.
    spent: (u64, u64),
    /// Reports that were released, or may have been, and are not known to have been taken out of the queue: each as often as that.
    released: BTreeMap<String, u32>,
    /// Whether somebody has set a password: for certain, perhaps.
    owned: (bool, bool),
    /// Purposes that the user has agreed to.
    granted: BTreeSet<String>,
    /// What this boot says that the device is called.
    called: Option<String>,
    /// What this boot says is there.
    told: BTreeMap<Item, String>,
    /// Whether it has said all.
    pub(super) is_told: bool,
    pub(super) told_starts: u32,
    /// The number of the next operation.
    pub(super) next: u32,
    /// Whether this boot has acknowledged an erasure of classes.
    pub(super) has_erased: bool,
    pub(super) boots: u32,
    pub(super) done: u32,
    pub(super) arrived: u32,
    pub(super) not_arrived: u32,
    pub(super) resumed: u32,
    journal: String,
}

impl Model {
    /// Of a device that the factory made, if it has a serial number.
    pub(super) fn new(is_overwritable: bool, serial: Option<&str>) -> Self {
        Self {
            is_overwritable,
            serial: serial.map(str::to_owned),
            next: 1,
            ..Self::default()
        }
    }

    pub(super) fn power_on(&mut self) {
        self.is_told = false;
        self.called = None;
        self.has_erased = false;
        self.told.clear();
    }

    /// Every line of every boot.
    pub(super) fn journal(&self) -> &str {
        &self.journal
    }

    /// Items that are there.
    pub(super) fn live(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.live
            .iter()
            .map(|((class, name), value)| (class.as_str(), name.as_str(), value.as_str()))
    }

    /// Values that nothing may recover.
    pub(super) fn gone(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.gone
            .iter()
            .map(|((class, name), value)| (class.as_str(), name.as_str(), value.as_str()))
    }

    /// Takes a line of the journal, and says what is wrong with it.
    pub(super) fn line(&mut self, line: &str) -> Result<(), String> {
        self.journal.push_str(line);
        self.journal.push('\n');
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["item", class, name, value] => {
                self.told.insert(item(class, name), (*value).to_owned());
                Ok(())
            }
            ["serial", serial] => match &self.serial {
                Some(known) if known != serial => {
                    Err(format!("the serial number is {serial}, and was {known}"))
                }
                _ => {
                    self.serial = Some((*serial).to_owned());
                    self.called = self.serial.clone();
                    Ok(())
                }
            },
            ["failures", count] => within("failures", count, &mut self.failures),
            ["spent", micros] => within("millionths of epsilon", micros, &mut self.spent),
            ["told"] => self.settle(),
            ["resumed"] => {
                self.resumed += 1;
                Ok(())
            }
            ["begin", number, rest @ ..] => self.begin(number, rest),
            ["done", number] => self.finish(number),
            ["refused", _] => self.refuse(),
            ["unformatted"] if self.live.is_empty() && self.serial.is_none() => Ok(()),
            // No factory made the device; nor its limiter, and power went between the store's record and its area.
            ["stage", "unprovisioned"] | ["repaired"] if self.serial.is_none() => Ok(()),
            ["stage", "provisioned"] if !self.owned.0 => {
                self.owned.1 = false;
                Ok(())
            }
            ["stage", "owner"] if self.owned.1 => {
                self.owned.0 = true;
                Ok(())
            }
            ["claimed"] => {
                self.owned = (true, true);
                Ok(())
            }
            ["question", purpose] if !self.granted.contains(*purpose) => Ok(()),
            ["granted", purpose] => {
                self.granted.insert((*purpose).to_owned());
                Ok(())
            }
            ["boot", _] | ["ready" | "end"] => Ok(()),
            _ => Err(format!("the device says: {line}")),
        }
    }

    fn begin(&mut self, number: &str, words: &[&str]) -> Result<(), String> {
        if let Some((begun, _)) = &self.pending {
            return Err(format!(
                "operation {number} is begun, where {begun} is neither done nor refused"
            ));
        }
        let number = number.parse().map_err(|_| format!("{number} is no number"))?;
        let pending = match words {
            ["change", changes @ ..] => Pending::Change(
                changes
                    .chunks(3)
                    .filter_map(|change| match change {
                        [class, name, value] => {
                            Some((item(class, name), (*value != "-").then(|| (*value).to_owned())))
                        }
                        _ => None,
                    })
                    .collect(),
            ),
            ["item", class, name] => Pending::EraseItem(item(class, name)),
            ["erase", classes @ ..] => {
                if classes.contains(&SETTINGS) {
                    // With the password go the answers of whoever had it.
                    self.owned.0 = false;
                    self.granted.clear();
                }
                Pending::Erase(classes.iter().map(|&class| class.to_owned()).collect())
            }
            ["attempt"] => {
                self.failures.1 += 1;
                Pending::Attempt
            }
            ["login"] => {
                // Counted before it is checked, and taken back when it was right.
                self.failures = (0, self.failures.1 + 1);
                // With the code on the label it is a claim, and a password is set right behind it.
                self.owned.1 = true;
                Pending::Login
            }
            ["report", cost, bytes] => {
                let cost = cost.parse().map_err(|_| format!("{cost} is no number"))?;
                self.spent.1 += cost;
                *self.released.entry((*bytes).to_owned()).or_default() += 1;
                Pending::Report {
                    cost,
                    bytes: (*bytes).to_owned(),
                }
            }
            ["send", bytes] if self.released.get(*bytes).is_some_and(|&waiting| waiting > 0) => {
                Pending::Send((*bytes).to_owned())
            }
            _ => return Err(format!("the device begins {words:?}")),
        };
        self.pending = Some((number, pending));
        Ok(())
    }

    fn finish(&mut self, number: &str) -> Result<(), String> {
        let Some((begun, pending)) = self.pending.take() else {
            return Err(format!("operation {number} is done, and was not begun"));
        };
        if begun.to_string() != number {
            return Err(format!("operation {number} is done, where {begun} was begun"));
        }
        self.done += 1;
        self.next = self.next.max(begun + 1);
        match pending {
            Pending::Attempt => self.failures.0 += 1,
            Pending::Login => self.failures = (0, 0),
            Pending::Report { cost, .. } => self.spent.0 += cost,
            Pending::Send(bytes) => self.take_out(&bytes),
            stored => self.apply(&stored, true),
        }
        Ok(())
    }

    /// A report was not released: it costs nothing.
    fn refuse(&mut self) -> Result<(), String> {
        let Some((number, Pending::Report { cost, bytes })) = self.pending.take() else {
            return Err("something is refused that is no report".to_owned());
        };
        self.next = self.next.max(number + 1);
        self.spent.1 = self.spent.1.saturating_sub(cost);
        self.take_out(&bytes);
        Ok(())
    }

    fn take_out(&mut self, report: &str) {
        if let Some(waiting) = self.released.get_mut(report) {
            *waiting = waiting.saturating_sub(1);
        }
    }

    /// The start has told what is there: as it was, or with what was under way when power went.
    fn settle(&mut self) -> Result<(), String> {
        self.is_told = true;
        self.told_starts += 1;
        if let (Some(serial), None) = (&self.serial, &self.called) {
            return Err(format!("the device does not say that it is {serial}"));
        }
        let before = self.live.clone();
        if let Some((number, pending)) = self.pending.take() {
            self.next = self.next.max(number + 1);
            let mut after = Self {
                live: before.clone(),
                ..Self::default()
            };
            after.apply(&pending, false);
            if after.live != before {
                if self.told == after.live {
                    self.apply(&pending, false);
                    self.arrived += 1;
                    return Ok(());
                }
                self.not_arrived += 1;
            }
        }
        if self.told == before {
            return Ok(());
        }
        let said = |item: &Item, here: Option<&String>, there: Option<&String>| {
            (here != there).then(|| format!("{item:?}: the device has {here:?}, and ought to have {there:?}"))
        };
        let all: BTreeSet<&Item> = self.told.keys().chain(before.keys()).collect();
        let differences: Vec<String> = all
            .into_iter()
            .filter_map(|item| said(item, self.told.get(item), before.get(item)))
            .collect();
        Err(differences.join("\n"))
    }

    fn apply(&mut self, pending: &Pending, is_done: bool) {
        match pending {
            Pending::Change(changes) => {
                for (item, value) in changes {
                    self.replace(item, value.clone());
                }
            }
            Pending::EraseItem(item) => {
                self.replace(item, None);
                // Cut short, old versions may wait for their page to be collected.
                if is_done {
                    self.forget(|stale| stale == item);
                }
            }
            Pending::Erase(classes) => {
                let of_them = |item: &Item| classes.contains(&item.0);
                let items: Vec<Item> = self.live.keys().filter(|item| of_them(item)).cloned().collect();
                for item in items {
                    self.replace(&item, None);
                }
                self.forget(of_them);
                self.has_erased |= is_done;
                if is_done && classes.iter().any(|class| class == SETTINGS) {
                    self.owned = (false, false);
                }
            }
            Pending::Attempt | Pending::Login | Pending::Report { .. } | Pending::Send(_) => {}
        }
    }

    fn replace(&mut self, item: &Item, value: Option<String>) {
        // A boot that does not know yet that an operation had arrived does it again: its value is as live as before.
        if value.is_some() && self.live.get(item) == value.as_ref() {
            return;
        }
        let former = match value {
            Some(value) => self.live.insert(item.clone(), value),
            None => self.live.remove(item),
        };
        if let Some(former) = former {
            let to = if self.is_overwritable {
                &mut self.gone
            } else {
                &mut self.stale
            };
            to.push((item.clone(), former));
        }
    }

    fn forget(&mut self, is_it: impl Fn(&Item) -> bool) {
        let (gone, stale) = std::mem::take(&mut self.stale)
            .into_iter()
            .partition(|(item, _)| is_it(item));
        self.gone.extend::<Vec<_>>(gone);
        self.stale = stale;
    }
}

fn item(class: &str, name: &str) -> Item {
    (class.to_owned(), name.to_owned())
}

/// A number that the device tells lies between what is known to have been counted and what may have been.
fn within<N: Copy + PartialOrd + std::fmt::Display + std::str::FromStr>(
    what: &str,
    told: &str,
    bounds: &mut (N, N),
) -> Result<(), String> {
    let number: N = told.parse().map_err(|_| format!("{told} is no number"))?;
    if number < bounds.0 || number > bounds.1 {
        return Err(format!(
            "the device has counted {number} {what}, where {} to {} were",
            bounds.0, bounds.1
        ));
    }
    *bounds = (number, number);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(is_overwritable: bool, lines: &[&str]) -> Result<Model, String> {
        let mut model = Model::new(is_overwritable, Some("A-1"));
        model.line("serial A-1")?;
        lines.iter().try_for_each(|line| model.line(line)).map(|()| model)
    }

    fn gone(model: &Model) -> Vec<&str> {
        model.gone().map(|(_, _, value)| value).collect()
    }

    const TWO: [&str; 2] = ["begin 1 change user n0 aa user:7 n1 bb", "done 1"];

    #[test]
    fn what_was_under_way_arrived_as_a_whole_or_not_at_all() {
        for (told, is_right) in [
            (&["item user n0 aa", "item user:7 n1 bb"][..], true),
            (&["item user n0 cc"][..], true),
            (&["item user n0 aa"][..], false),
            (&["item user n0 cc", "item user:7 n1 bb"][..], false),
            (&[][..], false),
        ] {
            let mut lines = TWO.to_vec();
            lines.push("begin 2 change user n0 cc user:7 n1 -");
            lines.extend(told);
            lines.push("told");
            assert_eq!(after(true, &lines).is_ok(), is_right, "{told:?}");
        }
    }

    #[test]
    fn an_item_that_was_acknowledged_and_is_not_there_is_a_loss() {
        assert!(after(true, &[TWO[0], TWO[1], "item user n0 aa", "told"]).is_err());
    }

    #[test]
    fn a_wrong_password_that_was_tried_counts() {
        let attempt = ["begin 1 attempt", "done 1", "begin 2 attempt"];
        for (failures, is_right) in [("0", false), ("1", true), ("2", true), ("3", false)] {
            let mut lines = attempt.to_vec();
            let line = format!("failures {failures}");
            lines.push(&line);
            assert_eq!(after(true, &lines).is_ok(), is_right, "{failures}");
        }
    }

    #[test]
    fn what_was_spent_is_not_spent_again() {
        let report = ["begin 1 report 500 00", "done 1", "begin 2 report 250 01"];
        for (spent, is_right) in [
            ("0", false),
            ("499", false),
            ("500", true),
            ("750", true),
            ("751", false),
        ] {
            let mut lines = report.to_vec();
            let line = format!("spent {spent}");
            lines.push(&line);
            assert_eq!(after(true, &lines).is_ok(), is_right, "{spent}");
        }
    }

    #[test]
    fn a_report_that_was_not_released_is_not_sent() {
        assert!(after(true, &["begin 1 report 0 00", "done 1", "begin 2 send 00"]).is_ok());
        assert!(after(true, &["begin 1 send 00"]).is_err());
    }

    #[test]
    fn a_superseded_value_is_gone_at_once_where_flash_is_overwritten_and_with_its_class_elsewhere() {
        let lines = [
            "begin 1 change user n0 aa",
            "done 1",
            "begin 2 change user n0 bb",
            "done 2",
        ];
        assert_eq!(
            after(true, &lines).map(|model| gone(&model).join(" ")),
            Ok("aa".into())
        );
        let mut model = after(false, &lines).unwrap_or_default();
        assert!(gone(&model).is_empty());
        for line in ["begin 3 erase user", "done 3"] {
            assert_eq!(model.line(line), Ok(()));
        }
        assert_eq!(gone(&model), ["aa", "bb"]);
    }

    #[test]
    fn a_value_that_is_written_once_more_after_it_had_arrived_is_not_gone() {
        let lines = [
            "begin 1 change user n0 aa",
            "item user n0 aa",
            "told",
            "begin 1 change user n0 aa",
            "done 1",
        ];
        let model = after(true, &lines).unwrap();
        assert_eq!(model.gone().count(), 0);
        assert_eq!(model.live().collect::<Vec<_>>(), [("user", "n0", "aa")]);
        assert_eq!(model.arrived, 1);
    }

    #[test]
    fn a_report_that_was_sent_and_acknowledged_is_not_sent_again() {
        let sent = ["begin 1 report 0 00", "done 1", "begin 2 send 00", "done 2"];
        let mut lines = sent.to_vec();
        lines.push("begin 3 send 00");
        assert!(after(true, &lines).is_err());
        // Power went before it was acknowledged: it may be.
        let lines = [sent[0], sent[1], sent[2], "told", "begin 3 send 00"];
        assert!(after(true, &lines).is_ok());
    }

    #[test]
    fn an_operation_does_not_begin_amid_another() {
        assert!(after(true, &["begin 1 attempt", "begin 2 attempt"]).is_err());
    }

    #[test]
    fn an_owner_who_set_a_password_is_not_lost_but_by_an_erasure_of_settings() {
        let claimed = ["stage provisioned", "told", "begin 1 login", "done 1", "claimed"];
        let erasing = "begin 2 erase settings user";
        for (more, is_right) in [
            (&["stage owner"][..], true),
            (&["stage provisioned"], false),
            (&["stage unprovisioned"], false),
            (&[erasing, "stage owner"], true),
            (&[erasing, "stage provisioned"], true),
            (&[erasing, "stage provisioned", "stage owner"], false),
            (&[erasing, "done 2", "stage owner"], false),
        ] {
            let lines = [&claimed[..], more].concat();
            assert_eq!(after(true, &lines).is_ok(), is_right, "{more:?}");
        }
        // Power went in the claim.
        for stage in ["stage owner", "stage provisioned"] {
            let lines = [&claimed[..3], &["told", stage]].concat();
            assert!(after(true, &lines).is_ok(), "{stage}");
        }
        assert!(after(true, &["stage owner"]).is_err());
    }

    #[test]
    fn nobody_is_asked_again_who_has_agreed() {
        let agreed = ["question 1", "granted 1"];
        assert!(after(true, &[agreed[0], agreed[1], "question 2"]).is_ok());
        assert!(after(true, &[agreed[0], agreed[1], "question 1"]).is_err());
        assert!(
            after(
                true,
                &[agreed[0], agreed[1], "begin 1 erase settings", "question 1"]
            )
            .is_ok()
        );
    }

    #[test]
    fn a_serial_number_that_is_gone_is_a_loss() {
        let mut model = Model::new(true, Some("A-1"));
        model.power_on();
        assert!(model.line("told").is_err());
    }

    #[test]
    fn a_fault_and_another_serial_number_are_told() {
        for line in ["fault mount: damage", "serial A-2", "unformatted", "done 1"] {
            assert!(after(true, &[line]).is_err(), "{line}");
        }
    }
}
