//! The report of an inspection for machines.
//!
//! ```text
//!  inspect
//!  json     (this file)
//!  in_json · class_name
//! ```

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Report;
use crate::class_name;
use crate::expected::to_hexadecimal;
use crate::in_json::{layout, page};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &value(report))?;
    writeln!(out)
}

/// The report as JSON. The value that was asked for is in it.
fn value(report: &Report) -> Value {
    let wear = report.wear().map(
        |wear| json!({ "least": wear.least, "most": wear.most, "total": wear.total, "marked": wear.marked }),
    );
    let opened = report.opened.as_ref().map(|opened| {
        let classes: Vec<_> = opened
            .classes
            .iter()
            .map(|class| {
                json!({
                    "slot": class.slot,
                    "class": class.data.map(class_name::of),
                    "opens": class.opens,
                    "generation": class.generation,
                    "since": { "generation": class.since.0, "offset": class.since.1 },
                })
            })
            .collect();
        let items: Vec<_> = opened
            .items
            .iter()
            .map(|item| {
                json!({
                    "class": class_name::of(item.data),
                    "name": item.name,
                    "bytes": item.value_len,
                    "address": item.address,
                    "fixed": item.is_fixed,
                })
            })
            .collect();
        json!({
            "mounts": opened.refusal.is_none(),
            "refusal": opened.refusal.map(|refusal| refusal.to_string()),
            "key_version": opened.key_version,
            "classes": classes,
            "items": items,
        })
    });
    json!({
        "image_bytes": report.image_len,
        "layout": layout(report.layout),
        "wear": wear,
        "pages": report.pages.iter().map(page).collect::<Vec<_>>(),
        "opened": opened,
        "shown": report.shown.as_ref().map(|value| to_hexadecimal(value).to_string()),
    })
}
