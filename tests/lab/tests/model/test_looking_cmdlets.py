# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that look: objects, names, errors, rights."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from hyperv_lab.config import DiskConfig, MiB, VMConfig
from hyperv_lab.model import vhdx

from tests.lab.tests.model.labs import DISK, NOBODY, TEMPLATE, Model, host_config
from tests.lab.tests.model.shells import Shell

Make = Callable[..., Model]
CLASS = "Microsoft.HyperV.PowerShell.Commands."
SEVERAL = tuple(VMConfig(name, disks=()) for name in ("win11-gold", "win11-gold1", "win11-gold[1]", "Other", "other"))


@pytest.fixture
def several(make: Make) -> Shell:
    return Shell(make(hosts=(host_config("hv01", 1, vms=SEVERAL), host_config("hv02", 2))))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("win11-gold", ["win11-gold"]),
        ("WIN11-GOLD", ["win11-gold"]),
        ("win11-gold[1]", ["win11-gold1"]),  # a pattern: it does not mean the VM of that name
        ("win11-gold`[1`]", ["win11-gold[1]"]),
        ("win11*", ["win11-gold", "win11-gold1", "win11-gold[1]"]),
        ("other", ["Other", "other"]),
        ("nothing*", []),
        ("*", ["Other", "other", "win11-gold", "win11-gold1", "win11-gold[1]"]),
    ],
)
def test_get_vm_by_name(several: Shell, name: str, found: list[str]) -> None:
    records = several("Get-VM", Name=name)
    assert sorted(one["Name"] for one in records.objects) == found
    assert not records.errors


def test_get_vm_that_is_not_there(several: Shell) -> None:
    records = several("Get-VM", Name=["none", "win11-gold"])
    assert records.state == "Completed"
    assert [one["Name"] for one in records.objects] == ["win11-gold"]
    [error] = records.errors
    assert error.error_id == "InvalidParameter," + CLASS + "GetVM"
    assert (error.category, error.target) == ("InvalidArgument", "none")
    assert error.message == 'Hyper-V was unable to find a virtual machine with name "none".'
    assert error.exception_type == "Microsoft.HyperV.PowerShell.VirtualizationException"
    assert several("Get-VM", Name="none", ErrorAction="Stop").state == "Failed"


def test_get_vm_by_id(several: Shell) -> None:
    vm = several.model.vm(name="win11-gold")
    assert several("Get-VM", Id=vm.id).one["Name"] == "win11-gold"
    assert several("Get-VM", Id=str(vm.id)).one["Id"] == vm.id
    assert several("Get-VM", Id=uuid.uuid4()).error_id == "InvalidParameter," + CLASS + "GetVM"


def test_others_report_what_they_do_not_find_in_their_own_way(several: Shell) -> None:
    [error] = several("Get-VMHardDiskDrive", VMName="none").errors
    assert error.error_id == "ObjectNotFound," + CLASS + "GetVMHardDiskDrive"
    assert (error.category, error.target) == ("ObjectNotFound", None)


def test_wildcards_in_other_cmdlets_are_a_rule(several: Shell) -> None:
    assert several("Get-VMProcessor", VMName="win11-gold[1]").one["VMName"] == "win11-gold1"
    several.model.fabric.set_rules(wildcards_everywhere=False)
    assert several("Get-VMProcessor", VMName="win11-gold[1]").one["VMName"] == "win11-gold[1]"


def test_an_off_vm(make: Make) -> None:
    vm = replace(TEMPLATE, notes="a\nb", memory=4 * 1024**3, processors=2)
    shell = Shell(make(vm=vm))
    found = shell("Get-VM").one
    expected = {
        "Name": "gold",
        "VMName": "gold",
        "Status": "Operating normally",
        "Uptime": datetime.timedelta(0),
        "MemoryAssigned": 0,
        "MemoryStartup": 4 * 1024**3,
        "ProcessorCount": 2,
        "Generation": 2,
        "Version": "10.0",
        "Notes": "a\nb",
        "ParentSnapshotId": None,
        "Heartbeat": None,
        "SecondaryOperationalStatus": None,
        "Path": "C:\\ProgramData\\Microsoft\\Windows\\Hyper-V",
        "ComputerName": "HV01",
        "IsClustered": False,
        "IsDeleted": False,
    }
    assert {name: found[name] for name in expected} == expected
    assert [str(found[name]) for name in ("State", "PrimaryOperationalStatus", "ReplicationState")] == [
        "Off",
        "Ok",
        "Disabled",
    ]
    assert len(found.properties) == 71
    assert found.type_names[0] == "Microsoft.HyperV.PowerShell.VirtualMachine"
    assert [drive["Path"] for drive in found["HardDrives"]] == [shell.model.vm().disks[0].path]


