"""The runbooks: one for each alert, and nothing in them that does not exist."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from app import errors
from app.cli.main import cli
from app.ledger import Ledger
from app.settings import Settings
from tests.deploy import alert_rules
from tests.deploy.exported import known
from tests.deploy.tools import passes, tool
from tests.support.processes import ROOT

PAGES = ROOT / "docs" / "runbooks"
ALERTS = alert_rules.alerts()
TEXTS = {path.stem: path.read_text() for path in sorted(PAGES.glob("*.md"))}
OF_ALERTS = {name: text for name, text in TEXTS.items() if name != "README"}
#: Series of the kubelet that only the runbooks ask for.
THROTTLED = {"container_cpu_cfs_throttled_periods_total": {"pod"}}
#: First lines of what can be pasted, with the deployment that is asked.
FIRST = """```sh
export NS=mobius-preview
preview() {{ kubectl -n "$NS" exec deploy/{asked} -- preview "$@"; }}"""


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Yield each block of code with the name of its page."""
    for name, text in TEXTS.items():
        for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            yield name, block


def preview_commands() -> Iterator[tuple[str, str]]:
    """Yield each use of the command line with the name of its page, in blocks and in prose."""
    for name, text in TEXTS.items():
        for line in re.findall(r"^(?:command )?preview (?!…)(.+)$", text, re.MULTILINE):
            yield name, line
        for line in re.findall(r"`(?:command )?preview ([^`…]+)`", text):
            yield name, line


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert OF_ALERTS.keys() == ALERTS.keys()
    listed = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|", TEXTS["README"], re.MULTILINE)
    assert sorted(listed) == sorted(
        (name, name, rule["labels"]["severity"]) for name, rule in ALERTS.items()
    )


@pytest.mark.parametrize("name", ALERTS)
def test_a_page_begins_with_what_to_do_and_says_when_it_is_resolved(name: str) -> None:
    text = TEXTS[name]
    severity = ALERTS[name]["labels"]["severity"]
    assert text.startswith(f"# {name}\n\n**{severity}** · ")
    asked = "preview-worker" if name == "PreviewWorkerApiDown" else "preview-api"
    assert text.index(FIRST.format(asked=asked)) < 800, "first thing first"
    parts = ["```sh\n", "**Impact.** ", "## Diagnosis\n", "## Mitigation\n", "## Resolved when\n"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_preview_command_exists_with_its_options() -> None:
    root = typer.main.get_command(cli)
    seen = 0
    for name, line in preview_commands():
        words = shlex.split(line.partition(" | ")[0], comments=True)
        command: Any = root
        while hasattr(command, "commands"):
            assert words[0] in command.commands, f"{name}: preview {line}"
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, f"{name}: {line}"
        seen += 1
    assert seen > len(ALERTS)


def test_what_pages_name_exists(settings: Settings) -> None:
    text = "\n".join(TEXTS.values())
    source = "\n".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    codes = {item.code for item in vars(errors).values() if hasattr(item, "code")}
    assert set(re.findall(r"--code ([a-z-]+)", text)) <= codes
    assert set(re.findall(r"^\| `([a-z]+-[a-z-]+)`", text, re.MULTILINE)) <= codes | {
        "preview-worker",
        "preview-worker-canary",
    }
    variables = {name.upper() for name in type(settings).model_fields}
    assert set(re.findall(r"\b(?:PREVIEW|REDIS)_[A-Z_]+\b", text)) <= variables
    events = set(
        re.findall(r"(?:`|\"|grep )((?:attempt|redis|worker|replay|job|assets)\.[a-z]+)", text)
    )
    assert len(events) > 4
    assert all(f'"{event}"' in source for event in events), events


def test_deployments_and_files_of_the_pages_exist() -> None:
    documents = [
        document
        for path in (ROOT / "kustomize" / "base").glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text())
    ]
    deployments = {d["metadata"]["name"] for d in documents if d["kind"] == "Deployment"}
    text = "\n".join(TEXTS.values())
    named = set(re.findall(r"deploy/([a-z-]+)", text))
    assert {name.removesuffix("-canary") for name in named} <= deployments
    components = {
        d["metadata"]["labels"]["app.kubernetes.io/component"]
        for d in documents
        if d["kind"] == "Deployment"
    }
    assert set(re.findall(r"app\.kubernetes\.io/component=(\w+)", text)) <= components
    for path in set(re.findall(r"\bkustomize/[\w./-]+[\w]", text)):
        assert (ROOT / path).exists(), path


def anchors(path: Path) -> set[str]:
    """Return what a link to a heading of a page may end in."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    for name, text in TEXTS.items():
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
            target, _, anchor = link.partition("#")
            path = PAGES / target
            assert path.exists(), f"{name}: {link}"
            assert not anchor or anchor in anchors(path), f"{name}: {link}"


def test_shell_commands_can_be_pasted() -> None:
    for name, block in blocks("sh"):
        checked = subprocess.run(
            ["bash", "-n"], input=block, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, f"{name}: {checked.stderr}"


def test_queries_ask_for_series_that_exist(settings: Settings, ledger: Ledger) -> None:
    recorded = {
        rule["record"] for rule in alert_rules.rules(alert_rules.load()) if "record" in rule
    }
    names = {**known(settings, ledger), **THROTTLED}
    for page, block in blocks("promql"):
        for line in block.splitlines():
            assert alert_rules.metrics(line) <= names.keys() | recorded, page


@pytest.mark.deploy_tools
def test_queries_are_promql(tmp_path: Path) -> None:
    lines = [line for _, block in blocks("promql") for line in block.splitlines()]
    rules = [{"record": f"page:query{number}", "expr": line} for number, line in enumerate(lines)]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "runbooks", "rules": rules}]}))
    assert f"{len(rules)} rules found" in passes(tool("promtool"), "check", "rules", path)
