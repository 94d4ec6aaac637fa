# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts, switches, virtual disks and compatibility reports as PowerShell shows them."""

from __future__ import annotations

import datetime

from ..engine.objects import PSObj, make_object
from ..model.host import Host, VirtualSwitch
from ..model.operations.compatibility import Report
from ..model.storage import real_path
from ..model.versions import VM_VERSION_NAMES
from ..model.vhdx import VirtualDisk, inspect
from ..model.vm import Dvd, HardDisk, NetworkAdapter, VirtualMachine
from . import device_shapes
from .vm_shapes import HV, vm_object


def host_object(host: Host) -> PSObj:
    """What Get-VMHost returns."""
    settings = host.settings
    values = {
        "LogicalProcessorCount": host.logical_processors,
        "ResourceMeteringSaveInterval": datetime.timedelta(seconds=settings.metering_interval_seconds),
        "IovSupport": False,
        "IovSupportReasons": ["Ensure that the system has chipset support for SR-IOV."],
        "SupportedVmVersions": list(host.windows.vm_versions),
        "EnableEnhancedSessionMode": settings.enhanced_session,
        "FibreChannelWwnn": "C003FF0000FFFF00",
        "FibreChannelWwpnMaximum": "C003FF58B31CFFFF",
        "FibreChannelWwpnMinimum": "C003FF58B31C0000",
        "MacAddressMaximum": settings.mac_maximum,
        "MacAddressMinimum": settings.mac_minimum,
        "NumaSpanningEnabled": settings.numa_spanning,
        "VirtualHardDiskPath": settings.virtual_hard_disk_path,
        "VirtualMachinePath": settings.virtual_machine_path,
        "FullyQualifiedDomainName": host.fabric.domain if host.config.domain_member else "WORKGROUP",
        "MemoryCapacity": host.memory,
        "Name": host.computer_name,
        "MaximumStorageMigrations": settings.maximum_storage_migrations,
        "MaximumVirtualMachineMigrations": settings.maximum_migrations,
        "UseAnyNetworkForMigration": settings.any_network,
        "VirtualMachineMigrationAuthenticationType": settings.authentication,
        "VirtualMachineMigrationEnabled": settings.migration_enabled,
        "VirtualMachineMigrationPerformanceOption": settings.performance,
        "ComputerName": host.computer_name,
    }
    return make_object(HV + "VMHost", values, live=host)


def supported_version(host: Host, version: str) -> PSObj:
    values = {
        "Name": VM_VERSION_NAMES.get(version, f"Version {version}"),
        "Version": version,
        "IsDefault": version == host.windows.default_vm_version,
        "ComputerName": host.computer_name,
    }
    return make_object(HV + "VMHostSupportedVersion", values)


def switch_object(host: Host, switch: VirtualSwitch) -> PSObj:
    external = switch.type == "External"
    values = {
        "Name": switch.name,
        "Id": switch.id,
        "Notes": switch.notes,
        "BandwidthReservationMode": "Absolute",
        "SwitchType": switch.type,
        "AllowManagementOS": switch.type != "Private",
        "NetAdapterInterfaceDescription": "Lab Ethernet Adapter" if external else "",
        "NetAdapterInterfaceDescriptions": ["Lab Ethernet Adapter"] if external else [],
        "DefaultQueueVrssQueueSchedulingMode": "Dynamic",
        "DefaultQueueVrssQueueSchedulingModeRequested": "Dynamic",
        "SoftwareRscEnabled": True,
        "ComputerName": host.computer_name,
    }
    return make_object(HV + "VMSwitch", values, live=switch)


def migration_network(host: Host, subnet: str, priority: int) -> PSObj:
    values = {"Subnet": subnet, "Priority": priority, "ComputerName": host.computer_name}
    return make_object(HV + "VMMigrationNetwork", values)


def virtual_disk(host: Host, path: str) -> PSObj:
    """What Get-VHD returns, read from the disk's own bytes."""
    about: VirtualDisk = inspect(real_path(host, path))
    values = {
        "ComputerName": host.computer_name,
        "Path": path,
        "VhdFormat": about.format,
        "VhdType": about.type,
        "FileSize": about.file_size,
        "Size": about.size,
        "MinimumSize": None,
        "LogicalSectorSize": about.logical_sector_size,
        "PhysicalSectorSize": about.physical_sector_size,
        "BlockSize": about.block_size if about.type != "Fixed" else 0,
        "ParentPath": about.parent_path,
        "DiskIdentifier": str(about.identifier).upper(),
        "FragmentationPercentage": 0 if about.type != "Fixed" else None,
        "Alignment": 1 if about.format == "VHDX" else 0,
        "Attached": host.is_attached(path),
        "DiskNumber": None,
        "AddressAbstractionType": "None",
    }
    return make_object("Microsoft.Vhd.PowerShell.VirtualHardDisk", values, live=path)


def report_object(host: Host, report: Report) -> PSObj:
    """What Compare-VM returns."""
    errors = [
        make_object(
            HV + "VMCompatibilityError",
            {
                "Message": one.message,
                "MessageId": one.message_id,
                "Source": source_object(host, report.vm, one.source),
            },
        )
        for one in report.incompatibilities
    ]
    values = {
        "VM": vm_object(host, report.vm),
        "OperationType": report.operation,
        "Destination": report.destination,
        "Path": report.path,
        "SnapshotPath": report.snapshot_path,
        "VhdDestinationPath": report.vhd_destination,
        "VhdSourcePath": report.vhd_source,
        "Incompatibilities": errors,
    }
    return make_object(HV + "VMCompatibilityReport", values, live=report)


def source_object(host: Host, vm: VirtualMachine, source: VirtualMachine | NetworkAdapter | HardDisk | Dvd) -> PSObj:
    if isinstance(source, NetworkAdapter):
        return device_shapes.adapter(host, vm, source)
    if isinstance(source, HardDisk):
        return device_shapes.hard_disk(host, vm, source)
    if isinstance(source, Dvd):
        return device_shapes.dvd(host, vm, source)
    return vm_object(host, source)
