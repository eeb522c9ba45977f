"""Tests of the reader: published vectors, the committed images, damaged images, and images made here for the rules
of section 5 and 6 that the committed images do not exercise.

The images made here show that the reader follows the document as its author understood it, not that the document is
right; only the committed images tie the two to each other.
"""

import contextlib
import io
import os
import pathlib
import struct
import tempfile
import unittest

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import reader

IMAGES = pathlib.Path(__file__).resolve().parent.parent / "vectors" / "images"


def expected_of(path):
    """Root key, label and contents of the text beside an image: settings have two fields, items three."""
    lines = [line.split("\t") for line in path.with_suffix(".txt").read_text("utf-8").splitlines()]
    settings = dict(line for line in lines if len(line) == 2)
    items = [(line[0], line[1], bytes.fromhex(line[2])) for line in lines if len(line) == 3]
    contents = reader.Contents(items, int(settings.get("counter", "0")))
    return bytes.fromhex(settings["root key"]), settings["label"].encode(), contents


def committed_images():
    return sorted(IMAGES.glob("v1-*.bin"))


def outcome(image, root_key, label):
    """What reading answers, and the notes."""
    notes = []
    try:
        return reader.read_image(bytes(image), root_key, label, notes), notes
    except reader.NotTrusted as reason:
        return reason, notes


def flipped(image, bit):
    changed = bytearray(image)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class PublishedVectors(unittest.TestCase):
    def test_siphash_2_4_of_its_paper(self):
        """Aumasson and Bernstein, "SipHash: a fast short-input PRF", appendix A."""
        self.assertEqual(reader.siphash_2_4(bytes(range(16)), bytes(range(15))), 0xA129CA6149BE45E5)

    def test_hchacha20_of_the_draft(self):
        """draft-irtf-cfrg-xchacha, section 2.2.1."""
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
        self.assertEqual(reader.hchacha20(bytes(range(32)), nonce).hex(), expected)

    def test_xchacha20_poly1305_of_the_draft(self):
        """draft-irtf-cfrg-xchacha, appendix A.3.1."""
        sealed = bytes.fromhex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
            "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
            "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
            "21f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49"
        )
        nonce, associated = bytes(range(0x40, 0x58)), bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        plaintext = reader.xchacha20_poly1305_open(bytes(range(0x80, 0xA0)), nonce, sealed, associated)
        self.assertEqual(
            plaintext,
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            b"sunscreen would be it.",
        )

    def test_the_info_string_of_section_2(self):
        context = reader.Context(bytes(range(16)), b"test")
        info = context.info(b"class-seal", bytes([2]) + struct.pack("<I", 1))
        expected = "627964657369676e2f76312f636c6173732d7365616c00000102030405060708090a0b0c0d0e0f04746573740201000000"
        self.assertEqual(info.hex(), expected)


class CommittedImages(unittest.TestCase):
    def test_there_are_images(self):
        self.assertGreaterEqual(len(committed_images()), 4)

    def test_every_image_holds_what_its_text_says(self):
        for path in committed_images():
            with self.subTest(path.name):
                root_key, label, contents = expected_of(path)
                self.assertEqual(reader.read_image(path.read_bytes(), root_key, label), contents)

    def test_what_a_cut_left_in_an_image_is_reported(self):
        expected = {
            "aged": "interrupted write",
            "staged": "interrupted write",
            # Behind the key page's end of the log, where it stays until something is written.
            "erased": "interrupted write",
            "behind": "interrupted write",
            "overwriting": "overwriting",
        }
        for path in committed_images():
            with self.subTest(path.name):
                root_key, label, _ = expected_of(path)
                _, notes = outcome(path.read_bytes(), root_key, label)
                word = expected.get(path.stem.rsplit("-", 1)[1])
                self.assertEqual(len(notes), 0 if word is None else 1)
                self.assertTrue(word is None or word in notes[0])

    def test_the_images_hold_what_this_reader_is_to_be_tried_on(self):
        """Transactions with every kind of staged record, and Anchors."""
        for path in committed_images():
            with self.subTest(path.name):
                kinds = kinds_in(path)
                if path.stem.endswith(("transactions", "overwriting", "anchored")):
                    self.assertTrue({reader.STAGED_VALUE, reader.STAGED_REMOVAL, reader.COMMIT} <= kinds)
                if path.stem.endswith(("transactions", "overwriting")):
                    self.assertIn(reader.STAGED_FIXED, kinds)
                self.assertEqual(reader.ANCHOR in kinds, path.stem.endswith("anchored"))

    def test_the_command_prints_the_lines_of_the_text(self):
        for path in committed_images():
            with self.subTest(path.name):
                status, output, _ = run_command(path)
                self.assertEqual(status, 0)
                lines = path.with_suffix(".txt").read_text("utf-8").splitlines(keepends=True)
                self.assertEqual(output, "".join(line for line in lines if line.count("\t") == 2))

    def test_the_command_says_what_the_store_states_of_a_counter(self):
        for path in committed_images():
            with self.subTest(path.name):
                _, _, contents = expected_of(path)
                _, _, errors = run_command(path)
                self.assertEqual(f"counter: {contents.counter} stated last\n" in errors, contents.counter > 0)

    def test_the_command_compares_the_counter(self):
        """The table of section 9."""
        path = IMAGES / "v1-write-once-8-anchored.bin"
        stated = expected_of(path)[2].counter
        for value, status, word in (
            (stated, 0, "counter: "),
            (stated - 1, 0, "note: the counter"),
            (stated - 2, 1, "counter: it stands"),
            (0, 1, "counter: it stands"),
            (stated + 1, 1, "damage: "),
        ):
            with self.subTest(value=value):
                answer, output, errors = run_command(path, counter=value)
                self.assertEqual((answer, output == ""), (status, status == 1))
                self.assertIn(word, errors)
        answer, _, errors = run_command(IMAGES / "v1-write-once-8.bin", counter=7)
        self.assertEqual(answer, 0)
        self.assertIn("note: the store is held against no counter", errors)

    def test_another_root_key_or_label_is_refused(self):
        for path in committed_images():
            root_key, label, _ = expected_of(path)
            for key, name in ((flipped(root_key, 0), label), (root_key, label + b"x")):
                with self.subTest(path.name, label=name):
                    answer, _ = outcome(path.read_bytes(), key, name)
                    self.assertEqual(answer.kind, "key")

    def test_the_command_refuses_another_root_key(self):
        status, output, errors = run_command(committed_images()[0], root_key="00" * 32)
        self.assertEqual((status, output), (1, ""))
        self.assertIn("another root key", errors)


def kinds_in(path):
    """The kinds of the records in the accepted log of an image."""
    image = path.read_bytes()
    root_key, label, _ = expected_of(path)
    store = reader.Store(reader.current_key_page(image, root_key, label, []), label)
    return {record.header.kind for page in reader.LogReader(image, store, []).read() for record in page.records}


def run_command(path, root_key=None, counter=None):
    key, label, _ = expected_of(path)
    output, errors = io.StringIO(), io.StringIO()
    arguments = [str(path), "--root-key", root_key or key.hex(), "--label", label.decode()]
    arguments += [] if counter is None else ["--counter", str(counter)]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = reader.main(arguments)
    return status, output.getvalue(), errors.getvalue()


