"""A real Prometheus beside the product."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from app.cli.remote.addresses import LOOPBACK, free_ports
from tests.conftest import wait_until
from tests.deploy.tools import tool
from tests.support.processes import stop

#: How often targets are scraped and rules evaluated, in milliseconds.
INTERVAL_MS = 500


class Prometheus:
    """Scrapes ``ports`` on loopback as pods of one namespace, and evaluates ``rule_file``.

    As a context manager it runs from the beginning to the end.

    Attributes:
        directory: For its configuration, its data and its log.
        started: When it was ready, in seconds since 1970.
    """

    def __init__(self, directory: Path, rule_file: Path, ports: Sequence[int]) -> None:
        self.directory = directory
        self.started = 0.0
        self._address = f"{LOOPBACK}:{free_ports(1)[0]}"
        self._configuration = directory / "prometheus.yml"
        self._configuration.write_text(
            yaml.safe_dump(
                {
                    "global": {
                        "scrape_interval": f"{INTERVAL_MS}ms",
                        "scrape_timeout": f"{INTERVAL_MS}ms",
                        "evaluation_interval": f"{INTERVAL_MS}ms",
                    },
                    "rule_files": [str(rule_file)],
                    "scrape_configs": [
                        {
                            "job_name": "preview",
                            "static_configs": [
                                {
                                    "targets": [f"{LOOPBACK}:{port}" for port in ports],
                                    "labels": {"namespace": "p"},
                                }
                            ],
                        }
                    ],
                }
            )
        )

    def __enter__(self) -> Self:
        passed = [
            f"--config.file={self._configuration}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self._address}",
            "--log.level=warn",
        ]
        with (self.directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [tool("prometheus"), *passed], stdout=log, stderr=subprocess.STDOUT
            )
        try:
            wait_until(self._ready, "Prometheus is ready")
        except BaseException:
            stop(self._process)
            raise
        self.started = time.time()
        return self

    def __exit__(self, *_: object) -> None:
        stop(self._process)

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series of an instant query.

        Raises:
            httpx.HTTPStatusError: It is no valid query.
        """
        answer = httpx.get(
            f"http://{self._address}/api/v1/query", params={"query": expr}, timeout=30
        )
        answer.raise_for_status()
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def names(self, expr: str) -> set[str]:
        """Return the alerts of a query over ``ALERTS``."""
        return {series["metric"]["alertname"] for series in self.query(expr)}

    def firing(self) -> set[str]:
        """Return the alerts that fire now."""
        return self.names('ALERTS{alertstate="firing"}')

    def fired(self) -> set[str]:
        """Return the alerts that have fired at any time since the start."""
        return self.names('count_over_time(ALERTS{alertstate="firing"}[1h])')

    def unhealthy(self) -> list[str]:
        """Return the errors of all rules."""
        groups = httpx.get(f"http://{self._address}/api/v1/rules", timeout=30).json()["data"]
        return [
            f"{rule['name']}: {rule.get('lastError')}"
            for group in groups["groups"]
            for rule in group["rules"]
            if rule["health"] != "ok"
        ]

    def _ready(self) -> bool:
        assert self._process.poll() is None, (self.directory / "prometheus.log").read_text()
        try:
            return httpx.get(f"http://{self._address}/-/ready").status_code == 200
        except httpx.TransportError:
            return False
