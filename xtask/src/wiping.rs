//! What is left of secrets in memory, on optimised binaries: the work of `tests/wiping`, built as it is and with wipes taken out.
//!
//! Without a change nothing may be found. With a wipe taken out something must be, or the search sees nothing: each control is a bug planted
//! in a copy of the tree, as in `plants.rs`, and what the search finds then is part of the result.
//!
//! ```text
//!  host     x86-64 Linux, memory read through /proc            always
//!  device   Cortex-M4 in QEMU, all memory written to a file    where QEMU and the target are there
//!  drops    instructions of each Drop, for thumbv7em           where the target and llvm-objdump are there
//! ```
//!
//! Compiled without waits, as devices with blocking drivers have it, and with them, for both faces.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::plants;

const TARGET: &str = "thumbv7em-none-eabihf";
const QEMU: &str = "qemu-system-arm";
/// Seeds of the two runs, as in the search.
const SEEDS: [u32; 2] = [20_261, 7_128];
/// What the portable code of the cipher takes, which devices run.
const FLAGS: &str = "--cfg chacha20_backend=\"soft\" --cfg poly1305_backend=\"soft\"";
/// A run on the emulated device takes about a second.
const PATIENCE: Duration = Duration::from_secs(120);

/// A wipe that is taken out, and what the search must say then.
struct Control {
    name: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
    found: &'static str,
    /// Also tried when there is little time.
    always: bool,
    /// Seen where the async face is.
    face: Face,
}

/// How the library is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Blocking,
    Both,
}

impl Face {
    fn said(self) -> &'static str {
        match self {
            Self::Blocking => "without waits",
            Self::Both => "with both faces",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Blocking => &[],
            Self::Both => &["--features", "async"],
        }
    }
}

const CONTROLS: [Control; 5] = [
    Control {
        name: "operations do not wipe their stack",
        file: "src/store/blocking.rs",
        old: "    on_wiped_stack::<LargeRoom<Store<M, I>, ()>, _>(|| {",
        new: "    on_wiped_stack::<[u8; 1], _>(|| {",
        found: "after mount: the store seal in the dead stack",
        always: true,
        face: Face::Blocking,
    },
    Control {
        name: "calls of the cipher do not wipe their stack",
        file: "src/crypto.rs",
        old: "type OpenRoom = [u8; 320 * size_of::<usize>()];",
        new: "type OpenRoom = [u8; 1];",
        found: "after async get_bytes: the one-time key of a record in the dead stack",
        always: false,
        face: Face::Both,
    },
    Control {
        name: "signatures do not wipe their stack",
        file: "src/crypto/sign.rs",
        old: "type SignatureRoom = [usize; 2560];",
        new: "type SignatureRoom = [usize; 1];",
        found: "after signed receipt: the identity's",
        always: false,
        face: Face::Blocking,
    },
    Control {
        name: "a secret is not wiped when it is dropped",
        file: "src/secret.rs",
        old: "#[derive(Zeroize, ZeroizeOnDrop)]\npub struct Secret",
        new: "#[derive(Zeroize)]\npub struct Secret",
        found: "after drop: the wrap key in the static memory",
        always: true,
        face: Face::Blocking,
    },
    Control {
        name: "a running hash is not wiped when it is dropped",
        file: "src/crypto.rs",
        old: "        self.0 = SipHasher24::new();\n",
        new: "",
        found: "after drop: the structure key in the static memory",
        always: false,
        face: Face::Blocking,
    },
];

/// The plant that takes the wipe out of `Secret` must not fail to compile for want of a marker.
const MARKER: (&str, &str, &str) = (
    "src/secret.rs",
    "#[derive(ZeroizeOnDrop)]\npub struct RootKey",
    "pub struct RootKey",
);

/// Symbols of the device binary; the number in each is how many bytes it must overwrite.
const DROPS: [&str; 4] = [
    "drop_16_secret",
    "drop_32_secret",
    "drop_32_root_key",
    "drop_192_ram",
];

