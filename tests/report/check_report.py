"""The page that `bydesign guidelines --format html` makes, in a headless Chromium from disk and without a network.

    python3 tests/report/check_report.py REPORT.html [--mapping MAPPING.json] [--pictures DIR]

    check_report.py (this file)
    browser.py

What the page should show is counted in the JSON of the same mapping. A check that a broken page would pass is none: the last class
breaks the page in one place after another and sees that it is noticed.
"""

import argparse
import json
import pathlib
import re
import sys
import tempfile
import unittest

import browser

ARGUMENTS = None
NEWEST = "en303645-v3.1.3"
SHOWN = "Array.from(document.querySelectorAll('.{}:not([hidden])'), (item) => item.id)"
FOCUSED = "document.activeElement.id || document.activeElement.parentElement.id"


class Report(unittest.TestCase):
    """One browser for all checks; the page is opened anew for each."""

    @classmethod
    def setUpClass(cls):
        cls.profile = tempfile.TemporaryDirectory()
        cls.browser = browser.Browser(ARGUMENTS.browser, cls.profile.name)
        cls.mapping = json.loads(pathlib.Path(ARGUMENTS.mapping).read_text())
        cls.page = pathlib.Path(ARGUMENTS.report).resolve().as_uri()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.profile.cleanup()

    def setUp(self):
        self.browser.events.clear()
        self.browser.size(1280, 900)
        self.browser.open("about:blank")
        self.browser.open(self.page)

    def shown(self, kind):
        return set(self.browser.value(SHOWN.format(kind)))

    def choose(self, name, value):
        self.browser.value(
            f"(() => {{ const select = document.getElementById('{name}'); select.value = '{value}';"
            "select.dispatchEvent(new Event('change', {bubbles: true})); return select.value; })()"
        )

    def requirements_of(self, guideline, primitive=None):
        owned = {
            id
            for each in self.mapping["primitives"]
            if primitive in (None, each["id"])
            for id in each["requirements"]
        }
        return {
            requirement["id"]
            for requirement in self.mapping["requirements"]
            if guideline in requirement["guidelines"] and (primitive is None or requirement["id"] in owned)
        }

    def nothing_was_wrong(self):
        complaints = [
            event
            for event in self.browser.events
            if event["method"] == "Runtime.exceptionThrown"
            or event["method"] == "Runtime.consoleAPICalled"
            or (event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"))
        ]
        self.assertEqual(complaints, [])
        asked = {
            event["params"]["request"]["url"].split("#")[0]
            for event in self.browser.events
            if event["method"] == "Network.requestWillBeSent"
        }
        elsewhere = {address for address in asked if not address.startswith(("data:", "about:")) and address != self.page}
        self.assertEqual(elsewhere, set(), "asked for something beside the page itself")
        self.assertIn(self.page, asked)


class Content(Report):
    def test_every_guideline_provision_requirement_and_duty_is_there_once(self):
        ids = self.browser.value("Array.from(document.querySelectorAll('[id]'), (element) => element.id)")
        self.assertEqual(len(ids), len(set(ids)), "an id is there twice")
        self.assertGreater(len(self.mapping["provisions"]), 200)
        expected = {f"guideline-{each['number']}" for each in self.mapping["guidelines"]}
        expected |= {f"{each['framework']}-{each['id']}".replace(" ", "-") for each in self.mapping["provisions"]}
        expected |= {each["id"] for each in self.mapping["requirements"] + self.mapping["duties"]}
        self.assertEqual(expected - set(ids), set())
        self.nothing_was_wrong()

    def test_every_link_leads_somewhere_on_the_page(self):
        targets = self.browser.value(
            "Array.from(document.querySelectorAll('a'), (link) => link.getAttribute('href'))"
            ".filter((to) => !to.startsWith('#') || !document.getElementById(to.slice(1)))"
        )
        self.assertEqual(targets, [])

    def test_every_requirement_shows_its_code_its_tests_and_their_last_result(self):
        lacking = self.browser.value(
            "Array.from(document.querySelectorAll('.requirement')).filter((item) => {"
            "const [code, tests] = item.querySelectorAll('ul');"
            "return !code.querySelector('li') || !tests.querySelector('li')"
            "|| Array.from(tests.children).some((test) => !/last result: /.test(test.textContent)"
            "|| !/cargo test/.test(test.textContent)); }).map((item) => item.id)"
        )
        self.assertEqual(lacking, [])
        cited = sum(1 for each in self.mapping["citations"] if each["kind"] == "code")
        self.assertGreaterEqual(self.browser.value("document.querySelectorAll('.requirement pre').length"), cited * 9 // 10)

    def test_without_a_script_all_of_it_is_there(self):
        self.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        try:
            self.browser.open(self.page)
            # The protocol still looks into a page that runs no script of its own.
            self.assertEqual(self.browser.value("document.getElementById('filters').hidden"), True)
            count = self.browser.value("document.querySelectorAll('.item:not([hidden])').length")
        finally:
            self.browser.call("Emulation.setScriptExecutionDisabled", value=False)
        self.assertEqual(count, len(self.mapping["provisions"]) + len(self.mapping["requirements"]))


class Filters(Report):
    def test_a_search_by_keyboard_shows_what_holds_the_words(self):
        self.browser.value("document.getElementById('words').focus()")
        self.browser.write("root KEY")
        words = ("root", "key")
        expected = self.browser.value(
            f"Array.from(document.querySelectorAll('.item')).filter((item) => {json.dumps(words)}"
            ".every((word) => item.textContent.toLowerCase().includes(word))).map((item) => item.id)"
        )
        shown = self.shown("item")
        self.assertEqual(shown, set(expected))
        self.assertTrue(3 < len(shown) < 200, len(shown))
        self.assertIn("SECRET-1", shown)
        count = self.browser.value("document.getElementById('count').textContent")
        numbers = [int(number) for number in re.findall(r"\d+", count)]
        self.assertEqual(numbers[0] + numbers[2], len(shown), count)
        self.nothing_was_wrong()

    def test_each_filter_shows_what_it_says(self):
        self.choose("guideline", "11")
        self.assertEqual(self.shown("requirement"), self.requirements_of(11))
        self.choose("primitive", "erase")
        self.assertEqual(self.shown("requirement"), self.requirements_of(11, "erase"))
        self.assertTrue(self.requirements_of(11, "erase"))
        self.choose("guideline", "")
        self.choose("primitive", "")
        self.choose("framework", NEWEST)
        self.choose("decision", "implements")
        implemented = [
            each
            for each in self.mapping["provisions"]
            if each["framework"] == NEWEST and each["decision"] == "implements"
        ]
        self.assertEqual(self.shown("provision"), {f"{NEWEST}-{each['id']}" for each in implemented})
        self.assertEqual(self.shown("requirement"), {id for each in implemented for id in each["requirements"]})
        self.assertTrue(implemented)

    def test_clearing_the_filters_shows_all_again(self):
        self.choose("decision", "implements")
        self.assertLess(len(self.shown("provision")), len(self.mapping["provisions"]))
        self.browser.value("document.querySelector('button[type=reset]').click()")
        self.browser.value("new Promise((done) => setTimeout(done, 50))")
        self.assertEqual(len(self.shown("provision")), len(self.mapping["provisions"]))
        self.assertEqual(len(self.shown("requirement")), len(self.mapping["requirements"]))

    def test_a_filter_by_evidence_shows_the_requirements_of_that_standing(self):
        standings = self.browser.value(
            "Array.from(document.querySelectorAll('.requirement'), (item) => [item.id, item.dataset.evidence])"
        )
        for grade in {grade for _, grade in standings}:
            self.choose("evidence", grade)
            self.assertEqual(self.shown("requirement"), {id for id, each in standings if each == grade}, grade)


class DrillDown(Report):
    def test_a_cell_of_the_matrix_leads_by_keyboard_to_requirement_code_and_test(self):
        count = len(self.requirements_of(4, "secret"))
        self.assertGreater(count, 0)
        plural = "" if count == 1 else "s"
        name = f"Guideline 4, secret: {count} requirement{plural}"
        self.browser.value(f"document.querySelector('[aria-label=\"{name}\"]').focus()")
        self.browser.key("Enter", number=13, text="\r")
        self.assertEqual(self.shown("requirement"), self.requirements_of(4, "secret"))
        first = self.browser.value(FOCUSED)
        self.assertIn(first, self.requirements_of(4, "secret"))
        self.assertTrue(self.browser.value(f"document.getElementById('{first}').open"))
        text = self.browser.value(f"document.getElementById('{first}').innerText")
        cited = [each for each in self.mapping["citations"] if each["requirement"] == first]
        self.assertEqual({each["kind"] for each in cited}, {"code", "test"})
        for each in cited:
            self.assertRegex(text, re.escape(each["file"]) + r":\d+")
            if each["kind"] == "test":
                self.assertIn(f"cargo test {each['target']} {each['test']} -- --exact", text)
        self.assertIn("last result: ", text)
        # Closed and opened again without a mouse.
        self.browser.key(" ", code="Space", number=32, text=" ")
        self.assertFalse(self.browser.value(f"document.getElementById('{first}').open"))
        self.nothing_was_wrong()

    def test_a_link_opens_what_it_names_even_where_a_filter_hides_it(self):
        provision = next(
            each for each in self.mapping["provisions"] if each["framework"] == NEWEST and each["id"] == "5.4-1"
        )
        place = f"{NEWEST}-5.4-1"
        requirement = provision["requirements"][0]
        self.choose("guideline", "4")
        self.browser.value(f"document.getElementById('{place}').open = true")
        self.choose("guideline", "11")
        self.assertNotIn(requirement, self.shown("requirement"))
        self.browser.value(
            f"Array.from(document.getElementById('{place}').querySelectorAll('a'))"
            f".find((link) => link.textContent === '{requirement}').click()"
        )
        self.browser.value("new Promise((done) => setTimeout(done, 100))")
        self.assertEqual(self.browser.value(FOCUSED), requirement)
        self.assertTrue(self.browser.value(f"document.getElementById('{requirement}').open"))
        self.assertIn(requirement, self.shown("requirement"))
        duty = "D-1"
        self.browser.value(f"location.hash = '#{duty}'")
        self.browser.value("new Promise((done) => setTimeout(done, 100))")
        top = self.browser.value(f"document.getElementById('{duty}').getBoundingClientRect().top")
        self.assertTrue(-1 <= top < 900, top)
        self.nothing_was_wrong()


class Access(Report):
    def test_every_control_has_a_name_and_no_two_fields_share_one(self):
        nodes = self.browser.call("Accessibility.getFullAXTree")["nodes"]
        roles = {"button", "link", "searchbox", "combobox", "textbox", "DisclosureTriangle", "region", "search", "table"}
        names = [
            (node["role"]["value"], node.get("name", {}).get("value", "").strip())
            for node in nodes
            if not node.get("ignored") and node["role"]["value"] in roles
        ]
        self.assertGreater(len(names), 500)
        self.assertEqual([role for role, name in names if not name], [])
        fields = [name for role, name in names if role in ("searchbox", "combobox")]
        # Their labels, and not what stands in them until something else does.
        self.assertEqual(sorted(fields), ["Document", "Evidence", "Guideline", "Primitive", "Search", "The library"])
        cells = [name for role, name in names if role == "button" and name.startswith("Guideline ")]
        self.assertEqual(len(cells), len(set(cells)))
        self.assertGreater(len(cells), 10)

    def test_the_tab_key_reaches_the_skip_link_then_each_filter(self):
        reached = []
        for _ in range(8):
            self.browser.key("Tab", number=9)
            reached.append(self.browser.value("document.activeElement.id || document.activeElement.className"))
        self.assertEqual(reached[0], "skip")
        position = [reached.index(name) for name in ("words", "guideline", "primitive", "framework", "decision")]
        self.assertEqual(position, sorted(position))
        outline = self.browser.value("getComputedStyle(document.activeElement).outlineStyle")
        self.assertEqual(outline, "solid", "what has the focus is seen")

    def test_words_can_be_read_in_light_and_dark(self):
        contrast = """(() => {
            const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            const light = (colour) => {
                context.fillStyle = 'white'; context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
                const part = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
                const [r, g, b] = Array.from(context.getImageData(0, 0, 1, 1).data, (value) => part(value / 255));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const below = light(getComputedStyle(document.body).backgroundColor);
            return Array.from(document.querySelectorAll('body, .decision, .evidence, .result, a'), (element) => {
                const above = light(getComputedStyle(element).color);
                return (Math.max(above, below) + 0.05) / (Math.min(above, below) + 0.05);
            }).reduce((least, each) => Math.min(least, each));
        })()"""
        for scheme in ("light", "dark"):
            self.browser.call(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
            )
            self.assertGreaterEqual(self.browser.value(contrast), 4.5, scheme)
        self.browser.call("Emulation.setEmulatedMedia", features=[])


class Places(Report):
    def test_on_a_telephone_nothing_but_the_matrix_is_wider_than_the_screen(self):
        self.browser.size(360, 740, mobile=True)
        self.browser.open(self.page)
        self.browser.value("document.querySelectorAll('details').forEach((item) => { item.open = true; })")
        self.assertEqual(self.browser.value("innerWidth"), 360)
        self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), 360)
        wide = self.browser.value("(() => { const box = document.querySelector('.scroll'); return box.scrollWidth > box.clientWidth; })()")
        self.assertTrue(wide, "the matrix scrolls within its box")
        low = self.browser.value(
            "Array.from(document.querySelectorAll('#filters input, #filters select, #filters button'))"
            ".filter((control) => control.getBoundingClientRect().height < 36).length"
        )
        self.assertEqual(low, 0, "controls are large enough for a finger")
        self.nothing_was_wrong()

    def test_on_paper_details_are_open_and_filters_are_gone(self):
        self.choose("primitive", "secret")
        short = self.browser.paper()
        self.assertTrue(short.startswith(b"%PDF-"))
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(self.browser.value("getComputedStyle(document.getElementById('filters')).display"), "none")
        is_seen = "document.getElementById('SECRET-1').querySelector('dl').checkVisibility()"
        self.assertTrue(self.browser.value(is_seen), "what is closed on the screen is read on paper")
        self.browser.call("Emulation.setEmulatedMedia", media="")
        self.assertFalse(self.browser.value(is_seen))
        self.nothing_was_wrong()

    def test_pictures_for_the_documents(self):
        if not ARGUMENTS.pictures:
            self.skipTest("no --pictures")
        place = pathlib.Path(ARGUMENTS.pictures)
        self.browser.size(1280, 1000)
        self.browser.value("document.querySelector('#matrix').scrollIntoView()")
        overview = self.browser.picture()
        self.browser.size(400, 800, mobile=True)
        self.browser.open(self.page)
        self.browser.value("location.hash = '#SECRET-1'")
        self.browser.value("new Promise((done) => setTimeout(done, 200))")
        telephone = self.browser.picture()
        for name, picture in (("guidelines-matrix.png", overview), ("guidelines-telephone.png", telephone)):
            self.assertGreater(len(picture), 10_000, "a picture of something")
            (place / name).write_bytes(picture)


