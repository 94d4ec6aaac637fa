# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that add and change the devices of a VM."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ..engine.errors import NotSimulated
from ..engine.registry import Bound, Context
from ..engine.wildcards import matches
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations import creation, lifecycle
from ..model.vm import NO_MAC, OFF, HardDisk, NetworkAdapter, VirtualMachine
from . import device_shapes
from .hyperv import as_list, chosen, hyperv, proceed, record

Pair = tuple[VirtualMachine, NetworkAdapter]
CONTROLLERS = {"IDE": (2, 2), "SCSI": (1, 64)}
"""Controllers that a new VM has, and the locations on each."""
VLANS = range(1, 4095)


def _only(ctx: Context, args: Bound, *known: str) -> None:
    """Parameters of the real cmdlet that nothing here acts on must not look as if they had worked."""
    for name in args:
        if name not in known:
            raise NotSimulated(f"{ctx.command} -{name}")


def _invalid(host: Host, vm: VirtualMachine) -> Failure:
    return Failure(
        host.say("modify_failed", vm=vm.name),
        host.say("invalid_parameter"),
        identifier="InvalidParameter",
        category="InvalidArgument",
    )


@hyperv("Add-VMHardDiskDrive")
async def add_vm_hard_disk_drive(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _only(ctx, args, "VM", "VMName", "ControllerType", "ControllerNumber", "ControllerLocation", "Path", "Passthru")
    host: Host = ctx.host
    for vm in list(chosen(ctx, args, "VMName")):
        if not proceed(ctx, vm.name):
            continue
        try:
            disk = _new_disk(host, vm, args)
            lifecycle.change_vm(host, vm, lambda one, disk=disk: one.disks.append(disk), offline=False)  # type: ignore[misc]
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield device_shapes.hard_disk(host, vm, disk)


def _new_disk(host: Host, vm: VirtualMachine, args: Bound) -> HardDisk:
    kind = str(args.get("ControllerType") or ("IDE" if vm.generation == 1 else "SCSI"))
    controllers, locations = CONTROLLERS.get(kind, (0, 0))
    number = int(args.get("ControllerNumber") or 0)
    taken = {(one.controller_type, one.controller_number, one.location) for one in vm.disks}
    taken |= {(one.controller_type, one.controller_number, one.location) for one in vm.dvds}
    free = next(place for place in range(locations + 1) if (kind, number, place) not in taken)
    location = int(args["ControllerLocation"]) if "ControllerLocation" in args else free
    bad_kind = kind == "IDE" and (vm.generation == 2 or vm.state != OFF)
    if bad_kind or number >= controllers or location >= locations or (kind, number, location) in taken:
        raise _invalid(host, vm)
    path = str(args.get("Path") or "")
    creation.check_disk(host, path, host.say("modify_failed", vm=vm.name))
    return HardDisk(path, kind, number, location)


@hyperv("Add-VMNetworkAdapter")
async def add_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _only(ctx, args, "VM", "VMName", "SwitchName", "Name", "StaticMacAddress", "DynamicMacAddress", "Passthru")
    host: Host = ctx.host
    switch = host.switch_named(args.get("SwitchName"))
    if "SwitchName" in args and switch is None:
        kind = "ObjectNotFound"
        raise Failure(host.say("switch_not_found", name=args["SwitchName"]), identifier=kind, category=kind)
    for vm in list(chosen(ctx, args, "VMName")):
        if not proceed(ctx, vm.name):
            continue
        adapter = NetworkAdapter(name=str(args.get("Name") or "Network Adapter"))
        adapter.switch = None if switch is None else switch.name
        try:
            if "StaticMacAddress" in args:
                _set_mac(host, vm, adapter, str(args["StaticMacAddress"]))
            lifecycle.change_vm(host, vm, lambda one, new=adapter: one.adapters.append(new), offline=vm.generation == 1)  # type: ignore[misc]
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield device_shapes.adapter(host, vm, adapter)


def _set_mac(host: Host, vm: VirtualMachine, adapter: NetworkAdapter, text: str) -> None:
    mac = re.sub("[:-]", "", text).upper()
    if not re.fullmatch("[0-9A-F]{12}", mac) or mac == NO_MAC:
        raise _invalid(host, vm)
    adapter.mac, adapter.static_mac = mac, True


def _adapters(ctx: Context, args: Bound, name: str) -> Iterator[Pair]:
    for given in as_list(args.get("VMNetworkAdapter")):
        yield given.live
    for vm in chosen(ctx, args, "VMName"):
        yield from ((vm, one) for one in vm.adapters if name not in args or matches(str(args[name]), one.name))


async def _each(
    ctx: Context, args: Bound, name: str, change: Callable[[VirtualMachine, NetworkAdapter], None], *, offline: bool
) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm, adapter in list(_adapters(ctx, args, name)):
        if not proceed(ctx, adapter.name):
            continue
        try:
            lifecycle.change_vm(host, vm, lambda one, it=adapter: change(one, it), offline=offline)  # type: ignore[misc]
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield device_shapes.adapter(host, vm, adapter)


@hyperv("Set-VMNetworkAdapter")
async def set_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    known = ("VMNetworkAdapter", "VM", "VMName", "Name", "StaticMacAddress", "DynamicMacAddress", "Passthru")
    _only(ctx, args, *known)
    host: Host = ctx.host

    def change(vm: VirtualMachine, adapter: NetworkAdapter) -> None:
        if "StaticMacAddress" in args:
            _set_mac(host, vm, adapter, str(args["StaticMacAddress"]))
        elif args.switch("DynamicMacAddress"):
            adapter.mac, adapter.static_mac = NO_MAC, False

    async for item in _each(ctx, args, "Name", change, offline=True):
        yield item


@hyperv("Rename-VMNetworkAdapter")
async def rename_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    _only(ctx, args, "VMNetworkAdapter", "VM", "VMName", "Name", "NewName", "Passthru")

    def change(_: VirtualMachine, adapter: NetworkAdapter) -> None:
        adapter.name = str(args["NewName"])

    async for item in _each(ctx, args, "Name", change, offline=False):
        yield item


@hyperv("Set-VMNetworkAdapterVlan")
async def set_vm_network_adapter_vlan(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    known = ("VMNetworkAdapter", "VM", "VMName", "VMNetworkAdapterName", "Access", "Untagged", "VlanId", "Passthru")
    _only(ctx, args, *known)
    host: Host = ctx.host

    def change(vm: VirtualMachine, adapter: NetworkAdapter) -> None:
        vlan = int(args["VlanId"]) if "VlanId" in args else None
        if args.switch("Access") == args.switch("Untagged") or args.switch("Access") != (vlan is not None):
            raise _invalid(host, vm)
        if vlan is not None and vlan not in VLANS:
            raise _invalid(host, vm)
        adapter.vlan = vlan

    async for item in _each(ctx, args, "VMNetworkAdapterName", change, offline=False):
        yield item
