"""``preview doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Final

import typer
from rich.text import Text

from app.cli.checks import host, queue
from app.cli.checks.findings import Finding, Level, run_check
from app.cli.output.console import clean, console, print_json
from app.cli.output.exits import ExitCode
from app.settings import SettingsError, load_settings

_STYLES: Final[dict[Level, str]] = {
    "ok": "green", "info": "cyan", "warn": "yellow", "fail": "bold red",
}  # fmt: skip


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


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check this machine, its settings and its queue; 1 when something fails."""
    report(diagnose(), as_json=as_json)


def report(findings: Iterator[Finding], *, as_json: bool) -> None:
    """Print findings as they come, and what they come to.

    Raises:
        typer.Exit: One of them is a failure.
    """
    found = []
    for finding in findings:
        found.append(finding)
        if not as_json:
            _show(finding)
    counts = Counter(finding.level for finding in found)
    if as_json:
        print_json({"ok": not counts["fail"], "checks": found})
    else:
        typer.echo(f"{counts['ok']} ok, {counts['warn']} to consider, {counts['fail']} failed")
    if counts["fail"]:
        raise typer.Exit(ExitCode.FAILED)


def _show(finding: Finding) -> None:
    line = Text(f"{finding.level:<5}", style=_STYLES[finding.level])
    line += Text(f"{finding.name:<15}{clean(finding.detail)}", style="")
    console().print(line)
    if finding.remedy:
        console().print(Text(f"     → {clean(finding.remedy)}", style=""))
