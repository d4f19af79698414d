"""The Grafana dashboard: names of metrics, the grid, and queries that a Prometheus takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from app.ledger import Ledger
from app.settings import Settings
from tests.deploy import alert_rules
from tests.deploy.dashboard import COMPONENT, DASHBOARD, PANELS, queries
from tests.deploy.exported import known
from tests.deploy.tools import passes, tool
from tests.support.processes import ROOT


def test_the_dashboard_is_what_the_script_makes() -> None:
    script = ROOT / "scripts" / "make_dashboard.py"
    made = subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    assert json.loads(made.stdout) == DASHBOARD, "run scripts/make_dashboard.py"


def test_every_metric_and_label_of_the_dashboard_is_exported(
    settings: Settings, ledger: Ledger
) -> None:
    names = {**known(settings, ledger), "ALERTS": {"alertname", "alertstate", "namespace"}}
    for title, expr in queries():
        assert alert_rules.metrics(expr) <= names.keys(), title
        for name, labels in alert_rules.selectors(expr):
            assert labels <= names[name], (title, name)


def test_ids_are_unique_and_panels_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_everything_is_asked_of_the_data_source_that_was_chosen() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])
        used = re.findall(r"\$(?!__)(\w+)", json.dumps(panel["targets"]))
        assert set(used) <= variables.keys()


def test_rates_are_taken_over_several_scrapes() -> None:
    monitor = ROOT / "kustomize" / "base" / "service-monitor.yaml"
    endpoints = yaml.safe_load(monitor.read_text())["spec"]["endpoints"]
    scraped = {endpoint["interval"] for endpoint in endpoints}
    told = {target["interval"] for panel in PANELS for target in panel["targets"]}
    assert told == scraped


def test_an_alert_without_a_namespace_is_shown_in_each() -> None:
    (expr,) = (expr for title, expr in queries() if title == "Firing alerts")
    pattern = re.search(r'namespace=~"([^"]+)"', expr)
    assert pattern is not None
    assert [bool(re.fullmatch(pattern[1], name)) for name in ("p", "", "q")] == [True, True, False]


def test_colours_begin_with_one_for_every_value_and_rise() -> None:
    for panel in PANELS:
        first, *others = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        values = [step["value"] for step in others]
        assert first["value"] is None
        assert all(low < high for low, high in pairwise(values))
        assert panel["description"], panel["title"]


def test_a_config_map_is_made_that_the_sidecar_of_grafana_finds() -> None:
    made = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())
    assert made["kind"] == "Component"
    (generated,) = made["configMapGenerator"]
    assert generated["files"] == ["dashboard.json"]
    assert generated["options"]["labels"] == {"grafana_dashboard": "1"}


@pytest.mark.deploy_tools
def test_without_jobs_nothing_has_failed_and_the_budget_is_whole(tmp_path: Path) -> None:
    series = [
        {"series": f'{name}{{namespace="p", outcome="completed"}}', "values": "0x200"}
        for name in (
            "preview_jobs_failed_total",
            "preview_jobs_refused_total",
            "preview_job_attempts_total",
        )
    ]
    expected = {"Failed jobs": 0, "Failed, 1 h": 0, "Error budget, 30 d": 1}
    checks = [
        {"expr": expr, "eval_time": "2h", "exp_samples": [{"labels": "{}", "value": value}]}
        for title, expr in queries()
        if (value := expected.get(title)) is not None
    ]
    assert len(checks) == 4
    case = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    path = tmp_path / "idle.yml"
    path.write_text(yaml.safe_dump({"rule_files": [], "tests": [case]}))
    passes(tool("promtool"), "test", "rules", path)


@pytest.mark.deploy_tools
def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:query{number}", "expr": expr}
        for number, (_, expr) in enumerate(queries())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in passes(tool("promtool"), "check", "rules", path)
