//! A million simulated devices, whose answers lie in Parquet files of different sizes, and the sums that the collector makes of the same answers
//! by itself.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bydesign::telemetry::collect::{Answer, Parameters, PartialSum, Source};
use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace, Mechanism, OneBitMean, Response, Unary};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use datafusion::arrow::array::{BooleanArray, Int32Array, RecordBatch, UInt8Array, UInt64Array};
use datafusion::parquet::arrow::ArrowWriter;

use crate::Outcome;

pub const DEVICES: u32 = 1_000_000;
const FILES: u32 = 12;

pub const MODE: Response<4> = Response::with_epsilon::<1, 1>();
pub const PROGRAMME: Unary<24> = Unary::with_epsilon::<1, 1>();
pub const WINDOW: BinaryResponse = BinaryResponse::with_epsilon::<1, 2>();
pub const ROOM: OneBitMean = OneBitMean::with_epsilon::<50, 350, 1, 1>();
pub static OPENINGS: DiscreteLaplace<30> = DiscreteLaplace::with_epsilon::<0, 1, 1>();

/// What is true of a device: heating mode, programme, window open, tenths of a degree, door openings.
pub fn truth(device: u32) -> (u8, u8, bool, i32, i32) {
    let mode = device.trailing_ones().min(3) as u8;
    let programme = (device % 24).min(device % 17) as u8;
    let room = 170 + (device % 61) as i32;
    (mode, programme, device % 7 == 0, room, (device % 9) as i32)
}

/// How a field is counted, and what it is called.
pub fn fields() -> [(&'static str, Parameters); 5] {
    [
        ("mode", (&MODE).into()),
        ("programme", (&PROGRAMME).into()),
        ("window", (&WINDOW).into()),
        ("room", (&ROOM).into()),
        ("openings", (&OPENINGS).into()),
    ]
}

/// A sum of nothing, for each field.
pub fn empty_sums() -> Outcome<Vec<PartialSum>> {
    fields()
        .into_iter()
        .map(|(name, parameters)| Ok(PartialSum::new(&Source::new("thermostat", 1, name)?, parameters)))
        .collect()
}

/// Writes the files; gives their paths, and the sums of all answers as the collector counts them one by one. The first file has a twelfth of the
/// devices, the others more and less.
pub fn write(place: &Path) -> Outcome<(Vec<PathBuf>, Vec<PartialSum>)> {
    let mut random = ChaCha20Rng::seed_from_u64(20_261_128);
    let (mut paths, mut sums) = (Vec::new(), empty_sums()?);
    let (mut first, begun) = (0, Instant::now());
    for file in 0..FILES {
        let end = if file == FILES - 1 {
            DEVICES
        } else {
            first + DEVICES / FILES + file * 5_000 - (file / 2) * 10_001
        };
        let path = place.join(format!("answers-{file}.parquet"));
        let batch = answers(first..end, &mut random, &mut sums)?;
        let mut writer = ArrowWriter::try_new(File::create(&path)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        paths.push(path);
        first = end;
        println!(
            "  {end:>8} devices have answered, {:.1} s",
            begun.elapsed().as_secs_f64()
        );
    }
    Ok((paths, sums))
}

/// A device's answer, which the collector counts at once.
fn answer<M: Mechanism>(
    mechanism: &M,
    value: M::Value,
    random: &mut ChaCha20Rng,
    sum: &mut PartialSum,
) -> Outcome<M::Output>
where
    M::Output: Copy + Into<Answer>,
{
    let Ok(output) = mechanism.randomise(value, random);
    sum.add(output)?;
    Ok(output)
}

fn answers(devices: Range<u32>, random: &mut ChaCha20Rng, sums: &mut [PartialSum]) -> Outcome<RecordBatch> {
    let [of_mode, of_programme, of_window, of_room, of_openings] = sums else {
        return Err("five sums".into());
    };
    let (mut modes, mut programmes, mut windows, mut rooms, mut openings) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for device in devices {
        let (mode, programme, window, room, opened) = truth(device);
        modes.push(answer(&MODE, mode, random, of_mode)?);
        programmes.push(answer(&PROGRAMME, programme, random, of_programme)?);
        windows.push(answer(&WINDOW, window, random, of_window)?);
        rooms.push(answer(&ROOM, room, random, of_room)?);
        openings.push(answer(&OPENINGS, opened, random, of_openings)?);
    }
    Ok(RecordBatch::try_from_iter([
        ("mode", Arc::new(UInt8Array::from(modes)) as _),
        ("programme", Arc::new(UInt64Array::from(programmes)) as _),
        ("window", Arc::new(BooleanArray::from(windows)) as _),
        ("room", Arc::new(BooleanArray::from(rooms)) as _),
        ("openings", Arc::new(Int32Array::from(openings)) as _),
    ])?)
}
