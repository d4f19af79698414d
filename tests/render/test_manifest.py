from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import av
import numpy as np
import PIL

from app import __version__
from app.render.captions.cues import build_cues
from app.render.captions.texts import Texts
from app.render.manifest import Manifest, describe
from app.render.model.sound import LoudnessTarget
from app.render.picture.stills import Stills
from app.render.sound.soundtrack import SoundReport
from app.render.video.film import Film
from tests.render.films import make_film, make_payload, make_step, write_png
from tests.render.requests import request_of

#: What the timeline says of a step that shows nothing.
NOTHING: Final = {
    "layout": "auto", "words": 0, "headed": False, "transition": None, "motions": [],
    "pictures": [], "narration": None,
}  # fmt: skip


def test_a_file_is_described_by_size_checksum_and_its_name_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "thumbnails").mkdir()
    path = tmp_path / "thumbnails" / "01.jpg"
    path.write_bytes(b"picture")
    file = describe(path, kind="thumbnail", root=tmp_path)
    assert (file.name, file.content_type, file.bytes) == ("thumbnails/01.jpg", "image/jpeg", 7)
    assert file.sha256 == hashlib.sha256(b"picture").hexdigest()


def test_the_manifest_tells_all_that_went_in_and_came_out(tmp_path: Path) -> None:
    picture = write_png(tmp_path / "board.png")
    payload = make_payload(
        {"text": "One two."},
        {"text": ""},
        assets=[{"id": "board", "type": "image", "path": "board.png"}],
    )
    board = make_film(make_step("One two.", frames=45), make_step(frames=30))
    video = tmp_path / "preview.mp4"
    video.write_bytes(b"film")
    written = Manifest(
        request_of(payload, {"board": picture}),
        board,
        Texts(build_cues(board)),
        Film(video, Stills(board), x264_version="165", hits=0, misses=0),
        SoundReport(LoudnessTarget(), None, None, 0.0, 0.0, None),
        report=[],
        files=[describe(video, kind="video", root=tmp_path)],
        warnings=["careful"],
    ).write(tmp_path)
    assert (written.name, written.kind) == ("manifest.json", "manifest")
    content = (tmp_path / "manifest.json").read_bytes()
    manifest = json.loads(content)
    assert (manifest["jobId"], manifest["projectId"]) == ("job-1", "project-1")
    assert manifest["tools"]["mobius-preview-worker"] == __version__
    assert manifest["tools"]["pyav"] == av.__version__
    assert manifest["tools"]["pillow"] == PIL.__version__
    assert manifest["tools"]["numpy"] == np.__version__
    assert manifest["tools"]["x264"] == "165"
    assert manifest["tools"]["libavcodec"].count(".") == 2
    assert manifest["video"] == {
        "width": 320,
        "height": 180,
        "fps": 30,
        "frames": 75,
        "durationSec": 2.5,
        "quality": "draft",
    }
    assert manifest["inputs"] == [
        {
            "id": "board",
            "type": "image",
            "bytes": picture.stat().st_size,
            "sha256": hashlib.sha256(picture.read_bytes()).hexdigest(),
        }
    ]
    assert manifest["files"] == [
        {
            "name": "preview.mp4",
            "kind": "video",
            "contentType": "video/mp4",
            "bytes": 4,
            "sha256": hashlib.sha256(b"film").hexdigest(),
        }
    ]
    assert manifest["timeline"] == [
        {
            "stepId": "step-1",
            "startSec": 0,
            "durationSec": 1.5,
            "frames": 45,
            "durationSource": "given",
            "spoken": "One two.",
            **NOTHING,
        },
        {
            "stepId": "step-2",
            "startSec": 1.5,
            "durationSec": 1,
            "frames": 30,
            "durationSource": "given",
            "spoken": "",
            **NOTHING,
        },
    ]
    assert manifest["captions"] == {"language": "en", "cues": 1, "maxCharsPerSecond": 5.71}
    assert manifest["warnings"] == ["careful"]
    assert str(tmp_path) not in content.decode()