# What is done to the page, and the check that has to notice it.
BROKEN = (
    ("a script that fails", "apply();\n  follow();", "apply();\n  nothing.here();", Filters, "test_a_search_by_keyboard_shows_what_holds_the_words"),
    ("a picture from elsewhere", "</h1>", "</h1><img alt=\"x\" src=\"https://example.com/x.png\">", Content, "test_every_guideline_provision_requirement_and_duty_is_there_once"),
    ("a filter that does nothing", "list(item, 'guidelines').includes(value)", "true", Filters, "test_each_filter_shows_what_it_says"),
    ("a field without a name", "<label for=\"words\">Search</label>", "", Access, "test_every_control_has_a_name_and_no_two_fields_share_one"),
    ("a cell without a name", "aria-label=\"Guideline 4, secret: ", "title=\"\" data-was=\"", DrillDown, "test_a_cell_of_the_matrix_leads_by_keyboard_to_requirement_code_and_test"),
    ("a link that leads nowhere", "href=\"#D-1\"", "href=\"#D-0\"", Content, "test_every_link_leads_somewhere_on_the_page"),
    ("a result that is not told", "last result: ", "", Content, "test_every_requirement_shows_its_code_its_tests_and_their_last_result"),
    ("a line that does not break", "<summary>", "<summary style=\"white-space:nowrap\">", Places, "test_on_a_telephone_nothing_but_the_matrix_is_wider_than_the_screen"),
    ("faint words", "color:CanvasText;overflow", "color:#999;overflow", Access, "test_words_can_be_read_in_light_and_dark"),
    ("closed on paper", "content-visibility:visible;block-size:auto", "", Places, "test_on_paper_details_are_open_and_filters_are_gone"),
    ("a link into what is hidden", "if (target.closest('[hidden]'))", "if (false)", DrillDown, "test_a_link_opens_what_it_names_even_where_a_filter_hides_it"),
)


