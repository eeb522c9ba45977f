//! What is made of the mapping: written anew, or held against what is there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bydesign_mapping::Mapping;

/// Makes all generated files and compares, or writes those that differ.
pub(crate) fn run(root: &Path, write: bool) -> Result<(), String> {
    let files = generated(root)?;
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

/// Files that are written by hand but for a table.
const WITH_A_TABLE: [&str; 2] = ["README.md", "src/lib.rs"];

fn generated(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let mapping = Mapping::read(root)?;
    let mut files = bydesign_mapping::render(&mapping, &bydesign_mapping::ixit(root)?);
    for path in WITH_A_TABLE {
        let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))?;
        files.insert(path.to_owned(), bydesign_mapping::within(&mapping, path, &text)?);
    }
    Ok(files)
}
