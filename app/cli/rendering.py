"""Renders a payload on this machine: in the limited child process, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.output.progress import Stage
from app.cli.payloads import STDIN, read_payload
from app.contract import RemoteAssets, load_contract
from app.errors import AssetBlocked, AssetFailed
from app.render import Progress, RenderResult
from app.settings import Settings
from app.stillrequest import StillRequest

#: Interval in seconds at which the child's reports are read, and the caller is asked to go on.
TICK_SECONDS: Final = 0.1
#: Directory of the result in the working directory.
RESULT: Final = "preview"


def checked_payload(file: str, settings: Settings) -> dict[str, Any]:
    """Read a payload.

    Raises:
        CommandFailed: It cannot be read.
        PreviewError: It breaks the contract.
    """
    return load_contract(remote=RemoteAssets.of(settings)).check(read_payload(file))


def assets_of(file: str, assets: Path | None) -> Path:
    """Return the directory of a payload's assets: ``assets``, or that of the payload itself.

    Raises:
        CommandFailed: It is not a directory.
    """
    found = assets or (Path.cwd() if file == STDIN else Path(file).parent)
    if not found.is_dir():
        raise CommandFailed(f"--assets {found} is not a directory", ExitCode.UNREADABLE)
    return found


def render_here(
    payload: Mapping[str, Any],
    settings: Settings,
    *,
    asset_dir: Path,
    work: Path,
    show: Callable[[Stage], None],
    check: Callable[[], None],
    still: StillRequest | None = None,
) -> RenderResult:
    """Render a preview, or one still of it, into the directory :data:`RESULT` of ``work``.

    Args:
        payload: A preview job that fulfils the contract.
        settings: Limits, fonts, sources of remote assets, and the step cache.
        asset_dir: Directory of the assets.
        work: Directory on which nobody else works.
        show: Called with the newest progress.
        check: Called every :data:`TICK_SECONDS`. What it raises ends the render.
        still: The still to draw instead of the preview.

    Raises:
        PreviewError: The render failed; nothing is left.
    """
    from app.render import Limits, StepCachePlace, render_in_child
    from app.render.renderers import STILL, renderer_target

    megabytes = settings.preview_step_cache_mb
    fetched = work / "assets"
    fetched.mkdir()

    def on_tick(progress: Progress | None) -> None:
        if progress is not None:
            show(Stage(progress.phase, progress.frames_done, progress.frames_total))
        check()

    try:
        return render_in_child(
            payload if still is None else still.order(payload),
            asset_dir=asset_dir,
            out_dir=work / RESULT,
            limits=Limits(
                deadline_seconds=settings.preview_job_timeout_seconds,
                memory_mb=settings.preview_render_memory_mb,
                threads=settings.preview_render_threads,
            ),
            on_tick=on_tick,
            fetched=_fetched(payload, settings, fetched, check),
            step_cache=StepCachePlace(settings.step_cache, megabytes) if megabytes else None,
            font_dirs=settings.font_dirs,
            tick_seconds=TICK_SECONDS,
            target=STILL if still else renderer_target(settings.preview_renderer),
        )
    except (AssetFailed, AssetBlocked) as error:
        where = f"Assets are read from {asset_dir}; --assets names another directory."
        raise type(error)(f"{error.detail}. {where}", errors=error.errors) from error


def _fetched(
    payload: Mapping[str, Any], settings: Settings, into: Path, check: Callable[[], None]
) -> dict[str, Path]:
    from app.assets import AssetCache, AssetFetcher

    cache = AssetCache(settings.asset_cache, max_bytes=settings.preview_asset_cache_mb * 1024**2)
    fetcher = AssetFetcher(RemoteAssets.of(settings), cache)
    return fetcher.fetch(payload, into=into, on_tick=check)
