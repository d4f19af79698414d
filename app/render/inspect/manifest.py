"""Checks that the manifest is complete, and that it agrees with the caption files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.captions import ParsedCue
from app.render.inspect.rules import Check, Rule

#: Keys that a manifest must have, and keys of each entry of its lists.
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
#: Tolerance in characters per second: caption files round times to milliseconds.
_SPEED_ROUNDING: Final = 0.1

COMPLETE: Final = Rule(
    "Files",
    "manifest",
    "every part, and every field of each input, file and step",
)
CAPTIONS: Final = Rule("Files", "manifest-captions", "cues and reading speed as in captions.srt")


def manifest_checks(manifest: Mapping[str, Any], srt: Sequence[ParsedCue]) -> Iterator[Check]:
    """Yield the checks of a manifest.

    Args:
        manifest: The manifest.
        srt: The cues of the film's own captions.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is not a manifest.
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
    measured = f"missing: {', '.join(lacking[:3])}" if lacking else f"all {len(_PARTS)} parts"
    yield COMPLETE.check(measured, holds=not lacking)
    captions = manifest.get("captions", {})
    fastest = max((cue.speed for cue in srt), default=0.0)
    stated = float(captions.get("maxCharsPerSecond", 0.0))
    measured = (
        f"{captions.get('cues')} cues, up to {stated:.1f} characters per second;"
        f" file: {len(srt)}, {fastest:.1f}"
    )
    right = captions.get("cues") == len(srt) and abs(stated - fastest) <= _SPEED_ROUNDING
    yield CAPTIONS.check(measured, holds=right)
