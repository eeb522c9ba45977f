//! No output tells two values apart by more than epsilon, checked exactly; and epsilon is no larger than it has to be.

use bydesign::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, MicroEpsilon, OneBitMean, ParameterError, Response, Unary,
};
use proptest::prelude::*;

use crate::exact::{is_product_beyond, is_product_within, is_within};
use crate::for_each_size;
use crate::given::{EPSILONS, epsilons, micros, ratio};

/// Of the draws that lead from each value to one output: the most and the fewest. Their ratio is the largest of all pairs of values.
fn extremes(draws: impl Iterator<Item = u64>) -> (u64, u64) {
    draws.fold((0, u64::MAX), |(most, fewest), draws| {
        (most.max(draws), fewest.min(draws))
    })
}

/// Holds what is claimed against the outputs of a treatment, each by its extremes.
fn hold(outputs: &[(u64, u64)], claimed: MicroEpsilon, wanted: u64) {
    for (most, fewest) in outputs {
        assert!(*fewest > 0, "every output has a draw under every value");
        assert!(
            is_within(*most, *fewest, claimed),
            "{most} to {fewest} within {claimed}"
        );
    }
    hold_tight(
        |below| {
            outputs
                .iter()
                .any(|extremes| is_product_beyond(&[*extremes], below))
        },
        claimed,
        wanted,
    );
}

fn hold_tight(is_beyond: impl Fn(MicroEpsilon) -> bool, claimed: MicroEpsilon, wanted: u64) {
    assert!(
        is_beyond(MicroEpsilon::from_micros(claimed.micros() - 1)),
        "no less would do than {claimed}"
    );
    assert!(
        (wanted - 1..=wanted).contains(&claimed.micros()),
        "{claimed} of {wanted}"
    );
}

fn response<const K: usize>() {
    for (at, epsilon) in epsilons().enumerate() {
        let response = Response::<K>::new(epsilon).expect("a response");
        let outputs: Vec<_> = (0..K)
            .map(|output| extremes((0..K).map(|value| response.draws(value as u8, output as u8))))
            .collect();
        let all: u128 = (0..K)
            .map(|output| u128::from(response.draws(0, output as u8)))
            .sum();
        assert_eq!(all, 1 << 64);
        hold(&outputs, response.epsilon(), micros(at));
    }
}

#[test]
fn no_answer_of_a_response_tells_two_values_apart_by_more_than_epsilon() {
    //= compliance/requirements.md#tele-30
    //= type=test
    //# The epsilon of a randomised treatment MUST be at least the logarithm of the largest ratio between the probabilities with which two values lead to one output, as implemented.
    for_each_size!(response: 2 3 4 16 256);
}

fn unary<const K: usize>() {
    for (at, epsilon) in epsilons().enumerate() {
        for unary in [Unary::<K>::new(epsilon), Unary::symmetric(epsilon)] {
            let unary = unary.expect("an encoding");
            let (kept, raised) = (u128::from(unary.draws(true)), u128::from(unary.draws(false)));
            assert!(raised > 0 && raised < 1 << 64 && kept > 0 && kept < 1 << 64);
            let not = |draws: u128| ((1_u128 << 64) - draws) as u64;
            // Every pair of values and every state of their two bits; the other bits are alike under both. All vectors of a K are these.
            let of = |is_true: bool, is_set: bool| {
                let set = if is_true { kept } else { raised };
                if is_set { set as u64 } else { not(set) }
            };
            let mut ratios = Vec::new();
            for first in [false, true] {
                for second in [false, true] {
                    ratios.push([
                        (of(true, first), of(false, first)),
                        (of(false, second), of(true, second)),
                    ]);
                }
            }
            for ratio in &ratios {
                assert!(is_product_within(ratio, unary.epsilon()), "{ratio:?}");
            }
            hold_tight(
                |below| ratios.iter().any(|ratio| is_product_beyond(ratio, below)),
                unary.epsilon(),
                micros(at),
            );
        }
    }
}

#[test]
fn no_vector_of_a_unary_encoding_tells_two_values_apart_by_more_than_epsilon() {
    for_each_size!(unary: 2 64);
}