/// Everything, or with `is_short` optimisation for size only, without waits, and two controls.
pub(crate) fn run(root: &Path, is_short: bool) -> Result<(), String> {
    if std::env::consts::ARCH != "x86_64" || std::env::consts::OS != "linux" {
        return Err("the host part reads the memory of an x86-64 Linux program".to_owned());
    }
    let tools = Tools::find(root)?;
    let tree = root.join("target/wiping/tree");
    plants::copy(root, Path::new(""), &tree)?;
    let search = build_search(&tree)?;
    let levels: &[&str] = if is_short { &["s"] } else { &["3", "s", "z"] };
    let mut failures = Vec::new();

    let faces: &[Face] = if is_short {
        &[Face::Blocking]
    } else {
        &[Face::Blocking, Face::Both]
    };
    for (level, face) in levels
        .iter()
        .flat_map(|level| faces.iter().map(move |face| (level, *face)))
    {
        for (place, outcome) in both(&tree, &tools, &search, level, face)? {
            let how = face.said();
            println!("{place} at {level}, {how}: {}", outcome.summary());
            if !outcome.is_clean {
                println!("{}", outcome.text);
                failures.push(format!("{place} at {level}, {how}: secrets were found"));
            }
        }
    }
    if let Some(objdump) = &tools.objdump {
        failures.extend(check_drops(&tree, objdump)?);
    }
    for control in CONTROLS.iter().filter(|control| control.always || !is_short) {
        let edits = [(control.file, control.old, control.new), MARKER];
        let edits = if control.file == MARKER.0 {
            &edits[..]
        } else {
            &edits[..1]
        };
        let before = plant(&tree, edits)?;
        let outcomes = both(&tree, &tools, &search, "s", control.face);
        let drops = match &tools.objdump {
            Some(objdump) if control.name.starts_with("a secret") => Some(check_drops(&tree, objdump)),
            _ => None,
        };
        for (file, text) in before {
            write(&tree, &file, &text)?;
        }
        for (place, outcome) in outcomes? {
            let is_seen = !outcome.is_clean && outcome.text.contains(control.found);
            println!(
                "control on the {place}, {}: {}",
                control.name,
                if is_seen { "found" } else { "NOT FOUND" }
            );
            if !is_seen {
                println!("{}", outcome.text);
                failures.push(format!(
                    "the search on the {place} does not see that {}",
                    control.name
                ));
            }
        }
        if let Some(drops) = drops
            && drops?.is_empty()
        {
            failures.push("the look at the drops does not see that a secret is not wiped".to_owned());
        }
    }
    println!("\n{}", tools.said());
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

// ---- tools ----

struct Tools {
    qemu: bool,
    objdump: Option<PathBuf>,
}

impl Tools {
    fn find(root: &Path) -> Result<Self, String> {
        let library = Command::new("rustc")
            .args(["--print", "target-libdir"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("rustc: {error}"))?;
        let library = PathBuf::from(String::from_utf8_lossy(&library.stdout).trim());
        let has_target = Command::new("rustc")
            .args(["--print", "target-libdir", "--target", TARGET])
            .current_dir(root)
            .output()
            .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).exists());
        let qemu = Command::new(QEMU).arg("--version").output().is_ok();
        let objdump = library.with_file_name("bin").join("llvm-objdump");
        Ok(Self {
            qemu: qemu && has_target,
            objdump: (has_target && objdump.exists()).then_some(objdump),
        })
    }

    fn said(&self) -> String {
        let mut said = String::from("looked at: host");
        if self.qemu {
            said += ", device";
        }
        if self.objdump.is_some() {
            said += ", drops";
        }
        if !self.qemu || self.objdump.is_none() {
            said +=
                "\nLEFT OUT, for want of qemu-system-arm, the target thumbv7em-none-eabihf or llvm-tools: ";
            said += if self.qemu {
                "drops"
            } else if self.objdump.is_some() {
                "device"
            } else {
                "device, drops"
            };
        }
        said
    }
}

// ---- building and running ----

struct Outcome {
    is_clean: bool,
    text: String,
}

impl Outcome {
    fn summary(&self) -> &str {
        self.text.lines().last().unwrap_or_default()
    }
}

