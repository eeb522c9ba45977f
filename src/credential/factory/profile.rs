//! The profile of a product: what its devices are given, as TOML. Every value is looked at before anything is made.
//!
//! ```text
//!  batch · issue
//!  profile  (this file)
//!  place · alphabet · code · offline · matter · cost
//! ```

use std::format;
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use super::batch::BatchError;
use super::place::BadInput;
use crate::credential::Cost;
use crate::credential::alphabet::Alphabet;
use crate::credential::code::PairingCode;
use crate::credential::hexadecimal::bytes_of;
use crate::credential::limiter::LONGEST_LIMITER_NAME;
use crate::credential::matter;
use crate::credential::offline::OfflineSecret;
use crate::credential::wifi;
use crate::crypto::factory as crypto;
use crate::flash::MediumKind;

/// The longest profile, in bytes.
const LONGEST: u64 = 64 * 1024;

/// How a device gets its root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The factory draws it, writes it into fuses or a secure element, and seals it in the manifest row.
    Injected,
    /// The factory draws a key for the way only; at first boot the device puts everything under a key of its own
    /// ([`reseal`](crate::credential::reseal)).
    Transport,
}

impl Flow {
    /// As the profile and the manifest call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Transport => "transport",
        }
    }
}

/// A profile whose values are all possible.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What the label calls the product.
    pub(super) product: String,
    pub(super) model: String,
    pub(super) flow: Flow,
    pub(super) store: Store,
    pub(super) identity: Identity,
    /// Whose X25519 public key rows are sealed to.
    pub(super) recipient: [u8; 32],
    pub(super) matter: Option<Matter>,
    pub(super) code: Option<Typed>,
    pub(super) password: Option<Typed>,
    pub(super) wifi: Option<Wifi>,
    /// Areas behind the store, in the order of the profile.
    pub(super) limiters: Vec<Limiter>,
    pub(super) sheet: Sheet,
    /// SHA-256 of the text.
    pub(super) digest: [u8; 32],
}

#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) medium: MediumKind,
    pub(super) word: usize,
    pub(super) unit: usize,
    pub(super) units: usize,
    pub(super) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateKind {
    None,
    SelfIssued,
    CaIssued,
    Request,
}

#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) certificate: CertificateKind,
    pub(super) organisation: String,
    pub(super) issuer_certificate: Option<PathBuf>,
    pub(super) issuer_key: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub(super) struct Matter {
    pub(super) vendor: u16,
    pub(super) product: u16,
    pub(super) flow: matter::Flow,
    pub(super) discovery: matter::Discovery,
    pub(super) iterations: u32,
    pub(super) in_manifest: bool,
}

