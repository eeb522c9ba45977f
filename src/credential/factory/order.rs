//! The order: a CSV with a line for each device. Every line is looked at before anything is made.
//!
//! ```text
//!  batch
//!  order    (this file)
//!  place · items · crypto::factory
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;
use std::{fmt, format};

use super::place::{BadInput, Column};
use crate::credential::hexadecimal::bytes_of;
use crate::credential::items::Serial;
use crate::crypto::factory::Hash;

/// The longest value of an identifier, in bytes.
const LONGEST_IDENTIFIER: usize = 64;
/// The most columns.
const MOST_COLUMNS: usize = 32;
/// The longest line, in bytes; a longer one is no order.
const LONGEST_LINE: usize = 4096;
/// The longest name of a column, in bytes.
const LONGEST_NAME: usize = 32;
/// Columns of `labels.csv` that are not called like a secret.
const OF_LABELS: [&str; 6] = [
    "device_id",
    "matter_manual_code",
    "matter_qr",
    "wifi_ssid",
    "wifi_qr",
    "not_for_sale",
];

/// A MAC address (EUI-48). It is public: nothing secret is made of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Reads twelve hexadecimal digits, in pairs with colons or hyphens or without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hexadecimal::<6>(text)?;
        // neither a group address nor one that is no address at all
        let sound = bytes[0] & 1 == 0 && bytes != [0; 6];
        sound.then_some(Self(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, byte) in self.0.iter().enumerate() {
            let colon = if number == 0 { "" } else { ":" };
            write!(formatter, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One device of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the row, from 0.
    pub number: u64,
    /// The serial number.
    pub serial: Serial,
    /// The other columns that are not empty: name and value.
    pub identifiers: Vec<(Arc<str>, String)>,
}

impl Row {
    /// The value of a column.
    #[must_use]
    pub fn identifier(&self, name: &str) -> Option<&str> {
        if name == "serial" {
            return Some(self.serial.as_str());
        }
        let found = self.identifiers.iter().find(|(own, _)| &**own == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The rows of an order, one after the other.
///
/// ```
/// use bydesign::credential::factory::Order;
///
/// let text = "serial,model,mac\nLAMP-0001,L3,02:00:00:00:00:01\nLAMP-0002,L3,02-00\n";
/// let mut order = Order::new("order.csv", text.as_bytes(), "L3")?;
/// assert!(order.next().is_some_and(|row| row.is_ok()));
/// let flaw = order.next().and_then(Result::err).map(|flaw| flaw.to_string());
/// assert_eq!(flaw.as_deref(), Some("order.csv:3: column 3 (mac): not a MAC address: twelve hexadecimal digits, of one device"));
/// # Ok::<(), bydesign::credential::factory::BadInput>(())
/// ```
///
/// The header names the columns: `serial`, and if wanted `model` (which has to be the profile's), `mac`, `eui64`, `imei` and any others,
/// which are taken as further identifiers.
pub struct Order<R> {
    file: String,
    reader: csv::Reader<R>,
    record: csv::StringRecord,
    header: Vec<Arc<str>>,
    serial: usize,
    model: String,
    rows: u64,
    failed: bool,
}

impl<R: Read> Order<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`BadInput`]: no `serial`, a column twice, a name that is no name.
    pub fn new(file: &str, text: R, model: &str) -> Result<Self, BadInput> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(false)
            .trim(csv::Trim::All)
            .from_reader(text);
        let flaw = |line, column: usize, name: &str, reason: &str| BadInput {
            file: file.into(),
            line,
            column: Column::Field(column as u64 + 1, name.into()),
            reason: reason.into(),
        };
        let names = match reader.headers() {
            Ok(names) => names.clone(),
            Err(error) => return Err(of_csv(file, 1, &[], &error)),
        };
        let mut header: Vec<Arc<str>> = Vec::new();
        if names.len() > MOST_COLUMNS {
            return Err(flaw(1, MOST_COLUMNS, "", "more than 32 columns"));
        }
        for (at, name) in names.iter().enumerate() {
            let name = if at == 0 {
                name.trim_start_matches('\u{feff}')
            } else {
                name
            };
            let name = name.to_ascii_lowercase();
            let is_name = |symbol: char| symbol.is_ascii_alphanumeric() || matches!(symbol, '_' | '-');
            if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_name) {
                let reason = "a column is called by letters, digits, - and _, at most 32 of them";
                let shown: String = name.chars().take(LONGEST_NAME).collect();
                return Err(flaw(1, at, &shown.escape_default().to_string(), reason));
            }
            if is_of_a_secret(&name) {
                return Err(flaw(
                    1,
                    at,
                    &name,
                    "an order holds no secrets: they are made here",
                ));
            }
            if OF_LABELS.contains(&&*name) {
                return Err(flaw(
                    1,
                    at,
                    &name,
                    "labels have a column of this name of their own",
                ));
            }
            if header.iter().any(|before| **before == *name) {
                return Err(flaw(1, at, &name, "the column is there twice"));
            }
            header.push(name.into());
        }
        let serial = header
            .iter()
            .position(|name| &**name == "serial")
            .ok_or_else(|| flaw(1, 0, "serial", "the header names no such column"))?;
        Ok(Self {
            file: file.into(),
            reader,
            record: csv::StringRecord::new(),
            header,
            serial,
            model: model.into(),
            rows: 0,
            failed: false,
        })
    }

    /// The names of the columns, in the order of the header.
    #[must_use]
    pub fn columns(&self) -> &[Arc<str>] {
        &self.header
    }

    fn read_row(&mut self) -> Result<Option<Row>, BadInput> {
        let next_line = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(of_csv(&self.file, next_line, &self.header, &error)),
        }
        let line = self.record.position().map_or(next_line, csv::Position::line);
        let flaw = |column: usize, reason: &str| BadInput {
            file: self.file.clone(),
            line,
            column: Column::Field(
                column as u64 + 1,
                self.header
                    .get(column)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            reason: reason.into(),
        };
        if self.record.as_slice().len() > LONGEST_LINE {
            return Err(flaw(0, "the line has more than 4096 bytes"));
        }
        let serial = self.record.get(self.serial).unwrap_or_default();
        if is_formula(serial) {
            return Err(flaw(self.serial, FORMULA));
        }
        if !serial
            .chars()
            .all(|symbol| symbol.is_ascii_alphanumeric() || matches!(symbol, '-' | '_' | '.'))
        {
            return Err(flaw(
                self.serial,
                "a serial has letters, digits, '-', '_' and '.', because files are called by it",
            ));
        }
        if serial.chars().all(|symbol| symbol == '.') {
            return Err(flaw(self.serial, "the serial is empty"));
        }
        let serial =
            Serial::new(serial).ok_or_else(|| flaw(self.serial, "a serial has at most 32 characters"))?;
        let mut identifiers = Vec::with_capacity(self.header.len().saturating_sub(1));
        for (at, (name, value)) in self.header.iter().zip(self.record.iter()).enumerate() {
            if at == self.serial || value.is_empty() {
                continue;
            }
            let value = identifier(name, value, &self.model).map_err(|reason| flaw(at, reason))?;
            identifiers.push((name.clone(), value));
        }
        let number = self.rows;
        self.rows = self.rows.saturating_add(1);
        Ok(Some(Row {
            number,
            serial,
            identifiers,
        }))
    }
}

/// Ends behind the first flaw.
impl<R: Read> Iterator for Order<R> {
    type Item = Result<Row, BadInput>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.read_row();
        self.failed = row.is_err();
        row.transpose()
    }
}

