"""The fixtures, and what they add to the report of a test that failed."""

from __future__ import annotations

import itertools
import os
import re
import warnings
from typing import Dict, Generator, Iterator, Optional

import pytest
from countersign_oss import Bucket, Callbacks, Instance, InstanceError, Refused
from countersign_oss.child_environment import without_proxy

_NUMBERS = itertools.count(1)
_OUTCOME = pytest.StashKey[Dict[str, pytest.TestReport]]()
_LINES_BEFORE = pytest.StashKey[int]()


class LateCallbacks(UserWarning):
    """Callbacks came for a test that was over: it did not wait for its uploads."""


@pytest.fixture(scope="session")
def countersign() -> Iterator[Instance]:
    """A store and an application server for this process; with xdist each worker has its own."""
    instance = Instance()
    try:
        instance.start()
    except InstanceError as error:
        pytest.fail(str(error), pytrace=False)
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    # A proxy of the environment cannot reach this machine's loopback, and SDKs would ask it.
    os.environ.update({name: without_proxy(value or "") for name, value in before.items()})
    yield instance
    for name, value in before.items():
        _restore(name, value)
    for line in instance.late_callbacks():
        warnings.warn(LateCallbacks(f"a callback came after its test had ended, {line}"), stacklevel=1)
    instance.stop()


@pytest.fixture
def countersign_bucket(request: pytest.FixtureRequest, countersign: Instance) -> Iterator[Bucket]:
    """A bucket that no other test has; it is removed with its objects when the test is over."""
    request.node.stash[_LINES_BEFORE] = countersign.lines_logged
    bucket = countersign.bucket(_bucket_name(request.node.name))
    bucket.create()
    yield bucket
    try:
        bucket.remove()
    except (Refused, InstanceError, OSError):
        # An upload under way, or an instance that ended: the folder goes with the session, and the test has its say.
        pass


@pytest.fixture
def countersign_callbacks(
    request: pytest.FixtureRequest, countersign: Instance, countersign_bucket: Bucket
) -> Iterator[Callbacks]:
    """Takes the callbacks of this test's uploads, verifies them, and lets the test's handler answer.

    A test that passed fails after all where its handler raised, where something came that the store did not sign, or
    where another number came than it expected.
    """
    __tracebackhide__ = True
    callbacks = countersign.callbacks(countersign_bucket.name, whose=request.node.nodeid)
    yield callbacks
    callbacks.close()
    call = request.node.stash.get(_OUTCOME, {}).get("call")
    if call is None or call.passed:
        callbacks.check()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remembers how the test went, and shows with a failure what came and what the instance wrote meanwhile."""
    report = yield
    item.stash.setdefault(_OUTCOME, {})[report.when or ""] = report
    found: Dict[str, object] = getattr(item, "funcargs", {})
    if report.failed:
        callbacks = found.get("countersign_callbacks")
        if isinstance(callbacks, Callbacks):
            lines = [repr(callback) for callback in callbacks]
            lines += [f"not verified: {refusal}" for refusal in callbacks.not_verified]
            report.sections.append(("countersign callbacks", "\n".join(lines) or "none came"))
        instance = found.get("countersign")
        if isinstance(instance, Instance):
            written = instance.log(since=item.stash.get(_LINES_BEFORE, 0))
            if written:
                report.sections.append(("countersign log", "\n".join(written)))
    return report


def _bucket_name(test: str) -> str:
    """What is left of the test's name, within the rules for buckets, and a number that makes it another each time."""
    words = re.sub(r"[^a-z0-9]+", "-", test.lower()).strip("-")[:40].strip("-")
    return f"{words or 'test'}-{next(_NUMBERS)}"


def _restore(name: str, value: Optional[str]) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
