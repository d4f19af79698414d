"""The Grafana dashboard, and its queries as Grafana would ask them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.processes import ROOT

#: The component of which it is a part.
COMPONENT = ROOT / "kustomize" / "components" / "dashboard"
#: All of it, and its panels without the titles of rows.
DASHBOARD: dict[str, Any] = json.loads((COMPONENT / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
#: What Grafana fills in.
_FILLED = {"$namespace": "p", "$track": "stable|canary", "$__rate_interval": "5m"}


def queries() -> Iterator[tuple[str, str]]:
    """Yield the title of a panel and a query of it."""
    for panel in PANELS:
        for target in panel["targets"]:
            expr = target["expr"]
            for name, value in _FILLED.items():
                expr = expr.replace(name, value)
            yield panel["title"], expr
