//! Pairing codes: short, read off a label and typed once, with a symbol that finds mistakes in typing.
//!
//! ```text
//!  factory · the device's pairing
//!  code     (this file)
//!  alphabet · draw · published · text · verhoeff
//! ```

use core::fmt::{self, Write};

use rand_core::TryCryptoRng;

use super::alphabet::{Alphabet, millibits_of};
use super::draw;
pub use super::draw::DrawError;
use super::text::SecretText;
use super::{published, verhoeff};

/// The most symbols of a pairing code, its check symbol included.
pub const LONGEST_CODE: usize = 22;
/// The fewest bits of a pairing code, in thousandths: six digits, the least that a count of attempts makes sense with.
pub const LEAST_CODE_MILLIBITS: u32 = 19_931;
/// Draws of a code before a source that gives none but published ones is given up on.
const MOST_DRAWS: usize = 64;

/// A short code for pairing. Only for an exchange in which guesses are counted: a password-authenticated key exchange, or a check
/// behind an attempt limiter. Where one can guess offline, an [`OfflineSecret`](super::offline::OfflineSecret) belongs; the two
/// are different types on purpose:
///
/// ```compile_fail
/// use bydesign::credential::{code::PairingCode, offline::OfflineSecret};
///
/// fn wifi_key(of: &OfflineSecret) {}
///
/// fn mistaken(code: &PairingCode) {
///     wifi_key(code);
/// }
/// ```
///
/// ```
/// use bydesign::credential::alphabet::Alphabet;
/// use bydesign::credential::code::{CodeError, PairingCode};
///
/// let code = PairingCode::random(Alphabet::CLEAR, 8, &mut getrandom::SysRng).expect("a sound source");
/// // eight symbols of 4.5 bits, and the check symbol
/// assert_eq!(code.symbols().len(), 9);
/// assert_eq!(code.millibits(), 36_188);
/// // as it is typed: in small letters and with hyphens
/// let typed = code.grouped().expose().to_lowercase();
/// assert!(PairingCode::parse(&typed, Alphabet::CLEAR).is_ok());
/// # Ok::<(), CodeError>(())
/// ```
///
/// # Security
///
/// Not printed, compared with `==` or copied; wiped when dropped. Serves CoP 1; EN 303 645 5.1-1, 5.1-2.
pub struct PairingCode {
    /// With the check symbol.
    text: SecretText<LONGEST_CODE>,
    /// Of its alphabet.
    size: usize,
}

/// Why text is no pairing code, or why there can be none of that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Fewer bits than six digits have: guessing within a limiter's budget would pay.
    #[error("a pairing code has at least the bits of six digits")]
    TooShort,
    /// More symbols than there is room for.
    #[error("a pairing code has at most 22 symbols, and fewer than its alphabet")]
    TooLong,
    /// No check symbol is known for the size of the alphabet: it has to be ten digits, or a prime number of symbols.
    #[error("check symbols need the ten digits or an alphabet with a prime number of symbols")]
    NoCheckSymbol,
    /// A symbol that is not of the alphabet, and cannot be meant for one of it. Its place is given, from 1.
    #[error("symbol {0} does not belong into the code")]
    Symbol(usize),
    /// The check symbol does not fit the others: mistyped.
    #[error("the check symbol does not fit: a symbol is wrong, or two are swapped")]
    Mistyped,
}

/// Why no code was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCode<E> {
    /// There is no code of that shape.
    #[error(transparent)]
    Shape(CodeError),
    /// The draw failed.
    #[error(transparent)]
    Draw(DrawError<E>),
}

impl PairingCode {
    /// Whether codes with so many symbols, the check symbol not counted, can be made of the alphabet.
    ///
    /// # Errors
    ///
    /// [`CodeError::TooShort`], [`CodeError::TooLong`] and [`CodeError::NoCheckSymbol`].
    pub fn check_shape(alphabet: Alphabet<'_>, symbols: usize) -> Result<(), CodeError> {
        let size = alphabet.len();
        let digits = alphabet == Alphabet::DIGITS;
        if !digits && !is_prime(size) {
            return Err(CodeError::NoCheckSymbol);
        }
        if symbols >= LONGEST_CODE || (!digits && symbols.saturating_add(1) >= size) {
            return Err(CodeError::TooLong);
        }
        if alphabet.millibits(symbols) < LEAST_CODE_MILLIBITS {
            return Err(CodeError::TooShort);
        }
        Ok(())
    }

