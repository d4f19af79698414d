#!/bin/sh
# The guess: icu4py's segments() gives places in the Python string that it was given, as re.finditer() does, and
# iterating over the same breaker gives the text at these places.
# What happens: segments() counts in UTF-16. After each character outside the Basic Multilingual Plane (an emoji) the
# places are one too far to the right, and the last one is beyond the end of the string. Python's slices forgive that,
# so there is no error: words are cut in the middle. Iterating gives the right strings.
# Versions: icu4py 1.2.0 with ICU 78.3.
# Why it matters: the places look right with every text that a developer types, and lines break inside words, or marks
# part from their letters, once an author adds an emoji.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install icu4py==1.2.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import icu4py
from icu4py.breakers import LineBreaker

print("icu4py 1.2.0, ICU", icu4py.icu_version)
THAI = "ผู้เล่นจั่วไพ่"
changed = False
for before in ("", "\N{GAME DIE}", "\N{GAME DIE}\N{GAME DIE}"):
    text = before + THAI
    sliced = [text[start:end] for start, end in LineBreaker(text, "th").segments()]
    iterated = list(LineBreaker(text, "th"))
    last = list(LineBreaker(text, "th").segments())[-1][1]
    print(f"{len(text)} characters, last place {last}: {sliced}, but iterated: {iterated}")
    changed |= last != len(text) + len(before) or (sliced == iterated) != (not before)
sys.exit("this has changed" if changed else 0)
PYTHON
