//! The signed form of the file (RFC 9580, section 7): which lines are text, and whether all of it lies within the signature's frame.
//!
//! ```text
//!  check
//!  cleartext (this file)
//! ```

/// Follows a file line by line.
pub(super) struct Frame {
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Before the first line.
    Begin,
    /// All of it is text.
    Unsigned,
    /// What stands between the first line and the text.
    Head,
    /// The signed text.
    Text,
    /// The signature.
    Signature,
    /// Behind the signature.
    End,
}

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A line of the file as RFC 9116 knows it.
    Text(&'a str),
    /// Part of the frame.
    Frame,
    /// It breaks the frame.
    Broken(FrameFlaw),
}

/// Why the frame of a signature is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameFlaw {
    /// Something other than a hash stands before the text.
    #[error("only Hash: and an empty line stand before the signed text")]
    Head,
    /// A line of the text begins with a dash that is not escaped.
    #[error("a line of signed text that begins with - has \"- \" put before it")]
    NotEscaped,
    /// A line of the signature that is none.
    #[error("no line of a signature")]
    Signature,
    /// A frame begins within the text, or a second time.
    #[error("outside the signature: nobody has signed it")]
    Outside,
    /// The file ends within the frame.
    #[error("the file ends within the frame of its signature")]
    Unfinished,
}

impl Frame {
    pub(super) const fn new() -> Self {
        Self { part: Part::Begin }
    }

    /// Whether the file has the signed form.
    pub(super) fn is_signed(&self) -> bool {
        !matches!(self.part, Part::Begin | Part::Unsigned)
    }

    /// Whether the file may end here.
    pub(super) fn end(&self) -> Option<FrameFlaw> {
        matches!(self.part, Part::Head | Part::Text | Part::Signature).then_some(FrameFlaw::Unfinished)
    }

    /// Takes the next line, without what ends it.
    //= compliance/requirements.md#paper-3
    //# In a signed `security.txt` only what lies within the frame of the signature MUST count, and text outside it MUST be told.
    pub(super) fn take<'a>(&mut self, line: &'a str) -> Line<'a> {
        match self.part {
            Part::Begin if line == BEGIN => self.go(Part::Head),
            Part::Begin => {
                self.part = Part::Unsigned;
                Line::Text(line)
            }
            Part::Unsigned if line == BEGIN => Line::Broken(FrameFlaw::Outside),
            Part::Unsigned => Line::Text(line),
            Part::Head if line.is_empty() => self.go(Part::Text),
            Part::Head if line.starts_with("Hash: ") => Line::Frame,
            Part::Head => Line::Broken(FrameFlaw::Head),
            Part::Text if line == SIGNATURE => self.go(Part::Signature),
            Part::Text => match (line.strip_prefix("- "), line.starts_with('-')) {
                (Some(escaped), _) => Line::Text(escaped),
                (None, true) => Line::Broken(FrameFlaw::NotEscaped),
                (None, false) => Line::Text(line),
            },
            Part::Signature if line == END => self.go(Part::End),
            Part::Signature if is_of_signature(line) => Line::Frame,
            Part::Signature => Line::Broken(FrameFlaw::Signature),
            Part::End if line.is_empty() => Line::Frame,
            Part::End => Line::Broken(FrameFlaw::Outside),
        }
    }

    fn go<'a>(&mut self, to: Part) -> Line<'a> {
        self.part = to;
        Line::Frame
    }
}

/// Base64, its checksum, a header of the armour, or the empty line between them.
fn is_of_signature(line: &str) -> bool {
    let is_base64 = |symbol: u8| symbol.is_ascii_alphanumeric() || b"+/=".contains(&symbol);
    line.bytes().all(is_base64)
        || line.split_once(": ").is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|letter| letter.is_ascii_alphabetic())
        })
}

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";
