//! What a guess costs whoever has a verifier: passwords a second on one core, for each preset. The table of `docs/attempt-limiter.md`.
//! On Linux the time is that of the processor, so that what else runs there counts little.
//!
//! ```text
//! cargo run --example guess_cost
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use bydesign::credential::{Block, Cost, Verifier};

const LONG_ENOUGH_S: f64 = 2.0;

fn main() -> Result<(), Box<dyn Error>> {
    println!("preset           ms a guess   guesses a second   10^6 codes   10^8 codes");
    for (name, cost) in [
        ("32 KiB, 16 passes", Cost::KIB_32),
        ("64 KiB, 12 passes", Cost::KIB_64),
        ("256 KiB, 6 passes", Cost::KIB_256),
        ("19 MiB, 2 passes", Cost::MIB_19),
    ] {
        let mut blocks = vec![Block::new(); usize::try_from(cost.memory_kib())?];
        let (clock, begin) = (Instant::now(), processor_s());
        let elapsed_s = || match (begin, processor_s()) {
            (Some(begin), Some(now)) => now - begin,
            _ => clock.elapsed().as_secs_f64(),
        };
        let mut guesses = 0_u32;
        while elapsed_s() < LONG_ENOUGH_S {
            Verifier::of_issued(&guesses.to_le_bytes(), [7; 16], cost, &mut blocks)?;
            guesses += 1;
        }
        let rate = f64::from(guesses) / elapsed_s();
        let (few_s, many_s) = (1e6 / rate, 1e8 / rate);
        println!(
            "{name:<18} {:>8.2} {rate:>18.0} {:>8.0} min {:>8.1} h",
            1000.0 / rate,
            few_s / 60.0,
            many_s / 3600.0
        );
    }
    Ok(())
}

/// Seconds that the processor gave this thread, where the system says so.
fn processor_s() -> Option<f64> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = statistics.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds).as_secs_f64())
}
