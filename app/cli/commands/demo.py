"""``preview demo``: one tutorial from payload to video, with nothing to prepare."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import typer

from app.cli.output.console import clean, console, human_bytes, short_path
from app.cli.output.exits import CommandFailed
from app.cli.output.files import local_name, save
from app.cli.output.follow import follow, require_completed, show_warnings
from app.cli.output.players import play_command
from app.cli.output.waiting import waiting_line
from app.cli.signals import Signals
from app.cli.stack.setup import checkout, checkout_settings, stack_settings
from app.errors import PreviewError

if TYPE_CHECKING:
    from app.cli.stack.supervisor import Stack

#: Seconds between two looks at the job.
POLL_SECONDS = 0.1
#: Queue of the demo, should the server be shared with others.
QUEUE = "preview-demo"


def demo() -> None:
    """Render the example tutorial to a video, from nothing.

    Starts a queue, an API, a worker and a scheduler of its own on free ports, and stops them
    afterwards. Takes about half a minute on two cores.
    """
    root = checkout()
    from app.cli.stack.logs import FileLines
    from app.cli.stack.supervisor import Stack

    began = time.monotonic()
    given = checkout_settings()
    home = given.data_dir / "demo"
    settings, embedded = stack_settings(
        given, data_dir=home, asset_root=root / "examples" / "assets", api_port=0, health_port=0
    )
    settings = settings.model_copy(update={"storage_url": "", "preview_queue_name": QUEUE})
    example = root / "examples" / "tutorial.json"
    payload = orjson.loads(example.read_bytes())
    payload["jobId"] += time.strftime("-%Y%m%d-%H%M%S-") + secrets.token_hex(2)
    typer.echo(f"Rendering {clean(short_path(example))}: about half a minute on two cores.")
    sink = FileLines(home / "logs")
    with (
        Signals() as signals,
        waiting_line(console()) as say,
        Stack(settings, embedded=embedded, root=root, signals=signals, sink=sink, say=say) as stack,
    ):
        say("")  # the bar takes the place of the line
        files = _render(stack, payload, home / payload["jobId"])
    _report(files, seconds=time.monotonic() - began)


def _render(stack: Stack, payload: dict[str, object], target: Path) -> list[Path]:
    from app.client import PreviewClient
    from app.storage import ArtifactStore

    client = PreviewClient.from_settings(stack.settings)
    job_id = client.submit(payload).job_id

    try:
        changes = client.watch(job_id, poll_seconds=POLL_SECONDS, on_poll=stack.check)
        record = follow(job_id, changes)
    except (KeyboardInterrupt, CommandFailed):
        # Otherwise the job would wait in the queue, and the next demo would render it too.
        with contextlib.suppress(PreviewError):
            client.cancel(job_id)
        raise
    require_completed(record)
    show_warnings(record)
    store = ArtifactStore(stack.settings.artifact_url)
    files: list[Path] = []
    for artifact in record.artifacts:
        path = target / local_name(artifact)
        save(store, artifact, path)
        # The video comes first: it is what people look for.
        files.insert(0 if artifact["kind"] == "video" else len(files), path)
    return files


def _report(files: list[Path], *, seconds: float) -> None:
    typer.echo(f"Done in {seconds:.1f} s:")
    for path in files:
        typer.echo(f"  {clean(short_path(path))}  {human_bytes(path.stat().st_size)}")
    typer.echo(f"Play it: {play_command(files[0])}")
