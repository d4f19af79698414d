# Sets the image of an overlay and shows the change. Applies nothing to the cluster:
#   scripts/update-preview-worker-image.ps1 [--dry-run] [OVERLAY] [-ImageTag] IMAGE
# OVERLAY is staging (the default), canary or production. IMAGE is registry/path:tag; canary and
# production require registry/path@sha256:…. Exit code 2: bad image. Exit code 3: bad file.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') (Join-Path $PSScriptRoot 'update_image.py') @args
exit $LASTEXITCODE
