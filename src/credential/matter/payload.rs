//! The QR payload: 88 bits in base 38 behind `MT:`.
//!
//! ```text
//!  bits from the lowest: version 3 · vendor 16 · product 16 · flow 2 · discovery 8 · discriminator 12 · passcode 27 · padding 4
//! ```
//!
//! ```text
//!  matter
//!  payload  (this file)   Matter Core Specification 5.1.3
//!  setup · text
//! ```

use super::passcode::Passcode;
use super::setup::{Discovery, Flow, Setup, SetupError};
use crate::credential::text::SecretText;

/// The digits of base 38: what QR codes hold compactly, less what has a meaning in web addresses.
const DIGITS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-.";
const PREFIX: &str = "MT:";
/// Bytes of a payload.
const LEN: usize = 11;
/// Digits of a payload: five for three bytes, four for the last two.
const DIGITS_LEN: usize = 19;

impl Setup {
    /// The text of the QR code.
    #[must_use]
    pub fn qr_payload(&self) -> SecretText<22> {
        let fields = [
            (0, 3),
            (u64::from(self.vendor), 16),
            (u64::from(self.product), 16),
            (u64::from(self.flow.number()), 2),
            (u64::from(self.discovery.0), 8),
            (u64::from(self.discriminator), 12),
            (u64::from(self.passcode.expose()), 27),
        ];
        let mut bits = 0_u128;
        let mut at = 0_u32;
        for (value, width) in fields {
            bits |= u128::from(value) << at;
            at += width;
        }
        let mut text = SecretText::<22>::new();
        // 3 + 19 symbols: there is room.
        let _ = core::fmt::Write::write_str(&mut text, PREFIX);
        let bytes = bits.to_le_bytes();
        for chunk in bytes.get(..LEN).unwrap_or_default().chunks(3) {
            let mut value = chunk
                .iter()
                .rev()
                .fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
            for _ in 0..digits_of(chunk.len()) {
                if let Some(digit) = DIGITS.as_bytes().get(value % 38) {
                    let _ = text.push(char::from(*digit));
                }
                value /= 38;
            }
        }
        text
    }
}

const fn digits_of(bytes: usize) -> usize {
    match bytes {
        3 => 5,
        2 => 4,
        _ => 2,
    }
}

/// Reads the text of a QR code. Vendor data behind the payload is not taken.
///
/// ```
/// use bydesign::credential::matter::{SetupError, read_qr_payload};
///
/// let setup = read_qr_payload("MT:-24J042C00KA0648G00")?;
/// assert_eq!((setup.vendor(), setup.product(), setup.discriminator()), (0xFFF1, 0x8001, 3840));
/// assert_eq!(read_qr_payload("WIFI:S:a;;").err(), Some(SetupError::Form));
/// # Ok::<(), SetupError>(())
/// ```
///
/// # Errors
///
/// [`SetupError`].
pub fn read_qr_payload(text: &str) -> Result<Setup, SetupError> {
    let digits = text.strip_prefix(PREFIX).ok_or(SetupError::Form)?;
    if digits.len() != DIGITS_LEN {
        return Err(SetupError::Form);
    }
    let mut bits = bits_of(digits).ok_or(SetupError::Form)?;
    let passcode = Passcode::new(passcode_in(bits)).map_err(|_| SetupError::Passcode);
    let mut field = |width: u32| {
        let value = u32::try_from(bits & ((1 << width) - 1)).map_err(|_| SetupError::Form);
        bits >>= width;
        value
    };
    let mut half = |width| field(width).and_then(|value| u16::try_from(value).map_err(|_| SetupError::Form));
    let (version, vendor, product, flow) = (half(3)?, half(16)?, half(16)?, half(2)?);
    let (discovery, discriminator) = (half(8)?, half(12)?);
    let (_, padding) = (field(27)?, field(4)?);
    let flow = match flow {
        0 => Flow::Standard,
        1 => Flow::UserIntent,
        2 => Flow::Custom,
        _ => return Err(SetupError::Form),
    };
    if version != 0 || padding != 0 {
        return Err(SetupError::Form);
    }
    let discovery = Discovery(u8::try_from(discovery).map_err(|_| SetupError::Form)?);
    Setup::new(vendor, product, flow, discovery, discriminator, passcode?)
}

