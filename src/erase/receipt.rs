//! The receipt: what came of an erasure, signed, for whoever asks later.
//!
//! The payload is CBOR (RFC 8949), the frame `COSE_Sign1` with Ed25519, or `COSE_Mac0` with HMAC 256/256 (RFC 9052, RFC 9053): `docs/erase-receipt.md` has it in CDDL.
//!
//! ```text
//! receipt = #6.18([protected, unprotected, payload, signature])   ; COSE_Sign1
//!         / #6.17([protected, unprotected, payload, tag])         ; COSE_Mac0
//! protected   = bstr .cbor { 1 => -8 / 5 }                        ; EdDSA, HMAC 256/256
//! unprotected = { ? 4 => bstr .size 8 }   ; of a signature: first bytes of the SHA-256 digest of the public key
//! payload = bstr .cbor {
//!   1 => 1,                               ; version
//!   2 => tstr,                            ; tool and its version
//!   3 => [manufacturer: tstr, model: tstr, serial: tstr],
//!   4 => 1..6,                            ; item, user, all users, factory reset, ownership transfer, decommissioning
//!   5 => uint,                            ; number of the erasure
//!   6 => uint / null,                     ; seconds since 1970
//!   7 => 0 / 1,                           ; managed storage, raw flash
//!   8 => [+ area],                        ; the store first
//!   9 => [gone_items: uint, gone_bytes: uint, left_items: uint, left_bytes: uint, keys: uint, pages: uint],
//!   10 => [opened_before: bool, failed_after: bool],   ; the canary
//!   11 => bool,                           ; the identity is still to be destroyed
//!   12 => "self-attested",
//! }
//! area = [
//!   name: tstr,
//!   level: 1..4 / null,                   ; key destroyed, overwritten, flash erased, delegated; null: failed
//!   verified: bool,
//!   residual: 0..3,                       ; nothing known, sealed records, hidden copies, unknown
//!   word: "clear" / "purge" / null,       ; of NIST SP 800-88r2
//! ]
//! ```

use core::fmt::{self, Write};

use minicbor::Encoder;
use minicbor::encode::write::{Cursor, EndOfSlice};

use super::area::{Cleared, Media, Residual};
use super::report::Report;
use crate::crypto::sign;
use crate::secret::Secret;

/// Longest receipt in bytes, with the longest [`DeviceInfo`] and [`MOST_AREAS`](super::MOST_AREAS) areas.
pub const LONGEST_RECEIPT: usize = 768;

/// Longest payload.
const LONGEST_PAYLOAD: usize = 640;
/// Longest text of a [`DeviceInfo`], in bytes.
const LONGEST_TEXT: usize = 64;
const TOOL: &str = concat!("bydesign ", env!("CARGO_PKG_VERSION"));

/// What a certificate of sanitization says of the device (NIST SP 800-88). No field may hold personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceInfo<'a> {
    /// Who made it. Each of the texts has at most 64 bytes.
    pub manufacturer: &'a str,
    /// Which product it is.
    pub model: &'a str,
    /// Its number.
    pub serial: &'a str,
}

/// Who answers for a receipt.
#[derive(Clone, Copy)]
pub enum Attester<'a> {
    /// The device's Ed25519 identity, by its seed.
    Identity(&'a Secret<32>),
    /// A key that the device shares with whoever will check the receipt.
    SharedKey(&'a Secret<32>),
}

impl Attester<'_> {
    /// The Ed25519 public key of an identity, by its seed: what a receipt is checked with.
    #[must_use]
    pub fn public_key(seed: &Secret<32>) -> [u8; 32] {
        sign::public_key(seed)
    }
}

/// Why there is no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The output has no room; [`LONGEST_RECEIPT`] bytes always do.
    #[error("the output is too small")]
    OutputTooSmall,
    /// A text of the [`DeviceInfo`] is longer than 64 bytes.
    #[error("a text of the device is too long")]
    Text,
}

impl From<minicbor::encode::Error<EndOfSlice>> for ReceiptError {
    fn from(_: minicbor::encode::Error<EndOfSlice>) -> Self {
        Self::OutputTooSmall
    }
}

type Sink<'a> = Encoder<Cursor<&'a mut [u8]>>;

fn sink(bytes: &mut [u8]) -> Sink<'_> {
    Encoder::new(Cursor::new(bytes))
}