fn cargo(tree: &Path, level: &str, flags: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("cargo")
        .args(["build", "--quiet", "--release"])
        .args(arguments)
        .current_dir(tree.join("tests/wiping"))
        .env("CARGO_TARGET_DIR", tree.with_file_name("target"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)
        .env("RUSTFLAGS", flags)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The search is built once: it shares no code with what it looks at.
fn build_search(tree: &Path) -> Result<PathBuf, String> {
    cargo(tree, "3", FLAGS, &["--bin", "search"])?;
    let (built, kept) = (
        tree.with_file_name("target").join("release/search"),
        tree.with_file_name("search"),
    );
    fs::copy(&built, &kept).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(kept)
}

/// The outcome on the host, and on the device where there is one.
fn both(
    tree: &Path,
    tools: &Tools,
    search: &Path,
    level: &str,
    face: Face,
) -> Result<Vec<(&'static str, Outcome)>, String> {
    cargo(
        tree,
        level,
        FLAGS,
        &[&["--bin", "work"], face.arguments()].concat(),
    )?;
    let work = tree.with_file_name("target").join("release/work");
    let mut outcomes = vec![("host", look(search, &["host", &work.display().to_string()])?)];
    if tools.qemu {
        build_device(tree, level, face)?;
        let [first, second] = SEEDS.map(|seed| emulate(tree, seed));
        outcomes.push(("device", look(search, &["dump", &first?, &second?])?));
    }
    Ok(outcomes)
}

fn look(search: &Path, arguments: &[&str]) -> Result<Outcome, String> {
    let output = Command::new(search)
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", search.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    match output.status.code() {
        Some(0) => Ok(Outcome { is_clean: true, text }),
        Some(1) => Ok(Outcome {
            is_clean: false,
            text,
        }),
        _ => Err(format!(
            "the search failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

fn build_device(tree: &Path, level: &str, face: Face) -> Result<(), String> {
    let flags = format!("{FLAGS} -C link-arg=-Tmemory.x");
    let arguments = [&["--bin", "work", "--target", TARGET], face.arguments()].concat();
    cargo(tree, level, &flags, &arguments)
}

fn device_binary(tree: &Path) -> PathBuf {
    tree.with_file_name("target").join(TARGET).join("release/work")
}

/// Runs the work in QEMU and gives the file with its memory.
fn emulate(tree: &Path, seed: u32) -> Result<String, String> {
    let place = tree.with_file_name(format!("run-{seed}"));
    let dump = place.join("wiping.dump");
    fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    if dump.exists() {
        fs::remove_file(&dump).map_err(|error| format!("{}: {error}", dump.display()))?;
    }
    let mut machine = Command::new(QEMU)
        .args([
            "-M",
            "mps2-an386",
            "-nographic",
            "-monitor",
            "none",
            "-serial",
            "none",
        ])
        .args([
            "-semihosting-config",
            "enable=on,target=native",
            "-icount",
            "shift=6",
        ])
        .arg("-device")
        .arg(format!("loader,addr=0x21000000,data={seed},data-len=4"))
        .arg("-kernel")
        .arg(device_binary(tree))
        .current_dir(&place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{QEMU}: {error}"))?;
    let begun = Instant::now();
    let ended: ExitStatus = loop {
        if let Some(ended) = machine.try_wait().map_err(|error| format!("{QEMU}: {error}"))? {
            break ended;
        }
        if begun.elapsed() > PATIENCE {
            let _ = machine.kill();
            let _ = machine.wait();
            return Err("the device did not come to its end".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if ended.success() {
        Ok(dump.display().to_string())
    } else {
        Err(format!("the work on the device failed: {ended}"))
    }
}

// ---- drops ----

/// Each drop must end in writes: its own, or those of a function that it calls whose name says so.
fn check_drops(tree: &Path, objdump: &Path) -> Result<Vec<String>, String> {
    build_device(tree, "s", Face::Blocking)?;
    let output = Command::new(objdump)
        .args(["--disassemble", "--demangle", "--no-show-raw-insn"])
        .arg(device_binary(tree))
        .output()
        .map_err(|error| format!("{}: {error}", objdump.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut failures = Vec::new();
    for name in DROPS {
        let expected = name.split('_').find_map(|part| part.parse().ok()).unwrap_or(0);
        match overwritten(&text, name, 0) {
            None => failures.push(format!("{name}: not in the binary")),
            Some(bytes) if bytes < expected => {
                failures.push(format!("{name}: overwrites {bytes} bytes of {expected}"));
            }
            Some(bytes) => println!("{name}: stores or a call that clears, for {bytes} bytes at least"),
        }
    }
    Ok(failures)
}

/// Bytes that the instructions of a function overwrite, with those of the functions it calls: stores, and loops that store a byte at a time.
/// `None` if it is not there.
fn overwritten(text: &str, function: &str, calls: usize) -> Option<usize> {
    let label = format!(" <{function}>:");
    let body: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.ends_with(&label))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    if body.is_empty() {
        return None;
    }
    let mut bytes = 0;
    for (at, line) in body.iter().enumerate() {
        let Some((_, instruction)) = line.split_once(':') else {
            continue;
        };
        let (operation, operands) = instruction
            .trim()
            .split_once(char::is_whitespace)
            .unwrap_or_default();
        let operands = operands.trim();
        let name = operation.trim_end_matches(".w");
        bytes += match name {
            // The frame is no secret.
            _ if operands.contains("[sp") || operands.contains("[r7") => 0,
            // strb r1, [r0, r2] in a loop that ends with cmp r2, #0x20
            "strb" => match operands.rsplit_once(", r") {
                Some((_, index)) if operands.contains("[r") => {
                    let compared = format!("r{}, #0x", index.trim_end_matches(']'));
                    (body.iter().skip(at).take(4))
                        .filter(|line| line.contains("cmp"))
                        .find_map(|line| line.split_once(&compared))
                        .and_then(|(_, number)| usize::from_str_radix(number.trim(), 16).ok())
                        .unwrap_or(1)
                }
                _ => 1,
            },
            "strh" => 2,
            "str" => 4,
            "strd" => 8,
            "b" | "bl" if calls < 3 => (operands.split_once('<'))
                .and_then(|(_, callee)| callee.rsplit_once('>'))
                .filter(|(callee, _)| !callee.contains('+') && *callee != function)
                .and_then(|(callee, _)| overwritten(text, callee, calls + 1))
                .unwrap_or(0),
            _ => 0,
        };
    }
    Some(bytes)
}

// ---- the copy ----

/// Puts the changes into the copy. Gives the files as they were.
fn plant(tree: &Path, edits: &[(&str, &str, &str)]) -> Result<Vec<(String, String)>, String> {
    let mut before = Vec::new();
    for (file, old, new) in edits {
        let text = fs::read_to_string(tree.join(file)).map_err(|error| format!("{file}: {error}"))?;
        if text.matches(old).count() != 1 {
            return Err(format!(
                "{file}: the text to replace stands there {} times:\n{old}",
                text.matches(old).count()
            ));
        }
        write(tree, file, &text.replacen(old, new, 1))?;
        if !before.iter().any(|(known, _)| known == file) {
            before.push(((*file).to_owned(), text));
        }
    }
    Ok(before)
}

fn write(tree: &Path, file: &str, text: &str) -> Result<(), String> {
    fs::write(tree.join(file), text).map_err(|error| format!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "
00000010 <clears>:
      10:      \tmovs\tr2, #0x0
      12:      \tstrb\tr1, [r0, r2]
      14:      \tadds\tr2, #0x1
      16:      \tcmp\tr2, #0x20
      18:      \tbne\t0x12 <clears+0x2> @ imm = #-0xa
      1a:      \tstrd\tr3, r3, [r0, #32]
      1c:      \tbx\tlr

00000020 <passes on>:
      20:      \tb.w\t0x10 <clears> @ imm = #0x1

00000030 <forgets>:
      30:      \tstr\tr0, [sp]
      32:      \tbx\tlr
";

    #[test]
    fn stores_and_loops_of_a_function_and_of_those_it_calls_are_counted() {
        assert_eq!(overwritten(CODE, "clears", 0), Some(40));
        assert_eq!(overwritten(CODE, "passes on", 0), Some(40));
        assert_eq!(overwritten(CODE, "forgets", 0), Some(0));
        assert_eq!(overwritten(CODE, "absent", 0), None);
    }

    #[test]
    fn every_control_has_its_place_in_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (file, old) in CONTROLS
            .iter()
            .map(|control| (control.file, control.old))
            .chain([(MARKER.0, MARKER.1)])
        {
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert_eq!(text.matches(old).count(), 1, "{file}: {old}");
        }
    }
}
