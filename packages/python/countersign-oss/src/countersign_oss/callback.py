"""One verified callback of the store."""

from __future__ import annotations

import json
import urllib.parse
from email.message import Message
from typing import Any, Dict, Optional

from .answer import Answer


class Callback:
    """What the store said of one upload. Only a callback whose signature holds becomes one of these."""

    def __init__(self, target: str, headers: Message, body: bytes) -> None:
        self.target = target
        """Path and query as received."""
        self.headers = headers
        """As received. The signature does not cover them."""
        self.body = body
        """As received, and signed."""
        self.values: Dict[str, Any] = _values(headers.get_content_type(), body)
        """The body's values by name: texts of a form, or whatever a JSON object has."""
        self.answer: Optional[Answer] = None
        """What the handler said; None until it has."""

    @property
    def object(self) -> str:
        """The key of the object, from `object` or, as in Alibaba's samples, `filename`."""
        for name in ("object", "filename"):
            if name in self.values:
                return str(self.values[name])
        raise LookupError(f"the callback's body names no object: {self!r}")

    @property
    def size(self) -> int:
        """The object's bytes."""
        if "size" not in self.values:
            raise LookupError(f"the callback's body names no size: {self!r}")
        return int(self.values["size"])

    @property
    def bucket(self) -> str:
        """The bucket, from the body where that names it, else from the header."""
        return str(self.values.get("bucket") or self.headers.get("x-oss-bucket", ""))

    def __repr__(self) -> str:
        said = f" answered {self.answer!r}" if self.answer else ""
        return f"<Callback {self.body.decode('utf-8', 'replace')[:500]}{said}>"


def _values(content_type: str, body: bytes) -> Dict[str, Any]:
    text = body.decode("utf-8", "replace")
    if content_type == "application/json":
        try:
            read = json.loads(text)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}
    return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))
