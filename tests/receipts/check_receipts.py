"""Checks receipts with a COSE library that is not ours: check_receipts.py DIRECTORY

The directory holds receipt-N.sign1, .mac0, .public (the device's public key) and .json, as `cargo run --example sold_on`
writes them.
"""

import json
import sys
from pathlib import Path

import cbor2
from pycose.algorithms import EdDSA, HMAC256
from pycose.headers import Algorithm, KID
from pycose.keys import OKPKey, SymmetricKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Mac0Message, Sign1Message

SHARED = b"a key that a test shares with it"
LEVELS = {1: "key destroyed", 2: "overwritten", 3: "flash erased", 4: "deleted by another component"}
SCOPES = {
    1: "one item",
    2: "the data of one user",
    3: "the data of all users",
    4: "factory reset",
    5: "transfer to another owner",
    6: "decommissioning",
}


def demand(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def check_signature(path, public):
    message = CoseMessage.decode(path.read_bytes())
    demand(isinstance(message, Sign1Message), f"{path.name} is a COSE_Sign1")
    demand(message.phdr[Algorithm] is EdDSA, f"{path.name} is signed with EdDSA")
    demand(len(message.uhdr[KID]) == 8, f"{path.name} names its key")
    message.key = OKPKey(crv=Ed25519, x=public)
    demand(message.verify_signature(), f"the signature of {path.name}")
    flipped = bytearray(message.payload)
    for at in range(len(flipped)):
        flipped[at] ^= 1
        message.payload = bytes(flipped)
        demand(not message.verify_signature(), f"{path.name} with byte {at} changed is refused")
        flipped[at] ^= 1
    message.payload = bytes(flipped)
    return message.payload


def check_code(path):
    message = CoseMessage.decode(path.read_bytes())
    demand(isinstance(message, Mac0Message), f"{path.name} is a COSE_Mac0")
    demand(message.phdr[Algorithm] is HMAC256, f"{path.name} has an HMAC 256/256")
    message.key = SymmetricKey(k=SHARED)
    demand(message.verify_tag(), f"the code of {path.name}")
    message.key = SymmetricKey(k=bytes(32))
    demand(not message.verify_tag(), f"{path.name} under another key is refused")
    return message.payload


def check_content(payload, shown):
    says = cbor2.loads(payload)
    demand(sorted(says) == list(range(1, 13)), "all twelve fields are there")
    demand(says[1] == 1 and says[2].startswith("bydesign "), "version and tool")
    demand(says[3] == [shown["manufacturer"], shown["model"], shown["serial"]], "the device")
    demand(SCOPES[says[4]] == shown["scope"], "the scope")
    demand(says[5] == shown["number"] and says[6] == shown["time"], "number and time")
    areas = [(name, level and LEVELS[level], verified, word) for name, level, verified, _, word in says[8]]
    expected = [(area["name"], area["level"], area["verified"], area["sp800_88"]) for area in shown["areas"]]
    demand(areas == expected, f"the areas: {areas} and {expected}")
    counts = [shown["gone"]["items"], shown["gone"]["bytes"], shown["left"]["items"], shown["left"]["bytes"]]
    demand(says[9] == [*counts, shown["keys"], shown["pages"]], "the counts")
    demand(says[10] == [shown["canary"]["opened_before"], shown["canary"]["failed_after"]], "the canary")
    demand(says[11] == shown["identity_pending"], "the identity")
    demand(says[12] == "self-attested", "who attests")
    return says


def main():
    directory = Path(sys.argv[1])
    receipts = sorted(directory.glob("receipt-*.sign1"))
    demand(len(receipts) == 3, f"three receipts, not {len(receipts)}")
    for path in receipts:
        public = path.with_suffix(".public").read_bytes()
        shown = json.loads(path.with_suffix(".json").read_text())
        payload = check_signature(path, public)
        demand(check_code(path.with_suffix(".mac0")) == payload, "both frames hold one payload")
        says = check_content(payload, shown)
        raw = path.read_bytes()
        for private in (b"first owner!", b"second owner", b"Ada L", b"Grace", b"wifi", b"pairing"):
            demand(private not in raw, f"{path.name} holds no {private!r}")
        print(f"{path.name}: {len(raw)} bytes, {shown['scope']}, {len(says[8])} areas: verified")


if __name__ == "__main__":
    main()
