# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VMs made on a host: linked to a parent disk, with devices of their own, started and shut down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hyperv_lab.model import vhdx
from hyperv_lab.model.storage import real_path

from tests.lab.tests.model.labs import KIND, Model, run
from tests.lab.tests.model.shells import Records, Shell

Make = Callable[..., Model]
FOLDER = "C:\\Guests\\1"
CHILD = FOLDER + "\\gold.vhdx"


@pytest.fixture
def shell(make: Make) -> Shell:
    return Shell(make())


def make_child(shell: Shell, path: str = CHILD) -> Records:
    shell("New-Item", Path=FOLDER, ItemType="Directory", Force=True)
    return shell("New-VHD", Path=path, ParentPath=shell.model.vm().disks[0].path, Differencing=True)


def make_guest(shell: Shell, **more: Any) -> Any:
    make_child(shell)
    given = {"Name": "g1", "Generation": 2, "MemoryStartupBytes": 2**30, "Path": FOLDER, "VHDPath": CHILD}
    return shell("New-VM", **{**given, **more}).one


def on(shell: Shell, vm_id: Any, *stages: tuple[str, dict[str, Any]]) -> Records:
    return run(shell.send(("Get-VM", {"Id": vm_id}), *stages))


def test_a_differencing_disk_stands_on_its_parent(shell: Shell) -> None:
    disk = make_child(shell).one
    assert disk["ParentPath"] == shell.model.vm().disks[0].path
    assert str(disk["VhdType"]) == "Differencing"
    assert shell("Test-VHD", Path=CHILD).one is True
    again = make_child(shell)
    assert again.error_id.startswith("OperationFailed,Microsoft.Vhd.PowerShell.Cmdlets.NewVHD")
    assert again.errors[0].hresult == 0x80070050 - 2**32
    nowhere = make_child(shell, "C:\\Nowhere\\x.vhdx")
    assert nowhere.errors[0].hresult == 0x80070003 - 2**32


def test_a_new_vm_lies_in_a_folder_of_its_name(shell: Shell) -> None:
    vm = make_guest(shell, SwitchName="production")
    assert (vm["Path"], str(vm["State"]), vm["Generation"]) == (FOLDER + "\\g1", "Off", 2)
    assert on(shell, vm["Id"], ("Get-VMNetworkAdapter", {})).one["SwitchName"] == "Production"
    drive = on(shell, vm["Id"], ("Get-VMHardDiskDrive", {})).one
    assert (drive["Path"], drive["ControllerLocation"]) == (CHILD, 0)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"Path": "C:\\Nowhere"}, "OperationFailed"),
        ({"SwitchName": "Nope"}, "ObjectNotFound"),
        ({"VHDPath": "C:\\Guests\\1\\none.vhdx"}, "OperationFailed"),
        ({"Version": "99.0"}, "InvalidParameter"),
    ],
)
def test_a_new_vm_that_cannot_be_made_is_not_there(shell: Shell, changes: dict[str, Any], error: str) -> None:
    make_child(shell)
    before = len(shell.model.host("hv01").vms)
    given = {"Name": "g1", "Generation": 2, "Path": FOLDER, "VHDPath": CHILD, **changes}
    assert shell("New-VM", **given).error_id.startswith(error + ",")
    assert len(shell.model.host("hv01").vms) == before


def test_devices_of_a_new_vm(shell: Shell) -> None:
    vm = make_guest(shell)
    second = FOLDER + "\\data.vhdx"
    make_child(shell, second)
    drive = {"ControllerType": "SCSI", "ControllerNumber": 0, "ControllerLocation": 3, "Path": second}
    assert not on(shell, vm["Id"], ("Add-VMHardDiskDrive", drive)).errors
    assert on(shell, vm["Id"], ("Add-VMHardDiskDrive", drive)).error_id.startswith("InvalidParameter,")
    assert not on(
        shell,
        vm["Id"],
        ("Add-VMNetworkAdapter", {"Name": "LAN 2", "SwitchName": "Production", "Passthru": True}),
        ("Set-VMNetworkAdapterVlan", {"Access": True, "VlanId": 12}),
    ).errors
    chosen = ("Where-Object", {"Property": "Name", "EQ": True, "Value": "LAN 2"})
    mac = ("Set-VMNetworkAdapter", {"StaticMacAddress": "00-15-5D-AA-BB-01"})
    assert not on(shell, vm["Id"], ("Get-VMNetworkAdapter", {}), chosen, mac).errors
    (adapter,) = [one for one in shell.model.vm(name="g1").adapters if one.name == "LAN 2"]
    assert (adapter.vlan, adapter.mac, adapter.static_mac) == (12, "00155DAABB01", True)
    bad = on(shell, vm["Id"], ("Get-VMNetworkAdapter", {}), chosen, ("Set-VMNetworkAdapterVlan", {"VlanId": 5}))
    assert bad.error_id.startswith("InvalidParameter,")


