//! A tiny image sealed by hand from `docs/on-flash-format.md`, to see that the forensic reader finds what is there.
//!
//! No line of the store runs here. A reader of records needs no erase marks, digests or sums, so they are left out.

use chacha20poly1305::{AeadInOut, Key, KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::forensics::{ClassKey, KnownPlace, confirm, in_clear, scan};

#[test]
fn reader_finds_live_and_superseded_values_of_a_write_once_medium() {
    let mut image = Image::new(WRITE_ONCE);
    let key = image.key_page(0, 1, SETTINGS_SLOT, &SETTINGS_KEY);
    let mut page = image.log_page(2, 1);
    image.value(&mut page, &key, "hostname", b"first name");
    image.value(&mut page, &key, "hostname", b"second name");

    let findings = scan(&image.bytes, &ROOT_KEY, LABEL);

    assert!(findings.holds(b"hostname", b"first name"));
    assert!(findings.holds(b"hostname", b"second name"));
    assert_eq!(findings.records.len(), 2);
    assert_eq!(
        findings.other_records, 3,
        "the Key page, the Store key and the Page record"
    );
    let unwrapped = &findings.class_keys[0];
    assert_eq!((unwrapped.slot, unwrapped.class, unwrapped.generation), (1, 2, 5));
    assert_eq!(unwrapped.key, SETTINGS_KEY);
}

#[test]
fn reader_skips_the_link_of_an_overwritable_medium() {
    let (image, _) = one_value(OVERWRITABLE);

    let findings = scan(&image.bytes, &ROOT_KEY, LABEL);

    assert!(findings.holds(NAME, VALUE));
    assert_eq!(findings.records.len(), 1);
}

#[test]
fn reader_opens_records_after_a_session() {
    let mut image = Image::new(WRITE_ONCE);
    let key = image.key_page(0, 1, SETTINGS_SLOT, &SETTINGS_KEY);
    let mut page = image.log_page(2, 1);
    image.session(&mut page);
    image.value(&mut page, &key, "hostname", b"after a restart");

    assert!(scan(&image.bytes, &ROOT_KEY, LABEL).holds(b"hostname", b"after a restart"));
}

#[test]
fn other_root_key_or_label_finds_nothing() {
    let (image, _) = one_value(OVERWRITABLE);

    assert!(scan(&image.bytes, &[8; 32], LABEL).records.is_empty());
    assert!(scan(&image.bytes, &ROOT_KEY, b"other").records.is_empty());
    assert!(!confirm(
        &image.bytes,
        &[8; 32],
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
}

#[test]
fn value_is_lost_with_the_key_of_its_class() {
    let (mut image, _) = one_value(OVERWRITABLE);
    image.bytes[..PAGE_SIZE].fill(0xff);
    image.key_page(1, 2, SETTINGS_SLOT, &[0x99; 32]);

    let findings = scan(&image.bytes, &ROOT_KEY, LABEL);

    assert!(findings.records.is_empty());
    assert_eq!(findings.class_keys.len(), 1, "the new key");
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
}

#[test]
fn key_obtained_elsewhere_confirms_what_its_class_left_behind() {
    let (mut image, key) = one_value(OVERWRITABLE);
    image.bytes[..PAGE_SIZE].fill(0xff);
    image.key_page(1, 2, SETTINGS_SLOT, &[0x99; 32]);

    let place = KnownPlace {
        class_key: Some(key.as_found()),
        ..KnownPlace::default()
    };
    assert!(confirm(&image.bytes, &ROOT_KEY, LABEL, &place, NAME, VALUE));
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &place,
        NAME,
        OTHER_VALUE
    ));
}

#[test]
fn old_key_under_a_new_generation_is_seen_through() {
    let (mut image, _) = one_value(OVERWRITABLE);
    image.bytes[..PAGE_SIZE].fill(0xff);
    image.key_page_of_generation(1, 2, SETTINGS_SLOT, &SETTINGS_KEY, CLASS_GENERATION + 1);

    assert!(scan(&image.bytes, &ROOT_KEY, LABEL).holds(NAME, VALUE));
}

#[test]
fn key_left_in_the_other_key_page_is_found_though_its_first_record_is_half_erased() {
    let (mut image, _) = one_value(OVERWRITABLE);
    image.key_page(1, 2, SETTINGS_SLOT, &[0x99; 32]);
    let first_record = FIRST + 40;
    image.bytes[..first_record + 4].fill(0xff); // the mark, the clear header and the header of the Key page record
    image.bytes[first_record + 16..first_record + 84].fill(0xff); // all of it but the salt

    let findings = scan(&image.bytes, &ROOT_KEY, LABEL);

    assert!(findings.class_keys.iter().any(|found| found.key == SETTINGS_KEY));
    assert!(findings.holds(NAME, VALUE));
}

#[test]
fn value_is_found_though_the_page_record_is_half_erased() {
    let mut image = Image::new(OVERWRITABLE);
    let key = image.key_page(0, 1, SETTINGS_SLOT, &SETTINGS_KEY);
    let mut page = image.log_page(3, 8);
    image.value(&mut page, &key, "hostname", b"in the next page");
    let mut page = image.log_page(2, 7);
    image.value(&mut page, &key, "hostname", b"in the torn page");
    image.bytes[2 * PAGE_SIZE + FIRST + 16..][..56].fill(0xff);

    let findings = scan(&image.bytes, &ROOT_KEY, LABEL);

    assert!(findings.holds(b"hostname", b"in the torn page"));
}

#[test]
fn zeroed_record_gives_nothing_and_confirms_nothing() {
    let (mut image, _) = one_value(OVERWRITABLE);
    let place = value_place();
    let end = place + 4 + 8 + layout(OVERWRITABLE, NAME, VALUE).len() + 16;
    image.bytes[place + 4..end].fill(0);

    assert!(scan(&image.bytes, &ROOT_KEY, LABEL).records.is_empty());
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
}

#[test]
fn eight_bytes_left_of_a_value_confirm_it() {
    let (mut image, _) = one_value(OVERWRITABLE);
    let text = value_place() + 12;
    let value_at = text + 8 + 1 + NAME.len();
    let end = text + layout(OVERWRITABLE, NAME, VALUE).len() + 16;
    image.bytes[text..value_at + 3].fill(0);
    image.bytes[value_at + 11..end].fill(0);

    assert!(scan(&image.bytes, &ROOT_KEY, LABEL).records.is_empty());
    assert!(confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        OTHER_VALUE
    ));

    image.bytes[value_at + 10] = 0;
    assert!(
        !confirm(
            &image.bytes,
            &ROOT_KEY,
            LABEL,
            &KnownPlace::default(),
            NAME,
            VALUE
        ),
        "seven bytes"
    );
}

