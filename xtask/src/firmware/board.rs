//! The two boards, and what the factory makes for each.
//!
//! ```text
//!  firmware
//!    board    (this file)
//!  firmware/ · bydesign provision
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::built::Built;
use crate::said::said;

use super::Dice;

/// A board in the emulator.
pub(super) struct Board {
    pub(super) name: &'static str,
    pub(super) program: &'static str,
    target: &'static str,
    /// The machine, and its flash, whose file comes last.
    pub(super) machine: &'static [&'static str],
    pub(super) flash: &'static str,
    pub(super) kernel: &'static str,
    /// Where the orders lie, `firmware/src/orders.rs`.
    pub(super) orders: u64,
    /// The store's part of the flash, from its beginning.
    pub(super) store_bytes: usize,
    flash_bytes: usize,
    pub(super) unit_bytes: usize,
    pub(super) is_overwritable: bool,
    pub(super) own_end: OwnEnd,
    pub(super) longest_milliseconds: u64,
    /// How it is cut from outside: the one writes to its file behind the guest's back and loses what a hard kill finds under way, the other does not,
    /// and may hang when it is asked.
    pub(super) is_asked_to_end: bool,
}

/// How a board ends by itself.
pub(super) enum OwnEnd {
    /// The image resets its core after a number of ticks.
    Reset { longest_ticks: u64 },
    /// The board turns itself off at a chosen moment of its flash.
    Moments,
}

pub(super) const BOARDS: [Board; 2] = [
    Board {
        name: "serial",
        program: "qemu-system-arm",
        target: "thumbv7em-none-eabihf",
        machine: &["-M", "ast1030-evb,fmc-model=w25q32"],
        flash: "if=mtd,format=raw,file=",
        kernel: "-kernel",
        orders: 0xbf000,
        store_bytes: 16 * 4096,
        flash_bytes: 4 << 20,
        unit_bytes: 4096,
        is_overwritable: true,
        own_end: OwnEnd::Reset {
            longest_ticks: 12_000_000,
        },
        longest_milliseconds: 250,
        is_asked_to_end: true,
    },
    Board {
        name: "parallel",
        program: "qemu-system-riscv32",
        target: "riscv32imc-unknown-none-elf",
        machine: &["-M", "virt"],
        flash: "if=pflash,unit=1,format=raw,file=",
        kernel: "-bios",
        orders: 0x8080_0000,
        store_bytes: 4 << 18,
        flash_bytes: 32 << 20,
        unit_bytes: 1 << 18,
        is_overwritable: false,
        own_end: OwnEnd::Moments,
        longest_milliseconds: 400,
        is_asked_to_end: false,
    },
];

/// What the device is called in `firmware/factory/order.csv`.
pub(super) const SERIAL: &str = "LAMP-0001";
/// The private key of the profile's recipient, `tests/interop/README.md`.
const RECIPIENT: &str = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f";
/// Flash that nothing was written to.
pub(super) const BLANK: u8 = 0xff;

/// A device as it leaves the factory.
pub(super) struct Made {
    pub(super) image: PathBuf,
    pub(super) folder: PathBuf,
    pub(super) flash: PathBuf,
    pub(super) store_bytes: usize,
    pub(super) seed: u32,
    pub(super) root_key: [u8; 32],
    pub(super) root_key_text: String,
    pub(super) code: String,
}

impl Board {
    pub(super) fn has_emulator(&self) -> bool {
        let version = Command::new(self.program)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        version.is_ok()
    }

    fn elf(&self, root: &Path) -> PathBuf {
        root.join("target/firmware")
            .join(self.target)
            .join("release/lifecycle")
    }

    pub(super) fn build(&self, root: &Path) -> Result<(), String> {
        let mut cargo = Command::new("cargo");
        cargo.args([
            "build",
            "--quiet",
            "--release",
            "--bin",
            "lifecycle",
            "--target",
            self.target,
        ]);
        said(cargo.current_dir(root.join("firmware"))).map(drop)
    }

    /// Makes the device's flash with the factory's tool; a blank one gets the same key and code.
    pub(super) fn make(&self, root: &Path, folder: &Path, seed: u64, is_blank: bool) -> Result<Made, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(failed)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let batch = folder.join("batch");
        let factory = root.join("firmware/factory");
        let built = Built::all(root)?;
        let mut provision = built.tool();
        provision.arg("provision").arg(factory.join("order.csv"));
        provision
            .arg("--profile")
            .arg(factory.join(self.name).with_extension("toml"));
        provision
            .arg("--out")
            .arg(&batch)
            .args(["--test-seed", &format!("firmware {seed}")]);
        said(&mut provision)?;

        let recipient = folder.join("recipient.key");
        fs::write(&recipient, RECIPIENT).map_err(failed)?;
        let mut open = built.tool();
        open.arg("open-manifest").arg(batch.join("manifest.jsonl"));
        let row = said(open.arg("--private-key").arg(&recipient))?;
        let root_key_text = between(&row, "\"root_key\":\"", "\"").ok_or("the manifest names no root key")?;
        let root_key = key_of(root_key_text).ok_or("the manifest's root key is none")?;
        fs::write(folder.join("root.key"), root_key_text).map_err(failed)?;

        let labels = fs::read_to_string(batch.join("labels.csv")).map_err(failed)?;
        let mut lines = labels.lines().map(|line| line.split(','));
        let column = lines
            .next()
            .and_then(|mut names| names.position(|name| name == "pairing_code"));
        let code = column
            .and_then(|column| lines.next()?.nth(column))
            .ok_or("the labels have no code")?;

        let mut image = if is_blank {
            Vec::new()
        } else {
            fs::read(batch.join(format!("images/0000/0000000-{SERIAL}.bin"))).map_err(failed)?
        };
        image.resize(self.flash_bytes, BLANK);
        let flash = folder.join("flash.bin");
        fs::write(&flash, image).map_err(failed)?;
        Ok(Made {
            image: self.elf(root),
            folder: folder.to_owned(),
            flash,
            store_bytes: self.store_bytes,
            seed: u32::try_from(Dice(seed).below(1 << 31)).unwrap_or(0),
            root_key,
            root_key_text: root_key_text.to_owned(),
            code: code.to_owned(),
        })
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?
        .1
        .split_once(after)
        .map(|(found, _)| found)
}

fn key_of(digits: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}
