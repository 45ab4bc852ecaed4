#!/usr/bin/env python3
"""A callback server in one file, with nothing but Python's standard library.

    python3 callback_server.py [port] [--key FILE-OR-URL] [--key-url URL] [--host ADDRESS]

The store calls it when an upload is stored, and the uploader hears what it answers. It believes callbacks that are
signed with one key: Alibaba Cloud's production key, or the one given as --key. A key from a URL is fetched once, at
the start; the address inside a callback is compared and never fetched.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ALIBABA_KEY = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs
C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==
-----END PUBLIC KEY-----
"""
ALIBABA_KEY_URLS = (
    "https://gosspublic.alicdn.com/callback_pub_key_v1.pem",
    "http://gosspublic.alicdn.com/callback_pub_key_v1.pem",
)
BODY_BYTES_MAX = 1024 * 1024
RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101")
# What stands in front of an MD5 digest in a PKCS #1 v1.5 signature: "this is an MD5 digest, 16 bytes follow".
MD5_DIGEST_INFO = bytes.fromhex("3020300c06082a864886f70d020505000410")


class Refused(Exception):
    """The callback is not believed; the text says why."""


class PublicKey:
    """An RSA public key out of a PEM file (SubjectPublicKeyInfo)."""

    def __init__(self, pem):
        try:
            body = pem.split("-----BEGIN PUBLIC KEY-----")[1].split("-----END PUBLIC KEY-----")[0]
            outer = Der(base64.b64decode("".join(body.split()), validate=True)).enter(0x30)
            algorithm = outer.enter(0x30)
            if algorithm.bytes_left()[: len(RSA_ENCRYPTION)] != RSA_ENCRYPTION:
                raise ValueError("not RSA")
            bits = outer.take(0x03)
            if bits[:1] != b"\x00":
                raise ValueError("bits are left over")
            numbers = Der(bits[1:]).enter(0x30)
            self.modulus = int.from_bytes(numbers.take(0x02), "big")
            self.exponent = int.from_bytes(numbers.take(0x02), "big")
        except (IndexError, ValueError, binascii.Error) as error:
            raise SystemExit(f"the key is not an RSA public key in PEM: {error}") from error
        self.size = (self.modulus.bit_length() + 7) // 8

    def verifies(self, signature, message):
        """RSASSA-PKCS1-v1_5 with MD5. The whole block is made again and compared, so that nothing can hide in it."""
        value = int.from_bytes(signature, "big")
        if len(signature) != self.size or value >= self.modulus:
            return False
        tail = b"\x00" + MD5_DIGEST_INFO + hashlib.md5(message, usedforsecurity=False).digest()
        expected = b"\x00\x01" + b"\xff" * (self.size - 2 - len(tail)) + tail
        found = pow(value, self.exponent, self.modulus).to_bytes(self.size, "big")
        return hmac.compare_digest(found, expected)


class Der:
    """As much of DER as a public key needs: a tag, a length, that many bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, tag):
        if self.data[self.at] != tag:
            raise ValueError(f"tag {self.data[self.at]:02x} where {tag:02x} is expected")
        length = self.data[self.at + 1]
        start = self.at + 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(self.data[start : start + count], "big")
            start += count
        if start + length > len(self.data):
            raise ValueError("the bytes end early")
        self.at = start + length
        return self.data[start : self.at]

    def enter(self, tag):
        return Der(self.take(tag))

    def bytes_left(self):
        return self.data[self.at :]


def check(key, key_urls, headers, target, body):
    """Raises Refused unless the store signed this path, query and body. key_urls None: any address, one key."""
    for name in ("authorization", "x-oss-pub-key-url"):
        if len(headers.get_all(name, [])) != 1:
            raise Refused(f"the callback needs one {name} header")
    try:
        key_url = base64.b64decode(headers["x-oss-pub-key-url"], validate=True).decode("utf-8")
        signature = base64.b64decode(headers["authorization"], validate=True)
    except (binascii.Error, ValueError):
        raise Refused("a header is not base64") from None
    if key_urls is not None and key_url not in key_urls:
        raise Refused("the callback names a key that is not trusted here")
    path, question_mark, query = target.partition("?")
    # The path is signed decoded, the query as it is.
    signed = urllib.parse.unquote_to_bytes(path.encode("latin-1")) + (question_mark + query).encode("latin-1") + b"\n" + body
    if not key.verifies(signature, signed):
        raise Refused("the signature does not fit")


class CallbackHandler(BaseHTTPRequestHandler):
    """One callback."""

    server_version = "callback-server"
    timeout = 10
    bytes_unread = 0

    def do_POST(self):
        try:
            body = self.read_body()
            check(self.server.key, self.server.key_urls, self.headers, self.path, body)
        except Refused as refused:
            self.answer(400, {"Status": "Refused", "message": str(refused)})
            # A connection closed on a sender in mid-sentence is reset, and the reset overtakes the answer.
            self.rfile.read(min(self.bytes_unread, 8 * BODY_BYTES_MAX))
            return
        text = body.decode("utf-8", "replace")
        print("uploaded:", json.dumps(dict(urllib.parse.parse_qsl(text)) or text, ensure_ascii=False), flush=True)
        # Here the application does what it has to do, within the store's five seconds. Its answer is what the
        # uploader hears, and anything but 200 becomes his "stored but not confirmed".
        self.answer(200, {"Status": "OK"})

    def read_body(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            raise Refused("the callback needs a content-length")
        if int(length) > BODY_BYTES_MAX:
            self.bytes_unread = int(length)
            raise Refused("the callback is too long")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise Refused("the callback broke off")
        return body

    def answer(self, status, value):
        body = json.dumps(value).encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def read_key(place):
    if place.startswith(("http://", "https://")):
        with urllib.request.urlopen(place, timeout=10) as response:
            return response.read(BODY_BYTES_MAX).decode("ascii")
    with open(place, encoding="ascii") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description="Receives and verifies upload callbacks.")
    parser.add_argument("port", nargs="?", type=int, default=23451)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--key", help="the store's public key, a PEM file or its URL (Alibaba Cloud's)")
    parser.add_argument("--key-url", help="the address that callbacks must name for it")
    options = parser.parse_args()
    server = ThreadingHTTPServer((options.host, options.port), CallbackHandler)
    server.daemon_threads = True
    if options.key is None:
        server.key, server.key_urls = PublicKey(ALIBABA_KEY), ALIBABA_KEY_URLS
    else:
        server.key = PublicKey(read_key(options.key))
        named = options.key_url or (options.key if "://" in options.key else None)
        # A key from a file without an address: that key decides, whatever address a callback names.
        server.key_urls = (named,) if named else None
    print(f"waiting for callbacks on http://{options.host}:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
