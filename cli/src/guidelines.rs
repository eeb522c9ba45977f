//! `guidelines`: what the library does about each guideline, from the guideline to the test that holds it to it.
//!
//! ```text
//!  lib
//!  guidelines (this file)
//!    table · html     the report
//!    standing         what is known of a requirement
//!  arguments · fault
//!  bydesign_mapping   the mapping, and its forms for programs
//! ```

mod html;
mod standing;
mod table;

use std::fs;
use std::io::Write;

use bydesign_mapping::Mapping;

use crate::Outcome;
use crate::arguments::{Guidelines, MappingFormat};
use crate::fault::Fault;

pub(crate) fn run(arguments: &Guidelines, out: &mut impl Write) -> Result<Outcome, Fault> {
    let tree = &arguments.tree;
    let no_mapping = |reason| Fault::Mapping {
        path: tree.clone(),
        reason,
    };
    let whole = Mapping::read(tree).map_err(no_mapping)?;
    let mapping = match arguments.guideline {
        Some(number) => of_guideline(whole, number),
        None => whole,
    };
    let mut written = Vec::new();
    match arguments.format {
        MappingFormat::Table => table::write(&mapping, &mut written).map_err(Fault::output)?,
        MappingFormat::Csv => written = made(&mapping, CSV).map_err(no_mapping)?.into_bytes(),
        MappingFormat::Json => written = mapping.to_json().into_bytes(),
        MappingFormat::Oscal => written = made(&mapping, OSCAL).map_err(no_mapping)?.into_bytes(),
        MappingFormat::Html => {
            let sources = bydesign_mapping::files(tree);
            html::write(&mapping, &sources, &mut written).map_err(Fault::output)?;
        }
    }
    match &arguments.output {
        Some(output) => fs::write(output, &written).map_err(Fault::write(output))?,
        None => out.write_all(&written).map_err(Fault::output)?,
    }
    Ok(Outcome::Clear)
}

/// The same of one guideline: what does not belong to it is left out.
fn of_guideline(mut mapping: Mapping, number: u8) -> Mapping {
    mapping.guidelines.retain(|guideline| guideline.number == number);
    mapping
        .provisions
        .retain(|provision| provision.guidelines.contains(&number));
    let served: Vec<String> = mapping
        .provisions
        .iter()
        .flat_map(|provision| provision.requirements.iter().cloned())
        .collect();
    mapping
        .requirements
        .retain(|requirement| requirement.guidelines.contains(&number) || served.contains(&requirement.id));
    let kept: Vec<String> = mapping
        .requirements
        .iter()
        .map(|requirement| requirement.id.clone())
        .collect();
    mapping
        .citations
        .retain(|citation| kept.contains(&citation.requirement));
    for primitive in &mut mapping.primitives {
        primitive.requirements.retain(|id| kept.contains(id));
    }
    mapping
        .primitives
        .retain(|primitive| !primitive.requirements.is_empty());
    let named: Vec<String> = (mapping.guidelines.iter().flat_map(|guideline| &guideline.duties))
        .chain(mapping.provisions.iter().flat_map(|provision| &provision.duties))
        .chain(
            mapping
                .requirements
                .iter()
                .flat_map(|requirement| &requirement.duties),
        )
        .cloned()
        .collect();
    mapping.duties.retain(|duty| named.contains(&duty.id));
    mapping
}

/// A file that is made of the mapping for the tree, made of this one.
fn made(mapping: &Mapping, path: &str) -> Result<String, String> {
    bydesign_mapping::render(mapping, &[])
        .remove(path)
        .ok_or_else(|| format!("no {path} is made of it"))
}

const CSV: &str = "docs/guidelines/mapping.csv";
const OSCAL: &str = "compliance/oscal/component-definition.json";
