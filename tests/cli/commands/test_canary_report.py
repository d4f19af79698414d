"""``preview canary-report`` against a server that gives the answers of a Prometheus 2.53."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import Result

from app.cli.commands.canary_report import EXIT_CODES
from tests.support.processes import ROOT

Preview = Callable[..., Result]
NOTHING = '{"status":"success","data":{"resultType":"vector","result":[]}}'
REFUSED_QUERY = (
    '{"status":"error","errorType":"bad_data","error":"invalid parameter \\"query\\": 1:4: parse '
    'error: unexpected end of input inside braces"}'
)


def vector(*samples: tuple[dict[str, str], str]) -> str:
    result = [{"metric": labels, "value": [1795321672.024, value]} for labels, value in samples]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


def attempts(**tracks: tuple[float, float, float]) -> str:
    """Completed, delayed and failed attempts by track; of the other outcomes there are many."""
    return vector(
        *(
            ({"outcome": outcome, "track": track}, str(count))
            for track, counts in tracks.items()
            for outcome, count in zip(
                ("completed", "delayed", "failed", "dry-run", "cancelled", "released", "stale"),
                (*counts, 500, 500, 500, 500),
                strict=True,
            )
        )
    )


def by_track(canary: str, stable: str) -> str:
    return vector(({"track": "canary"}, canary), ({"track": "stable"}, stable))


@dataclass
class Recorded:
    """What the server answers to a query that contains a text, and what it was asked."""

    url: str = ""
    status: int = 200
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    def answer(self, query: str) -> str:
        self.asked.append(query)
        return next(text for part, text in self.answers.items() if part in query)


@pytest.fixture
def server() -> Iterator[Recorded]:
    recorded = Recorded(
        answers={
            "preview_job_attempts_total": attempts(canary=(58.6, 1.2, 0), stable=(290.1, 3, 2)),
            "preview_jobs_refused_total": by_track("0", "2"),
            "preview_job_attempts_lost_total": NOTHING,
            "histogram_quantile(0.5,": by_track("4.2", "4.1"),
            "histogram_quantile(0.95,": by_track("9.9", "9.7"),
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            assert parts.path == "/api/v1/query"
            recorded.keys.append(self.headers["Authorization"])
            body = recorded.answer(parse_qs(parts.query)["query"][0]).encode()
            self.send_response(recorded.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        recorded.url = f"http://127.0.0.1:{httpd.server_port}"
        yield recorded
        httpd.shutdown()
        thread.join()


def test_the_documented_exit_codes_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "canary.md").read_text()
    table = re.findall(r"^\| (promote|wait|roll back) \| ([0-9]+) \|", text, re.MULTILINE)
    assert table == [(verdict, str(code)) for verdict, code in EXIT_CODES.items()]


def report(preview: Preview, server: Recorded, *more: str | Path) -> Result:
    return preview("canary-report", "--prometheus", server.url, *more)


def test_a_sound_canary_is_promoted_with_its_figures(preview: Preview, server: Recorded) -> None:
    result = report(preview, server)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()[:3]]
    assert rows[0] == ["TRACK", "ATTEMPTS", "FAULTS", "LOST", "REFUSED", "MEDIAN", "P95"]
    assert rows[1] == ["canary", "60", "1 (1.7%)", "0", "0", "4.2 s", "9.9 s"]
    assert rows[2] == ["stable", "293", "3 (1.0%)", "0", "2", "4.1 s", "9.7 s"]
    assert result.stdout.endswith("verdict: promote\n")


def test_a_broken_canary_is_rolled_back_on_few_attempts(preview: Preview, server: Recorded) -> None:
    server.answers["preview_job_attempts_total"] = attempts(canary=(0, 7, 1), stable=(90, 0, 2))
    result = report(preview, server, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["verdict"], told["window"]) == (20, "roll back", "30m")
    assert told["canary"] | {"completed": 0, "faults": 8, "refused": 0} == told["canary"]
    assert told["stable"] | {"completed": 90, "faults": 0, "refused": 2} == told["stable"]
    assert {"verdict": "wait", "text": "canary has 8 attempts of at least 30"} in told["reasons"]
    assert any(reason["verdict"] == "roll back" for reason in told["reasons"])


def test_attempts_that_died_with_the_canary_are_its_faults(
    preview: Preview, server: Recorded
) -> None:
    server.answers["preview_job_attempts_total"] = attempts(canary=(2, 1, 0), stable=(90, 0, 2))
    server.answers["preview_job_attempts_lost_total"] = by_track("5.2", "0")
    result = report(preview, server, "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["verdict"]) == (20, "roll back")
    assert told["canary"] | {"completed": 2, "faults": 6, "lost": 5} == told["canary"]


def test_a_canary_without_work_has_to_wait(preview: Preview, server: Recorded) -> None:
    server.answers["preview_job_attempts_total"] = attempts(canary=(0, 0, 0), stable=(90, 0, 0))
    server.answers["preview_jobs_refused_total"] = NOTHING
    for quantile in ("0.5", "0.95"):
        server.answers[f"histogram_quantile({quantile},"] = by_track("NaN", "4.1")
    result = report(preview, server)
    assert result.exit_code == 10
    assert "canary has 0 attempts of at least 30" in result.stdout
    assert "the median of the durations is not known" in result.stdout


def test_window_and_more_matchers_are_part_of_every_query(
    preview: Preview, server: Recorded
) -> None:
    report(preview, server, "--window", "2h", "--matching", 'namespace="previews"')
    assert len(server.asked) == 5
    wanted = re.escape('{track=~"canary|stable",namespace="previews"}[2h]')
    assert all(re.search(wanted, query) for query in server.asked)


def test_a_token_is_read_from_a_file(preview: Preview, server: Recorded, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a-token\n")
    assert report(preview, server, "--key-file", tmp_path / "key").exit_code == 0
    assert set(server.keys) == {"Bearer a-token"}


@pytest.mark.parametrize("track", ["canary", "stable"])
def test_a_track_that_is_not_scraped_is_named(
    preview: Preview, server: Recorded, track: str
) -> None:
    other = "stable" if track == "canary" else "canary"
    server.answers["preview_job_attempts_total"] = attempts(**{other: (90, 0, 0)})
    result = report(preview, server)
    assert result.exit_code == 1
    assert f"no preview_job_attempts_total of track {track}" in result.stderr


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (400, REFUSED_QUERY, "bad_data: invalid parameter"),
        (200, "<html>Grafana</html>", "not as Prometheus does"),
        (404, '{"detail": "No such resource"}', "answers 404, but not as Prometheus does"),
        (200, '{"status":"success"}', "not a vector of numbers"),
        (
            200,
            '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}',
            "not a vector",
        ),
        (200, vector(({"track": "canary"}, "many")), "not a vector of numbers"),
    ],
)
def test_an_answer_that_tells_nothing_is_an_error(
    preview: Preview, server: Recorded, *, status: int, answer: str, words: str
) -> None:
    server.status = status
    server.answers["preview_job_attempts_total"] = answer
    result = report(preview, server)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr


def test_a_server_that_is_away_is_an_error(preview: Preview) -> None:
    result = preview("canary-report", "--prometheus", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "http://127.0.0.1:1 does not answer: " in result.stderr


@pytest.mark.parametrize(
    "options", [("--prometheus", "prometheus:9090"), ("--prometheus", "http://p", "--window", "x")]
)
def test_a_bad_option_is_refused(preview: Preview, options: tuple[str, ...]) -> None:
    assert preview("canary-report", *options).exit_code == 2
