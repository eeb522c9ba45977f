//! A million devices' randomised answers, summed by Apache DataFusion over Parquet: however the files are ordered and the work is split, the
//! sums are the same to the byte, and so are those of the engine's own `GROUP BY`.
//!
//! ```text
//!  cargo run --release --manifest-path examples/datafusion/Cargo.toml
//! ```

mod fleet;
mod sum;

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use bydesign::telemetry::collect::{Confidence, Estimate, Parameters, PartialSum, Source, Threshold};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type, UInt8Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext, col, lit};
use fleet::{DEVICES, MODE, OPENINGS, PROGRAMME, ROOM, WINDOW};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Name of the column, its type, how its answers are counted.
fn fields() -> [(&'static str, DataType, Parameters); 5] {
    [
        ("mode", DataType::UInt8, (&MODE).into()),
        ("programme", DataType::UInt64, (&PROGRAMME).into()),
        ("window", DataType::Boolean, (&WINDOW).into()),
        ("room", DataType::Boolean, (&ROOM).into()),
        ("openings", DataType::Int32, (&OPENINGS).into()),
    ]
}

fn source(field: &str) -> Outcome<Source> {
    Ok(Source::new("thermostat", 1, field)?)
}

/// All five sums of these files, in this order, by so many workers.
async fn summed(paths: &[PathBuf], workers: usize) -> Outcome<Vec<PartialSum>> {
    let config = SessionConfig::new().with_target_partitions(workers);
    let context = SessionContext::new_with_config(config);
    let functions: Vec<AggregateUDF> = fields()
        .into_iter()
        .map(|(name, of, parameters)| {
            Ok(sum::function(
                &format!("{name}_sum"),
                of,
                source(name)?,
                parameters,
            ))
        })
        .collect::<Outcome<_>>()?;
    let calls = functions
        .iter()
        .zip(fields())
        .map(|(function, (name, ..))| function.call(vec![col(name)]));
    let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let answers = context.read_parquet(paths, ParquetReadOptions::default()).await?;
    let rows = answers.aggregate(vec![], calls.collect())?.collect().await?;
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
    let mut sum = PartialSum::new(&source("mode")?, &MODE);
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

async fn run() -> Outcome<()> {
    let place = std::env::temp_dir().join(format!("bydesign-answers-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let start = Instant::now();
    let paths = fleet::write(&place)?;
    println!(
        "{DEVICES} devices in {} files: {:.1} s",
        paths.len(),
        start.elapsed().as_secs_f64()
    );

    let mut backwards = paths.clone();
    backwards.reverse();
    let mut shuffled = paths.clone();
    shuffled.swap(0, 5);
    shuffled.swap(2, 7);
    let mut first: Option<Vec<Vec<u8>>> = None;
    let mut last = Vec::new();
    for (order, files) in [
        ("as written", &paths),
        ("backwards", &backwards),
        ("shuffled", &shuffled),
    ] {
        for workers in [1, 2, 3, 8] {
            let start = Instant::now();
            let sums = summed(files, workers).await?;
            let took = start.elapsed().as_secs_f64();
            let bytes: Vec<Vec<u8>> = sums.iter().map(PartialSum::encode).collect();
            let is_same = *first.get_or_insert_with(|| bytes.clone()) == bytes;
            println!("files {order}, {workers} workers: {took:.2} s, the same to the byte: {is_same}");
            if !is_same || sums.iter().any(|sum| sum.reports() != u64::from(DEVICES)) {
                return Err("the sums differ".into());
            }
            last = sums;
        }
    }
    // Each file by itself, merged by hand from the last to the first.
    let mut merged = PartialSum::new(&source("mode")?, &MODE);
    for path in &backwards {
        merged.merge(&summed(std::slice::from_ref(path), 1).await?[0])?;
    }
    println!("files one by one, merged by hand: {}", merged == last[0]);
    let grouped = grouped(&paths).await?;
    println!("the engine's own GROUP BY: {}", grouped == last[0]);
    if merged != last[0] || grouped != last[0] {
        return Err("the sums differ".into());
    }
    std::fs::remove_dir_all(&place)?;
    show_estimates(&last)
}

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}
