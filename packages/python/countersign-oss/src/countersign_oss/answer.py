"""What a test's handler says to a callback, and so to the uploader."""

from __future__ import annotations

import json
from typing import Any

ACCEPTED = {"Status": "OK"}


class Answer:
    """An answer with a status of its own. With 200 the uploader gets `body`; with any other, 203 CallbackFailed."""

    def __init__(self, body: Any = None, status: int = 200, content_type: str = "application/json") -> None:
        """`body` is bytes, sent as they are, or anything that JSON has."""
        self.status = status
        self.content_type = content_type
        self.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode("utf-8")

    @classmethod
    def of(cls, said: Any) -> "Answer":
        """What a handler returned: nothing is a yes, an Answer is itself, anything else is JSON with status 200."""
        if said is None:
            return cls(ACCEPTED)
        return said if isinstance(said, cls) else cls(said)

    def __repr__(self) -> str:
        return f"{self.status} {self.body.decode('utf-8', 'replace')[:500]}"
