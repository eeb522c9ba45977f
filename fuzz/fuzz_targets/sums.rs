//! Bytes that a collector takes for a partial sum.
//!
//! ```text
//!  input    length of the first 1 | first | second
//! ```
//!
//! What must hold: no panic; whatever is read is written the same; two sums that merge, merge both ways to the same; an estimate is a number
//! and lies in its interval; a release shows nothing of fewer reports than its threshold.
#![no_main]

use bydesign::telemetry::collect::{Confidence, Estimate, PartialSum, Threshold};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((len, bytes)) = input.split_first() else {
        return;
    };
    let (first, second) = bytes.split_at(usize::from(*len).min(bytes.len()));
    let Some(one) = read(first) else { return };
    if let Some(other) = read(second) {
        let (mut there, mut back) = (one.clone(), other.clone());
        let merged = there.merge(&other);
        assert_eq!(merged, back.merge(&one));
        if merged.is_ok() {
            assert_eq!(there.encode(), back.encode());
            look(&there);
        } else {
            assert_eq!((there, back), (one.clone(), other));
        }
    }
    look(&one);
});

fn read(bytes: &[u8]) -> Option<PartialSum> {
    let sum = PartialSum::decode(bytes).ok()?;
    assert_eq!(sum.encode(), bytes);
    Some(sum)
}

fn look(sum: &PartialSum) {
    let level = Confidence::Percent95;
    for estimates in [sum.frequencies(level), sum.totals(level), sum.mean(level).map(|mean| vec![mean])] {
        estimates.iter().flatten().for_each(is_sound);
    }
    let Ok(ten) = Threshold::new(10) else { return };
    assert!(sum.reports() >= 10 || (ten.frequencies(sum, level).is_err() && ten.mean(sum, level).is_err()));
}

fn is_sound(estimate: &Estimate) {
    assert!(estimate.low().is_finite() && estimate.high().is_finite());
    // The last digits of numbers that are large for their difference.
    let near = 1e-6 * (estimate.value().abs() + estimate.high().abs() + estimate.low().abs() + 1.0);
    assert!(estimate.low() <= estimate.value() + near && estimate.value() <= estimate.high() + near);
    assert!(estimate.standard_error() >= 0.0);
}
