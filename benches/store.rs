//! What an update, a get and a mount cost, in bytes, calls and erases of a simulated part: counts before seconds.
//!
//! ```text
//! cargo bench --bench store               10,000 updates after 50,000 earlier ones
//! cargo bench --bench store -- --quick    a tenth of that
//! ```
//!
//! The part has 4-byte words and 4 KiB pages. The times are modelled (`Counters::modelled_micros`: 0.2 ms for each 256-byte
//! page that a program call touches, 45 ms an erase, 40 bytes read a microsecond); the counts repeat exactly. Beside each row
//! stands the limit: the same values sealed with the same cipher and appended, value and 16-byte tag in one call, the oldest
//! page erased when there is no room; no header, no name, nothing ever copied. A bound, not a store.
//!
//! The rows are also written to `store-bench.csv` in the target directory. What they meant on one day is in
//! `docs/benchmarks.md`.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // figures for people

mod part;
mod work;

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use bydesign::flash::simulator::Rule;
use bydesign::flash::{Blocking, Overwritable, WriteOnce};
use bydesign::secret::RootKey;
use bydesign::store::{Change, Class, Ram, Store};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::Rng;
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};
use embedded_storage::nor_flash::NorFlash;
use part::{Flash, PAGE, Part};
use work::{BATCHES, SEED, Work, below, fresh_value, random, wear};

const BUFFER: usize = 1024;
const LABEL: &str = "bench";
const CLASS: Class = Class::Settings;
const KIB: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (earlier, updates) = if quick { (5_000, 1_000) } else { (50_000, 10_000) };
    println!("Seed {SEED}; {updates} updates after {earlier} earlier ones; modelled times.\n");

    let mut report = Report::default();
    for capacity in [256 * KIB, 1024 * KIB] {
        rows::<WriteOnce<Blocking<Flash>>>(capacity, false, earlier, updates, &mut report)?;
        rows::<WriteOnce<Blocking<Flash>>>(capacity, true, earlier, updates, &mut report)?;
        rows::<Overwritable<Blocking<Flash>>>(capacity, false, earlier, updates, &mut report)?;
    }
    println!("{}", report.update_table());

    let mut gets = Vec::new();
    for keys in [16, 64, 256, 1024] {
        gets.push(get_cost::<WriteOnce<Blocking<Flash>>>(keys)?);
        gets.push(get_cost::<Overwritable<Blocking<Flash>>>(keys)?);
    }
    println!("{}", get_table(&gets));

    let mut mounts = Vec::new();
    for capacity in [256 * KIB, 1024 * KIB] {
        for keys in [80, 500] {
            for checkpoints in [false, true] {
                mounts.push(mount_cost::<WriteOnce<Blocking<Flash>>>(
                    capacity,
                    checkpoints,
                    keys,
                    updates,
                    How::Singly,
                )?);
            }
            mounts.push(mount_cost::<Overwritable<Blocking<Flash>>>(
                capacity,
                false,
                keys,
                updates,
                How::Singly,
            )?);
        }
        for how in [How::Maintained, How::InBatches] {
            mounts.push(mount_cost::<WriteOnce<Blocking<Flash>>>(
                capacity, true, 80, updates, how,
            )?);
        }
    }
    println!("{}", mount_table(&mounts));

    let mut erasures = Vec::new();
    for capacity in [64 * KIB, 256 * KIB, 1024 * KIB] {
        erasures.push(erase_cost::<WriteOnce<Blocking<Flash>>>(capacity, updates)?);
        erasures.push(erase_cost::<Overwritable<Blocking<Flash>>>(capacity, updates)?);
    }
    println!("{}", erase_table(&erasures));
    println!("{}", memory_table());
    println!("{}", target_table(&report, &gets, &mounts, &erasures));

    let path = PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    report.write_csv(&path.join("store-bench.csv"))?;
    Ok(())
}

fn root_key() -> RootKey {
    let mut bytes = [0; 32];
    random().fill_bytes(&mut bytes);
    RootKey::new(bytes).expect("random enough")
}

// ---- what is counted ----

