//! The life of a batch of devices, from the order to the dump: makes them, uses them while their power fails, erases
//! their users' data, and lets a finder with the root key look for it.
//!
//! `cargo run --example lifecycle -- --help`
//!
//! ```text
//!   orders      the order file, checked
//!   images      the image files: all or none
//!   device      what is ordered and what is on its board
//!   board       one life on one simulated flash part
//!   model       what ought to be stored
//!   finder      judges what was found
//!   forensics   finds; written from the format document, shares no code with the store
//! ```

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chacha20::ChaCha20Rng;
use getrandom::SysRng;
use indicatif::{ProgressBar, ProgressStyle};
use rand_core::{SeedableRng, TryRng};

use device::{Device, Life};
use images::Images;
use orders::{BadOrder, Order};

mod board;
mod device;
mod finder;
mod forensics;
mod images;
mod model;
mod orders;

const HELP: &str = "\
Makes a batch of devices from an order file, lives their lives on simulated flash, and looks for what was erased.

Usage: cargo run --example lifecycle -- [options]

  --devices N    make the first N devices of the order (default: all)
  --orders FILE  the order: CSV with the columns serial,model,mac (default: the one beside this example)
  --keep DIR     keep the image files in DIR (default: a temporary directory that is removed)
  --seed N       repeat a run; the root keys then follow from N, so these devices are not for sale
  --help         this text

Exit code: 0 all checks passed, 1 a check failed, 2 bad input or usage.
";

/// What the command line asks for.
struct Options {
    devices: Option<usize>,
    orders: PathBuf,
    keep: Option<PathBuf>,
    seed: Option<u64>,
}

/// Why nothing was made.
enum Trouble {
    Usage(String),
    Order(BadOrder),
    /// The file system or the random source.
    Outside(String),
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match Options::parse(arguments).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(trouble) => {
            eprintln!("lifecycle: {trouble}");
            ExitCode::from(2)
        }
    }
}

/// Does everything. `false` if a check failed.
fn run(options: &Options) -> Result<bool, Trouble> {
    let orders = chosen_orders(options)?;
    let drawn = SysRng
        .try_next_u64()
        .map_err(|error| Trouble::Outside(format!("the random source: {error}")))?;
    let seed = options.seed.unwrap_or(drawn >> 32);
    // The devices' random source, and with it their root keys: from the system, unless the run is to be repeated.
    let mut random = match options.seed {
        Some(seed) => ChaCha20Rng::seed_from_u64(seed),
        None => ChaCha20Rng::try_from_rng(&mut SysRng)
            .map_err(|error| Trouble::Outside(format!("the random source: {error}")))?,
    };

    let mut images = match &options.keep {
        Some(directory) => Images::kept(directory),
        None => Images::temporary(drawn),
    }
    .map_err(Trouble::Outside)?;

    println!("{} devices of {}", orders.len(), options.orders.display());
    match options.seed {
        Some(seed) => {
            println!("seed {seed}, given: ROOT KEYS FOLLOW FROM IT, THESE DEVICES ARE NOT FOR SALE");
        }
        None => println!(
            "seed {seed}, drawn: --seed {seed} repeats the updates and the cuts, with keys that follow from it"
        ),
    }

    let devices: Vec<Device> = orders
        .into_iter()
        .enumerate()
        .map(|(number, order)| Device::new(order, number, &mut random))
        .collect();
    let started = Instant::now();
    let serials = devices.iter().map(|device| device.order.serial.as_str());
    let bytes = images
        .build(serials, |number| {
            let device = &devices[number];
            device
                .build(&mut random)
                .map_err(|reason| format!("{}: {reason}", device.order.serial))
        })
        .map_err(Trouble::Outside)?;
    let built_in = started.elapsed();

    let started = Instant::now();
    let lives = live_all(&devices, &images, seed, &mut random);
    report(&devices, &lives, bytes, built_in, started.elapsed());
    if options.keep.is_some() {
        let keys = if options.seed.is_some() {
            "follow from the seed"
        } else {
            "are gone with this run"
        };
        println!(
            "\nThe images are in {}; their root keys {keys}.",
            images.directory().display()
        );
    }
    Ok(lives.iter().all(Result::is_ok))
}

fn chosen_orders(options: &Options) -> Result<Vec<Order>, Trouble> {
    let mut orders = Order::read_all(&options.orders).map_err(Trouble::Order)?;
    if let Some(devices) = options.devices {
        if devices > orders.len() {
            let reason = format!("--devices {devices}, but the order has {}", orders.len());
            return Err(Trouble::Order(BadOrder::of_file(&options.orders, reason)));
        }
        orders.truncate(devices);
    }
    Ok(orders)
}

