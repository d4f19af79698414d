#!/bin/sh
# Checks what runs in a cluster: rollouts, pods, probes, metrics, a dry run, end to end:
#   scripts/verify-preview-worker-deployment.sh OVERLAY [--context NAME] [--namespace NAME]
#       [--key-file FILE] [--render] [--timeout SECONDS]
# OVERLAY is staging, canary or production. Needs kubectl and the rights of the role
# preview-operator. The exit code is 1 when a check fails.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" "$here/verify_deployment.py" "$@"