class DamagedImages(unittest.TestCase):
    def setUp(self):
        self.images = [(path, path.read_bytes(), *expected_of(path)) for path in committed_images()]

    def test_a_flipped_bit_never_changes_the_contents_silently(self):
        """Every seventh byte that is not blank, with another bit each time."""
        for path, image, root_key, label, contents in self.images:
            _, notes = outcome(image, root_key, label)
            for byte in [place for place, value in enumerate(image) if value != 0xFF][::7]:
                answer, found = outcome(flipped(image, byte * 8 + byte % 8), root_key, label)
                refused = isinstance(answer, reader.NotTrusted)
                self.assertTrue(refused or answer == contents or found != notes, f"{path.name} at {byte:#x}")

    def test_a_flipped_bit_in_a_live_record_is_refused_or_reported(self):
        for path, image, root_key, label, contents in self.images:
            live, last = live_places(image, root_key, label)
            for begin, end in live:
                for byte in (begin, begin + 3, begin + 4, begin + 13, end - 17, end - 1):
                    answer, notes = outcome(flipped(image, byte * 8 + byte % 8), root_key, label)
                    refused = isinstance(answer, reader.NotTrusted)
                    where = f"{path.name} at {byte:#x}"
                    # Damage of the very last record is not to be told from a write that was cut short.
                    self.assertTrue(refused or (begin == last and answer != contents and notes), where)

    def test_an_unformatted_or_foreign_image_is_refused(self):
        _, image, root_key, label, _ = self.images[0]
        without_name = bytearray(image)
        place = image.find(reader.MAGIC)
        without_name[place] ^= 1
        for foreign in (b"", b"\xff" * 8192, bytes(8192), bytes(range(256)) * 32, without_name):
            answer, _ = outcome(foreign, root_key, label)
            self.assertEqual(answer.kind, "unformatted")

    def test_a_newer_version_or_an_unknown_feature_is_refused(self):
        for path, image, root_key, label, _ in self.images:
            place = image.find(reader.MAGIC)
            for offset, value in ((8, 2), (8, 0xFE), (11, 0x01), (11, 0x04), (11, 0x80)):
                with self.subTest(path.name, offset=offset, value=value):
                    newer = bytearray(image)
                    newer[place + offset] = value
                    answer, _ = outcome(newer, root_key, label)
                    self.assertEqual(answer.kind, "newer")

    def test_changed_clear_bytes_are_refused(self):
        for path, image, root_key, label, _ in self.images:
            place = image.find(reader.MAGIC)
            for offset in range(reader.CLEAR_LENGTH):
                with self.subTest(path.name, offset=offset):
                    answer, _ = outcome(flipped(image, (place + offset) * 8), root_key, label)
                    self.assertIsInstance(answer, reader.NotTrusted)

    def test_a_shortened_image_is_refused(self):
        for path, image, root_key, label, _ in self.images:
            with self.subTest(path.name):
                answer, _ = outcome(image[:-4], root_key, label)
                self.assertEqual(answer.kind, "inconsistent")

    def test_a_key_page_without_its_commit_is_refused(self):
        for path, image, root_key, label, _ in self.images:
            cut = bytearray(image)
            begin = reader.current_key_page(image, root_key, label, []).index * 1024
            end = max(place for place in range(begin, begin + 1024) if image[place] != 0xFF) + 1
            cut[end - 16 : end] = b"\xff" * 16
            with self.subTest(path.name):
                answer, _ = outcome(cut, root_key, label)
                self.assertEqual(answer.kind, "damage")


FRESH = os.environ.get("BYDESIGN_FRESH_IMAGES")


@unittest.skipUnless(FRESH, "BYDESIGN_FRESH_IMAGES names no folder with images that the library has just made")
class FreshImages(unittest.TestCase):
    """Images that the library made of random histories a moment ago."""

    def setUp(self):
        paths = sorted(pathlib.Path(FRESH).glob("fresh-*.bin"))
        self.images = [(path, path.read_bytes(), *expected_of(path)) for path in paths]
        self.assertGreaterEqual(len(self.images), 4)

    def test_every_image_holds_what_its_text_says(self):
        for path, image, root_key, label, contents in self.images:
            with self.subTest(path.name):
                answer, _ = outcome(image, root_key, label)
                if isinstance(answer, reader.NotTrusted):
                    self.fail(str(answer))
                self.assertEqual(sorted(answer.items), sorted(contents.items))

    def test_a_flipped_bit_never_changes_the_contents_silently(self):
        """Every forty-first byte that is not blank, with another bit each time."""
        for path, image, root_key, label, contents in self.images:
            before, notes = outcome(image, root_key, label)
            for byte in [place for place, value in enumerate(image) if value != 0xFF][::41]:
                answer, found = outcome(flipped(image, byte * 8 + byte % 8), root_key, label)
                refused = isinstance(answer, reader.NotTrusted)
                self.assertTrue(refused or answer == before or found != notes, f"{path.name} at {byte:#x}")


def live_places(image, root_key, label):
    """Begin and end of each live record in the image, and the begin of the last record of the log."""
    key_page = reader.current_key_page(image, root_key, label, [])
    store = reader.Store(key_page, label)
    pages = reader.LogReader(image, store, []).read()
    live = {item.address * 4 for item in reader.live_items(store, pages).values()}
    records = [(record.address * 4, record.header) for page in pages for record in page.records]
    places = [(begin, begin + header.size) for begin, header in records if begin in live]
    return places, (records[-1][0] if records else None)


# ---------------------------------------------------------------------------------------------------------------
# Images made here

ROOT_KEY = bytes(range(32))
LABEL = b"forge"
STORE_KEY = b"k" * 32
STORE_ID = b"store id of 16 b"
BLANK = b"\xff"


def salt_of(purpose, number):
    return purpose.encode().ljust(4, b"-") + struct.pack("<Q", number)


