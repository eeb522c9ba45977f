//! The report of a search for people.
//!
//! ```text
//!  residue
//!  text     (this file)
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::json::state_name;
use super::{Found, FoundKey, Report, Stale};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if let Some(refusal) = &report.refusal {
        writeln!(out, "what is live is not known: {refusal}\n")?;
    }
    for value in &report.values {
        let item = value
            .item
            .as_deref()
            .map_or(String::new(), |item| format!(" {item}"));
        let verdict = if value.found.is_empty() {
            "not found"
        } else {
            "RECOVERED"
        };
        let raw = if value.is_searched_raw {
            ""
        } else {
            ", too short to be searched in the raw bytes"
        };
        writeln!(
            out,
            "{verdict}  line {}{item} ({} bytes{raw})",
            value.line, value.len
        )?;
        for found in &value.found {
            match found {
                Found::Clear(at) => writeln!(out, "           in clear at {at:08x}")?,
                Found::Opened(record) => writeln!(out, "           {}", opened(record))?,
                Found::Confirmed => writeln!(out, "           remains of its record confirm it")?,
            }
        }
    }
    let recovered = report
        .values
        .iter()
        .filter(|value| !value.found.is_empty())
        .count();
    writeln!(
        out,
        "\n{recovered} of {} expected values recovered; {} openings tried in {} bytes",
        report.values.len(),
        report.tried,
        report.image_len
    )?;
    writeln!(out, "{} live records open", report.live)?;
    writeln!(
        out,
        "{} other records that are not live open",
        report.other_stale.len()
    )?;
    let mut by_state: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for record in &report.other_stale {
        let places = by_state.entry(state_name(record.state)).or_default();
        places.push(format!("{:08x}", record.address));
    }
    for (state, places) in by_state {
        writeln!(out, "    {state}: {}, at {}", places.len(), places.join(" "))?;
    }
    let (current, elsewhere): (Vec<&FoundKey>, Vec<&FoundKey>) =
        report.class_keys.iter().partition(|key| key.is_current);
    writeln!(
        out,
        "{} class keys open on the current key page, {} elsewhere",
        current.len(),
        elsewhere.len()
    )?;
    for key in elsewhere {
        writeln!(
            out,
            "    slot {}, generation {}, at {:08x}",
            key.slot, key.generation, key.address
        )?;
    }
    Ok(())
}

fn opened(record: &Stale) -> String {
    format!(
        "opens at {:08x} under the key of slot {}, generation {}: {}",
        record.address,
        record.slot,
        record.class_generation,
        state_name(record.state)
    )
}
