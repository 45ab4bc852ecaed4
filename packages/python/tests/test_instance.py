"""Start, end and failures of the instance."""

import os
import pathlib
import re
import signal
import stat
import subprocess
import sys
import time

import countersign_oss
import pytest
from countersign_oss.binary import find_binary
from countersign_oss.child_environment import REMOVED

SECONDS_MAX = 20


def wait_until_gone(path):
    deadline = time.monotonic() + SECONDS_MAX
    while pathlib.Path(path).exists():
        assert time.monotonic() < deadline, f"{path} is still there"
        time.sleep(0.02)


def program(folder, text, name="countersign"):
    path = folder / name
    path.write_text(text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_wheel_put_its_binary_onto_the_path_of_its_environment():
    assert "COUNTERSIGN_BINARY" not in os.environ, "these tests are of the wheel's own binary"
    assert pathlib.Path(find_binary()) == pathlib.Path(sys.executable).parent / "countersign"


def test_an_instance_is_ready_and_leaves_nothing(countersign_process_ids):
    before = countersign_process_ids()
    with countersign_oss.Instance(["photos", "films"]) as instance:
        folder = instance.variables["COUNTERSIGN_DATA"]
        assert pathlib.Path(folder).is_dir()
        assert instance.first_bucket == "photos"
        instance.bucket("films").put("a/你好 1+1.txt", b"bytes")
        assert instance.bucket("films").get("a/你好 1+1.txt") == b"bytes"
        assert instance.bucket("films").keys() == ["a/你好 1+1.txt"]
        assert instance.callback_key.startswith("-----BEGIN PUBLIC KEY-----")
        assert len(countersign_process_ids()) == len(before) + 1
    assert not pathlib.Path(folder).exists()
    assert countersign_process_ids() == before
    instance.stop()
    with pytest.raises(countersign_oss.InstanceEnded, match="stopped"):
        instance.bucket("films").keys()


def test_an_instance_begins_with_the_files_of_a_seed(tmp_path):
    (tmp_path / "photos/2026").mkdir(parents=True)
    (tmp_path / "photos/2026/你好.txt").write_bytes(b"bytes")
    with countersign_oss.Instance(["films"], seed=tmp_path) as instance:
        assert instance.first_bucket == "films"
        assert instance.bucket("photos").keys() == ["2026/你好.txt"]
        assert instance.bucket("photos").get("2026/你好.txt") == b"bytes"


def test_an_instance_ends_with_its_process_when_that_is_killed():
    script = (
        "import countersign_oss, sys\n"
        "instance = countersign_oss.Instance().start()\n"
        "print(instance.variables['COUNTERSIGN_DATA'], flush=True)\n"
        "sys.stdin.read()\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    folder = owner.stdout.readline().decode().strip()
    assert pathlib.Path(folder).is_dir()
    owner.send_signal(signal.SIGKILL)
    owner.wait(SECONDS_MAX)
    wait_until_gone(folder)
    owner.stdin.close()
    owner.stdout.close()


def test_a_forked_child_does_not_end_the_instance_of_its_parent():
    with countersign_oss.Instance() as instance, instance.callbacks() as callbacks:
        child = os.fork()
        if child == 0:
            # The threads that it would wait for are the parent's.
            signal.alarm(SECONDS_MAX)
            instance.stop()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert callbacks.upload("a.txt", b"still here").status == 200


def test_an_instance_that_dies_is_named_with_what_it_wrote_last():
    with countersign_oss.Instance() as instance:
        os.kill(instance.process_id, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                instance.require_running()
            except countersign_oss.InstanceEnded as ended:
                assert "has ended with -9" in str(ended) and "for tests only" in str(ended)
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # Its folder would be left to the next start.
        with countersign_oss.Instance():
            pass
        wait_until_gone(instance.variables["COUNTERSIGN_DATA"])


def test_what_it_wrote_is_shown_when_it_does_not_start(tmp_path):
    with pytest.raises(countersign_oss.InstanceNotStarted, match=r"ended with 2 at its start[\s\S]*NotABucketName"):
        countersign_oss.Instance(["NotABucketName"]).start()
    broken = program(tmp_path, "#!/bin/sh\necho 'version GLIBC_2.99 not found' >&2\nexit 1\n")
    with pytest.raises(countersign_oss.InstanceNotStarted, match=r"ended with 1[\s\S]*GLIBC_2\.99"):
        countersign_oss.Instance(binary=broken).start()
    babbling = program(tmp_path, "#!/bin/sh\necho ready\nread line\n", "babbling")
    with pytest.raises(countersign_oss.InstanceNotStarted, match="not understood.*ready"):
        countersign_oss.Instance(binary=babbling).start()


def test_a_binary_of_another_machine_is_named_with_what_to_do(tmp_path):
    other = tmp_path / "countersign"
    other.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + b"\xff\xff" + bytes(100))
    other.chmod(0o755)
    with pytest.raises(countersign_oss.BinaryMissing, match=r"(?i)exec format error[\s\S]*COUNTERSIGN_BINARY"):
        countersign_oss.Instance(binary=str(other)).start()


def test_a_binary_that_is_missing_is_named_with_the_places(tmp_path, monkeypatch):
    monkeypatch.setenv("COUNTERSIGN_BINARY", str(tmp_path / "none"))
    with pytest.raises(countersign_oss.BinaryMissing, match="COUNTERSIGN_BINARY is .*none"):
        countersign_oss.Instance().start()
    monkeypatch.delenv("COUNTERSIGN_BINARY")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.metadata.files", lambda name: [])
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    places = rf"tried[\s\S]*{re.escape(str(tmp_path))}[\s\S]*cargo install"
    with pytest.raises(countersign_oss.BinaryMissing, match=places):
        countersign_oss.Instance().start()


def test_what_the_environment_says_to_other_instances_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setenv("COUNTERSIGN_BUCKET", "NotABucketName")
    monkeypatch.setenv("COUNTERSIGN_DATA", "/nowhere")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with countersign_oss.Instance() as instance, instance.callbacks() as callbacks:
        assert callbacks.upload("a.txt", b"a").status == 200
    monkeypatch.setenv("COUNTERSIGN_LOG", "debug")
    telling = program(tmp_path, "#!/bin/sh\nenv >&2\nexit 1\n")
    with pytest.raises(countersign_oss.InstanceNotStarted) as told:
        countersign_oss.Instance(binary=telling).start()
    said = [line.strip() for line in str(told.value).splitlines() if "COUNTERSIGN_" in line]
    assert said == ["COUNTERSIGN_LOG=debug"]


def test_a_program_under_test_gets_this_instance_and_nothing_of_the_real_one(monkeypatch):
    monkeypatch.setenv("OSS_SESSION_TOKEN", "junk")
    monkeypatch.setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "junk")
    monkeypatch.setenv("ALIBABA_CLOUD_PROFILE", "production")
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", "production")
    monkeypatch.setenv("NO_PROXY", "example.com")
    with countersign_oss.Instance() as instance:
        environment = instance.environment(bucket="other")
        assert environment["OSS_ACCESS_KEY_ID"] == environment["ALIBABA_CLOUD_ACCESS_KEY_ID"] == instance.access_key_id
        assert environment["OSS_ENDPOINT"] == instance.endpoint
    assert "junk" not in environment.values() and "production" not in environment.values()
    assert environment["OSS_BUCKET"] == "other"
    assert environment["NO_PROXY"] == "example.com,127.0.0.1,localhost,::1"
    assert "127.0.0.1" in environment["no_proxy"]


def test_what_is_withheld_from_a_program_under_test_is_what_exec_withholds():
    text = (pathlib.Path(__file__).parents[3] / "crates/cli/src/environment.rs").read_text("utf-8")
    listed = re.search(r"const REMOVED: &\[&str\] = &\[(.*?)\];", text, re.DOTALL).group(1)
    assert list(REMOVED) == re.findall(r'"(\w+)"', listed)
