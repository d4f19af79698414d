"""A Chromium driven over the DevTools protocol's pipe: no port, and no library for it.

Source of the protocol: https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

#: What it is called on the systems that have one with H.264.
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
_OPTIONS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-color-profile=srgb", "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe",
)  # fmt: skip
#: The browser reads commands from descriptor 3 and writes to 4; each message ends with a zero.
_START: Final = "import os, sys; r, w, *c = sys.argv[1:]; os.dup2(int(r), 3); os.dup2(int(w), 4);"
#: For every answer; a loaded machine takes seconds to show its first page.
_SECONDS: Final = 45.0


def chromium_binary() -> str | None:
    """Where it is installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """The one page of a browser that runs already."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._rest = b""
        self._count = 0
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer; events before it go."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _SECONDS
        while (answer := self._read(deadline)).get("id") != self._count:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        found: dict[str, Any] = answer["result"]
        return found

    def navigate(self, url: str) -> None:
        """Go to a page and wait until all of it is loaded."""
        answer = self.call("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.evaluate(
            "new Promise(done => document.readyState == 'complete' ? done()"
            " : addEventListener('load', done))"
        )

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, of a promise when it is kept."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _read(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            part = os.read(self._answers, 1 << 20) if ready else b""
            assert part, "the browser has gone" if ready else "the browser does not answer"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found


@contextlib.contextmanager
def browsing(binary: str, profile: Path, *, size: tuple[int, int]) -> Iterator[Page]:
    """Run a browser with an empty profile and a window of ``size``; give its page."""
    with contextlib.ExitStack() as stack:
        theirs, ours = [], []
        for reads in (True, False):
            ends = os.pipe()
            # Above 9, so that neither is 3 or 4 already.
            high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
            for end in ends:
                os.close(end)
            theirs.append(high[not reads])
            ours.append(high[reads])
        for end in ours:
            stack.callback(os.close, end)
        width, height = size
        command = [
            binary, *_OPTIONS, f"--user-data-dir={profile}", f"--window-size={width},{height}",
        ]  # fmt: skip
        start = f"{_START} os.execv(c[0], c)"
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", start, *map(str, theirs), *command],
            pass_fds=theirs,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(_end, process)
        for end in theirs:
            os.close(end)
        page = Page(*ours)
        # A window's size has its frame in it.
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **metrics)
        yield page


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with its helpers: its profile is a test's, nothing of it is to be kept."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(_SECONDS)
