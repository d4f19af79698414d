"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PayloadFile = Annotated[
    str, typer.Argument(metavar="FILE", help="JSON file with the payload; - reads standard input.")
]
JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's jobId.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
AsJsonLines = Annotated[
    bool, typer.Option("--json", help="Print one line of JSON whenever the job changes.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="File with an API key on its first line."),
]
#: Long enough for a two-second film that waits behind a few other jobs.
DEFAULT_JOB_TIMEOUT_SECONDS = 120.0
JobTimeout = Annotated[
    float,
    typer.Option("--timeout", min=1, metavar="SECONDS", help="How long to wait for a job."),
]
