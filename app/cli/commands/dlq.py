"""``preview dlq``: dead letters, which are jobs that have failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from app.cli.ages import age
from app.cli.clients import preview_client
from app.cli.options import AsJson, JobId
from app.cli.output.console import ago, human_bytes, print_fields, print_json, print_table
from app.cli.output.exits import CommandFailed, ExitCode, violation
from app.cli.output.help import PlainHelp, examples
from app.cli.output.replays import finish_replay
from app.cli.stack.state import settings_here
from app.errors import ErrorItem, ReplayConflict

if TYPE_CHECKING:
    from app.client import PreviewClient
    from app.dead_letters import ReplayReport
    from app.ledger import DeadLetterFilter, Record

#: Dead letters that a filtered replay takes by default.
DEFAULT_REPLAY = 100
#: Largest number of dead letters that a filtered replay may take.
MAX_REPLAY = 1000

Code = Annotated[
    str | None, typer.Option(metavar="CODE", help="Only dead letters with this error code.")
]
Project = Annotated[
    str | None, typer.Option(metavar="ID", help="Only dead letters of this projectId.")
]
OlderThan = Annotated[
    float | None,
    typer.Option(
        parser=age,
        metavar="AGE",
        help="Only dead letters that failed longer ago than AGE, such as 1h.",
    ),
]
NewerThan = Annotated[
    float | None,
    typer.Option(
        parser=age, metavar="AGE", help="Only dead letters that failed within AGE, such as 2d."
    ),
]

dlq = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List, show, replay and purge failed jobs (dead letters).",
)


@dlq.command(
    "list",
    cls=PlainHelp,
    epilog=examples("preview dlq list", "preview dlq list --code render-failed --newer-than 2d"),
)
def list_letters(
    *,
    code: Code = None,
    project: Project = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Annotated[
        int, typer.Option(min=1, max=200, metavar="NUMBER", help="Dead letters per page.")
    ] = 20,
    cursor: Annotated[
        int | None,
        typer.Option(min=1, metavar="CURSOR", help="Continue where the previous page ended."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the latest failure first."""
    wanted = _filter(code, project, older_than, newer_than)
    client = preview_client()
    page, following = client.dead_letters.page(wanted, before_us=cursor, limit=limit)
    matching = client.ledger.count_dead_letters(wanted)
    if as_json:
        from app.documents import dead_letter_summary

        letters = list(map(dead_letter_summary, page))
        print_json({"deadLetters": letters, "matching": matching, "cursor": following})
        return
    _print_letters(page)
    if following is not None:
        typer.echo(f"{matching} match; next page: --cursor {following}", err=True)
    elif not matching:
        typer.echo("no dead letter matches", err=True)


@dlq.command(cls=PlainHelp, epilog=examples("preview dlq show JOB --json"))
def show(job: JobId, as_json: AsJson = False) -> None:
    """Show a dead letter; --json includes its payload."""
    client = preview_client()
    record, payload = client.dead_letters.get(job), client.dead_letters.payload(job)
    if as_json:
        from app.documents import dead_letter_document

        print_json({**dead_letter_document(record), "payload": payload})
        return
    error = record.error or {}
    print_fields(
        {
            "job": record.job_id,
            "project": record.project,
            "request": record.request,
            "priority": record.priority,
            "dry run": "yes" if record.dry_run else None,
            "track": record.track,
            "created": ago(record.created_at),
            "failed": ago(record.finished_at),
            "attempts": f"{record.attempts} of {record.max_attempts}",
            "replays": record.replays,
            "error": f"{error.get('detail')} [{error.get('code')}]",
            "payload": "unreadable"
            if payload is None
            else f"{human_bytes(len(orjson.dumps(payload)))}, shown by --json",
        }
    )
    for item in error.get("errors", ()):
        typer.echo(f"  {violation(ErrorItem(**item))}")
    typer.echo(f"Queue it again: preview dlq replay {record.job_id}", err=True)


