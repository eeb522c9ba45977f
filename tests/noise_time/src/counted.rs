//! Instructions of one answer after the other, by callgrind.

use std::collections::BTreeSet;
use std::fs;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use bydesign::telemetry::noise::Mechanism;

use crate::source::Same;
use crate::treatments::{BINARY, LAPLACE, MEAN, NARROW, RESPONSE, UNARY, WIDE, early_exit};

/// From the first entry of every table to the last, on both sides of the sign bit.
const DRAWS: [u64; 10] = [
    0,
    1,
    1 << 40,
    1 << 62,
    (1 << 63) - 1,
    1 << 63,
    0xa5a5_5a5a_0ff0_f00f,
    15 << 60,
    u64::MAX - 1,
    u64::MAX,
];
/// Ends of the ranges, the inside, beyond both.
const READINGS: [i32; 8] = [i32::MIN, -1, 0, 50, 214, 350, 351, i32::MAX];
const CATEGORIES: [u8; 6] = [0, 1, 4, 5, 23, 255];

const PLAIN: [i64; 9] = [i64::MIN, -501, -1, 0, 5_000, 20_300, 34_999, 1 << 40, i64::MAX];

/// What callgrind counts, one call at a time.
#[inline(never)]
fn measured<T>(answer: impl FnOnce() -> T) -> T {
    black_box(answer())
}

fn each<M: Mechanism>(mechanism: &M, values: impl IntoIterator<Item = M::Value>) -> usize
where
    M::Value: Copy,
{
    let mut calls = 0;
    for value in values {
        for draw in DRAWS {
            let (value, mut source) = (black_box(value), Same(black_box(draw)));
            let Ok(_) = measured(|| mechanism.randomise(value, &mut source));
            calls += 1;
        }
    }
    calls
}

type Subject = (&'static str, fn() -> usize);

/// The last one is the control.
const SUBJECTS: [Subject; 10] = [
    ("BinaryResponse", || each(&BINARY, [false, true])),
    ("Response of 5", || each(&RESPONSE, CATEGORIES)),
    ("Response of 256", || each(&WIDE, CATEGORIES)),
    ("Unary of 24", || each(&UNARY, CATEGORIES)),
    ("OneBitMean", || each(&MEAN, READINGS)),
    ("DiscreteLaplace of 300", || each(&LAPLACE, READINGS)),
    ("DiscreteLaplace of 1", || each(&NARROW, READINGS)),
    ("treatments without noise", || {
        for reading in PLAIN {
            let reading = black_box(reading);
            measured(|| crate::plain::treat(reading));
        }
        PLAIN.len()
    }),
    ("control: rounding as it is usually written", || {
        for reading in PLAIN {
            let reading = black_box(reading);
            measured(|| crate::plain::usual(reading));
        }
        PLAIN.len()
    }),
    ("control: a table that is left when it is found", || {
        for draw in DRAWS {
            let draw = black_box(draw);
            measured(|| early_exit(draw));
        }
        DRAWS.len()
    }),
];

/// All calls, one after the other, and on standard output how many each subject had.
pub(crate) fn answer() {
    for (_, subject) in SUBJECTS {
        println!("{}", subject());
    }
}

pub(crate) fn count() -> ExitCode {
    let program = std::env::current_exe().expect("its own path");
    let place = std::env::temp_dir().join(format!("noise_time-{}", std::process::id()));
    fs::create_dir_all(&place).expect("a place for the dumps");
    let out = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--toggle-collect=noise_time::counted::measured")
        .arg("--dump-after=noise_time::counted::measured")
        .arg(format!("--callgrind-out-file={}/dump", place.display()))
        .arg(&program)
        .arg("answer")
        .output()
        .expect("valgrind runs");
    let calls: Vec<usize> = String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    let counts: Vec<u64> = (1..=calls.iter().sum())
        .map_while(|number| fs::read_to_string(place.join(format!("dump.{number}"))).ok())
        .filter_map(|dump| {
            let line = dump.lines().find(|line| line.starts_with("summary:"))?;
            line.trim_start_matches("summary:").trim().parse().ok()
        })
        .collect();
    let _ = fs::remove_dir_all(&place);
    if calls.len() != SUBJECTS.len() || counts.len() != calls.iter().sum() {
        println!(
            "callgrind counted {} of {} calls",
            counts.len(),
            calls.iter().sum::<usize>()
        );
        return ExitCode::FAILURE;
    }
    let (mut rest, mut failures) = (counts.as_slice(), 0);
    for ((name, _), calls) in SUBJECTS.iter().zip(&calls) {
        let (of_this, others) = rest.split_at(*calls);
        rest = others;
        let different: BTreeSet<_> = of_this.iter().collect();
        let is_control = name.starts_with("control");
        let is_well = (different.len() > 1) == is_control;
        let (fewest, most) = (different.first(), different.last());
        let verdict = if is_well {
            "as it should be"
        } else {
            "NOT AS IT SHOULD BE"
        };
        println!(
            "{:>6} to {:>6} instructions of {calls} answers  {name}: {verdict}",
            fewest.map_or(0, |count| **count),
            most.map_or(0, |count| **count)
        );
        failures += usize::from(!is_well);
    }
    if failures == 0 {
        println!("one count for each treatment, the control differs");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
