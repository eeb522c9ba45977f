"""Checks a batch with libraries that are not ours: check_batch.py OUT PRIVATE_KEY_FILE LABEL BYTES [ISSUER.pem]

OUT is what `bydesign provision` made for stores with that label, of so many bytes. Its manifest is opened with the HPKE of `cryptography`; its images with tests/reader, which was
written from docs/on-flash-format.md; the verifiers in them are checked against the printed codes with argon2-cffi, and with PBKDF2 and
P-256 of `cryptography`; certificates and requests (PKCS#10) with `cryptography`, against the issuer's certificate where one is given; the QR codes on the
sheets with ZXing.
"""

import csv
import datetime
import hashlib
import json
import re
import sys
from pathlib import Path

import argon2
import numpy
import zxingcpp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

sys.path.insert(0, str(Path(__file__).parent.parent / "reader"))
from reader import read_image

ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def demand(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def opened(line, private_key):
    row = json.loads(line)
    info = f"bydesign manifest row 1 {row['device_id']} {row['serial']}".encode()
    sealed = bytes.fromhex(row["enc"]) + bytes.fromhex(row["ciphertext"])
    secrets = json.loads(SUITE.decrypt(sealed, private_key, info=info))
    demand(secrets["serial"] == row["serial"], "a row says the serial that stands on it")
    try:
        SUITE.decrypt(sealed, private_key, info=info + b"0")
    except Exception:
        return secrets
    return demand(False, "a row opens for another device")


def items_of(image, key, label, size):
    """Typed values begin with their version, which is 0. Behind the store are the areas of limiters."""
    contents = read_image(image.read_bytes()[:size], key, label)
    return {name if isinstance(name, str) else bytes(name).decode(): bytes(value) for _, name, value in contents.items}


def check_verifiers(items, label):
    hasher = argon2.PasswordHasher()
    for item, column in (("pairing.code", "pairing_code"), ("device.password", "device_password")):
        if column in label:
            phc = items[item][1:].decode()
            code = label[column].replace("-", "")
            demand(phc.startswith("$argon2id$v=19$"), f"{item} is a PHC string")
            demand(hasher.verify(phc, code), f"{item} is that of the label")
            wrong = ("3" if code[0] == "2" else "2") + code[1:]
            try:
                hasher.verify(phc, wrong)
                demand(False, f"{item} takes a wrong code")
            except argon2.exceptions.VerifyMismatchError:
                pass
    if "matter_manual_code" in label:
        digits = label["matter_manual_code"].replace("-", "")
        passcode = int(digits[6:10]) << 14 | int(digits[1:6]) & 0x3FFF
        pake = items["pairing.pake"][1:]
        iterations, salt_len = int.from_bytes(pake[:4], "little"), pake[4]
        salt, w0, l = pake[5:5 + salt_len], pake[5 + salt_len:37 + salt_len], pake[37 + salt_len:]
        derived = hashlib.pbkdf2_hmac("sha256", passcode.to_bytes(4, "little"), salt, iterations, 80)
        scalars = [int.from_bytes(half, "big") % ORDER_OF_P256 for half in (derived[:40], derived[40:])]
        demand(w0 == scalars[0].to_bytes(32, "big"), "w0 is that of the label")
        point = ec.derive_private_key(scalars[1], ec.SECP256R1()).public_key()
        form = serialization.PublicFormat.UncompressedPoint
        demand(l == point.public_bytes(serialization.Encoding.X962, form), "L is that of the label")
    if "wifi_key" in label:
        demand(items["wifi.ssid"][1:].decode() == label["wifi_ssid"], "the name of the network")
        demand(items["wifi.key"][1:].decode() == label["wifi_key"], "the key of the network")


def check_issued(certificate, issuer):
    """By an authority: signed by it, named as it names itself, and by its key's identifier; not by another authority."""
    certificate.verify_directly_issued_by(issuer)
    demand(certificate.issuer.public_bytes() == issuer.subject.public_bytes(), "the issuer is named byte for byte")
    own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    demand(own == named, "the issuer's key is the one that is named")
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    demand(usage.digital_signature and not usage.key_cert_sign, "it signs, and signs no certificates")
    forged = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    forged[-1] ^= 1
    try:
        x509.load_der_x509_certificate(bytes(forged)).verify_directly_issued_by(issuer)
        demand(False, "a changed signature passes")
    except (InvalidSignature, ValueError):
        pass


def check_request(request, key, registry):
    demand(request.is_signature_valid, "the request is signed by the identity")
    key.verify(request.signature, request.tbs_certrequest_bytes)
    demand(request.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME) != [], "the request names the organisation")
    models = request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    demand([model.value for model in models] == [registry["model"]], "the request names the model")
    demand("certificate_sha256" not in registry, "no certificate was issued")