#[test]
fn every_vector_of_a_small_unary_encoding_is_within_epsilon() {
    // All vectors and all pairs of values, as products over the bits: nothing is argued here.
    let unary = Unary::<4>::new(ratio(3, 2)).expect("an encoding");
    let of = |is_true: bool, is_set: bool| {
        let set = unary.draws(is_true);
        if is_set { set } else { set.wrapping_neg() }
    };
    for vector in 0_u32..16 {
        for value in 0..4 {
            for other in 0..4 {
                let ratios: Vec<_> = (0..4)
                    .map(|bit| {
                        let is_set = vector >> bit & 1 == 1;
                        (of(bit == value, is_set), of(bit == other, is_set))
                    })
                    .collect();
                assert!(
                    is_product_within(&ratios, unary.epsilon()),
                    "{vector:04b}, {value} and {other}"
                );
            }
        }
    }
}

#[test]
fn the_bit_of_a_mean_tells_no_two_readings_apart_by_more_than_epsilon() {
    for (at, epsilon) in epsilons().enumerate() {
        for (lowest, highest) in [(0, 1), (0, 2), (-50, 350), (-7, 993)] {
            let mean = OneBitMean::new(lowest, highest, epsilon).expect("a mean");
            let (base, step) = mean.draws();
            let set = |above: u32| base + step * u64::from(above);
            let steps = 0..=highest.abs_diff(lowest);
            let outputs = [
                extremes(steps.clone().map(set)),
                extremes(steps.map(|above| set(above).wrapping_neg())),
            ];
            hold(&outputs, mean.epsilon(), micros(at));
        }
        let widest = OneBitMean::new(i32::MIN, i32::MAX, epsilon).expect("a mean");
        let (base, step) = widest.draws();
        let top = base + step * u64::from(widest.span());
        let outputs = [(top, base), (base.wrapping_neg(), top.wrapping_neg())];
        // A step of so wide a range is a whole number of draws: what that leaves over may make it cost less than was wanted.
        for (most, fewest) in outputs {
            assert!(is_within(most, fewest, widest.epsilon()));
        }
        assert!(widest.epsilon().micros() <= micros(at));
    }
}

fn laplace<const SPAN: usize>() {
    let span = SPAN as i32;
    for (at, epsilon) in epsilons().enumerate() {
        let laplace = DiscreteLaplace::<SPAN>::new(-3, epsilon).expect("a table");
        let range = -3..=span - 3;
        let outputs: Vec<_> = range
            .clone()
            .map(|output| extremes(range.clone().map(|value| laplace.draws(value, output))))
            .collect();
        for value in range.clone() {
            let all: u128 = range
                .clone()
                .map(|output| u128::from(laplace.draws(value, output)))
                .sum();
            assert_eq!(all, 1 << 64, "every draw leads somewhere");
        }
        hold(&outputs, laplace.epsilon(), micros(at));
    }
}

#[test]
fn no_output_of_discrete_laplace_tells_two_readings_apart_by_more_than_epsilon() {
    //= compliance/requirements.md#tele-31
    //= type=test
    //# A randomised treatment MUST be able to give every output under every value.
    for_each_size!(laplace: 1 2 3 20 101 1024);
}

#[test]
fn a_table_that_is_less_private_than_it_says_is_found() {
    // The control of all that is above: one step of noise moved to the value itself.
    let laplace = DiscreteLaplace::<20>::new(0, ratio(1, 1)).expect("a table");
    let honest = extremes((0..=20).map(|value| laplace.draws(value, 20)));
    assert!(is_within(honest.0, honest.1, laplace.epsilon()));
    let planted = (honest.0 + honest.0 / 100_000, honest.1);
    assert!(!is_within(planted.0, planted.1, laplace.epsilon()));
    // A tail that was left out: no bound at all.
    assert!(!is_within(honest.0, 0, laplace.epsilon()));
}

