//! A counter in a variable.
#![allow(dead_code, unreachable_pub)] // each test uses a part of it

use bydesign::store::{Counter, CounterFailed, CounterPlace};

/// Out of reach unless said otherwise, and without an end.
#[derive(Clone, Copy, Debug)]
pub struct Register {
    pub value: u32,
    pub place: CounterPlace,
    /// Advances that still work.
    pub left: u32,
}

impl Register {
    pub const fn at(value: u32) -> Self {
        Self {
            value,
            place: CounterPlace::OutOfReach,
            left: u32::MAX,
        }
    }
}

impl Counter for Register {
    fn place(&self) -> CounterPlace {
        self.place
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        Ok(self.value)
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        self.left = self.left.checked_sub(1).ok_or(CounterFailed)?;
        self.value += 1;
        Ok(())
    }
}
