"""``preview validate``: the contract, without a queue."""

from __future__ import annotations

import typer

from app.cli.options import AsJson, PayloadFile
from app.cli.output.console import clean, print_json
from app.cli.output.exits import ExitCode, complain, violation
from app.cli.payloads import label, read_payload
from app.contract import RemoteAssets, load_contract
from app.errors import ErrorItem, PreviewError
from app.settings import SettingsError, load_settings


def _remote_assets() -> RemoteAssets:
    """Return what the settings allow; payloads can be checked where no service could run."""
    try:
        return RemoteAssets.of(load_settings())
    except SettingsError:
        return RemoteAssets()


def validate(
    file: PayloadFile,
    as_json: AsJson = False,
) -> None:
    """Check a payload: 0 valid, 2 invalid with every error, 3 unreadable."""
    contract = load_contract(remote=_remote_assets())
    warnings: tuple[ErrorItem, ...] = ()
    errors: tuple[ErrorItem, ...] = ()
    try:
        payload = read_payload(file)
        contract.check(payload)
        assert isinstance(payload, dict)
        warnings = contract.unsupported(payload) if payload["dryRun"] else ()
    except PreviewError as error:
        errors = error.errors or (ErrorItem("", error.code, error.detail),)
    if as_json:
        print_json({"valid": not errors, "errors": errors, "warnings": warnings})
    else:
        for item in errors:
            typer.echo(violation(item))
        for item in warnings:
            typer.echo(f"warning: {violation(item)}")
        if not errors:
            typer.echo(f"{clean(label(file))}: valid")
    if errors:
        plural = "error" if len(errors) == 1 else "errors"
        complain(f"{label(file)}: {len(errors)} {plural}")
        raise typer.Exit(ExitCode.INVALID)
