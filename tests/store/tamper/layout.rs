//! Where things stand in an image: a walker over headers, written from `docs/on-flash-format.md` alone. It holds no key and opens
//! nothing, as an attacker with a clip on the chip.

use std::iter;
use std::ops::Range;

/// The bytes of one record, and its kind (section 4 of the format).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) place: Range<usize>,
    pub(crate) kind: u8,
}

pub(crate) const PAGE_RECORD: u8 = 1;
pub(crate) const SESSION: u8 = 2;
pub(crate) const VALUE: u8 = 3;
pub(crate) const FIXED: u8 = 4;
pub(crate) const REMOVAL: u8 = 5;
pub(crate) const RETIRE: u8 = 12;
pub(crate) const KEY_PAGE: u8 = 16;
pub(crate) const CLASS_KEY: u8 = 17;
pub(crate) const KEY_COMMIT: u8 = 18;
pub(crate) const STORE_KEY: u8 = 19;

/// Where the log begins: behind the two key pages.
pub(crate) const LOG_START: usize = 2;

/// What an image says of itself in the clear bytes of a key page.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    unit: usize,
    pub(crate) page: usize,
    pub(crate) pages: usize,
}

impl Layout {
    pub(crate) fn of(image: &[u8]) -> Self {
        Self::find(image).expect("a key page says what the geometry is")
    }

    /// `None` if neither key page begins as one.
    pub(crate) fn find(image: &[u8]) -> Option<Self> {
        // The second key page stands where the first would end, at each page size.
        let sizes = (1..=image.len() / 4 / 1024).map(|size| size * 1024);
        let clear = iter::once(0).chain(sizes).find_map(|page| {
            [4, 8, 16, 32].into_iter().find_map(|unit: usize| {
                let at = page + 12_usize.next_multiple_of(unit);
                image
                    .get(at..at + 40)
                    .filter(|clear| clear.starts_with(b"bydesign"))
            })
        })?;
        Some(Self {
            unit: usize::from(clear[10]),
            page: word(clear, 12) as usize,
            pages: word(clear, 16) as usize,
        })
    }

    /// The first record of a page.
    fn first(self) -> usize {
        12_usize.next_multiple_of(self.unit)
    }

    pub(crate) fn page(self, number: usize) -> Range<usize> {
        number * self.page..(number + 1) * self.page
    }

    /// Every run of `count` pages.
    pub(crate) fn runs(self, count: usize) -> impl Iterator<Item = Range<usize>> {
        (0..=self.pages - count).map(move |first| first * self.page..(first + count) * self.page)
    }

    /// Every record of every page, dead or alive.
    pub(crate) fn records(self, image: &[u8]) -> Vec<Record> {
        (0..self.pages)
            .flat_map(|page| self.records_of(image, page))
            .collect()
    }

    pub(crate) fn records_of(self, image: &[u8], page: usize) -> Vec<Record> {
        let mut records = Vec::new();
        let end = self.page(page).end;
        let mut at = self.page(page).start + self.first();
        if page < LOG_START {
            at += 40_usize.next_multiple_of(self.unit);
        }
        while at + 4 <= end {
            let header = word(image, at);
            let kind = (header >> 27) as u8;
            let expected = match kind {
                PAGE_RECORD => page >= LOG_START && records.is_empty(),
                SESSION | VALUE | FIXED | REMOVAL | RETIRE => page >= LOG_START && !records.is_empty(),
                KEY_PAGE => page < LOG_START && records.is_empty(),
                CLASS_KEY | KEY_COMMIT | STORE_KEY => page < LOG_START && !records.is_empty(),
                _ => false,
            };
            let salt = if matches!(kind, PAGE_RECORD | SESSION | KEY_PAGE) {
                12
            } else {
                0
            };
            let length = 4 + salt + 8 + (header & 0x7ff) as usize * 4 + 16;
            let next = at + length.next_multiple_of(self.unit);
            if !expected || next > end {
                break;
            }
            records.push(Record {
                place: at..next,
                kind,
            });
            at = next;
        }
        records
    }

    /// The page that is written to: the one in use before a page that is not, going round the ring.
    pub(crate) fn head(self, image: &[u8]) -> usize {
        let in_use = |page: usize| !self.records_of(image, page).is_empty();
        (LOG_START..self.pages)
            .find(|&page| in_use(page) && !in_use(self.after(page)))
            .expect("one page of the log is always free")
    }

    /// The page after this one in the ring.
    pub(crate) fn after(self, page: usize) -> usize {
        if page + 1 == self.pages {
            LOG_START
        } else {
            page + 1
        }
    }

    /// The key page in force.
    pub(crate) fn key_page(self, image: &[u8]) -> usize {
        (0..LOG_START)
            .find(|&page| !self.records_of(image, page).is_empty())
            .expect("a key page is there")
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
