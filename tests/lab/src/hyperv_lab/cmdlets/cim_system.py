# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""root\\cimv2: the operating system, the computer, its drives and services."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from ..model.host import NAMESPACE, Host
from .cim_class import LOGICAL, MANAGED, CimClass, local_time, properties

CIMV2 = "root\\cimv2"
LOCAL_DISK, CD_ROM = 3, 5
SYSTEM_VOLUME = 524288000

# Classes that real hosts have and the lab does not answer for.
NOT_SIMULATED = frozenset(
    [
        "win32_process",
        "win32_processor",
        "win32_bios",
        "win32_networkadapter",
        "win32_networkadapterconfiguration",
        "win32_useraccount",
        "win32_group",
        "win32_diskdrive",
        "win32_diskpartition",
        "win32_product",
        "win32_quickfixengineering",
        "win32_share",
        "win32_environment",
        "win32_physicalmemory",
        "win32_baseboard",
        "win32_systemenclosure",
        "win32_timezone",
        "win32_pagefileusage",
        "win32_ntlogevent",
        "win32_optionalfeature",
        "win32_serverfeature",
        "win32_directory",
        "win32_perfformatteddata_perfos_system",
        "cim_datafile",
        "cim_operatingsystem",
        "cim_computersystem",
        "cim_logicaldisk",
        "cim_process",
        "cim_service",
        "win32_systemdriver",
        "win32_mountpoint",
        "win32_session",
        "win32_loggedonuser",
        "win32_logonsession",
        "win32_registry",
        "win32_bootconfiguration",
        "win32_startupcommand",
        "win32_scheduledjob",
        "win32_printer",
        "win32_tcpipprinterport",
    ]
)


def _operating_system(host: Host) -> Iterable[Mapping[str, Any]]:
    windows = host.windows
    memory = host.memory // 1024
    yield {
        "Caption": windows.caption,
        "Name": windows.caption + "|C:\\Windows|\\Device\\Harddisk0\\Partition4",
        "Status": "OK",
        "Version": windows.version,
        "BuildNumber": windows.build,
        "BuildType": "Multiprocessor Free",
        "CSName": host.computer_name,
        "CreationClassName": "Win32_OperatingSystem",
        "CSCreationClassName": "Win32_ComputerSystem",
        "CurrentTimeZone": 0,
        "LocalDateTime": local_time(host),
        "LastBootUpTime": host.booted,
        "InstallDate": host.booted.replace(year=host.booted.year - 1, day=1),
        "FreePhysicalMemory": memory // 2,
        "TotalVisibleMemorySize": memory,
        "TotalVirtualMemorySize": memory * 5 // 4,
        "FreeVirtualMemory": memory // 2,
        "NumberOfProcesses": 120,
        "NumberOfUsers": 1,
        "OSArchitecture": "64-bit",
        "OSLanguage": 1033 if host.language.startswith("en") else 1031,
        "MUILanguages": [host.language],
        "OSType": 18,
        "OperatingSystemSKU": 8,
        "ProductType": 3,
        "Locale": "0409" if host.language.startswith("en") else "0407",
        "SystemDirectory": "C:\\Windows\\system32",
        "SystemDrive": "C:",
        "WindowsDirectory": "C:\\Windows",
        "SerialNumber": "00454-00000-00001-AA000",
        "Manufacturer": "Microsoft Corporation",
        "RegisteredUser": "Windows User",
        "ServicePackMajorVersion": 0,
        "ServicePackMinorVersion": 0,
        "Primary": True,
        "Distributed": False,
    }


def _computer_system(host: Host) -> Iterable[Mapping[str, Any]]:
    member = host.config.domain_member
    yield {
        "Caption": host.computer_name,
        "Description": "AT/AT COMPATIBLE",
        "Name": host.computer_name,
        "DNSHostName": host.name,
        "Domain": host.fabric.domain if member else "WORKGROUP",
        "Workgroup": None if member else "WORKGROUP",
        "PartOfDomain": member,
        "DomainRole": 3 if member else 2,
        "Status": "OK",
        "CreationClassName": "Win32_ComputerSystem",
        "Manufacturer": "fanout",
        "Model": "Lab Host",
        "SystemType": "x64-based PC",
        "TotalPhysicalMemory": host.memory,
        "NumberOfProcessors": 1,
        "NumberOfLogicalProcessors": host.logical_processors,
        "HypervisorPresent": True,
        "PrimaryOwnerName": "Windows User",
        "CurrentTimeZone": 0,
    }


