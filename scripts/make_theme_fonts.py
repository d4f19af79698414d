#!/usr/bin/env python3
"""Make the themes' fonts in app/render/text/vendored from pinned packages of npm.

Each package holds a font cut into subsets for the web. The subsets for Latin, Vietnamese, Cyrillic
and Greek become one TrueType file, without hinting. It needs fontTools, which `make` installs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[1] / "app" / "render" / "text" / "vendored"
#: A subset gives only characters that those before it lack.
SUBSETS = ("latin", "latin-ext", "vietnamese", "cyrillic", "cyrillic-ext", "greek")
#: Ids of the records with a font's names.
NAMES = (1, 3, 4, 6, 16)


class Source(NamedTuple):
    """A font: its package and version, weight, file name, and the SHA-512 of the package."""

    package: str
    version: str
    weight: int
    name: str
    sha512: str


SOURCES = (
    Source(
        "geologica", "5.3.0", 700, "Geologica-Bold",
        "a8QzhXXHGedNmVm4/VKY3JZGBR2wGEYyIP3lbsExwxROmnN5kidT9eJrptrb8BfVSkoHZiAi03zZB6p6X2VMQg==",
    ),
    Source(  # its licence reserves the name "Source"
        "source-sans-3", "5.3.1", 400, "NightText-Regular",
        "O3YxvbotUOgYI2Zx0bBcEMNjnwitRf9P2+9pd54sMoux1NHrdXnMwZusw2P78lFhEzOPN4glOEQmX0ASaS68uA==",
    ),
    Source(
        "vollkorn", "5.3.0", 800, "Vollkorn-Bold",
        "ES6Z36o16TZTKigivtUc8s4ZJ5rOSjU1dBNjESCCL5u+x2JaP2RoinQqg+tUOYULPJ9rNvqZUPRSIznVvg1A/A==",
    ),
    Source(
        "alegreya-sans", "5.3.0", 500, "AlegreyaSans-Regular",
        "Uf0RbuwzhSS3NQrBFcRzEUm7TxDQW3qdAbQ6JIOhsIW6V+YN2dqlR99lhfEE38R3GHgMCMJBzqSp7aJxhNXSOw==",
    ),
    Source(
        "sofia-sans-extra-condensed", "5.3.0", 800, "SofiaSansExtraCondensed-Bold",
        "2e4gWBJn8sUJMoQx6VTpXIlPIezZpyjJLEstaSZb9nOkQLwP8+kr48dOJEYVo0t3iqCYvQUjbpLIbpgPICfmkw==",
    ),
    Source(
        "sofia-sans", "5.3.0", 500, "SofiaSans-Regular",
        "3ozStPhvt1/8deVKJkzOzyl0uVUSaB2AEbiw3r7gxRTq8Ax3TxV2qBnPbPq8+0X00R5+qwO2yUWBLCh+on37rw==",
    ),
    Source(
        "m-plus-rounded-1c", "5.3.0", 800, "MPLUSRounded1c-Bold",
        "eB/JxJBRXLdfTsBDElsAZDMtHXM58Hf1tKkHoDVZAaUN7a+qYfwNKh4Q2f7Fk9YNg4xPFjTwooVlQyqbhi8CWQ==",
    ),
    Source(
        "manrope", "5.3.0", 500, "Manrope-Regular",
        "obJ1Dv3+uCA6HlHgW8u4BGYxJR9In2HW7gjJhlflEvkrj1X1iSEwu0fToL+JYGC/FEKFfIz1sBuPduvcL2gIAA==",
    ),
)  # fmt: skip


def fetched(source: Source) -> bytes:
    """Return the package of a source.

    Raises:
        SystemExit: It is not the one that was pinned.
    """
    name, version = source.package, source.version
    url = f"https://registry.npmjs.org/@fontsource/{name}/-/{name}-{version}.tgz"
    with urllib.request.urlopen(url) as answer:
        content: bytes = answer.read()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != source.sha512:
        sys.exit(f"{url} has another SHA-512 than the one that is pinned")
    return content


def parts(source: Source, package: bytes) -> list[TTFont]:
    """Return the subsets of a font, without characters in common."""
    found, seen = [], set[int]()
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        for name in SUBSETS:
            file = f"package/files/{source.package}-{name}-{source.weight}-normal.woff"
            if file not in archive.getnames():
                continue
            member = archive.extractfile(file)
            assert member is not None, file  # noqa: S101 - a regular file of the archive
            font = TTFont(io.BytesIO(member.read()), recalcTimestamp=False)
            characters = set(font.getBestCmap()) - seen
            seen |= characters
            options = subset.Options()
            options.layout_features, options.name_IDs = ["*"], ["*"]
            options.hinting = options.glyph_names = False
            options.drop_tables += ["STAT", "meta"]
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=characters)
            cutter.subset(font)
            font.flavor = None
            found.append(font)
    return found


def merged(fonts: list[TTFont], name: str) -> TTFont:
    """Return one font of all ``fonts``, with the family name of the file ``name``."""
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for number, font in enumerate(fonts):
            paths.append(f"{directory}/{number}.ttf")
            font.save(paths[-1])
        whole = Merger().merge(paths)
    for record in NAMES:
        whole["name"].setName(name, record, 3, 1, 0x409)
    for moment in ("created", "modified"):
        setattr(whole["head"], moment, getattr(fonts[0]["head"], moment))
    whole.recalcTimestamp = False
    return whole


def main() -> None:
    """Write all fonts."""
    for source in SOURCES:
        path = TARGET / f"{source.name}.ttf"
        merged(parts(source, fetched(source)), source.name).save(path)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
