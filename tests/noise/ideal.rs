//! The ideal distributions beside the implemented ones. `docs/telemetry-noise.md` shows some of them; with `WRITE_TABLES=1` in the
//! environment this test writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use bydesign::telemetry::noise::{DiscreteLaplace, OneBitMean, Response, Unary};

use crate::for_each_size;
use crate::given::{EPSILONS, ratio};

const ALL: f64 = 18_446_744_073_709_551_616.0; // 2⁶⁴

/// How far implemented probabilities may be from ideal ones. Epsilon is met to 2⁻⁴⁷, for discrete Laplace times its span, which moves no probability by more than that.
const NEAR: f64 = 1e-12;

fn epsilons() -> impl Iterator<Item = (bydesign::telemetry::noise::Ratio, f64)> {
    EPSILONS.iter().map(|(numerator, denominator)| {
        // Wanted epsilons are rounded down to a millionth.
        let micros = u64::from(*numerator) * 1_000_000 / u64::from(*denominator);
        (ratio(*numerator, *denominator), micros as f64 / 1e6)
    })
}

fn response<const K: usize>() {
    for (wanted, epsilon) in epsilons() {
        let response = Response::<K>::new(wanted).expect("a response");
        let ideal = epsilon.exp() / (epsilon.exp() + K as f64 - 1.0);
        assert!((response.draws(0, 0) as f64 / ALL - ideal).abs() < NEAR);
        let other = 1.0 / (epsilon.exp() + K as f64 - 1.0);
        assert!((response.draws(0, 1) as f64 / ALL - other).abs() < NEAR);
    }
}

/// What an exact sampler gives.
fn ideal_laplace(span: u32, epsilon: f64, value: u32, output: u32) -> f64 {
    let alpha = (-epsilon / f64::from(span)).exp();
    let decay = alpha.powi(value.abs_diff(output) as i32) / (1.0 + alpha);
    if output == 0 || output == span {
        decay
    } else {
        decay * (1.0 - alpha)
    }
}

fn laplace<const SPAN: usize>() {
    for (wanted, epsilon) in epsilons() {
        let laplace = DiscreteLaplace::<SPAN>::new(0, wanted).expect("a table");
        for value in 0..=SPAN as u32 {
            for output in 0..=SPAN as u32 {
                let ideal = ideal_laplace(SPAN as u32, epsilon, value, output);
                let draws = laplace.draws(value as i32, output as i32);
                assert!(
                    (draws as f64 / ALL - ideal).abs() < NEAR,
                    "{value} to {output}, {epsilon}"
                );
            }
        }
    }
}

#[test]
fn implemented_probabilities_are_the_ideal_ones_to_a_millionth_of_a_millionth() {
    for_each_size!(response: 2 4 16 256);
    for_each_size!(laplace: 1 2 20 300);
    for (wanted, epsilon) in epsilons() {
        let unary = Unary::<8>::new(wanted).expect("an encoding");
        assert!((unary.draws(true) as f64 / ALL - 0.5).abs() < NEAR);
        assert!((unary.draws(false) as f64 / ALL - 1.0 / (epsilon.exp() + 1.0)).abs() < NEAR);
        let rappor = Unary::<8>::symmetric(wanted).expect("an encoding");
        let half = (epsilon / 2.0).exp();
        assert!((rappor.draws(true) as f64 / ALL - half / (half + 1.0)).abs() < NEAR);
        let mean = OneBitMean::new(0, 100, wanted).expect("a mean");
        let (base, step) = mean.draws();
        for above in 0..=100_u32 {
            let set = (base + step * u64::from(above)) as f64 / ALL;
            let ideal = (1.0 + f64::from(above) / 100.0 * epsilon.exp_m1()) / (epsilon.exp() + 1.0);
            assert!((set - ideal).abs() < NEAR);
        }
    }
}

