//! A forensic reader of sealed flash images: what the best-equipped finder of a device could get out of a full dump.
//!
//! Written from `docs/on-flash-format.md` alone, on the bare cipher and hash crates, sharing no code with the store.
//! It holds the root key, the partition label and every byte, and it believes nothing: every 4-byte step of the image
//! may be a record of any kind, a page may be half erased, and erase marks, tails, generations, commits, sums and
//! *since* are ignored. Whatever opens was readable, whether the store would have shown it or not.
//!
//! ```text
//!   clear headers ──> store id ──> wrap key
//!   wrap key  × every offset × every salt of that page × every version     ──> store keys, class keys
//!   class key × every offset × every salt of that page × every generation  ──> names and values
//! ```

#![allow(dead_code)] // each program that includes this file uses its own part of it

use std::collections::{BTreeMap, BTreeSet};

use chacha20poly1305::{AeadInOut, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

/// What an image gave away.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Each kind of clear header found (one for an image with one store).
    pub(crate) stores: Vec<ClearHeader>,
    /// Store keys that could be unwrapped.
    pub(crate) store_keys: Vec<[u8; 32]>,
    /// Class keys that could be unwrapped, wherever they lay.
    pub(crate) class_keys: Vec<ClassKey>,
    /// Values that could be opened, live or not.
    pub(crate) records: Vec<Recovered>,
    /// How many records of other kinds opened: Page, Session, Removal, Retire and those of the key pages.
    pub(crate) other_records: usize,
    /// Key and nonce of each opening that succeeded.
    pub(crate) opened: BTreeSet<([u8; 32], [u8; 24])>,
    /// How many openings were tried.
    pub(crate) tried: u64,
}

/// The clear bytes at the beginning of a key page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClearHeader {
    pub(crate) bytes: [u8; CLEAR_LENGTH],
    pub(crate) medium: u8,
    pub(crate) unit: usize,
    pub(crate) page_size: usize,
    pub(crate) pages: u32,
    pub(crate) store_id: [u8; 16],
}

/// A class key that was unwrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassKey {
    /// Where its wrapped form starts, in bytes from the start of the image.
    pub(crate) address: usize,
    pub(crate) slot: u8,
    /// 1 identity, 2 settings, 3 user, 4 and up application classes.
    pub(crate) class: u8,
    pub(crate) user: u32,
    pub(crate) generation: u32,
    pub(crate) key: [u8; 32],
}

/// A value that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Where the record starts, in bytes from the start of the image.
    pub(crate) address: usize,
    /// 3 Value, 4 Fixed, 6 and 13 the same in a transaction; a kind kept for later versions has an empty name and its whole plaintext as the value.
    pub(crate) kind: u8,
    pub(crate) slot: u8,
    pub(crate) class_generation: u32,
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// What the finder knows of one place from elsewhere, say from an earlier dump. The default knows nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownPlace {
    /// Where the record started, in bytes from the start of the image; without it, every place is tried.
    pub(crate) address: Option<usize>,
    /// Its header, if the one in the image is destroyed.
    pub(crate) header: Option<u32>,
    /// Its synthetic part of the nonce, if the one in the image is destroyed.
    pub(crate) synthetic: Option<[u8; 8]>,
    /// Generation of its page.
    pub(crate) generation: Option<u32>,
    /// A salt of its page.
    pub(crate) salt: Option<[u8; 12]>,
    /// A class key obtained elsewhere.
    pub(crate) class_key: Option<ClassKey>,
}

impl Findings {
    /// The names and values found.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.records
            .iter()
            .map(|record| (record.name.as_slice(), record.value.as_slice()))
    }

    /// Whether this name was found with this value.
    pub(crate) fn holds(&self, name: &[u8], value: &[u8]) -> bool {
        self.values().any(|found| found == (name, value))
    }

    /// Whether this value was found under any name, or inside a longer value.
    pub(crate) fn holds_value(&self, value: &[u8]) -> bool {
        self.values().any(|(_, found)| in_clear(found, value))
    }
}

