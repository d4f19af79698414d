"""Sets the image of an overlay: ``update_image.py [--dry-run] [OVERLAY] [-ImageTag] IMAGE``.

Changes only the lines of the image's version in the overlay's kustomization.yaml, and keeps
comments and layout. Production and canary require a digest, because a tag may be moved between
its test and the start of a pod. Uses the standard library only.

Exit codes: 0 done, or nothing to do; 2 invalid command line or image reference; 3 the file cannot
be read, parsed or written.
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
#: Name of the image in the base.
IMAGE = "mobius-preview-worker"
#: Overlay in which a new image is tried first.
FIRST_OVERLAY = "staging"
#: Optional name of the image's parameter in PowerShell, in lower case.
IMAGE_PARAMETER = "-imagetag"
#: Overlays that may name a tag.
TAGS_ALLOWED = frozenset({FIRST_OVERLAY})

# The grammar of image references is that of github.com/distribution/reference, except that the
# registry is required: its default depends on the node that pulls the image.
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
    """The command line is invalid. The message says how to fix it."""


class EditError(Exception):
    """The file does not have the expected content. It was not changed."""


@dataclass(frozen=True)
class Reference:
    """An image: its name with the registry, and its tag and digest, "" if absent."""

    name: str
    tag: str
    digest: str

    @property
    def quoted_name(self) -> str:
        """The name in YAML, quoted if it begins with the bracket of an IPv6 address."""
        return f'"{self.name}"' if self.name.startswith("[") else self.name

    @property
    def version(self) -> tuple[str, str]:
        """The key and value for kustomize. The digest takes precedence over the tag."""
        # Quoted: YAML would read 1.10 as a number.
        return ("digest", self.digest) if self.digest else ("newTag", f'"{self.tag}"')


def parse_reference(text: str) -> Reference:
    """Return the parts of ``registry/path[:tag][@digest]``.

    Raises:
        UsageError: The reference is malformed, or does not name a fixed version.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None or len(match["name"]) > _MAX_NAME:
        raise UsageError(
            f"{text!r} is not an image reference; use registry/path:tag or registry/path@sha256:…"
        )
    host, tag, digest = match["host"], match["tag"] or "", match["digest"] or ""
    if not re.search(r"[.:]|^localhost$", host):
        raise UsageError(f"{text!r} has no registry; begin with its host, such as ghcr.io/…")
    if digest and not _SHA256.fullmatch(digest):
        raise UsageError(
            f"{digest!r} is not a valid digest; use sha256: and 64 lower-case hex digits"
        )
    if set(digest.removeprefix("sha256:")) == {"0"}:
        raise UsageError("a digest of zeros is a placeholder; use the digest of a built image")
    if not (tag or digest):
        raise UsageError(f"{text!r} has no version; add :tag or @sha256:…")
    if tag == "latest" and not digest:
        raise UsageError("the tag latest is not a fixed version; use a version or a digest")
    return Reference(match["name"], tag, digest)


def edit(text: str, reference: Reference) -> str:
    """Return a kustomization with another version of the image.

    Raises:
        EditError: ``images:`` does not have exactly one entry of the image.
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
        # Replace a line with a tag by one with a digest, or vice versa. Drop a second one.
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
        raise EditError(f"the entry of {IMAGE} lacks {' and '.join(sorted(missing))}")
    return "".join(edited)


def _entry(lines: list[str]) -> tuple[int, int]:
    """Return the first line of the image's entry, and the line after its last."""
    heads = [n for n, line in enumerate(lines) if re.match(r"images:\s*(#.*)?$", line)]
    if len(heads) != 1:
        raise EditError(f"expected one list `images:`, found {len(heads)}")
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
        raise EditError(f"expected one entry of {IMAGE} under images:, found {len(found)}")
    return found[0]


def _is_ours(lines: list[str]) -> bool:
    keys = (_KEY.match(line.rstrip("\r\n")) for line in lines)
    named = [match["value"].strip(" \"'") for match in keys if match and match["key"] == "name"]
    return named == [IMAGE]


def replace(path: Path, text: str) -> None:
    """Replace the content of a file atomically, and keep its mode."""
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
    """Set the image of an overlay; return the difference.

    Raises:
        UsageError: The overlay or the image reference is invalid.
        EditError: The file cannot be edited.
        OSError: The file cannot be read or written.
    """
    known = sorted(path.parent.name for path in overlays.glob("*/kustomization.yaml"))
    if overlay not in known:
        raise UsageError(f"there is no overlay {overlay!r}; use one of {', '.join(known)}")
    reference = parse_reference(image)
    if overlay not in TAGS_ALLOWED and not reference.digest:
        raise UsageError(
            f"{overlay} requires a digest, because a tag can be moved: use "
            f"{reference.name}@sha256:… from the summary of the build"
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
    parser.add_argument(
        "overlay",
        metavar="OVERLAY",
        nargs="?",
        default=FIRST_OVERLAY,
        help=f"staging, canary or production; by default {FIRST_OVERLAY}",
    )
    parser.add_argument(
        "image", metavar="IMAGE", help="registry/path:tag or registry/path@sha256:…"
    )
    options = parser.parse_args([word for word in arguments if word.lower() != IMAGE_PARAMETER])
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
        sys.stdout.write(f"{options.overlay} already has this image\n")
        return 0
    sys.stdout.write(f"{difference}\n")
    place = f"kustomize/overlays/{options.overlay}"
    if options.dry_run:
        sys.stdout.write("Dry run: nothing was written.\n")
    else:
        sys.stdout.write(f"To see what will change in the cluster: kubectl diff -k {place}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
