//! How fast a station is, and how much memory it takes.
//!
//! ```text
//!  cargo test --release --test factory -- --ignored --nocapture --exact throughput::table
//! ```

use std::fs;
use std::time::Instant;

use bydesign::credential::factory::{Batch, subject_public_key_info};
use bydesign::credential::{Block, Cost, SALT_LEN, Verifier};
use bydesign::erase::Attester;
use bydesign::secret::Secret;

use crate::support::*;

/// The most memory that this process had so far, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

const SECRETS: &str =
    "[pairing-code]\nsymbols = 8\ncost = \"64KiB\"\n[device-password]\nsymbols = 18\ncost = \"64KiB\"";

#[test]
#[ignore = "minutes: the table in docs/benchmarks.md"]
fn table() {
    let bare = |what: &str, times: u32, work: &mut dyn FnMut(u32)| {
        let begun = Instant::now();
        (0..times).for_each(&mut *work);
        println!(
            "{what}: {:.0} a second and core",
            f64::from(times) / begun.elapsed().as_secs_f64()
        );
    };
    let mut blocks = vec![Block::new(); 64];
    bare("bare Argon2id, 64 KiB, 12 passes", 2000, &mut |number| {
        let salt = [number as u8; SALT_LEN];
        assert!(Verifier::of_issued(b"23456789", salt, Cost::KIB_64, &mut blocks).is_ok());
    });
    bare("bare Ed25519 key pairs", 20_000, &mut |number| {
        let seed = Secret::new([number as u8; 32]);
        assert_ne!(subject_public_key_info(&Attester::public_key(&seed)), [0; 44]);
    });
    let sizes = std::env::var("BYDESIGN_SIZES").unwrap_or("1000,10000,100000".into());
    for (devices, threads) in sizes
        .split(',')
        .map(|size| size.parse::<u64>().expect("a number"))
        .flat_map(|size| [(size, 1), (size, 2)])
    {
        let place = Place::new("throughput");
        let order = place.write("order.csv", &order_text(devices));
        let report = Batch::new(profile(SECRETS), &order, &place.path("out"))
            .on_threads(threads)
            .run(&mut |_| {})
            .expect("made");
        assert_eq!(report.made_now, devices);
        println!(
            "{threads} threads, {report}argon2 {} %, peak {} KiB",
            report.argon2_percent(),
            peak_kib()
        );
    }
}
