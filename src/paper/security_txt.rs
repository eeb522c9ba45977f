//! `security.txt` (RFC 9116): where to report a flaw, in a file that people and programs read.
//!
//! ```
//! use bydesign::paper::security_txt::{SecurityTxt, check, Asked};
//! use bydesign::paper::Timestamp;
//!
//! let now = Timestamp::parse("2026-11-01T00:00:00Z")?;
//! let file = SecurityTxt::new(&["mailto:security@example.com"], Timestamp::parse("2027-06-30T12:00:00Z")?)
//!     .policy(&["https://example.com/disclosure"])
//!     .languages(&["en", "de"]);
//! let mut text = String::new();
//! file.write(&mut text, now)?;
//! assert!(text.starts_with("Contact: mailto:security@example.com\nExpires: 2027-06-30T12:00:00Z\n"));
//! assert!(check(text.as_bytes(), &Asked::at(now), |flaw| panic!("{flaw}")).is_valid());
//!
//! let mut flaws = Vec::new();
//! check(b"Contact: security@example.com\n", &Asked::at(now), |flaw| flaws.push(flaw.to_string()));
//! assert_eq!(flaws[0], "line 1: Contact is no URI; an address of mail begins with mailto:");
//! assert_eq!(flaws[1], "the file: Expires is missing");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Both need neither an allocator nor a feature: a device that shows its own file builds it from constants. The place of the file is
//! `/.well-known/security.txt`, over https.
//!
//! # Security
//!
//! A file that passes has the right form. That somebody reads what arrives at the contact, and answers in the time that the policy states, no
//! program sees; EN 303 645 5.2-1 and the PSTI regulations ask for those times, and they stand in the policy and not in this file. A signed file is
//! recognised and read within its signature; the signature itself is not verified.
//!
//! Serves CoP 2; EN 303 645 5.2-1.
//!
//! ```text
//!  write · check        from values to a file, and from a file to flaws
//!  cleartext            the signed form
//!  field · value        what fields there are, and what may stand in them
//! ```

mod check;
mod cleartext;
mod field;
mod value;
mod write;

pub use check::{Asked, Checked, Flaw, LONGEST_FILE, LONGEST_LINE, Reason, check};
pub use cleartext::FrameFlaw;
pub use field::Field;
pub use value::ValueError;
pub use write::{Refused, SecurityTxt};
