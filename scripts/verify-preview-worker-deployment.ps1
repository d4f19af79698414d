# Checks a deployment in a cluster: rollouts, pods, probes, metrics and a dry run:
#   scripts/verify-preview-worker-deployment.ps1 OVERLAY [--context NAME] [--namespace NAME]
#       [--key-file FILE] [--render] [--timeout SECONDS]
# OVERLAY is staging, canary or production. Requires kubectl and the permissions of the role
# preview-operator. The exit code is 1 if a check fails.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') (Join-Path $PSScriptRoot 'verify_deployment.py') @args
exit $LASTEXITCODE
