//! Short secret text in a buffer of a fixed size: a code as it is printed.
//!
//! ```text
//!  code · offline · matter · wifi
//!  text     (this file)
//! ```

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::store::{CodecError, Stored};

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

    /// A copy of a text; `None` if it is longer than `N` bytes.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let mut copy = Self::new();
        fmt::Write::write_str(&mut copy, text).ok().map(|()| copy)
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

/// As its bytes.
impl<const N: usize> Stored for SecretText<N> {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        let text = self.expose().as_bytes();
        let room = out.get_mut(..text.len()).ok_or(CodecError)?;
        room.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Ok(text.len())
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let text = core::str::from_utf8(bytes).map_err(|_| CodecError)?;
        Self::of(text).ok_or(CodecError)
    }
}
