//! A vendor's batch: what each column is, and a value of it for every device.
//!
//! ```text
//!  audit
//!  audit::batch (this file)
//!  audit::table
//! ```

use core::fmt;
use std::collections::BTreeSet;
use std::string::{String, ToString};
use std::vec::Vec;

use super::table::Table;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// A serial number.
    Serial,
    /// An address that the device broadcasts: MAC or BSSID.
    Mac,
    /// The name of the network that the device makes; it says that the password can be attacked offline.
    Ssid,
    /// An IMEI.
    Imei,
    /// Any other identifier.
    Other,
    /// A password.
    Password,
    /// A pairing code, judged by the rules of its kind.
    Pin,
    /// The salt of a verifier.
    Salt,
    /// The iterations of a verifier.
    Iterations,
    /// A verifier or hash of the password.
    Verifier,
    /// Not looked at.
    Ignored,
}

impl Role {
    /// The role of a header, whatever its case; any that is not known is a further identifier.
    ///
    /// ```
    /// use bydesign::credential::audit::Role;
    ///
    /// assert_eq!(Role::of("Password"), Role::Password);
    /// assert_eq!(Role::of("wifi_qr"), Role::Ignored);
    /// assert_eq!(Role::of("Factory order"), Role::Other);
    /// ```
    #[must_use]
    pub fn of(header: &str) -> Self {
        let letters: String = header
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        match letters.as_str() {
            "serial" | "serialnumber" | "serialno" | "sn" => Self::Serial,
            "mac" | "macaddress" | "bssid" => Self::Mac,
            "ssid" | "essid" | "wifissid" => Self::Ssid,
            "imei" => Self::Imei,
            "password" | "devicepassword" | "wifikey" | "wifipassword" | "passphrase" => Self::Password,
            "pin" | "pairingcode" | "setupcode" | "passcode" | "mattermanualcode" => Self::Pin,
            "salt" => Self::Salt,
            "iterations" => Self::Iterations,
            "verifier" => Self::Verifier,
            // What a label has as a QR code holds the password in another form.
            text if text.ends_with("qr") => Self::Ignored,
            _ => Self::Other,
        }
    }

    /// Whether it identifies a device.
    #[must_use]
    pub const fn is_identifier(self) -> bool {
        matches!(
            self,
            Self::Serial | Self::Mac | Self::Ssid | Self::Imei | Self::Other
        )
    }

    /// Whether it is what the audit judges.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Pin)
    }

    /// A role by the name that its header has.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match Self::of(name) {
            Self::Other => (name == "identifier").then_some(Self::Other),
            role => Some(role),
        }
    }
}

/// What some columns are, where their headers do not say it.
///
/// ```
/// use bydesign::credential::audit::{Batch, Columns, Role};
///
/// let columns = Columns::default().with("Key", Role::Password).without("Lot");
/// let batch = Batch::read(b"Serial,Key,Lot\n1,tnb4-xq7m,A\n", &columns).unwrap();
/// assert_eq!(batch.devices(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Columns {
    named: Vec<(String, Role)>,
}

impl Columns {
    /// The column with this header, whatever its case, is that.
    #[must_use]
    pub fn with(mut self, header: &str, role: Role) -> Self {
        self.named.push((header.to_lowercase(), role));
        self
    }

    /// The column with this header is not looked at.
    #[must_use]
    pub fn without(self, header: &str) -> Self {
        self.with(header, Role::Ignored)
    }

    fn role(&self, header: &str) -> Option<Role> {
        let header = header.to_lowercase();
        self.named
            .iter()
            .rev()
            .find(|(name, _)| *name == header)
            .map(|(_, role)| *role)
    }
}

/// A column: its header, what it is, and a value for each device.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) values: Vec<String>,
}

/// A batch of devices with their identifiers and passwords.
pub struct Batch {
    pub(super) columns: Vec<Column>,
    pub(super) lines: Vec<u64>,
}

