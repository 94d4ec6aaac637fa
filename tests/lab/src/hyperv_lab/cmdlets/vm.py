# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that change virtual machines on their own host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..engine.errors import NotSimulated
from ..engine.registry import Bound, Context
from ..engine.wildcards import has_wildcards, matches
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations import checkpoints, lifecycle, power
from ..model.storage import is_absolute
from ..model.vm import OFF, PAUSED, RUNNING, SAVED, Checkpoint, VirtualMachine
from .hyperv import as_list, chosen, each, follow, hyperv, proceed, record
from .vm_shapes import checkpoint_object, vm_object

# Parameters of Set-VM: where they land in the model, and which of them want the VM to be off.
OF_VM = {
    "Notes": "notes",
    "ProcessorCount": "processors",
    "SmartPagingFilePath": "paging_path",
    "SnapshotFileLocation": "snapshot_path",
    "CheckpointType": "checkpoint_type",
    "EnhancedSessionTransportType": "enhanced_transport",
    "LockOnDisconnect": "lock_on_disconnect",
    "LowMemoryMappedIoSpace": "low_mmio",
    "HighMemoryMappedIoSpace": "high_mmio",
    "GuestControlledCacheTypes": "guest_cache_types",
    "BatteryPassthroughEnabled": "battery",
}
OF_MEMORY = {"MemoryStartupBytes": "startup", "MemoryMinimumBytes": "minimum", "MemoryMaximumBytes": "maximum"}
OF_AUTOMATIC = {
    "AutomaticStartAction": "start_action",
    "AutomaticStopAction": "stop_action",
    "AutomaticStartDelay": "start_delay",
    "AutomaticCriticalErrorAction": "critical_action",
    "AutomaticCriticalErrorActionTimeout": "critical_timeout",
    "AutomaticCheckpointsEnabled": "checkpoints",
}
WANT_OFF = {
    "ProcessorCount",
    "MemoryStartupBytes",
    "DynamicMemory",
    "StaticMemory",
    "LowMemoryMappedIoSpace",
    "HighMemoryMappedIoSpace",
    "GuestControlledCacheTypes",
    "EnhancedSessionTransportType",
    "SmartPagingFilePath",
    "BatteryPassthroughEnabled",
}


def _passthru(ctx: Context, args: Bound, vms: Iterator[VirtualMachine]) -> Iterator[Any]:
    for vm in vms:
        if args.switch("Passthru"):
            yield vm_object(ctx.host, vm)


