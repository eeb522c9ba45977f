//! What is made of the mapping: written anew, or held against what is there.

use std::fs;
use std::path::Path;

/// Makes all generated files and compares, or writes those that differ.
pub(crate) fn run(root: &Path, write: bool) -> Result<(), String> {
    let files = bydesign_mapping::generated(root)?;
    let mut stale = Vec::new();
    for (path, text) in &files {
        let at = root.join(path);
        if fs::read_to_string(&at).is_ok_and(|there| there == *text) {
            continue;
        }
        if write {
            if let Some(directory) = at.parent() {
                fs::create_dir_all(directory).map_err(|error| format!("{path}: {error}"))?;
            }
            fs::write(&at, text).map_err(|error| format!("{path}: {error}"))?;
            println!("written: {path}");
        } else {
            stale.push(path.as_str());
        }
    }
    if stale.is_empty() {
        println!("{} files are what the mapping makes", files.len());
        Ok(())
    } else {
        Err(format!(
            "not what the mapping makes any more:\n  {}\nrun cargo xtask mapping --write, and look at the difference",
            stale.join("\n  ")
        ))
    }
}
