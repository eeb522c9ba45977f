//! The registry: which devices there are. It holds no secret, and nothing from which one follows.
//!
//! ```text
//!  batch
//!  registry (this file)
//!  issue
//! ```

use std::string::String;

use serde::Serialize;

use super::issue::Issued;
use super::profile::{CertificateKind, Profile};
use crate::credential::hexadecimal::digits_of;
use crate::crypto::factory::sha256;

/// A line of `registry.jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    device_id: &'a str,
    serial: &'a str,
    model: &'a str,
    identifiers: serde_json::Map<String, serde_json::Value>,
    public_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_sha256: Option<String>,
    root_key: &'a str,
    verifiers: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    not_for_sale: bool,
}

impl Issued {
    /// The line of the registry. Of verifiers it has the scheme and the cost: the hash of a short code, or a salt that makes a table
    /// of them, is something from which the code follows.
    //= compliance/requirements.md#cred-27
    //# Neither the registry nor the report, the journal or what is printed MUST hold a secret, a verifier, a salt or a hash of a secret.
    pub(super) fn registry_line(&self, profile: &Profile) -> Result<String, serde_json::Error> {
        let identifiers = self.row.identifiers.iter().filter(|(name, _)| &**name != "model");
        let mut verifiers = serde_json::Map::new();
        let argon2id = |cost: crate::credential::Cost| serde_json::json!({"scheme": "argon2id", "memory_kib": cost.memory_kib(), "passes": cost.passes()});
        if let Some(matter) = &self.matter {
            let parameters =
                serde_json::json!({"scheme": "spake2p-p256", "iterations": matter.verifier.iterations});
            verifiers.insert("matter".into(), parameters);
        }
        if let Some((_, verifier)) = &self.code {
            verifiers.insert("pairing-code".into(), argon2id(verifier.cost()));
        }
        if let Some((_, verifier)) = &self.password {
            verifiers.insert("device-password".into(), argon2id(verifier.cost()));
        }
        let certified = profile.identity.certificate != CertificateKind::Request;
        let line = Line {
            device_id: &self.device_id,
            serial: self.row.serial.as_str(),
            model: &profile.model,
            identifiers: identifiers
                .map(|(name, value)| (name.as_ref().into(), value.as_str().into()))
                .collect(),
            public_key: digits_of(&self.public_key),
            certificate_sha256: self
                .certificate
                .as_ref()
                .filter(|_| certified)
                .map(|der| digits_of(&sha256(der))),
            root_key: profile.flow.name(),
            verifiers,
            not_for_sale: self.for_tests,
        };
        let mut text = serde_json::to_string(&line)?;
        text.push('\n');
        Ok(text)
    }
}
