//! What is wrong with a file from outside, and where: file, line, column, reason.
//!
//! ```text
//!  profile · order
//!  place    (this file)
//! ```

use std::fmt;
use std::string::String;

/// A flaw of an order or a profile. Printed, it reads `order.csv:17: column 2 (mac): not a MAC address`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}{column}: {reason}")]
pub struct BadInput {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column.
    pub column: Column,
    /// What is wrong. It shows no secret: orders and profiles hold none.
    pub reason: String,
}

/// Where in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The number of the character, from 1.
    Character(u64),
    /// The field of a table: its number from 1, and what the header calls it.
    Field(u64, String),
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(number) => write!(formatter, ":{number}"),
            Self::Field(number, name) => write!(formatter, ": column {number} ({name})"),
        }
    }
}

impl BadInput {
    /// A flaw at a byte of a text.
    pub(super) fn at_byte(file: &str, text: &str, byte: usize, reason: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let in_line = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            file: file.into(),
            line: (before.matches('\n').count() as u64).saturating_add(1),
            column: Column::Character((in_line as u64).saturating_add(1)),
            reason: reason.into(),
        }
    }
}
