"""``docs/reliability.md`` names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)(?:::(test_[a-z_]+))?`", page))
    assert len(named) > 20
    for path, function in named:
        source = (ROOT / path).read_text()
        assert (
            f"def {function}(" in source if function else "def test_" in source or "oracle" in path
        )
