//! Every sentence has code and a test that cite it word for word, and every citation stands on something.

use std::collections::BTreeSet;

use super::Flaw;
use crate::{Citation, DOCUMENT, Kind, Mapping};

pub(super) fn flaws(mapping: &Mapping) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut cited = BTreeSet::new();
    for citation in &mapping.citations {
        flaws.extend(citation.flaws.iter().map(|what| at(citation, what.clone())));
        let Some(requirement) = mapping.requirement(&citation.requirement) else {
            flaws.push(at(
                citation,
                format!("no requirement {}", citation.requirement.to_lowercase()),
            ));
            continue;
        };
        if !requirement.sentences.contains(&citation.quote) {
            let what = format!("the quote differs from {DOCUMENT}: {:?}", citation.quote);
            flaws.push(at(citation, what));
            continue;
        }
        if citation.kind == Kind::Exception && citation.reason.is_empty() {
            flaws.push(at(citation, "an exception without a reason".to_owned()));
        }
        // An exception stands for code and test.
        let kinds: &[Kind] = match citation.kind {
            Kind::Exception => &[Kind::Code, Kind::Test],
            Kind::Code => &[Kind::Code],
            Kind::Test => &[Kind::Test],
        };
        cited.extend(kinds.iter().map(|kind| (citation.quote.as_str(), *kind)));
    }
    for requirement in &mapping.requirements {
        for sentence in &requirement.sentences {
            for (kind, what) in [(Kind::Code, "code"), (Kind::Test, "test")] {
                if !cited.contains(&(sentence.as_str(), kind)) {
                    flaws.push(Flaw {
                        file: DOCUMENT.to_owned(),
                        line: requirement.line,
                        id: requirement.id.clone(),
                        what: format!("no {what} cites: {sentence}"),
                    });
                }
            }
        }
    }
    flaws
}

fn at(citation: &Citation, what: String) -> Flaw {
    Flaw {
        file: citation.file.clone(),
        line: citation.line,
        id: citation.requirement.clone(),
        what,
    }
}
