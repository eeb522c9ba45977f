//! Random sources that a test chooses.

use core::convert::Infallible;

use bydesign::telemetry::noise::Mechanism;
use rand_core::{TryCryptoRng, TryRng};

/// Gives these draws, one after the other and from the beginning again, and counts the bytes.
pub(crate) struct Chosen<'a> {
    draws: &'a [u64],
    pub(crate) bytes: usize,
}

impl<'a> Chosen<'a> {
    pub(crate) fn new(draws: &'a [u64]) -> Self {
        Self { draws, bytes: 0 }
    }
}

impl TryRng for Chosen<'_> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("bytes are asked for")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("bytes are asked for")
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            let draw = self.draws[self.bytes / 8 % self.draws.len()];
            *byte = draw.to_le_bytes()[self.bytes % 8];
            self.bytes += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Chosen<'_> {}

/// What comes of these draws.
pub(crate) fn outcome<M: Mechanism>(mechanism: &M, value: M::Value, draws: &[u64]) -> M::Output {
    let mut source = Chosen::new(draws);
    let Ok(output) = mechanism.randomise(value, &mut source);
    assert_eq!(source.bytes, M::RANDOM_BYTES, "a fixed number of random bytes");
    output
}

/// Fails after so many bytes.
pub(crate) struct Failing {
    pub(crate) after: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

impl std::fmt::Display for Failed {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("the source failed")
    }
}

impl std::error::Error for Failed {}

impl TryRng for Failing {
    type Error = Failed;
    fn try_next_u32(&mut self) -> Result<u32, Failed> {
        Err(Failed)
    }
    fn try_next_u64(&mut self) -> Result<u64, Failed> {
        Err(Failed)
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Failed> {
        self.after = self.after.checked_sub(bytes.len()).ok_or(Failed)?;
        bytes.fill(0x5a);
        Ok(())
    }
}

impl TryCryptoRng for Failing {}
