"""``preview validate``: payloads held against the contract, without a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.options import AsJson
from app.cli.output.console import clean, print_json
from app.cli.output.exits import CommandFailed, ExitCode, complain, violation
from app.cli.payloads import label, read_payload
from app.contract import Contract, RemoteAssets, load_contract
from app.errors import ErrorItem, PreviewError
from app.settings import SettingsError, load_settings


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with one payload."""

    valid: bool
    errors: tuple[ErrorItem, ...] = ()
    warnings: tuple[ErrorItem, ...] = ()


def validate(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="JSON files with payloads; - reads standard input."),
    ],
    assets: Annotated[
        Path | None,
        typer.Option(
            "--assets",
            metavar="DIR",
            help="Also check that the assets exist in DIR, with the declared sizes and checksums.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check payloads without a queue.

    Prints every violation with its JSON pointer. Returns 2 if a payload is invalid, and 3 if a
    file cannot be read. Remote assets are not fetched, and media is not decoded; a dry run or
    preview render does that.
    """
    if assets is not None and not assets.is_dir():
        raise CommandFailed(f"--assets {assets} is not a directory", ExitCode.UNREADABLE)
    contract = load_contract(remote=_remote_assets())
    verdicts: dict[str, Verdict] = {}
    code = ExitCode.OK
    for file in files:
        try:
            verdicts[file] = _verdict(contract, file, assets)
        except CommandFailed as error:
            complain(str(error))
            code = error.code
            verdicts[file] = Verdict(valid=False, errors=(ErrorItem("", "unreadable", str(error)),))
            continue
        if not as_json:
            _print(label(file), verdicts[file])
        if not verdicts[file].valid:
            code = code or ExitCode.INVALID
            count = len(verdicts[file].errors)
            complain(f"{label(file)}: {count} {'error' if count == 1 else 'errors'}")
    if as_json and len(files) == 1:
        for verdict in verdicts.values():
            print_json(verdict)
    elif as_json:
        print_json(
            {
                "valid": code == ExitCode.OK,
                "files": {label(file): verdict for file, verdict in verdicts.items()},
            }
        )
    if code:
        raise typer.Exit(code)


def _remote_assets() -> RemoteAssets:
    """Return what the settings allow; bad settings must not keep a payload from being checked."""
    try:
        return RemoteAssets.of(load_settings())
    except SettingsError:
        return RemoteAssets()


def _verdict(contract: Contract, file: str, assets: Path | None) -> Verdict:
    """Check one payload.

    Raises:
        CommandFailed: The file cannot be read.
    """
    try:
        payload = contract.check(read_payload(file))
        if assets is not None:
            _check_assets(payload, assets)
    except PreviewError as error:
        items = error.errors or (ErrorItem("", error.code, error.detail),)
        return Verdict(valid=False, errors=tuple(items))
    warnings = contract.unsupported(payload) if payload["dryRun"] else ()
    return Verdict(valid=True, warnings=tuple(warnings))


def _check_assets(payload: Mapping[str, Any], assets: Path) -> None:
    """Check the local assets.

    Raises:
        AssetFailed, AssetBlocked: One is missing, or is not the one that the payload declares.
    """
    from app.render.assets import resolve_assets

    local = [asset for asset in payload["previewRequest"]["assets"] if "path" in asset]
    resolve_assets({"previewRequest": {"assets": local}}, asset_dir=assets)


def _print(name: str, verdict: Verdict) -> None:
    for item in verdict.errors:
        typer.echo(violation(item))
    for item in verdict.warnings:
        typer.echo(f"warning: {violation(item)}")
    if verdict.valid:
        typer.echo(f"{clean(name)}: valid")
