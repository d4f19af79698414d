# Checks a payload against the contract, without a server:
#   scripts/validate-payload.ps1 FILE       (see `preview validate --help`)
# Runs the project's .venv where there is one, else the python on PATH.
# The exit code is that of `preview validate`.
$ErrorActionPreference = 'Stop'

$root = Split-Path -Parent $PSScriptRoot
$candidates = @(
    (Join-Path $root '.venv/Scripts/python.exe'),
    (Join-Path $root '.venv/bin/python')
)
$python = $candidates | Where-Object { Test-Path $_ } | Select-Object -First 1
if (-not $python) { $python = 'python' }

$before = $env:PYTHONPATH
$env:PYTHONPATH = if ($before) { $root + [IO.Path]::PathSeparator + $before } else { $root }
try {
    & $python -m app validate @args
    $code = $LASTEXITCODE
}
finally {
    $env:PYTHONPATH = $before
}
exit $code
