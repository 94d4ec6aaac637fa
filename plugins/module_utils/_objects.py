# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a Hyper-V host shows, as frozen values: built from the plain objects that a session returns.

Ids are lower-case strings, sizes are bytes, times are aware UTC times of the host's clock.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.fanout.hyperv.plugins.module_utils._objects_host import (
    Computer,
    Entry,
    HostSettings,
    Incompatibility,
    MigrationJob,
    Overview,
    PlannedVM,
    Switch,
    Volume,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import (
    Row,
    flag,
    guid,
    moment,
    need,
    number,
    optional_number,
    text,
    words,
)

FILE_FORMATS = (".vhdx", ".avhdx", ".vhd", ".avhd", ".vhds")


@dataclass(frozen=True, kw_only=True)
class VM:
    """A virtual machine as Get-VM shows it."""

    id: str
    name: str
    state: str
    notes: str
    generation: int
    version: str
    path: str
    configuration_location: str
    snapshot_location: str
    statuses: tuple[str, ...]
    is_clustered: bool
    replication_state: str
    parent_snapshot_id: str | None
    created: datetime | None

    @property
    def busy(self) -> bool:
        """Whether an operation holds it (export, move, backup, merge, ...)."""
        return any(status != "Ok" for status in self.statuses)

    @classmethod
    def from_row(cls, row: Row) -> VM:
        """From a VirtualMachine."""
        parent = row.get("ParentSnapshotId")
        created = row.get("CreationTime")
        return cls(
            id=guid(need(row, "Id")),
            name=text(need(row, "Name")),
            state=text(need(row, "State")),
            notes=text(row.get("Notes")),
            generation=number(need(row, "Generation")),
            version=text(need(row, "Version")),
            path=text(row.get("Path")),
            configuration_location=text(row.get("ConfigurationLocation")),
            snapshot_location=text(row.get("SnapshotFileLocation")),
            statuses=words(row.get("OperationalStatus")),
            is_clustered=flag(row.get("IsClustered")),
            replication_state=text(row.get("ReplicationState")),
            parent_snapshot_id=None if parent is None else guid(parent),
            created=None if created is None else moment(created),
        )


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A hard disk drive of a VM; ``disk_number`` is a physical disk that is passed through.

    ``shared``: several VMs may have the disk at once (a shared VHDX); it has persistent reservations for that.
    """

    vm_id: str
    path: str
    controller_type: str
    number: int
    location: int
    disk_number: int | None = None
    shared: bool = False

    @property
    def is_file(self) -> bool:
        """Whether a virtual disk's file is behind it."""
        return self.disk_number is None and self.path.lower().endswith(FILE_FORMATS)

    @classmethod
    def from_row(cls, row: Row) -> Drive:
        """From a HardDiskDrive."""
        return cls(
            vm_id=guid(need(row, "VMId")),
            path=text(row.get("Path")),
            controller_type=text(need(row, "ControllerType")),
            number=number(need(row, "ControllerNumber")),
            location=number(need(row, "ControllerLocation")),
            disk_number=optional_number(row.get("DiskNumber")),
            shared=flag(row.get("SupportPersistentReservations")),
        )


@dataclass(frozen=True, kw_only=True)
class Dvd:
    """A DVD drive; ``path`` is empty when nothing is in it."""

    path: str
    controller_type: str
    number: int
    location: int

    @classmethod
    def from_row(cls, row: Row) -> Dvd:
        """From a DvdDrive."""
        return cls(
            path=text(row.get("Path")),
            controller_type=text(need(row, "ControllerType")),
            number=number(need(row, "ControllerNumber")),
            location=number(need(row, "ControllerLocation")),
        )


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """A network adapter. ``vlan`` is 0 without one; ``static_mac`` is None when the host chooses the address."""

    name: str
    switch: str | None
    vlan: int
    static_mac: str | None
    legacy: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Adapter:
        """From a VMNetworkAdapter."""
        dynamic = flag(need(row, "DynamicMacAddressEnabled"))
        return cls(
            name=text(need(row, "Name")),
            switch=text(row.get("SwitchName")) or None,
            vlan=_vlan(row.get("VlanSetting")),
            static_mac=None if dynamic else text(row.get("MacAddress")).upper() or None,
            legacy=flag(row.get("IsLegacy")),
        )


