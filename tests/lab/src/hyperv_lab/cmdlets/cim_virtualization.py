# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""root\\virtualization\\v2: virtual machines, planned ones, migration jobs and the services' counts."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from ..model import jobs
from ..model.host import Host
from ..model.jobs import Job
from ..model.vm import VirtualMachine
from .cim_class import CimClass, properties

V2 = "root\\virtualization\\v2"
ENABLED_STATES = {"Running": 2, "Off": 3, "Saved": 6, "Paused": 9}
NOT_SIMULATED = frozenset(
    [
        "msvm_virtualsystemsettingdata",
        "msvm_storageallocationsettingdata",
        "msvm_syntheticethernetportsettingdata",
        "msvm_ethernetportallocationsettingdata",
        "msvm_virtualethernetswitch",
        "msvm_virtualsystemsnapshotservice",
        "msvm_imagemanagementservice",
        "msvm_summaryinformation",
        "msvm_memorysettingdata",
        "msvm_processorsettingdata",
        "msvm_storagejob",
        "msvm_virtualsystemmigrationservicesettingdata",
        "msvm_virtualsystemmanagementservicesettingdata",
        "msvm_virtualsystemexportsettingdata",
        "msvm_virtualsystemmigrationsettingdata",
        "msvm_keyboard",
        "msvm_heartbeatcomponent",
        "msvm_shutdowncomponent",
        "msvm_kvpexchangecomponent",
        "msvm_securitysettingdata",
        "msvm_copyfiletoguestjob",
        "msvm_replicationservice",
        "msvm_replicationrelationship",
        "msvm_resourcepool",
        "msvm_virtualsystemmanagementcapabilities",
        "msvm_migrationcapabilities",
        "msvm_virtualsystemmigrationcapabilities",
        "msvm_settingsdefinestate",
        "msvm_affectedjobelement",
        "msvm_hostedsystem",
        "msvm_planned",
    ]
)
ELEMENT = "InstanceID Caption Description ElementName "
MANAGED = ELEMENT + (
    "InstallDate:time Name OperationalStatus:u16[] StatusDescriptions:s[] Status HealthState:u16 "
    "CommunicationStatus:u16 DetailedStatus:u16 OperatingStatus:u16 PrimaryStatus:u16 "
)
COMPUTER_SYSTEM = MANAGED + (
    "EnabledState:u16 OtherEnabledState RequestedState:u16 EnabledDefault:u16 TimeOfLastStateChange:time "
    "AvailableRequestedStates:u16[] TransitioningToState:u16 CreationClassName PrimaryOwnerName "
    "PrimaryOwnerContact Roles:s[] NameFormat OtherIdentifyingInfo:s[] IdentifyingDescriptions:s[] Dedicated:u16[] "
    "OtherDedicatedDescriptions:s[] ResetCapability:u16 PowerManagementCapabilities:u16[] "
    "OnTimeInMilliseconds:u64 ProcessID:u32 TimeOfLastConfigurationChange:time NumberOfNumaNodes:u16 "
    "ReplicationState:u16 ReplicationHealth:u16 ReplicationMode:u16 FailedOverReplicationType:u16 "
    "EnhancedSessionModeState:u16 HwThreadsPerCoreRealized:u32"
)
JOB = MANAGED + (
    "JobStatus TimeSubmitted:time ScheduledStartTime:time StartTime:time ElapsedTime:span JobRunTimes:u32 "
    "RunMonth JobState:u16 Owner Priority:u32 PercentComplete:u16 DeleteOnCompletion:b ErrorCode:u16 "
    "ErrorDescription ErrorSummaryDescription RecoveryAction:u16 OtherRecoveryAction TimeOfLastStateChange:time "
    "TimeBeforeRemoval:span Cancellable:b JobType:u16 "
)
MIGRATION_JOB = JOB + "VirtualSystemName DestinationHost NewSystemSettingData JobCompletionStatusCode:u32"
SERVICE = MANAGED + (
    "EnabledState:u16 RequestedState:u16 SystemCreationClassName SystemName CreationClassName PrimaryOwnerName "
    "StartMode Started:b "
)
MIGRATION_SERVICE = SERVICE + (
    "ActiveVirtualSystemMigrationCount:u32 ActiveStorageMigrationCount:u32 MigrationServiceListenerIPAddressList:s[]"
)
OFFLINE_MIGRATION = 1  # what kind of migration; the number is documented nowhere


def _computer_systems(host: Host) -> Iterable[Mapping[str, Any]]:
    """The host itself is one of them."""
    yield {
        "Caption": "Hosting Computer System",
        "Description": "Microsoft Hosting Computer System",
        "ElementName": host.computer_name,
        "Name": host.computer_name,
        "CreationClassName": "Msvm_ComputerSystem",
        "EnabledState": 2,
        "HealthState": 5,
        "OperationalStatus": [2],
        "Status": "OK",
    }
    for vm in host.sorted_vms():
        yield _computer_system(host, vm, "Msvm_ComputerSystem", "Virtual Machine")


def _planned(host: Host) -> Iterable[Mapping[str, Any]]:
    for vm in host.planned.values():
        yield _computer_system(host, vm, "Msvm_PlannedComputerSystem", "Planned Virtual Machine")


