"""Answers of servers that are not what they were taken for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.cli.output.exits import CommandFailed


@contextmanager
def expected_of(url: str) -> Iterator[None]:
    """Read the answers of the server at ``url`` as those of this product.

    Raises:
        CommandFailed: They are JSON, but that of something else.
    """
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise CommandFailed(
            f"{url} does not answer as a preview process does; is the address right?"
        ) from error