impl Batch {
    /// Reads a table with a header: commas, semicolons or tabs; quoted or not; UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    ///
    /// [`BadInput`], with line, column and reason, if it cannot be read whole, or has no column of passwords. Nothing is guessed.
    pub fn read(bytes: &[u8], columns: &Columns) -> Result<Self, BadInput> {
        let Table { header, rows } = Table::read(bytes)?;
        for (name, _) in &columns.named {
            if !header.iter().any(|header| header.to_lowercase() == *name) {
                return Err(BadInput::at(1, 1, Reason::NoSuchColumn(name.clone())));
            }
        }
        let mut seen = BTreeSet::new();
        for (number, name) in (1..).zip(&header) {
            if !seen.insert(name.to_lowercase()) {
                return Err(BadInput::at(1, number, Reason::HeaderTwice(name.clone())));
            }
        }
        let mut read: Vec<Column> = header
            .into_iter()
            .map(|name| Column {
                role: columns.role(&name).unwrap_or_else(|| Role::of(&name)),
                name,
                values: Vec::with_capacity(rows.len()),
            })
            .collect();
        if !read.iter().any(|column| column.role.is_secret()) {
            return Err(BadInput::at(1, 1, Reason::NoPassword));
        }
        let mut lines = Vec::with_capacity(rows.len());
        for row in rows {
            for ((number, column), value) in (1..).zip(&mut read).zip(row.fields) {
                if column.role == Role::Iterations && !value.is_empty() && value.parse::<u64>().is_err() {
                    return Err(BadInput::at(row.line, number, Reason::NoNumber));
                }
                column.values.push(value);
            }
            lines.push(row.line);
        }
        read.retain(|column| column.role != Role::Ignored);
        Ok(Self { columns: read, lines })
    }

    /// How many devices it has.
    #[must_use]
    pub fn devices(&self) -> usize {
        self.lines.len()
    }

    /// Whether the devices make networks: whoever records a handshake tries passwords offline.
    #[must_use]
    pub fn has_ssid(&self) -> bool {
        self.columns.iter().any(|column| column.role == Role::Ssid)
    }

    /// Columns that identify devices, with at least two values.
    pub(super) fn identifiers(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| {
            column.role.is_identifier() && column.values.windows(2).any(|pair| pair.first() != pair.last())
        })
    }

    pub(super) fn line(&self, device: usize) -> u64 {
        self.lines.get(device).copied().unwrap_or(0)
    }
}

/// Why a table is no batch: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadInput {
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1: of the row's text where it cannot be read, otherwise the number of the field.
    pub column: u64,
    /// What is wrong.
    pub reason: Reason,
}

impl BadInput {
    pub(super) fn at(line: u64, column: u64, reason: Reason) -> Self {
        Self { line, column, reason }
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}, column {}: {}",
            self.line, self.column, self.reason
        )
    }
}

impl core::error::Error for BadInput {}

/// What is wrong with a table. Never a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It has no text.
    #[error("the file is empty")]
    Empty,
    /// It has a header and nothing else.
    #[error("a header, and no devices")]
    NoDevices,
    /// It is UTF-16, as some spreadsheets save it.
    #[error("this is UTF-16; save it as UTF-8")]
    Utf16,
    /// It is no UTF-8.
    #[error("this is no UTF-8")]
    NotUtf8,
    /// A zero byte, as binary files have them.
    #[error("a zero byte")]
    ZeroByte,
    /// A quote that is not closed.
    #[error("a quote opens here and never closes")]
    OpenQuote,
    /// Text between a closing quote and the end of the field.
    #[error("text behind a closing quote; a quote inside quotes is doubled")]
    AfterQuote,
    /// A row with more or fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    Fields {
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// Two columns with one name.
    #[error("the header {:?} stands here a second time", .0)]
    HeaderTwice(String),
    /// A column that was named does not exist.
    #[error("there is no column {:?}", .0)]
    NoSuchColumn(String),
    /// No column of passwords or codes.
    #[error("no column is called password or pin; name it, as in password=Key")]
    NoPassword,
    /// Iterations that are no number.
    #[error("iterations that are no number")]
    NoNumber,
}

/// A value without the separators that people write into it.
pub(super) fn bare(value: &str) -> String {
    value.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// A key that sorts numbers of any width as numbers, and the rest as text.
pub(super) fn order_key(value: &str) -> (usize, String) {
    let bare = bare(value).to_lowercase();
    let trimmed = if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        bare.trim_start_matches('0').to_string()
    } else {
        bare
    };
    (trimmed.chars().count(), trimmed)
}
