"""The newest film of a payload: rendered in a thread, anew after every change."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.cli.output.progress import Stage
from app.cli.rendering import RESULT, render_here
from app.cli.studio.board import Board
from app.cli.studio.document import Checked
from app.errors import PreviewError, RenderFailed
from app.render import RenderedFile, RenderResult
from app.settings import Settings
from app.stillrequest import StillRequest

#: Films that are kept: the newest, and the one that a page may still play.
KEPT: Final = 2


class Superseded(Exception):
    """Something newer was asked for, or the studio ends."""


@dataclass(frozen=True, slots=True)
class Film:
    """A finished film: its directory, and its files by their names."""

    directory: Path
    files: Mapping[str, RenderedFile]


class Films:
    """Renders the newest text that it was given; a newer one cancels the render that runs.

    Args:
        settings: Limits, fonts and sources of remote assets; the step cache to use.
        asset_dir: Directory of the assets.
        work: Directory for films, on which nobody else works.
        board: Where progress, films and failures are posted.
    """

    def __init__(self, settings: Settings, *, asset_dir: Path, work: Path, board: Board) -> None:
        self._settings = settings
        self._asset_dir = asset_dir
        self._work = work
        self._board = board
        self._films: dict[str, Film] = {}
        self._numbers = itertools.count(1)
        self._wake = threading.Condition()
        self._wanted: Checked | None = None
        self._order = 0
        self._over = False
        self._still = 0
        self._drawing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="films")

    def start(self) -> None:
        """Start to render."""
        self._thread.start()

    def stop(self) -> None:
        """End the render that runs, and wait until its child has gone."""
        with self._wake:
            self._over = True
            self._order += 1
            self._still += 1
            self._wake.notify_all()
        self._thread.join()
        with self._drawing:
            pass  # a still that was being drawn has ended

    def want(self, checked: Checked | None) -> None:
        """Render a text; None only cancels the render that runs."""
        with self._wake:
            self._wanted = checked
            self._order += 1
            self._wake.notify_all()

    def file(self, film: str, name: str) -> tuple[Path, RenderedFile] | None:
        """Return a file of a film that is kept."""
        found = self._films.get(film)
        if found is None or name not in found.files:
            return None
        return found.directory / name, found.files[name]

    def still(self, payload: Mapping[str, Any], request: StillRequest) -> bytes:
        """Draw a still. A newer one cancels it.

        Raises:
            Superseded: A newer still was asked for, or the studio ends.
            PreviewError: It cannot be drawn.
        """
        with self._wake:
            self._still += 1
            mine = self._still
        with self._drawing:
            place = self._work / f"still-{mine}"
            try:
                self._render(
                    payload, place, lambda _: None, lambda: self._still != mine, still=request
                )
                return (place / RESULT / request.file_name).read_bytes()
            finally:
                shutil.rmtree(place, ignore_errors=True)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._over or self._wanted is not None)
                if self._over:
                    return
                checked, self._wanted = self._wanted, None
                order = self._order
            if checked is not None:
                self._make(checked, order)

    def _make(self, checked: Checked, order: int) -> None:
        assert checked.payload is not None
        name, began = str(next(self._numbers)), time.monotonic()
        place = self._work / f"film-{name}"

        def show(stage: Stage) -> None:
            state = {"phase": stage.name, "done": stage.done, "total": stage.total}
            self._board.post(render=state)

        self._board.post(render={"phase": "preparing", "done": 0, "total": 0}, failure=None)
        try:
            result = self._render(checked.payload, place, show, lambda: self._order != order)
        except Superseded:
            shutil.rmtree(place, ignore_errors=True)
            self._board.post(render=None)
        except PreviewError as error:
            shutil.rmtree(place, ignore_errors=True)
            failure = {"detail": error.detail, "errors": checked.placed(error.errors)}
            self._board.post(render=None, failure=failure)
        else:
            directory = place / RESULT
            self._films[name] = Film(directory, {file.name: file for file in result.files})
            film = _described(name, directory, result, seconds=time.monotonic() - began)
            self._board.post(render=None, film=film)
            for old in sorted(self._films, key=int)[:-KEPT]:
                shutil.rmtree(self._films.pop(old).directory.parent, ignore_errors=True)

    def _render(
        self,
        payload: Mapping[str, Any],
        place: Path,
        show: Callable[[Stage], None],
        is_old: Callable[[], bool],
        *,
        still: StillRequest | None = None,
    ) -> RenderResult:
        def check() -> None:
            if is_old():
                raise Superseded

        check()
        try:
            place.mkdir()
            return render_here(
                payload,
                self._settings,
                asset_dir=self._asset_dir,
                work=place,
                show=show,
                check=check,
                still=still,
            )
        except OSError as error:
            raise RenderFailed(f"the film cannot be rendered: {error.strerror}") from error


def _described(
    name: str, directory: Path, result: RenderResult, *, seconds: float
) -> dict[str, Any]:
    kinds = {file.kind: file for file in result.files}
    manifest = json.loads((directory / kinds["manifest"].name).read_bytes())
    chapters = (
        json.loads((directory / kinds["chapters"].name).read_bytes())["chapters"]
        if "chapters" in kinds
        else []
    )
    captions = [
        {
            "url": f"/film/{name}/{file.name}",
            "language": file.kind.split(".")[1] if file.kind.count(".") > 1 else "",
        }
        for file in result.files
        if file.kind.startswith("captions") and file.kind.endswith(".vtt")
    ]
    for track in captions:
        track["language"] = track["language"] or manifest["captions"]["language"]
    return {
        "name": name,
        "video": f"/film/{name}/{kinds['video'].name}",
        "poster": f"/film/{name}/{kinds['poster'].name}" if "poster" in kinds else "",
        "captions": captions,
        "chapters": [{"title": one["title"], "start": one["startTime"]} for one in chapters],
        "steps": [{"id": one["stepId"], "start": one["startSec"]} for one in manifest["timeline"]],
        "warnings": list(result.warnings),
        "seconds": round(result.seconds, 2),
        "took": round(seconds, 2),
        "cached": result.cache_hits,
    }