impl Report {
    /// Writes the receipt to the start of `out` and gives its length.
    ///
    /// ```
    /// use bydesign::erase::{Attester, DeviceInfo, LONGEST_RECEIPT, ReceiptError, Report};
    /// use bydesign::secret::Secret;
    ///
    /// fn export(report: &Report, identity: &Secret<32>) -> Result<(), ReceiptError> {
    ///     let device = DeviceInfo { manufacturer: "Example", model: "Lamp 2", serial: "L2-000017" };
    ///     let mut out = [0; LONGEST_RECEIPT];
    ///     let len = report.receipt(&device, Attester::Identity(identity), &mut out)?;
    ///     // out[..len] is what leaves the device
    ///     # let _ = len;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReceiptError`].
    ///
    /// # Security
    ///
    /// It holds no name of a user or an item, no value and no ciphertext. It says what the device saw of itself: whoever controls the device
    /// controls what it says.
    //= compliance/requirements.md#erase-6
    //# A receipt MUST be signed by the device's identity or carry a code under a shared key, over all that it says.
    pub fn receipt(
        &self,
        device: &DeviceInfo<'_>,
        attester: Attester<'_>,
        out: &mut [u8],
    ) -> Result<usize, ReceiptError> {
        let mut payload = [0; LONGEST_PAYLOAD];
        let len = self.payload(device, &mut payload)?;
        let payload = payload.get(..len).ok_or(ReceiptError::OutputTooSmall)?;
        let (algorithm, context, tag) = match attester {
            Attester::Identity(_) => (-8, "Signature1", 18),
            Attester::SharedKey(_) => (5, "MAC0", 17),
        };
        let mut protected = [0; 3];
        sink(&mut protected).map(1)?.i8(1)?.i8(algorithm)?;

        // What is signed: RFC 9052, sections 4.4 and 6.3.
        let mut signed = [0; LONGEST_PAYLOAD + 32];
        let mut encoder = sink(&mut signed);
        encoder
            .array(4)?
            .str(context)?
            .bytes(&protected)?
            .bytes(&[])?
            .bytes(payload)?;
        let len = encoder.writer().position();
        let signed = signed.get(..len).ok_or(ReceiptError::OutputTooSmall)?;

        let mut encoder = sink(out);
        encoder
            .tag(minicbor::data::Tag::new(tag))?
            .array(4)?
            .bytes(&protected)?;
        match attester {
            Attester::Identity(seed) => {
                let key_id = sign::short_id(&sign::public_key(seed));
                encoder.map(1)?.u8(4)?.bytes(&key_id)?.bytes(payload)?;
                encoder.bytes(&sign::sign(seed, signed))?;
            }
            Attester::SharedKey(key) => {
                encoder.map(0)?.bytes(payload)?;
                let code = sign::code(key, signed).map_err(|_| ReceiptError::OutputTooSmall)?;
                encoder.bytes(&code)?;
            }
        }
        Ok(encoder.writer().position())
    }

    //= compliance/requirements.md#erase-7
    //# A receipt MUST NOT hold a name or value of an item, the number of a user, or any ciphertext.
    fn payload(&self, device: &DeviceInfo<'_>, out: &mut [u8]) -> Result<usize, ReceiptError> {
        let texts = [device.manufacturer, device.model, device.serial];
        if texts.iter().any(|text| text.len() > LONGEST_TEXT) {
            return Err(ReceiptError::Text);
        }
        let mut encoder = sink(out);
        encoder.map(12)?.u8(1)?.u8(1)?;
        encoder.u8(2)?.str(TOOL)?;
        encoder.u8(3)?.array(3)?;
        for text in texts {
            encoder.str(text)?;
        }
        encoder.u8(4)?.u8(self.scope.number())?;
        encoder.u8(5)?.u32(self.number)?;
        encoder.u8(6)?;
        match self.time {
            Some(time) => encoder.u64(time)?,
            None => encoder.null()?,
        };
        encoder.u8(7)?.u8(u8::from(self.media == Media::RawFlash))?;
        let areas = self.areas.iter().flatten();
        let number = u64::try_from(areas.clone().count()).unwrap_or(0);
        encoder.u8(8)?.array(1 + number)?;
        self.area(&mut encoder, "store", Some(self.store))?;
        for area in areas {
            self.area(&mut encoder, area.name.as_str(), area.cleared)?;
        }
        encoder.u8(9)?.array(6)?;
        for count in [
            self.gone.items,
            self.gone.bytes,
            self.left.items,
            self.left.bytes,
            self.classes,
            self.pages,
        ] {
            encoder.u32(count)?;
        }
        encoder
            .u8(10)?
            .array(2)?
            .bool(self.canary.opened_before)?
            .bool(self.canary.failed_after)?;
        encoder.u8(11)?.bool(self.identity_pending)?;
        encoder.u8(12)?.str("self-attested")?;
        Ok(encoder.writer().position())
    }

    fn area(&self, encoder: &mut Sink<'_>, name: &str, cleared: Option<Cleared>) -> Result<(), ReceiptError> {
        encoder.array(5)?.str(name)?;
        let Some(cleared) = cleared else {
            encoder
                .null()?
                .bool(false)?
                .u8(Residual::Unknown.number())?
                .null()?;
            return Ok(());
        };
        encoder
            .u8(cleared.level.number())?
            .bool(cleared.verified)?
            .u8(cleared.residual.number())?;
        match cleared.sanitization(self.media) {
            Some(word) => encoder.str(word)?,
            None => encoder.null()?,
        };
        Ok(())
    }

