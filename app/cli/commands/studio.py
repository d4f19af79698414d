"""``preview studio``: a payload edited, and its film seen, in a page on this machine."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.output.exits import CommandFailed, ExitCode
from app.cli.rendering import assets_of
from app.cli.signals import Signals
from app.cli.stack.setup import require_posix
from app.cli.stack.state import settings_here

#: Interval in seconds at which the signals are looked at.
TICK_SECONDS: Final = 0.1


def studio(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON file with the payload.")],
    assets: Annotated[
        Path | None,
        typer.Option(
            "--assets",
            metavar="DIR",
            help="Directory of the assets. Default: the payload's directory.",
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, metavar="PORT", help="Port of the page; 0 picks a free one."
        ),
    ] = 0,
) -> None:
    """Show a payload's film in a page on this machine, anew after every save.

    Edit FILE in the page or in an editor of your own. The page shows the still of the step under
    the cursor, and errors beside their lines. Ctrl-C ends the studio and leaves nothing behind but
    FILE.
    """
    require_posix()
    from app.cli.remote.addresses import local_url
    from app.cli.studio.server import studio as studio_of
    from app.temporary import remove_leftovers, temporary_directory

    settings = settings_here()
    asset_dir = assets_of(str(file), assets)
    root = Path(tempfile.gettempdir())
    for place in (root, file.parent):  # a killed studio may have left a draft beside its file
        remove_leftovers(place)
    with Signals() as signals, temporary_directory(root, name="studio") as work:
        try:
            with studio_of(
                file, asset_dir=asset_dir, settings=settings, work=work, port=port
            ) as found:
                typer.echo(f"Studio: {local_url(found)}/")
                typer.echo("Ctrl-C ends it.", err=True)
                while not signals.count:
                    time.sleep(TICK_SECONDS)
        except UnicodeDecodeError as error:
            raise CommandFailed(f"{file} is not UTF-8", ExitCode.UNREADABLE) from error
        except OSError as error:
            raise _refusal(file, port, error) from error


def _refusal(file: Path, port: int, error: OSError) -> CommandFailed:
    reason = error.strerror or str(error)
    if error.filename is None:
        return CommandFailed(f"cannot listen on port {port}: {reason}; --port 0 picks a free one")
    return CommandFailed(f"cannot read {file}: {reason}", ExitCode.UNREADABLE)
