//! Programs that run for long: shown while they run, and kept.
//!
//! ```text
//!  assure
//!    tools · fuzzing · dependencies
//!    running  (this file)
//! ```

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Runs a program, shows what it prints and keeps it. Gives whether it succeeded.
pub(super) fn run_and_keep(root: &Path, program: &[&str]) -> Result<(bool, String), String> {
    run_and_keep_with(root, program, &[])
}

/// As [`run_and_keep`], with more in the environment.
pub(super) fn run_and_keep_with(
    root: &Path,
    program: &[&str],
    environment: &[(&str, &str)],
) -> Result<(bool, String), String> {
    let (name, arguments) = program.split_first().ok_or("there is nothing to run")?;
    eprintln!("$ {}", program.join(" "));
    let child = Command::new(name)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("{name}: {error}"))?;
    let errors = child
        .stderr
        .take()
        .map(|pipe| thread::spawn(move || show_and_keep(pipe)));
    let mut output = child.stdout.take().map(show_and_keep).unwrap_or_default();
    if let Some(errors) = errors {
        output += &errors
            .join()
            .map_err(|_| "a reader of the tool's output died".to_owned())?;
    }
    let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
    Ok((status.success(), output))
}

fn show_and_keep(pipe: impl Read) -> String {
    let mut kept = String::new();
    let mut lines = BufReader::new(pipe);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        eprint!("{text}");
        kept += &text;
        line.clear();
    }
    kept
}
