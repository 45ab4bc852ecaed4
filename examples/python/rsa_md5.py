"""RSA signatures over MD5 (PKCS #1 v1.5), which Python's standard library lacks: only what a callback needs."""

import base64
import hashlib
import hmac

# What stands in front of the digest in a signature: "this is an MD5 digest, 16 bytes follow".
MD5_DIGEST_INFO = bytes.fromhex("3020300c06082a864886f70d020505000410")


def integers(der: bytes) -> list[int]:
    """The integers in DER, wherever they are nested. A public key has two: its modulus and its exponent."""
    found, at = [], 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(der[at : at + count], "big"), at + count
        if tag == 0x02:
            found.append(int.from_bytes(der[at : at + length], "big"))
        at += {0x30: 0, 0x03: 1}.get(tag, length)  # into a sequence, and into a bit string behind its first byte
    return found


class PublicKey:
    """The key in a PEM file (SubjectPublicKeyInfo). The file is trusted; what it verifies is not."""

    def __init__(self, pem: str) -> None:
        self.modulus, self.exponent = integers(base64.b64decode(pem.split("-----")[2]))
        self.size = (self.modulus.bit_length() + 7) // 8

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """The whole block is made again and compared, so that nothing can hide in it."""
        value = int.from_bytes(signature, "big")
        if len(signature) != self.size or value >= self.modulus:
            return False
        tail = b"\0" + MD5_DIGEST_INFO + hashlib.md5(message, usedforsecurity=False).digest()
        block = b"\0\1".ljust(self.size - len(tail), b"\xff") + tail
        return hmac.compare_digest(pow(value, self.exponent, self.modulus).to_bytes(self.size, "big"), block)
