//! A name for the device that holds for one epoch and one report, and cannot be linked to the next.

use rand_core::TryCryptoRng;

use super::{Aids, Effect, How, Sealed, Treated, Treatment, Untreated};
use crate::telemetry::raw::ThisDevice;
use crate::telemetry::shape::Shape;

/// Bytes of a pseudonym: among a million devices two share one with a chance of 3 in 10⁸.
pub const PSEUDONYM_LEN: usize = 8;

/// The same bytes in every report of this kind during an epoch, and others in the next: derived by HKDF-SHA-256 from a seed that is drawn anew
/// for each epoch, kept in the store under the key of the consent class, and gone with it.
///
/// # Security
///
/// Without the seed, two pseudonyms say nothing of each other: not those of two epochs, not those of two kinds of report in one epoch. What
/// links them all the same is what stands beside them in the reports, and how they travel: addresses, times, certificates.
#[derive(Clone, Copy)]
pub struct Pseudonym;

impl Pseudonym {
    #[doc(hidden)]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "8")]
    pub const fn effect(&self) -> Effect {
        Effect::plain(
            How::Pseudonym,
            Shape::Bytes {
                count: PSEUDONYM_LEN as u8,
            },
        )
    }
}

impl Sealed for Pseudonym {}
#[allow(private_interfaces)]
impl Treatment<ThisDevice> for Pseudonym {
    fn treat<R: TryCryptoRng + ?Sized>(
        &self,
        _: &ThisDevice,
        aids: &mut Aids<'_, R>,
    ) -> Result<Treated, Untreated> {
        aids.epoch
            .pseudonym(aids.report, aids.field)
            .map(Treated::Bytes)
            .ok_or(Untreated::Internal)
    }
}
