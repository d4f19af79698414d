"""A finished preview in a real browser: served by the API, decoded, played, with its captions."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.client import PreviewClient
from app.render.engine import render
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix
from tests.http.conftest import serving, start
from tests.render.films import make_payload
from tests.support.chromium import Page, browsing, chromium_binary

CONTAINERS = ("mp4", "webm")
WIDTH, HEIGHT = 640, 360
SECONDS = 2.5
#: Each step's ground, caption and middle.
STEPS = [((36, 72, 63), "Take a lantern.", 1.2), ((200, 60, 40), "Light it & go <on>.", 3.7)]
PLAYER = """<!doctype html>
<body style="margin: 0; overflow: hidden">
<video muted width="{width}" height="{height}" src="{url}?kind=video">
<track default kind="captions" srclang="en" src="{url}?kind=captions.vtt"></video>
<script>
const video = document.querySelector('video'), track = video.textTracks[0]
const frame = () => new Promise(requestAnimationFrame)
async function until(condition) {{
  while (!condition()) {{
    if (video.error) throw new Error(video.error.message)
    await frame()
  }}
}}
async function played(seconds) {{
  await video.play()
  await until(() => video.currentTime >= seconds)
  video.pause()
  return [video.duration, video.videoWidth, video.videoHeight]
}}
async function shownAt(seconds) {{
  video.currentTime = seconds
  await until(() => !video.seeking && video.readyState >= 2 && track.activeCues.length)
  const canvas = document.createElement('canvas'), context = canvas.getContext('2d')
  context.drawImage(video, -8, -8)
  return {{
    colour: Array.from(context.getImageData(0, 0, 1, 1).data).slice(0, 3),
    captions: Array.from(track.activeCues, cue => cue.getCueAsHTML().textContent),
  }}
}}
async function captioned(mode) {{
  track.mode = mode
  video.currentTime += 0.05  // cues are laid out anew
  await until(() => !video.seeking)
  for (let count = 0; count < 5; count++) await frame()
}}
</script>
"""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of a browser."""
    binary = chromium_binary()
    if binary is None:
        pytest.skip("no chromium is installed")
    profile = tmp_path_factory.mktemp("profile")
    with browsing(binary, profile, size=(WIDTH, HEIGHT)) as page:
        yield page


@pytest.fixture(scope="module")
def origin(
    page: Page, embedded_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of an API that has a finished preview in each container, and a player of it."""
    directory = tmp_path_factory.mktemp("system")
    settings = Settings(
        redis_url=embedded_url,
        app_env="development",
        data_dir=directory / "data",
        preview_queue_name=f"t-{uuid.uuid4().hex[:12]}",
    )
    with serving(settings) as api:
        for container in CONTAINERS:
            publish(settings, container, directory / container)
        with make_server(
            "127.0.0.1", 0, with_player(api.app), server_class=_Server, handler_class=_Quiet
        ) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()


def with_player(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if not path.startswith("/player/"):
            return app(environ, start_response)
        url = f"/api/preview/job/film-{path.rpartition('/')[2]}/artifact"
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [PLAYER.format(width=WIDTH, height=HEIGHT, url=url).encode()]

    return serve


def publish(settings: Settings, container: str, directory: Path) -> None:
    """Render a film and bring its job to its end, as a worker does."""
    steps = [
        {
            "text": text,
            "durationSec": SECONDS,
            "background": {"color": "#{:02x}{:02x}{:02x}".format(*colour)},
        }
        for colour, text, _ in STEPS
    ]
    options = {"resolution": f"{WIDTH}x{HEIGHT}", "format": container}
    job = make_payload(*steps, options=options) | {"jobId": f"film-{container}"}
    result = render(
        job, asset_dir=directory, out_dir=directory, threads=1, on_progress=lambda _: None
    )
    preview = PreviewClient.from_settings(settings)
    preview.submit(job)
    claimed = start(preview.ledger)
    store = ArtifactStore(settings.artifact_url)
    artifacts = []
    for file in (file for file in result.files if file.kind in ("video", "captions.vtt")):
        content = (directory / file.name).read_bytes()
        key = f"{attempt_prefix(claimed.job_id, claimed.fence)}/{file.name}"
        store.put(key, directory / file.name, content_type=file.content_type)
        artifacts.append(
            {
                "kind": file.kind,
                "name": file.name,
                "contentType": file.content_type,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "key": key,
            }
        )
    fields = {"artifacts": artifacts, "warnings": []}
    done = preview.ledger.settle(claimed.job_id, claimed.fence, "completed", fields=fields)
    assert done == "completed"


def seen(page: Page) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(page.screenshot())) as image:
        return np.asarray(image.convert("RGB"), np.int16)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_browser_plays_it_with_its_colours_and_captions(
    page: Page, origin: str, container: str, tmp_path: Path
) -> None:
    page.navigate(f"{origin}/player/{container}")
    duration, *size = page.evaluate("played(0.4)")
    assert duration == pytest.approx(len(STEPS) * SECONDS, abs=0.05)
    assert size == [WIDTH, HEIGHT]
    for colour, text, middle in reversed(STEPS):
        shown = page.evaluate(f"shownAt({middle})")
        assert shown["captions"] == [text]
        assert shown["colour"] == pytest.approx(colour, abs=3)
    page.evaluate("captioned('hidden')")
    without = seen(page)
    assert without[8, 8] == pytest.approx(STEPS[0][0], abs=4)
    page.evaluate("captioned('showing')")
    (tmp_path / "captions.png").write_bytes(page.screenshot())
    drawn = np.abs(seen(page) - without).max(axis=2) > 40
    rows, columns = np.nonzero(drawn)
    assert rows.size > 500, "the captions are not on the picture"
    assert rows.min() > HEIGHT * 0.7
    assert columns.min() > WIDTH * 0.2
    assert columns.max() < WIDTH * 0.8
