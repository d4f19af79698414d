from __future__ import annotations

import re

import pytest

from app.contract import ADVISORY_FIELDS, payload_digest

from .payloads import ABSENT, edited, full


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    assert re.fullmatch("[0-9a-f]{64}", payload_digest(full()))


def test_the_digest_of_a_payload_never_changes() -> None:
    # Records of earlier versions hold digests: another algorithm makes conflicts of repeats.
    assert payload_digest({"jobId": "a", "dryRun": True, "requestId": "r"}) == (
        "62a2ad2f1b2243abdd531f54d343b05479d27f393ea5bfdf425f9370e162dfe1"
    )


@pytest.mark.parametrize("field", sorted(ADVISORY_FIELDS))
def test_an_advisory_field_does_not_count(field: str) -> None:
    payload = full()
    assert payload_digest(edited(payload, f"/{field}", "other")) == payload_digest(payload)
    assert payload_digest(edited(payload, f"/{field}", ABSENT)) == payload_digest(payload)


def test_the_order_of_members_does_not_count() -> None:
    payload = full()
    request = dict(reversed(payload["previewRequest"].items()))
    turned = dict(reversed({**payload, "previewRequest": request}.items()))
    assert list(turned) != list(payload)
    assert payload_digest(turned) == payload_digest(payload)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        ("/jobId", "job-2"),
        ("/projectId", "other"),
        ("/dryRun", True),
        ("/priority", ABSENT),
        ("/previewRequest/title", "Other"),
        ("/previewRequest/steps/0/body", "Other"),
        ("/previewRequest/metadata/requestId", "inside, it is content"),
    ],
)
def test_all_else_counts(at: str, value: object) -> None:
    assert payload_digest(edited(full(), at, value)) != payload_digest(full())


def test_the_order_of_a_list_counts() -> None:
    payload = full()
    steps = payload["previewRequest"]["steps"][::-1]
    assert payload_digest(edited(payload, "/previewRequest/steps", steps)) != payload_digest(
        payload
    )


def test_the_payload_is_left_as_it_was() -> None:
    payload = full()
    payload_digest(payload)
    assert payload == full()
