#!/usr/bin/env python3
"""Runs the tests that would disturb each other in many worker processes, several times.

    python crosstalk.py --workers 8 --runs 20

Afterwards each worker must have had one instance, each instance one worker, and none may have left its folder.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).parent / "crosstalk"


def run_once(workers, record):
    """One run of pytest; what its tests wrote down."""
    environment = dict(os.environ, CROSSTALK_RECORD=str(record))
    command = [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", "-W", "ignore"]
    command += ["-n", str(workers)]
    subprocess.run([*command, str(TESTS)], env=environment, cwd=record.parent, check=True, timeout=300)
    return [json.loads(line) for line in record.read_text("utf-8").splitlines()]


def check(lines, workers):
    """Raises AssertionError unless workers and instances belong together one to one and are gone."""
    pairs = {(line["worker"], line["process"], line["data"]) for line in lines}
    assert len(pairs) == workers, f"{len(pairs)} pairs of worker and instance, of {workers} workers"
    assert len({data for _, _, data in pairs}) == workers, "two workers share an instance"
    left = [data for _, _, data in pairs if pathlib.Path(data).exists()]
    assert not left, f"left behind: {left}"


def main():
    parser = argparse.ArgumentParser(description="Looks for cross-talk between tests.")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            check(run_once(options.workers, pathlib.Path(folder) / "record"), options.workers)
    print(f"no cross-talk in {options.runs} runs with {options.workers} workers")


if __name__ == "__main__":
    main()