const FORMULA: &str = "begins like a formula: a table calculation would compute it";

fn is_formula(value: &str) -> bool {
    value.starts_with(['=', '+', '-', '@'])
}

/// Whether a column, in lower case, is called like a secret. Its values would stand in clear in labels, registry and image.
//= compliance/requirements.md#cred-27
//# Neither the registry nor the report, the journal or what is printed MUST hold a secret, a verifier, a salt or a hash of a secret.
fn is_of_a_secret(name: &str) -> bool {
    const ANYWHERE: [&str; 7] = [
        "passw",
        "passphrase",
        "passcode",
        "kennwort",
        "secret",
        "credential",
        "pwd",
    ];
    const WORDS: [&str; 7] = ["key", "pin", "puk", "psk", "pass", "token", "pw"];
    // A country or a product has a code as well.
    const OF_CODES: [&str; 6] = ["pairing", "setup", "unlock", "access", "activation", "security"];
    let words = || name.split(['-', '_']);
    let has = |list: &[&str]| words().any(|word| list.contains(&word));
    ANYWHERE.iter().any(|part| name.contains(part))
        || has(&WORDS) && !has(&["public"])
        || has(&["code", "codes", "qr"]) && has(&OF_CODES)
}

/// The value as it goes into labels and registry.
fn identifier(name: &str, value: &str, model: &str) -> Result<String, &'static str> {
    if value.len() > LONGEST_IDENTIFIER {
        return Err("an identifier has at most 64 bytes");
    }
    if value.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    if is_formula(value) {
        return Err(FORMULA);
    }
    match name {
        "model" if value != model => Err("not the model of the profile"),
        "mac" => Mac::parse(value)
            .map(|mac| mac.to_string())
            .ok_or("not a MAC address: twelve hexadecimal digits, of one device"),
        "eui64" => hexadecimal::<8>(value)
            .filter(|bytes| *bytes != [0; 8])
            .map(|bytes| format!("{:016X}", u64::from_be_bytes(bytes)))
            .ok_or("not an EUI-64: sixteen hexadecimal digits"),
        "imei" if !is_imei(value) => Err("not an IMEI: fifteen digits, the last of which checks the others"),
        _ => Ok(value.into()),
    }
}

