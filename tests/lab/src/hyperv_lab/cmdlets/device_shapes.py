# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of virtual machines as PowerShell shows them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..engine.objects import EnumValue, PSArray, PSObj, make_object
from ..engine.values import I32
from ..model.host import Host
from ..model.vm import RUNNING, Dvd, HardDisk, NetworkAdapter, VirtualMachine

HV = "Microsoft.HyperV.PowerShell."
NO_SNAPSHOT = uuid.UUID(int=0)
UNTAGGED, ACCESS = 0, 1
PRIMORDIAL = "Primordial"
SECURE_BOOT_TEMPLATES = {
    "MicrosoftWindows": uuid.UUID("1734c6e8-3154-4dda-ba5f-a874cc483422"),
    "MicrosoftUEFICertificateAuthority": uuid.UUID("272e7447-90a4-4563-a4b9-8e4ab00526ce"),
    "OpenSourceShieldedVM": uuid.UUID("4292ae2b-ee2c-42b5-a969-dd8f8689f6f3"),
}


def _of(host: Host, vm: VirtualMachine) -> dict[str, Any]:
    return {
        "VMId": vm.id,
        "VMName": vm.name,
        "VMSnapshotId": NO_SNAPSHOT,
        "VMSnapshotName": "",
        "ComputerName": host.computer_name,
    }


def _device_id(vm: VirtualMachine, *parts: object) -> str:
    return "\\".join([f"Microsoft:{vm.file_id}", *(str(part) for part in parts)])


def hard_disk(host: Host, vm: VirtualMachine, disk: HardDisk) -> PSObj:
    slot = f"{disk.controller_type} controller number {disk.controller_number} at location {disk.location}"
    values = _of(host, vm) | {
        "Path": disk.path if disk.disk_number is None else f"Disk {disk.disk_number} 40.00 GB Bus 0 Lun 0 Target 0",
        "DiskNumber": disk.disk_number,
        "MaximumIOPS": 0,
        "MinimumIOPS": 0,
        "QoSPolicyID": NO_SNAPSHOT,
        "SupportPersistentReservations": disk.shared,
        "WriteHardeningMethod": "Default",
        "ControllerLocation": disk.location,
        "ControllerNumber": disk.controller_number,
        "ControllerType": disk.controller_type,
        "Name": f"Hard Drive on {slot}",
        "PoolName": PRIMORDIAL,
        "Id": _device_id(vm, disk.controller_type, disk.controller_number, disk.location, "D"),
    }
    return make_object(HV + "HardDiskDrive", values, live=(vm, disk))


def dvd(host: Host, vm: VirtualMachine, one: Dvd) -> PSObj:
    slot = f"{one.controller_type} controller number {one.controller_number} at location {one.location}"
    values = _of(host, vm) | {
        "DvdMediaType": "ISO" if one.path else "None",
        "Path": one.path,
        "ControllerLocation": one.location,
        "ControllerNumber": one.controller_number,
        "ControllerType": one.controller_type,
        "Name": f"DVD Drive on {slot}",
        "PoolName": PRIMORDIAL,
        "Id": _device_id(vm, one.controller_type, one.controller_number, one.location, "D"),
    }
    return make_object(HV + "DvdDrive", values, live=(vm, one))


def adapter(host: Host, vm: VirtualMachine, one: NetworkAdapter) -> PSObj:
    switch = host.switch_named(one.switch)
    running = vm.state == RUNNING
    values = _of(host, vm) | {
        "MacAddress": one.mac,
        "DynamicMacAddressEnabled": not one.static_mac,
        "IsSynthetic": True,
        "DeviceNaming": "Off",
        "PoolName": "",
        "Connected": one.switch is not None,
        "SwitchName": one.switch or "",
        "SwitchId": switch.id if switch else None,
        "AdapterId": str(one.id).upper(),
        "StatusDescription": ["OK"] if running else [],
        "Status": ["Ok"] if running else [],
        "Id": _device_id(vm, str(one.id).upper()),
        "VlanSetting": vlan_setting(host, one),
        "CurrentIsolationMode": "Vlan",
        "MacAddressSpoofing": "Off",
        "DhcpGuard": "Off",
        "RouterGuard": "Off",
        "IeeePriorityTag": "Off",
        "AllowTeaming": "Off",
        "FixSpeed10G": "Off",
        "VMQWeight": 100,
        "VrssQueueSchedulingMode": "Dynamic",
        "VrssQueueSchedulingModeRequested": "Dynamic",
        "VrssVmbusChannelAffinityPolicy": "Strong",
        "VrssVmbusChannelAffinityPolicyRequested": "Strong",
        "Name": one.name,
    }
    return make_object(HV + "VMNetworkAdapter", values, live=(vm, one))


def _plain_object(type_name: str, bases: tuple[str, ...], values: Mapping[str, Any]) -> PSObj:
    """An object of a type whose properties the tables do not list."""
    return PSObj([type_name, *bases, "System.Object"], values)


