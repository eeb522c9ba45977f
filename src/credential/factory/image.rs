//! The flash image of a device: a store that mounts, made by the same code that the device runs.
//!
//! ```text
//!  batch · verify
//!  image    (this file)
//!  issue · items
//!  store · flash::image
//! ```

use std::format;
use std::vec::Vec;

use subtle::ConstantTimeEq;

use super::issue::{IssueError, Issued};
use super::profile::Profile;
use super::source::Generator;
use crate::credential::items::{
    DEVICE_PASSWORD, IDENTITY, NOT_FOR_SALE, PAIRING, PAIRING_PAKE, SERIAL, Spake2pVerifier,
};
use crate::credential::limiter::{Limiter, Moment, Policy};
use crate::credential::text::SecretText;
use crate::credential::{LONGEST_PHC, Verifier, wifi};
use crate::flash::image::Image;
use crate::flash::{MediumKind, NeverPends};
use crate::secret::{RootKey, Secret};
use crate::store::{Class, Key, MountError, Ram, ReadError, Store};

/// Under which name the certificate is kept, in class identity.
pub(super) const CERTIFICATE: &str = "identity.certificate";
/// What stands before the name of an order's column.
const ORDER: &str = "order.";

/// When limiters begin: the device's own time starts with its first boot.
const START: Moment = Moment::Awake(0);

/// More items than a profile can ask for, and a record of the largest value.
type Memory = Ram<48, 2048>;

impl Issued {
    /// Makes the image: the store, and behind it the areas of the profile's limiters. Mounts it anew, and compares what is in it with this value.
    ///
    /// # Errors
    ///
    /// [`IssueError`].
    pub fn image(&self, profile: &Profile, random: &mut Generator) -> Result<Vec<u8>, IssueError> {
        let store = &profile.store;
        match store.medium {
            MediumKind::Overwritable => self.made(
                profile,
                Image::<true>::blank(store.word, store.unit, store.units),
                random,
            ),
            MediumKind::WriteOnce => self.made(
                profile,
                Image::<false>::blank(store.word, store.unit, store.units),
                random,
            ),
        }
    }

    fn made<const OVERWRITABLE: bool>(
        &self,
        profile: &Profile,
        blank: Image<OVERWRITABLE>,
        random: &mut Generator,
    ) -> Result<Vec<u8>, IssueError> {
        let root_key = RootKey::new(*self.root_key.expose())?;
        let label = &profile.store.label;
        let mut store = Store::format(blank, Memory::new(), &root_key, label, random)?;
        store.put(&SERIAL, &self.row.serial, random)?;
        let seed = Secret::new(*self.identity.expose());
        store.put(&IDENTITY, &seed, random)?;
        if let Some(certificate) = &self.certificate {
            store.put_fixed_bytes(Class::Identity, CERTIFICATE, certificate, random)?;
        }
        for (name, value) in &self.row.identifiers {
            store.put_fixed_bytes(
                Class::Identity,
                &format!("{ORDER}{name}"),
                value.as_bytes(),
                random,
            )?;
        }
        if let Some(matter) = &self.matter {
            store.put(&PAIRING_PAKE, &matter.verifier, random)?;
            let discriminator = matter.setup.discriminator();
            store.put(&crate::credential::matter::DISCRIMINATOR, &discriminator, random)?;
        }
        if let Some((_, verifier)) = &self.code {
            store.put(&PAIRING, verifier, random)?;
        }
        if let Some((_, verifier)) = &self.password {
            store.put(&DEVICE_PASSWORD, verifier, random)?;
        }
        if let Some((ssid, key)) = &self.wifi {
            let (ssid, key) = (SecretText::of(ssid), SecretText::of(key.expose()));
            store.put(&wifi::SSID, &ssid.unwrap_or_default(), random)?;
            store.put(&wifi::KEY, &key.unwrap_or_default(), random)?;
        }
        if self.for_tests {
            store.put(&NOT_FOR_SALE, &true, random)?;
        }
        let (word, unit) = (profile.store.word, profile.store.unit);
        let mut areas = Vec::new();
        for limiter in &profile.limiters {
            let area = Image::<OVERWRITABLE>::blank(word, unit, limiter.units);
            let limiter = Limiter::create(area, &mut store, &limiter.name, Policy::new(), START, random)?;
            areas.push(limiter.into_medium().into_bytes());
        }
        let mut bytes = store.into_medium().into_bytes();
        // Read back as the device will: another mount, of what goes into the file.
        let mut mounted = Mounted::mount(
            Image::<OVERWRITABLE>::of(bytes.clone(), word, unit),
            &root_key,
            label,
        )?;
        self.compare(&mut mounted)?;
        for (area, limiter) in areas.into_iter().zip(&profile.limiters) {
            let copy = Image::<OVERWRITABLE>::of(area.clone(), word, unit);
            Limiter::mount(copy, &mut mounted.0, &limiter.name, Policy::new(), START)?;
            bytes.extend(area);
        }
        Ok(bytes)
    }