fn live_all(
    devices: &[Device],
    images: &Images,
    seed: u64,
    random: &mut ChaCha20Rng,
) -> Vec<Result<Life, String>> {
    let bar = ProgressBar::new(devices.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let lives = devices
        .iter()
        .map(|device| {
            bar.set_message(device.order.serial.clone());
            let life = device.live(&images.file(&device.order.serial), seed, random);
            bar.inc(1);
            life
        })
        .collect();
    bar.finish_and_clear();
    lives
}

fn report(
    devices: &[Device],
    lives: &[Result<Life, String>],
    bytes: u64,
    built_in: Duration,
    lived_in: Duration,
) {
    let good = || lives.iter().flatten();
    let sum = |of: fn(&Life) -> u64| good().map(of).sum::<u64>();

    println!();
    println!("1  Identity, once, and a root key of its own for each device");
    println!("   supports CoP 4 · EN 303 645 5.4-1, 5.4-4");
    println!(
        "   {} images, {} KiB, built in {:.1} s",
        devices.len(),
        bytes / 1024,
        built_in.as_secs_f32()
    );
    println!("2  First settings, sealed like everything else");
    println!("   supports CoP 4 · EN 303 645 5.4-1");
    println!("3  Updates while the power fails; after each cut the old or the new value, never a third");
    println!("   supports CoP 9 · EN 303 645 5.9-2");
    println!(
        "   {} updates, {} cuts",
        sum(|life| life.updates.into()),
        sum(|life| life.cuts.into())
    );
    println!("4  The users' data is erased, and the settings stay: planned, carried out, a signed receipt");
    println!("   supports CoP 11 · EN 303 645 5.11-1, 5.11-4");
    println!("5  The device is sold on: settings and pairing secret go, too, and a second owner sets it up");
    println!("   supports CoP 11 · EN 303 645 5.11-1, 5.11-2");
    println!(
        "   {} values ever written, {} cuts in the middle, {} receipts of {} bytes in all",
        sum(|life| life.erased as u64),
        sum(|life| life.erase_cuts.into()),
        sum(|life| life.receipts.len() as u64),
        sum(|life| life.receipts.iter().sum::<usize>() as u64)
    );
    println!("6  A finder with the root key and the whole image tries every place with every key it can get");
    println!("   supports CoP 8, 11 · EN 303 645 5.4-1, 5.11-1");
    println!(
        "   {} tries before, {} after",
        sum(|life| life.before.tried),
        sum(|life| life.after.tried)
    );
    println!();
    println!(
        "{:<16} {:<20} {:>7} {:>5}  {:<16} {:<24}",
        "serial", "flash, word/erase", "updates", "cuts", "found before", "found after"
    );
    for (device, life) in devices.iter().zip(lives) {
        let serial = &device.order.serial;
        match life {
            Ok(life) => println!(
                "{serial:<16} {:<20} {:>7} {:>5}  {:<16} {:<24}",
                device.part.text(),
                life.updates,
                life.cuts + life.erase_cuts,
                format!("{} live, {} old", life.before.live, life.before.stale),
                format!(
                    "{} live, {} old, 0 of {} erased",
                    life.after.live, life.after.stale, life.erased
                ),
            ),
            Err(reason) => println!("{serial:<16} {:<20} FAILED: {reason}", device.part.text()),
        }
    }
    println!();
    println!(
        "(old: superseded or removed. Overwritable flash loses it at once; on write-once flash it stays, sealed, until its"
    );
    println!(" page is collected or its class is erased.)");
    if let Some(life) = good().next() {
        println!(
            "\nThe first device's last receipt in words:\n\n{}",
            life.last_receipt
        );
    }
    let failed = lives.iter().filter(|life| life.is_err()).count();
    println!();
    if failed == 0 {
        println!("All checks passed, in {:.1} s.", lived_in.as_secs_f32());
    } else {
        println!("{failed} of {} devices FAILED.", devices.len());
    }
}

impl Options {
    fn parse(arguments: Vec<OsString>) -> Result<Self, Trouble> {
        let (mut devices, mut orders, mut keep, mut seed) = (None, None, None, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let (name, mut value) = match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
                None => (name, None),
            };
            if !["--devices", "--orders", "--keep", "--seed"].contains(&name.as_str()) {
                return Err(Trouble::Usage(format!("unknown option {name}")));
            }
            let value = value
                .take()
                .or_else(|| arguments.next())
                .filter(|value| !value.is_empty())
                .ok_or_else(|| Trouble::Usage(format!("{name} needs a value")))?;
            let again = match name.as_str() {
                "--devices" => devices.replace(number(&name, &value, 1)?).is_some(),
                "--orders" => orders.replace(PathBuf::from(value)).is_some(),
                "--keep" => keep.replace(PathBuf::from(value)).is_some(),
                _ => seed.replace(number(&name, &value, 0)?).is_some(),
            };
            if again {
                return Err(Trouble::Usage(format!("{name} is given twice")));
            }
        }
        let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/lifecycle/orders.csv");
        Ok(Self {
            devices: devices.map(|devices| usize::try_from(devices).unwrap_or(usize::MAX)),
            orders: orders.unwrap_or_else(shipped),
            keep,
            seed,
        })
    }
}

fn number(name: &str, value: &OsString, least: u64) -> Result<u64, Trouble> {
    let number = value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|number| *number >= least);
    number.ok_or_else(|| {
        Trouble::Usage(format!(
            "{name} wants a number from {least} on, not {}",
            value.display()
        ))
    })
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(reason) => write!(f, "{reason} (--help tells more)"),
            Self::Order(bad) => bad.fmt(f),
            Self::Outside(reason) => reason.fmt(f),
        }
    }
}
