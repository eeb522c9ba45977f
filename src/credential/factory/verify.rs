//! The end of the line: is what is printed on the device what its image takes?
//!
//! ```text
//!  the program, the station
//!  verify   (this file)
//!  image · profile
//!  code · offline · matter · wifi · verifier
//! ```

use std::vec;

use subtle::ConstantTimeEq;

use super::image::Mounted;
use super::profile::Profile;
use crate::credential::alphabet::Alphabet;
use crate::credential::code::PairingCode;
use crate::credential::items::{DEVICE_PASSWORD, NOT_FOR_SALE, PAIRING, PAIRING_PAKE, SERIAL};
use crate::credential::matter::{DISCRIMINATOR, Passcode, read_manual_code, read_qr_payload};
use crate::credential::offline::OfflineSecret;
use crate::credential::text::SecretText;
use crate::credential::wifi::{self, read_wifi_text};
use crate::credential::{Block, Verifier, VerifierError};
use crate::crypto::factory::spake2p_verifier;
use crate::flash::image::Image;
use crate::flash::{MediumKind, NeverPends};
use crate::secret::RootKey;
use crate::store::{MountError, ReadError};

/// Why a label does not belong to an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// What was scanned or typed is nothing that the profile's labels carry.
    #[error("not a code of this product's labels: misread, or the label of something else")]
    Unreadable,
    /// The label is one of another device.
    #[error("the {0} on the label is not that of the image: the label of another device")]
    Other(&'static str),
    /// The image does not mount with this key.
    #[error("the image does not mount: {0}")]
    Mount(MountError),
    /// The image does not read.
    #[error("the image does not read: {0}")]
    Read(ReadError),
    /// The verifier cannot be computed.
    #[error("the verifier cannot be computed: {0}")]
    Verifier(VerifierError),
}

/// Whether a text from a label, scanned or typed, opens what is in the image; the name of what it is. The verifier is computed anew
/// from the text, as the device would.
///
/// # Errors
///
/// [`Mismatch`].
//= compliance/requirements.md#cred-29
//# A label MUST be accepted at the end of the line only if the image takes the code on it, computed anew from the printed text.
pub fn verify_label(
    profile: &Profile,
    image: &[u8],
    root_key: &RootKey,
    scanned: &str,
) -> Result<&'static str, Mismatch> {
    mounted(profile, image, root_key, Scanned { profile, scanned })
}

/// Whether an image was made with a test seed, so that what is in it can be computed by whoever knows that: the end of a line that makes what is
/// sold refuses it. What stands on the label says nothing of it but in words.
///
/// # Errors
///
/// [`Mismatch::Mount`] and [`Mismatch::Read`].
//= compliance/requirements.md#cred-31
//# Output MUST be reproducible only with an explicit test seed, and everything made with one MUST say that it is not for sale.
pub fn is_not_for_sale(profile: &Profile, image: &[u8], root_key: &RootKey) -> Result<bool, Mismatch> {
    mounted(profile, image, root_key, Mark)
}

/// What is looked for in an image, of either kind of medium.
trait Look {
    type Answer;

    fn at<M: NeverPends>(self, image: Mounted<M>) -> Result<Self::Answer, Mismatch>;
}

struct Mark;

impl Look for Mark {
    type Answer = bool;

    fn at<M: NeverPends>(self, mut image: Mounted<M>) -> Result<bool, Mismatch> {
        let mark = image.get(&NOT_FOR_SALE).map_err(Mismatch::Read)?;
        Ok(mark.unwrap_or(false))
    }
}

struct Scanned<'a> {
    profile: &'a Profile,
    scanned: &'a str,
}

impl Look for Scanned<'_> {
    type Answer = &'static str;

    fn at<M: NeverPends>(self, image: Mounted<M>) -> Result<&'static str, Mismatch> {
        against(self.profile, image, self.scanned)
    }
}

/// Mounts an image as the device would.
fn mounted<L: Look>(
    profile: &Profile,
    image: &[u8],
    root_key: &RootKey,
    look: L,
) -> Result<L::Answer, Mismatch> {
    let store = &profile.store;
    // Behind the store are the areas of limiters.
    let image = image
        .get(..store.unit.saturating_mul(store.units))
        .unwrap_or(image);
    match store.medium {
        MediumKind::Overwritable => {
            let image = Image::<true>::of(image.into(), store.word, store.unit);
            look.at(Mounted::mount(image, root_key, &store.label).map_err(Mismatch::Mount)?)
        }
        MediumKind::WriteOnce => {
            let image = Image::<false>::of(image.into(), store.word, store.unit);
            look.at(Mounted::mount(image, root_key, &store.label).map_err(Mismatch::Mount)?)
        }
    }
}

