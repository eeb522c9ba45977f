//! The mapping on a terminal: a line for each guideline; of one guideline, all that belongs to it.
//!
//! ```text
//!  guidelines
//!  table    (this file)
//!  standing
//! ```

use std::io::{self, Write};

use bydesign_mapping::{Guideline, Kind, Mapping};

use super::standing::{Standing, tests};

pub(super) fn write(mapping: &Mapping, out: &mut impl Write) -> io::Result<()> {
    match mapping.guidelines.as_slice() {
        [one] => of_guideline(mapping, one, out),
        all => overview(mapping, all, out),
    }
}

fn overview(mapping: &Mapping, guidelines: &[Guideline], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        " #  {:60}  {:14}  provisions  requirements  tests",
        "guideline", "the library"
    )?;
    for guideline in guidelines {
        let requirements: Vec<_> = mapping.requirements_of_guideline(guideline.number).collect();
        let mut cited: Vec<_> = requirements
            .iter()
            .flat_map(|requirement| tests(mapping, &requirement.id))
            .map(|test| (&test.target, &test.test))
            .collect();
        cited.sort_unstable();
        cited.dedup();
        writeln!(
            out,
            "{:2}  {:60}  {:14}  {:10}  {:12}  {:5}",
            guideline.number,
            guideline.title,
            guideline.decision.in_words(),
            mapping.provisions_of_guideline(guideline.number).count(),
            requirements.len(),
            cited.len()
        )?;
    }
    writeln!(
        out,
        "\nProvisions are those of EN 303 645 V3.1.3. --guideline NUMBER shows one; --format html makes a page with all of it."
    )
}

fn of_guideline(mapping: &Mapping, guideline: &Guideline, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{} {}: {}\n\n{}\n{}",
        guideline.number,
        guideline.title,
        guideline.decision.in_words(),
        guideline.asks,
        guideline.sentence
    )?;
    if !guideline.limits.is_empty() {
        writeln!(out, "\nWhat this does not give you:")?;
        for limit in &guideline.limits {
            writeln!(out, "  {limit}")?;
        }
    }
    writeln!(out, "\nProvisions of EN 303 645 V3.1.3:")?;
    for provision in mapping.provisions_of_guideline(guideline.number) {
        writeln!(
            out,
            "  {:8} {:14} {}\n{:11}{}",
            provision.id,
            provision.decision.in_words(),
            provision.summary,
            "",
            provision.reason
        )?;
        for (title, ids) in [("by", &provision.requirements), ("duties", &provision.duties)] {
            if !ids.is_empty() {
                writeln!(out, "{:11}{title} {}", "", ids.join(", "))?;
            }
        }
    }
    if !mapping.requirements.is_empty() {
        writeln!(out, "\nRequirements:")?;
    }
    for requirement in &mapping.requirements {
        writeln!(
            out,
            "  {} ({})",
            requirement.id,
            Standing::of(mapping, &requirement.id)
        )?;
        for sentence in &requirement.sentences {
            writeln!(out, "    {sentence}")?;
        }
        for code in mapping
            .citations_of(&requirement.id)
            .filter(|citation| citation.kind == Kind::Code)
        {
            writeln!(out, "    code {}:{} {}", code.file, code.line, code.item)?;
        }
        for test in tests(mapping, &requirement.id) {
            writeln!(
                out,
                "    test cargo test {} {} -- --exact",
                test.target, test.test
            )?;
        }
    }
    if !mapping.duties.is_empty() {
        writeln!(out, "\nDuties of yours:")?;
    }
    for duty in &mapping.duties {
        writeln!(out, "  {:5} {}", duty.id, duty.text)?;
    }
    Ok(())
}
