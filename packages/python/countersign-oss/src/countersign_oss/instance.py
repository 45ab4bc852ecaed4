"""Starts a throw-away Countersign and ends it: store, application server, keys, and a folder that is removed.

The instance ends when its standard input does, so it cannot outlive this process, however that ends.
"""

from __future__ import annotations

import atexit
import collections
import json
import os
import queue
import subprocess
import threading
import urllib.parse
from typing import Any, Deque, Dict, List, Mapping, Optional, Sequence, Union

from .binary import advice, find_binary
from .bucket import Bucket
from .callbacks import Callbacks
from .child_environment import REMOVED, without_proxy
from .exchange import Refused, exchange
from .form import SignedForm
from .receiver import Receiver
from .troubles import BinaryMissing, InstanceEnded, InstanceNotStarted

_START_SECONDS_MAX = 30.0
_STOP_SECONDS_MAX = 10.0
_LOG_LINES_KEPT = 400
_LOG_VARIABLE = "COUNTERSIGN_LOG"


class Instance:
    """A store and an application server of its own. Use it in a `with`, or call `start` and `stop`."""

    def __init__(
        self,
        buckets: Sequence[str] = ("demo",),
        *,
        seed: Optional[Union[str, os.PathLike[str]]] = None,
        binary: Optional[str] = None,
    ) -> None:
        """`buckets` are made at the start; `seed` is a folder with objects (`countersign export` makes one)."""
        self._arguments = [word for bucket in buckets for word in ("--bucket", bucket)]
        if seed is not None:
            self._arguments += ["--seed", os.fspath(seed)]
        self._binary = binary
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._process_id_of_owner = 0
        self._log: Deque[str] = collections.deque(maxlen=_LOG_LINES_KEPT)
        self._lines_logged = 0
        self._receiver: Optional[Receiver] = None
        self._variables: Dict[str, str] = {}
        self._callback_key = ""

    def start(self) -> Instance:
        """Starts it and waits until it is ready. Raises InstanceError with the reason and what it wrote."""
        binary = self._binary or find_binary()
        # What the environment says to Countersign is for other instances than this one, but for what is logged.
        said = {name: value for name, value in os.environ.items() if name.startswith("COUNTERSIGN_")}
        environment = {name: value for name, value in os.environ.items() if name not in said or name == _LOG_VARIABLE}
        try:
            self._process = subprocess.Popen(
                [binary, "instance", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                # Ctrl-C at the terminal is for the tests; the instance ends with them.
                start_new_session=True,
            )
        except OSError as error:
            raise BinaryMissing(f"{binary} cannot be run here: {error.strerror or error}\n{advice()}") from error
        self._process_id_of_owner = os.getpid()
        reading = threading.Thread(target=self._read_log, args=(self._process,), name="countersign log", daemon=True)
        reading.start()
        try:
            self._read_ready_line(self._process, reading)
        except BaseException:
            self.stop()
            raise
        atexit.register(self.stop)
        return self

    def stop(self) -> None:
        """Ends it, and with it its folder and everything stored. A second time, or in a forked child, nothing."""
        process, receiver = self._process, self._receiver
        if process is None or self._process_id_of_owner != os.getpid():
            return
        self._process, self._receiver = None, None
        atexit.unregister(self.stop)
        if receiver is not None:
            receiver.close()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def sign(
        self, path: Optional[str] = None, *, bucket: Optional[str] = None, callback_url: Optional[str] = None
    ) -> SignedForm:
        """Asks the application server for a form. Without `callback_url` the application server is called itself."""
        self.require_running()
        chosen = {"fields": "1", "path": path, "bucket": bucket, "callback_url": callback_url}
        words = {name: value for name, value in chosen.items() if value is not None}
        answer = exchange("GET", f"{self.signature_url}?{urllib.parse.urlencode(words)}")
        if answer.status != 200:
            raise Refused("the signature", answer)
        said = answer.json()
        return SignedForm(said["host"], [(name, value) for name, value in said["fields"]], said.get("dir", ""))

    def bucket(self, name: str) -> Bucket:
        """A bucket by its name; it is not made by this."""
        return Bucket(self, name)

    def callbacks(self, bucket: Optional[str] = None, whose: str = "a test that is over") -> Callbacks:
        """Begins to take the callbacks of uploads into this bucket, by default the instance's first one."""
        self.require_running()
        if self._receiver is None:
            self._receiver = Receiver()
        return Callbacks(self, self._receiver, Bucket(self, bucket or self.first_bucket), whose)

    def late_callbacks(self) -> List[str]:
        """What came for `callbacks` that were closed already, a line each."""
        return list(self._receiver.late) if self._receiver else []

    def environment(self, bucket: Optional[str] = None) -> Dict[str, str]:
        """This process's environment with the instance's addresses and keys, for a program under test.

        Proxies are not asked for loopback, and temporary credentials and profiles are left out.
        """
        merged = {name: value for name, value in os.environ.items() if name not in REMOVED}
        merged.update(self.variables)
        if bucket is not None:
            merged["OSS_BUCKET"] = bucket
        for name in ("NO_PROXY", "no_proxy"):
            merged[name] = without_proxy(merged.get(name, ""))
        return merged

    def require_running(self) -> None:
        """Raises InstanceEnded, with what it wrote last, where the instance is not there."""
        if self._process is None:
            raise InstanceEnded("the instance is not started, or was stopped")
        code = self._process.poll()
        if code is not None:
            raise InstanceEnded(f"the instance has ended with {code}{self._said()}")

    @property
    def process_id(self) -> Optional[int]:
        """Of the running instance; None where it is not started."""
        return self._process.pid if self._process else None

    @property
    def variables(self) -> Mapping[str, str]:
        """The instance's own variables, as `countersign exec` gives them to a command."""
        return dict(self._variables)

    @property
    def store_url(self) -> str:
        """`http://127.0.0.1:port` of the store."""
        return self._variables["COUNTERSIGN_STORE_URL"]

    @property
    def app_url(self) -> str:
        """`http://127.0.0.1:port` of the application server."""
        return self._variables["COUNTERSIGN_APP_URL"]

    @property
    def signature_url(self) -> str:
        """Where an uploader asks for a signature."""
        return self._variables["COUNTERSIGN_SIGNATURE_URL"]

    @property
    def callback_key_url(self) -> str:
        """The address that callbacks name for the key."""
        return self._variables["COUNTERSIGN_CALLBACK_KEY_URL"]

    @property
    def callback_key(self) -> str:
        """The key that signs callbacks, as PEM."""
        return self._callback_key

    @property
    def endpoint(self) -> str:
        """The endpoint for SDKs."""
        return self._variables["OSS_ENDPOINT"]

    @property
    def region(self) -> str:
        """The region for SDKs and signatures of version 4."""
        return self._variables["OSS_REGION"]

    @property
    def first_bucket(self) -> str:
        """The name of the bucket that the application server signs for."""
        return self._variables["OSS_BUCKET"]

    @property
    def access_key_id(self) -> str:
        """The id of the key for SDKs."""
        return self._variables["OSS_ACCESS_KEY_ID"]

    @property
    def access_key_secret(self) -> str:
        """Its secret."""
        return self._variables["OSS_ACCESS_KEY_SECRET"]

    def log(self, since: int = 0) -> List[str]:
        """The last lines that the instance wrote on standard error, without the first `since` of all."""
        lines, logged = list(self._log), self._lines_logged
        return lines[max(0, since - (logged - len(lines))) :]

    @property
    def lines_logged(self) -> int:
        """How many lines it has written so far."""
        return self._lines_logged

    def _read_ready_line(self, process: subprocess.Popen[bytes], log: threading.Thread) -> None:
        lines: queue.Queue[bytes] = queue.Queue()
        output = process.stdout
        assert output is not None
        # In a thread, because a pipe can be waited for with a limit only on some systems.
        threading.Thread(target=lambda: lines.put(output.readline()), name="countersign ready", daemon=True).start()
        try:
            line = lines.get(timeout=_START_SECONDS_MAX)
        except queue.Empty:
            raise InstanceNotStarted(f"not ready after {_START_SECONDS_MAX:.0f} s{self._said()}") from None
        if not line.endswith(b"\n"):
            code = process.wait(_STOP_SECONDS_MAX)
            log.join(_STOP_SECONDS_MAX)
            raise InstanceNotStarted(f"countersign ended with {code} at its start{self._said()}")
        try:
            self._variables = {str(name): str(value) for name, value in json.loads(line).items()}
            with open(self._variables["COUNTERSIGN_CALLBACK_KEY_FILE"], encoding="ascii") as file:
                self._callback_key = file.read()
        except (ValueError, AttributeError, KeyError, OSError) as error:
            raise InstanceNotStarted(f"its first line is not understood ({error!r}): {line!r}{self._said()}") from error

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        if process.stderr is None:
            return
        with process.stderr as stream:
            for line in stream:
                self._log.append(line.decode("utf-8", "replace").rstrip())
                self._lines_logged += 1

    def _said(self) -> str:
        lines = "\n  ".join(list(self._log)[-40:])
        return f". It wrote:\n  {lines}" if lines else ", and wrote nothing."

    def __enter__(self) -> Instance:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.stop()
