//! A page for each guideline, always with the same five headings, and the index.
//!
//! ```text
//!  render
//!  pages   (this file)
//!  model
//! ```

use std::fmt::Write as _;

use super::cell;
use crate::{Campaign, Decision, File, Guideline, Kind, Mapping, NEWEST, Provision, Requirement};

const FROM_HERE: &str = "../..";
const NOTE: &str = "<!-- Made by `cargo xtask mapping --write` from compliance/catalogue.toml, compliance/requirements.md and the citations in code and tests: do not edit. -->\n";

pub(super) fn pages(mapping: &Mapping) -> Vec<File> {
    let mut files: Vec<File> = mapping
        .guidelines
        .iter()
        .map(|guideline| {
            (
                format!("docs/guidelines/{}", name(guideline)),
                page(mapping, guideline),
            )
        })
        .collect();
    files.push(("docs/guidelines/README.md".to_owned(), index(mapping)));
    files
}

/// The file name of a page: `04-securely-store-credentials.md`.
pub(super) fn name(guideline: &Guideline) -> String {
    let words: Vec<String> = guideline
        .title
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .take(5)
        .collect();
    format!("{:02}-{}.md", guideline.number, words.join("-"))
}

fn page(mapping: &Mapping, guideline: &Guideline) -> String {
    let mut out = format!("# {}. {}\n\n{NOTE}\n", guideline.number, guideline.title);
    let _ = writeln!(
        out,
        "UK Code of Practice for Consumer IoT Security (2018), guideline {} ({}), in our own words: {}\n\nThis library **{}** it.\n",
        guideline.number,
        guideline.force,
        guideline.asks,
        verb(guideline.decision)
    );
    let _ = writeln!(out, "## In one sentence\n\n{}\n", guideline.sentence);
    out += "## What the library does\n\n";
    provisions(mapping, guideline, &mut out);
    out += "## What you must still do\n\n";
    let duties: Vec<_> = guideline
        .duties
        .iter()
        .filter_map(|id| mapping.duty(id))
        .collect();
    for duty in duties {
        let _ = writeln!(out, "* {}: {}.", duty.id, duty.text.trim_end_matches('.'));
    }
    out += "\n## What this does not give you\n\n";
    for limit in &guideline.limits {
        let _ = writeln!(out, "* {limit}");
    }
    out += "\n## Evidence\n\n";
    evidence(mapping, guideline, &mut out);
    out
}

/// As in "this library … it".
const fn verb(decision: Decision) -> &'static str {
    match decision {
        Decision::Implements => "implements",
        Decision::Supports => "supports",
        Decision::Documents => "documents something towards",
        Decision::OutOfReach => "does nothing for",
        Decision::NotApplicable => "has nothing to do for",
    }
}

fn provisions(mapping: &Mapping, guideline: &Guideline, out: &mut String) {
    *out += "| EN 303 645 V3.1.3 | asks for | the library | requirements |\n| --- | --- | --- | --- |\n";
    for provision in mapping.provisions_of_guideline(guideline.number) {
        let _ = writeln!(
            out,
            "| {} ({}) | {} | **{}**: {} {} | {} |",
            provision.id,
            provision.status,
            cell(&provision.summary),
            provision.decision.in_words(),
            cell(&provision.reason),
            bracketed(&provision.duties),
            links(&provision.requirements),
        );
    }
    let others: Vec<&Provision> = mapping
        .provisions
        .iter()
        .filter(|provision| provision.framework != NEWEST && provision.guidelines.contains(&guideline.number))
        .collect();
    let acting = others
        .iter()
        .filter(|provision| !matches!(provision.decision, Decision::OutOfReach | Decision::NotApplicable));
    let short = |provision: &Provision| {
        mapping
            .framework(&provision.framework)
            .map_or(String::new(), |framework| framework.short.clone())
    };
    let named: Vec<String> = acting
        .map(|provision| {
            format!(
                "{} {} ({})",
                short(provision),
                provision.id,
                provision.decision.in_words()
            )
        })
        .collect();
    if named.is_empty() {
        *out += "\nNothing of other frameworks that belong here.\n\n";
    } else {
        let _ = writeln!(
            out,
            "\nOf other frameworks, with reasons in [mapping.csv](mapping.csv): {}.\n",
            named.join(", ")
        );
    }
}

fn bracketed(duties: &[String]) -> String {
    if duties.is_empty() {
        String::new()
    } else {
        format!("({})", duties.join(", "))
    }
}

/// Requirements as links into their document.
fn links(requirements: &[String]) -> String {
    let links: Vec<String> = requirements
        .iter()
        .map(|id| {
            format!(
                "[{id}]({FROM_HERE}/compliance/requirements.md#{})",
                id.to_lowercase()
            )
        })
        .collect();
    links.join(", ")
}

