//! What an owner may choose as a password, after NIST SP 800-63B-4: long enough, nobody's default, and told why not.
//!
//! ```text
//!  device
//!  policy   (this file)
//!  blocklist · folded
//! ```
//!
//! | rule of SP 800-63B-4, 3.1.1.2 | here |
//! | --- | --- |
//! | at least 15 characters where the password is the only factor, at least 8 where it is one of two | [`PasswordPolicy::only_factor`], [`PasswordPolicy::one_of_two_factors`] |
//! | at least 64 characters are taken | 256 bytes of UTF-8: 64 characters of any script |
//! | all printing ASCII and the space; Unicode too, each code point one character | yes; see below |
//! | no rules of composition, no periodic change | none |
//! | compared with a list of common, expected or compromised values: the whole password | [`Blocklist`]; names of product and device, repetitions and sequences |
//! | guidance to the subscriber on refusal | [`Refusal`], which has words for it |
//! | the entire password is verified, not truncated | [`LONGEST_PASSWORD`](super::LONGEST_PASSWORD) is refused beyond, never cut |
//!
//! **Unicode**: control characters are refused, and so are accents that are typed as characters of their own (U+0300 to U+036F and their kin): "é" has
//! one spelling then, and no table for normalising is needed on the device. A client that sends other scripts normalises to NFC first.

use core::fmt;

use super::blocklist::Blocklist;
use super::folded::{Folded, MOST_CHARACTERS, letter_of};
use super::verifier::LONGEST_PASSWORD;

/// The rules for an owner's password.
///
/// ```
/// use bydesign::credential::{PasswordPolicy, Refusal};
///
/// let about_it = ["CAM-2026-000123", "a1:b2:c3:d4:e5:f6", "Acme Doorbell"];
/// let policy = PasswordPolicy::only_factor(&about_it);
/// assert!(policy.check("plum fjord vexes gnat").is_ok());
///
/// assert_eq!(policy.check("plumfjord").err(), Some(Refusal::TooShort { shortest: 15, has: 9 }));
/// assert_eq!(policy.check("LLEBROOD_emca_2026!").err(), Some(Refusal::Identifier));
/// assert_eq!(policy.check("abcdefghijklmnop").err(), Some(Refusal::Predictable));
/// assert_eq!(policy.check("P@ssw0rdDragon2024").err(), Some(Refusal::Common));
/// println!("{}", Refusal::Common); // what is on the screen
/// ```
///
/// # Security
///
/// What passes is not certain to be good; it is none of those that are tried first. The limiter stands before all of them. Serves CoP 1; EN 303 645 5.1-1.
#[derive(Clone, Copy)]
pub struct PasswordPolicy<'a> {
    shortest: usize,
    least_of_its_own: usize,
    about_it: &'a [&'a str],
    blocklist: Blocklist<'a>,
}

impl<'a> PasswordPolicy<'a> {
    /// At least 15 characters: the password alone gives access. `about_it` is what is known of device and owner: serial number, MAC
    /// address, name of the product and of the network, the owner's name.
    #[must_use]
    pub const fn only_factor(about_it: &'a [&'a str]) -> Self {
        Self {
            shortest: 15,
            least_of_its_own: 8,
            about_it,
            blocklist: Blocklist::built_in(),
        }
    }

    /// At least 8 characters, for a password beside another factor.
    #[must_use]
    pub const fn one_of_two_factors(about_it: &'a [&'a str]) -> Self {
        Self {
            shortest: 8,
            least_of_its_own: 6,
            ..Self::only_factor(about_it)
        }
    }

    /// At least so many characters, if that is more than the policy has already.
    #[must_use]
    pub const fn at_least(self, characters: usize) -> Self {
        if characters > self.shortest {
            Self {
                shortest: characters,
                ..self
            }
        } else {
            self
        }
    }

    /// Another list of common passwords in place of the built-in one.
    #[must_use]
    pub const fn with_blocklist(self, blocklist: Blocklist<'a>) -> Self {
        Self { blocklist, ..self }
    }

    /// Checks a password that the owner chose.
    ///
    /// # Errors
    ///
    /// [`Refusal`]: the first rule that it breaks.
    //= compliance/requirements.md#cred-8
    //# An owner's password MUST be refused if it is too short, common, a repetition or sequence, or made of what is known of the device.
    pub fn check<'p>(&self, password: &'p str) -> Result<Accepted<'p>, Refusal> {
        let has = password.chars().count();
        if has < self.shortest {
            return Err(Refusal::TooShort {
                shortest: self.shortest,
                has,
            });
        }
        if password.len() > LONGEST_PASSWORD {
            return Err(Refusal::TooLong);
        }
        if password.chars().any(char::is_control) {
            return Err(Refusal::Control);
        }
        if password.chars().any(is_combining) {
            return Err(Refusal::Combining);
        }
        let folded = Folded::of(password);
        let mut own = Own::of(folded.characters().len());
        for text in self.about_it {
            own.leave_out_parts_of(&folded, &Folded::of(text));
        }
        if own.count() < self.least_of_its_own {
            return Err(Refusal::Identifier);
        }
        own.leave_out_predictable(&folded);
        if own.count() < self.least_of_its_own {
            return Err(Refusal::Predictable);
        }
        if self.blocklist.contains_folded(&folded) {
            return Err(Refusal::Common);
        }
        Ok(Accepted(password))
    }
}

