#!/usr/bin/env python3
"""Read an image of a sealed store, written from docs/on-flash-format.md alone.

Section numbers in the comments are those of that document. The reader prints what is live, or says why the image
is not to be trusted. It never writes to the image.
"""

import argparse
import struct
import sys
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Section 6: the clear bytes of a key page.
MAGIC = b"bydesign"
FORMAT_VERSION = 1
CHECKPOINTS = 2
KNOWN_FEATURES = CHECKPOINTS
OVERWRITABLE, WRITE_ONCE = 1, 2
CLEAR_LENGTH = 40

# Section 1.
ERASE_MARK = b"BYE1"
MARK_LENGTH = 12
UNITS = (4, 8, 16, 32)
SMALLEST_PAGE, LARGEST_PAGE = 1024, 256 * 1024
FEWEST_PAGES, LARGEST_MEDIUM = 4, 64 * 1024 * 1024
FIRST_LOG_PAGE = 2

# Section 4: kinds of records.
PAGE, SESSION, VALUE, FIXED, REMOVAL, ANCHOR, RETIRE = 1, 2, 3, 4, 5, 11, 12
STAGED_VALUE, STAGED_REMOVAL, COMMIT, STAGED_FIXED = 6, 7, 8, 13
INDEX, CHECKPOINT = 9, 10
ALIKE, STAGED_ALIKE = 14, 15
KEY_PAGE, CLASS_KEY, KEY_COMMIT, STORE_KEY = 16, 17, 18, 19
SALT_KINDS = (PAGE, SESSION, KEY_PAGE)
STORE_KINDS = (COMMIT, ANCHOR, RETIRE, CHECKPOINT)
STAGED_KINDS = (STAGED_VALUE, STAGED_REMOVAL, STAGED_FIXED, STAGED_ALIKE)
VALUE_KINDS = (VALUE, FIXED, ALIKE, STAGED_VALUE, STAGED_FIXED, STAGED_ALIKE)
REMOVAL_KINDS = (REMOVAL, STAGED_REMOVAL)
CLASS_KINDS = VALUE_KINDS + REMOVAL_KINDS
NO_SLOT = 63
NOTHING = 0xFFFFFFFF
SALT_LENGTH, SYNTHETIC_LENGTH, TAG_LENGTH = 12, 8, 16
# The plaintext of Page, Session and Key page records.
STAND_LENGTH, KEY_PAGE_LENGTH = 44, 44
STORE_KEY_LENGTH, CLASS_KEY_LENGTH, KEY_COMMIT_LENGTH = 32, 52, 8
REMOVAL_LENGTH, COMMIT_LENGTH, ANCHOR_LENGTH, RETIRE_LENGTH = 8, 16, 8, 8
GROUP_LENGTH, CHECKPOINT_LENGTH = 8, 48
LONGEST_PAGE_OF_SHORT_ENTRIES = 8192
LINK_LENGTH = 8
LARGEST_SLOTS = 62
# Pages of the log that are not left out.
SMALLEST_LOG = 2

# Section 6: classes.
FREE, IDENTITY, SETTINGS, USER, FIRST_APPLICATION = 0, 1, 2, 3, 4

MASK_32 = 0xFFFFFFFF
MASK_64 = 0xFFFFFFFFFFFFFFFF


class NotTrusted(Exception):
    """The image is not to be trusted; `kind` says in one word why."""

    def __init__(self, kind, reason):
        super().__init__(f"{kind}: {reason}")
        self.kind = kind


def damage(reason):
    return NotTrusted("damage", reason)


def inconsistent(reason):
    return NotTrusted("inconsistent", reason)


# ---------------------------------------------------------------------------------------------------------------
# Primitives


