from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app import __version__
from app.cli.commands import jobs
from app.cli.output.exits import MEANINGS
from tests.support.processes import ROOT

Preview = Callable[..., Result]
PreviewProcess = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = (
    "enqueue", "status", "watch", "artifact", "cancel", "jobs", "queue", "dlq", "validate",
    "render", "inspect", "doctor", "smoke", "verify", "canary-report", "dev",
    "demo",
)  # fmt: skip


def test_the_version_is_shown(preview_process: PreviewProcess, tmp_path: Path) -> None:
    done = preview_process("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"preview {__version__}\n")


def test_the_installed_script_is_the_same_program() -> None:
    script = Path(sys.executable).with_name("preview")
    if not script.exists():
        pytest.skip("the project is not installed here; make test installs it")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"preview {__version__}\n"


def test_help_names_every_command_and_exit_code(preview: Preview) -> None:
    text = preview("--help").stdout
    assert all(re.search(rf"^  {command} ", text, re.MULTILINE) for command in COMMANDS)
    assert all(re.search(rf"  {code.value} +{meaning}", text) for code, meaning in MEANINGS.items())
    assert "--install-completion" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(preview: Preview, command: str) -> None:
    result = preview(command, "--help")
    assert result.exit_code == 0
    assert f"Usage: preview {command}" in result.stdout.replace("root", "preview")
    assert not re.search("<[a-z]", result.stdout)  # names of types tell a reader nothing


def test_the_documented_exit_codes_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    table = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)
    plain = [(code, meaning.replace("`", "")) for code, meaning in table]
    assert plain == [(str(code.value), meaning) for code, meaning in MEANINGS.items()]


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    assert all(f"| `preview {command}" in text for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("jobs", "--limit", "0"), ("status",), ("jobs", "--status", "odd")]
)
def test_bad_usage_is_2(preview: Preview, arguments: tuple[str, ...]) -> None:
    assert preview(*arguments).exit_code == 2


def test_a_bad_setting_is_2_and_one_line(preview: Preview) -> None:
    result = preview("queue", PREVIEW_QUEUE_MAX="lots")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: PREVIEW_QUEUE_MAX='lots': ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("level", ["info", "debug"])
def test_an_unexpected_error_shows_a_traceback_to_those_who_ask_only(
    preview: Preview, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("something odd")

    monkeypatch.setattr(jobs, "preview_client", broken)
    result = preview("queue", LOG_LEVEL=level)
    assert result.exit_code == 1
    assert ("Traceback" in result.stderr) == (level == "debug")
    assert "error: unexpected RuntimeError: something odd" in result.stderr.splitlines()[-1]


def test_a_file_that_cannot_be_used_is_3_and_named(preview: Preview, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")
    result = preview("dev", DATA_DIR=str(tmp_path / "data"))
    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: {tmp_path}/data")


@pytest.mark.parametrize(
    ("number", "name", "remedy"),
    [
        (errno.ENOSPC, "/data/stack.json", "free some space"),
        (errno.ENOSPC, None, "free some space"),  # a write that fails does not name its file
        (errno.EROFS, "/data/stack.json", "set DATA_DIR"),
        (errno.ENOTDIR, "/data/stack.json", ""),
    ],
)
def test_an_error_of_the_disk_names_file_and_remedy(
    preview: Preview, monkeypatch: pytest.MonkeyPatch, number: int, name: str | None, remedy: str
) -> None:
    def broken() -> None:
        raise OSError(number, os.strerror(number), name)

    monkeypatch.setattr(jobs, "settings_here", broken)
    result = preview("queue")
    assert result.exit_code == 3
    assert result.stderr.startswith(f"error: {f'{name}: ' if name else ''}{os.strerror(number)}")
    assert remedy in result.stderr


def test_a_reader_that_goes_away_causes_no_traceback(variables: dict[str, str]) -> None:
    # An endless stdout: every error of the schema, to a reader of one line.
    command = (
        f"{sys.executable} -m app validate /bin/sh | true; {sys.executable} -m app --help | head -1"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_validate_loads_neither_redis_nor_an_encoder() -> None:
    code = (
        "import sys; import app.cli.main, app.contract;"
        "print(sys.modules.keys() & {'redis', 'dramatiq', 'av', 'falcon', 'PIL'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_the_shell_completes_commands(preview_process: PreviewProcess) -> None:
    done = preview_process(
        _PREVIEW_COMPLETE="complete_bash", COMP_WORDS="preview canc", COMP_CWORD="1"
    )
    assert done.stdout.split() == ["cancel"]
