"""Every caption file is read, or refused by its line: files changed at random.

``FUZZ_SEED`` repeats a run, ``FUZZ_CAPTIONS`` says how many files are tried; a failure prints the
seed and shows the file.
"""

from __future__ import annotations

import os
import random
import re
from itertools import pairwise
from typing import Final

import pytest

from app.render.captions.cues import Cue
from app.render.captions.entries import CaptionsMalformed
from app.render.captions.parser import CaptionFile, parse_captions
from app.render.captions.writer import to_srt, to_vtt
from app.render.inspect.captions import read_cues
from tests.render.captions.mutations import mutated

FILES: Final = int(os.environ.get("FUZZ_CAPTIONS", "1500"))
#: What is said of a whole file.
WHOLE: Final = re.compile(r"it has no captions|it is not UTF-8; save the file as UTF-8")
TIME: Final = re.compile(r"[0-9]:[0-9]{2}[.,][0-9]{3}[ \t]*-->")
TAG: Final = re.compile(r"</?(?:[biuc]|v Anna|font(?:\s[^<>]*)?|ruby|rt)>|<[0-9]+:[0-9:.]+>")
CODE: Final = re.compile(r"\{\\an8\}")
#: A tag inside of another: what is left of it is text.
NESTED: Final = re.compile(rb"<[^>]*<|\{[^}]*[<{]")
MARKS: Final = str.maketrans("", "", "\u2060\u200e\u200f")


def test_every_file_is_read_or_refused_by_its_line() -> None:
    number = int(os.environ.get("FUZZ_SEED") or random.getrandbits(32))
    print(f"the same again: FUZZ_SEED={number} FUZZ_CAPTIONS={FILES}")
    rng = random.Random(number)
    refused = 0
    for _ in range(FILES):
        content = mutated(rng)
        try:
            found = parse_captions(content)
        except CaptionsMalformed as error:
            refused += 1
            hold_refused(content, str(error))
        else:
            hold_read(content, found)
    assert 0.1 < refused / FILES < 0.9


def hold_refused(content: bytes, said: str) -> None:
    at = re.match("line ([0-9]+): .", said)
    assert at or WHOLE.fullmatch(said), (said, content)
    if at:
        assert 1 <= int(at[1]) <= len(re.split(rb"\r\n|\r|\n", content)), (said, content)


def hold_read(content: bytes, found: CaptionFile) -> None:
    """What was read is in order, plain text, and survives being written."""
    assert found.entries, content
    cues: list[Cue] = []
    for entry in found.entries:
        assert 0 <= entry.start < entry.end, content
        assert entry.lines, content
        assert all(line.strip() for line in entry.lines), content
        cues.append(Cue(len(cues) + 1, "s", entry.start, entry.end, entry.lines))
    assert all(before.end <= after.start for before, after in pairwise(found.entries)), content
    shown = "\n".join(line for entry in found.entries for line in entry.lines)
    if b"&" not in content and not NESTED.search(content):
        assert not TIME.search(shown), (shown, content)
        assert not any(map(TAG.search, shown.split("\n"))), (shown, content)
        # In WebVTT it is text.
        assert b"WEBVTT" in content.replace(b"\0", b"") or not CODE.search(shown), (shown, content)
    lines = [tuple(line.translate(MARKS) for line in cue.lines) for cue in cues]
    for written, escaped in ((to_srt(cues), False), (to_vtt(cues), True)):
        assert [cue.lines for cue in read_cues(written, escaped=escaped)] == lines, content
        again = parse_captions(written.encode()).entries
        assert [(entry.start, entry.end) for entry in again] == [
            (entry.start, entry.end) for entry in found.entries
        ], content


@pytest.mark.parametrize("number", [1, 2])
def test_a_seed_repeats_its_files(number: int) -> None:
    first, second = random.Random(number), random.Random(number)
    assert [mutated(first) for _ in range(20)] == [mutated(second) for _ in range(20)]
