//! The device's identity on paper: X.509 after IEEE 802.1AR, a request for it, or the raw public key.
//!
//! ```text
//!  issue
//!  certificate (this file)   RFC 5280, RFC 2986, RFC 7250, RFC 8410
//!  crypto::factory
//! ```

use std::path::{Path, PathBuf};
use std::string::String;
use std::time::Duration;
use std::vec::Vec;

use rcgen::string::PrintableString;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, IsCa, KeyIdMethod, KeyUsagePurpose, PublicKeyData,
    SerialNumber, SignatureAlgorithm, SigningKey, date_time_ymd,
};
use x509_parser::prelude::{FromDer, ParsedExtension, X509Certificate};

use super::profile::{CertificateKind, Identity};
use crate::crypto::factory::{IssuerKey, sha256};
use crate::crypto::sign;
use crate::secret::Secret;

/// A day, as certificates count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
}

/// What everything is dated that is made from a test seed.
pub(super) const TEST_DAY: Date = Date {
    year: 2000,
    month: 1,
    day: 1,
};

impl Date {
    /// The day of so many seconds since 1970, in UTC.
    pub(super) fn of_seconds(seconds: u64) -> Self {
        // Howard Hinnant's algorithm: eras of 400 years that begin in March.
        let days = i64::try_from(seconds / 86_400).unwrap_or(0) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year: i32::try_from(year).unwrap_or(1970),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }
}

/// `SubjectPublicKeyInfo` of an Ed25519 key (RFC 8410): what TLS with raw public keys (RFC 7250) sends.
#[must_use]
pub fn subject_public_key_info(public_key: &[u8; 32]) -> [u8; 44] {
    let mut bytes = [0; 44];
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    bytes
        .iter_mut()
        .zip(head.iter().chain(public_key))
        .for_each(|(to, from)| *to = *from);
    bytes
}

/// The device's key pair, as the certificate library wants it.
pub(super) struct DeviceKey<'a> {
    pub(super) seed: &'a Secret<32>,
    pub(super) public: [u8; 32],
}

impl PublicKeyData for DeviceKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl SigningKey for DeviceKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(sign::sign(self.seed, message).to_vec())
    }
}

impl PublicKeyData for IssuerKey {
    fn der_bytes(&self) -> &[u8] {
        self.public()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        if self.is_ed25519() {
            &rcgen::PKCS_ED25519
        } else {
            &rcgen::PKCS_ECDSA_P256_SHA256
        }
    }
}

impl SigningKey for IssuerKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(Self::sign(self, message))
    }
}

/// Whoever issues the devices' certificates: its certificate, and its private key.
pub struct Issuer {
    inner: rcgen::Issuer<'static, IssuerKey>,
    /// SHA-256 of the certificate.
    digest: [u8; 32],
}

/// Why there is no issuer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a certificate in PEM.
    #[error("{}: not a certificate in PEM", .0.display())]
    Certificate(PathBuf),
    /// The certificate is not one of an issuer: no certificate authority, or no key identifier.
    #[error("{}: not the certificate of an authority: it needs CA:TRUE and a subject key identifier", .0.display())]
    NoAuthority(PathBuf),
    /// A name of the issuer is written in a way that cannot be repeated.
    #[error("{}: the issuer's name has a form that is not supported", .0.display())]
    Name(PathBuf),
    /// Not a private key.
    #[error("{}: not a private key in PEM: PKCS#8, Ed25519 or P-256, not encrypted", .0.display())]
    Key(PathBuf),
    /// The private key is not that of the certificate.
    #[error("{}: the private key of another certificate", .0.display())]
    OtherKey(PathBuf),
}

impl Issuer {
    /// Reads a certificate and its private key, both in PEM.
    ///
    /// # Errors
    ///
    /// [`IssuerError`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IssuerError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| IssuerError::Read {
                path: path.into(),
                source,
            })
        };
        let pem = read(certificate)?;
        let key_pem = zeroize::Zeroizing::new(read(key)?);
        let bad_certificate = || IssuerError::Certificate(certificate.into());
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).map_err(|_| bad_certificate())?;
        let (_, parsed) = X509Certificate::from_der(&pem.contents).map_err(|_| bad_certificate())?;
        let bad_key = || IssuerError::Key(key.into());
        let (_, key_pem) = x509_parser::pem::parse_x509_pem(&key_pem).map_err(|_| bad_key())?;
        let der = zeroize::Zeroizing::new(key_pem.contents);
        let issuer_key = IssuerKey::from_pkcs8(&der).ok_or_else(bad_key)?;
        if parsed.public_key().subject_public_key.data.as_ref() != issuer_key.public() {
            return Err(IssuerError::OtherKey(key.into()));
        }
        let no_authority = || IssuerError::NoAuthority(certificate.into());
        if !parsed.is_ca() {
            return Err(no_authority());
        }
        let identifier = parsed
            .iter_extensions()
            .find_map(|extension| match extension.parsed_extension() {
                ParsedExtension::SubjectKeyIdentifier(identifier) => Some(identifier.0.to_vec()),
                _ => None,
            })
            .ok_or_else(no_authority)?;
        let bad_name = || IssuerError::Name(certificate.into());
        let mut params = CertificateParams::default();
        params.distinguished_name = name_of(&parsed).ok_or_else(bad_name)?;
        params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
        params.key_usages = std::vec![KeyUsagePurpose::KeyCertSign];
        let issuer = Self {
            inner: rcgen::Issuer::new(params, issuer_key),
            digest: sha256(&pem.contents),
        };
        // What is issued has to name the issuer byte for byte as its own certificate does.
        let probe = Secret::new([1; 32]);
        let public = sign::public_key(&probe);
        let key = DeviceKey { seed: &probe, public };
        let signed = params_for("probe", "probe", "probe", TEST_DAY, &[1; 16], &public)
            .signed_by(&key, &issuer.inner)
            .map_err(|_| bad_name())?;
        let (_, certified) = X509Certificate::from_der(signed.der()).map_err(|_| bad_name())?;
        if certified.issuer().as_raw() == parsed.subject().as_raw() {
            Ok(issuer)
        } else {
            Err(bad_name())
        }
    }

    /// Which certificate it is.
    pub(super) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The subject of a certificate, as the certificate library takes names.
