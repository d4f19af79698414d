#!/bin/sh
# Checks a payload against the contract, without a server:
#   scripts/validate-payload.sh FILE       (see `preview validate --help`)
# The exit code is that of `preview validate`.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" -m app validate "$@"
