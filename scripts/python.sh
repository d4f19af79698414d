#!/bin/sh
# Runs the project's Python, with the project on its path: what the other scripts share.
# That is the .venv where there is one, else the first on PATH that is new enough.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=$root/.venv/bin/python
[ -x "$python" ] || python=$("$root/scripts/find-python")
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" "$@"
