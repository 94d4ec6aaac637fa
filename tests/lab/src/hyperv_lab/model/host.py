# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Hyper-V host: its settings, virtual machines, drives, links and jobs."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ..calls import CallLog
from ..config import HostConfig, MigrationConfig, SwitchConfig
from . import texts
from .clock import Clock
from .failures import Failure
from .files import Volumes
from .jobs import Jobs
from .links import Link, Transfers
from .switches import Rules
from .versions import VERSIONS, WindowsVersion
from .vm import VirtualMachine

if TYPE_CHECKING:
    from .fabric import Fabric

T = TypeVar("T")
NAMESPACE = uuid.UUID("6f0a2a39-2d6d-4b71-9f4a-0f3f6a7f1d10")


@dataclass
class HostSettings:
    """What Set-VMHost changes."""

    virtual_machine_path: str
    virtual_hard_disk_path: str
    migration_enabled: bool
    authentication: str
    maximum_migrations: int
    maximum_storage_migrations: int
    any_network: bool
    networks: tuple[str, ...]
    performance: str
    numa_spanning: bool = True
    enhanced_session: bool = False
    mac_minimum: str = "00155D010000"
    mac_maximum: str = "00155D0100FF"
    metering_interval_seconds: int = 3600

    @classmethod
    def of(cls, config: HostConfig) -> HostSettings:
        migration: MigrationConfig = config.migration
        return cls(
            virtual_machine_path=config.virtual_machine_path,
            virtual_hard_disk_path=config.virtual_hard_disk_path,
            migration_enabled=migration.enabled,
            authentication=migration.authentication,
            maximum_migrations=migration.simultaneous,
            maximum_storage_migrations=migration.storage,
            any_network=migration.any_network,
            networks=tuple(migration.networks),
            performance=migration.performance,
        )


@dataclass
class VirtualSwitch:
    name: str
    type: str = "External"
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    notes: str = ""


class Host:
    """A host's state. What takes time is in ``operations``; this only keeps and finds."""

    def __init__(self, config: HostConfig, fabric: Fabric) -> None:
        self.config = config
        self.fabric = fabric
        self.name = config.name
        self.computer_name = config.name.upper()[:15]
        self.dns_name = f"{config.name}.{fabric.domain}"
        self.address = config.address
        self.version = config.version
        self.language = config.language
        self.id = uuid.uuid5(NAMESPACE, self.dns_name)
        self.clock: Clock = fabric.clock
        self.transfers: Transfers = fabric.transfers
        self.settings = HostSettings.of(config)
        self.switches = {switch.name: self._switch(switch) for switch in config.switches}
        self.volumes = Volumes(
            fabric.data / config.name,
            {one.letter: one.capacity for one in config.volumes},
            {one.letter: one.used for one in config.volumes},
            wall=self.clock.wall,
        )
        self.network = Link(f"{config.name} network", config.network_rate)
        self.disk = Link(f"{config.name} disk", config.disk_rate)
        self.jobs = Jobs(self.clock)
        self.calls = CallLog(config.name, self.clock.now, fabric.call_numbers)
        self.vms: dict[uuid.UUID, VirtualMachine] = {}
        self.planned: dict[uuid.UUID, VirtualMachine] = {}
        self.up = True
        self.listening = True  # for migrations of others
        self.troubles = config.troubles
        self.service_running = True
        self.cluster_service = config.cluster_node
        self.guardians = {self.dns_name}  # hosts whose vTPM certificates are here
        self.booted = self.clock.wall()
        self.logical_processors = 16
        self.memory = 128 * 1024**3
        self.definitions_in_use: set[str] = set()
        self.being_written: set[str] = set()
        self.to_merge: dict[uuid.UUID, list[str]] = {}  # by VM: files of removed checkpoints, not merged yet
        self._tasks: set[asyncio.Task[Any]] = set()

    def _switch(self, switch: SwitchConfig) -> VirtualSwitch:
        return VirtualSwitch(switch.name, switch.type, uuid.uuid5(NAMESPACE, f"{self.dns_name}/{switch.name}"))

    @property
    def rules(self) -> Rules:
        return self.fabric.rules

    @property
    def windows(self) -> WindowsVersion:
        return VERSIONS[self.version]

    def say(self, key: str, **values: object) -> str:
        return texts.say(self.language, key, **values)

    def say_code(self, hresult: int) -> str:
        return texts.say_code(self.language, hresult)

    # ---- virtual machines

    def find(self, vm_id: uuid.UUID) -> VirtualMachine | None:
        return self.vms.get(vm_id)

    def sorted_vms(self) -> list[VirtualMachine]:
        return sorted(self.vms.values(), key=lambda vm: (vm.name.lower(), str(vm.id)))

    def switch_named(self, name: str | None) -> VirtualSwitch | None:
        return next((one for one in self.switches.values() if name and one.name.lower() == name.lower()), None)

    def is_attached(self, path: str) -> bool:
        """Whether a running machine holds this disk open."""
        return any(
            disk.path.lower() == path.lower()
            for vm in self.vms.values()
            if vm.state in ("Running", "Paused")
            for disk in vm.all_disks()
        )

    def is_being_written(self, path: str) -> bool:
        """Whether the service copies to this file just now."""
        return path.lower() in self.being_written

    # ---- work that outlives the command which began it

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, Failure):
            self.fabric.bugs.append(error)

    def hold(self, paths: Iterable[str], seconds: float) -> None:
        """Keep files open for a while, as the virtualization service and scanners do after it is done with them."""
        wanted = [path for path in paths if self.volumes.exists(path)]
        if seconds > 0 and wanted:
            self.start(self._hold(wanted, seconds))

    async def _hold(self, paths: list[str], seconds: float) -> None:
        with contextlib.ExitStack() as stack:
            for path in paths:
                stack.enter_context(self.volumes.using(path))
            await self.clock.sleep(seconds)

    # ---- up and down

    def go_down(self) -> None:
        """The machine is gone: what it did stops where it is, its running VMs are off."""
        self.up = False
        for task in tuple(self._tasks):
            task.cancel()
        for vm in self.vms.values():
            if vm.state != "Saved":
                vm.state, vm.started_at = "Off", None

    def come_up(self) -> None:
        self.up = True
        self.booted = self.clock.wall()
        self.planned.clear()
        self.jobs.forget()