fn against<M: NeverPends>(
    profile: &Profile,
    mut image: Mounted<M>,
    scanned: &str,
) -> Result<&'static str, Mismatch> {
    let scanned = scanned.trim();
    if scanned.starts_with("MT:") {
        return matter_qr(profile, &mut image, scanned);
    }
    if let Some((ssid, key)) = read_wifi_text(scanned) {
        return is_wifi(&mut image, Some(ssid.expose()), key.expose());
    }
    // Typed text says less of what it is: whatever it can be is tried, and one has to be right.
    let mut other = None;
    if profile.matter.is_some()
        && let Ok(code) = read_manual_code(scanned)
    {
        let discriminator = Discriminator::Short(code.short_discriminator);
        match is_matter(&mut image, &code.passcode, &discriminator) {
            Err(mismatch @ Mismatch::Other(_)) => other = Some(mismatch),
            done => return done.map(|()| "setup code"),
        }
    }
    if let Some(code) = &profile.code
        && let Ok(alphabet) = Alphabet::new(&code.alphabet)
        && let Ok(typed) = PairingCode::parse(scanned, alphabet)
        && typed.symbols().len() == code.symbols.saturating_add(1)
    {
        let kept = image.get(&PAIRING).map_err(Mismatch::Read)?;
        match is_hashed(kept.as_ref(), typed.symbols(), "pairing code") {
            Err(mismatch @ Mismatch::Other(_)) => other = Some(mismatch),
            done => return done,
        }
    }
    if let Some(password) = &profile.password
        && let Ok(alphabet) = Alphabet::new(&password.alphabet)
        && let Ok(typed) = OfflineSecret::parse(scanned, alphabet)
        && typed.expose().len() == password.symbols
    {
        let kept = image.get(&DEVICE_PASSWORD).map_err(Mismatch::Read)?;
        match is_hashed(kept.as_ref(), typed.expose(), "device password") {
            Err(mismatch @ Mismatch::Other(_)) => other = Some(mismatch),
            done => return done,
        }
    }
    if let Some(wifi) = &profile.wifi
        && let Ok(alphabet) = Alphabet::new(&wifi.alphabet)
        && let Ok(typed) = OfflineSecret::parse(scanned, alphabet)
        && typed.expose().len() == wifi.symbols
    {
        match is_wifi(&mut image, None, typed.expose()) {
            Err(mismatch @ Mismatch::Other(_)) => other = Some(mismatch),
            done => return done,
        }
    }
    let serial = image.get(&SERIAL).map_err(Mismatch::Read)?;
    if serial.is_some_and(|serial| serial.as_str() == scanned) {
        return Ok("serial");
    }
    Err(other.unwrap_or(Mismatch::Unreadable))
}

fn matter_qr<M: NeverPends>(
    profile: &Profile,
    image: &mut Mounted<M>,
    scanned: &str,
) -> Result<&'static str, Mismatch> {
    let setup = read_qr_payload(scanned).map_err(|_| Mismatch::Unreadable)?;
    let own = profile.matter.as_ref().ok_or(Mismatch::Unreadable)?;
    if (setup.vendor(), setup.product()) != (own.vendor, own.product) {
        return Err(Mismatch::Other("product in the setup code"));
    }
    is_matter(
        image,
        setup.passcode(),
        &Discriminator::Long(setup.discriminator()),
    )?;
    Ok("setup code")
}

enum Discriminator {
    Short(u8),
    Long(u16),
}

fn is_matter<M: NeverPends>(
    image: &mut Mounted<M>,
    passcode: &Passcode,
    discriminator: &Discriminator,
) -> Result<(), Mismatch> {
    let kept = image.get(&DISCRIMINATOR).map_err(Mismatch::Read)?;
    let same = kept.is_some_and(|kept| match *discriminator {
        Discriminator::Short(short) => kept >> 8 == u16::from(short),
        Discriminator::Long(long) => kept == long,
    });
    if !same {
        return Err(Mismatch::Other("discriminator"));
    }
    let other = Mismatch::Other("setup code");
    let kept = image.get(&PAIRING_PAKE).map_err(Mismatch::Read)?.ok_or(other)?;
    let (w0, l) = spake2p_verifier(passcode.expose(), kept.salt(), kept.iterations).map_err(|_| other)?;
    if bool::from(w0.ct_eq(&kept.w0) & l.ct_eq(&kept.l)) {
        Ok(())
    } else {
        Err(other)
    }
}

fn is_hashed(kept: Option<&Verifier>, typed: &str, what: &'static str) -> Result<&'static str, Mismatch> {
    let kept = kept.ok_or(Mismatch::Other(what))?;
    let mut blocks = vec![Block::new(); usize::try_from(kept.cost().memory_kib()).unwrap_or(0)];
    match kept.matches(typed.as_bytes(), &mut blocks) {
        Ok(true) => Ok(what),
        Ok(false) => Err(Mismatch::Other(what)),
        Err(error) => Err(Mismatch::Verifier(error)),
    }
}

fn is_wifi<M: NeverPends>(
    image: &mut Mounted<M>,
    ssid: Option<&str>,
    key: &str,
) -> Result<&'static str, Mismatch> {
    let kept_name = image.get(&wifi::SSID).map_err(Mismatch::Read)?;
    let kept_key = image.get(&wifi::KEY).map_err(Mismatch::Read)?;
    let same_name = ssid.is_none_or(|ssid| kept_name.is_some_and(|kept| kept.expose() == ssid));
    let typed = SecretText::<63>::of(key).unwrap_or_default();
    let same_key = kept_key.is_some_and(|kept| bool::from(kept.ct_eq(&typed)));
    if same_name && same_key {
        Ok("Wi-Fi key")
    } else {
        Err(Mismatch::Other("Wi-Fi key"))
    }
}
