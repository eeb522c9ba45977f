//! A map for machines.
//!
//! ```text
//!  map
//!  json     (this file)
//!  in_json
//! ```

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Map;
use crate::in_json::{layout, page, totals};

pub(super) fn write(of: &Map, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &map(of))?;
    writeln!(out)
}

pub(super) fn map(map: &Map) -> Value {
    json!({
        "image_bytes": map.image_len,
        "outside_bytes": map.outside(),
        "opened": map.is_opened,
        "layout": layout(map.layout),
        "totals": totals(&map.totals()),
        "pages": map.pages.iter().map(page).collect::<Vec<_>>(),
    })
}
