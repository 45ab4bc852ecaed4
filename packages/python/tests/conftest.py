"""What the tests of the packages share."""

import os
import pathlib

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def countersign_process_ids():
    """A function: the ids of the instances that this process started and that still run."""

    def of_this_process():
        found = []
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            except OSError:
                continue
            if lines.get("PPid") == str(os.getpid()) and lines.get("Name") == "countersign":
                found.append(int(lines["Pid"]))
        return found

    return of_this_process
