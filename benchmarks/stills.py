"""Stills through the API, on an idle worker and while it renders: ``python -m benchmarks.stills``.

Everything is real: gunicorn, a Valkey, a worker with two render slots. Clients ask one at a time,
as an author does, each time for another moment.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from PIL import Image, ImageFilter

from app import __version__
from app.client import PreviewClient
from app.errors import NoWorker
from app.settings import Settings
from app.stillrequest import StillRequest
from benchmarks import stack

#: Stills that are timed, after those that warm up.
STILLS: Final = 40
WARM_UPS: Final = 5
#: Width of the stills in pixels.
WIDTH: Final = 1280
#: Render slots of the worker.
SLOTS: Final = 2


def texts() -> dict[str, Any]:
    """Return a film of eleven text steps."""
    return stack.tutorial("still-texts", dry=False)


def pictures(settings: Settings) -> dict[str, Any]:
    """Return a film of six photographs of 1920 × 1280 pixels that move."""
    assets = settings.asset_root / "bench"
    assets.mkdir(parents=True, exist_ok=True)
    steps, listed = [], []
    for number in range(6):
        noise = Image.effect_noise((240, 160), 80).filter(ImageFilter.GaussianBlur(1))
        noise.resize((1920, 1280)).convert("RGB").save(assets / f"{number}.jpg", quality=90)
        listed.append(
            {"id": f"p{number}", "type": "image", "path": f"{number}.jpg", "alt": "Noise"}
        )
        steps.append(
            {
                "id": f"step-{number}",
                "durationSec": 11,
                "title": f"Picture {number}",
                "background": {"assetId": f"p{number}"},
                "motion": {"type": "ken_burns"},
            }
        )
    document = stack.tutorial("still-pictures", dry=False)
    request = document["previewRequest"]
    assert isinstance(request, dict)
    request.update(steps=steps, assets=listed)
    return document


def ask(connection: http.client.HTTPConnection, body: bytes, at: float) -> float:
    """Have one still drawn; return the seconds from the request to its last byte."""
    began = time.perf_counter()
    path = f"/api/preview/still?at={at:.3f}&width={WIDTH}"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != HTTPStatus.OK:
        sys.exit(f"benchmark: {answer.status} {content[:500].decode(errors='replace')}")
    return time.perf_counter() - began


def answers(client: PreviewClient) -> bool:
    """Return whether a worker draws stills; what is asked for here is in no film."""
    order = StillRequest(step="none").order(texts())
    with contextlib.suppress(NoWorker):
        return bool(client.ledger.stills.ask(json.dumps(order).encode()))
    return False


def times(port: int, payload: dict[str, Any]) -> list[float]:
    """Return how long each still takes, in milliseconds."""
    body = json.dumps(payload).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        moments = [(number * 7.3) % 65 for number in range(WARM_UPS + STILLS)]
        measured = [ask(connection, body, at) for at in moments]
    return [1000 * seconds for seconds in measured[WARM_UPS:]]


@contextlib.contextmanager
def busy(client: PreviewClient, payload: dict[str, Any]) -> Iterator[None]:
    """Keep all render slots at work: whatever ends is followed by another job."""
    numbers = itertools.count()
    for _ in range(200):
        client.submit({**payload, "jobId": f"busy-{next(numbers)}"})
    stack.wait_for(lambda: client.queue().active == SLOTS, "two renders")
    yield
    if not client.queue().waiting:
        sys.exit("benchmark: the renders ended before the stills did")


def row(name: str, found: list[float], *, idle: list[float] | None = None) -> None:
    """Print p50 and p95, and how many times those of an idle worker they are."""
    text = f"{name:<46}"
    for share in (0.5, 0.95):
        value = stack.percentile(found, share)
        text += f" p{100 * share:g} {value:6.0f} ms"
        text += f" ({value / stack.percentile(idle, share):.2f} x)" if idle else " " * 9
    print(text.rstrip(), flush=True)


@contextlib.contextmanager
def system() -> Iterator[tuple[Settings, int]]:
    """Run a worker with two render slots and the API; yields the settings and the API's port."""
    with (
        stack.server() as settings,
        stack.process(settings, "dramatiq", "app.actors", "--processes", "1", "--threads", "4"),
        stack.api(settings) as port,
    ):
        client = PreviewClient.from_settings(settings)
        stack.wait_for(lambda: answers(client), "the start of the worker's slot")
        yield settings, port


def main() -> int:
    """Measure both films on an idle worker, then on one that renders."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"Mobius Preview Worker {__version__} on {platform.system()} {machine}")
    print(f"load before: {os.getloadavg()[0]:.2f}; stills {WIDTH} pixels wide, JPEG\n")
    with system() as (settings, port):
        client = PreviewClient.from_settings(settings)
        films = {"texts": texts(), "photographs that move": pictures(settings)}
        idle = {name: times(port, film) for name, film in films.items()}
        for name, found in idle.items():
            row(f"{name}, idle worker", found)
        with busy(client, films["photographs that move"]):
            for name, film in films.items():
                row(f"{name}, both slots busy", times(port, film), idle=idle[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