/// What some updates did.
#[derive(Clone, Default)]
struct Cost {
    updates: usize,
    value_bytes: usize,
    programmed: u64,
    programs: u64,
    erases: u64,
    read: u64,
    millis: f64,
    worst_millis: f64,
    /// Of upkeep between the updates, in the figures above too (but not in the worst).
    upkeep_millis: f64,
    wear: f64,
    wall_nanos: f64,
    get_wall_nanos: f64,
    /// Why it ended before its time.
    stopped: Option<String>,
}

impl Cost {
    fn per_update(&self, count: f64) -> f64 {
        count / self.updates.max(1) as f64
    }
    fn bytes(&self) -> f64 {
        self.per_update(self.programmed as f64)
    }
    fn erases_per_thousand(&self) -> f64 {
        self.per_update(self.erases as f64) * 1000.0
    }
    fn millis(&self) -> f64 {
        self.per_update(self.millis)
    }
    fn wall(&self) -> f64 {
        self.per_update(self.wall_nanos)
    }
    /// Takes over what the part counted since its counters were set to zero.
    fn take(&mut self, flash: &Flash) {
        let counters = flash.counters();
        self.programmed = counters.bytes_programmed;
        self.programs = counters.programs;
        self.erases = counters.erases;
        self.read = counters.bytes_read;
        self.millis = counters.modelled_micros() / 1000.0;
    }
}

/// What the tables call it.
fn name<M: Part>(checkpoints: bool) -> &'static str {
    if checkpoints {
        "write-once, checkpoints"
    } else {
        M::NAME
    }
}

// ---- updates ----

fn rows<M: Part>(
    capacity: usize,
    checkpoints: bool,
    earlier: usize,
    updates: usize,
    report: &mut Report,
) -> Result<(), Box<dyn Error>> {
    for work in Work::all() {
        let cost = if capacity > 256 * KIB && work.filled_percent > 0 {
            update_cost::<M, 8192>(capacity, checkpoints, &work, earlier, updates)?
        } else if work.filled_percent > 0 {
            update_cost::<M, 2560>(capacity, checkpoints, &work, earlier, updates)?
        } else {
            update_cost::<M, 600>(capacity, checkpoints, &work, earlier, updates)?
        };
        let limit = limit(capacity, &work, earlier, updates)?;
        eprintln!(
            "{} KiB, {}, {}",
            capacity / KIB,
            name::<M>(checkpoints),
            work.name
        );
        report.rows.push(Row {
            capacity,
            medium: name::<M>(checkpoints),
            work: work.name,
            cost,
            limit,
        });
    }
    Ok(())
}

