//! Programs of the workspace, built as `cargo test --workspace` builds them: for the features of one package alone, the library would be built
//! once more.
//!
//! ```text
//!  pictures · blocklist · firmware
//!  built  (this file)
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::said::said;

/// Where they are.
pub(crate) struct Built(PathBuf);

impl Built {
    /// Builds them, where that was not done.
    pub(crate) fn all(root: &Path) -> Result<Self, String> {
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--workspace", "--bin", "bydesign"]);
        // Where examples are built, Cargo adds what the tests ask for of the library.
        cargo.args(["--example", "pictured_erase", "--example", "own_blocklist"]);
        said(cargo.current_dir(root))?;
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self(target.join("debug")))
    }

    /// The tool for laboratories and factories.
    pub(crate) fn tool(&self) -> Command {
        Command::new(self.0.join("bydesign"))
    }

    /// One of the examples that are built here.
    pub(crate) fn example(&self, name: &str) -> Command {
        Command::new(self.0.join("examples").join(name))
    }
}
