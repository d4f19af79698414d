"""The doctor's checks of this machine: Python, encoder, fonts, disk, store, ports, keys."""

from __future__ import annotations

import errno
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.cli.checks.findings import Finding, Level
from app.cli.output.console import human_bytes
from app.cli.output.files import store_directory
from app.cli.remote.addresses import LOOPBACK, is_preview_process, port_is_free
from app.cli.stack.setup import checkout_root
from app.settings import Settings

#: As pyproject.toml says.
OLDEST_PYTHON = (3, 11)
#: A job's working files and results take some 10 to 100 MB.
LOW_DISK_BYTES, FULL_DISK_BYTES = 2_000_000_000, 250_000_000


def python() -> Iterator[Finding]:
    """Python's version."""
    level: Level = "ok" if sys.version_info >= OLDEST_PYTHON else "fail"
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", level, detail, "" if level == "ok" else "use Python 3.11 or newer")


def encoder() -> Iterator[Finding]:
    """Video and audio encoders of PyAV's bundled FFmpeg."""
    remedy = "pip install --force-reinstall av (its wheel brings FFmpeg with both)"
    try:
        import av
    except ImportError as error:
        yield Finding("encoder", "fail", f"PyAV cannot be loaded: {error}", remedy)
        return
    missing = []
    for name in ("libx264", "aac"):
        try:
            av.codec.Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            missing.append(name)
    if missing:
        yield Finding("encoder", "fail", f"PyAV lacks {', '.join(missing)}", remedy)
    else:
        yield Finding("encoder", "ok", f"PyAV {av.__version__} with libx264 and aac")


def fonts() -> Iterator[Finding]:
    """The fonts of the package."""
    from app.render.text.fonts import FAMILIES, font_files

    absent = [name for name in FAMILIES if not _has_family(font_files(), name)]
    if absent:
        remedy = "reinstall: the fonts are part of the package"
        yield Finding("fonts", "fail", f"missing: {', '.join(absent)}", remedy)
    else:
        yield Finding("fonts", "ok", f"{len(font_files())} files of {len(FAMILIES)} families")


def words() -> Iterator[Finding]:
    """Dictionaries of the scripts that have no spaces between words."""
    from app.render.text import segmentation

    if version := segmentation.version():
        detail = f"Thai, Lao, Khmer and Burmese break between words (icu4py {version})"
        yield Finding("words", "ok", detail)
    else:
        detail = "Thai, Lao, Khmer and Burmese may break inside words: icu4py is not installed"
        yield Finding("words", "info", detail)


def _has_family(files: tuple[Path, ...], family: str) -> bool:
    return any(path.name.startswith(f"{family}-") for path in files)


def installed_fonts(settings: Settings) -> Iterator[Finding]:
    """Fonts in PREVIEW_FONT_DIR, where it is set."""
    from app.render.text.fontfiles import broken_files, installed_families

    for directory in settings.font_dirs:
        families = installed_families([directory])
        told = f"{len(families)} families in {directory}"
        broken = ", ".join(path.name for path in broken_files(directory))
        if broken:
            remedy = "replace them, or take them away"
            yield Finding("installed fonts", "warn", f"{told}; cannot be read: {broken}", remedy)
        elif not families:
            remedy = "name the directory itself: those below it are not looked at"
            yield Finding("installed fonts", "warn", told, remedy)
        else:
            yield Finding("installed fonts", "ok", told)


def disk(settings: Settings) -> Iterator[Finding]:
    """Whether DATA_DIR can be written, and its free space. Makes no directory."""
    directory = settings.data_dir
    existing = _existing(directory)
    error = _write_error(existing)
    if error is not None:
        yield unwritable(existing, error)
        return
    free = shutil.disk_usage(existing).free
    level: Level = "ok" if free >= LOW_DISK_BYTES else "warn" if free >= FULL_DISK_BYTES else "fail"
    remedy = "" if level == "ok" else "free some space, or set DATA_DIR to a larger disk"
    state = "is writable" if existing == directory else "does not exist yet and can be made"
    yield Finding("disk", level, f"{directory} {state}, {human_bytes(free)} free", remedy)


def _existing(directory: Path) -> Path:
    """Return ``directory``, or the nearest directory above it that exists."""
    return next(path for path in (directory, *directory.parents) if path.exists())


def _write_error(directory: Path) -> OSError | None:
    """Try to write a file into ``directory``."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"ok")
    except OSError as error:
        return error
    return None


def unwritable(directory: Path, error: OSError) -> Finding:
    """Judge a DATA_DIR that cannot be written. An API's container mounts nothing there."""
    remedy = "set DATA_DIR to a directory that this user may write"
    detail = f"{directory}: {error.strerror}"
    if error.errno == errno.EROFS:
        return Finding("disk", "warn", f"{detail}; an API can do without, a worker cannot", remedy)
    return Finding("disk", "fail", detail, remedy)


def storage(settings: Settings) -> Iterator[Finding]:
    """The artifact store, tried by writing and deleting a small file. Makes no directory."""
    from app.errors import PreviewError
    from app.storage import ArtifactStore

    where = settings.artifact_url.partition("?")[0]
    directory = store_directory(settings.artifact_url)
    if directory and not directory.exists() and not _write_error(_existing(directory)):
        yield Finding("storage", "info", f"{where} does not exist yet; the first worker makes it")
        return
    try:
        ArtifactStore(settings.artifact_url).probe()
    except PreviewError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        if where.startswith("s3:"):  # its first line is long and begins with what failed last
            reason = f"{error.detail} {reason[:200]}"
        remedy = "check STORAGE_URL, its credentials (AWS_*) and permissions; see docs/storage.md"
        yield Finding("storage", "fail", f"{where}: {reason}", remedy)
    else:
        yield Finding("storage", "ok", f"{where} can be written, read and listed")


def keys(settings: Settings) -> Iterator[Finding]:
    """API keys, which an API needs everywhere but in development."""
    count = len(settings.preview_api_keys)
    if count:
        yield Finding("keys", "ok", f"{count} API key{'s' if count > 1 else ''}")
    elif settings.development:
        detail = f"none: in {settings.app_env} the API is open to everyone who reaches it"
        yield Finding("keys", "info", detail)
    elif "app_env" not in settings.model_fields_set and checkout_root() is not None:
        detail = "none: preview dev needs none; an API in production, the default APP_ENV, does"
        yield Finding("keys", "info", detail)
    else:  # such as in the container of a worker
        remedy = "set PREVIEW_API_KEYS; a good key: openssl rand -hex 32"
        detail = f"none: in {settings.app_env} an API does not start; other processes need none"
        yield Finding("keys", "warn", detail, remedy)


def ports(settings: Settings) -> Iterator[Finding]:
    """The ports of API and worker: free, used by this product, or by another program."""
    for name, port, variable in (
        ("API port", settings.preview_api_port, "PREVIEW_API_PORT"),
        ("health port", settings.health_port, "HEALTH_PORT"),
    ):
        if port == 0 or port_is_free(port):
            yield Finding(name, "info", f"{port or 'any'} is free")
        elif is_preview_process(port):
            yield Finding(name, "info", f"{port} is used by a running preview process")
        else:
            remedy = f"set {variable} to another port"
            yield Finding(
                name, "warn", f"{port} on {LOOPBACK} is in use by another program", remedy
            )
