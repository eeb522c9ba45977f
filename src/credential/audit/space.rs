//! Whether there are enough passwords for how they can be attacked.
//!
//! ```text
//!  audit
//!  audit::space (this file)
//!  audit::case · audit::shape
//! ```

use std::format;

use super::case::{Case, Notes};
use super::report::{Kind, Prohibition};

/// Bits of a password that can be tried without the device: out of reach of the largest known searches for years.
pub const OFFLINE_BITS: f64 = 80.0;
/// Bits of a password behind a limiter: six symbols of an alphabet of 32, as NIST SP 800-63B asks of one that is chosen by chance.
pub const LIMITED_BITS: f64 = 30.0;
/// Bits of a pairing code, which is only ever used inside a limited or password-authenticated exchange: six digits, as Bluetooth has.
pub const PAIRING_BITS: f64 = 19.9;

/// Bits that the use of a column asks for.
pub(super) fn floor(case: &Case) -> f64 {
    if case.is_pairing {
        PAIRING_BITS
    } else if case.is_offline {
        OFFLINE_BITS
    } else {
        LIMITED_BITS
    }
}

/// Bits of the space that shows, or that is declared if that is less; none where too few passwords show it.
pub(super) fn bits(case: &Case) -> Option<f64> {
    let n = case.devices();
    if n < 2 {
        return case.settings.space_bits;
    }
    // An attacker tries the smaller groups as well: what counts is all of them together, weighed by how often they come.
    let seen: f64 = case
        .shape
        .groups
        .iter()
        .map(|group| group.devices.len() as f64 / n as f64 * group.bits())
        .sum();
    Some(
        case.settings
            .space_bits
            .map_or(seen, |declared| declared.min(seen)),
    )
}

//= compliance/requirements.md#cred-47
//# A space of fewer than 80 bits MUST be found where passwords can be tried without the device, and one of fewer than 30 where a limiter stands before them.
pub(super) fn search(case: &Case, notes: &mut Notes) {
    let Some(bits) = bits(case) else {
        case.cannot(notes, "space", "one password shows no space");
        return;
    };
    let floor = floor(case);
    if bits >= floor - SLACK {
        return;
    }
    let of = case.devices();
    let why = if case.is_pairing {
        "a pairing code, even behind a limiter, has 6 digits or more"
    } else if case.is_offline {
        "who records one exchange tries all of them without the device"
    } else {
        "even behind a limiter, somebody who tries a few on each of many devices gets into some"
    };
    let evidence = format!("the passwords have {bits:.1} bits, {floor:.0} are asked for: {why}");
    case.find(
        notes,
        (&[Prohibition::Guessable], Kind::SmallSpace),
        (of, of),
        &[],
        &evidence,
    );
}

/// What the estimate may be off by.
const SLACK: f64 = 0.5;
