"""Tests that would disturb each other if they could: run by `crosstalk.py` in many worker processes at once."""

import json
import os
import secrets
import threading

import pytest

# A form of a test that is over, in this worker: its uploads call an address that nobody is behind any more.
STALE = []


def in_parallel(tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("number", range(32))
def test_sees_its_own_uploads_and_no_other(number, countersign, countersign_bucket, countersign_callbacks):
    token = secrets.token_hex(8)
    countersign_callbacks.handle(lambda callback: {"said": token, "of": callback.object})
    countersign_callbacks.expect(4)
    if not STALE:
        closed = countersign.callbacks("demo", whose="a test that is over")
        STALE.append(closed.sign("stale/"))
        closed.close()
    stale, answers = [], {}
    form = countersign_callbacks.sign(f"{token}/")

    def upload(name):
        answers[name] = form.upload(name, token.encode()).json()

    in_parallel(
        [lambda: stale.append(STALE[0].upload("late.txt", b"late"))]
        + [lambda name=name: upload(name) for name in ("a", "b", "c", "d")]
    )
    keys = [f"{token}/{name}" for name in ("a", "b", "c", "d")]
    assert answers == {name: {"said": token, "of": f"{token}/{name}"} for name in ("a", "b", "c", "d")}
    assert sorted(callback.object for callback in countersign_callbacks) == keys
    assert {callback.bucket for callback in countersign_callbacks} == {countersign_bucket.name}
    assert countersign_bucket.keys() == keys
    assert all(countersign_bucket.get(key) == token.encode() for key in keys)
    assert (stale[0].status, stale[0].message) == (203, "Error status : 404.")
    with open(os.environ["CROSSTALK_RECORD"], "a", encoding="utf-8") as record:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        line = {"worker": worker, "process": os.getpid(), "data": countersign.variables["COUNTERSIGN_DATA"]}
        record.write(json.dumps(line) + "\n")