def _computer_system_product(host: Host) -> Iterable[Mapping[str, Any]]:
    yield {
        "Caption": "Computer System Product",
        "Description": "Computer System Product",
        "IdentifyingNumber": f"LAB-{host.id.hex[:8].upper()}",
        "Name": "Lab Host",
        "UUID": str(host.id).upper(),
        "Vendor": "fanout",
        "Version": "1.0",
    }


def _volume_id(host: Host, letter: str) -> str:
    return f"\\\\?\\Volume{{{uuid.uuid5(NAMESPACE, f'{host.dns_name}/{letter}')}}}\\"


def _volumes(host: Host) -> Iterable[Mapping[str, Any]]:
    """Every drive, and the volume without a letter that each Windows has."""
    hidden = _volume_id(host, "system")
    yield _volume(hidden, hidden, None, SYSTEM_VOLUME, SYSTEM_VOLUME // 4, "")
    for letter in host.volumes.letters:
        free, size = host.volumes.free(letter), host.volumes.capacity(letter)
        yield _volume(f"{letter}:\\", _volume_id(host, letter), f"{letter}:", size, free, "Windows")


def _volume(name: str, device: str, letter: str | None, size: int, free: int, label: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Caption": name,
        "DeviceID": device,
        "DriveLetter": letter,
        "DriveType": LOCAL_DISK,
        "FileSystem": "NTFS",
        "Label": label,
        "Capacity": size,
        "FreeSpace": free,
        "BlockSize": 4096,
        "BootVolume": letter == "C:",
        "SystemVolume": letter is None,
        "Automount": True,
        "Compressed": False,
        "MaximumFileNameLength": 255,
        "SerialNumber": 1234567890,
        "SystemName": None,
    }


def _logical_disks(host: Host) -> Iterable[Mapping[str, Any]]:
    """The drives, and an empty CD drive, whose sizes are null."""
    for letter in host.volumes.letters:
        yield {
            "DeviceID": f"{letter}:",
            "Caption": f"{letter}:",
            "Name": f"{letter}:",
            "Description": "Local Fixed Disk",
            "DriveType": LOCAL_DISK,
            "MediaType": 12,
            "FileSystem": "NTFS",
            "Size": host.volumes.capacity(letter),
            "FreeSpace": host.volumes.free(letter),
            "VolumeName": "Windows",
            "SystemName": host.computer_name,
            "CreationClassName": "Win32_LogicalDisk",
            "Compressed": False,
        }
    letter = next(one for one in "ZYXW" if one not in host.volumes.letters)
    yield {
        "DeviceID": f"{letter}:",
        "Caption": f"{letter}:",
        "Name": f"{letter}:",
        "Description": "CD-ROM Disc",
        "DriveType": CD_ROM,
        "MediaType": 11,
        "SystemName": host.computer_name,
        "CreationClassName": "Win32_LogicalDisk",
    }


SERVICES = (
    ("vmms", "Hyper-V Virtual Machine Management"),
    ("WinRM", "Windows Remote Management (WS-Management)"),
    ("LanmanServer", "Server"),
    ("Winmgmt", "Windows Management Instrumentation"),
)


def _services(host: Host) -> Iterable[Mapping[str, Any]]:
    """The cluster service stands here only where the cluster feature is installed."""
    known = [*SERVICES, *([("ClusSvc", "Cluster Service")] if host.config.cluster_node else [])]
    for name, display in known:
        running = {"vmms": host.service_running, "ClusSvc": host.cluster_service}.get(name, True)
        yield {
            "Name": name,
            "Caption": display,
            "DisplayName": display,
            "State": "Running" if running else "Stopped",
            "Status": "OK",
            "Started": running,
            "StartMode": "Auto",
            "StartName": "LocalSystem",
            "ExitCode": 0,
            "ProcessId": 1000 + len(name) if running else 0,
            "ServiceType": "Own Process",
            "SystemName": host.computer_name,
            "CreationClassName": "Win32_Service",
            "SystemCreationClassName": "Win32_ComputerSystem",
            "AcceptStop": running,
            "AcceptPause": False,
        }


OPERATING_SYSTEM = MANAGED + (
    "CreationClassName CSCreationClassName CSName CurrentTimeZone:i16 Distributed:b FreePhysicalMemory:u64 "
    "FreeSpaceInPagingFiles:u64 FreeVirtualMemory:u64 LastBootUpTime:time LocalDateTime:time "
    "MaxNumberOfProcesses:u32 MaxProcessMemorySize:u64 NumberOfLicensedUsers:u32 NumberOfProcesses:u32 "
    "NumberOfUsers:u32 OSType:u16 OtherTypeDescription SizeStoredInPagingFiles:u64 TotalSwapSpaceSize:u64 "
    "TotalVirtualMemorySize:u64 TotalVisibleMemorySize:u64 Version BootDevice BuildNumber BuildType CodeSet "
    "CountryCode CSDVersion DataExecutionPrevention_Available:b Debug:b EncryptionLevel:u32 Locale Manufacturer "
    "MUILanguages:s[] OperatingSystemSKU:u32 Organization OSArchitecture OSLanguage:u32 OSProductSuite:u32 "
    "PAEEnabled:b PlusProductID PlusVersionNumber PortableOperatingSystem:b Primary:b ProductType:u32 "
    "RegisteredUser SerialNumber ServicePackMajorVersion:u16 ServicePackMinorVersion:u16 SuiteMask:u32 "
    "SystemDevice SystemDirectory SystemDrive WindowsDirectory"
)
COMPUTER_SYSTEM = MANAGED + (
    "CreationClassName NameFormat PrimaryOwnerContact PrimaryOwnerName Roles:s[] AdminPasswordStatus:u16 "
    "AutomaticManagedPagefile:b BootupState ChassisSKUNumber CurrentTimeZone:i16 DaylightInEffect:b DNSHostName "
    "Domain DomainRole:u16 HypervisorPresent:b Manufacturer Model NumberOfLogicalProcessors:u32 "
    "NumberOfProcessors:u32 PartOfDomain:b PowerState:u16 SystemFamily SystemSKUNumber SystemType "
    "TotalPhysicalMemory:u64 UserName Workgroup"
)
VOLUME = MANAGED + (
    "Access:u16 Availability:u16 BlockSize:u64 CreationClassName DeviceID NumberOfBlocks:u64 Purpose "
    "SystemCreationClassName SystemName Automount:b BootVolume:b Capacity:u64 Compressed:b DirtyBitSet:b "
    "DriveLetter DriveType:u32 FileSystem FreeSpace:u64 IndexingEnabled:b Label MaximumFileNameLength:u32 "
    "PageFilePresent:b QuotasEnabled:b SerialNumber:u32 SupportsDiskQuotas:b SupportsFileBasedCompression:b "
    "SystemVolume:b"
)
LOGICAL_DISK = MANAGED + (
    "Access:u16 Availability:u16 BlockSize:u64 CreationClassName DeviceID NumberOfBlocks:u64 SystemName Compressed:b "
    "DriveType:u32 FileSystem FreeSpace:u64 MaximumComponentLength:u32 MediaType:u32 ProviderName Size:u64 "
    "SupportsFileBasedCompression:b VolumeDirty:b VolumeName VolumeSerialNumber"
)
SERVICE = MANAGED + (
    "CreationClassName Started:b StartMode SystemCreationClassName SystemName AcceptPause:b AcceptStop:b "
    "DesktopInteract:b DisplayName ErrorControl ExitCode:u32 PathName ServiceSpecificExitCode:u32 ServiceType "
    "StartName State TagId:u32 CheckPoint:u32 DelayedAutoStart:b ProcessId:u32 WaitHint:u32"
)

CLASSES = (
    CimClass(
        "Win32_OperatingSystem",
        CIMV2,
        ("CIM_OperatingSystem", *LOGICAL),
        ("Name",),
        properties(OPERATING_SYSTEM),
        _operating_system,
    ),
    CimClass(
        "Win32_ComputerSystem",
        CIMV2,
        ("CIM_UnitaryComputerSystem", "CIM_ComputerSystem", "CIM_System", *LOGICAL),
        ("Name",),
        properties(COMPUTER_SYSTEM),
        _computer_system,
    ),
    CimClass(
        "Win32_ComputerSystemProduct",
        CIMV2,
        ("CIM_Product",),
        ("IdentifyingNumber", "Name", "Version"),
        properties("Caption Description IdentifyingNumber Name SKUNumber Vendor Version UUID"),
        _computer_system_product,
    ),
    CimClass(
        "Win32_Volume",
        CIMV2,
        ("CIM_StorageVolume", "CIM_StorageExtent", "CIM_LogicalDevice", *LOGICAL),
        ("DeviceID",),
        properties(VOLUME),
        _volumes,
    ),
    CimClass(
        "Win32_LogicalDisk",
        CIMV2,
        ("CIM_LogicalDisk", "CIM_StorageExtent", "CIM_LogicalDevice", *LOGICAL),
        ("DeviceID",),
        properties(LOGICAL_DISK),
        _logical_disks,
    ),
    CimClass(
        "Win32_Service",
        CIMV2,
        ("Win32_BaseService", "CIM_Service", *LOGICAL),
        ("Name",),
        properties(SERVICE),
        _services,
    ),
)
