"""Finds the `countersign` that came with this package."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sysconfig
from typing import Iterator

from .troubles import BinaryMissing

DISTRIBUTION = "countersign-oss"
VARIABLE = "COUNTERSIGN_BINARY"
_NAME = "countersign.exe" if os.name == "nt" else "countersign"


def find_binary() -> str:
    """The path of the binary: the one that COUNTERSIGN_BINARY names, the installed package's, or the one on the path.

    Raises BinaryMissing, with the places that were looked at.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if os.path.isfile(named):
            return named
        raise BinaryMissing(f"{VARIABLE} is {named}, and there is no such file")
    looked = []
    for candidate in _candidates():
        if os.path.isfile(candidate):
            return candidate
        looked.append(candidate)
    on_path = shutil.which(_NAME)
    if on_path:
        return on_path
    places = "\n  ".join(looked)
    raise BinaryMissing(
        f"there is no countersign for this Python; these were tried, and the path:\n  {places}\n{advice()}"
    )


def advice() -> str:
    """What to do where the package has no binary that runs."""
    machine = f"{platform.system()} on {platform.machine()}, {' '.join(platform.libc_ver()) or 'unknown C library'}"
    return (
        f"This machine is {machine}. The wheel of {DISTRIBUTION} brings the binary where its platform tag fits; "
        f"elsewhere build it (cargo install --path crates/cli) and name it in {VARIABLE}."
    )


def _candidates() -> Iterator[str]:
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        # The installer wrote down where it put it, wherever that is.
        if file.name == _NAME:
            yield os.path.normpath(str(file.locate()))
    yield os.path.join(sysconfig.get_path("scripts"), _NAME)
