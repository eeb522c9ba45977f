//! Setup codes of the Matter standard: the passcode and its rules.
//!
//! ```text
//!  factory, audits
//!  matter   (this file)
//!    passcode   what may be a passcode
//! ```

mod passcode;

pub use passcode::{LARGEST_PASSCODE, Passcode, PasscodeError, is_allowed, is_published};