/// In pairs with colons or hyphens between them, or without.
fn hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    bytes_of(&text.replace([':', '-'], ""))?.try_into().ok()
}

/// Fifteen digits with Luhn's check digit.
fn is_imei(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|symbol| symbol.to_digit(10)).collect();
    digits.is_some_and(|digits| {
        let sum: u32 = (0..)
            .zip(digits.iter().rev())
            .map(|(place, digit)| {
                let value = if place % 2 == 1 { digit * 2 } else { *digit };
                value / 10 + value % 10
            })
            .sum();
        digits.len() == 15 && sum.is_multiple_of(10)
    })
}

fn of_csv(file: &str, line: u64, header: &[Arc<str>], error: &csv::Error) -> BadInput {
    let name = |at: usize| header.get(at).map(ToString::to_string).unwrap_or_default();
    let (line, column, reason) = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => (
            pos.as_ref().map_or(line, csv::Position::line),
            usize::try_from((*len).min(*expected_len)).unwrap_or(0),
            format!("the line has {len} fields, the header {expected_len}"),
        ),
        csv::ErrorKind::Utf8 { pos, err } => (
            pos.as_ref().map_or(line, csv::Position::line),
            err.field(),
            "not UTF-8".into(),
        ),
        csv::ErrorKind::Io(error) => (line, 0, format!("cannot be read: {error}")),
        _ => (line, 0, "not a table".into()),
    };
    BadInput {
        file: file.into(),
        line,
        column: Column::Field(column as u64 + 1, name(column)),
        reason,
    }
}

/// What a look at the whole order found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) rows: u64,
    /// SHA-256 of the file.
    pub(super) digest: [u8; 32],
}

/// Columns that two devices must not share.
const UNIQUE: [&str; 4] = ["serial", "mac", "eui64", "imei"];

/// Reads the whole order: every row is well-formed, and no two share a serial, MAC, EUI-64 or IMEI. It takes 8 bytes of memory for each
/// identifier of these.
//= compliance/requirements.md#cred-23
//# An order with a malformed line, or in which two devices share a serial, MAC address, EUI-64 or IMEI, MUST be refused with file, line, column and reason before anything is made of it.
pub(super) fn check<R: Read>(
    file: &str,
    model: &str,
    mut open: impl FnMut() -> std::io::Result<R>,
    mut progress: impl FnMut(u64),
) -> Result<Checked, BadInput> {
    let mut opened = || {
        open().map_err(|error| BadInput {
            file: file.into(),
            line: 1,
            column: Column::Character(1),
            reason: format!("cannot be read: {error}"),
        })
    };
    let hasher = RandomState::new();
    let mut seen: [Vec<u64>; 4] = Default::default();
    let mut text = Hashing {
        inner: opened()?,
        hash: Hash::default(),
    };
    let mut rows = 0;
    for row in Order::new(file, &mut text, model)? {
        let row = row?;
        for (name, hashes) in UNIQUE.iter().zip(&mut seen) {
            if let Some(value) = row.identifier(name) {
                hashes.push(hasher.hash_one(value));
            }
        }
        rows = row.number.saturating_add(1);
        if rows.is_multiple_of(4096) {
            progress(rows);
        }
    }
    if rows == 0 {
        return Err(BadInput {
            file: file.into(),
            line: 2,
            column: Column::Field(1, "serial".into()),
            reason: "the order has no devices".into(),
        });
    }
    let digest = text.hash.finish();
    let mut repeated: Vec<(usize, Vec<u64>)> = Vec::new();
    for (column, mut hashes) in seen.into_iter().enumerate() {
        hashes.sort_unstable();
        let mut twice: Vec<u64> = hashes
            .windows(2)
            .filter(|pair| pair.first() == pair.last())
            .filter_map(|pair| pair.first().copied())
            .collect();
        twice.dedup();
        if !twice.is_empty() {
            repeated.push((column, twice));
        }
    }
    if !repeated.is_empty() {
        find_repeated(file, model, opened()?, &hasher, &repeated)?;
    }
    Ok(Checked { rows, digest })
}

