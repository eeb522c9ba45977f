//! How likely chance alone is to bring about what was seen: upper bounds, as natural logarithms.
//!
//! ```text
//!  every detector
//!  audit::chance (this file)
//! ```
//!
//! All are Chernoff or Laurent-Massart bounds: they hold for every sample size, and never say less than the truth.

/// A detector reports only what chance brings about with less than this probability in an honest batch, all of its trials counted: 10⁻⁸.
///
/// Some thirty detectors run, so less than one honest batch in a million would be reported if every bound were met; the rate that is stated,
/// [`FALSE_ALARMS`](super::FALSE_ALARMS), leaves room for alphabets and orders that are learnt from the batch itself.
//= compliance/requirements.md#cred-40
//# An audit of truly random passwords MUST report at most one batch in 10,000.
pub(super) const LIMIT: f64 = -18.42;

/// At least `hits` of `trials` that each succeed with `probability`.
pub(super) fn binomial(trials: usize, hits: usize, probability: f64) -> f64 {
    if hits == 0 || trials == 0 || probability >= 1.0 {
        return 0.0;
    }
    let (n, share) = (trials as f64, hits as f64 / trials as f64);
    if share <= probability {
        return 0.0;
    }
    let probability = probability.max(1e-300);
    let miss = if hits >= trials {
        0.0
    } else {
        (1.0 - share) * ((1.0 - share) / (1.0 - probability)).ln()
    };
    -n * (share * (share / probability).ln() + miss)
}

/// At least `hits` where `mean` are expected of many independent rare events.
pub(super) fn poisson(hits: usize, mean: f64) -> f64 {
    let hits = hits as f64;
    let mean = mean.max(1e-300);
    if hits <= mean {
        return 0.0;
    }
    hits - mean - hits * (hits / mean).ln()
}

/// A chi-square sum of at least `sum` with so many degrees of freedom.
pub(super) fn chi_square(sum: f64, freedom: f64) -> f64 {
    // Laurent and Massart: P(X ≥ k + 2√(kx) + 2x) ≤ e⁻ˣ, solved for x.
    if sum <= freedom || freedom <= 0.0 {
        return 0.0;
    }
    let root = (2.0 * sum - freedom).sqrt() - freedom.sqrt();
    -(root / 2.0).powi(2)
}

/// Chance as a reader sees it: `less than 1 in 10^12`.
pub(super) fn in_words(ln: f64) -> std::string::String {
    let tens = (-ln / core::f64::consts::LN_10).floor();
    if tens < 1.0 {
        "not small".into()
    } else if tens > 999.0 {
        "less than 1 in 10^999".into()
    } else {
        std::format!("less than 1 in 10^{tens:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_never_below_the_exact_tails() {
        // Binomial(10, 1/2) at 9: 11/1024; Poisson(1) at 3: 1 - 5/(2e); chi-square with 2 degrees: e^(-x/2).
        assert!(binomial(10, 9, 0.5).exp() >= 11.0 / 1024.0);
        assert!(binomial(10, 9, 0.5).exp() < 0.05);
        assert!(poisson(3, 1.0).exp() >= 1.0 - 2.5 / core::f64::consts::E);
        assert!(chi_square(20.0, 2.0) >= -10.0);
        assert!(chi_square(20.0, 2.0) < -5.0);
    }

    #[test]
    fn what_was_expected_is_not_unlikely() {
        assert!(binomial(100, 50, 0.5).abs() < 1e-9);
        assert!(poisson(3, 5.0).abs() < 1e-9);
        assert!(chi_square(9.0, 10.0).abs() < 1e-9);
    }
}
