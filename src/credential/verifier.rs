//! Verifiers: what a device keeps of a password or code, so that it can check one and nobody can read it off.
//!
//! ```text
//!  device
//!  verifier (this file)     · limiter     whose permit every check takes
//!  phc · cost
//!  crypto
//! ```

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::cost::Cost;
use super::limiter::{Permission, Verdict};
use super::phc::{self, LONGEST_HASH, LONGEST_SALT, PhcError};
use crate::crypto::password::{Block, argon2id};
use crate::secret::Secret;
use crate::store::{CodecError, Stored};

/// Longest password or code that is hashed, in bytes. A longer one is never right.
pub const LONGEST_PASSWORD: usize = 256;

/// Bytes of the salt of a verifier that is made here.
pub const SALT_LEN: usize = 16;
/// Bytes of the hash of a verifier that is made here.
const HASH_LEN: usize = 32;

/// Why a verifier could not be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierError {
    /// Fewer blocks are lent than the cost names: so many are needed.
    #[error("{0} blocks of 1 KiB are needed")]
    Memory(u32),
    /// The secret is empty or longer than [`LONGEST_PASSWORD`].
    #[error("the secret is empty or too long")]
    Length,
    /// The random source failed.
    #[error("the random source failed")]
    Random,
}

/// The hash of a password or code, with its salt and cost. It is kept in the store, sealed.
///
/// # Security
///
/// Against whoever reads it, it is worth what a guess [costs](Cost) and how many guesses the secret stands; a code of eight
/// digits stands none of them for long. That nobody reads it is the store's work. It cannot be printed or compared:
///
/// ```compile_fail
/// # fn example(verifier: &bydesign::credential::Verifier) {
/// println!("{verifier:?}");
/// # }
/// ```
pub struct Verifier {
    cost: Cost,
    salt: [u8; LONGEST_SALT],
    salt_len: usize,
    hash: Secret<LONGEST_HASH>,
    hash_len: usize,
}

impl Verifier {
    /// Hashes a code or password that was *issued*: drawn by a random source, at the factory or on the device. What an owner chooses comes
    /// through [`PasswordPolicy`](super::PasswordPolicy) and [`Device`](super::Device) instead.
    ///
    /// The salt is fresh for each verifier. As many [`Block`]s are lent as the cost has KiB; they are wiped afterwards.
    ///
    /// # Errors
    ///
    /// [`VerifierError`].
    pub fn of_issued(
        secret: &[u8],
        salt: [u8; SALT_LEN],
        cost: Cost,
        blocks: &mut [Block],
    ) -> Result<Self, VerifierError> {
        if secret.is_empty() || secret.len() > LONGEST_PASSWORD {
            return Err(VerifierError::Length);
        }
        let mut verifier = Self {
            cost,
            salt: [0; LONGEST_SALT],
            salt_len: SALT_LEN,
            hash: Secret::new([0; LONGEST_HASH]),
            hash_len: HASH_LEN,
        };
        let salts = verifier.salt.iter_mut().zip(&salt);
        salts.for_each(|(to, from)| *to = *from);
        let mut hash = Secret::new([0; LONGEST_HASH]);
        verifier.hash_into(secret, blocks, &mut hash)?;
        verifier.hash = hash;
        Ok(verifier)
    }

    /// The same with a salt from the random source.
    pub(super) fn fresh<R: TryCryptoRng + ?Sized>(
        secret: &[u8],
        cost: Cost,
        blocks: &mut [Block],
        random: &mut R,
    ) -> Result<Self, VerifierError> {
        let salt = crate::crypto::fresh(random).map_err(|_| VerifierError::Random)?;
        Self::of_issued(secret, salt, cost, blocks)
    }

    /// Reads a PHC string.
    ///
    /// # Errors
    ///
    /// [`PhcError`].
    pub fn from_phc(text: &str) -> Result<Self, PhcError> {
        let parts = phc::parse(text)?;
        Ok(Self {
            cost: parts.cost,
            salt: parts.salt,
            salt_len: parts.salt_len,
            hash: parts.hash,
            hash_len: parts.hash_len,
        })
    }

