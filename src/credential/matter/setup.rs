//! What a device's setup code says of it.
//!
//! ```text
//!  payload · manual
//!  setup    (this file)   Matter Core Specification 5.1.1
//!  passcode
//! ```

use core::ops::BitOr;

use super::passcode::Passcode;

/// What a commissioner has to know: one value, of which label, QR code, manual code and verifier are made.
///
/// ```
/// use bydesign::credential::matter::{Discovery, Flow, Passcode, Setup};
///
/// // the standard's example, which must not be sold
/// let passcode = Passcode::new(20_202_021)?;
/// let setup = Setup::new(0xFFF1, 0x8001, Flow::Standard, Discovery::BLE, 3840, passcode)?;
/// assert_eq!(setup.qr_payload().expose(), "MT:-24J042C00KA0648G00");
/// assert_eq!(setup.manual_code().expose(), "34970112332");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Setup {
    pub(super) vendor: u16,
    pub(super) product: u16,
    pub(super) flow: Flow,
    pub(super) discovery: Discovery,
    pub(super) discriminator: u16,
    pub(super) passcode: Passcode,
}

/// Why there is no setup code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A discriminator has 12 bits.
    #[error("a discriminator has 12 bits: 0 to 4095")]
    Discriminator,
    /// The text is too long or too short, has other symbols, or says what the standard does not know.
    #[error("not a setup code of Matter")]
    Form,
    /// The check digit does not fit: mistyped.
    #[error("the check digit does not fit: a digit is wrong, or two are swapped")]
    Mistyped,
    /// The passcode in it is one that the standard does not allow.
    #[error("the Matter standard does not allow the passcode in it")]
    Passcode,
}

/// How the device gets ready to be commissioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flow {
    /// As soon as it has power.
    Standard,
    /// After something that the user does: a button.
    UserIntent,
    /// After steps that the vendor describes; its manual code has 21 digits.
    Custom,
}

impl Flow {
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Standard => 0,
            Self::UserIntent => 1,
            Self::Custom => 2,
        }
    }
}

/// Where a commissioner looks for the device. Several are joined with `|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discovery(pub(super) u8);

impl Discovery {
    /// A Wi-Fi access point of the device's own.
    pub const SOFT_AP: Self = Self(1);
    /// Bluetooth Low Energy.
    pub const BLE: Self = Self(2);
    /// The IP network that it is on already.
    pub const ON_NETWORK: Self = Self(4);
    /// Wi-Fi public action frames.
    pub const WIFI_PAF: Self = Self(8);
    /// Near-field communication.
    pub const NFC: Self = Self(16);
}

impl BitOr for Discovery {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Setup {
    /// Takes all that a code carries.
    ///
    /// # Errors
    ///
    /// [`SetupError::Discriminator`].
    pub fn new(
        vendor: u16,
        product: u16,
        flow: Flow,
        discovery: Discovery,
        discriminator: u16,
        passcode: Passcode,
    ) -> Result<Self, SetupError> {
        if discriminator > 0xfff {
            return Err(SetupError::Discriminator);
        }
        Ok(Self {
            vendor,
            product,
            flow,
            discovery,
            discriminator,
            passcode,
        })
    }

    /// The vendor's number.
    #[must_use]
    pub const fn vendor(&self) -> u16 {
        self.vendor
    }

    /// The product's number.
    #[must_use]
    pub const fn product(&self) -> u16 {
        self.product
    }

    /// How it gets ready.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// Where to look for it.
    #[must_use]
    pub const fn discovery(&self) -> Discovery {
        self.discovery
    }

    /// Twelve bits that tell neighbouring devices apart. Not secret.
    #[must_use]
    pub const fn discriminator(&self) -> u16 {
        self.discriminator
    }

    /// The passcode.
    #[must_use]
    pub const fn passcode(&self) -> &Passcode {
        &self.passcode
    }
}
