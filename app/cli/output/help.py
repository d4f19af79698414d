"""Help texts: names without types, and examples."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperCommand

#: The type that typer puts after the name of an argument, such as `` <str>``.
_TYPE = re.compile(r" <[^>]*>$")
_BRACES = str.maketrans("", "", "{}")


class PlainHelp(TyperCommand):
    """A command whose help says ``FILE``, not ``{FILE}`` or ``FILE <str>``."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # typer's own context
        """Return the parts of the usage line."""
        return [piece.translate(_BRACES) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # typer's own context
        """Write the tables of arguments and options."""
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            records = [
                record
                for param in self.get_params(ctx)
                if param.param_type_name == kind and (record := param.get_help_record(ctx))
            ]
            if records:
                with formatter.section(title):
                    formatter.write_dl([(_TYPE.sub("", name), text) for name, text in records])


def examples(*lines: str) -> str | None:
    """Return the part of a help text that shows how a command is used; None without lines."""
    # The backspace keeps the lines as they are.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) if lines else None
