//! Whether a device reports at all.
//!
//! ```text
//!  sampling   (this file)
//!  draw
//!  ratio
//! ```

use rand_core::TryCryptoRng;

use super::draw::{self, WAYS};
use super::ratio::{ParameterError, Ratio, at_compile_time};

/// Reports with a fixed probability, whatever there is to report.
///
/// ```
/// use bydesign::telemetry::noise::Sampling;
///
/// const ONE_IN_TEN: Sampling = Sampling::with_probability::<1, 10>();
///
/// if ONE_IN_TEN.takes_part(&mut getrandom::SysRng)? {
///     // send
/// }
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// # Security
///
/// Fewer devices tell something; one that does tells it as the field's other treatment leaves it. So it has no epsilon of its own and takes
/// nothing off another's: who sees the report sees that this device was drawn. The collector withholds what too few reported
/// (feature `collector`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    taken: u64,
}

impl Sampling {
    /// Random bytes of a decision.
    pub const RANDOM_BYTES: usize = draw::BYTES;

    /// With the probability `NUMERATOR / DENOMINATOR`, checked by the compiler.
    #[must_use]
    pub const fn with_probability<const NUMERATOR: u32, const DENOMINATOR: u32>() -> Self {
        const {
            match Ratio::new(NUMERATOR, DENOMINATOR) {
                Ok(probability) => at_compile_time(Self::new(probability)),
                Err(error) => at_compile_time(Err(error)),
            }
        }
    }

    /// With this probability, rounded down to a multiple of 2⁻⁶³; 1 is allowed.
    ///
    /// # Errors
    ///
    /// [`ParameterError::Probability`] if it is zero or more than one.
    pub const fn new(probability: Ratio) -> Result<Self, ParameterError> {
        match probability.of(WAYS) {
            Ok(0) => Err(ParameterError::Probability),
            Ok(taken) => Ok(Self { taken }),
            Err(error) => Err(error),
        }
    }

    /// Whether to report this time.
    ///
    /// # Errors
    ///
    /// Whatever the random source reports; there is no decision then, and nothing is to be sent.
    pub fn takes_part<R: TryCryptoRng + ?Sized>(&self, random: &mut R) -> Result<bool, R::Error> {
        let way = draw::way(draw::draw(random)?);
        Ok(draw::is_below(way, self.taken) == 1)
    }

    /// How many of the 2⁶³ ways lead to a report.
    #[must_use]
    pub const fn ways(&self) -> u64 {
        self.taken
    }
}
