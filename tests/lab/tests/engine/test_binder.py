# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The binder against the real tables: what binds, into which set, and with which error what does not."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hyperv_lab.engine.binder import Binder
from hyperv_lab.engine.context import Bound
from hyperv_lab.engine.errors import PSError
from hyperv_lab.engine.objects import PSObj, make_object
from hyperv_lab.engine.providers import provider_of
from hyperv_lab.engine.shape import shape_of
from hyperv_lab.engine.tables import command_names, command_table

HV = "Microsoft.HyperV.PowerShell."
ID = "6f1c1f7e-0000-4000-8000-00000000000a"
VM = make_object(HV + "VirtualMachine", {"Name": "win11-gold", "Id": ID, "Path": "C:\\VMs"})
PICTURE = PSObj(["Deserialized." + HV + "VirtualMachine", "System.Object"], {"Name": "x"}, deserialized=True)
NAMED = PSObj(["Selected.X", "System.Management.Automation.PSCustomObject"], notes={"VMId": uuid.UUID(ID)})
Arguments = dict[str, Any] | list[tuple[str | None, Any]]


def command_line(command: str, arguments: Arguments, *, expects_input: bool = False, version: int = 2022) -> Binder:
    pairs = list(arguments.items()) if isinstance(arguments, dict) else arguments
    return Binder(shape_of(command, version, provider_of(command, pairs)), pairs, expects_input=expects_input)


def bind(command: str, arguments: Arguments) -> Bound:
    return command_line(command, arguments).bound()


def bind_record(command: str, arguments: Arguments, record: Any) -> Bound:
    return command_line(command, arguments, expects_input=True).record(record)


BOUND = [
    # command, arguments, set, values
    ("Get-VM", {}, "Name", {}),
    ("Get-VM", {"Name": "x"}, "Name", {"Name": ["x"]}),
    ("Get-VM", {"VMName": ["x", "y"]}, "Name", {"Name": ["x", "y"]}),
    ("Get-VM", {"na": "x"}, "Name", {"Name": ["x"]}),
    ("Get-VM", {"-Name": "x"}, "Name", {"Name": ["x"]}),
    ("Get-VM", {"Id": ID}, "Id", {"Id": uuid.UUID(ID)}),
    ("Get-VM", {"Id": uuid.UUID(ID)}, "Id", {"Id": uuid.UUID(ID)}),
    ("Get-VM", {"Id": "{" + ID.upper() + "}"}, "Id", {"Id": uuid.UUID(ID)}),
    ("Get-VM", [(None, "x")], "Name", {"Name": ["x"]}),
    ("Get-VM", [(None, uuid.UUID(ID))], "Id", {"Id": uuid.UUID(ID)}),
    ("Get-VM", [(None, 5)], "Name", {"Name": ["5"]}),
    ("Export-VM", {"Name": "x", "Path": "C:\\e"}, "Name", {"Name": ["x"], "Path": "C:\\e"}),
    ("Export-VM", [(None, "x"), (None, "C:\\e")], "Name", {"Name": ["x"], "Path": "C:\\e"}),
    ("Export-VM", {"VM": VM, "Path": "C:\\e"}, "VMObject", {"VM": [VM], "Path": "C:\\e"}),
    (
        "Move-VM",
        {"VM": VM, "DestinationHost": "hv02", "IncludeStorage": None, "DestinationStoragePath": "C:\\t"},
        "VMSingleDestination",
        {"VM": VM, "DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\t"},
    ),
    ("Move-VM", {"Name": "x", "DestinationHost": "h"}, "NameSingleDestination", {"Name": "x", "DestinationHost": "h"}),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "VirtualMachinePath": "C:\\v"},
        "NameMultipleDestinations",
        {"Name": "x", "DestinationHost": "h", "VirtualMachinePath": "C:\\v"},
    ),
    ("Import-VM", {"Path": "C:\\a.vmcx"}, "Register", {"Path": "C:\\a.vmcx"}),
    (
        "Import-VM",
        {"Path": "C:\\a.vmcx", "Copy": None, "GenerateNewId": None},
        "Copy",
        {"Path": "C:\\a.vmcx", "Copy": True, "GenerateNewId": True},
    ),
    ("Remove-VM", {"VM": VM, "Force": True}, "VMObject", {"VM": [VM], "Force": True}),
    ("Set-VM", {"VM": VM, "Notes": ""}, "VMObject", {"VM": [VM], "Notes": ""}),
    ("Get-Item", {"LiteralPath": "C:\\a[1]"}, "LiteralPath", {"LiteralPath": ["C:\\a[1]"]}),
    ("Get-Item", {"PSPath": "C:\\a"}, "LiteralPath", {"LiteralPath": ["C:\\a"]}),
    (
        "Get-ChildItem",
        {"LiteralPath": "C:\\a", "Directory": None},
        "LiteralItems",
        {"LiteralPath": ["C:\\a"], "Directory": True},
    ),
    ("Get-ChildItem", {}, "Items", {}),
    ("New-Item", {"Path": "C:\\a", "Type": "Directory"}, "pathSet", {"Path": ["C:\\a"], "ItemType": "Directory"}),
    ("New-Item", {"Path": "C:\\a", "Name": "b"}, "nameSet", {"Path": ["C:\\a"], "Name": "b"}),
    (
        "Get-Content",
        {"LiteralPath": "C:\\a", "First": "4kb"},
        "LiteralPath",
        {"LiteralPath": ["C:\\a"], "TotalCount": 4096},
    ),
    (
        "Remove-Item",
        {"LiteralPath": "C:\\a", "Recurse": False},
        "LiteralPath",
        {"LiteralPath": ["C:\\a"], "Recurse": False},
    ),
    (
        "Get-FileHash",
        {"LiteralPath": "C:\\a", "Algorithm": "sha256"},
        "LiteralPath",
        {"LiteralPath": ["C:\\a"], "Algorithm": "sha256"},
    ),
    ("Set-Content", {"LiteralPath": "C:\\a", "Value": None}, "LiteralPath", {"LiteralPath": ["C:\\a"], "Value": None}),
    ("Get-VMHost", {}, "ComputerName", {}),
    ("Get-VHD", {"Path": "C:\\a.vhdx"}, "Path", {"Path": ["C:\\a.vhdx"]}),
    ("Set-VM", {"Name": "x", "MemoryStartupBytes": "4GB"}, "Name", {"Name": ["x"], "MemoryStartupBytes": 4 << 30}),
]


