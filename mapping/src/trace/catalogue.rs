//! The catalogue against the list of ids, the requirements and the duties.

use std::collections::BTreeSet;

use super::{CATALOGUE, Flaw, IDS, README};
use crate::{DOCUMENT, Decision, Mapping, NEWEST};

pub(super) fn flaws(mapping: &Mapping, ids: &str, readme: &str) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    every_id(mapping, ids, &mut flaws);
    decisions(mapping, &mut flaws);
    crosswalk(mapping, &mut flaws);
    requirements(mapping, &mut flaws);
    duties(mapping, readme, &mut flaws);
    flaws
}

fn flaw(file: &str, line: usize, id: &str, what: String) -> Flaw {
    Flaw {
        file: file.to_owned(),
        line,
        id: id.to_owned(),
        what,
    }
}

/// The list has each id once, and so has the catalogue.
fn every_id(mapping: &Mapping, ids: &str, flaws: &mut Vec<Flaw>) {
    let listed: BTreeSet<(&str, &str)> = ids
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let guidelines: Vec<String> = mapping
        .guidelines
        .iter()
        .map(|guideline| guideline.number.to_string())
        .collect();
    let mut decided = BTreeSet::new();
    let entries = mapping.provisions.iter().map(|provision| {
        (
            provision.framework.as_str(),
            provision.id.as_str(),
            provision.line,
        )
    });
    for (framework, id, line) in
        entries.chain(guidelines.iter().map(|number| ("cop-2018", number.as_str(), 0)))
    {
        if !decided.insert((framework, id)) {
            flaws.push(flaw(
                CATALOGUE,
                line,
                &format!("{framework} {id}"),
                "there twice".to_owned(),
            ));
        }
        if !listed.contains(&(framework, id)) {
            let what = format!("not in {IDS}: a number that is none, or a gap there");
            flaws.push(flaw(CATALOGUE, line, &format!("{framework} {id}"), what));
        }
    }
    for (framework, id) in listed.difference(&decided) {
        flaws.push(flaw(
            CATALOGUE,
            0,
            &format!("{framework} {id}"),
            format!("no decision, and it is in {IDS}"),
        ));
    }
}

/// A decision has what it takes.
fn decisions(mapping: &Mapping, flaws: &mut Vec<Flaw>) {
    for provision in &mapping.provisions {
        let name = format!("{} {}", provision.framework, provision.id);
        let mut say = |what: String| flaws.push(flaw(CATALOGUE, provision.line, &name, what));
        let decision = provision.decision.in_words();
        let by_code = matches!(provision.decision, Decision::Implements | Decision::Supports);
        if by_code && provision.requirements.is_empty() {
            say(format!("{decision}, and no requirement serves it"));
        }
        if matches!(provision.decision, Decision::OutOfReach | Decision::NotApplicable)
            && !provision.requirements.is_empty()
        {
            say(format!(
                "{decision}, and served by {}",
                provision.requirements.join(", ")
            ));
        }
        if provision.decision != Decision::NotApplicable && provision.duties.is_empty() {
            say(format!(
                "{decision}, and no duty says whose the rest is or what it stands on"
            ));
        }
        if provision.reason.trim().is_empty() {
            say(format!("{decision}, without a reason"));
        }
        for id in &provision.requirements {
            if mapping.requirement(id).is_none() {
                say(format!("no requirement {id}"));
            }
        }
        for id in &provision.duties {
            if mapping.duty(id).is_none() {
                say(format!("no duty {id}"));
            }
        }
        if mapping.framework(&provision.framework).is_none() {
            say(format!("no framework {}", provision.framework));
        }
    }
    for guideline in &mapping.guidelines {
        let name = format!("guideline {}", guideline.number);
        let served = mapping
            .requirements_of_guideline(guideline.number)
            .next()
            .is_some();
        let by_code = matches!(guideline.decision, Decision::Implements | Decision::Supports);
        if by_code != served {
            let is = if served { "served" } else { "not served" };
            flaws.push(flaw(
                CATALOGUE,
                0,
                &name,
                format!("{}, and {is} by a requirement", guideline.decision.in_words()),
            ));
        }
        for id in guideline.duties.iter().filter(|id| mapping.duty(id).is_none()) {
            flaws.push(flaw(CATALOGUE, 0, &name, format!("no duty {id}")));
        }
    }
}

