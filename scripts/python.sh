#!/bin/sh
# Runs Python with the project on its path. The other scripts use this one.
# Uses the Python of .venv, or without .venv the first suitable one on the PATH.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
python=$root/.venv/bin/python
if [ ! -x "$python" ]; then
    python=$("$root/scripts/find-python")
    case ${1-} in
    *update_image.py) ;; # needs no packages
    *)
        "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('typer') is None)" || {
            echo "error: the packages are not installed; run: $python $root/scripts/make_env.py $root/.venv $root/requirements.txt" >&2
            exit 2
        }
        ;;
    esac
fi
PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" "$@"
