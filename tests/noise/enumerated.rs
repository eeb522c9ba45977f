//! What the samplers do with every one of the 2⁶⁴ draws, by the places at which the outcome changes.

use bydesign::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, Jitter, OneBitMean, Response, Sampling, Unary,
};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::for_each_size;
use crate::given::{epsilons, ratio};
use crate::source::{Chosen, outcome};

const WAYS: u64 = 1 << 63;

/// How many ways, of the 2⁶³ that a comparison can fall, have each outcome. The outcome must not fall as the way rises, which is tried as
/// well: at random, and on both sides of every place where it changes.
fn ways(outcomes: u32, sampler: impl Fn(u64) -> u32) -> Result<Vec<u64>, String> {
    let mut beginnings = vec![0];
    for outcome in 1..outcomes {
        let (mut low, mut high) = (0, WAYS); // the first way with at least this outcome
        while low < high {
            let middle = low + (high - low) / 2;
            if sampler(middle) >= outcome {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        beginnings.push(low);
    }
    beginnings.push(WAYS);
    let found = |way: u64| beginnings.iter().rposition(|beginning| *beginning <= way);
    let mut random = ChaCha20Rng::seed_from_u64(7);
    let drawn = (0..2000).map(|_| random.next_u64() >> 1);
    let beside = beginnings
        .iter()
        .flat_map(|at| [at.saturating_sub(1), *at, at + 1]);
    for way in drawn.chain(beside).filter(|way| *way < WAYS) {
        if found(way) != Some(sampler(way) as usize) {
            return Err(format!("the outcome of {way} is out of order"));
        }
    }
    Ok(beginnings.windows(2).map(|pair| pair[1] - pair[0]).collect())
}

fn response<const K: usize>() {
    for epsilon in epsilons() {
        let response = Response::<K>::new(epsilon).expect("a response");
        let mut values = vec![0, 1, K / 2, K - 1];
        values.dedup();
        for value in values {
            let value = value as u8;
            // The bit that is not compared must not matter.
            let ways = [0, 1].map(|bit| {
                ways(K as u32, |way| {
                    let output = outcome(&response, value, &[way << 1 | bit]);
                    (u32::from(output) + K as u32 - u32::from(value)) % K as u32
                })
                .expect("in order")
            });
            for output in 0..K {
                let from_truth = (output + K - usize::from(value)) % K;
                let draws = ways[0][from_truth] + ways[1][from_truth];
                assert_eq!(
                    draws,
                    response.draws(value, output as u8),
                    "{value} to {output} of {K}"
                );
            }
        }
    }
}

#[test]
fn every_draw_of_a_response_leads_where_its_table_says() {
    for_each_size!(response: 2 3 4 16 256);
}

#[test]
fn every_draw_of_a_binary_response_leads_where_its_table_says() {
    for epsilon in epsilons() {
        let response = BinaryResponse::new(epsilon).expect("a response");
        for value in [false, true] {
            let ways = ways(2, |way| {
                u32::from(outcome(&response, value, &[way << 1]) != value)
            })
            .expect("in order");
            assert_eq!(2 * ways[0], response.draws(value, value));
            assert_eq!(2 * ways[1], response.draws(value, !value));
        }
    }
}

fn unary<const K: usize>() {
    for epsilon in epsilons() {
        for unary in [Unary::<K>::new(epsilon), Unary::symmetric(epsilon)] {
            let unary = unary.expect("an encoding");
            for (value, category) in [(0, 0), (0, 1), (1, 0), (K - 1, K - 1), (K - 1, 0), (K / 2, K / 2)] {
                // All the other bits are drawn from what never sets them.
                let ways = ways(2, |way| {
                    let mut draws = vec![u64::MAX; K];
                    draws[category] = way << 1;
                    let bits = outcome(&unary, value as u8, &draws);
                    assert_eq!(bits & !(1 << category), 0, "every bit has its own draw");
                    1 ^ (bits >> category) as u32
                })
                .expect("in order");
                assert_eq!(2 * ways[0], unary.draws(value == category), "{value}, {category}");
            }
        }
    }
}

#[test]
fn every_draw_of_a_unary_encoding_leads_where_its_table_says() {
    for_each_size!(unary: 2 3 8 64);
}

#[test]
fn every_draw_of_a_one_bit_mean_leads_where_its_table_says() {
    for epsilon in epsilons() {
        for (lowest, highest) in [(0, 1), (-50, 350), (0, 65_535), (i32::MIN, i32::MAX)] {
            let mean = OneBitMean::new(lowest, highest, epsilon).expect("a mean");
            let middle = i32::midpoint(lowest, highest);
            for value in [lowest, lowest + 1, middle, highest - 1, highest] {
                let ways = ways(2, |way| u32::from(!outcome(&mean, value, &[way << 1]))).expect("in order");
                let (base, step) = mean.draws();
                let above = u64::from(value.abs_diff(lowest));
                assert_eq!(
                    2 * ways[0],
                    base + step * above,
                    "{value} in {lowest}..={highest}"
                );
            }
        }
    }
}

fn laplace<const SPAN: usize>() {
    let span = SPAN as i32;
    for epsilon in epsilons() {
        let lowest = -7;
        let laplace = DiscreteLaplace::<SPAN>::new(lowest, epsilon).expect("a table");
        // From the ends, whose noise is seen whole on one side.
        for (value, sign) in [(lowest, 0), (lowest + span, 1)] {
            let ways = ways(SPAN as u32 + 1, |way| {
                outcome(&laplace, value, &[way << 1 | sign]).abs_diff(value)
            })
            .expect("in order");
            for (size, ways) in ways.iter().enumerate().skip(1) {
                let output = if sign == 0 {
                    value + size as i32
                } else {
                    value - size as i32
                };
                assert_eq!(*ways, laplace.draws(value, output), "noise {size} from {value}");
            }
        }
    }
}

#[test]
fn every_draw_of_discrete_laplace_leads_where_its_table_says() {
    for_each_size!(laplace: 1 2 3 20 101 1024);
}

/// From every value, with both signs: what leads to each output, counted by the sampler alone.
fn laplace_from_every_value<const SPAN: usize>() {
    let span = SPAN as i32;
    for epsilon in epsilons() {
        let laplace = DiscreteLaplace::<SPAN>::new(-3, epsilon).expect("a table");
        for value in -3..=span - 3 {
            let mut counted = vec![0_u64; SPAN + 1];
            for sign in [0_u64, 1] {
                let reach = if sign == 0 { span - 3 - value } else { value + 3 };
                let ways = ways(reach as u32 + 1, |way| {
                    outcome(&laplace, value, &[way << 1 | sign]).abs_diff(value)
                })
                .expect("in order");
                for (size, ways) in ways.iter().enumerate() {
                    let output = if sign == 0 {
                        value + size as i32
                    } else {
                        value - size as i32
                    };
                    counted[(output + 3) as usize] += ways;
                }
            }
            for (at, counted) in counted.iter().enumerate() {
                assert_eq!(
                    *counted,
                    laplace.draws(value, at as i32 - 3),
                    "{value} to {}",
                    at as i32 - 3
                );
            }
        }
    }
}

#[test]
fn every_draw_of_discrete_laplace_is_counted_from_every_value() {
    for_each_size!(laplace_from_every_value: 1 2 5 20);
}

#[test]
fn every_draw_of_sampling_and_jitter_leads_where_it_should() {
    for (numerator, denominator) in [(1, 1), (1, 2), (1, 10), (999, 1000), (1, u32::MAX)] {
        let sampling = Sampling::new(ratio(numerator, denominator)).expect("a probability");
        let taken = |way: u64| {
            let draws = [way << 1];
            let Ok(taken) = sampling.takes_part(&mut Chosen::new(&draws));
            u32::from(!taken)
        };
        let ways = ways(2, taken).expect("in order");
        let ideal = (u128::from(WAYS) * u128::from(numerator) / u128::from(denominator)) as u64;
        assert_eq!((ways[0], ways[0]), (sampling.ways(), ideal));
    }
    for longest in [0, 1, 6, 59, 1000] {
        let jitter = Jitter::up_to(longest);
        let delays = ways(longest + 1, |way| {
            let draws = [way << 1];
            let Ok(delay) = jitter.draw(&mut Chosen::new(&draws));
            delay
        })
        .expect("in order");
        let (fewest, most) = (delays.iter().min(), delays.iter().max());
        assert!(most.zip(fewest).is_some_and(|(most, fewest)| most - fewest <= 1));
    }
    let draws = [u64::MAX];
    let longest = Jitter::up_to(u32::MAX).draw(&mut Chosen::new(&draws));
    assert_eq!(longest, Ok(u32::MAX));
}

/// A sampler with a table of its own, to plant flaws in.
fn by_table(thresholds: &[u64], way: u64) -> u32 {
    thresholds.iter().filter(|threshold| way >= **threshold).count() as u32
}

#[test]
fn a_bias_of_one_draw_is_found() {
    let response = Response::<3>::new(ratio(1, 1)).expect("a response");
    let (truth, other) = (response.draws(0, 0) / 2, response.draws(0, 1) / 2);
    let right = [truth, truth + other];
    let expected = [truth, other, other];
    assert_eq!(ways(3, |way| by_table(&right, way)), Ok(expected.to_vec()));
    for planted in [[right[0] + 1, right[1]], [right[0], right[1] - 1]] {
        assert_ne!(ways(3, |way| by_table(&planted, way)), Ok(expected.to_vec()));
    }
    // A flaw between the places where the outcome changes: a sampler that looks at some bit of the draw.
    let crooked = |way: u64| by_table(&right, way ^ (way & 1) << 61);
    assert!(ways(3, crooked).is_err());
}