def test_a_new_vm_of_generation_1_has_a_dvd_drive_where_a_disk_could_be(shell: Shell) -> None:
    vm = make_guest(shell, Generation=1)
    drive = on(shell, vm["Id"], ("Get-VMDvdDrive", {})).one
    assert (str(drive["ControllerType"]), drive["ControllerNumber"], drive["ControllerLocation"]) == ("IDE", 1, 0)
    taken = {"ControllerType": "IDE", "ControllerNumber": 1, "ControllerLocation": 0, "Path": CHILD}
    assert on(shell, vm["Id"], ("Add-VMHardDiskDrive", taken)).error_id.startswith("InvalidParameter,")


def test_firmware_and_tpm(shell: Shell) -> None:
    vm = make_guest(shell)
    settings = {"EnableSecureBoot": "On", "SecureBootTemplate": "MicrosoftUEFICertificateAuthority"}
    assert not on(shell, vm["Id"], ("Set-VMFirmware", settings)).errors
    assert on(shell, vm["Id"], ("Get-VMFirmware", {})).one["SecureBootTemplate"] == settings["SecureBootTemplate"]
    assert on(shell, vm["Id"], ("Enable-VMTPM", {})).errors  # without a key protector
    assert not on(shell, vm["Id"], ("Set-VMKeyProtector", {"NewLocalKeyProtector": True})).errors
    assert not on(shell, vm["Id"], ("Enable-VMTPM", {})).errors
    assert on(shell, vm["Id"], ("Get-VMSecurity", {})).one["TpmEnabled"] is True


def test_a_running_guest_holds_its_disk_and_the_parent(shell: Shell) -> None:
    vm = make_guest(shell)
    parent = shell.model.vm().disks[0].path
    written = vhdx.inspect(real_path(shell.model.host("hv01"), CHILD)).data_write_guid
    assert not on(shell, vm["Id"], ("Start-VM", {})).errors
    assert vhdx.inspect(real_path(shell.model.host("hv01"), CHILD)).data_write_guid != written
    for path in (CHILD, parent):
        assert shell("Remove-Item", LiteralPath=path, Force=True).error_id.startswith("RemoveFileSystemItemIOError,")
    assert shell("Start-VM", Name="gold").errors[0].hresult == 0x80070020 - 2**32
    assert not on(shell, vm["Id"], ("Stop-VM", {})).errors
    assert not shell("Remove-Item", LiteralPath=CHILD, Force=True).errors


def test_a_parent_that_was_written_breaks_its_children(shell: Shell) -> None:
    vm = make_guest(shell)
    assert not shell("Start-VM", Name="gold").errors
    assert not shell("Stop-VM", Name="gold", TurnOff=True).errors
    assert on(shell, vm["Id"], ("Start-VM", {})).errors


def test_a_read_only_disk_stays_read_only_in_copies_and_does_not_start(shell: Shell) -> None:
    disk = shell.model.vm().disks[0].path
    assert not shell("Set-ItemProperty", LiteralPath=disk, Name="IsReadOnly", Value=True).errors
    assert shell("Start-VM", Name="gold").errors[0].hresult == 0x80070005 - 2**32
    shell("New-Item", Path="C:\\Stage", ItemType="Directory")
    assert not shell("Export-VM", Name="gold", Path="C:\\Stage").errors
    copy = "C:\\Stage\\gold\\Virtual Hard Disks\\gold.vhdx"
    assert "ReadOnly" in shell("Get-Item", LiteralPath=copy).one["Attributes"].name
    assert not shell("Set-ItemProperty", LiteralPath=copy, Name="IsReadOnly", Value=False).errors
    assert "ReadOnly" not in shell("Get-Item", LiteralPath=copy).one["Attributes"].name


@pytest.mark.parametrize(
    ("how", "seconds", "state"),
    [
        ("now", 0, "Off"),
        ("slow", 20, "Off"),
        ("ignores", 300, "Running"),
        ("locked", 0, "Running"),
        ("none", 0, "Running"),
    ],
)
def test_a_guest_decides_whether_it_shuts_down(make: Make, how: str, seconds: float, state: str) -> None:
    model = make(rules=KIND)
    shell = Shell(model)
    shell("Start-VM", Name="gold")
    model.vm().shutdown = how
    begun = model.clock.now()
    stopped = shell("Stop-VM", Name="gold")
    assert bool(stopped.errors) is (state == "Running")
    assert model.vm().state == state
    assert model.clock.now() - begun == pytest.approx(seconds, abs=1)
    assert not shell("Stop-VM", Name="gold", TurnOff=True).errors
    assert model.vm().state == "Off"


def test_a_guest_goes_on_shutting_down_when_nobody_waits(shell: Shell) -> None:
    shell("Start-VM", Name="gold")
    shell.model.vm().shutdown = "slow"

    async def impatient() -> None:
        waiting = shell.start(("Stop-VM", {"Name": "gold"}))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await shell.model.clock.sleep(30)

    run(impatient())
    assert shell.model.vm().state == "Off"
