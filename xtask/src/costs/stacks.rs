//! What images take of the stack, and whether what they wipe of it is as deep as what they ran there.
//!
//! ```text
//!  costs
//!    stacks   (this file)
//!    frames · sizes
//!  firmware/src/size · firmware/src/measure.rs · firmware/src/lifecycle.rs · tests/linked
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Target;
use super::frames::{Frames, Room};
use super::sizes::{BROKEN_DOWN, readable, sets, target_folder, tool};
use crate::said::said;

/// What is known of the stacks of all images on a target.
pub(super) struct Stacks {
    /// The deepest chain of calls of each set.
    pub(super) deepest: Vec<(&'static str, u64)>,
    /// What is wiped that is not deep enough, said.
    pub(super) shallow: Vec<String>,
    /// Of the image that is broken down.
    rooms: Vec<Room>,
}

/// Images beside those whose size is measured: among them they call every operation that the blocking faces have.
const BESIDE: [&str; 3] = ["measure", "lifecycle", "linked"];

pub(super) fn measure(root: &Path, target: &Target) -> Result<Stacks, String> {
    let mut stacks = Stacks {
        deepest: Vec::new(),
        shallow: Vec::new(),
        rooms: Vec::new(),
    };
    let mut checked = 0_usize;
    for set in sets().chain(BESIDE) {
        let image = image(root, target, set)?;
        let mut objdump = tool("llvm-objdump")?;
        objdump.args(["--disassemble", "--demangle", "--no-show-raw-insn"]);
        let said_of = |why| format!("{}: {why}", image.display());
        let frames = Frames::read(&said(objdump.arg(&image))?).map_err(said_of)?;
        if !BESIDE.contains(&set) {
            stacks
                .deepest
                .push((set, frames.deepest_of_library().map_err(said_of)?));
        }
        let rooms = frames.rooms().map_err(said_of)?;
        checked += rooms.len();
        stacks
            .shallow
            .extend(rooms.iter().filter(|room| room.is_shallow()).map(|room| {
                format!(
                    "{set} on {}: {} runs {} bytes of frames on a stack of which {} are wiped",
                    target.core,
                    readable(&room.of),
                    room.frames,
                    room.wiped
                )
            }));
        if set == BROKEN_DOWN {
            stacks.rooms = rooms;
        }
    }
    if checked == 0 {
        return Err("no image wipes a stack: the names of the routines that do have changed".to_owned());
    }
    stacks.shallow.sort_unstable();
    stacks.shallow.dedup();
    Ok(stacks)
}

/// The image of a set, built.
fn image(root: &Path, target: &Target, set: &str) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--target", target.triple]);
    if set == "linked" {
        let folder = root.join("target/linked-z");
        said(
            cargo
                .current_dir(root.join("tests/linked"))
                .env("CARGO_TARGET_DIR", &folder)
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
                .env(
                    "RUSTFLAGS",
                    "-C link-arg=--entry=begin --cfg sha2_backend_soft=\"compact\"",
                ),
        )?;
        return Ok(folder.join(target.triple).join("release/linked"));
    }
    let name = if BESIDE.contains(&set) {
        set.to_owned()
    } else {
        format!("size-{set}")
    };
    said(cargo.args(["--bin", &name]).current_dir(root.join("firmware")))?;
    Ok(target_folder(root, target).join(name))
}

impl Stacks {
    /// Each wiped stack of the image that is broken down, the deepest first.
    pub(super) fn table(mut self) -> String {
        self.rooms.sort_by_key(|room| core::cmp::Reverse(room.frames));
        let mut text = format!(
            "\nEach wiped stack of `{BROKEN_DOWN}`:\n\n| called in | frames | with wipes of their own | wiped |\n| --- | ---: | ---: | ---: |\n"
        );
        for room in &self.rooms {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                readable(&room.of),
                room.frames,
                room.deepest,
                room.wiped
            );
        }
        text
    }
}