fn update_cost<M: Part, const KEYS: usize>(
    capacity: usize,
    checkpoints: bool,
    work: &Work,
    earlier: usize,
    updates: usize,
) -> Result<Cost, Box<dyn Error>> {
    let mut random = random();
    let memory = Ram::<KEYS, BUFFER>::new();
    let mut store = Store::format(M::blank(capacity), memory, &root_key(), LABEL, &mut random)?;
    if checkpoints {
        store.keep_checkpoints(&mut random)?;
    }
    for item in work.items() {
        store.put_bytes(
            CLASS,
            &item.name,
            &fresh_value(item.len, &mut random),
            &mut random,
        )?;
    }
    let mut filled = 0;
    while store.figures().live_bytes < store.figures().capacity_bytes / 100 * work.filled_percent {
        store.put_bytes(
            CLASS,
            &format!("f-{filled}"),
            &fresh_value(64, &mut random),
            &mut random,
        )?;
        filled += 1;
    }

    let mut cost = Cost::default();
    let mut counted = Instant::now();
    for at in (0..earlier + updates).step_by(work.batch) {
        if at == earlier {
            // Wear is that of the whole history: too few erases fall into the counted part.
            cost = Cost {
                wear: wear(&store.medium().flash().counters().erases_per_unit[2..]),
                ..Cost::default()
            };
            store.medium_mut().flash_mut().reset_counters();
            counted = Instant::now();
        }
        let batch: Vec<_> = work
            .choose_batch(&mut random)
            .into_iter()
            .map(|item| (item.name.as_str(), fresh_value(item.len, &mut random)))
            .collect();
        let before = store.medium().flash().counters().modelled_micros();
        let written = if let [(name, value)] = batch.as_slice() {
            store.put_bytes(CLASS, name, value, &mut random)
        } else {
            let change = |(name, value)| Change::put_bytes(CLASS, name, value);
            let changes: Vec<_> = batch
                .iter()
                .map(|(name, value)| change((*name, value.as_slice())))
                .collect();
            store.commit(&changes, &mut random)
        };
        if let Err(error) = written {
            cost.stopped = Some(format!("{error} at update {at}"));
            break;
        }
        let after = store.medium().flash().counters().modelled_micros();
        cost.worst_millis = cost.worst_millis.max((after - before) / 1000.0);
        cost.updates += batch.len();
        cost.value_bytes += batch.iter().map(|(_, value)| value.len()).sum::<usize>();
        if work.maintained {
            while store.maintain(16, &mut random)? {}
            let maintained = store.medium().flash().counters().modelled_micros();
            cost.upkeep_millis += (maintained - after) / 1000.0;
        }
    }
    cost.wall_nanos = counted.elapsed().as_nanos() as f64;
    cost.take(store.medium().flash());

    let begun = Instant::now();
    let mut out = [0; BUFFER];
    for _ in 0..updates {
        let item = work.choose(&mut random);
        let found = store.get_bytes(CLASS, &item.name, &mut out)?;
        assert_eq!(found, Some(item.len), "{} is there", item.name);
    }
    cost.get_wall_nanos = begun.elapsed().as_nanos() as f64 / updates as f64;
    Ok(cost)
}

/// The bound: seal, append, erase the oldest page when there is no room.
fn limit(capacity: usize, work: &Work, earlier: usize, updates: usize) -> Result<Cost, Box<dyn Error>> {
    let mut random = random();
    let cipher = XChaCha20Poly1305::new(&[7; 32].into());
    let mut flash = Flash::new(capacity, Rule::WriteOnce);
    let (mut cost, mut at) = (Cost::default(), 0);
    let mut counted = Instant::now();
    for number in 0..earlier + updates {
        if number == earlier {
            cost = Cost {
                wear: wear(&flash.counters().erases_per_unit),
                ..Cost::default()
            };
            flash.reset_counters();
            counted = Instant::now();
        }
        let len = work.choose(&mut random).len;
        let mut record = fresh_value(len, &mut random);
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        let tag = cipher
            .encrypt_inout_detached((&nonce).into(), &[], record.as_mut_slice().into())
            .map_err(|_| "does not seal")?;
        record.extend_from_slice(&tag);

        let before = flash.counters().modelled_micros();
        if at % PAGE + record.len() > PAGE {
            at = (at / PAGE + 1) * PAGE % capacity;
        }
        if at % PAGE == 0 {
            flash.erase(u32::try_from(at)?, u32::try_from(at + PAGE)?)?;
        }
        flash.write(u32::try_from(at)?, &record)?;
        at = (at + record.len()) % capacity;
        cost.worst_millis = cost
            .worst_millis
            .max((flash.counters().modelled_micros() - before) / 1000.0);
        cost.updates += 1;
        cost.value_bytes += len;
    }
    cost.wall_nanos = counted.elapsed().as_nanos() as f64;
    cost.take(&flash);
    Ok(cost)
}

struct Row {
    capacity: usize,
    medium: &'static str,
    work: &'static str,
    cost: Cost,
    limit: Cost,
}

impl Row {
    /// Cost over limit: bytes, erases, time.
    fn ratios(&self) -> [f64; 3] {
        let (cost, limit) = (&self.cost, &self.limit);
        [
            cost.bytes() / limit.bytes(),
            cost.erases_per_thousand() / limit.erases_per_thousand(),
            cost.millis() / limit.millis(),
        ]
    }

