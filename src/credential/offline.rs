//! Secrets that may be attacked offline: Wi-Fi keys and device passwords. At least 80 bits, or they are not made.
//!
//! ```text
//!  factory · wifi
//!  offline  (this file)
//!  alphabet · draw · text
//! ```

use rand_core::TryCryptoRng;

use super::alphabet::{Alphabet, millibits_of};
use super::code::grouped;
use super::draw::{self, DrawError};
use super::text::SecretText;

/// The fewest bits, in thousandths.
pub const LEAST_OFFLINE_MILLIBITS: u32 = 80_000; // requirement CRED-21
/// The most symbols: those of a WPA passphrase.
pub const LONGEST_SECRET: usize = 63;

/// A secret of at least 80 bits, drawn uniformly: for a Wi-Fi key, a device password, whatever somebody may try at leisure.
///
/// ```
/// use bydesign::credential::alphabet::Alphabet;
/// use bydesign::credential::offline::{NoSecret, OfflineSecret, OfflineError};
///
/// let key = OfflineSecret::random(Alphabet::CLEAR, 18, &mut getrandom::SysRng)?;
/// assert!(key.millibits() >= 80_000);
/// // eight hexadecimal digits, as on too many routers
/// let weak = OfflineSecret::random(Alphabet::HEXADECIMAL, 8, &mut getrandom::SysRng);
/// assert_eq!(weak.err(), Some(NoSecret::Shape(OfflineError::TooShort)));
/// # Ok::<(), NoSecret<getrandom::Error>>(())
/// ```
///
/// # Security
///
/// Not printed, compared with `==` or copied; wiped when dropped. Serves CoP 1, 4, 5; EN 303 645 5.1-1, 5.1-2.
pub struct OfflineSecret {
    text: SecretText<LONGEST_SECRET>,
    size: usize,
}

/// Why text is no offline secret, or why there can be none of that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// Fewer than 80 bits.
    #[error("an offline secret has at least 80 bits")]
    TooShort,
    /// More than 63 symbols.
    #[error("an offline secret has at most 63 symbols")]
    TooLong,
    /// A symbol that is not of the alphabet. Its place is given, from 1.
    #[error("symbol {0} does not belong into the secret")]
    Symbol(usize),
}

/// Why no secret was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSecret<E> {
    /// There is no secret of that shape.
    #[error(transparent)]
    Shape(OfflineError),
    /// The draw failed.
    #[error(transparent)]
    Draw(DrawError<E>),
}

impl OfflineSecret {
    /// Whether so many symbols of the alphabet have 80 bits and room.
    ///
    /// # Errors
    ///
    /// [`OfflineError::TooShort`] and [`OfflineError::TooLong`].
    //= compliance/requirements.md#cred-21
    //# A secret that can be attacked offline MUST have at least 80 bits, or it is not made.
    pub fn check_shape(alphabet: Alphabet<'_>, symbols: usize) -> Result<(), OfflineError> {
        if symbols > LONGEST_SECRET {
            return Err(OfflineError::TooLong);
        }
        if alphabet.millibits(symbols) < LEAST_OFFLINE_MILLIBITS {
            return Err(OfflineError::TooShort);
        }
        Ok(())
    }

    /// Draws a secret of so many symbols.
    ///
    /// # Errors
    ///
    /// [`NoSecret`].
    pub fn random<R: TryCryptoRng + ?Sized>(
        alphabet: Alphabet<'_>,
        symbols: usize,
        random: &mut R,
    ) -> Result<Self, NoSecret<R::Error>> {
        Self::check_shape(alphabet, symbols).map_err(NoSecret::Shape)?;
        let mut text = SecretText::new();
        for _ in 0..symbols {
            let (_, symbol) = draw::symbol(alphabet, random).map_err(NoSecret::Draw)?;
            text.push(symbol)
                .map_err(|core::fmt::Error| NoSecret::Shape(OfflineError::TooLong))?;
        }
        Ok(Self {
            text,
            size: alphabet.len(),
        })
    }

    /// Reads a secret back, as a label or a person gives it: hyphens and spaces are passed over where the alphabet has none, and
    /// look-alikes are read as what can be meant.
    ///
    /// # Errors
    ///
    /// [`OfflineError`].
    ///
    /// # Security
    ///
    /// That it was drawn uniformly cannot be seen of a text: this is for reading what [`OfflineSecret::random`] made.
    pub fn parse(typed: &str, alphabet: Alphabet<'_>) -> Result<Self, OfflineError> {
        let mut text = SecretText::new();
        let mut symbols = 0_usize;
        let passed_over = |symbol: char| matches!(symbol, ' ' | '-') && alphabet.value(symbol).is_none();
        for (at, symbol) in typed
            .chars()
            .enumerate()
            .filter(|(_, symbol)| !passed_over(*symbol))
        {
            let place = at.saturating_add(1);
            let value = alphabet.value_typed(symbol).ok_or(OfflineError::Symbol(place))?;
            let symbol = alphabet.symbol(value).ok_or(OfflineError::Symbol(place))?;
            text.push(symbol)
                .map_err(|core::fmt::Error| OfflineError::TooLong)?;
            symbols = symbols.saturating_add(1);
        }
        Self::check_shape(alphabet, symbols)?;
        Ok(Self {
            text,
            size: alphabet.len(),
        })
    }

    /// The symbols. Where this is called is where the secret leaves the type's protection.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The secret with hyphens, as a label prints it for people. Where a machine takes it, as it is: [`OfflineSecret::expose`].
    #[must_use]
    pub fn grouped(&self) -> SecretText<{ 2 * LONGEST_SECRET }> {
        grouped(self.expose())
    }

    /// The bits of the draw, in thousandths.
    #[must_use]
    pub fn millibits(&self) -> u32 {
        millibits_of(self.size as u64, self.expose().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    //= compliance/requirements.md#cred-21
    //= type=test
    //# A secret that can be attacked offline MUST have at least 80 bits, or it is not made.
    #[test]
    fn a_secret_of_fewer_than_eighty_bits_is_not_made() {
        let own = Alphabet::new("abcdefghijklmnop").expect("sound");
        for (alphabet, least) in [
            (Alphabet::CLEAR, 18),
            (Alphabet::DIGITS, 25),
            (Alphabet::HEXADECIMAL, 20),
            (own, 20),
        ] {
            for symbols in 0..=64 {
                let made = OfflineSecret::random(alphabet, symbols, &mut getrandom::SysRng);
                assert_eq!(made.is_ok(), (least..=63).contains(&symbols), "{symbols}");
                let read = OfflineSecret::parse(&alphabet.symbols()[..1].repeat(symbols), alphabet);
                assert_eq!(read.is_ok(), (least..=63).contains(&symbols), "{symbols}");
            }
        }
    }

    #[test]
    fn a_secret_is_read_back_as_it_is_printed() {
        let secret = OfflineSecret::random(Alphabet::CLEAR, 20, &mut getrandom::SysRng).expect("drawn");
        let read = OfflineSecret::parse(&secret.grouped().expose().to_lowercase(), Alphabet::CLEAR);
        assert_eq!(
            read.map(|read| read.expose().to_string()),
            Ok(secret.expose().to_string())
        );
    }
}
