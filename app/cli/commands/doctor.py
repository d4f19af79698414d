"""``preview doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from app.cli.checks import host, queue
from app.cli.checks.findings import Finding, run_check
from app.cli.checks.report import report
from app.cli.options import AsJson
from app.settings import SettingsError, load_settings


def diagnose() -> Iterator[Finding]:
    """Yield the findings of all checks; those that need settings only if these are valid."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": host.python,
        "encoder": host.encoder,
        "text": host.text,
    }
    try:
        settings = load_settings()
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
    """Check this machine, its settings and its queue; 1 when something fails."""
    report(diagnose(), as_json=as_json)