/// A secret that people type: a pairing code, or a password of the device.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) alphabet: String,
    pub(super) symbols: usize,
    pub(super) cost: Cost,
    pub(super) derived: bool,
    pub(super) in_manifest: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Wifi {
    /// With `{serial}` in it.
    pub(super) ssid: String,
    pub(super) alphabet: String,
    pub(super) symbols: usize,
    pub(super) security: wifi::Security,
    pub(super) derived: bool,
    pub(super) in_manifest: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Limiter {
    pub(super) name: String,
    pub(super) units: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    pub(super) columns: u32,
    pub(super) rows: u32,
}

impl Sheet {
    pub(super) const fn labels(self) -> u32 {
        self.columns * self.rows
    }
}

impl Wifi {
    pub(super) fn ssid_of(&self, serial: &str) -> String {
        self.ssid.replace(SERIAL, serial)
    }
}

/// What stands for the serial in the name of a network.
const SERIAL: &str = "{serial}";

impl Profile {
    /// Reads a profile; paths in it are taken from where it lies.
    ///
    /// # Errors
    ///
    /// [`BatchError::Read`] and [`BatchError::Input`].
    pub fn read(path: &Path) -> Result<Self, BatchError> {
        let fault = |source| BatchError::Read {
            path: path.into(),
            source,
        };
        let len = std::fs::metadata(path).map_err(fault)?.len();
        let name = path.display().to_string();
        if len > LONGEST {
            return Err(BatchError::Input(BadInput::at_byte(
                &name,
                "",
                0,
                "longer than 64 KiB",
            )));
        }
        let bytes = std::fs::read(path).map_err(fault)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let sound = std::str::from_utf8(sound).unwrap_or_default();
            BatchError::Input(BadInput::at_byte(&name, sound, sound.len(), "not UTF-8"))
        })?;
        let beside = path.parent().unwrap_or(Path::new(""));
        Self::parse(&name, text, beside).map_err(BatchError::Input)
    }

    /// Reads the text of a profile; `beside` is where its paths begin.
    ///
    /// # Errors
    ///
    /// [`BadInput`], with the place.
    pub fn parse(file: &str, text: &str, beside: &Path) -> Result<Self, BadInput> {
        let parsed: Text = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            BadInput::at_byte(file, text, at, error.message().replace('\n', ", "))
        })?;
        let flaw =
            |span: core::ops::Range<usize>, reason: String| BadInput::at_byte(file, text, span.start, reason);
        parsed.check(beside, crypto::sha256(text.as_bytes()), &flaw)
    }

    /// How devices get their root key.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// The model that orders are for.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The bits of each secret, in thousandths, by its name.
    #[must_use]
    pub fn entropy(&self) -> Vec<(&'static str, u32)> {
        let of = |alphabet: &str, symbols| {
            Alphabet::new(alphabet).map_or(0, |alphabet| alphabet.millibits(symbols))
        };
        let mut all = std::vec![("root-key", 256_000), ("identity", 256_000)];
        if self.matter.is_some() {
            // 99,999,998 numbers without eleven, and without the published ones: 26.575 bits, rounded down.
            all.push(("matter-passcode", 26_575));
        }
        let code = self.code.as_ref();
        all.extend(code.map(|code| ("pairing-code", of(&code.alphabet, code.symbols))));
        let password = self.password.as_ref();
        all.extend(password.map(|password| ("device-password", of(&password.alphabet, password.symbols))));
        all.extend(
            self.wifi
                .as_ref()
                .map(|wifi| ("wifi-key", of(&wifi.alphabet, wifi.symbols))),
        );
        all
    }

    /// Whether a secret follows from the serial under a batch key.
    pub(super) fn derives(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.derived)
            || self.password.as_ref().is_some_and(|password| password.derived)
            || self.wifi.as_ref().is_some_and(|wifi| wifi.derived)
    }
}

