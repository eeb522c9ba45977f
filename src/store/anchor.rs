//! Holding the log against a counter outside the flash: which value it states, when the counter is moved, what a mount makes of
//! the two. Section 9 of the format document.
//!
//! ```text
//!  store
//!  anchor   (this file)
//!  keys · collect · log · counter
//! ```
//!
//! ```text
//!            the log states s + 1              the counter is moved
//!  c = s  ------------------------>  c + 1 = s  ------------------->  c = s
//!                                        |  cut: the next mount moves it
//!                                        +------------------------->
//! ```
//!
//! A counter that is ahead of the log has seen something that the log has not: the flash was set back.

use rand_core::TryCryptoRng;

use super::counter::{AnchorPolicy, Counter, CounterPlace, Freshness};
use super::error::{AnchorError, MountError};
use super::keys::Fate;
use super::log::{Confirmed, Log};
use super::memory::Parts;
use crate::flash::{Medium, Routine, foreign, two_faces};

#[two_faces]
impl<M: Medium> Log<M> {
    /// Compares what a mount read with the counter, and moves it if a cut kept it from being moved.
    //= compliance/requirements.md#store-28
    //# A mount with a counter that is ahead of the store MUST fail.
    pub(crate) fn check_counter<C: Counter>(
        &mut self,
        counter: &mut C,
    ) -> Routine<M, impl Future<Output = Result<(), MountError>>> {
        M::call(async move {
            let stated = self.anchoring.stated;
            if stated == 0 {
                return Err(MountError::NotAnchored);
            }
            let value = foreign(counter.value()).await.map_err(|_| MountError::Counter)?;
            if value > stated {
                return Err(MountError::SetBack {
                    store: stated,
                    counter: value,
                });
            }
            if value.checked_add(1) == Some(stated) {
                foreign(counter.advance())
                    .await
                    .map_err(|_| MountError::Counter)?;
            }
            // Also when it was just moved: a counter that does not keep its value protects nothing.
            if foreign(counter.value()).await.map_err(|_| MountError::Counter)? != stated {
                return Err(MountError::OtherCounter);
            }
            self.anchoring.confirm(counter.place());
            Ok(())
        })
    }

    /// Begins to hold the store against a counter.
    pub(crate) fn start_counter<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), AnchorError>>> {
        M::call(async move {
            let value = foreign(counter.value()).await.map_err(|_| AnchorError::Counter)?;
            let stated = self.anchoring.stated;
            if value.checked_add(1) == Some(stated) {
                // The key page was written the last time, and the counter not moved.
                return self.move_counter(counter).await;
            }
            if value.checked_add(1).is_none_or(|next| next <= stated) {
                return Err(AnchorError::OtherCounter);
            }
            let count = *parts.slots.count;
            self.anchoring.next = Some(value + 1);
            let written = self
                .rewrite_class_keys(parts, &|_, _| Fate::Keep, count, random)
                .await;
            self.anchoring.next = None;
            written?;
            self.move_counter(counter).await
        })
    }

    /// Moves the counter if the policy says so.
    //= compliance/requirements.md#store-29
    //# The store MUST state the counter's next value on flash, and read it back, before the counter is moved.
    pub(crate) fn anchor<C: Counter, R: TryCryptoRng + ?Sized>(
        &mut self,
        counter: &mut C,
        policy: AnchorPolicy,
        parts: &mut Parts<'_>,
        random: &mut R,
    ) -> Routine<M, impl Future<Output = Result<(), AnchorError>>> {
        M::call(async move {
            let stated = self.anchoring.stated;
            if stated == 0 || self.anchoring.confirmed == Confirmed::No {
                // Whatever is there would be declared the latest.
                return Err(AnchorError::NotAnchored);
            }
            let value = foreign(counter.value()).await.map_err(|_| AnchorError::Counter)?;
            if value.checked_add(1) == Some(stated) {
                // It failed the last time.
                self.move_counter(counter).await?;
            } else if value != stated {
                return Err(AnchorError::OtherCounter);
            }
            if !self.anchoring.is_due(policy) {
                return Ok(());
            }
            // An image that states the next value exists before the counter is moved; one of a fork of this store, cut there, would
            // fit as well. A fork needs a start of its own for each step, so two steps in one start leave all of them behind.
            let steps = if self.anchoring.is_ahead { 1 } else { 2 };
            for _ in 0..steps {
                let next = self.anchoring.stated.checked_add(1).ok_or(AnchorError::Counter)?;
                self.prepare_anchor(parts, random).await?;
                self.append_anchor(next, random).await?;
                self.move_counter(counter).await?;
            }
            self.anchoring.is_ahead = true;
            Ok(())
        })
    }

    fn move_counter<C: Counter>(
        &mut self,
        counter: &mut C,
    ) -> Routine<M, impl Future<Output = Result<(), AnchorError>>> {
        M::call(async move {
            foreign(counter.advance())
                .await
                .map_err(|_| AnchorError::Counter)?;
            if foreign(counter.value()).await != Ok(self.anchoring.stated) {
                return Err(AnchorError::Counter);
            }
            self.anchoring.confirm(counter.place());
            Ok(())
        })
    }

    //= compliance/requirements.md#store-30
    //# The store MUST NOT call its contents anchored unless a counter out of the attacker's reach agreed since power came.
    pub(crate) fn freshness(&self) -> Freshness {
        match self.anchoring.confirmed {
            Confirmed::No if self.is_new => Freshness::SinceMount,
            Confirmed::No | Confirmed::By(CounterPlace::SameFlash) => Freshness::Unanchored,
            Confirmed::By(CounterPlace::OutOfReach) => Freshness::Anchored {
                window: self.anchoring.window(),
            },
        }
    }
}
