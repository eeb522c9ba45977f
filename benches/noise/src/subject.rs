//! What is measured: a treatment with a population, its theory, and the same in floating point.

use bydesign::telemetry::collect::{Answer, Confidence, Parameters, PartialSum, Source};
use bydesign::telemetry::noise::{DiscreteLaplace, Mechanism, OneBitMean, Response, Unary};
use chacha20::ChaCha20Rng;
use rand_distr::{Bernoulli, Distribution, Geometric};

pub const ALL: f64 = 18_446_744_073_709_551_616.0; // 2⁶⁴

/// One treatment and its devices. A device has the value of its number.
pub struct Subject {
    pub name: &'static str,
    pub unit: &'static str,
    /// The truth of so many devices, one number for each thing that is estimated.
    pub truth: fn(u32) -> Vec<f64>,
    /// Standard deviation of the estimates of so many devices: the root of the mean variance over what is estimated.
    pub theory: Box<dyn Fn(u32) -> f64>,
    pub ours: Box<dyn Fn(u32, &mut ChaCha20Rng) -> Vec<f64>>,
    pub reference: Box<dyn Fn(u32, &mut ChaCha20Rng) -> Vec<f64>>,
}

pub const MODES: usize = 6;
pub const PROGRAMMES: usize = 24;
pub const SPAN: usize = 30;

/// A long-tailed choice: half in 0, a quarter in 1, and so on, the rest in the last.
fn category(device: u32, categories: usize) -> u8 {
    (device.trailing_ones()).min(categories as u32 - 1) as u8
}

/// Tenths of a degree around 20.0.
fn room(device: u32) -> i32 {
    150 + (device.wrapping_mul(2_654_435_761) >> 16) as i32 % 101
}

/// Door openings: few.
fn openings(device: u32) -> i32 {
    (device.trailing_ones() * 3 + device % 3).min(SPAN as u32) as i32
}

fn shares(devices: u32, categories: usize) -> Vec<f64> {
    let mut counts = vec![0.0; categories];
    for device in 0..devices {
        counts[usize::from(category(device, categories))] += 1.0 / f64::from(devices);
    }
    counts
}

fn mean(devices: u32, reading: fn(u32) -> i32) -> Vec<f64> {
    let sum: i64 = (0..devices).map(|device| i64::from(reading(device))).sum();
    vec![sum as f64 / f64::from(devices)]
}

/// The devices' answers, counted.
pub fn collected<M: Mechanism>(
    mechanism: &M,
    devices: u32,
    value: impl Fn(u32) -> M::Value,
    random: &mut ChaCha20Rng,
) -> PartialSum
where
    for<'a> Parameters: From<&'a M>,
    Answer: From<M::Output>,
{
    let source = Source::new("bench", 1, "field").expect("names");
    let mut sum = PartialSum::new(&source, mechanism);
    for device in 0..devices {
        let Ok(answer) = mechanism.randomise(value(device), random);
        sum.add(answer).expect("counted");
    }
    sum
}

fn frequencies(sum: &PartialSum) -> Vec<f64> {
    let estimates = sum.frequencies(Confidence::Percent95).expect("reports");
    estimates.iter().map(|estimate| estimate.value()).collect()
}

fn mean_of(sum: &PartialSum) -> Vec<f64> {
    vec![sum.mean(Confidence::Percent95).expect("reports").value()]
}

/// Shares that are seen with `kept` if true and with `raised` if not: each device's variance, undone.
fn theory_of_shares(shares: &[f64], kept: f64, raised: f64, devices: u32) -> f64 {
    let variances = shares.iter().map(|share| {
        let seen = share * kept * (1.0 - kept) + (1.0 - share) * raised * (1.0 - raised);
        seen / f64::from(devices) / (kept - raised).powi(2)
    });
    (variances.sum::<f64>() / shares.len() as f64).sqrt()
}

pub fn response(response: Response<MODES>, epsilon: f64) -> Subject {
    let (kept, raised) = (
        response.draws(0, 0) as f64 / ALL,
        response.draws(0, 1) as f64 / ALL,
    );
    Subject {
        name: "response of 6",
        unit: "share",
        truth: |devices| shares(devices, MODES),
        theory: Box::new(move |devices| theory_of_shares(&shares(devices, MODES), kept, raised, devices)),
        ours: Box::new(move |devices, random| {
            frequencies(&collected(
                &response,
                devices,
                |device| category(device, MODES),
                random,
            ))
        }),
        reference: Box::new(move |devices, random| {
            let truth = epsilon.exp() / (epsilon.exp() + MODES as f64 - 1.0);
            let (honest, lie) = (
                Bernoulli::new(truth).expect("p"),
                (1.0 - truth) / (MODES as f64 - 1.0),
            );
            let other = rand_distr::Uniform::new(0, MODES as u8 - 1).expect("range");
            let mut counts = [0.0; MODES];
            for device in 0..devices {
                let value = category(device, MODES);
                let answer = if honest.sample(random) {
                    value
                } else {
                    let other = other.sample(random);
                    other + u8::from(other >= value)
                };
                counts[usize::from(answer)] += 1.0;
            }
            counts
                .iter()
                .map(|count| (count / f64::from(devices) - lie) / (truth - lie))
                .collect()
        }),
    }
}

