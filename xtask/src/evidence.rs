//! Campaigns that leave their record in `compliance/evidence.json`: do cited tests run the cited code, and do they see planted bugs.
//!
//! A campaign can be run for a part; what it does not touch keeps its earlier record, with its date and commit.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bydesign_mapping::{Campaign, Evidence, Kind, Mapping, Mutation};

use crate::{assure, executed, plants};

const FILE: &str = "compliance/evidence.json";

/// Whether cited tests run the cited code.
pub(crate) fn executed(root: &Path, only: &str) -> Result<(), String> {
    let (mapping, chosen, of) = begin(root, only)?;
    let records = executed::run(root, &mapping, &chosen, &of)?;
    let idle = records
        .iter()
        .filter(|record| !record.passed || record.ran.is_empty() && !record.missed.is_empty())
        .count();
    let count = records.len();
    keep(root, |evidence| {
        evidence
            .executed
            .retain(|earlier| !chosen.contains(&earlier.requirement));
        evidence.executed.extend(records);
    })?;
    println!(
        "{count} pairs of a requirement and a test, {idle} in which the test does not run the code or does not pass"
    );
    if idle == 0 {
        Ok(())
    } else {
        Err("a cited test does not run the cited code".to_owned())
    }
}

/// Whether the bugs of `xtask/plants.txt` that belong to a requirement are seen.
pub(crate) fn planted(root: &Path, only: &str) -> Result<(), String> {
    let (_, chosen, of) = begin(root, only)?;
    let (mut all, mut field) = (true, plants::Field::new(root)?);
    for requirement in &chosen {
        let bugs: Vec<plants::Plant> = plants::list(root)?
            .into_iter()
            .filter(|plant| plant.requirement == *requirement)
            .collect();
        if bugs.is_empty() {
            continue;
        }
        let seen = field.sow(&bugs)?;
        let survived: Vec<String> = bugs
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| !**seen)
            .map(|(bug, _)| bug.name.clone())
            .collect();
        all &= survived.is_empty();
        let record = Mutation {
            requirement: requirement.clone(),
            by: "plants".to_owned(),
            killed: bugs.len() - survived.len(),
            of_all: bugs.len(),
            survived,
            of: of.clone(),
        };
        println!("{requirement}: {} of {}", record.killed, record.of_all);
        // After each, so that a campaign that is stopped has not run for nothing.
        keep(root, |evidence| {
            evidence
                .mutations
                .retain(|earlier| earlier.requirement != *requirement || earlier.by != record.by);
            evidence.mutations.push(record);
        })?;
    }
    if all {
        Ok(())
    } else {
        Err("a planted bug was not seen".to_owned())
    }
}

/// The mapping, the requirements chosen, and when this is.
fn begin(root: &Path, only: &str) -> Result<(Mapping, BTreeSet<String>, Campaign), String> {
    let mapping = Mapping::read(root)?;
    let ids: Vec<&str> = mapping.requirements.iter().map(|one| &*one.id).collect();
    let chosen = chosen(&ids, only)?;
    let of = Campaign {
        date: assure::said(root, "date", &["-u", "+%F"])?,
        commit: assure::commit(root)?,
    };
    Ok((mapping, chosen, of))
}

/// Those of the ids that are named, between commas: `STORE-1` is itself alone, `STORE` its family. Nothing named: all.
fn chosen(ids: &[&str], only: &str) -> Result<BTreeSet<String>, String> {
    let mut chosen = BTreeSet::new();
    for name in only.split(',') {
        let is_named = |id: &&&str| name.is_empty() || **id == name || id.split('-').next() == Some(name);
        let before = chosen.len();
        chosen.extend(ids.iter().filter(is_named).map(|&id| id.to_owned()));
        if chosen.len() == before {
            return Err(format!("no requirement {name} that is not named already"));
        }
    }
    Ok(chosen)
}

fn keep(root: &Path, change: impl FnOnce(&mut Evidence)) -> Result<(), String> {
    let path = root.join(FILE);
    let mut evidence = match fs::read_to_string(&path) {
        Ok(text) => Evidence::read(&text)?,
        Err(_) => Evidence::default(),
    };
    change(&mut evidence);
    // Records of what is not cited any more go with the citation.
    let mapping = Mapping::read(root)?;
    evidence.executed.retain(|record| {
        let mut citing = mapping
            .citations_of(&record.requirement)
            .filter(|citation| citation.kind == Kind::Test);
        citing.any(|citation| citation.target == record.target && citation.test == record.test)
    });
    fs::write(&path, evidence.write()).map_err(|error| format!("{FILE}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_chosen_by_name_by_family_or_all() {
        let ids = ["STORE-1", "STORE-10", "FILE-1"];
        let chosen = |only| chosen(&ids, only).map(Vec::from_iter);
        let named = |names: &[&str]| Ok(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(chosen("STORE-1"), named(&["STORE-1"]));
        assert_eq!(chosen("STORE"), named(&["STORE-1", "STORE-10"]));
        assert_eq!(chosen("FILE,STORE-10"), named(&["FILE-1", "STORE-10"]));
        assert_eq!(chosen(""), named(&["FILE-1", "STORE-1", "STORE-10"]));
        for wrong in ["STORE-2", "STOR", "FILE,PAPER", "FILE,FILE"] {
            assert!(chosen(wrong).is_err(), "{wrong}");
        }
    }
}
