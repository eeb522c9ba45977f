//! Each requirement: its sentences, the code and the tests that cite it, and what is known of them.
//!
//! ```text
//!  html
//!  requirements (this file)
//!  standing
//! ```

use std::io::{self, Write};

use bydesign_mapping::{Citation, File, Kind, Mapping, NEWEST, Requirement};

use super::{links, marked, place};
use crate::guidelines::standing::{Standing, ran_none, record, tests};
use crate::in_html::escaped;

pub(super) fn write(mapping: &Mapping, sources: &[File], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"requirements\" aria-labelledby=\"requirements-title\">\n<h2 id=\"requirements-title\">Requirements, code and tests</h2>"
    )?;
    for primitive in &mapping.primitives {
        writeln!(
            out,
            "<section class=\"group\" id=\"primitive-{id}\" aria-labelledby=\"primitive-{id}-title\">\n\
             <h3 id=\"primitive-{id}-title\">{} <small><code>{}</code></small></h3>",
            escaped(&primitive.title),
            escaped(&primitive.item),
            id = escaped(&primitive.id)
        )?;
        if !primitive.features.is_empty() {
            writeln!(
                out,
                "<p>With feature <code>{}</code>.</p>",
                escaped(&primitive.features.join(", "))
            )?;
        }
        for requirement in primitive
            .requirements
            .iter()
            .filter_map(|id| mapping.requirement(id))
        {
            one(mapping, &primitive.id, requirement, sources, out)?;
        }
        writeln!(out, "</section>")?;
    }
    // What no primitive has would be missed otherwise.
    let without: Vec<&Requirement> = mapping
        .requirements
        .iter()
        .filter(|requirement| mapping.primitive_of(&requirement.id).is_none())
        .collect();
    if !without.is_empty() {
        writeln!(
            out,
            "<section class=\"group\" id=\"no-primitive\" aria-labelledby=\"no-primitive-title\">\n\
             <h3 id=\"no-primitive-title\">Of no primitive</h3>"
        )?;
        for requirement in without {
            one(mapping, "", requirement, sources, out)?;
        }
        writeln!(out, "</section>")?;
    }
    writeln!(out, "</section>")
}

