# Checks a payload against the contract, without a server:
#   scripts/validate-payload.ps1 FILE       (see `preview validate --help`)
# The exit code is that of `preview validate`.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') -m app validate @args
exit $LASTEXITCODE
