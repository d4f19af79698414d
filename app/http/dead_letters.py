"""Dead letters: list, look at, replay, purge."""

from __future__ import annotations

from collections import Counter

import falcon

from app.client import PreviewClient
from app.contract import parse_json
from app.dead_letters import ReplayReport
from app.documents import (
    dead_letter_document,
    dead_letter_summary,
    filter_document,
    public_payload,
    replay_document,
)
from app.http.dead_letter_requests import ReplayRequest, read_filter, replay_request
from app.http.jobs import DEFAULT_PAGE, MAX_PAGE, read_body
from app.http.parameters import Query, between, cursor, cursor_of, known_job_id
from app.http.responses import send_json
from app.logs import get_logger

log = get_logger(__name__)

#: Why a named job is not even tried: the request's own limit.
OVER_LIMIT = "over-limit"


class ListDeadLetters:
    """``GET /api/preview/dlq``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List dead letters, the last failed first, a page at a time; the filter is echoed."""
        query = Query(req.get_param)
        wanted = read_filter(query)
        before_us = query.read("cursor", cursor, None)
        limit = query.read("limit", between(1, MAX_PAGE), DEFAULT_PAGE)
        query.check()
        records, next_us = self._client.dead_letters.page(wanted, before_us=before_us, limit=limit)
        page = {
            "deadLetters": [dead_letter_summary(record) for record in records],
            "matching": self._client.ledger.count_dead_letters(wanted),
            "filter": filter_document(wanted),
            "nextCursor": cursor_of(next_us) if next_us is not None else None,
        }
        send_json(resp, page)

    on_head = on_get


class DeadLetter:
    """``/api/preview/dlq/{jobId}``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Return a dead letter and its payload."""
        req.context.job_id = known_job_id(job_id)
        document = dead_letter_document(self._client.dead_letters.get(job_id))
        payload = public_payload(self._client.dead_letters.payload(job_id))
        send_json(resp, {**document, "payload": payload})

    on_head = on_get

    def on_delete(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Forget a dead letter for good."""
        req.context.job_id = known_job_id(job_id)
        self._client.dead_letters.purge(job_id)
        resp.status = 204


class ReplayDeadLetters:
    """``POST /api/preview/dlq/replay``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Queue dead letters again, each once whoever else replays it."""
        wanted = replay_request(parse_json(read_body(req)))
        matching = {}
        if wanted.wanted is not None:
            matching["matching"] = self._client.ledger.count_dead_letters(wanted.wanted)
        report = self._replay(wanted)
        if not wanted.dry_run:
            _log_replay(wanted, report)
        document = replay_document(report.replayed, report.skipped, dry_run=wanted.dry_run)
        send_json(resp, {**document, **matching}, status=200 if wanted.dry_run else 202)

    def _replay(self, wanted: ReplayRequest) -> ReplayReport:
        if wanted.wanted is not None:
            return self._client.dead_letters.replay_matching(
                wanted.wanted, limit=wanted.limit, dry_run=wanted.dry_run
            )
        job_ids = wanted.job_ids or ()
        report = self._client.dead_letters.replay(job_ids[: wanted.limit], dry_run=wanted.dry_run)
        rest = ((job_id, OVER_LIMIT) for job_id in job_ids[wanted.limit :])
        return ReplayReport(report.replayed, (*report.skipped, *rest))


def _log_replay(wanted: ReplayRequest, report: ReplayReport) -> None:
    """Log who queued which dead letters again; the request's fields name the caller."""
    fields = filter_document(wanted.wanted) if wanted.wanted else {}
    log.info(
        "dead-letters.replayed",
        selected="filter" if wanted.wanted else "jobIds",
        filter={name: value for name, value in fields.items() if value is not None},
        limit=wanted.limit,
        replayed=len(report.replayed),
        skipped=dict(Counter(reason for _, reason in report.skipped)),
    )
