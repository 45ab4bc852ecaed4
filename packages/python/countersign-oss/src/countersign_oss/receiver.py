"""The HTTP server in the test's process that the store calls.

One for an instance. Each recipient has a path of its own with a random part, so that a callback can reach only the
test whose upload it is about, also when it comes late.
"""

from __future__ import annotations

import secrets
import socketserver
import sys
import threading
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Dict, List, Protocol

from .answer import Answer

_BODY_BYTES_MAX = 16 * 1024 * 1024
_HOST = "127.0.0.1"


class Recipient(Protocol):
    """Takes the requests for one path."""

    def receive(self, target: str, headers: Message, body: bytes) -> Answer:
        """Answers one request, in a thread of its own. `target` is path and query as received."""


class Receiver(socketserver.ThreadingMixIn, HTTPServer):
    """Listens on a free loopback port until `close`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__((_HOST, 0), _Request)
        self.late: List[str] = []
        """What came for recipients that are gone: a line each."""
        self._recipients: Dict[str, Recipient] = {}
        self._gone: Dict[str, str] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="callbacks", daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Without the look-up of this machine's name, which takes seconds where the resolver does not answer."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, int(self.server_address[1])

    def add(self, recipient: Recipient) -> str:
        """The address under which the recipient is called from now on."""
        path = f"/callbacks/{secrets.token_hex(12)}"
        with self._lock:
            self._recipients[path] = recipient
        return f"http://{_HOST}:{self.server_port}{path}"

    def remove(self, url: str, whose: str) -> None:
        """The recipient is called no more; what still comes for it is kept in `late` as `whose`."""
        path = url[url.index("/callbacks/") :]
        with self._lock:
            if self._recipients.pop(path, None) is not None:
                self._gone[path] = whose

    def close(self) -> None:
        """Ends the server. Handlers under way go on."""
        self.shutdown()
        self.server_close()

    def receive(self, target: str, headers: Message, body: bytes) -> Answer:
        """Hands a request to the recipient of its path."""
        path = target.partition("?")[0]
        with self._lock:
            recipient = self._recipients.get(path)
            if recipient is None:
                if path in self._gone:
                    self.late.append(f"{self._gone[path]}: {body.decode('utf-8', 'replace')[:500]}")
                return Answer({"Status": "Error", "message": "no test is waiting here"}, status=404)
        return recipient.receive(target, headers, body)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is no matter; anything else is shown as the server's base does."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    timeout = 30
    server: Receiver

    def do_POST(self) -> None:  # noqa: N802 (the name is the base's)
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _BODY_BYTES_MAX:
            return self._say(Answer({"Status": "Error", "message": "no content-length, or too long"}, status=400))
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._say(self.server.receive(self.path, self.headers, body))

    def _say(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        # The store accepts no answer without a length.
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (the base's)
        """Nothing: the test says what it saw."""
