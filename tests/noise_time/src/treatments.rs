//! What is looked at, and what must be found.

use std::hint::black_box;

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace, OneBitMean, Response, Unary};

pub(crate) static LAPLACE: DiscreteLaplace<300> = DiscreteLaplace::with_epsilon::<50, 2, 1>();
pub(crate) static NARROW: DiscreteLaplace<1> = DiscreteLaplace::with_epsilon::<0, 2, 1>();
pub(crate) const MEAN: OneBitMean = OneBitMean::with_epsilon::<50, 350, 1, 1>();
pub(crate) const RESPONSE: Response<5> = Response::with_epsilon::<1, 1>();
pub(crate) const WIDE: Response<256> = Response::with_epsilon::<1, 1>();
pub(crate) const UNARY: Unary<24> = Unary::with_epsilon::<1, 1>();
pub(crate) const BINARY: BinaryResponse = BinaryResponse::with_epsilon::<1, 1>();

static THRESHOLDS: [u64; 8] = [
    1 << 60,
    2 << 60,
    4 << 60,
    6 << 60,
    8 << 60,
    10 << 60,
    12 << 60,
    15 << 60,
];

/// The flaw of the usual sampler: it stops where it has found.
#[inline(never)]
pub(crate) fn early_exit(draw: u64) -> usize {
    let mut at = 0;
    for threshold in black_box(&THRESHOLDS) {
        if draw < *threshold {
            break;
        }
        at += 1;
    }
    at
}

#[inline(never)]
pub(crate) fn looked_up(value: u8) -> u64 {
    black_box(&THRESHOLDS)[usize::from(value & 7)]
}
