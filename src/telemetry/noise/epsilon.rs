//! Privacy loss in whole micro-units, rounded up, from ratios of whole numbers of draws.
//!
//! ```text
//!  response · unary · mean · laplace
//!  epsilon   (this file)
//!  ratio
//! ```
//!
//! An answer that `a` draws make of one value and `b` draws of another tells the two apart by at most the logarithm of `a / b`.
//! [`BinaryLog`] is never below that logarithm, so what is debited is never less than what is spent; it is above it by less than
//! 2⁻⁴⁷, so what is debited is at most one micro-unit more than it has to be.

use core::fmt;

use super::ratio::{ParameterError, Ratio};

/// A privacy loss: epsilon of pure differential privacy, in millionths, rounded up.
///
/// ```
/// use bydesign::telemetry::noise::MicroEpsilon;
///
/// let epsilon = MicroEpsilon::from_micros(1_098_613);
/// assert_eq!(epsilon.to_string(), "1.098613");
/// assert_eq!(epsilon.plus(epsilon).map(MicroEpsilon::micros), Some(2_197_226));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroEpsilon(u64);

impl MicroEpsilon {
    /// Nothing is given away.
    pub const ZERO: Self = Self(0);

    /// So many millionths.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Millionths.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Both losses together: what two releases about one device cost. `None` beyond 64 bits.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }
}

impl fmt::Display for MicroEpsilon {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// The largest epsilon that a constructor takes. At 16 an answer is nine million times likelier under one value than under
/// another: beyond that there is no privacy to speak of.
pub const MAX_EPSILON: MicroEpsilon = MicroEpsilon(16_000_000);

/// What is asked for, rounded down to a micro-unit: the treatment that is made stays at or below it.
pub(super) const fn wanted(epsilon: Ratio) -> Result<MicroEpsilon, ParameterError> {
    let micros = epsilon.millionths();
    if micros == 0 || micros > MAX_EPSILON.0 {
        return Err(ParameterError::Epsilon);
    }
    Ok(MicroEpsilon(micros))
}

/// An upper bound of a binary logarithm, in units of 2⁻⁴⁸.
#[derive(Clone, Copy)]
pub(super) struct BinaryLog(u64);

/// Bits after the point of a [`BinaryLog`].
const LOG_BITS: u32 = 48;
/// Bits after the point of the mantissa that is squared.
const MANTISSA_BITS: u32 = 62;
const ONE: u128 = 1 << MANTISSA_BITS;
/// A million times the natural logarithm of two, in units of 2⁻⁴⁸, rounded up.
const MICROS_OF_LN_2: u128 = 195_103_586_505_167_475_278;

impl BinaryLog {
    /// Of `larger` over `smaller`, where `larger ≥ smaller ≥ 1`.
    ///
    /// Squaring a number doubles its logarithm; whenever the square reaches two, the next bit of the logarithm is one and the
    /// square is halved. With `m` the mantissa after `n` steps and `L` the bits so far, exact arithmetic would keep
    ///
    /// ```text
    ///  log₂(larger / smaller) = L · 2⁻ⁿ + 2⁻ⁿ · log₂ m        1 ≤ m < 2
    /// ```
    ///
    /// The division and each square are rounded up here, which can only make `m` larger, so the left side stays at or below the
    /// right one; `m` stays within `1 ≤ m ≤ 2`, since rounding up does not carry a number below 4 above 4. At the end `log₂ m ≤ 1`
    /// adds at most one unit. Each rounding adds less than 2⁻⁶¹ to `log₂ m`, and less than that to the result: all 49 of them, less than 2⁻⁵⁵.
    #[allow(clippy::cast_possible_truncation)] // at most 64 units of 2⁴⁸
    pub(super) const fn of(larger: u64, smaller: u64) -> Self {
        if larger <= smaller || smaller == 0 {
            // No such ratio; equal ones give nothing away.
            return Self(if smaller == 0 { u64::MAX } else { 0 });
        }
        let mut whole = larger.ilog2() - smaller.ilog2();
        if (smaller as u128) << whole > larger as u128 {
            whole -= 1;
        }
        // Below 2⁶⁴ · 2⁶² over at most 2⁶⁴.
        let mut mantissa = ((larger as u128) << MANTISSA_BITS).div_ceil((smaller as u128) << whole);
        let mut fraction = 0;
        let mut bits = 0;
        while bits < LOG_BITS {
            mantissa = (mantissa * mantissa).div_ceil(ONE); // at most 2 · 2: 126 bits before the division
            fraction <<= 1;
            if mantissa >= 2 * ONE {
                fraction |= 1;
                mantissa = mantissa.div_ceil(2);
            }
            bits += 1;
        }
        Self((((whole as u128) << LOG_BITS) + fraction + 1) as u64)
    }

    /// The logarithm of the product of both ratios.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The larger one.
    pub(super) const fn or(self, other: Self) -> Self {
        if self.0 < other.0 { other } else { self }
    }

    /// So many times as much.
    pub(super) const fn times(self, times: u32) -> Self {
        Self(self.0.saturating_mul(times as u64))
    }

    /// As a natural logarithm, in micro-units, rounded up: both factors are upper bounds, and so is their product.
    pub(super) const fn micros(self) -> MicroEpsilon {
        if self.0 >= 1 << 58 {
            return MicroEpsilon(u64::MAX); // of no ratio, or of too many steps: beyond all that is taken
        }
        let micros = (self.0 as u128 * MICROS_OF_LN_2).div_ceil(1 << (2 * LOG_BITS));
        #[allow(clippy::cast_possible_truncation)] // below 2⁵⁸ · 2⁶⁸ over 2⁹⁶
        MicroEpsilon(micros as u64)
    }
}
