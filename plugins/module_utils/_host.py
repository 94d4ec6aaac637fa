# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change at any time.
"""One Hyper-V host: one method per question and per change. With its parts the only place that names cmdlets.

``host.files`` are its files and folders (``_host_files.py``); questions about VMs are in ``_host_vms.py``, about
virtual disks in ``_host_disks.py``, changes in ``_host_changes.py``.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Sequence
from datetime import datetime

from ansible_collections.fanout.hyperv.plugins.module_utils._command import command
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import VIRTUALIZATION, Instances
from ansible_collections.fanout.hyperv.plugins.module_utils._host_changes import Changes
from ansible_collections.fanout.hyperv.plugins.module_utils._host_files import Files
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    Computer,
    HostSettings,
    MigrationJob,
    Overview,
    PlannedVM,
    Switch,
    Volume,
)
from ansible_collections.fanout.hyperv.plugins.module_utils._shapes import Row, flag, moment, need, text

if t.TYPE_CHECKING:
    from ansible_collections.fanout.hyperv.plugins.module_utils._session import Session

_SETTINGS = (
    "Name",
    "FullyQualifiedDomainName",
    "VirtualMachinePath",
    "VirtualHardDiskPath",
    "VirtualMachineMigrationEnabled",
    "VirtualMachineMigrationAuthenticationType",
    "MaximumVirtualMachineMigrations",
    "MaximumStorageMigrations",
    "UseAnyNetworkForMigration",
    "SupportedVmVersions",
    "VirtualMachineMigrationPerformanceOption",
)
_SYSTEM = Instances("Win32_ComputerSystem", "DNSHostName", ("Domain", "PartOfDomain"))
_PRODUCT = Instances("Win32_ComputerSystemProduct", "UUID")
_WINDOWS = Instances("Win32_OperatingSystem", "BuildNumber", ("Caption",))
_CLUSTER_SERVICE = Instances("Win32_Service", "State", where="Name='ClusSvc'")
_COMPUTER = (_SYSTEM, _PRODUCT, _WINDOWS, _CLUSTER_SERVICE)
_VOLUMES = Instances("Win32_Volume", "DriveType", ("Name", "FreeSpace", "Capacity"), where="DriveType=3")
_JOBS = Instances(
    "Msvm_MigrationJob",
    "JobState",
    ("InstanceID", "VirtualSystemName", "DestinationHost", "PercentComplete", "ErrorCode", "ErrorDescription"),
    namespace=VIRTUALIZATION,
)
_PLANNED = Instances("Msvm_PlannedComputerSystem", "EnabledState", ("Name", "ElementName"), namespace=VIRTUALIZATION)


class Host(Changes):
    """A Hyper-V host behind one session."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.files = Files(session)

    @property
    def label(self) -> str:
        """What the host is called in messages."""
        return self._session.label

    def settings(self) -> HostSettings:
        """Hyper-V's own settings."""
        return HostSettings.from_row(self._one(command("Get-VMHost"), properties=_SETTINGS))

    def computer(self) -> Computer:
        """The machine itself."""
        return self._computer(self._instances(*_COMPUTER))

    def _computer(self, found: Sequence[list[Row]]) -> Computer:
        system, product, windows = (
            self._single(one.name, rows) for one, rows in zip(_COMPUTER[:3], found, strict=False)
        )
        return Computer(
            dns_name=text(need(system, "DNSHostName")),
            domain=text(system.get("Domain")),
            part_of_domain=flag(need(system, "PartOfDomain")),
            uuid=text(need(product, "UUID")).lower(),
            os_caption=text(need(windows, "Caption")),
            os_build=text(need(windows, "BuildNumber")),
            clustered=any(text(row.get("State")) == "Running" for row in found[3]),
        )

    def overview(self) -> Overview:
        """What a survey asks of the machine, in one question."""
        *computer, volumes, jobs, planned = self._instances(*_COMPUTER, _VOLUMES, _JOBS, _PLANNED)
        return Overview(
            computer=self._computer(computer),
            volumes=_mounted(volumes),
            jobs=tuple(map(MigrationJob.from_row, jobs)),
            planned_vms=tuple(map(PlannedVM.from_row, planned)),
        )

    def volumes(self) -> tuple[Volume, ...]:
        """The mounted local volumes."""
        (rows,) = self._instances(_VOLUMES)
        return _mounted(rows)

    def switches(self) -> tuple[Switch, ...]:
        """The virtual switches."""
        rows = self._rows(command("Get-VMSwitch"), properties=("Name", "Id", "SwitchType"))
        return tuple(Switch.from_row(row) for row in rows)

    def migration_networks(self) -> tuple[str, ...]:
        """The subnets over which VMs may come and go (unless any network may be used)."""
        rows = self._rows(command("Get-VMMigrationNetwork"), properties=("Subnet",))
        return tuple(text(need(row, "Subnet")) for row in rows)

    def jobs(self) -> tuple[MigrationJob, ...]:
        """Migrations that run, or ended in the last minutes. A new one may need some seconds to show up."""
        (rows,) = self._instances(_JOBS)
        return tuple(map(MigrationJob.from_row, rows))

    def planned_vms(self) -> tuple[PlannedVM, ...]:
        """VMs that imports or moves have left half made."""
        (rows,) = self._instances(_PLANNED)
        return tuple(map(PlannedVM.from_row, rows))

    def now(self) -> datetime:
        """The host's clock, in UTC."""
        answers = self._session.run(command("Get-Date", Format="o"))
        if len(answers) != 1:
            raise self._unexpected(f"the clock gave {len(answers)} times")
        return moment(answers[0])


def _mounted(rows: Iterable[Row]) -> tuple[Volume, ...]:
    mounted = (row for row in rows if row.get("Capacity") is not None and not _is_unmounted(text(row["Name"])))
    return tuple(map(Volume.from_row, mounted))


def _is_unmounted(name: str) -> bool:
    """A volume without drive letter or folder has only its device name."""
    return name.startswith("\\\\?\\")


__all__ = ("Host",)