#[test]
fn tag_left_of_a_value_confirms_it() {
    let (mut image, _) = one_value(OVERWRITABLE);
    let text = value_place() + 12;
    let value_at = text + 8 + 1 + NAME.len();
    image.bytes[value_at..text + layout(OVERWRITABLE, NAME, VALUE).len()].fill(0);

    assert!(scan(&image.bytes, &ROOT_KEY, LABEL).records.is_empty());
    assert!(confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        OTHER_VALUE
    ));
}

#[test]
fn short_value_is_confirmed_by_all_of_it_with_the_bytes_before() {
    let mut image = Image::new(WRITE_ONCE);
    let key = image.key_page(0, 1, SETTINGS_SLOT, &SETTINGS_KEY);
    let mut page = image.log_page(2, 1);
    let place = page.address + page.offset;
    image.value(&mut page, &key, "door code", b"4711");
    image.bytes[place + 12 + 16 + 4..][..12].fill(0); // most of the tag

    let nothing = KnownPlace::default();
    assert!(confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &nothing,
        b"door code",
        b"4711"
    ));
    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &nothing,
        b"door code",
        b"4712"
    ));
}

#[test]
fn synthetic_part_from_an_earlier_dump_confirms_what_a_cut_overwriting_left() {
    let (mut image, _) = one_value(OVERWRITABLE);
    let place = value_place();
    let header = u32::from_le_bytes(image.bytes[place..place + 4].try_into().unwrap());
    let synthetic: [u8; 8] = image.bytes[place + 4..place + 12].try_into().unwrap();
    image.bytes[place + 4..place + 12].fill(0);

    assert!(!confirm(
        &image.bytes,
        &ROOT_KEY,
        LABEL,
        &KnownPlace::default(),
        NAME,
        VALUE
    ));
    let mut known = KnownPlace {
        address: Some(place),
        synthetic: Some(synthetic),
        ..KnownPlace::default()
    };
    assert!(confirm(&image.bytes, &ROOT_KEY, LABEL, &known, NAME, VALUE));

    image.bytes[place..place + 4].fill(0);
    assert!(
        confirm(&image.bytes, &ROOT_KEY, LABEL, &known, NAME, VALUE),
        "the header can be worked out"
    );
    known.header = Some(header);
    assert!(confirm(&image.bytes, &ROOT_KEY, LABEL, &known, NAME, VALUE));
}

