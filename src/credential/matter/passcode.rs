//! The setup passcode: 27 bits that only mean something inside SPAKE2+, where each guess is a conversation with the device.
//!
//! ```text
//!  matter
//!  passcode (this file)   Matter Core Specification 5.1.1.6 and 5.1.7.1
//! ```

use rand_core::TryCryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The largest passcode: eight digits, and not all nines.
pub const LARGEST_PASSCODE: u32 = 99_999_998;

/// What a draw takes out of the generator: 27 bits, of which some three quarters are a number below 10⁸.
const MASK: u32 = (1 << 27) - 1;

/// Draws before a random source that never gives a passcode is given up on: a sound one does so with a chance of 2⁻²⁵⁰.
const MOST_DRAWS: usize = 128;

/// Whether the standard allows the number as a passcode: 1 to 99 999 998, without eight equal digits and without the two
/// counting ones.
///
/// ```
/// use bydesign::credential::matter::{is_allowed, is_published};
///
/// assert!(is_allowed(34_567_890));
/// assert!(!is_allowed(11_111_111) && !is_allowed(12_345_678) && !is_allowed(0));
/// // allowed, and known to everybody
/// assert!(is_allowed(20_202_021) && is_published(20_202_021));
/// ```
#[must_use]
pub const fn is_allowed(passcode: u32) -> bool {
    passcode <= LARGEST_PASSCODE && !stands_in(&FORBIDDEN, passcode)
}

/// Whether the passcode stands in the standard's examples or in the kits that devices are built with. Such a device must not be sold.
#[must_use]
pub const fn is_published(passcode: u32) -> bool {
    stands_in(&PUBLISHED, passcode)
}

const fn stands_in(mut list: &[u32], passcode: u32) -> bool {
    while let [first, rest @ ..] = list {
        if *first == passcode {
            return true;
        }
        list = rest;
    }
    false
}

/// Passcodes that the standard forbids.
pub(crate) const FORBIDDEN: [u32; 12] = [
    0, 11_111_111, 22_222_222, 33_333_333, 44_444_444, 55_555_555, 66_666_666, 77_777_777, 88_888_888,
    99_999_999, 12_345_678, 87_654_321,
];

/// Passcodes of public examples: the kit's default, the neighbours that tools count up from it, and those of vendors' guides.
pub(crate) const PUBLISHED: [u32; 8] = [
    20_202_021, 20_202_022, 20_202_023, 20_202_024, 20_202_025, 62_034_001, 34_567_890, 20_372_039,
];

/// A setup passcode. Not printed, compared or copied; wiped when dropped.
///
/// ```
/// use bydesign::credential::matter::Passcode;
///
/// let passcode = Passcode::random(&mut getrandom::SysRng)?;
/// assert!(passcode.expose() <= 99_999_998);
/// # Ok::<(), bydesign::credential::matter::PasscodeError<getrandom::Error>>(())
/// ```
///
/// # Security
///
/// 26.6 bits: whoever may try offline needs a second. It is for SPAKE2+ on a device that counts attempts, and for nothing else.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passcode(u32);

/// Why there is no passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasscodeError<E> {
    /// The standard does not allow the number.
    #[error("the Matter standard does not allow this passcode")]
    Forbidden,
    /// The random source failed.
    #[error("the random source failed")]
    Random(E),
    /// The random source gave no number that can be one, many times over.
    #[error("the random source is broken: it gave no passcode in many draws")]
    Broken,
}

impl Passcode {
    /// Takes a passcode that the standard allows. That it is not a [published](is_published) one is not asked here: examples and
    /// tests need those.
    ///
    /// # Errors
    ///
    /// [`PasscodeError::Forbidden`].
    pub const fn new(passcode: u32) -> Result<Self, PasscodeError<core::convert::Infallible>> {
        if is_allowed(passcode) {
            Ok(Self(passcode))
        } else {
            Err(PasscodeError::Forbidden)
        }
    }

    /// Draws a passcode, each with the same chance: what is not allowed or published is drawn again, never changed.
    ///
    /// # Errors
    ///
    /// [`PasscodeError::Random`] and [`PasscodeError::Broken`].
    pub fn random<R: TryCryptoRng + ?Sized>(random: &mut R) -> Result<Self, PasscodeError<R::Error>> {
        for _ in 0..MOST_DRAWS {
            let passcode = random.try_next_u32().map_err(PasscodeError::Random)? & MASK;
            if is_allowed(passcode) && !is_published(passcode) {
                return Ok(Self(passcode));
            }
        }
        Err(PasscodeError::Broken)
    }

    /// The number. Where this is called is where it leaves the type's protection.
    #[must_use]
    pub const fn expose(&self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_numbers_of_the_standard_are_forbidden() {
        let forbidden = [
            0, 11_111_111, 22_222_222, 33_333_333, 44_444_444, 55_555_555, 66_666_666, 77_777_777,
            88_888_888, 99_999_999, 12_345_678, 87_654_321,
        ];
        for passcode in (0..1_000_000).chain(forbidden).chain(99_000_000..=100_000_100) {
            let expected = !forbidden.contains(&passcode) && passcode <= 99_999_998;
            assert_eq!(is_allowed(passcode), expected, "{passcode}");
            assert_eq!(Passcode::new(passcode).is_ok(), expected, "{passcode}");
        }
    }

    /// Gives the words of a list, then the last one for ever.
    struct Words<'a>(&'a [u32]);

    impl rand_core::TryRng for Words<'_> {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let (first, rest) = self.0.split_first().expect("never empty");
            if !rest.is_empty() {
                self.0 = rest;
            }
            Ok(*first)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.try_next_u32().map(u64::from)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(u8::try_from(self.try_next_u32()? & 0xff).expect("a byte"));
            Ok(())
        }
    }

    impl TryCryptoRng for Words<'_> {}

    #[test]
    fn what_may_not_be_is_drawn_again_and_not_changed() {
        let words = [
            0,
            100_000_000,
            99_999_999,
            11_111_111,
            12_345_678,
            20_202_021,
            31_415_926,
        ];
        let passcode = Passcode::random(&mut Words(&words)).expect("the last one");
        assert_eq!(passcode.expose(), 31_415_926);
    }

    #[test]
    fn a_source_that_never_gives_a_passcode_is_given_up_on() {
        for constant in [0, u32::MAX, 20_202_021] {
            assert_eq!(
                Passcode::random(&mut Words(&[constant])).err(),
                Some(PasscodeError::Broken)
            );
        }
    }
}
