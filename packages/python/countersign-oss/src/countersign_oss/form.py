"""A signed form, and its upload as a browser sends it."""

from __future__ import annotations

import mimetypes
import secrets
from typing import List, Mapping, Optional, Tuple

from .exchange import Response, exchange


class SignedForm:
    """Where a form goes and what it must hold; good for as many uploads as its policy permits."""

    def __init__(self, url: str, fields: List[Tuple[str, str]], directory: str) -> None:
        self.url = url
        self.fields = fields
        """Name and value in order; the file goes behind them."""
        self.directory = directory
        """What the keys begin with."""

    def upload(
        self,
        name: str,
        data: bytes,
        content_type: Optional[str] = None,
        fields: Optional[Mapping[str, str]] = None,
    ) -> Response:
        """Sends the file under this name and gives the answer, whatever it is.

        `fields` replace those of the same name and add the others: so a test sends what an attacker would.
        """
        chosen = dict(fields or {})
        sent = [(field, chosen.pop(field, value)) for field, value in self.fields]
        sent += list(chosen.items())
        boundary = "countersign-" + secrets.token_hex(16)
        kind = content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        body = _body(boundary, sent, name, kind, data)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return exchange("POST", self.url, headers, body)


def _body(boundary: str, fields: List[Tuple[str, str]], name: str, kind: str, data: bytes) -> bytes:
    parts = []
    for field, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(field)}"\r\n\r\n'
        parts.append(head.encode("utf-8") + value.encode("utf-8") + b"\r\n")
    disposition = f'Content-Disposition: form-data; name="file"; filename="{_quoted(name)}"'
    head = f"--{boundary}\r\n{disposition}\r\nContent-Type: {kind}\r\n\r\n"
    parts.append(head.encode("utf-8") + data + f"\r\n--{boundary}--\r\n".encode("ascii"))
    return b"".join(parts)


def _quoted(text: str) -> str:
    """As browsers write a name: what would end it is percent-encoded."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
