//! What an auditor declares about a batch, and how far to search.
//!
//! ```text
//!  audit
//!  audit::settings (this file)
//! ```

use core::num::NonZero;
use core::ops::RangeInclusive;
use std::string::String;
use std::vec::Vec;

/// What the vendor declares, and how far to search. The default declares nothing.
///
/// ```
/// use bydesign::credential::audit::Settings;
///
/// let settings = Settings {
///     offline: true,
///     generator: Some("getrandom, rejection sampling over 32 symbols".into()),
///     ..Settings::default()
/// };
/// assert!(settings.space_bits.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether a password can be tried without the device: a Wi-Fi key, an encrypted file. A column `ssid` says so too.
    pub offline: bool,
    /// Bits of the space that the passwords were drawn from, if the vendor says so.
    pub space_bits: Option<f64>,
    /// The symbols that the passwords were drawn from, if the vendor says so.
    pub alphabet: Option<String>,
    /// How the vendor says that the passwords were made: for the report.
    pub generator: Option<String>,
    /// Names of the product and the vendor, which are no part of a password.
    pub names: Vec<String>,
    /// The rules that codes under `pin` follow; seen from the codes if not given.
    pub scheme: Option<Scheme>,
    /// Unix times, in seconds, that a generator may have been seeded with: when the batch was made, a day or so to either side. Of its first
    /// day the milliseconds are tried, too.
    pub window: Option<RangeInclusive<u64>>,
    /// A Unix time near which the batch may have been made, such as that of its file: some hours to either side are tried where no window is
    /// given.
    pub made_about: Option<u64>,
    /// How far to search.
    pub depth: Depth,
    /// Threads to search with.
    pub threads: NonZero<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            offline: false,
            space_bits: None,
            alphabet: None,
            generator: None,
            names: Vec::new(),
            scheme: None,
            window: None,
            made_about: None,
            depth: Depth::Full,
            threads: NonZero::<usize>::MIN,
        }
    }
}

/// How far to search for derivations and seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// One hash over the usual forms of the identifiers, small seeds.
    Quick,
    /// Two hashes, unusual forms, more seeds: seconds.
    Full,
}

/// Rules that pairing codes follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Matter setup passcodes, or manual codes with 11 or 21 digits.
    Matter,
    /// `HomeKit` setup codes: eight digits, `XXX-XX-XXX`.
    HomeKit,
    /// WPS: seven digits and their checksum.
    Wps,
    /// No rules but those that hold for every code.
    Plain,
}