    /// Writes the PHC string to the start of `out`; [`LONGEST_PHC`](super::LONGEST_PHC) bytes are always enough.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if it does not fit; `out` is wiped then.
    ///
    /// # Security
    ///
    /// Whoever has the string can try passwords on a machine of their own. It belongs into no log.
    pub fn write_phc<'a>(&self, out: &'a mut [u8]) -> Result<&'a str, CodecError> {
        let (salt, hash) = self.stored_parts().ok_or(CodecError)?;
        let len = phc::write(self.cost, salt, hash, out).ok_or(CodecError)?;
        let text = out.get(..len).ok_or(CodecError)?;
        core::str::from_utf8(text).map_err(|_| CodecError)
    }

    /// What a guess costs.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// Whether the secret should be hashed anew when it is next at hand, because `wanted` costs more.
    #[must_use]
    pub const fn needs_rehash(&self, wanted: Cost) -> bool {
        self.cost.is_below(wanted)
    }

    /// Makes ready to check one guess: before an attempt is spent, it is certain that the memory is enough.
    ///
    /// ```
    /// # use bydesign::credential::{Block, Verifier, VerifierError};
    /// # use bydesign::credential::limiter::{Permit, Verdict};
    /// # use bydesign::flash::NeverPends;
    /// # fn example<M: NeverPends>(verifier: &Verifier, entered: &str, permit: Permit<'_, M>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut blocks = [Block::new(); 32];
    /// let ready = verifier.ready(&mut blocks)?;
    /// // let permit = limiter.attempt(&mut store, now, &mut random)?;
    /// match ready.check(entered.as_bytes(), permit) {
    ///     Verdict::Right(right) => {
    ///         let proven = right.settle()?; // then, and not before, there is access
    /// #       let _ = proven;
    ///     }
    ///     Verdict::Wrong => println!("no"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifierError::Memory`].
    pub fn ready<'a>(&'a self, blocks: &'a mut [Block]) -> Result<Ready<'a>, VerifierError> {
        let needed = VerifierError::Memory(self.cost.memory_kib());
        let count = usize::try_from(self.cost.memory_kib()).map_err(|_| needed)?;
        let blocks = blocks.get_mut(..count).ok_or(needed)?;
        Ok(Ready {
            verifier: self,
            blocks,
        })
    }

    /// Whether this is the secret. Takes the same time whatever the secret is, apart from its length.
    //= compliance/requirements.md#cred-1
    //# A password MUST be compared as its Argon2id hash, in constant time, and neither the password nor the hash's memory MUST remain afterwards.
    pub(super) fn matches(&self, secret: &[u8], blocks: &mut [Block]) -> Result<bool, VerifierError> {
        let mut hash = Secret::new([0; LONGEST_HASH]);
        self.hash_into(secret, blocks, &mut hash)?;
        // Both are zero behind the hash.
        Ok(hash.ct_eq(&self.hash).into())
    }

    fn hash_into(
        &self,
        secret: &[u8],
        blocks: &mut [Block],
        hash: &mut Secret<LONGEST_HASH>,
    ) -> Result<(), VerifierError> {
        let needed = VerifierError::Memory(self.cost.memory_kib());
        let count = usize::try_from(self.cost.memory_kib()).map_err(|_| needed)?;
        let lent = blocks.get_mut(..count).ok_or(needed)?;
        let (salt, out) = self
            .salt
            .get(..self.salt_len)
            .zip(hash.expose_mut().get_mut(..self.hash_len))
            .ok_or(needed)?;
        argon2id(secret, salt, (self.cost.passes(), self.cost.lanes()), lent, out).map_err(|_| needed)
    }

    fn stored_parts(&self) -> Option<(&[u8], &[u8])> {
        let salt = self.salt.get(..self.salt_len)?;
        let hash = self.hash.expose().get(..self.hash_len)?;
        Some((salt, hash))
    }
}

/// A verifier with the memory to check one guess.
pub struct Ready<'a> {
    verifier: &'a Verifier,
    blocks: &'a mut [Block],
}

impl Ready<'_> {
    /// Checks a guess, for a permit. The lent memory is wiped; the guess is the caller's to wipe.
    ///
    /// A guess that is empty or longer than [`LONGEST_PASSWORD`] bytes is wrong.
    pub fn check<P: Permission>(self, secret: &[u8], permit: P) -> Verdict<P> {
        let fits = !secret.is_empty() && secret.len() <= LONGEST_PASSWORD;
        let is_right = fits && self.verifier.matches(secret, self.blocks) == Ok(true);
        Verdict::of(is_right, permit)
    }
}

/// As its PHC string.
impl Stored for Verifier {
    fn encode(&self, out: &mut [u8]) -> Result<usize, CodecError> {
        self.write_phc(out).map(str::len)
    }

    fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let text = core::str::from_utf8(bytes).map_err(|_| CodecError)?;
        Self::from_phc(text).map_err(|_| CodecError)
    }
}