#[test]
fn clear_text_is_seen_at_any_byte() {
    assert!(in_clear(b"..hunter2..", b"hunter2"));
    assert!(!in_clear(b"..hunter3..", b"hunter2"));
    assert!(!in_clear(b"anything", b""));
}

#[test]
fn hostile_images_end_the_scan_without_a_panic() {
    let (image, _) = one_value(OVERWRITABLE);
    let mut state = 1_u32;
    for round in 0..200 {
        let mut hostile = image.bytes[..image.bytes.len() - round % 7].to_vec();
        for _ in 0..round {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = state as usize % hostile.len();
            hostile[at] = (state >> 24) as u8;
        }
        if round % 5 == 0 {
            hostile[FIRST + 12..FIRST + 16].copy_from_slice(&state.to_le_bytes()); // the page size
        }
        let _ = scan(&hostile, &ROOT_KEY, LABEL);
        let _ = confirm(&hostile, &ROOT_KEY, LABEL, &KnownPlace::default(), NAME, VALUE);
    }
    assert!(scan(&[], &ROOT_KEY, LABEL).stores.is_empty());
}

const ROOT_KEY: [u8; 32] = *b"\x8e\x1f\x02\xd9\x44\xa7\x39\x5b\xc0\x6d\x7e\x13\xfa\x98\x21\x5c\x3b\xe6\x70\x0a\xb5\x4f\xd2\x87\x19\xcc\x63\xae\x05\x7b\xf1\x30";
const LABEL: &[u8] = b"settings";
const STORE_ID: [u8; 16] = *b"sixteen id bytes";
const SETTINGS_KEY: [u8; 32] = [0x5a; 32];
const STORE_KEY: [u8; 32] = [0x5e; 32];
const SETTINGS_SLOT: u32 = 1;
const CLASS_GENERATION: u32 = 5;
const NAME: &[u8] = b"user note";
const VALUE: &[u8] = b"the quick brown fox jumps over the dog";
const OTHER_VALUE: &[u8] = b"THE QUICK BROWN FOX JUMPS OVER THE DOG";

const PAGE_SIZE: usize = 1024;
const PAGES: usize = 8;
const UNIT: usize = 4;
const FIRST: usize = 12;
const OVERWRITABLE: u8 = 1;
const WRITE_ONCE: u8 = 2;
const NO_SLOT: u32 = 63;

/// An image with a key page, a log page and one value.
fn one_value(medium: u8) -> (Image, ClassKeyOnPaper) {
    let mut image = Image::new(medium);
    let key = image.key_page(0, 1, SETTINGS_SLOT, &SETTINGS_KEY);
    let mut page = image.log_page(2, 1);
    assert_eq!(page.address + page.offset, value_place());
    image.value(&mut page, &key, str::from_utf8(NAME).unwrap(), VALUE);
    (image, key)
}

fn value_place() -> usize {
    2 * PAGE_SIZE + FIRST + 84
}

