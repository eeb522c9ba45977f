//! PHC strings of Argon2id verifiers, in and out: strict, bounded, without allocation.
//!
//! ```text
//!  $argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc
//!   algorithm version  cost        salt                   hash
//! ```
//!
//! One verifier has one string: numbers have no leading zeros, Base64 (RFC 4648, without padding) no stray bits, the parameters one
//! order. What other libraries write in this form is read; what is written here is read by them.
//!
//! ```text
//!  verifier
//!  phc      (this file)
//!  cost
//! ```

use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroize;

use super::cost::Cost;
use crate::secret::Secret;

/// Longest PHC string that is read or written, in bytes.
pub const LONGEST_PHC: usize = 208;

/// Bytes of the longest salt.
pub(super) const LONGEST_SALT: usize = 48;
/// Bytes of the longest hash.
pub(super) const LONGEST_HASH: usize = 64;
const SHORTEST_SALT: usize = 8; // RFC 9106, 3.1
const SHORTEST_HASH: usize = 16; // 128 bits: a guess that hits by chance is out of the question

const ALGORITHM: &str = "argon2id";
const VERSION: &str = "v=19";

/// Why a string is no verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhcError {
    /// It is longer than [`LONGEST_PHC`].
    #[error("longer than any PHC string that is read here")]
    TooLong,
    /// It does not consist of the five fields, each behind a dollar sign.
    #[error("not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")]
    Form,
    /// Another algorithm than Argon2id: verifiers of those are not read.
    #[error("the algorithm is not argon2id")]
    Algorithm,
    /// Another version than 19 (0x13), or none.
    #[error("the version is not 19")]
    Version,
    /// The parameters are not m, t and p in this order, or there are others (a key id, associated data).
    #[error("the parameters are not m, t and p")]
    Parameters,
    /// A number has a sign, a leading zero, other symbols, or does not fit 32 bits.
    #[error("a parameter is no number in its one form")]
    Number,
    /// The numbers are out of the bounds of [`Cost::with_lanes`].
    #[error("the cost is out of bounds")]
    Cost,
    /// The salt is no Base64 in its one form, or has not 8 to 48 bytes.
    #[error("the salt is no Base64 of 8 to 48 bytes")]
    Salt,
    /// The hash is no Base64 in its one form, or has not 16 to 64 bytes.
    #[error("the hash is no Base64 of 16 to 64 bytes")]
    Hash,
}

/// What a string says.
pub(super) struct Parts {
    pub(super) cost: Cost,
    pub(super) salt: [u8; LONGEST_SALT],
    pub(super) salt_len: usize,
    pub(super) hash: Secret<LONGEST_HASH>,
    pub(super) hash_len: usize,
}

/// Reads a string.
//= compliance/requirements.md#cred-2
//# A PHC string that is not the one form of its verifier, or whose cost is out of bounds, MUST be refused.
pub(super) fn parse(text: &str) -> Result<Parts, PhcError> {
    if text.len() > LONGEST_PHC {
        return Err(PhcError::TooLong);
    }
    let mut fields = text.split('$');
    let (Some(""), Some(algorithm), Some(version), Some(parameters), Some(salt_text), Some(hash_text), None) = (
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
        fields.next(),
    ) else {
        return Err(PhcError::Form);
    };
    if algorithm != ALGORITHM {
        return Err(PhcError::Algorithm);
    }
    if version != VERSION {
        return Err(PhcError::Version);
    }
    let cost = parse_cost(parameters)?;
    let mut salt = [0; LONGEST_SALT];
    let salt_len = decode(salt_text, &mut salt).ok_or(PhcError::Salt)?;
    if salt_len < SHORTEST_SALT {
        return Err(PhcError::Salt);
    }
    let mut hash = Secret::new([0; LONGEST_HASH]);
    let hash_len = decode(hash_text, hash.expose_mut()).ok_or(PhcError::Hash)?;
    if hash_len < SHORTEST_HASH {
        return Err(PhcError::Hash);
    }
    Ok(Parts {
        cost,
        salt,
        salt_len,
        hash,
        hash_len,
    })
}

fn parse_cost(text: &str) -> Result<Cost, PhcError> {
    let mut parameters = text.split(',');
    let (Some(memory), Some(passes), Some(lanes), None) = (
        parameters.next(),
        parameters.next(),
        parameters.next(),
        parameters.next(),
    ) else {
        return Err(PhcError::Parameters);
    };
    Cost::with_lanes(
        parse_number(memory, "m=")?,
        parse_number(passes, "t=")?,
        parse_number(lanes, "p=")?,
    )
    .ok_or(PhcError::Cost)
}

fn parse_number(text: &str, name: &str) -> Result<u32, PhcError> {
    let digits = text.strip_prefix(name).ok_or(PhcError::Parameters)?;
    // `parse` takes a plus sign and leading zeros.
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PhcError::Number);
    }
    digits.parse().map_err(|_| PhcError::Number)
}

/// Bytes of Base64 in the start of `out`, and their number.
fn decode(text: &str, out: &mut [u8]) -> Option<usize> {
    Base64Unpadded::decode(text, out).ok().map(<[u8]>::len)
}

/// Writes the string to the start of `out` and gives its length; `None` if it does not fit.
pub(super) fn write(cost: Cost, salt: &[u8], hash: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut text = Writer { out, len: 0 };
    let written = text.all(cost, salt, hash);
    if written.is_none() {
        text.out.zeroize();
    }
    written
}

struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Writer<'_> {
    fn all(&mut self, cost: Cost, salt: &[u8], hash: &[u8]) -> Option<usize> {
        self.text("$argon2id$v=19$m=")?;
        self.number(cost.memory_kib())?;
        self.text(",t=")?;
        self.number(cost.passes())?;
        self.text(",p=")?;
        self.number(cost.lanes())?;
        self.text("$")?;
        self.base64(salt)?;
        self.text("$")?;
        self.base64(hash)?;
        Some(self.len)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        let room = self.out.get_mut(self.len..end)?;
        room.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.len = end;
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        self.bytes(text.as_bytes())
    }

    fn number(&mut self, number: u32) -> Option<()> {
        let mut unit = 1_000_000_000;
        while unit > 1 && number < unit {
            unit /= 10;
        }
        while unit > 0 {
            let digit = u8::try_from(number / unit % 10).ok()?;
            self.bytes(&[b'0' + digit])?;
            unit /= 10;
        }
        Some(())
    }

    fn base64(&mut self, bytes: &[u8]) -> Option<()> {
        let room = self.out.get_mut(self.len..)?;
        let written = Base64Unpadded::encode(bytes, room).ok()?.len();
        self.len = self.len.checked_add(written)?;
        Some(())
    }
}
