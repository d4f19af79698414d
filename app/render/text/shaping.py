"""What the shaping of text takes from the machine.

Pillow's wheels bring raqm and HarfBuzz, but load FriBidi from the system. Without it Pillow
refuses every text whose direction or language is given, as ours are.
"""

from __future__ import annotations

from typing import Final

from PIL import features

from app.errors import RenderFailed

MISSING: Final = "FriBidi is missing, and no text can be drawn without it"
REMEDY: Final = (
    "install libfribidi0 (Debian, Ubuntu) or fribidi (Fedora, Alpine, Homebrew on macOS)"
)


def can_shape() -> bool:
    """Return whether texts can be shaped on this machine."""
    return bool(features.check("raqm"))


def require_shaping() -> None:
    """Return if texts can be shaped on this machine.

    Raises:
        RenderFailed: They cannot; the message says what to install.
    """
    if not can_shape():
        raise RenderFailed(f"{MISSING}; {REMEDY}")
