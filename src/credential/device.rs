//! First boot as types: no way to a device without an owner's password, and none to a default one.
//!
//! ```text
//!  device   (this file)
//!  owner    what both faces do
//!  policy · verifier · limiter · published
//!  items
//!  store
//! ```
//!
//! ```text
//!  Unprovisioned ──provision──▶ Provisioned ──set_owner──▶ OwnerSet
//!   no identity                  identity                   and a password that the owner chose
//!                                 ▲                           │
//!                                 └──factory reset, transfer──┘   erases the owner's verifier: open the store anew
//! ```

use core::marker::PhantomData;

use rand_core::TryCryptoRng;

use super::cost::Cost;
use super::items::{Serial, Spake2pVerifier};
use super::limiter::Proven;
use super::owner::{self, Found};
use super::policy::Accepted;
use super::verifier::{Verifier, VerifierError};
use crate::crypto::password::Block;
use crate::flash::{Medium, NeverPends, two_faces};
use crate::secret::Secret;
use crate::store::{AsyncStore, Memory, ReadError, Store, WriteError, run_within, words};

/// A device on its way to an owner. `State` is [`Unprovisioned`], [`Provisioned`] or [`OwnerSet`]; `D` a [`Store`] or an [`AsyncStore`], whose methods
/// end in `_async`. What serves the network takes a `Device<OwnerSet, _>`.
///
/// ```
/// use bydesign::credential::limiter::{Limiter, Moment, Policy, Proven, Verdict};
/// use bydesign::credential::{Block, Cost, Device, OwnerSet, PasswordPolicy, Stage};
/// # use bydesign::credential::items::{PAIRING, Serial};
/// # use bydesign::credential::{Claim, Verifier};
/// # use bydesign::flash::{NeverPends, Overwritable};
/// # use bydesign::flash::simulator::{Rule, Simulator};
/// # use bydesign::secret::{RootKey, Secret};
/// # use bydesign::store::{Memory, Ram, Store};
///
/// /// Only a device whose owner has set a password gets here.
/// fn serve<S: NeverPends, I: Memory>(device: Device<OwnerSet, Store<S, I>>) {
///     # let _ = device;
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let root_key = RootKey::new(*b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30")?;
/// # let mut flash = Simulator::<4, 4096>::new(64 * 1024, Rule::Multiwrite);
/// # let mut two_units = Simulator::<4, 4096>::new(8192, Rule::Multiwrite);
/// # let mut random = getrandom::SysRng;
/// # let now = Moment::Awake(0);
/// let mut blocks = [Block::new(); 32]; // lent to each check, 1 KiB each
/// # let mut store = Store::format(Overwritable::new(&mut flash), Ram::<32, 256>::new(), &root_key, "device", &mut random)?;
/// # let code = Verifier::of_issued(b"73914628", *b"drawn at random.", Cost::KIB_32, &mut blocks)?;
/// # let mut limiter = Limiter::create(Overwritable::new(&mut two_units), &mut store, "pairing", Policy::new(), now, &mut random)?;
/// # let Stage::Unprovisioned(device) = Device::open(store)? else { unreachable!() };
/// # let identity = Secret::random(&mut random)?;
/// # let serial = Serial::new("D3-000017").unwrap();
/// # let device = device.provision(&identity, &serial, Claim::Code(&code), &mut random)?;
/// # let store = device.into_store();
/// match Device::open(store)? {
///     Stage::OwnerSet(device) => serve(device),
///     Stage::Provisioned(mut device) => {
///         // What stands on the label, within the limiter's budget …
///         let code = device.store().get(&PAIRING)?.expect("given at the factory");
///         let permit = limiter.attempt(device.store(), now, &mut random)?;
///         let Verdict::Right(right) = code.ready(&mut blocks)?.check(b"73914628", permit) else { return Ok(()) };
///         let proven = right.settle()?;
///         // … lets somebody set the first password, and nothing else.
///         let policy = PasswordPolicy::only_factor(&["D3-000017", "Acme Doorbell"]);
///         let password = policy.check("plum fjord vexes gnat")?;
///         let device = device.set_owner(&password, proven, Cost::KIB_32, &mut blocks, &mut random)?;
///         serve(device);
///     }
///     Stage::Unprovisioned(_) => println!("back to the factory"),
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Security
///
/// The owner's verifier stands under a name that no application can write: a default password has no way there, and what passes as the
/// owner's has passed a [`PasswordPolicy`](super::PasswordPolicy). Whoever writes firmware can leave these types aside; they are for who wants not to forget
/// something. Serves CoP 1; EN 303 645 5.1-1 and 5.4-2.
//= compliance/requirements.md#cred-7
//# A device MUST NOT come to the state of one with an owner before its owner has set a password that the policy accepts.
pub struct Device<State, D> {
    store: D,
    state: PhantomData<State>,
}

/// There is no identity: the device was not at the factory.
pub struct Unprovisioned(());

/// There is an identity, and nobody's password.
pub struct Provisioned(());

/// The owner has set a password.
pub struct OwnerSet(());

/// How far a device has come.
pub enum Stage<D> {
    /// See [`Unprovisioned`].
    Unprovisioned(Device<Unprovisioned, D>),
    /// See [`Provisioned`].
    Provisioned(Device<Provisioned, D>),
    /// See [`OwnerSet`].
    OwnerSet(Device<OwnerSet, D>),
}

/// What lets somebody set the first password: the factory gave the device one of these, and printed the secret of it on the label.
#[derive(Clone, Copy)]
pub enum Claim<'a> {
    /// A pairing code, checked behind the limiter.
    Code(&'a Verifier),
    /// A pairing code, checked by SPAKE2+.
    Pake(&'a Spake2pVerifier),
    /// A password that is this device's own.
    DevicePassword(&'a Verifier),
}

/// Why a device does not come up, or a step was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The identity or the pairing verifier is a published test secret or a pattern: back to the factory.
    #[error("a published secret is no secret")]
    Published,
    /// No password is set any more: the settings were erased.
    #[error("no password is set")]
    NoOwner,
    /// The password is not the one that is set.
    #[error("another password is set")]
    Wrong,
    /// No verifier could be made.
    #[error("no verifier could be made: {0}")]
    Verifier(#[from] VerifierError),
    /// The store could not be read.
    #[error("the store: {0}")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store: {0}")]
    Write(#[from] WriteError),
}

impl<State, D> Device<State, D> {
    const fn of(store: D) -> Self {
        Self {
            store,
            state: PhantomData,
        }
    }

    /// The store below. After an erasure of settings, [open](Device::open) it anew: the owner is gone with them.
    pub fn store(&mut self) -> &mut D {
        &mut self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> D {
        self.store
    }
}

impl<D> Stage<D> {
    fn of(found: Found, store: D) -> Self {
        match found {
            Found::Nothing => Self::Unprovisioned(Device::of(store)),
            Found::Identity => Self::Provisioned(Device::of(store)),
            Found::Owner => Self::OwnerSet(Device::of(store)),
        }
    }
}

// ---- blocking ----

/// Stack that an operation uses: a verifier and what it replaces in its frames, above a commit.
const ROOM: usize = words(1408);

impl<S: NeverPends, I: Memory> Device<Unprovisioned, Store<S, I>> {
    /// Looks how far the device of a mounted store has come.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Published`] for a device that must not run.
    pub fn open(mut store: Store<S, I>) -> Result<Stage<Store<S, I>>, DeviceError> {
        let found = run_within::<ROOM, _>(|| owner::find(&mut store.0))?;
        Ok(Stage::of(found, store))
    }

    /// Gives the device its identity, for a station that provisions devices in place; `bydesign provision` writes the same items into images.
    ///
    /// Identity, serial number and claim are written once, together, and stay until the device is decommissioned.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Published`] if a secret among them is known to everybody.
    ///
    /// # Power loss
    ///
    /// All of it or nothing.
    pub fn provision<R: TryCryptoRng + ?Sized>(
        mut self,
        identity: &Secret<32>,
        serial: &Serial,
        claim: Claim<'_>,
        random: &mut R,
    ) -> Result<Device<Provisioned, Store<S, I>>, DeviceError> {
        run_within::<ROOM, _>(|| owner::provision(&mut self.store.0, identity, serial, claim, random))?;
        Ok(Device::of(self.store))
    }
}

impl<S: NeverPends, I: Memory> Device<Provisioned, Store<S, I>> {
    /// Sets the first owner's password.
    ///
    /// `proof` says that somebody may: a right pairing code or device password, or a hand on the device. The password is hashed with a fresh
    /// salt, and not kept.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; open the store anew.
    ///
    /// # Power loss
    ///
    /// The password is set or not.
    pub fn set_owner<R: TryCryptoRng + ?Sized>(
        mut self,
        password: &Accepted<'_>,
        proof: Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<Device<OwnerSet, Store<S, I>>, DeviceError> {
        run_within::<ROOM, _>(|| owner::set(&mut self.store.0, password, proof, cost, blocks, random))?;
        Ok(Device::of(self.store))
    }

    /// Whether the code or password of the label is one that stands in everybody's examples: hashes some twenty of them, which takes as long as
    /// as many checks. Once, at the first boot.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub fn has_published_code(&mut self, blocks: &mut [Block]) -> Result<bool, DeviceError> {
        run_within::<ROOM, _>(|| owner::has_published_code(&mut self.store.0, blocks))
    }
}

impl<S: NeverPends, I: Memory> Device<OwnerSet, Store<S, I>> {
    /// The verifier of the owner's password, to check one: see [`Verifier::ready`].
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::NoOwner`] if the owner was erased meanwhile: open the store anew.
    pub fn owner(&mut self) -> Result<Verifier, DeviceError> {
        run_within::<ROOM, _>(|| owner::verifier(&mut self.store.0))
    }

    /// Sets another password.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; the old password is still set.
    ///
    /// # Power loss
    ///
    /// The old password or the new one.
    pub fn change_password<R: TryCryptoRng + ?Sized>(
        &mut self,
        password: &Accepted<'_>,
        proof: Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<(), DeviceError> {
        run_within::<ROOM, _>(|| owner::set(&mut self.store.0, password, proof, cost, blocks, random))
    }

    /// Hashes the password anew if `cost` is above that of its verifier, and gives whether it was. Call it after a login, when the password is at hand and firmware has raised
    /// its cost: it is checked once more, at the old one. `blocks` is enough for both.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Wrong`] if it is not the password. The old verifier still stands.
    ///
    /// # Power loss
    ///
    /// The old verifier or the new one.
    pub fn rehash<R: TryCryptoRng + ?Sized>(
        &mut self,
        password: &str,
        proof: &Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<bool, DeviceError> {
        run_within::<ROOM, _>(|| owner::rehash(&mut self.store.0, password, proof, cost, blocks, random))
    }
}

// ---- async ----

#[two_faces]
impl<S: Medium, I: Memory> Device<Unprovisioned, AsyncStore<S, I>> {
    /// As [`Device::open`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Published`] for a device that must not run.
    pub async fn open_async(mut store: AsyncStore<S, I>) -> Result<Stage<AsyncStore<S, I>>, DeviceError> {
        let found = owner::find(&mut store).await?;
        Ok(Stage::of(found, store))
    }

    /// As [`Device::provision`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Published`] if a secret among them is known to everybody.
    ///
    /// # Power loss
    ///
    /// All of it or nothing.
    pub async fn provision_async<R: TryCryptoRng + ?Sized>(
        mut self,
        identity: &Secret<32>,
        serial: &Serial,
        claim: Claim<'_>,
        random: &mut R,
    ) -> Result<Device<Provisioned, AsyncStore<S, I>>, DeviceError> {
        owner::provision(&mut self.store, identity, serial, claim, random).await?;
        Ok(Device::of(self.store))
    }
}

#[two_faces]
impl<S: Medium, I: Memory> Device<Provisioned, AsyncStore<S, I>> {
    /// As [`Device::set_owner`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; open the store anew.
    ///
    /// # Power loss
    ///
    /// The password is set or not.
    pub async fn set_owner_async<R: TryCryptoRng + ?Sized>(
        mut self,
        password: &Accepted<'_>,
        proof: Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<Device<OwnerSet, AsyncStore<S, I>>, DeviceError> {
        owner::set(&mut self.store, password, proof, cost, blocks, random).await?;
        Ok(Device::of(self.store))
    }

    /// As [`Device::has_published_code`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`].
    pub async fn has_published_code_async(&mut self, blocks: &mut [Block]) -> Result<bool, DeviceError> {
        owner::has_published_code(&mut self.store, blocks).await
    }
}

#[two_faces]
impl<S: Medium, I: Memory> Device<OwnerSet, AsyncStore<S, I>> {
    /// As [`Device::owner`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::NoOwner`] if the owner was erased meanwhile: open the store anew.
    pub async fn owner_async(&mut self) -> Result<Verifier, DeviceError> {
        owner::verifier(&mut self.store).await
    }

    /// As [`Device::change_password`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; the old password is still set.
    ///
    /// # Power loss
    ///
    /// The old password or the new one.
    pub async fn change_password_async<R: TryCryptoRng + ?Sized>(
        &mut self,
        password: &Accepted<'_>,
        proof: Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<(), DeviceError> {
        owner::set(&mut self.store, password, proof, cost, blocks, random).await
    }

    /// As [`Device::rehash`], over an async driver.
    ///
    /// # Errors
    ///
    /// [`DeviceError`]; [`DeviceError::Wrong`] if it is not the password. The old verifier still stands.
    ///
    /// # Power loss
    ///
    /// The old verifier or the new one.
    pub async fn rehash_async<R: TryCryptoRng + ?Sized>(
        &mut self,
        password: &str,
        proof: &Proven,
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<bool, DeviceError> {
        owner::rehash(&mut self.store, password, proof, cost, blocks, random).await
    }
}