/// The other end of each relation is there.
fn crosswalk(mapping: &Mapping, flaws: &mut Vec<Flaw>) {
    for provision in &mapping.provisions {
        let name = format!("{} {}", provision.framework, provision.id);
        for near in provision
            .near
            .iter()
            .filter(|near| mapping.provision(NEWEST, near).is_none())
        {
            flaws.push(flaw(
                CATALOGUE,
                provision.line,
                &name,
                format!("near {near}, which {NEWEST} does not have"),
            ));
        }
        if provision.near.is_empty() != provision.relationship.is_none() {
            flaws.push(flaw(
                CATALOGUE,
                provision.line,
                &name,
                "`near` and `relationship` go together".to_owned(),
            ));
        }
    }
}

/// What a requirement serves is there, and it has one primitive.
fn requirements(mapping: &Mapping, flaws: &mut Vec<Flaw>) {
    for requirement in &mapping.requirements {
        let mut say = |what: String| flaws.push(flaw(DOCUMENT, requirement.line, &requirement.id, what));
        for id in &requirement.provisions {
            match mapping.provision(NEWEST, id) {
                None => say(format!("serves {id}, which {NEWEST} does not have")),
                Some(provision)
                    if !provision
                        .guidelines
                        .iter()
                        .any(|number| requirement.guidelines.contains(number)) =>
                {
                    say(format!("serves {id}, and not its guideline"));
                }
                Some(_) => {}
            }
        }
        for number in &requirement.guidelines {
            if !mapping
                .guidelines
                .iter()
                .any(|guideline| guideline.number == *number)
            {
                say(format!("serves CoP {number}, and there is none"));
            }
        }
        for duty in requirement
            .duties
            .iter()
            .filter(|duty| mapping.duty(duty).is_none())
        {
            say(format!("assumes the duty {duty}, which is in no list"));
        }
        let owners = mapping
            .primitives
            .iter()
            .filter(|primitive| primitive.requirements.contains(&requirement.id));
        match owners.count() {
            1 => {}
            0 => say("no primitive of the catalogue has it".to_owned()),
            more => say(format!("{more} primitives of the catalogue have it")),
        }
    }
    for primitive in &mapping.primitives {
        for id in primitive
            .requirements
            .iter()
            .filter(|id| mapping.requirement(id).is_none())
        {
            flaws.push(flaw(CATALOGUE, 0, &primitive.id, format!("no requirement {id}")));
        }
    }
}

/// The README's table says what the catalogue says, and no duty is without a use.
fn duties(mapping: &Mapping, readme: &str, flaws: &mut Vec<Flaw>) {
    for (at, line) in readme.lines().enumerate() {
        let Some((id, text)) = line.strip_prefix("| D-").and_then(|rest| rest.split_once(" | ")) else {
            continue;
        };
        let id = format!("D-{id}");
        let same = mapping
            .duty(&id)
            .is_some_and(|duty| text.trim_end_matches('|').trim_end() == duty.text);
        if !same {
            flaws.push(flaw(README, at + 1, &id, format!("differs from {CATALOGUE}")));
        }
    }
    let in_provisions = mapping.provisions.iter().flat_map(|provision| &provision.duties);
    let used: BTreeSet<&String> = in_provisions
        .chain(
            mapping
                .requirements
                .iter()
                .flat_map(|requirement| &requirement.duties),
        )
        .chain(mapping.guidelines.iter().flat_map(|guideline| &guideline.duties))
        .collect();
    for duty in mapping.duties.iter().filter(|duty| !used.contains(&duty.id)) {
        flaws.push(flaw(
            CATALOGUE,
            0,
            &duty.id,
            "a duty that nothing names".to_owned(),
        ));
    }
    let mut seen = BTreeSet::new();
    for duty in mapping.duties.iter().filter(|duty| !seen.insert(&duty.id)) {
        flaws.push(flaw(CATALOGUE, 0, &duty.id, "there twice".to_owned()));
    }
}
