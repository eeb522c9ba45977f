//! What campaigns recorded, against the tree as it is now.

use super::{EVIDENCE, Flaw};
use crate::{Kind, Mapping};

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
        let mut citing = mapping
            .citations_of(&record.requirement)
            .filter(|citation| citation.kind == Kind::Test);
        if !citing.any(|citation| citation.target == record.target && citation.test == record.test) {
            say(
                &record.requirement,
                format!(
                    "a record of {} {}, which does not cite it",
                    record.target, record.test
                ),
            );
        } else if !record.passed {
            say(
                &record.requirement,
                format!("{} {} did not pass alone", record.target, record.test),
            );
        } else if record.ran.is_empty() && !record.missed.is_empty() {
            let missed = record.missed.join(", ");
            say(
                &record.requirement,
                format!(
                    "{} {} runs none of the cited code: {missed}",
                    record.target, record.test
                ),
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