def _vlan(setting: t.Any) -> int:
    """The access VLAN of a nested VLAN setting; a host that does not show it counts as without."""
    if not isinstance(setting, Mapping):
        return 0
    return optional_number(setting.get("AccessVlanId")) or 0


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint of a VM."""

    id: str
    name: str
    type: str

    @classmethod
    def from_row(cls, row: Row) -> Checkpoint:
        """From a VMSnapshot."""
        return cls(id=guid(need(row, "Id")), name=text(row.get("Name")), type=text(row.get("SnapshotType")))


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A virtual disk's file. ``size`` is what the guest sees, ``file_size`` what it takes."""

    path: str
    format: str
    type: str
    file_size: int
    size: int
    identifier: str
    parent_path: str
    attached: bool

    @classmethod
    def from_row(cls, row: Row) -> Disk:
        """From a VirtualHardDisk."""
        return cls(
            path=text(need(row, "Path")),
            format=text(need(row, "VhdFormat")),
            type=text(need(row, "VhdType")),
            file_size=number(need(row, "FileSize")),
            size=number(need(row, "Size")),
            identifier=guid(row.get("DiskIdentifier")),
            parent_path=text(row.get("ParentPath")),
            attached=flag(row.get("Attached")),
        )


@dataclass(frozen=True, kw_only=True)
class DiskFacts:
    """What identifies a disk's content without reading it.

    ``guid`` is the VHDX header's DataWriteGuid. A VHD has none: there its size and last write time stand for it.
    """

    path: str
    size: int
    identifier: str
    guid: str | None
    file_size: int
    modified: datetime | None = None
    parent: str = ""

    @property
    def mark(self) -> str | None:
        """One string that changes when the content is written; None when the host did not show enough."""
        if self.guid is not None:
            return self.guid
        if self.modified is None:
            return None
        return f"vhd {self.file_size} {self.modified.isoformat()}"

    def to_dict(self) -> dict[str, t.Any]:
        """For JSON."""
        return {
            "path": self.path,
            "size": self.size,
            "identifier": self.identifier,
            "guid": self.guid,
            "file_size": self.file_size,
            "modified": None if self.modified is None else self.modified.isoformat(),
            "parent": self.parent,
        }

    @classmethod
    def from_dict(cls, values: Row) -> DiskFacts:
        """From JSON; raises KeyError, TypeError or ValueError when it is not ours."""
        modified = values.get("modified")
        return cls(
            path=str(values["path"]),
            size=int(values["size"]),
            identifier=str(values["identifier"]),
            guid=None if values["guid"] is None else str(values["guid"]),
            file_size=int(values["file_size"]),
            modified=None if modified is None else datetime.fromisoformat(str(modified)),
            parent=str(values.get("parent", "")),
        )


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Everything about a VM that the revision and the preflight look at."""

    vm: VM
    processors: int
    memory_startup: int
    dynamic_memory: bool
    memory_minimum: int
    memory_maximum: int
    secure_boot: bool | None
    secure_boot_template: str | None
    tpm: bool
    shielded: bool
    adapters: tuple[Adapter, ...]
    drives: tuple[Drive, ...]
    dvds: tuple[Dvd, ...]
    checkpoints: tuple[Checkpoint, ...]
    disks: tuple[Disk, ...]

    def disk(self, drive: Drive) -> Disk | None:
        """The disk behind a drive; None when the host did not show it."""
        wanted = drive.path.lower()
        return next((disk for disk in self.disks if disk.path.lower() == wanted), None)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a survey asks of a host. Its migration networks count only unless any network may be used."""

    settings: HostSettings
    machine: Overview
    vms: tuple[VM, ...]
    switches: tuple[Switch, ...]
    migration_networks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Glance:
    """What a host shows at once of copies that are as they should be: disks by the VM's id, texts by path."""

    entries: tuple[Entry, ...]
    disks: Mapping[str, tuple[Disk, ...]]
    texts: Mapping[str, str]


__all__ = (
    "FILE_FORMATS",
    "VM",
    "Adapter",
    "Checkpoint",
    "Computer",
    "Definition",
    "Disk",
    "DiskFacts",
    "Drive",
    "Dvd",
    "Entry",
    "Glance",
    "HostSettings",
    "Incompatibility",
    "MigrationJob",
    "Overview",
    "PlannedVM",
    "Survey",
    "Switch",
    "Volume",
)
