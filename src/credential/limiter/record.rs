//! What the store keeps of a limiter: which epoch is live, where it stands in the area, and what was counted before it.
//!
//! ```text
//!  limiter
//!  record   (this file)
//!  store
//! ```

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::error::AttemptError;
use crate::flash::{Medium, MediumKind, two_faces};
use crate::secret::Secret;
use crate::store::{AsyncStore, DataClass, Memory};

/// Longest name of a limiter, in bytes.
pub const LONGEST_LIMITER_NAME: usize = 32;

const PREFIX: &[u8] = b"limiter.";
const NAME_LEN: usize = PREFIX.len() + LONGEST_LIMITER_NAME;

/// Bytes of a record.
const RECORD_LEN: usize = 42;
const VERSION: u8 = 1;

/// One epoch.
pub(super) struct Record {
    pub(super) kind: MediumKind,
    /// Epochs are numbered: two of them have different secrets even where the random source is stuck.
    pub(super) number: u32,
    pub(super) secret: Secret<16>,
    /// Where its header stands in the area.
    pub(super) start: u32,
    /// Attempts without a success before the marks of the area, the one that this record was written for among them.
    pub(super) charged: u32,
    /// Seconds of the delay that have passed already.
    pub(super) served: u32,
    /// The time when it was written, by a clock that survives a power cut.
    pub(super) wall: Option<u64>,
}

/// The item's name in the library's own class, which no application writes or erases.
#[derive(Clone, Copy)]
pub(super) struct Name {
    bytes: [u8; NAME_LEN],
    len: usize,
}

impl Name {
    pub(super) fn new(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > LONGEST_LIMITER_NAME {
            return None;
        }
        let mut bytes = [0; NAME_LEN];
        let text = PREFIX.iter().copied().chain(name.bytes());
        bytes.iter_mut().zip(text).for_each(|(to, from)| *to = from);
        Some(Self {
            bytes,
            len: PREFIX.len() + name.len(),
        })
    }

    fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }
}

#[two_faces]
impl Record {
    fn encode(&self) -> [u8; RECORD_LEN] {
        let kind = match self.kind {
            MediumKind::Overwritable => 1,
            MediumKind::WriteOnce => 2,
        };
        let parts: [&[u8]; 8] = [
            &[VERSION, kind],
            &self.number.to_le_bytes(),
            &self.start.to_le_bytes(),
            &self.charged.to_le_bytes(),
            &self.served.to_le_bytes(),
            // No clock says 2^64 - 1.
            &self.wall.unwrap_or(u64::MAX).to_le_bytes(),
            self.secret.expose(),
            &[],
        ];
        let mut bytes = [0; RECORD_LEN];
        let fields = parts.iter().flat_map(|part| part.iter());
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = *from);
        bytes
    }

    fn decode(bytes: &[u8; RECORD_LEN]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (charged, rest) = rest.split_first_chunk()?;
        let (served, rest) = rest.split_first_chunk()?;
        let (wall, rest) = rest.split_first_chunk()?;
        let kind = match head {
            [VERSION, 1] => MediumKind::Overwritable,
            [VERSION, 2] => MediumKind::WriteOnce,
            _ => return None,
        };
        let wall = u64::from_le_bytes(*wall);
        Some(Self {
            kind,
            number: u32::from_le_bytes(*number),
            secret: Secret::new(*rest.first_chunk()?),
            start: u32::from_le_bytes(*start),
            charged: u32::from_le_bytes(*charged),
            served: u32::from_le_bytes(*served),
            wall: (wall != u64::MAX).then_some(wall),
        })
    }

    /// Reads the live epoch; `None` if there never was one.
    pub(super) async fn read<S: Medium, I: Memory>(
        store: &mut AsyncStore<S, I>,
        name: Name,
    ) -> Result<Option<Self>, AttemptError> {
        let mut bytes = [0; RECORD_LEN];
        store.refuse_if_closed().map_err(crate::store::ReadError::from)?;
        let found = store.ledger_bytes(name.as_str(), &mut bytes).await?;
        let record = match found {
            None => Ok(None),
            Some(RECORD_LEN) => Self::decode(&bytes).map(Some).ok_or(AttemptError::Record),
            Some(_) => Err(AttemptError::Record),
        };
        bytes.zeroize();
        record
    }

    /// Writes the epoch, and reads it back.
    pub(super) async fn write<S: Medium, I: Memory, R: TryCryptoRng + ?Sized>(
        &self,
        store: &mut AsyncStore<S, I>,
        name: Name,
        random: &mut R,
    ) -> Result<(), AttemptError> {
        store.refuse_if_closed().map_err(crate::store::ReadError::from)?;
        let mut bytes = self.encode();
        let put = store
            .put_amid_erasure(DataClass::LEDGER, name.as_str(), &bytes, random)
            .await;
        let mut back = [0; RECORD_LEN];
        let read = match put {
            Ok(()) => store
                .ledger_bytes(name.as_str(), &mut back)
                .await
                .map_err(AttemptError::from),
            Err(error) => Err(error.into()),
        };
        let kept = back == bytes;
        bytes.zeroize();
        back.zeroize();
        match read {
            Ok(_) if kept => Ok(()),
            Ok(_) => Err(AttemptError::Unkept),
            Err(error) => Err(error),
        }
    }
}