/// A password that a policy let pass; there is no other way to one. Borrowed from the caller, who wipes it.
pub struct Accepted<'p>(&'p str);

impl Accepted<'_> {
    pub(super) const fn expose(&self) -> &str {
        self.0
    }
}

/// Why a password was refused, in words for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It has too few characters.
    TooShort {
        /// Characters that are asked for.
        shortest: usize,
        /// Characters that it has.
        has: usize,
    },
    /// It has more than [`LONGEST_PASSWORD`] bytes.
    TooLong,
    /// It has a control character, such as a tab or a line break.
    Control,
    /// An accent stands as a character of its own.
    Combining,
    /// Too little of it is not the name or a number of device, product or owner.
    Identifier,
    /// Too little of it is not a repetition or a sequence.
    Predictable,
    /// It is among the common ones, or made of two of them.
    Common,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooShort { shortest, has } => {
                return write!(
                    formatter,
                    "Use at least {shortest} characters; this has {has}. A few words that do not belong together are easy to remember."
                );
            }
            Self::TooLong => "Use a shorter password: this is too long to be taken.",
            Self::Control => "Leave out tabs, line breaks and other characters that do not print.",
            Self::Combining => "Type accented letters as one character, or leave the accents out.",
            Self::Identifier => {
                "Do not use the name or the numbers of the device, or your own name: others know them. Add words that have nothing to do with it."
            }
            Self::Predictable => {
                "Do not repeat characters or count: such passwords are tried first. Add words that do not belong together."
            }
            Self::Common => {
                "This is among the passwords that are tried first, also with other digits or symbols. Choose a few words that do not belong together."
            }
        })
    }
}

impl core::error::Error for Refusal {}

/// Accents and marks that attach to the character before: the blocks for all scripts of Latin, Greek and Cyrillic letters.
fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Shortest part of an identifier that counts as one.
const SHORTEST_PART: usize = 4;

/// Which characters of a folded password are its own.
struct Own {
    is_own: [bool; MOST_CHARACTERS],
    len: usize,
}

impl Own {
    const fn of(len: usize) -> Self {
        Self {
            is_own: [true; MOST_CHARACTERS],
            len,
        }
    }

    fn count(&self) -> usize {
        self.is_own.iter().take(self.len).filter(|own| **own).count()
    }

    fn leave_out(&mut self, from: usize, len: usize) {
        self.is_own
            .iter_mut()
            .skip(from)
            .take(len)
            .for_each(|own| *own = false);
    }

    /// Parts of an identifier, forwards or backwards.
    fn leave_out_parts_of(&mut self, password: &Folded, identifier: &Folded) {
        let (password, identifier) = (password.characters(), identifier.characters());
        for from in 0..password.len() {
            let here = password.iter().skip(from);
            let longest = (0..identifier.len())
                .map(|at| {
                    let forwards = run(here.clone(), identifier.iter().skip(at));
                    let backwards = run(here.clone(), identifier.iter().take(at + 1).rev());
                    forwards.max(backwards)
                })
                .max()
                .unwrap_or(0);
            if longest >= SHORTEST_PART {
                self.leave_out(from, longest);
            }
        }
    }

    /// What follows from what stands before it: repetitions of one character or of several, sequences, neighbours on a keyboard.
    fn leave_out_predictable(&mut self, password: &Folded) {
        let characters = password.characters();
        for distance in 1..characters.len() {
            let mut same = 0;
            let pairs = characters.iter().skip(distance).zip(characters);
            for (at, (character, before)) in (distance..).zip(pairs) {
                same = if character == before { same + 1 } else { 0 };
                if same >= distance.max(2) {
                    self.leave_out(at + 1 - same, same);
                }
            }
        }
        for (at, three) in characters.windows(3).enumerate() {
            let [first, second, third] = three else { continue };
            let steps = step(*first, *second).zip(step(*second, *third));
            if steps.is_some_and(|(one, other)| one == other) {
                self.leave_out(at + 2, 1);
            }
        }
    }
}

/// How many characters two sequences have alike.
fn run<'c>(one: impl Iterator<Item = &'c char>, other: impl Iterator<Item = &'c char>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| letter_of(**one) == letter_of(**other))
        .count()
}

/// Where the second character stands from the first, if it is a neighbour: in the alphabet, among the digits, or on a row of a keyboard.
fn step(first: char, second: char) -> Option<Step> {
    let (one, other) = (u32::from(first), u32::from(second));
    if other == one.wrapping_add(1) {
        return Some(Step::Up);
    }
    if one == other.wrapping_add(1) {
        return Some(Step::Down);
    }
    ROWS.iter().find_map(|row| {
        let at = |wanted| row.chars().position(|character| character == wanted);
        let (one, other) = (at(first)?, at(second)?);
        if other == one + 1 {
            Some(Step::Right)
        } else if one == other + 1 {
            Some(Step::Left)
        } else {
            None
        }
    })
}

#[derive(PartialEq, Eq)]
enum Step {
    Up,
    Down,
    Right,
    Left,
}

/// Rows of keyboards: English, German, French.
const ROWS: [&str; 8] = [
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
];
