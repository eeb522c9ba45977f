//! The manifest: what somebody has to know of each device and nobody else may, sealed row by row to a public key.
//!
//! ```text
//!  batch
//!  manifest (this file)   RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305
//!  issue
//!  crypto::factory
//! ```

use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::issue::{IssueError, Issued};
use super::profile::{Flow, Profile};
use super::source::Generator;
use crate::credential::hexadecimal::digits_of;
use crate::crypto::factory as crypto;
use crate::secret::Secret;

/// What the `info` of every row begins with. Device id and serial follow: a row cannot be moved to another device. They stand here and not in
/// the associated data because common implementations have no argument for that.
const INFO: &str = "bydesign manifest row 1";

/// Why a row does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not a line of a manifest.
    #[error("not a row of a manifest")]
    Form,
    /// It was sealed to another key, or changed, or belongs to another device.
    #[error("the row does not open: sealed to another key, or changed")]
    Sealed,
}

#[derive(Deserialize)]
struct Line {
    device_id: String,
    serial: String,
    enc: String,
    ciphertext: String,
}

/// An opened row. Its secrets are wiped when it is dropped.
pub struct Manifest {
    /// The device's id.
    pub device_id: String,
    /// Its serial.
    pub serial: String,
    /// The plaintext: a JSON object, see `docs/provisioning.md`.
    pub json: Zeroizing<Vec<u8>>,
}

impl Manifest {
    /// The root key, or the transport key, of the device.
    ///
    /// # Errors
    ///
    /// [`ManifestError::Form`] if the row has none.
    pub fn root_key(&self) -> Result<Secret<32>, ManifestError> {
        #[derive(Deserialize)]
        struct Keys<'a> {
            root_key: Option<&'a str>,
            transport_key: Option<&'a str>,
        }
        let keys: Keys<'_> = serde_json::from_slice(&self.json).map_err(|_| ManifestError::Form)?;
        let digits = keys.root_key.or(keys.transport_key).ok_or(ManifestError::Form)?;
        let bytes = Zeroizing::new(bytes(digits)?);
        Ok(Secret::new(
            bytes.as_slice().try_into().map_err(|_| ManifestError::Form)?,
        ))
    }
}

impl Issued {
    /// The row of the manifest: the root key, and the secrets that the profile puts in.
    pub(super) fn manifest_line(
        &self,
        profile: &Profile,
        random: &mut Generator,
    ) -> Result<String, IssueError> {
        let plain = self.manifest_plaintext(profile);
        let mut sealing = random.seeded()?;
        let info = info(&self.device_id, self.row.serial.as_str());
        let (enc, text) = crypto::seal_row(&profile.recipient, info.as_bytes(), &plain, &mut sealing)
            .map_err(|_| IssueError::Row("a row of the manifest cannot be sealed"))?;
        Ok(format!(
            "{{\"device_id\":\"{}\",\"serial\":\"{}\",{}\"enc\":\"{}\",\"ciphertext\":\"{}\"}}\n",
            self.device_id,
            self.row.serial.as_str(),
            if self.for_tests {
                "\"not_for_sale\":true,"
            } else {
                ""
            },
            digits_of(&enc),
            digits_of(&text)
        ))
    }

    /// Written by hand into one buffer, so that no copy of a secret is left in memory that is not wiped. None of the texts has anything to
    /// escape but the name of the network.
    fn manifest_plaintext(&self, profile: &Profile) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(Vec::with_capacity(2048));
        let head = format!(
            "{{\"format\":1,\"device_id\":\"{}\",\"serial\":\"{}\"",
            self.device_id,
            self.row.serial.as_str()
        );
        plain.extend_from_slice(head.as_bytes());
        let mut add = |name: &str, value: &str| {
            for part in [",\"", name, "\":\"", value, "\""] {
                plain.extend_from_slice(part.as_bytes());
            }
        };
        let key = match profile.flow {
            Flow::Injected => "root_key",
            Flow::Transport => "transport_key",
        };
        add(key, &Zeroizing::new(digits_of(self.root_key.expose())));
        if let Some(matter) = self
            .matter
            .as_ref()
            .filter(|_| profile.matter.as_ref().is_some_and(|own| own.in_manifest))
        {
            add("matter_qr", matter.setup.qr_payload().expose());
            add("matter_manual_code", matter.setup.manual_code().expose());
        }
        if let Some((code, _)) = self
            .code
            .as_ref()
            .filter(|_| profile.code.as_ref().is_some_and(|own| own.in_manifest))
        {
            add("pairing_code", &escaped(code.symbols()));
        }
        let password = self.password.as_ref();
        if let Some((password, _)) =
            password.filter(|_| profile.password.as_ref().is_some_and(|own| own.in_manifest))
        {
            add("device_password", &escaped(password.expose()));
        }
        if let Some((ssid, key)) = self
            .wifi
            .as_ref()
            .filter(|_| profile.wifi.as_ref().is_some_and(|own| own.in_manifest))
        {
            add("wifi_ssid", &escaped(ssid));
            add("wifi_key", &escaped(key.expose()));
        }
        plain.push(b'}');
        plain
    }
}

/// What a row is bound to besides its key.
fn info(device_id: &str, serial: &str) -> String {
    format!("{INFO} {device_id} {serial}")
}

/// Text as JSON has it between quotation marks.
fn escaped(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(6 * text.len()));
    for symbol in text.chars() {
        if matches!(symbol, '"' | '\\') {
            out.push('\\');
        }
        out.push(symbol);
    }
    out
}

/// Opens a row with the recipient's X25519 private key.
///
/// # Errors
///
/// [`ManifestError`].
//= compliance/requirements.md#cred-28
//# A root key or transport key MUST leave the station only sealed to the recipient's public key, in a row that opens for no other device.
pub fn open_row(line: &str, private_key: &Secret<32>) -> Result<Manifest, ManifestError> {
    let line: Line = serde_json::from_str(line).map_err(|_| ManifestError::Form)?;
    let enc: [u8; 32] = bytes(&line.enc)?.try_into().map_err(|_| ManifestError::Form)?;
    let json = crypto::open_row(
        private_key,
        &enc,
        info(&line.device_id, &line.serial).as_bytes(),
        &bytes(&line.ciphertext)?,
    )
    .map_err(|_| ManifestError::Sealed)?;
    Ok(Manifest {
        device_id: line.device_id,
        serial: line.serial,
        json,
    })
}

fn bytes(digits: &str) -> Result<Vec<u8>, ManifestError> {
    let mut bytes = vec![];
    let mut digits = digits.chars();
    while let Some(high) = digits.next() {
        let low = digits.next().ok_or(ManifestError::Form)?;
        let (high, low) = high
            .to_digit(16)
            .zip(low.to_digit(16))
            .ok_or(ManifestError::Form)?;
        bytes.push(u8::try_from(high << 4 | low).map_err(|_| ManifestError::Form)?);
    }
    Ok(bytes)
}

/// What `FINISHED` and the report say of how rows are sealed.
pub(super) fn scheme() -> Value {
    json!({
        "rfc": 9180, "mode": "base", "kem": "DHKEM(X25519, HKDF-SHA256)", "kdf": "HKDF-SHA256",
        "aead": "ChaCha20Poly1305", "info": "bydesign manifest row 1, device_id, serial, with spaces between", "aad": ""
    })
}
