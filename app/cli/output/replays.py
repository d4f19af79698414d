"""What became of a replay: for a person, for a program, and for the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from app.cli.output.console import clean, print_json
from app.cli.output.exits import ExitCode, complain

if TYPE_CHECKING:
    from app.dead_letters import ReplayReport

#: Jobs that a line about a reason names.
MAX_NAMED: Final = 5

#: Why jobs were not replayed, for a person and for the shell.
REASONS: Final = {
    "job-not-found": ("there is no such job", ExitCode.NO_SUCH_JOB),
    "replay-conflict": ("it is not a dead letter, or no longer one", ExitCode.CONFLICT),
    "queue-full": ("the queue is full; try again when it has room", ExitCode.QUEUE_FULL),
    "message-lost": ("its payload is lost; submit it again", ExitCode.FAILED),
}


def finish_replay(
    report: ReplayReport, *, as_json: bool, dry_run: bool = False, matching: int | None = None
) -> None:
    """Print a report.

    Args:
        report: What became of each job.
        as_json: Print it as the API does.
        dry_run: Nothing was done.
        matching: Dead letters that matched a filter, if there was one.

    Raises:
        typer.Exit: Jobs were skipped: with the code of the reason, FAILED if there are several.
    """
    if as_json:
        from app.documents import replay_document

        document = replay_document(report.replayed, report.skipped, dry_run=dry_run)
        print_json(document if matching is None else {**document, "matching": matching})
    else:
        for job_id in report.replayed:
            typer.echo(f"{clean(job_id)} queued again")
        if matching is not None:
            typer.echo(f"{len(report.replayed)} of {matching} that match queued again", err=True)
    reasons = list(dict.fromkeys(reason for _, reason in report.skipped))
    for reason in reasons:
        _complain_of(reason, [job_id for job_id, why in report.skipped if why == reason])
    if reasons:
        raise typer.Exit(REASONS[reasons[0]][1] if len(reasons) == 1 else ExitCode.FAILED)


def _complain_of(reason: str, job_ids: list[str]) -> None:
    named = ", ".join(job_ids[:MAX_NAMED])
    rest = len(job_ids) - MAX_NAMED
    if rest > 0:
        named += f" and {rest} more"
    complain(f"not replayed: {named}: {REASONS[reason][0]} [{reason}]")
