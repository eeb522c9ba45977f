//! Every byte the store puts on flash: magic numbers, field places, headers. `docs/on-flash-format.md` is the same in prose.
//!
//! ```text
//!  geometry · record · pages · log …
//!  format   (this file)   no I/O, no keys: bytes in, numbers out
//! ```

use crate::flash::MediumKind;

/// The version of everything in this file.
pub(crate) const VERSION: u8 = 1;
/// First bytes of a key page's clear part.
pub(crate) const MAGIC: [u8; 8] = *b"bydesign";
/// First bytes of the mark that says a page was completely erased.
const ERASE_MAGIC: [u8; 4] = *b"BYE1";
/// Bytes of the erase mark before padding.
pub(crate) const MARK_LEN: usize = 12;
/// Longest name of an item in bytes: six bits.
pub(crate) const MAX_NAME: usize = 63;
/// Longest value in bytes, whatever the page size.
pub(crate) const MAX_VALUE: usize = 4096;
/// The largest unit: words of 32 bytes.
pub(crate) const MAX_UNIT: usize = 32;
/// Longest partition label in bytes.
pub(crate) const MAX_LABEL: usize = 32;
/// Slot number in records that no class key seals.
pub(crate) const NO_SLOT: u8 = 63;
/// "No record": an address that cannot occur.
pub(crate) const NO_ADDRESS: u32 = u32::MAX;
/// The feature of a store that keeps checkpoints of its index.
pub(crate) const CHECKPOINTS: u8 = 1 << 1;
/// Features beyond the plain store that this version writes and reads, one bit each.
pub(crate) const FEATURES: u8 = CHECKPOINTS;
/// Bits of the fingerprint by which the index finds a name.
pub(crate) const NAME_HASH_BITS: u32 = 21;
/// Plaintext of the Page, Session and Key page records.
pub(crate) const SALT_PAYLOAD: usize = 44;
/// Most pages that can be left out: the Key page record has room for the numbers of so many.
pub(crate) const MOST_LEFT_OUT: usize = 4;
/// Plaintext of Removal, Anchor, Retire and Key commit records.
pub(crate) const PAIR_PAYLOAD: usize = 8;
/// Plaintext of a Commit record.
pub(crate) const COMMIT_PAYLOAD: usize = 16;
/// Plaintext of a Checkpoint record.
pub(crate) const CHECKPOINT_PAYLOAD: usize = 48;
/// Most 4-byte steps of ciphertext that a header can say.
pub(crate) const MOST_STEPS: u32 = 0x7ff;
/// Plaintext of a Store key record.
pub(crate) const STORE_KEY_PAYLOAD: usize = 32;
/// Plaintext of a Class key record.
pub(crate) const CLASS_PAYLOAD: usize = 52;
/// Clear bytes of a key page.
pub(crate) const CLEAR_LEN: usize = 40;
/// Bytes of a record's header.
pub(crate) const HEADER_LEN: usize = 4;
/// Bytes before the ciphertext in a record without a salt.
pub(crate) const TEXT_START: usize = HEADER_LEN + crate::crypto::SYNTHETIC_LEN;
/// The link at the start of values on overwritable media.
pub(crate) const LINK_LEN: usize = 8;
/// The meta byte.
pub(crate) const META_LEN: usize = 1;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Page = 1,
    Session = 2,
    Value = 3,
    Fixed = 4,
    Removal = 5,
    StagedValue = 6,
    StagedRemoval = 7,
    Commit = 8,
    Index = 9,
    Checkpoint = 10,
    Anchor = 11,
    Retire = 12,
    StagedFixed = 13,
    /// A Value whose item was not there, while another one of its class has the same name fingerprint.
    Alike = 14,
    StagedAlike = 15,
    KeyPage = 16,
    ClassKey = 17,
    KeyCommit = 18,
    StoreKey = 19,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Page,
            2 => Self::Session,
            3 => Self::Value,
            4 => Self::Fixed,
            5 => Self::Removal,
            6 => Self::StagedValue,
            7 => Self::StagedRemoval,
            8 => Self::Commit,
            9 => Self::Index,
            10 => Self::Checkpoint,
            11 => Self::Anchor,
            12 => Self::Retire,
            13 => Self::StagedFixed,
            14 => Self::Alike,
            15 => Self::StagedAlike,
            16 => Self::KeyPage,
            17 => Self::ClassKey,
            18 => Self::KeyCommit,
            19 => Self::StoreKey,
            _ => return None,
        })
    }

    /// Whether the record carries a salt of its own.
    pub(crate) const fn has_salt(self) -> bool {
        matches!(self, Self::Page | Self::Session | Self::KeyPage)
    }

    /// Bytes of plaintext that a record behind the first of a key page has.
    pub(crate) const fn key_payload(self) -> usize {
        match self {
            Self::StoreKey => STORE_KEY_PAYLOAD,
            Self::ClassKey => CLASS_PAYLOAD,
            _ => PAIR_PAYLOAD,
        }
    }

    /// Whether a class key seals it.
    pub(crate) const fn is_of_a_class(self) -> bool {
        self.is_change() || matches!(self, Self::Index)
    }

    /// Whether it changes an item.
    pub(crate) const fn is_change(self) -> bool {
        self.is_value() || matches!(self, Self::Removal | Self::StagedRemoval)
    }

    /// Whether it holds a name and a value.
    pub(crate) const fn is_value(self) -> bool {
        matches!(
            self,
            Self::Value
                | Self::Fixed
                | Self::Alike
                | Self::StagedValue
                | Self::StagedFixed
                | Self::StagedAlike
        )
    }

    /// Whether it counts only once a Commit stands behind it.
    pub(crate) const fn is_staged(self) -> bool {
        matches!(
            self,
            Self::StagedValue | Self::StagedRemoval | Self::StagedFixed | Self::StagedAlike
        )
    }

    /// Whether its item can be written only once.
    pub(crate) const fn is_fixed(self) -> bool {
        matches!(self, Self::Fixed | Self::StagedFixed)
    }

    /// Whether its item was not there, though another one has the same name fingerprint.
    pub(crate) const fn is_alike(self) -> bool {
        matches!(self, Self::Alike | Self::StagedAlike)
    }
}

