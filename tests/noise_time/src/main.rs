//! Randomised answers under valgrind. Without an argument: values and draws are undefined to memcheck, and no report may come. With `count`: callgrind
//! counts each answer's instructions, which have to be the same for all values and draws. The last cases of both leak, on purpose, and must be
//! found.
#![allow(clippy::pedantic)]

mod counted;
mod plain;
mod source;
mod treatments;
#[path = "../../../src/telemetry/steady.rs"]
mod steady;
#[allow(dead_code)]
#[path = "../../constant_time/src/valgrind.rs"]
mod valgrind;

use std::hint::black_box;
use std::process::ExitCode;

use bydesign::telemetry::noise::Mechanism;
use source::Concealed;
use treatments::{BINARY, LAPLACE, MEAN, NARROW, RESPONSE, UNARY, WIDE, early_exit, looked_up};
use valgrind::{conceal, is_there, reports};

/// Whether reports have to come: only of the controls.
type Case = (&'static str, bool, fn());

fn concealed_i32(value: i32) -> i32 {
    i32::from_le_bytes(conceal(value.to_le_bytes()))
}

fn concealed_u8(value: u8) -> u8 {
    conceal([value])[0]
}

fn answer<M: Mechanism>(mechanism: &M, value: M::Value) {
    let Ok(output) = mechanism.randomise(value, &mut Concealed::new());
    black_box(output);
}

const CASES: [Case; 13] = [
    ("BinaryResponse", false, || {
        answer(&BINARY, concealed_u8(1) & 1 == 1);
    }),
    ("Response of 5", false, || answer(&RESPONSE, concealed_u8(3))),
    ("Response of 256", false, || answer(&WIDE, concealed_u8(3))),
    ("Response of 5, beyond it", false, || {
        answer(&RESPONSE, concealed_u8(200))
    }),
    ("Unary of 24", false, || answer(&UNARY, concealed_u8(7))),
    ("OneBitMean", false, || answer(&MEAN, concealed_i32(214))),
    ("OneBitMean, beyond the range", false, || {
        answer(&MEAN, concealed_i32(i32::MAX))
    }),
    ("DiscreteLaplace of 300", false, || {
        answer(&LAPLACE, concealed_i32(214))
    }),
    ("DiscreteLaplace of 1, below the range", false, || {
        answer(&NARROW, concealed_i32(i32::MIN))
    }),
    ("treatments without noise", false, || {
        plain::treat(i64::from_le_bytes(conceal(20_300_i64.to_le_bytes())));
    }),
    ("control: rounding as it is usually written", true, || {
        plain::usual(i64::from_le_bytes(conceal(20_300_i64.to_le_bytes())));
    }),
    ("control: a table that is left when it is found", true, || {
        black_box(early_exit(u64::from_le_bytes(conceal([0x77; 8]))));
    }),
    ("control: a table looked up by the value", true, || {
        black_box(looked_up(concealed_u8(3)));
    }),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("count") => return counted::count(),
        Some("answer") => {
            counted::answer();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    if !is_there() {
        eprintln!("this is to be run under valgrind: tests/noise_time/check");
        return ExitCode::from(2);
    }
    let mut failures = 0;
    for (name, is_control, case) in CASES {
        let before = reports();
        case();
        let count = reports() - before;
        let is_well = (count > 0) == is_control;
        let verdict = if is_well {
            "as it should be"
        } else {
            "NOT AS IT SHOULD BE"
        };
        println!("{count:>4} reports  {name}: {verdict}");
        failures += usize::from(!is_well);
    }
    if failures == 0 {
        println!("{} cases, the controls reported", CASES.len());
        ExitCode::SUCCESS
    } else {
        println!("{failures} cases are not as they should be");
        ExitCode::FAILURE
    }
}
