//! What both faces of a device do with its store.
//!
//! ```text
//!  device
//!  owner    (this file)
//!  verifier · published · items
//!  store
//! ```

use rand_core::TryCryptoRng;

use super::cost::Cost;
use super::device::{Claim, DeviceError};
use super::items::{DEVICE_PASSWORD, IDENTITY, OWNER, PAIRING, PAIRING_PAKE, SERIAL, Serial};
use super::limiter::Proven;
use super::policy::Accepted;
use super::published;
use super::verifier::Verifier;
use crate::crypto::password::Block;
use crate::flash::{Medium, two_faces};
use crate::secret::Secret;
use crate::store::{AsyncStore, Change, Memory, ReadError};

/// How far the device has come.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Nothing,
    Identity,
    Owner,
}

#[two_faces]
pub(super) async fn find<S: Medium, I: Memory>(store: &mut AsyncStore<S, I>) -> Result<Found, DeviceError> {
    let Some(identity) = store.get(&IDENTITY).await? else {
        return Ok(Found::Nothing);
    };
    if published::is_secret(&identity) {
        return Err(DeviceError::Published);
    }
    if let Some(pake) = store.get(&PAIRING_PAKE).await?
        && published::is_secret(&pake.w0)
    {
        return Err(DeviceError::Published);
    }
    if store.get(&OWNER).await?.is_some() {
        Ok(Found::Owner)
    } else {
        Ok(Found::Identity)
    }
}

#[two_faces]
pub(super) async fn provision<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<S, I>,
    identity: &Secret<32>,
    serial: &Serial,
    claim: Claim<'_>,
    random: &mut R,
) -> Result<(), DeviceError> {
    let is_published = match claim {
        Claim::Pake(pake) => published::is_secret(&pake.w0),
        Claim::Code(_) | Claim::DevicePassword(_) => false,
    };
    if is_published || published::is_identity(identity) {
        return Err(DeviceError::Published);
    }
    let claim = match claim {
        Claim::Code(verifier) => Change::put(&PAIRING, verifier),
        Claim::DevicePassword(verifier) => Change::put(&DEVICE_PASSWORD, verifier),
        Claim::Pake(verifier) => Change::put(&PAIRING_PAKE, verifier),
    };
    let changes = [
        Change::put(&SERIAL, serial),
        claim,
        Change::put(&IDENTITY, identity),
    ];
    Ok(store.commit(&changes, random).await?)
}

//= compliance/requirements.md#cred-12
//# A change of the password that power interrupts at any point MUST leave the old one or the new one, and after it has returned the old one MUST be refused.
#[two_faces]
pub(super) async fn set<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<S, I>,
    password: &Accepted<'_>,
    _proof: Proven,
    cost: Cost,
    blocks: &mut [Block],
    random: &mut R,
) -> Result<(), DeviceError> {
    let verifier = Verifier::fresh(password.expose().as_bytes(), cost, blocks, random)?;
    put(store, &verifier, random).await
}

/// The name is one of the library's own, which [`AsyncStore::put`] does not write.
#[two_faces]
async fn put<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<S, I>,
    verifier: &Verifier,
    random: &mut R,
) -> Result<(), DeviceError> {
    store.refuse_if_closed().map_err(ReadError::from)?;
    Ok(store.commit_any(&[Change::put(&OWNER, verifier)], random).await?)
}

#[two_faces]
pub(super) async fn verifier<S: Medium, I: Memory>(
    store: &mut AsyncStore<S, I>,
) -> Result<Verifier, DeviceError> {
    store.get(&OWNER).await?.ok_or(DeviceError::NoOwner)
}

#[two_faces]
pub(super) async fn rehash<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<S, I>,
    password: &str,
    _proof: &Proven,
    cost: Cost,
    blocks: &mut [Block],
    random: &mut R,
) -> Result<bool, DeviceError> {
    let old = verifier(store).await?;
    if !old.needs_rehash(cost) {
        return Ok(false);
    }
    if !old.matches(password.as_bytes(), blocks)? {
        return Err(DeviceError::Wrong);
    }
    let new = Verifier::fresh(password.as_bytes(), cost, blocks, random)?;
    put(store, &new, random).await?;
    Ok(true)
}

#[two_faces]
pub(super) async fn has_published_code<S: Medium, I: Memory>(
    store: &mut AsyncStore<S, I>,
    blocks: &mut [Block],
) -> Result<bool, DeviceError> {
    for key in [&PAIRING, &DEVICE_PASSWORD] {
        if let Some(verifier) = store.get(key).await?
            && published::is_verifier_of_code(&verifier, blocks)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