    /// Draws a code of so many symbols and puts its check symbol behind it. One that stands in everybody's examples, or that somebody tries first
    /// (one symbol again and again, symbols in order), is drawn again: among a million codes of six digits there is one of each.
    ///
    /// # Errors
    ///
    /// [`NoCode`].
    pub fn random<R: TryCryptoRng + ?Sized>(
        alphabet: Alphabet<'_>,
        symbols: usize,
        random: &mut R,
    ) -> Result<Self, NoCode<R::Error>> {
        Self::check_shape(alphabet, symbols).map_err(NoCode::Shape)?;
        for _ in 0..MOST_DRAWS {
            let code = Self::drawn(alphabet, symbols, random)?;
            let without_check = code.symbols().get(..symbols).unwrap_or_default();
            if !published::is_code(code.symbols()) && !published::is_code(without_check) {
                return Ok(code);
            }
        }
        Err(NoCode::Draw(DrawError::Broken))
    }

    fn drawn<R: TryCryptoRng + ?Sized>(
        alphabet: Alphabet<'_>,
        symbols: usize,
        random: &mut R,
    ) -> Result<Self, NoCode<R::Error>> {
        let full = |fmt::Error| NoCode::Shape(CodeError::TooLong);
        let mut text = SecretText::new();
        for _ in 0..symbols {
            let (_, symbol) = draw::symbol(alphabet, random).map_err(NoCode::Draw)?;
            text.push(symbol).map_err(full)?;
        }
        let check = check_symbol(text.expose(), alphabet).ok_or(NoCode::Shape(CodeError::NoCheckSymbol))?;
        text.push(check).map_err(full)?;
        Ok(Self {
            text,
            size: alphabet.len(),
        })
    }

    /// Reads a code as it was typed: spaces and hyphens are passed over, capitals do not matter, look-alikes are read as the
    /// symbol that can be meant.
    ///
    /// # Errors
    ///
    /// [`CodeError`], which says what a person can put right.
    pub fn parse(typed: &str, alphabet: Alphabet<'_>) -> Result<Self, CodeError> {
        let mut text = SecretText::new();
        let mut symbols = 0_usize;
        let written = typed.chars().enumerate();
        for (at, symbol) in written.filter(|(_, symbol)| !matches!(symbol, ' ' | '-')) {
            let value = alphabet
                .value_typed(symbol)
                .ok_or(CodeError::Symbol(at.saturating_add(1)))?;
            let symbol = alphabet
                .symbol(value)
                .ok_or(CodeError::Symbol(at.saturating_add(1)))?;
            text.push(symbol).map_err(|fmt::Error| CodeError::TooLong)?;
            symbols = symbols.saturating_add(1);
        }
        let drawn = symbols.checked_sub(1).ok_or(CodeError::TooShort)?;
        Self::check_shape(alphabet, drawn)?;
        if !check_holds(text.expose(), alphabet) {
            return Err(CodeError::Mistyped);
        }
        Ok(Self {
            text,
            size: alphabet.len(),
        })
    }

    /// The symbols, check symbol included, without hyphens: what a verifier is made of.
    #[must_use]
    pub fn symbols(&self) -> &str {
        self.text.expose()
    }

    /// The code in groups of three or four, as a label prints it.
    #[must_use]
    pub fn grouped(&self) -> SecretText<{ 2 * LONGEST_CODE }> {
        grouped(self.symbols())
    }

    /// The bits of the draw, in thousandths; the check symbol adds none.
    #[must_use]
    pub fn millibits(&self) -> u32 {
        millibits_of(self.size as u64, self.symbols().len().saturating_sub(1))
    }
}

/// Text with hyphens between groups of equal length where that goes, of four symbols or three.
pub(crate) fn grouped<const N: usize>(symbols: &str) -> SecretText<N> {
    let len = symbols.len();
    let group = [4, 3, 5]
        .into_iter()
        .find(|group| len.is_multiple_of(*group))
        .unwrap_or(4);
    let mut text = SecretText::new();
    for (at, symbol) in symbols.chars().enumerate() {
        if at > 0 && at.is_multiple_of(group) {
            // Its room is twice that of the symbols.
            let _ = text.write_char('-');
        }
        let _ = text.write_char(symbol);
    }
    text
}

const fn is_prime(number: usize) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number.is_multiple_of(divisor) {
            return false;
        }
        divisor += 1;
    }
    number > 1
}

/// The symbol that goes behind the others: Verhoeff's for digits; else the one with which the sum of place times value is a multiple
/// of the prime number of symbols. Places differ and none is a multiple of it, so every single mistake and every swap is found.
fn check_symbol(symbols: &str, alphabet: Alphabet<'_>) -> Option<char> {
    if alphabet == Alphabet::DIGITS {
        return verhoeff::check_digit(symbols);
    }
    let place = symbols.len().checked_add(1)?;
    let before = weighted(symbols, alphabet)?;
    (0..alphabet.len())
        .find(|value| (before + place * value).is_multiple_of(alphabet.len()))
        .and_then(|value| alphabet.symbol(value))
}

fn check_holds(symbols: &str, alphabet: Alphabet<'_>) -> bool {
    if alphabet == Alphabet::DIGITS {
        return verhoeff::holds(symbols);
    }
    weighted(symbols, alphabet).is_some_and(|sum| sum.is_multiple_of(alphabet.len()))
}

