"""``preview render``: a payload rendered on this machine, without a queue."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from app.cli.options import AsJson, PayloadFile
from app.cli.output.console import clean, human_bytes, print_json, short_path
from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.players import play_command
from app.cli.output.progress import Stage, progress_display
from app.cli.output.staging import preview_place, publish
from app.cli.payloads import STDIN, label, read_payload
from app.cli.signals import Signals
from app.cli.stack.setup import require_posix
from app.cli.stack.state import settings_here
from app.contract import RemoteAssets, load_contract
from app.errors import AssetBlocked, AssetFailed
from app.render import Progress, RenderResult
from app.settings import Settings

#: Seconds between two looks at the signals and at the child's reports.
TICK_SECONDS = 0.1
#: Directory of the preview in the temporary one.
_PREVIEW: Final = "preview"


def render(
    file: PayloadFile,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Directory to make for the preview.")
    ],
    assets: Annotated[
        Path | None,
        typer.Option(
            "--assets",
            metavar="DIR",
            help="Directory of the assets. Default: the payload's directory.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an earlier preview in DIR.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Render a payload on this machine, without a queue.

    DIR appears when the preview is complete; after an error or Ctrl-C, nothing is left of it.
    """
    require_posix()
    from app.temporary import remove_leftovers, temporary_directory

    settings = settings_here()
    payload = _payload(file, settings)
    asset_dir = assets or (Path.cwd() if file == STDIN else Path(file).parent)
    if not asset_dir.is_dir():
        raise CommandFailed(f"--assets {asset_dir} is not a directory", ExitCode.UNREADABLE)
    place = preview_place(out, force=force)
    began = time.monotonic()
    for root in (place.parent, Path(tempfile.gettempdir())):
        remove_leftovers(root)
    # Beside its place, because only within a file system a preview appears at once.
    with temporary_directory(place.parent, name="render") as work:
        with progress_display(label(file), quiet=as_json) as show:
            try:
                result = _rendered(payload, settings, asset_dir, work, show)
            except (AssetFailed, AssetBlocked) as error:
                where = f"Assets are read from {asset_dir}; --assets names another directory."
                raise type(error)(f"{error.detail}. {where}", errors=error.errors) from error
            show(Stage("finishing", result.frames, result.frames))
        publish(work / _PREVIEW, place, force=force)
    if as_json:
        print_json({"directory": str(place), **asdict(result)})
    else:
        _report(result, place, seconds=time.monotonic() - began)


def _payload(file: str, settings: Settings) -> dict[str, Any]:
    """Return a payload that can be rendered.

    Raises:
        CommandFailed: It cannot be read, or it asks for a dry run.
        PreviewError: It breaks the contract.
    """
    payload = load_contract(remote=RemoteAssets.of(settings)).check(read_payload(file))
    if payload["dryRun"]:
        raise CommandFailed(
            f"{label(file)} asks for a dry run; set dryRun to false to render it", ExitCode.INVALID
        )
    return payload


def _rendered(
    payload: Mapping[str, Any],
    settings: Settings,
    asset_dir: Path,
    work: Path,
    show: Callable[[Stage], None],
) -> RenderResult:
    """Render into the directory ``_PREVIEW`` of ``work``.

    Raises:
        KeyboardInterrupt: A signal asked for a stop; nothing is left.
        PreviewError: The render failed; nothing is left.
    """
    from app.cli.signals import Signals
    from app.render import (
        Limits,
        RenderStopped,
        StepCachePlace,
        render_in_child,
    )
    from app.render.renderers import renderer_target

    target = renderer_target(settings.preview_renderer)
    megabytes = settings.preview_step_cache_mb
    fetched = work / "assets"
    fetched.mkdir()
    with Signals() as signals:

        def on_tick(progress: Progress | None) -> str | None:
            if progress is not None:
                show(Stage(progress.phase, progress.frames_done, progress.frames_total))
            return "interrupted" if signals.count else None

        try:
            return render_in_child(
                payload,
                asset_dir=asset_dir,
                out_dir=work / _PREVIEW,
                limits=Limits(
                    deadline_seconds=settings.preview_job_timeout_seconds,
                    memory_mb=settings.preview_render_memory_mb,
                    threads=settings.preview_render_threads,
                ),
                on_tick=on_tick,
                fetched=_fetched(payload, settings, fetched, signals),
                step_cache=StepCachePlace(settings.step_cache, megabytes) if megabytes else None,
                font_dirs=settings.font_dirs,
                tick_seconds=TICK_SECONDS,
                target=target,
            )
        except RenderStopped:
            raise KeyboardInterrupt from None


def _fetched(
    payload: Mapping[str, Any], settings: Settings, into: Path, signals: Signals
) -> dict[str, Path]:
    from app.assets import AssetCache, AssetFetcher

    cache = AssetCache(settings.asset_cache, max_bytes=settings.preview_asset_cache_mb * 1024**2)
    fetcher = AssetFetcher(RemoteAssets.of(settings), cache)
    return fetcher.fetch(payload, into=into, on_tick=signals.check)


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
