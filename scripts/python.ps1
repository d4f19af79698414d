# Runs Python with the project on its path. The other scripts use this one.
# Uses the Python of .venv, or without .venv the python on the PATH.
$ErrorActionPreference = 'Stop'
# If this were true, a failure would raise an exception and lose Python's exit code.
$PSNativeCommandUseErrorActionPreference = $false

$root = Split-Path -Parent $PSScriptRoot
$candidates = @(
    (Join-Path $root '.venv/Scripts/python.exe'),
    (Join-Path $root '.venv/bin/python')
)
$python = $candidates | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
if (-not $python) {
    $python = 'python'
    if ("$args" -notlike '*update_image.py*') {
        & $python -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('typer') is None)"
        if ($LASTEXITCODE -ne 0) {
            [Console]::Error.WriteLine("error: the packages are not installed; run: $python $root/scripts/make_env.py $root/.venv $root/requirements.txt")
            exit 2
        }
    }
}

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
