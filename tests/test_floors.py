"""Imports go down only: the floors of docs/architecture.md, held against the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "app"
FLOORS = [
    {"redis_url", "schedule"},
    {"setting_types", "stillrequest"},
    {"errors", "limits", "settings", "temporary"},
    {"logs", "metrics", "contract", "tracing"},
    {"assets", "ledger", "storage", "broker", "render"},
    {"dead_letters", "documents", "middleware", "stills"},
    {"client"},
    {"probes"},
    {"actors", "http"},
    {"cli"},
    {"__main__"},
]
#: The same within the renderer, from the bottom.
RENDERER = [
    {"opening", "progress", "renderers", "result"},
    {"model"},
    {"assets"},
    {"text"},
    {"captions"},
    {"story"},
    {"picture"},
    {"sound"},
    {"video"},
    {"inspect"},
    {"child"},
    {"planned"},
    {"plan", "manifest"},
    {"engine"},
    {"still"},
    {"warmed"},
]
#: The same within the command line.
COMMAND_LINE = [
    {"output", "signals"},
    {"ages", "payloads", "remote"},
    {"stack"},
    {"checks", "clients", "options", "rendering", "stills"},
    {"studio"},
    {"commands"},
    {"main"},
]
#: Downward in spirit though on one floor: the broker carries messages to the ledger.
SIDEWAYS = {("broker", "ledger")}
#: Longest module, in lines, and most modules of a folder.
LONGEST, MOST = 300, 20


def part(module: str) -> str:
    """Return the part of the product that a dotted name under ``app`` belongs to."""
    return module.split(".")[1] if "." in module else ""


def floor(name: str) -> int:
    return next(number for number, names in enumerate(FLOORS) if name in names)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            if node.module in {"app", "app.render"}:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


MODULES = sorted(
    path for path in APP.rglob("*.py") if path.parent != APP or path.stem != "__init__"
)


def name_of(path: Path) -> str:
    return path.relative_to(APP).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_from_its_own_part_or_from_below(path: Path) -> None:
    own = path.relative_to(APP).parts[0].removesuffix(".py")
    for module in imports(path):
        used = part(module) if module.startswith("app") else ""
        if not used or used in {own, "__version__"} or (own, used) in SIDEWAYS:
            continue
        assert floor(used) < floor(own), f"{own} imports {module}"


@pytest.mark.parametrize(("part", "rooms"), [("render", RENDERER), ("cli", COMMAND_LINE)])
def test_a_module_imports_only_from_its_own_room_or_from_below(
    part: str, rooms: list[set[str]]
) -> None:
    rank = {name: number for number, names in enumerate(rooms) for name in names}
    for path in MODULES:
        if not path.is_relative_to(APP / part) or path == APP / part / "__init__.py":
            continue
        own = path.relative_to(APP / part).parts[0].removesuffix(".py")
        for module in imports(path):
            used = module.split(".")[2] if module.startswith(f"app.{part}.") else own
            assert used == own or rank[used] < rank[own], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize(("heading", "floors"), [("## Floors", FLOORS), ("## Rendering", RENDERER)])
def test_docs_architecture_shows_the_floors(heading: str, floors: list[set[str]]) -> None:
    page = (APP.parent / "docs" / "architecture.md").read_text()
    section = page.partition(f"{heading}\n")[2]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    shown = next(block for language, block in blocks if not language).splitlines()
    names = [set(line[:43].split()) for line in shown]  # what a floor does follows
    assert [each for each in reversed(names) if each] == [
        each for each in floors if each != {"__main__"}
    ]


def test_no_folder_holds_more_modules_than_one_can_overlook() -> None:
    folders = Counter(path.parent for path in APP.rglob("*.py"))
    assert {folder.name: number for folder, number in folders.items() if number > MOST} == {}


def test_a_payload_is_read_at_the_door_of_the_renderer_only() -> None:
    readers = [name_of(path) for path in MODULES if "previewRequest" in path.read_text()]
    assert [name for name in readers if name.startswith("render/")] == [
        "render/assets.py",
        "render/model/parsing.py",
        "render/model/request.py",
    ]


def test_no_module_is_longer_than_one_concept() -> None:
    places = ("app", "benchmarks", "scripts", "tests")
    modules = [path for place in places for path in (APP.parent / place).rglob("*.py")]
    long = [path.name for path in modules if len(path.read_text().splitlines()) > LONGEST]
    assert len(modules) > len(MODULES)
    assert long == []


@pytest.mark.parametrize(
    ("process", "unused"),
    [
        ("app.http.app, app.client", {"av", "cv2", "numpy", "PIL", "jsonschema", "httpcore2"}),
        ("app.actors", {"av", "cv2", "numpy", "jsonschema", "httpcore2", "falcon"}),
        (
            "app.cli",
            {"av", "cv2", "numpy", "PIL", "jsonschema", "httpcore2", "redis", "dramatiq"},
        ),
    ],
    ids=["api", "worker", "cli"],
)
def test_a_process_starts_without_the_libraries_that_it_may_never_use(
    process: str, unused: set[str]
) -> None:
    code = f"import sys, {process}; print(*sorted({unused} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=APP.parent,
        env={"PATH": "", "APP_ENV": "test"},
    )
    assert answer.stdout.split() == []


def test_every_package_only_reexports_in_its_init() -> None:
    entry_points = {APP / "actors" / "__init__.py"}
    for path in APP.glob("*/__init__.py"):
        if path in entry_points:
            continue
        for node in ast.parse(path.read_text()).body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            assert is_docstring or is_all or isinstance(node, ast.Import | ast.ImportFrom), path
