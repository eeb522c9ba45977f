//! What the bounds rest on that are stated of Mallory's attacks, each computed exactly where everything can be gone through.
//!
//! 1. *Which report is this device's?* Of `n` reports that are alike but for noise of epsilon, the guess is right with a chance of `exp(epsilon) / n` at
//!    most, whatever is known of all devices. For: each of the others' answers comes, with the chance `M`, from what all of them can give (`M` is the
//!    sum over the answers of the least probability that any of them gives it), and the device's own from there as well but for the factor
//!    `exp(epsilon)`. Among answers that come from there it cannot be told; there are `K + 1`, `K` of `n - 1` with the chance `M` each; and the
//!    mean of `1 / (K + 1)` is at most `1 / (n M)`.
//! 2. *What was the reading?* Who sees a report that says one of `k` things guesses at most `k` times as well as without it: for each of the things
//!    the best guess is no better than the best of all. With noise, `k` is the sum over the answers of the largest probability of each.
//! 3. *What could anybody make of it?* Over readings and reports that were looked at, the best guess for each report, chosen afterwards, is right
//!    at least as often, in the mean, as the best rule there is: choosing afterwards loses nothing.

use std::collections::BTreeMap;

use bydesign::telemetry::noise::{BinaryResponse, DiscreteLaplace, Response};
use bydesign::telemetry::{
    Clamped, ConsentClass, Gate, Purpose, Raw, Recipient, Report, Retention, Rounded, Time, Value,
};
use num_bigint::BigUint;

use crate::mallory::best_guess_meets;
use crate::support::{Nor, Part, format, random};

/// The draws, of 2⁶⁴, that lead from each value to each answer.
type Draws = Vec<Vec<u64>>;

fn response<const K: usize>(response: &Response<K>) -> Draws {
    let to = |value| (0..K).map(move |answer| response.draws(value, answer as u8));
    (0..K).map(|value| to(value as u8).collect()).collect()
}

fn laplace<const SPAN: usize>(laplace: &DiscreteLaplace<SPAN>) -> Draws {
    let span = i32::try_from(SPAN).expect("small");
    let to = |value| (0..=span).map(move |answer| laplace.draws(value, answer));
    (0..=span).map(|value| to(value).collect()).collect()
}

fn binary(response: &BinaryResponse) -> Draws {
    let to = |value| [false, true].map(|answer| response.draws(value, answer)).to_vec();
    [false, true].map(to).to_vec()
}

fn each_permutation(places: &mut [usize], fixed: usize, then: &mut impl FnMut(&[usize])) {
    if fixed == places.len() {
        return then(places);
    }
    for other in fixed..places.len() {
        places.swap(fixed, other);
        each_permutation(places, fixed + 1, then);
        places.swap(fixed, other);
    }
}

/// All sequences of so many numbers below `below`.
fn sequences(len: usize, below: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..below.pow(len as u32))
        .map(move |number| (0..len).map(|at| number / below.pow(at as u32) % below).collect())
}

/// The chance of the best guess at the first device's report, by going through all answers and all ways in which they can be mixed: of
/// 2⁶⁴ to the number of devices, times the number of ways.
fn best_guess(draws: &Draws, values: &[usize]) -> (BigUint, BigUint) {
    let devices = values.len();
    let mut right = BigUint::ZERO;
    for answers in sequences(devices, draws[0].len()) {
        let mut of_place = vec![BigUint::ZERO; devices];
        each_permutation(&mut (0..devices).collect::<Vec<_>>(), 0, &mut |places| {
            let all = values.iter().zip(places);
            of_place[places[0]] += all
                .map(|(value, place)| BigUint::from(draws[*value][answers[*place]]))
                .product::<BigUint>();
        });
        right += of_place.into_iter().max().expect("a place");
    }
    let ways: usize = (1..=devices).product();
    (right, (BigUint::from(1_u8) << (64 * devices)) * ways)
}

