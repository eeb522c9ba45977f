//! Random sources: one whose output is secret, one whose output is chosen.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::valgrind::hide;

/// Undefined to valgrind.
pub(crate) struct Concealed(u8);

impl Concealed {
    pub(crate) fn new() -> Self {
        Self(1)
    }
}

impl TryRng for Concealed {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes.iter_mut() {
            self.0 = self.0.wrapping_mul(29).wrapping_add(71);
            *byte = self.0;
        }
        hide(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Concealed {}

/// The same draw each time.
pub(crate) struct Same(pub(crate) u64);

impl TryRng for Same {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0.to_le_bytes());
        Ok(())
    }
}

impl TryCryptoRng for Same {}