def test_a_busy_vm_says_with_what(make: Make) -> None:
    shell = Shell(make())
    shell.model.vm().activity = "ExportingVirtualMachine"
    found = shell("Get-VM").one
    assert [str(one) for one in found["OperationalStatus"]] == ["InService", "ExportingVirtualMachine"]
    assert str(found["State"]) == "Off"


def test_devices_of_a_vm(make: Make) -> None:
    vm = replace(
        TEMPLATE, vlan=12, iso="C:\\iso\\a.iso", tpm=True, static_mac="00-15-5d-01-02-03", replication="Primary"
    )
    shell = Shell(make(vm=vm))
    disk = shell("Get-VMHardDiskDrive", VMName="gold").one
    assert (disk["ControllerNumber"], disk["ControllerLocation"], str(disk["ControllerType"])) == (0, 0, "SCSI")
    assert disk["Name"] == "Hard Drive on SCSI controller number 0 at location 0"
    assert not shell("Get-VMHardDiskDrive", VMName="gold", ControllerLocation=5).objects
    assert shell("Get-VMDvdDrive", VMName="gold").one["Path"] == "C:\\iso\\a.iso"
    adapter = shell("Get-VMNetworkAdapter", VMName="gold").one
    assert (adapter["MacAddress"], adapter["DynamicMacAddressEnabled"], adapter["SwitchName"]) == (
        "00155D010203",
        False,
        "Production",
    )
    assert (str(adapter["VlanSetting"]["OperationMode"]), adapter["VlanSetting"]["AccessVlanId"]) == ("Access", 12)
    assert adapter["SwitchId"] == shell("Get-VMSwitch", Name="Production").one["Id"]
    assert shell("Get-VMSecurity", VMName="gold").one["TpmEnabled"] is True
    assert str(shell("Get-VMFirmware", VMName="gold").one["SecureBoot"]) == "On"
    assert shell("Get-VMMemory", VMName="gold").one["Startup"] == 1024**3
    assert str(shell("Get-VMReplication", VMName="gold").one["ReplicationMode"]) == "Primary"


def test_devices_by_pipeline_take_the_live_vm(make: Make) -> None:
    shell = Shell(make())
    drive = shell("Get-VM", ("Get-VMHardDiskDrive", {}), Name="gold").one
    assert drive["VMName"] == "gold"


def test_a_generation_1_vm_has_no_firmware(make: Make) -> None:
    shell = Shell(make(vm=VMConfig("old", generation=1, disks=(DISK,))))
    assert shell("Get-VMFirmware", VMName="old").error_id == "InvalidParameter," + CLASS + "GetVMFirmware"
    assert str(shell("Get-VMHardDiskDrive", VMName="old").one["ControllerType"]) == "IDE"


def test_the_host(make: Make) -> None:
    shell = Shell(make())
    host = shell("Get-VMHost").one
    assert len(host.properties) == 31
    assert (host["Name"], host["FullyQualifiedDomainName"]) == ("HV01", "lab.test")
    assert (host["MaximumVirtualMachineMigrations"], str(host["VirtualMachineMigrationAuthenticationType"])) == (
        2,
        "Kerberos",
    )
    versions = shell("Get-VMHostSupportedVersion").objects
    assert [str(one["Version"]) for one in versions if one["IsDefault"]] == ["10.0"]
    assert (
        shell("Set-VMHost", MaximumVirtualMachineMigrations=5, Passthru=True).one["MaximumVirtualMachineMigrations"]
        == 5
    )
    shell("Disable-VMMigration")
    assert shell("Get-VMHost").one["VirtualMachineMigrationEnabled"] is False
    shell("Enable-VMMigration")
    assert shell("Get-VMHost").one["VirtualMachineMigrationEnabled"] is True
    assert shell("Set-VMHost", MaximumStorageMigrations=9, WhatIf=True).objects == []
    assert shell("Get-VMHost").one["MaximumStorageMigrations"] == 2


def test_switches_and_networks(make: Make) -> None:
    shell = Shell(make())
    assert shell("Get-VMSwitch", Name="none").error_id == "InvalidParameter," + CLASS + "GetVMSwitch"
    assert str(shell("Get-VMSwitch").one["SwitchType"]) == "External"
    assert shell("Get-VMSwitch", SwitchType="Private").objects == []
    assert shell("Get-VMMigrationNetwork").objects == []
    shell.model.host("hv01").settings.networks = ("10.0.0.0/24", "192.168.1.0/24")
    assert shell("Get-VMMigrationNetwork", Subnet="192.168.*").one["Subnet"] == "192.168.1.0/24"


