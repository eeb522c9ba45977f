//! The symbols that codes and passwords are made of, and what may be mistaken for what on a label.
//!
//! ```text
//!  codes, offline secrets, audits
//!  alphabet (this file)
//! ```

/// Symbols to draw from: printable ASCII without spaces, none twice.
///
/// ```
/// use bydesign::credential::alphabet::Alphabet;
///
/// assert_eq!(Alphabet::CLEAR.len(), 23);
/// assert!(Alphabet::CLEAR.look_alikes().is_none());
/// // somebody will read the O as a zero
/// let own = Alphabet::new("0123456789O")?;
/// assert_eq!(own.look_alikes(), Some(('0', 'O')));
/// # Ok::<(), bydesign::credential::alphabet::AlphabetError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alphabet<'a>(&'a str);

/// Why symbols are no alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlphabetError {
    /// Fewer than ten symbols: a code would be long, and not used.
    #[error("an alphabet has at least ten symbols")]
    TooShort,
    /// The symbol is not printable ASCII, or is a space.
    #[error("the symbol {0:?} is not printable ASCII")]
    NotPrintable(char),
    /// The symbol stands there twice: it would be drawn more often than the others.
    #[error("the symbol {0:?} stands in it twice")]
    Twice(char),
}

impl Alphabet<'static> {
    /// Ten digits: for numeric keypads, 3.32 bits a symbol.
    pub const DIGITS: Self = Self("0123456789");
    /// Digits and capitals of which none looks like another (see [`LOOK_ALIKES`]), and no vowel, so that no word appears: 23
    /// symbols, 4.52 bits each. 23 is a prime number, as check symbols want it.
    pub const CLEAR: Self = Self("23456789CDFHJKMNPRTVWXY");
    /// The digits of hexadecimal numbers, 4 bits a symbol: for interfaces that take nothing else.
    pub const HEXADECIMAL: Self = Self("0123456789abcdef");
}

impl<'a> Alphabet<'a> {
    /// Symbols of one's own.
    ///
    /// # Errors
    ///
    /// [`AlphabetError`]. Look-alikes are no error here: [`Alphabet::look_alikes`] finds them.
    pub fn new(symbols: &'a str) -> Result<Self, AlphabetError> {
        let mut before: u128 = 0;
        for symbol in symbols.chars() {
            if !symbol.is_ascii_graphic() {
                return Err(AlphabetError::NotPrintable(symbol));
            }
            let bit = 1_u128.checked_shl(u32::from(symbol)).unwrap_or(0);
            if before & bit != 0 {
                return Err(AlphabetError::Twice(symbol));
            }
            before |= bit;
        }
        if symbols.len() < 10 {
            return Err(AlphabetError::TooShort);
        }
        Ok(Self(symbols))
    }

    /// The symbols, in the order of their values.
    #[must_use]
    pub const fn symbols(&self) -> &'a str {
        self.0
    }

    /// How many symbols there are.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "an alphabet has at least ten symbols")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The symbol of a value.
    #[must_use]
    pub fn symbol(&self, value: usize) -> Option<char> {
        self.0.as_bytes().get(value).copied().map(char::from)
    }

    /// The value of a symbol, which is taken as it is.
    #[must_use]
    pub fn value(&self, symbol: char) -> Option<usize> {
        self.0.bytes().position(|own| char::from(own) == symbol)
    }

    /// The value of a symbol as people type it: capitals or not, and a look-alike in place of the symbol where only one can be
    /// meant.
    ///
    /// ```
    /// use bydesign::credential::alphabet::Alphabet;
    ///
    /// let clear = Alphabet::CLEAR;
    /// assert_eq!(clear.value_typed('c'), clear.value('C'));
    /// assert_eq!(clear.value_typed('S'), clear.value('5'));
    /// assert_eq!(clear.value_typed('O'), None);
    /// ```
    #[must_use]
    pub fn value_typed(&self, symbol: char) -> Option<usize> {
        let in_other_case = || {
            let other = if symbol.is_ascii_lowercase() {
                symbol.to_ascii_uppercase()
            } else {
                symbol.to_ascii_lowercase()
            };
            self.value(other)
        };
        let look_alike = || {
            let group_of = |symbol| LOOK_ALIKES.iter().find(|group| group.contains(symbol));
            let group = group_of(symbol).or_else(|| group_of(symbol.to_ascii_uppercase()))?;
            let mut meant = group.chars().filter_map(|other| self.value(other));
            let first = meant.next()?;
            meant.next().is_none().then_some(first)
        };
        self.value(symbol).or_else(in_other_case).or_else(look_alike)
    }

    /// Two symbols of it that people mistake for one another.
    #[must_use]
    pub fn look_alikes(&self) -> Option<(char, char)> {
        LOOK_ALIKES.iter().find_map(|group| {
            let mut present = group.chars().filter(|symbol| self.value(*symbol).is_some());
            Some((present.next()?, present.next()?))
        })
    }

    /// The bits of one symbol drawn uniformly, in thousandths, rounded down.
    ///
    /// ```
    /// use bydesign::credential::alphabet::Alphabet;
    ///
    /// assert_eq!(Alphabet::HEXADECIMAL.millibits(1), 4000);
    /// assert_eq!(Alphabet::DIGITS.millibits(8), 26_575);
    /// ```
    #[must_use]
    pub fn millibits(&self, symbols: usize) -> u32 {
        millibits_of(self.len() as u64, symbols)
    }
}