/// The first four bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) slot: u8,
    /// Where the salt in force stands, in granules from the start of the page; 0 for the page's first record.
    pub(crate) salt_at: u16,
    /// Ciphertext length in 4-byte steps.
    pub(crate) steps: u16,
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let number = u32::from(self.steps) & MOST_STEPS
            | u32::from(self.slot & 0x3f) << 11
            | u32::from(self.salt_at & 0x3ff) << 17
            | (self.kind as u32) << 27;
        number.to_le_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; HEADER_LEN]) -> Option<Self> {
        let number = u32::from_le_bytes(bytes);
        let field = |shift: u32, mask: u32| u16::try_from(number >> shift & mask).unwrap_or(0);
        let kind = Kind::from_number(number >> 27)?;
        let slot = u8::try_from(field(11, 0x3f)).ok()?;
        let steps = field(0, MOST_STEPS);
        let length = usize::from(steps) * 4;
        let fits = match kind {
            kind if kind.is_value() => steps > 0,
            Kind::Page | Kind::Session | Kind::KeyPage => length == SALT_PAYLOAD,
            Kind::Removal | Kind::StagedRemoval | Kind::Anchor | Kind::Retire => length == PAIR_PAYLOAD,
            Kind::Commit => length == COMMIT_PAYLOAD,
            Kind::Index => length > 0,
            Kind::Checkpoint => length == CHECKPOINT_PAYLOAD,
            kind => length == kind.key_payload(),
        };
        let slot_fits = (slot == NO_SLOT) != (kind.is_of_a_class() || kind == Kind::ClassKey);
        (fits && slot_fits).then_some(Self {
            kind,
            slot,
            salt_at: field(17, 0x3ff),
            steps,
        })
    }

    /// Bytes of ciphertext.
    pub(crate) fn text_len(self) -> usize {
        usize::from(self.steps) * 4
    }

    /// Bytes before the ciphertext.
    pub(crate) fn text_start(self) -> usize {
        if self.kind.has_salt() {
            TEXT_START + crate::crypto::SALT_LEN
        } else {
            TEXT_START
        }
    }

    /// Bytes of the record without padding.
    pub(crate) fn len(self) -> usize {
        self.text_start() + self.text_len() + crate::crypto::TAG_LEN
    }
}

