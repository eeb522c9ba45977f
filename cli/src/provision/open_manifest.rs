//! `open-manifest`: the rows of a manifest in clear, for the recipient.
//!
//! ```text
//!  provision
//!  open_manifest (this file)
//!  bydesign::credential::factory
//! ```

use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use bydesign::credential::factory::open_row;

use crate::Outcome;
use crate::arguments::OpenManifest;
use crate::fault::Fault;
use crate::key_file::read_secret;

pub(crate) fn run(arguments: &OpenManifest, out: &mut impl Write) -> Result<Outcome, Fault> {
    let key = read_secret(&arguments.private_key)?;
    let file = File::open(&arguments.file).map_err(Fault::read(&arguments.file))?;
    for (line, text) in (1_usize..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(Fault::read(&arguments.file))?;
        let row = open_row(&text, &key).map_err(|reason| Fault::Manifest {
            path: arguments.file.clone(),
            line,
            reason,
        })?;
        if arguments
            .serial
            .as_ref()
            .is_none_or(|serial| *serial == row.serial)
        {
            out.write_all(&row.json)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(Fault::output)?;
        }
    }
    Ok(Outcome::Clear)
}
