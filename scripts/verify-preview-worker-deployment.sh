#!/bin/sh
# Checks a deployment in a cluster: rollouts, pods, probes, metrics and a dry run:
#   scripts/verify-preview-worker-deployment.sh OVERLAY [--context NAME] [--namespace NAME]
#       [--key-file FILE] [--render] [--timeout SECONDS]
# OVERLAY is staging, canary or production. Requires kubectl and the permissions of the role
# preview-operator. The exit code is 1 if a check fails.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
exec "$here/python.sh" "$here/verify_deployment.py" "$@"
