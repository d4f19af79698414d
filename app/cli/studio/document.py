"""The payload file of a studio: read, checked, and saved without losing anybody's work."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.cli.studio.positions import Lines, line_of, positions, step_lines
from app.contract import MAX_PAYLOAD_BYTES, Contract, parse_json
from app.errors import ErrorItem, InvalidJson, PreviewError
from app.temporary import make_file


@dataclass(frozen=True, slots=True)
class Checked:
    """A text held against the contract.

    Attributes:
        payload: The payload, None if it has errors.
        errors: Each error with its ``line``, ``pointer``, ``code`` and ``detail``.
        steps: Each step with its ``id``, ``first`` and ``last`` line.
        lines: Lines of the values by their JSON pointers.
    """

    payload: Mapping[str, Any] | None
    errors: list[dict[str, Any]]
    steps: list[dict[str, Any]] = field(default_factory=list)
    lines: dict[str, Lines] = field(default_factory=dict)

    def placed(self, items: Iterable[ErrorItem]) -> list[dict[str, Any]]:
        """Return errors with the lines that they mean."""
        found = [_error(line_of(item.pointer, self.lines), item) for item in items]
        return sorted(found, key=lambda error: int(error["line"]))


def check_text(text: str, contract: Contract) -> Checked:
    """Check a payload's text. A dry run is checked as the job that the studio renders."""
    try:
        document = parse_json(text.encode(errors="surrogatepass"))
    except InvalidJson as error:
        line = getattr(error.__context__, "lineno", 1)
        return Checked(None, [_error(line, ErrorItem("", error.code, error.detail))])
    except PreviewError as error:
        return Checked(None, [_error(1, ErrorItem("", error.code, error.detail))])
    if isinstance(document, dict) and document.get("dryRun") is True:
        document["dryRun"] = False
    lines = positions(text)
    steps = step_lines(document, lines)
    try:
        return Checked(contract.check(document), [], steps, lines)
    except PreviewError as error:
        listed = error.errors or (ErrorItem("", error.code, error.detail),)
        return Checked(None, Checked(None, [], [], lines).placed(listed), steps, lines)


def _error(line: int, item: ErrorItem) -> dict[str, Any]:
    return {"line": line, "pointer": item.pointer, "code": item.code, "detail": item.detail}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file held at one moment.

    Attributes:
        text: Its text, with LF between lines, as a browser edits it.
        version: SHA-256 of its bytes.
        crlf: Whether its lines end as on Windows.
    """

    text: str
    version: str
    crlf: bool


def read_document(file: Path) -> Document:
    """Read a file, at most one byte more than a payload may have.

    Raises:
        OSError: It cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    with file.open("rb") as source:
        content = source.read(MAX_PAYLOAD_BYTES + 1)
    text = content.decode()
    return Document(
        text.replace("\r\n", "\n"), hashlib.sha256(content).hexdigest(), crlf="\r\n" in text
    )


def save_document(file: Path, text: str, *, crlf: bool) -> None:
    """Replace a file's text at once; a reader finds the old text or the new one.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    place = file.resolve()  # a link stays a link
    content = (text.replace("\n", "\r\n") if crlf else text).encode()
    draft, descriptor = make_file(place.parent)
    try:
        os.fchmod(descriptor, place.stat().st_mode & 0o7777 if place.exists() else 0o644)
        with os.fdopen(descriptor, "wb", closefd=False) as target:
            target.write(content)
        os.fsync(descriptor)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