def _plain(value: Any) -> Any:
    """A bound value as the model keeps it: enums by name, numbers as int."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return str(value)


@hyperv("Set-VM")
async def set_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host

    def act(vm: VirtualMachine) -> VirtualMachine:
        if "SnapshotFileLocation" in args and not is_absolute(args["SnapshotFileLocation"]):
            raise Failure(
                host.say("modify_failed", vm=vm.name),
                host.say("invalid_parameter"),
                identifier="InvalidParameter",
                category="InvalidArgument",
            )
        lifecycle.change_vm(host, vm, lambda one: _apply(one, args), offline=bool(WANT_OFF & set(args)))
        if "NewVMName" in args:
            lifecycle.rename_vm(host, vm, args["NewVMName"])
        return vm

    for item in _passthru(ctx, args, each(ctx, _proceeding(ctx, args), act)):
        yield item


def _apply(vm: VirtualMachine, args: Bound) -> None:
    lifecycle.set_fields(vm, {field: _plain(args[name]) for name, field in OF_VM.items() if name in args})
    lifecycle.set_fields(vm.memory, {field: _plain(args[name]) for name, field in OF_MEMORY.items() if name in args})
    automatic = {field: _plain(args[name]) for name, field in OF_AUTOMATIC.items() if name in args}
    lifecycle.set_fields(vm.automatic, automatic)
    if args.switch("DynamicMemory"):
        vm.memory.dynamic = True
    if args.switch("StaticMemory"):
        vm.memory.dynamic = False


def _proceeding(ctx: Context, args: Bound) -> Iterator[VirtualMachine]:
    """The VMs meant, those left out that -WhatIf or a question keeps away."""
    for vm in list(chosen(ctx, args)):
        if proceed(ctx, vm.name):
            yield vm


@hyperv("Rename-VM")
async def rename_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    def act(vm: VirtualMachine) -> VirtualMachine:
        lifecycle.rename_vm(ctx.host, vm, args["NewName"])
        return vm

    for item in _passthru(ctx, args, each(ctx, _proceeding(ctx, args), act)):
        yield item


@hyperv("Remove-VM")
async def remove_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm in list(chosen(ctx, args)):
        if not proceed(ctx, vm.name):
            continue
        silenced = not host.rules.remove_needs_force and ctx.common.get("Confirm") is False
        if not (args.switch("Force") or silenced):
            ctx.should_continue(host.say("ask_remove", vm=vm.name))
        try:
            await lifecycle.remove_vm(host, vm)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(host, vm)


@hyperv("Start-VM")
async def start_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm in list(_proceeding(ctx, args)):
        try:
            if not await follow(ctx, "Starting", lambda _, vm=vm: lifecycle.start_vm(host, vm)):  # type: ignore[misc]
                ctx.warning(host.say("already_in_state"))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(host, vm)


@hyperv("Stop-VM")
async def stop_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    to = SAVED if args.switch("Save") else OFF
    async for item in _stop(ctx, args, to):
        yield item


@hyperv("Save-VM")
async def save_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    async for item in _stop(ctx, args, SAVED):
        yield item


async def _stop(ctx: Context, args: Bound, to: str) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm in list(_proceeding(ctx, args)):
        try:
            if vm.state == SAVED and to == OFF and not args.switch("TurnOff"):
                raise Failure(
                    host.say("state_failed", vm=vm.name),
                    host.say("wrong_state"),
                    identifier="InvalidState",
                    category="InvalidOperation",
                )
            if to == OFF and vm.state in (RUNNING, PAUSED) and not args.switch("TurnOff"):
                if vm.shutdown == "locked" and not args.switch("Force"):
                    ctx.should_continue(host.say("ask_shut_down", vm=vm.name))
                await power.shut_down(host, vm)
            elif not await lifecycle.stop_vm(host, vm, to):
                ctx.warning(host.say("already_in_state"))
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(host, vm)


@hyperv("Remove-VMSavedState")
async def remove_vm_saved_state(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    if "VMSnapshot" in args:
        raise NotSimulated("Remove-VMSavedState -VMSnapshot")
    for vm in list(chosen(ctx, args, "VMName")):
        if not proceed(ctx, vm.name):
            continue
        try:
            if vm.state != SAVED:
                raise Failure(
                    ctx.host.say("state_failed", vm=vm.name),
                    ctx.host.say("wrong_state"),
                    identifier="InvalidState",
                    category="InvalidOperation",
                )
            await lifecycle.stop_vm(ctx.host, vm, OFF)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(ctx.host, vm)


@hyperv("Checkpoint-VM")
async def checkpoint_vm(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm in list(_proceeding(ctx, args)):
        stamp = host.clock.wall().strftime("%m/%d/%Y - %H:%M:%S")
        name = args.get("SnapshotName") or f"{vm.name} - ({stamp})"
        try:
            checkpoint = checkpoints.take(host, vm, name)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield checkpoint_object(host, vm, checkpoint)


@hyperv("Remove-VMSnapshot")
async def remove_vm_snapshot(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm, checkpoint in _checkpoints(ctx, args):
        if not proceed(ctx, checkpoint.name):
            continue
        family = _descendants(vm, checkpoint) if args.switch("IncludeAllChildSnapshots") else [checkpoint]
        try:
            for one in family:
                checkpoints.remove(host, vm, one)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield vm_object(host, vm)


@hyperv("Restore-VMSnapshot")
async def restore_vm_snapshot(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm, checkpoint in _checkpoints(ctx, args):
        if not proceed(ctx, checkpoint.name):
            continue
        try:
            checkpoints.restore(host, vm, checkpoint)
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield checkpoint_object(host, vm, checkpoint)


def _checkpoints(ctx: Context, args: Bound) -> list[tuple[VirtualMachine, Checkpoint]]:
    if "VMSnapshot" in args:
        return [given.live for given in as_list(args["VMSnapshot"])]
    host: Host = ctx.host
    names = [str(name) for name in as_list(args.get("Name"))]
    found = []
    for vm in chosen(ctx, args, "VMName"):
        found += [(vm, one) for one in vm.checkpoints if not names or any(matches(name, one.name) for name in names)]
        for name in names:
            if not has_wildcards(name) and not any(matches(name, one.name) for one in vm.checkpoints):
                kind = "ObjectNotFound"
                text = host.say("checkpoint_not_found", name=name)
                ctx.write_error(record(ctx, Failure(text, identifier=kind, category=kind)))
    return found


def _descendants(vm: VirtualMachine, checkpoint: Checkpoint) -> list[Checkpoint]:
    """The checkpoint and all below it, children first."""
    below = [one for one in vm.checkpoints if one.parent == checkpoint.id]
    return [one for child in below for one in _descendants(vm, child)] + [checkpoint]
