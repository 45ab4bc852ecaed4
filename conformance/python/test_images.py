"""Real pictures of every format whose size OSS reads, made here with Pillow, and the numbers in their callbacks."""

import base64
import datetime
import hashlib
import hmac
import io
import json
import struct
import urllib.parse
import uuid
import zlib

import oss2
import pillow_heif
import pytest
import requests
from conftest import KEY_ID, KEY_SECRET
from PIL import Image

pillow_heif.register_heif_opener()
WIDTH, HEIGHT = 320, 200


def picture(name, **options):
    buffer = io.BytesIO()
    Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB").save(buffer, name, **options)
    return buffer.getvalue()


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    return picture("JPEG", exif=exif)


def png_after_another_chunk():
    """As Apple's tools write it: a private chunk before IHDR."""
    data = picture("PNG")
    chunk = b"CgBI" + b"\x50\x00\x20\x06"
    return data[:8] + len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + data[8:]


def bmp_top_down():
    data = bytearray(picture("BMP"))
    data[22:26] = struct.pack("<i", -HEIGHT)
    return bytes(data)


def jpg_with_fill_bytes():
    data = picture("JPEG")
    return data[:2] + b"\xff" * 5 + data[2:]


CASES = {
    "png-after-another-chunk": (png_after_another_chunk, "png"),
    "bmp-top-down": (bmp_top_down, "bmp"),
    "jpg-with-fill-bytes": (jpg_with_fill_bytes, "jpg"),
    "tiff-big": (lambda: picture("TIFF", big_tiff=True), "tiff"),
    "jpg": (lambda: picture("JPEG"), "jpg"),
    "jpg-rotated": (rotated, "jpg"),
    "jpg-progressive": (lambda: picture("JPEG", progressive=True), "jpg"),
    "png": (lambda: picture("PNG"), "png"),
    "gif": (lambda: picture("GIF"), "gif"),
    "bmp": (lambda: picture("BMP"), "bmp"),
    "webp": (lambda: picture("WEBP"), "webp"),
    "webp-lossless": (lambda: picture("WEBP", lossless=True), "webp"),
    "tiff": (lambda: picture("TIFF"), "tiff"),
    "tiff-deflate": (lambda: picture("TIFF", compression="tiff_adobe_deflate"), "tiff"),
    "heic": (lambda: picture("HEIF"), "heic"),
}


@pytest.fixture
def bucket(store):
    made = oss2.Bucket(oss2.make_auth(KEY_ID, KEY_SECRET), store, f"img-{uuid.uuid4().hex[:12]}")
    made.create_bucket()
    return made


def post(bucket, store, callback, data):
    expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    policy = {"expiration": expiration.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "conditions": [["content-length-range", 0, 1 << 30]]}
    policy = base64.b64encode(json.dumps(policy).encode())
    fields = {
        "key": "picture",
        "policy": policy.decode(),
        "OSSAccessKeyId": KEY_ID,
        "success_action_status": "200",
        "callback": base64.b64encode(json.dumps(callback).encode()).decode(),
        "signature": base64.b64encode(hmac.new(KEY_SECRET.encode(), policy, hashlib.sha1).digest()).decode(),
    }
    return requests.post(f"{store}/{bucket.bucket_name}/", data=fields, files={"file": ("p", data)}, timeout=20)


@pytest.mark.parametrize("name", CASES)
def test_measures(name, bucket, store, application):
    make, format_name = CASES[name]
    url, received = application
    body = "w=${imageInfo.width}&h=${imageInfo.height}&f=${imageInfo.format}&size=${size}"
    data = make()
    answer = post(bucket, store, {"callbackUrl": url, "callbackBody": body}, data)
    assert answer.status_code == 200, answer.text
    told = urllib.parse.parse_qs(received[0][2].decode(), keep_blank_values=True)
    assert told == {"w": [str(WIDTH)], "h": [str(HEIGHT)], "f": [format_name], "size": [str(len(data))]}
    assert bucket.get_object("picture").read() == data


@pytest.mark.parametrize("data", [b"", b"no picture", rotated()[:40], b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\xff" * 64, b"II*\x00\xff\xff\xff\xff"])
def test_says_nothing_about_what_is_no_whole_picture(data, bucket, store, application):
    url, received = application
    answer = post(bucket, store, {"callbackUrl": url, "callbackBody": "w=${imageInfo.width}&h=${imageInfo.height}"}, data)
    assert answer.status_code == 200, answer.text
    assert received[0][2] == b"w=&h="
