//! What the store needs of a monotonic counter outside its flash, and what it can say of its freshness with and without one.

/// A counter that only goes up: an RPMB or TPM counter, fuses, a battery-backed register, [`FlashCounter`](super::FlashCounter).
///
/// It belongs to one store alone: whatever else advances it makes the store look set back.
///
/// ```
/// use bydesign::store::{Counter, CounterFailed, CounterPlace};
///
/// /// One-time programmable bits behind a register of the part.
/// struct Fuses { burnt: u32 }
///
/// impl Counter for Fuses {
///     fn place(&self) -> CounterPlace {
///         CounterPlace::OutOfReach
///     }
///     async fn value(&mut self) -> Result<u32, CounterFailed> {
///         Ok(self.burnt)
///     }
///     async fn advance(&mut self) -> Result<(), CounterFailed> {
///         if self.burnt == 256 {
///             return Err(CounterFailed);
///         }
///         self.burnt += 1;
///         Ok(())
///     }
/// }
/// ```
#[allow(async_fn_in_trait)] // the store's own futures make no promise about threads either
pub trait Counter {
    /// Whether somebody who rewrites the store's flash can set the counter back as well. Answer for the board, not for the chip.
    fn place(&self) -> CounterPlace;

    /// The present value; 0 before the first [`Counter::advance`].
    ///
    /// # Errors
    ///
    /// [`CounterFailed`].
    async fn value(&mut self) -> Result<u32, CounterFailed>;

    /// Adds one. When this returns, the new value must survive a power cut.
    ///
    /// # Errors
    ///
    /// [`CounterFailed`]; the value may have gone up or not.
    ///
    /// # Power loss
    ///
    /// The value is the one before or one more, and stays so.
    async fn advance(&mut self) -> Result<(), CounterFailed>;
}

impl<C: Counter> Counter for &mut C {
    fn place(&self) -> CounterPlace {
        (**self).place()
    }

    async fn value(&mut self) -> Result<u32, CounterFailed> {
        (**self).value().await
    }

    async fn advance(&mut self) -> Result<(), CounterFailed> {
        (**self).advance().await
    }
}

/// The counter could not be read or advanced, or has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the counter failed")]
pub struct CounterFailed;

/// Where a counter lives, as seen by the attacker with a programmer and the flash in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CounterPlace {
    /// It cannot be set back together with the store's flash: in the processor, a secure element, another chip that stays soldered.
    OutOfReach,
    /// On the flash that it is to protect, or on a part that is rewritten as easily. It notices a restored part of an image,
    /// and never makes a store [`Freshness::Anchored`]: the whole image holds the counter too.
    SameFlash,
}

/// How often [`Store::anchor`](super::Store::anchor) moves the counter. Each time costs a record of about 36 bytes and one step
/// of the counter, the first call after a start two of each, whatever the policy: call it only in starts that change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnchorPolicy {
    /// Whenever something was written since: nothing that was anchored can be taken back.
    EveryChange,
    /// Once so many records were written since, or keys were erased.
    Every(u32),
    /// Only once keys were erased or made since: an erased class does not come back, a value may go back to an earlier one.
    AtErase,
}

/// What is known about the contents being the latest ones. Restoring a whole earlier image is a genuine earlier state; only a
/// counter outside the flash tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// A counter out of the attacker's reach agreed.
    Anchored {
        /// So many of the newest records are not covered: without them the counter would agree as well.
        window: u32,
    },
    /// The store was formatted since power came: nothing in it is older.
    SinceMount,
    /// No counter was asked, or one that is rewritten with the flash: an earlier whole image would look the same.
    Unanchored,
}