/// Reads four bytes at `at`; zero where there are none, which no caller with a checked length meets.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .map_or(0, u32::from_le_bytes)
}

/// The low 32 bits of a fingerprint.
pub(crate) fn low_half(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Reads eight bytes at `at`, as [`number`].
pub(crate) fn long_number(bytes: &[u8], at: usize) -> u64 {
    u64::from(number(bytes, at)) | u64::from(number(bytes, at + 4)) << 32
}

/// Writes bytes at `at`, as far as they fit.
pub(crate) fn place(bytes: &mut [u8], at: usize, what: &[u8]) {
    if let Some(target) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..what.len())) {
        target.copy_from_slice(what);
    }
}

/// The erase mark for a page erased `count` times.
pub(crate) fn erase_mark(count: u32) -> [u8; MAX_UNIT] {
    let mut mark = [0xff; MAX_UNIT];
    place(&mut mark, 0, &ERASE_MAGIC);
    place(&mut mark, 4, &count.to_le_bytes());
    place(&mut mark, 8, &(!count).to_le_bytes());
    mark
}

/// How often the page was erased, if its mark is whole.
pub(crate) fn read_erase_mark(bytes: &[u8]) -> Option<u32> {
    let count = number(bytes, 4);
    (bytes.starts_with(&ERASE_MAGIC) && bytes.len() >= MARK_LEN && number(bytes, 8) == !count)
        .then_some(count)
}

/// Whether the bytes may be what a cut left of an erase mark: bits still one that the mark has as zero, or none programmed.
pub(crate) fn may_be_torn_mark(bytes: &[u8]) -> bool {
    ERASE_MAGIC
        .iter()
        .zip(bytes)
        .all(|(expected, byte)| byte & expected == *expected)
}

/// The byte that says the medium's kind.
pub(crate) const fn medium_byte(kind: MediumKind) -> u8 {
    match kind {
        MediumKind::Overwritable => 1,
        MediumKind::WriteOnce => 2,
    }
}

/// The associated data of a record: section 3 of the format document.
pub(crate) fn associated_data(
    kind: MediumKind,
    header: Header,
    generation: u32,
    class_generation: u32,
) -> [u8; 16] {
    let mut data = [0; 16];
    place(&mut data, 0, &[VERSION, medium_byte(kind), 0, 0]);
    place(&mut data, 4, &header.to_bytes());
    place(&mut data, 8, &generation.to_le_bytes());
    place(&mut data, 12, &class_generation.to_le_bytes());
    data
}

/// Plaintext of a Page or Session record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SaltPayload {
    pub(crate) generation: u32,
    pub(crate) tail: u32,
    pub(crate) key_version: u32,
    pub(crate) key_check: [u8; 4],
    pub(crate) live: u32,
    /// Where the accepted log ends, in the page before or in this one.
    pub(crate) resume: u32,
    pub(crate) digest: u64,
    /// Address of the newest Checkpoint record; [`NO_ADDRESS`] if there is none.
    pub(crate) checkpoint: u32,
    /// Value that the counter is moved to once this is on flash, or stands at; 0 if the store is held against none.
    pub(crate) counter: u32,
    /// In a Page record that was written after records behind it: where those end. Otherwise 0.
    pub(crate) filled: u32,
}

