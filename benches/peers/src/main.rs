//! Other stores for raw flash and this one: the same work on the same simulated part in one run.
//!
//! ```text
//! cd benches/peers
//! cargo run --release                    10,000 updates after 50,000 earlier ones; minutes
//! cargo run --release -- --quick         a tenth of that
//! cargo run --release -- --write ../../docs     peers.md, peers.csv and peers.svg into that folder
//! ```
//!
//! The part has 4-byte words and 4 KiB pages; times are modelled: 0.2 ms for each 256-byte page that a program call touches, 45 ms an
//! erase, 40 bytes read a microsecond. Each store is driven through its public interface, with what makes it fast switched on; sealed by
//! hand means ChaCha20-Poly1305 around each value, the name as associated data, the nonce stored before the value. Whatever a store
//! refuses stands in the table with its own words.

mod part;
mod plot;
mod subject;
#[path = "../../work/mod.rs"]
mod work;

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use bydesign::flash::{Blocking, Overwritable, WriteOnce};
use part::Part;
use subject::{ByHand, Bydesign, Ekv, LARGEST, Limit, Name, Sequential, Subject, Tickv, Wasefire};
use work::{Work, below, fresh_value, random, wear};

const KIB: usize = 1024;

/// Stands above the tables in the document.
const PREFACE: &str = include_str!("preface.md");

/// What some updates cost, and the gets after them.
#[derive(Clone, Default)]
pub struct Row {
    pub capacity: usize,
    pub work: &'static str,
    pub store: &'static str,
    pub sealed: bool,
    pub updates: usize,
    pub bytes: f64,
    pub programs: f64,
    pub erases_per_thousand: f64,
    pub millis: f64,
    pub worst_millis: f64,
    pub wear: f64,
    pub get_bytes: f64,
    pub get_calls: f64,
    pub put_wall_nanos: f64,
    pub get_wall_nanos: f64,
    /// Of a new start and the first get.
    pub open_bytes: Option<u64>,
    pub open_micros: Option<f64>,
    /// Why it ended before its time.
    pub stopped: Option<String>,
}

/// The items of a work, numbered.
struct Names(HashMap<String, Name>);

impl Names {
    fn of(work: &Work) -> Self {
        let numbered = work.items().enumerate().map(|(number, item)| {
            let text = item.name.clone();
            (text.clone(), Name { text, number })
        });
        Self(numbered.collect())
    }

    fn get(&self, text: &str) -> &Name {
        &self.0[text]
    }
}

/// Further items of 64 bytes, so that the store is filled to this share of what it takes.
fn fillers<S: Subject>(capacity: usize, work: &Work) -> Result<usize, String> {
    let items = work.items().count();
    if work.filled_percent == 0 || S::NAME == Limit::NAME {
        return Ok(0);
    }
    let mut store = S::format(Part::new(capacity, S::RULE))?;
    let most = (0..subject::ITEMS)
        .take_while(|&number| {
            let text = format!("f-{number}");
            store.put(&Name { text, number }, &[0; 64]).is_ok()
        })
        .count();
    Ok((most * work.filled_percent as usize / 100).saturating_sub(items))
}

fn measure<S: Subject>(capacity: usize, work: &Work, earlier: usize, updates: usize) -> Row {
    let mut row = Row {
        capacity,
        work: work.name,
        store: S::NAME,
        sealed: S::SEALED,
        ..Row::default()
    };
    if let Err(error) = fill_row::<S>(&mut row, work, earlier, updates) {
        row.stopped = Some(error);
    }
    eprintln!(
        "{} KiB, {}, {}: {}",
        capacity / KIB,
        work.name,
        S::NAME,
        row.stopped.as_deref().unwrap_or("done")
    );
    row
}