def align(number, step):
    """Section 0: the next multiple of `step`, or the number itself if it is one."""
    return -(-number // step) * step


def power_of_two(number):
    """The smallest power of two that is not below `number`."""
    return 1 << (number - 1).bit_length()


def is_blank(data):
    return data.count(0xFF) == len(data)


def is_zero(data):
    return data.count(0) == len(data)


def rotate_32(number, bits):
    return ((number << bits) | (number >> (32 - bits))) & MASK_32


def rotate_64(number, bits):
    return ((number << bits) | (number >> (64 - bits))) & MASK_64


def siphash_round(a, b, c, d):
    a = (a + b) & MASK_64
    b = rotate_64(b, 13) ^ a
    a = rotate_64(a, 32)
    c = (c + d) & MASK_64
    d = rotate_64(d, 16) ^ c
    a = (a + d) & MASK_64
    d = rotate_64(d, 21) ^ a
    c = (c + b) & MASK_64
    b = rotate_64(b, 17) ^ c
    c = rotate_64(c, 32)
    return a, b, c, d


@lru_cache(maxsize=1 << 16)
def siphash_2_4(key, message):
    """SipHash-2-4 (Aumasson and Bernstein, 2012): the tag as a number."""
    low, high = struct.unpack("<QQ", key)
    state = (
        low ^ 0x736F6D6570736575,
        high ^ 0x646F72616E646F6D,
        low ^ 0x6C7967656E657261,
        high ^ 0x7465646279746573,
    )
    whole = len(message) // 8 * 8
    last = message[whole:].ljust(7, b"\0") + bytes([len(message) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", message[:whole] + last):
        a, b, c, d = state
        a, b, c, d = siphash_round(a, b, c, d ^ word)
        a, b, c, d = siphash_round(a, b, c, d)
        state = a ^ word, b, c, d
    a, b, c, d = state
    state = a, b, c ^ 0xFF, d
    for _ in range(4):
        state = siphash_round(*state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def quarter_round(state, a, b, c, d):
    for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[first] = (state[first] + state[second]) & MASK_32
        state[third] = rotate_32(state[third] ^ state[first], bits)


# The same records are opened again and again: by each walk over a log, and in each of many images that differ in one place.
@lru_cache(maxsize=1 << 16)
def hchacha20(key, nonce):
    """HChaCha20 (draft-irtf-cfrg-xchacha, section 2.2): a 32-byte key from a key and 16 bytes of nonce."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for column in range(4):
            quarter_round(state, column, column + 4, column + 8, column + 12)
        for column in range(4):
            others = [4 * row + (column + row) % 4 for row in range(1, 4)]
            quarter_round(state, column, *others)
    return struct.pack("<8I", *state[:4], *state[12:])


def xchacha20_poly1305_open(key, nonce, sealed, associated):
    """The plaintext, or None if it is not authentic (draft-irtf-cfrg-xchacha, section 2.3)."""
    cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    try:
        return cipher.decrypt(bytes(4) + nonce[16:], sealed, associated)
    except InvalidTag:
        return None


# ---------------------------------------------------------------------------------------------------------------
# Section 2: keys


@dataclass(frozen=True)
class Context:
    """What every derived key is bound to."""

    store: bytes
    label: bytes

    def derive(self, name, length, key, suffix=b""):
        """All keys that a reader needs use an empty HKDF salt."""
        derivation = HKDF(hashes.SHA256(), length, salt=None, info=self.info(name, suffix))
        return derivation.derive(key)

    def info(self, name, suffix=b""):
        context = self.store + bytes([len(self.label)]) + self.label
        return b"bydesign/v1/" + name + b"\0" + context + suffix


# ---------------------------------------------------------------------------------------------------------------
# Section 1: geometry and erase marks


@dataclass(frozen=True)
class Geometry:
    unit: int
    page: int
    pages: int

    @property
    def first(self):
        """F: where the first record of a page is."""
        return align(MARK_LENGTH, self.unit)

    @property
    def granule(self):
        return max(self.unit, power_of_two(align(self.page, 1024) // 1024))

    @property
    def skip(self):
        return max(self.granule, min(256, max(128, power_of_two(self.page) // 16)))

    @property
    def log_pages(self):
        return range(FIRST_LOG_PAGE, self.pages)

    def home(self, generation):
        """Section 5: the page on which a generation lives."""
        return FIRST_LOG_PAGE + (generation - 1) % (self.pages - FIRST_LOG_PAGE)


@dataclass(frozen=True)
class Ring:
    """The pages of the log without those that are left out, and the generations that occur."""

    geometry: Geometry
    left_out: tuple

    @property
    def pages(self):
        return [index for index in self.geometry.log_pages if index not in self.left_out]

    def occurs(self, generation):
        return generation > 0 and self.geometry.home(generation) not in self.left_out

    @property
    def first(self):
        """The generation of the first page of a store for which it was made."""
        return self.after(0)

    def after(self, generation):
        return self.next_of(generation, 1)

    def before(self, generation):
        """The nearest generation before this one, or 0."""
        return self.next_of(generation, -1)

    def next_of(self, generation, step):
        generation += step
        while generation > 0 and not self.occurs(generation):
            generation += step
        return generation


def parse_left_out(geometry, numbers):
    """Section 6: numbers of pages of the log, each greater than the one before it, zeros behind them."""
    named = [number for number in numbers if number]
    is_listed_well = list(numbers) == named + [0] * (len(numbers) - len(named)) and named == sorted(set(named))
    in_log = all(number in geometry.log_pages for number in named)
    if not is_listed_well or not in_log or len(geometry.log_pages) - len(named) < SMALLEST_LOG:
        raise inconsistent("a key page has an impossible list of pages left out")
    return tuple(named)


def erases_of(page, unit):
    """How often a page has been erased, or None without a good mark (section 1)."""
    if page[:4] != ERASE_MARK:
        return None
    count, inverted = struct.unpack_from("<II", page, 4)
    good = count ^ inverted == MASK_32 and is_blank(page[MARK_LENGTH : align(MARK_LENGTH, unit)])
    return count if good else None


# ---------------------------------------------------------------------------------------------------------------
# Sections 3 and 4: records


@dataclass(frozen=True)
class Header:
    word: int

    @property
    def length(self):
        return (self.word & 0x7FF) * 4

    @property
    def slot(self):
        return self.word >> 11 & 0x3F

    @property
    def salt_place(self):
        return self.word >> 17 & 0x3FF

    @property
    def kind(self):
        return self.word >> 27

    @property
    def sealed_at(self):
        """Where the synthetic part of the nonce begins in the record."""
        return 4 + (SALT_LENGTH if self.kind in SALT_KINDS else 0)

    @property
    def size(self):
        """Bytes of the record without its padding."""
        return self.sealed_at + SYNTHETIC_LENGTH + self.length + TAG_LENGTH

    def packed(self):
        return struct.pack("<I", self.word)

    @staticmethod
    def of(kind, slot, length, salt_place=0):
        return Header(kind << 27 | salt_place << 17 | slot << 11 | length // 4)


def header_at(page, offset):
    """The header at a place, or None where the page has no room for the record that it names."""
    if offset + 4 > len(page):
        return None
    header = Header(struct.unpack_from("<I", page, offset)[0])
    return header if offset + header.size <= len(page) else None


@dataclass(frozen=True)
class Sealer:
    """What stays the same in the associated data (section 3) of all records of a store."""

    medium: int

    def open(self, key, page, offset, header, salt, generation=0, class_generation=0, extra=b""):
        """The plaintext of the record at a place, or None if it does not open."""
        begin = offset + header.sealed_at
        body = begin + SYNTHETIC_LENGTH
        nonce = salt + struct.pack("<I", offset) + page[begin:body]
        associated = (
            bytes([FORMAT_VERSION, self.medium, 0, 0])
            + header.packed()
            + struct.pack("<II", generation, class_generation)
            + extra
        )
        return xchacha20_poly1305_open(key, nonce, page[body : offset + header.size], associated)


def salt_at(page, offset):
    """The salt in a Page, Session or Key page record (section 4)."""
    return page[offset + 4 : offset + 4 + SALT_LENGTH]


# ---------------------------------------------------------------------------------------------------------------
# Section 6: key pages


@dataclass(frozen=True)
class Clear:
    """The clear bytes of a key page, checked to be of this version."""

    data: bytes
    geometry: Geometry
    medium: int
    store: bytes


@dataclass(frozen=True)
class ClassKey:
    slot: int
    kind: int
    user: int
    generation: int
    since: tuple
    seal: bytes

    def name(self):
        if self.kind == USER:
            return f"user {self.user}" if self.user else "user"
        if self.kind >= FIRST_APPLICATION:
            return f"application {self.kind - FIRST_APPLICATION}"
        return {IDENTITY: "identity", SETTINGS: "settings"}[self.kind]


@dataclass(frozen=True)
class KeyPage:
    index: int
    clear: Clear
    salt: bytes
    version: int
    end: tuple
    live_sum: int
    digest: bytes
    other_erases: int
    counter: int
    ring: Ring
    store_key: bytes
    classes: tuple


def find_key_pages(image):
    """The clear bytes of each key page, by page index.

    Page 0 may be erased, and then nothing but the clear bytes of page 1 says where page 1 is: every place that a
    page size allows is looked at, and counts if the clear bytes there agree with their place.
    """
    found = {}
    place = image.find(MAGIC)
    while 0 <= place <= LARGEST_PAGE + max(UNITS):
        clear, index = clear_bytes_at(image, place)
        if clear is not None:
            found.setdefault(index, []).append(clear)
        place = image.find(MAGIC, place + 1)
    return {index: choose_only(index, clears) for index, clears in found.items()}


def choose_only(index, clears):
    if len(clears) > 1:
        raise inconsistent(f"there are several beginnings of key page {index}")
    return clears[0]


def clear_bytes_at(image, place):
    """The clear bytes at a place with the page that they are of, or twice None if there is no key page."""
    data = image[place : place + CLEAR_LENGTH]
    if len(data) < CLEAR_LENGTH or is_blank(data[len(MAGIC) :]):
        # Behind the name nothing was written: an interrupted write, and no word about any version.
        return None, None
    version, medium, unit, features, page, pages = struct.unpack_from("<BBBBII", data, 8)
    index = page_of_place(place, unit, page)
    if index is None and place not in {align(MARK_LENGTH, unit) for unit in UNITS}:
        return None, None
    refuse_newer(version, features)
    geometry = Geometry(unit, page, pages)
    if index is None or not are_complete(geometry, medium, data):
        return None, None
    if page * pages > len(image):
        raise inconsistent(f"the image has {len(image)} bytes, the store uses {page * pages}")
    return Clear(data, geometry, medium, data[20:36]), index


def page_of_place(place, unit, page):
    """0 or 1 if clear bytes at a place can be those of that page with the sizes that they name."""
    if unit not in UNITS or not SMALLEST_PAGE <= page <= LARGEST_PAGE or page % unit:
        return None
    begin = place - align(MARK_LENGTH, unit)
    return {0: 0, page: 1}.get(begin)


def refuse_newer(version, features):
    """Section 10: a reader that meets a higher version, or a feature it does not know, says so."""
    if version > FORMAT_VERSION:
        raise NotTrusted("newer", f"format version {version}; this reader knows up to {FORMAT_VERSION}")
    if version < FORMAT_VERSION:
        raise inconsistent("there is no format version 0")
    if features & ~KNOWN_FEATURES:
        raise NotTrusted("newer", f"features {features:#04x}; this reader knows {KNOWN_FEATURES:#04x}")


def are_complete(geometry, medium, data):
    """Clear bytes that a cut left unfinished make no key page; the other key page counts."""
    possible = geometry.pages >= FEWEST_PAGES and geometry.page * geometry.pages <= LARGEST_MEDIUM
    return possible and medium in (OVERWRITABLE, WRITE_ONCE) and is_zero(data[36:40])


class KeyPageReader:
    """Reads the records of one key page; `read` answers None unless it is committed."""

    def __init__(self, image, index, clear, root_key, label):
        self.index, self.clear, self.root_key = index, clear, root_key
        self.context = Context(clear.store, label)
        self.unit = clear.geometry.unit
        begin = index * clear.geometry.page
        self.page = image[begin : begin + clear.geometry.page]
        self.offset = clear.geometry.first + align(CLEAR_LENGTH, self.unit)
        self.sealer = Sealer(clear.medium)
        self.wrap = self.context.derive(b"wrap-seal", 32, root_key)
        self.version = None

    def read(self):
        fields = self.read_beginning()
        if fields is None:
            return None
        self.version, generation, offset, live_sum, digest, count, erases, counter, *left_out = fields
        store_key = self.next_record(STORE_KEY, NO_SLOT, STORE_KEY_LENGTH)
        if store_key is None or count > LARGEST_SLOTS:
            return None
        plain = [self.next_record(CLASS_KEY, slot, CLASS_KEY_LENGTH) for slot in range(count)]
        commit = self.next_record(KEY_COMMIT, NO_SLOT, KEY_COMMIT_LENGTH)
        if None in plain or commit != struct.pack("<II", count, self.version):
            return None
        if not self.version:
            raise inconsistent(f"key page {self.index} has impossible contents")
        ring = Ring(self.clear.geometry, parse_left_out(self.clear.geometry, left_out))
        classes = tuple(self.class_key(slot, plaintext) for slot, plaintext in enumerate(plain))
        check_classes(classes)
        end = (generation, offset)
        fields = self.version, end, live_sum, digest, erases, counter, ring, store_key, classes
        return KeyPage(self.index, self.clear, self.salt, *fields)

    def read_beginning(self):
        """The fields of the Key page record, or None if it does not open."""
        self.salt = salt_at(self.page, self.offset)
        plaintext = self.next_record(KEY_PAGE, NO_SLOT, KEY_PAGE_LENGTH, extra=self.clear.data)
        return plaintext and struct.unpack("<IIII8sIII4H", plaintext)

    def next_record(self, kind, slot, length, extra=b""):
        """The plaintext of the next record, or None if anything but the record expected is there."""
        header = header_at(self.page, self.offset)
        if header != Header.of(kind, slot, length):
            return None
        generation = self.version or 0
        plaintext = self.sealer.open(self.wrap, self.page, self.offset, header, self.salt, generation, extra=extra)
        self.offset += align(header.size, self.unit)
        return plaintext

    def class_key(self, slot, plaintext):
        kind, zero, user, generation, since_page, since_offset, key = struct.unpack("<HHIIII32s", plaintext)
        if zero or not generation or (user and kind != USER) or (kind == FREE and not is_zero(key)):
            raise inconsistent(f"the class key of slot {slot} has impossible contents")
        suffix = bytes([slot]) + struct.pack("<I", generation)
        # The context for a class label ends with slot and class generation (section 2).
        seal = self.context.derive(b"class-seal", 32, key, suffix)
        return ClassKey(slot, kind, user, generation, (since_page, since_offset), seal)


def check_classes(classes):
    """Two keys for one class of one user would leave open which of them counts."""
    owners = [(key.kind, key.user) for key in classes if key.kind != FREE]
    if len(set(owners)) != len(owners):
        raise inconsistent("two slots hold a key of the same class and user")


def current_key_page(image, root_key, label, notes):
    """The committed key page with the higher version (section 6)."""
    clears = find_key_pages(image)
    if not clears:
        refuse_without_key_page(image)
    readers = [KeyPageReader(image, index, clear, root_key, label) for index, clear in clears.items()]
    committed = [page for page in (reader.read() for reader in readers) if page is not None]
    if not committed:
        refuse_without_commit(readers)
    committed.sort(key=lambda page: page.version)
    current = committed[-1]
    for other in committed[:-1]:
        if other.version == current.version or other.clear.data != current.clear.data:
            raise inconsistent("the two key pages contradict each other")
        if other.counter > current.counter:
            raise inconsistent("the value of the counter falls from one key page to the next")
    note_unfinished_change(image, current, notes)
    return current


def refuse_without_key_page(image):
    if is_blank(image):
        raise NotTrusted("unformatted", "the image is blank")
    raise NotTrusted("unformatted", "no page begins like a key page; blank, foreign or damaged")


def refuse_without_commit(readers):
    if all(reader.version is None for reader in readers):
        raise NotTrusted("key", "no key page opens: another root key, another label, or damage")
    raise damage("no key page is committed")


def note_unfinished_change(image, current, notes):
    """A device erases the other key page before anything can be read; an image can only be reported (section 6)."""
    geometry = current.clear.geometry
    begin = (1 - current.index) * geometry.page
    other = image[begin : begin + geometry.page]
    erases = erases_of(other, geometry.unit)
    finished = erases is not None and erases > current.other_erases and is_blank(other[geometry.first :])
    if not finished:
        notes.append(
            f"key page {1 - current.index} is not proven erased: a device would erase it (again) before reading; "
            "until then keys of erased classes may be readable"
        )


# ---------------------------------------------------------------------------------------------------------------
# Section 4: what the records of the log say


@dataclass(frozen=True)
class Stand:
    """The plaintext of a Page or Session record."""

    generation: int
    tail: int
    key_version: int
    key_salt: bytes
    live_sum: int
    resume: int
    digest: bytes
    checkpoint: int
    counter: int
    filled: int

    @staticmethod
    def parse(plaintext):
        stand = Stand(*struct.unpack("<III4sII8sIII", plaintext))
        if not 1 <= stand.tail <= stand.generation:
            raise inconsistent(f"page generation {stand.generation} with tail {stand.tail}")
        return stand


@dataclass(frozen=True)
class Record:
    """An accepted record behind a Page record; `plaintext` is None in those that need not open."""

    page: int
    offset: int
    address: int
    header: Header
    plaintext: bytes
    stand: Stand = None


@dataclass(frozen=True)
class Session:
    offset: int
    header: Header
    salt: bytes
    plaintext: bytes
    stand: Stand


@dataclass
class LogPage:
    """A page whose Page record opens."""

    index: int
    generation: int
    data: bytes
    salt: bytes
    stand: Stand
    records: list = field(default_factory=list)
    places: dict = field(default_factory=dict)
    end: int = None


@dataclass(frozen=True)
class Item:
    address: int
    value: bytes


class Store:
    """The keys and the geometry of one store, and the records that they open."""

    def __init__(self, key_page, label):
        self.key_page = key_page
        self.geometry = key_page.clear.geometry
        self.medium = key_page.clear.medium
        self.classes = key_page.classes
        self.ring = key_page.ring
        self.sealer = Sealer(self.medium)
        context = Context(key_page.clear.store, label)
        self.seal = context.derive(b"store-seal", 32, key_page.store_key)
        self.structure = context.derive(b"structure", 16, key_page.store_key)
        self.live = context.derive(b"live", 16, key_page.store_key)
        self.name = context.derive(b"name", 16, key_page.store_key)

    @property
    def overwritable(self):
        return self.medium == OVERWRITABLE

    def size(self, header):
        return align(header.size, self.geometry.unit)

    @property
    def stand_size(self):
        """Bytes of a Page or Session record with padding."""
        return self.size(Header.of(PAGE, NO_SLOT, STAND_LENGTH))

    def address(self, page, offset):
        return (page * self.geometry.page + offset) // 4

    def open_page(self, image, index):
        """The log page, or None if its Page record does not open."""
        begin = index * self.geometry.page
        data = image[begin : begin + self.geometry.page]
        offset = self.geometry.first
        header = header_at(data, offset)
        if header != Header.of(PAGE, NO_SLOT, STAND_LENGTH):
            return None
        salt = salt_at(data, offset)
        plaintext = self.sealer.open(self.seal, data, offset, header, salt)
        if plaintext is None:
            return None
        stand = Stand.parse(plaintext)
        return LogPage(index, stand.generation, data, salt, stand)

    def open_session(self, page, offset):
        """The Session record at a place, or None if none opens there."""
        place = offset // self.geometry.granule
        header = header_at(page.data, offset)
        if header != Header.of(SESSION, NO_SLOT, STAND_LENGTH, place):
            return None
        salt = salt_at(page.data, offset)
        plaintext = self.sealer.open(self.seal, page.data, offset, header, salt, page.generation)
        if plaintext is None:
            return None
        stand = Stand.parse(plaintext)
        if stand.generation != page.generation or stand.filled:
            raise inconsistent(f"a Session record in page {page.index} has impossible contents")
        if self.was_never_accepted(stand, (page.generation, stand.resume)):
            return None
        return Session(offset, header, salt, plaintext, stand)

    def was_never_accepted(self, stand, goes_on_at):
        """Behind the key page's end of the log: a record that goes on there and names an older key page (section 5)."""
        return goes_on_at >= self.key_page.end and stand.key_version < self.key_page.version

    def has_salt_from_before_keys(self, page, place, salt_place):
        """Behind the key page's end of the log, a record that names a salt from before it counts as incomplete."""
        end = self.key_page.end
        salt = page.generation, salt_place * self.geometry.granule
        return salt < end <= (page.generation, place)

    def open_class_record(self, page, offset, header, salt):
        key = self.classes[header.slot]
        return self.sealer.open(key.seal, page.data, offset, header, salt, page.generation, key.generation)

    def open_log_record(self, page, offset, header, salt):
        """The plaintext of a record that is neither Page nor Session, or None."""
        if not self.has_possible_length(header):
            return None
        if header.kind in STORE_KINDS and header.slot == NO_SLOT:
            return self.sealer.open(self.seal, page.data, offset, header, salt, page.generation)
        if self.is_class_record(header) and self.classes[header.slot].kind != FREE:
            return self.open_class_record(page, offset, header, salt)
        return None

    def has_possible_length(self, header):
        """Section 4: most plaintexts have one length, a value has its link and *meta*."""
        if header.kind in VALUE_KINDS:
            return header.length > (LINK_LENGTH if self.overwritable else 0)
        if header.kind == INDEX:
            return header.length > 0
        lengths = {COMMIT: COMMIT_LENGTH, ANCHOR: ANCHOR_LENGTH, RETIRE: RETIRE_LENGTH, CHECKPOINT: CHECKPOINT_LENGTH}
        return header.length == lengths.get(header.kind, REMOVAL_LENGTH)

    def is_class_record(self, header):
        return header.kind in (*CLASS_KINDS, INDEX) and header.slot < len(self.classes)

    def is_dead(self, page, offset, header):
        """Before the slot's *since* the class was erased, and its key is gone (section 5)."""
        return self.is_class_record(header) and (page.generation, offset) < self.classes[header.slot].since

    def is_overwritten(self, page, offset, header):
        """Superseded or removed on overwritable media: all zero behind the header (section 5)."""
        if not self.may_be_overwritten(header):
            return False
        return is_zero(page.data[offset + 4 : offset + header.size])

    def may_be_overwritten(self, header):
        return self.overwritable and header.kind in VALUE_KINDS and self.is_class_record(header)

    def digest(self, message):
        return struct.pack("<Q", siphash_2_4(self.structure, message))

    def live_sum(self, addresses):
        return sum(self.live_tag(address) for address in addresses) & MASK_32

    def live_tag(self, address):
        return siphash_2_4(self.live, struct.pack("<I", address)) & MASK_32


# ---------------------------------------------------------------------------------------------------------------
# Section 5: reading one page


class PageReader:
    """Follows the log through one page.

    `following` is the page after this one, None for the head. `tolerated` are the addresses of the records whose
    overwriting may have been cut short. `closed` is the place of the first record that does not open and is none of
    the three kinds that need not.
    """

    def __init__(self, store, page, following, tolerated=frozenset()):
        self.store, self.page, self.following, self.tolerated = store, page, following, tolerated
        self.salt, self.salt_place = page.salt, 0
        # What the digest of the page covers so far; a place's digest is over the part written up to it.
        self.message = page.salt
        self.place = store.geometry.first + store.stand_size
        self.sessions = self.sessions_at_skips()
        self.last_resume = 0
        self.incomplete = False
        self.closed = None
        page.records, page.places = [], {}

    def sessions_at_skips(self):
        """All Session records that open at multiples of skip."""
        skip = self.store.geometry.skip
        places = range(align(self.place, skip), self.store.geometry.page, skip)
        sessions = [self.store.open_session(self.page, place) for place in places]
        sessions = [session for session in sessions if session is not None]
        for before, after in zip(sessions, sessions[1:]):
            self.check_resume(before.stand.resume, after)
        return sessions

    def check_resume(self, before, session):
        if session.stand.resume < before:
            raise damage(f"the resume of Session records in page {self.page.index} falls")

    def read(self):
        while self.page.end is None:
            self.page.places[self.place] = self.store.digest(self.message)
            self.step()
        self.check_sessions()
        self.check_filled()
        return self.page

    def step(self):
        """The rules of section 5 at one place.

        Rule 1 comes before rule 2: a Session record may be whole on flash although its write was reported as failed.
        If the writer then went on in the next page, that page's Page record is the newer word.
        """
        if self.following is not None and self.following.stand.resume == self.place:
            self.page.end = self.place
        elif (passing := self.passing_session()) is not None:
            self.accept_session(passing)
        elif (session := self.following_session()) is not None:
            self.accept_session(session)
        elif records := self.following_records():
            for record in records:
                self.accept(record)
        else:
            self.end_of_head()

    def passing_session(self):
        """Rule 2: the last Session record beyond this place that passes over what was not accepted."""
        passing = [
            session
            for session in self.sessions
            if session.offset > self.place and session.stand.resume == self.place
        ]
        return passing[-1] if passing else None

    def following_session(self):
        """Rule 3."""
        place = align(self.place, self.store.geometry.granule)
        session = self.store.open_session(self.page, place)
        return session if session is not None and session.stand.resume == self.place else None

    def following_records(self):
        """Rule 4: the next record, or all of a transaction, which counts whole or not at all."""
        record = self.record_at(self.place)
        if record is None:
            self.closed = self.place
            return []
        if record.header.kind in STAGED_KINDS:
            return self.transaction()
        if record.header.kind == COMMIT:
            raise inconsistent(f"page {self.page.index} at {self.place}: a Commit record behind no staged record")
        return [record]

    def transaction(self):
        """The staged records from here on with the Commit right behind them; nothing if there is none."""
        records, place = [], self.place
        while (record := self.record_at(place)) is not None:
            records.append(record)
            if record.header.kind not in STAGED_KINDS:
                break
            place += self.store.size(record.header)
        if record is None:
            self.closed = place
            return []
        if record.header.kind != COMMIT:
            return []
        self.check_commit(record, records[:-1])
        return records

    def check_commit(self, commit, staged):
        """The Commit names the page's generation, the offset of the first staged record and their number."""
        named = struct.unpack_from("<III", commit.plaintext)
        if named != (self.page.generation, staged[0].offset, len(staged)):
            raise inconsistent(
                f"page {self.page.index} at {commit.offset}: a Commit record of other records than those before it"
            )

    def record_at(self, place):
        """The record that is accepted at a place, be it one of the three kinds that do not open and are no error."""
        header = self.plausible_header(place)
        if header is None or self.store.has_salt_from_before_keys(self.page, place, header.salt_place):
            return None
        plaintext = self.plaintext_of(place, header)
        if plaintext is None and not self.may_stay_closed(place, header):
            return None
        address = self.store.address(self.page.index, place)
        return Record(self.page.generation, place, address, header, plaintext)

    def plausible_header(self, place):
        """The header of a record that fits the page, ends no later than the log, and names the salt in force."""
        header = header_at(self.page.data, place)
        end = self.store.geometry.page if self.following is None else self.following.stand.resume
        if header is None or place + self.store.size(header) > end:
            return None
        return header if header.salt_place == self.salt_place else None

    def plaintext_of(self, place, header):
        if self.store.is_dead(self.page, place, header):
            return None
        return self.store.open_log_record(self.page, place, header, self.salt)

    def may_stay_closed(self, place, header):
        store, page = self.store, self.page
        if store.is_dead(page, place, header) or store.is_overwritten(page, place, header):
            return True
        return store.may_be_overwritten(header) and store.address(page.index, place) in self.tolerated

    def accept(self, record):
        self.page.records.append(record)
        self.message += struct.pack("<I", record.offset) + record.header.packed()
        self.place = record.offset + self.store.size(record.header)

    def accept_session(self, session):
        self.check_resume(self.last_resume, session)
        self.last_resume = session.stand.resume
        self.check_digest(session)
        address = self.store.address(self.page.index, session.offset)
        record = Record(
            self.page.generation, session.offset, address, session.header, session.plaintext, session.stand
        )
        self.accept(record)
        self.message += session.salt
        self.salt, self.salt_place = session.salt, session.header.salt_place

    def check_digest(self, session):
        if self.page.places.get(session.stand.resume) != session.stand.digest:
            raise damage(f"page {self.page.index} is not what a Session record at {session.offset} vouches for")

    def check_sessions(self):
        """The digest in each Session record must match, also in one that a later one passed over."""
        for session in self.sessions:
            self.check_digest(session)

    def check_filled(self):
        """What was written before the Page record counts with it (section 7): the log must not end before *filled*."""
        filled = self.page.stand.filled
        if filled and filled not in self.page.places:
            raise damage(f"page {self.page.index} was filled up to {filled}, and the log does not go there")

    def end_of_head(self):
        """Rule 5: the log ends here if only interrupted writes left what follows."""
        where = f"page {self.page.index} at {self.place}"
        if self.following is not None:
            raise damage(f"{where}: no record, and the log should go on")
        if not self.only_interrupted_writes() or self.anything_opens():
            raise damage(f"{where}: no record, and not what an interrupted write leaves")
        self.incomplete = not is_blank(self.page.data[self.place :])
        self.page.end = self.place

    def only_interrupted_writes(self):
        """Whether all from here on is blank but for one interrupted write and incomplete Session records."""
        return any(self.is_blank_but_for(attempt) for attempt in self.attempts())

    def is_blank_but_for(self, attempt):
        rest = bytearray(self.page.data)
        for begin, length in (attempt, *self.incomplete_sessions()):
            end = min(begin + length, len(rest))
            rest[begin:end] = b"\xff" * (end - begin)
        return is_blank(rest[self.place :])

    def attempts(self):
        """What one interrupted write may have left, each as place and length."""
        # A record at the end of the log, or the Session record of rule 3, which stands at a multiple of G.
        for place in (self.place, align(self.place, self.store.geometry.granule)):
            yield place, self.incomplete_length(place)
        # A transaction: staged records, and one incomplete record behind them.
        place = self.place
        while (length := self.staged_length(place)) is not None:
            place += length
        yield self.place, place - self.place + self.incomplete_length(place)

    def staged_length(self, place):
        """The length of a staged record that names the salt in force, or None.

        It need not open: its class may have been erased after the transaction was interrupted.
        """
        header = self.plausible_header(place)
        staged = header is not None and header.kind in STAGED_KINDS and self.store.is_class_record(header)
        return self.store.size(header) if staged else None

    def incomplete_sessions(self):
        """Where incomplete Session records may stand, and how long they are."""
        geometry, size = self.store.geometry, self.store.stand_size
        for place in range(align(self.place + 1, geometry.skip), geometry.page - size + 1, geometry.skip):
            if self.is_behind_a_blank_unit(place):
                yield place, size

    def incomplete_length(self, place):
        """As long as its header says, or one unit."""
        header = header_at(self.page.data, place)
        return self.store.size(header) if header is not None else self.store.geometry.unit

    def is_behind_a_blank_unit(self, place):
        """Section 5, rule 5: what was written in one go has no blank unit before its next record."""
        return is_blank(self.page.data[place - self.store.geometry.unit : place])

    def anything_opens(self):
        """What an interrupted write left is incomplete: a record that opens in it shows that more was lost."""
        places = range(self.place, self.store.geometry.page, self.store.geometry.unit)
        return any(self.opens_behind(place) for place in places)

    def opens_behind(self, place):
        """Whether a record opens here, be it under the salt of a Session record which itself does not open."""
        if self.store.open_session(self.page, place) is not None:
            return True
        header = header_at(self.page.data, place)
        if header is None or self.store.has_salt_from_before_keys(self.page, place, header.salt_place):
            return False
        session = header.salt_place * self.store.geometry.granule
        if header.salt_place == self.salt_place:
            # What a transaction without its Commit staged may open, and counts for nothing.
            if header.kind in STAGED_KINDS:
                return False
            salt = self.salt
        elif self.place <= session < place:
            salt = salt_at(self.page.data, session)
        else:
            return False
        return self.store.open_log_record(self.page, place, header, salt) is not None


# ---------------------------------------------------------------------------------------------------------------
# Section 5: reading the log


class LogReader:
    def __init__(self, image, store, notes):
        self.image, self.store, self.notes = image, store, notes
        self.pages = []
        self.tail = None
        self.cut_short = []

    def read(self):
        """The accepted pages from the tail to the head; none in a store that nothing was written to."""
        opened = self.open_pages()
        if opened:
            head = self.read_head(opened[max(opened)])
            self.tail = self.tail_of(head)
            self.read_older(opened, head)
            self.check_nothing_lost(head)
        else:
            self.check_nothing_written()
        self.note_ignored(opened)
        return self.pages

    def check_nothing_written(self):
        """Where no page ever counted, a cut leaves no more than an incomplete Page record in the first log page."""
        size, index = self.store.geometry.page, self.store.geometry.home(self.store.ring.first)
        begin = index * size + self.store.geometry.first + self.store.stand_size
        if not is_blank(self.image[begin : (index + 1) * size]):
            raise damage("no Page record opens, and records stand behind one")

    def check_nothing_lost(self, head):
        """Section 5: of a head whose Page record does not open nothing is known, unless something stands behind it.

        Copies may stand there without a Page record (section 7), and nothing else.
        """
        store, generation = self.store, self.store.ring.after(head.generation)
        index = store.geometry.home(generation)
        data = self.image[index * store.geometry.page :][: store.geometry.page]
        page = LogPage(index, generation, data, salt_at(data, store.geometry.first), None)
        for place in range(store.geometry.first + store.stand_size, len(data), store.geometry.unit):
            if store.open_session(page, place) is not None or self.is_more_than_a_copy(page, place):
                raise damage(f"page {index} has no Page record that opens, and records stand behind it")

    def is_more_than_a_copy(self, page, place):
        header = header_at(page.data, place)
        if header is None or header.salt_place or header.kind in (VALUE, FIXED):
            return False
        return self.store.open_log_record(page, place, header, page.salt) is not None

    def open_pages(self):
        """The pages whose Page record opens, by generation; each must be where it belongs.

        What stands on a page that is left out is nothing.
        """
        opened, key_end = {}, self.store.key_page.end[0]
        for index in self.store.ring.pages:
            page = self.store.open_page(self.image, index)
            if page is None:
                continue
            if page.generation > key_end and page.stand.key_version < self.store.key_page.version:
                continue
            if self.store.geometry.home(page.generation) != index:
                raise damage(f"page {index} holds generation {page.generation}, which does not belong there")
            opened[page.generation] = page
        return opened

    def read_head(self, page):
        """The head, with the record whose overwriting was cut short if it lies in the head itself.

        Which record that is only the last record of the log says, behind it. So where the log stops, a second reading
        takes the record there for the one cut short, and counts if the last record confirms it.
        """
        first = PageReader(self.store, page, None)
        try:
            failure = None
            first.read()
        except NotTrusted as reason:
            failure = reason
        head = self.reread_head(page, first) if failure or first.incomplete else None
        if head is not None:
            return head
        if failure:
            raise failure
        if first.incomplete:
            self.notes.append(f"page {page.index}: the log ends at {page.end} before what an interrupted write left")
        return page

    def reread_head(self, page, first):
        if first.closed is None:
            return None
        address = self.store.address(page.index, first.closed)
        second = LogPage(page.index, page.generation, page.data, page.salt, page.stand)
        reader = PageReader(self.store, second, None, {address})
        try:
            reader.read()
        except NotTrusted:
            return None
        if address not in self.superseded_by_last(second):
            return None
        self.note_cut_short(address)
        if reader.incomplete:
            self.notes.append(f"page {page.index}: the log ends at {second.end} before what an interrupted write left")
        return second

    def note_cut_short(self, address):
        self.cut_short.append(address)
        self.notes.append(f"the overwriting of the record at {address * 4:#08x} is not finished")

    def superseded_by_last(self, head):
        """The addresses that the last record of the log, or each record of the last transaction, calls *previous*."""
        if not self.store.overwritable or not head.records:
            return set()
        last = head.records[-1:]
        if last[0].header.kind == COMMIT:
            number = struct.unpack_from("<8xI", last[0].plaintext)[0]
            last = head.records[-1 - number : -1]
        opened = [record for record in last if record.header.kind in CLASS_KINDS and record.plaintext is not None]
        return {previous_of(record) for record in opened} - {NOTHING}

    def tail_of(self, head):
        """Start with the tail in the head's Page record and raise it by the Retire records in the head page."""
        return follow_tail(head, head.stand.tail)

    def read_older(self, opened, head):
        """All pages from the tail to the head, each vouched for by the Page record of the one after it."""
        ring = self.store.ring
        if not ring.occurs(self.tail):
            raise inconsistent("the tail is on a page that is left out")
        if head.generation - self.tail >= len(self.store.geometry.log_pages):
            raise inconsistent("the log is longer than the medium")
        tolerated = self.superseded_by_last(head)
        pages = [head]
        while pages[-1].generation > self.tail:
            generation = ring.before(pages[-1].generation)
            page = opened.get(generation)
            if page is None:
                raise damage(f"the page of generation {generation} is missing")
            PageReader(self.store, page, pages[-1], tolerated).read()
            self.note_closed(page)
            check_vouched(page, pages[-1])
            pages.append(page)
        if len(pages) >= len(ring.pages):
            raise inconsistent("no page is free")
        self.pages = pages[::-1]
        check_first(self.pages[0])
        check_tails(self.pages)
        self.check_marks()

    def note_closed(self, page):
        """Of all that the last transaction superseded, one record may not open: they are overwritten in turn."""
        for record in page.records:
            need_not_open = self.store.is_dead(page, record.offset, record.header) or self.store.is_overwritten(
                page, record.offset, record.header
            )
            if record.plaintext is None and not need_not_open:
                self.note_cut_short(record.address)
        if len(self.cut_short) > 1:
            raise damage("the overwriting of more than one record was cut short")

    def check_marks(self):
        """Section 1: a page without a good mark was not completely erased."""
        for page in self.pages:
            if erases_of(page.data, self.store.geometry.unit) is None:
                raise damage(f"page {page.index} has no good erase mark")

    def note_ignored(self, opened):
        """Pages that count for nothing and are not blank: a cut, or damage that looks like one."""
        live = {page.index for page in self.pages}
        size, first = self.store.geometry.page, self.store.geometry.first
        old = {page.index for page in opened.values()}
        for index in self.store.ring.pages:
            if index in live or is_blank(self.image[index * size + first : (index + 1) * size]):
                continue
            what = "is older than the tail" if index in old else "has no Page record that opens"
            self.notes.append(f"page {index} is not blank and {what}; it counts for nothing")


def follow_tail(page, tail):
    """The tail behind a page; it never falls, and a Session record repeats it."""
    for record in page.records:
        if record.header.kind == RETIRE:
            retired = struct.unpack_from("<I", record.plaintext)[0]
            if not tail < retired <= page.generation:
                raise inconsistent(f"a Retire record in page {page.index} names generation {retired}")
            tail = retired
        elif record.stand is not None and record.stand.tail != tail:
            raise inconsistent(f"a Session record in page {page.index} names another tail")
    return tail


def check_tails(pages):
    """The tail never falls from one page to the next."""
    tail = 0
    for page in pages:
        if page.stand.tail < tail:
            raise inconsistent(f"the tail falls in page {page.index}")
        tail = follow_tail(page, page.stand.tail)


def check_vouched(page, following):
    """Each Page record carries the digest of the page before."""
    if page.places[page.end] != following.stand.digest:
        raise damage(f"page {page.index} is not what the page after it vouches for")


def check_first(page):
    """The Page record of generation 1 has no page before it."""
    if page.generation == 1 and (page.stand.resume or not is_zero(page.stand.digest)):
        raise inconsistent("the first page speaks of a page before it")


# ---------------------------------------------------------------------------------------------------------------
# Sections 5 and 6: what the log and the key page say of each other, and what is live


def check_key_page(store, pages):
    """Whether the log goes on from where the key page says that it ended; answers whether it ends there still."""
    key_page = store.key_page
    if not pages:
        check_empty_log(store)
        return True
    check_key_page_digest(store, pages)
    ends_there = key_page.end == (pages[-1].generation, pages[-1].end)
    check_key_version(key_page, last_stand(pages), ends_there)
    return ends_there


def check_empty_log(store):
    """No page of the log opens: right after format only, whose key page names the place behind the first Page record."""
    begin = store.ring.first, store.geometry.first + store.stand_size
    if store.key_page.version != 1 or store.key_page.end != begin:
        raise damage("the key page speaks of a log, and no page of it opens")


def check_key_page_digest(store, pages):
    """The log went through the place that the key page names, with the same digest, unless that page is dead."""
    generation, offset = store.key_page.end
    if generation > pages[-1].generation:
        raise damage("the log ends before the place where the key page was written")
    if generation < pages[0].generation:
        return
    page = next((page for page in pages if page.generation == generation), None)
    if page is None:
        raise damage("the log ended on a page that is left out when the key page was written")
    if page.places.get(offset) != store.key_page.digest:
        raise damage(f"page {page.index} is not what the key page vouches for")


def last_stand(pages):
    """The last Page or Session record of the log."""
    stands = [record.stand for record in pages[-1].records if record.stand is not None]
    return stands[-1] if stands else pages[-1].stand


def check_key_version(key_page, stand, ends_there):
    if stand.key_version == key_page.version:
        if stand.key_salt != key_page.salt[:4]:
            raise damage("the log was written under another key page of the same version")
    elif stand.key_version > key_page.version:
        raise damage("the log was written under a newer key page")
    elif not ends_there:
        raise damage("the log went on under an older key page")


def parse_value(store, plaintext):
    """Name and value in the plaintext of a record with a value."""
    rest = plaintext[LINK_LENGTH:] if store.overwritable else plaintext
    name_length, zeros = rest[0] & 0x3F, rest[0] >> 6
    end = len(rest) - zeros
    if 1 + name_length > end or not is_zero(rest[end:]):
        raise inconsistent("a value that contradicts its first byte")
    return rest[1 : 1 + name_length], rest[1 + name_length : end]


def previous_of(record):
    """What a Removal, or on overwritable media a record with a value, calls *previous*."""
    return struct.unpack_from("<I", record.plaintext)[0]


class LiveItems:
    """The newest of each name in each slot that was not removed."""

    def __init__(self, store):
        self.store = store
        self.items, self.owners = {}, {}
        self.end_transaction()

    def end_transaction(self):
        """`changed` is what the transaction has changed so far, `replaced` whose records that were live before it."""
        self.changed, self.replaced = set(), {}

    def take(self, record):
        if record.header.kind == COMMIT:
            self.end_transaction()
        if record.plaintext is None or record.header.kind not in CLASS_KINDS:
            return
        if record.header.kind in STAGED_KINDS:
            self.check_only_change(record)
        if record.header.kind in REMOVAL_KINDS:
            self.remove(record)
        else:
            self.put(record)

    def check_only_change(self, record):
        """Section 4: no two records of a transaction are of one item."""
        if record.header.kind == STAGED_REMOVAL:
            previous = previous_of(record)
            # What was live is overwritten by now, where it can be, and then known by its address only.
            item = self.owners.get(previous) or self.replaced.get(previous) or previous
        else:
            item = record.header.slot, parse_value(self.store, record.plaintext)[0]
        if item in self.changed:
            raise inconsistent("two records of one transaction are of the same item")
        self.changed.add(item)

    def put(self, record):
        name, value = parse_value(self.store, record.plaintext)
        owner = record.header.slot, name
        if owner in self.items:
            self.disown(self.items[owner].address)
        self.items[owner] = Item(record.address, value)
        self.owners[record.address] = owner

    def disown(self, address):
        owner = self.owners.pop(address, None)
        if owner is not None:
            self.replaced[address] = owner
        return owner

    def remove(self, removal):
        """A Removal takes away the record it calls *previous*; that may have been erased long ago."""
        owner = self.disown(previous_of(removal))
        if owner is None:
            return
        if owner[0] != removal.header.slot:
            raise inconsistent("a Removal record takes away what belongs to another class")
        del self.items[owner]


def live_items(store, pages):
    live = LiveItems(store)
    for page in pages:
        for record in page.records:
            live.take(record)
    return live.items


def stated_sum(record):
    """The live sum that a record on overwritable media carries."""
    if record.stand is not None:
        return record.stand.live_sum
    # A link, a Removal, an Anchor and a Retire all begin with four other bytes, a Commit with twelve.
    return struct.unpack_from("<I", record.plaintext, 12 if record.header.kind == COMMIT else 4)[0]


def last_live_sum(pages):
    opened = [record for record in pages[-1].records if record.plaintext is not None]
    return stated_sum(opened[-1]) if opened else pages[-1].stand.live_sum


def check_live_sum(store, pages, items, ends_at_key_page):
    """Section 5, on overwritable media: an item that was overwritten, or was not, changes the sum."""
    if not store.overwritable:
        return
    expected = store.key_page.live_sum if ends_at_key_page else last_live_sum(pages)
    if store.live_sum(item.address for item in items.values()) != expected:
        raise damage("the live sum does not match: an item is missing, or one too many is there")


def check_superseded(store, pages):
    """Section 5: behind a record that was overwritten stands the one that superseded it, which came first."""
    bare = None
    for page in pages:
        for record in page.records:
            if record.plaintext is not None:
                # Of a class, or of kinds 2, 8, 11, 12: no other kind stands behind a Page record.
                bare = None
            elif store.is_overwritten(page, record.offset, record.header):
                bare = page.generation, record.offset
    if bare is not None and store.key_page.end <= bare:
        raise damage("a record was overwritten, and the one that superseded it is missing")


def check_stated_sums(store, pages):
    """Section 4: what the records of a transaction say of the live sum, and that it is 0 on write-once media."""
    for page in pages:
        # The live sum before the record at hand, None where that is not known.
        known = page.stand.live_sum
        for record in page.records:
            if record.plaintext is None:
                known = None
            elif store.overwritable:
                known = follow_sum(store, record, known)
            elif record.header.kind not in (*VALUE_KINDS, INDEX, CHECKPOINT) and stated_sum(record):
                raise inconsistent(f"a record in page {page.index} states a live sum on write-once media")


def follow_sum(store, record, known):
    """The live sum that a record states; in a transaction it follows from the one before."""
    stated, kind = stated_sum(record), record.header.kind
    if known is None or (kind not in STAGED_KINDS and kind != COMMIT):
        return stated
    if kind in STAGED_KINDS and previous_of(record) != NOTHING:
        known -= store.live_tag(previous_of(record))
    if kind in STAGED_KINDS and kind in VALUE_KINDS:
        known += store.live_tag(record.address)
    if known & MASK_32 != stated:
        raise inconsistent(f"a record of a transaction in page generation {record.page} states another live sum")
    return stated


# ---------------------------------------------------------------------------------------------------------------
# Section 12: checkpoints


def check_checkpoints(store, pages):
    """What a checkpoint lists is what was live where it stands."""
    live, places, listed = LiveItems(store), {}, []
    keeps_none = store.overwritable or not store.key_page.clear.data[11] & CHECKPOINTS
    for page in pages:
        check_named_checkpoint(page.stand, keeps_none, places)
        for record in page.records:
            kind = record.header.kind
            if record.stand is not None:
                check_named_checkpoint(record.stand, keeps_none, places)
            if kind in (INDEX, CHECKPOINT, ALIKE, STAGED_ALIKE) and keeps_none:
                raise damage("a checkpoint in a store that keeps none")
            if kind == INDEX:
                listed.append((page.generation, record))
            elif kind == CHECKPOINT:
                compare_checkpoint(store, record, listed, live, places)
            if kind not in (INDEX, SESSION):
                listed = []
            places[record.address] = page, record
            live.take(record)


def check_named_checkpoint(stand, keeps_none, places):
    """A Page or Session record names a Checkpoint record before it, if that is still there."""
    if stand.checkpoint == NOTHING:
        return
    if keeps_none:
        raise inconsistent("a record of a store that keeps none speaks of a checkpoint")
    named = places.get(stand.checkpoint)
    if named is not None and named[1].header.kind != CHECKPOINT:
        raise inconsistent("a record names as a checkpoint what is none")


def compare_checkpoint(store, checkpoint, listed, live, places):
    generation, offset, records, entries, live_sum = struct.unpack_from("<5I", checkpoint.plaintext)
    listed = [record for where, record in listed if (generation, offset) <= (where, record.offset)]
    if any(record.plaintext is None for record in listed):
        # A class was erased since, and its list went with it.
        return
    groups = [(record.header.slot, group) for record in listed for group in groups_of(store, record)]
    found = [address for _, (_, entries_of) in groups for address, _ in entries_of]
    if (len(listed), len(found)) != (records, entries) or store.live_sum(found) != live_sum:
        raise damage("a checkpoint counts other records than stand before it")
    for slot, (check, entries_of) in groups:
        if all(address in places for address, _ in entries_of):
            compare_group(store, slot, check, entries_of, live, places)
        # Otherwise on a page that is gone: moved, changed or removed since.
    if not set(live.owners) <= set(found):
        raise damage("a checkpoint does not list all that was live")


def groups_of(store, record):
    """The groups of an Index record: check, and address and name fingerprint of each entry."""
    page_length = store.geometry.page
    entry_length = 4 if page_length <= LONGEST_PAGE_OF_SHORT_ENTRIES else 8
    at, end = 0, record.header.length
    while at < end:
        if end - at < GROUP_LENGTH:
            raise damage("a list ends within a group")
        page, number, check = struct.unpack_from("<HHI", record.plaintext, at)
        at += GROUP_LENGTH
        if number == 0 or end - at < number * entry_length:
            raise damage("a list ends within a group")
        entries = []
        for _ in range(number):
            entry = int.from_bytes(record.plaintext[at : at + entry_length], "little")
            at += entry_length
            entries.append((page * page_length // 4 + (entry >> 21), entry & 0x1FFFFF))
        yield check, entries


def compare_group(store, slot, check, entries, live, places):
    salted = b""
    for address, name_print in entries:
        page, record = places[address]
        owner_slot, name = live.owners.get(address, (NO_SLOT, b""))
        wanted = siphash_2_4(store.name, bytes([slot]) + name) & 0x1FFFFF
        if owner_slot != slot or name_print != wanted:
            raise damage("a checkpoint lists what was not live")
        salted += told_by(store, page, record)
    if siphash_2_4(store.structure, salted) & MASK_32 != check:
        raise damage("a checkpoint lists records of another history")


def told_by(store, page, record):
    """What tells a record from one that another history of the store has at its place."""
    place = record.header.salt_place
    salt = salt_at(page.data, place * store.geometry.granule if place else store.geometry.first)
    return struct.pack("<I", record.address) + record.header.packed() + salt


# ---------------------------------------------------------------------------------------------------------------
# Section 9: the counter


class StatedCounter:
    """Follows the values of the counter that are stated along the log."""

    def __init__(self):
        self.value, self.key_version = None, None

    def state(self, value):
        if self.value is not None and value < self.value:
            raise inconsistent("the value of the counter falls")
        self.value = value

    def key_page(self, key_page):
        """A key page may be where it begins; what follows repeats its value, unless that is in pages that are gone."""
        self.state(key_page.counter)
        if self.key_version is not None:
            self.key_version = key_page.version

    def repeat(self, stand):
        """A Page or Session record repeats the value stated last, be it by a key page of which nothing is left."""
        known = self.value is not None and stand.key_version == self.key_version
        if known and stand.counter > self.value:
            raise inconsistent("a Page or Session record states a value of the counter that nothing stated before it")
        self.state(stand.counter)
        self.key_version = stand.key_version

    def anchor(self, record):
        value = struct.unpack_from("<I", record.plaintext)[0]
        if not self.value or value != self.value + 1:
            raise inconsistent("an Anchor record does not state one more than the value before")
        self.state(value)


def last_stated_counter(key_page, pages):
    """The value that the store stated last, 0 if it is held against no counter."""
    counter, told = StatedCounter(), False
    for page in pages:
        for place, record in [(0, None), *((record.offset, record) for record in page.records)]:
            if not told and key_page.end <= (page.generation, place):
                counter.key_page(key_page)
                told = True
            stand = page.stand if record is None else record.stand
            if stand is not None:
                counter.repeat(stand)
            elif record.header.kind == ANCHOR:
                counter.anchor(record)
    if not told:
        counter.key_page(key_page)
    return counter.value


def compare_counter(stated, value, notes):
    """The table of section 9."""
    if not stated:
        notes.append("the store is held against no counter")
    elif value > stated:
        raise damage(f"the counter stands at {value}, the store states {stated}: the flash was set back")
    elif value == stated - 1:
        notes.append(f"the counter stands at {value}, the store states {stated}: a device would move it")
    elif value < stated:
        raise NotTrusted("counter", f"it stands at {value}, the store states {stated}: another counter, or reset")


# ---------------------------------------------------------------------------------------------------------------
# The whole image


@dataclass(frozen=True)
class Contents:
    """The live items as (class, name, value), sorted, and the value of the counter stated last, 0 without one."""

    items: list
    counter: int


def check_current_mark(image, key_page):
    begin = key_page.index * key_page.clear.geometry.page
    if erases_of(image[begin : begin + MARK_LENGTH + max(UNITS)], key_page.clear.geometry.unit) is None:
        raise damage(f"key page {key_page.index} has no good erase mark")


def read_image(image, root_key, label, notes=None):
    """What is in the image; raises NotTrusted. What is odd and allowed goes to `notes`."""
    notes = [] if notes is None else notes
    key_page = current_key_page(image, root_key, label, notes)
    check_current_mark(image, key_page)
    store = Store(key_page, label)
    pages = LogReader(image, store, notes).read()
    ends_at_key_page = check_key_page(store, pages)
    check_superseded(store, pages)
    check_stated_sums(store, pages)
    items = live_items(store, pages)
    check_checkpoints(store, pages)
    check_live_sum(store, pages, items, ends_at_key_page)
    return Contents(sorted_items(store, items), last_stated_counter(key_page, pages))


def sorted_items(store, items):
    def order(entry):
        (slot, name), _ = entry
        key = store.classes[slot]
        return key.kind, key.user, name

    return [
        (store.classes[slot].name(), decode_name(name), item.value)
        for (slot, name), item in sorted(items.items(), key=order)
    ]


def decode_name(name):
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        raise inconsistent("a name is not UTF-8") from None


def printable(name):
    """A name must not look like two fields or two lines."""
    return "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in name)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="Print what is live in an image of a sealed store.")
    parser.add_argument("image")
    parser.add_argument("--root-key", required=True, type=root_key_argument, help="64 hexadecimal digits")
    parser.add_argument("--label", required=True, type=label_argument, help="the partition label")
    parser.add_argument("--counter", type=int, help="where the counter stands that the store is held against")
    return parser.parse_args(arguments)


def root_key_argument(text):
    key = bytes.fromhex(text)
    if len(key) != 32:
        raise ValueError("a root key has 32 bytes")
    return key


def label_argument(text):
    label = text.encode("utf-8")
    if len(label) > 255:
        raise ValueError("the length of a label is one byte")
    return label


def main(arguments=None):
    options = parse_arguments(arguments)
    notes = []
    try:
        with open(options.image, "rb") as file:
            contents = read_image(file.read(), options.root_key, options.label, notes)
        if options.counter is not None:
            compare_counter(contents.counter, options.counter, notes)
    except (NotTrusted, OSError) as reason:
        print(f"{options.image}: {reason}", file=sys.stderr)
        return 1
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if contents.counter:
        print(f"counter: {contents.counter} stated last", file=sys.stderr)
    for owner, name, value in contents.items:
        print(owner, printable(name), value.hex(), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