fn evidence(mapping: &Mapping, guideline: &Guideline, out: &mut String) {
    let requirements: Vec<&Requirement> = mapping.requirements_of_guideline(guideline.number).collect();
    if requirements.is_empty() {
        *out += "None: no requirement serves this guideline.\n";
        return;
    }
    *out += "Each requirement with the code that says that it does it, the tests that would see it fail, and what campaigns found. A test is run alone by the command behind \
             it; `cargo xtask mapping --pick 20` does that for rows drawn at random, and breaks the code besides.\n\n";
    for requirement in requirements {
        let _ = writeln!(out, "### {}\n", requirement.id);
        for sentence in &requirement.sentences {
            let _ = writeln!(out, "> {sentence}\n");
        }
        let serves = if requirement.provisions.is_empty() {
            "none".to_owned()
        } else {
            requirement.provisions.join(", ")
        };
        let _ = writeln!(
            out,
            "Serves EN 303 645 {serves}. Assumes: {}\n",
            requirement.assumes
        );
        citations(mapping, requirement, out);
        campaigns(mapping, requirement, out);
    }
}

fn citations(mapping: &Mapping, requirement: &Requirement, out: &mut String) {
    for citation in mapping.citations_of(&requirement.id) {
        let link = format!("[`{}`]({FROM_HERE}/{})", citation.file, citation.file);
        let _ = match citation.kind {
            Kind::Code => writeln!(out, "* code: {link}, `{}`", citation.item),
            Kind::Test => writeln!(
                out,
                "* test: {link}, `cargo test {} -- --exact {}`",
                citation.target, citation.test
            ),
            Kind::Exception => writeln!(out, "* exception: {link}: {}", citation.reason),
        };
    }
}

fn campaigns(mapping: &Mapping, requirement: &Requirement, out: &mut String) {
    let when = |campaign: &Campaign| format!("{} at {}", campaign.date, campaign.commit);
    let mut ran = mapping.executed(&requirement.id).peekable();
    if ran.peek().is_none() {
        *out += "* do the tests run the code: not looked at\n";
    }
    for record in ran {
        let missed = if record.missed.is_empty() {
            String::new()
        } else {
            format!("; not run by it: {}", record.missed.join(", "))
        };
        let _ = writeln!(
            out,
            "* `{}` runs {}{missed} ({})",
            record.test,
            record.ran.join(", "),
            when(&record.of)
        );
    }
    let mut planted = mapping.mutations(&requirement.id).peekable();
    if planted.peek().is_none() {
        *out += "* planted bugs: not run\n";
    }
    for record in planted {
        let survived = if record.survived.is_empty() {
            String::new()
        } else {
            format!("; not seen: {}", record.survived.join(", "))
        };
        let _ = writeln!(
            out,
            "* planted bugs ({}): {} of {} seen{survived} ({})",
            record.by,
            record.killed,
            record.of_all,
            when(&record.of)
        );
    }
    out.push('\n');
}

fn index(mapping: &Mapping) -> String {
    let mut out = format!("# Guidelines\n\n{NOTE}\n");
    out += "What this library does about each guideline of the UK Code of Practice for Consumer IoT Security (2018) and each provision of ETSI EN 303 645, why no more, and whose duty \
            the rest is. *Implements* and *supports* are about the library; whether a device meets a provision is decided by the device.\n\n";
    out +=
        "| | guideline | the library | in one sentence | requirements |\n| --- | --- | --- | --- | --- |\n";
    for guideline in &mapping.guidelines {
        let _ = writeln!(
            out,
            "| {} | [{}]({}) | {} | {} | {} |",
            guideline.number,
            guideline.title,
            name(guideline),
            guideline.decision.in_words(),
            cell(&guideline.sentence),
            mapping.requirements_of_guideline(guideline.number).count(),
        );
    }
    out += "\n## By primitive\n\nHow many requirements of each primitive serve each guideline.\n\n|  |";
    for guideline in &mapping.guidelines {
        let _ = write!(out, " {} |", guideline.number);
    }
    out += "\n| --- |";
    out += &" --- |".repeat(mapping.guidelines.len());
    out.push('\n');
    for primitive in &mapping.primitives {
        let _ = write!(out, "| {} |", primitive.title);
        for guideline in &mapping.guidelines {
            let served = mapping
                .requirements_of_guideline(guideline.number)
                .filter(|requirement| primitive.requirements.contains(&requirement.id))
                .count();
            let _ = if served == 0 {
                write!(out, "  |")
            } else {
                write!(out, " {served} |")
            };
        }
        out.push('\n');
    }
    out += "\n## By provision\n\n| EN 303 645 V3.1.3 | status | the library | by | duties |\n| --- | --- | --- | --- | --- |\n";
    for provision in mapping.provisions_of(NEWEST) {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            provision.id,
            provision.status,
            provision.decision.in_words(),
            links(&provision.requirements),
            provision.duties.join(", ")
        );
    }
    out += "\n## Other forms\n\n\
            * [checklist.md](checklist.md): what integrators must do, by who does it\n\
            * [mapping.csv](mapping.csv): every provision of every framework with its decision; [mapping.json](mapping.json): all of it, with the citations\n\
            * [ics.csv](ics.csv), [ixit.csv](ixit.csv): rows for a conformance statement and for a test laboratory, in the shape of ETSI TS 103 701\n\
            * [psti-statement.md](psti-statement.md): the skeleton of a statement of compliance for the UK's PSTI regime\n\
            * [compliance/oscal](../../compliance/oscal): OSCAL 1.2.2: catalogues, component definition, mapping collection\n";
    out
}
