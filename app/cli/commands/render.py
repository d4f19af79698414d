"""``preview render``: a payload rendered on this machine, without a queue."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import AsJson, PayloadFile
from app.cli.output.console import clean, human_bytes, print_json, short_path
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.players import play_command
from app.cli.output.progress import Stage, progress_display
from app.cli.output.staging import preview_place, publish
from app.cli.payloads import label
from app.cli.rendering import RESULT, assets_of, checked_payload, render_here
from app.cli.signals import Signals
from app.cli.stack.setup import require_posix
from app.cli.stack.state import settings_here
from app.cli.stills import still_place, still_request
from app.render import RenderResult


def render(
    file: PayloadFile,
    *,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="Directory to make, or file for a still."),
    ],
    assets: Annotated[
        Path | None,
        typer.Option(
            "--assets",
            metavar="DIR",
            help="Directory of the assets. Default: the payload's directory.",
        ),
    ] = None,
    at: Annotated[
        float | None,
        typer.Option("--at", metavar="SECONDS", help="Draw only the still of this moment."),
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="ID", help="Draw only a still of this step.")
    ] = None,
    width: Annotated[
        int | None,
        typer.Option("--width", metavar="PIXELS", help="Largest width of the still."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier preview or still.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Render a payload on this machine, without a queue.

    PATH appears when everything is complete; after an error or Ctrl-C, nothing is left of it.
    With --at or --step, PATH is a .jpg, .png or .webp file, which shows one frame of the film.
    """
    require_posix()
    from app.temporary import remove_leftovers, temporary_directory

    settings = settings_here()
    still = still_request(out, at=at, step=step, width=width)
    payload = checked_payload(file, settings)
    if payload["dryRun"] and still is None:
        raise CommandFailed(
            f"{label(file)} asks for a dry run; set dryRun to false to render it", ExitCode.INVALID
        )
    asset_dir = assets_of(file, assets)
    place = still_place(out, force=force) if still else preview_place(out, force=force)
    began = time.monotonic()
    for root in (place.parent, Path(tempfile.gettempdir())):
        remove_leftovers(root)
    # Beside its place, because only within a file system a preview appears at once.
    with temporary_directory(place.parent, name="render") as work:
        with progress_display(label(file), quiet=as_json) as show:
            with Signals() as signals:
                result = render_here(
                    payload,
                    settings,
                    asset_dir=asset_dir,
                    work=work,
                    show=show,
                    check=signals.check,
                    still=still,
                )
            if not still:
                show(Stage("finishing", result.frames, result.frames))
        if still:
            (work / RESULT / still.file_name).replace(place)
        else:
            publish(work / RESULT, place, force=force)
    if as_json:
        print_json({"file" if still else "directory": str(place), **asdict(result)})
    elif still:
        typer.echo(f"{clean(short_path(place))}  {human_bytes(result.files[0].bytes)}")
    else:
        _report(result, place, seconds=time.monotonic() - began)


def _report(result: RenderResult, place: Path, *, seconds: float) -> None:
    steps = result.cache_hits + result.cache_misses
    cached = f", {result.cache_hits} of {steps} steps from the cache" if result.cache_hits else ""
    typer.echo(f"{result.seconds:.1f} s of film in {seconds:.1f} s{cached}:")
    for file in result.files:
        name = clean(short_path(place / file.name))
        typer.echo(f"  {name}  {human_bytes(file.bytes)}")
    for warning in result.warnings:
        typer.echo(f"  warning: {clean(warning)}", err=True)
    video = next((file for file in result.files if file.kind == "video"), None)
    if video is not None:
        typer.echo(f"Play it: {play_command(place / video.name)}")
