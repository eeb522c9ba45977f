//! The program: arguments in, report out, and an exit code for scripts.
//!
//! ```text
//!  main     (this file)
//!  the library of this package
//! ```
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use bydesign_cli::arguments::Arguments;
use bydesign_cli::fault::Fault;
use clap::Parser;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let ran = bydesign_cli::run(arguments.command, &mut out);
    let flushed = out.flush().map_err(Fault::output);
    match ran.and_then(|outcome| flushed.map(|()| outcome)) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(fault) => {
            // Nothing more can be done if this cannot be said either.
            let _ = writeln!(io::stderr(), "error: {fault}");
            ExitCode::from(2)
        }
    }
}
