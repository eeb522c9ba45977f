//! Verhoeff's check digit (1969): finds each single wrong digit and each pair of neighbours that was swapped.
//!
//! ```text
//!  code · matter
//!  verhoeff (this file)
//! ```

/// The product in the dihedral group of ten elements.
const fn product(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + (b - 5)) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Verhoeff's permutation, applied as often as the place from the right.
fn permuted(mut digit: u8, place: usize) -> u8 {
    const ONCE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // it has the order 8
    for _ in 0..place % 8 {
        digit = ONCE.get(usize::from(digit)).copied().unwrap_or(0);
    }
    digit
}

/// What remains of digits: 0 if the last of them is the check digit of the others. `None` where one is no digit.
fn remainder(digits: impl DoubleEndedIterator<Item = char>, first_place: usize) -> Option<u8> {
    digits.rev().enumerate().try_fold(0, |sum, (place, digit)| {
        let digit = u8::try_from(digit.to_digit(10)?).ok()?;
        Some(product(sum, permuted(digit, place + first_place)))
    })
}

/// The check digit that goes behind the digits; `None` where one is no digit.
pub(crate) fn check_digit(digits: &str) -> Option<char> {
    let remainder = remainder(digits.chars(), 1)?;
    // the inverse in the group
    let check = (0..10).find(|check| product(remainder, *check) == 0)?;
    char::from_digit(check.into(), 10)
}

/// Whether the last digit is the check digit of those before it.
pub(crate) fn holds(digits: &str) -> bool {
    digits.len() > 1 && remainder(digits.chars(), 0) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn check_digits_are_those_of_public_examples() {
        // the textbook's example, and Matter's
        for (digits, check) in [("236", '3'), ("12345", '1'), ("142857", '0'), ("3497011233", '2')] {
            assert_eq!(check_digit(digits), Some(check), "{digits}");
            assert!(holds(&format!("{digits}{check}")));
        }
        assert_eq!(check_digit("12a"), None);
        assert!(!holds("3") && !holds(""));
    }

    #[test]
    fn a_wrong_digit_and_swapped_neighbours_are_found() {
        for number in (0..100_000_000_u32).step_by(77_777) {
            let digits = format!("{number:08}");
            let whole = format!("{digits}{}", check_digit(&digits).expect("digits"));
            for at in 0..whole.len() {
                for other in ('0'..='9').filter(|other| *other != char::from(whole.as_bytes()[at])) {
                    let wrong = format!("{}{other}{}", &whole[..at], &whole[at + 1..]);
                    assert!(!holds(&wrong), "{wrong} for {whole}");
                }
                if let Some((a, b)) = whole.get(at..at + 1).zip(whole.get(at + 1..at + 2))
                    && a != b
                {
                    let swapped = format!("{}{b}{a}{}", &whole[..at], &whole[at + 2..]);
                    assert!(!holds(&swapped), "{swapped} for {whole}");
                }
            }
        }
    }
}