@pytest.mark.parametrize(("command", "arguments", "set_name", "values"), BOUND)
def test_what_binds(command: str, arguments: Arguments, set_name: str, values: dict[str, Any]) -> None:
    bound = bind(command, arguments)
    assert (bound.set, dict(bound)) == (set_name, values)


HVC = HV + "Commands."
PS = "Microsoft.PowerShell.Commands."
REFUSED = [
    ("Get-VM", {"Nmae": "x"}, "NamedParameterNotFound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"force": None}, "NamedParameterNotFound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"": "x"}, "NamedParameterNotFound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"C": "x"}, "AmbiguousParameter," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Error": "Stop"}, "AmbiguousParameter," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", [("Name", "x"), ("VMName", "y")], "ParameterAlreadyBound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Name": "x", "Id": ID}, "AmbiguousParameterSet," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Id": "12"}, "CannotConvertArgumentNoMessage," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Id": [ID, ID]}, "CannotConvertArgument," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Id": 5}, "CannotConvertArgumentNoMessage," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"Id": None}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Get-VM", {"Name": None}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Get-VM", {"Name": ""}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Get-VM", {"Name": []}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Get-VM", {"Name": ["x", None]}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Get-VM", [(None, "x"), (None, "y")], "PositionalParameterNotFound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"WhatIf": None}, "NamedParameterNotFound," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"ErrorAction": "Stopp"}, "CannotConvertArgumentNoMessage," + HVC + "GetVM", "InvalidArgument"),
    ("Get-VM", {"OutBuffer": -1}, "ParameterArgumentValidationError," + HVC + "GetVM", "InvalidData"),
    ("Export-VM", {"Name": "x"}, "MissingMandatoryParameter," + HVC + "ExportVM", "InvalidArgument"),
    ("Export-VM", {"Path": "C:\\e"}, "MissingMandatoryParameter," + HVC + "ExportVM", "InvalidArgument"),
    (
        "Export-VM",
        {"Path": "", "Name": "x"},
        "ParameterArgumentValidationErrorEmptyStringNotAllowed," + HVC + "ExportVM",
        "InvalidData",
    ),
    (
        "Export-VM",
        {"VM": "x", "Path": "C:\\e"},
        "CannotConvertArgumentNoMessage," + HVC + "ExportVM",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"VM": PICTURE, "Path": "C:\\e"},
        "CannotConvertArgumentNoMessage," + HVC + "ExportVM",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"VM": VM, "Name": "x", "Path": "C:\\e"},
        "AmbiguousParameterSet," + HVC + "ExportVM",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"Name": "x", "Path": "p", "CaptureLiveState": "No"},
        "CannotConvertArgumentNoMessage," + HVC + "ExportVM",
        "InvalidArgument",
    ),
    (
        "Export-VM",
        {"Name": "x", "Path": "p", "CaptureLiveState": 7},
        "CannotConvertArgumentNoMessage," + HVC + "ExportVM",
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
        "AmbiguousParameterSet," + HVC + "MoveVM",
        "InvalidArgument",
    ),
    ("Move-VM", {"VMName": "x", "DestinationHost": "h"}, "NamedParameterNotFound," + HVC + "MoveVM", "InvalidArgument"),
    (
        "Move-VM",
        {"Name": ["x", "y"], "DestinationHost": "h"},
        "CannotConvertArgument," + HVC + "MoveVM",
        "InvalidArgument",
    ),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "IncludeStorage": "yes"},
        "CannotConvertArgument," + HVC + "MoveVM",
        "InvalidArgument",
    ),
    (
        "Move-VM",
        {"Name": "x", "DestinationHost": "h", "Vhds": "a"},
        "CannotConvertArgumentNoMessage," + HVC + "MoveVM",
        "InvalidArgument",
    ),
    (
        "Import-VM",
        {"Path": "a", "GenerateNewId": True},
        "MissingMandatoryParameter," + HVC + "ImportVM",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": -1},
        "CannotConvertArgumentNoMessage," + HVC + "SetVMHost",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": 1 << 32},
        "CannotConvertArgumentNoMessage," + HVC + "SetVMHost",
        "InvalidArgument",
    ),
    (
        "Set-VMHost",
        {"MaximumStorageMigrations": "two"},
        "CannotConvertArgumentNoMessage," + HVC + "SetVMHost",
        "InvalidArgument",
    ),
    (
        "Get-VHD",
        {"Path": None},
        "ParameterArgumentValidationError,Microsoft.Vhd.PowerShell.Cmdlets.GetVHD",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": None},
        "ParameterArgumentValidationErrorNullNotAllowed," + PS + "GetContentCommand",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": ""},
        "ParameterArgumentValidationErrorEmptyStringNotAllowed," + PS + "GetContentCommand",
        "InvalidData",
    ),
    (
        "Get-Content",
        {"Path": []},
        "ParameterArgumentValidationErrorEmptyArrayNotAllowed," + PS + "GetContentCommand",
        "InvalidData",
    ),
    ("Get-Content", {}, "MissingMandatoryParameter," + PS + "GetContentCommand", "InvalidArgument"),
    (
        "Get-Content",
        {"LiteralPath": "a", "Encoding": "latin1"},
        "CannotConvertArgumentNoMessage," + PS + "GetContentCommand",
        "InvalidArgument",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "TotalCount": "x"},
        "CannotConvertArgumentNoMessage," + PS + "GetContentCommand",
        "InvalidArgument",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "ReadCount": None},
        "ParameterBindingFailed," + PS + "GetContentCommand",
        "WriteError",
    ),
    (
        "Get-Content",
        {"LiteralPath": "a", "Path": "b"},
        "AmbiguousParameterSet," + PS + "GetContentCommand",
        "InvalidArgument",
    ),
    # Parameters of the FileSystem provider are not there on another provider's drive.
    (
        "Get-Content",
        {"LiteralPath": "Env:PATH", "Raw": None},
        "NamedParameterNotFound," + PS + "GetContentCommand",
        "InvalidArgument",
    ),
    (
        "Get-ChildItem",
        {"LiteralPath": "C:\\a", "CodeSigningCert": None},
        "NamedParameterNotFound," + PS + "GetChildItemCommand",
        "InvalidArgument",
    ),
    ("Get-FileHash", {"Path": "a", "Algorithm": "CRC"}, "ParameterArgumentValidationError,Get-FileHash", "InvalidData"),
    (
        "Select-Object",
        {"First": 1, "Index": 1},
        "AmbiguousParameterSet," + PS + "SelectObjectCommand",
        "InvalidArgument",
    ),
    (
        "Select-Object",
        {"First": "one"},
        "CannotConvertArgumentNoMessage," + PS + "SelectObjectCommand",
        "InvalidArgument",
    ),
    (
        "Where-Object",
        {"Property": "a", "EQ": True, "NE": True, "Value": 1},
        "AmbiguousParameterSet," + PS + "WhereObjectCommand",
        "InvalidArgument",
    ),
    (
        "Test-Path",
        {"LiteralPath": "a", "PathType": "Folder"},
        "CannotConvertArgumentNoMessage," + PS + "TestPathCommand",
        "InvalidArgument",
    ),
    (
        "Get-VMSwitch",
        {"SwitchType": "Extern,Private"},
        "CannotConvertArgumentNoMessage," + HVC + "GetVMSwitch",
        "InvalidArgument",
    ),
]


