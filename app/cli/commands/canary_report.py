"""``preview canary-report``: whether to promote a canary, to wait, or to roll back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.ages import age
from app.cli.checks.canary_verdict import Track, Verdict, judge, worst
from app.cli.options import AsJson
from app.cli.output.console import clean, print_json, print_table
from app.cli.output.exits import CommandFailed
from app.cli.remote.api import Api, read_key
from app.cli.remote.prometheus import Prometheus, Sample

#: Exit codes; no other command returns 10 or 20.
EXIT_CODES: Final[dict[Verdict, int]] = {"promote": 0, "wait": 10, "roll back": 20}
#: The compared tracks, the new one first.
TRACKS: Final = ("canary", "stable")
#: Outcomes of attempts that failed: for good, or to be repeated.
_FAULTS = ("failed", "delayed")


def canary_report(
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus server that scrapes the workers.")
    ],
    window: Annotated[
        str,
        typer.Option(
            metavar="AGE",
            help="Period to compare, such as 30m; choose one in which the canary was running.",
        ),
    ] = "30m",
    matching: Annotated[
        str,
        typer.Option(
            metavar="MATCHERS", help="""Label matchers to add, such as 'namespace="previews"'."""
        ),
    ] = "",
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with Prometheus's bearer token on its first line."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare canary and stable workers, and give a verdict.

    The exit code is the verdict: 0 promote, 10 wait, 20 roll back, and 1 if Prometheus has no
    answer. docs/canary.md explains the rules.
    """
    age(window)
    with closing(Api(prometheus, key=read_key(key_file))) as api:
        canary, stable = read_tracks(Prometheus(api), window=window, matching=matching)
    reasons = judge(canary, stable)
    verdict = worst(reasons)
    if as_json:
        print_json(
            {
                "verdict": verdict,
                "window": window,
                "reasons": reasons,
                "canary": asdict(canary),
                "stable": asdict(stable),
            }
        )
    else:
        _show(canary, stable)
        for reason in reasons:
            typer.echo(f"{reason.verdict + ':':<11}{clean(reason.text)}")
        typer.echo(f"verdict: {verdict}")
    raise typer.Exit(EXIT_CODES[verdict])


def read_tracks(server: Prometheus, *, window: str, matching: str = "") -> tuple[Track, Track]:
    """Query the attempts of canary and stable.

    Args:
        server: The server that scrapes the workers.
        window: Period before now, in PromQL's notation.
        matching: Further label matchers in PromQL's notation.

    Raises:
        CommandFailed: The server knows no attempts of a track.
    """
    chosen = ",".join(part for part in (f'track=~"{"|".join(TRACKS)}"', matching) if part)

    def increase(metric: str, by: str) -> str:
        return f"sum by ({by}) (increase({metric}{{{chosen}}}[{window}]))"

    attempts = server.query(increase("preview_job_attempts_total", "track, outcome"))
    lost = server.query(increase("preview_job_attempts_lost_total", "track"))
    refused = server.query(increase("preview_jobs_refused_total", "track"))
    buckets = increase("preview_job_duration_seconds_bucket", "track, le")
    median, p95 = (
        server.query(f"histogram_quantile({quantile}, {buckets})") for quantile in (0.5, 0.95)
    )
    canary, stable = (
        _track(
            name,
            attempts=[(labels, value) for labels, value in attempts if labels.get("track") == name],
            lost=round(_of(lost, name) or 0.0),
            refused=round(_of(refused, name) or 0.0),
            median=_of(median, name),
            p95=_of(p95, name),
        )
        for name in TRACKS
    )
    return canary, stable


def _track(
    name: str,
    *,
    attempts: list[Sample],
    lost: int,
    refused: int,
    median: float | None,
    p95: float | None,
) -> Track:
    # Counters start at 0, so every worker that is scraped has all of them.
    if not attempts:
        raise CommandFailed(
            f"Prometheus has no preview_job_attempts_total of track {name}: is it running, are "
            "its workers scraped, and does --matching fit?"
        )
    counts = {labels.get("outcome", ""): round(value) for labels, value in attempts}
    failed = sum(counts.get(outcome, 0) for outcome in _FAULTS)
    return Track(
        completed=counts.get("completed", 0),
        faults=max(0, failed - refused) + lost,
        lost=lost,
        refused=refused,
        median_seconds=median,
        p95_seconds=p95,
    )


def _of(samples: list[Sample], track: str) -> float | None:
    return next((value for labels, value in samples if labels.get("track") == track), None)


def _show(canary: Track, stable: Track) -> None:
    print_table(
        ("TRACK", "ATTEMPTS", "FAULTS", "LOST", "REFUSED", "MEDIAN", "P95"),
        (
            (
                name,
                track.attempts,
                f"{track.faults} ({track.fault_rate:.1%})",
                track.lost,
                track.refused,
                _seconds(track.median_seconds),
                _seconds(track.p95_seconds),
            )
            for name, track in zip(TRACKS, (canary, stable), strict=True)
        ),
    )


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g} s"
