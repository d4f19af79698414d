"""Whatever the contract accepts is rendered, or fails by a code of :mod:`app.errors`.

``FUZZ_EXAMPLES`` says how many jobs are tried, ``FUZZ_SECONDS`` for how long at most, ``FUZZ_SEED``
which; a failure prints its seed and the smallest job that shows it.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from app.errors import PermanentError
from app.render.engine import render
from app.render.result import RenderResult
from tests.render.jobs import jobs, write_assets

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
SECONDS = float(os.environ.get("FUZZ_SECONDS", "15"))


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    directory = tmp_path / "assets"
    directory.mkdir()
    write_assets(directory)
    return directory


def check(result: RenderResult, out: Path) -> None:
    """Hold what a render says of its files against the files."""
    for file in result.files:
        content = (out / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    (video,) = [file.name for file in result.files if file.kind == "video"]
    with av.open(str(out / video)) as film:
        assert sum(1 for _ in film.decode(video=0)) == result.frames


@pytest.mark.timeout(120 + 20 * SECONDS)
def test_whatever_is_accepted_is_rendered_or_fails_by_its_code(
    assets: Path, tmp_path: Path
) -> None:
    number = int(os.environ.get("FUZZ_SEED") or random.getrandbits(32))
    print(f"the same again: FUZZ_SEED={number} FUZZ_EXAMPLES={EXAMPLES}")
    seen: Counter[str] = Counter()
    until = [time.monotonic() + SECONDS]

    @seed(number)
    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        database=None,  # the seed alone says what is tried
        suppress_health_check=list(HealthCheck),
    )
    @given(jobs())
    def attempt(job: dict[str, Any] | None) -> None:
        if job is None or time.monotonic() > until[0]:
            seen["skipped"] += 1
            return
        out = tmp_path / "out"
        try:
            result = render(
                job, asset_dir=assets, out_dir=out, threads=1, on_progress=lambda _: None
            )
            check(result, out)
            seen["rendered"] += 1
        except PermanentError as error:
            seen[error.code] += 1
        except BaseException:
            until[0] = float("inf")  # it is tried again, to find the smallest job that shows it
            raise
        finally:
            shutil.rmtree(out, ignore_errors=True)

    attempt()
    print(dict(seen))
    assert seen["rendered"] >= 3
