//! The mapping as one page that needs nothing else: no network, no other file; for a telephone and for paper. Without a script it shows all of
//! it; the script adds search and filters.
//!
//! ```text
//!  guidelines
//!  html         (this file)   head, filters, duties
//!    matrix       guidelines by primitives
//!    provisions   each guideline with its provisions
//!    requirements each with code, tests, and what is known of them
//!    report.css · report.js
//!  standing · in_html
//! ```

mod matrix;
mod provisions;
mod requirements;

use std::io::{self, Write};

use base64ct::{Base64, Encoding};
use bydesign_mapping::{Decision, File, Mapping, Whose};
use sha2::{Digest, Sha256};

use super::standing::Grade;
use crate::in_html::escaped;

pub(super) fn write(mapping: &Mapping, sources: &[File], out: &mut impl Write) -> io::Result<()> {
    // The page runs the script that is written here, and no other, whatever text it shows.
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        Base64::encode_string(&Sha256::digest(SCRIPT))
    );
    let title = match mapping.guidelines.as_slice() {
        [one] => format!("Guideline {}, {}: bydesign", one.number, one.title),
        _ => "The 13 guidelines: bydesign".to_owned(),
    };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#guidelines\">To the guidelines</a>\n<header>\n<h1>{}</h1>\n",
        escaped(&title),
        escaped(&title)
    )?;
    writeln!(
        out,
        "<p>What the library does about the UK Code of Practice for Consumer IoT Security (2018) and the provisions behind it, by which requirements, \
         where the code is, and which tests hold it to them. “Implements” and “supports” are about the library: whether a device meets a \
         provision is decided by the device, and by whoever has the <a href=\"#duties\">duties</a>.</p>\n<p>{}</p>\n</header>\n<main>",
        escaped(&of_evidence(mapping))
    )?;
    filters(mapping, out)?;
    matrix::write(mapping, out)?;
    provisions::write(mapping, out)?;
    requirements::write(mapping, sources, out)?;
    duties(mapping, out)?;
    write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// What the results are of.
fn of_evidence(mapping: &Mapping) -> String {
    let records = (mapping.evidence.executed.iter().map(|record| &record.of))
        .chain(mapping.evidence.mutations.iter().map(|record| &record.of));
    match records.max_by(|one, other| one.date.cmp(&other.date)) {
        Some(last) => format!(
            "Results of tests and of planted bugs are those on record, the last of {} at commit {}; each says its own. What was not run says so.",
            last.date, last.commit
        ),
        None => "There is no record of test runs or planted bugs in this tree.".to_owned(),
    }
}

fn filters(mapping: &Mapping, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<form id=\"filters\" role=\"search\" aria-label=\"Filters\" hidden>\n\
         <p class=\"wide\"><label for=\"words\">Search</label> <input id=\"words\" type=\"search\" autocomplete=\"off\" \
         placeholder=\"words, 5.4-1, STORE-2, D-7\"></p>"
    )?;
    let guidelines = mapping.guidelines.iter().map(|guideline| {
        (
            guideline.number.to_string(),
            format!("{} {}", guideline.number, guideline.title),
        )
    });
    select(out, "guideline", "Guideline", "all", guidelines)?;
    let primitives = mapping
        .primitives
        .iter()
        .map(|primitive| (primitive.id.clone(), primitive.title.clone()));
    select(out, "primitive", "Primitive", "all", primitives)?;
    let frameworks = mapping
        .frameworks
        .iter()
        .map(|framework| (framework.id.clone(), framework.short.clone()));
    select(out, "framework", "Document", "all", frameworks)?;
    let decisions = [
        Decision::Implements,
        Decision::Supports,
        Decision::Documents,
        Decision::OutOfReach,
        Decision::NotApplicable,
    ]
    .map(|decision| (key(decision), decision.in_words().to_owned()));
    select(out, "decision", "The library", "all", decisions)?;
    let grades = Grade::ALL.map(|grade| (grade.key().to_owned(), grade.in_words().to_owned()));
    select(out, "evidence", "Evidence", "all", grades)?;
    writeln!(
        out,
        "<p class=\"wide\"><button type=\"reset\">Clear filters</button> <button type=\"button\" id=\"open\">Open all shown</button> \
         <button type=\"button\" id=\"close\">Close all</button></p>\n<p class=\"wide\" id=\"count\" role=\"status\"></p>\n</form>"
    )
}

fn select(
    out: &mut impl Write,
    id: &str,
    label: &str,
    all: &str,
    options: impl IntoIterator<Item = (String, String)>,
) -> io::Result<()> {
    write!(
        out,
        "<p><label for=\"{id}\">{label}</label> <select id=\"{id}\"><option value=\"\">{all}</option>"
    )?;
    for (value, text) in options {
        write!(
            out,
            "<option value=\"{}\">{}</option>",
            escaped(&value),
            escaped(&text)
        )?;
    }
    writeln!(out, "</select></p>")
}

fn duties(mapping: &Mapping, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"duties\" aria-labelledby=\"duties-title\">\n<h2 id=\"duties-title\">Duties of others</h2>\n<dl>"
    )?;
    for duty in &mapping.duties {
        let whose = match duty.whose {
            Whose::Hardware => "whoever chooses the hardware",
            Whose::Firmware => "whoever writes the firmware",
            Whose::Factory => "whoever makes the devices",
            Whose::Service => "whoever runs the services",
            Whose::Manufacturer => "the manufacturer",
        };
        writeln!(
            out,
            "<dt id=\"{id}\">{id}</dt><dd>{} <small>For {whose}.</small></dd>",
            marked(&duty.text),
            id = escaped(&duty.id)
        )?;
    }
    writeln!(out, "</dl>\n</section>")
}

/// A decision for attributes.
fn key(decision: Decision) -> String {
    decision.in_words().replace(' ', "-")
}

/// The place of a provision on the page.
fn place(framework: &str, id: &str) -> String {
    escaped(&format!("{framework}-{id}").replace(' ', "-"))
}

/// Links to ids on the page, between commas.
fn links(ids: &[String]) -> String {
    let links: Vec<String> = ids
        .iter()
        .map(|id| format!("<a href=\"#{id}\">{id}</a>", id = escaped(id)))
        .collect();
    links.join(", ")
}

/// Text of one line in which `code` and **strong** are marked.
fn marked(text: &str) -> String {
    let code = between(&escaped(text), "`", "code");
    between(&code, "**", "strong")
}

/// What stands between two marks becomes an element; a mark without another stays.
fn between(text: &str, mark: &str, element: &str) -> String {
    let parts: Vec<&str> = text.split(mark).collect();
    let mut made = String::new();
    for (at, part) in parts.iter().enumerate() {
        let is_inside = at % 2 == 1;
        if is_inside && at + 1 == parts.len() {
            made.push_str(mark);
            made.push_str(part);
        } else if is_inside {
            made.extend(["<", element, ">", part, "</", element, ">"]);
        } else {
            made.push_str(part);
        }
    }
    made
}

const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_elements_and_nothing_else_does() {
        assert_eq!(
            marked("**a** `b<c>`"),
            "<strong>a</strong> <code>b&lt;c&gt;</code>"
        );
        assert_eq!(marked("2 ** 3 and a `"), "2 ** 3 and a `");
        assert_eq!(marked("<b onclick=\"x\">"), "&lt;b onclick=&quot;x&quot;&gt;");
    }
}
