"""The scripts in scripts/: their syntax, and that POSIX and PowerShell do the same."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.tools import ROOT, passes, run, tool, tools_python

SCRIPTS = ROOT / "scripts"
POSIX = sorted(SCRIPTS.glob("*.sh"))
POWERSHELL = sorted(SCRIPTS.glob("*.ps1"))
#: Shared by the others; it has no command of its own.
PYTHON = "python"
#: SC2250 wants braces around every variable.
SHELLCHECK = ("--shell=sh", "--enable=all", "--exclude=SC2250")
#: Prints the words of each file's command, null where the file cannot be parsed.
COMMANDS = """
import json, sys, tree_sitter, tree_sitter_powershell
parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))

def command(node):
    if node.type == "command" and node.children[0].type == "command_invokation_operator":
        elements = node.child_by_field_name("command_elements")
        words = [one for one in elements.children if one.type != "command_argument_sep"]
        return [word.text.decode() for word in words]
    return next(filter(None, map(command, reversed(node.children))), None)  # the last

found = {}
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        root = parser.parse(file.read()).root_node
    found[name] = None if root.has_error else command(root)
print(json.dumps(found))
"""


def powershell_commands(*files: Path) -> dict[str, list[str] | None]:
    told: dict[str, list[str] | None] = json.loads(passes(tools_python(), "-c", COMMANDS, *files))
    return {Path(name).stem: command for name, command in told.items()}


def posix_command(path: Path) -> list[str]:
    """The words that a script gives to python.sh, as PowerShell would write them."""
    program, *words = shlex.split(path.read_text().splitlines()[-1])[1:]
    assert program == "$here/python.sh"
    names = (re.sub(r"^\$here/(.+)$", r"(Join-Path $PSScriptRoot '\1')", word) for word in words)
    return ["@args" if name == "$@" else name for name in names]


def heading(path: Path) -> str:
    """The comment at the top of a script, without what differs by its kind."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#!")]
    comment = lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]
    return "\n".join(comment).replace(path.suffix, "")


def test_every_script_has_its_pair_with_the_same_heading() -> None:
    assert [path.stem for path in POSIX] == [path.stem for path in POWERSHELL]
    for posix, powershell in zip(POSIX, POWERSHELL, strict=True):
        assert posix.stat().st_mode & 0o111 == 0o111, posix.name
        if posix.stem != PYTHON:
            assert heading(posix) == heading(powershell)
            assert f"scripts/{posix.name}" in posix.read_text()


@pytest.mark.deploy_tools
def test_a_pair_runs_the_same_command_with_all_its_arguments() -> None:
    commands = powershell_commands(*POWERSHELL)
    for path in POSIX:
        command = commands[path.stem]
        assert command is not None, f"{path.stem}.ps1 is no PowerShell"
        assert command[-1] == "@args"
        if path.stem != PYTHON:
            assert command == posix_command(path)


def test_powershell_ends_with_the_exit_code_of_the_command() -> None:
    for path in POWERSHELL:
        code = "code" if path.stem == PYTHON else "LASTEXITCODE"
        assert path.read_text().endswith(f"\nexit ${code}\n"), path.name
    # Else some people's PowerShell would throw where Python says 2, and end with 1.
    shared = (SCRIPTS / f"{PYTHON}.ps1").read_text()
    assert "\n$PSNativeCommandUseErrorActionPreference = $false\n" in shared


def test_a_python_whose_path_has_spaces_can_be_chosen(tmp_path: Path) -> None:
    chosen = tmp_path / "a b" / "python"
    chosen.parent.mkdir()
    chosen.symlink_to(sys.executable)
    env = os.environ | {"PYTHON": str(chosen)}
    found = subprocess.run(
        [SCRIPTS / "find-python"], env=env, capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.stderr) == (f"{chosen}\n", "")


@pytest.mark.deploy_tools
def test_what_is_no_powershell_is_found(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ps1"
    broken.write_text("if ($true) { & $python @args\n")
    assert powershell_commands(broken) == {"broken": None}


@pytest.mark.deploy_tools
def test_the_scripts_are_posix_shell_without_faults() -> None:
    passes(
        tool("shellcheck"),
        *SHELLCHECK,
        *POSIX,
        *(SCRIPTS / name for name in ("find-python", "bare-root", "build-image")),
    )
    passes(tool("shellcheck"), "--shell=bash", ROOT / ".ci" / "run")


@pytest.mark.deploy_tools
def test_shellcheck_finds_faults(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.sh"
    wrong.write_text("#!/bin/sh\n[[ -e $1 ]] && exec python $@\n")
    done = run(tool("shellcheck"), *SHELLCHECK, wrong)
    assert "SC3010" in done.stdout
    assert "SC2068" in done.stdout


@pytest.mark.deploy_tools  # needs none, but starts ten processes
@pytest.mark.parametrize(
    "path", [path for path in POSIX if path.stem != PYTHON], ids=lambda p: p.stem
)
def test_a_script_runs_from_anywhere_and_knows_the_options_of_its_heading(
    path: Path, tmp_path: Path
) -> None:
    # Without a .venv in the project, the script runs the python3 on PATH: that of the tests.
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": search, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [path, "--help"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    promised = set(re.findall(r"--[a-z-]+", heading(path).replace(f"{path.stem}.", "")))
    known = set(re.findall(r"--[a-z-]+", done.stdout))
    assert promised - {"--help"} <= known
    refused = subprocess.run([path, "--nonsense"], env=env, capture_output=True, check=False)
    assert refused.returncode == 2


def test_without_the_packages_a_script_says_how_to_install_them(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("python.sh", "find-python", "smoke-test.sh"):
        shutil.copy(ROOT / "scripts" / name, scripts)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    refused = subprocess.run(
        [scripts / "smoke-test.sh"],
        env={"PATH": f"{tmp_path / 'bare' / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: the packages are not installed; run: ")
    assert "Traceback" not in refused.stderr
