//! First boot after a factory that never saw the root key: from the one-time transport key to the device's own.
//!
//! The image comes under a transport key, which is in the manifest and in nothing that stays on the device. At first boot the store is put
//! under the key out of fuses or a PUF. Mount with the device's own key at every boot; where that says
//! [`MountError::WrongRootKey`], call [`reseal`], again after a power cut.
//!
//! ```text
//!  the application's boot
//!  reseal   (this file)
//!  store
//! ```

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use crate::flash::{Medium, NeverPends, Now, two_faces};
use crate::secret::RootKey;
use crate::store::{AsyncStore, EraseError, Memory, MountError, Store, begin};

/// Why the device does not have its own key yet. The next boot tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResealError {
    /// Neither key opens the image, or it does not mount.
    #[error("the image mounts with neither key: {0}")]
    Mount(#[from] MountError),
    /// The two keys are one: there is nothing to put it under.
    #[error("the transport key is the device's own key")]
    SameKey,
    /// The key could not be changed.
    #[error("the keys cannot be changed: {0}")]
    Keys(#[from] EraseError),
}

/// Puts a store that came under a transport key under the device's own key, and mounts it.
///
/// ```
/// use bydesign::credential::reseal::{ResealError, reseal};
/// use bydesign::flash::Overwritable;
/// use bydesign::flash::simulator::{Rule, Simulator};
/// use bydesign::secret::RootKey;
/// use bydesign::store::{Class, Key, MountError, Ram, Store};
/// # fn key(seed: u8) -> RootKey { RootKey::new(core::array::from_fn(|at| seed ^ (at * at * 7 + at) as u8)).expect("sound") }
///
/// const SERIAL: Key<[u8; 4]> = Key::fixed("serial", Class::Identity);
/// type Memory = Ram<16, 256>;
/// let (transport, fuses) = (key(1), key(2));
/// let mut random = getrandom::SysRng;
///
/// // at the factory
/// let mut flash = Simulator::<4, 4096>::new(16 * 1024, Rule::Multiwrite);
/// let mut store = Store::format(Overwritable::new(&mut flash), Memory::new(), &transport, "settings", &mut random)?;
/// store.put(&SERIAL, b"SN-1", &mut random)?;
/// drop(store);
///
/// // at first boot
/// let mut medium = Overwritable::new(&mut flash);
/// let first = Store::mount(&mut medium, Memory::new(), &fuses, "settings").err();
/// assert_eq!(first, Some(MountError::WrongRootKey));
/// let mut store = reseal::<_, Memory, _>(&mut medium, &transport, &fuses, "settings", &mut random)?;
/// assert_eq!(store.get(&SERIAL)?.as_ref(), Some(b"SN-1"));
/// drop(store);
///
/// // ever after
/// assert!(Store::mount(&mut medium, Memory::new(), &fuses, "settings").is_ok());
/// let with_transport = Store::mount(&mut medium, Memory::new(), &transport, "settings").err();
/// assert_eq!(with_transport, Some(MountError::WrongRootKey));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`ResealError`].
///
/// # Power loss
///
/// The image opens with one of the two keys, or for an instant with either; call this again, and it ends with the device's own.
///
/// # Security
///
/// After this returned, the transport key opens nothing on a later dump: the key page under it is erased. A class that gets its first value
/// later has a key that no earlier image holds. What the factory itself put in, it knows; the keys of the classes that it
/// used (identity, and the library's ledger) and of the store's own records stay what they were. Serves CoP 4; EN 303 645 5.4-1, 5.4-4.
#[two_faces]
pub fn reseal<'m, M: NeverPends, I: Memory + Default, R: TryCryptoRng + ?Sized>(
    medium: &'m mut M,
    transport_key: &RootKey,
    own_key: &RootKey,
    label: &str,
    random: &mut R,
) -> Result<Store<&'m mut M, I>, ResealError> {
    refuse_one_key(transport_key, own_key)?;
    let with_own = begin(
        || AsyncStore::unmounted(Now(&mut *medium), I::default(), label),
        async |store| store.find_unerased(own_key, label).await,
        |_, ()| (),
    );
    let transport_key = still_under(transport_key, with_own)?;
    begin(
        || Ok(AsyncStore::unmounted(Now(medium), I::default(), label)?),
        async |store| {
            store
                .find_unerased(transport_key.unwrap_or(own_key), label)
                .await?;
            put_under(store, transport_key, own_key, random).await
        },
        |store, ()| store,
    )
}

/// As [`reseal`], over a driver that may be async.
///
/// # Errors
///
/// [`ResealError`].
///
/// # Cancelling
///
/// The future may be dropped at any await: as a power cut.
#[two_faces]
pub async fn reseal_async<'m, M: Medium, I: Memory + Default, R: TryCryptoRng + ?Sized>(
    medium: &'m mut M,
    transport_key: &RootKey,
    own_key: &RootKey,
    label: &str,
    random: &mut R,
) -> Result<AsyncStore<&'m mut M, I>, ResealError> {
    refuse_one_key(transport_key, own_key)?;
    let with_own = AsyncStore::mount(&mut *medium, I::default(), own_key, label).await;
    let transport_key = still_under(transport_key, with_own.map(drop))?;
    let root_key = transport_key.unwrap_or(own_key);
    let mut store = AsyncStore::mount(medium, I::default(), root_key, label).await?;
    put_under(&mut store, transport_key, own_key, random).await?;
    Ok(store)
}

/// Puts the store under the own key, if it is still under the other.
//= compliance/requirements.md#cred-33
//# After first boot the transport key MUST open nothing on the flash, wherever power was cut before, and what the factory put in MUST be there.
#[two_faces]
async fn put_under<M: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
    store: &mut AsyncStore<M, I>,
    transport_key: Option<&RootKey>,
    own_key: &RootKey,
    random: &mut R,
) -> Result<(), ResealError> {
    if transport_key.is_some() {
        store.change_root_key(own_key, random).await?;
    }
    Ok(())
}

fn refuse_one_key(transport_key: &RootKey, own_key: &RootKey) -> Result<(), ResealError> {
    if bool::from(transport_key.expose().ct_eq(own_key.expose())) {
        return Err(ResealError::SameKey);
    }
    Ok(())
}

/// The transport key, unless a mount with the own one went well: between the two there is an instant at which either opens the image, and that mount
/// decides.
fn still_under(
    transport_key: &RootKey,
    with_own: Result<(), MountError>,
) -> Result<Option<&RootKey>, ResealError> {
    match with_own {
        Ok(()) => Ok(None),
        Err(MountError::WrongRootKey) => Ok(Some(transport_key)),
        Err(error) => Err(error.into()),
    }
}
