//! Who gets in: the label's code once, the owner's password afterwards, and every guess counted before it is checked.
//!
//! ```text
//!  lifecycle
//!    access   (this file)
//!  bydesign::credential
//! ```

use bydesign::credential::alphabet::Alphabet;
use bydesign::credential::code::PairingCode;
use bydesign::credential::items::PAIRING;
use bydesign::credential::limiter::{Limiter, Moment, Policy, Proven, Verdict};
use bydesign::credential::{Block, Cost, Device, OwnerSet, PasswordPolicy, Provisioned, Verifier};
use chacha20::ChaCha20Rng;
use firmware::board::Medium;
use firmware::orders::Orders;

use crate::journal::say;
use crate::{Fault, Storage, during};

/// As at the factory.
pub(crate) const POLICY: Policy = Policy::new();
pub(crate) const START: Moment = Moment::Awake(0);
/// Far too little for a product, which takes what a second of its processor allows: here thousands of starts are to be cut elsewhere than in a hash.
pub(crate) const COST: Cost = match Cost::new(8, 1) {
    Some(cost) => cost,
    None => Cost::KIB_32,
};
/// As much as the factory's verifier of the label's code takes.
const BLOCKS: usize = 32;
/// What the owner of these devices always chooses.
const PASSWORD: &str = "plum fjord vexes gnat";
const GUESS: &str = "correct horse battery";

/// Memory for Argon2, borrowed by one check at a time.
pub(crate) fn blocks() -> &'static mut [Block] {
    static mut MEMORY: [Block; BLOCKS] = [const { Block::new() }; BLOCKS];
    // SAFETY: one thread; each caller is done with them before the next one asks.
    unsafe { &mut *(&raw mut MEMORY) }
}

/// The code as somebody types it in, checked for slips.
pub(crate) fn typed(orders: &Orders) -> Result<PairingCode, Fault> {
    PairingCode::parse(orders.code(), Alphabet::CLEAR).map_err(during("the code as typed"))
}

/// The limiter, and a clock that stands unless somebody waits.
pub(crate) struct Door<'a> {
    limiter: Limiter<Medium<'a>>,
    now_s: u64,
}

impl<'a> Door<'a> {
    pub(crate) fn new(limiter: Limiter<Medium<'a>>) -> Self {
        Self { limiter, now_s: 0 }
    }

    pub(crate) fn failures(&self, store: &Storage<'_>) -> u32 {
        self.limiter.standing(store, Moment::Awake(self.now_s)).failures
    }

    /// Waits as long as the limiter wants, and tries.
    fn is_let_in(
        &mut self,
        store: &mut Storage<'_>,
        verifier: &Verifier,
        typed: &str,
        random: &mut ChaCha20Rng,
    ) -> Result<Option<Proven>, Fault> {
        let wait = self.limiter.standing(store, Moment::Awake(self.now_s)).wait_s;
        self.now_s += u64::from(wait);
        let ready = verifier.ready(blocks()).map_err(during("memory"))?;
        let permit = self
            .limiter
            .attempt(store, Moment::Awake(self.now_s), random)
            .map_err(during("attempt"))?;
        match ready.check(typed.as_bytes(), permit) {
            Verdict::Right(right) => right.settle().map(Some).map_err(during("settle")),
            Verdict::Wrong => Ok(None),
        }
    }

    /// A first boot: whoever has the label sets a password.
    pub(crate) fn claim<'b>(
        &mut self,
        mut device: Device<Provisioned, Storage<'b>>,
        orders: &Orders,
        random: &mut ChaCha20Rng,
    ) -> Result<Device<OwnerSet, Storage<'b>>, Fault> {
        let code = device.store().get(&PAIRING).map_err(during("pairing code"))?;
        let code = code.ok_or("there is none").map_err(during("pairing code"))?;
        say!("begin {} login", orders.first);
        let typed = typed(orders)?;
        let proven = self.is_let_in(device.store(), &code, typed.symbols(), random)?;
        let proven = proven
            .ok_or("the device does not take it")
            .map_err(during("the code on the label"))?;
        say!("done {}", orders.first);
        let policy = PasswordPolicy::only_factor(&["LAMP-0001", "Lamp 3"]);
        let password = policy.check(PASSWORD).map_err(during("a good password"))?;
        let device = device
            .set_owner(&password, proven, COST, blocks(), random)
            .map_err(during("setting the password"))?;
        say!("claimed");
        Ok(device)
    }

    /// The owner, or somebody who guesses. Whether they were let in is as it should be, or it is a fault.
    pub(crate) fn knock(
        &mut self,
        is_owner: bool,
        device: &mut Device<OwnerSet, Storage<'_>>,
        random: &mut ChaCha20Rng,
    ) -> Result<(), Fault> {
        let verifier = device.owner().map_err(during("owner"))?;
        let typed = if is_owner { PASSWORD } else { GUESS };
        let is_in = self
            .is_let_in(device.store(), &verifier, typed, random)?
            .is_some();
        if is_in == is_owner {
            Ok(())
        } else {
            Err(during("the door")("it let in the wrong one"))
        }
    }
}
