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

#[cfg(test)]
mod tests {
    use core::mem::swap;
    use std::path::Path;

    use super::super::certificate::Date;
    use super::super::issue::{Common, Times};
    use super::super::order::Row;
    use super::super::source::Sources;
    use super::*;
    use crate::credential::items::Serial;

    /// Everything that a profile can ask for.
    const PROFILE: &str = r#"
        format = 1
        product = "Lamp"
        model = "L3"
        root-key = { flow = "injected" }
        recipient = { public-key = "675dd574ed7789310b3d2e7681f3790b466c773b1521fecf36577958371ea52f" }
        store = { label = "settings", medium = "overwritable", write-size = 4, erase-size = 4096, units = 4 }
        identity = { certificate = "self-issued", organisation = "Example Lamps" }
        matter = { vendor = 0xFFF1, product = 0x8001, discovery = ["ble"], iterations = 1000 }
        pairing-code = { symbols = 8, cost = "32KiB" }
        device-password = { symbols = 18, cost = "32KiB" }
        wifi-key = { ssid = "Lamp-{serial}", symbols = 20 }
    "#;

    /// Makes one device differ from what it was issued, with what is another's or nothing.
    type Change = fn(&mut Issued, &mut Issued);

    fn issued(profile: &Profile, serial: &str, address: &str) -> (Issued, Generator) {
        let common = Common {
            profile,
            issuer: None,
            batch_key: None,
            day: Date::of_seconds(1_800_000_000),
            for_tests: true,
        };
        let row = Row {
            number: 0,
            serial: Serial::new(serial).expect("a serial"),
            identifiers: std::vec![("mac".into(), address.into())],
        };
        let sources = Sources::for_tests("images").expect("a source");
        let mut random = sources.generator(serial).expect("a source");
        let issued = Issued::draw(&common, row, &mut random, &mut Vec::new(), &mut Times::default());
        (issued.expect("drawn"), random)
    }

    //= compliance/requirements.md#cred-26
    //= type=test
    //# Label, QR code, verifier, image and manifest row of a device MUST come from one value, and the image MUST be read back and compared with it before the device counts as made.
    #[test]
    fn an_image_that_differs_in_one_item_from_what_was_issued_is_refused_by_its_name() {
        let profile = Profile::parse("lamp.toml", PROFILE, Path::new("")).expect("a sound profile");
        let (one, mut random) = issued(&profile, "SN-1", "02:00:5E:00:00:01");
        let bytes = one.image(&profile, &mut random).expect("made");
        let store = &profile.store;
        let len = store.unit * store.units;
        let compared = |issued: &Issued, key: &RootKey| {
            let image = Image::<true>::of(bytes[..len].to_vec(), store.word, store.unit);
            issued.compare(&mut Mounted::mount(image, key, &store.label).expect("mounts"))
        };
        let key = RootKey::new(*one.root_key.expose()).expect("a key");
        compared(&one, &key).expect("is what was issued");

        let changes: [(&str, Change); 14] = [
            ("the serial", |one, other| {
                swap(&mut one.row.serial, &mut other.row.serial);
            }),
            ("the identity", |one, other| {
                swap(&mut one.identity, &mut other.identity);
            }),
            ("the certificate", |one, other| {
                swap(&mut one.certificate, &mut other.certificate);
            }),
            ("the certificate", |one, _| {
                one.certificate = None;
            }),
            ("an identifier", |one, other| {
                swap(&mut one.row.identifiers, &mut other.row.identifiers);
            }),
            ("the setup code", |one, other| {
                swap(&mut one.matter, &mut other.matter);
            }),
            ("the setup code", |one, _| {
                one.matter = None;
            }),
            ("the pairing code", |one, other| {
                swap(&mut one.code, &mut other.code);
            }),
            ("the pairing code", |one, _| {
                one.code = None;
            }),
            ("the device password", |one, other| {
                swap(&mut one.password, &mut other.password);
            }),
            ("the device password", |one, _| {
                one.password = None;
            }),
            ("the Wi-Fi key", |one, other| {
                swap(&mut one.wifi, &mut other.wifi);
            }),
            ("the Wi-Fi key", |one, _| {
                one.wifi = None;
            }),
            ("whether it may be sold", |one, _| {
                one.for_tests = false;
            }),
        ];
        for (name, change) in changes {
            let (mut one, _) = issued(&profile, "SN-1", "02:00:5E:00:00:01");
            let (mut other, _) = issued(&profile, "SN-2", "02:00:5E:00:00:02");
            change(&mut one, &mut other);
            let refused = compared(&one, &key).expect_err(name);
            assert!(
                matches!(refused, IssueError::Disagree(what) if what == name),
                "{name}: {refused}"
            );
        }
    }
}