fn fill_row<S: Subject>(row: &mut Row, work: &Work, earlier: usize, updates: usize) -> Result<(), String> {
    let part = Part::new(row.capacity, S::RULE);
    let names = Names::of(work);
    let mut random = random();
    let mut store = S::format(part.clone())?;
    for item in work.items() {
        store.put(names.get(&item.name), &fresh_value(item.len, &mut random))?;
    }
    let first_filler = names.0.len();
    for number in first_filler..first_filler + fillers::<S>(row.capacity, work)? {
        let name = Name {
            text: format!("f-{number}"),
            number,
        };
        store
            .put(&name, &fresh_value(64, &mut random))
            .map_err(|error| format!("{error} after {} items of the filling", number - first_filler))?;
    }

    let mut counted = Instant::now();
    for at in (0..earlier + updates).step_by(work.batch) {
        if at == earlier {
            row.wear = wear(&part.counters().erases_per_unit);
            part.reset_counters();
            (row.updates, row.worst_millis) = (0, 0.0);
            counted = Instant::now();
        }
        let batch: Vec<_> = work
            .choose_batch(&mut random)
            .into_iter()
            .map(|item| (names.get(&item.name), fresh_value(item.len, &mut random)))
            .collect();
        let before = part.counters().modelled_micros();
        let put = match batch.as_slice() {
            [(name, value)] => store.put(name, value),
            several => store.put_all(several),
        };
        put.map_err(|error| format!("{error} at update {at}"))?;
        row.worst_millis = row
            .worst_millis
            .max((part.counters().modelled_micros() - before) / 1000.0);
        row.updates += batch.len();
        if work.maintained {
            store.maintain()?;
        }
    }
    let counters = part.counters();
    let per_update = |count: f64| count / row.updates as f64;
    row.put_wall_nanos = per_update(counted.elapsed().as_nanos() as f64);
    row.bytes = per_update(counters.bytes_programmed as f64);
    row.programs = per_update(counters.programs as f64);
    row.erases_per_thousand = per_update(counters.erases as f64) * 1000.0;
    row.millis = per_update(counters.modelled_micros() / 1000.0);

    let items: Vec<_> = work.items().collect();
    let mut out = [0; LARGEST + 64];
    part.reset_counters();
    let counted = Instant::now();
    let gets = updates.min(2000);
    for _ in 0..gets {
        let item = items[below(items.len(), &mut random)];
        let len = store.get(names.get(&item.name), &mut out)?;
        assert_eq!(len, item.len, "{} of {}", item.name, S::NAME);
    }
    row.get_wall_nanos = counted.elapsed().as_nanos() as f64 / gets as f64;
    row.get_bytes = part.counters().bytes_read as f64 / gets as f64;
    row.get_calls = part.counters().reads as f64 / gets as f64;
    drop(store);

    part.reset_counters();
    if let Ok(mut store) = S::open(part.clone()) {
        let item = items[0];
        let len = store.get(names.get(&item.name), &mut out)?;
        assert_eq!(len, item.len, "{} of {} after a new start", item.name, S::NAME);
        row.open_bytes = Some(part.counters().bytes_read);
        row.open_micros = Some(part.counters().modelled_micros());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let folder = arguments
        .iter()
        .position(|argument| argument == "--write")
        .map(|at| {
            arguments
                .get(at + 1)
                .map(PathBuf::from)
                .ok_or("--write wants a folder")
        })
        .transpose()?;
    let (earlier, updates) = if quick { (5_000, 1_000) } else { (50_000, 10_000) };

    let mut rows = Vec::new();
    for capacity in [256 * KIB, 1024 * KIB] {
        for work in Work::all() {
            rows.push(measure::<Limit>(capacity, &work, earlier, updates));
            rows.push(measure::<Bydesign<WriteOnce<Blocking<Part>>, false>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<Bydesign<WriteOnce<Blocking<Part>>, true>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<Bydesign<Overwritable<Blocking<Part>>, false>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<ByHand<Sequential, true>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<ByHand<Sequential, false>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<ByHand<Wasefire, true>>(
                capacity, &work, earlier, updates,
            ));
            rows.push(measure::<ByHand<Wasefire, false>>(
                capacity, &work, earlier, updates,
            ));
            // A put of ekv is a transaction of its own and takes a hundred times as long: a tenth of the updates.
            rows.push(measure::<Ekv>(capacity, &work, earlier / 10, updates / 10));
            rows.push(measure::<Tickv>(capacity, &work, earlier, updates));
        }
    }
    let text = table(&rows);
    println!("{text}");
    if let Some(folder) = folder {
        let rows_of = format!("{updates} updates after {earlier} earlier ones");
        std::fs::write(
            folder.join("peers.md"),
            format!("{}\n{text}", PREFACE.replace("ROWS", &rows_of)),
        )?;
        std::fs::write(folder.join("peers.svg"), plot::draw(&rows))?;
        write_csv(&rows, &folder.join("peers.csv"))?;
    }
    Ok(())
}

fn limit_of<'a>(rows: &'a [Row], row: &Row) -> Option<&'a Row> {
    rows.iter()
        .find(|limit| limit.store == Limit::NAME && (limit.capacity, limit.work) == (row.capacity, row.work))
}

