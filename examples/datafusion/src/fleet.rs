//! A million simulated devices, whose answers lie in Parquet files of different sizes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace, Mechanism, OneBitMean, Response, Unary};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use datafusion::arrow::array::{BooleanArray, Int32Array, RecordBatch, UInt8Array, UInt64Array};
use datafusion::error::Result;
use datafusion::parquet::arrow::ArrowWriter;

pub const DEVICES: u32 = 1_000_000;
const FILES: u32 = 8;

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

/// Writes the files and gives their paths. The first has an eighth of the devices, the others more and less.
pub fn write(place: &Path) -> Result<Vec<PathBuf>> {
    let mut random = ChaCha20Rng::seed_from_u64(20_261_128);
    let mut paths = Vec::new();
    let mut first = 0;
    for file in 0..FILES {
        let end = if file == FILES - 1 {
            DEVICES
        } else {
            first + DEVICES / FILES + file * 5_000 - (file / 2) * 10_001
        };
        let path = place.join(format!("answers-{file}.parquet"));
        let batch = answers(first..end, &mut random)?;
        let mut writer = ArrowWriter::try_new(File::create(&path)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        paths.push(path);
        first = end;
    }
    Ok(paths)
}

fn answer<M: Mechanism>(mechanism: &M, value: M::Value, random: &mut ChaCha20Rng) -> M::Output {
    let Ok(output) = mechanism.randomise(value, random);
    output
}

fn answers(devices: std::ops::Range<u32>, random: &mut ChaCha20Rng) -> Result<RecordBatch> {
    let (mut modes, mut programmes, mut windows, mut rooms, mut openings) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for device in devices {
        let (mode, programme, window, room, opened) = truth(device);
        modes.push(answer(&MODE, mode, random));
        programmes.push(answer(&PROGRAMME, programme, random));
        windows.push(answer(&WINDOW, window, random));
        rooms.push(answer(&ROOM, room, random));
        openings.push(answer(&OPENINGS, opened, random));
    }
    Ok(RecordBatch::try_from_iter([
        ("mode", Arc::new(UInt8Array::from(modes)) as _),
        ("programme", Arc::new(UInt64Array::from(programmes)) as _),
        ("window", Arc::new(BooleanArray::from(windows)) as _),
        ("room", Arc::new(BooleanArray::from(rooms)) as _),
        ("openings", Arc::new(Int32Array::from(openings)) as _),
    ])?)
}
