# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints: taking one, and merging its differencing disks away again."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from ...engine.errors import NotSimulated
from .. import chains, provision, register, vhdx, vhdx_content
from ..failures import E_CORRUPT_DISK, Failure
from ..host import Host
from ..storage import CopyError, copy_failure, real_path, remove_quietly
from ..vm import CHECKPOINTING, MERGING, OFF, Checkpoint, HardDisk, VirtualMachine
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


RESTORED = (
    "notes",
    "processors",
    "memory",
    "automatic",
    "secure_boot",
    "secure_boot_template",
    "tpm",
    "checkpoint_type",
    "adapters",
    "dvds",
)
"""Settings that a checkpoint brings back; a VM keeps its name."""


def restore(host: Host, vm: VirtualMachine, checkpoint: Checkpoint) -> None:
    """The VM becomes what it was; what was written since is lost, and new disks branch off the checkpoint's."""
    head = host.say("restore_failed", vm=vm.name)
    if vm.state != OFF:
        raise NotSimulated("Restore-VMSnapshot of a VM that is not Off")
    with occupied(host, vm, CHECKPOINTING, head):
        kept = {disk.path.lower() for one in vm.checkpoints for disk in one.disks}
        given_up = [disk.path for disk in vm.disks if disk.disk_number is None and disk.path.lower() not in kept]
        try:
            disks = [replace(disk) for disk in checkpoint.disks]
            for disk in disks:
                if disk.disk_number is None:
                    disk.path = provision.branch_off(host, disk)
        except CopyError as error:
            raise copy_failure(host, error, head) from error
        if checkpoint.settings is not None:
            before = checkpoint.settings.twin()
            for name in RESTORED:
                setattr(vm, name, getattr(before, name))
        vm.disks, vm.current_checkpoint = disks, checkpoint.id
        for path in given_up:
            remove_quietly(host, path)
        register.save(host, vm)


def remove(host: Host, vm: VirtualMachine, checkpoint: Checkpoint) -> None:
    """Gone from the list at once; its disks are merged afterwards, and the VM is busy until that is done.

    Several that one command removes are merged together.
    """
    free: AbstractContextManager[None] = occupied(host, vm, MERGING, host.say("merge_failed"))
    with nullcontext() if vm.id in host.to_merge else free:
        for path in vm.checkpoint_files(checkpoint):
            remove_quietly(host, path)
        vm.checkpoints.remove(checkpoint)
        for child in vm.checkpoints:
            if child.parent == checkpoint.id:
                child.parent = checkpoint.parent
        if vm.current_checkpoint == checkpoint.id:
            vm.current_checkpoint = checkpoint.parent
        register.save(host, vm)
    merge_later(host, vm, [disk.path for disk in checkpoint.disks])


def merge_later(host: Host, vm: VirtualMachine, paths: list[str]) -> None:
    """Files that no checkpoint keeps as they are any more take in what stands on them."""
    if vm.id in host.to_merge:
        host.to_merge[vm.id] += paths
        return
    host.to_merge[vm.id] = list(paths)
    vm.activity = MERGING
    host.start(_merge(host, vm))


async def _merge(host: Host, vm: VirtualMachine) -> None:
    try:
        given_up = {path.lower() for path in host.to_merge.pop(vm.id)}
        kept = {disk.path.lower() for checkpoint in vm.checkpoints if not vm.deleted for disk in checkpoint.disks}
        for disk in vm.disks:
            if disk.disk_number is None and host.volumes.exists(disk.path):
                await _merge_chain(host, vm, disk, given_up - kept)
        register.save(host, vm)
    finally:
        vm.activity = None


async def _merge_chain(host: Host, vm: VirtualMachine, disk: HardDisk, given_up: set[str]) -> None:
    """From the top down, at the pace of the host's disk: reads count as much as writes."""
    paths = chains.chain(host, disk.path)
    at = 0
    while at + 1 < len(paths):
        child, base = paths[at], paths[at + 1]
        if base.lower() not in given_up or not host.volumes.exists(base):
            at += 1
            continue
        await host.transfers.transfer((host.disk, host.disk), host.volumes.size(child), lambda offset, length: None)
        below = [real_path(host, path) for path in paths[at + 1 :]]
        if vhdx_content.merge(real_path(host, child), below):
            vhdx.set_data_write_guid(below[0])
        for one in [*vm.disks, *(disk for checkpoint in vm.checkpoints for disk in checkpoint.disks)]:
            if one.path.lower() == child.lower():
                one.path = base
        if at:
            above = paths[at - 1]
            vhdx_content.change_parent(real_path(host, above), above, below[0], base)
        remove_quietly(host, child)
        del paths[at]
    host.volumes.free(disk.path)