/// How near the best guess comes to the bound, for whatever is true of the devices; never beyond it.
fn nearest_to_the_bound(draws: &Draws, devices: usize) -> f64 {
    let mut nearest = 0.0_f64;
    // The largest ratio is what epsilon is the logarithm of.
    let of_answer = |answer: usize| draws.iter().map(move |row| row[answer]);
    let ratios = (0..draws[0].len()).map(|answer| {
        (
            of_answer(answer).max().expect("some"),
            of_answer(answer).min().expect("some"),
        )
    });
    let (most, least) = ratios
        .max_by(|one, other| {
            (u128::from(one.0) * u128::from(other.1)).cmp(&(u128::from(other.0) * u128::from(one.1)))
        })
        .expect("answers");
    for values in sequences(devices, draws.len()) {
        let (right, all) = best_guess(draws, &values);
        // right / all <= (most / least) / devices
        assert!(
            &right * least * devices <= &all * most,
            "beyond the bound for {values:?}"
        );
        let exact = |number: &BigUint| {
            (number >> (64 * devices - 52))
                .to_string()
                .parse::<f64>()
                .expect("a number")
        };
        nearest = nearest.max(exact(&right) / exact(&all) * devices as f64 * least as f64 / most as f64);
    }
    nearest
}

#[test]
fn no_guess_which_report_is_a_devices_goes_beyond_the_bound() {
    let half = BinaryResponse::with_epsilon::<1, 2>();
    for devices in 2..=5 {
        nearest_to_the_bound(&binary(&half), devices);
    }
    assert!(
        nearest_to_the_bound(&binary(&BinaryResponse::with_epsilon::<1, 10>()), 5) > 0.98,
        "the bound is met, nearly"
    );
    for devices in 2..=4 {
        nearest_to_the_bound(&response(&Response::<3>::with_epsilon::<3, 4>()), devices);
    }
    for devices in 2..=3 {
        nearest_to_the_bound(
            &laplace(&DiscreteLaplace::<4>::with_epsilon::<0, 2, 1>()),
            devices,
        );
    }
}

/// Two fields of noise are one of the sum of both epsilons: all pairs of answers.
#[test]
fn two_noisy_fields_are_bounded_by_the_sum() {
    let (home, changes) = (
        binary(&BinaryResponse::with_epsilon::<1, 2>()),
        laplace(&DiscreteLaplace::<2>::with_epsilon::<0, 1, 4>()),
    );
    // Of 2³² each, so that the product is of 2⁶⁴.
    let pairs: Draws = home
        .iter()
        .flat_map(|one| {
            changes.iter().map(move |other| {
                let mut row = Vec::new();
                for first in one {
                    row.extend(other.iter().map(|second| (first >> 32) * (second >> 32)));
                }
                row
            })
        })
        .collect();
    let (most, least) = (0..pairs[0].len()).fold((1.0, 1.0), |(most, least), answer| {
        let of_answer = || pairs.iter().map(|row| row[answer] as f64);
        let (high, low) = (
            of_answer().fold(0.0, f64::max),
            of_answer().fold(f64::MAX, f64::min),
        );
        if high * least > low * most {
            (high, low)
        } else {
            (most, least)
        }
    });
    let epsilon: f64 = (most / least).ln();
    assert!((epsilon - 0.75).abs() < 1e-6, "{epsilon}");
    nearest_to_the_bound(&pairs, 2);
}

/// The sum over the answers of the largest number of draws of each, of 2⁶⁴: how many times better a guess can become.
fn gain(draws: &Draws) -> u128 {
    (0..draws[0].len())
        .map(|answer| u128::from(draws.iter().map(|row| row[answer]).max().expect("some")))
        .sum()
}

#[test]
fn an_answer_helps_a_guess_by_no_more_than_exp_epsilon() {
    let all = 18_446_744_073_709_551_616.0;
    let (half, three) = (
        BinaryResponse::with_epsilon::<1, 2>(),
        Response::<3>::with_epsilon::<3, 4>(),
    );
    let wide = DiscreteLaplace::<50>::with_epsilon::<0, 1, 4>();
    for (draws, epsilon) in [
        (binary(&half), half.epsilon()),
        (response(&three), three.epsilon()),
        (laplace(&wide), wide.epsilon()),
    ] {
        let times = gain(&draws) as f64 / all;
        let most = (epsilon.micros() as f64 / 1e6).exp();
        assert!(1.0 < times && times <= most, "{times} beyond {most}");
    }
    // Half of the truth is e^½ / (1 + e^½); of two values that is twice a blind guess.
    let times = gain(&binary(&half)) as f64 / all;
    assert!((times / 2.0 - 0.5_f64.exp() / (1.0 + 0.5_f64.exp())).abs() < 1e-12);
}

