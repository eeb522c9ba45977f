//! Other programs, run to their end.
//!
//! ```text
//!  assure · costs · firmware
//!  said   (this file)
//! ```

use std::process::{Command, Stdio};

/// What a program printed; its end with an error is one.
pub(crate) fn said(program: &mut Command) -> Result<String, String> {
    let output = program
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!(
            "{program:?} ended with {}\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}
