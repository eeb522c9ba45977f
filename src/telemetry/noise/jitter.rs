//! A random delay, so that the time of sending says less.
//!
//! ```text
//!  jitter   (this file)
//!  draw
//! ```

use rand_core::TryCryptoRng;

use super::draw;

/// A delay between nothing and `longest`, each as likely as the others, in whatever unit the caller counts.
///
/// ```
/// use bydesign::telemetry::noise::Jitter;
///
/// const WITHIN_AN_HOUR: Jitter = Jitter::up_to(3600); // seconds
///
/// let delay = WITHIN_AN_HOUR.draw(&mut getrandom::SysRng)?;
/// assert!(delay <= 3600);
/// # Ok::<(), getrandom::Error>(())
/// ```
///
/// # Security
///
/// The delay follows from nothing but the random source. It hides the instant of an event within `longest`; somebody who sees many
/// reports of one device may still find its rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter {
    longest: u32,
}

impl Jitter {
    /// Random bytes of a delay.
    pub const RANDOM_BYTES: usize = draw::BYTES;

    /// At most this long.
    #[must_use]
    pub const fn up_to(longest: u32) -> Self {
        Self { longest }
    }

    /// The longest delay.
    #[must_use]
    pub const fn longest(&self) -> u32 {
        self.longest
    }

    /// A delay. Of the 2⁶⁴ draws every delay has the same number, or one more.
    ///
    /// # Errors
    ///
    /// Whatever the random source reports; there is no delay then.
    #[allow(clippy::cast_possible_truncation)] // below 2³³ over 2³²; at most the longest
    pub fn draw<R: TryCryptoRng + ?Sized>(&self, random: &mut R) -> Result<u32, R::Error> {
        let draw = draw::draw(random)?;
        let delays = u64::from(self.longest).wrapping_add(1);
        // The upper half of draw × delays, which has up to 97 bits, in two steps.
        let low = (draw & u64::from(u32::MAX)).wrapping_mul(delays) >> 32;
        let high = (draw >> 32).wrapping_mul(delays);
        Ok((high.wrapping_add(low) >> 32) as u32)
    }
}
