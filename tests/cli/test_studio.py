"""``preview studio``: a real server, a real file, a real render, and what its page is told."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.cli.studio.document import check_text, save_document
from app.cli.studio.positions import Lines, positions
from app.cli.studio.server import studio
from app.contract import load_contract
from app.settings import Settings
from tests.conftest import DEADLINE_SECONDS, wait_until
from tests.render.films import make_payload, write_png
from tests.support.processes import ROOT

STEP = {"id": "a", "text": "Place the board.", "durationSec": 1}
TINY = {"options": {"resolution": "320x180", "fps": 24, "quality": "draft"}}


class Page:
    """What the page's script does, by hand."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: str = "", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send a request; return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body=body.encode(), headers=named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def document(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.ask("GET", "/document")[2])
        return found

    @contextmanager
    def news(self) -> Iterator[Callable[[Callable[[dict[str, Any]], object]], dict[str, Any]]]:
        """Read events; what is yielded returns the first state that a condition accepts."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/events")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "text/event-stream"

        def until(condition: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
            state: dict[str, Any] = {}
            end = time.monotonic() + DEADLINE_SECONDS
            while time.monotonic() < end and (line := answer.readline()):
                if line.startswith(b"data: "):
                    state = json.loads(line[6:])
                    if condition(state):
                        return state
            pytest.fail(f"waited in vain; the last state is {state}")

        try:
            yield until
        finally:
            answer.close()
            connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_png(tmp_path / "board.png")
    asset = {"id": "board", "type": "image", "path": "board.png", "alt": "The board"}
    step = {**STEP, "visuals": [{"assetId": "board"}]}
    path = tmp_path / "job.json"
    path.write_text(json.dumps(make_payload(step, assets=[asset], **TINY), indent=2) + "\n")
    return path


@pytest.fixture
def page(file: Path, tmp_path: Path) -> Iterator[Page]:
    work = tmp_path / "work"
    work.mkdir()
    settings = Settings(app_env="test", data_dir=tmp_path / "data")
    with studio(file, asset_dir=tmp_path, settings=settings, work=work) as port:
        yield Page(port)


def test_each_save_is_seen_and_rendered_wherever_it_is_made(page: Page, file: Path) -> None:
    with page.news() as until:
        first = until(lambda state: state["film"] is not None)
        film = first["film"]
        assert first["steps"] == [{"id": "a", "first": line(file, '"steps"') + 1, "last": 19}]
        assert film["steps"] == [{"id": "a", "start": 0.0}]
        status, headers, part = page.ask("GET", film["video"], Range="bytes=4-7")
        assert (status, part) == (206, b"ftyp")
        assert headers["Content-Type"] == "video/mp4"
        assert page.ask("GET", film["captions"][0]["url"])[2].startswith(b"WEBVTT")

        # in another editor
        file.write_text(file.read_text().replace("Place the board.", "Place the box."))
        second = until(lambda state: state["film"]["name"] != film["name"])
        assert second["version"] == page.document()["version"] != first["version"]

        # of an asset alone
        write_png(file.parent / "board.png", colour="#20c040")
        third = until(lambda state: state["film"]["name"] > second["film"]["name"])
        assert (third["version"], third["assets"]) == (second["version"], 1)

        # in the page
        text = page.document()["text"].replace("Place the box.", "Place the lamps.")
        version = page.document()["version"]
        assert page.ask("PUT", "/document", text, If_Match=f'"{version}"')[0] == 200
        until(lambda state: state["film"]["name"] > third["film"]["name"])
    assert file.read_text() == text
    assert page.ask("GET", film["video"])[0] == 404  # only what may still be played is kept


def test_a_save_that_would_undo_another_programs_is_refused(page: Page, file: Path) -> None:
    version = page.document()["version"]
    theirs = file.read_text().replace("Place the board.", "Theirs.")
    file.write_text(theirs)
    status, _, body = page.ask("PUT", "/document", "mine", If_Match=f'"{version}"')
    assert (status, json.loads(body)["code"]) == (409, "job-conflict")
    assert file.read_text() == theirs
    wait_until(lambda: page.document()["text"] == theirs, "the studio sees the other text")


def test_a_newer_save_cancels_the_render_that_runs(page: Page, file: Path) -> None:
    long = file.read_text().replace('"durationSec": 1', '"durationSec": 55')
    with page.news() as until:
        until(lambda state: state["film"] is not None)
        motions = '"assetId": "board", "motions": [{"type": "zoom"}]'
        file.write_text(long.replace('"assetId": "board"', motions))
        until(lambda state: state["render"] and state["render"]["total"] > 500)
        file.write_text(file.read_text().replace('"durationSec": 55', '"durationSec": 2'))
        film = until(lambda state: state["film"]["name"] != "1")["film"]
        assert (film["name"], film["seconds"]) == ("3", 2.0)


def test_a_still_shows_text_that_is_not_saved(page: Page, file: Path) -> None:
    saved = page.document()["text"]
    status, headers, before = page.ask("POST", "/still?step=a&width=160", saved)
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(before)).size == (160, 90)
    edited = saved.replace("Place the board.", "Light the lamp and wait.")
    status, _, after = page.ask("POST", "/still?step=a&width=160", edited)
    assert status == 200
    assert after != before
    assert file.read_text() == saved
    status, _, body = page.ask("POST", "/still?step=a", saved.replace('"a"', '"a'))
    assert status == 422
    assert json.loads(body)["detail"].startswith("line ")


def test_errors_stand_at_the_lines_that_they_mean(page: Page, file: Path) -> None:
    bad = file.read_text().replace('"durationSec": 1', '"durationSec": "one"')
    bad = bad.replace('"id": "board"', '"id": "board", "kind": 1')
    file.write_text(bad)
    with page.news() as until:
        errors = until(lambda state: state["errors"])["errors"]
    assert [(error["line"], error["pointer"].rpartition("/")[2]) for error in errors] == [
        (line_in(bad, '"durationSec"'), "durationSec"),
        (line_in(bad, '"kind"'), "kind"),
    ]
    assert '"one"' in errors[0]["detail"]
    checked = json.loads(page.ask("POST", "/check", '{\n "a": 1,\n "b" 2\n}')[2])
    assert [error["line"] for error in checked["errors"]] == [3]


def test_an_asset_that_is_missing_is_said_at_its_line(page: Page, file: Path) -> None:
    text = file.read_text().replace('"board.png"', '"none.png"')
    file.write_text(text)
    with page.news() as until:
        failure = until(lambda state: state["failure"])["failure"]
        assert [error["line"] for error in failure["errors"]] == [line_in(text, '"none.png"')]
        write_png(file.parent / "none.png")
        until(lambda state: state["failure"] is None and state["film"] is not None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
def test_requests_of_other_sites_are_refused(
    page: Page, file: Path, headers: dict[str, str]
) -> None:
    before = file.read_text()
    assert page.ask("GET", "/document", **headers)[0] == 403
    version = page.document()["version"]
    assert page.ask("PUT", "/document", "{}", If_Match=version, **headers)[0] == 403
    assert file.read_text() == before


def test_only_the_page_and_the_film_are_served(page: Page, file: Path) -> None:
    for name, start in (("/", b"<!doctype html>"), ("/studio.js", b'"use strict"')):
        status, headers, body = page.ask("GET", name)
        assert (status, body[: len(start)]) == (200, start)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert b"style=" not in body
        assert b"http://" not in body.replace(b"http://www.w3.org", b"")
    for name in ("/job.json", "/../job.json", "/film/1/../../job.json", "/film/9/preview.mp4"):
        assert page.ask("GET", name)[0] == 404


def test_the_command_ends_with_nothing_left(file: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "test",
        "DATA_DIR": str(tmp_path / "data"),
        "TMPDIR": str(scratch),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "app", "studio", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        page = Page(int(address.rstrip("/").rpartition(":")[2]))
        with page.news() as until:
            until(lambda state: state["render"] or state["film"])
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
    assert list(scratch.iterdir()) == []
    assert sorted(path.name for path in tmp_path.glob("*")) == [
        *("board.png", "job.json", "scratch"),
    ]


def test_positions_are_those_of_the_last_member_of_a_name() -> None:
    text = '{\n "a/b": [1,\n  {"x": "}]"}],\n "c":\n  {},\n "c": "\\"{" }'
    assert positions(text) == {
        "": Lines(1, 6),
        "/a~1b": Lines(2, 3),
        "/a~1b/0": Lines(2, 2),
        "/a~1b/1": Lines(3, 3),
        "/a~1b/1/x": Lines(3, 3),
        "/c": Lines(6, 6),
    }
    assert positions("7") == {"": Lines(1, 1)}


def test_a_save_keeps_mode_link_and_line_ends(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"{\r\n}")
    real.chmod(0o640)
    link.symlink_to(real)
    save_document(link, '{\n"a": 1}', crlf=True)
    assert real.read_bytes() == b'{\r\n"a": 1}'
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.json", "real.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"previewRequest": {"steps": [1, {}]}}', "[" * 5000])
def test_any_text_can_be_checked(text: str) -> None:
    checked = check_text(text, load_contract())
    assert checked.payload is None
    assert checked.errors[0]["line"] == 1


def line(file: Path, part: str) -> int:
    return line_in(file.read_text(), part)


def line_in(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1
