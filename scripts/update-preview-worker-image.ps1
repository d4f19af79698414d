# Sets the image of an overlay and shows the change; applies nothing:
#   scripts/update-preview-worker-image.ps1 [--dry-run] [OVERLAY] [-ImageTag] IMAGE
# OVERLAY is staging (the default), canary or production; IMAGE is registry/path:tag, and for
# the last two registry/path@sha256:…. The exit code is 2 for a bad image, 3 for a bad file.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') (Join-Path $PSScriptRoot 'update_image.py') @args
exit $LASTEXITCODE
