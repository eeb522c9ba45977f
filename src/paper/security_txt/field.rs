//! The fields that have a meaning; any other may stand in a file.
//!
//! ```text
//!  write · check
//!  field    (this file)
//! ```

use core::fmt;

/// A field of RFC 9116, or of the registry that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// Who is thanked.
    Acknowledgments,
    /// Where the file belongs.
    Canonical,
    /// Where to report, the best way first.
    Contact,
    /// Where advisories for programs are.
    Csaf,
    /// The keys to encrypt reports with.
    Encryption,
    /// Until when the file holds.
    Expires,
    /// Who is looked for.
    Hiring,
    /// What reporters can rely on.
    Policy,
    /// The languages that reports are read in.
    PreferredLanguages,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Acknowledgments,
        Self::Canonical,
        Self::Contact,
        Self::Csaf,
        Self::Encryption,
        Self::Expires,
        Self::Hiring,
        Self::Policy,
        Self::PreferredLanguages,
    ];

    /// As it stands in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledgments => "Acknowledgments",
            Self::Canonical => "Canonical",
            Self::Contact => "Contact",
            Self::Csaf => "CSAF",
            Self::Encryption => "Encryption",
            Self::Expires => "Expires",
            Self::Hiring => "Hiring",
            Self::Policy => "Policy",
            Self::PreferredLanguages => "Preferred-Languages",
        }
    }

    /// The field of a name, whatever its case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }

    /// Whether it may stand in a file once only.
    pub(super) const fn is_single(self) -> bool {
        matches!(self, Self::Expires | Self::PreferredLanguages)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
