"""Fetches the remote assets of a job, several at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.assets.cache import AssetCache
from app.assets.intake import Budget, Intake
from app.assets.remote_asset import RemoteAsset, remote_assets
from app.assets.s3 import S3Source
from app.assets.watch import FetchEnded, FetchTooSlow, Timeouts, Watch
from app.contract import AddressRefused, HttpsAddress, RemoteAssets
from app.errors import (
    AssetBlocked,
    AssetFailed,
    AssetUnavailable,
    PreviewError,
    StorageUnavailable,
)
from app.logs import get_logger

if TYPE_CHECKING:  # loads the HTTP client
    from app.assets.https import HttpsSource

log = get_logger(__name__)

#: Most files of a job that are fetched at the same time.
PARALLEL: Final = 4
#: Interval between calls of ``on_tick``.
TICK_SECONDS: Final = 0.25


class AssetFetcher:
    """Fetches a job's remote assets to this machine. Thread-safe.

    Args:
        remote: The allowed hosts and buckets.
        cache: Keeps fetched files.
        https: Reads from web servers.
        s3: Reads from buckets.
        timeouts: Timeouts of each file.
    """

    def __init__(
        self,
        remote: RemoteAssets,
        cache: AssetCache,
        *,
        https: HttpsSource | None = None,
        s3: S3Source | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._remote = remote
        self._cache = cache
        self._given_https = https
        self._s3 = s3 or S3Source()
        self._timeouts = timeouts or Timeouts()

    @cached_property
    def _https(self) -> HttpsSource:
        if self._given_https is not None:
            return self._given_https
        # Most workers fetch nothing and need no HTTP client.
        from app.assets.https import HttpsSource  # noqa: PLC0415

        return HttpsSource(self._remote)

    def fetch(
        self, payload: Mapping[str, Any], *, into: Path, on_tick: Callable[[], None]
    ) -> dict[str, Path]:
        """Fetch the remote assets of ``payload``; return their files by asset id.

        Args:
            payload: A valid preview job.
            into: Directory for the files, created if necessary. The caller deletes it.
            on_tick: Called at least every ``TICK_SECONDS``. An exception from it ends the fetch.

        Raises:
            AssetBlocked: An address may not be read.
            AssetFailed: A file is missing, forbidden, too large or not as declared.
            AssetUnavailable: A server does not respond properly, and none of the above happened.
            StorageUnavailable: The disk is full or unusable.
        """
        assets = list(remote_assets(payload))
        if not assets:
            return {}
        try:
            into.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _disk(error) from error
        batch = _Batch(self._fetch_one, assets, into)
        outcomes = batch.run(on_tick)
        try:
            self._cache.trim()
        except OSError as error:
            log.warning("assets.cache-untrimmed", detail=str(error))
        _raise_worst([error for _, error in sorted(outcomes.items()) if error is not None])
        return {asset.id: into / str(number) for number, asset in enumerate(assets)}

    def _fetch_one(
        self, asset: RemoteAsset, target: Path, budget: Budget, ended: threading.Event
    ) -> None:
        watch = Watch(self._timeouts, ended)
        try:
            address = self._remote.parse(asset.uri)
            # Parsed first: knowing a digest must not give access to a forbidden address.
            if asset.sha256 and self._cache.take(asset.sha256, target=target):
                return
            with self._cache.incoming() as file:
                intake = Intake(asset, file, budget)
                if isinstance(address, HttpsAddress):
                    self._https.read(asset, address, intake, watch)
                else:
                    self._s3.read(asset, address, intake, watch)
                self._cache.keep(file, intake.finish(), target=target)
                log.info("assets.fetched", asset=asset.id, bytes=intake.size)
        except AddressRefused as error:
            raise asset.blocked("asset-blocked", str(error)) from None
        except FetchTooSlow:
            detail = f"fetching it takes longer than {self._timeouts.total:g} s; try again later"
            raise asset.unavailable(detail) from None
        except OSError as error:
            raise _disk(error) from error


class _Batch:
    """Fetches the files of one job in a few threads.

    The threads are daemons, because a DNS lookup cannot be interrupted and must delay neither a
    cancelled job nor the exit of the process.
    """

    def __init__(
        self,
        fetch_one: Callable[[RemoteAsset, Path, Budget, threading.Event], None],
        assets: Sequence[RemoteAsset],
        into: Path,
    ) -> None:
        self._fetch_one = fetch_one
        self._into = into
        self._count = len(assets)
        self._budget = Budget()
        self._ended = threading.Event()
        self._waiting = iter(list(enumerate(assets)))
        self._lock = threading.Lock()
        self._outcomes: queue.SimpleQueue[tuple[int, Exception | None]] = queue.SimpleQueue()

    def run(self, on_tick: Callable[[], None]) -> dict[int, Exception | None]:
        """Fetch all files; return the error of each, None for success."""
        done: dict[int, Exception | None] = {}
        try:
            for _ in range(min(PARALLEL, self._count)):
                threading.Thread(target=self._work, name="asset-fetch", daemon=True).start()
            while len(done) < self._count:
                with suppress(queue.Empty):
                    number, outcome = self._outcomes.get(timeout=TICK_SECONDS)
                    done[number] = outcome
                on_tick()
        finally:
            self._ended.set()
        return done

    def _work(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                number, asset = next(self._waiting, (None, None))
            if number is None or asset is None:
                return
            try:
                self._fetch_one(asset, self._into / str(number), self._budget, self._ended)
            except FetchEnded:
                return
            except Exception as error:  # noqa: BLE001 - raised by the thread that waits
                self._outcomes.put((number, error))
            else:
                self._outcomes.put((number, None))


def _raise_worst(errors: Sequence[Exception]) -> None:
    """Raise one error with the items of all of its kind; permanent errors come first."""
    for error in errors:
        if not isinstance(error, PreviewError):
            raise error
    kinds = (AssetBlocked, AssetFailed, StorageUnavailable, AssetUnavailable)
    known = [error for error in errors if isinstance(error, PreviewError)]
    for kind in kinds:
        of_kind = [error for error in known if isinstance(error, kind)]
        if of_kind:
            permanent = [error for error in known if not error.retryable] or of_kind
            items = [item for error in permanent for item in error.errors]
            raise kind(of_kind[0].detail, errors=items) from of_kind[0]


def _disk(error: OSError) -> StorageUnavailable:
    return StorageUnavailable(
        f"The directory of fetched assets cannot be written to: {error.strerror}"
    )
