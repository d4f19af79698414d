"""How long things stand on the screen, in seconds.

The rule for text (4 s and 0.15 s a word, 0.45 s after a heading) is the
authoring application's own; 17 characters a second is the reading speed that
the captions keep too.
"""

from __future__ import annotations

from typing import Final

from app.render.model.scripts import IDEOGRAPH

#: A text step without a given duration lasts so long before its words count.
BASE_SECONDS: Final = 4.0
#: Each word adds so much.
SECONDS_PER_WORD: Final = 0.15
#: Pause after a heading or title.
HEADING_PAUSE_SECONDS: Final = 0.45
#: Silence after a narration, before the next step.
NARRATION_TAIL_SECONDS: Final = 0.3
#: No step that follows a narration is shorter, however short the take.
MIN_NARRATED_SECONDS: Final = 1.0
#: A page of text stands this long, and as long as its characters take to read.
PAGE_BASE_SECONDS: Final = 1.0
#: Reading speed.
CHARACTERS_PER_SECOND: Final = 17.0
#: Scripts without spaces: so many characters count as a word.
_CHARACTERS_PER_CJK_WORD: Final = 2


def count_words(text: str) -> int:
    """Return the words of ``text``; two CJK characters count as one."""
    cjk = len(IDEOGRAPH.findall(text))
    spaced = len(IDEOGRAPH.sub(" ", text).split())
    return spaced + -(-cjk // _CHARACTERS_PER_CJK_WORD)


def estimated_seconds(text: str, *, heading: bool) -> float:
    """Return how long a step that shows ``text`` lasts when nothing says so.

    Args:
        text: All that is read on the screen.
        heading: Whether a heading or title is among it.
    """
    pause = HEADING_PAUSE_SECONDS if heading else 0.0
    return BASE_SECONDS + SECONDS_PER_WORD * count_words(text) + pause


def narrated_seconds(*, offset_seconds: float, narration_seconds: float) -> float:
    """Return how long a step lasts that a narration fills."""
    return max(offset_seconds + narration_seconds + NARRATION_TAIL_SECONDS, MIN_NARRATED_SECONDS)


def page_seconds(text: str) -> float:
    """Return how long a page of text has to stand to be read."""
    return PAGE_BASE_SECONDS + len(text) / CHARACTERS_PER_SECOND
