//! The order file: which devices are to be made. Everything in it comes from outside, so it is checked here and nowhere else.
//!
//! ```text
//! serial,model,mac
//! BD-2611-0001,Thermostat T2,00:00:5E:00:53:10
//! ```
//!
//! (The MAC addresses of the order that comes with the example are from the block for documentation, RFC 7042.)

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str;

/// One device to be made. The serial is fit for a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) serial: String,
    pub(crate) model: String,
    pub(crate) mac: [u8; 6],
}

/// What is wrong with the order file.
#[derive(Debug)]
pub(crate) struct BadOrder {
    file: PathBuf,
    /// The line at fault, unless it is the file as a whole.
    line: Option<u64>,
    reason: String,
}

impl Order {
    /// Reads all devices of an order.
    pub(crate) fn read_all(file: &Path) -> Result<Vec<Self>, BadOrder> {
        let bytes = read(file).map_err(|error| BadOrder::of_file(file, error.to_string()))?;
        parse(&bytes).map_err(|flaw| BadOrder {
            file: file.into(),
            line: Some(flaw.line),
            reason: flaw.reason,
        })
    }

    fn parse(record: &csv::StringRecord) -> Result<Self, String> {
        let columns: Vec<&str> = record.iter().collect();
        let [serial, model, mac] = columns[..] else {
            return Err(format!(
                "{} column(s) where {} belong",
                columns.len(),
                COLUMNS.join(",")
            ));
        };
        Ok(Self {
            serial: serial_number(serial)?,
            model: model_name(model)?,
            mac: mac_address(mac)?,
        })
    }
}

impl BadOrder {
    /// A fault of the file, not of one line.
    pub(crate) fn of_file(file: &Path, reason: String) -> Self {
        Self {
            file: file.into(),
            line: None,
            reason,
        }
    }
}

impl fmt::Display for BadOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file.display(), self.reason),
            None => write!(f, "{}: {}", self.file.display(), self.reason),
        }
    }
}

/// A MAC address as it is printed on a label.
pub(crate) fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02X}")).join(":")
}

struct Flaw {
    line: u64,
    reason: String,
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(MAX_FILE_LENGTH + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_LENGTH {
        return Err(io::Error::other("larger than 16 MiB, not an order"));
    }
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Vec<Order>, Flaw> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count() as u64;
        Flaw {
            line,
            reason: "not UTF-8".into(),
        }
    })?;
    // Line by line, so that a stray quote cannot swallow the devices after it, and the line named is the line at fault.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty());
    let Some((line, header)) = lines.next() else {
        return Err(Flaw {
            line: 1,
            reason: "the file is empty".into(),
        });
    };
    let flaw = |line: u64| move |reason: String| Flaw { line, reason };
    if columns(header).map_err(flaw(line))?.iter().ne(COLUMNS) {
        return Err(flaw(line)(format!(
            "the header is {:?}, not {}",
            start_of(header),
            COLUMNS.join(",")
        )));
    }

    let mut orders = Vec::new();
    let mut lines_of_serials = HashMap::new();
    let mut lines_of_macs = HashMap::new();
    let mut last_line = line;
    for (line, text) in lines {
        let order = columns(text)
            .and_then(|columns| Order::parse(&columns))
            .map_err(flaw(line))?;
        // Two serials that differ in case only would be one file on some systems.
        if let Some(first) = lines_of_serials.insert(order.serial.to_ascii_lowercase(), line) {
            return Err(flaw(line)(format!(
                "serial {} is in line {first} already",
                order.serial
            )));
        }
        if let Some(first) = lines_of_macs.insert(order.mac, line) {
            return Err(flaw(line)(format!(
                "MAC {} is in line {first} already",
                mac_text(order.mac)
            )));
        }
        orders.push(order);
        last_line = line;
    }
    if orders.is_empty() {
        return Err(flaw(last_line)("no devices after the header".into()));
    }
    Ok(orders)
}

fn columns(line: &str) -> Result<csv::StringRecord, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    reader
        .read_record(&mut record)
        .map_err(|error| error.to_string())?;
    Ok(record)
}

fn serial_number(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("the serial is empty".into());
    }
    if text.len() > MAX_SERIAL_LENGTH {
        return Err(format!(
            "the serial has {} bytes, more than {MAX_SERIAL_LENGTH}",
            text.len()
        ));
    }
    let fit = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if let Some(letter) = text.chars().find(|letter| !fit(*letter)) {
        return Err(format!(
            "the serial has {letter:?} in it, unfit for a file name: letters, digits, - and _ are fit"
        ));
    }
    if text.starts_with('-') {
        return Err("the serial begins with -, unfit for a file name".into());
    }
    Ok(text.into())
}

fn model_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("the model is empty".into());
    }
    if text.len() > MAX_MODEL_LENGTH {
        return Err(format!(
            "the model has {} bytes, more than {MAX_MODEL_LENGTH}",
            text.len()
        ));
    }
    let fit =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '.' | '/' | '+');
    if let Some(letter) = text.chars().find(|letter| !fit(*letter)) {
        return Err(format!(
            "the model has {letter:?} in it; letters, digits, space and -_./+ are fit"
        ));
    }
    if text.trim() != text {
        return Err("the model begins or ends with a space".into());
    }
    Ok(text.into())
}

fn mac_address(text: &str) -> Result<[u8; 6], String> {
    let malformed = || {
        format!(
            "MAC {:?} is not six pairs of hexadecimal digits with colons between",
            start_of(text)
        )
    };
    let mut mac = [0; 6];
    let mut pairs = text.split(':');
    for byte in &mut mac {
        let pair = pairs
            .next()
            .filter(|pair| pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
        *byte = u8::from_str_radix(pair.ok_or_else(malformed)?, 16).map_err(|_| malformed())?;
    }
    if pairs.next().is_some() {
        return Err(malformed());
    }
    if mac == [0; 6] {
        return Err("the MAC is all zero".into());
    }
    if mac[0] & 1 == 1 {
        return Err(format!(
            "MAC {} is a multicast address, no device's own",
            mac_text(mac)
        ));
    }
    Ok(mac)
}

/// As much of a text from outside as belongs in a message.
fn start_of(text: &str) -> String {
    text.chars().take(40).collect()
}

const COLUMNS: [&str; 3] = ["serial", "model", "mac"];
const MAX_SERIAL_LENGTH: usize = 32;
const MAX_MODEL_LENGTH: usize = 32;
const MAX_FILE_LENGTH: u64 = 16 << 20;
