//! Lines of the journal.
//!
//! ```text
//!  lifecycle
//!    journal  (this file)
//!  board::Serial
//! ```
//!
//! | line | says |
//! | --- | --- |
//! | `item CLASS NAME VALUE` | at the start: this is stored; so are `serial`, `failures` (of the limiter), `spent` (of the privacy budget) |
//! | `told` | that was all |
//! | `stage STAGE` | how far the device has come: `unprovisioned`, `provisioned`, `owner`; and `claimed`, once somebody has set a password |
//! | `question N`, `granted N` | the user is about to be asked about a purpose; has agreed |
//! | `ready` | there is an owner; operations begin |
//! | `begin N change CLASS NAME VALUE …` | these items are about to change together; `-` for one that goes |
//! | `begin N item CLASS NAME` | this item is about to be erased, with every version of it |
//! | `begin N erase CLASS …` | everything of these classes is about to be erased |
//! | `begin N attempt`, `begin N login` | a wrong, a right password is about to be tried |
//! | `begin N report COST BYTES`, `begin N send BYTES` | a report is about to be released, to be sent |
//! | `refused N` | a report was not released, because the declaration allows no more |
//! | `done N` | it has happened |
//! | `erasing UNIT` | power goes amid the erase of the unit at this address, as the host ordered |
//! | `fault …` | something that must not be |

use core::fmt;

/// Writes one line.
macro_rules! say {
    ($($argument:tt)*) => {{
        use core::fmt::Write as _;
        let _ = writeln!(firmware::board::Serial, $($argument)*);
    }};
}
/// Writes some words of a line.
macro_rules! say_part {
    ($($argument:tt)*) => {{
        use core::fmt::Write as _;
        let _ = write!(firmware::board::Serial, $($argument)*);
    }};
}
pub(crate) use {say, say_part};

/// Bytes in hexadecimal digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}