@pytest.mark.parametrize(("command", "arguments", "error_id", "category"), REFUSED)
def test_what_is_refused(command: str, arguments: Arguments, error_id: str, category: str) -> None:
    with pytest.raises(PSError) as caught:
        bind(command, arguments)
    assert (caught.value.error_id, caught.value.category) == (error_id, category)


def test_there_are_enough_cases() -> None:
    assert len(BOUND) + len(REFUSED) >= 85


PIPED = [
    ("Export-VM", {"Path": "C:\\e"}, VM, "VMObject", {"VM": [VM]}),
    ("Export-VM", {"Path": "C:\\e"}, "a name", "Name", {"Name": ["a name"]}),
    ("Export-VM", {"Path": "C:\\e"}, PICTURE, "Name", {"Name": ["Deserialized." + HV + "VirtualMachine"]}),
    ("Move-VM", {"DestinationHost": "h", "IncludeStorage": True}, VM, "VMSingleDestination", {"VM": VM}),
    ("Move-VM", {"DestinationHost": "h", "VirtualMachinePath": "C:\\v"}, VM, "VMMultipleDestinations", {"VM": VM}),
    ("Remove-VM", {"Force": True}, VM, "VMObject", {"VM": [VM]}),
    ("Rename-VM", {"NewName": "x"}, VM, "VMObject", {"VM": [VM]}),
    ("Set-VM", {"Notes": "x"}, VM, "VMObject", {"VM": [VM]}),
    ("Get-VMHardDiskDrive", {}, VM, "VMObject", {"VM": [VM]}),
    ("Get-VM", {}, "x", "Name", {"Name": ["x"]}),
    ("Get-VHD", {}, NAMED, "VMId", {"VMId": [uuid.UUID(ID)]}),
    ("Get-VHD", {}, VM, "Path", {"Path": ["C:\\VMs"]}),  # the VM's folder: not what one might hope for
    ("Get-VMHost", {}, "hv02", "ComputerName", {"ComputerName": ["hv02"]}),
    ("Get-Item", {}, "C:\\a", "Path", {"Path": ["C:\\a"]}),
    (
        "Get-Item",
        {},
        PSObj(["F"], {"Name": "a"}, {"PSPath": "FileSystem::C:\\a"}),
        "LiteralPath",
        {"LiteralPath": ["FileSystem::C:\\a"]},
    ),
    ("Set-Content", {"LiteralPath": "C:\\a"}, "text", "LiteralPath", {"Value": ["text"]}),
    ("Select-Object", {"First": 1}, VM, "DefaultParameter", {"InputObject": VM}),
    ("Out-Null", {}, "x", "__AllParameterSets", {"InputObject": "x"}),
]