fn one(
    mapping: &Mapping,
    primitive: &str,
    requirement: &Requirement,
    sources: &[File],
    out: &mut impl Write,
) -> io::Result<()> {
    let standing = Standing::of(mapping, &requirement.id);
    let guidelines: Vec<String> = requirement.guidelines.iter().map(u8::to_string).collect();
    let (first, rest) = requirement
        .sentences
        .split_first()
        .map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    writeln!(
        out,
        "<details id=\"{id}\" class=\"item requirement\" data-guidelines=\"{}\" data-primitives=\"{}\" data-evidence=\"{}\">\n\
         <summary><span class=\"id\">{id}</span> {} <span class=\"evidence {}\">{standing}</span></summary>",
        escaped(&guidelines.join(" ")),
        escaped(primitive),
        standing.grade().key(),
        marked(first),
        standing.grade().key(),
        id = escaped(&requirement.id)
    )?;
    for sentence in rest {
        writeln!(out, "<p>{}</p>", marked(sentence))?;
    }
    let served: Vec<String> = requirement
        .provisions
        .iter()
        .map(|id| match mapping.provision(NEWEST, id) {
            Some(_) => format!("<a href=\"#{}\">{}</a>", place(NEWEST, id), escaped(id)),
            None => escaped(id),
        })
        .collect();
    writeln!(
        out,
        "<dl><dt>Serves</dt><dd>guidelines {}; EN 303 645 V3.1.3 {}</dd><dt>Assumes</dt><dd>{}</dd>",
        escaped(&guidelines.join(", ")),
        served.join(", "),
        marked(&requirement.assumes)
    )?;
    if !requirement.duties.is_empty() {
        writeln!(out, "<dt>Duties</dt><dd>{}</dd>", links(&requirement.duties))?;
    }
    writeln!(out, "</dl>\n<h4>Code</h4>\n<ul>")?;
    for citation in mapping.citations_of(&requirement.id) {
        match citation.kind {
            Kind::Code => code(citation, sources, out)?,
            Kind::Exception => writeln!(
                out,
                "<li><code>{}:{}</code> not done: {}</li>",
                escaped(&citation.file),
                citation.line,
                escaped(&citation.reason)
            )?,
            Kind::Test => {}
        }
    }
    writeln!(out, "</ul>\n<h4>Tests</h4>\n<ul>")?;
    for test in tests(mapping, &requirement.id) {
        of_test(mapping, test, out)?;
    }
    writeln!(out, "</ul>")?;
    let mutations: Vec<_> = mapping.mutations(&requirement.id).collect();
    if !mutations.is_empty() {
        writeln!(out, "<h4>Planted bugs</h4>\n<ul>")?;
        for record in mutations {
            write!(
                out,
                "<li>{}: {} of {} seen by the tests, {} at {}",
                escaped(&record.by),
                record.killed,
                record.of_all,
                escaped(&record.of.date),
                escaped(&record.of.commit)
            )?;
            if !record.survived.is_empty() {
                write!(out, "; not seen: {}", escaped(&record.survived.join("; ")))?;
            }
            writeln!(out, "</li>")?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</details>")
}

fn code(citation: &Citation, sources: &[File], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<li><code>{}:{}</code> {}",
        escaped(&citation.file),
        citation.line,
        escaped(&citation.item)
    )?;
    let lines = sources
        .iter()
        .find(|(name, _)| *name == citation.file)
        .map(|(_, text)| excerpt(text, citation.line))
        .unwrap_or_default();
    if !lines.is_empty() {
        writeln!(
            out,
            "<pre tabindex=\"0\" aria-label=\"Code of {}\">{}</pre>",
            escaped(&citation.item),
            lines
        )?;
    }
    writeln!(out, "</li>")
}

/// The first lines of code under a citation, with their numbers.
fn excerpt(text: &str, line: usize) -> String {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .skip(line.saturating_sub(1))
        .skip_while(|(_, line)| line.trim_start().starts_with("//") || line.trim_start().starts_with("#["))
        .take(LINES)
        .collect();
    let indent = lines
        .iter()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(_, line)| line.len() - line.trim_start().len())
        .min()
        .unwrap_or_default();
    let shown: Vec<String> = lines
        .iter()
        .map(|(number, line)| {
            let line = escaped(line.get(indent..).unwrap_or_default());
            format!("{number:5}  {line}").trim_end().to_owned()
        })
        .collect();
    shown.join("\n")
}

fn of_test(mapping: &Mapping, test: &Citation, out: &mut impl Write) -> io::Result<()> {
    write!(
        out,
        "<li><code>{}:{}</code> {}<br><code>cargo test {} {} -- --exact</code><br>",
        escaped(&test.file),
        test.line,
        escaped(
            &test
                .test
                .rsplit("::")
                .next()
                .unwrap_or_default()
                .replace('_', " ")
        ),
        escaped(&test.target),
        escaped(&test.test)
    )?;
    let Some(record) = record(mapping, test) else {
        return writeln!(
            out,
            "<span class=\"result no-record\">last result: not run</span></li>"
        );
    };
    let (class, result) = if !record.passed {
        ("doubtful", "failed")
    } else if ran_none(record) {
        ("doubtful", "passed, and ran none of the cited code")
    } else {
        ("ran", "passed")
    };
    write!(
        out,
        "<span class=\"result {class}\">last result: {result}</span>, {} at {}",
        escaped(&record.of.date),
        escaped(&record.of.commit)
    )?;
    for (title, items) in [("ran", &record.ran), ("did not run", &record.missed)] {
        if !items.is_empty() {
            write!(out, "; {title} <code>{}</code>", escaped(&items.join(", ")))?;
        }
    }
    writeln!(out, "</li>")
}

/// Lines of code that are shown.
const LINES: usize = 6;

#[cfg(test)]
mod tests_of_excerpts {
    use super::*;

    #[test]
    fn an_excerpt_begins_with_the_code_under_the_citation() {
        let text = "fn a() {}\n\n    //= c#a-1\n    //# It MUST.\n    #[inline]\n    fn b() {\n        1 < 2\n    }\n";
        assert_eq!(excerpt(text, 3), "    6  fn b() {\n    7      1 &lt; 2\n    8  }");
        assert_eq!(excerpt(text, 99), "");
    }
}
