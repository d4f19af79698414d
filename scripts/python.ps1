# Runs the project's Python, with the project on its path: what the other scripts share.
# That is the .venv where there is one, else the python on PATH.
$ErrorActionPreference = 'Stop'
# Whoever has set it to true would get an exception, and an exit code of 1, instead of Python's own.
$PSNativeCommandUseErrorActionPreference = $false

$root = Split-Path -Parent $PSScriptRoot
$candidates = @(
    (Join-Path $root '.venv/Scripts/python.exe'),
    (Join-Path $root '.venv/bin/python')
)
$python = $candidates | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
if (-not $python) { $python = 'python' }

$before = $env:PYTHONPATH
$env:PYTHONPATH = if ($before) { $root + [IO.Path]::PathSeparator + $before } else { $root }
try {
    & $python @args
    $code = $LASTEXITCODE
}
finally {
    $env:PYTHONPATH = $before
}
exit $code
