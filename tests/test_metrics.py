from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from app.metrics import OUTCOMES, TRACKS, Metrics, registry_of


def test_every_series_exists_from_the_start_and_carries_its_track() -> None:
    text = generate_latest(registry_of(Metrics(track="canary"))).decode()
    names = "accepted started completed failed retried invalid duplicate cancelled dryrun"
    for name in names.split():
        assert f'preview_jobs_{name}_total{{track="canary"}} 0.0' in text
    for name in ("hits", "misses"):
        assert f'preview_step_cache_{name}_total{{track="canary"}} 0.0' in text
    for track in TRACKS:  # the dead do not count themselves: others do, of any track
        assert f'preview_job_attempts_lost_total{{track="{track}"}} 0.0' in text
    for outcome in OUTCOMES:
        assert f'preview_job_attempts_total{{outcome="{outcome}",track="canary"}} 0.0' in text
    assert 'preview_job_duration_seconds_bucket{le="2.5",track="canary"} 0.0' in text


def test_an_outcome_that_nobody_declared_cannot_be_counted() -> None:
    with pytest.raises(KeyError):
        Metrics(track="stable").attempt("surprise")


COUNT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from app.metrics import Metrics, share_between_processes
share_between_processes(Path(sys.argv[1]))
metrics = Metrics(track="stable")
metrics.completed.inc(int(sys.argv[2]))
os.kill(os.getpid(), signal.SIGKILL)
"""

SCRAPE = """
import sys
from pathlib import Path
from prometheus_client import generate_latest
from app.metrics import Metrics, registry_of, share_between_processes
share_between_processes(Path(sys.argv[1]))
sys.stdout.write(generate_latest(registry_of(Metrics(track="stable"))).decode())
"""


def test_processes_count_together_and_a_killed_ones_counts_stay(tmp_path: Path) -> None:
    for number in (2, 3):
        command = [sys.executable, "-c", COUNT_AND_DIE, str(tmp_path), str(number)]
        assert subprocess.run(command, check=False).returncode == -9
    command = [sys.executable, "-c", SCRAPE, str(tmp_path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert 'preview_jobs_completed_total{track="stable"} 5.0' in text
