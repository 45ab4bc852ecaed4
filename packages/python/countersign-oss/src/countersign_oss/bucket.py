"""One bucket of the instance: makes it, looks into it, removes it.

For more take an SDK of OSS; this is what a test needs for its own order, without installing one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse
import xml.etree.ElementTree
from email.utils import formatdate
from typing import Any, List, Mapping, Optional

from .exchange import Refused, Response, exchange


class Bucket:
    """A bucket by its `name`, reached with the instance's own key."""

    def __init__(self, instance: Any, name: str) -> None:
        self._instance = instance
        self.name = name

    def create(self) -> None:
        """Makes it. Raises Refused."""
        self._ask("PUT")

    def put(self, key: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Stores an object. Raises Refused."""
        self._ask("PUT", key, body=data, content_type=content_type)

    def get(self, key: str) -> bytes:
        """An object's bytes. Raises Refused, with code `NoSuchKey` where there is none."""
        return self._ask("GET", key).body

    def keys(self) -> List[str]:
        """The keys of all its objects, in order."""
        keys: List[str] = []
        query = {"list-type": "2", "encoding-type": "url", "max-keys": "1000"}
        while True:
            listed = xml.etree.ElementTree.fromstring(self._ask("GET", query=query).body)
            keys += [urllib.parse.unquote(found.text or "") for found in listed.iterfind("Contents/Key")]
            token = listed.findtext("NextContinuationToken")
            if listed.findtext("IsTruncated") != "true" or not token:
                return keys
            query["continuation-token"] = token

    def remove(self) -> None:
        """Deletes its objects and itself. Raises Refused, with code `BucketNotEmpty` where an upload came between."""
        for key in self.keys():
            self._ask("DELETE", key)
        self._ask("DELETE")

    def _ask(
        self,
        method: str,
        key: str = "",
        query: Optional[Mapping[str, str]] = None,
        body: Optional[bytes] = None,
        content_type: str = "",
    ) -> Response:
        """A request signed by version 1. A body of None is sent with length 0 where the method has one."""
        self._instance.require_running()
        date = formatdate(usegmt=True)
        resource = f"/{self.name}/{key}"
        # Of the query only what names an operation or a place in a list is signed.
        signed = [f"{name}={value}" for name, value in (query or {}).items() if name == "continuation-token"]
        canonical = resource + ("?" + "&".join(signed) if signed else "")
        text = f"{method}\n\n{content_type}\n{date}\n{canonical}".encode("utf-8")
        secret = self._instance.access_key_secret.encode("utf-8")
        signature = base64.b64encode(hmac.new(secret, text, hashlib.sha1).digest()).decode("ascii")
        headers = {"Date": date, "Authorization": f"OSS {self._instance.access_key_id}:{signature}"}
        if content_type:
            headers["Content-Type"] = content_type
        words = "?" + urllib.parse.urlencode(query) if query else ""
        url = self._instance.store_url.rstrip("/") + urllib.parse.quote(resource) + words
        answer = exchange(method, url, headers, b"" if body is None and method == "PUT" else body)
        if answer.status // 100 != 2:
            raise Refused(f"{method} {resource}", answer)
        return answer

    def __repr__(self) -> str:
        return f"<Bucket {self.name}>"