@pytest.mark.parametrize(("command", "arguments", "record", "set_name", "values"), PIPED)
def test_what_binds_from_the_pipeline(
    command: str, arguments: Arguments, record: Any, set_name: str, values: dict[str, Any]
) -> None:
    bound = bind_record(command, arguments, record)
    assert bound.set == set_name
    assert {name: bound[name] for name in values} == values
    assert len(bound) == len(values) + len(arguments)
    assert bound.input is record


NOT_PIPED: list[tuple[str, Arguments, Any, str]] = [
    ("Get-Date", {}, "no date", "InputObjectNotBound," + PS + "GetDateCommand"),
    ("Start-Sleep", {}, "soon", "InputObjectNotBound," + PS + "StartSleepCommand"),
    # Two parameters of two sets both take any Guid.
    ("Get-VM", {}, uuid.UUID(ID), "AmbiguousParameterSet," + HVC + "GetVM"),
    (
        "Get-VHD",
        {},
        PSObj(["X"], {"Path": None}),
        "ParameterArgumentValidationError,Microsoft.Vhd.PowerShell.Cmdlets.GetVHD",
    ),
]


@pytest.mark.parametrize(("command", "arguments", "record", "error_id"), NOT_PIPED)
def test_what_does_not_bind_from_the_pipeline(command: str, arguments: Arguments, record: Any, error_id: str) -> None:
    binder = command_line(command, arguments, expects_input=True)
    with pytest.raises(PSError) as caught:
        binder.record(record)
    assert caught.value.error_id == error_id


