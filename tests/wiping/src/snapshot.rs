//! The memory of the work where it stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

/// Stack below the frame that called: nobody's.
pub(crate) const DEAD: &str = "dead stack";
pub(crate) const STATIC: &str = "static memory";
/// Frames of the work. They hold the store while there is one, so they are looked at after the end only.
pub(crate) const LIVE: &str = "frames of the work";

pub(crate) struct Region {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Snapshot {
    pub(crate) step: String,
    pub(crate) regions: Vec<Region>,
    /// The flash.
    pub(crate) image: Vec<u8>,
}

/// Runs the work on this machine.
pub(crate) fn of_process(work: &str, seed: u32) -> Result<Vec<Snapshot>, String> {
    let failed = |error: std::io::Error| format!("{work}: {error}");
    let mut child = Command::new(work)
        .arg(seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (Some(mut answers), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(format!("{work}: no pipes"));
    };
    let mut lines = BufReader::new(output).lines();
    let flash = lines.next().ok_or("no first line")?.map_err(failed)?;
    let mut numbers = flash
        .split(' ')
        .skip(1)
        .filter_map(|word| word.parse::<u64>().ok());
    let (Some(flash_at), Some(flash_len)) = (numbers.next(), numbers.next()) else {
        return Err(format!("{work}: where is the flash? {flash}"));
    };
    let mut snapshots = Vec::new();
    for step in lines {
        let step = step.map_err(failed)?;
        let process = format!("/proc/{}", child.id());
        snapshots.push(of_stopped(&process, step, flash_at..flash_at + flash_len)?);
        answers.write_all(b"\n").map_err(failed)?;
    }
    let ended = child.wait().map_err(failed)?;
    if ended.success() {
        Ok(snapshots)
    } else {
        Err(format!("{work} ended with {ended}"))
    }
}

fn of_stopped(process: &str, step: String, flash: std::ops::Range<u64>) -> Result<Snapshot, String> {
    let failed = |error: std::io::Error| format!("{process}: {error}");
    let memory = File::open(format!("{process}/mem")).map_err(failed)?;
    let read = |from: u64, to: u64| {
        let mut bytes = vec![0; (to - from) as usize];
        memory.read_exact_at(&mut bytes, from).map(|()| bytes)
    };
    // Waits in its read by now: the line names the call, its arguments, the stack pointer and the program counter.
    let pointer = loop {
        let call = fs::read_to_string(format!("{process}/syscall")).map_err(failed)?;
        let words: Vec<&str> = call.split_whitespace().collect();
        if let ["0", "0x0", .., pointer, _] = words.as_slice() {
            break u64::from_str_radix(pointer.trim_start_matches("0x"), 16)
                .map_err(|error| error.to_string())?;
        }
        std::thread::yield_now();
    };
    let mut regions = Vec::new();
    for line in fs::read_to_string(format!("{process}/maps"))
        .map_err(failed)?
        .lines()
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some((from, to)) = words.first().and_then(|range| range.split_once('-')) else {
            continue;
        };
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap_or(0));
        if !words.get(1).is_some_and(|rights| rights.starts_with("rw")) {
            continue;
        }
        if (from..to).contains(&pointer) {
            regions.push(Region {
                name: DEAD,
                bytes: read(from, pointer).map_err(failed)?,
            });
            if step == "end" {
                regions.push(Region {
                    name: LIVE,
                    bytes: read(pointer, to).map_err(failed)?,
                });
            }
        } else {
            for (from, to) in [
                (from, flash.start.clamp(from, to)),
                (flash.end.clamp(from, to), to),
            ] {
                regions.push(Region {
                    name: STATIC,
                    bytes: read(from, to).map_err(failed)?,
                });
            }
        }
    }
    let image = read(flash.start, flash.end).map_err(failed)?;
    Ok(Snapshot { step, regions, image })
}

/// Reads what a run on the emulated device left: at each stop eight numbers, the step, all of memory.
pub(crate) fn of_dump(path: &str) -> Result<Vec<Snapshot>, String> {
    let dump = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let mut rest = dump.as_slice();
    let mut snapshots = Vec::new();
    while !rest.is_empty() {
        let cut_short = || format!("{path} is cut short");
        let mut take = |len: usize| {
            let (taken, after) = rest.split_at_checked(len)?;
            rest = after;
            Some(taken)
        };
        let head = take(32).ok_or_else(cut_short)?;
        let head: Vec<usize> = head
            .chunks(4)
            .map(|word| {
                word.iter()
                    .rev()
                    .fold(0, |number, &byte| number << 8 | usize::from(byte))
            })
            .collect();
        let [step, pointer, start, len, flash, capacity, ..] = head[..] else {
            return Err(cut_short());
        };
        let step = String::from_utf8_lossy(take(step).ok_or_else(cut_short)?).into_owned();
        let memory = take(len).ok_or_else(cut_short)?;
        let (pointer, flash) = (pointer - start, flash - start);
        let mut regions = vec![Region {
            name: DEAD,
            bytes: memory[..pointer].to_vec(),
        }];
        if step == "end" {
            regions.push(Region {
                name: LIVE,
                bytes: memory[pointer..STACK].to_vec(),
            });
        }
        for statics in [STACK..flash.max(STACK), flash + capacity..memory.len()] {
            regions.push(Region {
                name: STATIC,
                bytes: memory[statics].to_vec(),
            });
        }
        snapshots.push(Snapshot {
            step,
            regions,
            image: memory[flash..flash + capacity].to_vec(),
        });
    }
    Ok(snapshots)
}

/// Bytes of the stack, which comes first in memory: `memory.x`.
const STACK: usize = 128 * 1024;