def vlan_setting(host: Host, one: NetworkAdapter) -> PSObj:
    mode, name = (ACCESS, "Access") if one.vlan is not None else (UNTAGGED, "Untagged")
    values = {
        "OperationMode": EnumValue(HV + "VMNetworkAdapterVlanMode", name, mode),
        "AccessVlanId": I32(one.vlan or 0),
        "NativeVlanId": I32(0),
        "AllowedVlanIdList": PSArray([], "System.Collections.Generic.List`1[[System.Int32]]"),
        "AllowedVlanIdListString": "",
        "PrivateVlanMode": EnumValue(HV + "VMNetworkAdapterPrivateVlanMode", "0", 0),
        "PrimaryVlanId": I32(0),
        "SecondaryVlanId": I32(0),
        "SecondaryVlanIdList": PSArray([], "System.Collections.Generic.List`1[[System.Int32]]"),
        "SecondaryVlanIdListString": "",
        "ParentAdapter": None,
        "IsTemplate": False,
        "CimSession": None,
        "ComputerName": host.computer_name,
        "IsDeleted": False,
    }
    bases = (HV + "VMNetworkAdapterFeatureBase", HV + "VirtualizationObject")
    return _plain_object(HV + "VMNetworkAdapterVlanSetting", bases, values)


def processor(host: Host, vm: VirtualMachine) -> PSObj:
    values = _of(host, vm) | {
        "ResourcePoolName": PRIMORDIAL,
        "Count": vm.processors,
        "CompatibilityForMigrationEnabled": vm.compatible_cpu,
        "HwThreadCountPerCore": 0,
        "Maximum": 100,
        "Reserve": 0,
        "RelativeWeight": 100,
        "MaximumCountPerNumaNode": host.logical_processors,
        "MaximumCountPerNumaSocket": 1,
        "OperationalStatus": ["Ok"],
        "StatusDescription": [host.say("operating_normally")],
        "Name": "Processor",
        "Id": _device_id(vm, "Processor"),
    }
    return make_object(HV + "VMProcessor", values, live=vm)


def memory(host: Host, vm: VirtualMachine) -> PSObj:
    values = _of(host, vm) | {
        "ResourcePoolName": PRIMORDIAL,
        "Buffer": 20,
        "DynamicMemoryEnabled": vm.memory.dynamic,
        "Maximum": vm.memory.maximum,
        "MaximumPerNumaNode": host.memory // 1024**2,
        "Minimum": vm.memory.minimum,
        "Priority": 50,
        "Startup": vm.memory.startup,
        "Name": "Memory",
        "Id": _device_id(vm, "Memory"),
    }
    return make_object(HV + "VMMemory", values, live=vm)


def firmware(host: Host, vm: VirtualMachine) -> PSObj:
    template = vm.secure_boot_template
    values = _of(host, vm) | {
        "BootOrder": [_boot_source(host, vm, disk) for disk in vm.disks],
        "PreferredNetworkBootProtocol": "IPv4",
        "SecureBoot": "On" if vm.secure_boot else "Off",
        "SecureBootTemplateId": SECURE_BOOT_TEMPLATES[template] if vm.secure_boot else None,
        "SecureBootTemplate": template if vm.secure_boot else "",
        "ConsoleMode": "Default",
        "PauseAfterBootFailure": "Off",
    }
    return make_object(HV + "VMFirmware", values, live=vm)


def _boot_source(host: Host, vm: VirtualMachine, disk: HardDisk) -> PSObj:
    values = {
        "BootType": EnumValue(HV + "BootSourceType", "Drive", 1),
        "Description": "EFI SCSI Device",
        "FirmwarePath": f"\\AcpiEx(VMBus,0,0)\\VenHw()\\Scsi(0,{disk.location})",
        "Device": hard_disk(host, vm, disk),
    } | {name: value for name, value in _of(host, vm).items() if name != "ComputerName"}
    return _plain_object(HV + "VMBootSource", (HV + "VMComponentObject", HV + "VirtualizationObject"), values)


def security(host: Host, vm: VirtualMachine) -> PSObj:
    return make_object(
        HV + "VMSecurity",
        {"TpmEnabled": vm.tpm, "KsdEnabled": False, "ComputerName": host.computer_name},
        live=vm,
    )


def replication(host: Host, vm: VirtualMachine) -> PSObj:
    primary = vm.replication == "Primary"
    values = _of(host, vm) | {
        "AuthenticationType": "Kerberos",
        "CompressionEnabled": True,
        "ReplicaServerPort": 80,
        "ReplicationFrequencySec": 300,
        "CurrentReplicaServerName": "" if primary else host.dns_name,
        "PrimaryServerName": host.dns_name if primary else "",
        "ReplicaServerName": "" if primary else host.dns_name,
        "ReplicatedDisks": [hard_disk(host, vm, disk) for disk in vm.disks],
        "ReplicationHealth": "Normal",
        "ReplicationMode": vm.replication,
        "ReplicationRelationshipType": "Simple",
        "ReplicationState": "Replicating",
    }
    return make_object(HV + "VMReplication", values, live=vm)
