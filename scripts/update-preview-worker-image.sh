#!/bin/sh
# Sets the image of an overlay and shows the change. Applies nothing to the cluster:
#   scripts/update-preview-worker-image.sh [--dry-run] [OVERLAY] [-ImageTag] IMAGE
# OVERLAY is staging (the default), canary or production. IMAGE is registry/path:tag; canary and
# production require registry/path@sha256:…. Exit code 2: bad image. Exit code 3: bad file.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" "$here/update_image.py" "$@"
