"""``python -m app``: the same as ``preview``."""

from app.cli import main

main()
