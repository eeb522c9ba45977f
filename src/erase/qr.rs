//! A receipt as a QR code (ISO/IEC 18004), for a device with a screen.

use core::fmt;

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};

use super::receipt::ReceiptError;

/// The largest version that is made: it takes the longest receipt.
const LARGEST: Version = Version::new(20);
const BUFFER: usize = LARGEST.buffer_len();
/// Modules that stay light around a code.
const QUIET: i32 = 4;

/// What a QR code is made in: 2.3 KB.
pub struct QrMemory {
    scratch: [u8; BUFFER],
    modules: [u8; BUFFER],
}

impl QrMemory {
    /// Empty memory.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            scratch: [0; BUFFER],
            modules: [0; BUFFER],
        }
    }
}

impl Default for QrMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for QrMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("QrMemory").finish_non_exhaustive()
    }
}

/// A receipt as a QR code. Its bytes are those of the receipt, in byte mode; the level of error correction is L or better.
///
/// ```
/// use bydesign::erase::{Attester, DeviceInfo, LONGEST_RECEIPT, Qr, QrMemory, ReceiptError, Report};
/// use bydesign::secret::Secret;
///
/// fn show(report: &Report, device: &DeviceInfo<'_>, identity: &Secret<32>) -> Result<(), ReceiptError> {
///     let mut receipt = [0; LONGEST_RECEIPT];
///     let len = report.receipt(device, Attester::Identity(identity), &mut receipt)?;
///     let mut memory = QrMemory::new();
///     let qr = Qr::of(receipt.get(..len).unwrap_or_default(), &mut memory)?;
///     for (y, x) in (0..qr.size()).flat_map(|y| (0..qr.size()).map(move |x| (y, x))) {
///         let _dark = qr.is_dark(x, y); // a square on the screen
///     }
///     Ok(())
/// }
/// ```
pub struct Qr<'a>(QrCode<'a>);

impl<'a> Qr<'a> {
    /// Makes the code of a receipt.
    ///
    /// # Errors
    ///
    /// [`ReceiptError::OutputTooSmall`] if it is longer than any receipt.
    pub fn of(receipt: &[u8], memory: &'a mut QrMemory) -> Result<Self, ReceiptError> {
        let QrMemory { scratch, modules } = memory;
        let data = scratch
            .get_mut(..receipt.len())
            .ok_or(ReceiptError::OutputTooSmall)?;
        data.copy_from_slice(receipt);
        QrCode::encode_binary(
            scratch,
            receipt.len(),
            modules,
            QrCodeEcc::Low,
            Version::MIN,
            LARGEST,
            None,
            true,
        )
        .map(Self)
        .map_err(|_| ReceiptError::OutputTooSmall)
    }

    /// Modules on each side, without the quiet zone of four around it.
    #[must_use]
    pub fn size(&self) -> u16 {
        u16::try_from(self.0.size()).unwrap_or(0)
    }

    /// Whether the module in this column and row is dark; outside, none is.
    #[must_use]
    pub fn is_dark(&self, x: u16, y: u16) -> bool {
        self.0.get_module(x.into(), y.into())
    }
}

impl fmt::Debug for Qr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Qr").finish_non_exhaustive()
    }
}

/// For a terminal with light letters on a dark ground: two rows of modules to a line, quiet zone included.
impl fmt::Display for Qr<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.size();
        let mut y = -QUIET;
        while y < size + QUIET {
            for x in -QUIET..size + QUIET {
                let light = [y, y + 1].map(|y| !self.0.get_module(x, y));
                formatter.write_str(match light {
                    [true, true] => "█",
                    [true, false] => "▀",
                    [false, true] => "▄",
                    [false, false] => " ",
                })?;
            }
            formatter.write_str("\n")?;
            y += 2;
        }
        Ok(())
    }
}
