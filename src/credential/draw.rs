//! Uniform draws of symbols: what is too large is drawn again, never folded back.
//!
//! ```text
//!  code · offline
//!  draw     (this file)
//!  alphabet
//! ```

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::alphabet::Alphabet;

/// Why nothing was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError<E> {
    /// The random source failed.
    #[error("the random source failed")]
    Random(E),
    /// The random source gave nothing that could be used, many times over.
    #[error("the random source is broken: it gave no symbol in many draws")]
    Broken,
}

/// Bytes before a source that never gives a value is given up on. At least every second byte is one, whatever the alphabet:
/// a sound source is given up on with a chance of 2⁻¹²⁸.
const MOST_DRAWS: usize = 128;

/// Draws one symbol of the alphabet, each with the same chance, and its value.
//= compliance/requirements.md#cred-20
//# Secrets MUST be drawn uniformly, by rejection, from a cryptographic random source; what is not allowed MUST be drawn again, never changed.
pub(crate) fn symbol<R: TryCryptoRng + ?Sized>(
    alphabet: Alphabet<'_>,
    random: &mut R,
) -> Result<(usize, char), DrawError<R::Error>> {
    let mut byte = [0];
    for _ in 0..MOST_DRAWS {
        random.try_fill_bytes(&mut byte).map_err(DrawError::Random)?;
        let [drawn] = byte;
        byte.zeroize();
        if let Some(value) = value_of(drawn, alphabet.len())
            && let Some(symbol) = alphabet.symbol(value)
        {
            return Ok((value, symbol));
        }
    }
    Err(DrawError::Broken)
}

/// The value that a byte stands for among `size` values, unless it lies behind the last whole run of them.
fn value_of(byte: u8, size: usize) -> Option<usize> {
    let runs = 256_usize.checked_div(size)?;
    let drawn = usize::from(byte);
    (drawn < runs * size).then(|| drawn % size)
}

#[cfg(test)]
mod tests {
    use super::*;

    //= compliance/requirements.md#cred-20
    //= type=test
    //# Secrets MUST be drawn uniformly, by rejection, from a cryptographic random source; what is not allowed MUST be drawn again, never changed.
    #[test]
    fn each_value_comes_from_as_many_bytes_as_every_other() {
        for size in 2..=128 {
            let mut from = [0_usize; 128];
            for byte in 0..=255 {
                if let Some(value) = value_of(byte, size) {
                    from[value] += 1;
                }
            }
            assert!(from[..size].iter().all(|count| *count == 256 / size), "{size}");
            assert!(from[size..].iter().all(|count| *count == 0), "{size}");
        }
    }
}
