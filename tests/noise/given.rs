//! The parameters that the tests go through.

use bydesign::telemetry::noise::Ratio;

/// Epsilon from almost nothing to the most that is taken.
pub(crate) const EPSILONS: [(u32, u32); 9] = [
    (1, 1000),
    (1, 10),
    (1, 3),
    (1, 2),
    (1, 1),
    (3, 2),
    (3, 1),
    (8, 1),
    (16, 1),
];

pub(crate) fn ratio(numerator: u32, denominator: u32) -> Ratio {
    Ratio::new(numerator, denominator).expect("a ratio")
}

pub(crate) fn epsilons() -> impl Iterator<Item = Ratio> {
    EPSILONS
        .iter()
        .map(|(numerator, denominator)| ratio(*numerator, *denominator))
}

/// In micro-units, rounded down.
pub(crate) fn micros(at: usize) -> u64 {
    let (numerator, denominator) = EPSILONS[at];
    u64::from(numerator) * 1_000_000 / u64::from(denominator)
}

/// Runs the same for several numbers that are known at compile time.
#[macro_export]
macro_rules! for_each_size {
    ($check:ident: $($size:literal)*) => { $($check::<$size>();)* };
}
