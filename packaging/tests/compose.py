#!/usr/bin/env python3
"""Starts what compose.yaml says, without a container engine: each service's own command, user, environment, mounts and
addresses, on a copy-on-write view of this system and in a network of its own. Then uploads as the page does: a picture, which
the application takes, and a note, which it declines.

Usage: compose.py BINARY. Needs root, unshare, php and PyYAML; ends all that it started, since its namespaces end with it.
"""

import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import yaml

PACKAGING = Path(__file__).resolve().parents[1]
BINARY = Path(sys.argv[1]).resolve()
# What the image of the store says of itself (`cargo xtask dist --only oci`, read back by image.sh).
STORE_IMAGE = {"entrypoint": ["/usr/bin/countersign"], "user": "65532:65532", "path": "/usr/bin"}
# What is acted on below, and what only a container engine can do. Anything else in a service would go untried.
TRIED = {"command", "environment", "healthcheck", "image", "networks", "ports", "tmpfs", "user", "volumes", "depends_on"}
UNTRIED = {"pull_policy", "read_only", "cap_drop", "security_opt", "restart", "stop_grace_period"}


def main() -> None:
    compose = yaml.safe_load((PACKAGING / "compose.yaml").read_text())
    check_what_only_an_engine_does(compose)
    services = compose["services"]
    raise_addresses([service["networks"]["uploads"]["ipv4_address"] for service in services.values()])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
        running = {}
        try:
            for name in in_order(services):
                running[name] = Service(name, services, Path(folder) / name)
                running[name].wait_until_healthy()
            use()
            for service in reversed(running.values()):
                service.stop()
        finally:  # what still runs ends with the namespace
            subprocess.run(["umount", "--recursive", "--lazy", folder], check=True)
    print("started as compose.yaml says; one upload was countersigned and one declined")


def check_what_only_an_engine_does(compose: dict) -> None:
    version = re.search(r'^version = "(.*)"', (PACKAGING.parent / "Cargo.toml").read_text(), re.MULTILINE)[1]
    store = compose["services"]["store"]
    assert (store["image"], store["pull_policy"]) == (f"countersign:{version}", "never"), store
    for name, service in compose["services"].items():
        unknown = set(service) - TRIED - UNTRIED
        assert not unknown, f"{name} has {unknown}, which this test does not try"
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        for port in service["ports"]:
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), f"{name} is reached from elsewhere: {port}"


def in_order(services: dict) -> list[str]:
    """Those first that others wait for."""
    order: list[str] = []
    while len(order) < len(services):
        ready = [n for n, s in services.items() if n not in order and set(s.get("depends_on", {})) <= set(order)]
        assert ready, "services wait for each other"
        order += ready
    return order


