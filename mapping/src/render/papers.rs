//! Papers for others to fill in: the integrator's checklist, and the skeleton of a statement of compliance under the UK's PSTI regime.
//!
//! ```text
//!  render
//!  papers   (this file)
//!  model
//! ```

use std::fmt::Write as _;

use super::cell;
use crate::{File, Mapping, NEWEST, Whose};

pub(super) fn papers(mapping: &Mapping) -> Vec<File> {
    vec![
        ("docs/guidelines/checklist.md".to_owned(), checklist(mapping)),
        ("docs/guidelines/psti-statement.md".to_owned(), statement(mapping)),
    ]
}

const GROUPS: [(Whose, &str); 5] = [
    (Whose::Hardware, "Whoever chooses and wires the parts"),
    (Whose::Firmware, "Whoever writes the firmware"),
    (Whose::Factory, "Whoever makes the devices"),
    (Whose::Service, "Whoever runs the services"),
    (Whose::Manufacturer, "Whoever sells the product under their name"),
];

fn checklist(mapping: &Mapping) -> String {
    let mut out = String::from(
        "# What you must do\n\n<!-- Made by `cargo xtask mapping --write` from compliance/catalogue.toml: do not edit. -->\n\n",
    );
    out += "What the library does not do, by who does it. Each duty has a number by which the [guideline pages](README.md) and the requirements name it. Tick what holds for your \
            product, and keep what shows it.\n";
    for (whose, title) in GROUPS {
        let _ = writeln!(
            out,
            "\n## {title}\n\n| done | | duty | for EN 303 645 V3.1.3 | evidence |\n| --- | --- | --- | --- | --- |"
        );
        for duty in mapping.duties.iter().filter(|duty| duty.whose == whose) {
            let provisions: Vec<&str> = mapping
                .provisions_of(NEWEST)
                .filter(|provision| provision.duties.contains(&duty.id))
                .map(|provision| provision.id.as_str())
                .collect();
            let _ = writeln!(
                out,
                "| [ ] | {} | {} | {} |  |",
                duty.id,
                cell(&duty.text),
                provisions.join(", ")
            );
        }
    }
    out
}

/// The fields that the Regulations ask for; all of them are the manufacturer's.
const FIELDS: [(&str, &str); 8] = [
    ("Product: type and batch", "…"),
    ("Manufacturer: name and address, each one", "…"),
    (
        "Authorised representative, if there is one: name and address",
        "…",
    ),
    ("This statement is prepared by or for the manufacturer", "…"),
    (
        "Defined support period, as correct when the product is first supplied",
        "until …",
    ),
    ("Signed for the manufacturer: name and function", "…"),
    ("Signature", "…"),
    ("Place and date of issue", "…"),
];

fn statement(mapping: &Mapping) -> String {
    let mut out = String::from(
        "# Statement of compliance: a skeleton\n\n<!-- Made by `cargo xtask mapping --write` from compliance/catalogue.toml: do not edit. -->\n\n",
    );
    out += "For a product under the UK's Product Security and Telecommunications Infrastructure regime. **It states nothing before a manufacturer has filled it in and signed it**, and \
            this library does not say that a product complies. Every … is the manufacturer's. It is kept for ten years from its issue, or for the support period if that is longer. This is no \
            legal advice: compare it with the Regulations as they stand.\n\n## The statement\n\n| | |\n| --- | --- |\n";
    for (field, blank) in FIELDS {
        let _ = writeln!(out, "| {field} | {blank} |");
    }
    out += "\nThe manufacturer declares that, for the product named above, the following is met: (strike out one of the two for each requirement)\n\n\
            | requirement | of Schedule 1 itself | by a standard that counts as it: number, version, date | evidence |\n| --- | --- | --- | --- |\n\
            | passwords | paragraph 1 … | ETSI EN 303 645 V2.1.1 (2020-06), 5.1-1 and 5.1-2 … | … |\n\
            | information on how to report security issues | paragraph 2 … | ETSI EN 303 645 V2.1.1 (2020-06), 5.2-1 … | … |\n\
            | information on minimum security update periods | paragraph 3 … | ETSI EN 303 645 V2.1.1 (2020-06), 5.3-13 … | … |\n\n\
            ## What the library brings to it\n\nTo be used as evidence where it is true of the product; what remains, the duties say.\n\n\
            | PSTI | the library | why, and why no more | requirements | duties |\n| --- | --- | --- | --- | --- |\n";
    for provision in mapping.provisions_of("psti-2023") {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            provision.id,
            provision.decision.in_words(),
            cell(&provision.reason),
            provision.requirements.join(", "),
            provision.duties.join(", ")
        );
    }
    out
}
