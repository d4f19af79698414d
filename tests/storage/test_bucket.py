"""Artifacts in a bucket, by the protocol itself."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from app.errors import ArtifactExpired
from app.storage import ArtifactStore, attempt_prefix
from app.storage.places import PART_BYTES, S3_CHUNK_BYTES
from tests.support.s3_server import S3Server


def test_a_file_is_read_back_in_any_range(store: ArtifactStore, source: Path) -> None:
    content = os.urandom(2 * S3_CHUNK_BYTES + 17)
    source.write_bytes(content)
    store.put("job/1/preview.mp4", source)
    assert store.size("job/1/preview.mp4") == len(content)
    assert b"".join(store.read("job/1/preview.mp4", start=0, end=len(content))) == content
    assert b"".join(store.read("job/1/preview.mp4", start=5, end=9)) == content[5:9]
    assert list(store.read("job/1/preview.mp4", start=3, end=3)) == []


def test_a_large_file_goes_in_parts_and_comes_back_whole(
    store: ArtifactStore, source: Path, reach: S3Server
) -> None:
    content = os.urandom(2 * PART_BYTES + 1)
    source.write_bytes(content)
    store.put("large/1/preview.mp4", source, content_type="video/mp4")
    assert len(re.findall(r"PUT \S+/large/1/\S+partNumber=", reach.log.read_text())) == 3
    assert b"".join(store.read("large/1/preview.mp4", start=0, end=len(content))) == content


def test_keys_stand_below_the_prefix_of_the_url(
    store: ArtifactStore, url: str, source: Path
) -> None:
    key = attempt_prefix("a:b.c_d-e", 1) + "/poster.jpg"
    store.put(key, source)
    whole = ArtifactStore(url.replace("/some/prefix", ""))
    assert whole.size(f"some/prefix/{key}") == 10
    assert list(ArtifactStore(url.replace("prefix", "other")).attempts()) == []


def test_a_file_that_is_gone_has_expired(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactExpired):
        store.size("job/1/preview.mp4")
    with pytest.raises(ArtifactExpired):
        list(store.read("job/1/preview.mp4", start=0, end=1))


def test_attempts_are_listed_with_their_jobs_and_what_others_keep_is_not(
    store: ArtifactStore, source: Path
) -> None:
    old, new = 1795331000000000, 1795331000000001
    for key in (f"a/{new}/x", f"a/{new}/t/1.jpg", f"a/{old}/x", f"a-b/{old}/x"):
        store.put(key, source)
    for key in ("a/note", "a/draft/x", "reports/2026/x", f".trash/{old}/x", f"note/{old}"):
        store.put(key, source)
    assert sorted(store.attempts()) == [("a", [old, new]), ("a-b", [old])]


def test_deleting_a_prefix_leaves_other_attempts_alone(store: ArtifactStore, source: Path) -> None:
    for key in ("job/1/a", "job/1/b", "job/11/a", "job2/1/a"):
        store.put(key, source)
    assert store.delete_prefix(attempt_prefix("job", 1)) == 2
    assert store.size("job/11/a") == store.size("job2/1/a") == 10
    assert store.delete_prefix(attempt_prefix("job", 1)) == 0
    assert store.delete_prefix("job") == 1


def test_a_store_that_works_passes_its_probe_and_keeps_nothing_of_it(store: ArtifactStore) -> None:
    store.probe()
    assert list(store.attempts()) == []
    assert store.delete_prefix(".probe") == 0


def test_every_request_is_signed(store: ArtifactStore, source: Path, reach: S3Server) -> None:
    with reach.checking_signatures():
        source.write_bytes(bytes(PART_BYTES + 1))
        key = "job/1795331000000000/a"
        store.put(key, source)
        assert store.size(key) == PART_BYTES + 1
        assert list(store.read(key, start=0, end=2)) == [bytes(2)]
        assert list(store.attempts()) == [("job", [1795331000000000])]
        assert store.delete_prefix("job") == 1


def test_anybody_may_get_a_file_by_its_signed_url(store: ArtifactStore, source: Path) -> None:
    store.put("a:b/1/thumbnails/1.jpg", source, content_type="image/jpeg")
    signed = store.signed_url("a:b/1/thumbnails/1.jpg", seconds=60)
    assert signed is not None
    whole = httpx.get(signed)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["content-type"] == "image/jpeg"
    assert whole.headers["content-disposition"] == 'inline; filename="a-b-1.jpg"'
    part = httpx.get(signed, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"


def test_a_signed_url_has_the_signature_that_amazons_own_client_computes(
    store: ArtifactStore, reach: S3Server
) -> None:
    signed = store.signed_url("a:b/1/x y.mp4", seconds=61)
    assert signed is not None
    query = dict(parse_qsl(urlsplit(signed).query))
    assert query["X-Amz-Expires"] == "61"
    keys = reach.environment()
    unsigned = signed.partition("&X-Amz-Signature=")[0]
    assert query["X-Amz-Signature"] == reach.signature(unsigned, query["X-Amz-Date"])
    assert keys["AWS_SECRET_ACCESS_KEY"] not in signed
