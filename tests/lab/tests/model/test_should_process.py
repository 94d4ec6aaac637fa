# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""-WhatIf and -Confirm of every command that has them: nothing happens, and nobody can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hyperv_lab.config import MiB, VMConfig
from hyperv_lab.engine.registry import implementation
from hyperv_lab.engine.tables import command_names, command_table
from hyperv_lab.model import provision
from hyperv_lab.model.storage import real_path
from hyperv_lab.model.vhdx_writer import write_dynamic

from tests.lab.tests.model.labs import DISK, Model, run
from tests.lab.tests.model.shells import Records, Shell, Stage

Make = Callable[..., Model]
VM = {"Name": "gold"}
OF_VM = {"VMName": "gold"}
MOVE = {"DestinationHost": "hv02", "IncludeStorage": True, "DestinationStoragePath": "C:\\T"}
CALLS: dict[str, dict[str, Any]] = {
    "Add-VMHardDiskDrive": OF_VM | {"Path": "C:\\f\\spare.vhdx"},
    "Add-VMNetworkAdapter": OF_VM,
    "Checkpoint-VM": VM,
    "Connect-VMNetworkAdapter": OF_VM | {"SwitchName": "Production"},
    "Copy-Item": {"LiteralPath": "C:\\f\\a.txt", "Destination": "C:\\f\\b.txt"},
    "Disable-VMMigration": {},
    "Disconnect-VMNetworkAdapter": OF_VM,
    "Enable-VMMigration": {},
    "Export-VM": VM | {"Path": "C:\\f"},
    "Import-VM": {
        "Path": "C:\\E\\gold\\Virtual Machines\\{id}.vmcx",
        "Copy": True,
        "GenerateNewId": True,
        "VhdDestinationPath": "C:\\f",
    },
    "Move-Item": {"LiteralPath": "C:\\f\\a.txt", "Destination": "C:\\f\\b.txt"},
    "Move-VM": VM | MOVE,
    "New-Item": {"Path": "C:\\f\\new.txt", "ItemType": "File"},
    "New-VHD": {"Path": "C:\\f\\new.vhdx", "ParentPath": "C:\\f\\spare.vhdx"},
    "New-VM": {"Name": "new", "Path": "C:\\f", "NoVHD": True},
    "Remove-Item": {"LiteralPath": "C:\\f\\a.txt"},
    "Remove-VM": VM | {"Force": True},
    "Remove-VMSavedState": {"VMName": "saved"},
    "Remove-VMSnapshot": OF_VM,
    "Remove-Variable": {"Name": "kept"},
    "Rename-Item": {"LiteralPath": "C:\\f\\a.txt", "NewName": "b.txt"},
    "Rename-VM": VM | {"NewName": "other"},
    "Rename-VMNetworkAdapter": OF_VM | {"NewName": "other"},
    "Restore-VMSnapshot": {"VMName": "gold", "Name": "before"},
    "Save-VM": {"Name": "running"},
    "Set-Content": {"LiteralPath": "C:\\f\\a.txt", "Value": "new"},
    "Set-ItemProperty": {"LiteralPath": "C:\\f\\a.txt", "Name": "IsReadOnly", "Value": True},
    "Set-VM": VM | {"Notes": "new"},
    "Set-VMFirmware": OF_VM | {"EnableSecureBoot": "Off"},
    "Set-VMHost": {"MaximumStorageMigrations": 7},
    "Set-VMKeyProtector": OF_VM | {"NewLocalKeyProtector": True},
    "Set-VMNetworkAdapter": OF_VM | {"StaticMacAddress": "00155D010203"},
    "Set-VMNetworkAdapterVlan": OF_VM | {"Access": True, "VlanId": 5},
    "Set-Variable": {"Name": "kept", "Value": 2},
    "Start-VM": VM,
    "Stop-VM": {"Name": "running", "TurnOff": True},
}
AS_IT_IS = ("Connect-VMNetworkAdapter", "Enable-VMMigration")  # the host is already as these calls want it
# Those that only look though they have the switches, and one that wants a key protector first.
OTHERS = {"Compare-VM", "ForEach-Object", "Enable-VMTPM"}


@pytest.fixture
def shell(make: Make) -> Shell:
    shell = Shell(make(vm=VMConfig("gold", switch="Production", disks=(DISK,), checkpoints=("before",))))
    model = shell.model
    for name, state in (("running", "Running"), ("saved", "Saved")):
        provision.add_vm(model.host("hv01"), VMConfig(name, disks=(), state=state))
    host = model.host("hv01")
    for folder in ("C:\\f", "C:\\E"):
        host.volumes.mkdir(folder)
    host.volumes.write("C:\\f\\a.txt", b"a")
    write_dynamic(real_path(host, "C:\\f\\spare.vhdx"), 8 * MiB)
    assert not shell("Export-VM", Name="gold", Path="C:\\E").errors
    shell("Set-Variable", Name="kept", Value=1)
    return shell


def everything(shell: Shell) -> Any:
    """All of a host that a command could change."""
    host = shell.model.host("hv01")
    root = real_path(host, "C:\\")
    files = {str(path): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}
    attributes = host.volumes.attributes("C:\\f\\a.txt")
    return (
        {vm_id: asdict(vm) for vm_id, vm in host.vms.items()},
        asdict(host.settings),
        dict(shell.session.variables),
        files,
        attributes,
    )


def arguments(shell: Shell, command: str) -> dict[str, Any]:
    vm_id = shell.model.vm().file_id
    return {key: value.format(id=vm_id) if "{id}" in str(value) else value for key, value in CALLS[command].items()}


async def settled(shell: Shell, *stages: Stage) -> Records:
    records = await shell.send(*stages)
    await shell.model.clock.sleep(30)
    return records


def test_no_command_is_forgotten() -> None:
    asking = {name for name in command_names() if implementation(name) and command_table(name).should_process}
    assert set(CALLS) | OTHERS == asking


@pytest.mark.parametrize("command", CALLS)
def test_what_if_changes_nothing(shell: Shell, command: str) -> None:
    before = everything(shell)
    records = run(settled(shell, (command, arguments(shell, command) | {"WhatIf": True})))
    assert (records.state, records.errors) == ("Completed", [])
    assert everything(shell) == before


@pytest.mark.parametrize("command", CALLS)
def test_nobody_can_be_asked(shell: Shell, command: str) -> None:
    before = everything(shell)
    records = run(settled(shell, (command, arguments(shell, command) | {"Confirm": True})))
    assert records.state == "Failed"
    assert records.error_id == f"HostFunctionNotImplemented,{command_table(command).class_name}"
    assert records.errors[0].category == "NotImplemented"
    assert everything(shell) == before


@pytest.mark.parametrize("command", CALLS)
def test_without_them_it_changes_something(shell: Shell, command: str) -> None:
    """Else the two tests above would show nothing."""
    before = everything(shell)
    records = run(settled(shell, (command, arguments(shell, command) | {"Confirm": False})))
    assert (records.state, records.errors) == ("Completed", [])
    assert everything(shell) != before or command in AS_IT_IS