/// Opens all that can be opened of `image`.
pub(crate) fn scan(image: &[u8], root_key: &[u8; 32], label: &[u8]) -> Findings {
    let mut findings = Findings::default();
    let stores = clear_headers(image);
    for store in &stores {
        for page_size in store.page_sizes() {
            let mut attack = Attack::new(image, root_key, label, store, &stores, page_size);
            attack.open_records();
            findings.add(attack);
        }
    }
    findings.stores = stores;
    findings
}

/// Whether what is left in `image` confirms the guess that `name` had the value `guess`.
///
/// True if a record opens and says so. True also if, at a place that does not open and under any key, salt and nonce that
/// can be had, sealing the guess gives eight bytes in a row that are in the image: of the value or of the tag, or the
/// whole of a shorter value with the bytes before it. The bytes of the link are not guessed. A guess that shares eight
/// bytes in a row with the truth therefore counts as confirmed.
pub(crate) fn confirm(
    image: &[u8],
    root_key: &[u8; 32],
    label: &[u8],
    place: &KnownPlace,
    name: &[u8],
    guess: &[u8],
) -> bool {
    confirm_each(image, root_key, label, place, &[(name, guess)]) == [true]
}

/// As [`confirm`] for many guesses, each a name and a value, at less cost than one by one.
pub(crate) fn confirm_each(
    image: &[u8],
    root_key: &[u8; 32],
    label: &[u8],
    place: &KnownPlace,
    guesses: &[(&[u8], &[u8])],
) -> Vec<bool> {
    let mut confirmed = vec![false; guesses.len()];
    let stores = clear_headers(image);
    for store in &stores {
        for page_size in store.page_sizes() {
            let mut attack = Attack::new(image, root_key, label, store, &stores, page_size);
            attack.open_records();
            for (confirmed, (name, guess)) in confirmed.iter_mut().zip(guesses) {
                *confirmed = *confirmed || attack.confirms(place, name, guess);
            }
        }
    }
    confirmed
}

/// Whether `needle` stands in clear in `image`, at any byte.
pub(crate) fn in_clear(image: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && image.windows(needle.len()).any(|window| window == needle)
}

impl ClearHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; CLEAR_LENGTH] = bytes.get(..CLEAR_LENGTH)?.try_into().ok()?;
        bytes.starts_with(b"bydesign").then(|| Self {
            bytes,
            medium: bytes[9],
            unit: usize::from(bytes[10]),
            page_size: number(&bytes, 12) as usize,
            pages: number(&bytes, 16),
            store_id: array(&bytes, 20),
        })
    }

    /// The page size it states, or the usual ones if it states nonsense.
    fn page_sizes(&self) -> Vec<usize> {
        if (1024..=256 * 1024).contains(&self.page_size) && self.page_size.is_multiple_of(4) {
            vec![self.page_size]
        } else {
            vec![1024, 2048, 4096, 8192]
        }
    }
}

/// Every different clear header, wherever it stands.
fn clear_headers(image: &[u8]) -> Vec<ClearHeader> {
    let mut found = Vec::new();
    for address in (0..image.len()).step_by(4) {
        if let Some(header) = ClearHeader::parse(&image[address..])
            && !found.contains(&header)
        {
            found.push(header);
        }
    }
    found
}

/// A word of the image, read as the header of a record.
#[derive(Clone, Copy)]
struct Header {
    word: u32,
    /// Bytes of ciphertext.
    length: usize,
    slot: u8,
    kind: u8,
}

impl Header {
    fn parse(word: u32) -> Option<Self> {
        let kind = (word >> 27) as u8;
        (kind != 0 && kind != ERASED).then_some(Self {
            word,
            length: (word & 0x7ff) as usize * 4,
            slot: (word >> 11 & 0x3f) as u8,
            kind,
        })
    }

    fn carries_salt(self) -> bool {
        matches!(self.kind, PAGE | SESSION | KEY_PAGE)
    }

