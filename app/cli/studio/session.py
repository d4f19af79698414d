"""One studio: a payload file, its assets, its newest film, and who changes them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

from app.cli.studio.board import Board
from app.cli.studio.document import Checked, Document, check_text, read_document, save_document
from app.cli.studio.films import Films
from app.contract import Contract, RemoteAssets, load_contract
from app.errors import ErrorItem, JobConflict, StorageUnavailable, ValidationFailed
from app.settings import Settings
from app.stillrequest import StillRequest

#: Interval in seconds at which file and assets are looked at. What a person saves is taken once it
#: has stayed as it is for one interval, so that an editor that writes in pieces is not disturbed.
LOOK_SECONDS: Final = 0.1

#: What tells that a file has changed: its inode, size and time; None if it is not there.
_Sign = tuple[int, int, int] | None


class Session:
    """Watches a file and its assets, and renders after every change.

    It asks the file system ten times a second: a payload has some dozens of files, which takes less
    than a millisecond, works on network file systems and in containers, where notifications do not
    arrive, and needs no library.

    Args:
        file: The payload, which exists.
        asset_dir: Directory of its assets.
        settings: As of ``preview render``; the step cache is the session's own.
        work: Directory for all that the session makes; its owner removes it.

    Raises:
        OSError: The file cannot be read.
        UnicodeDecodeError: The file is not UTF-8.
    """

    def __init__(self, file: Path, *, asset_dir: Path, settings: Settings, work: Path) -> None:
        self._file = file
        self._asset_dir = asset_dir
        self._contract: Contract = load_contract(remote=RemoteAssets.of(settings))
        self._lock = threading.Lock()
        self._over = threading.Event()
        sign = _sign(file)
        self._document = read_document(file)
        self._checked = check_text(self._document.text, self._contract)
        self._taken: dict[Path, _Sign] = {file: sign}
        self._assets = 0
        self.board = Board(
            file=file.name,
            version="",
            missing=False,
            errors=[],
            steps=[],
            assets=0,
            render=None,
            film=None,
            failure=None,
        )
        own = settings.model_copy(update={"preview_step_cache_dir": work / "steps"})
        self.films = Films(own, asset_dir=asset_dir, work=work, board=self.board)
        self._watcher = threading.Thread(target=self._watch, name="watcher")

    def start(self) -> None:
        """Start to watch and to render."""
        self.films.start()
        self._take(self._document, self._taken[self._file])
        self._watcher.start()

    def stop(self) -> None:
        """End all threads and children."""
        self._over.set()
        self.board.close()
        self.films.stop()
        self._watcher.join()

    def document(self) -> Document:
        """Return the text and its version, as last seen in the file."""
        with self._lock:
            return self._document

    def check(self, text: str) -> Checked:
        """Check a text that is not saved."""
        return check_text(text, self._contract)

    def save(self, text: str, *, base: str) -> Document:
        """Write the file.

        Args:
            text: Its new text.
            base: Version of the file that the text comes from.

        Raises:
            JobConflict: The file is no longer of that version; nothing is written.
            StorageUnavailable: The file cannot be written; it is as it was.
        """
        with self._lock:
            try:
                current: Document | None = read_document(self._file)
            except FileNotFoundError:
                current = None
            except (OSError, UnicodeDecodeError) as error:
                raise StorageUnavailable(f"{self._file.name} cannot be read") from error
            if current is not None and current.version != base:
                raise JobConflict(f"{self._file.name} was changed by another program")
            crlf = current.crlf if current else self._document.crlf
            try:
                save_document(self._file, text, crlf=crlf)
                sign, saved = _sign(self._file), read_document(self._file)
            except OSError as error:
                detail = f"{self._file.name} cannot be written: {error.strerror}"
                raise StorageUnavailable(detail) from error
            self._take(saved, sign)
            return saved

    def still(self, text: str, request: StillRequest) -> bytes:
        """Draw a still of a text that is not saved.

        Raises:
            ValidationFailed: The text has errors.
            Superseded: A newer still was asked for.
            PreviewError: It cannot be drawn.
        """
        checked = self.check(text)
        if checked.payload is None:
            first = checked.errors[0]
            raise ValidationFailed(f"line {first['line']}: {first['detail']}")
        return self.films.still(checked.payload, request)

    def _take(self, document: Document, sign: _Sign) -> None:
        """Have this text checked, shown and rendered."""
        self._document = document
        self._checked = checked = check_text(document.text, self._contract)
        self._taken = {**self._signs(), self._file: sign}
        self.board.post(
            version=document.version,
            missing=False,
            errors=checked.errors,
            steps=checked.steps,
            failure=None,
        )
        self._order()

    def _order(self) -> None:
        self.films.want(self._checked if self._checked.payload is not None else None)

    def _watch(self) -> None:
        before: dict[Path, _Sign] = {}
        while not self._over.wait(LOOK_SECONDS):
            with self._lock:
                now = self._signs()
                if now == before and now != self._taken:
                    self._compare(now)
                before = now

    def _compare(self, now: dict[Path, _Sign]) -> None:
        taken, self._taken = self._taken, now
        if now[self._file] != taken[self._file]:
            self._reread(now[self._file])
        if any(now[path] != taken[path] for path in now if path != self._file):
            self._assets += 1
            self.board.post(assets=self._assets)
            self._order()

    def _reread(self, sign: _Sign) -> None:
        try:
            document = read_document(self._file)
        except FileNotFoundError:
            self.board.post(missing=True)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            item = ErrorItem("", "unreadable", f"The file cannot be read: {reason}.")
            self.board.post(errors=Checked(None, []).placed([item]))
        else:
            if document.version != self._document.version:
                self._take(document, sign)
            else:
                self.board.post(missing=False, errors=self._checked.errors)

    def _signs(self) -> dict[Path, _Sign]:
        """Return the signs of the file and of each asset that it names."""
        payload: Any = self._checked.payload or {}
        assets = payload.get("previewRequest", {}).get("assets", ())
        paths = [self._asset_dir / asset["path"] for asset in assets if "path" in asset]
        return {path: _sign(path) for path in (self._file, *paths)}


def _sign(path: Path) -> _Sign:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)
