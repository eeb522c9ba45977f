//! Short secret text in a buffer of a fixed size: a code as it is printed.
//!
//! ```text
//!  code · offline · matter · wifi
//!  text     (this file)
//! ```

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text of at most `N` bytes that is secret: wiped on drop, not printed, copied or compared with `==`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretText<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> SecretText<N> {
    /// Nothing yet; to be written to.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// The text. Where this is called is where it leaves the type's protection.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.bytes
            .get(..self.len)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Adds a symbol, if there is room.
    pub(crate) fn push(&mut self, symbol: char) -> Result<(), fmt::Error> {
        fmt::Write::write_char(self, symbol)
    }
}

impl<const N: usize> Default for SecretText<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Writing fails when there is no room left; nothing of what does not fit is written.
impl<const N: usize> fmt::Write for SecretText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl<const N: usize> ConstantTimeEq for SecretText<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.bytes.ct_eq(&other.bytes) & (self.len as u64).ct_eq(&(other.len as u64))
    }
}
