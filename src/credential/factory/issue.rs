//! One value for a device: everything that it is given, drawn once. Label, image, registry and manifest are made of it.
//!
//! ```text
//!  label · image · registry · manifest
//!  issue    (this file)
//!  profile · order · source · derive · certificate
//!  code · offline · matter · verifier
//! ```

use std::string::String;
use std::time::{Duration, Instant};
use std::vec::Vec;
use std::{format, vec};

use rand_core::TryRng;

use super::certificate::{self, Date, DeviceKey, Issuer, subject_public_key_info};
use super::derive::BatchKey;
use super::order::Row;
use super::profile::{CertificateKind, Profile};
use super::source::{Generator, SourceError};
use crate::credential::alphabet::{Alphabet, AlphabetError};
use crate::credential::code::PairingCode;
use crate::credential::hexadecimal::digits_of;
use crate::credential::items::Spake2pVerifier;
use crate::credential::limiter::AttemptError;
use crate::credential::matter::{Passcode, Setup};
use crate::credential::offline::OfflineSecret;
use crate::credential::{Block, Cost, Verifier, VerifierError};
use crate::crypto::factory::{sha256, spake2p_verifier};
use crate::crypto::sign;
use crate::secret::{RootKey, Secret, WeakRootKey};
use crate::store::{FormatError, MountError, ReadError, WriteError};

