"""An application server for uploads that go straight to the store, on Python's standard library.

    GET  /signature     a signed form for uploads into the user's own folder
    POST /callback      the store's callback: verified, recorded once, answered in this application's words
    GET  /uploads?key=  what this application said about one upload; null while no callback has come
"""

import base64
import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import environ as ENV
from pathlib import Path
from time import gmtime, strftime, time
from urllib.parse import parse_qsl, unquote_to_bytes

from rsa_md5 import PublicKey

BUCKET, SECRET = ENV["OSS_BUCKET"], ENV["OSS_ACCESS_KEY_SECRET"]
# On the real OSS: f"https://{BUCKET}.oss-cn-hangzhou.aliyuncs.com"
UPLOAD_HOST = f"{ENV['OSS_ENDPOINT']}/{BUCKET}"
STORE_KEY = PublicKey(Path(ENV["COUNTERSIGN_CALLBACK_KEY_FILE"]).read_text("ascii"))
UPLOAD_BYTES_MAX, CALLBACK_BYTES_MAX = 5 << 20, 64 << 10

# Your login, and your table of uploads with a unique index on the key.
users = dict(parse_qsl(ENV["APP_TOKENS"]))  # token=user&token=user
uploads: dict[str, dict[str, str]] = {}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def permit_for(folder: str) -> str:
    """Shows that a callback is for a form of ours: on the real OSS, the callbacks of all customers bear one key."""
    return hmac.digest(SECRET.encode(), f"permit {folder}".encode(), "sha256").hex()


def form_for(folder: str) -> dict[str, object]:
    """The policy pins, letter by letter, whatever the form carries besides the file; of the key it pins the folder."""
    date, expiration = strftime("%Y%m%dT%H%M%SZ", gmtime()), strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(time() + 300))
    scope = [date[:8], ENV["OSS_REGION"], "oss", "aliyun_v4_request"]
    callback_body = f"object=${{object}}&size=${{size}}&mimeType=${{mimeType}}&permit={permit_for(folder)}"
    pinned = {
        "callback": base64_of(json.dumps({"callbackUrl": ENV["CALLBACK_URL"], "callbackBody": callback_body})),
        "x-oss-forbid-overwrite": "true", "x-oss-object-acl": "private",
        "x-oss-signature-version": "OSS4-HMAC-SHA256", "x-oss-date": date,
        "x-oss-credential": "/".join([ENV["OSS_ACCESS_KEY_ID"], *scope]),
    }
    limits = [["starts-with", "$key", folder], ["content-length-range", 1, UPLOAD_BYTES_MAX]]
    conditions = [{"bucket": BUCKET}, *limits, *({name: value} for name, value in pinned.items())]
    policy = base64_of(json.dumps({"expiration": expiration, "conditions": conditions}))
    signature = f"aliyun_v4{SECRET}".encode()
    for word in [*scope, policy]:
        signature = hmac.digest(signature, word.encode(), "sha256")
    fields = {"key": folder + "${filename}", **pinned, "policy": policy, "x-oss-signature": signature.hex()}
    return {"host": UPLOAD_HOST, "dir": folder, "fields": fields}


class Application(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        user = users.get(self.headers.get("authorization", "").removeprefix("Bearer "))
        path, _, query = self.path.partition("?")
        asked, folder = dict(parse_qsl(query)), f"user/{user}/"
        wanted = asked.get("path") or asked.get("key") or folder
        if user is None or not wanted.startswith(folder):
            self.answer(401 if user is None else 403, {"message": "A user has his own folder, after a login."})
        elif path not in ("/signature", "/uploads"):
            self.answer(404, {"message": "There is nothing here."})
        else:
            self.answer(200, form_for(folder) if path == "/signature" else uploads.get(wanted))

    def do_POST(self) -> None:
        try:
            self.answer(200, self.receive())
        except (LookupError, TypeError, ValueError):  # something is missing, comes twice, or is not what it should be
            self.answer(400, {"Status": "Refused"})

    def receive(self) -> dict[str, str]:
        """The key's address is compared and never fetched. The path is signed decoded, the query as it came."""
        [authorization], [address] = self.headers.get_all("authorization"), self.headers.get_all("x-oss-pub-key-url")
        target, length = self.requestline.split(" ")[1], int(self.headers["content-length"])
        path, mark, query = target.partition("?")
        body = self.rfile.read(max(0, min(length, CALLBACK_BYTES_MAX)))  # of a longer one no signature fits the part
        signed = unquote_to_bytes(path) + f"{mark}{query}\n".encode() + body
        is_signed = path == "/callback" and STORE_KEY.verifies(base64.b64decode(authorization, validate=True), signed)
        facts = dict(parse_qsl(body.decode()))
        key = facts["object"]
        is_ours = hmac.compare_digest(facts["permit"], permit_for(key[: key.rfind("/") + 1]))
        if not is_ours or not is_signed or address != base64_of(ENV["COUNTERSIGN_CALLBACK_KEY_URL"]):
            raise ValueError("not from the store, or not for a form of ours")
        is_picture = facts.get("mimeType", "").startswith("image/")
        answer = {"Status": "OK"} if is_picture else {"Status": "Declined", "message": "Only pictures are kept here."}
        said = uploads.setdefault(key, answer)  # a callback that comes again hears what the first one heard
        print(f"{key!r}: {said['Status']} (again: {said is not answer})", flush=True)
        return said

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(ENV["PORT"])), Application).serve_forever()
