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
    use core::convert::Infallible;
    use rand_core::TryRng;
    use std::string::String;

    use super::*;

    /// Gives these bytes and no others; how many is counted.
    struct Bytes<'a>(&'a [u8], usize);

    impl TryRng for Bytes<'_> {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.0[self.1];
                self.1 += 1;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Bytes<'_> {}

    //= compliance/requirements.md#cred-20
    //= type=test
    //# Secrets MUST be drawn uniformly, by rejection, from a cryptographic random source; what is not allowed MUST be drawn again, never changed.
    #[test]
    fn each_symbol_comes_from_as_many_bytes_as_every_other_and_the_rest_is_drawn_again() {
        let printable: String = ('!'..='~').collect();
        for size in 10..=printable.len() {
            let alphabet = Alphabet::new(&printable[..size]).expect("an alphabet");
            let mut from = [0_usize; 128];
            let mut refused = 0;
            for byte in 0..=255 {
                let next = [byte, 0];
                let mut source = Bytes(&next, 0);
                let (value, symbol) = symbol(alphabet, &mut source).expect("a symbol");
                assert_eq!(alphabet.symbol(value), Some(symbol));
                if source.1 == 1 {
                    from[value] += 1;
                } else {
                    // What was refused leaves no trace in what is drawn after it.
                    assert_eq!(value, 0, "{size}, {byte}");
                    refused += 1;
                }
            }
            assert!(from[..size].iter().all(|count| *count == 256 / size), "{size}");
            assert!(from[size..].iter().all(|count| *count == 0), "{size}");
            assert_eq!(refused, 256 % size);
        }
    }

    #[test]
    fn a_source_that_gives_no_symbol_is_given_up_on() {
        let never = [255; MOST_DRAWS];
        let mut source = Bytes(&never, 0);
        assert_eq!(symbol(Alphabet::DIGITS, &mut source), Err(DrawError::Broken));
        assert_eq!(source.1, MOST_DRAWS);
    }
}
