//! Pictures of an erasure, drawn by the tool for laboratories from a real run, and held against those in `docs/pictures/`; with the search
//! for what is left, before and after.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::built::Built;

/// Images, and the exit code of a search for the users' values in them: 1, all are found; 0, none is.
const IMAGES: [(&str, i32); 3] = [("before", 1), ("after", 0), ("swept", 0)];

/// Draws and compares, or writes.
pub(crate) fn run(root: &Path, write: bool) -> Result<(), String> {
    let made = root.join("target/pictures");
    let pictures = root.join("docs/pictures");
    let in_made = |name: &str| made.join(name).display().to_string();
    let built = Built::all(root)?;
    ended(built.example("pictured_erase").arg(in_made("")), 0)?;
    let mut different = Vec::new();
    for (name, left) in IMAGES {
        let image = in_made(&format!("{name}.img"));
        let key = in_made("root-key");
        let opened = ["--root-key", &key, "--label", "device"];

        let values = in_made("values");
        let residue = [&["image", "residue", &image][..], &opened, &["--expect", &values]].concat();
        ended(built.tool().args(residue), left)?;

        let drawn = made.join(format!("{name}.svg"));
        let output = drawn.display().to_string();
        let map = [&["image", "map", &image][..], &opened, &["-o", &output]].concat();
        ended(built.tool().args(map), 0)?;

        let picture = pictures.join(format!("{name}.svg"));
        let drawn = fs::read(&drawn).map_err(|error| format!("{}: {error}", drawn.display()))?;
        if write {
            fs::create_dir_all(&pictures)
                .and_then(|()| fs::write(&picture, drawn))
                .map_err(|error| format!("{}: {error}", picture.display()))?;
        } else if fs::read(&picture).ok().as_ref() != Some(&drawn) {
            different.push(picture.display().to_string());
        }
    }
    if different.is_empty() {
        println!("the pictures are those of this code, and the searches end as they must");
        Ok(())
    } else {
        Err(format!(
            "not as drawn now, `cargo xtask pictures --write` draws them anew: {}",
            different.join(", ")
        ))
    }
}

fn ended(program: &mut Command, expected: i32) -> Result<(), String> {
    let status = program
        .status()
        .map_err(|error| format!("{program:?}: {error}"))?;
    if status.code() == Some(expected) {
        Ok(())
    } else {
        Err(format!("{program:?}: {status}, not {expected}"))
    }
}
