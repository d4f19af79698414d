"""The actor that renders: supervises one child process and publishes its files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dramatiq.middleware import CurrentMessage

from app.actors.heartbeat import Heartbeat
from app.actors.work import work_directory
from app.broker import ClaimedMessage, Verdict, claimed
from app.errors import PermanentError, RenderFailed, StorageUnavailable
from app.ledger import Progress as LedgerProgress
from app.logs import get_logger
from app.middleware import Shutdown
from app.render import Limits, Progress, RenderedFile, RenderResult, RenderStopped, render_in_child
from app.settings import Settings
from app.storage import ArtifactStore, attempt_prefix

log = get_logger(__name__)

#: Longest time to store the files of one attempt; then it loses its lease.
PUBLISH_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class PreviewRenderer:
    """Renders the job of the current message; what happens to it, Settlement decides.

    Attributes:
        settings: Limits and directories.
        store: Where finished files go.
        shutdown: Tells when a render must be given up.
    """

    settings: Settings
    store: ArtifactStore
    shutdown: Shutdown

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
                work_directory(self.settings.work_root, prefix=f"{job.fence}-") as directory,
            ):
                result = self._render(job, payload, directory, heartbeat)
                self._publish(job, result, directory)
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

        def on_tick(progress: Progress | None) -> str | None:
            if progress is not None:
                heartbeat.progress = LedgerProgress(
                    progress.phase, progress.frames_done, progress.frames_total
                )
            return "shutdown" if self.shutdown.expired() else heartbeat.stop_reason

        return render_in_child(
            payload,
            asset_dir=settings.asset_root / job.text("projectId"),
            out_dir=directory,
            limits=Limits(
                deadline_seconds=settings.preview_job_timeout_seconds,
                memory_mb=settings.preview_render_memory_mb,
                threads=settings.preview_render_threads,
            ),
            on_tick=on_tick,
        )

    def _publish(self, job: ClaimedMessage, result: RenderResult, directory: Path) -> None:
        prefix = attempt_prefix(job.job_id, job.fence)

        def discard() -> None:
            try:
                self.store.delete_prefix(prefix)
            except (StorageUnavailable, PermanentError) as error:
                log.warning("artifacts.left-behind", prefix=prefix, detail=error.detail)

        try:
            for file in result.files:
                self.store.put(f"{prefix}/{file.name}", directory / file.name)
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