    /// Bytes from the start of the record to its synthetic part.
    fn synthetic_at(self) -> usize {
        if self.carries_salt() { 16 } else { 4 }
    }

    fn record_length(self) -> usize {
        self.synthetic_at() + 8 + self.length + TAG_LENGTH
    }

    fn sealed_under_wrap_key(self) -> bool {
        (KEY_PAGE..=STORE_KEY).contains(&self.kind)
    }

    fn sealed_under_class_key(self) -> bool {
        self.slot != NO_SLOT && !self.sealed_under_wrap_key()
    }
}

/// A place of the image that may hold a record.
#[derive(Clone, Copy)]
struct Place {
    address: usize,
    page: usize,
    header: Header,
}

/// What was learnt of one page.
#[derive(Clone, Default)]
struct PageFacts {
    /// Of records that opened, and of places where such a record may have stood.
    salts: BTreeSet<[u8; 12]>,
    generations: BTreeSet<u32>,
}

/// One store of an image under attack, with everything learnt so far.
struct Attack<'a> {
    image: &'a [u8],
    label: &'a [u8],
    store: &'a ClearHeader,
    page_size: usize,
    wrap_key: [u8; 32],
    /// What seals the records that belong to no class: one for each store key that could be unwrapped.
    store_seal_keys: BTreeSet<[u8; 32]>,
    store_keys: Vec<[u8; 32]>,
    places: Vec<Place>,
    pages: Vec<PageFacts>,
    key_versions: BTreeSet<u32>,
    class_keys: Vec<ClassKey>,
    /// For each slot, the sealing keys with their class generation.
    seal_keys: BTreeMap<u8, BTreeSet<(u32, [u8; 32])>>,
    records: Vec<Recovered>,
    other_records: usize,
    opened: BTreeSet<([u8; 32], [u8; 24])>,
    tried: u64,
    scratch: Vec<u8>,
}

impl<'a> Attack<'a> {
    /// Gathers salts, generations, versions and class keys.
    fn new(
        image: &'a [u8],
        root_key: &[u8; 32],
        label: &'a [u8],
        store: &'a ClearHeader,
        stores: &[ClearHeader],
        page_size: usize,
    ) -> Self {
        let context = context(&store.store_id, label);
        let mut attack = Self {
            image,
            label,
            store,
            page_size,
            wrap_key: derive(root_key, b"bydesign/v1/wrap-seal", &context),
            store_seal_keys: BTreeSet::new(),
            store_keys: Vec::new(),
            places: places(image, page_size),
            pages: vec![PageFacts::default(); image.len().div_ceil(page_size)],
            key_versions: BTreeSet::new(),
            class_keys: Vec::new(),
            seal_keys: BTreeMap::new(),
            records: Vec::new(),
            other_records: 0,
            opened: BTreeSet::new(),
            tried: 0,
            scratch: Vec::new(),
        };
        attack.open_key_page_records(stores);
        attack.guess_salts();
        attack.widen_key_versions();
        attack.open_store_keys();
        attack.open_page_records();
        attack.guess_generations();
        attack.open_sessions();
        attack.widen_key_versions();
        attack.open_class_keys();
        attack
    }

    /// Takes the bytes where a salt belongs as a salt, though the record around it may be half erased.
    fn guess_salts(&mut self) {
        let unit = self.store.unit.clamp(4, 32);
        let first = 12_usize.next_multiple_of(unit);
        let salt_places = [first + 4, first + CLEAR_LENGTH.next_multiple_of(unit) + 4];
        for (page, facts) in self
            .pages
            .iter_mut()
            .enumerate()
            .filter(|(_, facts)| facts.salts.is_empty())
        {
            for offset in salt_places {
                let at = page * self.page_size + offset;
                if let Some(salt) = self.image.get(at..at + 12).filter(|bytes| !is_uniform(bytes)) {
                    facts.salts.insert(array(salt, 0));
                }
            }
        }
        for place in &self.places {
            if place.header.carries_salt() && place.header.slot == NO_SLOT {
                self.pages[place.page]
                    .salts
                    .insert(array(self.image, place.address + 4));
            }
        }
    }

