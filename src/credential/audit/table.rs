//! A table of text with a header: commas, semicolons or tabs, quoted or not, with or without a byte order mark.
//!
//! ```text
//!  audit::batch
//!  audit::table (this file)
//! ```
//!
//! Read strictly: a quote that is not closed, or text behind one, is refused with its place, where a lenient reader would guess.

use std::string::String;
use std::vec::Vec;

use super::batch::{BadInput, Reason};

/// A header and rows of as many fields.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// The fields of a row, and the line where it begins.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
}

impl Table {
    //= compliance/requirements.md#cred-41
    //# A table that cannot be read whole MUST be refused with line, column and reason, and nothing in it guessed.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadInput> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(BadInput::at(1, 1, Reason::Utf16));
        }
        let text = core::str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = valid.split(|byte| *byte == b'\n').count();
            let column = valid.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            BadInput::at(line as u64, column as u64, Reason::NotUtf8)
        })?;
        let mut reader = Reader {
            rest: text,
            delimiter: delimiter(text),
            line: 1,
            column: 1,
        };
        let header = loop {
            match reader.row()? {
                None => return Err(BadInput::at(1, 1, Reason::Empty)),
                Some(row) if row.is_blank() => {}
                Some(row) => break row.fields,
            }
        };
        let mut rows = Vec::new();
        while let Some(row) = reader.row()? {
            // A blank line is a blank line, unless one column is all there is.
            if row.is_blank() && header.len() > 1 {
                continue;
            }
            if row.fields.len() != header.len() {
                let (found, expected) = (row.fields.len(), header.len());
                return Err(BadInput::at(row.line, 1, Reason::Fields { found, expected }));
            }
            rows.push(row);
        }
        while header.len() == 1 && rows.last().is_some_and(Row::is_blank) {
            rows.pop();
        }
        if rows.is_empty() {
            return Err(BadInput::at(reader.line, 1, Reason::NoDevices));
        }
        Ok(Self { header, rows })
    }
}

impl Row {
    fn is_blank(&self) -> bool {
        self.fields.iter().all(String::is_empty) && self.fields.len() == 1
    }
}

/// The one that the first line has most of, outside quotes.
fn delimiter(text: &str) -> char {
    let mut counts = [(',', 0), (';', 0), ('\t', 0)];
    let mut quoted = false;
    for letter in text.trim_start_matches(['\r', '\n']).chars() {
        match letter {
            '"' => quoted = !quoted,
            '\n' | '\r' if !quoted => break,
            _ if quoted => {}
            _ => counts
                .iter_mut()
                .filter(|(delimiter, _)| *delimiter == letter)
                .for_each(|(_, count)| *count += 1),
        }
    }
    // The first of the most frequent: a comma where there is none at all.
    counts
        .iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(',', |(delimiter, _)| *delimiter)
}

struct Reader<'a> {
    rest: &'a str,
    delimiter: char,
    line: u64,
    column: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        if letter == '\n' || letter == '\r' && !self.rest.starts_with('\n') {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(letter)
    }

    fn row(&mut self) -> Result<Option<Row>, BadInput> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        let mut fields = Vec::new();
        loop {
            let (field, end) = self.field()?;
            fields.push(field);
            if end != Some(self.delimiter) {
                return Ok(Some(Row { line, fields }));
            }
        }
    }

    /// A field, and what ended it: the delimiter, an end of line, or the end of the text.
    fn field(&mut self) -> Result<(String, Option<char>), BadInput> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let mut field = String::new();
        loop {
            let (line, column) = (self.line, self.column);
            match self.next() {
                Some('\r') if self.rest.starts_with('\n') => {}
                Some('\0') => return Err(BadInput::at(line, column, Reason::ZeroByte)),
                end if end
                    .is_none_or(|letter| letter == self.delimiter || letter == '\n' || letter == '\r') =>
                {
                    return Ok((field.trim().into(), end));
                }
                Some(letter) => field.push(letter),
                None => return Ok((field, None)),
            }
        }
    }

    fn quoted(&mut self) -> Result<(String, Option<char>), BadInput> {
        let (opened, at) = (self.line, self.column);
        let mut field = String::new();
        self.next();
        loop {
            match self.next() {
                None => return Err(BadInput::at(opened, at, Reason::OpenQuote)),
                Some('"') if self.rest.starts_with('"') => {
                    self.next();
                    field.push('"');
                }
                Some('"') => break,
                Some(letter) => field.push(letter),
            }
        }
        let (line, column) = (self.line, self.column);
        if self.rest.starts_with("\r\n") {
            self.next();
        }
        match self.next() {
            end if end.is_none_or(|letter| letter == self.delimiter || letter == '\n' || letter == '\r') => {
                Ok((field, end))
            }
            _ => Err(BadInput::at(line, column, Reason::AfterQuote)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<Vec<String>> {
        let table = Table::read(text.as_bytes()).unwrap();
        let rows = table.rows.into_iter().map(|row| row.fields);
        core::iter::once(table.header).chain(rows).collect()
    }

    #[test]
    fn commas_semicolons_tabs_and_every_end_of_line_are_read_alike() {
        let plain = fields("a,b\n1,2\n3,4\n");
        for text in [
            "\u{feff}a,b\r\n1,2\r\n3,4",
            "a;b\n1;2\n3;4\n\n",
            "a\tb\r1\t2\r3\t4\r",
            "\"a\",\"b\"\n\"1\",2\n3,\"4\"\n",
        ] {
            assert_eq!(fields(text), plain, "{text:?}");
        }
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_ends_of_line() {
        assert_eq!(
            fields("a,b\n\"x,\"\"y\"\"\",\"1\n2\"\n").last().unwrap(),
            &["x,\"y\"", "1\n2"]
        );
    }

    #[test]
    fn each_flaw_is_named_with_its_line_and_column() {
        for (text, line, column, reason) in [
            (&b""[..], 1, 1, Reason::Empty),
            (b"a,b\n", 2, 1, Reason::NoDevices),
            (
                b"a,b\n1,2\n3\n",
                3,
                1,
                Reason::Fields {
                    found: 1,
                    expected: 2,
                },
            ),
            (b"a,b\n1,\"2\n", 2, 3, Reason::OpenQuote),
            (b"a,b\n1,\"2\"x\n", 2, 6, Reason::AfterQuote),
            (b"a,b\n1,\xff\n", 2, 3, Reason::NotUtf8),
            (b"a,b\n1,\0\n", 2, 3, Reason::ZeroByte),
            (b"\xff\xfea\0", 1, 1, Reason::Utf16),
        ] {
            let Err(error) = Table::read(text) else {
                panic!("{text:?} was read");
            };
            assert_eq!(
                (error.line, error.column, error.reason),
                (line, column, reason),
                "{text:?}"
            );
        }
    }
}
