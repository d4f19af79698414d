# Checks what runs in a cluster: rollouts, pods, probes, metrics, a dry run, end to end:
#   scripts/verify-preview-worker-deployment.ps1 OVERLAY [--context NAME] [--namespace NAME]
#       [--key-file FILE] [--render] [--timeout SECONDS]
# OVERLAY is staging, canary or production. Needs kubectl and the rights of the role
# preview-operator. The exit code is 1 when a check fails.
$ErrorActionPreference = 'Stop'

& (Join-Path $PSScriptRoot 'python.ps1') (Join-Path $PSScriptRoot 'verify_deployment.py') @args
exit $LASTEXITCODE
