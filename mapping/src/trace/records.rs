//! What campaigns recorded, against the tree as it is now.

use super::{EVIDENCE, Flaw};
use crate::{Citation, Executed, Mapping};

pub(super) fn flaws(mapping: &Mapping) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut say = |id: &str, what: String| {
        flaws.push(Flaw {
            file: EVIDENCE.to_owned(),
            line: 0,
            id: id.to_owned(),
            what,
        });
    };
    for record in &mapping.evidence.executed {
        let code: Vec<&Citation> = mapping
            .tests_of(&record.requirement)
            .filter(|test| is_of(record, test))
            .flat_map(|test| mapping.code_of(test))
            .collect();
        let named = || record.ran.iter().chain(&record.missed);
        let test = format!("{} {}", record.target, record.test);
        let id = &record.requirement;
        if code.is_empty() {
            say(id, format!("a record of {test}, which does not cite it"));
        } else if !record.passed {
            say(id, format!("{test} did not pass alone"));
        } else if record.ran.is_empty() && !record.missed.is_empty() {
            let missed = record.missed.join(", ");
            say(id, format!("{test} runs none of the cited code: {missed}"));
        }
        for place in named().filter(|place| !code.iter().any(|code| code.place() == **place)) {
            say(
                id,
                format!("a record of {test} names {place}, which does not cite it"),
            );
        }
        let functions = code.iter().filter(|code| code.is_function());
        for place in functions
            .map(|code| code.place())
            .filter(|place| !named().any(|name| name == place))
        {
            say(
                id,
                format!("{place} is cited, and whether {test} runs it is not in the record"),
            );
        }
    }
    for requirement in &mapping.requirements {
        for test in mapping.tests_of(&requirement.id) {
            let runs = mapping.code_of(test).any(Citation::is_function);
            if runs
                && !mapping
                    .executed(&requirement.id)
                    .any(|record| is_of(record, test))
            {
                let test = format!("{} {}", test.target, test.test);
                say(
                    &requirement.id,
                    format!("whether {test} runs the cited code has no record"),
                );
            }
        }
        if mapping.mutations(&requirement.id).next().is_none() {
            say(
                &requirement.id,
                "no record of a bug planted to break it".to_owned(),
            );
        }
    }
    for record in &mapping.evidence.mutations {
        if mapping.requirement(&record.requirement).is_none() {
            say(&record.requirement, "a record of no requirement".to_owned());
        }
        for bug in &record.survived {
            say(&record.requirement, format!("a planted bug was not seen: {bug}"));
        }
        if record.killed + record.survived.len() != record.of_all {
            say(
                &record.requirement,
                format!(
                    "{} killed and {} named is not {}",
                    record.killed,
                    record.survived.len(),
                    record.of_all
                ),
            );
        }
    }
    flaws
}

fn is_of(record: &Executed, test: &Citation) -> bool {
    record.target == test.target && record.test == test.test
}
