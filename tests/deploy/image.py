"""The image without Docker: its steps in plain directories, its processes as its user.

Installed are the same locked wheels and the product's own wheel, precompiled, with
nothing else beside them. A process may write where its manifest mounts a volume and
in ``/dev/shm``; all else belongs to another user or, where the tests are not run
by root, is write-protected.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import pytest

from tests.deploy.overlays import KUSTOMIZE, Document, parse
from tests.deploy.tools import ROOT, passes
from tests.support.processes import stop

#: The image's user, where the tests may become it.
UID = 10001
IS_ROOT = os.getuid() == 0


class _User(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


#: Options of ``subprocess`` that make a process the image's user's.
AS_USER: _User = {"user": UID, "group": UID, "extra_groups": []} if IS_ROOT else {}


def deployment(name: str) -> Document:
    """Return a Deployment of the base as it is written."""
    documents = parse((KUSTOMIZE / "base" / f"{name}.yaml").read_text())
    return next(item for item in documents if item["kind"] == "Deployment")


def config() -> dict[str, str]:
    """Return the settings of the base."""
    lines = (KUSTOMIZE / "base" / "config.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def health_command() -> list[str]:
    """Return the words of the image's HEALTHCHECK."""
    text = (ROOT / "Dockerfile").read_text().partition("HEALTHCHECK")[2]
    words: list[str] = json.loads(text.partition("CMD ")[2].partition("\n")[0])
    return words


class Image:
    """The image's file system, read-only once it is built.

    Args:
        root: An empty directory that everybody may enter.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "opt" / "preview" / "bin"
        self.assets = root / "assets"
        self._workdir = root / "srv" / "preview"
        self._build()

    def _build(self) -> None:
        environment, build = self.root / "opt" / "preview", self.root / "build"
        uv = (Path(sys.executable).with_name("uv"), "--no-config", "--system-certs", "--quiet")
        for directory, lock in (
            (environment, "requirements.txt"),
            (build, "scripts/tools/build.txt"),
        ):
            passes(*uv, "venv", "--python", python_for_all(), directory)
            into = (*uv, "pip", "install", "--link-mode", "copy", "--python", directory)
            exact = ("--default-index", "https://pypi.org/simple", "--no-build", "--require-hashes")
            passes(*into, *exact, "-r", ROOT / lock)
        wheels = self.root / "wheels"
        passes(
            build / "bin" / "python", "-m", "hatchling", "build", "--target", "wheel", "-d", wheels
        )
        (wheel,) = wheels.iterdir()
        ours = ("--link-mode", "copy", "--no-deps", "--no-index", wheel)
        passes(*uv, "pip", "install", "--python", environment, *ours)
        passes(self.bin / "python", "-m", "compileall", "-q", "-j", "0", environment)
        self._workdir.mkdir(parents=True)
        shutil.copy(ROOT / "gunicorn.conf.py", self._workdir)
        # No part of the image: what a volume of assets would bring.
        shutil.copytree(ROOT / "examples" / "assets", self.assets)
        for path in (self.root, *self.root.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222 | (0o555 if path.is_dir() else 0o444))

    def writable(self, volumes: Path, name: str) -> dict[str, str]:
        """Make the volumes of a Deployment; returns the variables that name them."""
        found = {}
        spec = deployment(name)["spec"]["template"]["spec"]
        mounts = {item["name"]: item["mountPath"] for item in spec["containers"][0]["volumeMounts"]}
        for volume in spec["volumes"]:
            if "emptyDir" in volume:
                directory = volumes / f"{name}-{volume['name']}"
                directory.mkdir()
                own(directory)
                found[{"/data": "DATA_DIR", "/tmp": "TMPDIR"}[mounts[volume["name"]]]] = directory
        return {variable: str(directory) for variable, directory in found.items()}

    @contextlib.contextmanager
    def running(
        self, name: str, *, env: Mapping[str, str], log: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run what the Deployment's container runs, as the image's user."""
        words = deployment(name)["spec"]["template"]["spec"]["containers"][0]["args"]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.bin / words[0]), *words[1:]],
                cwd=self._workdir,
                env={
                    "PATH": f"{self.bin}:/usr/bin:/bin",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "DATA_DIR": str(self.root / "data"),  # not there, unless the manifest mounts it
                    **config(),
                    **env,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **AS_USER,
            )
        try:
            yield process
        finally:
            stop(process)


def python_for_all() -> str:
    """Return an interpreter that the image's user may run; one below /root is none."""
    check = "import ssl, sys; sys.exit(sys.version_info < (3, 11))"
    ours = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (ours, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            if not subprocess.run([candidate, "-c", check], check=False, **AS_USER).returncode:
                return candidate
    pytest.fail(f"no Python 3.11 or newer that uid {UID} may run")


def own(directory: Path) -> None:
    """Give a directory to the image's user, as ``fsGroup`` does."""
    if IS_ROOT:
        os.chown(directory, UID, UID)


@contextlib.contextmanager
def open_directory(prefix: str) -> Iterator[Path]:
    """Make a directory that every user may enter; removed at the end, write-protected or not."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(directory)], check=True)
        shutil.rmtree(directory)


def strangers(*allowed: Path) -> list[Path]:
    """Return what the image's user owns in directories that are open to all, but not in ours."""
    if not IS_ROOT:
        return []
    places = [Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path.cwd(), Path("/")]
    found = []
    for path in (path for place in places for path in place.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_uid == UID and not any(path in (a, *a.parents) for a in allowed):
                found.append(path)
    return found
