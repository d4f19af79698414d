from __future__ import annotations

import pytest

from app.contract import (
    AddressRefused,
    HttpsAddress,
    RemoteAssets,
    S3Address,
    load_contract,
    public_uri,
)
from app.errors import ValidationFailed
from app.limits import MAX_ASSET_BYTES
from app.settings import Settings

from .payloads import edited, full

ALLOWED = RemoteAssets(frozenset({"a.example"}), frozenset({"games"}))
AT = "/previewRequest/assets/2/uri"


def with_asset(uri: str, *, dry_run: bool = False) -> dict[str, object]:
    asset = {"id": "far", "type": "image", "uri": uri}
    return edited(edited(full(), "/previewRequest/assets/-", asset), "/dryRun", dry_run)


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("https://a.example/b/c.png", HttpsAddress("a.example", "/b/c.png")),
        ("https://A.Example:443/b?x=1&y=/#z", HttpsAddress("a.example", "/b?x=1&y=/")),
        ("https://a.example", HttpsAddress("a.example", "/")),
        ("https://a.example?x", HttpsAddress("a.example", "/?x")),
        ("https://a.example/b@c:d", HttpsAddress("a.example", "/b@c:d")),
        ("s3://games/a/b%20ü?c#d.png", S3Address("games", "a/b%20ü?c#d.png")),
    ],
)
def test_an_address_is_taken_apart(uri: str, address: HttpsAddress | S3Address) -> None:
    assert ALLOWED.enabled(uri)
    assert ALLOWED.parse(uri) == address


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("https://b.example/", "'b.example' is not in PREVIEW_ASSET_HOSTS"),
        ("https://a.example.b.example/", "PREVIEW_ASSET_HOSTS"),
        ("https://x.a.example/", "PREVIEW_ASSET_HOSTS"),
        ("https://a.example./", "PREVIEW_ASSET_HOSTS"),
        ("https:///a.example/", "must name a host"),
        ("https://a.example:8443/", "port"),
        ("https://a.example:/", "port"),
        ("https://[::1]/", "must name a host"),
        ("https://a_b.example/", "must name a host"),
        ("https://me@a.example/", "user name"),
        ("https://me:secret@a.example/", "user name"),
        ("https://b.example\\@a.example/", "percent-encode"),
        ("https://a.example/ü.png", "percent-encode"),
        ("https://\uff41.example/", "percent-encode"),
        ("https://a.example/\n", "percent-encode"),
        ("http://a.example/", "https"),
        ("ftp://a.example/", "https"),
        ("s3://other/a.png", "'other' is not in PREVIEW_ASSET_BUCKETS"),
        ("s3://games", "s3://bucket/key"),
        ("s3://games/", "s3://bucket/key"),
        ("s3://games/../a.png", "segment"),
        ("s3://games//a.png", "segment"),
        ("s3://games/a/", "segment"),
    ],
)
def test_any_other_address_is_refused_with_the_reason(uri: str, why: str) -> None:
    with pytest.raises(AddressRefused, match=why) as caught:
        ALLOWED.parse(uri)
    assert "secret" not in str(caught.value)


def test_the_schema_knows_how_large_an_asset_may_be() -> None:
    asset = load_contract().schema["$defs"]["asset"]
    assert asset["properties"]["bytes"]["maximum"] == MAX_ASSET_BYTES


def test_a_live_job_may_name_what_the_settings_allow() -> None:
    settings = Settings(
        preview_asset_hosts=frozenset({"a.example", "b.example"}),
        preview_asset_buckets=frozenset({"games"}),
    )
    contract = load_contract(remote=RemoteAssets.of(settings))
    for uri in ("https://b.example/a.png", "s3://games/a.png"):
        contract.check(with_asset(uri))


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("https://evil.example/a.png", "asset-blocked"),
        ("https://me:hunter2@a.example/a.png", "asset-blocked"),
        ("s3://games/a.png", "unsupported-feature"),
    ],
)
def test_a_live_job_is_refused_what_they_do_not_allow_and_a_dry_run_is_warned(
    uri: str, code: str
) -> None:
    contract = load_contract(remote=RemoteAssets(hosts=ALLOWED.hosts))
    with pytest.raises(ValidationFailed) as caught:
        contract.check(with_asset(uri))
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (AT, code)
    assert "hunter2" not in item.detail
    dry = with_asset(uri, dry_run=True)
    contract.check(dry)
    assert contract.unsupported(dry) == (item,)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://cdn.example/a%20b.png", "https://cdn.example/a%20b.png"),
        ("https://user:p@ss@cdn.example/a.png?X-Signature=abc#top", "https://cdn.example/a.png"),
        ("https://cdn.example/a@b.png#x", "https://cdn.example/a@b.png"),
        ("https://user:pass@cdn.example?token=a/b@c", "https://cdn.example"),
        ("s3://bucket/what?#1.png", "s3://bucket/what?#1.png"),
        ("s3://user:pass@bucket/key", "s3://bucket/key"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(uri: str, shown: str) -> None:
    assert public_uri(uri) == shown