fn name_of(certificate: &X509Certificate<'_>) -> Option<DistinguishedName> {
    let mut name = DistinguishedName::new();
    for attribute in certificate.subject().iter_attributes() {
        let oid: Vec<u64> = attribute.attr_type().iter()?.collect();
        let text: String = attribute.as_str().ok()?.into();
        let value = match attribute.attr_value().tag().0 {
            12 => DnValue::Utf8String(text),
            19 => DnValue::PrintableString(text.as_str().try_into().ok()?),
            22 => DnValue::Ia5String(text.as_str().try_into().ok()?),
            _ => return None,
        };
        name.push(DnType::from_oid(&oid), value);
    }
    Some(name)
}

/// The attribute `serialNumber` of a name.
const SERIAL_NUMBER: &[u64] = &[2, 5, 4, 5];

fn params_for(
    organisation: &str,
    model: &str,
    serial: &str,
    day: Date,
    number: &[u8; 16],
    public: &[u8; 32],
) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, organisation);
    name.push(DnType::CommonName, model);
    name.push(
        DnType::from_oid(SERIAL_NUMBER),
        match PrintableString::try_from(serial) {
            Ok(serial) => DnValue::PrintableString(serial),
            Err(_) => DnValue::Utf8String(serial.into()),
        },
    );
    params.distinguished_name = name;
    params.not_before = date_time_ymd(day.year, day.month, day.day);
    // IEEE 802.1AR: an identity does not expire; RFC 5280, 4.1.2.5, says it so.
    params.not_after = date_time_ymd(9999, 12, 31) + Duration::from_secs(86_399);
    let mut positive = *number;
    if let Some(first) = positive.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    params.serial_number = Some(SerialNumber::from_slice(&positive));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = std::vec![KeyUsagePurpose::DigitalSignature];
    // RFC 7093, method 1
    let identifier = sha256(public).get(..20).unwrap_or_default().to_vec();
    params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    params
}

/// What proves or asks for the identity, in DER; `None` where the raw public key is enough.
pub(super) fn make(
    identity: &Identity,
    issuer: Option<&Issuer>,
    model: &str,
    serial: &str,
    day: Date,
    number: &[u8; 16],
    key: &DeviceKey<'_>,
) -> Result<Option<Vec<u8>>, rcgen::Error> {
    let mut params = params_for(&identity.organisation, model, serial, day, number, &key.public);
    match (identity.certificate, issuer) {
        (CertificateKind::None, _) => Ok(None),
        (CertificateKind::SelfIssued, _) => Ok(Some(params.self_signed(key)?.der().to_vec())),
        (CertificateKind::CaIssued, Some(issuer)) => {
            params.use_authority_key_identifier_extension = true;
            Ok(Some(params.signed_by(key, &issuer.inner)?.der().to_vec()))
        }
        (CertificateKind::CaIssued, None) => Err(rcgen::Error::CouldNotParseCertificate),
        (CertificateKind::Request, _) => {
            params.serial_number = None;
            params.is_ca = IsCa::NoCa;
            Ok(Some(params.serialize_request(key)?.der().to_vec()))
        }
    }
}

/// A block of PEM (RFC 7468).
pub(super) fn pem(kind: &str, der: &[u8]) -> String {
    use base64ct::{Base64, Encoding};
    let mut text = std::format!("-----BEGIN {kind}-----\n");
    for chunk in der.chunks(48) {
        let mut line = [0; 64];
        text.push_str(Base64::encode(chunk, &mut line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(kind);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, year, month, day) in [
            (0, 1970, 1, 1),
            (951_782_400, 2000, 2, 29),
            (1_785_542_399, 2026, 7, 31),
            (1_785_542_400, 2026, 8, 1),
            (4_107_542_400, 2100, 3, 1),
        ] {
            assert_eq!(Date::of_seconds(seconds), Date { year, month, day }, "{seconds}");
        }
    }
}
