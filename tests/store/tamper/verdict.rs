//! The rule: after tampering, an error that names what is wrong, or the latest state, or one whole earlier state. Nothing else.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bydesign::flash::NeverPends;
use bydesign::store::{MountError, ReadError, Store, WriteError};

use super::history::Owner;
use super::layout::Layout;
use crate::support::register::Register;
use crate::support::{BUFFER, Memory, Model, Part, class, random};

/// What came of one tampering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An error that names what is wrong.
    Refused,
    /// Everything is there.
    Latest,
    /// All is as it was so many acknowledged operations before.
    Earlier(usize),
}

/// What is known of the store that was tampered with.
pub(crate) struct World<'a> {
    pub(crate) owner: Owner,
    /// Where the counter stands.
    pub(crate) counter: u32,
    /// Every state it was in, in order.
    pub(crate) committed: Vec<&'a Model>,
    /// States of another continuation of the same store.
    pub(crate) forked: Vec<&'a Model>,
    /// Every name that ever was in any of the stores, with its class.
    pub(crate) names: &'a BTreeSet<(u8, String)>,
}

impl World<'_> {
    /// Mounts, reads, writes and mounts again. Gives an error where the rule is broken.
    pub(crate) fn judge<P: Part>(&self, image: &[u8], puts: u8) -> Result<Outcome, String> {
        catch_unwind(AssertUnwindSafe(|| self.judge_unguarded::<P>(image, puts)))
            .unwrap_or_else(|_| Err("a panic".to_owned()))
    }

    fn judge_unguarded<P: Part>(&self, image: &[u8], puts: u8) -> Result<Outcome, String> {
        let mut part = P::of_image(image);
        let mut counter = Register::at(self.counter);
        let mut store = match self.owner.mount(&mut part, &mut counter) {
            Ok(store) => store,
            Err(error) => return refused(image, error),
        };
        let (mut state, damaged) = self.read(&mut store)?;
        let outcome = self.outcome(&state, &damaged)?;
        if puts == 0 {
            return Ok(outcome);
        }
        for number in 0..puts {
            let (name, value) = (format!("afterwards {}", number % 3), vec![number; 60]);
            match store.put_bytes(class(1), &name, &value, &mut random(u64::from(number))) {
                Ok(()) => drop(state.insert((1, name), value)),
                Err(WriteError::Full) => {}
                Err(WriteError::Damaged(_)) if !damaged.is_empty() => {}
                Err(error) => return Err(format!("{outcome:?}, then a put fails: {error}")),
            }
        }
        drop(store);
        let mut store = match self.owner.mount(&mut part, &mut counter) {
            Ok(store) => store,
            Err(_) if !damaged.is_empty() => return Ok(outcome),
            Err(error) => return Err(format!("{outcome:?}, then after {puts} puts: {error}")),
        };
        let (found, _) = self.read(&mut store)?;
        if damaged.is_empty() && found != state {
            return Err(format!(
                "{outcome:?}, then after {puts} puts {found:?} in place of {state:?}"
            ));
        }
        Ok(outcome)
    }

    /// Which state it is. A record that was forged may be an error when it is read; all others must be those of one state.
    fn outcome(&self, state: &Model, damaged: &BTreeSet<(u8, String)>) -> Result<Outcome, String> {
        let is = |committed: &&Model| {
            let others = |model: &Model| {
                let mut model = model.clone();
                model.retain(|name, _| !damaged.contains(name));
                model
            };
            if damaged.is_empty() {
                *committed == state
            } else {
                others(committed) == *state
            }
        };
        let back = self.committed.iter().rev().position(is);
        match back {
            Some(_) if !damaged.is_empty() => Ok(Outcome::Refused),
            Some(0) => Ok(Outcome::Latest),
            Some(back) => Ok(Outcome::Earlier(back)),
            None => match self.forked.iter().rev().position(is) {
                Some(back) => Ok(Outcome::Earlier(back + 1)),
                None => Err(format!("a state that never was: {state:?}, damaged: {damaged:?}")),
            },
        }
    }

    /// What iteration shows and what each name gives, which must agree; and the names whose records are said to be damaged.
    fn read<M: NeverPends>(
        &self,
        store: &mut Store<M, Memory>,
    ) -> Result<(Model, BTreeSet<(u8, String)>), String> {
        let (mut shown, mut incomplete) = (Model::new(), BTreeSet::new());
        for number in 0..5 {
            let mut twice = None;
            let each = |name: &str, value: &[u8]| {
                if shown.insert((number, name.to_owned()), value.to_vec()).is_some() {
                    twice = Some(name.to_owned());
                }
            };
            match store.for_each(class(number), each) {
                Ok(()) => {}
                Err(ReadError::Damaged(_)) => drop(incomplete.insert(number)),
                Err(error) => return Err(format!("iteration: {error}")),
            }
            if let Some(name) = twice {
                return Err(format!("{name} is shown twice"));
            }
        }
        let (mut read, mut damaged) = (Model::new(), BTreeSet::new());
        let mut out = [0; BUFFER];
        for (number, name) in self.names.iter().chain(shown.keys()) {
            match store.get_bytes(class(*number), name, &mut out) {
                Ok(Some(len)) => drop(read.insert((*number, name.clone()), out[..len].to_vec())),
                Ok(None) => {}
                Err(ReadError::Damaged(_)) => drop(damaged.insert((*number, name.clone()))),
                Err(error) => return Err(format!("{name}: {error}")),
            }
        }
        let complete = |model: &Model| {
            let mut model = model.clone();
            model.retain(|(number, _), _| !incomplete.contains(number));
            model
        };
        if complete(&shown) != complete(&read) {
            return Err(format!("iteration shows {shown:?}, the names give {read:?}"));
        }
        Ok((read, damaged))
    }
}

/// Which errors a mount may give. The others would name something that did not happen.
fn refused(image: &[u8], error: MountError) -> Result<Outcome, String> {
    match error {
        MountError::Damaged(_)
        | MountError::Inconsistent
        | MountError::SetBack { .. }
        | MountError::OtherCounter
        | MountError::NotAnchored
        | MountError::WrongRootKey
        // What the clear bytes of a key page say, when they were changed.
        | MountError::Foreign
        | MountError::NewerFormat(_)
        | MountError::UnknownFeatures(_)
        | MountError::Geometry
        | MountError::Medium
        // A header that claims more than the buffer holds.
        | MountError::BufferTooSmall(_) => Ok(Outcome::Refused),
        // Both key pages are gone, and with them every key: as after a format that was cut short.
        MountError::Unformatted if Layout::find(image).is_none() => Ok(Outcome::Refused),
        _ => Err(format!("an error that does not name what is wrong: {error:?}")),
    }
}