/// Names and values of the columns of a row, if it came to its end.
fn columns(row: &Row, limit: Option<&Row>) -> Vec<(&'static str, String)> {
    let ratio = |value: f64, of: fn(&Row) -> f64| limit.map_or(f64::NAN, |limit| value / of(limit));
    let optional = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    vec![
        ("bytes/update", format!("{:.1}", row.bytes)),
        ("x limit", format!("{:.2}", ratio(row.bytes, |limit| limit.bytes))),
        ("erases/1000", format!("{:.1}", row.erases_per_thousand)),
        (
            "x limit",
            format!(
                "{:.2}",
                ratio(row.erases_per_thousand, |limit| limit.erases_per_thousand)
            ),
        ),
        ("ms/update", format!("{:.2}", row.millis)),
        (
            "x limit",
            format!("{:.2}", ratio(row.millis, |limit| limit.millis)),
        ),
        ("worst put ms", format!("{:.1}", row.worst_millis)),
        ("programs/update", format!("{:.2}", row.programs)),
        ("wear max/mean", format!("{:.2}", row.wear)),
        ("get bytes", format!("{:.0}", row.get_bytes)),
        ("get calls", format!("{:.2}", row.get_calls)),
        (
            "open and first get, bytes",
            optional(row.open_bytes.map(|bytes| bytes.to_string())),
        ),
        (
            "µs",
            optional(row.open_micros.map(|micros| format!("{micros:.0}"))),
        ),
        ("put ns, wall", format!("{:.0}", row.put_wall_nanos)),
        ("get ns, wall", format!("{:.0}", row.get_wall_nanos)),
    ]
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut before = None;
    for row in rows {
        let columns = columns(row, limit_of(rows, row));
        if before != Some((row.capacity, row.work)) {
            before = Some((row.capacity, row.work));
            let _ = writeln!(text, "\n### {} KiB, {}\n", row.capacity / KIB, row.work);
            let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
            let _ = writeln!(text, "| store | {} |", names.join(" | "));
            let _ = writeln!(text, "| --- |{}", " ---: |".repeat(names.len()));
        }
        match &row.stopped {
            Some(reason) => {
                let _ = writeln!(
                    text,
                    "| {} | stopped: {reason} |{}",
                    row.store,
                    " |".repeat(columns.len() - 1)
                );
            }
            None => {
                let values: Vec<_> = columns.into_iter().map(|(_, value)| value).collect();
                let _ = writeln!(text, "| {} | {} |", row.store, values.join(" | "));
            }
        }
    }
    text
}

fn write_csv(rows: &[Row], path: &std::path::Path) -> Result<(), Box<dyn Error>> {
    let mut writer = csv::Writer::from_path(path)?;
    for (at, row) in rows.iter().enumerate() {
        let mut columns = columns(row, limit_of(rows, row));
        let said = |name, value: &str| (name, value.to_owned());
        columns.insert(0, said("store", row.store));
        columns.insert(0, said("work", row.work));
        columns.insert(0, ("KiB", (row.capacity / KIB).to_string()));
        columns.push(said("stopped", row.stopped.as_deref().unwrap_or_default()));
        if at == 0 {
            writer.write_record(columns.iter().map(|(name, _)| name))?;
        }
        writer.write_record(columns.iter().map(|(_, value)| value))?;
    }
    writer.flush()?;
    Ok(())
}
