//! What a batch costs for each second of a core, beside the limit: what nobody can leave out, which is the hashing of the codes (Argon2id, and
//! PBKDF2 for Matter) and the drawing of keys.
//!
//! ```text
//! cargo bench --bench provision                                  1,000 and 10,000 devices
//! cargo bench --bench provision -- --devices 1000,1000000 --profile codes --in DIRECTORY
//! ```
//!
//! Two profiles: `codes` has an identity with its certificate and a pairing code; `all` (`tests/interop/lamp.toml`) has a Matter setup code, a
//! device password and a Wi-Fi key besides. Both on all cores; the directory takes 27 and 33 KB a device for the time of a row.
#![allow(clippy::cast_precision_loss)] // figures for people

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, thread};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use bydesign::credential::factory::{Batch, Profile};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use rustix::time::{ClockId, clock_gettime};

const ALL: &str = include_str!("../tests/interop/lamp.toml");

/// How often each part of the limit is measured.
const RUNS: u32 = 200;

struct Kind {
    name: &'static str,
    profile: String,
    /// KiB, passes, and how many of them a device needs.
    hashes: (u32, u32, u32),
    /// Of the PBKDF2 that a Matter verifier comes out of; none if 0.
    iterations: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let devices = value("--devices").unwrap_or_else(|| "1000,10000".into());
    let devices = devices
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<u32>, _>>()?;
    let only = value("--profile");
    let below = value("--in").map_or_else(env::temp_dir, PathBuf::from);
    let directory = below.join(format!("provision-bench-{}", std::process::id()));
    fs::create_dir(&directory)?;
    println!(
        "| profile | devices | seconds | processor seconds | devices a processor second | limit | times the limit | Argon2 | most memory, MB |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for kind in kinds()? {
        if only.as_ref().is_some_and(|only| only != kind.name) {
            continue;
        }
        for devices in &devices {
            row(&kind, *devices, &directory)?;
        }
    }
    fs::remove_dir_all(directory)?;
    Ok(())
}

fn kinds() -> Result<[Kind; 2], Box<dyn Error>> {
    // The recipient of the example is published, and is none for a batch without a test seed; any 32 bytes are a key of X25519.
    let mut recipient = [0; 32];
    SysRng.try_fill_bytes(&mut recipient)?;
    let mut digits = String::new();
    for byte in recipient {
        write!(digits, "{byte:02x}")?;
    }
    let (head, tail) = ALL.split_once("public-key = \"").ok_or("a recipient")?;
    let tail = tail.get(digits.len()..).ok_or("its key")?;
    let all = format!("{head}public-key = \"{digits}{tail}");
    let identity = all.split("[matter]").next().unwrap_or(&all);
    Ok([
        Kind {
            name: "codes",
            profile: format!("{identity}[pairing-code]\nsymbols = 8\ncost = \"64KiB\"\n"),
            hashes: (64, 12, 1),
            iterations: 0,
        },
        Kind {
            name: "all",
            profile: all.clone(),
            hashes: (64, 12, 2),
            iterations: 10_000,
        },
    ])
}

fn row(kind: &Kind, devices: u32, directory: &Path) -> Result<(), Box<dyn Error>> {
    let (profile, order, out) = (
        directory.join("profile.toml"),
        directory.join("order.csv"),
        directory.join("out"),
    );
    fs::write(&profile, &kind.profile)?;
    let mut rows = BufWriter::new(File::create(&order)?);
    writeln!(rows, "serial,model,mac")?;
    for device in 0..devices {
        let [a, b, c, d] = device.to_be_bytes();
        writeln!(rows, "LAMP-{device:08},L3,02:00:{a:02X}:{b:02X}:{c:02X}:{d:02X}")?;
    }
    rows.into_inner()?.sync_all()?;
    let limit = limit(kind)?;
    let threads = thread::available_parallelism()?.get();
    let before = worked();
    let report = Batch::new(Profile::read(&profile)?, &order, &out)
        .on_threads(threads)
        .run(&mut |_| {})?;
    assert_eq!(report.devices, u64::from(devices), "all of them were made");
    let worked = worked().saturating_sub(before).as_secs_f64();
    let each = worked / f64::from(devices);
    let mut line = String::new();
    write!(
        line,
        "| {} | {devices} | {:.1} | {worked:.1} | {:.0} | {:.0} | {:.2} | {} % |",
        kind.name,
        report.elapsed.as_secs_f64(),
        each.recip(),
        limit.as_secs_f64().recip(),
        each / limit.as_secs_f64(),
        report.argon2_percent(),
    )?;
    println!(
        "{line} {} |",
        most_memory().map_or_else(|| "not known".into(), |kib| format!("{:.1}", kib as f64 / 1024.0))
    );
    fs::remove_dir_all(out)?;
    Ok(())
}

/// Bare hashing and a bare key, for one device on one core.
fn limit(kind: &Kind) -> Result<Duration, Box<dyn Error>> {
    let (memory_kib, passes, count) = kind.hashes;
    let parameters = Params::new(memory_kib, passes, 1, Some(32))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let mut blocks = vec![Block::new(); usize::try_from(memory_kib)?];
    let mut hash = [0; 32];
    let before = worked();
    for run in 0..RUNS {
        for _ in 0..count {
            argon2.hash_password_into_with_memory(
                &run.to_le_bytes(),
                b"sixteen bytes of",
                &mut hash,
                &mut blocks,
            )?;
            black_box(&hash);
        }
        if kind.iterations > 0 {
            // w0 and w1 of SPAKE2+ (Matter core specification 3.10): two times 40 bytes.
            let mut scalars = [0; 80];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(
                &run.to_le_bytes(),
                b"sixteen bytes of",
                kind.iterations,
                &mut scalars,
            );
            black_box(&scalars);
        }
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed)?;
        black_box(SigningKey::from_bytes(&seed).verifying_key());
    }
    Ok(worked().saturating_sub(before) / RUNS)
}

/// Time that processors gave to this process: what else a machine does changes it little.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

/// What the process had in memory at most until now, in KiB; Linux says so.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
