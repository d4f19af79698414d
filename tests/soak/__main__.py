"""``python -m tests.soak --minutes 10 --seed 7``: exit code 1 when anything is broken."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.run import Soak


def table(soak: Soak) -> list[str]:
    """Return what the soak has counted, line by line."""
    rows = {**soak.figures, **soak.journal.counts}
    answers = sorted(soak.book.answers.items())
    rows |= {f"answer to {what}: {status or 'lost'}": number for (what, status), number in answers}
    return [f"{name:<32} {value}" for name, value in rows.items()]


def main() -> int:
    """Run one soak in a directory that is kept when it finds something."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    # What ends the soak also ends all that it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    directory = Path(tempfile.mkdtemp(prefix="soak-"))
    # The worker's entry point, of which parts are used here, reads the environment.
    os.environ |= {"APP_ENV": "test", "DATA_DIR": str(directory / "own"), "LOG_LEVEL": "error"}
    from tests.soak.run import Soak  # noqa: PLC0415 - now that the environment is set

    soak = Soak(directory, seconds=60 * arguments.minutes, seed=arguments.seed)
    soak.journal.say(f"{arguments.minutes:g} minutes, SEED={arguments.seed}, in {directory}")
    broken = soak.run()
    for line in table(soak):
        soak.journal.say(line)
    if broken:
        for sentence in broken:
            soak.journal.say(f"BROKEN: {sentence}")
        soak.journal.say(
            f"{len(broken)} promises are broken: SEED={arguments.seed}, see {directory}"
        )
        return 1
    shutil.rmtree(directory)
    soak.journal.say(f"every promise was kept: SEED={arguments.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