struct Image {
    bytes: Vec<u8>,
    medium: u8,
    wrap_key: [u8; 32],
    store_seal_key: [u8; 32],
    /// Makes salts and synthetic parts that differ.
    drawn: u8,
}

struct ClassKeyOnPaper {
    slot: u32,
    key: [u8; 32],
    seal_key: [u8; 32],
}

struct Page {
    address: usize,
    offset: usize,
    generation: u32,
    salt: [u8; 12],
    /// What goes into the headers: where the salt is.
    salt_field: u32,
}

struct Record<'a> {
    place: usize,
    header: u32,
    salt: [u8; 12],
    carries_salt: bool,
    key: &'a [u8; 32],
    generation: u32,
    class_generation: u32,
    more_associated_data: &'a [u8],
}

impl Image {
    fn new(medium: u8) -> Self {
        let context = context();
        Self {
            bytes: vec![0xff; PAGE_SIZE * PAGES],
            medium,
            wrap_key: derive(&ROOT_KEY, b"bydesign/v1/wrap-seal", &context),
            store_seal_key: derive(&STORE_KEY, b"bydesign/v1/store-seal", &context),
            drawn: 1,
        }
    }

    fn key_page(&mut self, page: usize, version: u32, slot: u32, key: &[u8; 32]) -> ClassKeyOnPaper {
        self.key_page_of_generation(page, version, slot, key, CLASS_GENERATION)
    }

    fn key_page_of_generation(
        &mut self,
        page: usize,
        version: u32,
        slot: u32,
        key: &[u8; 32],
        class_generation: u32,
    ) -> ClassKeyOnPaper {
        let mut clear = b"bydesign\x01".to_vec();
        clear.extend([self.medium, UNIT as u8, 0]);
        clear.extend((PAGE_SIZE as u32).to_le_bytes());
        clear.extend((PAGES as u32).to_le_bytes());
        clear.extend(STORE_ID);
        clear.extend([0; 4]);
        let mut place = page * PAGE_SIZE + FIRST;
        self.bytes[place..place + 40].copy_from_slice(&clear);
        place += 40;

        let (salt, key_of_records) = (self.draw(), self.wrap_key);
        let mut record = Record {
            place,
            header: header(16, NO_SLOT, 0, 44),
            salt,
            carries_salt: true,
            key: &key_of_records,
            generation: 0,
            class_generation: 0,
            more_associated_data: &clear,
        };
        let mut plaintext = version.to_le_bytes().to_vec();
        plaintext.resize(44, 0);
        record.place = self.seal(&record, &plaintext);

        record = Record {
            header: header(19, NO_SLOT, 0, 32),
            carries_salt: false,
            generation: version,
            more_associated_data: &[],
            ..record
        };
        record.place = self.seal(&record, &STORE_KEY);

        let mut plaintext = vec![2, 0, 0, 0, 0, 0, 0, 0];
        plaintext.extend(class_generation.to_le_bytes());
        plaintext.extend([0; 8]);
        plaintext.extend(key);
        record = Record {
            header: header(17, slot, 0, 52),
            ..record
        };
        self.seal(&record, &plaintext);

        let mut context = context();
        context.push(slot as u8);
        context.extend(class_generation.to_le_bytes());
        ClassKeyOnPaper {
            slot,
            key: *key,
            seal_key: derive(key, b"bydesign/v1/class-seal", &context),
        }
    }

    fn log_page(&mut self, page: usize, generation: u32) -> Page {
        let (salt, key) = (self.draw(), self.store_seal_key);
        let record = Record {
            place: page * PAGE_SIZE + FIRST,
            header: header(1, NO_SLOT, 0, 44),
            salt,
            carries_salt: true,
            key: &key,
            generation: 0,
            class_generation: 0,
            more_associated_data: &[],
        };
        let mut plaintext = generation.to_le_bytes().to_vec();
        plaintext.extend([1, 0, 0, 0, 1, 0, 0, 0]);
        plaintext.resize(44, 0);
        let end = self.seal(&record, &plaintext);
        let address = page * PAGE_SIZE;
        Page {
            address,
            offset: end - address,
            generation,
            salt,
            salt_field: 0,
        }
    }