fn row(text: &mut String, name: &str, draws: u64, ideal: f64) {
    let implemented = draws as f64 / ALL;
    let _ = writeln!(text, "| {name} | {draws} | {implemented:.12} | {ideal:.12} |");
}

fn document() -> String {
    let mut text = String::from(
        "# Randomised treatments: what is implemented beside what is ideal\n\n\
         Written by `WRITE_TABLES=1 cargo test --test noise` and compared by `cargo test --test noise`, which takes the draws of every table that it\n\
         shows, and of many more, from the sampler itself. Each answer is decided by 64 random bits; the second column says how many of the 2⁶⁴ draws have the\n\
         outcome. Epsilon is the logarithm of the largest ratio of two such numbers for one output, rounded up to a millionth. There is no delta.\n\n\
         | treatment | from | to | ideal |\n| --- | --- | --- | --- |\n\
         | response, `K` categories | true one | itself | e^ε / (e^ε + K - 1) |\n\
         | | true one | another | 1 / (e^ε + K - 1) |\n\
         | unary, optimised | bit of the true one | set | 1/2 |\n\
         | | bit of another | set | 1 / (e^ε + 1) |\n\
         | one-bit mean | reading `x` of `0..=s` | set | (1 + (x/s)(e^ε - 1)) / (e^ε + 1) |\n\
         | discrete Laplace, α = exp(-ε/SPAN) | `x` | `y` inside | (1 - α)/(1 + α) · α^abs(x - y) |\n\
         | | `x` | `y` at an end | α^abs(x - y) / (1 + α) |\n\n",
    );
    let head = "| outcome | draws of 2⁶⁴ | implemented | ideal |\n| --- | --- | --- | --- |\n";
    let one = 1_f64.exp();
    let response = Response::<4>::with_epsilon::<1, 1>();
    let _ = writeln!(text, "## Response of 4, epsilon {}\n\n{head}", response.epsilon());
    text.truncate(text.trim_end().len() + 1);
    row(&mut text, "the truth", response.draws(0, 0), one / (one + 3.0));
    row(&mut text, "each other", response.draws(0, 1), 1.0 / (one + 3.0));
    let unary = Unary::<8>::with_epsilon::<1, 1>();
    let _ = write!(
        text,
        "\n## Unary encoding, optimised, epsilon {} for the vector\n\n{head}",
        unary.epsilon()
    );
    row(&mut text, "the true bit set", unary.draws(true), 0.5);
    row(
        &mut text,
        "another bit set",
        unary.draws(false),
        1.0 / (one + 1.0),
    );
    let mean = OneBitMean::with_epsilon::<0, 10, 1, 1>();
    let _ = write!(
        text,
        "\n## One-bit mean of 0 to 10, epsilon {}\n\n{head}",
        mean.epsilon()
    );
    let (base, step) = mean.draws();
    for above in 0..=10_u32 {
        let ideal = (1.0 + f64::from(above) / 10.0 * (one - 1.0)) / (one + 1.0);
        row(
            &mut text,
            &format!("{above}: set"),
            base + step * u64::from(above),
            ideal,
        );
    }
    let laplace = DiscreteLaplace::<10>::with_epsilon::<0, 2, 1>();
    for value in [0, 4] {
        let _ = write!(
            text,
            "\n## Discrete Laplace on 0 to 10, epsilon {}, of the reading {value}\n\n{head}",
            laplace.epsilon()
        );
        for output in 0..=10 {
            let ideal = ideal_laplace(10, 2.0, value, output);
            row(
                &mut text,
                &output.to_string(),
                laplace.draws(value as i32, output as i32),
                ideal,
            );
        }
    }
    text
}

#[test]
fn the_page_shows_the_tables_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/telemetry-noise.md");
    let text = document();
    if std::env::var_os("WRITE_TABLES").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let page = std::fs::read_to_string(&path).expect("docs/telemetry-noise.md");
    assert!(
        page == text,
        "docs/telemetry-noise.md is not what the tables are: WRITE_TABLES=1 cargo test --test noise"
    );
}
