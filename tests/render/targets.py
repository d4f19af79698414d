"""Replacements of the engine, each of which does one thing to its child process."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.errors import AssetFailed, ErrorItem, QueueFull
from app.render.model.limits import Limits, memory_left
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult
from app.render.text.coverage import overhang
from app.render.video.stepkey import build_digest

OnProgress = Callable[[Progress], None]
RESULT = RenderResult(
    (RenderedFile("video", "preview.mp4", "video/mp4", 4, "0" * 64),), ("a warning",), 2.5, 75
)


def _make(out_dir: Path) -> None:
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "partial").write_text(str(os.getpid()))


def succeed(
    payload: Mapping[str, Any], *, out_dir: Path, on_progress: OnProgress, **_: Any
) -> RenderResult:
    _make(out_dir)
    on_progress(Progress("preparing"))
    for done in range(payload.get("frames", 75)):
        on_progress(Progress("rendering", done + 1, 75))
        time.sleep(payload.get("pause", 0))
    on_progress(Progress("finishing", 75, 75))
    return RESULT


def describe(
    payload: Mapping[str, Any], *, asset_dir: Path, out_dir: Path, threads: int, **_: Any
) -> RenderResult:
    """Report facts about the process as warnings."""
    kinds = (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_CPU)
    facts = [
        str(threads),
        asset_dir.name,
        str(out_dir.name),
        str(os.getpgid(0) == os.getpid()),
        str([resource.getrlimit(kind)[0] for kind in kinds]),
        str(os.nice(0)),
        repr(sys.stdin.read()),
        str(payload["jobId"]),
        str(getattr(sys.modules["__main__"], "MARK", "no main script")),
    ]
    return RenderResult((), tuple(facts), 0.0, 0)


def tell_what_is_done(_: Mapping[str, Any], **__: Any) -> RenderResult:
    """Report how many builds were hashed and fonts measured before this child started."""
    done = (build_digest.cache_info().currsize, overhang.cache_info().currsize)
    return RenderResult((), tuple(map(str, done)), 0.0, 0)


def tell_memory_left(_: Mapping[str, Any], **__: Any) -> RenderResult:
    return RenderResult((), (), 0.0, memory_left() or -1)


def widen_its_limits(_: Mapping[str, Any], **__: Any) -> RenderResult:
    kinds = (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_AS)
    before = [resource.getrlimit(kind)[0] for kind in kinds]
    Limits(deadline_seconds=9e6, memory_mb=10**6, file_mb=10**6).apply()
    after = [resource.getrlimit(kind)[0] for kind in kinds]
    wider = sum(new > old for old, new in zip(before, after, strict=True))
    return RenderResult((), (), 0.0, wider)


def hang(_: Mapping[str, Any], *, out_dir: Path, on_progress: OnProgress, **__: Any) -> None:
    _make(out_dir)
    on_progress(Progress("rendering", 1, 75))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Event().wait()


def hang_with_grandchild(_: Mapping[str, Any], *, out_dir: Path, **__: Any) -> None:
    _make(out_dir)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (out_dir.parent / "grandchild").write_text(str(sleeper.pid))
    threading.Event().wait()


def leave_a_grandchild_with_the_pipe(_: Mapping[str, Any], **__: Any) -> None:
    if os.fork() == 0:
        time.sleep(600)
    os._exit(3)


def crash(_: Mapping[str, Any], *, out_dir: Path, **__: Any) -> None:
    _make(out_dir)
    os.kill(os.getpid(), signal.SIGSEGV)


def exit_silently(_: Mapping[str, Any], **__: Any) -> None:
    os._exit(7)


def call_exit(_: Mapping[str, Any], **__: Any) -> None:
    sys.exit(4)


def eat_memory(_: Mapping[str, Any], **__: Any) -> None:
    blocks = []
    while True:
        blocks.append(bytearray(16 * 1024 * 1024))


def spin(_: Mapping[str, Any], **__: Any) -> None:
    limit = resource.RLIMIT_CPU
    resource.setrlimit(limit, (1, 3))
    while True:
        pass


def stall_in_a_message(_: Mapping[str, Any], *, on_progress: Any, **__: Any) -> None:
    os.write(on_progress._sender.fileno(), b'{"progress": {"phase": "rend')
    threading.Event().wait()


def send_garbage(payload: Mapping[str, Any], *, on_progress: Any, **_: Any) -> None:
    os.write(on_progress._sender.fileno(), payload["garbage"].encode() + b"\n")
    threading.Event().wait()


def send_without_end(_: Mapping[str, Any], *, on_progress: Any, **__: Any) -> None:
    while True:
        os.write(on_progress._sender.fileno(), b"x" * 65536)


def write_too_much(_: Mapping[str, Any], *, out_dir: Path, **__: Any) -> None:
    _make(out_dir)
    with (out_dir / "large").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 1024 * 1024)


def fill_the_disk(_: Mapping[str, Any], *, out_dir: Path, **__: Any) -> None:
    _make(out_dir)
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"\0")


def refuse(_: Mapping[str, Any], *, out_dir: Path, **__: Any) -> None:
    _make(out_dir)
    item = ErrorItem("/previewRequest/assets/0", "broken", "it is broken")
    raise AssetFailed("asset 'a' is broken", errors=[item])


def be_busy(_: Mapping[str, Any], **__: Any) -> None:
    raise QueueFull("later", retry_after_seconds=9)


def fail(_: Mapping[str, Any], **__: Any) -> None:
    raise ValueError("secret /srv/path/of/the/server")
