"""What a check of ``preview doctor`` found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "info", "warn", "fail"]

#: Longest run of one check; an unreachable bucket is retried for minutes otherwise.
CHECK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report. ``remedy`` is empty if there is nothing to do."""

    name: str
    level: Level
    detail: str
    remedy: str = ""


def run_check(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Run a check within :data:`CHECK_SECONDS`; one that breaks is a failure too."""
    found: list[Finding] = []
    broken: list[Exception] = []

    def work() -> None:
        try:
            found.extend(check())
        except Exception as error:  # noqa: BLE001 - whatever it is, the other checks go on
            broken.append(error)

    thread = threading.Thread(target=work, name=f"check-{name}", daemon=True)
    thread.start()
    thread.join(CHECK_SECONDS)
    if thread.is_alive():
        return [Finding(name, "fail", f"no answer in {CHECK_SECONDS:g} s", "check the network")]
    if broken:
        detail = f"{type(broken[0]).__name__}: {broken[0]}"
        return [*found, Finding(name, "fail", detail, "report this, it should not happen")]
    return found