    /// Nothing but their own bytes and the clear header is needed to open them.
    fn open_key_page_records(&mut self, stores: &[ClearHeader]) {
        let key = self.wrap_key;
        for place in self.places_of(&[KEY_PAGE]) {
            let salt = array(self.image, place.address + 4);
            let opened = stores.iter().find_map(|clear| {
                let mut associated_data = self.associated_data(place, 0, 0);
                associated_data.extend_from_slice(&clear.bytes);
                self.open(place, &key, &salt, &associated_data)
            });
            if let Some(plaintext) = opened.filter(|plaintext| plaintext.len() >= 4) {
                self.other_records += 1;
                self.pages[place.page].salts.insert(salt);
                self.key_versions.insert(number(&plaintext, 0));
            }
        }
    }

    fn open_store_keys(&mut self) {
        let wrap_key = self.wrap_key;
        let context = context(&self.store.store_id, self.label);
        for place in self.places_of(&[STORE_KEY]) {
            let versions = self.key_versions.clone();
            let opened = self.open_with(place, &wrap_key, &versions, 0);
            if let Some(plaintext) = opened.filter(|plaintext| plaintext.len() == 32) {
                let store_key = array(&plaintext, 0);
                self.store_keys.push(store_key);
                self.store_seal_keys
                    .insert(derive(&store_key, b"bydesign/v1/store-seal", &context));
            }
        }
    }

    fn open_page_records(&mut self) {
        for place in self.places_of(&[PAGE]) {
            let salt = array(self.image, place.address + 4);
            let associated_data = self.associated_data(place, 0, 0);
            for key in self.store_seal_keys.clone() {
                let opened = self.open(place, &key, &salt, &associated_data);
                if let Some(plaintext) = opened.filter(|plaintext| plaintext.len() >= 12) {
                    self.other_records += 1;
                    self.pages[place.page].salts.insert(salt);
                    self.pages[place.page].generations.insert(number(&plaintext, 0));
                    self.key_versions.insert(number(&plaintext, 8));
                }
            }
        }
    }

    /// A page whose Page record is destroyed had one of the generations that belong there.
    fn guess_generations(&mut self) {
        let pages = usize::try_from(self.store.pages)
            .unwrap_or(usize::MAX)
            .min(self.pages.len());
        let ring = small(pages.saturating_sub(FIRST_LOG_PAGE).max(1));
        let known: BTreeSet<u32> = self
            .pages
            .iter()
            .flat_map(|facts| facts.generations.iter().copied())
            .collect();
        for (page, facts) in self
            .pages
            .iter_mut()
            .enumerate()
            .filter(|(_, facts)| facts.generations.is_empty())
        {
            let first = small(page.saturating_sub(FIRST_LOG_PAGE)) % ring + 1;
            for generation in &known {
                let lap = generation.saturating_sub(first) / ring;
                let laps = lap.saturating_sub(1)..=lap.saturating_add(1);
                facts
                    .generations
                    .extend(laps.filter_map(|lap| lap.checked_mul(ring)?.checked_add(first)));
            }
        }
    }

    fn open_sessions(&mut self) {
        for place in self.places_of(&[SESSION]) {
            let salt = array(self.image, place.address + 4);
            for generation in self.pages[place.page].generations.clone() {
                let associated_data = self.associated_data(place, generation, 0);
                for key in self.store_seal_keys.clone() {
                    if let Some(plaintext) = self.open(place, &key, &salt, &associated_data) {
                        self.other_records += 1;
                        self.key_versions.insert(number(&plaintext, 8));
                    }
                }
            }
        }
    }

    /// Versions before and after the known ones may have left class keys behind in a key page that lost its first record.
    fn widen_key_versions(&mut self) {
        let known: Vec<u32> = self.key_versions.iter().copied().collect();
        for version in known {
            self.key_versions
                .extend(version.saturating_sub(3)..=version.saturating_add(3));
        }
        self.key_versions.extend(0..=3);
    }

