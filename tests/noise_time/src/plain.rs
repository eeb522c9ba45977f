//! What the treatments without noise are made of, over readings that are undefined to memcheck, and counted.

use std::hint::black_box;

use crate::steady;

const EDGES: [i64; 4] = [-500, 0, 17_000, 21_000];

/// A reading rounded, put into a bucket, counted, and compared: one of each of the steps of every treatment.
#[inline(never)]
pub(crate) fn treat(reading: i64) {
    let inside = steady::clamp(reading, 5_000, 35_000);
    black_box(steady::divide((inside - 5_000 + 250).cast_unsigned(), 500));
    let number = steady::bucket(reading, &EDGES);
    let mut counters = [3, u16::MAX, 0, 7, 1];
    steady::count(&mut counters, number);
    black_box(counters);
    black_box((steady::smaller(reading, 7), steady::larger(reading, 7)));
    black_box(steady::is_below(reading, 19).unwrap_u8());
}

/// Rounding as it is usually written.
#[inline(never)]
pub(crate) fn usual(reading: i64) {
    let inside = if reading < 5_000 { 5_000 } else { reading };
    let mut steps = 0;
    while inside - steps * black_box(500) > 5_000 && steps < 60 {
        steps += 1;
    }
    black_box(steps);
}
