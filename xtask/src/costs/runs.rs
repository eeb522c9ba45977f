//! Instructions and stack: one image that measures itself, on emulated cores.
//!
//! ```text
//!  costs
//!    runs     (this file)
//!  firmware/src/measure.rs
//! ```

use std::path::Path;
use std::process::Command;

use super::Target;
use crate::said::said;

/// One operation on one target.
pub(super) struct Run {
    pub(super) target: &'static str,
    pub(super) group: String,
    pub(super) name: String,
    pub(super) instructions: u64,
    pub(super) stack: u64,
}

pub(super) fn measure(root: &Path, target: &'static Target) -> Result<Vec<Run>, String> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--quiet",
        "--release",
        "--bin",
        "measure",
        "--target",
        target.triple,
    ]);
    said(cargo.current_dir(root.join("firmware")))?;
    let image = root
        .join("target/firmware")
        .join(target.triple)
        .join("release/measure");
    let (program, machine, shift, kernel) = match target.triple {
        "thumbv8m.main-none-eabi" => ("qemu-system-arm", "mps2-an505", "shift=6", "-kernel"),
        "riscv32imc-unknown-none-elf" => ("qemu-system-riscv32", "virt", "shift=0", "-bios"),
        _ => ("qemu-system-arm", "mps2-an386", "shift=6", "-kernel"),
    };
    let mut qemu = Command::new(program);
    qemu.args(["-M", machine, "-nographic", "-monitor", "none", "-serial", "none"]);
    qemu.args(["-semihosting-config", "enable=on,target=native", "-icount", shift]);
    let output = said(qemu.arg(kernel).arg(&image))?;
    read(target.triple, &output)
}

/// Lines of `name`, instructions and stack, under headings.
fn read(target: &'static str, output: &str) -> Result<Vec<Run>, String> {
    let (mut group, mut runs) = (String::new(), Vec::new());
    for line in output.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            heading.clone_into(&mut group);
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, instructions, stack] = cells[..] else {
            return Err(format!("the image says: {line}"));
        };
        let number = |cell: &str| {
            cell.trim()
                .parse()
                .map_err(|_| format!("{line}: {cell} is no number"))
        };
        runs.push(Run {
            target,
            group: group.clone(),
            name: name.to_owned(),
            instructions: number(instructions)?,
            stack: number(stack)?,
        });
    }
    if runs.is_empty() {
        Err("the image measured nothing".to_owned())
    } else {
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_image_prints_is_read_and_anything_else_refused() {
        let runs = read("t", "# store\nput\t1000\t50\nget\t10\t5\n").unwrap_or_default();
        let names: Vec<_> = runs
            .iter()
            .map(|run| (run.group.as_str(), run.name.as_str(), run.instructions, run.stack))
            .collect();
        assert_eq!(names, [("store", "put", 1000, 50), ("store", "get", 10, 5)]);
        assert!(read("t", "failed: put").is_err());
        assert!(read("t", "").is_err());
    }
}
