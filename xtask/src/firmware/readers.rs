//! What others read of the flash that the firmware wrote: the laboratory's tool, and the second reader, in Python, that shares no code.
//!
//! ```text
//!  firmware
//!    readers  (this file)
//!  bydesign image · tests/reader/reader.py
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::board::Made;
use super::model::Model;
use crate::built::Built;
use crate::said::said;

/// The label in the factory's profiles.
const LABEL: &str = "lifecycle";
/// Values that one search looks for, the newest first: a search for thousands would take longer than the cuts.
const MOST_EXPECTED: usize = 1000;
/// After each erasure those that went last are looked for.
pub(super) const JUST_GONE: usize = 100;

pub(super) struct Readers {
    root: PathBuf,
    built: Built,
    has_python: bool,
}

impl Readers {
    pub(super) fn find(root: &Path) -> Result<Self, String> {
        let cryptography = Command::new("python3")
            .args(["-c", "import cryptography"])
            .stderr(Stdio::null())
            .status();
        Ok(Self {
            root: root.to_owned(),
            built: Built::all(root)?,
            has_python: cryptography.is_ok_and(|status| status.success()),
        })
    }

    pub(super) fn names(&self) -> &'static str {
        if self.has_python {
            "the laboratory's tool and the second reader"
        } else {
            "the laboratory's tool"
        }
    }

    pub(super) fn left_out(&self) -> Option<&'static str> {
        (!self.has_python).then_some("the second reader, for want of python3 with the package cryptography")
    }

    /// Reads the store's part of the flash, and looks for values that ought to be gone. Gives how many. Nothing is under way.
    pub(super) fn look(&self, made: &Made, model: &Model) -> Result<usize, String> {
        let image = copy(made)?;
        let key = made.folder.join("root.key");

        let mut inspect = self.built.tool();
        inspect
            .args(["image", "inspect"])
            .arg(&image)
            .arg("--root-key")
            .arg(&key);
        said(inspect.args(["--label", LABEL]))
            .map_err(|reason| format!("the laboratory's tool: {reason}"))?;

        if self.has_python {
            let mut reader = Command::new("python3");
            reader.arg(self.root.join("tests/reader/reader.py")).arg(&image);
            reader.args(["--root-key", &made.root_key_text, "--label", LABEL]);
            reader.env("PYTHONDONTWRITEBYTECODE", "1");
            let read = said(&mut reader).map_err(|reason| format!("the second reader: {reason}"))?;
            compare(&read, model)?;
        }

        let looked_for = self.look_for_gone(made, model, MOST_EXPECTED)?;
        // What is there is found, or the search sees nothing.
        let mut there = String::new();
        for (class, name, value) in model.live() {
            let _ = writeln!(there, "{class}/{name} = {value}");
        }
        if !there.is_empty() {
            self.search(made, &there, true)?;
        }
        Ok(looked_for)
    }

    /// As the flash lies there, whatever was under way: nothing that was acknowledged to be gone is to be had. Gives how much was looked for.
    pub(super) fn look_for_gone(&self, made: &Made, model: &Model, most: usize) -> Result<usize, String> {
        copy(made)?;
        let gone: Vec<_> = model.gone().collect();
        let looked_for = &gone[gone.len().saturating_sub(most)..];
        let mut list = String::new();
        for (class, name, value) in looked_for {
            let _ = writeln!(list, "{class}/{name} = {value}");
        }
        if !looked_for.is_empty() {
            self.search(made, &list, false)?;
        }
        Ok(looked_for.len())
    }

    /// Of a list, all is found, or nothing.
    fn search(&self, made: &Made, list: &str, is_there: bool) -> Result<(), String> {
        let all = list.lines().count();
        let found = format!(
            "{} of {all} expected values recovered",
            if is_there { all } else { 0 }
        );
        let expected = made.folder.join("expected");
        fs::write(&expected, list).map_err(|error| format!("{}: {error}", expected.display()))?;
        let mut residue = self.built.tool();
        residue
            .args(["image", "residue"])
            .arg(made.folder.join("store.bin"));
        residue
            .arg("--root-key")
            .arg(made.folder.join("root.key"))
            .args(["--label", LABEL, "--expect"]);
        let output = residue
            .arg(&expected)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the search: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains(&found) {
            return Ok(());
        }
        Err(format!(
            "not {found}:\n{text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        ))
    }
}

/// The store's part of the flash.
fn copy(made: &Made) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", made.folder.display());
    let flash = fs::read(&made.flash).map_err(failed)?;
    let image = made.folder.join("store.bin");
    fs::write(&image, flash.get(..made.store_bytes).unwrap_or(&flash)).map_err(failed)?;
    Ok(image)
}

/// The second reader's lines are those of the model; the library's and the factory's own items are besides.
fn compare(read: &str, model: &Model) -> Result<(), String> {
    for (class, name, value) in model.live() {
        let line = format!("{}\t{name}\t{value}", class.replace(':', " "));
        if !read.lines().any(|read| read == line) {
            return Err(format!("the second reader does not find {line:?} in\n{read}"));
        }
    }
    let of_the_work = |line: &&str| {
        let name = line.split('\t').nth(1).unwrap_or_default();
        name.len() == 2 && name.starts_with('n')
    };
    let (found, live) = (read.lines().filter(of_the_work).count(), model.live().count());
    if found == live {
        Ok(())
    } else {
        Err(format!(
            "the second reader finds {found} items, where {live} are\n{read}"
        ))
    }
}
