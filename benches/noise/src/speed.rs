//! What an answer takes here, beside the same in floating point and with big rationals.

use std::hint::black_box;
use std::time::Instant;

use bydesign::telemetry::noise::{DiscreteLaplace, Mechanism, OneBitMean, Response, Unary};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use dashu::rational::RBig;
use opendp::traits::samplers::{sample_bernoulli_rational, sample_discrete_laplace};
use rand_distr::{Bernoulli, Distribution, Geometric};

use crate::subject::{MODES, PROGRAMMES, SPAN};

const RUNS: u32 = 200;

/// The fastest of many short runs: what other programs on the machine take of its time only ever adds to a run.
fn nanoseconds(times: u32, mut answer: impl FnMut(u32)) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        for device in 0..times {
            answer(black_box(device));
        }
        start.elapsed().as_nanos() as f64 / f64::from(times)
    });
    runs.fold(f64::INFINITY, f64::min)
}

fn answers<M: Mechanism>(mechanism: &M, value: impl Fn(u32) -> M::Value) -> f64 {
    let mut random = ChaCha20Rng::seed_from_u64(3);
    nanoseconds(1_000, |device| {
        let Ok(answer) = mechanism.randomise(value(device), &mut random);
        black_box(answer);
    })
}

/// Mean square of the noise, from the samplers themselves: the same distribution, whoever draws it.
fn squares(times: u32, mut noise: impl FnMut() -> i64) -> f64 {
    (0..times).map(|_| noise().pow(2) as f64).sum::<f64>() / f64::from(times)
}

pub fn print() {
    let response = Response::<MODES>::with_epsilon::<1, 1>();
    let unary = Unary::<PROGRAMMES>::with_epsilon::<1, 1>();
    let one_bit = OneBitMean::with_epsilon::<50, 350, 1, 1>();
    let laplace = DiscreteLaplace::<SPAN>::with_epsilon::<0, 1, 1>();
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let one = std::f64::consts::E;

    let truth = Bernoulli::new(one / (one + 5.0)).expect("p");
    let other = rand_distr::Uniform::new(0, MODES as u8 - 1).expect("range");
    let float_response = nanoseconds(1_000, |device| {
        let value = (device % 6) as u8;
        black_box(if truth.sample(&mut random) {
            value
        } else {
            other.sample(&mut random)
        });
    });
    let (own, raised) = (
        Bernoulli::new(0.5).expect("p"),
        Bernoulli::new(1.0 / (one + 1.0)).expect("p"),
    );
    let float_unary = nanoseconds(500, |device| {
        let mut bits = 0_u64;
        for at in 0..PROGRAMMES as u32 {
            let bit = if at == device % 24 { own } else { raised };
            bits |= u64::from(bit.sample(&mut random)) << at;
        }
        black_box(bits);
    });
    let float_one_bit = nanoseconds(1_000, |device| {
        let set = (1.0 + f64::from(device % 301) / 300.0 * (one - 1.0)) / (one + 1.0);
        black_box(Bernoulli::new(set).expect("p").sample(&mut random));
    });
    let geometric = Geometric::new(1.0 - (-1.0 / SPAN as f64).exp()).expect("p");
    let float_laplace = nanoseconds(1_000, |device| {
        let noise = geometric.sample(&mut random) as i64 - geometric.sample(&mut random) as i64;
        black_box((i64::from(device % 31) + noise).clamp(0, 30));
    });
    // As exact as ours, over a secure source of its own; a response needs the probability as a rational.
    let probability = RBig::from_parts(4_233_654.into(), 12_021_000_u32.into());
    let big_response = nanoseconds(100, |_| {
        black_box(sample_bernoulli_rational(probability.clone()).expect("entropy"));
    });
    let scale = RBig::from(SPAN as u32);
    let big_laplace = nanoseconds(100, |device| {
        let noise = sample_discrete_laplace(scale.clone()).expect("entropy");
        let noise = i64::try_from(noise).unwrap_or(i64::MAX / 2);
        black_box((i64::from(device % 31) + noise).clamp(0, 30));
    });

    println!("| an answer, ns | here | floating point | big rationals |");
    println!("| --- | ---: | ---: | ---: |");
    let ours = answers(&response, |device| (device % 6) as u8);
    println!("| response of 6 | {ours:.0} | {float_response:.0} | {big_response:.0} (its coin alone) |");
    let ours = answers(&unary, |device| (device % 24) as u8);
    println!("| unary of 24 | {ours:.0} | {float_unary:.0} | |");
    let ours = answers(&one_bit, |device| (device % 301) as i32 + 50);
    println!("| one-bit mean | {ours:.0} | {float_one_bit:.0} | |");
    let ours = answers(&laplace, |device| (device % 31) as i32);
    println!("| discrete Laplace on 0 to 30 | {ours:.0} | {float_laplace:.0} | {big_laplace:.0} |");

    // Beyond SPAN a step, the noise here is SPAN: so it is for the others.
    let span = SPAN as i64;
    let ideal: f64 = {
        let alpha = (-1.0 / SPAN as f64).exp();
        let inside = (1..span)
            .map(|size| 2.0 * (size * size) as f64 * (1.0 - alpha) / (1.0 + alpha) * alpha.powi(size as i32));
        inside.sum::<f64>() + 2.0 * (span * span) as f64 * alpha.powi(span as i32) / (1.0 + alpha)
    };
    let mut random = ChaCha20Rng::seed_from_u64(5);
    let sided = |reading: i32, random: &mut ChaCha20Rng| {
        let Ok(output) = laplace.randomise(reading, random);
        i64::from(output - reading)
    };
    // From each end only one side is seen: the two halves together are the noise.
    let ours =
        squares(200_000, || sided(0, &mut random)) + squares(200_000, || sided(SPAN as i32, &mut random));
    let float = squares(200_000, || {
        (geometric.sample(&mut random) as i64 - geometric.sample(&mut random) as i64).clamp(-span, span)
    });
    let big = squares(50_000, || {
        let noise = sample_discrete_laplace(scale.clone()).expect("entropy");
        i64::try_from(noise).unwrap_or(span).clamp(-span, span)
    });
    println!(
        "\n| mean square of the noise of discrete Laplace | ideal | here | floating point | big rationals |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    println!("| in steps, cut at 30 | {ideal:.1} | {ours:.1} | {float:.1} | {big:.1} |");
}
