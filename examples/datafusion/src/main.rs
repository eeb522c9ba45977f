//! A million devices' randomised answers, summed by Apache DataFusion over Parquet: however the files are ordered and the work is split, the
//! sums are those of the collector without an engine, to the byte, and so are those of the engine's own `GROUP BY`.
//!
//! ```text
//!  cargo run --release --manifest-path examples/datafusion/Cargo.toml
//! ```

mod fleet;
mod sum;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bydesign::telemetry::collect::{Confidence, Estimate, PartialSum, Threshold};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int64Type, UInt8Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext, col, lit};
use fleet::DEVICES;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// All five sums of these files, in this order, by so many workers.
async fn summed(paths: &[PathBuf], workers: usize) -> Outcome<Vec<PartialSum>> {
    let config = SessionConfig::new().with_target_partitions(workers);
    let context = SessionContext::new_with_config(config);
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let answers = context.read_parquet(paths, ParquetReadOptions::default()).await?;
    let mut calls = Vec::new();
    for ((name, _), empty) in fleet::fields().into_iter().zip(fleet::empty_sums()?) {
        let column = answers
            .schema()
            .field_with_unqualified_name(name)?
            .data_type()
            .clone();
        calls.push(sum::function(&format!("{name}_sum"), column, empty).call(vec![col(name)]));
    }
    let rows = answers.aggregate(vec![], calls)?.collect().await?;
    let row = rows.iter().find(|batch| batch.num_rows() == 1).ok_or("one row")?;
    row.columns()
        .iter()
        .map(|column| Ok(PartialSum::decode(column.as_binary::<i32>().value(0))?))
        .collect()
}

/// The modes once more, by what every engine has: `SELECT mode, count(*) GROUP BY mode`.
async fn grouped(paths: &[PathBuf]) -> Outcome<PartialSum> {
    let context = SessionContext::new();
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let answers = context.read_parquet(paths, ParquetReadOptions::default()).await?;
    let counts = answers
        .aggregate(vec![col("mode")], vec![count(lit(1_i64))])?
        .collect()
        .await?;
    let mut sum = fleet::empty_sums()?.swap_remove(0);
    for batch in counts {
        let (modes, times) = (
            batch.column(0).as_primitive::<UInt8Type>(),
            batch.column(1).as_primitive::<Int64Type>(),
        );
        for row in 0..batch.num_rows() {
            sum.add_times(modes.value(row), times.value(row).try_into()?)?;
        }
    }
    Ok(sum)
}

fn show(name: &str, estimate: Option<&Estimate>, truth: f64) {
    match estimate {
        Some(estimate) => println!(
            "  {name:<14} {:>9.4}  [{:.4}, {:.4}]   true {truth:.4}",
            estimate.value(),
            estimate.low(),
            estimate.high()
        ),
        None => println!("  {name:<14}  withheld                        true {truth:.4}"),
    }
}

fn show_estimates(sums: &[PartialSum]) -> Outcome<()> {
    let [mode, _, window, room, openings] = sums else {
        return Err("five sums".into());
    };
    let threshold = Threshold::new(1_000)?;
    let level = Confidence::Percent95;
    let all = f64::from(DEVICES);
    let devices = || (0..DEVICES).map(fleet::truth);
    println!("estimates, with intervals of 95 %:");
    for (at, estimate) in threshold.frequencies(mode, level)?.iter().enumerate() {
        let truth = devices().filter(|device| usize::from(device.0) == at).count() as f64 / all;
        show(&format!("mode {at}"), estimate.as_ref(), truth);
    }
    let open = devices().filter(|device| device.2).count() as f64 / all;
    show(
        "window open",
        threshold.frequencies(window, level)?[1].as_ref(),
        open,
    );
    let warmth = devices().map(|device| f64::from(device.3)).sum::<f64>() / all;
    show("room, 0.1 °C", Some(&threshold.mean(room, level)?), warmth);
    let opened = devices().map(|device| f64::from(device.4)).sum::<f64>() / all;
    show("openings", Some(&threshold.mean(openings, level)?), opened);
    Ok(())
}

/// The files in several orders: as written, backwards, and by lot.
fn orders(paths: &[PathBuf]) -> Vec<(String, Vec<PathBuf>)> {
    let mut random = ChaCha20Rng::seed_from_u64(7);
    let mut orders = vec![
        ("as written".to_owned(), paths.to_vec()),
        ("backwards".to_owned(), paths.iter().rev().cloned().collect()),
    ];
    for lot in 1..=3 {
        let mut shuffled = paths.to_vec();
        for last in (1..shuffled.len()).rev() {
            shuffled.swap(last, random.next_u32() as usize % (last + 1));
        }
        orders.push((format!("by lot, {lot}"), shuffled));
    }
    orders
}

fn encoded(sums: &[PartialSum]) -> Vec<Vec<u8>> {
    sums.iter().map(PartialSum::encode).collect()
}

async fn run(place: &Path) -> Outcome<()> {
    let begun = Instant::now();
    let (paths, plain) = fleet::write(place)?;
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{DEVICES} devices of five answers in {} files: {took:.1} s, {:.0} devices a second",
        paths.len(),
        f64::from(DEVICES) / took
    );
    if plain.iter().any(|sum| sum.reports() != u64::from(DEVICES)) {
        return Err("an answer was not counted".into());
    }

    let mut same = 0;
    for (order, files) in orders(&paths) {
        for workers in [1, 2, 3, 8] {
            let begun = Instant::now();
            let sums = summed(&files, workers).await?;
            let took = begun.elapsed().as_secs_f64();
            if encoded(&sums) != encoded(&plain) {
                return Err(format!(
                    "files {order}, {workers} workers: the sums differ from the collector's"
                )
                .into());
            }
            println!(
                "  files {order}, {workers} workers: {took:.2} s, {:.2} million answers a second, the collector's sums",
                5.0 * f64::from(DEVICES) / took / 1e6
            );
            same += 1;
        }
    }
    // Each file by itself, merged by hand from the last to the first.
    let mut merged = fleet::empty_sums()?;
    for path in paths.iter().rev() {
        let of_file = summed(std::slice::from_ref(path), 1).await?;
        for (sum, other) in merged.iter_mut().zip(&of_file) {
            sum.merge(other)?;
        }
    }
    if encoded(&merged) != encoded(&plain) {
        return Err("merged by hand, the sums differ from the collector's".into());
    }
    if plain.first() != Some(&grouped(&paths).await?) {
        return Err("the engine's own GROUP BY differs from the collector's sum".into());
    }
    println!(
        "the same to the byte: {same} runs of the engine, its files merged by hand, and its own GROUP BY of the modes"
    );
    show_estimates(&plain)
}

fn main() -> Outcome<()> {
    let place = std::env::temp_dir().join(format!("bydesign-answers-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(run(&place));
    std::fs::remove_dir_all(&place)?;
    ended
}