/// Two devices, one with somebody at home and one without: which is which? By going through both answers, the chance to be right is exactly that of
/// one true answer.
#[test]
fn of_two_houses_the_right_one_is_told_with_the_chance_of_a_true_answer() {
    for response in [
        BinaryResponse::with_epsilon::<1, 4>(),
        BinaryResponse::with_epsilon::<1, 2>(),
        BinaryResponse::with_epsilon::<2, 1>(),
    ] {
        let draws = binary(&response);
        let (right, all) = best_guess(&draws, &[0, 1]);
        // right / all == truth / 2⁶⁴
        assert_eq!(right << 64, all * draws[1][1]);
    }
}

const CLASS: ConsentClass = ConsentClass::new(1, "room");
const WARMTH: Purpose = Purpose::new(1, "warmth", "To be warm.", &CLASS);
const US: Recipient = Recipient {
    name: "Us",
    role: "maker",
};

bydesign::report! {
    /// Of a room.
    struct Room {
        report: 1, "room", version 1;
        class: CLASS;
        bytes: 16;
        /// As the thermostat of the examples declares it.
        temperature: i32 {
            purpose: WARMTH,
            treatment: Rounded = Rounded::to(2_000).between(6_000, 34_000),
            retention: Retention::Days(1),
            recipient: US,
        }
        /// Another one.
        other: u8 {
            purpose: WARMTH,
            treatment: Clamped = Clamped::between(0, 1),
            retention: Retention::Days(1),
            recipient: US,
        }
    }
}

bydesign::declaration! {
    /// A room.
    struct House: "House", version 1 {
        classes: [CLASS],
        purposes: [WARMTH],
        reports: [Room],
    }
}

/// All readings of the range, through the gate: a report says one of fifteen things, and the best guess becomes fifteen times as good, exactly.
#[test]
fn a_report_that_says_one_of_k_things_helps_k_times_at_most() {
    let mut part = Nor::<4, 4096>::new(16 * 1024);
    let (mut store, mut source) = (format(&mut part, 1), random(1));
    let gate = Gate::<House>::new();
    let now = Time::of(1_000_000);
    gate.grant(&mut store, WARMTH.number, now, &mut source)
        .expect("agrees");
    let mut of_report: BTreeMap<i64, Vec<i32>> = BTreeMap::new();
    let all: Vec<i32> = (6_000..=34_000).collect();
    for reading in &all {
        let room = Room {
            temperature: Raw::new(*reading),
            other: Raw::new(1),
        };
        let prepared = gate
            .prepare(&mut store, room, now, &mut source)
            .expect("prepares");
        let decoded = Room::SCHEMA.decode(prepared.bytes(), |field, value| {
            if let ("temperature", Value::Number(number)) = (field.name, value) {
                of_report.entry(number).or_default().push(*reading);
            }
        });
        decoded.expect("decodes");
    }
    let blind = best_guess_meets(&all, 50);
    let right: usize = of_report.values().map(|alike| best_guess_meets(alike, 50)).sum();
    assert_eq!((of_report.len(), blind), (15, 101));
    assert_eq!(right, of_report.len() * blind, "of {} readings", all.len());
}

/// All samples of four readings with their reports, of a world in which everything is known: the mean of the best guess chosen afterwards is no
/// less than the best rule.
#[test]
fn guesses_chosen_afterwards_are_no_worse_than_the_best_rule() {
    // Weights of (reading, report), of 20.
    let world = [
        ((0, 0), 3_u32),
        ((1, 0), 4),
        ((2, 0), 1),
        ((0, 1), 2),
        ((1, 1), 2),
        ((2, 1), 8),
    ];
    let right_with = |weights: &[((usize, usize), u32)]| -> u32 {
        let of = |report: usize, guess: usize| {
            let alike = weights.iter().filter(|(pair, _)| *pair == (guess, report));
            alike.map(|(_, weight)| weight).sum::<u32>()
        };
        (0..2)
            .map(|report| (0..3).map(|guess| of(report, guess)).max().unwrap_or(0))
            .sum()
    };
    let best_rule = right_with(&world); // of 20
    for size in 1..=4_usize {
        let mut afterwards = 0_u64; // of 20^size * size
        for sample in sequences(size, world.len()) {
            let chance: u64 = sample.iter().map(|at| u64::from(world[*at].1)).product();
            let seen: Vec<_> = sample.iter().map(|at| (world[*at].0, 1)).collect();
            afterwards += chance * u64::from(right_with(&seen));
        }
        let of = 20_u64.pow(size as u32) * size as u64;
        assert!(afterwards * 20 >= u64::from(best_rule) * of, "of {size}");
    }
}
