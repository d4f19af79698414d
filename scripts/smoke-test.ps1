# Sends a small job to a running API and checks every file of its result:
#   scripts/smoke-test.ps1 [URL] [--key-file FILE] [--dry-run] [--timeout SECONDS] [--json]
# The exit code is that of `preview smoke` (docs/cli.md): 0 if every check passes.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') -m app smoke @args
exit $LASTEXITCODE
