"""Sets the image of an overlay: ``update_image.py [--dry-run] OVERLAY IMAGE``.

Only the version's lines in the overlay's kustomization.yaml change; comments and
layout stay. Production and canary take a digest, because a tag can be moved between
the day it was tried and the day a pod starts. The standard library only.

Exit codes: 0 done, or nothing to do; 2 a bad command line or reference; 3 the file
cannot be read, understood or written.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: Directory of the overlays.
OVERLAYS = Path(__file__).resolve().parents[1] / "kustomize" / "overlays"
#: What the base calls the image.
IMAGE = "mobius-preview-worker"
#: Overlays that may name a tag.
TAGS_ALLOWED = frozenset({"staging"})

# The grammar of references, as of github.com/distribution/reference; the registry is
# not optional here: what it defaults to depends on the node that pulls.
_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_IPV6 = r"\[(?:[a-fA-F0-9:]+)\]"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|{_IPV6})(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<name>(?P<host>{_HOST})/{_PATH_PART}(?:/{_PATH_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z0-9_+.-]+:[0-9a-fA-F]{32,}))?"
)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
#: Longest name of a repository, with its registry.
_MAX_NAME = 255

_ITEM = re.compile(r"^(?P<indent> *)- ")
_KEY = re.compile(
    r"^(?P<before> *(?:- )?)(?P<key>\w+):(?P<value>[^#\r\n]*?)(?P<after>\s*(?:#.*)?)$"
)


class UsageError(Exception):
    """The command line is wrong; the message says what would be right."""


class EditError(Exception):
    """The file is not as expected; it was not changed."""


@dataclass(frozen=True)
class Reference:
    """An image: its name with the registry, and a tag or a digest, "" where there is none."""

    name: str
    tag: str
    digest: str

    @property
    def quoted_name(self) -> str:
        """The name as YAML takes it: the brackets of an IPv6 address would begin a list."""
        return f'"{self.name}"' if self.name.startswith("[") else self.name

    @property
    def version(self) -> tuple[str, str]:
        """The key and the value that kustomize takes; the digest goes before the tag."""
        # Quoted: YAML would read 1.10 as a number.
        return ("digest", self.digest) if self.digest else ("newTag", f'"{self.tag}"')


def parse_reference(text: str) -> Reference:
    """Return the parts of ``registry/path[:tag][@digest]``.

    Raises:
        UsageError: It is none, or names no version that stays what it is.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None or len(match["name"]) > _MAX_NAME:
        raise UsageError(f"{text!r} is no image; write registry/path:tag or registry/path@sha256:…")
    host, tag, digest = match["host"], match["tag"] or "", match["digest"] or ""
    if not re.search(r"[.:]|^localhost$", host):
        raise UsageError(f"{text!r} names no registry; write its host first, such as ghcr.io/…")
    if digest and not _SHA256.fullmatch(digest):
        raise UsageError(f"{digest!r} is no digest; write sha256: and 64 hex digits in lower case")
    if set(digest.removeprefix("sha256:")) == {"0"}:
        raise UsageError("a digest of zeros stands for no image; take that of the one you built")
    if not (tag or digest):
        raise UsageError(f"{text!r} names no version; add :tag or @sha256:…")
    if tag == "latest" and not digest:
        raise UsageError("latest is another image every day; name a version or a digest")
    return Reference(match["name"], tag, digest)


def edit(text: str, reference: Reference) -> str:
    """Return a kustomization with the image of another version.

    Raises:
        EditError: It has not exactly one entry of the image under ``images:``.
    """
    lines = text.splitlines(keepends=True)
    first, last = _entry(lines)
    key, value = reference.version
    edited: list[str] = []
    written: set[str] = set()
    for number, line in enumerate(lines):
        match = _KEY.match(line.rstrip("\r\n")) if first <= number < last else None
        if match is None or match["key"] not in ("newName", "newTag", "digest"):
            edited.append(line)
            continue
        # A tag's line becomes that of the digest, and back; a second one goes.
        new_key, new_value = (
            ("newName", reference.quoted_name) if match["key"] == "newName" else (key, value)
        )
        if new_key in written:
            continue
        written.add(new_key)
        end = line[len(line.rstrip("\r\n")) :]
        edited.append(f"{match['before']}{new_key}: {new_value}{match['after']}{end}")
    missing = {"newName", key} - written
    if missing:
        raise EditError(f"the entry of {IMAGE} has no {' and no '.join(sorted(missing))}")
    return "".join(edited)


