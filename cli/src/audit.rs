//! `audit`: how any vendor's batch of passwords came about.
//!
//! ```text
//!  lib
//!  audit    (this file)
//!    text · json · html     the report
//!  arguments · fault · progress
//!  bydesign::credential::audit
//! ```

mod html;
mod json;
mod text;

use std::fs;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::UNIX_EPOCH;

use bydesign::credential::audit::{self as library, Batch, Columns, Depth, Settings, Verdict};

use crate::Outcome;
use crate::arguments::{Audit, Format};
use crate::fault::Fault;
use crate::progress::Progress;

pub(crate) fn run(arguments: &Audit, out: &mut impl Write) -> Result<Outcome, Fault> {
    let path = &arguments.file;
    let size = fs::metadata(path).map_err(Fault::read(path))?.len();
    if size > MOST_BYTES {
        return Err(Fault::TooLong {
            path: path.clone(),
            limit: MOST_BYTES,
        });
    }
    let bytes = fs::read(path).map_err(Fault::read(path))?;
    let named = arguments
        .column
        .iter()
        .fold(Columns::default(), |columns, (role, header)| {
            columns.with(header, *role)
        });
    let columns = arguments
        .ignore
        .iter()
        .fold(named, |columns, header| columns.without(header));
    let batch = Batch::read(&bytes, &columns).map_err(|reason| Fault::Batch {
        path: path.clone(),
        reason,
    })?;
    drop(bytes);
    let settings = settings(arguments);
    let progress = Progress::of_steps(library::steps(&batch) as u64);
    let report = library::audit(&batch, &settings, &|name| progress.step(name));
    drop(progress);
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let format = if arguments.json {
        Format::Json
    } else {
        arguments.format
    };
    let mut written = Vec::new();
    match format {
        Format::Text => text::write(&report, &name, &mut written),
        Format::Json => json::write(&report, &name, &mut written),
        Format::Html => html::write(&report, &name, &mut written),
    }
    .map_err(Fault::output)?;
    if let Some(output) = &arguments.output {
        fs::write(output, &written).map_err(Fault::write(output))?;
    } else {
        out.write_all(&written).map_err(Fault::output)?;
    }
    Ok(match report.verdict() {
        Verdict::Pass => Outcome::Clear,
        Verdict::Fail => Outcome::Findings,
    })
}

fn settings(arguments: &Audit) -> Settings {
    Settings {
        offline: arguments.offline,
        space_bits: arguments.space_bits,
        alphabet: arguments.alphabet.clone(),
        generator: arguments.generator.clone(),
        names: arguments.name.clone(),
        scheme: arguments.scheme.map(Into::into),
        window: arguments.window.clone(),
        made_about: made_about(&arguments.file),
        depth: if arguments.quick {
            Depth::Quick
        } else {
            Depth::Full
        },
        threads: thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN),
    }
}

/// When the file was written, which may be when the batch was made.
fn made_about(path: &Path) -> Option<u64> {
    let written = fs::metadata(path).ok()?.modified().ok()?;
    Some(written.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// Bytes of a file: some millions of devices.
const MOST_BYTES: u64 = 1 << 30;
