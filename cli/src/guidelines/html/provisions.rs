//! Each guideline, and below it the provisions that belong to it, of every document.
//!
//! ```text
//!  html
//!  provisions (this file)
//! ```

use std::io::{self, Write};

use bydesign_mapping::{Guideline, Mapping, NEWEST, Provision};

use super::{key, links, marked, place};
use crate::in_html::escaped;

pub(super) fn write(mapping: &Mapping, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"guidelines\" aria-labelledby=\"guidelines-title\">\n<h2 id=\"guidelines-title\">Guidelines and provisions</h2>"
    )?;
    for guideline in &mapping.guidelines {
        let number = guideline.number;
        writeln!(
            out,
            "<section id=\"guideline-{number}\" class=\"group\" aria-labelledby=\"guideline-{number}-title\">\n\
             <h3 id=\"guideline-{number}-title\">{number} {} <span class=\"decision {}\">{}</span></h3>",
            escaped(&guideline.title),
            key(guideline.decision),
            guideline.decision.in_words()
        )?;
        introduction(guideline, out)?;
        // A provision of several guidelines stands with the first, where the others find it.
        let is_here = |provision: &&Provision| home(mapping, provision) == Some(number);
        of_group(mapping, mapping.provisions.iter().filter(is_here), out)?;
        writeln!(out, "</section>")?;
    }
    let without: Vec<&Provision> = mapping
        .provisions
        .iter()
        .filter(|provision| home(mapping, provision).is_none())
        .collect();
    if !without.is_empty() {
        writeln!(
            out,
            "<section id=\"no-guideline\" class=\"group\" aria-labelledby=\"no-guideline-title\">\n\
             <h3 id=\"no-guideline-title\">Without a guideline</h3>"
        )?;
        of_group(mapping, without.into_iter(), out)?;
        writeln!(out, "</section>")?;
    }
    writeln!(out, "</section>")
}

/// The first guideline on the page that a provision belongs to.
fn home(mapping: &Mapping, provision: &Provision) -> Option<u8> {
    mapping
        .guidelines
        .iter()
        .map(|guideline| guideline.number)
        .find(|number| provision.guidelines.contains(number))
}

fn introduction(guideline: &Guideline, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<p>{} <small>({})</small></p>\n<p><strong>{}</strong></p>",
        escaped(&guideline.asks),
        escaped(&guideline.force.replace('+', " and ")),
        escaped(&guideline.sentence)
    )?;
    if !guideline.limits.is_empty() {
        writeln!(out, "<p>What this does not give you:</p>\n<ul>")?;
        for limit in &guideline.limits {
            writeln!(out, "<li>{}</li>", marked(limit))?;
        }
        writeln!(out, "</ul>")?;
    }
    if !guideline.duties.is_empty() {
        writeln!(out, "<p>What you must still do: {}</p>", links(&guideline.duties))?;
    }
    Ok(())
}

fn of_group<'a>(
    mapping: &Mapping,
    provisions: impl Iterator<Item = &'a Provision>,
    out: &mut impl Write,
) -> io::Result<()> {
    for provision in provisions {
        one(mapping, provision, out)?;
    }
    Ok(())
}

fn one(mapping: &Mapping, provision: &Provision, out: &mut impl Write) -> io::Result<()> {
    let mut primitives: Vec<&str> = provision
        .requirements
        .iter()
        .filter_map(|id| mapping.primitive_of(id))
        .map(|primitive| primitive.id.as_str())
        .collect();
    primitives.dedup();
    let guidelines: Vec<String> = provision.guidelines.iter().map(u8::to_string).collect();
    let document = mapping
        .framework(&provision.framework)
        .map_or(provision.framework.as_str(), |framework| framework.short.as_str());
    let decision = provision.decision;
    writeln!(
        out,
        "<details id=\"{place}\" class=\"item provision\" data-guidelines=\"{}\" data-primitives=\"{}\" data-framework=\"{}\" data-decision=\"{}\" \
         data-requirements=\"{}\">\n\
         <summary><span class=\"id\">{document} {}</span> <span class=\"decision {}\">{}</span> {}</summary>",
        escaped(&guidelines.join(" ")),
        escaped(&primitives.join(" ")),
        escaped(&provision.framework),
        key(decision),
        escaped(&provision.requirements.join(" ")),
        escaped(&provision.id),
        key(decision),
        decision.in_words(),
        escaped(&provision.summary),
        place = place(&provision.framework, &provision.id),
        document = escaped(document)
    )?;
    writeln!(out, "<p>{}</p>\n<dl>", marked(&provision.reason))?;
    let mut row = |title: &str, text: String| {
        if text.is_empty() {
            Ok(())
        } else {
            writeln!(out, "<dt>{title}</dt><dd>{text}</dd>")
        }
    };
    row("Status", escaped(&provision.status))?;
    row("Requirements", links(&provision.requirements))?;
    row("Duties", links(&provision.duties))?;
    if let Some(relationship) = provision.relationship {
        let near: Vec<String> = provision
            .near
            .iter()
            .map(|id| match mapping.provision(NEWEST, id) {
                Some(_) => format!("<a href=\"#{}\">{}</a>", place(NEWEST, id), escaped(id)),
                None => escaped(id),
            })
            .collect();
        let words = relationship.in_oscal().replace('-', " ");
        row(
            "Crosswalk",
            format!("{words} EN 303 645 V3.1.3 {}", near.join(", ")),
        )?;
    }
    writeln!(out, "</dl>\n</details>")
}
