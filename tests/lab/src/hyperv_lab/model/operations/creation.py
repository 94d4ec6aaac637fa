# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New-VM and New-VHD: a VM of its own, and a disk that stands on another."""

from __future__ import annotations

import uuid

from .. import chains, register, vhdx, vhdx_writer
from ..failures import E_CORRUPT_DISK, E_FILE_EXISTS, E_FILE_NOT_FOUND, E_PATH_NOT_FOUND, Failure
from ..host import Host
from ..storage import INVALID_IN_NAMES, CopyError, copy_failure, join, parent, real_path, require_folder
from ..vm import NAME_LENGTH, Automatic, Dvd, HardDisk, Memory, NetworkAdapter, VirtualMachine


def new_vm(
    host: Host,
    name: str,
    *,
    memory: int,
    generation: int,
    folder: str | None,
    version: str,
    switch: str | None,
    disk: str | None,
) -> VirtualMachine:
    """A VM in a folder of its name below ``folder``, with one network adapter and at most one disk."""
    head = host.say("new_vm_failed", vm=name)
    if not name or len(name) > NAME_LENGTH:
        raise Failure(head, host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    if version not in host.windows.vm_versions:
        raise Failure(head, host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    found = host.switch_named(switch)
    if switch is not None and found is None:
        kind = "ObjectNotFound"
        raise Failure(host.say("switch_not_found", name=switch), identifier=kind, category=kind)
    base = folder or host.settings.virtual_machine_path
    try:
        require_folder(host, base, may_create=host.rules.new_vm_creates_path)
    except CopyError as error:
        raise copy_failure(host, error, head) from error
    place = base if folder is None else join(base, INVALID_IN_NAMES.sub("_", name))
    vm = VirtualMachine(
        id=uuid.uuid4(),
        name=name,
        path=place,
        created=host.clock.wall(),
        version=version,
        snapshot_path=place,
        paging_path=place,
        generation=generation,
        memory=Memory(memory),
        automatic=Automatic(),
        secure_boot=generation == 2,
        adapters=[NetworkAdapter(switch=None if found is None else found.name)],
    )
    if generation == 1:
        vm.dvds.append(Dvd(None, "IDE", 1, 0))
    if disk is not None:
        check_disk(host, disk, head)
        vm.disks.append(HardDisk(disk, "SCSI" if generation == 2 else "IDE", 0, 0))
    try:
        register.register(host, vm)
    except CopyError as error:
        host.vms.pop(vm.id, None)
        raise copy_failure(host, error, head) from error
    return vm


def check_disk(host: Host, path: str, head: str) -> None:
    """A file that can be attached: it is there and a virtual disk."""
    why = None
    if not host.volumes.exists(path):
        why = E_FILE_NOT_FOUND
    else:
        try:
            vhdx.inspect(real_path(host, path))
        except vhdx.NotAVirtualDisk:
            why = E_CORRUPT_DISK
    if why is not None:
        raise Failure(head, host.say("no_file_vhd", path=path), host.say_code(why), hresult=why)


def new_differencing_disk(host: Host, path: str, above: str) -> None:
    """An empty child of a whole parent. The file must not be there, its folder must."""
    head = host.say("new_vhd_failed")
    if not path.lower().endswith(".vhdx") or not above.lower().endswith((".vhdx", ".avhdx")):
        raise Failure(head, host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    why = None
    if host.volumes.exists(path):
        why = E_FILE_EXISTS
    elif not host.volumes.is_dir(parent(path)):
        why = E_PATH_NOT_FOUND
    elif not host.volumes.exists(above):
        why = E_FILE_NOT_FOUND
    elif not chains.is_intact(host, above):
        why = E_CORRUPT_DISK
    if why is not None:
        raise Failure(head, host.say_code(why), hresult=why)
    vhdx_writer.write_differencing(real_path(host, path), real_path(host, above), above, folder=parent(path))
    host.volumes.free(path)  # count what was laid down behind the drive's back
