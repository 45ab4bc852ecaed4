#!/usr/bin/env python3
"""From an empty folder to a green test, as somebody who hears of it for the first time would get there.

    python3 empty_folder.py FOLDER [WHEELS]

Makes FOLDER with an environment of its own, installs the wheels of `cargo xtask dist` (or those in the folder WHEELS)
and, without a cache, the packages that they and the scenario need; then takes the network away and runs the scenario.
Prints its lines and the seconds.
The environment stays for the tests that follow.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

PACKAGE = pathlib.Path(__file__).parents[1]
LOCK = PACKAGE / "tests/requirements.lock"
# Brings the loopback device of a fresh network namespace up, looks that there is no other, and goes on as the command.
WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
names = [name for _, name in socket.if_nameindex()]
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh22x", b"lo", 1))
assert names == ["lo"], names
print("without a network: the only device is", *names, flush=True)
os.execv(sys.argv[1], sys.argv[1:])
"""


def made_by_dist():
    """The folder into which `cargo xtask dist` puts what it makes."""
    repository = PACKAGE.parents[1]
    return repository / os.environ.get("CARGO_TARGET_DIR", "target") / "dist"


def isolated(command):
    """The command in a network namespace of its own; None where that is not permitted."""
    new = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*new, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        return None
    return [*new, sys.executable, "-c", WITHOUT_NETWORK, *command]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    wheels = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else made_by_dist()).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    # Not the suites' own binary: the wheel's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
    started = time.monotonic()
    folder.mkdir(parents=True)
    for name in ("test_upload.py", "test_shortest.py"):
        shutil.copy(PACKAGE / "scenario" / name, folder)
    subprocess.run([sys.executable, "-m", "venv", ".venv"], cwd=folder, check=True)
    python = str(folder / ".venv/bin/python")
    install = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
    files = [str(wheel) for wheel in sorted(wheels.glob("*.whl"))]
    subprocess.run([*install, "--constraint", str(LOCK), *files, "oss2"], cwd=folder, env=environment, check=True)
    tests = [python, "-m", "pytest", "--color=no", "-p", "no:cacheprovider"]
    command = isolated(tests)
    if command is None:
        print("taking the network away is not permitted here; a proxy that is not there stands in for it", flush=True)
        dead = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")}
        command, environment = tests, {**environment, **dead}
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=120)
    seconds = time.monotonic() - started
    counts = [len([line for line in text.splitlines() if line.strip()]) for text in scenarios()]
    print(f"Python: {counts[0]} lines (shortest {counts[1]}), {seconds:.0f} s from an empty folder with cold caches")


def scenarios():
    return [(PACKAGE / "scenario" / name).read_text("utf-8") for name in ("test_upload.py", "test_shortest.py")]


if __name__ == "__main__":
    main()
