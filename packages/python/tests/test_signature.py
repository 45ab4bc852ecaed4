"""The verifier against callbacks that OSS really sent, and against signatures that only look right."""

import base64
import hashlib
import json
import pathlib
from email.message import Message

import pytest
from countersign_oss.callback_signature import NotVerified, PublicKey, verify

VECTORS = json.loads((pathlib.Path(__file__).parents[3] / "vectors/callback_signature.json").read_text("utf-8"))
KEY = PublicKey.from_pem(VECTORS["public_key_pem"])
KEY_URL = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
CASES = [case for case in VECTORS["cases"] if "authorization" in case]


def headers(authorization, key_url=KEY_URL):
    message = Message()
    message["Authorization"] = authorization
    message["x-oss-pub-key-url"] = base64.b64encode(key_url.encode()).decode()
    return message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_callback_of_oss_verifies_and_a_changed_one_does_not(case):
    target, body, authorization = case["path_and_query"], case["body"].encode(), case["authorization"]
    verify(KEY, KEY_URL, headers(authorization), target, body)
    for changed_target, changed_body in [(target, body + b"&x=1"), (target + "x", body), ("/other", body)]:
        with pytest.raises(NotVerified, match="does not fit"):
            verify(KEY, KEY_URL, headers(authorization), changed_target, changed_body)


def test_headers_that_decide_must_be_there_once_and_name_the_pinned_key():
    case = CASES[0]
    arguments = (case["path_and_query"], case["body"].encode())
    doubled = headers(case["authorization"])
    doubled["authorization"] = case["authorization"]
    lacking = headers(case["authorization"])
    del lacking["x-oss-pub-key-url"]
    elsewhere = headers(case["authorization"], "https://gosspublic.alicdn.com@evil.example/key.pem")
    for wrong, reason in [
        (doubled, "2 headers"),
        (lacking, "0 headers"),
        (elsewhere, "not the pinned"),
        (headers("!" + case["authorization"]), "not base64"),
        (headers(base64.b64encode(b"\0" + base64.b64decode(case["authorization"])).decode()), "does not fit"),
        (headers(""), "does not fit"),
    ]:
        with pytest.raises(NotVerified, match=reason):
            verify(KEY, KEY_URL, wrong, *arguments)


def test_a_block_that_is_not_padded_to_its_whole_length_is_no_signature():
    """With the exponent 3, a cube root of "right beginning, then rubbish" passes a reader that stops at the digest."""
    modulus = (1 << 2048) - 1
    weak = PublicKey(modulus, 3)
    info = bytes.fromhex("3020300c06082a864886f70d020505000410")
    begins = b"\x00\x01" + b"\xff" * 8 + b"\x00" + info + hashlib.md5(b"message").digest()
    target = int.from_bytes(begins + b"\xff" * (256 - len(begins)), "big")
    root = 1 << (target.bit_length() // 3 + 1)
    while True:
        better = (2 * root + target // (root * root)) // 3
        if better >= root:
            break
        root = better
    block = (root**3).to_bytes(256, "big")
    assert block.startswith(begins), "the forgery is one that a careless reader would accept"
    assert not weak.verifies(root.to_bytes(256, "big"), b"message")


def test_a_signature_beyond_the_modulus_or_of_another_length_is_none():
    signature = base64.b64decode(CASES[0]["authorization"])
    message = CASES[0]["string_to_sign"].encode()
    assert KEY.verifies(signature, message)
    assert not KEY.verifies(signature[:-1], message)
    assert not KEY.verifies(b"\0" + signature, message)
    # The same number modulo the key, in as many bytes: a second spelling of one signature.
    tried = 0
    for case in CASES:
        beyond = int.from_bytes(base64.b64decode(case["authorization"]), "big") + KEY.modulus
        if beyond < 1 << (8 * KEY.bytes):
            tried += 1
            assert not KEY.verifies(beyond.to_bytes(KEY.bytes, "big"), case["string_to_sign"].encode())
    assert tried > 0


def longer(pem):
    """The key with a byte behind it, all within one PEM."""
    lines = pem.strip().splitlines()
    data = base64.b64decode("".join(lines[1:-1])) + b"\0"
    return "\n".join([lines[0], base64.b64encode(data).decode(), lines[-1]])


@pytest.mark.parametrize(
    "spoil",
    [
        longer,
        lambda pem: pem.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        lambda pem: pem + pem,
        lambda pem: pem.replace("MFww", "MF0w"),
        lambda pem: pem.replace("AQAB", "AQAC").replace("CAwEAAQ==", "CAwEAAg=="),
        lambda pem: pem.replace("DQYJKoZIhvcNAQEB", "DQYJKoZIhvcNAQEC"),
        lambda pem: pem.replace("MFww", "MIFc"),
        lambda pem: "",
    ],
)
def test_a_key_that_is_not_exactly_one_rsa_public_key_is_refused(spoil):
    spoiled = spoil(VECTORS["public_key_pem"])
    assert spoiled != VECTORS["public_key_pem"]
    with pytest.raises(ValueError):
        PublicKey.from_pem(spoiled)
