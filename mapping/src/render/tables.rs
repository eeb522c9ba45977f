//! CSV: all provisions with their decisions, and rows in the shape of ETSI TS 103 701.
//!
//! ```text
//!  render
//!  tables   (this file)
//!  model · ixit
//! ```

use crate::{Decision, File, Ixit, Mapping};

pub(super) fn tables(mapping: &Mapping, ixit: &[Ixit]) -> Vec<File> {
    vec![
        ("docs/guidelines/mapping.csv".to_owned(), provisions(mapping)),
        ("docs/guidelines/ics.csv".to_owned(), conformance(mapping)),
        ("docs/guidelines/ixit.csv".to_owned(), extra_information(ixit)),
    ]
}

/// Writing into memory does not fail; if it did, the table would end there and its test with it.
fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        if writer.write_record(&row).is_err() {
            break;
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn provisions(mapping: &Mapping) -> String {
    let mut rows = vec![head(&[
        "framework",
        "id",
        "status",
        "guidelines",
        "summary",
        "decision",
        "reason",
        "requirements",
        "duties",
        "near",
        "relationship",
    ])];
    for guideline in &mapping.guidelines {
        let requirements: Vec<&str> = mapping
            .requirements_of_guideline(guideline.number)
            .map(|requirement| requirement.id.as_str())
            .collect();
        rows.push(vec![
            "cop-2018".to_owned(),
            guideline.number.to_string(),
            guideline.force.clone(),
            guideline.number.to_string(),
            format!("{}: {}", guideline.title, guideline.asks),
            guideline.decision.in_words().to_owned(),
            guideline.sentence.clone(),
            requirements.join(" "),
            guideline.duties.join(" "),
            String::new(),
            String::new(),
        ]);
    }
    for provision in &mapping.provisions {
        let guidelines: Vec<String> = provision.guidelines.iter().map(u8::to_string).collect();
        rows.push(vec![
            provision.framework.clone(),
            provision.id.clone(),
            provision.status.clone(),
            guidelines.join(" "),
            provision.summary.clone(),
            provision.decision.in_words().to_owned(),
            provision.reason.clone(),
            provision.requirements.join(" "),
            provision.duties.join(" "),
            provision.near.join(" "),
            provision
                .relationship
                .map_or("", crate::Relationship::in_oscal)
                .to_owned(),
        ]);
    }
    csv(rows)
}

/// Rows of an implementation conformance statement. What the device supports is for its maker to say; the library says what it brings.
fn conformance(mapping: &Mapping) -> String {
    let mut rows = vec![head(&[
        "version",
        "reference",
        "status",
        "support by the device (Y, N, N/A)",
        "what the library brings",
        "detail",
    ])];
    for framework in ["en303645-v3.1.3", "en303645-v2.1.1"] {
        let short = mapping
            .framework(framework)
            .map_or(framework, |framework| framework.short.as_str());
        for provision in mapping.provisions_of(framework) {
            let duties = match (provision.decision, provision.duties.as_slice()) {
                (_, []) => String::new(),
                (Decision::Implements, duties) => format!(" It stands on {}.", duties.join(", ")),
                (_, duties) => format!(" To be completed: {}.", duties.join(", ")),
            };
            rows.push(vec![
                short.to_owned(),
                provision.id.clone(),
                provision.status.clone(),
                String::new(),
                provision.decision.in_words().to_owned(),
                format!("{}{duties}", provision.reason),
            ]);
        }
    }
    csv(rows)
}

fn extra_information(ixit: &[Ixit]) -> String {
    let mut rows = vec![head(&["table", "id", "field", "answer", "requirements"])];
    for row in ixit {
        for (field, answer) in &row.fields {
            let requirements = row.requirements.join(" ");
            rows.push(vec![
                row.table.clone(),
                row.id.clone(),
                field.clone(),
                answer.clone(),
                requirements,
            ]);
        }
    }
    csv(rows)
}
