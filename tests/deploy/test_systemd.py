"""The units of systemd: checked by systemd, against the settings, and by working under them."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.remote.addresses import free_ports, http_get
from app.client import PreviewClient
from app.middleware.shutdown import LEEWAY_SECONDS
from app.settings import Settings, SettingsError, load_settings
from tests.conftest import wait_until
from tests.deploy.tools import ROOT, passes, tool
from tests.deploy.units import NAMES, SYSTEMD, environment_file, environment_of, only, unit
from tests.support.processes import environment, running, stop

EXAMPLE = SYSTEMD / "preview.env.example"
#: systemd's scale goes from 0 to 10, its option's from 0 to 100.
MOST_EXPOSURE = 20
INSTALLED = "/opt/preview/.venv/bin/"


@pytest.mark.deploy_tools
@pytest.mark.parametrize("name", NAMES)
def test_systemd_finds_no_mistake(name: str, tmp_path: Path) -> None:
    # The programs of the installation are not here; that they exist is part of the check.
    text = (SYSTEMD / f"{name}.service").read_text()
    here = tmp_path / f"{name}.service"
    here.write_text(re.sub(rf"ExecStart={INSTALLED}\w+", "ExecStart=/bin/true", text))
    passes(tool("systemd-analyze"), "verify", "--man=no", here)


@pytest.mark.deploy_tools
def test_systemd_does_find_mistakes(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nExecStart=/bin/true\nProtectSystm=strict\n")
    done = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", wrong],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ProtectSystm" in done.stderr


@pytest.mark.deploy_tools
@pytest.mark.parametrize("name", NAMES)
def test_a_unit_is_little_exposed(name: str) -> None:
    options = ("--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}")
    passes(tool("systemd-analyze"), "security", *options, SYSTEMD / f"{name}.service")


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_runs_the_documented_command_as_an_unprivileged_user(name: str) -> None:
    options = unit(name)
    command = only(options, "ExecStart").removeprefix(INSTALLED).split(" --")[0]
    assert f"\n{command} " in (ROOT / "README.md").read_text()
    user = only(options, "User")
    assert f"u {user} " in (SYSTEMD / "preview.sysusers.conf").read_text()
    assert only(options, "EnvironmentFile") == "/etc/preview/preview.env"


@pytest.mark.parametrize("name", NAMES)
def test_the_only_writable_directory_is_that_of_the_data(name: str) -> None:
    options = unit(name)
    state = only(options, "StateDirectory")
    assert environment_of(options)["DATA_DIR"] == f"/var/lib/{state}"
    assert only(options, "ProtectSystem") == "strict"
    assert "ReadWritePaths" not in options


def test_units_come_back_by_themselves_and_none_may_more_than_the_others() -> None:
    of_their_own = {
        "Description", "Type", "NotifyAccess", "ExecStart", "Environment", "TimeoutStopSec",
        "MemoryHigh", "MemoryMax", "OOMPolicy", "TasksMax", "LimitNOFILE",
    }  # fmt: skip
    worker, *others = (
        {name: values for name, values in unit(name).items() if name not in of_their_own}
        for name in NAMES
    )
    assert others == [worker] * len(others)
    held = {
        "Restart": "always", "KillMode": "mixed", "NoNewPrivileges": "yes", "UMask": "0077",
        "StateDirectoryMode": "0700", "PrivateTmp": "yes", "ProtectProc": "invisible",
        "MemoryDenyWriteExecute": "yes", "CapabilityBoundingSet": "", "LimitCORE": "0",
    }  # fmt: skip
    assert {name: only(worker, name) for name in held} == held
    assert " --processes 1 " in only(unit("preview-worker"), "ExecStart")
    assert only(unit("preview-api"), "Type") == "notify", "else it counts as started too early"


def test_systemd_waits_longer_for_the_worker_than_the_worker_for_its_renders() -> None:
    options = unit("preview-worker")
    grace = float(environment_of(options)["PREVIEW_SHUTDOWN_GRACE_SECONDS"])
    patience = float(only(options, "TimeoutStopSec"))
    threads = shlex.split(only(options, "ExecStart"))
    dramatiq = int(threads[threads.index("--worker-shutdown-timeout") + 1]) / 1000
    assert grace + LEEWAY_SECONDS <= dramatiq < patience
    assert only(options, "KillMode") == "mixed", "a second SIGTERM must not reach the worker"


def test_systemd_waits_longer_for_the_api_than_the_api_for_its_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_ENV", "test")
    conf = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert conf["graceful_timeout"] < float(only(unit("preview-api"), "TimeoutStopSec"))


def test_the_example_of_the_settings_is_valid_once_it_has_a_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = environment_file(EXAMPLE)
    known = {name.upper() for name in Settings.model_fields} | {"WEB_CONCURRENCY"}
    assert told.keys() <= known
    for name in known:
        monkeypatch.delenv(name, raising=False)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert load_settings().app_env == "production"
    assert told["PREVIEW_API_KEYS"] == "", "an example with a key would be everybody's key"
    monkeypatch.setenv("PREVIEW_API_KEYS", "short")
    with pytest.raises(SettingsError, match="PREVIEW_API_KEYS"):
        load_settings()


def test_the_worker_has_threads_and_memory_for_its_renders() -> None:
    options, told = unit("preview-worker"), environment_file(EXAMPLE)
    renders = int(told["PREVIEW_WORKER_CONCURRENCY"])
    command = shlex.split(only(options, "ExecStart"))
    assert int(command[command.index("--threads") + 1]) == renders + 2
    megabytes = int(only(options, "MemoryHigh").removesuffix("M"))
    assert megabytes >= 256 + 512 * renders
    assert int(only(options, "MemoryMax").removesuffix("M")) > megabytes
    assert only(options, "OOMPolicy") == "continue", "else one render ends the service"


def test_the_page_installs_files_that_are_there() -> None:
    page = (SYSTEMD / "README.md").read_text()
    named = {*re.findall(r"(?<![/\w])systemd/[\w.-]+", page), *re.findall(r"scripts/[\w.-]+", page)}
    assert {f"systemd/{name}.service" for name in NAMES} < named
    assert [name for name in named if not (ROOT / name).is_file()] == []
    grace = environment_of(unit("preview-worker"))["PREVIEW_SHUTDOWN_GRACE_SECONDS"]
    assert f"{grace} s" in page


def sandboxed(name: str, *command: str | Path) -> list[str]:
    return ["tests.deploy.sandbox", name, *map(str, command)]


REFUSED = {
    "a new owner": "import os; os.chown('.', 0, 0)",
    "writable code": "import mmap; mmap.mmap(-1, 4096, prot=7)",
    "raw packets": "import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)",
    "another root": "import os; os.chroot('/')",
    "another user": "import os; os.setuid(0)",
}


@pytest.mark.deploy_tools
@pytest.mark.parametrize("code", REFUSED.values(), ids=REFUSED.keys())
def test_the_sandbox_refuses_what_the_unit_refuses(code: str) -> None:
    tool("systemd-analyze")
    command = sandboxed("preview-worker", sys.executable, "-c", code)
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.search(r"PermissionError|Address family not supported", done.stderr), done.stderr


@contextlib.contextmanager
def under_the_units(settings: Settings, logs: Path) -> Iterator[None]:
    """All three services, each under the restrictions and by the command of its unit."""
    with contextlib.ExitStack() as stack:
        processes = []
        for name in NAMES:
            program, *arguments = shlex.split(only(unit(name), "ExecStart"))
            here = Path(sys.executable).with_name(program.removeprefix(INSTALLED))
            command = sandboxed(name, here, *arguments)
            told = {**environment_of(unit(name)), "DATA_DIR": str(settings.data_dir)}
            env = {**environment(settings), **told}
            processes.append(stack.enter_context(running(command, env=env, log=logs / name)))

        def ready(port: int) -> bool:
            told = "".join(f"{log.name}:\n{log.read_text()}" for log in logs.iterdir())
            assert all(process.poll() is None for process in processes), told
            with contextlib.suppress(OSError):
                return http_get(port, "/readyz")[0] == 200
            return False

        for port in (settings.preview_api_port, settings.health_port):
            wait_until(functools.partial(ready, port), "it is ready", seconds=90)
        yield
        assert stop(processes[0]) == 0, "the worker ends by itself"


@pytest.mark.deploy_tools
@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_everything_works_under_the_restrictions_of_the_units(
    settings: Settings, tmp_path: Path
) -> None:
    tool("systemd-analyze")
    api_port, health_port = free_ports(2)
    changes = {
        "preview_api_port": api_port,
        "health_port": health_port,
        "data_dir": tmp_path / "data",
        "preview_asset_root": ROOT / "examples" / "assets",
    }
    settings = settings.model_copy(update=changes)
    logs = tmp_path / "logs"
    logs.mkdir()
    api, probes = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{health_port}"
    with under_the_units(settings, logs):
        passes(sys.executable, "-m", "app", "verify", "--api", api, "--worker", probes)
        full = PreviewClient.from_settings(settings)
        payload = json.loads((ROOT / "examples" / "payload-full.json").read_text())
        # The render of `verify` has tried x264 and AAC; this one tries the other encoders,
        # OpenCV, and the decoders of pictures and sound.
        payload["previewRequest"]["options"] |= {"format": "webm", "resolution": "320x180"}
        job_id = full.submit(payload).job_id
        record = full.wait(job_id, timeout_seconds=90)
    assert record.state == "completed", record.error
    log = (logs / "preview-worker").read_text()
    assert "Traceback" not in log
    assert not list((tmp_path / "data" / "work").iterdir())
    assert (tmp_path / "data" / "artifacts").stat().st_mode & 0o077 == 0
