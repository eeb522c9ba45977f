//! Integer arithmetic whose time and accesses do not depend on what it is given: no division instruction, no branch, no index.
//!
//! ```text
//!  treatment · raw
//!  steady   (this file)
//! ```

use subtle::{Choice, ConditionallySelectable, ConstantTimeGreater};

/// The order of signed numbers, on unsigned ones.
const fn ordered(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

/// Whether `a < b`.
pub(crate) fn is_below(a: i64, b: i64) -> Choice {
    ordered(b).ct_gt(&ordered(a))
}

/// The number between `low` and `high` that is nearest to `value`.
pub(crate) fn clamp(value: i64, low: i64, high: i64) -> i64 {
    let value = i64::conditional_select(&value, &low, is_below(value, low));
    i64::conditional_select(&value, &high, is_below(high, value))
}

/// The larger of two.
pub(crate) fn larger(a: i64, b: i64) -> i64 {
    i64::conditional_select(&a, &b, is_below(a, b))
}

/// The smaller of two.
pub(crate) fn smaller(a: i64, b: i64) -> i64 {
    i64::conditional_select(&a, &b, is_below(b, a))
}

/// `dividend / divisor`, bit by bit: the division instructions and routines of small processors take longer for some numbers than for
/// others. The divisor is public, at least 1 and below 2⁶³.
//= compliance/requirements.md#tele-14
//# A treatment without noise MUST run the same instructions whatever the reading is.
pub(crate) fn divide(dividend: u64, divisor: u64) -> u64 {
    let (mut quotient, mut remainder) = (0u64, 0u64);
    for bit in (0..u64::BITS).rev() {
        remainder = (remainder << 1) | ((dividend >> bit) & 1);
        // Both are below 2⁶³: the difference borrows exactly where the remainder is the smaller.
        let difference = remainder.wrapping_sub(divisor);
        let fits = Choice::from(u8::from(difference >> 63 == 0));
        remainder.conditional_assign(&difference, fits);
        quotient = (quotient << 1) | u64::from(fits.unwrap_u8());
    }
    quotient
}

/// How many of the edges a value has reached: the number of the bucket that it is in.
pub(crate) fn bucket(value: i64, edges: &[i64]) -> u16 {
    let reached = edges.iter().map(|edge| !is_below(value, *edge));
    reached.fold(0u16, |number, reached| {
        number.wrapping_add(u16::from(reached.unwrap_u8()))
    })
}

/// Counts one up in the counter of this number, and looks at every other as well. A counter that is full stays so.
pub(crate) fn count(counters: &mut [u16], number: u16) {
    for (at, counter) in (0u16..).zip(counters) {
        let here =
            Choice::from(u8::from(at ^ number == 0)) & Choice::from(u8::from(*counter ^ u16::MAX != 0));
        let next = counter.wrapping_add(1);
        counter.conditional_assign(&next, here);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [i64; 11] = [
        i64::MIN,
        -5_000_000_000,
        -500,
        -1,
        0,
        1,
        7,
        499,
        21_530,
        5_000_000_000,
        i64::MAX,
    ];

    //= compliance/requirements.md#tele-14
    //= type=test
    //# A treatment without noise MUST run the same instructions whatever the reading is.
    // Instructions are counted, and branches looked for, by `tests/noise_time/check`.
    #[test]
    fn it_computes_what_the_operators_compute() {
        for a in NUMBERS {
            for b in NUMBERS {
                assert_eq!(bool::from(is_below(a, b)), a < b, "{a} < {b}");
                assert_eq!((larger(a, b), smaller(a, b)), (a.max(b), a.min(b)));
                for high in NUMBERS.into_iter().filter(|high| b <= *high) {
                    assert_eq!(clamp(a, b, high), a.clamp(b, high), "{a} in {b}..={high}");
                }
                let (dividend, divisor) = (a.cast_unsigned(), b.unsigned_abs() & i64::MAX.cast_unsigned());
                if divisor > 0 {
                    assert_eq!(
                        divide(dividend, divisor),
                        dividend / divisor,
                        "{dividend} / {divisor}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_value_is_in_the_bucket_behind_the_last_edge_that_it_reached() {
        let found = [-1, 0, 9, 10, 99, 100, 5000].map(|value| bucket(value, &[0, 10, 100]));
        assert_eq!(found, [0, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn a_full_counter_stays_full_and_the_others_stay_as_they_are() {
        let mut counters = [3, u16::MAX, 5];
        count(&mut counters, 1);
        count(&mut counters, 2);
        count(&mut counters, 9);
        assert_eq!(counters, [3, u16::MAX, 6]);
    }
}