@dlq.command(
    cls=PlainHelp,
    epilog=examples(
        "preview dlq replay JOB",
        "preview dlq replay --code render-failed",
        "preview dlq replay --code render-failed --yes",
    ),
)
def replay(
    *,
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="JOB", help="The jobIds of the dead letters.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Select all dead letters.")] = False,
    code: Code = None,
    project: Project = None,
    older_than: OlderThan = None,
    newer_than: NewerThan = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_REPLAY,
            metavar="NUMBER",
            help=f"With a filter: maximum number, oldest first. Default: {DEFAULT_REPLAY}.",
        ),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="With a filter: replay the jobs instead of listing them."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Queue dead letters again.

    Name the jobs, or select them by --all or a filter (--code, --project, --older-than,
    --newer-than). With a filter, the command only lists the jobs unless you add --yes.
    """
    filters = (code, project, older_than, newer_than)
    filtered = any(value is not None for value in filters)
    if [bool(jobs), everything, filtered].count(True) != 1:
        raise CommandFailed(
            "give jobIds, or --all, or a filter (--code, --project, --older-than, --newer-than)",
            ExitCode.INVALID,
        )
    if jobs and limit is not None:
        raise CommandFailed("--limit needs a filter; it does not go with jobIds", ExitCode.INVALID)
    client = preview_client()
    if jobs:
        finish_replay(client.dead_letters.replay(jobs), as_json=as_json)
        return
    wanted = _filter(*filters)
    matching = client.ledger.count_dead_letters(wanted)
    report = client.dead_letters.replay_matching(
        wanted, limit=limit or DEFAULT_REPLAY, dry_run=not yes
    )
    if yes or as_json:
        finish_replay(report, as_json=as_json, dry_run=not yes, matching=matching)
    else:
        _show_dry_run(client, report, matching)


def _show_dry_run(client: PreviewClient, report: ReplayReport, matching: int) -> None:
    records = client.ledger.get_many(report.replayed)
    _print_letters(record for record in records if record is not None)
    count = len(report.replayed)
    if not count:
        typer.echo("no dead letter matches", err=True)
        return
    typer.echo(f"{count} of {matching} that match would be queued again.", err=True)
    room = max(0, settings_here().preview_queue_max - client.queue().depth)
    if room < count:
        typer.echo(f"The queue has room for {room} of them now.", err=True)
    typer.echo("Nothing was done. To replay them, repeat the command with --yes.", err=True)


@dlq.command(cls=PlainHelp)
def purge(
    job: JobId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a dead letter for good."""
    client = preview_client()
    record = client.status(job)
    if record.state != "failed":
        raise ReplayConflict(f"The job {job!r} is {record.state}: only dead letters are purged.")
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise CommandFailed("this cannot be undone; confirm it with --yes", ExitCode.INVALID)
        code, failed = (record.error or {}).get("code"), ago(record.finished_at)
        if not typer.confirm(f"Delete {record.job_id} ({code}, failed {failed}) for good?"):
            raise CommandFailed("nothing was purged")
    client.dead_letters.purge(job)
    typer.echo(f"{record.job_id} is purged")


def _filter(
    code: str | None, project: str | None, older_than: float | None, newer_than: float | None
) -> DeadLetterFilter:
    from app.ledger import DeadLetterFilter

    if "" in (code, project):  # an unset variable in a script must not select all jobs
        raise CommandFailed("--code and --project must not be empty", ExitCode.INVALID)
    if older_than is not None and newer_than is not None and newer_than <= older_than:
        raise CommandFailed(
            "no job can match: --newer-than must be longer than --older-than", ExitCode.INVALID
        )
    now = time.time()
    return DeadLetterFilter(
        code=code,
        project=project,
        failed_from=None if newer_than is None else now - newer_than,
        failed_until=None if older_than is None else now - older_than,
    )


def _print_letters(records: Iterable[Record]) -> None:
    print_table(
        ("JOB", "PROJECT", "FAILED", "ATTEMPTS", "REPLAYS", "CODE", "DETAIL"),
        (
            (
                record.job_id,
                record.project,
                ago(record.finished_at),
                record.attempts,
                record.replays,
                (record.error or {}).get("code"),
                (record.error or {}).get("detail"),
            )
            for record in records
        ),
    )
