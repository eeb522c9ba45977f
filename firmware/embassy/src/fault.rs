//! What went wrong, in words.

use core::fmt::{Display, Write as _};

use heapless::String;

/// The last line of a device that does not go on.
pub(crate) struct Fault(String<LONGEST>);

/// The text is cut off behind it.
const LONGEST: usize = 80;

/// Turns an error into words that begin with what was done.
pub(crate) fn during<E: Display>(what: &str) -> impl Fn(E) -> Fault + '_ {
    move |error| {
        let mut text = String::new();
        let _ = write!(text, "{what}: {error}");
        Fault(text)
    }
}

impl Fault {
    pub(crate) fn words(&self) -> &str {
        &self.0
    }
}