/// The bits of `symbols` independent uniform choices of one in `size`, in thousandths and rounded down. Integers only: devices
/// without a floating-point unit ask, too.
pub(crate) fn millibits_of(size: u64, symbols: usize) -> u32 {
    // log2 by repeated squaring: `mantissa` is size / 2^whole in [1, 2), with 31 bits behind the point; each squaring gives one
    // more bit of the logarithm, 24 in all. Every step rounds down.
    let Some(whole) = size.checked_ilog2() else {
        return 0;
    };
    let mut mantissa = (u128::from(size) << 31) >> whole;
    let mut log = u128::from(whole);
    for _ in 0..24 {
        mantissa = (mantissa * mantissa) >> 31;
        log <<= 1;
        if mantissa >> 32 != 0 {
            mantissa >>= 1;
            log |= 1;
        }
    }
    u32::try_from((log * symbols as u128 * 1000) >> 24).unwrap_or(u32::MAX)
}

/// Groups of symbols that look alike in common typefaces, on small labels and in bad light.
pub const LOOK_ALIKES: [&str; 9] = ["0OoQ", "1Il|!i", "2Zz", "5Ss", "6Gb", "8B", "UuVv", "9gq", "'`\""];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabets_here_are_alphabets_and_what_is_printed_has_no_look_alikes() {
        for alphabet in [Alphabet::DIGITS, Alphabet::CLEAR, Alphabet::HEXADECIMAL] {
            assert_eq!(Alphabet::new(alphabet.symbols()), Ok(alphabet));
        }
        assert_eq!(Alphabet::CLEAR.look_alikes(), None);
        assert_eq!(Alphabet::DIGITS.look_alikes(), None);
        assert_eq!(
            Alphabet::new("0123456789ABCDEFO").expect("sound").look_alikes(),
            Some(('0', 'O'))
        );
    }

    #[test]
    fn flaws_of_an_alphabet_are_named() {
        assert_eq!(Alphabet::new("012345678"), Err(AlphabetError::TooShort));
        assert_eq!(
            Alphabet::new("0123456789 "),
            Err(AlphabetError::NotPrintable(' '))
        );
        assert_eq!(
            Alphabet::new("0123456789é"),
            Err(AlphabetError::NotPrintable('é'))
        );
        assert_eq!(Alphabet::new("01234567890"), Err(AlphabetError::Twice('0')));
    }

    #[test]
    fn a_symbol_is_read_as_typed_where_only_one_can_be_meant() {
        let clear = Alphabet::CLEAR;
        for (typed, meant) in [
            ('c', 'C'),
            ('z', '2'),
            ('S', '5'),
            ('G', '6'),
            ('B', '8'),
            ('u', 'V'),
            ('q', '9'),
        ] {
            assert_eq!(clear.value_typed(typed), clear.value(meant), "{typed}");
        }
        for unclear in ['0', 'O', '1', 'l', 'A', '-', 'é'] {
            assert_eq!(clear.value_typed(unclear), None, "{unclear}");
        }
        // both are in it: neither can be taken for the other
        let both = Alphabet::new("0123456789SZ").expect("sound");
        assert_eq!(both.value_typed('S'), both.value('S'));
        assert_eq!(both.value_typed('5'), both.value('5'));
    }

    #[test]
    fn the_bits_are_those_of_the_logarithm() {
        for size in 2..2000_u32 {
            let exact = f64::from(size).log2() * 1000.0;
            let bits = f64::from(millibits_of(u64::from(size), 1));
            assert!(bits <= exact && exact - bits < 1.01, "{size}: {bits} {exact}");
        }
        assert_eq!(millibits_of(23, 18), 81_424);
        assert_eq!(millibits_of(0, 5), 0);
        assert_eq!(millibits_of(1, 5), 0);
    }
}
