//! What is printed on a device.
//!
//! ```text
//!  batch · sheet
//!  label    (this file)
//!  issue · code · offline · matter · wifi
//! ```

use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;

use zeroize::Zeroizing;

use super::issue::{IssueError, Issued};
use super::profile::Profile;
use crate::credential::wifi::wifi_text;

/// The texts of a label, by what a table calls them. Secret, because it carries codes.
pub struct Label {
    pub(super) serial: String,
    pub(super) device_id: String,
    pub(super) product: String,
    /// What the table calls it, what the label calls it, and the text.
    pub(super) fields: Vec<Field>,
    pub(super) for_tests: bool,
}

pub(super) struct Field {
    pub(super) column: &'static str,
    /// Nothing where it is only printed as a QR code.
    pub(super) caption: &'static str,
    pub(super) text: Zeroizing<String>,
    pub(super) is_qr: bool,
}

/// What labels and rows say of everything made from a test seed.
pub(super) const NOT_FOR_SALE: &str = "NOT FOR SALE";

impl Issued {
    /// What is printed on the device.
    ///
    /// # Errors
    ///
    /// [`IssueError::Row`] if a text does not fit.
    pub fn label(&self, profile: &Profile) -> Result<Label, IssueError> {
        let mut fields = Vec::new();
        let mut add = |column, caption, text: &str, is_qr| {
            fields.push(Field {
                column,
                caption,
                text: Zeroizing::new(text.to_string()),
                is_qr,
            });
        };
        if let Some(matter) = &self.matter {
            let digits = matter.setup.manual_code();
            add(
                "matter_manual_code",
                "Setup code",
                &hyphenated(digits.expose()),
                false,
            );
            add("matter_qr", "", matter.setup.qr_payload().expose(), true);
        }
        if let Some((ssid, key)) = &self.wifi {
            let security = profile.wifi.as_ref().map(|wifi| wifi.security);
            let text = security.and_then(|security| wifi_text(ssid, key, security).ok());
            let text = text.ok_or(IssueError::Row("the Wi-Fi label is too long"))?;
            add("wifi_ssid", "Wi-Fi", ssid, false);
            add("wifi_key", "Key", key.expose(), false);
            add("wifi_qr", "", text.expose(), true);
        }
        if let Some((code, _)) = &self.code {
            add("pairing_code", "Pairing code", code.grouped().expose(), false);
            add("pairing_qr", "", code.symbols(), true);
        }
        if let Some((password, _)) = &self.password {
            add("device_password", "Password", password.grouped().expose(), false);
        }
        Ok(Label {
            serial: self.row.serial.as_str().into(),
            device_id: self.device_id.clone(),
            product: profile.product.clone(),
            fields,
            for_tests: self.for_tests,
        })
    }
}

/// Four, three and four digits, as the Matter standard prints them; the longer code goes on in fours and threes.
fn hyphenated(digits: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(32));
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 4 | 7 | 11 | 16) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

impl Label {
    /// The text in a column of `labels.csv`.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.column == column);
        field.map(|field| field.text.as_str())
    }

    /// The columns that labels of the profile have besides those of the order.
    pub(super) fn columns(profile: &Profile, for_tests: bool) -> Vec<&'static str> {
        let mut columns = Vec::new();
        if profile.matter.is_some() {
            columns.extend(["matter_manual_code", "matter_qr"]);
        }
        if profile.wifi.is_some() {
            columns.extend(["wifi_ssid", "wifi_key", "wifi_qr"]);
        }
        if profile.code.is_some() {
            columns.extend(["pairing_code", "pairing_qr"]);
        }
        if profile.password.is_some() {
            columns.push("device_password");
        }
        if for_tests {
            columns.push("not_for_sale");
        }
        columns
    }

    /// The header of `labels.csv`.
    pub(super) fn header(profile: &Profile, order: &[Arc<str>], for_tests: bool) -> Zeroizing<Vec<u8>> {
        let own = Self::columns(profile, for_tests);
        let columns = ["serial", "device_id"].into_iter();
        let order = order.iter().map(|name| &**name).filter(|name| *name != "serial");
        line(columns.chain(order).chain(own))
    }

    /// The line of `labels.csv`.
    pub(super) fn line(&self, profile: &Profile, order: &[Arc<str>], issued: &Issued) -> Zeroizing<Vec<u8>> {
        let own = Self::columns(profile, self.for_tests).into_iter();
        let own = own.map(|column| self.text(column).unwrap_or(NOT_FOR_SALE));
        let order = order.iter().filter(|name| &***name != "serial");
        let order = order.map(|name| issued.row.identifier(name).unwrap_or_default());
        let first = [self.serial.as_str(), self.device_id.as_str()].into_iter();
        line(first.chain(order).chain(own))
    }
}

/// One line of a table (RFC 4180).
fn line<'a>(values: impl Iterator<Item = &'a str>) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(512));
    for (at, value) in values.enumerate() {
        if at > 0 {
            line.push(b',');
        }
        if value.contains([',', '"', '\n', '\r']) {
            line.push(b'"');
            line.extend_from_slice(value.replace('"', "\"\"").as_bytes());
            line.push(b'"');
        } else {
            line.extend_from_slice(value.as_bytes());
        }
    }
    line.push(b'\n');
    line
}