/// Second look, at those whose hashes met: which of them are really the same.
fn find_repeated<R: Read>(
    file: &str,
    model: &str,
    text: R,
    hasher: &RandomState,
    repeated: &[(usize, Vec<u64>)],
) -> Result<(), BadInput> {
    let mut order = Order::new(file, text, model)?;
    let mut first: HashMap<(usize, String), u64> = HashMap::new();
    while let Some(row) = order.next() {
        let row = row?;
        let line = order.record.position().map_or(0, csv::Position::line);
        for (column, hashes) in repeated {
            let Some((name, value)) = UNIQUE
                .get(*column)
                .and_then(|name| Some((name, row.identifier(name)?)))
            else {
                continue;
            };
            if hashes.binary_search(&hasher.hash_one(value)).is_err() {
                continue;
            }
            if let Some(before) = first.insert((*column, value.into()), line) {
                let at = order.header.iter().position(|own| **own == **name).unwrap_or(0);
                return Err(BadInput {
                    file: file.into(),
                    line,
                    column: Column::Field(at as u64 + 1, (*name).into()),
                    reason: format!("the same as in line {before}"),
                });
            }
        }
    }
    Ok(())
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Hash,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let len = self.inner.read(bytes)?;
        self.hash.update(bytes.get(..len).unwrap_or_default());
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaw(text: &[u8]) -> Option<String> {
        check("o.csv", "M", || Ok(text), |_| {})
            .err()
            .map(|flaw| flaw.to_string())
    }

    //= compliance/requirements.md#cred-23
    //= type=test
    //# An order with a malformed line, or in which two devices share a serial, MAC address, EUI-64 or IMEI, MUST be refused with file, line, column and reason before anything is made of it.
    #[test]
    #[allow(clippy::too_many_lines, reason = "a list")]
    fn each_flaw_of_an_order_is_named_with_its_place() {
        assert_eq!(
            flaw(b"\xef\xbb\xbfSerial,model,mac\r\nA-1,M,020000000001\r\nA-2,M,\r\n"),
            None
        );
        for (text, place, reason) in [
            (
                &b""[..],
                "o.csv:1: column 1 (serial)",
                "the header names no such column",
            ),
            (
                b"mac\n020000000001\n",
                "o.csv:1: column 1 (serial)",
                "the header names no such column",
            ),
            (
                b"serial,serial\nA,B\n",
                "o.csv:1: column 2 (serial)",
                "the column is there twice",
            ),
            (
                b"serial,a b\nA,B\n",
                "o.csv:1: column 2 (a b)",
                "a column is called by letters",
            ),
            (
                b"serial\n",
                "o.csv:2: column 1 (serial)",
                "the order has no devices",
            ),
            (
                b"serial,mac\nA-1\n",
                "o.csv:2: column 2 (mac)",
                "the line has 1 fields, the header 2",
            ),
            (
                b"serial\nA-1\nA 2\n",
                "o.csv:3: column 1 (serial)",
                "a serial has letters",
            ),
            (
                b"serial\nA/2\n",
                "o.csv:2: column 1 (serial)",
                "a serial has letters",
            ),
            (
                b"serial\n\"\"\n",
                "o.csv:2: column 1 (serial)",
                "the serial is empty",
            ),
            (
                b"serial\n..\n",
                "o.csv:2: column 1 (serial)",
                "the serial is empty",
            ),
            (
                b"serial\n-1\n",
                "o.csv:2: column 1 (serial)",
                "begins like a formula",
            ),
            (
                b"serial\n123456789012345678901234567890123\n",
                "o.csv:2: column 1 (serial)",
                "a serial has at most 32",
            ),
            (
                b"serial,model\nA,N\n",
                "o.csv:2: column 2 (model)",
                "not the model of the profile",
            ),
            (
                b"serial,mac\nA,02000000000\n",
                "o.csv:2: column 2 (mac)",
                "not a MAC address",
            ),
            (
                b"serial,mac\nA,030000000001\n",
                "o.csv:2: column 2 (mac)",
                "not a MAC address",
            ),
            (
                b"serial,imei\nA,490154203237517\n",
                "o.csv:2: column 2 (imei)",
                "not an IMEI",
            ),
            (
                b"serial,eui64\nA,12\n",
                "o.csv:2: column 2 (eui64)",
                "not an EUI-64",
            ),
            (
                b"serial,name\nA,=1+1\n",
                "o.csv:2: column 2 (name)",
                "begins like a formula",
            ),
            (
                b"serial,name\nA,a\x07\n",
                "o.csv:2: column 2 (name)",
                "holds a control character",
            ),
            (
                b"serial,password\nA,hunter2\n",
                "o.csv:1: column 2 (password)",
                "an order holds no secrets",
            ),
            (
                b"serial,matter_qr\nA,x\n",
                "o.csv:1: column 2 (matter_qr)",
                "labels have a column of this name",
            ),
            (b"serial,name\nA,\xff\n", "o.csv:2: column 2 (name)", "not UTF-8"),
            (
                b"serial\nA\nB\nA\n",
                "o.csv:4: column 1 (serial)",
                "the same as in line 2",
            ),
            (
                b"serial,mac\nA,02-00-00-00-00-01\nB,020000000001\n",
                "o.csv:3: column 2 (mac)",
                "the same as in line 2",
            ),
        ] {
            let said = flaw(text).unwrap_or_default();
            assert!(
                said.starts_with(&format!("{place}: {reason}")),
                "{said} for {}",
                text.escape_ascii()
            );
        }
        assert_eq!(flaw(b"serial,imei\nA,490154203237518\n"), None);
    }

    #[test]
    fn what_is_wrong_is_not_repeated_where_it_could_be_a_secret() {
        let said = flaw(b"serial,password\nA,hunter2\n").unwrap_or_default();
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn columns_that_are_called_like_a_secret_are_refused_and_identifiers_are_not() {
        for name in [
            "wifi_password",
            "Admin-Password",
            "wifipassword",
            "passwort",
            "default-pwd",
            "wpa-key",
            "key",
            "psk",
            "PIN",
            "sim_pin",
            "puk",
            "passphrase",
            "setup_code",
            "pairing-code",
            "unlock_code",
            "client-secret",
            "api_token",
            "credential",
        ] {
            let said = flaw(format!("serial,{name}\nA,hunter2\n").as_bytes()).unwrap_or_default();
            assert!(said.contains("an order holds no secrets"), "{name}: {said}");
        }
        for name in [
            "mac",
            "imei",
            "eui64",
            "batch",
            "colour",
            "country-code",
            "product_code",
            "public-key",
            "keyboard",
            "spinner",
            "ssid",
            "iccid",
        ] {
            let said = flaw(format!("serial,{name}\nA,\n").as_bytes());
            assert_eq!(said, None, "{name}");
        }
    }

    #[test]
    fn a_header_that_is_no_header_is_not_repeated_at_length() {
        let said = flaw(format!("serial,{}\nA,B\n", "x".repeat(100_000)).as_bytes()).unwrap_or_default();
        assert!(
            said.contains("a column is called by letters") && said.len() < 300,
            "{} bytes",
            said.len()
        );
    }

    #[test]
    fn a_row_has_the_columns_of_the_header() {
        let rows: Result<Vec<Row>, BadInput> = Order::new(
            "o",
            &b"mac, SERIAL ,batch,colour\n02:00:00:00:00:0a, X1 ,\"7, b\",\n"[..],
            "M",
        )
        .expect("a header")
        .collect();
        let rows = rows.expect("well-formed");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].serial.as_str(), "X1");
        assert_eq!(rows[0].identifier("mac"), Some("02:00:00:00:00:0A"));
        assert_eq!(rows[0].identifier("batch"), Some("7, b"));
        assert_eq!(rows[0].identifier("colour"), None);
    }
}