    fn open_class_keys(&mut self) {
        let wrap_key = self.wrap_key;
        for place in self.places_of(&[CLASS_KEY]) {
            let versions = self.key_versions.clone();
            let Some(plaintext) = self.open_with(place, &wrap_key, &versions, 0) else {
                continue;
            };
            if plaintext.len() < 52 {
                continue;
            }
            let found = ClassKey {
                address: place.address,
                slot: place.header.slot,
                class: plaintext[0],
                user: number(&plaintext, 4),
                generation: number(&plaintext, 8),
                key: array(&plaintext, 20),
            };
            self.add_seal_key(&found);
            if found.class != 0 || found.key != [0; 32] {
                self.class_keys.push(found);
            }
        }
    }

    /// Under its own generation, and under those just before: the generation alone must not be what an erasure changes.
    fn add_seal_key(&mut self, class_key: &ClassKey) {
        for generation in class_key.generation.saturating_sub(2)..=class_key.generation {
            let mut context = context(&self.store.store_id, self.label);
            context.push(class_key.slot);
            context.extend_from_slice(&generation.to_le_bytes());
            let key = derive(&class_key.key, b"bydesign/v1/class-seal", &context);
            self.seal_keys
                .entry(class_key.slot)
                .or_default()
                .insert((generation, key));
        }
    }

    /// Tries everything on every place that was not opened on the way to the class keys.
    fn open_records(&mut self) {
        let wrap_key = self.wrap_key;
        for place in self.places.clone() {
            let header = place.header;
            if header.carries_salt() || header.kind == CLASS_KEY {
                continue;
            }
            let generations = self.pages[place.page].generations.clone();
            if header.sealed_under_class_key() {
                for (class_generation, key) in self.seal_keys.get(&header.slot).cloned().unwrap_or_default() {
                    if let Some(plaintext) = self.open_with(place, &key, &generations, class_generation) {
                        self.add_record(place, class_generation, &plaintext);
                    }
                }
            } else if header.slot == NO_SLOT {
                let versions = self.key_versions.clone();
                let opened = if header.sealed_under_wrap_key() {
                    self.open_with(place, &wrap_key, &versions, 0).is_some()
                } else {
                    let keys = self.store_seal_keys.clone();
                    keys.iter()
                        .any(|key| self.open_with(place, key, &generations, 0).is_some())
                };
                self.other_records += usize::from(opened);
            }
        }
    }

    fn add_record(&mut self, place: Place, class_generation: u32, plaintext: &[u8]) {
        let (name, value) = match place.header.kind {
            VALUE | FIXED | ALIKE | STAGED_VALUE | STAGED_FIXED | STAGED_ALIKE => {
                let Some(parts) = name_and_value(plaintext, self.link_length()) else {
                    return;
                };
                parts
            }
            REMOVAL | STAGED_REMOVAL => {
                self.other_records += 1;
                return;
            }
            _ => (&[][..], plaintext),
        };
        self.records.push(Recovered {
            address: place.address,
            kind: place.header.kind,
            slot: place.header.slot,
            class_generation,
            name: name.to_vec(),
            value: value.to_vec(),
        });
    }

    fn confirms(&mut self, known: &KnownPlace, name: &[u8], guess: &[u8]) -> bool {
        let link = self.link_length();
        let Some(layout) = layout(name, guess, link) else {
            return false;
        };
        let from_value = link + 1 + name.len();
        if let Some(class_key) = &known.class_key {
            self.add_seal_key(class_key);
        }
        if self
            .records
            .iter()
            .any(|record| record.name == name && record.value == guess)
        {
            return true;
        }
        for place in self.confirmable_places(known, layout.len()) {
            if self.records.iter().any(|record| record.address == place.address) {
                continue; // it says something else
            }
            let mut salts = self.pages[place.page].salts.clone();
            salts.extend(known.salt);
            let mut generations = self.pages[place.page].generations.clone();
            generations.extend(known.generation);
            let stored: [u8; 8] = array(self.image, place.address + 4);
            let synthetics = [known.synthetic, (!is_uniform(&stored)).then_some(stored)];
            for (class_generation, key) in self
                .seal_keys
                .get(&place.header.slot)
                .cloned()
                .unwrap_or_default()
            {
                for salt in &salts {
                    for synthetic in synthetics.into_iter().flatten() {
                        let nonce = self.nonce(place.address, salt, synthetic);
                        let sealed = Sealed {
                            place,
                            key: &key,
                            nonce: &nonce,
                            class_generation,
                        };
                        self.tried += 1;
                        if self.guess_shows(&sealed, &generations, &layout, link, from_value, guess.len()) {
                            return true;
                        }
                    }
                }
            }
        }
        false
    }

