from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.contract import MAX_PAYLOAD_BYTES
from tests.cli.conftest import payload

Preview = Callable[..., Result]
PreviewProcess = Callable[..., subprocess.CompletedProcess[str]]


def test_a_valid_file_is_0(preview: Preview, payload_file: Path) -> None:
    result = preview("validate", payload_file)
    assert (result.exit_code, result.stdout) == (0, f"{payload_file}: valid\n")


def test_standard_input_is_read_for_a_dash(preview: Preview) -> None:
    result = preview("validate", "-", stdin=json.dumps(payload()).encode())
    assert (result.exit_code, result.stdout) == (0, "standard input: valid\n")


def test_every_error_is_a_line_with_its_pointer(preview: Preview, tmp_path: Path) -> None:
    bad = payload(dryRun="yes", extra=1)
    bad["previewRequest"]["steps"] = [{"id": "a", "title": "A"}, {"id": "a", "title": 7}]
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(bad))
    result = preview("validate", path)
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    pointers = {line.split(": ", 1)[0] for line in lines}
    assert {"/dryRun", "/extra", "/previewRequest/steps/1/title"} <= pointers
    assert all(line.endswith("]") and " [" in line for line in lines)
    assert result.stderr == f"error: {path}: {len(lines)} errors\n"


def test_several_files_are_checked_and_the_worst_decides(
    preview: Preview, payload_file: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    result = preview("validate", payload_file, bad)
    assert result.exit_code == 2
    assert result.stdout.startswith(f"{payload_file}: valid\n")
    assert f"error: {bad}: " in result.stderr
    assert preview("validate", payload_file, bad, tmp_path / "absent.json").exit_code == 3
    asked = ("validate", payload_file, bad, tmp_path / "absent.json", "--json")
    document = json.loads(preview(*asked).stdout)
    assert document["valid"] is False
    assert [file["valid"] for file in document["files"].values()] == [True, False, False]
    assert document["files"][str(tmp_path / "absent.json")]["errors"][0]["code"] == "unreadable"


def test_assets_are_looked_for_on_request(preview: Preview, tmp_path: Path) -> None:
    asked = payload()
    asked["previewRequest"]["assets"] = [
        {"id": "board", "type": "image", "path": "board.png", "alt": "The board"},
        {"id": "far", "type": "image", "uri": "https://assets.example.com/a.png", "alt": "Far"},
    ]
    body = json.dumps(asked).encode()
    hosts = {"PREVIEW_ASSET_HOSTS": "assets.example.com"}
    assert preview("validate", "-", stdin=body, **hosts).exit_code == 0
    absent = preview("validate", "-", "--assets", tmp_path, stdin=body, **hosts)
    assert absent.exit_code == 2
    assert absent.stdout.startswith("/previewRequest/assets/0/path: ")
    assert len(absent.stdout.splitlines()) == 1, "what is remote is not fetched"
    (tmp_path / "board.png").write_bytes(b"picture")
    found = preview("validate", "-", "--assets", tmp_path, stdin=body, **hosts)
    assert (found.exit_code, found.stderr) == (0, "")
    nowhere = preview("validate", "-", "--assets", tmp_path / "no", stdin=body)
    assert (nowhere.exit_code, "is not a directory" in nowhere.stderr) == (3, True)


def test_json_output_has_every_error(preview: Preview) -> None:
    result = preview("validate", "-", "--json", stdin=b'{"jobId": 7}')
    document = json.loads(result.stdout)
    assert result.exit_code == 2
    assert document["valid"] is False
    assert "/jobId" in {item["pointer"] for item in document["errors"]}
    assert set(document["errors"][0]) == {"pointer", "code", "detail"}


def test_what_a_dry_run_asks_for_in_vain_is_a_warning(preview: Preview) -> None:
    asked = payload()
    asked["previewRequest"]["options"] = {"captionLanguages": ["fr"]}
    result = preview("validate", "-", stdin=json.dumps(asked).encode())
    assert result.exit_code == 0
    assert result.stdout.startswith("warning: /previewRequest/options/captionLanguages/0: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"\x00" * 100, b'{"a": NaN}', b'{"a": "\xc3\x28"}', b"[" * 5000],
    ids=["empty", "cut", "binary", "zeros", "nan", "not-utf-8", "deep"],
)
def test_what_is_no_json_is_2(preview: Preview, content: bytes) -> None:
    result = preview("validate", "-", stdin=content)
    assert result.exit_code == 2
    assert result.stdout.startswith("(document): ")
    assert result.stdout.endswith("[invalid-json]\n")


def test_a_file_over_the_limit_is_2_and_not_read_to_its_end(preview: Preview) -> None:
    result = preview("validate", "/dev/zero")  # it has no end
    assert result.exit_code == 2
    assert str(MAX_PAYLOAD_BYTES) in result.stdout
    assert "[payload-too-large]" in result.stdout


def test_a_file_of_exactly_the_limit_is_read(preview: Preview, tmp_path: Path) -> None:
    body = json.dumps(payload()).encode()
    path = tmp_path / "full.json"
    path.write_bytes(body + b" " * (MAX_PAYLOAD_BYTES - len(body)))
    assert preview("validate", path).exit_code == 0
    path.write_bytes(body + b" " * (MAX_PAYLOAD_BYTES - len(body) + 1))
    assert preview("validate", path).exit_code == 2


@pytest.mark.parametrize("name", ["absent.json", ".", "loop"])
def test_what_cannot_be_read_is_3(preview: Preview, tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    result = preview("validate", tmp_path / name)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: cannot read {tmp_path / name}: ")
    assert len(result.stderr.splitlines()) == 1


def test_a_hostile_name_does_not_reach_the_terminal(preview: Preview) -> None:
    result = preview("validate", "-", stdin=b'{"\\u001b[2Jx": 1}')
    assert "\x1b" not in result.stdout
    assert "\\x1b" in result.stdout or "\\u001b" in result.stdout


def test_bad_settings_do_not_matter_to_validate(preview: Preview, payload_file: Path) -> None:
    assert preview("validate", payload_file, HEALTH_PORT="many").exit_code == 0


def test_the_exit_codes_are_those_of_the_process(
    preview_process: PreviewProcess, payload_file: Path, tmp_path: Path
) -> None:
    assert preview_process("validate", payload_file, cwd=tmp_path).returncode == 0
    assert preview_process("validate", "-", stdin="{}").returncode == 2
    assert preview_process("validate", tmp_path / "absent").returncode == 3


def test_a_closed_standard_input_is_3(variables: dict[str, str]) -> None:
    command = "exec python -m app validate - <&-"
    python = Path(sys.executable).parent
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=os.environ | variables | {"PATH": f"{python}:/usr/bin:/bin"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "standard input" in done.stderr


def test_remote_assets_are_judged_by_the_settings(preview: Preview) -> None:
    far = payload(dryRun=False)
    uri = "https://a.example/board.png"
    far["previewRequest"]["assets"] = [{"id": "board", "type": "image", "uri": uri}]
    body = json.dumps(far).encode()
    assert preview("validate", "-", stdin=body, PREVIEW_ASSET_HOSTS="a.example").exit_code == 0
    refused = preview("validate", "-", stdin=body, PREVIEW_ASSET_HOSTS="b.example")
    assert refused.exit_code == 2
    assert "asset-blocked" in refused.stdout