pub fn unary(unary: Unary<PROGRAMMES>, epsilon: f64) -> Subject {
    let (kept, raised) = (unary.draws(true) as f64 / ALL, unary.draws(false) as f64 / ALL);
    Subject {
        name: "unary of 24",
        unit: "share",
        truth: |devices| shares(devices, PROGRAMMES),
        theory: Box::new(move |devices| {
            theory_of_shares(&shares(devices, PROGRAMMES), kept, raised, devices)
        }),
        ours: Box::new(move |devices, random| {
            let value = |device| category(device, PROGRAMMES);
            frequencies(&collected(&unary, devices, value, random))
        }),
        reference: Box::new(move |devices, random| {
            let raised = 1.0 / (epsilon.exp() + 1.0);
            let (own, other) = (
                Bernoulli::new(0.5).expect("p"),
                Bernoulli::new(raised).expect("p"),
            );
            let mut counts = [0.0; PROGRAMMES];
            for device in 0..devices {
                let value = usize::from(category(device, PROGRAMMES));
                for (at, count) in counts.iter_mut().enumerate() {
                    let bit = if at == value { own } else { other };
                    *count += f64::from(u8::from(bit.sample(random)));
                }
            }
            counts
                .iter()
                .map(|count| (count / f64::from(devices) - raised) / (0.5 - raised))
                .collect()
        }),
    }
}

pub fn one_bit(one_bit: OneBitMean, epsilon: f64) -> Subject {
    let (base, step) = one_bit.draws();
    let set = move |device| (base as f64 + step as f64 * f64::from(room(device) - 50)) / ALL;
    Subject {
        name: "one-bit mean of 5.0 to 35.0",
        unit: "tenths of a degree",
        truth: |devices| mean(devices, room),
        theory: Box::new(move |devices| {
            let variance: f64 = (0..devices).map(|device| set(device) * (1.0 - set(device))).sum();
            variance.sqrt() / f64::from(devices) / (step as f64 / ALL)
        }),
        ours: Box::new(move |devices, random| mean_of(&collected(&one_bit, devices, room, random))),
        reference: Box::new(move |devices, random| {
            let (low, width) = (
                1.0 / (epsilon.exp() + 1.0),
                epsilon.exp_m1() / (epsilon.exp() + 1.0),
            );
            let mut count = 0.0;
            for device in 0..devices {
                let set = low + f64::from(room(device) - 50) / 300.0 * width;
                count += f64::from(u8::from(Bernoulli::new(set).expect("p").sample(random)));
            }
            vec![50.0 + (count / f64::from(devices) - low) / width * 300.0]
        }),
    }
}

pub fn laplace(laplace: DiscreteLaplace<SPAN>, epsilon: f64) -> Subject {
    let alpha = laplace.alpha() as f64 / (1_u64 << 63) as f64;
    let cut = alpha / (1.0 - alpha);
    let undone = move |output: i32| match output {
        0 => -cut,
        output if output == SPAN as i32 => f64::from(output) + cut,
        output => f64::from(output),
    };
    Subject {
        name: "discrete Laplace on 0 to 30",
        unit: "openings",
        truth: |devices| mean(devices, openings),
        theory: Box::new(move |devices| {
            // What a device's answer varies by, from the draws; devices with one reading are alike.
            let variance: Vec<f64> = (0..=SPAN as i32)
                .map(|value| {
                    (0..=SPAN as i32)
                        .map(|output| {
                            let probability = laplace.draws(value, output) as f64 / ALL;
                            probability * (undone(output) - f64::from(value)).powi(2)
                        })
                        .sum()
                })
                .collect();
            let sum: f64 = (0..devices)
                .map(|device| variance[openings(device) as usize])
                .sum();
            sum.sqrt() / f64::from(devices)
        }),
        ours: Box::new(move |devices, random| mean_of(&collected(&laplace, devices, openings, random))),
        reference: Box::new(move |devices, random| {
            let decay = (-epsilon / SPAN as f64).exp();
            let cut = decay / (1.0 - decay);
            let noise = Geometric::new(1.0 - decay).expect("p");
            let mut sum = 0.0;
            for device in 0..devices {
                let noise = noise.sample(random) as i64 - noise.sample(random) as i64;
                let output = (i64::from(openings(device)) + noise).clamp(0, SPAN as i64);
                sum += match output {
                    0 => -cut,
                    output if output == SPAN as i64 => output as f64 + cut,
                    output => output as f64,
                };
            }
            vec![sum / f64::from(devices)]
        }),
    }
}
