//! Makes a list of common passwords into the filter that a device carries, and measures how often it refuses another password.
//!
//! ```text
//! cargo run --release --example own_blocklist -- LIST OUT     # LIST: one password a line
//! ```
//!
//! `cargo xtask blocklist` runs it over the words that come with the crate.

use std::collections::BTreeSet;
use std::error::Error;
use std::{env, fs};

use bydesign::credential::Blocklist;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// With 24 bits an entry, one in 100,000 words that are not listed looks as if it were.
const BYTES_OF_AN_ENTRY: usize = 3;
const TRIES: u32 = 2_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [list, out] = arguments.as_slice() else {
        println!("usage: own_blocklist LIST OUT");
        return Ok(());
    };
    let list = fs::read_to_string(list)?;
    let entries: BTreeSet<String> = list.lines().map(str::to_lowercase).collect();
    let mut filter = vec![0; entries.len() * BYTES_OF_AN_ENTRY];
    for entry in &entries {
        Blocklist::add(&mut filter, entry);
    }
    let missing: Vec<_> = entries
        .iter()
        .filter(|entry| entry.chars().count() > 2 && !Blocklist::new(&filter).contains(entry))
        .collect();
    if !missing.is_empty() {
        return Err(format!("not found again: {missing:?}").into());
    }
    fs::write(out, &filter)?;

    let refused = falsely_refused(&Blocklist::new(&filter));
    println!("{} entries, {} bytes", entries.len(), filter.len());
    println!("{refused} of {TRIES} random passwords of 15 letters and digits are refused");
    Ok(())
}

fn falsely_refused(list: &Blocklist<'_>) -> u32 {
    let mut random = ChaCha20Rng::seed_from_u64(6);
    let mut refused = 0;
    for _ in 0..TRIES {
        let mut password = String::new();
        while password.len() < 15 {
            let symbol = b"abcdefghijklmnopqrstuvwxyz0123456789"[(random.next_u32() % 36) as usize];
            password.push(char::from(symbol));
        }
        refused += u32::from(list.contains(&password));
    }
    refused
}
