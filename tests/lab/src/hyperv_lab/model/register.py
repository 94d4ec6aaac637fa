# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's register of virtual machines and their configuration files."""

from __future__ import annotations

from . import vmcx
from .failures import E_DISK_FULL, Failure
from .host import Host
from .storage import CopyError, ensure_folder, join, remove_quietly, write_file
from .vm import VirtualMachine

STATE_FILE = b"vmrs.lab".ljust(16 * 1024, b"\0")
GUEST_STATE_FILE = b"vmgs.lab".ljust(64 * 1024, b"\0")


def write_system_files(host: Host, vm: VirtualMachine) -> None:
    """A VM's configuration, runtime state and guest state, as files where its settings say."""
    ensure_folder(host, vm.configuration_folder)
    contents = {"vmcx": vmcx.dump(vm), "vmrs": STATE_FILE, "vmgs": GUEST_STATE_FILE}
    for path in vm.system_files:
        extension = path.rpartition(".")[2]
        if extension == "vmcx":
            _check_room(host, path, len(contents[extension]))
        if extension == "vmcx" or not host.volumes.exists(path):
            write_file(host, path, contents[extension])


def _check_room(host: Host, path: str, size: int) -> None:
    """A configuration that does not fit any more is refused before the old one is touched."""
    before = host.volumes.size(path) if host.volumes.exists(path) else 0
    if path[0].upper() in host.volumes.letters and size - before > host.volumes.free(path):
        raise CopyError(path, path, E_DISK_FULL)


def save(host: Host, vm: VirtualMachine) -> None:
    """Bring the configuration file up to date."""
    if vm.id not in host.vms:
        return
    try:
        write_system_files(host, vm)
    except CopyError as error:
        text = host.say("modify_failed", vm=vm.name)
        raise Failure(text, host.say_code(error.hresult), hresult=error.hresult) from error


def register(host: Host, vm: VirtualMachine) -> None:
    """The VM belongs to this host from now on."""
    vm.deleted = False
    for adapter in vm.adapters:
        switch = host.switch_named(adapter.switch)
        adapter.switch = switch.name if switch else adapter.switch
    host.vms[vm.id] = vm
    host.planned.pop(vm.id, None)
    write_system_files(host, vm)
    ensure_folder(host, join(vm.configuration_folder, vm.file_id))
    if vm.checkpoints:
        write_checkpoint_files(host, vm)


def write_checkpoint_files(host: Host, vm: VirtualMachine) -> None:
    ensure_folder(host, vm.checkpoint_folder)
    for checkpoint in vm.checkpoints:
        configuration, state = vm.checkpoint_files(checkpoint)
        write_file(host, configuration, vmcx.dump(vm))
        write_file(host, state, STATE_FILE)


def unregister(host: Host, vm: VirtualMachine) -> None:
    """The VM is this host's no more and its configuration is gone; disks and folders stay."""
    host.vms.pop(vm.id, None)
    vm.deleted = True
    for path in vm.system_files:
        remove_quietly(host, path)
    for checkpoint in vm.checkpoints:
        for path in vm.checkpoint_files(checkpoint):
            remove_quietly(host, path)


def remove_empty_folders(host: Host, vm: VirtualMachine) -> None:
    """Those of a VM's configuration, as far as nothing lies in them."""
    for path in (join(vm.configuration_folder, vm.file_id), vm.configuration_folder, vm.checkpoint_folder):
        remove_quietly(host, path)


def size_of_system_files(host: Host, vm: VirtualMachine) -> int:
    return sum(host.volumes.size(path) for path in vm.system_files if host.volumes.exists(path))
