//! The report of a search for machines.
//!
//! ```text
//!  residue
//!  json     (this file)
//! ```

use std::io::{self, Write};

use bydesign::store::inspect::State;
use serde_json::{Value, json};

use super::{Found, Report, Stale};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &value(report))?;
    writeln!(out)
}

fn value(report: &Report) -> Value {
    let values: Vec<_> = report
        .values
        .iter()
        .map(|value| {
            json!({
                "line": value.line,
                "item": value.item,
                "bytes": value.len,
                "searched_raw": value.is_searched_raw,
                "recovered": !value.found.is_empty(),
                "found": value.found.iter().map(found).collect::<Vec<_>>(),
            })
        })
        .collect();
    let class_keys: Vec<_> = report
        .class_keys
        .iter()
        .map(|key| {
            json!({
                "address": key.address,
                "slot": key.slot,
                "generation": key.generation,
                "current": key.is_current,
            })
        })
        .collect();
    json!({
        "image_bytes": report.image_len,
        "refusal": report.refusal,
        "values": values,
        "recovered": report.values.iter().filter(|value| !value.found.is_empty()).count(),
        "live": report.live,
        "other_stale": report.other_stale.iter().map(stale).collect::<Vec<_>>(),
        "class_keys": class_keys,
        "tried": report.tried,
    })
}

fn found(found: &Found) -> Value {
    match found {
        Found::Clear(at) => json!({ "how": "clear", "address": at }),
        Found::Opened(record) => json!({ "how": "opened", "record": stale(record) }),
        Found::Confirmed => json!({ "how": "confirmed" }),
    }
}

fn stale(record: &Stale) -> Value {
    json!({
        "address": record.address,
        "slot": record.slot,
        "class_generation": record.class_generation,
        "state": state_name(record.state),
    })
}

/// What a record that opens is to the store.
pub(super) const fn state_name(state: Option<State>) -> &'static str {
    match state {
        Some(State::Live) => "live",
        Some(State::Superseded) => "superseded",
        Some(State::Removed) => "removed",
        Some(State::Unaccepted) => "unaccepted",
        Some(State::Dead) => "dead to the store, and opens",
        Some(State::Opened) | None => "not known to the store",
        Some(_) => "not a readable record to the store, and opens",
    }
}
