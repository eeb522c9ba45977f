//! The finder of a discarded device: judges what the forensic reader got out of its image.
//!
//! It has the root key, which a real finder lacks: the erasure must hold even then.

use crate::board::LABEL;
use crate::device::{Device, Finds};
use crate::forensics::{self, Findings, KnownPlace};
use crate::model::Model;

/// A finder who looked at a device before a consent was withdrawn and its users' data erased, and will look again.
pub(crate) struct Finder<'a> {
    device: &'a Device,
    finds: Finds,
    /// The keys of the users' data, as found before the erasure.
    user_keys: Vec<[u8; 32]>,
    /// The keys of what waited to be sent to the maker, and what it was, as found before the consent was withdrawn.
    telemetry_keys: Vec<[u8; 32]>,
    queued: Vec<(Vec<u8>, Vec<u8>)>,
    /// What was to be sent of it.
    waiting: &'a [Vec<u8>],
}

impl<'a> Finder<'a> {
    /// Looks before the erasure. Everything that lives must be found, or the search is too weak to prove anything.
    pub(crate) fn look_before(
        device: &'a Device,
        image: &[u8],
        model: &Model,
        waiting: &'a [Vec<u8>],
    ) -> Result<Self, String> {
        let mut finder = Self {
            device,
            finds: Finds::default(),
            user_keys: Vec::new(),
            telemetry_keys: Vec::new(),
            queued: Vec::new(),
            waiting,
        };
        let findings = finder.scan(image);
        finder.finds = judge(&findings, image, model)?;
        if device.part.is_overwritable() && finder.finds.stale > 0 {
            return Err(format!(
                "{} removed values were found, though overwritten",
                finder.finds.stale
            ));
        }

        finder.queued = queued(&findings);
        for report in waiting {
            if !finder.queued.iter().any(|(_, found)| found.starts_with(report)) {
                return Err("the finder missed a report that waits to be sent".into());
            }
            if forensics::in_clear(image, report) {
                return Err("a report stands in clear in the image".into());
            }
        }
        let of_users = model.live().filter(|(item, _)| item.owner.is_user());
        let mut guesses: Vec<_> = of_users
            .map(|(item, value)| (item.name.as_bytes(), value))
            .collect();
        guesses.extend(finder.queued_as_guesses());
        if let Some(at) = finder
            .confirm_each(image, &guesses)
            .iter()
            .position(|confirmed| !confirmed)
        {
            return Err(format!(
                "the finder could not confirm a value of {:?}, which is there",
                String::from_utf8_lossy(guesses[at].0)
            ));
        }
        finder.user_keys = keys_of(&findings, USER_CLASS);
        if finder.user_keys.is_empty() {
            return Err("the finder has found no key of the users' data".into());
        }
        finder.telemetry_keys = keys_of(&findings, TELEMETRY_CLASS);
        if finder.telemetry_keys.is_empty() {
            return Err("the finder has found no key of the telemetry".into());
        }
        Ok(finder)
    }

    /// What was found before the erasure.
    pub(crate) fn finds(&self) -> Finds {
        self.finds
    }

    /// Looks after an erasure: what lives is there, and of what was erased nothing, not even whether a guess was right.
    pub(crate) fn look_after(&self, image: &[u8], model: &Model) -> Result<Finds, String> {
        let finds = self.look_again(image, model)?;
        let mut guesses: Vec<_> = model
            .erased()
            .map(|(name, value)| (name.as_bytes(), value))
            .collect();
        guesses.extend(self.queued_as_guesses());
        if let Some(at) = self
            .confirm_each(image, &guesses)
            .iter()
            .position(|confirmed| *confirmed)
        {
            return Err(format!(
                "an erased value of {:?} could be confirmed",
                String::from_utf8_lossy(guesses[at].0)
            ));
        }
        Ok(finds)
    }

