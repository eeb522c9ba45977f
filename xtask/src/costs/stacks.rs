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
use super::sizes::{self, BROKEN_DOWN, readable, sets, tool};
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

/// The image of a set: those whose size is measured have been built for that.
fn image(root: &Path, target: &Target, set: &str) -> Result<PathBuf, String> {
    if !BESIDE.contains(&set) {
        return Ok(sizes::image(root, target, set));
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--target", target.triple]);
    if set == "linked" {
        let folder = root.join("target/linked-z");
        cargo
            .current_dir(root.join("tests/linked"))
            .env("CARGO_TARGET_DIR", &folder)
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z")
            .env(
                "RUSTFLAGS",
                "-C link-arg=--entry=begin --cfg sha2_backend_soft=\"compact\"",
            );
        said(&mut cargo)?;
        return Ok(folder.join(target.triple).join("release/linked"));
    }
    said(cargo.args(["--bin", set]).current_dir(root.join("firmware")))?;
    Ok(sizes::folder(root, target).join(set))
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Where the blocking faces are.
    const FACES: [&str; 6] = [
        "src/store/blocking.rs",
        "src/credential/device.rs",
        "src/credential/limiter/blocking.rs",
        "src/credential/reseal.rs",
        "src/erase.rs",
        "src/telemetry/gate/blocking.rs",
    ];
    /// How their operations come to a stack that is wiped.
    const WIPED: [&str; 6] = [
        "run_within::<",
        "run_beside::<",
        " run(",
        " read(",
        " begin(",
        " salvage::<",
    ];

    /// Called by another of ours, which is called there.
    const THROUGH: [(&str, &str); 1] = [("succeed", "settle")];

    /// Public functions of a source that run on a wiped stack.
    fn operations(source: &str) -> Vec<&str> {
        let (mut found, mut name) = (Vec::new(), None);
        for line in source.lines() {
            if let Some(begins) = line.trim_start().strip_prefix("pub fn ") {
                name = begins.split(['(', '<']).next();
            } else if WIPED.iter().any(|wiped| line.contains(wiped)) {
                found.extend(name.take());
            }
        }
        found
    }

    #[test]
    fn every_operation_on_a_wiped_stack_is_called_in_an_image_that_is_looked_at() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let linked = fs::read_to_string(root.join("tests/linked/src/main.rs")).unwrap();
        let mut seen = 0;
        for face in FACES {
            let source = fs::read_to_string(root.join(face)).unwrap();
            for name in operations(&source) {
                seen += 1;
                let through = THROUGH.iter().find(|(called, _)| *called == name);
                let name = through.map_or(name, |(_, by)| by);
                let calls = [format!(".{name}("), format!("::{name}("), format!("{name}::<")];
                let is_called = calls.iter().any(|call| linked.contains(call.as_str()));
                assert!(is_called, "{face}: {name}");
            }
        }
        assert!(seen > 50, "{seen}");
    }
}
