"""One HTTP request to the instance and its answer.

Connections are made directly: a proxy that the environment names is for the Internet, and the instance is on this
machine.
"""

from __future__ import annotations

import http.client
import json
import urllib.parse
import xml.etree.ElementTree
from email.message import Message
from typing import Any, Mapping, Optional

_SECONDS_MAX = 60.0


class Response:
    """What was answered: `status`, `headers`, `body` in bytes, and readings of them."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacements for what is none."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError with the body in it where it is none."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ValueError(f"not JSON: {self!r}") from error

    @property
    def code(self) -> Optional[str]:
        """The code of a refusal of the store, `CallbackFailed` for instance; None where there is none."""
        return self._element("Code")

    @property
    def message(self) -> Optional[str]:
        """The sentence of a refusal of the store; None where there is none."""
        return self._element("Message")

    def _element(self, name: str) -> Optional[str]:
        try:
            found = xml.etree.ElementTree.fromstring(self.body)
        except xml.etree.ElementTree.ParseError:
            return None
        return found.findtext(name) if found.tag == "Error" else None

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.text[:2000]!r}>"


class Refused(RuntimeError):
    """The instance refused what this library asked it; `response` has its answer."""

    def __init__(self, asked: str, response: Response) -> None:
        super().__init__(f"{asked} was answered {response.status}: {response.text.strip()[:2000]}")
        self.response = response


def exchange(
    method: str, url: str, headers: Optional[Mapping[str, str]] = None, body: Optional[bytes] = None
) -> Response:
    """Sends one request to an http address and reads the whole answer. Raises OSError where nothing answers."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise ValueError(f"not an http address: {url}")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=_SECONDS_MAX)
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(method, target, body=body, headers={"Connection": "close", **(headers or {})})
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
