"""Prints the findings of a check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import typer
from rich.text import Text

from app.cli.checks.findings import Finding, Level
from app.cli.output.console import clean, console, print_json
from app.cli.output.exits import ExitCode

_STYLES: Final[dict[Level, str]] = {
    "ok": "green", "info": "cyan", "warn": "yellow", "fail": "bold red",
}  # fmt: skip


def report(findings: Iterator[Finding], *, as_json: bool) -> None:
    """Print each finding as it arrives, then the counts.

    Raises:
        typer.Exit: At least one finding is a failure.
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
        warnings = "warning" if counts["warn"] == 1 else "warnings"
        typer.echo(f"{counts['ok']} ok, {counts['warn']} {warnings}, {counts['fail']} failed")
    if counts["fail"]:
        raise typer.Exit(ExitCode.FAILED)


def _show(finding: Finding) -> None:
    line = Text(f"{finding.level:<5}", style=_STYLES[finding.level])
    line += Text(f"{finding.name:<15}{clean(finding.detail)}", style="")
    console().print(line)
    if finding.remedy:
        console().print(Text(f"     → {clean(finding.remedy)}", style=""))
