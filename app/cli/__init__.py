"""The command line: ``preview …`` and ``python -m app``."""

from app.cli.main import main

__all__ = ["main"]
