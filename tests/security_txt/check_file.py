"""A security.txt that the library wrote, and the same with flaws, read by a checker that shares no code with it.

    python3 tests/security_txt/check_file.py FILE
"""

import pathlib
import sys

from sectxt import Parser

# What is done to the file, and the code that the checker gives it.
FLAWS = (
    ("Contact: mailto:", "Contact: ", "no_uri"),
    ("Policy: https:", "Policy: http:", "no_https"),
    ("Expires: 20", "Expires: 19", "expired"),
    ("Contact:", "X-Contact:", "no_contact"),
    ("Expires:", "X-Expires:", "no_expire"),
    ("Contact: ", "Contact:", "no_space"),
)


def codes(text):
    parser = Parser(text.encode())
    return [error["code"] for error in parser.errors]


def main():
    text = pathlib.Path(sys.argv[1]).read_text()
    if codes(text):
        sys.exit(f"the file has flaws: {codes(text)}\n{text}")
    for old, new, code in FLAWS:
        changed = text.replace(old, new, 1)
        if changed == text or code not in codes(changed):
            sys.exit(f"{new!r} in place of {old!r}: {codes(changed)}, and not {code}")
    print(f"no flaw in the file, and {len(FLAWS)} flaws found in changed ones")


if __name__ == "__main__":
    main()