    fn session(&mut self, page: &mut Page) {
        let key = self.store_seal_key;
        page.salt = self.draw();
        page.salt_field = (page.offset / UNIT) as u32;
        let record = Record {
            place: page.address + page.offset,
            header: header(2, NO_SLOT, page.salt_field, 44),
            salt: page.salt,
            carries_salt: true,
            key: &key,
            generation: page.generation,
            class_generation: 0,
            more_associated_data: &[],
        };
        page.offset = self.seal(&record, &[0; 44]) - page.address;
    }

    fn value(&mut self, page: &mut Page, key: &ClassKeyOnPaper, name: &str, value: &[u8]) {
        let plaintext = layout(self.medium, name.as_bytes(), value);
        let record = Record {
            place: page.address + page.offset,
            header: header(3, key.slot, page.salt_field, plaintext.len()),
            salt: page.salt,
            carries_salt: false,
            key: &key.seal_key,
            generation: page.generation,
            class_generation: CLASS_GENERATION,
            more_associated_data: &[],
        };
        page.offset = self.seal(&record, &plaintext) - page.address;
    }

    /// Writes one record and says where it ends.
    fn seal(&mut self, record: &Record<'_>, plaintext: &[u8]) -> usize {
        let synthetic: [u8; 12] = self.draw();
        let mut associated_data = vec![1, self.medium, 0, 0];
        associated_data.extend(record.header.to_le_bytes());
        associated_data.extend(record.generation.to_le_bytes());
        associated_data.extend(record.class_generation.to_le_bytes());
        associated_data.extend(record.more_associated_data);

        let mut nonce = record.salt.to_vec();
        nonce.extend(((record.place % PAGE_SIZE) as u32).to_le_bytes());
        nonce.extend(&synthetic[..8]);
        let nonce: [u8; 24] = nonce.try_into().unwrap();
        let mut text = plaintext.to_vec();
        let tag = XChaCha20Poly1305::new(<&Key>::from(record.key))
            .encrypt_inout_detached(
                <&XNonce>::from(&nonce),
                &associated_data,
                text.as_mut_slice().into(),
            )
            .unwrap();

        let mut stored = record.header.to_le_bytes().to_vec();
        if record.carries_salt {
            stored.extend(record.salt);
        }
        stored.extend(&synthetic[..8]);
        stored.extend(text);
        stored.extend(tag.as_slice());
        self.bytes[record.place..record.place + stored.len()].copy_from_slice(&stored);
        record.place + stored.len()
    }

    fn draw(&mut self) -> [u8; 12] {
        self.drawn += 1;
        let drawn = self.drawn;
        std::array::from_fn(|at| drawn.wrapping_mul(37).wrapping_add(at as u8 * 11))
    }
}

impl ClassKeyOnPaper {
    fn as_found(&self) -> ClassKey {
        ClassKey {
            address: 0,
            slot: self.slot as u8,
            class: 2,
            user: 0,
            generation: CLASS_GENERATION,
            key: self.key,
        }
    }
}

fn header(kind: u32, slot: u32, salt_field: u32, length: usize) -> u32 {
    kind << 27 | salt_field << 17 | slot << 11 | (length / 4) as u32
}

fn layout(medium: u8, name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = if medium == OVERWRITABLE {
        vec![0xff; 8]
    } else {
        Vec::new()
    };
    let zeros = (4 - (1 + name.len() + value.len()) % 4) % 4;
    bytes.push((zeros << 6 | name.len()) as u8);
    bytes.extend(name);
    bytes.extend(value);
    bytes.extend(vec![0; zeros]);
    bytes
}

fn context() -> Vec<u8> {
    let mut context = STORE_ID.to_vec();
    context.push(LABEL.len() as u8);
    context.extend(LABEL);
    context
}

fn derive(from: &[u8; 32], label: &[u8], context: &[u8]) -> [u8; 32] {
    let mut info = label.to_vec();
    info.push(0);
    info.extend(context);
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, from).expand(&info, &mut key).unwrap();
    key
}
