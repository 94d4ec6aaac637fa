# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that only look at virtual machines and what belongs to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ..engine.objects import PSObj
from ..engine.registry import Bound, Context
from ..engine.wildcards import matches
from ..model.failures import Failure
from ..model.host import Host
from ..model.vm import Checkpoint, VirtualMachine
from . import device_shapes
from .hyperv import as_list, chosen, find_by_name, hyperv, record
from .vm_shapes import checkpoint_object, vm_object


@hyperv("Get-VM")
async def get_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    if "ClusterObject" in args:
        raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    if "Id" in args:
        yield vm_object(host, _by_id(host, args["Id"]))
        return
    if "Name" not in args:
        for vm in host.sorted_vms():
            yield vm_object(host, vm)
        return
    for name in as_list(args["Name"]):
        try:
            for vm in find_by_name(ctx, str(name), wildcards=True, own_error=True):
                yield vm_object(host, vm)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))


def _by_id(host: Host, vm_id: Any) -> VirtualMachine:
    vm = host.vms.get(vm_id)
    if vm is None:
        identifier = host.rules.unknown_id_error
        raise Failure(
            host.say("not_found_id", name=vm_id),
            identifier=identifier,
            category="InvalidArgument" if identifier == "InvalidParameter" else identifier,
            target=str(vm_id) if identifier == "InvalidParameter" else None,
        )
    return vm


def _vms(ctx: Context, args: Bound) -> Iterator[VirtualMachine]:
    """The VMs whose devices are asked for; a checkpoint stands for the VM it was taken of."""
    for given in as_list(args.get("VMSnapshot")):
        vm, _ = given.live
        yield vm
    yield from chosen(ctx, args, "VMName")


def _slot(args: Bound) -> Callable[[PSObj], bool]:
    """Whether a drive sits where -ControllerType, -ControllerNumber and -ControllerLocation say."""
    wanted = {name: args[name] for name in ("ControllerType", "ControllerNumber", "ControllerLocation") if name in args}
    return lambda drive: all(drive[name] == value for name, value in wanted.items())


@hyperv("Get-VMHardDiskDrive")
async def get_vm_hard_disk_drive(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    fits = _slot(args)
    if "VMSnapshot" in args:
        vm, checkpoint = args["VMSnapshot"].live
        pairs = [(vm, disk) for disk in checkpoint.disks]
    else:
        pairs = [(vm, disk) for vm in _vms(ctx, args) for disk in vm.disks]
    for vm, disk in pairs:
        drive = device_shapes.hard_disk(host, vm, disk)
        if fits(drive):
            yield drive


@hyperv("Get-VMDvdDrive")
async def get_vm_dvd_drive(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    fits = _slot(args)
    for vm in _vms(ctx, args):
        for dvd in vm.dvds:
            drive = device_shapes.dvd(ctx.host, vm, dvd)
            if fits(drive):
                yield drive


@hyperv("Get-VMNetworkAdapter")
async def get_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    if args.switch("IsLegacy") or args.switch("ManagementOS"):
        return
    vms = host.sorted_vms() if args.switch("All") else _vms(ctx, args)
    name = args.get("Name")
    for vm in vms:
        found = [one for one in vm.adapters if name is None or matches(name, one.name)]
        if not found and name is not None:
            kind = "ObjectNotFound"
            ctx.write_error(
                record(ctx, Failure(host.say("adapter_not_found", name=name), identifier=kind, category=kind))
            )
        for one in reversed(found):  # no order is promised
            yield device_shapes.adapter(host, vm, one)


@hyperv("Get-VMProcessor")
async def get_vm_processor(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for vm in _vms(ctx, args):
        yield device_shapes.processor(ctx.host, vm)


@hyperv("Get-VMMemory")
async def get_vm_memory(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for vm in _vms(ctx, args):
        yield device_shapes.memory(ctx.host, vm)


@hyperv("Get-VMFirmware")
async def get_vm_firmware(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm in _vms(ctx, args):
        if vm.generation == 1:
            text = host.say("invalid_parameter")
            ctx.write_error(
                record(ctx, Failure(text, identifier="InvalidParameter", category="InvalidArgument", target=vm.name))
            )
            continue
        yield device_shapes.firmware(host, vm)


@hyperv("Get-VMSecurity")
async def get_vm_security(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for vm in _vms(ctx, args):
        yield device_shapes.security(ctx.host, vm)


@hyperv("Get-VMReplication")
async def get_vm_replication(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    """Replicated VMs only. Asked for one that is not, it reports an error; asked for all, it leaves them out."""
    host: Host = ctx.host
    named = "VM" in args or "VMName" in args
    for vm in chosen(ctx, args, "VMName") if named else host.sorted_vms():
        if vm.replication != "Disabled":
            yield device_shapes.replication(host, vm)
        elif named:
            text = f"Replication is not enabled for virtual machine '{vm.name}'."
            ctx.write_error(record(ctx, Failure(text, identifier="ObjectNotFound", category="ObjectNotFound")))


@hyperv("Get-VMSnapshot")
async def get_vm_snapshot(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm, checkpoint in _checkpoints(ctx, args):
        kind = args.get("SnapshotType")
        if kind is None or str(kind) == "Standard":
            yield checkpoint_object(host, vm, checkpoint)


def _checkpoints(ctx: Context, args: Bound) -> Iterator[tuple[VirtualMachine, Checkpoint]]:
    host: Host = ctx.host
    if "Id" in args:
        yield from _checkpoint_by_id(host, args["Id"])
        return
    if "ChildOf" in args or "ParentOf" in args:
        yield from _relatives(args)
        return
    name = args.get("Name")
    for vm in chosen(ctx, args, "VMName"):
        found = [one for one in vm.checkpoints if name is None or matches(name, one.name)]
        if name is not None and not found:
            kind = "ObjectNotFound"
            text = host.say("checkpoint_not_found", name=name)
            ctx.write_error(record(ctx, Failure(text, identifier=kind, category=kind)))
        yield from ((vm, one) for one in found)


def _checkpoint_by_id(host: Host, wanted: Any) -> Iterator[tuple[VirtualMachine, Checkpoint]]:
    found = [(vm, one) for vm in host.vms.values() for one in vm.checkpoints if one.id == wanted]
    if not found:
        kind = "ObjectNotFound"
        raise Failure(host.say("checkpoint_not_found", name=wanted), identifier=kind, category=kind)
    yield from found


def _relatives(args: Bound) -> Iterator[tuple[VirtualMachine, Checkpoint]]:
    if "ChildOf" in args:
        vm, parent = args["ChildOf"].live
        yield from ((vm, one) for one in vm.checkpoints if one.parent == parent.id)
        return
    child = args["ParentOf"].live
    vm, parent_id = (
        (child, child.current_checkpoint) if isinstance(child, VirtualMachine) else (child[0], child[1].parent)
    )
    yield from ((vm, one) for one in vm.checkpoints if one.id == parent_id)