def raise_addresses(addresses: list[str]) -> None:
    """Gives this network namespace its loopback, and the addresses of all services on it (SIOCSIF…)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh", b"lo", 1))
        for number, address in enumerate(addresses):
            label = f"lo:{number}".encode()
            request = struct.pack("16sHH4s8x", label, socket.AF_INET, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, request)


class Service:
    """One service, on a root of its own."""

    def __init__(self, name: str, services: dict, folder: Path) -> None:
        service = services[name]
        self.name, self.root, self.log = name, folder / "root", folder / "log"
        self.is_store = service["image"].startswith("countersign:")
        self.user = service["user"] if "user" in service else STORE_IMAGE["user"]
        self.environment = {n: substituted(v) for n, v in service["environment"].items()}
        self.environment["PATH"] = STORE_IMAGE["path"] if self.is_store else "/usr/bin:/bin"
        self.health = service["healthcheck"]["test"]
        assert self.health[0] == "CMD", self.health
        self.make_root(service, services, folder)
        command = [substituted(word) for word in service["command"]]
        if self.is_store:
            command = STORE_IMAGE["entrypoint"] + command
        self.process = subprocess.Popen(self.inside(command), stdout=self.log.open("wb"), stderr=subprocess.STDOUT)

    def make_root(self, service: dict, services: dict, folder: Path) -> None:
        for part in ("root", "upper", "work"):
            (folder / part).mkdir(parents=True)
        layers = f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self.root], check=True)
        (self.root / "usr/bin/countersign").unlink(missing_ok=True)
        if self.is_store:
            subprocess.run(["cp", BINARY, self.root / "usr/bin/countersign"], check=True)
        hosts = [f"{s['networks']['uploads']['ipv4_address']} {n}" for n, s in services.items()]
        (self.root / "etc/hosts").write_text("\n".join(["127.0.0.1 localhost", *hosts, ""]))
        (self.root / "etc/nsswitch.conf").write_text("hosts: files\n")
        for volume in service["volumes"]:
            self.mount(volume, folder)
        for target in service.get("tmpfs", []):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "none", self.root / target[1:]], check=True)

    def mount(self, volume: str, folder: Path) -> None:
        source, target, *mode = volume.split(":")
        at = self.root / target[1:]
        if source.startswith("."):
            assert mode == ["ro"], f"{volume}: a service may change the repository"
            origin = (PACKAGING / source).resolve(strict=True)
            at.parent.mkdir(parents=True, exist_ok=True)
            at.mkdir(exist_ok=True) if origin.is_dir() else at.touch()
            subprocess.run(["mount", "--bind", origin, at], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", at], check=True)
        else:  # a named volume begins as the image's folder of that name
            at.mkdir(exist_ok=True)
            at.chmod(0o770)
            os.chown(at, int(STORE_IMAGE["user"].split(":")[0]), 0)

    def inside(self, command: list[str]) -> list[str]:
        values = [f"{name}={value}" for name, value in self.environment.items()]
        return ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", *values, *command]

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + 30
        while subprocess.run(self.inside(self.health[1:]), capture_output=True, check=False).returncode != 0:
            ended = self.process.poll()
            assert ended is None and time.monotonic() < deadline, f"{self.name}: {ended}; {self.log.read_text()}"
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.terminate()
        status = self.process.wait(timeout=30)
        # PHP's own server knows no other end than the signal.
        assert status == (0 if self.is_store else -15), f"{self.name} ended with {status}: {self.log.read_text()}"


def substituted(text: str) -> str:
    """`${NAME:-default}` as it is where nothing is set; `$$` is a dollar."""
    return re.sub(r"\$(?:\$|\{\w+:-([^}]*)\})", lambda found: found[1] or "$", str(text))


PAGE = "http://127.0.0.1:8000"
# No proxy of this machine's, which is not in this network.
browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar()))
without_cookies = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def use() -> None:
    """What the page does, in its order."""
    text, _ = get(f"{PAGE}/")
    assert "uploader/index.js" in text and "'/signature'" in text, text
    check_module("/uploader/index.js", set())
    assert status_of(f"{PAGE}/signature") == 401
    token = urllib.parse.urlencode({"token": "open-sesame"}).encode()
    with browser.open(f"{PAGE}/login", token) as answer:
        assert json.load(answer)["user"] == "42"
    assert upload("a picture.png", "image/png") == (200, {"Status": "OK"})
    status, declined = upload("note.txt", "text/plain")
    assert (status, declined["Status"]) == (200, "Declined"), declined
    assert json.loads(get(f"{PAGE}/uploads?key=user/42/note.txt")[0]) == declined
    assert upload("a picture.png", "image/png")[0] == 409, "a name is taken once"


def check_module(path: str, known: set[str]) -> None:
    """The page's modules arrive as scripts, with all that they import."""
    if path in known:
        return
    known.add(path)
    text, content_type = get(PAGE + path)
    assert "javascript" in content_type, (path, content_type)
    for imported in re.findall(r"(?:from|import\()\s*'(\./[^']*)'", text):
        check_module("/uploader/" + imported.removeprefix("./"), known)


def upload(name: str, content_type: str) -> tuple[int, object]:
    """One form, as the application signed it, to where it said, from the page's origin."""
    signed = json.loads(get(f"{PAGE}/signature?fields=1")[0])
    boundary = "a-boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in signed["fields"].items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {content_type}'
    body = "".join([*parts, head, "\r\n\r\nhello\r\n", f"--{boundary}--\r\n"]).encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": PAGE}
    request = urllib.request.Request(signed["host"], body, headers)
    try:
        with without_cookies.open(request) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] in ("*", PAGE), answer.headers
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def get(url: str) -> tuple[str, str]:
    with browser.open(url) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def status_of(url: str) -> int:
    try:
        with browser.open(url) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


if __name__ == "__main__":
    if os.environ.pop("IN_NAMESPACES", "") != "1":
        unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.environ["IN_NAMESPACES"] = "1"
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])
    main()
