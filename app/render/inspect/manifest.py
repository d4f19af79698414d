"""The manifest itself: whether it tells all that it should, and what was measured again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.captions import ReadCue
from app.render.inspect.rules import Check, Rule

#: What a manifest has, and what each entry of its lists has.
_PARTS: Final = (
    "manifestVersion", "jobId", "projectId", "tools", "video", "inputs", "files", "timeline",
    "captions", "sound", "quality", "warnings",
)  # fmt: skip
_ENTRIES: Final = {
    "inputs": ("id", "type", "bytes", "sha256"),
    "files": ("name", "kind", "contentType", "bytes", "sha256"),
    "timeline": ("stepId", "startSec", "durationSec", "frames", "durationSource"),
}
_TOOLS: Final = ("mobius-preview-worker", "pyav", "libavcodec")
#: Times are written in milliseconds: a cue of a second may be read faster by so much.
_SPEED_ROUNDING: Final = 0.1

COMPLETE: Final = Rule(
    "Files",
    "manifest",
    "inputs and files by SHA-256, size and type; tools, timeline, sound, captions, warnings",
)
SPEED_TOLD: Final = Rule("Files", "manifest-captions", "cues and reading speed as in the files")


def manifest_checks(manifest: Mapping[str, Any], srt: Sequence[ReadCue]) -> Iterator[Check]:
    """Yield whether the manifest is complete, and right about ``srt``, the film's captions.

    Raises:
        KeyError: It is no manifest; so for TypeError, ValueError and AttributeError.
    """
    lacking = [part for part in _PARTS if part not in manifest]
    lacking += [
        f"{part}[{index}].{key}"
        for part, keys in _ENTRIES.items()
        for index, entry in enumerate(manifest.get(part, ()))
        for key in keys
        if key not in entry
    ]
    lacking += [f"tools.{name}" for name in _TOOLS if name not in manifest.get("tools", ())]
    told = f"missing: {', '.join(lacking[:3])}" if lacking else f"{len(_PARTS)} parts"
    yield COMPLETE.check(told, holds=not lacking)
    captions = manifest.get("captions", {})
    fastest = max((cue.speed for cue in srt), default=0.0)
    stated = float(captions.get("maxCharsPerSecond", 0.0))
    told = f"{captions.get('cues')} of {len(srt)} cues, {stated:.1f} of {fastest:.1f} a second"
    right = captions.get("cues") == len(srt) and abs(stated - fastest) <= _SPEED_ROUNDING
    yield SPEED_TOLD.check(told, holds=right)