    /// Places whose record could be the sealed guess; their bodies may be destroyed in part.
    fn confirmable_places(&self, known: &KnownPlace, length: usize) -> Vec<Place> {
        let fits = |place: &Place| {
            place.header.length == length
                && (VALUE..KEY_PAGE).contains(&place.header.kind)
                && ![REMOVAL, STAGED_REMOVAL].contains(&place.header.kind)
        };
        let every_word = (0..self.image.len().saturating_sub(3))
            .step_by(4)
            .filter_map(|address| Some((address, Header::parse(number(self.image, address))?)));
        let mut found: Vec<Place> = match known.address {
            None => every_word
                .filter_map(|(address, header)| self.place(address, header))
                .filter(fits)
                .collect(),
            Some(address) if address + 4 <= self.image.len() => {
                let slots = self.seal_keys.keys().map(|slot| u32::from(*slot));
                let stored = [Some(number(self.image, address)), known.header]
                    .into_iter()
                    .flatten();
                let remade = [VALUE, FIXED, ALIKE, STAGED_VALUE, STAGED_FIXED, STAGED_ALIKE]
                    .into_iter()
                    .flat_map(|kind| {
                        slots
                            .clone()
                            .map(move |slot| u32::from(kind) << 27 | slot << 11 | small(length / 4))
                    });
                let words: BTreeSet<u32> = stored.chain(remade).collect();
                words
                    .into_iter()
                    .filter_map(|word| self.place(address, Header::parse(word)?))
                    .filter(fits)
                    .collect()
            }
            Some(_) => Vec::new(),
        };
        found.retain(|place| place.header.sealed_under_class_key());
        found
    }

    fn guess_shows(
        &mut self,
        sealed: &Sealed<'_>,
        generations: &BTreeSet<u32>,
        layout: &[u8],
        link: usize,
        from_value: usize,
        value_length: usize,
    ) -> bool {
        let start = sealed.place.address + sealed.place.header.synthetic_at() + 8;
        let stored = &self.image[start..start + layout.len() + TAG_LENGTH];
        let (stored_text, stored_tag) = stored.split_at(layout.len());

        let mut text = layout.to_vec();
        let _ = seal(sealed.key, sealed.nonce, &[], &mut text);
        let equal: Vec<bool> = text
            .iter()
            .zip(stored_text)
            .map(|(made, left)| made == left)
            .collect();
        if longest_run(&equal[from_value..]) >= ENOUGH {
            return true;
        }
        let whole_value = (from_value..from_value + value_length).all(|at| equal[at]);
        let padded_end = layout.len();
        if value_length > 0 && value_length < ENOUGH && whole_value {
            let before = equal[link..from_value]
                .iter()
                .rev()
                .take_while(|same| **same)
                .count();
            let after = equal[from_value..padded_end]
                .iter()
                .take_while(|same| **same)
                .count();
            if before + after >= ENOUGH {
                return true;
            }
        }
        // The link is not guessed: its plaintext is what the surviving ciphertext says.
        let mut text_with_link = layout.to_vec();
        for at in 0..link {
            text_with_link[at] ^= text[at] ^ stored_text[at];
        }
        generations.iter().any(|generation| {
            let associated_data = self.associated_data(sealed.place, *generation, sealed.class_generation);
            let mut text = text_with_link.clone();
            let tag = seal(sealed.key, sealed.nonce, &associated_data, &mut text);
            let equal: Vec<bool> = tag
                .iter()
                .zip(stored_tag)
                .map(|(made, left)| made == left)
                .collect();
            longest_run(&equal) >= ENOUGH
        })
    }

