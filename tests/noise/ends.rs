//! Readings beyond the range, random sources that fail, and how much is drawn.

use bydesign::telemetry::noise::{
    BinaryResponse, DiscreteLaplace, Jitter, Mechanism, OneBitMean, Response, Sampling, Unary,
};

use crate::source::{Failed, Failing, outcome};

static LAPLACE: DiscreteLaplace<20> = DiscreteLaplace::with_epsilon::<-5, 1, 1>();
const MEAN: OneBitMean = OneBitMean::with_epsilon::<-5, 15, 1, 1>();
const RESPONSE: Response<5> = Response::with_epsilon::<1, 1>();
const UNARY: Unary<5> = Unary::with_epsilon::<1, 1>();
const BINARY: BinaryResponse = BinaryResponse::with_epsilon::<1, 1>();

fn draws() -> impl Iterator<Item = u64> {
    (0..4096_u64)
        .map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .chain([0, 1, u64::MAX - 1, u64::MAX])
}

#[test]
fn a_reading_beyond_the_range_counts_as_its_end() {
    //= compliance/requirements.md#tele-34
    //= type=test
    //# A value outside the range of a randomised treatment MUST be treated as the nearest end of it.
    for draw in draws() {
        for (beyond, end) in [(-6, -5), (i32::MIN, -5), (16, 15), (i32::MAX, 15)] {
            assert_eq!(
                outcome(&LAPLACE, beyond, &[draw]),
                outcome(&LAPLACE, end, &[draw])
            );
            assert_eq!(outcome(&MEAN, beyond, &[draw]), outcome(&MEAN, end, &[draw]));
        }
        for beyond in [5, 255] {
            assert_eq!(
                outcome(&RESPONSE, beyond, &[draw]),
                outcome(&RESPONSE, 4, &[draw])
            );
            let draws = [draw, !draw, draw.rotate_left(7)];
            assert_eq!(outcome(&UNARY, beyond, &draws), outcome(&UNARY, 4, &draws));
        }
        assert!((-5..=15).contains(&outcome(&LAPLACE, i32::MAX, &[draw])));
        assert!(outcome(&RESPONSE, 255, &[draw]) < 5);
        assert!(outcome(&UNARY, 255, &[draw]) < 1 << 5);
    }
}

#[test]
fn a_draw_takes_the_same_number_of_bytes_whatever_is_drawn() {
    //= compliance/requirements.md#tele-33
    //= type=test
    //# A randomised treatment MUST run the same instructions and draw the same number of random bytes whatever the value, the draw and the output.
    // Instructions are counted, and branches looked for, by `tests/noise_time/check`. `outcome` holds each against `RANDOM_BYTES`.
    let mut seen = std::collections::BTreeSet::new();
    for draw in draws() {
        for value in -7..17 {
            seen.insert(outcome(&LAPLACE, value, &[draw]));
            outcome(&MEAN, value, &[draw]);
        }
        for value in 0..7 {
            outcome(&RESPONSE, value, &[draw]);
            outcome(&UNARY, value, &[draw, !draw]);
        }
        outcome(&BINARY, true, &[draw]);
    }
    assert_eq!(seen.len(), 21, "every output was among them");
    assert_eq!(<Unary<5> as Mechanism>::RANDOM_BYTES, 40);
    assert_eq!(
        <DiscreteLaplace<20> as Mechanism>::RANDOM_BYTES,
        <Response<5> as Mechanism>::RANDOM_BYTES
    );
}

fn fails<M: Mechanism>(mechanism: &M, value: impl Fn() -> M::Value) {
    for after in 0..M::RANDOM_BYTES {
        let output = mechanism.randomise(value(), &mut Failing { after });
        assert_eq!(output.err(), Some(Failed), "after {after} bytes");
    }
    let after = M::RANDOM_BYTES;
    assert!(mechanism.randomise(value(), &mut Failing { after }).is_ok());
}

#[test]
fn a_random_source_that_fails_gives_an_error_and_no_output() {
    //= compliance/requirements.md#tele-32
    //= type=test
    //# A randomised treatment MUST NOT give an output when its random source fails.
    fails(&LAPLACE, || 3);
    fails(&MEAN, || 3);
    fails(&RESPONSE, || 3);
    fails(&UNARY, || 3);
    fails(&BINARY, || true);
    let sampling = Sampling::with_probability::<1, 1>();
    assert_eq!(sampling.takes_part(&mut Failing { after: 7 }), Err(Failed));
    assert_eq!(Jitter::up_to(9).draw(&mut Failing { after: 7 }), Err(Failed));
}