def _computer_system(host: Host, vm: VirtualMachine, name: str, caption: str) -> dict[str, Any]:
    return {
        "Caption": caption,
        "Description": f"Microsoft {caption}",
        "ElementName": vm.name,
        "Name": vm.file_id,
        "CreationClassName": name,
        "InstallDate": vm.created,
        "EnabledState": ENABLED_STATES.get(vm.state, 3),
        "RequestedState": 12,
        "HealthState": 5,
        "OperationalStatus": [11] if vm.activity else [2],
        "StatusDescriptions": [host.say("operating_normally")],
        "Status": host.say("operating_normally"),
        "TimeOfLastConfigurationChange": vm.created,
        "NumberOfNumaNodes": 1,
        "ReplicationState": 0 if vm.replication == "Disabled" else 4,
        "ReplicationHealth": 0 if vm.replication == "Disabled" else 1,
        "ReplicationMode": {"Primary": 1, "Replica": 2}.get(vm.replication, 0),
    }


def _migration_jobs(host: Host) -> Iterable[Mapping[str, Any]]:
    for job in host.jobs.visible(host.rules):
        if job.kind == jobs.MIGRATION:
            by_id = host.rules.job_names_vm_by == "id"
            yield _job(host, job, "Virtual Machine Migration") | {
                "VirtualSystemName": str(job.vm_id).upper() if by_id else job.vm_name,
                "DestinationHost": job.destination,
                "JobType": OFFLINE_MIGRATION,
                "JobCompletionStatusCode": job.error_code,
            }


def _concrete_jobs(host: Host) -> Iterable[Mapping[str, Any]]:
    """All jobs; a query for the base class finds those of its children too."""
    for job in host.jobs.visible(host.rules):
        caption = {jobs.EXPORT: "Exporting Virtual Machine", jobs.IMPORT: "Importing Virtual Machine"}.get(job.kind)
        yield _job(host, job, caption or "Virtual Machine Migration")


def _job(host: Host, job: Job, caption: str) -> dict[str, Any]:
    elapsed = (job.ended if job.ended is not None else host.clock.now()) - job.started
    failed = bool(job.error_text)
    return {
        "InstanceID": str(job.id).upper(),
        "Caption": caption,
        "Description": caption,
        "ElementName": caption,
        "Name": "Msvm_MigrationJob" if job.kind == jobs.MIGRATION else "Msvm_ConcreteJob",
        "OperationalStatus": [2] if not failed else [6, 2],
        "HealthState": 5 if not failed else 25,
        "JobState": jobs.JOB_STATES[job.state],
        "JobStatus": "Job is running" if job.ended is None else "OK" if not failed else "Error",
        "Status": "OK" if not failed else "Error",
        "TimeSubmitted": job.submitted,
        "StartTime": job.submitted,
        "ElapsedTime": datetime.timedelta(seconds=elapsed),
        "TimeOfLastStateChange": job.submitted + datetime.timedelta(seconds=elapsed),
        "TimeBeforeRemoval": datetime.timedelta(seconds=host.rules.job_life),
        "PercentComplete": job.percent,
        "DeleteOnCompletion": False,
        "ErrorCode": job.error_code,
        "ErrorDescription": job.error_text or None,
        "ErrorSummaryDescription": job.error_text.split("\n")[0] or None,
        "Cancellable": job.ended is None,
    }


def _migration_service(host: Host) -> Iterable[Mapping[str, Any]]:
    running = host.jobs.running(jobs.MIGRATION)
    yield _service(host, "Msvm_VirtualSystemMigrationService", "Hyper-V Virtual System Migration Service") | {
        "ActiveVirtualSystemMigrationCount": len(running),
        "ActiveStorageMigrationCount": sum(job.with_storage for job in running),
        "MigrationServiceListenerIPAddressList": [host.address] if host.settings.migration_enabled else [],
    }


def _management_service(host: Host) -> Iterable[Mapping[str, Any]]:
    yield _service(host, "Msvm_VirtualSystemManagementService", "Hyper-V Virtual System Management Service")


def _service(host: Host, name: str, caption: str) -> dict[str, Any]:
    return {
        "Caption": caption,
        "Description": caption,
        "ElementName": caption,
        "Name": "vmms",
        "CreationClassName": name,
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": host.computer_name,
        "EnabledState": 5,
        "HealthState": 5,
        "OperationalStatus": [2],
        "Status": "OK",
        "Started": True,
        "StartMode": "Automatic",
    }


SYSTEM_PARENTS = ("CIM_ComputerSystem", "CIM_System", "CIM_EnabledLogicalElement", "CIM_LogicalElement")
JOB_PARENTS = ("CIM_ConcreteJob", "CIM_Job", "CIM_LogicalElement", "CIM_ManagedSystemElement", "CIM_ManagedElement")
SERVICE_PARENTS = ("CIM_Service", "CIM_EnabledLogicalElement", "CIM_LogicalElement", "CIM_ManagedSystemElement")

CLASSES = (
    CimClass("Msvm_ComputerSystem", V2, SYSTEM_PARENTS, ("Name",), properties(COMPUTER_SYSTEM), _computer_systems),
    CimClass("Msvm_PlannedComputerSystem", V2, SYSTEM_PARENTS, ("Name",), properties(COMPUTER_SYSTEM), _planned),
    CimClass("Msvm_MigrationJob", V2, JOB_PARENTS, ("InstanceID",), properties(MIGRATION_JOB), _migration_jobs),
    CimClass("Msvm_ConcreteJob", V2, JOB_PARENTS, ("InstanceID",), properties(JOB), _concrete_jobs),
    CimClass(
        "Msvm_VirtualSystemMigrationService",
        V2,
        ("CIM_VirtualSystemMigrationService", *SERVICE_PARENTS),
        ("Name",),
        properties(MIGRATION_SERVICE),
        _migration_service,
    ),
    CimClass(
        "Msvm_VirtualSystemManagementService",
        V2,
        ("CIM_VirtualSystemManagementService", *SERVICE_PARENTS),
        ("Name",),
        properties(SERVICE),
        _management_service,
    ),
)