/// At most 22 places of values below 128: far from an overflow.
fn weighted(symbols: &str, alphabet: Alphabet<'_>) -> Option<usize> {
    symbols
        .chars()
        .zip(1..)
        .try_fold(0_usize, |sum, (symbol, place)| {
            let value = alphabet.value(symbol)?;
            sum.checked_add(value.checked_mul(place)?)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    fn code(alphabet: Alphabet<'_>, symbols: usize) -> String {
        PairingCode::random(alphabet, symbols, &mut getrandom::SysRng)
            .expect("drawn")
            .symbols()
            .to_string()
    }

    #[test]
    fn every_single_mistake_and_every_swap_is_found() {
        for _ in 0..50 {
            let whole = code(Alphabet::CLEAR, 8);
            let symbols: std::vec::Vec<char> = whole.chars().collect();
            for at in 0..symbols.len() {
                for other in Alphabet::CLEAR
                    .symbols()
                    .chars()
                    .filter(|other| *other != symbols[at])
                {
                    let mut wrong = symbols.clone();
                    wrong[at] = other;
                    let wrong: String = wrong.into_iter().collect();
                    assert_eq!(
                        PairingCode::parse(&wrong, Alphabet::CLEAR).err(),
                        Some(CodeError::Mistyped)
                    );
                }
                for with in 0..at {
                    let mut swapped = symbols.clone();
                    swapped.swap(at, with);
                    if swapped != symbols {
                        let swapped: String = swapped.into_iter().collect();
                        let read = PairingCode::parse(&swapped, Alphabet::CLEAR);
                        assert_eq!(read.err(), Some(CodeError::Mistyped));
                    }
                }
            }
        }
    }

    /// Gives the bytes that make these digits, then random ones.
    struct Digits(std::vec::Vec<u8>);

    impl rand_core::TryRng for Digits {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for byte in bytes.iter_mut() {
                *byte = if self.0.is_empty() { 7 } else { self.0.remove(0) };
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Digits {}

    //= compliance/requirements.md#cred-20
    //= type=test
    //# Secrets MUST be drawn uniformly, by rejection, from a cryptographic random source; what is not allowed MUST be drawn again, never changed.
    #[test]
    fn a_code_that_everybody_tries_first_is_drawn_again() {
        for published in ["0000000", "1111111", "1234567", "7654321"] {
            let mut drawn: std::vec::Vec<u8> = published.bytes().map(|digit| digit - b'0').collect();
            drawn.extend([7, 3, 9, 1, 4, 6, 2]);
            let code = PairingCode::random(Alphabet::DIGITS, 7, &mut Digits(drawn)).expect("drawn");
            assert!(code.symbols().starts_with("7391462"), "{published}");
        }
    }

    #[test]
    fn a_source_that_gives_nothing_but_published_codes_is_given_up_on() {
        let constant = PairingCode::random(Alphabet::DIGITS, 7, &mut Digits(std::vec::Vec::new()));
        assert!(matches!(constant, Err(NoCode::Draw(DrawError::Broken))));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for (alphabet, symbols) in [
            (Alphabet::CLEAR, 7),
            (Alphabet::CLEAR, 21),
            (Alphabet::DIGITS, 6),
            (Alphabet::DIGITS, 21),
        ] {
            if PairingCode::check_shape(alphabet, symbols).is_err() {
                continue;
            }
            let code = PairingCode::random(alphabet, symbols, &mut getrandom::SysRng).expect("drawn");
            for typed in [
                code.grouped().expose().to_string(),
                code.grouped().expose().to_lowercase().replace('-', " "),
                code.symbols().replace('5', "s").replace('8', "B"),
            ] {
                let read = PairingCode::parse(&typed, alphabet);
                assert_eq!(
                    read.map(|read| read.symbols().to_string()),
                    Ok(code.symbols().to_string()),
                    "{typed}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        let clear = Alphabet::CLEAR;
        let sixteen = Alphabet::HEXADECIMAL;
        assert_eq!(PairingCode::check_shape(clear, 4), Err(CodeError::TooShort));
        assert_eq!(
            PairingCode::check_shape(Alphabet::DIGITS, 5),
            Err(CodeError::TooShort)
        );
        assert_eq!(PairingCode::check_shape(Alphabet::DIGITS, 6), Ok(()));
        assert_eq!(PairingCode::check_shape(clear, 22), Err(CodeError::TooLong));
        assert_eq!(
            PairingCode::check_shape(sixteen, 8),
            Err(CodeError::NoCheckSymbol)
        );
        assert_eq!(PairingCode::parse("", clear).err(), Some(CodeError::TooShort));
        assert_eq!(
            PairingCode::parse("23-4#", clear).err(),
            Some(CodeError::Symbol(5))
        );
        assert_eq!(
            PairingCode::parse(&"2".repeat(23), clear).err(),
            Some(CodeError::TooLong)
        );
    }
}