class Forge:
    """Writes pages the way the document says that they look; what a cut leaves is written on purpose."""

    def __init__(self, medium=reader.WRITE_ONCE, unit=4, page=1024, pages=8, left_out=()):
        self.geometry = reader.Geometry(unit, page, pages)
        self.left_out = left_out
        self.medium = medium
        self.image = bytearray(BLANK * (page * pages))
        self.context = reader.Context(STORE_ID, LABEL)
        self.live_key = self.context.derive(b"live", 16, STORE_KEY)
        self.structure = self.context.derive(b"structure", 16, STORE_KEY)
        self.store_seal = self.context.derive(b"store-seal", 32, STORE_KEY)
        self.tail, self.version, self.sum, self.sessions, self.counter = 1, 1, 0, 0, 0
        for index in range(pages):
            self.mark(index, 2)

    @property
    def first_generation(self):
        """Section 6: that of the first page that is not left out."""
        return next(g for g in range(1, self.geometry.pages) if self.geometry.home(g) not in self.left_out)

    @property
    def first_place(self):
        return self.geometry.first + reader.align(4 + 12 + 8 + 44 + 16, self.geometry.unit)

    def mark(self, index, erases):
        mark = b"BYE1" + struct.pack("<II", erases, erases ^ 0xFFFFFFFF)
        self.put(index, 0, mark.ljust(self.geometry.first, BLANK))

    def put(self, index, offset, data):
        begin = index * self.geometry.page + offset
        self.image[begin : begin + len(data)] = data

    def erase(self, index, erases=3):
        self.put(index, self.geometry.first, BLANK * (self.geometry.page - self.geometry.first))
        self.mark(index, erases)

    def seal(self, key, kind, slot, place, plaintext, salt, offset, generation=0, class_generation=0, extra=b""):
        """A record with its padding (sections 3 and 4)."""
        header = struct.pack("<I", kind << 27 | place << 17 | slot << 11 | len(plaintext) // 4)
        associated = bytes([1, self.medium, 0, 0]) + header
        associated += struct.pack("<II", generation, class_generation) + extra
        synthetic = b"synthetc"
        nonce = salt + struct.pack("<I", offset) + synthetic
        cipher = ChaCha20Poly1305(reader.hchacha20(key, nonce[:16]))
        sealed = cipher.encrypt(bytes(4) + nonce[16:], plaintext, associated)
        record = header + (salt if kind in reader.SALT_KINDS else b"") + synthetic + sealed
        return record.ljust(reader.align(len(record), self.geometry.unit), BLANK)

    # Key pages (section 6)

    def key_page(self, index=0, version=1, end=None, digest=None, classes=(), other_erases=1, commit=True):
        """`classes` are (class, user, generation, since) in the order of their slots. Without an end, as format writes it."""
        if end is None:
            end = self.first_generation, self.first_place
            digest = self.digest_of(salt_of("page", self.first_generation))
        self.version, self.classes = version, classes
        salt = salt_of("key", version)
        clear, fields = self.clear_bytes(), self.key_fields(end, digest, other_erases)
        wrap = self.context.derive(b"wrap-seal", 32, ROOT_KEY)
        self.put(index, self.geometry.first, clear)
        offset = self.geometry.first + reader.align(len(clear), self.geometry.unit)
        for kind, slot, plaintext in self.key_records(fields, commit):
            generation, extra = (0, clear) if kind == reader.KEY_PAGE else (version, b"")
            record = self.seal(wrap, kind, slot, 0, plaintext, salt, offset, generation, extra=extra)
            self.put(index, offset, record)
            offset += len(record)

    def clear_bytes(self):
        geometry = self.geometry
        sizes = struct.pack("<BBBBII", 1, self.medium, geometry.unit, 0, geometry.page, geometry.pages)
        return reader.MAGIC + sizes + STORE_ID + bytes(4)

    def key_fields(self, end, digest, other_erases):
        listed = (*self.left_out, *[0] * (4 - len(self.left_out)))
        numbers = len(self.classes), other_erases, self.counter, *listed
        return struct.pack("<IIII8sIII4H", self.version, *end, self.live_sum(), digest, *numbers)

    def key_records(self, fields, commit):
        yield reader.KEY_PAGE, reader.NO_SLOT, fields
        yield reader.STORE_KEY, reader.NO_SLOT, STORE_KEY
        for slot, (kind, user, generation, since) in enumerate(self.classes):
            key = bytes(32) if kind == reader.FREE else self.class_key(slot, generation)
            yield reader.CLASS_KEY, slot, struct.pack("<HHIIII32s", kind, 0, user, generation, *since, key)
        if commit:
            yield reader.KEY_COMMIT, reader.NO_SLOT, struct.pack("<II", len(self.classes), self.version)

    @staticmethod
    def class_key(slot, generation):
        return bytes([slot, generation]) * 16

    def erase_class(self, slot, index, version):
        """Writes the other key page, with a new key for one slot, and erases the key page before."""
        classes = list(self.classes)
        classes[slot] = (*classes[slot][:2], classes[slot][2] + 1, (self.generation, self.offset))
        self.change_key_page(index, version, classes)

    def leave_out(self, *pages, index=1, version=2):
        """Another key page, from which the log goes on round fewer pages."""
        self.left_out = pages
        self.change_key_page(index, version, self.classes)

    def change_key_page(self, index, version, classes):
        self.key_page(index, version, (self.generation, self.offset), self.digest(), classes)
        self.erase(1 - index)

    def start_counter(self, value, index=1, version=2):
        """A key page that states the counter's next value; behind it a Session record."""
        self.counter = value
        self.change_key_page(index, version, self.classes)
        self.session()

    # The log (sections 4 and 5)

    def stand(self, resume, digest, filled=0):
        key_salt = salt_of("key", self.version)[:4]
        fields = self.generation, self.tail, self.version, key_salt, self.live_sum(), resume, digest
        return struct.pack("<III4sII8sIII", *fields, reader.NOTHING, self.counter, filled)

    def live_sum(self):
        return self.sum & 0xFFFFFFFF if self.medium == reader.OVERWRITABLE else 0

    def digest(self):
        return self.digest_of(self.message)

    def digest_of(self, message):
        return struct.pack("<Q", reader.siphash_2_4(self.structure, message))

    def log_page(self, generation, index=None):
        """Begins a page behind the one that is being written."""
        vouched = (0, bytes(8)) if generation == self.first_generation else (self.offset, self.digest())
        self.generation = generation
        self.index = self.geometry.home(generation) if index is None else index
        self.salt, self.place = salt_of("page", generation), 0
        self.message, self.offset = self.salt, self.first_place
        self.write_page_record(*vouched)

    def write_page_record(self, resume, digest, filled=0):
        plaintext = self.stand(resume, digest, filled)
        offset = self.geometry.first
        record = self.seal(self.store_seal, reader.PAGE, reader.NO_SLOT, 0, plaintext, self.salt, offset)
        self.put(self.index, offset, record)

    def session(self, offset=None, resume=None, digest=None, follow=True):
        """A Session record; without a place it follows the log (rule 3)."""
        resume = self.offset if resume is None else resume
        offset = reader.align(self.offset, self.geometry.granule) if offset is None else offset
        place = offset // self.geometry.granule
        self.sessions += 1
        salt = salt_of("run", self.sessions)
        plaintext = self.stand(resume, digest or self.digest())
        key, generation = self.store_seal, self.generation
        record = self.seal(key, reader.SESSION, reader.NO_SLOT, place, plaintext, salt, offset, generation)
        self.put(self.index, offset, record)
        if follow:
            self.salt, self.place, self.offset = salt, place, offset + len(record)
            self.message += struct.pack("<I", offset) + record[:4] + salt

    def append(self, kind, slot, plaintext, key, class_generation):
        at = self.place, plaintext, self.salt, self.offset, self.generation
        record = self.seal(key, kind, slot, *at, class_generation)
        self.put(self.index, self.offset, record)
        self.message += struct.pack("<I", self.offset) + record[:4]
        begin = self.here
        self.offset += len(record)
        return begin

    @property
    def here(self):
        return self.index * self.geometry.page + self.offset

    def seal_of(self, slot):
        generation = self.classes[slot][2]
        suffix = bytes([slot]) + struct.pack("<I", generation)
        return self.context.derive(b"class-seal", 32, self.class_key(slot, generation), suffix), generation

    def tag(self, begin):
        return reader.siphash_2_4(self.live_key, struct.pack("<I", begin // 4))

    def value(self, slot, name, value, previous=None, kind=reader.VALUE):
        """Appends an item, and answers where. The item that it supersedes is not overwritten."""
        zeros = -(1 + len(name) + len(value)) % 4
        plaintext = bytes([len(name) | zeros << 6]) + name + value + bytes(zeros)
        self.sum += self.tag(self.here) - (self.tag(previous) if previous is not None else 0)
        return self.append(kind, slot, self.link(previous) + plaintext, *self.seal_of(slot))

    def staged(self, slot, name, value, previous=None):
        return self.value(slot, name, value, previous, reader.STAGED_VALUE)

    def link(self, previous):
        if self.medium != reader.OVERWRITABLE:
            return b""
        return struct.pack("<II", reader.NOTHING if previous is None else previous // 4, self.live_sum())

    def removal(self, slot, previous, kind=reader.REMOVAL):
        self.sum -= self.tag(previous)
        plaintext = struct.pack("<II", previous // 4, self.live_sum())
        return self.append(kind, slot, plaintext, *self.seal_of(slot))

    def staged_removal(self, slot, previous):
        return self.removal(slot, previous, reader.STAGED_REMOVAL)

    def commit(self, first, number, generation=None):
        """`first` is where in the image the first staged record stands."""
        named = generation or self.generation, first % self.geometry.page, number, self.live_sum()
        return self.append_to_store(reader.COMMIT, *named)

    def anchor(self, value=None):
        self.counter = self.counter + 1 if value is None else value
        return self.append_to_store(reader.ANCHOR, self.counter, self.live_sum())

    def retire(self, tail):
        self.tail = tail
        return self.append_to_store(reader.RETIRE, tail, self.live_sum())

    def append_to_store(self, kind, *numbers):
        plaintext = struct.pack(f"<{len(numbers)}I", *numbers)
        return self.append(kind, reader.NO_SLOT, plaintext, self.store_seal, 0)

    def stand_still(self):
        """What is sealed until `go_back` is not accepted."""
        return self.offset, self.message, self.sum

    def go_back(self, before):
        self.offset, self.message, self.sum = before

    def overwrite(self, begin, length=None):
        """Zeros behind the header, all or a few (section 5)."""
        header = reader.Header(struct.unpack_from("<I", self.image, begin)[0])
        length = header.size - 4 if length is None else length
        self.image[begin + 4 : begin + 4 + length] = bytes(length)

    def torn(self, length, offset=None):
        """What an interrupted write left."""
        self.put(self.index, self.offset if offset is None else offset, bytes(range(1, length + 1)))

    def torn_value(self, length):
        """The first bytes of a record that is not accepted."""
        here, before = self.here, self.stand_still()
        self.value(0, b"a", b"not accepted")
        self.cut(here + length)
        self.go_back(before)

    def cut(self, begin):
        """Nothing was written from here to the end of the log."""
        self.image[begin : self.here] = BLANK * (self.here - begin)

    def read(self):
        return outcome(self.image, ROOT_KEY, LABEL)


def started(**parameters):
    """A store with the item `a` of the settings in its first page; slot 1 is user data."""
    forge = Forge(**parameters)
    first = forge.first_generation
    start = (first, forge.first_place)
    forge.tail = first
    forge.key_page(classes=((reader.SETTINGS, 0, 1, start), (reader.USER, 0, 1, start)))
    forge.log_page(first)
    forge.session()
    forge.item = forge.value(0, b"a", b"one")
    return forge


ITEM = ("settings", "a", b"one")
BOTH_MEDIA = (reader.OVERWRITABLE, reader.WRITE_ONCE)


class MadeImages(unittest.TestCase):
    def assert_items(self, forge, *items, notes=0):
        answer, found = forge.read()
        if isinstance(answer, reader.NotTrusted):
            self.fail(str(answer))
        self.assertEqual(answer.items, sorted(items))
        self.assertEqual(len(found), notes, found)

    def assert_refused(self, forge, kind="damage", reason=""):
        answer, _ = forge.read()
        self.assertIsInstance(answer, reader.NotTrusted)
        self.assertEqual(answer.kind, kind, answer)
        self.assertIn(reason, str(answer))


class Geometries(MadeImages):
    def test_every_unit_and_page_size_is_found_with_the_key_page_on_either_page(self):
        for unit in reader.UNITS:
            for page in (1024, 1536, 2048, 8192, 262144):
                for version in (1, 2):
                    with self.subTest(unit=unit, page=page, version=version):
                        forge = started(unit=unit, page=page, pages=4)
                        if version == 2:
                            forge.erase_class(1, index=1, version=2)
                        self.assert_items(forge, ITEM)

    def test_a_session_record_stands_at_a_multiple_of_the_granule(self):
        forge = started(page=8192)
        self.assertEqual(forge.geometry.granule, 8)
        if forge.offset % 8 == 0:
            forge.value(1, b"b", b"1234")
        self.assertEqual(forge.offset % 8, 4)
        forge.session()
        forge.value(0, b"a", b"two")
        answer, notes = forge.read()
        self.assertIn(("settings", "a", b"two"), answer.items)
        self.assertEqual(notes, [])


class Values(MadeImages):
    def test_what_a_removal_takes_away_does_not_uncover_an_older_value(self):
        forge = started()
        newer = forge.value(0, b"a", b"two")
        forge.removal(0, newer)
        self.assert_items(forge)

    def test_a_removal_takes_away_only_what_it_names(self):
        forge = started()
        other = forge.value(1, b"", b"")
        forge.removal(0, forge.item)
        self.assert_items(forge, ("user", "", b""))
        forge.removal(0, other)
        self.assert_refused(forge, "inconsistent")

    def test_an_overwritten_record_is_no_error_and_an_item_overwritten_is(self):
        forge = started(medium=reader.OVERWRITABLE)
        newer = forge.value(0, b"a", b"two", previous=forge.item)
        forge.overwrite(forge.item)
        forge.value(1, b"b", b"kept")
        self.assert_items(forge, ("settings", "a", b"two"), ("user", "b", b"kept"))
        forge.overwrite(newer)
        self.assert_refused(forge)

    def test_an_overwritten_record_is_damage_on_write_once_media(self):
        forge = started()
        forge.value(0, b"a", b"two")
        forge.overwrite(forge.item)
        self.assert_refused(forge)

    def test_overwriting_that_was_cut_short_is_reported_where_the_last_record_names_it(self):
        for pages in (1, 2):
            with self.subTest(pages=pages):
                forge = started(medium=reader.OVERWRITABLE)
                if pages == 2:
                    forge.log_page(2)
                forge.value(0, b"a", b"two", previous=forge.item)
                forge.overwrite(forge.item, 8)
                self.assert_items(forge, ("settings", "a", b"two"), notes=1)
                forge.value(1, b"b", b"later")
                self.assert_refused(forge)

    def test_the_removed_record_may_be_the_one_cut_short(self):
        forge = started(medium=reader.OVERWRITABLE)
        forge.removal(0, forge.item)
        forge.overwrite(forge.item, 12)
        self.assert_items(forge, notes=1)

    def test_the_live_sum_shows_an_item_too_many(self):
        forge = started(medium=reader.OVERWRITABLE)
        forge.sum += 1
        forge.value(1, b"b", b"")
        self.assert_refused(forge)


class InterruptedWrites(MadeImages):
    def test_a_torn_tail_is_reported(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            forge.torn(4)
            self.assert_items(forge, ITEM, notes=1)
            forge = started(medium=medium)
            forge.torn_value(20)
            self.assert_items(forge, ITEM, notes=1)

    def test_a_session_record_passes_over_what_was_not_accepted(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            forge.torn(20)
            forge.torn(40, 384)
            forge.session(offset=512)
            forge.value(0, b"a", b"two", previous=forge.item)
            self.assert_items(forge, ("settings", "a", b"two"))

    def test_of_several_session_records_the_last_counts(self):
        forge = started()
        forge.session(offset=384, follow=False)
        forge.session(offset=512)
        forge.value(0, b"a", b"two")
        self.assert_items(forge, ("settings", "a", b"two"))

    def test_a_row_of_torn_session_records_is_what_cuts_leave(self):
        forge = started()
        forge.torn_value(20)
        forge.torn(48, 384)
        forge.torn(80, 512)
        self.assert_items(forge, ITEM, notes=1)

    def test_anything_else_behind_the_log_is_damage(self):
        """A torn Session record can be in the first 84 bytes of each 128 at 1 KiB, of each 256 at 8 KiB."""
        for page, offset, length in (
            (1024, 240, 4),
            (1024, 320, 88),
            (1024, 1020, 4),
            (8192, 252, 4),
            (8192, 256 + 84, 4),
            (8192, 512, 88),
        ):
            with self.subTest(page=page, offset=offset, length=length):
                forge = started(page=page)
                self.assertLess(forge.offset, offset)
                forge.torn(length, offset)
                self.assert_refused(forge)

    def test_a_damaged_record_before_good_ones_is_damage(self):
        forge = started()
        forge.value(1, b"b", b"later")
        forge.image[forge.item + 15] ^= 1
        self.assert_refused(forge)

    def test_a_length_changed_so_that_it_covers_good_records_is_damage(self):
        forge = started()
        forge.value(1, b"b", b"later")
        forge.image[forge.item] |= 0x40
        self.assert_refused(forge)

    def test_a_damaged_session_record_before_good_records_is_damage(self):
        forge = started()
        end = forge.here
        forge.session()
        forge.value(1, b"b", b"later")
        forge.image[end + 30] ^= 1
        self.assert_refused(forge)

    def test_a_session_record_vouches_for_the_page(self):
        forge = started()
        forge.session(digest=bytes(8))
        self.assert_refused(forge)

    def test_a_session_record_that_resumes_elsewhere_is_damage(self):
        forge = started()
        forge.session(offset=512, resume=forge.offset + 4, follow=False)
        self.assert_refused(forge)

    def test_the_resume_of_session_records_never_falls(self):
        forge = started()
        forge.session(offset=384, follow=False)
        forge.session(offset=512, resume=forge.first_place)
        self.assert_refused(forge)

    def test_the_next_page_is_the_newer_word_on_where_a_page_ends(self):
        forge = started()
        forge.session(offset=512, follow=False)
        forge.log_page(2)
        self.assert_items(forge, ITEM)


class Transactions(MadeImages):
    BEFORE = (ITEM, ("user", "b", b"old"), ("user", "c", b"old"))
    AFTER = (("settings", "a", b"two"), ("settings", "d", b"new"), ("user", "c", b"new"))

    def prepared(self, **parameters):
        """Three items, of which a transaction may change two and remove one."""
        forge = started(**parameters)
        forge.b = forge.value(1, b"b", b"old")
        forge.c = forge.value(1, b"c", b"old")
        return forge

    def stage(self, forge):
        """Four staged records; answers where they begin."""
        return [
            forge.staged(0, b"a", b"two", previous=forge.item),
            forge.staged_removal(1, forge.b),
            forge.staged(1, b"c", b"new", previous=forge.c),
            forge.value(0, b"d", b"new", kind=reader.STAGED_FIXED),
        ]

    def committed(self, **parameters):
        forge = self.prepared(**parameters)
        forge.places = self.stage(forge)
        forge.places.append(forge.commit(forge.places[0], 4))
        return forge

    def test_a_transaction_takes_effect_with_its_commit(self):
        for medium in BOTH_MEDIA:
            for unit in reader.UNITS:
                with self.subTest(medium=medium, unit=unit):
                    self.assert_items(self.committed(medium=medium, unit=unit, page=2048), *self.AFTER)

    def test_records_before_and_behind_a_transaction_count_as_ever(self):
        for medium in BOTH_MEDIA:
            forge = self.committed(medium=medium)
            newer = forge.value(1, b"c", b"newer", previous=forge.places[2])
            first = forge.staged_removal(0, forge.places[0])
            forge.commit(first, 1)
            forge.log_page(2)
            forge.value(1, b"b", b"back")
            if medium == reader.OVERWRITABLE:
                for place in (forge.item, forge.b, forge.c, forge.places[0], forge.places[2]):
                    forge.overwrite(place)
            items = ("settings", "d", b"new"), ("user", "b", b"back"), ("user", "c", b"newer")
            self.assert_items(forge, *items)
            forge.image[newer + 20] ^= 1
            self.assert_refused(forge)

    def test_without_its_commit_a_transaction_is_one_interrupted_write(self):
        """Cut after each staged record, in the middle of the next one, and in the Commit."""
        for medium in BOTH_MEDIA:
            whole = self.committed(medium=medium).places
            for end in (*whole[1:], *(place + 4 for place in whole), *(place + 20 for place in whole)):
                with self.subTest(medium=medium, end=end):
                    forge = self.committed(medium=medium)
                    forge.cut(end)
                    self.assert_items(forge, *self.BEFORE, notes=1)

    def test_a_session_record_passes_over_a_transaction_without_its_commit(self):
        for medium in BOTH_MEDIA:
            for left in ("as it was", "overwritten"):
                forge = self.prepared(medium=medium)
                here, before = forge.here, forge.stand_still()
                self.stage(forge)
                end = forge.here
                forge.go_back(before)
                forge.session(offset=896)
                if left == "overwritten" and medium == reader.OVERWRITABLE:
                    forge.image[here:end] = bytes(end - here)
                forge.value(0, b"a", b"two", previous=forge.item)
                self.assert_items(forge, ("settings", "a", b"two"), *self.BEFORE[1:])

    def test_the_next_page_may_pass_over_a_transaction_without_its_commit(self):
        for medium in BOTH_MEDIA:
            forge = self.prepared(medium=medium)
            before = forge.stand_still()
            self.stage(forge)
            forge.go_back(before)
            forge.log_page(2)
            self.assert_items(forge, *self.BEFORE)

    def test_a_commit_of_other_records_is_refused(self):
        for medium in BOTH_MEDIA:
            for skipped, number, generation in ((0, 3, 1), (0, 5, 1), (0, 0, 1), (1, 4, 1), (1, 3, 1), (0, 4, 2)):
                with self.subTest(medium=medium, skipped=skipped, number=number, generation=generation):
                    forge = self.prepared(medium=medium)
                    places = self.stage(forge)
                    forge.commit(places[skipped], number, generation)
                    self.assert_refused(forge, "inconsistent", "a Commit record of other records")

    def test_a_commit_behind_no_staged_record_is_refused(self):
        for number in (0, 1):
            forge = self.prepared()
            forge.commit(forge.here, number)
            self.assert_refused(forge, "inconsistent", "behind no staged record")

    def test_a_staged_record_that_does_not_open_before_its_commit_is_damage(self):
        for medium in BOTH_MEDIA:
            for number in range(4):
                for byte in (0, 3, 5, 20):
                    with self.subTest(medium=medium, number=number, byte=byte):
                        forge = self.committed(medium=medium)
                        forge.image[forge.places[number] + byte] ^= 1
                        self.assert_refused(forge)

    def test_a_commit_that_does_not_open_takes_its_transaction_back_at_the_end_of_the_log_only(self):
        for medium in BOTH_MEDIA:
            forge = self.committed(medium=medium)
            forge.image[forge.places[4] + 20] ^= 1
            self.assert_items(forge, *self.BEFORE, notes=1)
            for behind in (
                lambda forge: forge.value(1, b"e", b""),
                lambda forge: forge.session(),
                lambda forge: forge.log_page(2),
            ):
                forge = self.committed(medium=medium)
                forge.image[forge.places[4] + 20] ^= 1
                behind(forge)
                self.assert_refused(forge)

    def test_a_commit_that_does_not_open_is_damage_once_something_was_overwritten(self):
        """What an interrupted transaction would have superseded is never overwritten."""
        for superseded in ("item", "b", "c"):
            forge = self.committed(medium=reader.OVERWRITABLE)
            forge.overwrite(getattr(forge, superseded))
            self.assert_items(forge, *self.AFTER)
            forge.image[forge.places[4] + 20] ^= 1
            self.assert_refused(forge)

    def test_staged_records_with_something_between_them_are_damage(self):
        for medium in BOTH_MEDIA:
            for between in (
                lambda forge: forge.value(1, b"e", b""),
                lambda forge: forge.session(),
                lambda forge: forge.retire(1),
                lambda forge: forge.append(reader.VALUE, 62, bytes(20), bytes(32), 1),
            ):
                forge = self.prepared(medium=medium)
                first = forge.staged(0, b"a", b"two", previous=forge.item)
                between(forge)
                forge.staged(1, b"c", b"new", previous=forge.c)
                forge.commit(first, 2)
                self.assert_refused(forge)

    def test_a_gap_before_a_commit_is_damage(self):
        for medium in BOTH_MEDIA:
            forge = self.prepared(medium=medium)
            first = forge.staged(0, b"a", b"two", previous=forge.item)
            forge.offset += 4
            forge.commit(first, 1)
            self.assert_refused(forge)

    def test_a_transaction_that_goes_on_in_the_next_page_is_refused(self):
        for medium in BOTH_MEDIA:
            forge = self.prepared(medium=medium)
            first = forge.staged(0, b"a", b"two", previous=forge.item)
            forge.log_page(2)
            forge.commit(first, 1, generation=1)
            answer, _ = forge.read()
            self.assertIsInstance(answer, reader.NotTrusted)

    def test_a_page_that_ends_in_the_middle_of_a_transaction_is_damage(self):
        for medium in BOTH_MEDIA:
            for number in range(1, 5):
                forge = self.committed(medium=medium)
                forge.offset = forge.places[number] % 1024
                forge.log_page(2)
                self.assert_refused(forge)

    def test_a_session_record_that_resumes_in_the_middle_of_a_transaction_is_damage(self):
        forge = self.prepared()
        forge.staged(0, b"a", b"two")
        forge.session(offset=640)
        self.assert_refused(forge)

    def test_anything_else_behind_staged_records_is_damage(self):
        """One incomplete record may stand there, and nothing behind a blank unit that is not a multiple of skip."""
        for medium in BOTH_MEDIA:
            forge = self.prepared(medium=medium)
            before = forge.stand_still()
            self.stage(forge)
            end = forge.offset
            forge.go_back(before)
            forge.torn(4, end)
            self.assert_items(forge, *self.BEFORE, notes=1)
            forge.torn(4, end + 8)
            self.assert_refused(forge)

    def test_two_records_of_one_item_in_a_transaction_are_refused(self):
        changes = {
            "put twice": lambda forge, first: (forge.staged(1, b"e", b""), forge.staged(1, b"e", b"")),
            "put and removed": lambda forge, first: (
                forge.staged(0, b"a", b"two", forge.item),
                forge.staged_removal(0, forge.item),
            ),
            "removed as staged": lambda forge, first: (
                forge.staged(0, b"a", b"two", forge.item),
                forge.staged_removal(0, first),
            ),
            "removed and put": lambda forge, first: (
                forge.staged_removal(0, forge.item),
                forge.staged(0, b"a", b"two"),
            ),
            "removed twice": lambda forge, first: (
                forge.staged_removal(1, forge.b),
                forge.staged_removal(1, forge.b),
            ),
        }
        for medium in BOTH_MEDIA:
            for name, change in changes.items():
                with self.subTest(name, medium=medium):
                    forge = self.prepared(medium=medium)
                    first = forge.here
                    change(forge, first)
                    forge.commit(first, 2)
                    self.assert_refused(forge, "inconsistent", "same item")

    def test_one_item_may_be_changed_by_one_transaction_after_the_other(self):
        for medium in BOTH_MEDIA:
            forge = self.committed(medium=medium)
            forge.commit(forge.staged_removal(0, forge.places[0]), 1)
            forge.commit(forge.staged(0, b"a", b"three"), 1)
            self.assert_items(forge, ("settings", "a", b"three"), *self.AFTER[1:])

    def test_each_record_of_a_transaction_states_the_live_sum_up_to_it(self):
        for number in range(4):
            forge = self.prepared(medium=reader.OVERWRITABLE)
            first = forge.here
            for step in range(3):
                # A sum that is wrong in one place only.
                forge.sum += 1 if step == number else 0
                forge.staged(1, bytes([step + 101]), b"")
                forge.sum -= 1 if step == number else 0
            forge.sum += 1 if number == 3 else 0
            forge.commit(first, 3)
            self.assert_refused(forge, "inconsistent", "another live sum")

    def test_a_live_sum_on_write_once_media_is_refused(self):
        forge = started()
        first = forge.staged(0, b"a", b"two")
        forge.append_to_store(reader.COMMIT, 1, first % 1024, 1, 1)
        self.assert_refused(forge, "inconsistent")

    def test_of_what_the_last_transaction_superseded_one_record_may_not_open(self):
        for superseded in ("item", "b", "c"):
            for length in (4, 12):
                forge = self.committed(medium=reader.OVERWRITABLE)
                forge.overwrite(getattr(forge, superseded), length)
                self.assert_items(forge, *self.AFTER, notes=1)

    def test_it_may_lie_in_an_older_page_or_in_an_earlier_transaction(self):
        forge = self.committed(medium=reader.OVERWRITABLE)
        forge.log_page(2)
        first = forge.staged(1, b"c", b"newer", previous=forge.places[2])
        forge.commit(first, 1)
        forge.overwrite(forge.places[2], 12)
        self.assert_items(forge, *self.AFTER[:2], ("user", "c", b"newer"), notes=1)
        forge = self.committed(medium=reader.OVERWRITABLE)
        first = forge.staged(1, b"c", b"newer", previous=forge.places[2])
        forge.commit(first, 1)
        forge.overwrite(forge.places[2], 12)
        self.assert_items(forge, *self.AFTER[:2], ("user", "c", b"newer"), notes=1)

    def test_those_before_it_are_overwritten_and_those_behind_it_are_not_yet(self):
        forge = self.committed(medium=reader.OVERWRITABLE)
        forge.overwrite(forge.item)
        forge.overwrite(forge.b, 12)
        self.assert_items(forge, *self.AFTER, notes=1)

    def test_two_records_that_do_not_open_are_damage(self):
        forge = self.committed(medium=reader.OVERWRITABLE)
        forge.overwrite(forge.item, 12)
        forge.overwrite(forge.c, 12)
        self.assert_refused(forge)
        forge = self.prepared(medium=reader.OVERWRITABLE)
        forge.log_page(2)
        forge.commit(self.stage(forge)[0], 4)
        forge.overwrite(forge.item, 12)
        forge.overwrite(forge.c, 12)
        self.assert_refused(forge, reason="more than one")

    def test_what_no_record_of_the_last_transaction_superseded_must_open(self):
        forge = self.committed(medium=reader.OVERWRITABLE)
        forge.value(1, b"e", b"")
        forge.overwrite(forge.c, 12)
        self.assert_refused(forge)
        forge = self.prepared(medium=reader.OVERWRITABLE)
        first = forge.staged(0, b"a", b"two", previous=forge.item)
        forge.commit(first, 1)
        forge.overwrite(forge.c, 12)
        self.assert_refused(forge)

    def test_what_an_erased_class_held_is_dead_in_a_transaction_too(self):
        for medium in BOTH_MEDIA:
            forge = self.committed(medium=medium)
            forge.sum -= forge.tag(forge.places[2])
            forge.erase_class(1, index=1, version=2)
            self.assert_items(forge, *self.AFTER[:2])
            forge.session()
            forge.value(1, b"b", b"new owner")
            self.assert_items(forge, *self.AFTER[:2], ("user", "b", b"new owner"))

    def test_a_class_may_be_erased_after_a_transaction_was_interrupted(self):
        for medium in BOTH_MEDIA:
            forge = self.prepared(medium=medium)
            before = forge.stand_still()
            self.stage(forge)
            forge.go_back(before)
            forge.sum -= forge.tag(forge.b) + forge.tag(forge.c)
            forge.erase_class(1, index=1, version=2)
            self.assert_items(forge, ITEM, notes=1)


class Superseded(MadeImages):
    def replaced(self, other_page=False):
        forge = started(medium=reader.OVERWRITABLE)
        if other_page:
            forge.log_page(2)
        forge.newer = forge.value(0, b"a", b"two", previous=forge.item)
        forge.overwrite(forge.item)
        return forge

    def test_an_overwritten_record_shows_that_the_one_behind_it_is_missing(self):
        for other_page in (False, True):
            for damage in (20, 5, None):
                with self.subTest(other_page=other_page, damage=damage):
                    forge = self.replaced(other_page)
                    self.assert_items(forge, ("settings", "a", b"two"))
                    if damage is None:
                        forge.cut(forge.newer)
                    else:
                        forge.image[forge.newer + damage] ^= 1
                    self.assert_refused(forge, reason="superseded")

    def test_a_removal_or_a_transaction_that_is_missing_is_shown_as_well(self):
        for change in (
            lambda forge: forge.removal(0, forge.item),
            lambda forge: forge.commit(forge.staged(0, b"a", b"two", previous=forge.item), 1),
            lambda forge: forge.commit(forge.staged_removal(0, forge.item), 1),
        ):
            forge = started(medium=reader.OVERWRITABLE)
            last = change(forge)
            forge.overwrite(forge.item)
            answer, _ = forge.read()
            self.assertIsInstance(answer, reader.Contents)
            forge.image[last + 20] ^= 1
            self.assert_refused(forge, reason="superseded")

    def test_one_that_is_overwritten_half_shows_it_too(self):
        forge = started(medium=reader.OVERWRITABLE)
        newer = forge.value(0, b"a", b"two", previous=forge.item)
        forge.overwrite(forge.item, 12)
        forge.image[newer + 20] ^= 1
        self.assert_refused(forge)

    def test_the_missing_record_may_be_of_a_class_that_was_erased(self):
        forge = started(medium=reader.OVERWRITABLE)
        old = forge.value(1, b"b", b"old")
        new = forge.value(1, b"b", b"new", previous=old)
        forge.overwrite(old)
        forge.sum -= forge.tag(new)
        forge.erase_class(1, index=1, version=2)
        self.assert_items(forge, ITEM)

    def test_an_end_of_the_log_in_the_key_page_vouches_only_for_what_lies_before_it(self):
        forge = started(medium=reader.OVERWRITABLE)
        forge.erase_class(1, index=1, version=2)
        forge.session()
        b = forge.value(1, b"b", b"old")
        newer = forge.value(1, b"b", b"new", previous=b)
        forge.overwrite(b)
        forge.image[newer + 20] ^= 1
        self.assert_refused(forge, reason="superseded")


class Counters(MadeImages):
    def anchored(self, **parameters):
        forge = started(**parameters)
        forge.start_counter(7)
        return forge

    def assert_states(self, forge, value, notes=0):
        answer, found = forge.read()
        if isinstance(answer, reader.NotTrusted):
            self.fail(str(answer))
        self.assertEqual(answer.counter, value)
        self.assertEqual(len(found), notes, found)

    def test_the_value_stated_last_is_known(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            self.assert_states(forge, 0)
            forge.counter = 7
            forge.change_key_page(1, 2, forge.classes)
            self.assert_states(forge, 7)
            forge.session()
            self.assert_states(forge, 7)
            gone = forge.value(1, b"b", b"")
            forge.anchor()
            self.assert_states(forge, 8)
            forge.log_page(2)
            self.assert_states(forge, 8)
            forge.removal(1, gone)
            forge.anchor()
            forge.anchor()
            self.assert_states(forge, 10)
            forge.erase_class(1, index=0, version=3)
            self.assert_states(forge, 10)
            forge.session()
            forge.anchor()
            self.assert_states(forge, 11)

    def test_an_anchor_cut_short_states_nothing(self):
        for medium in BOTH_MEDIA:
            forge = self.anchored(medium=medium)
            anchor = forge.anchor()
            forge.image[anchor + 20] ^= 1
            self.assert_states(forge, 7, notes=1)

    def test_an_anchor_that_does_not_open_before_good_records_is_damage(self):
        for medium in BOTH_MEDIA:
            forge = self.anchored(medium=medium)
            anchor = forge.anchor()
            forge.value(1, b"b", b"")
            forge.image[anchor + 20] ^= 1
            self.assert_refused(forge)

    def test_an_anchor_states_one_more(self):
        for value in (6, 7, 9):
            forge = self.anchored()
            forge.anchor(value)
            self.assert_refused(forge, "inconsistent", "one more")

    def test_an_anchor_in_a_store_held_against_no_counter_is_refused(self):
        forge = started()
        forge.anchor()
        self.assert_refused(forge, "inconsistent")

    def test_page_and_session_records_repeat_the_value(self):
        for value in (0, 6, 8):
            for record in (lambda forge: forge.session(), lambda forge: forge.log_page(2)):
                forge = self.anchored()
                forge.counter = value
                record(forge)
                self.assert_refused(forge, "inconsistent", "value of the counter")

    def test_a_key_page_never_states_less(self):
        forge = self.anchored()
        forge.counter = 6
        forge.erase_class(1, index=0, version=3)
        self.assert_refused(forge, "inconsistent", "falls")

    def test_of_two_key_pages_the_newer_never_states_less(self):
        forge = self.anchored()
        before = bytes(forge.image[1024:2048])
        forge.counter = 6
        forge.erase_class(1, index=0, version=3)
        forge.image[1024:2048] = before
        self.assert_refused(forge, "inconsistent", "from one key page to the next")

    def test_another_counter_may_begin_with_a_key_page(self):
        forge = self.anchored()
        forge.start_counter(20, index=0, version=3)
        forge.anchor()
        self.assert_states(forge, 21)

    def test_the_key_page_that_began_may_be_gone(self):
        forge = self.anchored()
        forge.erase_class(1, index=0, version=3)
        forge.session()
        self.assert_states(forge, 7)


class Pages(MadeImages):
    def two_pages(self, **parameters):
        forge = started(**parameters)
        forge.log_page(2)
        forge.value(1, b"b", b"second")
        return forge

    def test_pages_are_read_from_tail_to_head(self):
        for medium in BOTH_MEDIA:
            self.assert_items(self.two_pages(medium=medium), ITEM, ("user", "b", b"second"))

    def test_a_retire_record_raises_the_tail(self):
        forge = self.two_pages()
        forge.value(0, b"a", b"one")
        forge.retire(2)
        self.assert_items(forge, ITEM, ("user", "b", b"second"), notes=1)
        forge.erase(2)
        self.assert_items(forge, ITEM, ("user", "b", b"second"))

    def test_a_page_behind_the_tail_must_be_there_and_whole(self):
        forge = self.two_pages()
        forge.erase(2)
        self.assert_refused(forge)

    def test_a_page_ends_where_the_next_says_and_is_what_it_vouches_for(self):
        forge = self.two_pages()
        other = started()
        forge.image[2048:3072] = other.image[2048:3072]
        forge.log_page(3)
        self.assert_items(forge, ITEM, ("user", "b", b"second"))
        # The other first page is as authentic, and one record longer.
        other.value(1, b"c", b"extra")
        forge.image[2048:3072] = other.image[2048:3072]
        self.assert_items(forge, ITEM, ("user", "b", b"second"))
        other.torn(40, other.item % 1024)
        forge.image[2048:3072] = other.image[2048:3072]
        self.assert_refused(forge)

    def test_a_page_that_does_not_belong_where_it_is_is_damage(self):
        forge = started()
        forge.log_page(2, index=4)
        self.assert_refused(forge)

    def test_a_page_without_a_good_erase_mark_is_damage(self):
        for index in (0, 2, 3):
            forge = self.two_pages()
            forge.put(index, 4, bytes(4))
            self.assert_refused(forge)

    def test_a_page_whose_page_record_does_not_open_counts_for_nothing_and_is_reported(self):
        """The head's Page record damaged is not to be told from one that was cut short."""
        forge = self.two_pages()
        forge.image[3 * 1024 + 40] ^= 1
        self.assert_items(forge, ITEM, notes=1)

    def test_a_page_record_that_does_not_open_is_damage_where_more_than_copies_stand_behind_it(self):
        for medium in BOTH_MEDIA:
            for behind in (
                lambda forge: forge.session(),
                lambda forge: forge.retire(2),
                lambda forge: forge.commit(forge.staged(0, b"c", b""), 1),
            ):
                forge = self.two_pages(medium=medium)
                behind(forge)
                forge.image[3 * 1024 + 60] ^= 1
                self.assert_refused(forge)

    def last_free_page(self, medium):
        """Section 7: copies in the last free page, and then its Page record, whose tail is one more."""
        forge = started(medium=medium, pages=4)
        vouched = forge.offset, forge.digest()
        forge.sum, forge.tail = 0, 2
        forge.generation, forge.index, forge.offset = 2, 3, forge.first_place
        forge.salt, forge.place = salt_of("page", 2), 0
        forge.message = forge.salt
        copy = forge.value(0, b"a", b"one")
        # Cut short here, the page counts for nothing.
        self.assert_items(forge, ITEM, notes=1)
        forge.sum, summed = 0, forge.sum
        forge.write_page_record(*vouched, forge.offset)
        forge.sum = summed
        return forge, copy

    def test_the_last_free_page_counts_with_its_page_record(self):
        for medium in BOTH_MEDIA:
            forge, _ = self.last_free_page(medium)
            self.assert_items(forge, ITEM, notes=1)
            forge.erase(2)
            self.assert_items(forge, ITEM)

    def test_the_log_does_not_end_before_what_was_filled(self):
        for medium in BOTH_MEDIA:
            forge, copy = self.last_free_page(medium)
            forge.image[copy + 20] ^= 1
            self.assert_refused(forge)


class KeyPages(MadeImages):
    def test_a_new_store_is_empty(self):
        forge = Forge()
        forge.key_page()
        self.assert_items(forge)
        forge.log_page(1)
        self.assert_items(forge)

    def test_a_lost_log_is_not_an_empty_store(self):
        forge = started()
        forge.image[2048 + 40] ^= 1
        self.assert_refused(forge)
        forge = started()
        forge.erase_class(1, index=1, version=2)
        forge.erase(2)
        self.assert_refused(forge)

    def test_what_an_erased_class_held_is_dead(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            gone = forge.value(1, b"b", b"gone")
            forge.sum -= forge.tag(gone)
            forge.erase_class(1, index=1, version=2)
            self.assert_items(forge, ITEM)
            forge.session()
            forge.value(1, b"b", b"new owner")
            self.assert_items(forge, ITEM, ("user", "b", b"new owner"))
            forge.image[gone] ^= 1 << 2
            self.assert_refused(forge)

    def test_a_freed_slot_has_no_live_records(self):
        forge = started()
        forge.value(1, b"b", b"gone")
        end, settings = (1, forge.offset), forge.classes[0]
        forge.key_page(1, 2, end, forge.digest(), (settings, (reader.FREE, 0, 2, end)))
        forge.erase(0)
        self.assert_items(forge, ITEM)
        forge.session()
        forge.value(1, b"b", b"under the key of nobody")
        forge.value(0, b"c", b"")
        self.assert_refused(forge)

    def test_of_two_committed_key_pages_the_newer_counts_and_the_other_is_reported(self):
        forge = started()
        forge.value(1, b"b", b"gone")
        before = bytes(forge.image[:1024])
        forge.erase_class(1, index=1, version=2)
        forge.image[:1024] = before
        self.assert_items(forge, ITEM, notes=1)

    def test_an_erase_mark_that_is_not_newer_proves_nothing(self):
        forge = started()
        forge.erase_class(1, index=1, version=2)
        forge.mark(0, 1)
        self.assert_items(forge, ITEM, notes=1)

    def test_a_key_page_without_commit_does_not_count(self):
        forge = started()
        classes, end = forge.classes, (1, forge.offset)
        forge.key_page(1, 2, end, forge.digest(), classes, commit=False)
        self.assert_items(forge, ITEM, notes=1)

    def test_clear_bytes_cut_short_are_no_newer_version(self):
        for length in range(4, 44, 4):
            forge = started()
            forge.put(1, forge.geometry.first, forge.clear_bytes()[:length])
            self.assert_items(forge, ITEM, notes=1)

    def test_a_key_page_set_back_is_damage(self):
        forge = started()
        before = bytes(forge.image[:2048])
        forge.erase_class(1, index=1, version=2)
        forge.session()
        forge.image[:2048] = before
        self.assert_refused(forge)

    def test_a_key_page_vouches_for_the_head_page(self):
        forge = started()
        forge.key_page(1, 2, (1, forge.offset), bytes(8), forge.classes)
        forge.erase(0)
        self.assert_refused(forge)

    def test_the_key_page_that_format_writes_vouches_for_the_first_page(self):
        forge = Forge()
        forge.key_page(end=(1, forge.first_place), digest=bytes(8))
        forge.log_page(1)
        self.assert_refused(forge)

    def test_two_key_pages_of_one_version_contradict_each_other(self):
        forge = started()
        forge.key_page(1, 1, classes=forge.classes)
        self.assert_refused(forge, "inconsistent")


class BehindTheKeys(MadeImages):
    """Section 5: behind the key page's end of the log it goes on only with a record that names that key page."""

    def behind(self, medium, write):
        """A store whose class 1 was erased after `write` left whole records that were never accepted."""
        forge = started(medium=medium)
        before = forge.stand_still()
        salt, place = forge.salt, forge.place
        write(forge)
        forge.go_back(before)
        forge.salt, forge.place = salt, place
        forge.erase_class(1, index=1, version=2)
        return forge

    def test_a_whole_record_under_an_older_salt_counts_for_nothing(self):
        for medium in BOTH_MEDIA:
            forge = self.behind(medium, lambda forge: forge.value(0, b"c", b"never accepted"))
            self.assert_items(forge, ITEM, notes=1)

    def test_a_whole_transaction_under_an_older_salt_counts_for_nothing(self):
        for medium in BOTH_MEDIA:

            def write(forge):
                first = forge.staged(0, b"c", b"never")
                forge.staged(0, b"d", b"accepted")
                forge.commit(first, 2)

            self.assert_items(self.behind(medium, write), ITEM, notes=1)

    def test_a_whole_session_record_that_names_an_older_key_page_counts_for_nothing(self):
        for medium in BOTH_MEDIA:
            for at_skip in (False, True):

                def write(forge):
                    skip = reader.align(forge.offset + 8, forge.geometry.skip)
                    forge.session(skip if at_skip else None, follow=False)

                self.assert_items(self.behind(medium, write), ITEM, notes=1)

    def test_a_whole_page_record_that_names_an_older_key_page_counts_for_nothing(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            generation, index, offset, message = forge.generation, forge.index, forge.offset, forge.message
            forge.log_page(2)
            forge.generation, forge.index, forge.offset, forge.message = generation, index, offset, message
            forge.erase_class(1, index=1, version=2)
            self.assert_items(forge, ITEM, notes=1)

    def test_the_log_goes_on_with_a_session_record_that_names_the_key_page(self):
        for medium in BOTH_MEDIA:
            forge = self.behind(medium, lambda forge: forge.value(0, b"c", b"never accepted"))
            end = forge.offset
            forge.session(reader.align(forge.offset + 80, forge.geometry.skip), end)
            forge.value(0, b"d", b"accepted")
            self.assert_items(forge, ITEM, ("settings", "d", b"accepted"))

    def test_more_than_one_interrupted_write_behind_the_end_is_damage(self):
        for medium in BOTH_MEDIA:

            def write(forge):
                forge.value(0, b"c", b"never accepted")
                forge.value(0, b"d", b"nor this")

            self.assert_refused(self.behind(medium, write))


class LeftOut(MadeImages):
    """Sections 5 to 7: pages that failed, which the key page lists."""

    def around(self, medium, left_out, pages=8):
        """Writes a page for each generation that occurs, twice around the ring; each one empties the page before it."""
        forge = started(medium=medium, pages=pages, left_out=left_out)
        occurring = [g for g in range(1, 2 * (pages - 2) + 1) if forge.geometry.home(g) not in left_out]
        item = forge.item
        for generation in occurring[1:]:
            dead, place = forge.generation, forge.geometry.home(generation)
            if generation > pages - 2:
                forge.erase(place)
            forge.log_page(generation)
            item = forge.value(0, b"a", b"one", previous=item)
            if medium == reader.OVERWRITABLE:
                forge.overwrite(self.before(forge, item))
            forge.retire(generation)
            forge.erase(forge.geometry.home(dead))
        return forge

    @staticmethod
    def before(forge, item):
        """Where the last but one record of the item stands."""
        places = getattr(forge, "places", [forge.item])
        forge.places = [*places, item]
        return places[-1]

    def test_the_log_goes_round_the_pages_that_are_not_left_out(self):
        for medium in BOTH_MEDIA:
            for left_out in ((), (2,), (7,), (4,), (2, 3), (6, 7), (2, 4, 7), (3, 4, 5, 6), (2, 3, 6, 7)):
                with self.subTest(medium=medium, left_out=left_out):
                    self.assert_items(self.around(medium, left_out), ITEM)

    def test_what_stands_on_a_page_that_is_left_out_is_nothing(self):
        for medium in BOTH_MEDIA:
            forge = self.around(medium, (4, 5))
            later = started(medium=medium)
            for index, generation in ((4, 15), (5, 16)):
                later.log_page(generation)
                later.value(0, b"b", b"of a page that is left out")
                forge.put(index, 0, later.image[index * 1024 : (index + 1) * 1024])
                self.assert_items(forge, ITEM)
                forge.put(index, 0, bytes(1024))
                self.assert_items(forge, ITEM)

    def test_the_log_passes_a_page_that_was_left_out_while_it_was_free(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            forge.leave_out(3)
            forge.put(3, 0, bytes(1024))
            self.assert_items(forge, ITEM)
            forge.log_page(3)
            forge.value(0, b"b", b"two")
            self.assert_items(forge, ITEM, ("settings", "b", b"two"))

    def test_a_page_of_the_log_that_is_left_out_is_damage(self):
        for medium in BOTH_MEDIA:
            forge = started(medium=medium)
            forge.log_page(2)
            forge.value(0, b"b", b"two")
            forge.leave_out(2)
            self.assert_refused(forge, "inconsistent", "tail")
            forge = started(medium=medium)
            for generation in (2, 3):
                forge.log_page(generation)
            forge.leave_out(3)
            self.assert_refused(forge)

    def test_a_list_that_cannot_be_is_refused(self):
        lists = ((0, 3), (3, 0, 4), (3, 3), (4, 3), (1,), (8,), (65535,), (2, 9), (2, 3, 3), (0, 0, 0, 2))
        for left_out in lists:
            with self.subTest(left_out=left_out):
                forge = started()
                forge.leave_out(*left_out)
                self.assert_refused(forge, "inconsistent", "left out")

    def test_two_pages_of_the_log_stay(self):
        forge = started(pages=6)
        forge.leave_out(4, 5)
        self.assert_items(forge, ITEM)
        forge = started(pages=6)
        forge.leave_out(3, 4, 5)
        self.assert_refused(forge, "inconsistent", "left out")

    def test_a_log_without_a_free_page_is_refused(self):
        for left_out, pages in (((), 4), ((3, 5), 6)):
            forge = started(pages=pages, left_out=left_out)
            second = next(g for g in range(forge.generation + 1, 9) if forge.geometry.home(g) not in left_out)
            forge.log_page(second)
            self.assert_refused(forge, "inconsistent", "free")

    def test_a_new_store_on_a_part_with_a_failing_first_page_is_empty(self):
        forge = Forge(left_out=(2,))
        forge.key_page()
        forge.put(2, 0, bytes(range(256)) * 4)
        forge.tail = 2
        self.assert_items(forge)
        forge.log_page(2)
        self.assert_items(forge)
        forge.session()
        forge.image[3 * 1024 + 40] ^= 1
        self.assert_refused(forge)


class Command(unittest.TestCase):
    def test_a_name_with_control_characters_stays_one_field(self):
        self.assertEqual(reader.printable("a\tb\n"), "a\\u{9}b\\u{a}")

    def test_a_file_that_is_not_there_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            missing = str(pathlib.Path(folder) / "missing.bin")
            self.assertEqual(reader.main([missing, "--root-key", "00" * 32, "--label", "test"]), 1)


if __name__ == "__main__":
    unittest.main()
