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

/// The mapping, the requirements whose id begins so (`STORE-1` is itself alone, `STORE` its family), and when this is.
fn begin(root: &Path, only: &str) -> Result<(Mapping, BTreeSet<String>, Campaign), String> {
    let mapping = Mapping::read(root)?;
    let is_chosen = |id: &str| only.is_empty() || id == only || id.split('-').next() == Some(only);
    let chosen: BTreeSet<String> = mapping
        .requirements
        .iter()
        .map(|requirement| requirement.id.clone())
        .filter(|id| is_chosen(id))
        .collect();
    if chosen.is_empty() {
        return Err(format!("no requirement {only}"));
    }
    let of = Campaign {
        date: assure::said(root, "date", &["-u", "+%F"])?,
        commit: assure::commit(root)?,
    };
    Ok((mapping, chosen, of))
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
