//! A QR code as squares, and as a path to print.
//!
//! ```text
//!  label · sheet
//!  qr       (this file)   ISO/IEC 18004
//! ```

use std::fmt::Write;
use std::string::String;
use std::vec::Vec;

use qrcodegen_no_heap::{QrCode, QrCodeEcc, Version};
use zeroize::Zeroize;

/// The largest version: 65 modules, which on a label of 60 mm are still printed by common printers.
const LARGEST: Version = Version::new(12);

/// The modules of a QR code.
pub(super) struct Modules {
    size: usize,
    dark: Vec<bool>,
}

impl Drop for Modules {
    fn drop(&mut self) {
        self.dark.zeroize();
    }
}

impl Modules {
    /// The code of a text, with error correction of level M or better; `None` if it is too long.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut scratch = std::vec![0; LARGEST.buffer_len()];
        let mut out = std::vec![0; LARGEST.buffer_len()];
        let made = QrCode::encode_text(
            text,
            &mut scratch,
            &mut out,
            QrCodeEcc::Medium,
            Version::MIN,
            LARGEST,
            None,
            true,
        );
        let modules = made.ok().map(|code| {
            let size = code.size();
            let places = (0..size).flat_map(|y| (0..size).map(move |x| (x, y)));
            Self {
                size: usize::try_from(size).unwrap_or(0),
                dark: places.map(|(x, y)| code.get_module(x, y)).collect(),
            }
        });
        scratch.zeroize();
        out.zeroize();
        modules
    }

    /// Modules on a side.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Adds the dark modules as an SVG path in units of a module, a run of a row at a time.
    pub(super) fn write_path(&self, out: &mut String) {
        for (y, row) in self.dark.chunks(self.size.max(1)).enumerate() {
            let mut x = 0;
            while let Some(from) = row.iter().skip(x).position(|dark| *dark).map(|skip| x + skip) {
                let len = row.iter().skip(from).take_while(|dark| **dark).count();
                let _ = write!(out, "M{from} {y}h{len}v1h-{len}z");
                x = from + len;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read by a library that shares no code with the generator.
    #[test]
    fn a_code_is_read_by_another_implementation() {
        for text in [
            "MT:-24J042C00KA0648G00",
            r"WIFI:T:WPA;S:Lamp\;1;P:23456789CDFHJKMNPRT;;",
            "2345-6789",
        ] {
            let modules = Modules::of(text).expect("short");
            let grid =
                rqrr::SimpleGrid::from_func(modules.size(), |x, y| modules.dark[y * modules.size() + x]);
            let (_, read) = rqrr::Grid::new(grid).decode().expect("decodes");
            assert_eq!(read, text);
        }
        assert!(Modules::of(&"a".repeat(1000)).is_none());
    }
}