/// The bits of a payload, the first one lowest. Where more than the payload stands, what is behind it is passed over.
pub(crate) fn bits_of(digits: &str) -> Option<u128> {
    let (mut bits, mut at) = (0, 0_u32);
    for chunk in digits.as_bytes().chunks(5).take(4) {
        let value = chunk.iter().rev().try_fold(0_u128, |value, symbol| {
            let digit = DIGITS.bytes().position(|digit| digit == *symbol)?;
            Some(value * 38 + digit as u128)
        });
        let width = if chunk.len() == 5 { 24 } else { 16 };
        bits |= value.filter(|value| value >> width == 0)? << at;
        at += width;
    }
    Some(bits)
}

/// The passcode's number in the bits of a payload, be it one that the standard allows or not.
pub(crate) fn passcode_in(bits: u128) -> u32 {
    // behind version 3, vendor 16, product 16, flow 2, discovery 8 and discriminator 12
    u32::try_from(bits >> 57 & 0x7ff_ffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn payload(vendor: u16, product: u16, discovery: Discovery, discriminator: u16, passcode: u32) -> Setup {
        let passcode = Passcode::new(passcode).expect("allowed");
        Setup::new(
            vendor,
            product,
            Flow::Standard,
            discovery,
            discriminator,
            passcode,
        )
        .expect("12 bits")
    }

    /// From connectedhomeip: what its examples print, and `kDefaultPayloadQRCode` of its tests.
    #[test]
    fn payloads_are_those_of_the_reference_implementation() {
        for (setup, text) in [
            (
                payload(0xfff1, 0x8001, Discovery::BLE, 3840, 20_202_021),
                "MT:-24J042C00KA0648G00",
            ),
            (
                payload(0xfff1, 0x8000, Discovery::BLE, 3840, 20_202_021),
                "MT:Y.K9042C00KA0648G00",
            ),
            (
                payload(0xfff1, 0x8001, Discovery::ON_NETWORK, 3840, 20_202_021),
                "MT:-24J0AFN00KA0648G00",
            ),
            (
                payload(0xfff1, 0x8001, Discovery::SOFT_AP, 3840, 20_202_021),
                "MT:-24J0KE600KA0648G00",
            ),
            (
                payload(12, 1, Discovery::SOFT_AP, 128, 2048),
                "MT:M5L90MP500K64J00000",
            ),
        ] {
            assert_eq!(setup.qr_payload().expose(), text);
            let read = read_qr_payload(text).expect("read");
            assert_eq!(read.qr_payload().expose(), text);
            assert_eq!(read.passcode().expose(), setup.passcode().expose());
            assert_eq!(read.discovery(), setup.discovery());
        }
    }

    #[test]
    fn every_bit_of_a_payload_is_read_back_or_refused() {
        let text = payload(0xfff1, 0x8001, Discovery::BLE, 3840, 20_202_021)
            .qr_payload()
            .expose()
            .to_string();
        for at in 3..text.len() {
            for digit in DIGITS.chars() {
                let changed = std::format!("{}{digit}{}", &text[..at], &text[at + 1..]);
                if let Ok(setup) = read_qr_payload(&changed) {
                    assert_eq!(setup.qr_payload().expose(), changed);
                }
            }
        }
        for form in [
            "MT:",
            "MT:-24J042C00KA0648G0",
            "MT:-24J042C00KA0648G000",
            "mt:-24J042C00KA0648G00",
            "MT:-24J042C00KA0648G0a",
        ] {
            assert_eq!(read_qr_payload(form).err(), Some(SetupError::Form), "{form}");
        }
    }
}