def test_what_only_the_caller_can_give_is_missing_before_any_input() -> None:
    with pytest.raises(PSError) as caught:
        command_line("Export-VM", {}, expects_input=True)
    assert caught.value.error_id == "MissingMandatoryParameter," + HVC + "ExportVM"
    assert caught.value.message.endswith("parameters: Path.")


def test_one_record_leaves_no_trace_in_the_next() -> None:
    binder = command_line("Export-VM", {"Path": "C:\\e"}, expects_input=True)
    assert binder.record(VM).set == "VMObject"
    assert dict(binder.record("x")) == {"Path": "C:\\e", "Name": ["x"]}
    assert dict(binder.record(VM)) == {"Path": "C:\\e", "VM": [VM]}
    assert dict(binder.bound()) == {"Path": "C:\\e"}


def test_common_parameters_stand_apart() -> None:
    binder = command_line("Remove-Item", {"LiteralPath": "a", "ea": "stop", "wi": None, "OutVariable": "v"})
    assert dict(binder.bound()) == {"LiteralPath": ["a"]}
    assert str(binder.common["ErrorAction"]) == "Stop"
    assert (binder.common["WhatIf"], binder.common["OutVariable"]) == (True, "v")


def test_an_older_server_lacks_what_came_later() -> None:
    assert command_line("New-SmbShare", {"Name": "a", "Path": "b", "CompressData": True}, version=2022)
    with pytest.raises(PSError) as caught:
        command_line("New-SmbShare", {"Name": "a", "Path": "b", "CompressData": True}, version=2019)
    assert caught.value.error_id == "NamedParameterNotFound,New-SmbShare"


@pytest.mark.parametrize("name", command_names())
def test_every_command_of_the_tables_has_a_shape(name: str) -> None:
    shape = shape_of(name, 2025)
    assert {slot.name for slot in shape.slots if not slot.common} <= set(command_table(name).parameters)
    for slot in shape.slots:
        assert shape.find(slot.name) is slot


def test_static_parameters_are_found_by_their_beginning_before_dynamic_ones() -> None:
    assert dict(bind("Get-Content", {"LiteralPath": "a", "E": "b"})) == {"LiteralPath": ["a"], "Exclude": ["b"]}
    assert dict(bind("Get-Content", {"LiteralPath": "a", "Enc": "UTF8"}))["Encoding"].name == "UTF8"
