"""What pytest shows of a test that uses the fixtures."""

import re

from pytest_countersign.plugin import _bucket_name

SCENARIO_OF_FAILURES = """
import pytest, threading

def test_asserts(countersign_callbacks):
    countersign_callbacks.upload("photo.jpg", b"five!")
    assert countersign_callbacks[0].size == 6

def test_expects(countersign_callbacks):
    countersign_callbacks.expect(2)
    countersign_callbacks.upload("photo.jpg", b"five!")

def test_handles(countersign_callbacks):
    @countersign_callbacks.handle
    def decide(callback):
        raise LookupError("no such user")
    countersign_callbacks.upload("photo.jpg", b"five!")

@pytest.mark.parametrize("name", ["../../A*B", "你好", "x" * 200, ""])
def test_has_a_bucket(countersign_bucket, name):
    countersign_bucket.put("key", b"bytes")
    assert countersign_bucket.keys() == ["key"]

FORMS = []

def test_leaves_a_form(countersign, countersign_callbacks):
    # Into a bucket that is there for all of them.
    FORMS.append(countersign.sign(callback_url=countersign_callbacks.url))

def test_sees_nothing_of_it(countersign_callbacks):
    assert FORMS[0].upload("photo.jpg", b"five!").message == "Error status : 404."
    assert len(countersign_callbacks) == 0

BUCKETS = []

def test_leaves_objects(countersign_bucket):
    BUCKETS.append(countersign_bucket)
    for number in range(3):
        countersign_bucket.put(f"a/{number} +%?.txt", b"bytes")

def test_finds_the_bucket_gone(countersign):
    with pytest.raises(Exception, match="NoSuchBucket"):
        BUCKETS[0].keys()
"""


def test_a_failure_shows_what_came_and_what_the_instance_wrote(pytester):
    pytester.makepyfile(SCENARIO_OF_FAILURES)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-W", "default")
    result.assert_outcomes(passed=10, failed=1, errors=2, warnings=1)
    shown = result.stdout.str()
    for text in [
        "countersign callbacks",
        "answered 200",
        "countersign log",
        "1 callbacks came, not 2:",
        "the handler raised LookupError('no such user')",
        "LateCallbacks: a callback came after its test had ended",
        "::test_leaves_a_form: filename=",
        "raise LookupError",
    ]:
        assert text in shown, shown
    errors = shown[: shown.index("warnings summary")]
    assert "plugin.py" not in errors and "callbacks.py" not in errors, "the library's lines say nothing to a reader"


def test_tests_of_one_name_have_buckets_of_different_names_within_the_rules():
    names = [_bucket_name(test) for test in ["test_a", "test_a", "test[A]", "你好", "", "x" * 300, "-_-"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", name) for name in names), names


def test_an_instance_that_does_not_start_is_one_short_error(pytester, monkeypatch):
    pytester.makepyfile("def test_one(countersign_bucket): pass\ndef test_two(countersign): pass")
    monkeypatch.setenv("COUNTERSIGN_BINARY", "/no/such/countersign")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=2)
    shown = result.stdout.str()
    assert "COUNTERSIGN_BINARY is /no/such/countersign, and there is no such file" in shown
    assert "Traceback" not in shown and "plugin.py" not in shown


def test_fixtures_that_are_not_used_start_nothing(pytester, monkeypatch):
    pytester.makepyfile("def test_one(): pass")
    monkeypatch.setenv("COUNTERSIGN_BINARY", "/no/such/countersign")
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_an_sdk_that_would_ask_a_proxy_asks_the_instance(pytester, monkeypatch):
    pytester.makepyfile(
        """
        import base64, json, oss2

        def test_put(countersign, countersign_bucket, countersign_callbacks):
            auth = oss2.AuthV4(countersign.access_key_id, countersign.access_key_secret)
            bucket = oss2.Bucket(auth, countersign.endpoint, countersign_bucket.name, region=countersign.region)

            callback = {"callbackUrl": countersign_callbacks.url, "callbackBody": "object=${object}&size=${size}"}
            header = base64.b64encode(json.dumps(callback).encode()).decode()
            countersign_callbacks.handle(lambda callback: {"told": callback.object})
            result = bucket.put_object("a/b.txt", b"bytes", headers={"x-oss-callback": header})
            assert json.loads(result.resp.read()) == {"told": "a/b.txt"}
            assert countersign_callbacks[0].size == 5
        """
    )
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
