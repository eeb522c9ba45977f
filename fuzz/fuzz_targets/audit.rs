//! Arbitrary tables: read or refused, and judged without a panic.
//!
//! ```text
//!  input    options 1 | the table
//!  options  bit 0: offline; bit 1: declared; bit 2: all columns but the first are passwords
//! ```
//!
//! What must hold: no panic, no endless loop; a place that is named lies in the table; the same table is judged alike twice.
#![no_main]

use bydesign::credential::audit::{Batch, Columns, Depth, Role, Settings, audit};
use libfuzzer_sys::fuzz_target;

/// Longer tables are slow and show nothing new.
const MOST: usize = 20_000;

fuzz_target!(|input: &[u8]| {
    let Some((options, table)) = input.split_first().filter(|(_, table)| table.len() < MOST) else {
        return;
    };
    let header = table.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = String::from_utf8_lossy(header);
    let mut columns = Columns::default();
    if options & 4 != 0 {
        for name in header.trim_end().split(',').skip(1) {
            columns = columns.with(name, Role::Password);
        }
    }
    let batch = match Batch::read(table, &columns) {
        Ok(batch) => batch,
        Err(error) => {
            let lines = table.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
            assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error}");
            return;
        }
    };
    let settings = Settings {
        offline: options & 1 != 0,
        space_bits: (options & 2 != 0).then_some(40.0),
        alphabet: (options & 2 != 0).then(|| "0123456789abcdef".into()),
        depth: Depth::Quick,
        ..Settings::default()
    };
    let report = audit(&batch, &settings, &|_| ());
    assert!(report.findings.iter().all(|finding| finding.devices <= finding.of));
    assert!(report.findings.iter().all(|finding| !finding.evidence.is_empty()));
    assert_eq!(report, audit(&batch, &settings, &|_| ()));
});