def check_identity(items, registry, certificate, kind, issuer):
    seed = items["identity"][1:]
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed).public_key()
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    info = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    demand(registry["public_key"] == raw.hex(), "the registry has the public key of the identity")
    demand(registry["device_id"] == hashlib.sha256(info).hexdigest()[:32], "the device id is that of the public key")
    if certificate is None:
        return
    demand(certificate.public_key() == key, "the certificate is about the identity")
    numbers = certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)
    demand([number.value for number in numbers] == [registry["serial"]], "the subject has the serial number")
    if kind == "requests":
        check_request(certificate, key, registry)
        return
    demand(registry["certificate_sha256"] == hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest(), "fingerprint")
    demand(items["identity.certificate"] == certificate.public_bytes(serialization.Encoding.DER), "the image has the certificate")
    never = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)
    demand(certificate.not_valid_after_utc == never, "it does not expire")
    demand(not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, "it issues nothing")
    check_issued(certificate, issuer) if issuer else certificate.verify_directly_issued_by(certificate)


def codes_on(sheet):
    """Draws the paths of a sheet into pixels, and reads them."""
    for size, path in re.findall(r'viewBox="-4 -4 (\d+) \d+" shape-rendering="crispEdges"><path d="([^"]*)"', sheet.read_text()):
        pixels = numpy.full((int(size), int(size)), 255, numpy.uint8)
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", path):
            x, y, length = int(x) + 4, int(y) + 4, int(length)
            pixels[y, x:x + length] = 0
        read = zxingcpp.read_barcodes(numpy.kron(pixels, numpy.ones((6, 6), numpy.uint8)))
        demand(len(read) == 1, f"one code in each picture of {sheet.name}")
        yield read[0].text


def main(out, private_key_file, label_of_store, size, issuer_file=None):
    private_key = x25519.X25519PrivateKey.from_private_bytes(bytes.fromhex(Path(private_key_file).read_text().strip()))
    issuer = x509.load_pem_x509_certificate(Path(issuer_file).read_bytes()) if issuer_file else None
    registry = [json.loads(line) for line in (out / "registry.jsonl").read_text().splitlines()]
    manifest = (out / "manifest.jsonl").read_text().splitlines()
    with open(out / "labels.csv", newline="") as file:
        labels = list(csv.DictReader(file))
    images = sorted((out / "images").glob("*/*.bin"))
    demand(len(registry) == len(manifest) == len(labels) == len(images) > 0, "as many of each")
    certificates, kind = [None] * len(registry), None
    for kind_of, load in (("certificates", x509.load_pem_x509_certificate), ("requests", x509.load_pem_x509_csr)):
        path = out / f"{kind_of}.pem"
        if path.exists():
            blocks = re.findall(rb"-----BEGIN [^-]+-----.*?-----END [^-]+-----\n", path.read_bytes(), re.S)
            certificates, kind = [load(block) for block in blocks], kind_of
    demand(len(certificates) == len(registry), "a certificate for each device")
    for row, line, label, image, certificate in zip(registry, manifest, labels, images, certificates):
        demand(row["serial"] == label["serial"] and row["device_id"] == label["device_id"], "rows of one device")
        secrets = opened(line, private_key)
        key = bytes.fromhex(secrets.get("root_key") or secrets["transport_key"])
        items = items_of(image, key, label_of_store, size)
        demand(items["serial"][1:].decode() == row["serial"], "the image has the serial")
        check_verifiers(items, label)
        check_identity(items, row, certificate, kind, issuer)
    expected = [label[column] for label in labels for column in ("matter_qr", "wifi_qr", "pairing_qr")[:2] if column in label]
    read = [text for sheet in sorted((out / "sheets").glob("*/*.svg")) for text in codes_on(sheet)]
    if "matter_qr" in labels[0] and "wifi_qr" in labels[0]:
        demand(read == expected, "the codes on the sheets are those of the labels, in their order")
    demand(len(read) > 0, "codes were read")
    print(f"{len(registry)} devices, {len(read)} QR codes, {kind or 'raw public keys'}: all agree")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3].encode(), int(sys.argv[4]), *sys.argv[5:6])
