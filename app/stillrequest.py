"""What a still is asked for: its moment, width and format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

#: Pillow's name, media type and suffixes of each format, the usual suffix first.
FORMATS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "jpeg": ("JPEG", "image/jpeg", ("jpg", "jpeg")),
    "png": ("PNG", "image/png", ("png",)),
    "webp": ("WEBP", "image/webp", ("webp",)),
}
#: Smallest and largest width in pixels that can be asked for.
MIN_WIDTH, MAX_WIDTH = 16, 3840


@dataclass(frozen=True, slots=True)
class StillRequest:
    """A still of a film.

    Attributes:
        at: Moment in seconds from the start of the film; None to choose it by ``step``.
        step: Id of a step, which is shown as it looks longest. Exactly one of the two is given.
        width: Largest width in pixels; a still is never wider than its film. None for the film's.
        format: Key of :data:`FORMATS`.
    """

    at: float | None = None
    step: str | None = None
    width: int | None = None
    format: str = "jpeg"

    @property
    def media_type(self) -> str:
        """Media type of the still."""
        return FORMATS[self.format][1]

    @property
    def file_name(self) -> str:
        """Name of the still's file."""
        return f"still.{FORMATS[self.format][2][0]}"

    def order(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return what :func:`app.render.still.write_still` takes as its payload."""
        return {"payload": {**payload, "dryRun": False}, "still": asdict(self)}
