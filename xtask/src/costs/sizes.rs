//! Bytes of code: images that hold so much of the crate and no more.
//!
//! ```text
//!  costs
//!    sizes    (this file)
//!  firmware/src/size
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TARGETS, Target};
use crate::said::said;

/// In the order of the document.
pub(super) fn sets() -> impl Iterator<Item = &'static str> {
    include_str!("../../../firmware/src/size/sets.txt").lines()
}
/// The image that the breakdown is of.
pub(super) const BROKEN_DOWN: &str = "store";
/// Symbols of it that are listed.
const LISTED: usize = 20;

/// An image's code, and what it has of memory that is its own.
pub(super) struct Size {
    pub(super) target: &'static str,
    pub(super) set: &'static str,
    pub(super) text: u64,
    pub(super) data: u64,
}

pub(super) fn folder(root: &Path, target: &Target) -> PathBuf {
    root.join("target/firmware").join(target.triple).join("release")
}

pub(super) fn image(root: &Path, target: &Target, set: &str) -> PathBuf {
    folder(root, target).join(format!("size-{set}"))
}

/// A tool of LLVM that comes with the compiler.
pub(super) fn tool(name: &str) -> Result<Command, String> {
    let library = said(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let tool = Path::new(library.trim()).with_file_name("bin").join(name);
    if tool.exists() {
        Ok(Command::new(tool))
    } else {
        Err(format!("there is no {name}: rustup component add llvm-tools"))
    }
}

pub(super) fn measure(root: &Path, target: &'static Target) -> Result<Vec<Size>, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--release", "--target", target.triple]);
    for set in sets() {
        cargo.args(["--bin", &format!("size-{set}")]);
    }
    said(cargo.current_dir(root.join("firmware")))?;
    sets()
        .map(|set| {
            let sections = said(tool("llvm-size")?.arg("-A").arg(image(root, target, set)))?;
            let text =
                section(&sections, ".text").ok_or_else(|| format!("{set} has no .text\n{sections}"))?;
            let data = [".data", ".bss"]
                .iter()
                .filter_map(|name| section(&sections, name))
                .sum();
            Ok(Size {
                target: target.triple,
                set,
                text,
                data,
            })
        })
        .collect()
}

/// Bytes of a section, as `llvm-size -A` lists them.
fn section(sections: &str, name: &str) -> Option<u64> {
    sections.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(name))
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

/// Images with an instruction or a routine for floating point numbers.
pub(super) fn floats(root: &Path, targets: &[&Target]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for target in targets {
        for set in sets() {
            let image = image(root, target, set);
            let symbols = said(tool("llvm-nm")?.arg(&image))?;
            let code = said(
                tool("llvm-objdump")?
                    .args(["--disassemble", "--no-show-raw-insn"])
                    .arg(&image),
            )?;
            let lines = symbols
                .lines()
                .filter(|line| is_soft_float(line))
                .chain(code.lines().filter(|line| is_float(line)));
            found.extend(lines.map(|line| format!("{set} on {}: {}", target.core, line.trim())));
        }
    }
    Ok(found)
}

/// A routine of the compiler's library, by its name on Arm and elsewhere.
fn is_soft_float(line: &str) -> bool {
    let name = line.split_whitespace().last().unwrap_or_default();
    let arm = [
        "__aeabi_f",
        "__aeabi_d",
        "__aeabi_i2f",
        "__aeabi_i2d",
        "__aeabi_ui2f",
        "__aeabi_ui2d",
    ];
    let ends = [
        "sf2", "sf3", "df2", "df3", "sfsi", "dfsi", "sisf", "sidf", "disf", "didf",
    ];
    arm.iter().any(|begin| name.starts_with(begin))
        || name.starts_with("__") && ends.iter().any(|end| name.ends_with(end))
}

/// An arithmetic instruction on floats: `vadd.f32`.
fn is_float(line: &str) -> bool {
    line.split_whitespace()
        .any(|word| word.starts_with('v') && (word.contains(".f32") || word.contains(".f64")))
}

/// Where the code of one image goes.
pub(super) fn breakdown(root: &Path) -> Result<String, String> {
    let target = &TARGETS[0];
    let mut nm = tool("llvm-nm")?;
    nm.args(["--print-size", "--size-sort", "--reverse-sort", "--demangle"]);
    let symbols = said(nm.arg(image(root, target, BROKEN_DOWN)))?;
    let symbols: Vec<(u64, &str)> = symbols
        .lines()
        .filter_map(|line| {
            let mut words = line.splitn(4, ' ');
            let size = u64::from_str_radix(words.nth(1)?, 16).ok()?;
            let kind = words.next()?;
            kind.eq_ignore_ascii_case("t").then_some((size, words.next()?))
        })
        .collect();
    let mut parts = BTreeMap::<String, u64>::new();
    for (size, name) in &symbols {
        *parts.entry(part(name)).or_default() += size;
    }
    let mut parts: Vec<(u64, String)> = parts.into_iter().map(|(part, size)| (size, part)).collect();
    parts.sort_unstable_by(|a, b| b.cmp(a));
    let mut text = format!(
        "\nWhere the code of `{BROKEN_DOWN}` is, on {}:\n\n| bytes | of |\n| ---: | --- |\n",
        target.core
    );
    for (size, part) in parts {
        let _ = writeln!(text, "| {size} | {part} |");
    }
    let _ = write!(
        text,
        "\nIts largest functions:\n\n| bytes | function |\n| ---: | --- |\n"
    );
    for (size, name) in symbols.iter().take(LISTED) {
        let _ = writeln!(text, "| {size} | `{}` |", readable(name));
    }
    Ok(text)
}

/// What a symbol belongs to: a module of the crate, or another crate.
fn part(symbol: &str) -> String {
    let symbol = readable(symbol);
    for module in ["store", "crypto", "secret", "stack", "flash"] {
        if symbol.contains(&format!("bydesign::{module}")) {
            let place = symbol
                .split(&format!("bydesign::{module}::"))
                .nth(1)
                .unwrap_or_default();
            let file = place.split("::").next().unwrap_or_default();
            let is_file = module == "store"
                && file.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && !file.is_empty();
            return if is_file {
                format!("`store::{file}`")
            } else {
                format!("`{module}`")
            };
        }
    }
    let other = [
        "chacha20",
        "poly1305",
        "cipher",
        "hkdf",
        "hmac",
        "sha2",
        "digest",
        "block_buffer",
        "siphasher",
        "compiler_builtins",
        "core",
    ];
    let found = other
        .into_iter()
        .find(|name| symbol.contains(&format!("{name}::")));
    found.map_or_else(
        || "the image itself, memory routines and others".to_owned(),
        |name| format!("crate `{name}`"),
    )
}

/// Without the compiler's marks.
pub(super) fn readable(symbol: &str) -> String {
    let symbol = symbol.rsplit_once("::h").map_or(
        symbol,
        |(name, hash)| if hash.len() == 16 { name } else { symbol },
    );
    let marks = [
        ("_$LT$", "<"),
        ("$LT$", "<"),
        ("$GT$", ">"),
        ("$u20$", " "),
        ("$u7b$", "{"),
        ("$u7d$", "}"),
        ("$C$", ","),
        ("$RF$", "&"),
        ("..", "::"),
    ];
    marks
        .iter()
        .fold(symbol.to_owned(), |name, (mark, sign)| name.replace(mark, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routines_and_instructions_for_floats_are_known() {
        for line in ["0000 T __aeabi_fadd", "0000 t __muldf3", "0000 T __floatsisf"] {
            assert!(is_soft_float(line), "{line}");
        }
        for line in ["0000 T __aeabi_memcpy", "0000 T begin", "0000 T __aeabi_uldivmod"] {
            assert!(!is_soft_float(line), "{line}");
        }
        assert!(is_float("  10:  \tvadd.f32\ts0, s0, s1"));
        assert!(!is_float("  10:  \tvldr\td0, [r0]"));
    }

    #[test]
    fn a_section_has_the_size_that_stands_behind_its_name() {
        let sections = "image  :\nsection size addr\n.text 1000 0\n.bss 8 536870912\n";
        assert_eq!(section(sections, ".text"), Some(1000));
        assert_eq!(section(sections, ".bss"), Some(8));
        assert_eq!(section(sections, ".data"), None);
    }

    #[test]
    fn a_symbol_belongs_to_its_module() {
        let change = "bydesign::store::change::_$LT$impl$u20$bydesign..store..log..Log$LT$M$GT$$GT$::put_item::h26ac87978da658a0";
        assert_eq!(part(change), "`store::change`");
        assert_eq!(part("bydesign::stack::apart::h81c6124bac44f8b5"), "`stack`");
        assert_eq!(
            part("sha2::sha256::compress256::h7e9d8144f65c0bab"),
            "crate `sha2`"
        );
    }
}
