# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets that change virtual network adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ..engine.registry import Bound, Context
from ..engine.wildcards import matches
from ..model.failures import Failure
from ..model.host import Host
from ..model.operations import lifecycle
from ..model.vm import NetworkAdapter, VirtualMachine
from . import device_shapes
from .hyperv import as_list, chosen, hyperv, proceed, record


def _adapters(ctx: Context, args: Bound) -> Iterator[tuple[VirtualMachine, NetworkAdapter]]:
    """Adapters given as objects, or by the names of VMs and of their adapters."""
    for given in as_list(args.get("VMNetworkAdapter")):
        yield given.live
    names = [str(name) for name in as_list(args.get("Name"))]
    for vm in chosen(ctx, args, "VMName"):
        for adapter in vm.adapters:
            if not names or any(matches(name, adapter.name) for name in names):
                yield vm, adapter


def _plug(adapter: NetworkAdapter, switch: str | None) -> Callable[[VirtualMachine], None]:
    return lambda _: setattr(adapter, "switch", switch)


async def _connect(ctx: Context, args: Bound, switch: str | None) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for vm, adapter in list(_adapters(ctx, args)):
        if not proceed(ctx, adapter.name):
            continue
        try:
            if host.vms.get(vm.id) is vm:
                lifecycle.change_vm(host, vm, _plug(adapter, switch), offline=False)
            else:
                adapter.switch = switch  # of a VM that a compatibility report describes
        except Failure as failure:
            ctx.write_error(record(ctx, failure))
            continue
        if args.switch("Passthru"):
            yield device_shapes.adapter(host, vm, adapter)


@hyperv("Disconnect-VMNetworkAdapter")
async def disconnect_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    async for item in _connect(ctx, args, None):
        yield item


@hyperv("Connect-VMNetworkAdapter")
async def connect_vm_network_adapter(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    if "SwitchName" not in args:
        raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    switch = host.switch_named(args["SwitchName"])
    if switch is None:
        kind = "ObjectNotFound"
        raise Failure(host.say("switch_not_found", name=args["SwitchName"]), identifier=kind, category=kind)
    async for item in _connect(ctx, args, switch.name):
        yield item
