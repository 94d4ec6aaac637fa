# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines and checkpoints as PowerShell shows them."""

from __future__ import annotations

import datetime
from typing import Any

from ..engine.objects import PSObj, make_object
from ..model.host import Host
from ..model.register import size_of_system_files
from ..model.vm import BACKING_UP, MERGING, PAUSED, RUNNING, Checkpoint, VirtualMachine
from . import device_shapes

HV = "Microsoft.HyperV.PowerShell."
INTEGRATION_VERSION = "0.0"


def vm_object(host: Host, vm: VirtualMachine) -> PSObj:
    """What Get-VM returns."""
    descriptions = [host.say("operating_normally")]
    if vm.activity == MERGING:
        descriptions.append(host.say("merging_disks"))
    statuses = _statuses(host, vm)
    running = vm.state == RUNNING
    on = running or vm.state == PAUSED
    values: dict[str, Any] = _definition(host, vm) | {
        "ConfigurationLocation": vm.path if host.rules.path_is_parent_folder else vm.configuration_folder,
        "SmartPagingFilePath": vm.paging_path or vm.path,
        "SnapshotFileLocation": vm.snapshot_path or vm.path,
        "CPUUsage": 0,
        "MemoryAssigned": vm.memory.startup if on else 0,
        "MemoryDemand": vm.memory.startup // 2 if running else 0,
        "MemoryStatus": "OK" if running and vm.memory.dynamic else "",
        "NumaNodesCount": 1,
        "NumaSocketCount": 1,
        "Heartbeat": "OkApplicationsHealthy" if running else None,
        "IntegrationServicesState": "",
        "IntegrationServicesVersion": INTEGRATION_VERSION,
        "Uptime": _uptime(host, vm),
        "OperationalStatus": statuses,
        "PrimaryOperationalStatus": statuses[0],
        "SecondaryOperationalStatus": statuses[1] if len(statuses) > 1 else None,
        "StatusDescriptions": descriptions,
        "PrimaryStatusDescription": descriptions[0],
        "SecondaryStatusDescription": "".join(descriptions[1:]),
        "Status": descriptions[-1],
        "State": "Other" if vm.activity and not host.rules.busy_keeps_state else vm.state,
        "VirtualMachineType": "PlannedVirtualMachine" if vm.id in host.planned else "RealizedVirtualMachine",
        "VirtualMachineSubType": f"Generation{vm.generation}",
        "HardDrives": [device_shapes.hard_disk(host, vm, disk) for disk in vm.disks],
        "DVDDrives": [device_shapes.dvd(host, vm, dvd) for dvd in vm.dvds],
        "NetworkAdapters": [device_shapes.adapter(host, vm, adapter) for adapter in vm.adapters],
        "SizeOfSystemFiles": size_of_system_files(host, vm),
        "ParentSnapshotId": vm.current_checkpoint,
        "ParentSnapshotName": _checkpoint_name(vm),
        "Path": vm.path if host.rules.path_is_parent_folder else vm.configuration_folder,
        "CreationTime": vm.created,
        "Id": vm.id,
        "Name": vm.name,
        "Notes": vm.notes,
        "IsDeleted": vm.deleted,
    }
    return make_object(HV + "VirtualMachine", values, live=vm)


def _definition(host: Host, vm: VirtualMachine) -> dict[str, Any]:
    """What stays the same from start to start."""
    automatic, replica = vm.automatic, vm.replication != "Disabled"
    return {
        "AutomaticStartAction": automatic.start_action,
        "AutomaticStartDelay": automatic.start_delay,
        "AutomaticStopAction": automatic.stop_action,
        "AutomaticCriticalErrorAction": automatic.critical_action,
        "AutomaticCriticalErrorActionTimeout": automatic.critical_timeout,
        "AutomaticCheckpointsEnabled": automatic.checkpoints,
        "ReplicationHealth": "Normal" if replica else "NotApplicable",
        "ReplicationMode": vm.replication if replica else "None",
        "ReplicationState": "Replicating" if replica else "Disabled",
        "CheckpointType": vm.checkpoint_type,
        "EnhancedSessionTransportType": vm.enhanced_transport,
        "Version": vm.version,
        "DynamicMemoryEnabled": vm.memory.dynamic,
        "MemoryMaximum": vm.memory.maximum,
        "MemoryMinimum": vm.memory.minimum,
        "MemoryStartup": vm.memory.startup,
        "ProcessorCount": vm.processors,
        "BatteryPassthroughEnabled": vm.battery,
        "Generation": vm.generation,
        "IsClustered": vm.clustered,
        "GuestControlledCacheTypes": vm.guest_cache_types,
        "LowMemoryMappedIoSpace": vm.low_mmio,
        "HighMemoryMappedIoSpace": vm.high_mmio,
        "LockOnDisconnect": vm.lock_on_disconnect,
        "ComputerName": host.computer_name,
    }


def _uptime(host: Host, vm: VirtualMachine) -> datetime.timedelta:
    if vm.state != RUNNING or vm.started_at is None:
        return datetime.timedelta(0)
    return datetime.timedelta(seconds=max(0.0, host.clock.now() - vm.started_at))


def _statuses(host: Host, vm: VirtualMachine) -> list[str]:
    if vm.activity is None:
        return ["Ok"]
    if vm.activity == BACKING_UP and not host.rules.backup_says_so:
        return ["InService"]
    return ["InService", vm.activity]


def _checkpoint_name(vm: VirtualMachine) -> str | None:
    return next((one.name for one in vm.checkpoints if one.id == vm.current_checkpoint), None)


def checkpoint_object(host: Host, vm: VirtualMachine, checkpoint: Checkpoint) -> PSObj:
    """What Get-VMSnapshot returns."""
    parent = next((one for one in vm.checkpoints if one.id == checkpoint.parent), None)
    values = {name: value for name, value in _definition(host, vm).items() if name in CHECKPOINT_PROPERTIES} | {
        "SnapshotType": "Standard",
        "VMId": vm.id,
        "VMName": vm.name,
        "State": "Off",
        "HardDrives": [device_shapes.hard_disk(host, vm, disk) for disk in checkpoint.disks],
        "NetworkAdapters": [device_shapes.adapter(host, vm, adapter) for adapter in vm.adapters],
        "Notes": checkpoint.notes,
        "ParentSnapshotId": checkpoint.parent,
        "ParentSnapshotName": parent.name if parent else None,
        "Path": vm.snapshot_path or vm.path,
        "CreationTime": checkpoint.created,
        "Id": checkpoint.id,
        "Name": checkpoint.name,
        "IsDeleted": checkpoint not in vm.checkpoints,
    }
    return make_object(HV + "VMSnapshot", values, live=(vm, checkpoint))


CHECKPOINT_PROPERTIES = {
    "DynamicMemoryEnabled",
    "MemoryMaximum",
    "MemoryMinimum",
    "MemoryStartup",
    "ProcessorCount",
    "BatteryPassthroughEnabled",
    "Generation",
    "IsClustered",
    "Version",
    "GuestControlledCacheTypes",
    "LowMemoryMappedIoSpace",
    "HighMemoryMappedIoSpace",
    "LockOnDisconnect",
    "ComputerName",
}
