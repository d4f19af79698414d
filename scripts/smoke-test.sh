#!/bin/sh
# Sends a small job to a running API and checks every file of its result:
#   scripts/smoke-test.sh [URL] [--key-file FILE] [--dry-run] [--timeout SECONDS] [--json]
# The exit code is that of `preview smoke` (docs/cli.md): 0 if every check passes.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" -m app smoke "$@"
