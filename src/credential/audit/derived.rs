//! Passwords that are computed from identifiers: functions, forms and notations are tried until several devices agree.
//!
//! ```text
//!  audit
//!  audit::derived (this file)
//!  audit::forms · audit::transforms · audit::notation
//!  audit::case · audit::chance
//! ```
//!
//! Each computation is done for a handful of devices. One that gives the symbols of a password at some place of its result is done for the
//! others, and has to give theirs at the same place: chance is bounded by the number of trials times that of as many matches.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::sync::Mutex;
use std::thread;
use std::vec::Vec;

use super::batch::{Column, Role, bare};
use super::case::{Case, Notes, letters};
use super::chance::{self, LIMIT};
use super::forms::{self, Effort, Form, SURROUNDINGS};
use super::notation::{Alphabet, Place, Target, by_table};
use super::report::{Kind, Prohibition};
use super::settings::Depth;
use super::shape::Group;
use super::transforms::{BETWEEN, Function, KEYED, ONCE, TWICE};

//= compliance/requirements.md#cred-44
//# Passwords that are computed from identifiers without a secret key MUST be found for the forms, functions and notations that docs/audit.md lists.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let columns: Vec<&Column> = case.batch.identifiers().take(MOST_IDENTIFIERS).collect();
    if columns.is_empty() {
        case.cannot(
            notes,
            "derivation from identifiers",
            "the batch has no identifiers that vary",
        );
        return;
    }
    let mut looked = false;
    for group in case
        .shape
        .groups
        .iter()
        .filter(|group| !group.is_words)
        .take(MOST_GROUPS)
    {
        if let Some(search) = Search::of(case, &columns, group) {
            looked = true;
            search.run(notes);
        }
    }
    if !looked {
        case.cannot(
            notes,
            "derivation from identifiers",
            "fewer than four different passwords of four symbols look alike",
        );
    }
}

struct Search<'a> {
    case: &'a Case<'a>,
    columns: &'a [&'a Column],
    group: &'a Group,
    alphabet: Alphabet,
    /// How many symbols are cut off at both ends, which are always the same.
    trim: (usize, usize),
    /// Some devices, with their forms and their passwords.
    devices: Vec<usize>,
    forms: Vec<Vec<Form>>,
    targets: Vec<Target>,
    /// Forms that are taken for keys, of one identifier each.
    keys: Vec<usize>,
}

/// A computation.
#[derive(Clone, Copy)]
struct Chain {
    form: usize,
    first: usize,
    /// How the result goes into a second function, and which.
    then: Option<(usize, usize)>,
    /// A code in place of the first function, and its key.
    keyed: Option<(usize, Key)>,
}

/// A key that is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// One of the published constants.
    Published(usize),
    /// A form of another identifier.
    Form(usize),
}

struct Found {
    chain: Chain,
    place: Place,
    hits: usize,
    /// How likely chance agrees as often in the sample.
    chance: f64,
}

