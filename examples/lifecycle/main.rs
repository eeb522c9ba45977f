//! The life of a batch of devices, from the order to the dump: makes them and their labels, gives them to owners who are asked for the code and
//! for a password, lets others guess, uses them while their power fails, tells their maker a little, erases their users' data, and lets a
//! finder with the root key look for all of it.
//!
//! `cargo run --example lifecycle -- --help`
//!
//! ```text
//!   orders      the order file, checked
//!   images      the image files: all or none
//!   device      what is ordered and what is on its board
//!   label       what is printed on it
//!   batch       the codes of all labels, before an auditor
//!   board       one life on one simulated flash part
//!     access      first boots, guesses, logins
//!     telling     consent, reports, withdrawal
//!   declaration what a device tells its maker
//!   plant       mistakes on purpose
//!   report      what all of it came to
//!   model       what ought to be stored
//!   finder      judges what was found
//!   forensics   finds; written from the format document, shares no code with the store
//! ```

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use chacha20::ChaCha20Rng;
use getrandom::SysRng;
use indicatif::{ProgressBar, ProgressStyle};
use rand_core::{SeedableRng, TryRng};

use bydesign::credential::audit::Verdict;
use bydesign::telemetry::dictionary;

use declaration::Household;
use device::{Device, Life};
use images::{DICTIONARY, Images, LABELS};
use orders::{BadOrder, Order, mac_text};
use plant::Plant;
use report::Times;

mod batch;
mod board;
mod declaration;
mod device;
mod finder;
mod forensics;
mod images;
mod label;
mod model;
mod orders;
mod plant;
mod report;

const HELP: &str = "\
Makes a batch of devices from an order file, with a code of its own on each label, lives their lives on simulated flash, and looks for
what was erased.

Usage: cargo run --example lifecycle -- [options]

  --devices N    make the first N devices of the order (default: all)
  --orders FILE  the order: CSV with the columns serial,model,mac (default: the one beside this example)
  --keep DIR     keep in DIR the image files, the labels and the dictionary of what is told (default: a temporary directory that is removed)
  --seed N       repeat a run; the root keys then follow from N, so these devices are not for sale
  --plant FAULT  make a mistake on purpose, so that its check is seen to fail: shared-code, foreign-label, flash-put-back,
                 password-kept, queue-kept, report-lost
  --help         this text

Exit code: 0 all checks passed, 1 a check failed, 2 bad input or usage.
";

/// What the command line asks for.
struct Options {
    devices: Option<usize>,
    orders: PathBuf,
    keep: Option<PathBuf>,
    seed: Option<u64>,
    plant: Option<Plant>,
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

    let started = Instant::now();
    let devices: Result<Vec<Device>, String> = orders
        .into_iter()
        .enumerate()
        .map(|(number, order)| Device::new(order, number, options.plant, &mut random))
        .collect();
    let mut devices = devices.map_err(Trouble::Outside)?;
    if options.plant == Some(Plant::ForeignLabel) {
        let (other, _) = label::draw(&mut random).map_err(Trouble::Outside)?;
        devices
            .iter_mut()
            .take(1)
            .for_each(|first| first.label = other.clone());
    }
    let serials = devices.iter().map(|device| device.order.serial.as_str());
    let bytes = images
        .build(serials, |number| {
            let device = &devices[number];
            device
                .build(&mut random)
                .map_err(|reason| format!("{}: {reason}", device.order.serial))
        })
        .map_err(Trouble::Outside)?;
    let built = started.elapsed();

    let started = Instant::now();
    let macs: Vec<String> = devices.iter().map(|device| mac_text(device.order.mac)).collect();
    let labels = batch::table(devices.iter().zip(&macs).map(|(device, mac)| {
        let order = &device.order;
        [&order.serial, &order.model, mac, &device.label.text].map(String::as_str)
    }));
    let audit = batch::judge(&labels).map_err(Trouble::Outside)?;
    let audited = started.elapsed();

    let started = Instant::now();
    let lives = live_all(&devices, &images, seed, &mut random);
    let times = Times {
        built,
        audited,
        lived: started.elapsed(),
    };
    report::print(&devices, &lives, &audit, bytes, &times);
    if options.keep.is_some() {
        let keys = if options.seed.is_some() {
            "follow from the seed"
        } else {
            "are gone with this run"
        };
        let mut text = String::new();
        let written = dictionary::markdown::<Household>(&mut text);
        written.map_err(|error| Trouble::Outside(error.to_string()))?;
        for (name, text) in [(LABELS, &labels), (DICTIONARY, &text)] {
            images.write_paper(name, text).map_err(Trouble::Outside)?;
        }
        println!(
            "\nThe images are in {}; their root keys {keys}. Beside them: {LABELS}, with every code, and {DICTIONARY}, which\n\
             says what the devices tell their maker.",
            images.directory().display()
        );
    }
    Ok(lives.iter().all(Result::is_ok) && audit.verdict() == Verdict::Pass)
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

impl Options {
    fn parse(arguments: Vec<OsString>) -> Result<Self, Trouble> {
        let (mut devices, mut orders, mut keep, mut seed, mut plant) = (None, None, None, None, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let (name, mut value) = match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(OsString::from(value))),
                None => (name, None),
            };
            if !["--devices", "--orders", "--keep", "--seed", "--plant"].contains(&name.as_str()) {
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
                "--plant" => plant.replace(planted(&value)?).is_some(),
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
            plant,
        })
    }
}

fn planted(value: &OsString) -> Result<Plant, Trouble> {
    let plant = value.to_str().and_then(Plant::named);
    plant.ok_or_else(|| Trouble::Usage(format!("--plant knows no fault {}", value.display())))
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
