//! How many instructions each operation takes, counted by valgrind and held against `docs/instructions.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A count may differ from the table by so many per cent.
const TOLERANCE_PERCENT: u64 = 2;

/// What every operation of the store is held against.
const SEAL: &str = "cipher alone, seal";
const OPEN: &str = "cipher alone, open";

struct Row {
    name: String,
    instructions: u64,
}

/// Counts, and compares with the table, or writes it anew.
pub(crate) fn run(root: &Path, is_writing: bool) -> Result<(), String> {
    let compiler = first_line(root, "rustc", &["--version"])?;
    let tool = first_line(root, "valgrind", &["--version"])
        .map_err(|error| format!("{error}\ninstall it: apt-get install valgrind"))?;
    let host = host(root)?;
    let rows = count(root, &host)?;
    let file = root.join("docs/instructions.md");
    if is_writing {
        let text = table(&rows, &compiler, &tool, &host);
        return fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()));
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    if !text.contains(&compiler) {
        return Err(format!(
            "the table is of another compiler than {compiler}: cargo xtask instructions --write"
        ));
    }
    let differences = compare(&rows, &known(&text));
    if differences.is_empty() {
        println!(
            "{} operations, all within {TOLERANCE_PERCENT} % of the table",
            rows.len()
        );
        Ok(())
    } else {
        Err(format!(
            "{}\nif that is meant: cargo xtask instructions --write",
            differences.join("\n")
        ))
    }
}

fn first_line(root: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn host(root: &Path) -> Result<String, String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .current_dir(root)
        .output()
        .map_err(|error| format!("rustc: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| "rustc does not say what it runs on".to_owned())
}

/// Runs the bench with its own arguments, under a tool if one is given. Gives what it and the tool printed.
fn bench(root: &Path, host: &str, tool: Option<&str>, name: Option<&str>) -> Result<String, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["bench", "--quiet", "--bench", "instructions", "--"]);
    cargo.args(name).current_dir(root).stdin(Stdio::null());
    if let Some(tool) = tool {
        let variable = host.to_uppercase().replace('-', "_");
        cargo.env(format!("CARGO_TARGET_{variable}_RUNNER"), tool);
        // The C library copies memory with what the processor has: here with what all of them have.
        cargo.env(
            "GLIBC_TUNABLES",
            "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2",
        );
    }
    let output = cargo.output().map_err(|error| format!("cargo: {error}"))?;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(text)
    } else {
        Err(text)
    }
}

fn count(root: &Path, host: &str) -> Result<Vec<Row>, String> {
    const TOOL: &str =
        "valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=*instructions*measured*";
    let names = bench(root, host, None, None)?;
    let mut rows = Vec::new();
    for line in names.lines() {
        let Some((name, times)) = line.split_once('\t') else {
            continue;
        };
        let times: u64 = times.parse().map_err(|_| format!("{line}: no number"))?;
        let output = bench(root, host, Some(TOOL), Some(name))?;
        let collected = output
            .lines()
            .find_map(|line| line.split_once("Collected : "))
            .and_then(|(_, number)| number.trim().parse::<u64>().ok())
            .filter(|&collected| collected > 0)
            .ok_or_else(|| format!("{name}: nothing was counted\n{output}"))?;
        let instructions = collected / times;
        eprintln!("{instructions:>9}  {name}");
        rows.push(Row {
            name: name.to_owned(),
            instructions,
        });
    }
    if rows.is_empty() {
        return Err(format!("no operations\n{names}"));
    }
    Ok(rows)
}

/// The rows of a table.
fn known(text: &str) -> Vec<Row> {
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some(Row {
                name: cells.next()?.to_owned(),
                instructions: cells.next()?.parse().ok()?,
            })
        })
        .collect()
}

fn compare(rows: &[Row], known: &[Row]) -> Vec<String> {
    let mut differences = Vec::new();
    for row in rows {
        match known.iter().find(|known| known.name == row.name) {
            None => differences.push(format!("{}: {}, not in the table", row.name, row.instructions)),
            Some(known)
                if row.instructions.abs_diff(known.instructions) * 100
                    > known.instructions * TOLERANCE_PERCENT =>
            {
                differences.push(format!(
                    "{}: {} instructions, {} in the table",
                    row.name, row.instructions, known.instructions
                ));
            }
            Some(_) => {}
        }
    }
    for known in known {
        if !rows.iter().any(|row| row.name == known.name) {
            differences.push(format!("{}: in the table, and not measured", known.name));
        }
    }
    differences
}

#[allow(clippy::cast_precision_loss)] // figures for people
fn table(rows: &[Row], compiler: &str, tool: &str, host: &str) -> String {
    let of = |name: &str| {
        (rows.iter().find(|row| row.name == name)).map_or(f64::NAN, |row| row.instructions as f64)
    };
    let mut text = format!(
        "# Instructions

Written by `cargo xtask instructions --write`: instructions of one operation on {host}, counted with {tool}
(callgrind), {compiler}, at `opt-level = 3` with the portable code of the cipher. `.ci/run` counts again and fails where a count
differs by more than {TOLERANCE_PERCENT} %.

Values of 64 bytes and names of 7 bytes on 128 KiB of flash in memory that costs next to nothing; a put's share of collection is in
it. The cipher alone seals or opens the same number of bytes, its key schedule included. The store's cipher is XChaCha20-Poly1305:
nonces of 24 bytes cost it one more block than ChaCha20-Poly1305 takes.

| operation | instructions | over the cipher alone |
| --- | ---: | ---: |
"
    );
    for row in rows {
        let alone = if row.name.starts_with("get") {
            Some(of(OPEN))
        } else if row.name.starts_with("put,") {
            Some(of(SEAL))
        } else {
            None
        };
        let ratio = alone.map_or(String::new(), |alone| {
            format!("{:.2}", row.instructions as f64 / alone)
        });
        let _ = writeln!(text, "| {} | {} | {ratio} |", row.name, row.instructions);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, instructions: u64) -> Row {
        Row {
            name: name.to_owned(),
            instructions,
        }
    }

    #[test]
    fn a_count_that_differs_by_more_than_two_per_cent_is_told() {
        let known = [row("get", 1000)];
        for (count, differs) in [
            (1000, false),
            (1020, false),
            (980, false),
            (1021, true),
            (979, true),
        ] {
            assert_eq!(
                !compare(&[row("get", count)], &known).is_empty(),
                differs,
                "{count}"
            );
        }
    }

    #[test]
    fn an_operation_that_only_one_side_knows_is_told() {
        assert_eq!(compare(&[row("get", 1)], &[]).len(), 1);
        assert_eq!(compare(&[], &[row("get", 1)]).len(), 1);
    }

    #[test]
    fn a_table_that_was_written_is_read_again() {
        let rows = [row(SEAL, 4000), row(OPEN, 3000), row("get, a", 6000)];
        let text = table(&rows, "rustc 1", "valgrind-3", "x86_64");
        assert!(text.contains("| get, a | 6000 | 2.00 |"), "{text}");
        assert!(compare(&rows, &known(&text)).is_empty());
        assert_eq!(known(&text).len(), 3);
    }
}
