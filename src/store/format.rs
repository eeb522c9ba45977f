//! Every byte the store puts on flash: magic numbers, field places, headers. `docs/on-flash-format.md` is the same in prose.
//!
//! ```text
//!  mount · keys · collect
//!  log · walk
//!  format   (this file)   no I/O, no keys: bytes in, numbers out
//! ```

use crate::flash::{Medium, MediumKind};

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
/// Longest partition label in bytes.
pub(crate) const MAX_LABEL: usize = 32;
/// The largest unit: words of 32 bytes.
pub(crate) const MAX_UNIT: usize = 32;
/// A logical page is at least this long.
const MIN_PAGE: u32 = 1024;
/// And at most this.
const MAX_PAGE: u32 = 256 * 1024;
/// The log's first page; the two before it hold the class keys.
pub(crate) const LOG_START: u16 = 2;
/// Fewest pages: two for keys, two for the log.
const MIN_PAGES: u32 = 4;
/// Addresses are 24 bits of 4-byte steps.
const MAX_REGION: u32 = 64 * 1024 * 1024;
/// A program page of common parts: what an interrupted program call may have touched.
const PROGRAM_PAGE: u32 = 256;
/// Slot number in records that no class key seals.
pub(crate) const NO_SLOT: u8 = 63;
/// "No record": an address that cannot occur.
pub(crate) const NO_ADDRESS: u32 = u32::MAX;
/// Plaintext of the Page, Session and Key page records.
pub(crate) const SALT_PAYLOAD: usize = 32;
/// Plaintext of Removal, Retire and Key commit records.
pub(crate) const PAIR_PAYLOAD: usize = 8;
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
    Retire = 12,
    KeyPage = 16,
    ClassKey = 17,
    KeyCommit = 18,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Page,
            2 => Self::Session,
            3 => Self::Value,
            4 => Self::Fixed,
            5 => Self::Removal,
            12 => Self::Retire,
            16 => Self::KeyPage,
            17 => Self::ClassKey,
            18 => Self::KeyCommit,
            _ => return None,
        })
    }

    /// Whether the record carries a salt of its own.
    pub(crate) const fn has_salt(self) -> bool {
        matches!(self, Self::Page | Self::Session | Self::KeyPage)
    }

    /// Whether a class key seals it.
    pub(crate) const fn is_of_a_class(self) -> bool {
        matches!(self, Self::Value | Self::Fixed | Self::Removal)
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
        let number = u32::from(self.steps & 0x7ff)
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
        let steps = field(0, 0x7ff);
        let fits = match kind {
            Kind::Value | Kind::Fixed => steps > 0,
            Kind::Page | Kind::Session | Kind::KeyPage => usize::from(steps) * 4 == SALT_PAYLOAD,
            Kind::ClassKey => usize::from(steps) * 4 == CLASS_PAYLOAD,
            Kind::Removal | Kind::Retire | Kind::KeyCommit => usize::from(steps) * 4 == PAIR_PAYLOAD,
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

/// Sizes that follow from the medium: section 1 of the format document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) unit: u32,
    pub(crate) page: u32,
    pub(crate) pages: u16,
}

impl Geometry {
    /// `None` where a store cannot live on the medium.
    pub(crate) fn of<M: Medium>(medium: &M) -> Option<Self> {
        let number = |size: usize| u32::try_from(size).ok();
        let unit = number(M::WRITE_SIZE.max(M::READ_SIZE).max(4))?;
        let erase = number(M::ERASE_SIZE)?;
        let page = MIN_PAGE.div_ceil(erase.max(1)).checked_mul(erase)?;
        let sound = unit.is_power_of_two()
            && number(MAX_UNIT).is_some_and(|limit| unit <= limit)
            && M::WRITE_SIZE.is_power_of_two()
            && M::READ_SIZE.is_power_of_two()
            && erase >= unit
            && erase.is_multiple_of(unit)
            && page <= MAX_PAGE;
        if !sound {
            return None;
        }
        let pages = u32::try_from(medium.capacity())
            .unwrap_or(u32::MAX)
            .min(MAX_REGION)
            / page;
        let pages = u16::try_from(pages).unwrap_or(u16::MAX);
        (u32::from(pages) >= MIN_PAGES).then_some(Self { unit, page, pages })
    }

    pub(crate) fn align(self, bytes: u32) -> u32 {
        bytes.next_multiple_of(self.unit)
    }

    /// Where the first record of a page stands.
    pub(crate) fn first(self) -> u32 {
        self.align(12)
    }

    /// The step in which a header can say where its salt stands.
    pub(crate) fn granule(self) -> u32 {
        self.unit.max(self.page.div_ceil(1024).next_power_of_two())
    }

    /// How far beyond what an interrupted write may have touched the next one starts: a program page, which parts with pages
    /// of less than 4 KiB have shorter.
    pub(crate) fn skip(self) -> u32 {
        self.granule()
            .max(PROGRAM_PAGE.min(self.page.next_power_of_two() / 16))
    }

    /// Bytes that a record takes, padding included.
    pub(crate) fn size(self, header: Header) -> u32 {
        u32::try_from(header.len()).map_or(u32::MAX, |len| self.align(len))
    }

    /// Bytes that a Page or Session record takes.
    pub(crate) fn salt_record(self) -> u32 {
        self.align(72)
    }

    /// Bytes that a Removal or Retire record takes.
    pub(crate) fn pair_record(self) -> u32 {
        self.align(36)
    }

    /// Bytes of values and copies that a page takes.
    pub(crate) fn usable(self) -> u32 {
        // Page record, the Session record of a start, and a Removal or Retire record, which must always find room.
        self.page
            .saturating_sub(self.first() + 2 * self.salt_record() + self.pair_record())
    }

    /// Pages of the log.
    pub(crate) fn log_pages(self) -> u32 {
        u32::from(self.pages.saturating_sub(LOG_START))
    }

    /// Erased pages that values leave to collection.
    pub(crate) fn spare(self) -> u32 {
        if self.log_pages() >= 4 { 2 } else { 1 }
    }

    /// The page that generation `generation` of the log lives on.
    pub(crate) fn page_of(self, generation: u32) -> u16 {
        let ring = generation.saturating_sub(1) % self.log_pages().max(1);
        u16::try_from(ring).unwrap_or(0) + LOG_START
    }

    /// The page before that of a generation, in the ring.
    pub(crate) fn page_before(self, generation: u32) -> u16 {
        self.page_of(generation.saturating_add(self.log_pages()).saturating_sub(1))
    }

    /// First byte of a page.
    pub(crate) fn start(self, page: u16) -> u32 {
        u32::from(page) * self.page
    }

    /// The address of a record, in 4-byte steps.
    pub(crate) fn address(self, page: u16, offset: u32) -> u32 {
        (self.start(page) + offset) / 4
    }

    /// Page and offset of an address; `None` if it lies outside the log.
    pub(crate) fn place(self, address: u32) -> Option<(u16, u32)> {
        let byte = address.checked_mul(4)?;
        let page = u16::try_from(byte / self.page).ok()?;
        (page >= LOG_START && page < self.pages).then_some((page, byte % self.page))
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

/// Writes bytes at `at`, as far as they fit.
pub(crate) fn place(bytes: &mut [u8], at: usize, what: &[u8]) {
    if let Some(target) = bytes.get_mut(at..at.saturating_add(what.len())) {
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
    pub(crate) resume: u32,
    pub(crate) digest: u64,
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
            digest: u64::from(number(bytes, 24)) | u64::from(number(bytes, 28)) << 32,
        }
    }
}

/// A point of the log: a page's generation and an offset in it. Later points compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) generation: u32,
    pub(crate) offset: u32,
}

/// Plaintext of a Key page record: which keys, and the log they were written after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyPagePayload {
    pub(crate) version: u32,
    pub(crate) log_end: Position,
    pub(crate) live: u32,
    pub(crate) digest: u64,
    pub(crate) count: u32,
    /// How often the other key page had been erased when this one was written.
    pub(crate) other_erases: u32,
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
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            version: number(bytes, 0),
            log_end: Position {
                generation: number(bytes, 4),
                offset: number(bytes, 8),
            },
            live: number(bytes, 12),
            digest: u64::from(number(bytes, 16)) | u64::from(number(bytes, 20)) << 32,
            count: number(bytes, 24),
            other_erases: number(bytes, 28),
        }
    }
}

/// The clear part of a key page.
pub(crate) fn clear_part(geometry: Geometry, kind: MediumKind, store_id: &[u8; 16]) -> [u8; CLEAR_LEN] {
    let mut bytes = [0; CLEAR_LEN];
    place(&mut bytes, 0, &MAGIC);
    place(
        &mut bytes,
        8,
        &[
            VERSION,
            medium_byte(kind),
            u8::try_from(geometry.unit).unwrap_or(0),
            0,
        ],
    );
    place(&mut bytes, 12, &geometry.page.to_le_bytes());
    place(&mut bytes, 16, &u32::from(geometry.pages).to_le_bytes());
    place(&mut bytes, 20, store_id);
    bytes
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
        };
        assert_eq!(KeyPagePayload::from_bytes(&key.to_bytes()), key);
    }
}