impl<'a> Search<'a> {
    fn of(case: &'a Case<'a>, columns: &'a [&'a Column], group: &'a Group) -> Option<Self> {
        let values: Vec<String> = group
            .devices
            .iter()
            .filter_map(|device| case.values.get(*device))
            .map(|value| bare(value))
            .collect();
        let trim = common_ends(&values);
        let mut taken = BTreeSet::new();
        let mut devices = Vec::new();
        let step = (values.len() / (SAMPLE * 2)).max(1);
        // Devices from all over the batch, with passwords of their own.
        for start in 0..step {
            for (row, device) in group.devices.iter().enumerate().skip(start).step_by(step) {
                if devices.len() < SAMPLE && values.get(row).is_some_and(|value| taken.insert(value)) {
                    devices.push(*device);
                }
            }
            if devices.len() == SAMPLE || start > 64 {
                break;
            }
        }
        let alphabet = Alphabet::of(values.iter().map(|value| cut(value, trim)))?;
        let targets: Vec<Target> = devices
            .iter()
            .filter_map(|device| target(case, *device, trim, &alphabet))
            .collect();
        if targets.len() != devices.len() || devices.len() < 4 {
            return None;
        }
        let forms: Vec<Vec<Form>> = devices
            .iter()
            .map(|device| forms_of(columns, *device, case.settings.depth))
            .collect();
        let is_key = |at: &usize| {
            let form = forms.first().and_then(|forms| forms.get(*at));
            form.is_some_and(|form| form.effort == Effort::Twice && form.sources.0 == form.sources.1)
        };
        let keys = forms::different(&forms).into_iter().filter(is_key).collect();
        Some(Self {
            case,
            columns,
            group,
            alphabet,
            trim,
            devices,
            forms,
            targets,
            keys,
        })
    }

    fn run(&self, notes: &mut Notes) {
        let different = forms::different(&self.forms);
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<Found>> = Mutex::new(Vec::new());
        let work = || {
            while let Some(form) = different.get(next.fetch_add(1, Ordering::Relaxed)) {
                let found_here = self.try_form(*form);
                if let Ok(mut found) = found.lock() {
                    found.extend(found_here);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.case.settings.threads.get() {
                scope.spawn(work);
            }
            work();
        });
        let mut found = found.into_inner().unwrap_or_default();
        // The same answer whichever thread was first; the simplest of those that hold for most.
        found.sort_by_key(|found| {
            let chain = found.chain;
            (
                core::cmp::Reverse(found.hits),
                chain.then.is_some(),
                chain.keyed.is_some(),
                chain.form,
                chain.first,
                chain.then,
                chain.keyed,
            )
        });
        let mut told: Vec<Prohibition> = Vec::new();
        for found in found {
            let sources = self.sources(found.chain);
            let mut prohibitions: Vec<Prohibition> = sources
                .iter()
                .flat_map(|column| letters(column))
                .copied()
                .collect();
            prohibitions.sort_unstable();
            prohibitions.dedup();
            prohibitions.retain(|prohibition| !told.contains(prohibition));
            if prohibitions.is_empty() {
                continue;
            }
            if let Some((hits, of, shown)) = self.confirm(&found) {
                told.extend(&prohibitions);
                let chance = if found.place.is_by_table() {
                    found.chance
                } else {
                    self.alphabet.chance(&found.place, hits, of)
                };
                let evidence = format!(
                    "{} of {of} passwords, {}, are {}. By chance: {}",
                    hits,
                    found.place.what(),
                    self.in_words(found.chain, &found.place),
                    chance::in_words(chance + TRIALS)
                );
                self.case.find(
                    notes,
                    (&prohibitions, Kind::Derived),
                    (hits, of),
                    &shown,
                    &evidence,
                );
            }
        }
    }

    /// The identifiers that a form is made of, by their place.
    fn sources_of(&self, form: usize) -> (usize, usize) {
        let form = self.forms.first().and_then(|forms| forms.get(form));
        form.map_or((0, 0), |form| form.sources)
    }

    fn sources(&self, chain: Chain) -> Vec<&'a Column> {
        let (one, other) = self.sources_of(chain.form);
        let other = match chain.keyed {
            Some((_, Key::Form(key))) => self.sources_of(key).0,
            _ => other,
        };
        let both = if one == other {
            Vec::from([one])
        } else {
            Vec::from([one, other])
        };
        both.into_iter()
            .filter_map(|at| self.columns.get(at).copied())
            .collect()
    }

    /// Every computation on one form.
    fn try_form(&self, form: usize) -> Vec<Found> {
        let mut found = Vec::new();
        let effort = self
            .forms
            .first()
            .and_then(|forms| forms.get(form))
            .map_or(Effort::Plain, |form| form.effort);
        let firsts = if effort == Effort::Plain { 1 } else { ONCE.len() };
        for first in 0..firsts {
            let chain = Chain {
                form,
                first,
                then: None,
                keyed: None,
            };
            self.try_chain(chain, &mut found);
        }
        if effort != Effort::Twice || self.case.settings.depth == Depth::Quick {
            return found;
        }
        for first in 1..=5 {
            for between in 0..BETWEEN.len() {
                for second in 0..TWICE.len() {
                    let chain = Chain {
                        form,
                        first,
                        then: Some((between, second)),
                        keyed: None,
                    };
                    self.try_chain(chain, &mut found);
                }
            }
        }
        let (one, other) = self.sources_of(form);
        let others = self.keys.iter().copied();
        let others = others.filter(|key| one == other && self.sources_of(*key).0 != one);
        let published = (0..SURROUNDINGS.len()).map(Key::Published);
        for key in published.chain(others.map(Key::Form)) {
            for keyed in 0..KEYED.len() {
                let chain = Chain {
                    form,
                    first: 0,
                    then: None,
                    keyed: Some((keyed, key)),
                };
                self.try_chain(chain, &mut found);
            }
        }
        found
    }

    fn try_chain(&self, chain: Chain, found: &mut Vec<Found>) {
        let mut places: Vec<Place> = Vec::new();
        // Two devices, so that one that is an exception hides nothing.
        for (forms, target) in self.forms.iter().zip(&self.targets).take(2) {
            if let Some(result) = compute(forms, chain) {
                target.search(&result, &self.alphabet, &mut places);
            }
        }
        if chain.first > 0 || chain.keyed.is_some() {
            self.try_table(chain, found);
        }
        for place in places {
            let hits = self
                .forms
                .iter()
                .zip(&self.targets)
                .filter(|(forms, target)| {
                    compute(forms, chain).is_some_and(|result| target.is_at(&result, &self.alphabet, &place))
                })
                .count();
            let chance = self.alphabet.chance(&place, hits, self.devices.len());
            if hits >= 3 && chance + TRIALS < LIMIT {
                found.push(Found {
                    chain,
                    place,
                    hits,
                    chance,
                });
            }
        }
    }

    /// Whether bytes stand for symbols in a way that the batch itself teaches.
    fn try_table(&self, chain: Chain, found: &mut Vec<Found>) {
        let mut results = Vec::with_capacity(self.forms.len());
        for (forms, target) in self.forms.iter().zip(&self.targets) {
            let Some(result) = compute(forms, chain) else {
                return;
            };
            results.push(result);
            // Most are refuted by the first few.
            if results.len() == 3 && by_table(&results, &self.targets, &self.alphabet).is_none()
                || target.is_longer_than(&results)
            {
                return;
            }
        }
        let survives = by_table(&results, &self.targets, &self.alphabet);
        if survives.is_none_or(|(_, chance)| chance > SURVIVING) {
            return;
        }
        // More devices, so that the table is refuted or beyond chance.
        let step = self.group.devices.len().div_ceil(LEARNT).max(1);
        let mut targets = Vec::new();
        results.clear();
        for device in self.group.devices.iter().step_by(step) {
            let result = compute(&forms_of(self.columns, *device, self.case.settings.depth), chain);
            let target = target(self.case, *device, self.trim, &self.alphabet);
            if let Some((result, target)) = result.zip(target) {
                results.push(result);
                targets.push(target);
            }
        }
        if let Some((place, chance)) = by_table(&results, &targets, &self.alphabet)
            && chance + TRIALS < LIMIT
        {
            found.push(Found {
                chain,
                place,
                hits: results.len(),
                chance,
            });
        }
    }

    /// How many of the whole batch agree.
    fn confirm(&self, found: &Found) -> Option<(usize, usize, Vec<usize>)> {
        if found.place.is_by_table() {
            return Some((found.hits, found.hits, self.devices.clone()));
        }
        let step = self.group.devices.len().div_ceil(CONFIRMED);
        let mut of = 0;
        let mut shown = Vec::new();
        for device in self.group.devices.iter().step_by(step.max(1)) {
            of += 1;
            let forms = forms_of(self.columns, *device, self.case.settings.depth);
            let target = target(self.case, *device, self.trim, &self.alphabet);
            let result = compute(&forms, found.chain);
            if target
                .zip(result)
                .is_some_and(|(target, result)| target.is_at(&result, &self.alphabet, &found.place))
            {
                shown.push(*device);
            }
        }
        (shown.len() >= 3).then_some((shown.len(), of, shown))
    }

    fn in_words(&self, chain: Chain, place: &Place) -> String {
        let sources: Vec<&str> = self
            .sources(chain)
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let form = self
            .forms
            .first()
            .and_then(|forms| forms.get(chain.form))
            .map_or("", |form| form.name.as_str());
        let mut text = format!("{} ({form})", sources.join(" and "));
        let name = |list: &[Function], at: usize| list.get(at).map_or("", |(name, _)| name);
        if let Some((keyed, key)) = chain.keyed {
            let code = KEYED.get(keyed).map_or("", |(name, _)| name);
            text = match key {
                Key::Published(key) => {
                    let key = SURROUNDINGS.get(key).copied().unwrap_or_default();
                    format!("{code} of {text} under the published key {key:?}")
                }
                Key::Form(key) => {
                    let forms = self.forms.first();
                    let key = forms.and_then(|forms| forms.get(key));
                    let key = key.map_or("", |form| form.name.as_str());
                    format!("{code} of {text}, the second one being the key ({key})")
                }
            };
        } else if chain.first > 0 {
            text = format!("{} of {text}", name(&ONCE, chain.first));
        }
        if let Some((between, second)) = chain.then {
            text = format!(
                "{} of the {} of {text}",
                name(&TWICE, second),
                name(&BETWEEN, between)
            );
        }
        format!("{text}, {}", place.in_words(&self.alphabet))
    }
}