impl SaltPayload {
    pub(crate) fn to_bytes(self) -> [u8; SALT_PAYLOAD] {
        let mut bytes = [0; SALT_PAYLOAD];
        place(&mut bytes, 0, &self.generation.to_le_bytes());
        place(&mut bytes, 4, &self.tail.to_le_bytes());
        place(&mut bytes, 8, &self.key_version.to_le_bytes());
        place(&mut bytes, 12, &self.key_check);
        place(&mut bytes, 16, &self.live.to_le_bytes());
        place(&mut bytes, 20, &self.resume.to_le_bytes());
        place(&mut bytes, 24, &self.digest.to_le_bytes());
        place(&mut bytes, 32, &self.checkpoint.to_le_bytes());
        place(&mut bytes, 36, &self.counter.to_le_bytes());
        place(&mut bytes, 40, &self.filled.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            generation: number(bytes, 0),
            tail: number(bytes, 4),
            key_version: number(bytes, 8),
            key_check: number(bytes, 12).to_le_bytes(),
            live: number(bytes, 16),
            resume: number(bytes, 20),
            digest: long_number(bytes, 24),
            checkpoint: number(bytes, 32),
            counter: number(bytes, 36),
            filled: number(bytes, 40),
        }
    }
}

/// A point of the log: a page's generation and an offset in it. Later points compare greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) generation: u32,
    pub(crate) offset: u32,
}

/// Plaintext of a Checkpoint record: the Index records before it, and what a mount would otherwise learn from the log before them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CheckpointPayload {
    /// The first Index record.
    pub(crate) first: Position,
    /// How many Index records there are, and entries in all.
    pub(crate) records: u32,
    pub(crate) entries: u32,
    /// The live sum, on all media.
    pub(crate) live: u32,
    /// Highest number of erases of any page.
    pub(crate) most_erases: u32,
    /// Digest of the first Index record's page up to that record.
    pub(crate) digest: u64,
    /// Generation of the tail.
    pub(crate) tail: u32,
    /// Changes since the counter's value was last stated.
    pub(crate) changes: u32,
    /// Class keys were made or erased since.
    pub(crate) keys_changed: bool,
    /// The counter's value that was last stated.
    pub(crate) counter: u32,
}

impl CheckpointPayload {
    pub(crate) fn to_bytes(self) -> [u8; CHECKPOINT_PAYLOAD] {
        let mut bytes = [0; CHECKPOINT_PAYLOAD];
        place(&mut bytes, 0, &self.first.generation.to_le_bytes());
        place(&mut bytes, 4, &self.first.offset.to_le_bytes());
        place(&mut bytes, 8, &self.records.to_le_bytes());
        place(&mut bytes, 12, &self.entries.to_le_bytes());
        place(&mut bytes, 16, &self.live.to_le_bytes());
        place(&mut bytes, 20, &self.most_erases.to_le_bytes());
        place(&mut bytes, 24, &self.digest.to_le_bytes());
        place(&mut bytes, 32, &self.tail.to_le_bytes());
        place(&mut bytes, 36, &self.changes.to_le_bytes());
        place(&mut bytes, 40, &u32::from(self.keys_changed).to_le_bytes());
        place(&mut bytes, 44, &self.counter.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            first: Position {
                generation: number(bytes, 0),
                offset: number(bytes, 4),
            },
            records: number(bytes, 8),
            entries: number(bytes, 12),
            live: number(bytes, 16),
            most_erases: number(bytes, 20),
            digest: long_number(bytes, 24),
            tail: number(bytes, 32),
            changes: number(bytes, 36),
            keys_changed: number(bytes, 40) != 0,
            counter: number(bytes, 44),
        }
    }
}

/// Plaintext of a Key page record: which keys, and the log they were written after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyPagePayload {
    pub(crate) version: u32,
    pub(crate) log_end: Position,
    pub(crate) live: u32,
    pub(crate) digest: u64,
    pub(crate) count: u32,
    /// How often the other key page had been erased when this one was written.
    pub(crate) other_erases: u32,
    /// As in [`SaltPayload`].
    pub(crate) counter: u32,
    /// Pages of the log that are not used any more, in ascending order; then zeros.
    pub(crate) left_out: [u16; MOST_LEFT_OUT],
}