    fn columns(&self) -> Vec<(&'static str, String)> {
        let (cost, limit) = (&self.cost, &self.limit);
        let [bytes, erases, time] = self.ratios();
        vec![
            ("part", format!("{} KiB", self.capacity / KIB)),
            ("medium", self.medium.into()),
            ("work", self.work.into()),
            ("bytes/update", format!("{:.1}", cost.bytes())),
            (
                "bytes/value byte",
                format!("{:.2}", cost.programmed as f64 / cost.value_bytes.max(1) as f64),
            ),
            ("erases/1000", format!("{:.1}", cost.erases_per_thousand())),
            ("ms/update", format!("{:.2}", cost.millis())),
            (
                "of it upkeep",
                format!("{:.2}", cost.per_update(cost.upkeep_millis)),
            ),
            ("worst put ms", format!("{:.1}", cost.worst_millis)),
            (
                "programs/update",
                format!("{:.2}", cost.per_update(cost.programs as f64)),
            ),
            (
                "bytes read/update",
                format!("{:.0}", cost.per_update(cost.read as f64)),
            ),
            (
                "wear max/mean",
                if cost.wear > 0.0 {
                    format!("{:.2}", cost.wear)
                } else {
                    "-".into()
                },
            ),
            ("limit bytes", format!("{:.1}", limit.bytes())),
            ("limit erases", format!("{:.1}", limit.erases_per_thousand())),
            ("limit ms", format!("{:.2}", limit.millis())),
            ("x bytes", format!("{bytes:.2}")),
            ("x erases", format!("{erases:.2}")),
            ("x time", format!("{time:.2}")),
            ("wall ns put", format!("{:.0}", cost.wall())),
            ("wall ns get", format!("{:.0}", cost.get_wall_nanos)),
            ("wall ns limit", format!("{:.0}", limit.wall())),
            ("stopped", cost.stopped.clone().unwrap_or_default()),
        ]
    }
}

#[derive(Default)]
struct Report {
    rows: Vec<Row>,
}

impl Report {
    fn update_table(&self) -> String {
        let rows: Vec<_> = self.rows.iter().map(Row::columns).collect();
        table("Updates", &rows)
    }

    fn write_csv(&self, path: &std::path::Path) -> Result<(), Box<dyn Error>> {
        let mut writer = csv::Writer::from_path(path)?;
        for (at, row) in self.rows.iter().enumerate() {
            let columns = row.columns();
            if at == 0 {
                writer.write_record(columns.iter().map(|(name, _)| name))?;
            }
            writer.write_record(columns.iter().map(|(_, value)| value))?;
        }
        writer.flush()?;
        Ok(())
    }
}

fn table(title: &str, rows: &[Vec<(&'static str, String)>]) -> String {
    let mut text = format!("## {title}\n\n");
    if let Some(first) = rows.first() {
        let names: Vec<_> = first.iter().map(|(name, _)| *name).collect();
        let _ = writeln!(
            text,
            "| {} |\n|{}",
            names.join(" | "),
            " --- |".repeat(names.len())
        );
    }
    for row in rows {
        let values: Vec<_> = row.iter().map(|(_, value)| value.as_str()).collect();
        let _ = writeln!(text, "| {} |", values.join(" | "));
    }
    text
}

// ---- reading ----

struct GetCost {
    medium: &'static str,
    keys: usize,
    mean_bytes: f64,
    mean_calls: f64,
    most_bytes: u64,
    most_calls: u64,
}

/// A store of so many 64-byte items on 1 MiB, each written twice, mounted; then each read once.
fn get_cost<M: Part>(keys: usize) -> Result<GetCost, Box<dyn Error>> {
    let mut store = filled::<M, 1024>(1024 * KIB, false, keys, keys)?;
    let (mut bytes, mut calls, mut most_bytes, mut most_calls) = (0, 0, 0, 0);
    let mut out = [0; 64];
    for key in 0..keys {
        store.medium_mut().flash_mut().reset_counters();
        let found = store.get_bytes(CLASS, &format!("k-{key:02}"), &mut out)?;
        assert_eq!(found, Some(64));
        let counters = store.medium().flash().counters();
        bytes += counters.bytes_read;
        calls += counters.reads;
        most_bytes = most_bytes.max(counters.bytes_read);
        most_calls = most_calls.max(counters.reads);
    }
    let of_keys = |sum: u64| sum as f64 / keys as f64;
    Ok(GetCost {
        medium: M::NAME,
        keys,
        mean_bytes: of_keys(bytes),
        mean_calls: of_keys(calls),
        most_bytes,
        most_calls,
    })
}

/// How items are updated before a mount.
#[derive(Clone, Copy)]
enum How {
    Singly,
    /// `maintain` after each until nothing is left to do.
    Maintained,
    /// Eight in a transaction.
    InBatches,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            Self::Singly => "singly",
            Self::Maintained => "singly, maintained",
            Self::InBatches => BATCHES,
        }
    }

    fn update<M: Part, const KEYS: usize>(
        self,
        store: &mut Store<M, Ram<KEYS, BUFFER>>,
        keys: usize,
        random: &mut ChaCha20Rng,
    ) -> Result<(), Box<dyn Error>> {
        let key = below(keys, random);
        let name = |number: usize| format!("k-{:02}", (key + number) % keys);
        if let Self::InBatches = self {
            let items: Vec<_> = (0..8)
                .map(|number| (name(number), fresh_value(64, random)))
                .collect();
            let changes: Vec<Change<'_>> = items
                .iter()
                .map(|(name, value)| Change::put_bytes(CLASS, name, value))
                .collect();
            store.commit(&changes, random)?;
            return Ok(());
        }
        store.put_bytes(CLASS, &name(0), &fresh_value(64, random), random)?;
        if let Self::Maintained = self {
            while store.maintain(16, random)? {}
        }
        Ok(())
    }
}

