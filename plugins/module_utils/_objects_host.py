# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""What a host shows of itself and of the work on it, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import (
    Row,
    flag,
    flags,
    guid,
    moment,
    need,
    number,
    optional_number,
    text,
    words,
)


@dataclass(frozen=True, kw_only=True)
class HostSettings:
    """Hyper-V's own settings of a host."""

    name: str
    fqdn_suffix: str
    virtual_machine_path: str
    virtual_hard_disk_path: str
    migration_enabled: bool
    migration_authentication: str
    maximum_migrations: int
    maximum_storage_migrations: int
    any_network: bool
    supported_versions: tuple[str, ...]
    performance: str

    @classmethod
    def from_row(cls, row: Row) -> HostSettings:
        """From a VMHost."""
        return cls(
            name=text(need(row, "Name")),
            fqdn_suffix=text(row.get("FullyQualifiedDomainName")),
            virtual_machine_path=text(need(row, "VirtualMachinePath")),
            virtual_hard_disk_path=text(need(row, "VirtualHardDiskPath")),
            migration_enabled=flag(need(row, "VirtualMachineMigrationEnabled")),
            migration_authentication=text(need(row, "VirtualMachineMigrationAuthenticationType")),
            maximum_migrations=number(need(row, "MaximumVirtualMachineMigrations")),
            maximum_storage_migrations=number(need(row, "MaximumStorageMigrations")),
            any_network=flag(need(row, "UseAnyNetworkForMigration")),
            supported_versions=words(row.get("SupportedVmVersions")),
            performance=text(row.get("VirtualMachineMigrationPerformanceOption")),
        )


@dataclass(frozen=True, kw_only=True)
class Computer:
    """The machine under Hyper-V. ``identity`` is the same however it is reached."""

    dns_name: str
    domain: str
    part_of_domain: bool
    uuid: str
    os_caption: str
    os_build: str
    clustered: bool

    @property
    def identity(self) -> str:
        """Tells one computer from another: two inventory names of one computer have the same."""
        return f"{self.uuid}/{self.dns_name.lower()}"

    @property
    def fqdn(self) -> str:
        """The name by which other hosts of the domain reach it."""
        return f"{self.dns_name}.{self.domain}" if self.part_of_domain and self.domain else self.dns_name


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A mounted local volume; ``name`` is where it is mounted, with a backslash at its end."""

    name: str
    free: int
    capacity: int

    @classmethod
    def from_row(cls, row: Row) -> Volume:
        """From a Win32_Volume."""
        return cls(
            name=text(need(row, "Name")),
            free=number(need(row, "FreeSpace")),
            capacity=number(need(row, "Capacity")),
        )


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A virtual switch."""

    name: str
    id: str
    type: str

    @classmethod
    def from_row(cls, row: Row) -> Switch:
        """From a VMSwitch."""
        return cls(name=text(need(row, "Name")), id=guid(need(row, "Id")), type=text(row.get("SwitchType")))


@dataclass(frozen=True, kw_only=True)
class MigrationJob:
    """A migration that runs or ended a short time ago. Which of id or name ``vm`` is differs between hosts."""

    id: str
    vm: str
    destination: str
    percent: int
    state: str
    error_code: int
    error_text: str

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.state == "running"

    def concerns(self, vm_id: str, name: str | None = None) -> bool:
        """Whether it is about this VM. Give ``name`` only if no other VM can have it."""
        told = self.vm.strip("{}").lower()
        return told == vm_id.lower() or (bool(name) and self.vm == name)

    @classmethod
    def from_row(cls, row: Row) -> MigrationJob:
        """From an Msvm_MigrationJob."""
        code = optional_number(row.get("ErrorCode")) or 0
        return cls(
            id=text(need(row, "InstanceID")),
            vm=text(row.get("VirtualSystemName")),
            destination=text(row.get("DestinationHost")),
            percent=optional_number(row.get("PercentComplete")) or 0,
            state=_job_state(number(need(row, "JobState")), code),
            error_code=code,
            error_text=text(row.get("ErrorDescription")),
        )


def _job_state(state: int, error_code: int) -> str:
    """CIM job states: 2-6 are not over, 7 is completed, 8-10 are terminated, killed and exception, 11 is service."""
    if state in (7, 11):
        return "failed" if error_code else "completed"
    return "failed" if state in (8, 9, 10) else "running"


@dataclass(frozen=True, kw_only=True)
class PlannedVM:
    """A VM that a broken move left half made."""

    id: str
    name: str

    @classmethod
    def from_row(cls, row: Row) -> PlannedVM:
        """From an Msvm_PlannedComputerSystem."""
        return cls(id=guid(need(row, "Name")), name=text(row.get("ElementName")))


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a survey asks of a machine. Migrations are those that run or ended a short time ago."""

    computer: Computer
    volumes: tuple[Volume, ...]
    jobs: tuple[MigrationJob, ...]
    planned_vms: tuple[PlannedVM, ...]


@dataclass(frozen=True, kw_only=True)
class Incompatibility:
    """Why a VM would not run at a destination; ``source`` is the type of what is in the way."""

    message_id: int
    message: str
    source: str

    @classmethod
    def from_row(cls, row: Row) -> Incompatibility:
        """From a VMCompatibilityError."""
        source = row.get("Source")
        kind = text(source.get("_type")) if isinstance(source, Mapping) else text(source)
        return cls(
            message_id=number(need(row, "MessageId")),
            message=text(row.get("Message")),
            source=kind.rpartition(".")[2],
        )


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file or folder. A link (reparse point) is never followed."""

    name: str
    path: str
    is_folder: bool
    size: int
    modified: datetime
    is_link: bool
    is_read_only: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Entry:
        """From a FileInfo or DirectoryInfo."""
        attributes = flags(need(row, "Attributes"))
        return cls(
            name=text(need(row, "Name")),
            path=text(need(row, "FullName")),
            is_folder=flag(need(row, "PSIsContainer")),
            size=optional_number(row.get("Length")) or 0,
            modified=moment(need(row, "LastWriteTimeUtc")),
            is_link="ReparsePoint" in attributes,
            is_read_only="ReadOnly" in attributes,
        )


__all__ = (
    "Computer",
    "Entry",
    "HostSettings",
    "Incompatibility",
    "MigrationJob",
    "Overview",
    "PlannedVM",
    "Switch",
    "Volume",
)
