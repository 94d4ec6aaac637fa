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
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ansible_collections.fanout.hyperv.plugins.module_utils._command import command
from ansible_collections.fanout.hyperv.plugins.module_utils._host_base import VIRTUALIZATION, Instances, Question
from ansible_collections.fanout.hyperv.plugins.module_utils._host_changes import Changes
from ansible_collections.fanout.hyperv.plugins.module_utils._host_files import Files
from ansible_collections.fanout.hyperv.plugins.module_utils._objects import (
    Computer,
    Glance,
    HostSettings,
    MigrationJob,
    Overview,
    PlannedVM,
    Survey,
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

    @property
    def auth(self) -> str:
        """How its session is signed in: what a second hop from there may go on with."""
        return self._session.options.auth

    @property
    def endpoint(self) -> str:
        """The PowerShell endpoint that its session uses."""
        return self._session.options.configuration_name

    def survey(self) -> Survey:
        """What a survey asks: one question, or one for each part when the host refuses any of them."""
        questions: list[Question[t.Any]] = [self._settings(), self._overview(), self._vms(), self._switches()]
        answers = self._ask_together(*questions, self._networks())
        if answers is None:
            answers = [self._ask(question) for question in questions]
            answers.append(() if answers[0].any_network else self._ask(self._networks()))
        settings, machine, vms, switches, networks = answers
        return Survey(settings=settings, machine=machine, vms=vms, switches=switches, migration_networks=networks)

    def glance(self, folder: str, copies: Mapping[str, str]) -> Glance | None:
        """What lies in a folder, and of VMs their disks and a text file each, in one question.

        None when any of it is not there or cannot be read: whoever wants to know what asks for each by itself.
        """
        vm_ids, paths = list(copies), list(copies.values())
        disks, texts = map(self._disks_of, vm_ids), map(self.files.about_text, paths)
        answers = self._ask_together(self.files.about_entries(folder), *disks, *texts)
        if answers is None:
            return None
        entries, *rest = answers
        return Glance(
            entries=entries,
            disks=dict(zip(vm_ids, rest[: len(vm_ids)], strict=True)),
            texts=dict(zip(paths, rest[len(vm_ids) :], strict=True)),
        )

    def settings(self) -> HostSettings:
        """Hyper-V's own settings."""
        return self._ask(self._settings())

    def _settings(self) -> Question[HostSettings]:
        def read(rows: list[Row]) -> HostSettings:
            return HostSettings.from_row(self._single("Get-VMHost", rows))

        return self._about(command("Get-VMHost"), properties=_SETTINGS, read=read)

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

    def _overview(self) -> Question[Overview]:
        def read(found: list[list[Row]]) -> Overview:
            *computer, volumes, jobs, planned = found
            return Overview(
                computer=self._computer(computer),
                volumes=_mounted(volumes),
                jobs=tuple(map(MigrationJob.from_row, jobs)),
                planned_vms=tuple(map(PlannedVM.from_row, planned)),
            )

        return self._about_instances(*_COMPUTER, _VOLUMES, _JOBS, _PLANNED, read=read)

    def volumes(self) -> tuple[Volume, ...]:
        """The mounted local volumes."""
        (rows,) = self._instances(_VOLUMES)
        return _mounted(rows)

    def switches(self) -> tuple[Switch, ...]:
        """The virtual switches."""
        return self._ask(self._switches())

    def _switches(self) -> Question[tuple[Switch, ...]]:
        return self._each(command("Get-VMSwitch"), properties=("Name", "Id", "SwitchType"), read=Switch.from_row)

    def _networks(self) -> Question[tuple[str, ...]]:
        """The subnets over which VMs may come and go (unless any network may be used)."""
        command_ = command("Get-VMMigrationNetwork")
        return self._each(command_, properties=("Subnet",), read=lambda row: text(need(row, "Subnet")))

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
