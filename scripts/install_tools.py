"""Installs the tools of ``make manifests`` into a directory, in the versions of ``scripts/tools/``.

Usage: .venv/bin/python scripts/install_tools.py DIRECTORY

Packages from PyPI and npm are locked with hashes. Packages from Debian's signed archive are pinned
to a version; they are only unpacked, so the machine itself does not change. Without apt-get
(macOS), the user installs these tools, and the tests find them on the PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Directory of the lock files.
PINS = Path(__file__).resolve().parent / "tools"
#: Debian release of the tools. The machine may run another one.
SUITE = "trixie"
#: Keys of the archive, from the package debian-archive-keyring.
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
#: Programs that the tests call, by environment.
PROGRAMS = {
    "venv": (
        "check-jsonschema",
        "hadolint",
        "kubernetes-validate",
        "node",
        "npm",
        "shellcheck",
        "yamllint",
        "zizmor",
    ),
    "checkov": ("checkov",),
}
#: Programs that the tests call, from Debian packages.
DEBIAN_PROGRAMS = ("kustomize", "prometheus", "promtool", "prometheus-alertmanager", "amtool")


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Run a command without showing its output.

    Raises:
        SystemExit: The command failed. The message holds its output.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}\n{done.stdout[-4000:]}")


def install_python(directory: Path) -> None:
    """Make two environments, because checkov pins old versions of what other tools need."""
    uv = Path(sys.executable).parent / "uv"
    options = ("--no-config", "--system-certs", "--quiet")
    for name, lock in (("venv", "requirements.txt"), ("checkov", "checkov.txt")):
        run(uv, "venv", *options, "--clear", "--python", sys.executable, directory / name)
        install = (uv, "pip", "install", *options, "--require-hashes", "--no-build")
        index = ("--default-index", "https://pypi.org/simple")
        run(*install, *index, "--python", directory / name / "bin" / "python", "-r", PINS / lock)
        for program in PROGRAMS[name]:
            link(directory, directory / name / "bin" / program)


def install_node(directory: Path) -> None:
    """Install the npm packages without running their scripts."""
    target = directory / "node"
    target.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, target)
    path = os.pathsep.join([str(directory / "bin"), os.environ.get("PATH", os.defpath)])
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    # Trust the machine's certificates, as pip and uv do: a company's proxy may sign with its own.
    env = {"PATH": path, "NODE_OPTIONS": "--use-system-ca"}
    run(directory / "bin" / "npm", "ci", *quiet, cwd=target, env=env)


def install_debian(directory: Path) -> None:
    """Download and unpack Debian packages. The state of apt is kept in its own directory."""
    if shutil.which("apt-get") is None or not KEYRING.exists():
        sys.stderr.write(
            f"apt-get or {KEYRING} is missing, so {', '.join(DEBIAN_PROGRAMS)} must be on the "
            "PATH.\n"
        )
        return
    apt = directory / "apt"
    for name in ("lists/partial", "archives/partial", "debs"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(
        f"deb [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
    )
    (apt / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{apt}/sources.list";\n'
        'Dir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{apt}/lists";\n'
        f'Dir::State::status "{apt}/status";\n'
        f'Dir::Cache "{apt}";\n'
        f'Dir::Log "{apt}";\n'
        'Acquire::Languages "none";\n'
        'Acquire::Retries "3";\n'
        'APT::Sandbox::User "";\n'
    )
    env = {"APT_CONFIG": str(apt / "apt.conf")}
    run("apt-get", "update", "--quiet", "--error-on=any", env=env)
    pins = (PINS / "apt.txt").read_text().splitlines()
    wanted = [line for line in pins if line and not line.startswith("#")]
    run("apt-get", "download", "--quiet", *wanted, cwd=apt / "debs", env=env)
    for package in sorted((apt / "debs").glob("*.deb")):
        run("dpkg", "-x", package, directory / "debian")
    shutil.rmtree(apt)  # the lists alone are 50 MB
    for program in DEBIAN_PROGRAMS:
        link(directory, directory / "debian" / "usr" / "bin" / program)


def link(directory: Path, program: Path) -> None:
    """Link a program into ``bin/``.

    Raises:
        SystemExit: The program does not exist.
    """
    if not program.exists():
        sys.exit(f"error: {program} is missing after the installation")
    alias = directory / "bin" / program.name
    alias.unlink(missing_ok=True)
    alias.symlink_to(program)


def main(directory: Path) -> None:
    """Install everything into an empty ``directory``."""
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "bin").mkdir(parents=True)
    sys.stderr.write(f"Installing tools into {directory} …\n")
    install_python(directory)
    install_node(directory)
    install_debian(directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
