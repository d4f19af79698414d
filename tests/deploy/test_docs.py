"""The pages of docs/ and the README: what they tell people to type, open and look at exists."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
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
from tests.deploy.tools import ROOT, passes, tool

PATHS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "systemd" / "README.md"]
PATHS += (ROOT / "docs").rglob("*.md")
PAGES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(PATHS)}
ALL = "\n".join(PAGES.values())
#: The pages for operators.
OPERATE = {
    name: PAGES[f"docs/{name}.md"]
    for name in ("deploy", "rollout-plan", "rollback", "troubleshooting", "security")
}
#: Directories and files of the root, by which a path is told from other words with slashes.
TOP = r"(?:app|benchmarks|docs|examples|kustomize|schemas|scripts|systemd|tests|\.github)"
#: Files that a page tells the reader to make, or that are made when something runs.
MADE = {"kustomize/overlays/production/volumes.yaml"}
#: Read by others than the product: gunicorn, and the SDKs of AWS and OpenTelemetry
#: (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
FOREIGN = {
    "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "WEB_CONCURRENCY",
}  # fmt: skip
#: In backticks with a dash, and no code or name of ours.
WORDS_OF_OTHERS = {"redis-cli"}
#: Series of the kubelet that only a runbook asks for.
KUBELET = {"container_cpu_cfs_throttled_periods_total"}
#: Codes of all errors.
CODES = {
    item.code
    for item in vars(errors).values()
    if isinstance(item, type) and issubclass(item, errors.PreviewError)
}
#: Scripts that hand their options on to a command of the command line.
SCRIPTS = {
    "smoke-test": "smoke", "validate-payload": "validate", "verify-preview-worker": "verify",
}  # fmt: skip


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def typed(text: str) -> Iterator[str]:
    """Yield each line of shell of a page without its comment, and all that is in backticks."""
    for block in blocks(text, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if not line.startswith("preview() {"):  # by which the others run in a pod
                yield re.sub(r"(^|\s)#.*$", "", line).strip()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def uses(text: str, start: str) -> Iterator[str]:
    """Yield what follows ``start`` where a command begins, up to the command's end."""
    begins = rf"(?:^|&& |\| |\$\(|-- |command |\bmake && ){start}([^|;&)<>]*)"
    for line in typed(text):
        yield from re.findall(begins, line)