struct MountCost {
    medium: &'static str,
    capacity: usize,
    keys: usize,
    how: &'static str,
    /// Of the moments; the others are those of the one in which most was read.
    mean: f64,
    bytes: u64,
    calls: u64,
    micros: f64,
    wall_micros: f64,
}

/// How many moments a mount is measured at, each some updates after the one before.
const MOMENTS: u32 = 24;

/// Mounts a store of so many 64-byte items that was updated for a while, and gets one: the worst of some moments.
fn mount_cost<M: Part>(
    capacity: usize,
    checkpoints: bool,
    keys: usize,
    updates: usize,
    how: How,
) -> Result<MountCost, Box<dyn Error>> {
    let mut medium = filled::<M, 500>(capacity, checkpoints, keys, updates)?.into_medium();
    let mut random = random();
    let mut worst = MountCost {
        medium: name::<M>(checkpoints),
        capacity,
        keys,
        how: how.name(),
        mean: 0.0,
        bytes: 0,
        calls: 0,
        micros: 0.0,
        wall_micros: 0.0,
    };
    let mut sum = 0;
    for _ in 0..MOMENTS {
        medium.flash_mut().reset_counters();
        let begun = Instant::now();
        let mut store = Store::mount(medium, Ram::<500, BUFFER>::new(), &root_key(), LABEL)?;
        let mut out = [0; 64];
        assert_eq!(store.get_bytes(CLASS, "k-07", &mut out)?, Some(64));
        let wall_micros = begun.elapsed().as_nanos() as f64 / 1000.0;
        let counters = store.medium().flash().counters();
        sum += counters.bytes_read;
        if counters.bytes_read > worst.bytes {
            worst.bytes = counters.bytes_read;
            worst.calls = counters.reads;
            worst.micros = counters.modelled_micros();
            worst.wall_micros = wall_micros;
        }
        for _ in 0..17 {
            how.update(&mut store, keys, &mut random)?;
        }
        medium = store.into_medium();
    }
    worst.mean = sum as f64 / f64::from(MOMENTS);
    Ok(worst)
}