    fn compare<M: NeverPends>(&self, found: &mut Mounted<M>) -> Result<(), IssueError> {
        let same = |what, same: bool| {
            if same {
                Ok(())
            } else {
                Err(IssueError::Disagree(what))
            }
        };
        same(
            "the serial",
            found.get(&SERIAL)?.as_ref() == Some(&self.row.serial),
        )?;
        let identity = found.get(&IDENTITY)?;
        same(
            "the identity",
            identity.is_some_and(|seed| bool::from(seed.ct_eq(&self.identity))),
        )?;
        same(
            "the certificate",
            found.bytes(CERTIFICATE)?.as_deref() == self.certificate.as_deref(),
        )?;
        for (name, value) in &self.row.identifiers {
            let kept = found.bytes(&format!("{ORDER}{name}"))?;
            same("an identifier", kept.as_deref() == Some(value.as_bytes()))?;
        }
        let pake = found.get(&PAIRING_PAKE)?;
        same(
            "the setup code",
            match (&pake, &self.matter) {
                (Some(kept), Some(issued)) => {
                    is_same_pake(kept, &issued.verifier)
                        && found.get(&crate::credential::matter::DISCRIMINATOR)?
                            == Some(issued.setup.discriminator())
                }
                (None, None) => true,
                _ => false,
            },
        )?;
        let issued = |verifier: Option<&Verifier>| verifier.map(phc);
        same(
            "the pairing code",
            found.get(&PAIRING)?.as_ref().map(phc)
                == issued(self.code.as_ref().map(|(_, verifier)| verifier)),
        )?;
        same(
            "the device password",
            found.get(&DEVICE_PASSWORD)?.as_ref().map(phc)
                == issued(self.password.as_ref().map(|(_, verifier)| verifier)),
        )?;
        let (ssid, key) = (found.get(&wifi::SSID)?, found.get(&wifi::KEY)?);
        let kept = ssid
            .as_ref()
            .map(SecretText::expose)
            .zip(key.as_ref().map(SecretText::expose));
        let issued = self
            .wifi
            .as_ref()
            .map(|(ssid, key)| (ssid.as_str(), key.expose()));
        same("the Wi-Fi key", kept == issued)?;
        same(
            "whether it may be sold",
            found.get(&NOT_FOR_SALE)?.unwrap_or(false) == self.for_tests,
        )
    }
}

fn is_same_pake(a: &Spake2pVerifier, b: &Spake2pVerifier) -> bool {
    bool::from(a.w0.ct_eq(&b.w0) & a.l.ct_eq(&b.l)) && a.salt() == b.salt() && a.iterations == b.iterations
}

fn phc(verifier: &Verifier) -> zeroize::Zeroizing<Vec<u8>> {
    let mut out = [0; LONGEST_PHC];
    let text = verifier.write_phc(&mut out).unwrap_or_default();
    zeroize::Zeroizing::new(text.into())
}

/// An image that a device would boot with.
pub(super) struct Mounted<M: NeverPends>(Store<M, Memory>);

impl<M: NeverPends> Mounted<M> {
    pub(super) fn mount(medium: M, root_key: &RootKey, label: &str) -> Result<Self, MountError> {
        Store::mount(medium, Memory::new(), root_key, label).map(Self)
    }

    pub(super) fn get<T: crate::store::Stored>(&mut self, key: &Key<T>) -> Result<Option<T>, ReadError> {
        self.0.get(key)
    }

    fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let mut out = std::vec![0; 2048];
        let len = self.0.get_bytes(Class::Identity, name, &mut out)?;
        Ok(len.map(|len| {
            out.truncate(len);
            out
        }))
    }
}
