//! Exponentials between two exact bounds, in integers of any length.

use bydesign::telemetry::noise::MicroEpsilon;
use num_bigint::BigUint;

/// Bits after the point.
const BITS: u32 = 256;
/// Terms of the series: more than enough for 17 with 256 bits.
const TERMS: u32 = 160;

/// Whether `larger / smaller ≤ exp(epsilon)`, by a series that is cut off and rounded down: never yes if it is not so.
pub(crate) fn is_within(larger: u64, smaller: u64, epsilon: MicroEpsilon) -> bool {
    is_product_within(&[(larger, smaller)], epsilon)
}

/// The same for a product of ratios.
pub(crate) fn is_product_within(ratios: &[(u64, u64)], epsilon: MicroEpsilon) -> bool {
    let (larger, smaller) = multiplied(ratios);
    (larger << BITS) <= lower(epsilon) * smaller
}

/// Whether the product of the ratios is beyond `exp(epsilon)`, by a series that is rounded up and closed: never yes if it is not so.
pub(crate) fn is_product_beyond(ratios: &[(u64, u64)], epsilon: MicroEpsilon) -> bool {
    let (larger, smaller) = multiplied(ratios);
    (larger << BITS) > upper(epsilon) * smaller
}

fn multiplied(ratios: &[(u64, u64)]) -> (BigUint, BigUint) {
    let larger = ratios.iter().map(|(larger, _)| *larger).product();
    let smaller = ratios.iter().map(|(_, smaller)| *smaller).product();
    (larger, smaller)
}

/// The first terms of 1 + x + x²/2 + …, each rounded down.
fn lower(epsilon: MicroEpsilon) -> BigUint {
    let mut term = BigUint::from(1_u8) << BITS;
    let mut sum = term.clone();
    for number in 1..=TERMS {
        term = term * epsilon.micros() / (1_000_000_u64 * u64::from(number));
        sum += &term;
    }
    sum
}

/// The first terms, each rounded up, and twice the last of them: from there on each is less than half of the one before, since x ≤ 17.
fn upper(epsilon: MicroEpsilon) -> BigUint {
    assert!(epsilon.micros() <= 17_000_000);
    let mut term = BigUint::from(1_u8) << BITS;
    let mut sum = term.clone();
    for number in 1..=TERMS {
        let divisor = BigUint::from(1_000_000_u64 * u64::from(number));
        term = (term * epsilon.micros() + &divisor - 1_u8) / divisor;
        sum += &term;
    }
    sum + term * 2_u8
}

fn as_float(fixed: &BigUint) -> f64 {
    // 53 bits of it are enough.
    let shifted = fixed >> (BITS - 63);
    u128::try_from(shifted).map_or(f64::INFINITY, |bits| bits as f64 / (1_u64 << 63) as f64)
}

#[test]
fn the_bounds_enclose_known_exponentials() {
    for micros in [1, 1_000, 693_147, 1_000_000, 2_500_000, 10_000_000, 17_000_000] {
        let epsilon = MicroEpsilon::from_micros(micros);
        let known = (micros as f64 / 1e6).exp();
        let (lower, upper) = (lower(epsilon), upper(epsilon));
        assert!(lower < upper, "{micros}");
        assert!(
            (&upper - &lower) >> 40 < BigUint::from(1_u8),
            "closer than 2⁻²¹⁶: {micros}"
        );
        assert!((as_float(&lower) / known - 1.0).abs() < 1e-14, "{micros}");
    }
    // ln 2 is 0.693147180…
    assert!(is_within(2, 1, MicroEpsilon::from_micros(693_148)));
    assert!(!is_within(2, 1, MicroEpsilon::from_micros(693_147)));
    assert!(is_product_beyond(&[(2, 1)], MicroEpsilon::from_micros(693_147)));
    assert!(!is_product_beyond(&[(2, 1)], MicroEpsilon::from_micros(693_148)));
}
