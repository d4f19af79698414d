"""The alerts: names of metrics, and what fires at which numbers, as promtool computes it."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.ledger import Ledger
from app.settings import Settings
from tests.deploy import alert_rules
from tests.deploy.exported import known
from tests.deploy.tools import passes, run, tool

ALERTS = alert_rules.alerts()
#: Parts of expressions without which an alert would fire too early, too late or never.
GUARDS = Path(__file__).parent / "alert_guards.yml"
UNIT_TESTS = sorted(alert_rules.UNIT_TESTS.glob("*.yml"))


def cases(path: Path) -> list[dict[str, Any]]:
    """Return the tests of one of promtool's files."""
    tests: list[dict[str, Any]] = yaml.safe_load(path.read_text())["tests"]
    return tests


def test_every_metric_and_label_of_the_rules_is_exported(
    settings: Settings, ledger: Ledger
) -> None:
    names = known(settings, ledger)
    spec = alert_rules.load()
    recorded = {rule["record"] for rule in alert_rules.rules(spec) if "record" in rule}
    used = {name for rule in alert_rules.rules(spec) for name in alert_rules.metrics(rule["expr"])}
    assert used - recorded <= names.keys()
    assert recorded <= used, "a recorded series that no alert uses"
    for rule in alert_rules.rules(spec):
        for name, labels in alert_rules.selectors(rule["expr"]):
            assert labels <= names.get(name, {"namespace", "track"}), (name, labels)


def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on() -> None:
    for name, rule in ALERTS.items():
        assert name.startswith("PreviewWorker"), "the Alertmanager's example goes by this"
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "runbook_url"}
        assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md")


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent() -> None:
    seen: dict[str, set[bool]] = defaultdict(set)
    for path in UNIT_TESTS:
        for case in cases(path):
            for check in case.get("alert_rule_test", []):
                seen[check["alertname"]].add(bool(check.get("exp_alerts")))
    assert seen == {name: {True, False} for name in ALERTS}


@pytest.mark.deploy_tools
def test_promtool_finds_nothing_to_say_about_the_rules(tmp_path: Path) -> None:
    path = alert_rules.write(alert_rules.load(), tmp_path / "rules.yml")
    passes(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", path)


@pytest.mark.deploy_tools
@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_and_are_silent_as_they_should(path: Path, tmp_path: Path) -> None:
    alert_rules.write(alert_rules.without_links(), tmp_path / "rules.yml")
    passes(tool("promtool"), "test", "rules", shutil.copy(path, tmp_path))


def guards() -> list[tuple[str, str, str]]:
    """Return alert, a part of its expression, and what it becomes: a unit test must notice."""
    listed: list[dict[str, str]] = yaml.safe_load(GUARDS.read_text())
    return [(item["alert"], item["part"], item.get("becomes", "")) for item in listed]


def only(alert: str) -> dict[str, Any]:
    """Return one alert and the recorded series that it needs."""
    spec = alert_rules.without_links()
    wanted = {alert}
    for group in reversed(spec["groups"]):
        kept = []
        for rule in reversed(group["rules"]):
            if rule.get("alert", rule.get("record")) in wanted:
                wanted |= alert_rules.metrics(rule["expr"])
                kept.append(rule)
        group |= {"rules": kept[::-1], "interval": "1m"}  # half the work
    spec["groups"] = [group for group in spec["groups"] if group["rules"]]
    return spec


def mutants(alert: str) -> dict[str, dict[str, Any]]:
    """Return the rules with one guard of an alert missing, by what is missing; "" lacks nothing."""
    found = {"": only(alert)}

    def mutant(name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        found[name] = only(alert)
        *recorded, rule = alert_rules.rules(found[name])
        return recorded, rule

    if "for" in ALERTS[alert]:
        del mutant("for")[1]["for"]
    if len(list(alert_rules.rules(only(alert)))) > 1:
        for record in mutant("that what is refused counts not")[0]:
            record["expr"] = record["expr"].partition("- sum")[0]
    for name, part, becomes in guards():
        if name == alert:
            rule = mutant(f"{part} → {becomes}")[1]
            assert part in rule["expr"]
            rule["expr"] = rule["expr"].replace(part, becomes)
    return found


@pytest.mark.deploy_tools
@pytest.mark.parametrize("alert", ALERTS)
def test_a_unit_test_notices_each_guard_that_is_missing(alert: str, tmp_path: Path) -> None:
    tests = []
    for case in [case for path in UNIT_TESTS for case in cases(path)]:
        checks = [c for c in case.get("alert_rule_test", []) if c["alertname"] == alert]
        if checks:
            tests.append({**case, "alert_rule_test": checks})
    paths = {}
    for number, (what, spec) in enumerate(mutants(alert).items()):
        rule_file = alert_rules.write(spec, tmp_path / f"rules-{number}.yml").name
        document = {"rule_files": [rule_file], "evaluation_interval": "30s", "tests": tests}
        path = tmp_path / f"tests-{number}.yml"
        path.write_text(yaml.safe_dump(document))
        paths[str(path)] = what
    said = run(tool("promtool"), "test", "rules", *paths).stdout
    succeeded = re.findall(r"^Unit Testing:  (\S+)\n  SUCCESS", said, re.MULTILINE)
    assert [paths[path] for path in succeeded] == [""]
