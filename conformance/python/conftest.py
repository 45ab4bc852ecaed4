"""Starts the built binary's store for each test module, on a free loopback port, and an application for callbacks."""

import os
import pathlib
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

KEY_ID = "conformance-id"
KEY_SECRET = "conformance-secret"


def binary():
    """The binary under test: COUNTERSIGN_BIN, else the release build of this checkout."""
    named = os.environ.get("COUNTERSIGN_BIN")
    path = pathlib.Path(named or pathlib.Path(__file__).parents[2] / "target/release/countersign")
    assert path.exists(), f"{path} is missing: cargo build --release --package countersign"
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Application(BaseHTTPRequestHandler):
    """Answers every callback with OK and keeps what came."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path, dict(self.headers), body))
        answer = b'{"Status":"OK","from":"application"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def store():
    """Address of a running store, as `http://127.0.0.1:port`."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        environment = dict(
            os.environ, COUNTERSIGN_ACCESS_KEY_ID=KEY_ID, COUNTERSIGN_ACCESS_KEY_SECRET=KEY_SECRET
        )
        process = subprocess.Popen(
            [binary(), "store", "--data", data, "--listen", f"127.0.0.1:{port}", "--callback-allow", "127.0.0.0/8"],
            env=environment,
        )
        try:
            wait_until_ready(process, f"http://127.0.0.1:{port}/_countersign/healthz")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def wait_until_ready(process, url):
    deadline = time.time() + 20
    while time.time() < deadline:
        assert process.poll() is None, "the store ended"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("not ready after 20 s")


@pytest.fixture
def application():
    """A fresh application: its URL and the list of what it received."""
    Application.received.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Application.received
    server.shutdown()
    server.server_close()
