//! `verify-label`: does the image take the codes that were scanned off a device?
//!
//! ```text
//!  provision
//!  verify_label (this file)
//!  bydesign::credential::factory
//! ```

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use bydesign::credential::factory::{Profile, is_not_for_sale, verify_label};
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::VerifyLabel;
use crate::fault::Fault;
use crate::key_file::Key;

pub(crate) fn run(arguments: &VerifyLabel, out: &mut impl Write) -> Result<Outcome, Fault> {
    let profile = Profile::read(&arguments.profile)?;
    let root_key = Key::read(&arguments.root_key, "")?.root_key()?;
    let mut image = Vec::new();
    File::open(&arguments.image)
        .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut image))
        .map_err(Fault::read(&arguments.image))?;
    let scanned: Box<dyn BufRead> = if arguments.scanned == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(&arguments.scanned).map_err(Fault::read(&arguments.scanned))?;
        Box::new(BufReader::new(file))
    };
    let (mut belong, mut others) = (0_u64, 0_u64);
    for (number, line) in (1_u64..).zip(scanned.take(MOST_BYTES).lines()) {
        let line = Zeroizing::new(line.map_err(Fault::read(&arguments.scanned))?);
        if line.trim().is_empty() {
            continue;
        }
        // What was scanned is not repeated: it is a secret.
        match verify_label(&profile, &image, &root_key, &line) {
            Ok(what) => {
                belong += 1;
                writeln!(out, "line {number}: {what}: belongs to the image")
            }
            Err(mismatch) => {
                others += 1;
                writeln!(out, "line {number}: {mismatch}")
            }
        }
        .map_err(Fault::output)?;
    }
    if belong + others == 0 {
        return Err(Fault::NothingScanned {
            path: arguments.scanned.clone(),
        });
    }
    // An image that does not mount was told of above.
    if !arguments.not_for_sale && is_not_for_sale(&profile, &image, &root_key).unwrap_or(false) {
        others += 1;
        writeln!(out, "NOT FOR SALE: the image was made with a test seed").map_err(Fault::output)?;
    }
    Ok(if others == 0 {
        Outcome::Clear
    } else {
        Outcome::Findings
    })
}

/// An image has at most 1 MiB and the areas of its limiters.
const MOST_BYTES: u64 = 32 << 20;
