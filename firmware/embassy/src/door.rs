//! Who gets in: every guess is on flash before it is checked.
//!
//! ```text
//!  device · household
//!  door     (this file)
//!  bydesign::credential::limiter
//! ```

use core::fmt;

use bydesign::credential::limiter::{AsyncLimiter, AttemptError, Moment, Policy, Proven, Verdict};
use bydesign::credential::{Cost, Verifier};
use embassy_time::Instant;

use crate::fault::{Fault, during};
use crate::part::{self, Flash, Medium, Store};
use crate::{Blocks, Random};

/// As the factory's verifiers have it.
pub(crate) const COST: Cost = Cost::KIB_32;
const NAME: &str = "owner";
const POLICY: Policy = Policy::new();

/// Why somebody is not let in.
pub(crate) enum Refusal {
    Wrong,
    Wait(u32),
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => out.write_str("that is not it"),
            Self::Wait(seconds) => write!(out, "wait {seconds} seconds"),
        }
    }
}

/// The part has no clock that goes on without power: delays begin anew with each start, and failures do not.
fn now() -> Moment {
    Moment::Awake(Instant::now().as_secs())
}

pub(crate) struct Door<'a>(AsyncLimiter<Medium<'a>>);

impl<'a> Door<'a> {
    /// The limiter: made if there is none; begun anew, with everything counted as failed, if its area is not its own.
    pub(crate) async fn mount(
        flash: &'a Flash,
        store: &mut Store<'_>,
        random: &mut Random,
    ) -> Result<Self, Fault> {
        let area = || part::area_part(flash);
        let limiter = match AsyncLimiter::repair(area(), store, NAME, POLICY, now(), random).await {
            Err(AttemptError::Missing) => {
                AsyncLimiter::create(area(), store, NAME, POLICY, now(), random).await
            }
            repaired => repaired.map(|(limiter, _)| limiter),
        };
        limiter.map(Self).map_err(during("limiter"))
    }

    /// Failures in a row.
    pub(crate) fn failures(&self, store: &Store<'_>) -> u32 {
        self.0.standing(store, now()).failures
    }

    /// One attempt. Whoever comes too early is told so, and it costs nothing.
    pub(crate) async fn knock(
        &mut self,
        store: &mut Store<'_>,
        verifier: &Verifier,
        typed: &str,
        blocks: &mut Blocks,
        random: &mut Random,
    ) -> Result<Result<Proven, Refusal>, Fault> {
        let ready = verifier.ready(blocks).map_err(during("memory"))?;
        let permit = match self.0.attempt(store, now(), random).await {
            Err(AttemptError::Wait { seconds }) => return Ok(Err(Refusal::Wait(seconds))),
            permit => permit.map_err(during("attempt"))?,
        };
        match ready.check(typed.as_bytes(), permit) {
            Verdict::Right(right) => right.settle_async().await.map(Ok).map_err(during("settle")),
            Verdict::Wrong => Ok(Err(Refusal::Wrong)),
        }
    }
}