    /// Tries every salt of the page of `place` with each of `generations` (or key versions).
    fn open_with(
        &mut self,
        place: Place,
        key: &[u8; 32],
        generations: &BTreeSet<u32>,
        class_generation: u32,
    ) -> Option<Vec<u8>> {
        for salt in self.pages[place.page].salts.clone() {
            for generation in generations {
                let associated_data = self.associated_data(place, *generation, class_generation);
                if let Some(plaintext) = self.open(place, key, &salt, &associated_data) {
                    return Some(plaintext);
                }
            }
        }
        None
    }

    fn open(
        &mut self,
        place: Place,
        key: &[u8; 32],
        salt: &[u8; 12],
        associated_data: &[u8],
    ) -> Option<Vec<u8>> {
        self.tried += 1;
        let synthetic_at = place.address + place.header.synthetic_at();
        let nonce = self.nonce(place.address, salt, array(self.image, synthetic_at));
        let text_at = synthetic_at + 8;
        let tag: [u8; TAG_LENGTH] = array(self.image, text_at + place.header.length);
        self.scratch.clear();
        self.scratch
            .extend_from_slice(&self.image[text_at..text_at + place.header.length]);
        XChaCha20Poly1305::new(<&Key>::from(key))
            .decrypt_inout_detached(
                <&XNonce>::from(&nonce),
                associated_data,
                self.scratch.as_mut_slice().into(),
                <&Tag>::from(&tag),
            )
            .ok()?;
        self.opened.insert((*key, nonce));
        Some(self.scratch.clone())
    }

    fn nonce(&self, address: usize, salt: &[u8; 12], synthetic: [u8; 8]) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce[..12].copy_from_slice(salt);
        nonce[12..16].copy_from_slice(&small(address % self.page_size).to_le_bytes());
        nonce[16..].copy_from_slice(&synthetic);
        nonce
    }

    fn associated_data(&self, place: Place, generation: u32, class_generation: u32) -> Vec<u8> {
        let mut bytes = vec![FORMAT_VERSION, self.store.medium, 0, 0];
        bytes.extend_from_slice(&place.header.word.to_le_bytes());
        bytes.extend_from_slice(&generation.to_le_bytes());
        bytes.extend_from_slice(&class_generation.to_le_bytes());
        bytes
    }

    fn place(&self, address: usize, header: Header) -> Option<Place> {
        place(self.image, self.page_size, address, header)
    }

    fn places_of(&self, kinds: &[u8]) -> Vec<Place> {
        self.places
            .iter()
            .filter(|place| kinds.contains(&place.header.kind))
            .copied()
            .collect()
    }

    fn link_length(&self) -> usize {
        if self.store.medium == OVERWRITABLE { 8 } else { 0 }
    }
}

impl Findings {
    fn add(&mut self, attack: Attack<'_>) {
        for key in attack.class_keys {
            if !self.class_keys.contains(&key) {
                self.class_keys.push(key);
            }
        }
        for record in attack.records {
            if !self.records.contains(&record) {
                self.records.push(record);
            }
        }
        self.store_keys.extend(attack.store_keys);
        self.opened.extend(attack.opened);
        self.other_records += attack.other_records;
        self.tried += attack.tried;
    }
}

/// One way in which a record may have been sealed.
struct Sealed<'a> {
    place: Place,
    key: &'a [u8; 32],
    nonce: &'a [u8; 24],
    class_generation: u32,
}

/// Every place whose word parses as a header, whose record fits its page and whose tag is neither erased nor zeroed.
fn places(image: &[u8], page_size: usize) -> Vec<Place> {
    (0..image.len().saturating_sub(3))
        .step_by(4)
        .filter_map(|address| place(image, page_size, address, Header::parse(number(image, address))?))
        .filter(|place| {
            let end = place.address + place.header.record_length();
            !is_uniform(&image[end - TAG_LENGTH..end])
        })
        .collect()
}

