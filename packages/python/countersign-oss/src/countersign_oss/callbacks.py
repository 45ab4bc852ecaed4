"""The callbacks of one test: takes them, verifies them, lets the test's handler decide, and keeps a record of each."""

from __future__ import annotations

import threading
from email.message import Message
from typing import Any, Callable, List, Mapping, Optional, Sequence, TypeVar, Union, overload

from .answer import Answer
from .bucket import Bucket
from .callback import Callback
from .callback_signature import NotVerified, PublicKey, verify
from .exchange import Response
from .form import SignedForm
from .receiver import Receiver

Handler = Callable[[Callback], Any]
_SomeHandler = TypeVar("_SomeHandler", bound=Handler)


class UnexpectedCallbacks(AssertionError):
    """Something came that the test did not expect, or its handler failed; the text lists it."""


class Callbacks(Sequence[Callback]):
    """A sequence of the callbacks that came, oldest first.

    Every callback is verified with the instance's pinned key before the handler sees it. Without a handler the answer
    is `{"Status": "OK"}`. Use it in a `with`, or call `close` and `check` at the end.
    """

    def __init__(self, instance: Any, receiver: Receiver, bucket: Bucket, whose: str) -> None:
        self.bucket = bucket
        self.not_verified: List[str] = []
        """Requests that the store did not sign: why, and what they were."""
        self._instance = instance
        self._key = PublicKey.from_pem(instance.callback_key)
        self._received: List[Callback] = []
        self._failures: List[BaseException] = []
        self._handler: Optional[Handler] = None
        self._expected: Optional[int] = None
        self._lock = threading.Lock()
        self._receiver = receiver
        self._whose = whose
        self.url = receiver.add(self)
        """The address that the store calls: give it as `callbackUrl` to an SDK."""

    def handle(self, handler: _SomeHandler) -> _SomeHandler:
        """From now on this function answers; also a decorator.

        It gets a Callback and returns what JSON has (the uploader gets it with status 200), an Answer, or None for
        yes. It is called in a thread of its own; where it raises, the uploader gets 203 and `check` raises.
        """
        self._handler = handler
        return handler

    def expect(self, count: int) -> None:
        """`check` raises unless exactly so many came."""
        self._expected = count

    def sign(self, path: Optional[str] = None) -> SignedForm:
        """Asks the instance's application server for a form to this bucket, whose uploads are told to this handler."""
        return self._instance.sign(path, bucket=self.bucket.name, callback_url=self.url)  # type: ignore[no-any-return]

    def upload(
        self,
        name: str,
        data: bytes,
        content_type: Optional[str] = None,
        fields: Optional[Mapping[str, str]] = None,
    ) -> Response:
        """Signs a form, uploads it, and gives the answer: when it is there, the callback has been handled."""
        return self.sign().upload(name, data, content_type, fields)

    def close(self) -> None:
        """No further callback is taken."""
        self._receiver.remove(self.url, self._whose)

    def check(self) -> None:
        """Raises UnexpectedCallbacks where the handler raised, something was not signed, or the count is another."""
        __tracebackhide__ = True
        with self._lock:
            problems = [f"the handler raised {failure!r}" for failure in self._failures]
            problems += [f"a request was not the store's: {refusal}" for refusal in self.not_verified]
            if self._expected is not None and len(self._received) != self._expected:
                problems.append(f"{len(self._received)} callbacks came, not {self._expected}:")
                problems += [f"  {callback!r}" for callback in self._received]
            failure = self._failures[0] if self._failures else None
        if problems:
            raise UnexpectedCallbacks("\n".join(problems)) from failure

    def receive(self, target: str, headers: Message, body: bytes) -> Answer:
        """One request from the receiver's thread: verified, recorded, answered."""
        try:
            verify(self._key, self._instance.callback_key_url, headers, target, body)
        except NotVerified as refusal:
            with self._lock:
                self.not_verified.append(f"{refusal}; {target} {body[:500]!r}")
            return Answer({"Status": "Error", "message": f"not verified: {refusal}"}, status=403)
        callback = Callback(target, headers, body)
        with self._lock:
            self._received.append(callback)
        try:
            callback.answer = Answer.of(self._handler(callback) if self._handler else None)
        except BaseException as failure:  # noqa: B036 (an assertion or pytest.fail of the test must not be lost here)
            with self._lock:
                self._failures.append(failure)
            callback.answer = Answer({"Status": "Error", "message": f"the handler raised {failure!r}"}, status=500)
        return callback.answer

    @overload
    def __getitem__(self, index: int) -> Callback: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Callback]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[Callback, Sequence[Callback]]:
        with self._lock:
            return self._received[index]

    def __len__(self) -> int:
        with self._lock:
            return len(self._received)

    def __enter__(self) -> Callbacks:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.close()
        # What went wrong in the block is the more interesting.
        if kind is None:
            self.check()

    def __repr__(self) -> str:
        with self._lock:
            return f"<Callbacks {self._received!r}>"
