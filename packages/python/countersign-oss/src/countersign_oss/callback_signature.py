"""Verifies the store's signature of a callback: RSASSA-PKCS1-v1_5 with MD5, with one pinned key.

The key comes from the instance, by file. The address inside a callback is compared with the pinned one and never
fetched.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import urllib.parse
from email.message import Message

_RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d0101010500")
# What stands in front of the digest in the signed block: "an MD5 digest of 16 bytes follows".
_MD5_DIGEST_INFO = bytes.fromhex("3020300c06082a864886f70d020505000410")
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
_BITS_MIN = 512


class NotVerified(Exception):
    """The callback is not the store's word; the text says why."""


class PublicKey:
    """An RSA public key."""

    def __init__(self, modulus: int, exponent: int) -> None:
        """Raises ValueError for numbers that are no key of at least 512 bits, the size of OSS's own."""
        if modulus.bit_length() < _BITS_MIN or modulus % 2 == 0 or exponent < 3 or exponent % 2 == 0:
            raise ValueError("the numbers are no RSA public key")
        self.modulus = modulus
        self.exponent = exponent
        self.bytes = (modulus.bit_length() + 7) // 8

    @classmethod
    def from_pem(cls, pem: str) -> "PublicKey":
        """Reads one SubjectPublicKeyInfo in PEM. Raises ValueError for anything else."""
        text = pem.strip()
        if not text.startswith(_BEGIN) or not text.endswith(_END) or text.count(_BEGIN) != 1:
            raise ValueError("not one public key in PEM")
        encoded = "".join(text[len(_BEGIN) : -len(_END)].split())
        outer = _Der(base64.b64decode(encoded, validate=True))
        info = _Der(outer.take(0x30))
        outer.end()
        if info.take(0x30) != _RSA_ENCRYPTION:
            raise ValueError("not an RSA key")
        bits = info.take(0x03)
        info.end()
        if bits[:1] != b"\x00":
            raise ValueError("the key is not a whole number of bytes")
        inner = _Der(bits[1:])
        numbers = _Der(inner.take(0x30))
        inner.end()
        modulus, exponent = numbers.number(), numbers.number()
        numbers.end()
        return cls(modulus, exponent)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this is the key's signature. The whole block is made anew and compared: nothing can hide in it."""
        value = int.from_bytes(signature, "big")
        tail = b"\x00" + _MD5_DIGEST_INFO + _md5(message)
        padding = self.bytes - 2 - len(tail)
        if len(signature) != self.bytes or value >= self.modulus or padding < 8:
            return False
        expected = b"\x00\x01" + b"\xff" * padding + tail
        found = pow(value, self.exponent, self.modulus).to_bytes(self.bytes, "big")
        return hmac.compare_digest(found, expected)


def verify(key: PublicKey, key_url: str, headers: Message, target: str, body: bytes) -> None:
    """Raises NotVerified unless `key`, named by exactly `key_url`, signed this path, query and body."""
    signature = _decoded(headers, "authorization")
    named = _decoded(headers, "x-oss-pub-key-url")
    if named != key_url.encode("utf-8"):
        raise NotVerified(f"it names the key {named.decode('utf-8', 'replace')}, not the pinned {key_url}")
    path, question_mark, query = target.encode("latin-1").partition(b"?")
    # The path is signed decoded, the query as it is.
    signed = urllib.parse.unquote_to_bytes(path) + question_mark + query + b"\n" + body
    if not key.verifies(signature, signed):
        raise NotVerified("its signature does not fit its path, query and body")


def _decoded(headers: Message, name: str) -> bytes:
    found = headers.get_all(name, [])
    if len(found) != 1:
        raise NotVerified(f"it has {len(found)} headers {name}, not one")
    try:
        return base64.b64decode(found[0], validate=True)
    except (binascii.Error, ValueError):
        raise NotVerified(f"its header {name} is not base64") from None


def _md5(message: bytes) -> bytes:
    try:
        # Where MD5 is forbidden for security it is still needed here: the protocol knows nothing else.
        return hashlib.md5(message, usedforsecurity=False).digest()  # type: ignore[call-arg,unused-ignore]
    except TypeError:
        return hashlib.md5(message).digest()


class _Der:
    """As much of DER as a public key needs: a tag, a length in its shortest form, that many bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, tag: int) -> bytes:
        data = self._data
        if len(data) < 2 or data[0] != tag:
            raise ValueError("the key's structure is not that of a public key")
        length, start = data[1], 2
        if length & 0x80:
            count = length & 0x7F
            start += count
            length = int.from_bytes(data[2:start], "big")
            if not 1 <= count <= 4 or len(data) < start or length < 0x80 or data[2] == 0:
                raise ValueError("a length is not in its shortest form")
        if len(data) < start + length:
            raise ValueError("the key ends early")
        self._data = data[start + length :]
        return data[start : start + length]

    def number(self) -> int:
        data = self.take(0x02)
        if not data or data[0] & 0x80 or (len(data) > 1 and data[0] == 0 and not data[1] & 0x80):
            raise ValueError("a number is negative or not in its shortest form")
        return int.from_bytes(data, "big")

    def end(self) -> None:
        if self._data:
            raise ValueError("something follows the key")