proptest! {
    #[test]
    fn whatever_the_probability_of_truth_epsilon_is_exact(denominator in 2_u32.., part in 0_f64..1.0) {
        let numerator = (f64::from(denominator) * (0.5 + part / 2.0)) as u32;
        match BinaryResponse::truthful(ratio(numerator.max(1), denominator)) {
            Ok(response) => {
                let (truth, lie) = (response.draws(true, true), response.draws(true, false));
                prop_assert!(is_within(truth, lie, response.epsilon()));
                if truth > lie {
                    let less = MicroEpsilon::from_micros(response.epsilon().micros() - 1);
                    prop_assert!(!is_within(truth, lie, less));
                }
                let ideal = f64::from(numerator) / f64::from(denominator);
                prop_assert!((truth as f64 / 2_f64.powi(64) - ideal).abs() < 1e-15);
            }
            Err(error) => {
                // No better than a coin, or beyond 16.
                let is_coin = u64::from(numerator) * 2 <= u64::from(denominator);
                let odds = f64::from(numerator) / f64::from(denominator - numerator);
                let is_right = if is_coin { error == ParameterError::Probability } else { odds.ln() >= 15.9 };
                prop_assert!(is_right, "{error}");
            }
        }
    }

    #[test]
    fn whatever_the_epsilon_the_tables_keep_within_it(numerator in 1_u32.., denominator in 1_u32..) {
        let wanted = u64::from(numerator) * 1_000_000 / u64::from(denominator);
        let epsilon = ratio(numerator, denominator);
        let laplace = DiscreteLaplace::<30>::new(0, epsilon);
        let response = Response::<5>::new(epsilon);
        if (1..=16_000_000).contains(&wanted) {
            let (laplace, response) = (laplace.expect("a table"), response.expect("a response"));
            prop_assert!(is_within(laplace.draws(30, 30), laplace.draws(0, 30), laplace.epsilon()));
            prop_assert!(is_within(laplace.draws(1, 1), laplace.draws(30, 1), laplace.epsilon()));
            prop_assert!(is_within(response.draws(1, 1), response.draws(0, 1), response.epsilon()));
            prop_assert!(laplace.epsilon().micros() <= wanted && response.epsilon().micros() <= wanted);
        } else {
            prop_assert_eq!(laplace, Err(ParameterError::Epsilon));
            prop_assert_eq!(response, Err(ParameterError::Epsilon));
        }
    }
}

#[test]
fn parameters_that_give_no_privacy_or_no_answer_are_refused() {
    let one = ratio(1, 1);
    assert_eq!(Response::<2>::new(ratio(17, 1)), Err(ParameterError::Epsilon));
    assert_eq!(
        Response::<2>::new(ratio(1, 1_000_001)),
        Err(ParameterError::Epsilon)
    );
    assert_eq!(Unary::<3>::new(ratio(0, 1)), Err(ParameterError::Epsilon));
    assert_eq!(Response::<1>::new(one), Err(ParameterError::Categories));
    assert_eq!(Response::<257>::new(one), Err(ParameterError::Categories));
    assert_eq!(Unary::<65>::new(one), Err(ParameterError::Categories));
    assert_eq!(OneBitMean::new(5, 5, one), Err(ParameterError::Range));
    assert_eq!(OneBitMean::new(5, 4, one), Err(ParameterError::Range));
    assert_eq!(DiscreteLaplace::<0>::new(0, one), Err(ParameterError::Range));
    assert_eq!(DiscreteLaplace::<1025>::new(0, one), Err(ParameterError::Range));
    assert_eq!(
        DiscreteLaplace::<2>::new(i32::MAX - 1, one),
        Err(ParameterError::Range)
    );
    assert_eq!(
        DiscreteLaplace::<2>::from_alpha(0, 0),
        Err(ParameterError::Probability)
    );
    for certain in [ratio(1, 1), ratio(2, 1), ratio(1, 2), ratio(1, 3)] {
        let refused = BinaryResponse::truthful(certain);
        if certain == ratio(1, 2) {
            assert_eq!(refused.map(|coin| coin.epsilon()), Ok(MicroEpsilon::ZERO));
        } else {
            assert_eq!(refused, Err(ParameterError::Probability), "{certain:?}");
        }
    }
    assert_eq!(EPSILONS.len(), epsilons().count());
}
