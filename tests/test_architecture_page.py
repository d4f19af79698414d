"""``docs/architecture.md`` shows the floors that imports keep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_floors import FLOORS, RENDERER

PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(("heading", "floors"), [("## Floors", FLOORS), ("## Rendering", RENDERER)])
def test_the_floors_of_the_page_are_those_that_imports_keep(
    heading: str, floors: list[set[str]]
) -> None:
    section = PAGE.partition(f"{heading}\n")[2]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    shown = next(block for language, block in blocks if not language).splitlines()
    names = [set(line[:43].split()) for line in shown]  # what a floor does follows
    assert [each for each in reversed(names) if each] == [
        each for each in floors if each != {"__main__"}
    ]
