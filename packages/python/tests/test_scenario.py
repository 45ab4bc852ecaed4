"""The scenario as the documents show it, and its length."""

import pathlib
import re

import pytest

REPOSITORY = pathlib.Path(__file__).parents[3]
SCENARIO = REPOSITORY / "packages/python/scenario"
PAGES = ["docs/testing.md", "docs/testing.zh-CN.md", "packages/python/pytest-countersign/README.md"]


@pytest.mark.parametrize("name, lines_max", [("test_upload.py", 25), ("test_shortest.py", 10)])
def test_the_scenario_is_short(name, lines_max):
    lines = [line for line in (SCENARIO / name).read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) <= lines_max
    assert all(len(line) <= 120 and ";" not in line for line in lines), "lines are not short by being long"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_very_file_that_is_run(page):
    fences = re.findall(r"```python (\S+)\n(.*?)```", (REPOSITORY / page).read_text("utf-8"), re.DOTALL)
    shown = dict(fences)
    for name in ("test_upload.py", "test_shortest.py"):
        assert shown[name] == (SCENARIO / name).read_text("utf-8"), name
