<#
.SYNOPSIS
Let the Task Scheduler run the job every four hours, in the server's time.

.DESCRIPTION
Run it in a PowerShell that was opened as administrator. It registers the task
"Scout Attribution Refresh" for the user who runs it; a second time changes nothing.

.PARAMETER Remove
Take the task away again.
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param([switch]$Remove)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$folder = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$python = Join-Path $folder '.venv\Scripts\python.exe'
if (-not (Test-Path -LiteralPath $python)) {
    Write-Error "The program is not installed here: $python is missing."
    exit 1
}

Set-Location -LiteralPath $folder
if ($Remove) {
    & $python -m scout_core schedule remove
} else {
    & $python -m scout_core schedule install
}
exit $LASTEXITCODE