fn filled<M: Part, const KEYS: usize>(
    capacity: usize,
    checkpoints: bool,
    keys: usize,
    updates: usize,
) -> Result<Store<M, Ram<KEYS, BUFFER>>, Box<dyn Error>> {
    let mut random = random();
    let memory = Ram::<KEYS, BUFFER>::new();
    let mut store = Store::format(M::blank(capacity), memory, &root_key(), LABEL, &mut random)?;
    if checkpoints {
        store.keep_checkpoints(&mut random)?;
    }
    for at in 0..keys + updates {
        let key = if at < keys { at } else { below(keys, &mut random) };
        store.put_bytes(
            CLASS,
            &format!("k-{key:02}"),
            &fresh_value(64, &mut random),
            &mut random,
        )?;
    }
    let medium = store.into_medium();
    Ok(Store::mount(medium, Ram::new(), &root_key(), LABEL)?)
}

fn get_table(gets: &[GetCost]) -> String {
    let rows: Vec<_> = gets
        .iter()
        .map(|get| {
            vec![
                ("medium", get.medium.to_owned()),
                ("items", get.keys.to_string()),
                ("bytes/get", format!("{:.1}", get.mean_bytes)),
                ("calls/get", format!("{:.2}", get.mean_calls)),
                ("most bytes", get.most_bytes.to_string()),
                ("most calls", get.most_calls.to_string()),
            ]
        })
        .collect();
    table("Get, 64-byte values, 1 MiB", &rows)
}

fn mount_table(mounts: &[MountCost]) -> String {
    let rows: Vec<_> = mounts
        .iter()
        .map(|mount| {
            vec![
                ("part", format!("{} KiB", mount.capacity / KIB)),
                ("medium", mount.medium.to_owned()),
                ("items", mount.keys.to_string()),
                ("updated", mount.how.to_owned()),
                ("bytes read, mean", format!("{:.0}", mount.mean)),
                ("most", mount.bytes.to_string()),
                ("read calls", mount.calls.to_string()),
                ("modelled µs", format!("{:.0}", mount.micros)),
                ("wall µs", format!("{:.0}", mount.wall_micros)),
            ]
        })
        .collect();
    table("Mount and first get, 64-byte values", &rows)
}

// ---- erasing a class ----

struct EraseCost {
    medium: &'static str,
    capacity: usize,
    erases: u64,
    programmed: u64,
    read: u64,
    millis: f64,
}

/// Erases the class of 80 items that were updated for a while.
fn erase_cost<M: Part>(capacity: usize, updates: usize) -> Result<EraseCost, Box<dyn Error>> {
    let mut store = filled::<M, 500>(capacity, false, 80, updates)?;
    store.medium_mut().flash_mut().reset_counters();
    store.erase(CLASS, &mut random())?;
    let counters = store.medium().flash().counters();
    Ok(EraseCost {
        medium: M::NAME,
        capacity,
        erases: counters.erases,
        programmed: counters.bytes_programmed,
        read: counters.bytes_read,
        millis: counters.modelled_micros() / 1000.0,
    })
}

fn erase_table(erasures: &[EraseCost]) -> String {
    let rows: Vec<_> = erasures
        .iter()
        .map(|erasure| {
            vec![
                ("part", format!("{} KiB", erasure.capacity / KIB)),
                ("medium", erasure.medium.to_owned()),
                ("page erases", erasure.erases.to_string()),
                ("bytes programmed", erasure.programmed.to_string()),
                ("bytes read", erasure.read.to_string()),
                ("modelled ms", format!("{:.1}", erasure.millis)),
            ]
        })
        .collect();
    table("Erasing a class of 80 items", &rows)
}

// ---- memory ----

/// Bytes of a store but for its items and its record buffer: what is left over the driver, 8 bytes an item and the buffer.
fn state_bytes<const KEYS: usize, const CLASSES: usize>() -> usize {
    size_of::<Store<WriteOnce<Blocking<Flash>>, Ram<KEYS, BUFFER, CLASSES>>>()
        - size_of::<WriteOnce<Blocking<Flash>>>()
        - KEYS * 8
        - BUFFER
}

fn memory_table() -> String {
    let row = |items: usize, classes: usize, state: usize| {
        vec![
            ("items", items.to_string()),
            ("classes", classes.to_string()),
            ("8 bytes an item", (items * 8).to_string()),
            ("everything else but the record buffer", state.to_string()),
        ]
    };
    let rows = [
        row(80, 3, state_bytes::<80, 3>()),
        row(80, 8, state_bytes::<80, 8>()),
        row(500, 8, state_bytes::<500, 8>()),
        row(500, 20, state_bytes::<500, 20>()),
    ];
    table("Memory, bytes, on a machine of 64 bits", &rows)
}