    /// The same as text for a screen.
    #[must_use]
    pub const fn text<'a>(&'a self, device: &'a DeviceInfo<'a>) -> Text<'a> {
        Text { report: self, device }
    }

    /// The same as JSON (RFC 8259), on one line.
    #[must_use]
    pub const fn json<'a>(&'a self, device: &'a DeviceInfo<'a>) -> Json<'a> {
        Json { report: self, device }
    }
}

/// A report in sentences: [`Report::text`].
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    report: &'a Report,
    device: &'a DeviceInfo<'a>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, device } = self;
        writeln!(
            formatter,
            "{} {}, number {}",
            device.manufacturer, device.model, device.serial
        )?;
        writeln!(formatter, "Erasure {}: {}", report.number, report.scope.words())?;
        match report.time {
            Some(time) => writeln!(formatter, "Time: {time} seconds since 1970")?,
            None => writeln!(formatter, "Time: the device has no clock")?,
        }
        writeln!(
            formatter,
            "Gone: {} items ({} bytes), {} keys. Left: {} items ({} bytes).",
            report.gone.items, report.gone.bytes, report.classes, report.left.items, report.left.bytes
        )?;
        writeln!(
            formatter,
            "Medium: {}; pages erased: {}",
            report.media.words(),
            report.pages
        )?;
        area(formatter, "store", Some(report.store), report.media)?;
        for found in report.areas.iter().flatten() {
            area(formatter, found.name.as_str(), found.cleared, report.media)?;
        }
        let canary = match (report.canary.opened_before, report.canary.failed_after) {
            (true, true) => "opened before, fails to open now",
            (true, false) => "opened before; not looked at, or it still opens",
            (false, _) => "not shown",
        };
        writeln!(formatter, "Canary: {canary}")?;
        if report.identity_pending {
            writeln!(formatter, "The identity is still to be destroyed.")?;
        }
        write!(formatter, "Self-attested by {TOOL}.")
    }
}

fn area(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    cleared: Option<Cleared>,
    media: Media,
) -> fmt::Result {
    let Some(cleared) = cleared else {
        return writeln!(formatter, "- {name}: FAILED, to be tried again");
    };
    let verified = if cleared.verified {
        "verified"
    } else {
        "not verified"
    };
    write!(formatter, "- {name}: {}, {verified}", cleared.level.words())?;
    if let Some(word) = cleared.sanitization(media) {
        write!(formatter, ", \"{word}\" in the words of NIST SP 800-88")?;
    }
    writeln!(formatter, "; left: {}", cleared.residual.words())
}

/// A report as JSON: [`Report::json`].
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    report: &'a Report,
    device: &'a DeviceInfo<'a>,
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, device } = self;
        formatter.write_str("{\"version\":1,\"tool\":")?;
        quoted(formatter, TOOL)?;
        for (name, text) in [
            ("manufacturer", device.manufacturer),
            ("model", device.model),
            ("serial", device.serial),
            ("scope", report.scope.words()),
        ] {
            write!(formatter, ",\"{name}\":")?;
            quoted(formatter, text)?;
        }
        write!(formatter, ",\"number\":{},\"time\":", report.number)?;
        match report.time {
            Some(time) => write!(formatter, "{time}")?,
            None => formatter.write_str("null")?,
        }
        write!(
            formatter,
            ",\"medium\":\"{}\",\"gone\":{{\"items\":{},\"bytes\":{}}},\"left\":{{\"items\":{},\"bytes\":{}}},\"keys\":{},\"pages\":{},\"areas\":[",
            report.media.words(),
            report.gone.items,
            report.gone.bytes,
            report.left.items,
            report.left.bytes,
            report.classes,
            report.pages
        )?;
        json_area(formatter, "store", Some(report.store), report.media)?;
        for found in report.areas.iter().flatten() {
            formatter.write_char(',')?;
            json_area(formatter, found.name.as_str(), found.cleared, report.media)?;
        }
        write!(
            formatter,
            "],\"canary\":{{\"opened_before\":{},\"failed_after\":{}}},\"identity_pending\":{},\"attested\":\"by the device itself\"}}",
            report.canary.opened_before, report.canary.failed_after, report.identity_pending
        )
    }
}

fn json_area(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    cleared: Option<Cleared>,
    media: Media,
) -> fmt::Result {
    formatter.write_str("{\"name\":")?;
    quoted(formatter, name)?;
    let Some(cleared) = cleared else {
        return formatter
            .write_str(",\"level\":null,\"verified\":false,\"left\":\"unknown\",\"sp800_88\":null}");
    };
    write!(
        formatter,
        ",\"level\":\"{}\",\"verified\":{},\"left\":\"{}\",\"sp800_88\":",
        cleared.level.words(),
        cleared.verified,
        cleared.residual.words()
    )?;
    match cleared.sanitization(media) {
        Some(word) => write!(formatter, "\"{word}\"}}"),
        None => formatter.write_str("null}"),
    }
}

/// A string as JSON has it.
fn quoted(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    formatter.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(formatter, "\\{character}")?,
            control if control < ' ' => write!(formatter, "\\u{:04x}", u32::from(control))?,
            other => formatter.write_char(other)?,
        }
    }
    formatter.write_char('"')
}
