"""A real Alertmanager, out of Debian's package without its being installed."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from app.cli.remote.addresses import LOOPBACK, free_ports
from tests.conftest import wait_until
from tests.deploy.tools import TOOLS, tool
from tests.support.processes import stop

#: Where Debian's build looks for its templates, which cannot be told otherwise.
_TEMPLATES = Path("/usr/share/prometheus/alertmanager")


@contextlib.contextmanager
def alertmanager(configuration: Path, directory: Path) -> Iterator[str]:
    """Run one until the context ends; yields the address of its API for alerts."""
    address = f"{LOOPBACK}:{free_ports(1)[0]}"
    log = directory / "log"
    with _program(directory) as program, log.open("wb") as output:
        command = [
            program,
            f"--config.file={configuration}",
            f"--storage.path={directory}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx.get(f"http://{address}/-/ready").status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_until(ready, "the Alertmanager is ready")
            yield f"http://{address}/api/v2/alerts"
        finally:
            stop(process)


@contextlib.contextmanager
def _program(directory: Path) -> Iterator[str]:
    """Yield the program, or a copy that looks for its templates where the package is unpacked.

    The copy has another path of the same length in it.
    """
    found = Path(tool("prometheus-alertmanager"))
    code = found.read_bytes()
    told = bytes(_TEMPLATES)
    if _TEMPLATES.exists() or told not in code:
        yield str(found)
        return
    with tempfile.TemporaryDirectory(prefix="am", dir="/tmp") as short:
        link = Path(short) / "t"
        link.symlink_to(TOOLS / "debian" / _TEMPLATES.relative_to("/"))
        program = directory / "alertmanager"
        program.write_bytes(code.replace(told, bytes(link).ljust(len(told), b"/")))
        shutil.copymode(found, program)
        yield str(program)