// ---- targets ----

/// What the store is to reach, and whether it does.
fn target_table(report: &Report, gets: &[GetCost], mounts: &[MountCost], erasures: &[EraseCost]) -> String {
    const ERASE_MILLIS: f64 = 45.0;
    let worst = |value: &dyn Fn(&Row) -> f64, wanted: &dyn Fn(&Row) -> bool| {
        report
            .rows
            .iter()
            .filter(|row| wanted(row))
            .map(value)
            .fold(0.0, f64::max)
    };
    let main = |row: &Row| row.work == "hot and cold" && row.medium.starts_with("write-once");
    let overwritable = |row: &Row| row.work == "hot and cold" && row.medium == "overwritable";
    let mount = |keys| {
        mounts
            .iter()
            .filter(|mount| mount.keys == keys && mount.medium == name::<WriteOnce<Blocking<Flash>>>(true))
            .map(|mount| mount.bytes)
            .max()
            .unwrap_or(0)
    };
    let of_gets = |value: &dyn Fn(&GetCost) -> f64| gets.iter().map(value).fold(0.0, f64::max);
    let stopped = report
        .rows
        .iter()
        .filter(|row| row.cost.stopped.is_some())
        .count();
    let mut text =
        String::from("## Targets\n\n| target | limit | worst measured | met |\n| --- | --- | --- | --- |\n");
    let mut line = |target: &str, most: f64, measured: f64| {
        let met = if measured <= most { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {target} | {most} | {measured:.2} | {met} |");
    };
    line(
        "update, hot and cold, write-once: bytes over the limit's",
        1.45,
        worst(&|row| row.ratios()[0], &main),
    );
    line(
        "update, hot and cold, write-once: erases over the limit's",
        1.45,
        worst(&|row| row.ratios()[1], &main),
    );
    line(
        "update, hot and cold, overwritable: bytes over the limit's",
        1.45,
        worst(&|row| row.ratios()[0], &overwritable),
    );
    line(
        "update, hot and cold, overwritable: erases over the limit's",
        1.45,
        worst(&|row| row.ratios()[1], &overwritable),
    );
    line(
        "worst put, hot and cold, write-once, ms",
        ERASE_MILLIS + 5.0,
        worst(&|row| row.cost.worst_millis, &main),
    );
    line(
        "worst single put, any row, ms",
        ERASE_MILLIS + 5.0,
        worst(&|row| row.cost.worst_millis, &|row| row.work != BATCHES),
    );
    line(
        "worst put, maintained rows, ms",
        2.0,
        worst(&|row| row.cost.worst_millis, &|row| {
            row.work.ends_with("maintained")
        }),
    );
    line(
        "wear, any row, max/mean",
        1.5,
        worst(&|row| row.cost.wear, &|_| true),
    );
    let most_erases = erasures.iter().map(|erasure| erasure.erases).max();
    line(
        "erasing a class, page erases",
        3.0,
        most_erases.unwrap_or(u64::MAX) as f64,
    );
    line(
        "memory with 8 classes, over 8 bytes an item and the buffer",
        1024.0,
        state_bytes::<500, 8>() as f64,
    );
    line("get, bytes, mean", 128.0, of_gets(&|get| get.mean_bytes));
    line("get, calls, mean", 2.0, of_gets(&|get| get.mean_calls));
    line("get, bytes, single", 128.0, of_gets(&|get| get.most_bytes as f64));
    line("get, calls, single", 2.0, of_gets(&|get| get.most_calls as f64));
    line(
        "mount and first get, 80 items, bytes",
        16.0 * 1024.0,
        mount(80) as f64,
    );
    line(
        "mount and first get, 500 items, bytes",
        32.0 * 1024.0,
        mount(500) as f64,
    );
    line("rows that stopped before their time", 0.0, stopped as f64);
    text
}
