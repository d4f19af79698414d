from __future__ import annotations

import pytest

from app.errors import QualityFailed
from app.render.inspect.rules import Expected, Rule, require_quality, to_json

HARD = Rule("Picture", "frame-count", "all of them", hard=True)
SOFT = Rule("Captions", "cue-speed", "at most 17")


def test_a_broken_hard_rule_fails_by_its_name() -> None:
    checks = [HARD.check(3, holds=False), SOFT.check(20, holds=False)]
    with pytest.raises(QualityFailed, match=r"frame-count.*3.*all of them") as caught:
        require_quality(checks)
    assert (caught.value.code, caught.value.retryable) == ("quality-failed", False)
    assert [item.code for item in caught.value.errors] == ["frame-count"]


def test_soft_excused_and_inapplicable_rules_fail_nothing() -> None:
    checks = [
        SOFT.check(20, holds=False),
        HARD.check(3, holds=False, excused=True),
        HARD.not_applicable("no film"),
        HARD.check(4, holds=True),
    ]
    require_quality(checks)
    assert [check.outcome for check in checks] == ["broken", "warning", "not applicable", "ok"]
    assert to_json(checks[:1]) == [
        {
            "table": "Captions",
            "rule": "cue-speed",
            "limit": "at most 17",
            "measured": "20",
            "outcome": "broken",
            "hard": False,
        }
    ]


def test_a_manifest_without_frames_promises_nothing() -> None:
    video = {"width": 160, "height": 90, "fps": 30, "frames": 0}
    with pytest.raises(ValueError, match="frames"):
        Expected.from_manifest({"video": video, "timeline": []})
