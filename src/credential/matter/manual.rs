//! The manual pairing code: 11 digits, or 21 where a custom flow needs vendor and product.
//!
//! ```text
//!  matter
//!  manual   (this file)   Matter Core Specification 5.1.4
//!  setup · verhoeff · text
//! ```

use core::fmt::Write;

use super::passcode::Passcode;
use super::setup::{Flow, Setup, SetupError};
use crate::credential::text::SecretText;
use crate::credential::verhoeff;

impl Setup {
    /// The code to type, without hyphens: 11 digits, 21 for [`Flow::Custom`].
    #[must_use]
    pub fn manual_code(&self) -> SecretText<21> {
        let passcode = self.passcode.expose();
        let long = self.flow == Flow::Custom;
        let first = u16::from(long) << 2 | self.discriminator >> 10;
        let second = u32::from(self.discriminator & 0x300) << 6 | passcode & 0x3fff;
        let mut digits = SecretText::<21>::new();
        // At most 1 + 5 + 4 + 5 + 5 + 1 digits: there is room.
        let _ = write!(digits, "{first}{second:05}{:04}", passcode >> 14);
        if long {
            let _ = write!(digits, "{:05}{:05}", self.vendor, self.product);
        }
        if let Some(check) = verhoeff::check_digit(digits.expose()) {
            let _ = digits.push(check);
        }
        digits
    }
}

/// What a manual code says.
pub struct ManualCode {
    /// The passcode.
    pub passcode: Passcode,
    /// The upper four bits of the discriminator.
    pub short_discriminator: u8,
    /// Vendor and product, in a code of 21 digits.
    pub vendor_and_product: Option<(u16, u16)>,
}

/// Reads a manual code as it was typed; spaces and hyphens are passed over.
///
/// ```
/// use bydesign::credential::matter::{SetupError, read_manual_code};
///
/// let code = read_manual_code("3497-011-2332")?;
/// assert_eq!((code.passcode.expose(), code.short_discriminator), (20_202_021, 15));
/// assert_eq!(read_manual_code("3497-011-2323").err(), Some(SetupError::Mistyped));
/// # Ok::<(), SetupError>(())
/// ```
///
/// # Errors
///
/// [`SetupError`].
pub fn read_manual_code(typed: &str) -> Result<ManualCode, SetupError> {
    let digits = checked_digits(typed)?;
    let digits = digits.expose();
    let (first, second) = (number(digits, 0, 1)?, number(digits, 1, 6)?);
    let passcode = Passcode::new(passcode_number(digits)?).map_err(|_| SetupError::Passcode)?;
    let short = (first & 3) << 2 | second >> 14;
    let half = |from, to| u16::try_from(number(digits, from, to)?).map_err(|_| SetupError::Form);
    Ok(ManualCode {
        passcode,
        short_discriminator: u8::try_from(short).map_err(|_| SetupError::Form)?,
        vendor_and_product: if is_long(first) {
            Some((half(10, 15)?, half(15, 20)?))
        } else {
            None
        },
    })
}

/// The digits of a manual code, if there are as many as its first one says and the last one checks the others.
pub(crate) fn checked_digits(typed: &str) -> Result<SecretText<21>, SetupError> {
    let mut digits = SecretText::<21>::new();
    for symbol in typed.chars().filter(|symbol| !matches!(symbol, ' ' | '-')) {
        if !symbol.is_ascii_digit() {
            return Err(SetupError::Form);
        }
        digits.push(symbol).map_err(|_| SetupError::Form)?;
    }
    let first = number(digits.expose(), 0, 1)?;
    // 8 and 9 would be a later version
    if first > 7 || digits.expose().len() != if is_long(first) { 21 } else { 11 } {
        return Err(SetupError::Form);
    }
    if !verhoeff::holds(digits.expose()) {
        return Err(SetupError::Mistyped);
    }
    Ok(digits)
}

/// The number that checked digits stand for, be it a passcode that the standard allows or not.
pub(crate) fn passcode_number(digits: &str) -> Result<u32, SetupError> {
    let (second, third) = (number(digits, 1, 6)?, number(digits, 6, 10)?);
    if second > 0xffff || third > 0x1fff {
        return Err(SetupError::Form);
    }
    Ok(third << 14 | second & 0x3fff)
}

const fn is_long(first: u32) -> bool {
    first & 4 != 0
}

fn number(digits: &str, from: usize, to: usize) -> Result<u32, SetupError> {
    let digits = digits.get(from..to).ok_or(SetupError::Form)?;
    digits.parse().map_err(|_| SetupError::Form)
}

#[cfg(test)]
mod tests {
    use super::super::setup::Discovery;
    use super::*;
    use std::string::ToString;

    fn setup(flow: Flow, vendor: u16, product: u16, discriminator: u16, passcode: u32) -> Setup {
        let passcode = Passcode::new(passcode).expect("allowed");
        Setup::new(vendor, product, flow, Discovery::BLE, discriminator, passcode).expect("12 bits")
    }

    /// From connectedhomeip: the default of its examples, and `src/setup_payload/tests`. The test there appends the check digit.
    #[test]
    fn manual_codes_are_those_of_the_reference_implementation() {
        let code = |flow, vendor, product, discriminator, passcode| {
            setup(flow, vendor, product, discriminator, passcode)
                .manual_code()
                .expose()
                .to_string()
        };
        assert_eq!(
            code(Flow::Standard, 0xfff1, 0x8001, 3840, 20_202_021),
            "34970112332"
        );
        assert_eq!(code(Flow::Standard, 12, 1, 128, 2048), "00204800002");
        let long = code(Flow::Custom, 4562, 32, 1280, 38_728_284);
        assert_eq!(&long[..20], "52927623630456200032");
        let long = code(Flow::Custom, 1, 1, 0, 1);
        assert_eq!(&long[..20], "40000100000000100001");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for flow in [Flow::Standard, Flow::UserIntent, Flow::Custom] {
            for (discriminator, passcode) in [
                (0, 1),
                (0xfff, 99_999_998),
                (0x300, 0x3fff),
                (0xabc, 0x4000),
                (1, 20_202_021),
            ] {
                let code = setup(flow, 65_535, 1, discriminator, passcode).manual_code();
                let read = read_manual_code(code.expose()).expect("read");
                assert_eq!(read.passcode.expose(), passcode);
                assert_eq!(u16::from(read.short_discriminator), discriminator >> 8);
                assert_eq!(
                    read.vendor_and_product,
                    (flow == Flow::Custom).then_some((65_535, 1))
                );
            }
        }
    }

    #[test]
    fn flaws_of_a_typed_code_are_told_apart() {
        let flaw = |typed: &str| read_manual_code(typed).err();
        assert_eq!(flaw("3497-011-2332"), None);
        assert_eq!(flaw("34970112323"), Some(SetupError::Mistyped));
        for form in ["", "3497011233", "349701123320", "3497011233a", "74970112332"] {
            assert_eq!(flaw(form), Some(SetupError::Form), "{form}");
        }
        // the digits of passcode 0, with their check digit
        let digits = "0000000000";
        let whole = std::format!("{digits}{}", verhoeff::check_digit(digits).expect("digits"));
        assert_eq!(flaw(&whole), Some(SetupError::Passcode));
    }
}
