# Copyright (c) 2026 The fanout.hyperv authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cmdlets about the host itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from ..engine.registry import Bound, Context
from ..engine.wildcards import has_wildcards, matches
from ..model.failures import Failure
from ..model.host import Host
from ..model.storage import is_absolute
from .host_shapes import host_object, migration_network, supported_version, switch_object
from .hyperv import as_list, hyperv, proceed, record

OF_SETTINGS = {
    "MaximumStorageMigrations": "maximum_storage_migrations",
    "MaximumVirtualMachineMigrations": "maximum_migrations",
    "VirtualMachineMigrationAuthenticationType": "authentication",
    "VirtualMachineMigrationPerformanceOption": "performance",
    "UseAnyNetworkForMigration": "any_network",
    "VirtualHardDiskPath": "virtual_hard_disk_path",
    "VirtualMachinePath": "virtual_machine_path",
    "MacAddressMaximum": "mac_maximum",
    "MacAddressMinimum": "mac_minimum",
    "NumaSpanningEnabled": "numa_spanning",
    "EnableEnhancedSessionMode": "enhanced_session",
}
PATHS = ("VirtualHardDiskPath", "VirtualMachinePath")


@hyperv("Get-VMHost")
async def get_vm_host(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    yield host_object(ctx.host)


@hyperv("Set-VMHost")
async def set_vm_host(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    if not proceed(ctx, host.computer_name):
        return
    for name in PATHS:
        if name in args and not is_absolute(args[name]):
            raise Failure(host.say("invalid_parameter"), identifier="InvalidParameter", category="InvalidArgument")
    for name, field in OF_SETTINGS.items():
        if name in args:
            setattr(host.settings, field, _plain(args[name]))
    if "ResourceMeteringSaveInterval" in args:
        host.settings.metering_interval_seconds = int(args["ResourceMeteringSaveInterval"].total_seconds())
    if args.switch("Passthru"):
        yield host_object(host)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)


@hyperv("Enable-VMMigration")
async def enable_vm_migration(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for item in _set_migration(ctx, args, enabled=True):
        yield item


@hyperv("Disable-VMMigration")
async def disable_vm_migration(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    for item in _set_migration(ctx, args, enabled=False):
        yield item


def _set_migration(ctx: Context, args: Bound, *, enabled: bool) -> list[Any]:
    host: Host = ctx.host
    if not proceed(ctx, host.computer_name):
        return []
    host.settings.migration_enabled = enabled
    return [host_object(host)] if args.switch("Passthru") else []


@hyperv("Get-VMHostSupportedVersion")
async def get_vm_host_supported_version(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    for version in host.windows.vm_versions:
        if not args.switch("Default") or version == host.windows.default_vm_version:
            yield supported_version(host, version)


@hyperv("Get-VMSwitch")
async def get_vm_switch(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    kinds = [str(kind) for kind in as_list(args.get("SwitchType"))]
    found = list(host.switches.values())
    if "Id" in args:
        found = _by_id(ctx, as_list(args["Id"]))
    elif "Name" in args:
        found = _by_name(host, args["Name"])
    for switch in sorted(found, key=lambda one: one.name.lower()):
        if not kinds or switch.type in kinds:
            yield switch_object(host, switch)


def _by_id(ctx: Context, ids: list[Any]) -> list[Any]:
    host: Host = ctx.host
    found = []
    for wanted in ids:
        switch = next((one for one in host.switches.values() if one.id == wanted), None)
        if switch is None:
            ctx.write_error(record(ctx, _no_switch(host, str(wanted))))
        else:
            found.append(switch)
    return found


def _by_name(host: Host, name: str) -> list[Any]:
    found = [one for one in host.switches.values() if matches(name, one.name)]
    if not found and not has_wildcards(name):
        raise _no_switch(host, name)
    return found


def _no_switch(host: Host, name: str) -> Failure:
    return Failure(
        host.say("switch_not_found", name=name),
        identifier="InvalidParameter",
        category="InvalidArgument",
        target=name,
    )


@hyperv("Get-VMMigrationNetwork")
async def get_vm_migration_network(ctx: Context, args: Bound) -> AsyncIterator[Any]:
    host: Host = ctx.host
    subnets = [str(one) for one in as_list(args.get("Subnet"))]
    priorities = [int(one) for one in as_list(args.get("Priority"))]
    for number, subnet in enumerate(host.settings.networks):
        priority = 5000 + number
        if subnets and not any(matches(one, subnet) for one in subnets):
            continue
        if not priorities or priority in priorities:
            yield migration_network(host, subnet, priority)
