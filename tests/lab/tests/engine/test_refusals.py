# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the real binder refuses, by the documents' parameter tables: error id and category of each."""

from __future__ import annotations

from typing import Any

import pytest
from hyperv_lab.engine.binding_errors import BINDING, TRANSFORMATION, VALIDATION
from hyperv_lab.engine.errors import PSError
from hyperv_lab.engine.tables import command_table

from tests.lab.tests.engine.test_binder import ID, PICTURE, VM, Arguments, bind

REFUSED: list[tuple[str, Any, str, str]] = [
    ("Get-VM", {"Nmae": "x"}, "NamedParameterNotFound", "InvalidArgument"),
    ("Get-VM", {"force": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Get-VM", {"": "x"}, "NamedParameterNotFound", "InvalidArgument"),
    ("Get-VM", {"C": "x"}, "AmbiguousParameter", "InvalidArgument"),
    ("Get-VM", {"Error": "Stop"}, "AmbiguousParameter", "InvalidArgument"),
    ("Get-VM", [("Name", "x"), ("VMName", "y")], "ParameterAlreadyBound", "InvalidArgument"),
    ("Get-VM", {"Name": "x", "Id": ID}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Get-VM", {"Id": "12"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VM", {"Id": [ID, ID]}, "CannotConvertArgument", "InvalidArgument"),
    ("Get-VM", {"Id": 5}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VM", {"Id": None}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", {"Name": None}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", {"Name": ""}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", {"Name": []}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", {"Name": ["x", None]}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", [(None, "x"), (None, "y")], "PositionalParameterNotFound", "InvalidArgument"),
    ("Get-VM", {"WhatIf": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Get-VM", {"ErrorAction": "Stopp"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VM", {"OutBuffer": -1}, "ParameterArgumentValidationError", "InvalidData"),
    ("Export-VM", {"Name": "x"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Export-VM", {"Path": "C:\\e"}, "MissingMandatoryParameter", "InvalidArgument"),
    (
        "Export-VM",
        {"Path": "", "Name": "x"},
        "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        "InvalidData",
    ),
    (
        "Export-VM",
        {"VM": "x", "Path": "C:\\e"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"VM": PICTURE, "Path": "C:\\e"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"VM": VM, "Name": "x", "Path": "C:\\e"},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"Name": "x", "Path": "p", "CaptureLiveState": "No"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"Name": "x", "Path": "p", "CaptureLiveState": 7},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    # The third example of the documents mixes two sets: it cannot be bound.
    (
        "Move-VM",
        [
            (None, "Test VM"),
            (None, "hv02"),
            ("IncludeStorage", None),
            ("VirtualMachinePath", "D:\\VM"),
            ("Vhds", [{"SourceFilePath": "C:\\a.vhdx", "DestinationFilePath": "D:\\a.vhdx"}]),
        ],
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    ("Move-VM", {"VMName": "x", "DestinationHost": "h"}, "NamedParameterNotFound", "InvalidArgument"),
    (
        "Move-VM",
        {"Name": ["x", "y"], "DestinationHost": "h"},
        "CannotConvertArgument",
        "InvalidArgument",
    ),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "IncludeStorage": "yes"},
        "CannotConvertArgument",
        "InvalidArgument",
    ),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "Vhds": "a"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Import-VM",
        {"Path": "a", "GenerateNewId": True},
        "MissingMandatoryParameter",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": -1},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": 1 << 32},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": "two"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Get-VHD",
        {"Path": None},
        "ParameterArgumentValidationError",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": None},
        "ParameterArgumentValidationErrorNullNotAllowed",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": ""},
        "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": []},
        "ParameterArgumentValidationErrorEmptyArrayNotAllowed",
        "InvalidData",
    ),
    ("Get-Content", {}, "MissingMandatoryParameter", "InvalidArgument"),
    (
        "Get-Content",
        {"LiteralPath": "a", "Encoding": "latin1"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "TotalCount": "x"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "ReadCount": None},
        "ParameterBindingFailed",
        "WriteError",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "Path": "b"},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    # Parameters of the FileSystem provider are not there on another provider's drive.
    (
        "Get-Content",
        {"LiteralPath": "Env:PATH", "Raw": None},
        "NamedParameterNotFound",
        "InvalidArgument",
    ),
    (
        "Get-ChildItem",
        {"LiteralPath": "C:\\a", "CodeSigningCert": None},
        "NamedParameterNotFound",
        "InvalidArgument",
    ),
    ("Get-FileHash", {"Path": "a", "Algorithm": "CRC"}, "ParameterArgumentValidationError", "InvalidData"),
    (
        "Select-Object",
        {"First": 1, "Index": 1},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    (
        "Select-Object",
        {"First": "one"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Where-Object",
        {"Property": "a", "EQ": True, "NE": True, "Value": 1},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    (
        "Test-Path",
        {"LiteralPath": "a", "PathType": "Folder"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Get-VMSwitch",
        {"SwitchType": "Extern,Private"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    # By command
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "IncludeStorage": None, "VirtualMachinePath": "C:\\v"},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "DestinationStoragePath": "C:\\a", "SnapshotFilePath": "C:\\b"},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    ("Move-VM", {"Name": "x"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Move-VM", {"DestinationHost": "h"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Move-VM", {"VM": [VM, VM], "DestinationHost": "h"}, "CannotConvertArgument", "InvalidArgument"),
    ("Move-VM", {"CompatibilityReport": VM}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Move-VM", {"Name": "x", "DestinationHost": "h", "Force": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Import-VM", {"Path": "a", "VhdDestinationPath": "b"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Import-VM", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Import-VM", {"CompatibilityReport": PICTURE}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Import-VM", {"Path": "a", "Copy": None, "Register": None}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Import-VM", {"Path": ["a", "b"]}, "CannotConvertArgument", "InvalidArgument"),
    ("Import-VM", {"Path": "a", "Name": "b"}, "NamedParameterNotFound", "InvalidArgument"),
    ("Compare-VM", {"Name": "x", "Path": "a"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Compare-VM", {"Path": "a", "DestinationHost": "h"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Export-VM", {"Name": "x", "Path": "p", "Copy": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Export-VM", {"Name": "x", "Path": ["p", "q"]}, "CannotConvertArgument", "InvalidArgument"),
    ("Export-VM", [(None, "x"), (None, "p"), (None, "q")], "PositionalParameterNotFound", "InvalidArgument"),
    ("Remove-VM", {"Force": None}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Remove-VM", {"Name": "x", "VM": VM}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Remove-VM", {"Id": ID}, "NamedParameterNotFound", "InvalidArgument"),
    ("Rename-VM", {"Name": "x"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Rename-VM", {"Name": "x", "NewName": ""}, "ParameterArgumentValidationError", "InvalidData"),
    ("Rename-VM", {"Id": ID, "NewName": "y"}, "NamedParameterNotFound", "InvalidArgument"),
    ("Set-VM", {"Name": "x", "AutomaticStartAction": "Maybe"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Set-VM", {"Name": "x", "ProcessorCount": "many"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Set-VM", {"Name": "x", "MemoryStartupBytes": "4XB"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Set-VM", {"Name": "x", "Id": ID}, "NamedParameterNotFound", "InvalidArgument"),
    ("Set-VM", {"Name": "x", "Memory": 1}, "AmbiguousParameter", "InvalidArgument"),
    ("Start-VM", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Start-VM", {"Name": "x", "Force": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Checkpoint-VM", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Remove-VMSnapshot", {"Name": "s"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Remove-VMSnapshot", {"VMName": "x", "VM": VM}, "AmbiguousParameterSet", "InvalidArgument"),
    ("New-VHD", {"Path": "a", "SizeBytes": "big"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("New-VHD", {"Path": "a"}, "MissingMandatoryParameter", "InvalidArgument"),
    (
        "New-VHD",
        {"Path": "a", "SizeBytes": 1, "Fixed": None, "Differencing": None},
        "AmbiguousParameterSet",
        "InvalidArgument",
    ),
    ("New-VHD", {"Path": "a", "ParentPath": "b", "Fixed": None}, "AmbiguousParameterSet", "InvalidArgument"),
    ("New-VM", {"Name": "x", "VHDPath": "a", "NewVHDPath": "b"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("New-VM", {"Name": "x", "Generation": 3}, "ParameterArgumentValidationError", "InvalidData"),
    ("New-VM", {"Name": "x", "BootDevice": "USB"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VHD", {"Path": "a", "VMId": ID}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Get-VHD", {"VMId": "x"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VHD", {"DiskNumber": "x"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Get-VHD", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Test-VHD", {}, "MissingMandatoryParameter", "InvalidArgument"),
    (
        "Get-VMHardDiskDrive",
        {"VMName": "x", "ControllerType": "SATA"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    (
        "Add-VMHardDiskDrive",
        {"VMName": "x", "ControllerType": "SATA"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    ("Enable-VMMigration", {"Name": "x"}, "NamedParameterNotFound", "InvalidArgument"),
    ("Add-VMMigrationNetwork", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Connect-VMNetworkAdapter", {"VMName": "x"}, "MissingMandatoryParameter", "InvalidArgument"),
    (
        "Set-VMHost",
        {"VirtualMachineMigrationAuthenticationType": "NTLM"},
        "CannotConvertArgumentNoMessage",
        "InvalidArgument",
    ),
    ("Set-VMHost", {"UseAnyNetworkForMigration": "yes"}, "CannotConvertArgument", "InvalidArgument"),
    ("Get-CimInstance", {"ClassName": "a", "Query": "b"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Get-CimInstance", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Get-Item", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("New-Item", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Copy-Item", {"LiteralPath": "a", "Path": "b"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Rename-Item", {"LiteralPath": "a"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Remove-Item", {"LiteralPath": "a", "Forced": None}, "NamedParameterNotFound", "InvalidArgument"),
    ("Set-Content", {"LiteralPath": "a"}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Test-Path", {"LiteralPath": None}, "ParameterArgumentValidationErrorNullNotAllowed", "InvalidData"),
    ("Start-Sleep", {"Seconds": "soon"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Start-Sleep", {"Seconds": 1, "Milliseconds": 1}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Get-Date", {"Format": "o", "UFormat": "%s"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Get-Date", {"Date": "never"}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Set-Variable", {"Value": 1}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Where-Object", {"Value": 1}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Select-Object", {"Firstly": 1}, "NamedParameterNotFound", "InvalidArgument"),
    ("ForEach-Object", {"MemberName": "a", "Process": "b"}, "AmbiguousParameterSet", "InvalidArgument"),
    ("Write-Output", {}, "MissingMandatoryParameter", "InvalidArgument"),
    ("Get-VM", {"ComputerName": ""}, "ParameterArgumentValidationError", "InvalidData"),
    ("Get-VM", {"OutVariable": ["a", "b"]}, "CannotConvertArgument", "InvalidArgument"),
    ("Get-VM", {"ErrorAction": 7}, "CannotConvertArgumentNoMessage", "InvalidArgument"),
    ("Remove-VM", {"Name": "x", "Confirm": "no"}, "CannotConvertArgument", "InvalidArgument"),
]


@pytest.mark.parametrize(("command", "arguments", "error_id", "category"), REFUSED)
def test_what_is_refused(command: str, arguments: Arguments, error_id: str, category: str) -> None:
    with pytest.raises(PSError) as caught:
        bind(command, arguments)
    error = caught.value
    assert (error.error_id, error.category) == (f"{error_id},{command_table(command).class_name}", category)
    assert error.exception_type in (BINDING, VALIDATION, TRANSFORMATION)


def test_there_are_enough_cases_of_every_kind() -> None:
    assert len(REFUSED) >= 120
    kinds = {kind for _, _, kind, _ in REFUSED}
    assert kinds >= {
        "NamedParameterNotFound",
        "AmbiguousParameter",
        "AmbiguousParameterSet",
        "ParameterAlreadyBound",
        "PositionalParameterNotFound",
        "MissingMandatoryParameter",
        "CannotConvertArgument",
        "CannotConvertArgumentNoMessage",
        "ParameterArgumentValidationError",
        "ParameterArgumentValidationErrorNullNotAllowed",
        "ParameterArgumentValidationErrorEmptyStringNotAllowed",
        "ParameterArgumentValidationErrorEmptyArrayNotAllowed",
        "ParameterBindingFailed",
    }
