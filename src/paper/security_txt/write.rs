//! From values to a file.
//!
//! ```text
//!  write    (this file)
//!  field · value
//! ```

use core::fmt::{self, Write};

use super::super::timestamp::Timestamp;
use super::check::{LONGEST_FILE, LONGEST_LINE};
use super::field::Field;
use super::value::{self, ValueError};

/// A file that is to be; see [the module](super) for an example.
#[derive(Clone, Copy, Debug)]
pub struct SecurityTxt<'a> {
    contacts: &'a [&'a str],
    expires: Timestamp,
    acknowledgments: &'a [&'a str],
    canonical: &'a [&'a str],
    csaf: &'a [&'a str],
    encryption: &'a [&'a str],
    hiring: &'a [&'a str],
    languages: &'a [&'a str],
    policy: &'a [&'a str],
}

impl<'a> SecurityTxt<'a> {
    /// With what every file needs: where to report, the best way first, as URIs (`mailto:`, `tel:`, `https:`), and until when the file holds.
    #[must_use]
    pub const fn new(contacts: &'a [&'a str], expires: Timestamp) -> Self {
        Self {
            contacts,
            expires,
            acknowledgments: &[],
            canonical: &[],
            csaf: &[],
            encryption: &[],
            hiring: &[],
            languages: &[],
            policy: &[],
        }
    }

    /// Where people are thanked.
    #[must_use]
    pub const fn acknowledgments(mut self, addresses: &'a [&'a str]) -> Self {
        self.acknowledgments = addresses;
        self
    }

    /// Where the file is published; part of what a signature covers.
    #[must_use]
    pub const fn canonical(mut self, addresses: &'a [&'a str]) -> Self {
        self.canonical = addresses;
        self
    }

    /// Where advisories for programs are: `provider-metadata.json`.
    #[must_use]
    pub const fn csaf(mut self, addresses: &'a [&'a str]) -> Self {
        self.csaf = addresses;
        self
    }

    /// Where the key is that reports are encrypted with; never the key itself.
    #[must_use]
    pub const fn encryption(mut self, addresses: &'a [&'a str]) -> Self {
        self.encryption = addresses;
        self
    }

    /// Who is looked for.
    #[must_use]
    pub const fn hiring(mut self, addresses: &'a [&'a str]) -> Self {
        self.hiring = addresses;
        self
    }

    /// The languages that reports are read in, as in `en` and `de-AT`; one field holds them all.
    #[must_use]
    pub const fn languages(mut self, tags: &'a [&'a str]) -> Self {
        self.languages = tags;
        self
    }

    /// Where it says when a report is acknowledged and how its reporter hears of it until it is resolved.
    #[must_use]
    pub const fn policy(mut self, addresses: &'a [&'a str]) -> Self {
        self.policy = addresses;
        self
    }

    /// Writes the file, if [`check`](super::check()) will find no flaw in it at this time; nothing is written of one that has.
    ///
    /// # Errors
    ///
    /// [`Refused`], which names the field and the reason; or what the sink says.
    //= compliance/requirements.md#paper-2
    //# The builder MUST NOT write a `security.txt` in which the checker finds a flaw at the time given.
    pub fn write(&self, out: &mut impl Write, now: Timestamp) -> Result<(), Refused> {
        self.look(now)?;
        let mut length = Length(0);
        self.lines(&mut length).map_err(|_| Refused::Sink)?;
        if length.0 > LONGEST_FILE {
            return Err(Refused::FileTooLong);
        }
        self.lines(out).map_err(|_| Refused::Sink)
    }

    fn look(&self, now: Timestamp) -> Result<(), Refused> {
        if self.contacts.is_empty() {
            return Err(Refused::NoContact);
        }
        let of_value = |field, at, error| Refused::Value { field, at, error };
        value::expiry_of(self.expires, now).map_err(|error| of_value(Field::Expires, 0, error))?;
        for (field, values) in self.fields() {
            let mut line = field.name().len() + ": ".len();
            for (at, text) in values.iter().enumerate() {
                // A comma would make one language two, and white space is no part of any value.
                let is_part = field != Field::PreferredLanguages || !text.contains([',', ' ', '\t']);
                let error = value::flaw_of(field, text).or((!is_part).then_some(ValueError::Language));
                if let Some(error) = error {
                    return Err(of_value(field, at, error));
                }
                if line.saturating_add(text.len()) > LONGEST_LINE {
                    return Err(Refused::LineTooLong { field, at });
                }
                if field == Field::PreferredLanguages {
                    line += text.len() + ", ".len();
                }
            }
        }
        Ok(())
    }

    fn fields(&self) -> [(Field, &'a [&'a str]); 8] {
        [
            (Field::Contact, self.contacts),
            (Field::Encryption, self.encryption),
            (Field::Policy, self.policy),
            (Field::Acknowledgments, self.acknowledgments),
            (Field::PreferredLanguages, self.languages),
            (Field::Canonical, self.canonical),
            (Field::Csaf, self.csaf),
            (Field::Hiring, self.hiring),
        ]
    }

    fn lines(&self, out: &mut impl Write) -> fmt::Result {
        for (field, values) in self.fields() {
            if field == Field::PreferredLanguages {
                for (at, tag) in values.iter().enumerate() {
                    let before = if at == 0 { "Preferred-Languages: " } else { ", " };
                    write!(out, "{before}{tag}")?;
                }
                out.write_str(if values.is_empty() { "" } else { "\n" })?;
            } else {
                for value in values {
                    writeln!(out, "{field}: {value}")?;
                }
            }
            if field == Field::Contact {
                writeln!(out, "{}: {}", Field::Expires, self.expires)?;
            }
        }
        Ok(())
    }
}

/// Why no file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is no contact.
    #[error("Contact is missing")]
    NoContact,
    /// A value is wrong.
    #[error("{field}, value {at}: {error}")]
    Value {
        /// The field.
        field: Field,
        /// Which of its values, from 0.
        at: usize,
        /// Why.
        error: ValueError,
    },
    /// A value is too long, or languages are together.
    #[error("{field}, value {at}: the line is longer than {LONGEST_LINE} bytes")]
    LineTooLong {
        /// The field.
        field: Field,
        /// Which of its values, from 0.
        at: usize,
    },
    /// All values together are too long.
    #[error("longer than {LONGEST_FILE} bytes")]
    FileTooLong,
    /// The sink took no more; what it has is not whole.
    #[error("the sink took no more")]
    Sink,
}

/// Counts bytes.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}
