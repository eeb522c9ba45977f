//! Looks through the memory of the work after each of its steps for pieces of secrets, in two runs with different secrets.
//!
//! ```text
//!  search host WORK          starts the work twice, reads its memory through /proc
//!  search dump FILE FILE     reads what two runs on an emulated device left
//! ```
//!
//! Prints what it found, one line each, and ends with 1 if that was anything, with 2 if it could not search.
//!
//! A piece is four bytes of a secret in a row, wherever they stand: shorter ones are there by chance, and what is left of a key in
//! registers that were spilled comes in words of four. Four bytes agree by chance too, once in 2³² pairs: with the 60,000 pieces
//! of a run and 100 KB of memory more than once. So a find counts if the same secret is found after the same step in both runs,
//! whose secrets have nothing in common, and pieces with fewer than three different bytes are not looked for.

#[path = "../../../examples/lifecycle/forensics.rs"]
mod forensics;
mod formula;
mod secrets;
mod snapshot;

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use secrets::Secrets;
use snapshot::{Snapshot, of_dump, of_process};

/// Seeds of the two runs.
const SEEDS: [u32; 2] = [20_261, 7_128];

/// Bytes of a piece.
const PIECE: usize = 4;

/// Where a store lay, its empty options and padding hold what lay there when it was put together, which no safe code reaches: pieces
/// shorter than this are told and not counted. `docs/secrets-in-ram.md` names it as a limit.
const RUN_IN_STATIC: usize = 16;

/// Steps after which there is no store in static memory.
const WITHOUT_STORE: [&str; 3] = ["begun", "drop", "end"];

/// Steps of the async face: of these only what the cipher itself had is looked for, see `docs/secrets-in-ram.md`.
const ASYNC: &str = "async";

/// After which step, where, and what: the key of a find. The longest run of bytes, and how far below the stack pointer.
type Finds = BTreeMap<(usize, String, &'static str, String), Find>;

#[derive(Clone, Copy)]
struct Find {
    longest: usize,
    places: usize,
    deepest: usize,
}

fn main() -> ExitCode {
    match search() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn search() -> Result<usize, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runs = match words.as_slice() {
        ["host", work] => SEEDS.map(|seed| of_process(work, seed)),
        ["dump", first, second] => [of_dump(first), of_dump(second)],
        _ => return Err("search host WORK, or search dump FILE FILE".to_owned()),
    };
    let mut both = Vec::new();
    for (seed, snapshots) in SEEDS.into_iter().zip(runs) {
        let snapshots = snapshots?;
        if snapshots.last().is_none_or(|last| last.step != "end") {
            return Err("the work did not come to its end".to_owned());
        }
        both.push(finds(seed, &snapshots)?);
    }
    let [first, second] = both.as_slice() else {
        return Err("two runs are needed".to_owned());
    };
    let mut count = 0;
    for ((number, step, region, secret), find) in &first.0 {
        let Some(other) = second.0.get(&(*number, step.clone(), region, secret.clone())) else {
            continue;
        };
        let is_known = *region == snapshot::STATIC && find.longest.max(other.longest) < RUN_IN_STATIC;
        if !is_known {
            count += 1;
        }
        println!(
            "{}after {step}: {secret} in the {region}, {} bytes in a row, {} places{}",
            if is_known { "known limit: " } else { "" },
            find.longest.max(other.longest),
            find.places,
            if find.deepest > 0 {
                format!(", down to {} bytes below", find.deepest)
            } else {
                String::new()
            }
        );
    }
    println!(
        "{} steps, {} secrets, {} pieces, {} KB searched after the last step, stack used {} bytes deep: {count} finds",
        first.1.steps,
        first.1.secrets,
        first.1.pieces,
        first.1.bytes / 1024,
        first.1.deepest
    );
    Ok(count)
}

struct Amount {
    steps: usize,
    secrets: usize,
    pieces: usize,
    bytes: usize,
    deepest: usize,
}

fn finds(seed: u32, snapshots: &[Snapshot]) -> Result<(Finds, Amount), String> {
    let mut secrets = Secrets::new(seed);
    // A key that a later step destroys was in memory before: all images are read first.
    for snapshot in snapshots {
        secrets.learn(&snapshot.image);
    }
    secrets.are_enough()?;
    let mut pieces: HashMap<[u8; PIECE], Vec<(usize, usize)>> = HashMap::new();
    for (which, secret) in secrets.all().iter().enumerate() {
        for (at, window) in secret.bytes.windows(PIECE).enumerate() {
            let piece: [u8; PIECE] = window.try_into().map_err(|_| "a piece has its length")?;
            if is_varied(piece) {
                pieces.entry(piece).or_default().push((which, at));
            }
        }
    }
    let mut finds = Finds::new();
    let mut amount = Amount {
        steps: snapshots.len(),
        secrets: secrets.all().len(),
        pieces: pieces.len(),
        bytes: 0,
        deepest: 0,
    };
    for (number, snapshot) in snapshots.iter().enumerate() {
        let is_async = snapshot.step.starts_with(ASYNC);
        for region in &snapshot.regions {
            if region.name == snapshot::STATIC && !WITHOUT_STORE.contains(&snapshot.step.as_str()) {
                continue;
            }
            if number + 1 == snapshots.len() {
                amount.bytes += region.bytes.len();
            }
            let begins = region
                .bytes
                .iter()
                .position(|byte| *byte != 0)
                .unwrap_or(region.bytes.len());
            if region.name == snapshot::DEAD && number + 1 < snapshots.len() {
                amount.deepest = amount.deepest.max(region.bytes.len() - begins);
            }
            for (place, window) in region
                .bytes
                .windows(PIECE)
                .enumerate()
                .skip(begins.saturating_sub(PIECE))
            {
                let Ok(piece) = <[u8; PIECE]>::try_from(window) else {
                    continue;
                };
                for &(which, at) in pieces.get(&piece).into_iter().flatten() {
                    let secret = &secrets.all()[which];
                    if is_async && !secret.is_of_the_cipher() {
                        continue;
                    }
                    let longest = (region.bytes[place..].iter())
                        .zip(&secret.bytes[at..])
                        .take_while(|(found, byte)| found == byte)
                        .count();
                    let key = (number, snapshot.step.clone(), region.name, secret.name.clone());
                    let find = finds.entry(key).or_insert(Find {
                        longest: 0,
                        places: 0,
                        deepest: 0,
                    });
                    find.longest = find.longest.max(longest);
                    find.places += 1;
                    if region.name == snapshot::DEAD {
                        find.deepest = find.deepest.max(region.bytes.len() - place);
                    }
                }
            }
        }
    }
    Ok((finds, amount))
}

fn is_varied(piece: [u8; PIECE]) -> bool {
    let mut bytes = piece;
    bytes.sort_unstable();
    bytes.windows(2).filter(|pair| pair[0] != pair[1]).count() >= 2
}
