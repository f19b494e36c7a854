<#
What the workflows call on Windows: one step a call. Every step ends with its program's exit code.

    ./ci/windows.ps1 libzmq                install libzmq by vcpkg
    ./ci/windows.ps1 setup                 make .venv, find Go and libzmq
    ./ci/windows.ps1 peer NAME             build and start one peer
    ./ci/windows.ps1 test WHAT [MORE ...]  run pytest -n auto
    ./ci/windows.ps1 soak DURATION         mixed traffic for so long
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [ValidateSet('libzmq', 'setup', 'peer', 'test', 'soak')]
    [string] $Step,

    [Parameter(Position = 1, ValueFromRemainingArguments = $true)]
    [string[]] $More = @()
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$Root = Split-Path -Parent $PSScriptRoot
$Scripts = Join-Path $Root '.venv\Scripts'

function Invoke-Program {
    param([string] $Program, [string[]] $Arguments)
    Write-Host "> $Program $($Arguments -join ' ')"
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        exit $LASTEXITCODE
    }
}

function Get-Vcpkg {
    foreach ($folder in @($env:VCPKG_INSTALLATION_ROOT, $env:VCPKG_ROOT)) {
        if ($folder -and (Test-Path (Join-Path $folder 'vcpkg.exe'))) {
            return Join-Path $folder 'vcpkg.exe'
        }
    }
    Write-Error 'There is no vcpkg: set VCPKG_INSTALLATION_ROOT to its folder.'
}

Push-Location $Root
try {
    switch ($Step) {
        'libzmq' { Invoke-Program (Get-Vcpkg) @('install', 'zeromq:x64-windows') }
        'setup' { Invoke-Program 'python' @('ci\bootstrap.py', 'setup') }
        'peer' { Invoke-Program (Join-Path $Scripts 'zmq-interop.exe') (@('peers', '--peer') + $More) }
        'test' { Invoke-Program (Join-Path $Scripts 'python.exe') (@('-m', 'pytest', '-n', 'auto') + $More) }
        'soak' { Invoke-Program (Join-Path $Scripts 'zmq-interop.exe') (@('soak', '--for') + $More) }
    }
}
finally {
    Pop-Location
}
