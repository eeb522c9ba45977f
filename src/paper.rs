//! What a manufacturer has to say to people, in a form that a program can hold to: where to report a flaw, how long there are
//! updates, what of the device is open.
//!
//! ```
//! use bydesign::paper::{Date, SupportPeriod};
//!
//! /// Checked by the compiler: it ends after it begins.
//! const SUPPORT: SupportPeriod<'_> = SupportPeriod::new("Example Lamp L1", Date::on(2026, 11, 1), Date::on(2031, 12, 31));
//!
//! assert_eq!(
//!     SUPPORT.to_string(),
//!     "Example Lamp L1 gets security updates at least until 31 December 2031, that is for 5 years and 2 months from 1 November 2026."
//! );
//! ```
//!
//! Some guidelines ask for paper: a policy, a date, a list. A library cannot write a policy. It can see to it that what is
//! published has the form that readers and programs rely on, that a date is not shortened unnoticed, and that a list is what a
//! device really does. Nothing here touches files, networks or clocks: texts and times arrive as arguments.
//!
//! * [`security_txt`]: the file of RFC 9116, written and checked.
//! * [`SupportPeriod`]: until when there are security updates, for the device's own screen and for the statement of compliance.
//! * [`Surface`]: what of a device is open, as a constant in the firmware, compared with what is.
//!
//! Serves CoP 2, 3 and 6; [`CLAIMS`] has the provisions of EN 303 645.
//!
//! ```text
//!  paper         (this file)
//!  security_txt  written and checked         support   a period with an end        surface   declared, and compared
//!  timestamp     RFC 3339                                                          linux     the kernel's tables of sockets
//!  date          days of the calendar
//! ```

mod claims;
mod date;
pub mod security_txt;
mod support;
pub mod surface;
mod timestamp;

pub use claims::CLAIMS;
pub use date::{Date, InWords};
pub use support::{Standing, SupportPeriod};
pub use surface::Surface;
pub use timestamp::{Timestamp, TimestampError};
