# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A VM's life on its host: start, stop, save, change, rename, remove."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .. import chains, register, vhdx, vhdx_content
from ..failures import E_ACCESS_DENIED, E_CORRUPT_DISK, E_FILE_NOT_FOUND, E_SHARING_VIOLATION, Failure
from ..host import Host
from ..storage import real_path
from ..vm import MODIFYING, NAME_LENGTH, NO_MAC, OFF, PAUSED, RUNNING, SAVED, VirtualMachine
from .checkpoints import merge_later
from .common import occupied, wrong_state

SECTOR = 512


async def start_vm(host: Host, vm: VirtualMachine) -> bool:
    """False when it runs already. Starting opens its disks and writes to them, as every guest does."""
    if vm.state == RUNNING:
        return False
    head = host.say("state_failed", vm=vm.name)
    with occupied(host, vm, MODIFYING, head):
        if vm.state != PAUSED:
            _check_devices(host, vm, head)
            for disk in vm.disks:
                if disk.disk_number is None:
                    write_as_guest(host, disk.path)
        for adapter in vm.adapters:
            if adapter.mac == NO_MAC:
                adapter.mac = _next_mac(host)
        vm.state, vm.started_at = RUNNING, host.clock.now()
        register.save(host, vm)
    return True


def _check_devices(host: Host, vm: VirtualMachine, head: str) -> None:
    for disk in vm.disks:
        if disk.disk_number is not None:
            continue
        why = None
        if not host.volumes.exists(disk.path):
            why = E_FILE_NOT_FOUND
        elif not chains.is_intact(host, disk.path):
            why = E_CORRUPT_DISK
        elif "ReadOnly" in host.volumes.attributes(disk.path):
            why = E_ACCESS_DENIED
        elif host.volumes.held(disk.path):
            why = E_SHARING_VIOLATION
        if why is not None:
            text = host.say("attachment", vm=vm.name, path=disk.path, why=host.say_code(why))
            raise Failure(head, text, hresult=why)
    for adapter in vm.adapters:
        if adapter.switch and host.switch_named(adapter.switch) is None:
            raise Failure(head, host.say("no_switch", switch=adapter.switch))


def write_as_guest(host: Host, path: str) -> None:
    """What a guest's first write does to a disk: a new DataWriteGuid, and some bytes of its content."""
    real = real_path(host, path)
    vhdx.break_hard_link(real)
    about = vhdx.inspect(real)
    if about.format == "VHDX":
        guid = vhdx.set_data_write_guid(real)
        chain = [real_path(host, one) for one in chains.chain(host, path)]
        end = vhdx_content.first_written(chain)
        if end is not None:
            vhdx_content.write(chain, end - SECTOR, guid.bytes_le * (SECTOR // 16))
    else:
        with real.open("r+b") as file:
            file.seek(max(0, about.file_size // 2 - SECTOR))
            file.write(b"\xfe" * SECTOR)
    host.volumes.touch(path, host.clock.wall())
    host.volumes.free(path)  # a child has grown


def _next_mac(host: Host) -> str:
    used = {adapter.mac for vm in host.vms.values() for adapter in vm.adapters}
    first, last = int(host.settings.mac_minimum, 16), int(host.settings.mac_maximum, 16)
    for number in range(first, last + 1):
        if (mac := f"{number:012X}") not in used:
            return mac
    raise Failure(host.say("invalid_parameter"), "Attempt to access invalid address.")


async def stop_vm(host: Host, vm: VirtualMachine, to: str = OFF) -> bool:
    """To Off or Saved; False when it is there already."""
    if vm.state == to:
        return False
    head = host.say("state_failed", vm=vm.name)
    if vm.state not in (RUNNING, PAUSED) and not (vm.state == SAVED and to == OFF):
        raise wrong_state(host, head)
    with occupied(host, vm, MODIFYING, head):
        vm.state, vm.started_at = to, None
        register.save(host, vm)
    return True


def change_vm(host: Host, vm: VirtualMachine, change: Callable[[VirtualMachine], None], *, offline: bool) -> None:
    """Apply ``change`` to the VM; ``offline``: only while it is off. The configuration file follows at once."""
    head = host.say("modify_failed", vm=vm.name)
    with occupied(host, vm, MODIFYING, head):
        if offline and vm.state != OFF:
            raise wrong_state(host, head)
        before = vm.twin()
        change(vm)
        try:
            register.save(host, vm)
        except Failure:
            vm.restore(before)
            raise


def rename_vm(host: Host, vm: VirtualMachine, name: str) -> None:
    """The name and nothing else: folders and files keep theirs."""
    taken = not host.rules.names_may_repeat and any(one.name == name and one is not vm for one in host.vms.values())
    if len(name) > NAME_LENGTH or taken:
        raise Failure(
            host.say("modify_failed", vm=vm.name),
            host.say("invalid_parameter"),
            identifier="InvalidParameter",
            category="InvalidArgument",
        )
    change_vm(host, vm, lambda one: setattr(one, "name", name), offline=False)


async def remove_vm(host: Host, vm: VirtualMachine) -> None:
    """The configuration goes; disks and folders stay. Checkpoints are merged afterwards, which takes its time."""
    head = host.say("remove_failed", vm=vm.name)
    if host.rules.remove_wants_off and vm.state not in (OFF, SAVED):
        raise wrong_state(host, head)
    with occupied(host, vm, MODIFYING, head):
        vm.state, vm.started_at = OFF, None
        register.unregister(host, vm)
    if not host.rules.remove_leaves_folders:
        register.remove_empty_folders(host, vm)
    paths = [disk.path for disk in vm.disks if disk.disk_number is None]
    if vm.checkpoints:
        merge_later(host, vm, [disk.path for checkpoint in vm.checkpoints for disk in checkpoint.disks])
    else:
        host.hold(paths, host.rules.disks_stay_locked)


def set_fields(target: Any, values: dict[str, Any]) -> None:
    """Set dataclass fields by name; an unknown one is the lab's own mistake."""
    known = {one.name for one in dataclasses.fields(target)}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{type(target).__name__} has no {name}")
        setattr(target, name, value)
