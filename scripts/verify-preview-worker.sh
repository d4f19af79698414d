#!/bin/sh
# Checks the installation on this machine: probes, metrics, a dry run and a small film:
#   scripts/verify-preview-worker.sh [--api URL] [--worker URL] [--key-file FILE] [--no-render]
# The exit code is that of `preview verify` (docs/cli.md): 1 if a check fails.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" -m app verify "$@"
