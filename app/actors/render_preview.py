"""The actor that renders: supervises one child process and publishes its files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dramatiq.middleware import CurrentMessage

from app.actors.supervision import Attempt, Supervision
from app.assets import AssetFetcher
from app.broker import ClaimedMessage, Verdict, claimed
from app.errors import PermanentError, RenderFailed, RenderTimeout, StorageUnavailable
from app.logs import get_logger
from app.metrics import Metrics
from app.render import (
    RenderedFile,
    RenderResult,
    RenderStopped,
    StepCachePlace,
    render_in_child,
)
from app.storage import ArtifactStore, attempt_prefix

log = get_logger(__name__)

#: Parts of a work directory: remote assets, and the files of the preview.
ASSETS_NAME, FILES_NAME = "assets", "files"


@dataclass(frozen=True, slots=True)
class PreviewRenderer:
    """Renders the job of the current message. Settlement decides what becomes of the job.

    Attributes:
        supervision: Limits, directories and the shutdown.
        store: The artifact store.
        metrics: Counts hits and misses of the step cache.
        fetcher: Fetches remote assets, because the child process does not use the network.
        target: The renderer, as "module:function".
    """

    supervision: Supervision
    store: ArtifactStore
    fetcher: AssetFetcher
    metrics: Metrics
    target: str

    def __call__(self, payload: Mapping[str, Any]) -> None:
        """Render ``payload`` and set the verdict of the current message.

        Raises:
            PreviewError: The attempt failed. The class says whether to retry.
        """
        job = claimed(CurrentMessage.get_current_message())
        if not job.begun:
            raise RenderFailed("The attempt has not begun.")
        with self.supervision.attempt(job) as attempt:
            result = self._render(attempt, payload)
            self.metrics.cache_hits.inc(result.cache_hits)
            self.metrics.cache_misses.inc(result.cache_misses)
            self._publish(job, result, attempt.directory / FILES_NAME)

    def _render(self, attempt: Attempt, payload: Mapping[str, Any]) -> RenderResult:
        settings = self.supervision.settings
        attempt.job.span.phase("fetching")
        fetched = self._fetch(attempt, payload)
        return render_in_child(
            payload,
            asset_dir=settings.asset_root / attempt.job.text("projectId"),
            out_dir=attempt.directory / FILES_NAME,
            fetched=fetched,
            step_cache=self._step_cache(),
            font_dirs=settings.font_dirs,
            limits=self.supervision.limits(attempt),
            on_tick=attempt.on_tick,
            target=self.target,
        )

    def _step_cache(self) -> StepCachePlace | None:
        settings = self.supervision.settings
        megabytes = settings.preview_step_cache_mb
        return StepCachePlace(settings.step_cache, megabytes) if megabytes else None

    def _fetch(self, attempt: Attempt, payload: Mapping[str, Any]) -> dict[str, Path]:
        """Fetch remote assets within the job's deadline, while the heartbeat renews the lease."""

        def on_tick() -> None:
            reason = attempt.stop_reason
            if reason:
                raise RenderStopped(reason)
            if time.monotonic() >= attempt.until:
                limit = self.supervision.settings.preview_job_timeout_seconds
                raise RenderTimeout(f"fetching the assets took longer than {limit:g} s")

        return self.fetcher.fetch(payload, into=attempt.directory / ASSETS_NAME, on_tick=on_tick)

    def _publish(self, job: ClaimedMessage, result: RenderResult, directory: Path) -> None:
        job.span.phase("publishing")
        prefix = attempt_prefix(job.job_id, job.fence)

        def discard() -> None:
            try:
                self.store.delete_prefix(prefix)
            except (StorageUnavailable, PermanentError) as error:
                log.warning("artifacts.left-behind", prefix=prefix, detail=error.detail)

        try:
            for file in result.files:
                key, path = f"{prefix}/{file.name}", directory / file.name
                self.store.put(key, path, content_type=file.content_type)
        except StorageUnavailable:
            discard()
            raise
        artifacts = [
            {
                "kind": kind,
                "name": file.name,
                "contentType": file.content_type,
                "bytes": file.bytes,
                "sha256": file.sha256,
                "key": f"{prefix}/{file.name}",
            }
            for kind, file in _numbered(result.files)
        ]
        job.verdict = Verdict(
            "completed",
            fields={"artifacts": artifacts, "warnings": list(result.warnings)},
            discard=discard,
        )


def _numbered(files: Sequence[RenderedFile]) -> Iterator[tuple[str, RenderedFile]]:
    """Yield each file with its kind; thumbnails are numbered."""
    thumbnails = itertools.count(1)
    for file in files:
        numbered = file.kind == "thumbnail"
        yield (f"{file.kind}-{next(thumbnails)}" if numbered else file.kind), file
