"""The user with few permissions, as docs/configuration.md tells operators to make it."""

from __future__ import annotations

import re

from tests.support.processes import ROOT

_RULE = re.compile(r"^ACL SETUSER (preview reset .*?)^```", re.MULTILINE | re.DOTALL)


def documented_rule() -> list[str]:
    """Return name and rules: ``preview``, ``reset``, ``on``, ``>PASSWORD``, …"""
    found = _RULE.search((ROOT / "docs" / "configuration.md").read_text())
    assert found, "docs/configuration.md has no ACL SETUSER preview reset …"
    return found[1].split()


def rule_for(queue: str, password: str) -> list[str]:
    """Return the documented rule for another queue, with a password."""
    return [
        word.replace(">PASSWORD", f">{password}").replace("{preview-jobs", f"{{{queue}")
        for word in documented_rule()
    ]


def documented_commands() -> set[str]:
    """Return what the user may run: ``zadd``, ``script|load``, …"""
    return {word[1:] for word in documented_rule() if word.startswith("+")}
