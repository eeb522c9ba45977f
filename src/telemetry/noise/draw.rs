//! Random draws, and the choices that depend on them or on a reading: no branch and no address follows from either.
//!
//! ```text
//!  response · unary · mean · laplace · sampling · jitter
//!  draw   (this file)
//! ```
//!
//! A draw has 64 bits, of which comparisons take the upper 63: the difference of two such numbers has its sign in the top bit.
//! There is no multiplication by something secret either; on small processors its time may depend on what is multiplied.

use core::hint::black_box;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

/// In how many ways a comparison may fall: 2⁶³.
pub(super) const WAYS: u64 = 1 << 63;
/// Random bytes of one draw.
pub(super) const BYTES: usize = 8;

//= compliance/requirements.md#tele-32
//# A randomised treatment MUST NOT give an output when its random source fails.
/// Eight bytes of the source. They are wiped where they were drawn: with them, an answer gives away the reading.
pub(super) fn draw<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<u64, R::Error> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    random.try_fill_bytes(bytes.as_mut())?;
    Ok(u64::from_le_bytes(*bytes))
}

/// The part of a draw that is compared: below [`WAYS`].
pub(super) const fn way(draw: u64) -> u64 {
    draw >> 1
}

/// 1 if `way` is below `threshold`, otherwise 0. Both are at most [`WAYS`], and `way` is below it.
#[allow(clippy::cast_possible_truncation)] // one bit
pub(super) fn is_below(way: u64, threshold: u64) -> u32 {
    // Opaque to the compiler, which could make a branch of a bit that it knows to be a verdict.
    black_box(way.wrapping_sub(threshold) >> 63) as u32
}

/// Ones if `bit` is 1, zeros if it is 0.
pub(super) fn mask(bit: u32) -> u32 {
    black_box(bit).wrapping_neg()
}

//= compliance/requirements.md#tele-34
//# A value outside the range of a randomised treatment MUST be treated as the nearest end of it.
/// How far `value` is above `lowest`, brought into `0 ..= span`.
pub(super) fn clamp(value: i32, lowest: i32, span: u32) -> u32 {
    // The difference of two 32-bit numbers and that of it and the span: 34 bits, the sign at the top.
    #[allow(clippy::cast_sign_loss)]
    let is_negative = |number: i64| black_box(((number as u64) >> 63) as u32);
    let above = i64::from(value).wrapping_sub(i64::from(lowest));
    let excess = i64::from(span).wrapping_sub(above);
    let (below, beyond) = (mask(is_negative(above)), mask(is_negative(excess)));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whatever does not fit is masked out
    let inside = (above as u32) & !below & !beyond;
    inside | (span & beyond)
}
