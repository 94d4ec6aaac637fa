# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an admin, fate or a test does to the hosts of a lab: everything but what clients do through WinRM."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import lab_yml, state
from .calls import in_order
from .faults import parse_fault
from .lab_directory import delegation
from .model import provision
from .model.host import Host, VirtualSwitch
from .model.operations.lifecycle import write_as_guest
from .model.register import register, save, unregister
from .model.storage import ensure_folder, join, real_path, remove_quietly
from .model.troubles import TROUBLES
from .model.vm import ACTIVITIES, Dvd, HardDisk, VirtualMachine
from .reading import ConfigError, Section, any_text, flag, list_of, one_of, optional, rate, size, text, whole
from .transport.endpoint import WinRM

if TYPE_CHECKING:
    from .lab import Lab

Json = dict[str, Any]
MIGRATION = {
    "enabled": ("migration_enabled", flag),
    "authentication": ("authentication", one_of("Kerberos", "CredSSP")),
    "simultaneous": ("maximum_migrations", whole(0, 1000)),
    "storage": ("maximum_storage_migrations", whole(0, 1000)),
    "any_network": ("any_network", flag),
    "networks": ("networks", list_of(text)),
    "performance": ("performance", one_of("TCPIP", "Compression", "SMB")),
}


class NotThere(Exception):
    """No such host, or no such VM."""


