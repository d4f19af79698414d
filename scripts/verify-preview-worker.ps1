# Checks the installation on this machine: probes, metrics, a dry run and a small film:
#   scripts/verify-preview-worker.ps1 [--api URL] [--worker URL] [--key-file FILE] [--no-render]
# The exit code is that of `preview verify` (docs/cli.md): 1 if a check fails.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') -m app verify @args
exit $LASTEXITCODE
