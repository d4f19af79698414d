#!/bin/sh
# Checks a payload against the contract, without a server:
#   scripts/validate-payload.sh FILE       (see `preview validate --help`)
# Runs the project's .venv where there is one, else the python3 on PATH.
# The exit code is that of `preview validate`.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=$root/.venv/bin/python
[ -x "$python" ] || python=python3
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" -m app validate "$@"
