//! What a guess costs whoever has a verifier: passwords a second on one core, for each preset. The table of `docs/attempt-limiter.md`.
//!
//! ```text
//! cargo run --example guess_cost
//! ```

use std::error::Error;
use std::time::Instant;

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
        let begin = Instant::now();
        let mut guesses = 0_u32;
        while begin.elapsed().as_secs_f64() < LONG_ENOUGH_S {
            Verifier::of_issued(&guesses.to_le_bytes(), [7; 16], cost, &mut blocks)?;
            guesses += 1;
        }
        let rate = f64::from(guesses) / begin.elapsed().as_secs_f64();
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