def test_get_vhd_reads_the_disk_itself(make: Make) -> None:
    shell = Shell(make(vm=VMConfig("gold", disks=(DiskConfig(size=64 * MiB),))))
    host, vm = shell.model.host("hv01"), shell.model.vm()
    path = vm.disks[0].path
    real = vhdx.inspect(host.volumes.map(path))
    found = shell("Get-VHD", Path=path.upper().replace("C:", "c:").replace(".VHDX", ".vhdx")).one
    assert found["Path"].endswith("\\gold.vhdx")
    assert (found["Size"], found["FileSize"]) == (64 * MiB, host.volumes.size(path))
    assert found["DiskIdentifier"] == str(real.identifier).upper()
    assert (str(found["VhdFormat"]), str(found["VhdType"]), found["ParentPath"]) == ("VHDX", "Dynamic", "")
    assert found["Attached"] is False
    piped = shell("Get-VM", ("Select-Object", {"Property": "VMId"}), ("Get-VHD", {}))
    assert piped.one["Path"] == found["Path"]
    # A whole VM has a Path too, its folder, and that is what is bound.
    assert shell("Get-VM", ("Get-VHD", {})).error_id == "InvalidParameter,Microsoft.Vhd.PowerShell.Cmdlets.GetVHD"
    assert shell("Get-VHD", VMId=vm.id).one["Path"] == found["Path"]
    assert shell("Test-VHD", Path=path).one is True


def test_get_vhd_of_what_is_none(make: Make) -> None:
    shell = Shell(make())
    volumes = shell.model.host("hv01").volumes
    volumes.write("C:\\no.vhdx", b"nothing of the kind")
    volumes.write("C:\\a.txt", b"")
    known = shell.model.vm().disks[0].path
    volumes.write("C:\\half.vhdx", volumes.read(known)[: 1024 * 1024 * 4 + 10])
    by_class = "Microsoft.Vhd.PowerShell.Cmdlets."
    assert shell("Get-VHD", Path="C:\\none.vhdx").error_id == f"ObjectNotFound,{by_class}GetVHD"
    assert shell("Get-VHD", Path="C:\\a.txt").error_id == f"InvalidParameter,{by_class}GetVHD"
    assert "0xC03A0005" in shell("Get-VHD", Path="C:\\no.vhdx").errors[0].message
    assert shell("Test-VHD", Path="C:\\no.vhdx").one is False
    assert shell("Test-VHD", Path="C:\\half.vhdx").one is False


def test_checkpoints(make: Make) -> None:
    shell = Shell(make(vm=replace(TEMPLATE, checkpoints=("one", "two"))))
    found = shell("Get-VMSnapshot", VMName="gold").objects
    assert [one["Name"] for one in found] == ["one", "two"]
    assert found[1]["ParentSnapshotId"] == found[0]["Id"]
    vm = shell("Get-VM").one
    assert vm["ParentSnapshotName"] == "two"
    assert vm["ParentCheckpointId"] == found[1]["Id"]
    assert shell("Get-VHD", VMId=vm["Id"]).one["ParentPath"] != ""
    assert shell("Get-VMSnapshot", VMName="gold", Name="none").error_id == "ObjectNotFound," + CLASS + "GetVMSnapshot"


@pytest.mark.parametrize(
    "command", ["Get-VM", "Get-VMHost", "Get-VMSwitch", "Enable-VMMigration", "Get-VMMigrationNetwork"]
)
def test_who_may_not_manage_the_host(make: Make, command: str) -> None:
    records = Shell(make(), caller=NOBODY)(command)
    [error] = records.errors
    assert error.error_id == f"AccessDenied,{CLASS}{command.replace('-', '')}"
    assert error.category == "PermissionDenied"
    assert "'HV01'" in error.message
    assert not records.objects


def test_the_service_does_not_run(make: Make) -> None:
    shell = Shell(make())
    shell.model.host("hv01").service_running = False
    assert shell("Get-VM").error_id == "ObjectNotFound," + CLASS + "GetVM"


def test_what_the_lab_does_not_do_is_said_loudly(make: Make) -> None:
    shell = Shell(make())
    assert shell("Get-VM", ComputerName="hv02").error_id == "NotSimulated"
    assert shell("Export-VM", Name="gold", Path="C:\\x", AsJob=True).error_id == "NotSimulated"
    assert shell("Get-VM", ComputerName="hv01").one["Name"] == "gold"


def test_a_german_host_says_it_in_german_with_the_same_ids(make: Make) -> None:
    shell = Shell(make(hosts=(host_config("hv01", 1, vms=(TEMPLATE,), language="de-DE"),)))
    [error] = shell("Get-VM", Name="none").errors
    assert error.message == 'Hyper-V konnte keinen virtuellen Computer mit dem Namen "none" finden.'
    assert error.error_id == "InvalidParameter," + CLASS + "GetVM"
    assert shell("Get-VM").one["Status"] == "Normaler Betrieb"
