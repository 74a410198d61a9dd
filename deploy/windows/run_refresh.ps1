<#
.SYNOPSIS
Run the job once, as the Task Scheduler does.

.DESCRIPTION
Its output goes to log\refresh.log in the data folder, which rotates; the exit code is that of
the refresh, or 124 when it took longer than SCOUT_RUN_LIMIT_MINUTES and was ended.
#>
#Requires -Version 5.1
[CmdletBinding()]
param()

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$folder = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
Set-Location -LiteralPath $folder
& (Join-Path $folder '.venv\Scripts\python.exe') -m scout_core schedule run
exit $LASTEXITCODE