class Control:
    """One method per thing that can be done; all values come from outside and are checked."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def host(self, name: str) -> Host:
        found = next((host for host in self._lab.fabric.hosts.values() if host.name.lower() == name.lower()), None)
        if found is None:
            raise NotThere(f"no host {name}")
        return found

    def winrm(self, host: Host) -> WinRM:
        return self._lab.winrm[host.name]

    def vm(self, host: Host, vm_id: str) -> VirtualMachine:
        found = next((vm for vm in host.vms.values() if str(vm.id) == vm_id.lower()), None)
        if found is None:
            raise NotThere(f"no VM {vm_id} on {host.name}")
        return found

    # ---- looking

    def state(self, host: Host) -> Json:
        return state.of_host(host, self.winrm(host))

    def everything(self) -> Json:
        fabric = self._lab.fabric
        return {
            "hosts": {host.name: self.state(host) for host in fabric.hosts.values()},
            "bugs": [repr(bug) for bug in fabric.bugs],
            "now": fabric.clock.now(),
        }

    def calls(self, host: str | None, since: int) -> list[Json]:
        hosts = self._lab.fabric.hosts.values() if host is None else [self.host(host)]
        return [call.to_dict() for call in in_order((one.calls for one in hosts), since)]

    def clear_calls(self) -> None:
        for host in self._lab.fabric.hosts.values():
            host.calls.clear()

    # ---- hosts

    def down(self, host: Host) -> None:
        """The machine loses power."""
        self.winrm(host).stop("host down")
        host.go_down()

    async def up(self, host: Host) -> None:
        host.come_up()
        await self.winrm(host).start()

    async def restart(self, host: Host, data: Mapping[str, Any]) -> None:
        """Windows restarts: down at once, up again after some seconds of real time."""
        section = Section("", data)
        seconds = section.take("seconds", whole(0, 3600), 1)
        section.end()
        self.down(host)
        asyncio.get_running_loop().call_later(seconds, lambda: asyncio.ensure_future(self.up(host)))

    async def restart_winrm(self, host: Host) -> None:
        await self.winrm(host).restart()

    def kill_shells(self, host: Host) -> None:
        """The processes of all shells die."""
        for shell in self.winrm(host).shells:
            self.winrm(host).shells.kill(shell.id)

    async def add_fault(self, host: Host, data: Mapping[str, Any]) -> None:
        self.winrm(host).faults.add(parse_fault(data))
        await self.winrm(host).settle()

    async def clear_faults(self, host: Host) -> None:
        self.winrm(host).faults.clear()
        await self.winrm(host).settle()

    def set_volume(self, host: Host, letter: str, data: Mapping[str, Any]) -> None:
        """Its capacity, or how much shall be free of it now."""
        section = Section("", data)
        capacity, free = section.take("capacity", size, None), section.take("free", size, None)
        section.end()
        if letter.upper() not in host.volumes.letters:
            raise NotThere(f"no volume {letter} on {host.name}")
        if (capacity is None) == (free is None):
            raise ConfigError("", "expected either capacity or free")
        if capacity is not None:
            host.volumes.set_capacity(letter.upper(), capacity)
        if free is not None:
            host.volumes.set_free(letter.upper(), free)

    def change_host(self, host: Host, data: Mapping[str, Any]) -> None:
        section = Section("", data)
        network, disk = section.take("network_rate", rate, None), section.take("disk_rate", rate, None)
        migration = section.take("migration", lambda where, value: _migration(Section(where, value)), {})
        switches = section.take("switches", list_of(text), None)
        service, listening = section.take("service_running", flag, None), section.take("listening", flag, None)
        troubles = section.take("troubles", list_of(one_of(*TROUBLES)), None)
        language = section.take("language", text, None)
        section.end()
        if network is not None:
            host.network.set_rate(network)
        if disk is not None:
            host.disk.set_rate(disk)
        for name, value in migration.items():
            setattr(host.settings, name, value)
        if switches is not None:
            host.switches = {name: host.switches.get(name) or VirtualSwitch(name) for name in switches}
        host.service_running = host.service_running if service is None else service
        host.listening = host.listening if listening is None else listening
        host.troubles = host.troubles if troubles is None else troubles
        host.language = language or host.language

    def set_rules(self, data: Mapping[str, Any]) -> None:
        self._lab.fabric.set_rules(**data)

    def set_delegation(self, data: Any) -> None:
        self._lab.fabric.directory.set(delegation(set(self._lab.fabric.hosts))("delegation", data))

    # ---- virtual machines

    def add_vm(self, host: Host, data: Mapping[str, Any]) -> Json:
        vm = provision.add_vm(host, lab_yml.read_vm("vm", data, Path.cwd()))
        return state.of_vm(host, vm)

    def change_vm(self, host: Host, vm: VirtualMachine, data: Mapping[str, Any]) -> Json:
        for key, value in _vm_changes(Section("", data)).items():
            APPLY.get(key, lambda _, it, what, key=key: setattr(it, key, what))(host, vm, value)
        save(host, vm)
        return state.of_vm(host, vm)

    def remove_vm(self, host: Host, vm: VirtualMachine) -> None:
        """With its disks."""
        unregister(host, vm)
        for disk in vm.all_disks():
            remove_quietly(host, disk.path)

    def clone(self, host: Host, data: Mapping[str, Any]) -> Json:
        """What somebody does by hand in Hyper-V Manager: a copy with a new id. Its Notes come along."""
        section = Section("", data)
        vm = self.vm(host, section.need("vm", text))
        new_id = uuid.UUID(section.take("id", text, str(uuid.uuid4())))
        name = section.take("name", any_text, vm.name)
        section.end()
        folder = join(host.settings.virtual_hard_disk_path, f"by hand {str(new_id)[:8]}")
        ensure_folder(host, folder)
        twin = vm.twin()
        twin.id, twin.name, twin.path = new_id, name, host.settings.virtual_machine_path
        twin.snapshot_path = twin.paging_path = twin.path
        twin.created = host.clock.wall()
        for disk in twin.disks:
            _copy_disk(host, disk, folder)
        register(host, twin)
        return state.of_vm(host, twin)


def _set_state(host: Host, vm: VirtualMachine, value: str) -> None:
    vm.state, vm.started_at = value, host.clock.now() if value == "Running" else None


def _set_memory(host: Host, vm: VirtualMachine, value: int) -> None:
    vm.memory.startup = value


def _set_switch(host: Host, vm: VirtualMachine, value: str | None) -> None:
    for adapter in vm.adapters:
        adapter.switch = value


def _set_iso(host: Host, vm: VirtualMachine, value: str | None) -> None:
    vm.dvds = [Dvd(value)]


def _write(host: Host, vm: VirtualMachine, value: bool) -> None:
    """The guest ran and wrote to its disks."""
    for disk in vm.disks if value else []:
        write_as_guest(host, disk.path)


def _checkpoint(host: Host, vm: VirtualMachine, value: str) -> None:
    provision.add_checkpoint(host, vm, value)


# What is more than one attribute of the VM.
APPLY: dict[str, Callable[[Host, VirtualMachine, Any], None]] = {
    "state": _set_state,
    "memory": _set_memory,
    "switch": _set_switch,
    "iso": _set_iso,
    "write": _write,
    "checkpoint": _checkpoint,
}


def _copy_disk(host: Host, disk: HardDisk, folder: str) -> None:
    target = join(folder, disk.file_name)
    shutil.copyfile(real_path(host, disk.path), real_path(host, target))
    disk.path = target


def _migration(section: Section) -> Json:
    missing = object()
    taken = {field: section.take(key, convert, missing) for key, (field, convert) in MIGRATION.items()}
    section.end()
    return {field: value for field, value in taken.items() if value is not missing}


def _vm_changes(section: Section) -> Json:
    missing = object()
    taken: Json = {
        "name": section.take("name", text, missing),
        "notes": section.take("notes", any_text, missing),
        "processors": section.take("processors", whole(1, 2048), missing),
        "memory": section.take("memory", size, missing),
        "clustered": section.take("clustered", flag, missing),
        "replication": section.take("replication", one_of("Disabled", "Primary", "Replica"), missing),
        "tpm": section.take("tpm", flag, missing),
        "secure_boot": section.take("secure_boot", flag, missing),
        "switch": section.take("switch", optional(text), missing),
        "iso": section.take("iso", optional(text), missing),
        "state": section.take("state", one_of(*lab_yml.STATES), missing),
        "activity": section.take("activity", optional(one_of(*ACTIVITIES)), missing),
        "checkpoint": section.take("checkpoint", text, missing),
        "write": section.take("write", flag, missing),
        "shutdown": section.take("shutdown", one_of(*lab_yml.SHUTDOWNS), missing),
    }
    section.end()
    return {name: value for name, value in taken.items() if value is not missing}
