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
