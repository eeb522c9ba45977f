//! The batch as its auditor sees it: a table of identifiers and codes, and the verdict on how the codes came about.
//!
//! ```text
//!   main
//!   batch      (this file)
//!   bydesign::credential::audit
//! ```

use std::thread;

use bydesign::credential::audit::{Batch, Columns, Report, Scheme, Settings, audit};

/// One row for each device: serial, model, MAC and code.
pub(crate) fn table<'a>(rows: impl Iterator<Item = [&'a str; 4]>) -> String {
    let mut table = String::from("serial,model,mac,pin\n");
    for row in rows {
        table += &row.join(",");
        table.push('\n');
    }
    table
}

/// Judges a table by the four prohibitions of the PSTI Regulations.
pub(crate) fn judge(table: &str) -> Result<Report, String> {
    let batch = Batch::read(table.as_bytes(), &Columns::default()).map_err(|error| error.to_string())?;
    let mut settings = Settings {
        scheme: Some(Scheme::Plain),
        generator: Some("uniform over 23 symbols, by rejection sampling".into()),
        ..Settings::default()
    };
    if let Ok(threads) = thread::available_parallelism() {
        settings.threads = threads;
    }
    Ok(audit(&batch, &settings, &|_| ()))
}
