"""``preview doctor``: what is wrong on this machine, and how to fix it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from app.cli.checks import host, queue
from app.cli.checks.findings import Finding, run_check
from app.cli.checks.report import report
from app.cli.options import AsJson
from app.cli.stack.state import settings_here
from app.settings import SettingsError


def diagnose() -> Iterator[Finding]:
    """Run all checks; those that need settings are left out if the settings are invalid."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": host.python,
        "encoder": host.encoder,
        "fonts": host.fonts,
        "words": host.words,
    }
    try:
        settings = settings_here()
    except SettingsError as error:
        yield Finding(
            "settings", "fail", str(error), "correct the variable; docs/configuration.md lists all"
        )
    else:
        yield Finding("settings", "ok", f"valid, APP_ENV is {settings.app_env}")
        for name, check in (
            ("keys", host.keys),
            ("installed fonts", host.installed_fonts),
            ("disk", host.disk),
            ("storage", host.storage),
            ("redis", queue.queue),
            ("ports", host.ports),
        ):
            checks[name] = functools.partial(check, settings)
    for name, run in checks.items():
        yield from run_check(name, run)


def doctor(as_json: AsJson = False) -> None:
    """Check this machine, its settings and its queue.

    Prints how to fix what is wrong. Returns 1 if a check fails; warnings do not count.
    """
    report(diagnose(), as_json=as_json)