def _entry(lines: list[str]) -> tuple[int, int]:
    """Return the lines of the image's entry, the last one excluded."""
    heads = [n for n, line in enumerate(lines) if re.match(r"images:\s*(#.*)?$", line)]
    if len(heads) != 1:
        raise EditError(f"it has {len(heads)} lines `images:` that lists follow, not one")
    found: list[tuple[int, int]] = []
    start, indent = 0, ""
    for number in range(heads[0] + 1, len(lines) + 1):
        line = lines[number] if number < len(lines) else "end"
        item = _ITEM.match(line)
        starts = item is not None and (not indent or len(item["indent"]) + 2 == len(indent))
        ends = bool(re.match(r"[^\s#-]", line))
        if (starts or ends) and start and _is_ours(lines[start:number]):
            found.append((start, number))
        if ends:
            break
        if starts and item is not None:
            start, indent = number, item["indent"] + "  "
    if len(found) != 1:
        raise EditError(f"it has {len(found)} entries of {IMAGE} under images:, not one")
    return found[0]


def _is_ours(lines: list[str]) -> bool:
    keys = (_KEY.match(line.rstrip("\r\n")) for line in lines)
    named = [match["value"].strip(" \"'") for match in keys if match and match["key"] == "name"]
    return named == [IMAGE]


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all; its mode stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        partial.chmod(path.stat().st_mode & 0o777)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def update(overlay: str, image: str, *, dry_run: bool, overlays: Path = OVERLAYS) -> str:
    """Set the image of an overlay; returns the difference.

    Raises:
        UsageError: The overlay or the image cannot be.
        EditError: The file cannot be edited.
        OSError: The file cannot be read or written.
    """
    known = sorted(path.parent.name for path in overlays.glob("*/kustomization.yaml"))
    if overlay not in known:
        raise UsageError(f"there is no overlay {overlay!r}; there are: {', '.join(known)}")
    reference = parse_reference(image)
    if overlay not in TAGS_ALLOWED and not reference.digest:
        raise UsageError(
            f"{overlay} takes a digest, because a tag can be moved: name "
            f"{reference.name}@sha256:…, as the summary of the build says"
        )
    path = overlays / overlay / "kustomization.yaml"
    with path.open(encoding="utf-8", newline="") as file:
        before = file.read()
    after = edit(before, reference)
    if after != before and not dry_run:
        replace(path, after)
    shown = f"kustomize/overlays/{overlay}/kustomization.yaml"
    old, new = before.splitlines(), after.splitlines()
    return "\n".join(difflib.unified_diff(old, new, f"a/{shown}", f"b/{shown}", lineterm=""))


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="update-preview-worker-image",
        allow_abbrev=False,
        description="Set the image of an overlay.",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the change, write nothing")
    parser.add_argument("overlay", metavar="OVERLAY", help="staging, canary or production")
    parser.add_argument(
        "image", metavar="IMAGE", help="registry/path:tag or registry/path@sha256:…"
    )
    options = parser.parse_args(arguments)
    try:
        difference = update(options.overlay, options.image, dry_run=options.dry_run)
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except (EditError, OSError) as error:
        sys.stderr.write(
            f"error: kustomize/overlays/{options.overlay}/kustomization.yaml: {error}\n"
        )
        return 3
    if not difference:
        sys.stdout.write(f"{options.overlay} has this image already\n")
        return 0
    sys.stdout.write(f"{difference}\n")
    place = f"kustomize/overlays/{options.overlay}"
    if options.dry_run:
        sys.stdout.write("A dry run: nothing was written.\n")
    else:
        sys.stdout.write(f"Look at what it changes: kubectl diff -k {place}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