impl KeyPagePayload {
    pub(crate) fn to_bytes(self) -> [u8; SALT_PAYLOAD] {
        let mut bytes = [0; SALT_PAYLOAD];
        place(&mut bytes, 0, &self.version.to_le_bytes());
        place(&mut bytes, 4, &self.log_end.generation.to_le_bytes());
        place(&mut bytes, 8, &self.log_end.offset.to_le_bytes());
        place(&mut bytes, 12, &self.live.to_le_bytes());
        place(&mut bytes, 16, &self.digest.to_le_bytes());
        place(&mut bytes, 24, &self.count.to_le_bytes());
        place(&mut bytes, 28, &self.other_erases.to_le_bytes());
        place(&mut bytes, 32, &self.counter.to_le_bytes());
        for (number, page) in self.left_out.iter().enumerate() {
            place(&mut bytes, 36 + 2 * number, &page.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut left_out = [0; MOST_LEFT_OUT];
        let pages = bytes.get(36..).unwrap_or_default().chunks_exact(2);
        for (page, bytes) in left_out.iter_mut().zip(pages) {
            *page = bytes.first_chunk().copied().map_or(0, u16::from_le_bytes);
        }
        Self {
            version: number(bytes, 0),
            log_end: Position {
                generation: number(bytes, 4),
                offset: number(bytes, 8),
            },
            live: number(bytes, 12),
            digest: long_number(bytes, 16),
            count: number(bytes, 24),
            other_erases: number(bytes, 28),
            counter: number(bytes, 32),
            left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_survives_its_bytes_and_no_two_headers_share_them() {
        for kind in [Kind::Value, Kind::Fixed] {
            for slot in 0..62 {
                for (salt_at, steps) in [(0, 1), (1, 2047), (1023, 700)] {
                    let header = Header {
                        kind,
                        slot,
                        salt_at,
                        steps,
                    };
                    assert_eq!(Header::from_bytes(header.to_bytes()), Some(header));
                }
            }
        }
    }

    #[test]
    fn erased_and_overwritten_flash_are_no_headers() {
        assert_eq!(Header::from_bytes([0xff; 4]), None);
        assert_eq!(Header::from_bytes([0; 4]), None);
    }

    #[test]
    fn an_erase_mark_with_any_bit_not_yet_programmed_is_no_mark() {
        for count in [0, 1, 0xff, 12_345, u32::MAX] {
            let mark = erase_mark(count);
            assert_eq!(read_erase_mark(&mark), Some(count));
            for bit in 0..MARK_LEN * 8 {
                let mut torn = mark;
                torn[bit / 8] |= 1 << (bit % 8);
                assert!(
                    torn == mark || read_erase_mark(&torn).is_none(),
                    "count {count}, bit {bit}"
                );
            }
        }
    }

    #[test]
    fn payloads_survive_their_bytes() {
        let salt = SaltPayload {
            generation: 1,
            tail: 2,
            key_version: 3,
            key_check: [4, 5, 6, 7],
            live: 8,
            resume: 9,
            digest: 0x1234_5678_9abc_def0,
            checkpoint: 12,
            counter: 11,
            filled: 10,
        };
        assert_eq!(SaltPayload::from_bytes(&salt.to_bytes()), salt);
        let key = KeyPagePayload {
            version: 1,
            log_end: Position {
                generation: 2,
                offset: 3,
            },
            live: 4,
            digest: 0xfedc_ba98_7654_3210,
            count: 6,
            other_erases: 7,
            counter: 8,
            left_out: [9, 0x0a0b, 0xffff, 0],
        };
        assert_eq!(KeyPagePayload::from_bytes(&key.to_bytes()), key);
        let checkpoint = CheckpointPayload {
            first: Position {
                generation: 1,
                offset: 2,
            },
            records: 3,
            entries: 4,
            live: 5,
            most_erases: 6,
            digest: 0x0123_4567_89ab_cdef,
            tail: 7,
            changes: 8,
            keys_changed: true,
            counter: 9,
        };
        assert_eq!(CheckpointPayload::from_bytes(&checkpoint.to_bytes()), checkpoint);
    }
}