@cache
def command_at(words: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the command that ``words`` name, and the words after its name.

    Raises:
        KeyError: There is none.
    """
    command: Any = typer.main.get_command(cli)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    return command, tuple(rest)


def options_of(command: Any) -> set[str]:
    """Return the options of a command."""
    every = {option for each in command.params for option in [*each.opts, *each.secondary_opts]}
    completion = {"--install-completion", "--show-completion"}
    return every | {"--help"} | (completion if hasattr(command, "commands") else set())


def options_in(words: Sequence[str]) -> set[str]:
    return {word for word in words if re.match(r"--?[a-z]", word)}


def test_every_preview_command_exists_with_its_options() -> None:
    for page, text in PAGES.items():
        for use in uses(text, "preview "):
            words = tuple(shlex.split(use))
            if not words or words[0] in ("…", "COMMAND"):
                continue
            try:
                command, rest = command_at(words)
            except KeyError as error:
                pytest.fail(f"{page}: there is no `preview {use}`: {error}")
            assert options_in(rest) <= options_of(command), f"{page}: {use}"


def test_commands_are_found_where_they_stand() -> None:
    shell = ". x && preview a --b | jq .\nf $(preview c)\nkubectl exec d -- preview e # f"
    text = f"```sh\n{shell}\n```\n`preview g`"
    assert list(uses(text, "preview ")) == ["a --b ", "c", "e", "g"]
    assert sum(len(list(uses(text, "preview "))) for text in OPERATE.values()) > 25
    with pytest.raises(KeyError):
        command_at(("destroy",))
    assert not options_in(["--nowhere"]) <= options_of(command_at(("doctor",))[0])


def test_every_script_exists_with_its_options() -> None:
    seen = set()
    # bare-root runs any command in a root directory.
    for use in uses(ALL, r"(?:sh )?scripts/(?!bare-root )(?=[a-z-]+(?:\.sh)?(?:\s|$))"):
        name, *words = shlex.split(use)
        name = name.removesuffix(".sh")
        seen.add(name)
        if name in SCRIPTS:
            known_options = options_of(command_at((SCRIPTS[name],))[0])
        else:
            (inner,) = re.findall(r"\$here/(\w+\.py)", (ROOT / f"scripts/{name}.sh").read_text())
            code = (ROOT / "scripts" / inner).read_text()
            known_options = set(re.findall(r'"(--[a-z-]+)"', code))
        assert options_in(words) <= known_options, use
    assert seen >= {"update-preview-worker-image", "verify-preview-worker-deployment"}


def test_every_target_of_make_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        word
        for use in uses(ALL, "make(?= )")
        for word in re.findall(r"(?<!\S)[a-z][a-z-]+(?!\S)", use)
    }
    assert {"test", "manifests", "dev"} <= named <= targets


def test_every_path_of_the_project_and_argument_of_the_image_exists() -> None:
    image = (ROOT / "Dockerfile").read_text()
    arguments = set(re.findall(r"--build-arg (\w+)=", ALL))
    assert {"VERSION"} <= arguments <= set(re.findall(r"^ARG (\w+)", image, re.MULTILINE))
    for page, text in PAGES.items():
        for path in set(re.findall(rf"(?<![\w./~@-]){TOP}/[\w./-]*\w", text)) - MADE:
            assert (ROOT / path).exists() or (ROOT / f"{path}.sh").exists(), f"{page}: {path}"


def test_every_variable_is_a_setting_or_somebody_elses() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    named = set(
        re.findall(r"\b(?:APP|AWS|HEALTH|OTEL|PREVIEW|REDIS|STORAGE)_[A-Z0-9_]*[A-Z0-9]\b", ALL)
    )
    assert named - settings - FOREIGN == set()
    explained = PAGES["docs/configuration.md"] + PAGES["docs/storage.md"] + PAGES["docs/deploy.md"]
    assert all(name in explained for name in FOREIGN)


def test_every_metric_exists(settings: Settings, ledger: Ledger) -> None:
    recorded = {
        rule["record"] for rule in alert_rules.rules(alert_rules.load()) if "record" in rule
    }
    series = known(settings, ledger).keys() | recorded | KUBELET
    families = series | {re.sub(r"_(total|bucket)$", "", name) for name in series}
    named = set(re.findall(r"`(preview_[a-z_]+)[`{]", ALL))
    assert len(named) > 5
    assert named - families == set()
    for page, text in PAGES.items():
        for line in "\n".join(blocks(text, "promql")).splitlines():
            assert alert_rules.metrics(line) <= series, f"{page}: {line}"


def test_every_code_is_one_of_ours() -> None:
    source = "\n".join(
        path.read_text()
        for top in ("app", "kustomize", "systemd")
        for path in (ROOT / top).rglob("*")
        if path.suffix in (".py", ".yaml", ".lua", ".service")
    )
    source += "preview-canary"  # by the overlay's nameSuffix
    for page, text in OPERATE.items():
        words = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text)) - WORDS_OF_OTHERS
        assert {word for word in words if word not in source} == set(), page
    assert set(re.findall(r"--code ([a-z-]+)", ALL)) <= CODES


def test_every_error_of_the_api_is_told_to_authors() -> None:
    author = OPERATE["troubleshooting"].partition("## For authors")[2].partition("\n## ")[0]
    elsewhere = {
        "internal-error", "permanent-error", "not-found", "method-not-allowed", "job-not-found",
        "replay-conflict", "range-not-satisfiable", "message-undecodable",
    }  # fmt: skip
    assert {code for code in CODES - elsewhere if f"`{code}`" not in author} == set()


def test_deployments_and_labels_of_commands_exist() -> None:
    documents = [
        document
        for path in (ROOT / "kustomize" / "base").glob("*.yaml")
        for document in yaml.safe_load_all(path.read_text())
    ]
    deployments = {d["metadata"]["name"] for d in documents if d["kind"] == "Deployment"}
    named = set(re.findall(r"(?<=[ `])deploy/([a-z-]+)", ALL))
    assert {name.removesuffix("-canary") for name in named} <= deployments
    labels = {
        d["metadata"]["labels"]["app.kubernetes.io/component"]
        for d in documents
        if d["kind"] == "Deployment"
    }
    assert set(re.findall(r"app\.kubernetes\.io/component=(\w+)", ALL)) <= labels


def anchors(path: Path) -> set[str]:
    """Return what a link to a heading of a page may end in."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in plain}


def test_relative_links_lead_somewhere() -> None:
    for page, text in PAGES.items():
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", prose):
            target, _, anchor = link.partition("#")
            path = (ROOT / page).parent / target if target else ROOT / page
            assert path.exists(), f"{page}: {link}"
            assert not anchor or anchor in anchors(path), f"{page}: {link}"


def test_every_page_is_reached_from_another() -> None:
    linked = {
        ((ROOT / page).parent / link.partition("#")[0]).resolve()
        for page, text in PAGES.items()
        for link in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", text)
    }
    reached = {path.relative_to(ROOT).as_posix() for path in linked if path.is_relative_to(ROOT)}
    assert PAGES.keys() - reached == {"README.md"}


def test_shell_commands_can_be_pasted() -> None:
    shell = "\n".join(block for text in OPERATE.values() for block in blocks(text, "sh"))
    checked = subprocess.run(
        ["bash", "-n"], input=shell, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.deploy_tools
def test_queries_are_promql(tmp_path: Path) -> None:
    lines = "".join(block for text in OPERATE.values() for block in blocks(text, "promql"))
    rules = [
        {"record": f"page:query{number}", "expr": line}
        for number, line in enumerate(lines.splitlines())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "pages", "rules": rules}]}))
    assert f"{len(rules)} rules found" in passes(tool("promtool"), "check", "rules", path)


@pytest.mark.deploy_tools
def test_the_manifests_of_the_page_go_with_production(tmp_path: Path) -> None:
    (tmp_path / "kustomize").symlink_to(ROOT / "kustomize")
    named = [block.split("\n", 1) for block in blocks(OPERATE["deploy"], "yaml")]
    for head, text in named:
        (tmp_path / head.removeprefix("# ")).write_text(text)
    (tmp_path / "kustomization.yaml").write_text(
        "resources: [kustomize/overlays/production, collector.yaml]\n"
        "patches: [{path: volumes.yaml}]\n"
    )
    built = passes(tool("kustomize"), "build", "--load-restrictor=LoadRestrictionsNone", tmp_path)
    documents = {(d["kind"], d["metadata"]["name"]): d for d in yaml.safe_load_all(built)}
    for name, places in (
        ("worker", {"/data/artifacts", "/assets", "/data"}),
        ("api", {"/data/artifacts"}),
    ):
        pod = documents["Deployment", f"preview-{name}"]["spec"]["template"]["spec"]
        mounts = {
            mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]
        }
        assert places <= mounts.keys()
        assert {volume["name"] for volume in pod["volumes"]} == set(mounts.values())
    assert ("NetworkPolicy", "preview-traces") in documents
