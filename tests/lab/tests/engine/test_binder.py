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


REMAINING: list[tuple[str, Arguments, dict[str, Any]]] = [
    ("Write-Output", [(None, "a")], {"InputObject": ["a"]}),
    ("Write-Output", [(None, "a"), (None, "b"), (None, 3)], {"InputObject": ["a", "b", 3]}),
    ("Write-Output", [(None, ["a", "b"])], {"InputObject": ["a", "b"]}),
    ("Write-Output", [(None, "a"), ("Colour", "red"), (None, "b")], {"InputObject": ["a", "-Colour", "red", "b"]}),
    ("Write-Output", [("NoE", None), (None, "a")], {"NoEnumerate": True, "InputObject": ["a"]}),
    ("Get-Command", [(None, "x"), (None, "y"), (None, "z")], {"Name": ["x"], "ArgumentList": ["y", "z"]}),
    ("ForEach-Object", [(None, "Trim"), (None, "a"), (None, 1)], {"MemberName": "Trim", "ArgumentList": ["a", 1]}),
]


@pytest.mark.parametrize(("command", "arguments", "values"), REMAINING)
def test_what_is_left_goes_to_the_parameter_that_takes_it(
    command: str, arguments: Arguments, values: dict[str, Any]
) -> None:
    assert dict(bind(command, arguments)) == values


def test_a_beginning_of_two_names_is_no_remaining_argument() -> None:
    with pytest.raises(PSError) as caught:
        bind("Write-Output", [("Out", "x"), (None, "a")])
    assert caught.value.error_id == "AmbiguousParameter,Microsoft.PowerShell.Commands.WriteOutputCommand"


NEWER = [
    ("New-VM", {"Name": "x", "GuestStateIsolationType": "TrustedLaunch"}, (2025,)),
    ("New-SmbShare", {"Name": "a", "Path": "b", "CompressData": True}, (2022, 2025)),
    ("Remove-SmbMapping", {"LocalPath": "X:", "GlobalMapping": True}, (2022, 2025)),
    ("Move-VM", {"Name": "x", "DestinationHost": "h"}, (2016, 2019, 2022, 2025)),
]


@pytest.mark.parametrize("version", [2016, 2019, 2022, 2025])
@pytest.mark.parametrize(("command", "arguments", "versions"), NEWER)
def test_a_server_has_the_parameters_of_its_version(
    command: str, arguments: Arguments, versions: tuple[int, ...], version: int
) -> None:
    try:
        command_line(command, arguments, version=version)
        found = True
    except PSError as error:
        assert error.error_id == f"NamedParameterNotFound,{command_table(command).class_name}"
        found = False
    assert found is (version in versions)
