#!/bin/sh
# Sets the image of an overlay and shows the change; applies nothing:
#   scripts/update-preview-worker-image.sh [--dry-run] [OVERLAY] [-ImageTag] IMAGE
# OVERLAY is staging (the default), canary or production; IMAGE is registry/path:tag, and for
# the last two registry/path@sha256:…. The exit code is 2 for a bad image, 3 for a bad file.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" "$here/update_image.py" "$@"