fn compute(forms: &[Form], chain: Chain) -> Option<Vec<u8>> {
    let bytes = forms.get(chain.form)?.bytes.as_deref()?;
    let mut result = match chain.keyed {
        Some((keyed, Key::Published(key))) => KEYED.get(keyed)?.1(SURROUNDINGS.get(key)?.as_bytes(), bytes),
        Some((keyed, Key::Form(key))) => KEYED.get(keyed)?.1(forms.get(key)?.bytes.as_deref()?, bytes),
        None => ONCE.get(chain.first)?.1(bytes),
    };
    if let Some((between, second)) = chain.then {
        result = TWICE.get(second)?.1(&BETWEEN.get(between)?.1(&result));
    }
    Some(result)
}

fn forms_of(columns: &[&Column], device: usize, depth: Depth) -> Vec<Form> {
    let values: Vec<(Role, &str)> = columns
        .iter()
        .map(|column| (column.role, column.values.get(device).map_or("", String::as_str)))
        .collect();
    forms::of(&values, depth)
}

fn target(case: &Case, device: usize, trim: (usize, usize), alphabet: &Alphabet) -> Option<Target> {
    Target::of(cut(&bare(case.values.get(device)?), trim), alphabet)
}

/// How many symbols all have in common at both ends.
fn common_ends(values: &[String]) -> (usize, usize) {
    let Some(first) = values.first() else {
        return (0, 0);
    };
    let same = |one: &mut dyn Iterator<Item = char>, other: &mut dyn Iterator<Item = char>| {
        one.zip(other).take_while(|(one, other)| one == other).count()
    };
    let (mut before, mut behind) = (usize::MAX, usize::MAX);
    for value in values {
        before = before.min(same(&mut first.chars(), &mut value.chars()));
        behind = behind.min(same(&mut first.chars().rev(), &mut value.chars().rev()));
    }
    (before, behind)
}

fn cut(value: &str, (before, behind): (usize, usize)) -> &str {
    let mut letters = value.chars();
    (0..before).for_each(|_| {
        letters.next();
    });
    (0..behind).for_each(|_| {
        letters.next_back();
    });
    letters.as_str()
}

/// Devices that teach a table.
const LEARNT: usize = 200;
/// The chance below which a table is worth that.
const SURVIVING: f64 = -15.0;
/// Devices that each computation is done for before it is believed.
const SAMPLE: usize = 12;
/// Devices that a computation that is believed is done for.
const CONFIRMED: usize = 2000;
const MOST_GROUPS: usize = 3;
const MOST_IDENTIFIERS: usize = 6;
/// Logarithm of the computations, notations and places that are tried: less than 10⁹.
const TRIALS: f64 = 20.72;