def breaks():
    """Breaks the page in each way and tells what was not noticed."""
    text = pathlib.Path(ARGUMENTS.report).read_text()
    # The policy would keep a changed script from running, and so notice each of them.
    text = re.sub(r"script-src 'sha256-[^']*'", "script-src 'unsafe-inline'", text)
    missed = []
    with tempfile.TemporaryDirectory() as place:
        ARGUMENTS.report = str(pathlib.Path(place) / "broken.html")
        for what, old, new, case, check in BROKEN:
            if old not in text:
                missed.append(f"{what}: the page has no {old!r} to break")
                continue
            pathlib.Path(ARGUMENTS.report).write_text(text.replace(old, new))
            result = unittest.TestResult()
            unittest.TestSuite([case(check)]).run(result)
            noticed = bool(result.failures or result.errors)
            print(f"{'noticed' if noticed else 'MISSED '}  {what}")
            if not noticed:
                missed.append(what)
    return missed


def main():
    global ARGUMENTS
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report")
    parser.add_argument("--mapping", required=True, help="the same mapping as JSON")
    parser.add_argument("--pictures", help="a directory for pictures of the page")
    parser.add_argument("--broken", action="store_true", help="break the page in many ways, and see that it is noticed")
    ARGUMENTS = parser.parse_args()
    ARGUMENTS.browser = browser.find()
    if not ARGUMENTS.browser:
        sys.exit("there is no Chromium")
    loader = unittest.TestLoader()
    cases = (Content, Filters, DrillDown, Access, Places)
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        sys.exit(1)
    if ARGUMENTS.broken and breaks():
        sys.exit("a broken page was not noticed")


if __name__ == "__main__":
    main()