// ---- as it is written ----

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    format: Spanned<u32>,
    product: Spanned<String>,
    model: Spanned<String>,
    root_key: RootKeyText,
    store: StoreText,
    identity: IdentityText,
    recipient: RecipientText,
    matter: Option<MatterText>,
    pairing_code: Option<TypedText>,
    device_password: Option<TypedText>,
    wifi_key: Option<WifiText>,
    #[serde(default)]
    limiter: Vec<LimiterText>,
    #[serde(default)]
    label: LabelText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RootKeyText {
    flow: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StoreText {
    label: Spanned<String>,
    medium: Spanned<String>,
    write_size: Spanned<u32>,
    erase_size: Spanned<u32>,
    units: Spanned<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct IdentityText {
    certificate: Spanned<String>,
    organisation: Option<Spanned<String>>,
    issuer_certificate: Option<Spanned<String>>,
    issuer_key: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RecipientText {
    public_key: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatterText {
    vendor: Spanned<u32>,
    product: Spanned<u32>,
    flow: Option<Spanned<String>>,
    discovery: Vec<Spanned<String>>,
    iterations: Option<Spanned<u32>>,
    #[serde(default)]
    in_manifest: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TypedText {
    alphabet: Option<Spanned<String>>,
    symbols: Spanned<u32>,
    cost: Option<Spanned<String>>,
    derive_from: Option<Spanned<String>>,
    #[serde(default)]
    in_manifest: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WifiText {
    ssid: Spanned<String>,
    alphabet: Option<Spanned<String>>,
    symbols: Spanned<u32>,
    security: Option<Spanned<String>>,
    derive_from: Option<Spanned<String>>,
    #[serde(default)]
    in_manifest: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LimiterText {
    name: Spanned<String>,
    units: Spanned<u32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LabelText {
    columns: Option<Spanned<u32>>,
    rows: Option<Spanned<u32>>,
}

type Flaw<'a> = dyn Fn(core::ops::Range<usize>, String) -> BadInput + 'a;

fn refuse<T>(flaw: &Flaw<'_>, at: &Spanned<T>, reason: impl Into<String>) -> BadInput {
    flaw(at.span(), reason.into())
}

/// One of several words.
fn word<T: Copy>(flaw: &Flaw<'_>, given: &Spanned<String>, words: &[(&str, T)]) -> Result<T, BadInput> {
    let found = words.iter().find(|(word, _)| word == given.get_ref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        refuse(flaw, given, format!("one of: {}", known.join(", ")))
    })
}

/// A number between two.
fn number(flaw: &Flaw<'_>, given: &Spanned<u32>, from: u32, to: u32) -> Result<u32, BadInput> {
    let value = *given.get_ref();
    if (from..=to).contains(&value) {
        Ok(value)
    } else {
        Err(refuse(flaw, given, format!("a number from {from} to {to}")))
    }
}

/// Printable text of so many bytes.
fn text(flaw: &Flaw<'_>, given: &Spanned<String>, longest: usize) -> Result<String, BadInput> {
    let value = given.get_ref();
    if value.is_empty() || value.len() > longest || value.chars().any(char::is_control) {
        return Err(refuse(
            flaw,
            given,
            format!("1 to {longest} bytes of text, without control characters"),
        ));
    }
    Ok(value.clone())
}

fn alphabet(flaw: &Flaw<'_>, given: Option<&Spanned<String>>) -> Result<String, BadInput> {
    let Some(given) = given else {
        return Ok(Alphabet::CLEAR.symbols().into());
    };
    let symbols = match given.get_ref().as_str() {
        "clear" => Alphabet::CLEAR.symbols(),
        "digits" => Alphabet::DIGITS.symbols(),
        "hexadecimal" => Alphabet::HEXADECIMAL.symbols(),
        own => own,
    };
    let alphabet = Alphabet::new(symbols).map_err(|error| refuse(flaw, given, error.to_string()))?;
    //= compliance/requirements.md#cred-24
    //# An alphabet with symbols that look alike MUST be refused for what is printed.
    if let Some((a, b)) = alphabet.look_alikes() {
        return Err(refuse(flaw, given, format!("{a} and {b} look alike on a label")));
    }
    Ok(symbols.into())
}

fn cost(flaw: &Flaw<'_>, given: Option<&Spanned<String>>) -> Result<Cost, BadInput> {
    let presets = [
        ("32KiB", Cost::KIB_32),
        ("64KiB", Cost::KIB_64),
        ("256KiB", Cost::KIB_256),
        ("19MiB", Cost::MIB_19),
    ];
    given.map_or(Ok(Cost::KIB_64), |given| word(flaw, given, &presets))
}

//= compliance/requirements.md#cred-25
//# A secret MUST NOT be derived from anything but a serial under a secret batch key, and only where the profile asks for it; a MAC address or the name of a network is refused.
fn derived(flaw: &Flaw<'_>, given: Option<&Spanned<String>>) -> Result<bool, BadInput> {
    let Some(given) = given else {
        return Ok(false);
    };
    match given.get_ref().as_str() {
        "serial" => Ok(true),
        "mac" | "ssid" | "imei" | "eui64" | "bssid" => Err(refuse(
            flaw,
            given,
            "devices send it to everybody: nothing secret is derived from it",
        )),
        _ => Err(refuse(flaw, given, "one of: serial")),
    }
}

impl Text {
    fn check(self, beside: &Path, digest: [u8; 32], flaw: &Flaw<'_>) -> Result<Profile, BadInput> {
        if *self.format.get_ref() != 1 {
            return Err(refuse(
                flaw,
                &self.format,
                "this program reads profiles of format 1",
            ));
        }
        let recipient = bytes_of(self.recipient.public_key.get_ref())
            .and_then(|bytes| bytes.try_into().ok())
            .filter(crypto::is_public_key)
            .ok_or_else(|| {
                refuse(
                    flaw,
                    &self.recipient.public_key,
                    "64 hexadecimal digits of an X25519 public key",
                )
            })?;
        let flows = [("injected", Flow::Injected), ("transport", Flow::Transport)];
        let wifi = self.wifi_key.as_ref().map(|wifi| wifi.check(flaw)).transpose()?;
        if self.matter.is_none()
            && self.pairing_code.is_none()
            && self.device_password.is_none()
            && wifi.is_none()
        {
            return Err(refuse(
                flaw,
                &self.product,
                "nothing is issued: name at least one of [matter], [pairing-code], [device-password], [wifi-key]",
            ));
        }
        Ok(Profile {
            product: text(flaw, &self.product, 64)?,
            model: text(flaw, &self.model, 64)?,
            flow: word(flaw, &self.root_key.flow, &flows)?,
            store: self.store.check(flaw)?,
            identity: self.identity.check(beside, flaw)?,
            recipient,
            matter: self
                .matter
                .as_ref()
                .map(|matter| matter.check(flaw))
                .transpose()?,
            code: self
                .pairing_code
                .as_ref()
                .map(|code| code.check(flaw, PairingCode::check_shape))
                .transpose()?,
            password: self
                .device_password
                .as_ref()
                .map(|password| password.check(flaw, OfflineSecret::check_shape))
                .transpose()?,
            wifi,
            limiters: limiters(&self.limiter, flaw)?,
            sheet: Sheet {
                columns: self
                    .label
                    .columns
                    .as_ref()
                    .map_or(Ok(3), |given| number(flaw, given, 1, 5))?,
                rows: self
                    .label
                    .rows
                    .as_ref()
                    .map_or(Ok(8), |given| number(flaw, given, 1, 12))?,
            },
            digest,
        })
    }
}

fn limiters(given: &[LimiterText], flaw: &Flaw<'_>) -> Result<Vec<Limiter>, BadInput> {
    let mut all: Vec<Limiter> = Vec::new();
    for limiter in given {
        let name = text(flaw, &limiter.name, LONGEST_LIMITER_NAME)?;
        if all.iter().any(|before| before.name == name) {
            return Err(refuse(
                flaw,
                &limiter.name,
                "there is a limiter of this name before",
            ));
        }
        let units = number(flaw, &limiter.units, 2, 64)?;
        all.push(Limiter {
            name,
            units: usize::try_from(units).unwrap_or(2),
        });
    }
    Ok(all)
}

impl StoreText {
    fn check(&self, flaw: &Flaw<'_>) -> Result<Store, BadInput> {
        let media = [
            ("overwritable", MediumKind::Overwritable),
            ("write-once", MediumKind::WriteOnce),
        ];
        let word_size = *self.write_size.get_ref();
        if !matches!(word_size, 1 | 2 | 4 | 8 | 16 | 32) {
            return Err(refuse(flaw, &self.write_size, "one of: 1, 2, 4, 8, 16, 32"));
        }
        let unit = number(flaw, &self.erase_size, 128, 256 * 1024)?;
        if !unit.is_multiple_of(word_size.max(4)) {
            return Err(refuse(
                flaw,
                &self.erase_size,
                "an erase unit is made of whole words",
            ));
        }
        let units = number(flaw, &self.units, 4, 1 << 16)?;
        // Up to 1 MiB: an image is made in memory, by each thread.
        if unit.saturating_mul(units) > 1 << 20 {
            return Err(refuse(flaw, &self.units, "an image has at most 1 MiB"));
        }
        if 1024_u32.div_ceil(unit).saturating_mul(4) > units {
            return Err(refuse(
                flaw,
                &self.units,
                "a store needs four pages of at least 1 KiB",
            ));
        }
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Store {
            medium: word(flaw, &self.medium, &media)?,
            word: size(word_size),
            unit: size(unit),
            units: size(units),
            label: text(flaw, &self.label, 32)?,
        })
    }
}

impl IdentityText {
    fn check(&self, beside: &Path, flaw: &Flaw<'_>) -> Result<Identity, BadInput> {
        let kinds = [
            ("raw-public-key", CertificateKind::None),
            ("self-issued", CertificateKind::SelfIssued),
            ("ca-issued", CertificateKind::CaIssued),
            ("request", CertificateKind::Request),
        ];
        let certificate = word(flaw, &self.certificate, &kinds)?;
        let path = |given: &Option<Spanned<String>>| given.as_ref().map(|given| beside.join(given.get_ref()));
        let issuer = path(&self.issuer_certificate).is_some() && path(&self.issuer_key).is_some();
        if (certificate == CertificateKind::CaIssued) != issuer {
            return Err(refuse(
                flaw,
                &self.certificate,
                "issuer-certificate and issuer-key go with ca-issued, and with nothing else",
            ));
        }
        let organisation = self
            .organisation
            .as_ref()
            .map(|given| text(flaw, given, 64))
            .transpose()?;
        if organisation.is_none() && certificate != CertificateKind::None {
            return Err(refuse(
                flaw,
                &self.certificate,
                "a certificate names an organisation",
            ));
        }
        Ok(Identity {
            certificate,
            organisation: organisation.unwrap_or_default(),
            issuer_certificate: path(&self.issuer_certificate),
            issuer_key: path(&self.issuer_key),
        })
    }
}

impl MatterText {
    fn check(&self, flaw: &Flaw<'_>) -> Result<Matter, BadInput> {
        let flows = [
            ("standard", matter::Flow::Standard),
            ("user-intent", matter::Flow::UserIntent),
            ("custom", matter::Flow::Custom),
        ];
        let ways = [
            ("soft-ap", matter::Discovery::SOFT_AP),
            ("ble", matter::Discovery::BLE),
            ("on-network", matter::Discovery::ON_NETWORK),
            ("wifi-paf", matter::Discovery::WIFI_PAF),
            ("nfc", matter::Discovery::NFC),
        ];
        let half = |given: &Spanned<u32>| {
            let value = number(flaw, given, 1, 0xffff)?;
            Ok(u16::try_from(value).unwrap_or(0))
        };
        let mut discovery: Option<matter::Discovery> = None;
        for given in &self.discovery {
            let way = word(flaw, given, &ways)?;
            discovery = Some(discovery.map_or(way, |before| before | way));
        }
        Ok(Matter {
            vendor: half(&self.vendor)?,
            product: half(&self.product)?,
            flow: self
                .flow
                .as_ref()
                .map_or(Ok(matter::Flow::Standard), |given| word(flaw, given, &flows))?,
            discovery: discovery
                .ok_or_else(|| refuse(flaw, &self.vendor, "discovery names at least one way"))?,
            iterations: self
                .iterations
                .as_ref()
                .map_or(Ok(10_000), |given| number(flaw, given, 1000, 100_000))?,
            in_manifest: self.in_manifest,
        })
    }
}

impl TypedText {
    fn check<E: ToString>(
        &self,
        flaw: &Flaw<'_>,
        check_shape: impl Fn(Alphabet<'_>, usize) -> Result<(), E>,
    ) -> Result<Typed, BadInput> {
        let alphabet = alphabet(flaw, self.alphabet.as_ref())?;
        let symbols = symbols(flaw, &self.symbols, &alphabet, check_shape)?;
        Ok(Typed {
            alphabet,
            symbols,
            cost: cost(flaw, self.cost.as_ref())?,
            derived: derived(flaw, self.derive_from.as_ref())?,
            in_manifest: self.in_manifest,
        })
    }
}

impl WifiText {
    fn check(&self, flaw: &Flaw<'_>) -> Result<Wifi, BadInput> {
        let alphabet = alphabet(flaw, self.alphabet.as_ref())?;
        let symbols = symbols(flaw, &self.symbols, &alphabet, OfflineSecret::check_shape)?;
        let ssid = text(flaw, &self.ssid, wifi::LONGEST_SSID)?;
        let securities = [("wpa", wifi::Security::Wpa), ("sae", wifi::Security::Sae)];
        Ok(Wifi {
            ssid,
            alphabet,
            symbols,
            security: self
                .security
                .as_ref()
                .map_or(Ok(wifi::Security::Wpa), |given| word(flaw, given, &securities))?,
            derived: derived(flaw, self.derive_from.as_ref())?,
            in_manifest: self.in_manifest,
        })
    }
}

/// A length that the kind of secret allows.
fn symbols<E: ToString>(
    flaw: &Flaw<'_>,
    given: &Spanned<u32>,
    alphabet: &str,
    check_shape: impl Fn(Alphabet<'_>, usize) -> Result<(), E>,
) -> Result<usize, BadInput> {
    let symbols = usize::try_from(*given.get_ref()).unwrap_or(usize::MAX);
    let alphabet = Alphabet::new(alphabet).map_err(|error| refuse(flaw, given, error.to_string()))?;
    check_shape(alphabet, symbols).map_err(|error| refuse(flaw, given, error.to_string()))?;
    Ok(symbols)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"format = 1
product = "Lamp"
model = "L3"
root-key = { flow = "injected" }
store = { label = "settings", medium = "overwritable", write-size = 4, erase-size = 4096, units = 8 }
identity = { certificate = "self-issued", organisation = "Example" }
recipient = { public-key = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a" }
matter = { vendor = 0xFFF1, product = 0x8001, discovery = ["ble", "on-network"] }
pairing-code = { symbols = 8 }
device-password = { symbols = 18 }
wifi-key = { ssid = "Lamp-{serial}", symbols = 20 }
limiter = [{ name = "owner", units = 2 }]
"#;

    fn flaw(from: &str, to: &str) -> String {
        assert!(SOUND.contains(from), "{from}");
        let text = SOUND.replacen(from, to, 1);
        Profile::parse("p.toml", &text, Path::new(""))
            .err()
            .map(|flaw| flaw.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_sound_profile_says_the_bits_of_its_secrets() {
        let profile = Profile::parse("p.toml", SOUND, Path::new("")).expect("sound");
        assert_eq!(
            profile.entropy(),
            [
                ("root-key", 256_000),
                ("identity", 256_000),
                ("matter-passcode", 26_575),
                ("pairing-code", 36_188),
                ("device-password", 81_424),
                ("wifi-key", 90_471)
            ]
        );
        assert_eq!(profile.flow(), Flow::Injected);
    }

    //= compliance/requirements.md#cred-24
    //= type=test
    //# An alphabet with symbols that look alike MUST be refused for what is printed.
    //= compliance/requirements.md#cred-25
    //= type=test
    //# A secret MUST NOT be derived from anything but a serial under a secret batch key, and only where the profile asks for it; a MAC address or the name of a network is refused.
    #[test]
    #[allow(clippy::too_many_lines, reason = "a list")]
    fn each_flaw_of_a_profile_is_named_with_its_place() {
        for (from, to, place, reason) in [
            ("format = 1", "format = 2", "1:10", "this program reads"),
            ("format = 1", "", "1:1", "missing field `format`"),
            ("format = 1", "format = ", "1:10", ""),
            (
                "format = 1",
                "format = 1\nsurprise = 1",
                "2:1",
                "unknown field `surprise`",
            ),
            ("\"injected\"", "\"none\"", "4:21", "one of: injected, transport"),
            ("write-size = 4", "write-size = 3", "5:69", "one of: 1, 2"),
            (
                "erase-size = 4096",
                "erase-size = 64",
                "5:85",
                "a number from 128",
            ),
            (
                "erase-size = 4096",
                "erase-size = 130",
                "5:85",
                "an erase unit is made of whole words",
            ),
            ("units = 8", "units = 3", "5:99", "a number from 4"),
            ("units = 8", "units = 257", "5:99", "an image has at most 1 MiB"),
            (
                "erase-size = 4096, units = 8",
                "erase-size = 128, units = 31",
                "5:98",
                "a store needs four pages",
            ),
            (
                "\"overwritable\"",
                "\"eeprom\"",
                "5:40",
                "one of: overwritable, write-once",
            ),
            ("\"settings\"", "\"\"", "5:19", "1 to 32 bytes"),
            (
                "\"self-issued\"",
                "\"ca-issued\"",
                "6:28",
                "issuer-certificate and issuer-key",
            ),
            (
                ", organisation = \"Example\"",
                "",
                "6:28",
                "a certificate names an organisation",
            ),
            ("8520f0", "0", "7:28", "64 hexadecimal digits"),
            (
                "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                &"0".repeat(64),
                "7:28",
                "64 hexadecimal digits",
            ),
            ("0xFFF1", "0x1FFF1", "8:21", "a number from 1 to 65535"),
            ("\"ble\"", "\"smoke\"", "8:60", "one of: soft-ap"),
            (
                "discovery = [\"ble\", \"on-network\"]",
                "discovery = []",
                "8:21",
                "discovery names",
            ),
            (
                "discovery =",
                "iterations = 999, discovery =",
                "8:60",
                "a number from 1000",
            ),
            (
                "pairing-code = { symbols = 8",
                "pairing-code = { symbols = 4",
                "9:28",
                "a pairing code has at least",
            ),
            (
                "symbols = 8 }",
                "symbols = 8, alphabet = \"hexadecimal\" }",
                "9:42",
                "6 and b look alike",
            ),
            (
                "symbols = 8 }",
                "symbols = 8, alphabet = \"0123456789O\" }",
                "9:42",
                "0 and O look alike",
            ),
            (
                "symbols = 8 }",
                "symbols = 8, derive-from = \"mac\" }",
                "9:45",
                "devices send it to everybody",
            ),
            (
                "symbols = 20 }",
                "symbols = 20, derive-from = \"ssid\" }",
                "11:66",
                "devices send it to everybody",
            ),
            (
                "symbols = 18",
                "symbols = 17",
                "10:31",
                "an offline secret has at least 80 bits",
            ),
            (
                "symbols = 20",
                "symbols = 8",
                "11:48",
                "an offline secret has at least 80 bits",
            ),
            (
                "symbols = 18",
                "symbols = 18, cost = \"1KiB\"",
                "10:42",
                "one of: 32KiB",
            ),
            (
                "ssid = \"Lamp-{serial}\"",
                "ssid = \"\"",
                "11:21",
                "1 to 32 bytes",
            ),
            ("units = 2 }", "units = 1 }", "12:38", "a number from 2"),
            (
                "units = 2 }",
                "units = 2 }, { name = \"owner\", units = 3 }",
                "12:52",
                "there is a limiter of this name",
            ),
        ] {
            let said = flaw(from, to);
            assert!(
                said.starts_with(&format!("p.toml:{place}: {reason}")),
                "{said:?} for {to}"
            );
        }
        assert_eq!(
            flaw("symbols = 8 }", "symbols = 8, derive-from = \"serial\" }"),
            ""
        );
    }
}
