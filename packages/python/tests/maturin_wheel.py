#!/usr/bin/env python3
"""Makes the wheel of `countersign-oss` with maturin too and compares it with the one of `cargo xtask dist`.

    python3 maturin_wheel.py FOLDER [PROFILE]

Both must have the same name, the same files and the same metadata; maturin adds a list of the crates inside, and dist the
notices of these crates.
"""

import pathlib
import re
import subprocess
import sys
import zipfile

from empty_folder import PACKAGE, made_by_dist

PROJECT = PACKAGE / "countersign-oss"
NOTICES = "THIRD-PARTY-NOTICES.txt"


def contents(wheel):
    """Its files' names without what tells of the crates, and its metadata as a set of lines and a description."""
    archive = zipfile.ZipFile(wheel)
    names = {name for name in archive.namelist() if "/sboms/" not in name and not name.endswith(NOTICES)}
    (metadata,) = (name for name in names if name.endswith("/METADATA"))
    fields, _, description = archive.read(metadata).decode("utf-8").partition("\n\n")
    # Which dialect of Markdown it is, only maturin says.
    lines = {line.replace("; variant=GFM", "") for line in fields.splitlines()}
    return names, lines - {f"License-File: {NOTICES}"}, description.strip()


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    profile = sys.argv[2] if len(sys.argv) > 2 else "release"
    (maturin,) = re.findall(r'"(maturin==[\d.]+)"', (PROJECT / "pyproject.toml").read_text("utf-8"))
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    subprocess.run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", maturin], check=True)
    out = folder / "wheels"
    for old in out.glob("*.whl"):
        old.unlink()
    command = [str(folder / "bin/maturin"), "build", "--profile", profile, "--out", str(out)]
    subprocess.run(command, cwd=PROJECT, check=True)
    (theirs,), (ours,) = list(out.glob("*.whl")), list(made_by_dist().glob("countersign_oss-*.whl"))
    assert theirs.name == ours.name, (theirs.name, ours.name)
    assert any(name.endswith(NOTICES) for name in zipfile.ZipFile(ours).namelist()), "no notices"
    for one, other in zip(contents(theirs), contents(ours)):
        assert one == other, f"maturin: {one}\n\ndist: {other}"
    print(f"maturin makes the same {ours.name}")


if __name__ == "__main__":
    main()