    /// Looks when somebody has used the device since: a write of theirs that was cut short may begin as an earlier owner's value did,
    /// which confirms nothing.
    pub(crate) fn look_again(&self, image: &[u8], model: &Model) -> Result<Finds, String> {
        let findings = self.scan(image);
        let finds = judge(&findings, image, model)?;
        if keys_of(&findings, TELEMETRY_CLASS)
            .iter()
            .any(|key| self.telemetry_keys.contains(key))
        {
            return Err("a key of the telemetry was found after the consent was withdrawn".into());
        }
        if self.waiting.iter().any(|report| findings.holds_value(report)) {
            return Err("a report was found after the consent to it was withdrawn".into());
        }
        let users_are_erased = model.erased().next().is_some();
        let had_key = |key| self.user_keys.contains(key);
        if users_are_erased && keys_of(&findings, USER_CLASS).iter().any(had_key) {
            return Err("a key of the users' data was found after the erasure".into());
        }
        for (name, value) in model.erased() {
            // A short value stands in many others.
            let is_found = if value.len() < LONG_ENOUGH {
                findings.holds(name.as_bytes(), value)
            } else {
                findings.holds_value(value)
            };
            if is_found {
                return Err(format!("an erased value of {name:?} was found"));
            }
        }
        Ok(finds)
    }

    fn queued_as_guesses(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.queued
            .iter()
            .map(|(name, report)| (name.as_slice(), report.as_slice()))
    }

    fn scan(&self, image: &[u8]) -> Findings {
        forensics::scan(image, &self.device.root_key, LABEL.as_bytes())
    }

    fn confirm_each(&self, image: &[u8], guesses: &[(&[u8], &[u8])]) -> Vec<bool> {
        forensics::confirm_each(
            image,
            &self.device.root_key,
            LABEL.as_bytes(),
            &KnownPlace::default(),
            guesses,
        )
    }
}

/// Every live value was found, and nothing stands in clear.
fn judge(findings: &Findings, image: &[u8], model: &Model) -> Result<Finds, String> {
    for (item, value) in model.live() {
        if !findings.holds(item.name.as_bytes(), value) {
            return Err(format!("the finder missed {item:?}, which is there"));
        }
        if value.len() >= LONG_ENOUGH && forensics::in_clear(image, value) {
            return Err(format!("{item:?} stands in clear in the image"));
        }
    }
    for (name, value) in model.written().chain(model.erased()) {
        if value.len() >= LONG_ENOUGH && forensics::in_clear(image, value) {
            return Err(format!("a value of {name:?} stands in clear in the image"));
        }
    }
    for secret in model.typed() {
        let secret = secret.as_bytes();
        if forensics::in_clear(image, secret) || findings.holds_value(secret) {
            return Err("a password or code is kept on the device, where its verifier belongs".into());
        }
    }
    let live = model.live().count();
    let is_live = |(name, value): (&[u8], &[u8])| {
        model
            .live()
            .any(|(item, living)| item.name.as_bytes() == name && living == value)
    };
    // What the library notes of erasures, attempts and budgets is nobody's data, and what waits to be sent is looked at apart.
    let is_note = |(name, value): (&[u8], &[u8])| {
        name == b"erasure" && value.len() == NOTE_LENGTH
            || [&b"limiter."[..], b"telemetry.", b"\0q", b"\0epoch"]
                .iter()
                .any(|own| name.starts_with(own))
    };
    let stale = findings
        .values()
        .filter(|found| !is_live(*found) && !is_note(*found))
        .count();
    Ok(Finds {
        live,
        stale,
        tried: findings.tried,
    })
}

/// Reports that wait, or waited, to be sent, under their names.
fn queued(findings: &Findings) -> Vec<(Vec<u8>, Vec<u8>)> {
    findings
        .values()
        .filter(|(name, _)| name.starts_with(b"\0q") && *name != b"\0queue")
        .map(|(name, report)| (name.to_vec(), report.to_vec()))
        .collect()
}

fn keys_of(findings: &Findings, class: u8) -> Vec<[u8; 32]> {
    findings
        .class_keys
        .iter()
        .filter(|found| found.class == class)
        .map(|found| found.key)
        .collect()
}

/// The number of the users' class on flash.
const USER_CLASS: u8 = 3;
/// That of the application's class 10, where reports wait.
const TELEMETRY_CLASS: u8 = 4 + 10;
/// Bytes of the note of an erasure.
const NOTE_LENGTH: usize = 96;
/// Bytes of a value that do not stand in an image by chance.
const LONG_ENOUGH: usize = 6;