/// Why nothing was made for a device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The random source is not to be used.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No code or secret can be drawn of that shape.
    #[error("a secret of that shape cannot be drawn: {0}")]
    Shape(String),
    /// The drawn root key is visibly no secret, which means that the source is not to be trusted.
    #[error("the random source gave a root key that is none: {0}")]
    RootKey(#[from] WeakRootKey),
    /// The verifier could not be made.
    #[error("the verifier could not be made: {0}")]
    Verifier(#[from] VerifierError),
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The name of the network, with the serial in it, is longer than 32 bytes.
    #[error("the name of the network is longer than 32 bytes with the serial in it")]
    Ssid,
    /// The profile derives secrets, and no batch key was given.
    #[error("the profile derives secrets from serials: give the batch key")]
    NoBatchKey,
    /// The store could not be made in the image.
    #[error("the image cannot be made: {0}")]
    Format(#[from] FormatError),
    /// The store has no room for what the profile puts in.
    #[error("the image cannot be filled: {0}")]
    Write(#[from] WriteError),
    /// The image that was made does not mount.
    #[error("the image does not mount: {0}")]
    Mount(#[from] MountError),
    /// The image that was made does not read.
    #[error("the image does not read: {0}")]
    Read(#[from] ReadError),
    /// A limiter could not be made in the image.
    #[error("a limiter cannot be made: {0}")]
    Limiter(#[from] AttemptError),
    /// The image holds something else than the label says.
    #[error("image and label disagree about {0}")]
    Disagree(&'static str),
    /// A row could not be sealed or a label drawn.
    #[error("{0}")]
    Row(&'static str),
}

impl From<AlphabetError> for IssueError {
    fn from(error: AlphabetError) -> Self {
        Self::Shape(format!("{error}"))
    }
}

/// A setup code of Matter and its verifier.
pub(super) struct MatterIssued {
    pub(super) setup: Setup,
    pub(super) verifier: Spake2pVerifier,
}

/// What a device is given. It cannot be printed or copied; its secrets are wiped when it is dropped.
pub struct Issued {
    pub(super) row: Row,
    /// The first half of the SHA-256 of the public key, as TLS sends it.
    pub(super) device_id: String,
    pub(super) root_key: Secret<32>,
    pub(super) identity: Secret<32>,
    pub(super) public_key: [u8; 32],
    /// A certificate or a request, in DER.
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) matter: Option<MatterIssued>,
    pub(super) code: Option<(PairingCode, Verifier)>,
    pub(super) password: Option<(OfflineSecret, Verifier)>,
    pub(super) wifi: Option<(String, OfflineSecret)>,
    pub(super) for_tests: bool,
}

/// What all devices of a batch have in common.
pub(super) struct Common<'a> {
    pub(super) profile: &'a Profile,
    pub(super) issuer: Option<&'a Issuer>,
    pub(super) batch_key: Option<&'a BatchKey>,
    pub(super) day: Date,
    pub(super) for_tests: bool,
}

/// Where the time goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) argon2: Duration,
    pub(super) spake2p: Duration,
    pub(super) certificate: Duration,
    pub(super) image: Duration,
    pub(super) labels: Duration,
    pub(super) files: Duration,
}

impl Times {
    pub(super) fn add(&mut self, other: &Self) {
        self.argon2 += other.argon2;
        self.spake2p += other.spake2p;
        self.certificate += other.certificate;
        self.image += other.image;
        self.labels += other.labels;
        self.files += other.files;
    }
}

/// Runs `work`, and adds the time that it took.
pub(super) fn timed<T>(time: &mut Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *time += begun.elapsed();
    done
}

impl Issued {
    /// Draws what the profile says.
    //= compliance/requirements.md#cred-26
    //# Label, QR code, verifier, image and manifest row of a device MUST come from one value, and the image MUST be read back and compared with it before the device counts as made.
    pub(super) fn draw(
        common: &Common<'_>,
        row: Row,
        random: &mut Generator,
        blocks: &mut Vec<Block>,
        times: &mut Times,
    ) -> Result<Self, IssueError> {
        let profile = common.profile;
        let serial = row.serial;
        let derived = |purpose, derived: bool| match (derived, common.batch_key) {
            (false, _) => Ok(None),
            (true, None) => Err(IssueError::NoBatchKey),
            (true, Some(key)) => Ok(Some(key.generator(purpose, &serial)?)),
        };
        let root_key = Secret::<32>::random(random)?;
        let identifiers: Vec<&[u8]> = core::iter::once(serial.as_str())
            .chain(row.identifiers.iter().map(|(_, value)| value.as_str()))
            .map(str::as_bytes)
            .collect();
        RootKey::unrelated_to(*root_key.expose(), &identifiers)?;
        let identity = Secret::<32>::random(random)?;
        let mut number = [0; 16];
        random.try_fill_bytes(&mut number)?;
        let public_key = sign::public_key(&identity);
        let certificate = timed(&mut times.certificate, || {
            let key = DeviceKey {
                seed: &identity,
                public: public_key,
            };
            certificate::make(
                &profile.identity,
                common.issuer,
                &profile.model,
                serial.as_str(),
                common.day,
                &number,
                &key,
            )
        })?;
        let matter = timed(&mut times.spake2p, || {
            profile
                .matter
                .as_ref()
                .map(|matter| draw_matter(matter, random))
                .transpose()
        })?;
        let code = profile.code.as_ref().map(|code| {
            let mut derived = derived("pairing-code", code.derived)?;
            let alphabet = Alphabet::new(&code.alphabet)?;
            let drawn = PairingCode::random(alphabet, code.symbols, derived.as_mut().unwrap_or(random))
                .map_err(|error| IssueError::Shape(format!("{error}")))?;
            let verifier = verifier(drawn.symbols(), code.cost, random, blocks, times)?;
            Ok::<_, IssueError>((drawn, verifier))
        });
        let code = code.transpose()?;
        let password = profile.password.as_ref().map(|password| {
            let mut derived = derived("device-password", password.derived)?;
            let alphabet = Alphabet::new(&password.alphabet)?;
            let drawn = OfflineSecret::random(alphabet, password.symbols, derived.as_mut().unwrap_or(random))
                .map_err(|error| IssueError::Shape(format!("{error}")))?;
            let verifier = verifier(drawn.expose(), password.cost, random, blocks, times)?;
            Ok::<_, IssueError>((drawn, verifier))
        });
        let password = password.transpose()?;
        let wifi = profile.wifi.as_ref().map(|wifi| {
            let ssid = wifi.ssid_of(serial.as_str());
            if ssid.len() > crate::credential::wifi::LONGEST_SSID {
                return Err(IssueError::Ssid);
            }
            let mut derived = derived("wifi-key", wifi.derived)?;
            let alphabet = Alphabet::new(&wifi.alphabet)?;
            let drawn = OfflineSecret::random(alphabet, wifi.symbols, derived.as_mut().unwrap_or(random))
                .map_err(|error| IssueError::Shape(format!("{error}")))?;
            Ok((ssid, drawn))
        });
        let wifi = wifi.transpose()?;
        Ok(Self {
            device_id: digits_of(
                sha256(&subject_public_key_info(&public_key))
                    .get(..16)
                    .unwrap_or_default(),
            ),
            row,
            root_key,
            identity,
            public_key,
            certificate,
            matter,
            code,
            password,
            wifi,
            for_tests: common.for_tests,
        })
    }

    /// The serial number.
    #[must_use]
    pub const fn serial(&self) -> &crate::credential::items::Serial {
        &self.row.serial
    }

    /// What registry and manifest call the device: the first 16 bytes of the SHA-256 of its public key, in hexadecimal.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.device_id
    }

    /// What the certificate's PEM block is called.
    pub(super) fn pem(&self, kind: CertificateKind) -> String {
        let name = if kind == CertificateKind::Request {
            "CERTIFICATE REQUEST"
        } else {
            "CERTIFICATE"
        };
        self.certificate
            .as_ref()
            .map(|der| certificate::pem(name, der))
            .unwrap_or_default()
    }
}

fn draw_matter(matter: &super::profile::Matter, random: &mut Generator) -> Result<MatterIssued, IssueError> {
    let shape = |error: &dyn core::fmt::Display| IssueError::Shape(format!("{error}"));
    let passcode = Passcode::random(random).map_err(|error| shape(&error))?;
    // 4096 is a power of two: every discriminator has the same chance.
    let discriminator = u16::try_from(random.try_next_u32()? & 0xfff).unwrap_or(0);
    let mut salt = [0; 32];
    random.try_fill_bytes(&mut salt)?;
    let none = || IssueError::Row("no verifier of SPAKE2+");
    let (w0, l) = spake2p_verifier(passcode.expose(), &salt, matter.iterations).map_err(|_| none())?;
    let verifier = Spake2pVerifier::new(matter.iterations, &salt, w0, l).ok_or_else(none)?;
    let setup = Setup::new(
        matter.vendor,
        matter.product,
        matter.flow,
        matter.discovery,
        discriminator,
        passcode,
    )
    .map_err(|error| shape(&error))?;
    Ok(MatterIssued { setup, verifier })
}

fn verifier(
    secret: &str,
    cost: Cost,
    random: &mut Generator,
    blocks: &mut Vec<Block>,
    times: &mut Times,
) -> Result<Verifier, IssueError> {
    let needed = usize::try_from(cost.memory_kib()).unwrap_or(usize::MAX);
    if blocks.len() < needed {
        *blocks = vec![Block::new(); needed];
    }
    let mut salt = [0; crate::credential::SALT_LEN];
    random.try_fill_bytes(&mut salt)?;
    timed(&mut times.argon2, || {
        Ok(Verifier::of_issued(secret.as_bytes(), salt, cost, blocks)?)
    })
}
