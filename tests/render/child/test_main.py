from __future__ import annotations

import json
import multiprocessing
import os
from errno import EFBIG, ENOSPC, EROFS

import av
import numpy as np
import pytest

from app.errors import AssetFailed, ErrorItem
from app.render.child import main
from app.render.child.main import DISK_FULL, DISK_READ_ONLY, OUT_OF_MEMORY, UNEXPECTED
from app.render.progress import Progress


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), OUT_OF_MEMORY),
        (np.exceptions.AxisError("axis"), UNEXPECTED),
        (OSError(ENOSPC, "full"), DISK_FULL),
        (av.error.FFmpegError(EFBIG, "large"), DISK_FULL),
        (OSError(EROFS, "read-only"), DISK_READ_ONLY),
        (OSError(13, "forbidden"), UNEXPECTED),
        (SystemExit(1), UNEXPECTED),
        (AssetFailed("broken"), "asset-failed"),
    ],
)
def test_an_error_crosses_as_a_code_and_a_traceback(error: BaseException, code: str) -> None:
    described = main._described(error)
    assert described["code"] == code
    assert type(error).__name__ in described["traceback"]
    assert json.loads(json.dumps(described)) == described


def test_only_errors_of_the_product_show_their_detail() -> None:
    assert main._described(ValueError("/srv/secret"))["detail"] == ""
    item = ErrorItem("/a", "rule", "why")
    described = main._described(AssetFailed("what", errors=[item], retry_after_seconds=3))
    assert described["detail"] == "what"
    assert described["errors"] == [{"pointer": "/a", "code": "rule", "detail": "why"}]
    assert described["retry_after_seconds"] == 3


def test_frames_are_reported_seldom_and_phases_always(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.render.child.main.monotonic", lambda: now[0])
    receiver, sender = multiprocessing.Pipe(duplex=False)
    with receiver, sender:
        report = main._Reporter(sender)
        report(Progress("preparing"))
        report(Progress("rendering", 1, 9))
        report(Progress("rendering", 2, 9))
        now[0] += 0.06
        report(Progress("rendering", 3, 9))
        report(Progress("finishing", 9, 9))
        lines = os.read(receiver.fileno(), 65536)
    sent = [json.loads(line)["progress"] for line in lines.splitlines()]
    assert [(p["phase"], p["frames_done"]) for p in sent] == [
        ("preparing", 0),
        ("rendering", 1),
        ("rendering", 3),
        ("finishing", 9),
    ]
