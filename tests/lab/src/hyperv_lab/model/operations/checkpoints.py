# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints: taking one, and merging its differencing disks away again."""

from __future__ import annotations

import uuid

from .. import chains, provision, register, vhdx
from ..failures import E_CORRUPT_DISK, Failure
from ..host import Host
from ..storage import CopyError, copy_failure, real_path, remove_quietly
from ..vm import CHECKPOINTING, MERGING, Checkpoint, VirtualMachine
from .common import occupied, wrong_state


def take(host: Host, vm: VirtualMachine, name: str) -> Checkpoint:
    head = host.say("checkpoint_failed", vm=vm.name)
    if vm.checkpoint_type == "Disabled":
        raise wrong_state(host, head)
    with occupied(host, vm, CHECKPOINTING, head):
        for disk in vm.disks:
            if disk.disk_number is None and not chains.is_intact(host, disk.path):
                raise Failure(head, host.say_code(E_CORRUPT_DISK), hresult=E_CORRUPT_DISK)
        try:
            return provision.add_checkpoint(host, vm, name)
        except CopyError as error:
            raise copy_failure(host, error, head) from error


def remove(host: Host, vm: VirtualMachine, checkpoint: Checkpoint) -> None:
    """Gone from the list at once; its disks are merged afterwards, and the VM is busy until that is done."""
    with occupied(host, vm, MERGING, host.say("merge_failed")):
        for path in vm.checkpoint_files(checkpoint):
            remove_quietly(host, path)
        vm.checkpoints.remove(checkpoint)
        for child in vm.checkpoints:
            if child.parent == checkpoint.id:
                child.parent = checkpoint.parent
        if vm.current_checkpoint == checkpoint.id:
            vm.current_checkpoint = checkpoint.parent
        register.save(host, vm)
    if not vm.checkpoints:
        vm.activity = MERGING
        host.start(merge_all(host, vm))


async def merge_all(host: Host, vm: VirtualMachine) -> None:
    """Bring every disk back to the file at the bottom of its chain, at the pace of the host's disk.

    Reads count as much as writes. What the children hold is not copied into the parent: no guest runs here whose data
    it would be; that something was written shows in the parent's DataWriteGuid.
    """
    try:
        for disk in vm.disks:
            paths = chains.chain(host, disk.path) if host.volumes.exists(disk.path) else [disk.path]
            children, base = paths[:-1], paths[-1]
            if not children:
                continue
            size = sum(host.volumes.size(path) for path in children)
            await host.transfers.transfer((host.disk, host.disk), size, lambda offset, length: None)
            if any(_was_written(host, path) for path in children):
                vhdx.set_data_write_guid(real_path(host, base), uuid.uuid4())
            disk.path = base
            for path in children:
                remove_quietly(host, path)
        register.save(host, vm)
    finally:
        vm.activity = None


def _was_written(host: Host, path: str) -> bool:
    """A child that was never opened since it was made has its first header still."""
    sequence = vhdx.inspect(real_path(host, path)).sequence
    return sequence is not None and sequence > 1
