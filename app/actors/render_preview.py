"""The actor that renders: supervises one child process and publishes its files."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dramatiq.middleware import CurrentMessage

from app.actors.heartbeat import Heartbeat
from app.actors.work import work_directory
from app.assets import AssetFetcher
from app.broker import ClaimedMessage, Verdict, claimed
from app.errors import PermanentError, RenderFailed, RenderTimeout, StorageUnavailable
from app.ledger import Progress as LedgerProgress
from app.logs import get_logger
from app.metrics import Metrics
from app.middleware import Shutdown
from app.render import (
    Limits,
    Progress,
    RenderedFile,
    RenderResult,
    RenderStopped,
    StepCachePlace,
    render_in_child,
)
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix

log = get_logger(__name__)

#: Longest time to store the files of one attempt; then it loses its lease.
PUBLISH_SECONDS = 300.0
#: What a render has at least, when fetching has taken nearly all of a job's time.
LEAST_RENDER_SECONDS = 1.0
#: Parts of a work directory: remote assets, and the files of the preview.
ASSETS_NAME, FILES_NAME = "assets", "files"


@dataclass(frozen=True, slots=True)
class PreviewRenderer:
    """Renders the job of the current message; what happens to it, Settlement decides.

    Attributes:
        settings: Limits and directories.
        store: Where finished files go.
        shutdown: Tells when a render must be given up.
        metrics: Where the use of the step cache is counted.
        fetcher: Brings remote assets here: the child process has no business with the network.
        target: The renderer, "module:function".
    """

    settings: Settings
    store: ArtifactStore
    shutdown: Shutdown
    fetcher: AssetFetcher
    metrics: Metrics
    target: str

    def __call__(self, payload: Mapping[str, Any]) -> None:
        """Render ``payload`` and leave the verdict on the current message.

        Raises:
            PreviewError: The attempt failed; its class says whether to retry.
        """
        job = claimed(CurrentMessage.get_current_message())
        if not job.begun:
            raise RenderFailed("The job was not begun.")
        longest = self.settings.preview_job_timeout_seconds + PUBLISH_SECONDS
        try:
            with (
                Heartbeat(job, max_seconds=longest) as heartbeat,
                work_directory(self.settings.work_root, name=str(job.fence)) as directory,
            ):
                result = self._render(job, payload, directory, heartbeat)
                self.metrics.cache_hits.inc(result.cache_hits)
                self.metrics.cache_misses.inc(result.cache_misses)
                self._publish(job, result, directory / FILES_NAME)
        except RenderStopped as stopped:
            if stopped.reason == "lease-lost":
                log.warning("render.lease-lost")
            job.verdict = Verdict("cancelled" if stopped.reason == "cancelled" else "released")

    def _render(
        self,
        job: ClaimedMessage,
        payload: Mapping[str, Any],
        directory: Path,
        heartbeat: Heartbeat,
    ) -> RenderResult:
        settings = self.settings
        until = time.monotonic() + settings.preview_job_timeout_seconds
        job.span.phase("fetching")
        fetched = self._fetch(payload, directory / ASSETS_NAME, heartbeat, until)

        def on_tick(progress: Progress | None) -> str | None:
            if progress is not None:
                job.span.phase(progress.phase)
                heartbeat.progress = LedgerProgress(
                    progress.phase, progress.frames_done, progress.frames_total
                )
            return self._stop_reason(heartbeat)

        return render_in_child(
            payload,
            asset_dir=settings.asset_root / job.text("projectId"),
            out_dir=directory / FILES_NAME,
            fetched=fetched,
            step_cache=self._step_cache(),
            font_dirs=settings.font_dirs,
            limits=Limits(
                deadline_seconds=max(until - time.monotonic(), LEAST_RENDER_SECONDS),
                memory_mb=settings.preview_render_memory_mb,
                threads=settings.preview_render_threads,
            ),
            on_tick=on_tick,
            target=self.target,
        )

    def _step_cache(self) -> StepCachePlace | None:
        megabytes = self.settings.preview_step_cache_mb
        return StepCachePlace(self.settings.step_cache, megabytes) if megabytes else None

    def _fetch(
        self, payload: Mapping[str, Any], into: Path, heartbeat: Heartbeat, until: float
    ) -> dict[str, Path]:
        """Fetch remote assets within the job's time, while the lease keeps beating."""

        def on_tick() -> None:
            reason = self._stop_reason(heartbeat)
            if reason:
                raise RenderStopped(reason)
            if time.monotonic() >= until:
                limit = self.settings.preview_job_timeout_seconds
                raise RenderTimeout(f"fetching the assets took longer than {limit:g} s")

        return self.fetcher.fetch(payload, into=into, on_tick=on_tick)

    def _stop_reason(self, heartbeat: Heartbeat) -> str | None:
        return "shutdown" if self.shutdown.expired() else heartbeat.stop_reason

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
    """Name each file by its kind; thumbnails, of which there are several, by their number too."""
    thumbnails = itertools.count(1)
    for file in files:
        numbered = file.kind == "thumbnail"
        yield (f"{file.kind}-{next(thumbnails)}" if numbered else file.kind), file
