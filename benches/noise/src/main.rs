//! Errors of the estimates at a thousand to a million devices, beside their theory, and of references that draw in floating point; then what
//! an answer takes. Prints a table that is the same on every machine, a line of dashes, and one that is not; with a path, draws there.

mod plot;
mod speed;
mod subject;

use bydesign::telemetry::noise::{DiscreteLaplace, OneBitMean, Ratio, Response, Unary};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use subject::Subject;

/// Devices, and how often they are collected from.
const SIZES: [(u32, u32); 4] = [(1_000, 400), (10_000, 200), (100_000, 60), (1_000_000, 16)];
/// Epsilon of the second table, and its devices.
const EPSILONS: [(u32, u32); 4] = [(1, 2), (1, 1), (2, 1), (4, 1)];
const AT: (u32, u32) = (100_000, 60);

pub struct Point {
    pub devices: u32,
    pub theory: f64,
    pub ours: f64,
    pub reference: f64,
}

pub struct Series {
    pub name: &'static str,
    pub unit: &'static str,
    pub points: Vec<Point>,
}

fn subjects(numerator: u32, denominator: u32) -> [Subject; 4] {
    let wanted = Ratio::new(numerator, denominator).expect("a ratio");
    let epsilon = f64::from(numerator) / f64::from(denominator);
    [
        subject::response(Response::new(wanted).expect("a response"), epsilon),
        subject::unary(Unary::new(wanted).expect("an encoding"), epsilon),
        subject::one_bit(OneBitMean::new(50, 350, wanted).expect("a mean"), epsilon),
        subject::laplace(DiscreteLaplace::new(0, wanted).expect("a table"), epsilon),
    ]
}

/// The root of the mean square error, over collections and over what is estimated.
fn error(
    truth: &[f64],
    collections: u32,
    mut estimate: impl FnMut(&mut ChaCha20Rng) -> Vec<f64>,
    seed: u64,
) -> f64 {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut sum = 0.0;
    for _ in 0..collections {
        let estimates = estimate(&mut random);
        assert_eq!(estimates.len(), truth.len());
        let squares = estimates
            .iter()
            .zip(truth)
            .map(|(one, other)| (one - other).powi(2));
        sum += squares.sum::<f64>() / truth.len() as f64;
    }
    (sum / f64::from(collections)).sqrt()
}

fn point(subject: &Subject, devices: u32, collections: u32) -> Point {
    let truth = (subject.truth)(devices);
    Point {
        devices,
        theory: (subject.theory)(devices),
        ours: error(&truth, collections, |random| (subject.ours)(devices, random), 1),
        reference: error(
            &truth,
            collections,
            |random| (subject.reference)(devices, random),
            2,
        ),
    }
}

fn significant(number: f64) -> String {
    let digits = (2 - number.abs().log10().floor() as i32).max(0) as usize;
    format!("{number:.digits$}")
}

fn main() {
    let drawing = std::env::args().nth(1);
    let mut all = Vec::new();
    println!(
        "| treatment, epsilon 1 | unit | devices | collections | theory | measured | over theory | floating point |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for subject in subjects(1, 1) {
        let mut points = Vec::new();
        for (devices, collections) in SIZES {
            let point = point(&subject, devices, collections);
            println!(
                "| {} | {} | {devices} | {collections} | {} | {} | {:.2} | {} |",
                subject.name,
                subject.unit,
                significant(point.theory),
                significant(point.ours),
                point.ours / point.theory,
                significant(point.reference)
            );
            points.push(point);
        }
        all.push(Series {
            name: subject.name,
            unit: subject.unit,
            points,
        });
    }
    println!(
        "\n| treatment, {} devices | epsilon | theory | measured | over theory | floating point |",
        AT.0
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (numerator, denominator) in EPSILONS {
        for subject in subjects(numerator, denominator) {
            let point = point(&subject, AT.0, AT.1);
            println!(
                "| {} | {} | {} | {} | {:.2} | {} |",
                subject.name,
                f64::from(numerator) / f64::from(denominator),
                significant(point.theory),
                significant(point.ours),
                point.ours / point.theory,
                significant(point.reference)
            );
        }
    }
    if let Some(path) = drawing {
        std::fs::write(path, plot::draw(&all)).expect("drawn");
    }
    println!("----");
    speed::print();
}