fn place(image: &[u8], page_size: usize, address: usize, header: Header) -> Option<Place> {
    let end = address + header.record_length();
    let page_end = (address / page_size + 1) * page_size;
    (end <= page_end.min(image.len())).then_some(Place {
        address,
        page: address / page_size,
        header,
    })
}

/// The name and the value in the plaintext of a Value or Fixed record.
fn name_and_value(plaintext: &[u8], link: usize) -> Option<(&[u8], &[u8])> {
    let (meta, rest) = plaintext.get(link..)?.split_first()?;
    let (name, padded) = rest.split_at_checked(usize::from(meta & 0x3f))?;
    let value = padded.get(..padded.len().checked_sub(usize::from(meta >> 6))?)?;
    Some((name, value))
}

/// The plaintext of a Value or Fixed record, with zeros for the link.
fn layout(name: &[u8], value: &[u8], link: usize) -> Option<Vec<u8>> {
    let length = u8::try_from(name.len()).ok().filter(|length| *length < 64)?;
    let zeros: u8 = [0, 3, 2, 1][(1 + name.len() + value.len()) % 4];
    let mut bytes = vec![0; link];
    bytes.push(length | zeros << 6);
    bytes.extend_from_slice(name);
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len() + usize::from(zeros), 0);
    Some(bytes)
}

fn context(store_id: &[u8; 16], label: &[u8]) -> Vec<u8> {
    let mut bytes = store_id.to_vec();
    bytes.push(u8::try_from(label.len()).expect("a label has at most 255 bytes"));
    bytes.extend_from_slice(label);
    bytes
}

/// HKDF-SHA-256 with an empty salt and the info `label ‖ 00 ‖ context`.
fn derive(from: &[u8; 32], label: &[u8], context: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, from)
        .expand_multi_info(&[label, &[0], context], &mut key)
        .expect("32 bytes are within what HKDF gives");
    key
}

fn seal(key: &[u8; 32], nonce: &[u8; 24], associated_data: &[u8], text: &mut [u8]) -> [u8; TAG_LENGTH] {
    XChaCha20Poly1305::new(<&Key>::from(key))
        .encrypt_inout_detached(<&XNonce>::from(nonce), associated_data, text.into())
        .expect("a page is shorter than what the cipher takes")
        .into()
}

fn longest_run(equal: &[bool]) -> usize {
    equal.split(|same| !same).map(<[bool]>::len).max().unwrap_or(0)
}

fn is_uniform(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0) || bytes.iter().all(|byte| *byte == 0xff)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

fn small(size: usize) -> u32 {
    u32::try_from(size).expect("an image is smaller than 4 GiB")
}

fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> [u8; LENGTH] {
    bytes[at..at + LENGTH]
        .try_into()
        .expect("the slice has that length")
}

const FORMAT_VERSION: u8 = 1;
const OVERWRITABLE: u8 = 1;
const CLEAR_LENGTH: usize = 40;
const TAG_LENGTH: usize = 16;
/// Pages 0 and 1 are key pages; the others form the ring.
const FIRST_LOG_PAGE: usize = 2;
/// The slot of records that no class key seals.
const NO_SLOT: u8 = 63;
/// Bytes in a row that are not equal by chance: one in 2^64.
const ENOUGH: usize = 8;

const PAGE: u8 = 1;
const SESSION: u8 = 2;
const VALUE: u8 = 3;
const FIXED: u8 = 4;
const REMOVAL: u8 = 5;
const STAGED_VALUE: u8 = 6;
const STAGED_REMOVAL: u8 = 7;
const STAGED_FIXED: u8 = 13;
const ALIKE: u8 = 14;
const STAGED_ALIKE: u8 = 15;
const KEY_PAGE: u8 = 16;
const CLASS_KEY: u8 = 17;
const STORE_KEY: u8 = 19;
const ERASED: u8 = 31;
