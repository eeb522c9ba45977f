//! Setup codes of the Matter standard: passcode, manual pairing code, QR payload.
//!
//! ```text
//!  factory, audits
//!  matter   (this file)
//!    payload    the QR code: MT: and base 38
//!    manual     11 or 21 digits to type
//!    setup      what both carry
//!    passcode   what may be a passcode
//! ```

mod manual;
mod passcode;
mod payload;
mod setup;

pub use manual::{ManualCode, read_manual_code};
#[cfg(feature = "factory")]
pub(crate) use manual::{checked_digits, passcode_number};
pub(crate) use passcode::{FORBIDDEN, PUBLISHED};
pub use passcode::{LARGEST_PASSCODE, Passcode, PasscodeError, is_allowed, is_published};
pub use payload::read_qr_payload;
#[cfg(feature = "factory")]
pub(crate) use payload::{bits_of, passcode_in};
pub use setup::{Discovery, Flow, Setup, SetupError};

use crate::store::{Class, Key};

/// The twelve bits that tell the device from its neighbours: what it sends while it waits to be commissioned.
pub const DISCRIMINATOR: Key<u16> = Key::fixed("matter.discriminator", Class::Identity);
